"""When the VSS writers of a node are read without being asked: seldom, and sooner while something happens to them.

Each read makes every writer work and logs noise of its own (513, 8193, 8194), and Microsoft advises against following a
backup by it (windows.md §4.7). So: every ten to fifteen minutes, at most once a minute while a backup asks the writers
or one has just failed, and with growing waits after what they say has changed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from hvtui.live.timing import Timing
from hvtui.model.enums import BackupState
from hvtui.model.state import ClusterState
from hvtui.model.writers import WriterPicture

SLOW: Final = 10.0
"""A read that took longer is not followed by another one soon."""
FAILED: Final = frozenset({10102, 10103, 10104, 10172, 10173, 8229, 5216, 5217})
"""Events of a backup through the writers that failed. None of those that a read itself may log."""


class WriterTurn:
    """Of one node; `now` is the monotonic clock. The longer waits vary by a half, so that nodes do not read in step."""

    def __init__(self, timing: Timing, longer: Callable[[float, float], float] = random.uniform) -> None:
        self._soon = timing.writers_soon
        self._most = timing.writers
        self._longer = longer
        self._asked: float | None = None
        self._took = 0.0
        self._said: tuple[tuple[str, int | None, str], ...] | None = None
        self._wait = self._most
        self._factor = longer(1.0, 1.5)

    def began(self, now: float) -> None:
        """A read begins, whoever asked for it."""
        self._asked = now

    def ended(self, picture: WriterPicture | None) -> None:
        """What a read gave. What could not be read says nothing new."""
        told = None
        if picture is not None and not picture.failure:
            told = tuple((one.id or one.name, one.code, one.error_kind) for one in picture.writers)
            self._took = picture.duration_ms / 1000
        changed = told is not None and self._said is not None and told != self._said
        self._said = told or self._said
        self._wait = self._soon if changed else min(self._wait * 2, self._most)
        self._factor = self._longer(1.0, 1.5)

    def due(self, now: float, *, sign: bool) -> bool:
        """Whether to read now. Never before the first read, which the start of the watch asks for."""
        if self._asked is None:
            return False
        wait = self._soon if sign else self._wait * self._factor
        if self._took > SLOW:
            wait = max(wait, 2 * self._soon, 2 * self._took)
        return now - self._asked >= wait


def sign_of_backup(state: ClusterState, node: str) -> bool:
    """A backup asks the node's writers, or one failed since they were read."""
    view = state.nodes.get(node)
    if view is None or view.writers is None:
        return False
    csvs = (state.cluster.csvs or {}).values()
    if any(csv.backup == BackupState.InProgress and (csv.owner or "").lower() == node.lower() for csv in csvs):
        return True
    since = view.writers.time
    told = (found for found in state.events.of(FAILED, since=since) if found.node.lower() == node.lower())
    return any(since is None or found.event.time > since for found in told)
