"""What the journal knows of changed checkpoint types: which VMs an operation changed, from what to what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hvtui.journal.entry import Entry, Kind
from hvtui.journal.store import Journal
from hvtui.operations.facts import Was
from hvtui.operations.plan import Target, decode_plan

SET_TYPE: Final = "Set-HvTuiCheckpointType"
_NOTHING: Final = frozenset({"refused", "failed"})


def changed_by(journal: Journal, cluster_id: str, operation: str) -> tuple[Was, ...]:
    """The VMs whose type an operation of this cluster changed, each as `type`, in the order of the plan.

    A VM that a node was asked for, and of which no line tells how that ended, counts as not sure: a console that was
    killed writes none. Whoever undoes compares what the VM has now. Raises JournalError.
    """
    entries = [line.entry for line in journal.lines(operation=operation)] if operation else []
    entries = [entry for entry in entries if entry.cluster_id == cluster_id and entry.function == SET_TYPE]
    told = {entry.target_id: entry for entry in entries if entry.kind is Kind.OUTCOME and not entry.call}
    ends = {entry.call: entry.outcome for entry in entries if entry.kind is Kind.OUTCOME and entry.call}
    names = _names(journal, operation) if entries else {}
    found: list[Was] = []
    for step in (entry for entry in entries if entry.kind is Kind.STEP):
        for vm, before, after in _asked(step):
            entry = told.get(vm)
            target = Target(kind="vm", id=vm, name=names.get(vm, vm))
            if entry is None:
                # A stream that came to its end told of every VM it began.
                if ends.get(step.call) not in {"done", *_NOTHING}:
                    found.append(Was(target, step.node, {"type": before}, {"type": after}, sure=False))
            elif entry.outcome == "done":
                found.append(Was(target, step.node, {"type": entry.before.get("type") or before}, {"type": after}))
            elif entry.outcome == "unknown":
                found.append(Was(target, step.node, {"type": before}, {"type": after}, sure=False))
    return tuple(found)


def _asked(step: Entry) -> Iterator[tuple[str, int, int]]:
    """VM, former and wanted type of every VM of a call."""
    for pair in str(step.requested.get("VM") or "").split(","):
        vm, _, types = pair.partition(":")
        before, _, after = types.partition(":")
        if vm and before.isdigit() and after.isdigit():
            yield vm, int(before), int(after)


def _names(journal: Journal, operation: str) -> dict[str, str]:
    begun = journal.lines(operation=operation, kinds=(Kind.BEGUN,))
    plan = begun[0].entry.requested.get("plan") if begun else None
    if not isinstance(plan, str):
        return {}
    return {change.target.id: change.target.name for change in decode_plan(plan).changes}
