"""Cases of rules about VSS writers, VSS itself, and snapshots of nodes and CSVs."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from hvtui.findings.finding import Sure
from hvtui.model.guest_rows import guest_row
from hvtui.model.guests import GuestLine, GuestVolume
from hvtui.model.preflight import ShadowCopy
from hvtui.model.records import Provider
from hvtui.model.signals import Hotfix, HotfixPicture, ShadowPicture
from hvtui.model.vss_access import ServiceAccount, VssAccess, VssAccessEntry
from tests.support.builders import HYPER_V_WRITER, NOW, SYSTEM_WRITER, guid, volume_name, writer_lines
from tests.unit.findings.runner import Case, Quiet
from tests.unit.findings.scene import CAPI2, SYSTEM_CLUSTER, VOLSNAP, VSS, Scene

_SQL_WRITER: Final = ("SqlServerWriter", "a65faa63-5ea8-4ebc-9dbd-a0c4db26912a")
_SWPRV: Final = Provider(id="b5946137-7b9f-4925-af80-51abd60b20d5", name="Software provider", type=1, version="1.0.0.7")
_CSV_PROVIDER: Final = Provider(id=guid("csv provider"), name="CSV provider", type=2, version="1.0.0.1")
_ACCOUNT: Final = "CORP\\svc-replay"
_GB: Final = 2**30
_DAY_OLD: Final = NOW - timedelta(days=1)


# --- pieces ---


def _ago(**span: float) -> timedelta:
    return timedelta(**span)


def _stuck(code: int = 5, error: str = "Retryable error", writer: tuple[str, str] = HYPER_V_WRITER) -> Any:
    return lambda s: s.writer("HV01", writer, code, error)


def _failed_guest(vm: str = "SQL07", minutes: float = 20) -> Any:
    return lambda s: s.event(10102, vm=vm, ago=_ago(minutes=minutes), codes=["0x800423f3"])


def _vss(scene: Scene, id: int, writer: tuple[str, str], *codes: str, node: str = "HV01", minutes: float = 20) -> Scene:
    """An event of VSS that names a writer in its context."""
    context = f"\n\nOperation:\n   PrepareForSnapshot\n\nContext:\n   Class: {{{writer[1]}}}\n   Name: {writer[0]}"
    values = {"1": codes[0] if codes else "", "2": context}
    return scene.event(id, VSS, node=node, ago=_ago(minutes=minutes), codes=codes, **values)


def _rejected(code: str, writer: tuple[str, str] = HYPER_V_WRITER) -> Any:
    return lambda s: _vss(s, 8229, writer, code)


def _saved(vm: str, minutes: float) -> Any:
    return lambda s: s.vm(vm, last_backup=NOW - _ago(minutes=minutes))


def _all_saved(minutes: float) -> Any:
    def piece(scene: Scene) -> None:
        for vm in ("SQL07", "APP01"):
            scene.vm(vm, last_backup=NOW - _ago(minutes=minutes))

    return piece


def _none_saved_known(scene: Scene) -> None:
    for vm in ("SQL07", "APP01"):
        scene.vm(vm, last_backup=_DAY_OLD)


def _last_backups_unread(scene: Scene) -> None:
    scene.problem("HV01", "vms.last_backup")
    for vm in ("SQL07", "APP01"):
        scene.vm(vm, last_backup=None)


def _callback(node: str, hours: float) -> Any:
    return lambda s: _vss(s, 8194, SYSTEM_WRITER, "0x80070005", node=node, minutes=hours * 60)


def _access(*nodes: str, account: str = _ACCOUNT, entry: int | None = None) -> Any:
    """What nodes say of VSS access: the service of a backup product, with or without an entry of its account."""

    def piece(scene: Scene) -> None:
        for node in nodes:
            entries = [VssAccessEntry(account="NT Authority\\NetworkService", value=1, sid="S-1-5-20")]
            if entry is not None:
                entries.append(VssAccessEntry(account=account, value=entry, sid="S-1-5-21-1-2-3-1104"))
            service = ServiceAccount(name="ReplayManager", display="Replay Manager Service", account=account)
            scene.answers.vss_access[node] = VssAccess(
                v=1, time=NOW, node=node, key=True, entries=entries, services=[service] if account else []
            )

    return piece


def _hotfix(scene: Scene, day: date) -> None:
    fixes = (Hotfix(id="KB3000850", installed=day),)
    scene.answers.hotfixes["HV01"] = HotfixPicture(time=NOW, hotfixes=fixes)


def _guest(vm: str, free: int, *, path: str = "T:\\", writers: str | None = None) -> Any:
    """A look into a guest that found this much free on one volume."""

    def piece(scene: Scene) -> None:
        volumes = [
            GuestVolume(path="C:\\", label="", file_system="NTFS", size=127 * _GB, free=60 * _GB),
            GuestVolume(path=path, label="", file_system="NTFS", size=60 * _GB, free=free),
        ]
        line = GuestLine(
            v=1, time=NOW, node="HV01", kind="guest", vm=guid(vm), outcome="read", volumes=volumes, services=[],
            writers=writers if writers is not None else writer_lines(), storage=[],
        )  # fmt: skip
        scene.answers.guests[guid(vm)] = guest_row(line, vm)

    return piece


def _guest_writers(vm: str, code: int, error: str) -> Any:
    return _guest(vm, 20 * _GB, writers=writer_lines({_SQL_WRITER: (code, error)}))


def _loop(times: int, *, every: float = 10, lives: float = 2) -> Any:
    """Shadow copies that came and went, the last of them just now."""

    def piece(scene: Scene) -> None:
        for number in range(times):
            scene.shadows("HV01", (f"run {number}", timedelta(0))).later(minutes=lives)
            scene.shadows("HV01", (f"run {number}", _ago(minutes=lives))).later(seconds=30)
            scene.shadows("HV01").later(minutes=every - lives - 0.5)

    return piece


def _hardware(version: str | None = "4.2.1", **where: str | None) -> Any:
    """The hardware provider on HV01 to HV03, of this version; `HV02="4.1"` of another one, None: missing there."""

    def piece(scene: Scene) -> None:
        for node in ("HV01", "HV02", "HV03"):
            found = where.get(node, version)
            hardware = Provider(id=guid("array"), name="Array VSS Provider", type=3, version=found)
            scene.node(node).providers(node, _SWPRV, *((hardware,) if found else ()))

    return piece


def _old_copy(days: float, **more: Any) -> Any:
    def piece(scene: Scene) -> None:
        copy = ShadowCopy(
            id=guid("old copy"), volume=volume_name("Volume1"), created=NOW - _ago(days=days), persistent=True, **more
        )
        scene.preflight("HV01", shadow_copies=[copy])

    return piece


def _no_hyper_v_writer(scene: Scene) -> None:
    text = writer_lines()
    scene.writers_text("HV01", text[: text.index("Writer name: 'Microsoft Hyper-V")])


def _other_code(scene: Scene, id: int, code: str) -> None:
    """The event of this id with another code."""
    scene.logs.clear()
    scene.event(id, VSS, codes=[code])


def _replace_rejection(scene: Scene, code: str, writer: tuple[str, str]) -> None:
    scene.logs.clear()
    _rejected(code, writer)(scene)


def _afresh(scene: Scene) -> Scene:
    """Forget the shadow copies that were seen."""
    scene.memory.__init__()  # type: ignore[misc]
    return scene


def _previous_versions(scene: Scene) -> None:
    copy = ShadowCopy(
        id=guid("kept"), volume=volume_name("Volume1"), created=NOW - _ago(days=6), client_accessible=True
    )
    scene.preflight("HV01", shadow_copies=[copy])
    scene.answers.shadows["HV01"] = ShadowPicture(time=NOW, shadows=(copy,))


def _nothing(_: Scene) -> None:
    """Takes the place of a piece without putting anything there."""


# --- cases ---

_WRITERS: Final = (
    Case(
        rule="writer-pending",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "writer": _stuck(),
            "error": (_nothing, _stuck(error="No error")),
            "event": _failed_guest(),
            "not saved since": (_saved("SQL07", 24 * 60), _saved("SQL07", 5)),
            "last backup read": (_nothing, lambda s: s.vm("SQL07", last_backup=None)),
            "same VMMS": (_nothing, lambda s: s.host("HV01", vmms_started=NOW - _ago(minutes=10))),
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
            "writer": _stuck(error="Unexpected error"),
            "error": (_nothing, _stuck(error="No error")),
            "event": _failed_guest(),
            "not saved since": (_nothing, _saved("SQL07", 5)),
            "job is gone": (_nothing, lambda s: s.job("APP01", 170, 40)),
            "jobs read": (_nothing, lambda s: s.problem("HV01", "jobs")),
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
        pieces={"writer": _stuck(error="Unexpected error"), "rejection": _rejected("0x80042302")},
    ),
    Case(
        rule="writer-retry",
        target="node:HV01",
        sure=Sure.CERTAIN,
        pieces={
            "writer": _stuck(9, "Timed out", SYSTEM_WRITER),
            "rejection": _rejected("0x800423f2", SYSTEM_WRITER),
            "its own rejection": (_nothing, lambda s: _replace_rejection(s, "0x800423f2", HYPER_V_WRITER)),
            "none saved": (_none_saved_known, _all_saved(5)),
            "last backups read": (_nothing, _last_backups_unread),
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
            "writer": _stuck(10, "Non-retryable error", SYSTEM_WRITER),
            "rejection": _rejected("0x800423f4", SYSTEM_WRITER),
            "none saved": (_none_saved_known, _all_saved(5)),
        },
        without={"rejection": Sure.POSSIBLE, "none saved": Sure.POSSIBLE},
    ),
    Case(
        rule="writers-missing",
        target="node:HV01",
        sure=Sure.LIKELY,
        pieces={
            "missing": _no_hyper_v_writer,
            "list is whole": (_nothing, lambda s: s.writers_text("HV01", None)),
            "VMMS runs": (_nothing, lambda s: s.host("HV01", vmms="Stopped")),
            "VMMS runs for a while": (_nothing, lambda s: s.host("HV01", vmms_started=NOW - _ago(minutes=2))),
            "another node has it": (_nothing, lambda s: s.writers_text("HV02", None)),
        },
    ),
    Case(
        rule="writers-missing",
        name="no-list",
        target="node:HV01",
        sure=Sure.LIKELY,
        pieces={
            "no list": lambda s: s.writers_text("HV01", ""),
            "event": lambda s: s.event(12302, VSS, ago=_ago(minutes=10)),
        },
    ),
    Case(
        rule="writers-slow",
        target="node:HV01",
        sure=Sure.POSSIBLE,
        pieces={
            "took long": lambda s: s.writers_took("HV01", 95_000),
            "no backup runs": (_nothing, lambda s: s.csv("Volume1", backup=1)),
        },
    ),
)

_VSS: Final = (
    Case(
        rule="vss-callback-denied",
        target="cluster:CLU-TEST",
        sure=Sure.CERTAIN,
        pieces={
            "at two backups": _callback("HV01", 8),
            "and again": _callback("HV01", 2),
            "backups succeed": (_saved("SQL07", 60), _nothing),
            "account without an entry": (_access("HV01", "HV02"), _access("HV01", "HV02", entry=1)),
            "entries read": (_nothing, lambda s: s.answers.vss_access.clear()),
        },
        without={"backups succeed": Sure.LIKELY},
    ),
    Case(
        rule="vss-callback-denied",
        name="entries-not-read",
        target="cluster:CLU-TEST",
        sure=Sure.POSSIBLE,
        pieces={
            "first": _callback("HV01", 20),
            "second": _callback("HV01", 8),
            "third": _callback("HV01", 2),
            "no entry of its own": (_nothing, _access("HV01", "HV02", account="")),
        },
    ),
    Case(
        rule="vss-metadata-too-long",
        target="node:HV01",
        sure=Sure.CERTAIN,
        pieces={
            "event": lambda s: s.event(8193, VSS, codes=["0x80070018"]),
            "its code": (_nothing, lambda s: _other_code(s, 8193, "0x80070005")),
            "none saved since": (_nothing, _all_saved(5)),
            "last backups read": (_nothing, _last_backups_unread),
        },
        without={"last backups read": Sure.LIKELY},
    ),
    Case(
        rule="software-provider-fails",
        target="node:HV01",
        sure=Sure.CERTAIN,
        pieces={
            "event": lambda s: s.event(12292, VSS, codes=["0x80080005"]),
            "its code": (_nothing, lambda s: _other_code(s, 12292, "0x80070005")),
            "event 11 beside it": lambda s: s.event(11, VSS),
            "provider is missing": lambda s: s.providers("HV01", _CSV_PROVIDER),
        },
        without={"event 11 beside it": Sure.LIKELY, "provider is missing": Sure.LIKELY},
    ),
    Case(
        rule="vss-unstable",
        target="node:HV01",
        sure=Sure.LIKELY,
        pieces={
            "event": lambda s: s.event(12366, VSS),
            "update of these days": (
                lambda s: _hotfix(s, NOW.date() - _ago(days=2)),
                lambda s: _hotfix(s, NOW.date() - _ago(days=20)),
            ),
        },
        without={"update of these days": Sure.POSSIBLE},
    ),
    Case(
        rule="shadow-storage-short",
        target="node:HV01",
        sure=Sure.CERTAIN,
        pieces={
            "volsnap": lambda s: s.event(36, VOLSNAP),
            "VSS": lambda s: s.event(12298, VSS, codes=["0x8004231f"]),
        },
        without={"volsnap": Sure.LIKELY, "VSS": Sure.LIKELY},
    ),
    Case(
        rule="hardware-provider-differs",
        target="node:HV02",
        sure=Sure.CERTAIN,
        pieces={
            "missing here, there elsewhere": (_hardware(HV02=None), _hardware()),
            "providers read": (_nothing, lambda s: s.providers_unread("HV02")),
        },
    ),
    Case(
        rule="hardware-provider-differs",
        name="version",
        target="node:HV02",
        sure=Sure.CERTAIN,
        pieces={"older here": (_hardware(HV02="4.1.9"), _hardware())},
    ),
)

_SNAPSHOTS: Final = (
    Case(
        rule="retry-loop",
        target="node:HV01",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "three runs": (_loop(3), _loop(2)),
            "short-lived": (_nothing, lambda s: _loop(3, every=30, lives=25)(_afresh(s))),
            "none saved": (_none_saved_known, lambda s: s.vm("SQL07", last_backup=s.now - _ago(minutes=1))),
            "last backups read": (_nothing, _last_backups_unread),
            "a guest failed": _failed_guest(minutes=5),
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
            "saved after it": (_saved("SQL07", 5), _nothing),
        },
        without={"saved after it": Sure.LIKELY},
    ),
    Case(
        rule="csv-snapshot-failed",
        target="csv:Volume1",
        sure=Sure.CERTAIN,
        pieces={
            "event": lambda s: s.event(5217, SYSTEM_CLUSTER, VolumeName="Volume1"),
            "not saved since": (_nothing, _all_saved(5)),
            "last backups read": (_nothing, _last_backups_unread),
        },
        without={"last backups read": Sure.LIKELY},
    ),
    Case(
        rule="csv-provider-unregistered",
        target="node:HV01",
        sure=Sure.CERTAIN,
        pieces={
            "another node has it": (
                lambda s: s.providers("HV02", _SWPRV, _CSV_PROVIDER),
                lambda s: s.providers("HV02", _SWPRV),
            ),
            "this one does not": (
                lambda s: s.providers("HV01", _SWPRV),
                lambda s: s.providers("HV01", _SWPRV, _CSV_PROVIDER),
            ),
            "event": lambda s: s.event(5219, SYSTEM_CLUSTER),
            "of this boot": (_nothing, lambda s: s.host("HV01", boot=NOW - _ago(minutes=10))),
        },
        without={"another node has it": Sure.POSSIBLE, "this one does not": Sure.POSSIBLE},
    ),
    Case(
        rule="csv-paused-by-snapshot",
        target="csv:Volume1",
        sure=Sure.CERTAIN,
        pieces={
            "event": lambda s: s.event(5156, SYSTEM_CLUSTER, VolumeName="Volume1"),
            "no room": (lambda s: s.csv("Volume1", size=1000 * _GB, free=12 * _GB), _nothing),
        },
        without={"no room": Sure.LIKELY},
    ),
    Case(
        rule="shadow-copies-leaked",
        target="node:HV01",
        sure=Sure.CERTAIN,
        pieces={
            "old copy": (_old_copy(5), _old_copy(0.5)),
            "the cluster tells": lambda s: s.event(5218, SYSTEM_CLUSTER, VolumeName="Volume1"),
        },
        without={"the cluster tells": Sure.LIKELY},
    ),
)

_GUESTS: Final = (
    Case(
        rule="guest-freeze-timeout",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "event": lambda s: s.event(10150, vm="SQL07", codes=["0x800423f2"]),
            "not saved since": (_nothing, _saved("SQL07", 5)),
            "last backup read": (_nothing, lambda s: s.vm("SQL07", last_backup=None)),
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
            "not saved since": (_nothing, _saved("SQL07", 5)),
            "last backup read": (_nothing, lambda s: s.vm("SQL07", last_backup=None)),
        },
        without={"last backup read": Sure.LIKELY},
    ),
    Case(
        rule="guest-writer-failed",
        target="vm:SQL07",
        sure=Sure.CERTAIN,
        guilty=("SQL07",),
        pieces={
            "writer in the guest": _guest_writers("SQL07", 8, "Non-retryable error"),
            "its error": (_nothing, _guest_writers("SQL07", 9, "No error")),
            "event": lambda s: s.event(10172, vm="SQL07"),
            "not saved since": (_nothing, _saved("SQL07", 5)),
            "last backup read": (_nothing, lambda s: s.vm("SQL07", last_backup=None)),
        },
        without={"last backup read": Sure.LIKELY},
    ),
    Case(
        rule="guest-volume-full",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        guilty=("SQL07",),
        pieces={"full": (_guest("SQL07", 0), _guest("SQL07", 20 * _GB))},
    ),
    Case(
        rule="guest-volume-full",
        name="without-a-letter",
        target="vm:SQL07",
        sure=Sure.LIKELY,
        pieces={"full": _guest("SQL07", 26 * 2**20, path="\\\\?\\Volume{0f3c}\\")},
    ),
)

CASES = (*_WRITERS, *_VSS, *_SNAPSHOTS, *_GUESTS)


def _waits(code: int) -> Any:
    return _stuck(code, "No error")


SILENT = (
    Quiet(
        "writers in an old guest are [9] without an error after a good backup",
        lambda s: (_guest_writers("SQL07", 9, "No error")(s), _saved("SQL07", 5)(s)),
        incident=12,
    ),
    Quiet(
        "the same while an older failure was made good",
        lambda s: (_guest_writers("SQL07", 9, "Timed out")(s), _failed_guest()(s), _saved("SQL07", 5)(s)),
        incident=12,
    ),
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
        lambda s: (_waits(5)(s), _failed_guest()(s), _saved("SQL07", 5)(s)),
    ),
    Quiet("a list of writers that could not be read is no missing writer", lambda s: s.writers_text("HV01", None)),
    Quiet("an empty list of writers is unknown", lambda s: s.writers_text("HV01", "")),
    Quiet("a slow list while a backup runs", lambda s: s.writers_took("HV01", 95_000).csv("Volume1", backup=1)),
    Quiet("a single cosmetic 8194, no entries read", _callback("HV01", 2)),
    Quiet(
        "a cosmetic 8194 now and then, and no account of a backup product",
        lambda s: (
            _callback("HV01", 20)(s),
            _callback("HV01", 8)(s),
            _callback("HV01", 2)(s),
            _access("HV01", "HV02", account="")(s),
        ),
    ),
    Quiet(
        "8194 and 513 together",
        lambda s: (_callback("HV02", 2)(s), s.event(513, CAPI2, node="HV02", codes=["0x80070005"])),
        incident=11,
    ),
    Quiet(
        "shadow copies that come and go while the VMs are saved",
        lambda s: (
            _loop(4)(s),
            s.vm("SQL07", last_backup=s.now - _ago(minutes=1)),
            s.vm("APP01", last_backup=s.now - _ago(minutes=1)),
        ),
    ),
    Quiet("a copy of Previous Versions is old on purpose", _previous_versions),
    Quiet("the cluster removed one old snapshot", lambda s: s.event(5218, SYSTEM_CLUSTER, VolumeName="Volume1")),
    Quiet("12298 of another reason", lambda s: s.event(12298, VSS, codes=["0x80042314"])),
    Quiet("providers that only one node has", _hardware(None, HV02="4.2")),
    Quiet(
        "an old failure of a VM that was saved since",
        lambda s: (s.event(10150, vm="SQL07", codes=["0x800423f2"]), s.event(10103, vm="SQL07"), _saved("SQL07", 5)(s)),
    ),
)
