"""How a VM stands in a window, and the window in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from hvtui.window.book import Book
from hvtui.window.records import Backup, Leftover, Outcome, Phase, Standing, Summary

REGULAR: Final = timedelta(days=3)
"""A VM whose last backup is not older than this before the window is one that is backed up, and is waited for."""


def standing(
    book: Book | None, last: datetime | None, begin: datetime, *, over: bool, active: bool
) -> tuple[Standing, str]:
    """How the VM stands in a window that began at `begin`, and what stands beside it.

    `last` is LastSuccessfulBackupTime, None when it was not read. `over`: the window has ended. `active`: it is open,
    or backups are seen to run.
    """
    if book is not None and book.open is not None:
        held = book.open
        percent = f" {held.percent}%" if held.percent is not None else ""
        return (Standing.STALLED, held.stall) if held.stands else (Standing.RUNNING, f"{held.phase.value}{percent}")
    newest = next((one for one in reversed(book.past) if _end(one) >= begin), None) if book is not None else None
    if newest is not None and newest.outcome is Outcome.FAILED:
        return Standing.FAILED, newest.reason
    told = last is not None and last >= begin and (newest is None or last >= newest.begin)
    if told or (newest is not None and newest.outcome is Outcome.DONE):
        return Standing.DONE, ""
    if newest is not None:
        return Standing.ENDED, "over; nothing tells how it ended"
    regular = last is not None and begin - REGULAR <= last
    if regular and over:
        return Standing.MISSED, "no backup in this window"
    return (Standing.WAITING if regular and active else Standing.NONE), ""


def _end(backup: Backup) -> datetime:
    return backup.end or backup.begin


def summarise(
    standings: Counter[Standing], unknown: int, leftovers: Iterable[Leftover], unread: tuple[str, ...]
) -> Summary:
    """The counts, and the oldest of the leftovers."""
    listed = list(leftovers)
    oldest = min((one for one in listed if one.since is not None), key=_age, default=None)
    return Summary(
        done=standings[Standing.DONE],
        running=standings[Standing.RUNNING],
        waiting=standings[Standing.WAITING],
        failed=standings[Standing.FAILED],
        stalled=standings[Standing.STALLED],
        ended=standings[Standing.ENDED],
        missed=standings[Standing.MISSED],
        unknown=unknown,
        leftovers=len(listed),
        oldest=oldest if oldest is not None else listed[0] if listed else None,
        unread=unread,
    )


def _age(leftover: Leftover) -> datetime:
    return leftover.since or _NEVER


_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def reached(backup: Backup | None) -> str:
    """The consistency a backup really reached, in a word; `unknown` where nothing readable tells."""
    return "unknown" if backup is None else backup.consistency.value


def phase_seconds(backup: Backup, now: datetime) -> dict[Phase, float]:
    """How long each phase took: for a report's table of durations."""
    spent: dict[Phase, float] = {}
    for span in backup.spans:
        spent[span.phase] = spent.get(span.phase, 0.0) + ((span.end or now) - span.begin).total_seconds()
    return spent
