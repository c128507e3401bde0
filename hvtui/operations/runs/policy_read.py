"""What became of VMs of which a node told nothing: its stream was stopped, or broke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hvtui.errors import RemoteError
from hvtui.model.enums import CheckpointType, name_of
from hvtui.operations.desk import Desk
from hvtui.operations.plan import Change
from hvtui.operations.run import ItemState
from hvtui.operations.verbs.policy import type_of


@dataclass(frozen=True)
class Found:
    """How one ended: `done`, `cancelled` (not begun) or `unknown`; `type` is what was read, None when nothing was."""

    state: ItemState
    text: str
    type: int | None = None


async def read_back(desk: Desk, node: str, changes: Sequence[Change], *, lost: bool) -> dict[str, Found]:
    """By VM. `changes` are in the order in which the node works through them.

    `lost`: the connection broke, and the node may go on for a while. Without that it was stopped: then a VM that is as
    before was not begun, and no VM after it.
    """
    return await _lost(desk, changes) if lost else await _stopped(desk, node, changes)


async def _stopped(desk: Desk, node: str, changes: Sequence[Change]) -> dict[str, Found]:
    found: dict[str, Found] = {}
    rest = list(changes)
    while rest:
        change = rest.pop(0)
        vm, wanted = change.target.id, type_of(change.after)
        try:
            answer = await desk.asker.checkpoints_of(node, vm)
        except RemoteError as error:
            found[vm] = Found(ItemState.UNKNOWN, f"it was stopped, and what it has could not be read: {error}")
            continue
        now = answer.checkpoint_type
        if now is None:
            found[vm] = Found(ItemState.UNKNOWN, "it was stopped, and what it has could not be read")
        elif now == wanted:
            found[vm] = Found(ItemState.DONE, f"{change.before} → {change.after}, read back", now)
        else:
            text = f"not begun: it is {name_of(CheckpointType, now)}"
            found[vm] = Found(ItemState.CANCELLED, text, now)
            found |= {one.target.id: Found(ItemState.CANCELLED, "not begun") for one in rest}
            break
    return found


async def _lost(desk: Desk, changes: Sequence[Change]) -> dict[str, Found]:
    """What the streams show; a VM that is as before may still be changed while the node goes on."""
    await desk.watcher.until(lambda: all(_type(desk, c) == type_of(c.after) for c in changes), desk.pace.settle)
    found = {}
    for change in changes:
        now = _type(desk, change)
        if now == type_of(change.after):
            found[change.target.id] = Found(ItemState.DONE, f"{change.before} → {change.after}, read back", now)
        else:
            text = f"the answer was lost, and it is {name_of(CheckpointType, now)}; it was not asked again"
            found[change.target.id] = Found(ItemState.UNKNOWN, text, now)
    return found


def _type(desk: Desk, change: Change) -> int | None:
    """As the node's own stream tells it, which must be live."""
    view = desk.state.nodes.get(desk.state.node_name(change.node))
    record = (view.vms or {}).get(change.target.id) if view is not None and view.heard else None
    return record.checkpoint_type if record is not None else None
