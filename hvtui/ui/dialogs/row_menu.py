"""The action menu of a row: every change and page it can be asked for, with its key, and why one is not possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hvtui.operations.plan import Verb
from hvtui.ui.action import Confirm
from hvtui.ui.actions import ACTIONS
from hvtui.ui.dialogs.menu import Choice, MenuScreen
from hvtui.ui.pointed import Pointed
from hvtui.ui.screens.facts import span, text
from hvtui.ui.targets import csv_target, vm_targets

if TYPE_CHECKING:
    from hvtui.ui.acting import Acting

_CONFIRMED = {Confirm.ARMED: "a key on an armed button", Confirm.TYPED: "the typed name"}
_KINDS = {
    "vm": "VMs",
    "node": "nodes",
    "csv": "CSVs",
    "writer": "writers",
    "run": "operations",
    "checkpoint": "checkpoints",
    "vssaccess": "entries",
}


def row_menu(acting: Acting, pointed: Pointed, choose: Callable[[str], None]) -> MenuScreen:
    """Entries of `pointed`'s kind; those for the whole cluster are always there."""
    choices = []
    for action in ACTIONS:
        if not (pointed.kind in action.on or action.verb == Verb.ALIGN):
            continue
        said = "Only shows; changes nothing."
        if action.mutating:
            said = f"Confirmed by {_CONFIRMED[action.confirm]} at least, after the plan was shown."
        about = (text(span(action.help)), text(span(said, "dim")))
        word = (action.mutating and acting.operations.read_only_why) or action.help
        key = action.keys[0] if action.keys else ""
        choices.append(Choice(action.verb or action.id, action.title, key, word=word, about=about))
    return MenuScreen(
        acting.look,
        acting.feed.clock,
        f"Actions: {_names(acting, pointed)}",
        choices,
        choose,
        protected=acting.feed.protected,
    )


def _names(acting: Acting, pointed: Pointed) -> str:
    if len(pointed.keys) > 1:
        return f"{len(pointed.keys)} marked {_KINDS[pointed.kind]}"
    if not pointed.keys:
        return "the cluster"
    key, state = pointed.keys[0], acting.feed.state
    titles = {run.id: run.plan.title for run in acting.operations.runs}
    names: dict[str, Callable[[], str]] = {
        "vm": lambda: vm_targets(state, [key])[0].name,
        "csv": lambda: csv_target(state, key).name,
        "writer": lambda: f"writers of {key.partition('|')[0]}",
        "run": lambda: titles.get(key, "an unfinished operation"),
        "checkpoint": lambda: f"checkpoint {pointed.names[0]}" if pointed.names else "a checkpoint",
        "vssaccess": lambda: pointed.names[0] if pointed.names else key,
    }
    return names.get(pointed.kind, lambda: key)()
