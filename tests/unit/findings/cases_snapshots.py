"""Cases of rules about snapshots of nodes and CSVs."""

from __future__ import annotations

from hvtui.findings.finding import Sure
from tests.support.builders import NOW
from tests.unit.findings.pieces_vss import (
    CSV_PROVIDER,
    GB,
    SWPRV,
    afresh,
    ago,
    all_saved,
    failed_guest,
    last_backups_unread,
    loop,
    none_saved_known,
    nothing,
    old_copy,
    previous_versions,
    saved,
)
from tests.unit.findings.runner import Case, Quiet
from tests.unit.findings.scene import SYSTEM_CLUSTER

CASES = (
    Case(
        rule="retry-loop",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "three runs": (loop(3), loop(2)),
            "short-lived": (nothing, lambda s: loop(3, every=30, lives=25)(afresh(s))),
            "none saved": (none_saved_known, lambda s: s.vm("SQL07", last_backup=s.now - ago(minutes=1))),
            "last backups read": (nothing, last_backups_unread),
            "a guest failed": failed_guest(minutes=5),
        },
        without={"last backups read": Sure.POSSIBLE, "a guest failed": Sure.LIKELY},
        also=frozenset({"guest-shadow-failed"}),
    ),
    Case(
        rule="backup-suspect",
        target="csv:Volume1",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "event": lambda s: s.event(1584, SYSTEM_CLUSTER, VolumeName="Volume1"),
            "saved after it": (saved("SQL07", 5), nothing),
        },
        without={"saved after it": Sure.LIKELY},
    ),
    Case(
        rule="csv-snapshot-failed",
        target="csv:Volume1",
        sure=Sure.CERTAIN,
        pieces={
            "event": lambda s: s.event(5217, SYSTEM_CLUSTER, VolumeName="Volume1"),
            "not saved since": (nothing, all_saved(5)),
            "last backups read": (nothing, last_backups_unread),
        },
        without={"last backups read": Sure.LIKELY},
    ),
    Case(
        rule="csv-provider-unregistered",
        target="node:HV01",
        sure=Sure.CERTAIN,
        pieces={
            "another node has it": (
                lambda s: s.providers("HV02", SWPRV, CSV_PROVIDER),
                lambda s: s.providers("HV02", SWPRV),
            ),
            "this one does not": (
                lambda s: s.providers("HV01", SWPRV),
                lambda s: s.providers("HV01", SWPRV, CSV_PROVIDER),
            ),
            "event": lambda s: s.event(5219, SYSTEM_CLUSTER),
            "of this boot": (nothing, lambda s: s.host("HV01", boot=NOW - ago(minutes=10))),
        },
        without={"another node has it": Sure.POSSIBLE, "this one does not": Sure.POSSIBLE},
    ),
    Case(
        rule="csv-paused-by-snapshot",
        target="csv:Volume1",
        sure=Sure.CERTAIN,
        pieces={
            "event": lambda s: s.event(5156, SYSTEM_CLUSTER, VolumeName="Volume1"),
            "no room": (lambda s: s.csv("Volume1", size=1000 * GB, free=12 * GB), nothing),
        },
        without={"no room": Sure.LIKELY},
    ),
    Case(
        rule="shadow-copies-leaked",
        target="node:HV01",
        sure=Sure.CERTAIN,
        pieces={
            "old copy": (old_copy(5), old_copy(0.5)),
            "the cluster tells": lambda s: s.event(5218, SYSTEM_CLUSTER, VolumeName="Volume1"),
        },
        without={"the cluster tells": Sure.LIKELY},
    ),
)

SILENT = (
    Quiet(
        "shadow copies that come and go while the VMs are saved",
        lambda s: (
            loop(4)(s),
            s.vm("SQL07", last_backup=s.now - ago(minutes=1)),
            s.vm("APP01", last_backup=s.now - ago(minutes=1)),
        ),
    ),
    Quiet("a copy of Previous Versions is old on purpose", previous_versions),
    Quiet("the cluster removed one old snapshot", lambda s: s.event(5218, SYSTEM_CLUSTER, VolumeName="Volume1")),
)
