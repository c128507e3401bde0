"""Lines that are added to the journal while a recording goes on, by this process or another one of the same user."""

from __future__ import annotations

import logging

from hvtui.journal.entry import Entry
from hvtui.journal.store import Journal, JournalError

_log = logging.getLogger(__name__)


class Follower:
    """Begins after the last line that is there now. A journal that cannot be read is left alone."""

    def __init__(self, journal: Journal) -> None:
        self._journal: Journal | None = journal
        self._seen = 0
        try:
            self._seen = journal.last()
        except JournalError as error:
            self._give_up(error)

    def fresh(self, cluster_id: str) -> list[Entry]:
        """What was added since the last time about a cluster; nothing is lost while its id is not known yet."""
        if self._journal is None or not cluster_id:
            return []
        try:
            lines = self._journal.lines(after=self._seen)
        except JournalError as error:
            self._give_up(error)
            return []
        if lines:
            self._seen = lines[-1].id
        return [line.entry for line in lines if line.entry.cluster_id == cluster_id]

    def close(self) -> None:
        """Let go of the journal."""
        if self._journal is not None:
            self._journal.close()

    def _give_up(self, error: JournalError) -> None:
        _log.warning("operations are not recorded: %s", error.text)
        self._journal = None
