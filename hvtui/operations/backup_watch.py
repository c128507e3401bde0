"""Watching for signs of running backups, and what a person said of their leftovers: it holds until the next sign."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from hvtui.model.state import ClusterState
from hvtui.operations.backup_state import BackupSigns, still_said
from hvtui.operations.facts import Leftover
from hvtui.operations.vss_verified import BackupsSeen

OBSERVE: Final = 2.0
"""Seconds between two looks; the streams tell no faster."""


@dataclass
class BackupWatch:
    """One for a cluster. Times are those of the client's monotonic clock."""

    seen: BackupsSeen = field(default_factory=BackupsSeen)
    """Backups through the nodes' VSS writers."""
    _signs: BackupSigns = field(default_factory=BackupSigns)
    _said: dict[str, Leftover] = field(default_factory=dict)
    _looked: float = float("-inf")

    def observe(self, state: ClusterState, monotonic: float, *, now_too: bool = False) -> None:
        """Look at every node, not at every tick: it is a look at all of them.

        `now_too`: for a plan always; a node that came only a moment ago would count as one that nobody watches.
        """
        if now_too or monotonic - self._looked >= OBSERVE:
            self._looked = monotonic
            self.seen.observe(state, monotonic)
            for node in self._signs.observe(state, monotonic):
                # A backup runs now: what was said about leftovers was said of another one.
                self._said.pop(node, None)

    def say(self, leftover: Leftover) -> None:
        """A person said that the node's backup job was stopped."""
        self._said[leftover.node] = leftover

    def said(self, state: ClusterState) -> dict[str, Leftover]:
        """What was said and still holds, by node."""
        return {node: said for node, said in self._said.items() if still_said(state, said)}

    def quiet(self, state: ClusterState, monotonic: float) -> dict[str, timedelta]:
        """Node → how long it is known to have shown no sign."""
        return {name: self._signs.quiet(state, name, monotonic) for name in state.nodes}
