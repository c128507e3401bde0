"""Cases of rules about guests that make a backup fail."""

from __future__ import annotations

from datetime import timedelta

from hvtui.findings.finding import Sure
from tests.support.builders import NOW
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
)

SILENT = (
    Quiet(
        "CAPI2 513 while writers are listed",
        lambda s: s.event(513, CAPI2, codes=["0x80070005"]),
        incident=11,
    ),
)
