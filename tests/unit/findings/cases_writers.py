"""Cases of rules about VSS writers."""

from __future__ import annotations

from typing import Any

from hvtui.findings.finding import Sure
from tests.support.builders import HYPER_V_WRITER, NOW, SYSTEM_WRITER
from tests.unit.findings.pieces_vss import (
    ago,
    all_saved,
    failed_guest,
    last_backups_unread,
    no_hyper_v_writer,
    none_saved_known,
    nothing,
    rejected,
    replace_rejection,
    saved,
    stuck,
)
from tests.unit.findings.runner import Case, Quiet
from tests.unit.findings.scene import VSS

CASES = (
    Case(
        rule="writer-pending",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "writer": stuck(),
            "error": (nothing, stuck(error="No error")),
            "event": failed_guest(),
            "not saved since": (saved("SQL07", 24 * 60), saved("SQL07", 5)),
            "last backup read": (nothing, lambda s: s.vm("SQL07", last_backup=None)),
            "same VMMS": (nothing, lambda s: s.host("HV01", vmms_started=NOW - ago(minutes=10))),
        },
        without={"last backup read": Sure.LIKELY},
        also=frozenset({"guest-shadow-failed"}),
    ),
    Case(
        rule="writer-orphaned",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "writer": stuck(error="Unexpected error"),
            "error": (nothing, stuck(error="No error")),
            "event": failed_guest(),
            "not saved since": (nothing, saved("SQL07", 5)),
            "job is gone": (nothing, lambda s: s.job("APP01", 170, 40)),
            "jobs read": (nothing, lambda s: s.problem("HV01", "jobs")),
        },
        without={"job is gone": Sure.LIKELY, "jobs read": Sure.LIKELY},
        also=frozenset({"guest-shadow-failed"}),
    ),
    Case(
        rule="writer-orphaned",
        name="named-by-vss-only",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=(),
        pieces={"writer": stuck(error="Unexpected error"), "rejection": rejected("0x80042302")},
    ),
    Case(
        rule="writer-retry",
        target="node:HV01",
        sure=Sure.CERTAIN,
        pieces={
            "writer": stuck(9, "Timed out", SYSTEM_WRITER),
            "rejection": rejected("0x800423f2", SYSTEM_WRITER),
            "its own rejection": (nothing, lambda s: replace_rejection(s, "0x800423f2", HYPER_V_WRITER)),
            "none saved": (none_saved_known, all_saved(5)),
            "last backups read": (nothing, last_backups_unread),
        },
        without={
            "rejection": Sure.POSSIBLE,
            "its own rejection": Sure.POSSIBLE,
            "none saved": Sure.POSSIBLE,
            "last backups read": Sure.LIKELY,
        },
    ),
    Case(
        rule="writer-failed",
        target="node:HV01",
        sure=Sure.CERTAIN,
        pieces={
            "writer": stuck(10, "Non-retryable error", SYSTEM_WRITER),
            "rejection": rejected("0x800423f4", SYSTEM_WRITER),
            "none saved": (none_saved_known, all_saved(5)),
        },
        without={"rejection": Sure.POSSIBLE, "none saved": Sure.POSSIBLE},
    ),
    Case(
        rule="writers-missing",
        target="node:HV01",
        sure=Sure.LIKELY,
        pieces={
            "missing": no_hyper_v_writer,
            "list is whole": (nothing, lambda s: s.writers_text("HV01", None)),
            "VMMS runs": (nothing, lambda s: s.host("HV01", vmms="Stopped")),
            "VMMS runs for a while": (nothing, lambda s: s.host("HV01", vmms_started=NOW - ago(minutes=2))),
            "another node has it": (nothing, lambda s: s.writers_text("HV02", None)),
        },
    ),
    Case(
        rule="writers-missing",
        name="no-list",
        target="node:HV01",
        sure=Sure.LIKELY,
        pieces={
            "no list": lambda s: s.writers_text("HV01", ""),
            "event": lambda s: s.event(12302, VSS, ago=ago(minutes=10)),
        },
    ),
    Case(
        rule="writers-slow",
        target="node:HV01",
        sure=Sure.POSSIBLE,
        pieces={
            "took long": lambda s: s.writers_took("HV01", 95_000),
            "no backup runs": (nothing, lambda s: s.csv("Volume1", backup=1)),
        },
    ),
)


def _waits(code: int) -> Any:
    return stuck(code, "No error")


SILENT = (
    *(
        Quiet(f"writers wait at [{code}] without an error during a backup", _build)
        for code, _build in (
            (2, lambda s: (_waits(2)(s), s.job("SQL07", 51, 40))),
            (3, lambda s: (_waits(3)(s), s.csv("Volume1", backup=1))),
            (4, lambda s: (_waits(4)(s), s.csv("Volume1", backup=1))),
            (5, lambda s: (_waits(5)(s), s.csv("Volume1", backup=1))),
        )
    ),
    Quiet(
        "[5] without an error although a guest failed before and was saved since",
        lambda s: (_waits(5)(s), failed_guest()(s), saved("SQL07", 5)(s)),
    ),
    Quiet("a list of writers that could not be read is no missing writer", lambda s: s.writers_text("HV01", None)),
    Quiet("an empty list of writers is unknown", lambda s: s.writers_text("HV01", "")),
    Quiet("a slow list while a backup runs", lambda s: s.writers_took("HV01", 95_000).csv("Volume1", backup=1)),
)
