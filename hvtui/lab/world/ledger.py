"""What went wrong for the people who use the guests. hvtui never sees it; tests assert on it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Harm:
    """One thing done to someone: when (world seconds), what kind, to whom, and how."""

    time: float
    kind: str
    target: str
    text: str


@dataclass(slots=True)
class Ledger:
    """All harm since the world began.

    Kinds: `vm_interrupted` (a running guest stopped or was moved cold), `clients_dropped` (saved and moved, quick
    migration), `backup_broken`, `merge_interrupted`, `migration_broken`.
    """

    entries: list[Harm] = field(default_factory=list)

    def note(self, time: float, kind: str, target: str, text: str) -> None:
        """Write one entry."""
        self.entries.append(Harm(time, kind, target, text))

    def of(self, kind: str) -> list[Harm]:
        """The entries of one kind, oldest first."""
        return [entry for entry in self.entries if entry.kind == kind]
