"""Silent fallbacks in the journal: each that the picture shows is noted once, and earlier consoles' notes are read."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hvtui.journal.entry import Entry, Kind, Values
from hvtui.journal.store import Journal, JournalError
from hvtui.model.fallback import Fallback
from hvtui.operations.desk import Desk
from hvtui.operations.plan import Target

NOTE: Final = "silent fallback"
"""What tells its notes from others."""

_log = logging.getLogger(__name__)


@dataclass
class FallbackNotes:
    """One for a console. Event loop thread only, as the picture is."""

    desk: Desk
    _noted: set[tuple[str, datetime]] = field(default_factory=set)
    _open: bool = False
    _task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Read what earlier consoles noted of this cluster. Raises JournalError."""
        book = self.desk.state.fallbacks
        cluster_id, _ = self.desk.audit.cluster()
        earlier = await self.desk.audit.read(lambda journal: _earlier(journal, cluster_id))
        self._noted |= {(one.vm, one.time) for one in earlier}
        book.recall(earlier)
        self.desk.state.tally.touch(one.vm for one in earlier)
        self._open = True
        self.look()

    def look(self) -> None:
        """Note what is not noted yet. Before the journal is open that waits."""
        book = self.desk.state.fallbacks
        if not self._open or not book.found or (book.found[-1].vm, book.found[-1].time) in self._noted:
            return
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._note(), name="fallbacks")

    async def close(self) -> None:
        """Wait for what is being written."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _note(self) -> None:
        while new := [one for one in self.desk.state.fallbacks.found if (one.vm, one.time) not in self._noted]:
            for one in new:
                self._noted.add((one.vm, one.time))
                kept: Values = {NOTE: one.time.isoformat(), "node": one.node, "count": one.count}
                try:
                    await self.desk.audit.note(one.text, Target(kind="vm", id=one.vm, name=one.name), kept)
                except JournalError as error:
                    _log.warning("%s: %s", one.text, error)


def _earlier(journal: Journal, cluster_id: str) -> list[Fallback]:
    notes = (line.entry for line in journal.lines(kinds=(Kind.NOTE,)))
    found = [_fallback(entry) for entry in notes if entry.cluster_id == cluster_id and NOTE in entry.requested]
    return [one for one in found if one is not None]


def _fallback(entry: Entry) -> Fallback | None:
    try:
        time = datetime.fromisoformat(str(entry.requested[NOTE]))
    except ValueError:
        return None
    count = entry.requested.get("count")
    node = str(entry.requested.get("node") or "")
    return Fallback(entry.target_id, entry.target, node, time, count if isinstance(count, int) else 1)
