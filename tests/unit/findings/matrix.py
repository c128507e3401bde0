"""Which rule may speak where: every scenario and published fixture against every rule. What is not listed, may not.

Targets are `kind:name`. `leads`: minute → the rule that must stand first in the list then (empty: no finding).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.support.fuller import FULLER

Pair = tuple[str, str]


@dataclass(frozen=True)
class Played:
    """A scenario from its beginning, for so many minutes."""

    minutes: float
    pairs: frozenset[Pair] = frozenset()
    leads: Mapping[float, str] = field(default_factory=dict)
    asked: frozenset[Pair] | None = None
    """The pairs when everything was asked that a person's doing asks; None: the same."""
    step: float = 60.0


def _pairs(*pairs: Pair) -> frozenset[Pair]:
    return frozenset(pairs)


_DRIFT = _pairs(
    ("csv-no-direct-path", "csv:Volume11"),
    ("apart-on-one-csv", "csv:Volume1"),
    ("files-on-several-csvs", "vm:SNAP01"),
    ("files-on-several-csvs", "vm:SQL-SPLIT"),
)
_BLOCKED = _pairs(
    ("drain-failed", "node:HV02"),
    ("move-no-memory", "vm:DB01"),
    ("no-spare-node", "cluster:CLU-BLOCKED"),
)
SCENARIOS: Mapping[str, Played] = {
    "healthy": Played(60, leads={1: "", 30: "", 60: ""}),
    # The first picture of 8,000 VMs in every run, a while of them in the fuller one.
    "limit": Played(10 if FULLER else 0, leads={0: "", 10: ""}),
    "stuck-writer": Played(
        140,
        _pairs(
            ("guest-shadow-failed", "vm:SQL07"),
            ("guest-shadow-failed", "vm:FILE02"),
            ("writer-pending", "node:HV03"),
            ("writer-orphaned", "node:HV03"),
        ),
        # Pending, killed at 0:25, VMMS restarted at 1:42, stuck again at 1:55, space freed at 2:10, well.
        {10: "writer-pending", 60: "writer-orphaned", 120: "writer-pending", 140: ""},
    ),
    "backup-window": Played(60, _pairs(("guest-freeze-timeout", "vm:SQL03")), {5: "", 30: "guest-freeze-timeout"}),
    "access-denied": Played(
        40,
        _pairs(("vss-callback-denied", "cluster:CLU-DENIED")),
        {10: "vss-callback-denied", 40: "vss-callback-denied"},
    ),
    # The file is let go at 1:30.
    "merge-stuck": Played(100, _pairs(("merge-locked", "vm:SQL04")), {10: "merge-locked", 60: "merge-locked", 100: ""}),
    "fork-commit": Played(
        30,
        _pairs(("fork-not-committed", "vm:ERP-DB"), ("fork-not-committed", "vm:CRM02")),
        {0: "fork-not-committed", 30: "fork-not-committed"},
    ),
    # A colleague turns it off at 2:30.
    "left-redirected": Played(
        155,
        _pairs(("csv-left-redirected", "csv:Volume3")),
        {5: "", 10: "csv-left-redirected", 120: "csv-left-redirected", 155: ""},
    ),
    "blocked-drain": Played(
        30,
        _BLOCKED,
        {1: "", 5: "drain-failed", 30: "drain-failed"},
        asked=_BLOCKED | {("drain-will-fail", "node:HV02")},
    ),
    "drift": Played(20, _DRIFT, {5: "csv-no-direct-path"}),
    "obstacles": Played(
        10,
        _pairs(("avhdx-without-checkpoint", "vm:FORK01")),
        asked=_pairs(("fork-not-committed", "vm:FORK01")),
    ),
    "faults": Played(20),
    "hostile": Played(10, _pairs(("guest-freeze-timeout", "vm:VM[/prod]"))),
    "empty": Played(5),
}

EVENTS: Mapping[str, frozenset[str]] = {
    # 19100 alone is no stuck merge: the scene's VM runs on no AVHDX.
    "volsnap-25": frozenset({"shadow-storage-short"}),
    "volsnap-36": frozenset({"shadow-storage-short"}),
}
"""Published events (`support.published.EVENTS`) as one node's log told them half an hour ago → rules that speak."""

TEXTS: Mapping[str, frozenset[str]] = {
    "published_texts/csv-5120-bad-network-path.txt": frozenset({"csv-paused"}),
    "published_texts/csv-5120-write-protected.txt": frozenset({"csv-paused"}),
}
"""Published texts of events (file) → rules that speak when a node told them half an hour ago."""

_FAILED = frozenset({"writer-failed", "writer-retry"})
WRITERS: Mapping[str, frozenset[str]] = {
    "pasted_writers/exchange-2011.txt": frozenset({"writer-retry"}),
    "pasted_writers/failed-in-bold.txt": frozenset({"writer-retry"}),
    # Each of the three shows a writer in every state there is.
    "writers/english.txt": _FAILED,
    "writers/french.txt": _FAILED,
    "writers/german.txt": _FAILED,
}
"""Published outputs of vssadmin or diskshadow (file) as that of both nodes, read now → rules that speak."""

PROGRAMS: Mapping[str, frozenset[str]] = {
    "csv_state/filter.txt": frozenset({"csv-incompatible-filter"}),
}
"""Published outputs of other programs (file), as that of one node or volume → rules that speak."""
