"""How bad something is, and why."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """Ordered so that `max` gives what a person must hear first.

    UNKNOWN (it could not be read) is worse than a hint and less than a known fault; it never counts as healthy.
    """

    OK = 0
    INFO = 1
    UNKNOWN = 2
    WARN = 3
    BAD = 4


def worst(reasons: list[tuple[Severity, str]]) -> tuple[Severity, tuple[str, ...]]:
    """The worst severity of some reasons, and their words, worst first."""
    if not reasons:
        return Severity.OK, ()
    reasons.sort(key=lambda reason: -reason[0])
    return reasons[0][0], tuple(text for _, text in reasons)
