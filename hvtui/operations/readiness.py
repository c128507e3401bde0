"""What a check before a backup window is, and what the checks of a cluster come to.

Each check is *ready*, *not*, *unknown* (it could not be read, and that is never ready), or a *note*: worth knowing, and
no reason to wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

import msgspec

AREAS: Final = (
    "nodes",
    "VSS writers",
    "VSS providers",
    "running backups",
    "placement",
    "leftovers",
    "checkpoint types",
    "guests",
    "volumes",
    "guest space",
)
"""In the order in which they are told."""


class Verdict(StrEnum):
    """What a check came to."""

    READY = "ready"
    NOT = "not ready"
    UNKNOWN = "unknown"
    NOTE = "note"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. `where` names nodes, CSVs or VMs, none for all of them; `next` what to do."""

    area: str
    verdict: Verdict
    text: str
    where: tuple[str, ...] = ()
    next: str = ""


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """All checks, by area; in each what stands against a backup first."""

    checks: tuple[Check, ...]

    @property
    def ready(self) -> bool | None:
        """False when something stands against it, None when nothing does but something could not be read."""
        found = {check.verdict for check in self.checks}
        if Verdict.NOT in found:
            return False
        return None if Verdict.UNKNOWN in found else True

    def area(self, name: str) -> list[Check]:
        """The checks of an area."""
        return [check for check in self.checks if check.area == name]


_ORDER: Final = (Verdict.NOT, Verdict.UNKNOWN, Verdict.NOTE, Verdict.READY)


def in_order(checks: Iterable[Check]) -> Readiness:
    """By area, then by verdict; what is equal stays as it came."""
    return Readiness(checks=tuple(sorted(checks, key=lambda one: (AREAS.index(one.area), _ORDER.index(one.verdict)))))


def some(names: Iterable[str], most: int = 5) -> str:
    """The first of many names, and how many more there are."""
    told = list(names)
    return ", ".join(told[:most]) + (f" and {len(told) - most} more" if len(told) > most else "")


def count(number: int, word: str) -> str:
    """`1 VM`, `3 VMs`."""
    return f"{number} {word}{'' if number == 1 else 's'}"
