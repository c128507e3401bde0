"""Cases of rules about guests that make a backup fail."""

from __future__ import annotations

from datetime import timedelta

from hvtui.findings.finding import Sure
from tests.support.builders import NOW
from tests.unit.findings.pieces_vss import GB, failed_guest, guest, guest_writers, nothing, saved
from tests.unit.findings.runner import Case, Quiet
from tests.unit.findings.scene import CAPI2

CASES = (
    Case(
        rule="guest-shadow-failed",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "event": lambda s: s.event(10102, vm="SQL07", ago=timedelta(minutes=20)),
            "backup not since": (
                lambda s: s.vm("SQL07", last_backup=NOW - timedelta(days=1)),
                lambda s: s.vm("SQL07", last_backup=NOW - timedelta(minutes=5)),
            ),
            "last backup read": (lambda s: s, lambda s: s.vm("SQL07", last_backup=None)),
        },
        without={"last backup read": Sure.LIKELY},
    ),
    Case(
        rule="guest-freeze-timeout",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "event": lambda s: s.event(10150, vm="SQL07", codes=["0x800423f2"]),
            "not saved since": (nothing, saved("SQL07", 5)),
            "last backup read": (nothing, lambda s: s.vm("SQL07", last_backup=None)),
        },
        without={"last backup read": Sure.LIKELY},
    ),
    Case(
        rule="guest-disk-not-reverted",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "event": lambda s: s.event(10103, vm="SQL07"),
            "not saved since": (nothing, saved("SQL07", 5)),
            "last backup read": (nothing, lambda s: s.vm("SQL07", last_backup=None)),
        },
        without={"last backup read": Sure.LIKELY},
    ),
    Case(
        rule="guest-writer-failed",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "writer in the guest": guest_writers("SQL07", 8, "Non-retryable error"),
            "its error": (nothing, guest_writers("SQL07", 9, "No error")),
            "event": lambda s: s.event(10172, vm="SQL07"),
            "not saved since": (nothing, saved("SQL07", 5)),
            "last backup read": (nothing, lambda s: s.vm("SQL07", last_backup=None)),
        },
        without={"last backup read": Sure.LIKELY},
    ),
    Case(
        rule="guest-volume-full",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        guilty=("SQL07",),
        pieces={"full": (guest("SQL07", 0), guest("SQL07", 20 * GB))},
    ),
    Case(
        rule="guest-volume-full",
        name="without-a-letter",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={"full": guest("SQL07", 26 * 2**20, path="\\\\?\\Volume{0f3c}\\")},
    ),
)

SILENT = (
    Quiet(
        "CAPI2 513 while writers are listed",
        lambda s: s.event(513, CAPI2, codes=["0x80070005"]),
        incident=11,
    ),
    Quiet(
        "writers in an old guest are [9] without an error after a good backup",
        lambda s: (guest_writers("SQL07", 9, "No error")(s), saved("SQL07", 5)(s)),
        incident=12,
    ),
    Quiet(
        "the same while an older failure was made good",
        lambda s: (guest_writers("SQL07", 9, "Timed out")(s), failed_guest()(s), saved("SQL07", 5)(s)),
        incident=12,
    ),
    Quiet(
        "an old failure of a VM that was saved since",
        lambda s: (s.event(10150, vm="SQL07", codes=["0x800423f2"]), s.event(10103, vm="SQL07"), saved("SQL07", 5)(s)),
    ),
)
