"""What the journal knows of changes of VssAccessControl: what an undo gives back, and which operation was the last."""

from __future__ import annotations

from typing import Final

from hvtui.journal.entry import Entry, Kind, Values
from hvtui.journal.store import Journal
from hvtui.operations.facts import Was
from hvtui.operations.plan import Verb
from hvtui.operations.verbs.vss_access import access_target
from hvtui.operations.vss_access import ABSENT

SET: Final = "Set-HvTuiVssAccess"
REMOVE: Final = "Remove-HvTuiVssAccess"
_CHANGES: Final = frozenset({Verb.VSSACCESS.value, Verb.VSSACCESS_REMOVE.value})
_NOTHING: Final = frozenset({"refused", "failed"})


def changed_by(journal: Journal, cluster_id: str, operation: str) -> tuple[Was, ...]:
    """What an operation of this cluster changed of which entries, each as `value`. Raises JournalError.

    A call whose end is not known counts: whoever undoes compares the entry with what was asked for. The node has
    compared it with what was there before in the same call.
    """
    found: dict[str, Was] = {}
    ends = _ends(journal, operation)
    for line in journal.lines(operation=operation, kinds=(Kind.STEP,)):
        step = line.entry
        if step.cluster_id != cluster_id or step.function not in {SET, REMOVE} or ends.get(step.call) in _NOTHING:
            continue
        former = _number(step.requested, "ExpectValue")
        value = ABSENT if step.function == REMOVE else _number(step.requested, "Value")
        if former is not None and value is not None:
            # As it was spelled there: an entry that was removed comes back exactly.
            target = access_target(step.node, str(step.requested["Account"]))
            sure = ends.get(step.call) == "done"
            found[target.key] = Was(target, step.node, {"value": former}, {"value": value}, sure)
    return tuple(found.values())


def last_operation(journal: Journal, cluster_id: str) -> str:
    """The last operation that changed an entry of this cluster and was not undone; empty without one.

    Raises JournalError.
    """
    begun = [line.entry for line in journal.lines(kinds=(Kind.BEGUN,)) if line.entry.cluster_id == cluster_id]
    ended = {line.entry.operation: line.entry.outcome for line in journal.lines(kinds=(Kind.ENDED,))}
    undone = {
        str(entry.requested.get("option operation"))
        for entry in begun
        if entry.verb == Verb.VSSACCESS_UNDO.value and ended.get(entry.operation) == "done"
    }
    wanted = (e.operation for e in reversed(begun) if e.verb in _CHANGES and e.operation not in undone)
    return next((operation for operation in wanted if changed_by(journal, cluster_id, operation)), "")


def _ends(journal: Journal, operation: str) -> dict[str, str]:
    """Call → how it ended, as the last line that tells it says."""
    kinds = (Kind.OUTCOME, Kind.READ_BACK)
    entries: list[Entry] = [line.entry for line in journal.lines(operation=operation, kinds=kinds)]
    return {entry.call: entry.outcome for entry in entries}


def _number(values: Values, name: str) -> int | None:
    value = values.get(name)
    return value if isinstance(value, int) else None
