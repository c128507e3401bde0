"""What the journal leaves open: operations whose process ended in the middle, and services that hvtui stopped."""

from __future__ import annotations

from typing import Final

import msgspec

from hvtui.journal.entry import Entry, Kind
from hvtui.journal.store import Journal

STOP: Final = "Stop-HvTuiService"
START: Final = "Start-HvTuiService"
_WORKED: Final = frozenset({"done", "started", "unknown", ""})
"""Ends of a call that may have changed something; the empty one is that of a call nobody saw the end of."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call of an operation: the line before it, and the last line that says how it ended (None: nobody knows)."""

    step: Entry
    outcome: Entry | None = None

    @property
    def open(self) -> bool:
        """Whether it ran, or how it ended, is not known from the journal."""
        return self.outcome is None or self.outcome.outcome in {"unknown", "started"}


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that began and has no end in the journal. `plan` is the JSON of its plan, empty when not kept."""

    operation: str
    begun: Entry
    calls: tuple[Call, ...] = ()
    last: Entry
    plan: str = ""


def unfinished(journal: Journal, cluster_id: str = "") -> list[Unfinished]:
    """Operations without an end whose process does not live any more, or left them; oldest first.

    Raises JournalError.
    """
    ended = {line.entry.operation for line in journal.lines(kinds=(Kind.ENDED, Kind.CLOSED))}
    left = {line.entry.operation for line in journal.lines(kinds=(Kind.LEFT,))}
    lives: dict[str, bool] = {}
    found = []
    for line in journal.lines(kinds=(Kind.BEGUN,)):
        begun = line.entry
        if begun.operation in ended or (cluster_id and begun.cluster_id != cluster_id):
            continue
        if begun.session not in lives:
            lives[begun.session] = journal.writer_lives(begun.session)
        if not lives[begun.session] or begun.operation in left:
            found.append(_of(journal, begun))
    return found


def _of(journal: Journal, begun: Entry) -> Unfinished:
    entries = [line.entry for line in journal.lines(operation=begun.operation)]
    outcomes = {e.call: e for e in entries if e.call and e.kind in {Kind.OUTCOME, Kind.READ_BACK}}
    calls = tuple(Call(step=e, outcome=outcomes.get(e.call)) for e in entries if e.kind is Kind.STEP)
    plan = begun.requested.get("plan")
    return Unfinished(
        operation=begun.operation,
        begun=begun,
        calls=calls,
        last=entries[-1],
        plan=plan if isinstance(plan, str) else "",
    )


def stopped_services(journal: Journal, cluster_id: str) -> dict[str, Entry]:
    """`NODE/service` in lower case → the line of the stop, for services that hvtui stopped and did not start again.

    A call without a known end counts as one that worked: whoever looks reads the service itself before acting.
    Raises JournalError.
    """
    stopped: dict[str, Entry] = {}
    steps: dict[str, Entry] = {}
    lines = journal.lines(function=STOP) + journal.lines(function=START)
    for line in sorted(lines, key=lambda line: line.id):
        entry = line.entry
        if entry.cluster_id != cluster_id:
            continue
        key = entry.target_id.lower()
        if entry.kind is Kind.STEP:
            steps[entry.call] = entry
            if entry.function == STOP:
                stopped[key] = entry
        elif entry.call in steps and entry.outcome not in _WORKED and entry.function == STOP:
            if stopped.get(key) is steps[entry.call]:
                del stopped[key]
        elif entry.function == START and entry.outcome in {"done", "started"}:
            stopped.pop(key, None)
    return stopped
