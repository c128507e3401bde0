"""From a key to a page about rows: a VM's checkpoints, the inside of guests, VssAccessControl. They change nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from hvtui.ui.pointed import Pointed
from hvtui.ui.targets import vm_targets, vms_of

if TYPE_CHECKING:
    from hvtui.ui.acting import Acting

CHECKPOINTS: Final = "acts.checkpoints"
GUESTS: Final = "acts.guests"
ACCESS: Final = "acts.access"
PAGES: Final = frozenset({CHECKPOINTS, GUESTS, ACCESS})


def open_page(acting: Acting, page: str, pointed: Pointed) -> None:
    """Open a page about what the key was about, or say where to put the cursor."""
    if page == ACCESS:
        _access(acting)
    elif page == CHECKPOINTS:
        _checkpoints(acting, pointed)
    else:
        _guests(acting, pointed)


def _access(acting: Acting) -> None:
    from hvtui.ui.screens.access_page import AccessPage  # noqa: PLC0415  # not needed for the first frame

    if not acting.shows(AccessPage):
        acting.push(AccessPage(acting))


def _checkpoints(acting: Acting, pointed: Pointed) -> None:
    from hvtui.ui.screens.checkpoints_page import CheckpointsPage  # noqa: PLC0415

    if acting.shows(CheckpointsPage):
        return
    if pointed.kind != "vm" or not pointed.keys:
        acting.tell("Checkpoints: put the cursor on a VM (3) first")
    elif len(pointed.keys) > 1:
        acting.tell(f"Checkpoints: one VM at a time; {len(pointed.keys)} are marked")
    else:
        acting.push(CheckpointsPage(acting, vm_targets(acting.feed.state, pointed.keys)[0]))


def _guests(acting: Acting, pointed: Pointed) -> None:
    from hvtui.ui.screens.guests_page import GuestsPage  # noqa: PLC0415

    if acting.shows(GuestsPage):
        return
    state = acting.feed.state
    keys = vms_of(state, pointed.keys) if pointed.kind == "node" else pointed.keys if pointed.kind == "vm" else ()
    if not keys:
        none = f"no VM is known on {', '.join(pointed.keys)}" if pointed.kind == "node" and pointed.keys else ""
        acting.tell(f"Look into guests: {none or 'put the cursor on a VM (3) or a node (1) first'}")
    else:
        acting.push(GuestsPage(acting, vm_targets(state, keys)))
