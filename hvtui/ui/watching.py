"""What the user watches: a bell, a notification of the terminal (OSC 9) and a toast when its backup ends or stalls.

Texts go through `safe_text`: a guest's name must not be able to say anything to the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from textual.notifications import SeverityLevel

from hvtui.model.severity import Severity
from hvtui.text import safe_text
from hvtui.ui.pointed import Pointed
from hvtui.window.records import CsvLine, Outcome, Standing, VmLine

KINDS: Final = frozenset({"vm", "csv"})
"""Kinds of rows that can be watched."""
_MOST: Final = 140
"""Characters of a notification."""
_ENDS: Final = {
    Standing.STALLED: ("backup stalled", "warning"),
    Standing.FAILED: ("backup failed", "error"),
    Standing.MISSED: ("no backup in the window", "warning"),
    Standing.ENDED: ("backup ended, nothing tells how", "warning"),
    Standing.DONE: ("backup done", "information"),
}


@dataclass(frozen=True, slots=True)
class News:
    """Something that rings."""

    text: str
    severity: SeverityLevel = "information"


@dataclass(frozen=True, slots=True)
class _VmSeen:
    standing: Standing
    backups: int
    ended: int


@dataclass(slots=True)
class Watching:
    """Watched rows, and how each was when it was last looked at; the first look at one never rings."""

    rows: frozenset[tuple[str, str]] = frozenset()
    _vms: dict[str, _VmSeen] = field(default_factory=dict)
    _csvs: dict[str, tuple[Severity, bool]] = field(default_factory=dict)

    def has(self, kind: str, key: str) -> bool:
        """Whether a row is watched."""
        return (kind, key) in self.rows

    def toggle(self, pointed: Pointed) -> bool:
        """Watch all of these rows, or none of them when all are watched; True when they are watched now."""
        asked = {(pointed.kind, key) for key in pointed.keys}
        on = not asked <= self.rows
        self.rows = self.rows | asked if on else self.rows - asked
        for kind, key in asked:
            (self._vms if kind == "vm" else self._csvs).pop(key, None)
        return on

    def restart(self) -> None:
        """The window was begun anew: nothing that is seen now is news."""
        self._vms.clear()
        self._csvs.clear()

    def news(self, vms: Mapping[str, VmLine], csvs: Iterable[CsvLine]) -> list[News]:
        """What happened to watched rows since the last look."""
        found = []
        for kind, key in sorted(self.rows):
            line = vms.get(key) if kind == "vm" else None
            if line is not None:
                found += self._vm(line)
        if any(kind == "csv" for kind, _ in self.rows):
            for one in csvs:
                if ("csv", one.csv) in self.rows and one.stretches:
                    found += self._csv(one)
        return found

    def _vm(self, line: VmLine) -> list[News]:
        ended = sum(not backup.open for backup in line.backups)
        now = _VmSeen(line.standing, line.attempts, ended)
        before = self._vms.get(line.vm)
        self._vms[line.vm] = now
        if before is None or now == before:
            return []
        last = line.last
        # A retry that failed within one look stands as the failure before it did.
        again = line.standing is Standing.FAILED and now.backups > before.backups and last is not None and not last.open
        if line.standing is before.standing and not again:
            return []
        if line.standing is Standing.DONE and last is not None and last.outcome is not Outcome.DONE:
            return []
        word, severity = _ENDS.get(line.standing, ("", "information"))
        if not word or (line.standing is Standing.DONE and before.standing is Standing.NONE):
            return []
        why = f": {line.reason}" if line.reason and line.standing in (Standing.FAILED, Standing.STALLED) else ""
        return [News(f"{line.name}: {word}{why}", severity)]  # type: ignore[arg-type]

    def _csv(self, line: CsvLine) -> list[News]:
        last = line.stretches[-1]
        now = (last.severity, last.backup)
        before = self._csvs.get(line.csv)
        self._csvs[line.csv] = now
        if before is None:
            return []
        if last.severity >= Severity.WARN and before[0] < Severity.WARN:
            return [News(f"{line.name}: {last.text}", "error" if last.severity is Severity.BAD else "warning")]
        if before[1] and not last.backup:
            return [News(f"{line.name}: no backup is in progress on it any more")]
        return []


class Terminal(Protocol):
    """Where Textual writes to: its driver."""

    def write(self, data: str) -> None:
        """Send characters to the terminal as they are."""
        ...


def notification(text: str) -> str:
    """OSC 9: a notification of the terminal. It begins with a word: `9;4;` would be a progress bar for some."""
    return f"\x1b]9;hvtui: {safe_text(text, _MOST)}\x07"


def ring(told: News, *, bell: Callable[[], None], terminal: Terminal | None) -> None:
    """The bell and the notification. A terminal that knows neither ignores them."""
    bell()
    if terminal is not None:
        terminal.write(notification(told.text))
