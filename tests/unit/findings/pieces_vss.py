"""Pieces of evidence about VSS: each function adds one to a scene, or gives a piece that does."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from hvtui.model.guest_rows import guest_row
from hvtui.model.guests import GuestLine, GuestVolume
from hvtui.model.preflight import ShadowCopy
from hvtui.model.records import Provider
from hvtui.model.signals import Hotfix, HotfixPicture, ShadowPicture
from hvtui.model.vss_access import ServiceAccount, VssAccess, VssAccessEntry
from tests.support.builders import HYPER_V_WRITER, NOW, SYSTEM_WRITER, guid, volume_name, writer_lines
from tests.unit.findings.scene import VSS, Scene

SQL_WRITER: Final = ("SqlServerWriter", "a65faa63-5ea8-4ebc-9dbd-a0c4db26912a")
SWPRV: Final = Provider(id="b5946137-7b9f-4925-af80-51abd60b20d5", name="Software provider", type=1, version="1.0.0.7")
CSV_PROVIDER: Final = Provider(id=guid("csv provider"), name="CSV provider", type=2, version="1.0.0.1")
ACCOUNT: Final = "CORP\\svc-replay"
GB: Final = 2**30
DAY_OLD: Final = NOW - timedelta(days=1)


def ago(**span: float) -> timedelta:
    return timedelta(**span)


def stuck(code: int = 5, error: str = "Retryable error", writer: tuple[str, str] = HYPER_V_WRITER) -> Any:
    return lambda s: s.writer("HV01", writer, code, error)


def failed_guest(vm: str = "SQL07", minutes: float = 20) -> Any:
    return lambda s: s.event(10102, vm=vm, ago=ago(minutes=minutes), codes=["0x800423f3"])


def vss(scene: Scene, id: int, writer: tuple[str, str], *codes: str, node: str = "HV01", minutes: float = 20) -> Scene:
    """An event of VSS that names a writer in its context."""
    context = f"\n\nOperation:\n   PrepareForSnapshot\n\nContext:\n   Class: {{{writer[1]}}}\n   Name: {writer[0]}"
    values = {"1": codes[0] if codes else "", "2": context}
    return scene.event(id, VSS, node=node, ago=ago(minutes=minutes), codes=codes, **values)


def rejected(code: str, writer: tuple[str, str] = HYPER_V_WRITER) -> Any:
    return lambda s: vss(s, 8229, writer, code)


def saved(vm: str, minutes: float) -> Any:
    return lambda s: s.vm(vm, last_backup=NOW - ago(minutes=minutes))


def all_saved(minutes: float) -> Any:
    def piece(scene: Scene) -> None:
        for vm in ("SQL07", "APP01"):
            scene.vm(vm, last_backup=NOW - ago(minutes=minutes))

    return piece


def none_saved_known(scene: Scene) -> None:
    for vm in ("SQL07", "APP01"):
        scene.vm(vm, last_backup=DAY_OLD)


def last_backups_unread(scene: Scene) -> None:
    scene.problem("HV01", "vms.last_backup")
    for vm in ("SQL07", "APP01"):
        scene.vm(vm, last_backup=None)


def callback(node: str, hours: float) -> Any:
    return lambda s: vss(s, 8194, SYSTEM_WRITER, "0x80070005", node=node, minutes=hours * 60)


def access(*nodes: str, account: str = ACCOUNT, entry: int | None = None) -> Any:
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


def hotfix(scene: Scene, day: date) -> None:
    fixes = (Hotfix(id="KB3000850", installed=day),)
    scene.answers.hotfixes["HV01"] = HotfixPicture(time=NOW, hotfixes=fixes)


def guest(vm: str, free: int, *, path: str = "T:\\", writers: str | None = None) -> Any:
    """A look into a guest that found this much free on one volume."""

    def piece(scene: Scene) -> None:
        volumes = [
            GuestVolume(path="C:\\", label="", file_system="NTFS", size=127 * GB, free=60 * GB),
            GuestVolume(path=path, label="", file_system="NTFS", size=60 * GB, free=free),
        ]
        line = GuestLine(
            v=1, time=NOW, node="HV01", kind="guest", vm=guid(vm), outcome="read", volumes=volumes, services=[],
            writers=writers if writers is not None else writer_lines(), storage=[],
        )  # fmt: skip
        scene.answers.guests[guid(vm)] = guest_row(line, vm)

    return piece


def guest_writers(vm: str, code: int, error: str) -> Any:
    return guest(vm, 20 * GB, writers=writer_lines({SQL_WRITER: (code, error)}))


def loop(times: int, *, every: float = 10, lives: float = 2) -> Any:
    """Shadow copies that came and went, the last of them just now."""

    def piece(scene: Scene) -> None:
        for number in range(times):
            scene.shadows("HV01", (f"run {number}", timedelta(0))).later(minutes=lives)
            scene.shadows("HV01", (f"run {number}", ago(minutes=lives))).later(seconds=30)
            scene.shadows("HV01").later(minutes=every - lives - 0.5)

    return piece


def hardware(version: str | None = "4.2.1", **where: str | None) -> Any:
    """The hardware provider on HV01 to HV03, of this version; `HV02="4.1"` of another one, None: missing there."""

    def piece(scene: Scene) -> None:
        for node in ("HV01", "HV02", "HV03"):
            found = where.get(node, version)
            hardware = Provider(id=guid("array"), name="Array VSS Provider", type=3, version=found)
            scene.node(node).providers(node, SWPRV, *((hardware,) if found else ()))

    return piece


def old_copy(days: float, **more: Any) -> Any:
    def piece(scene: Scene) -> None:
        copy = ShadowCopy(
            id=guid("old copy"), volume=volume_name("Volume1"), created=NOW - ago(days=days), persistent=True, **more
        )
        scene.preflight("HV01", shadow_copies=[copy])

    return piece


def no_hyper_v_writer(scene: Scene) -> None:
    text = writer_lines()
    scene.writers_text("HV01", text[: text.index("Writer name: 'Microsoft Hyper-V")])


def other_code(scene: Scene, id: int, code: str) -> None:
    """The event of this id with another code."""
    scene.logs.clear()
    scene.event(id, VSS, codes=[code])


def replace_rejection(scene: Scene, code: str, writer: tuple[str, str]) -> None:
    scene.logs.clear()
    rejected(code, writer)(scene)


def afresh(scene: Scene) -> Scene:
    """Forget the shadow copies that were seen."""
    scene.memory.__init__()  # type: ignore[misc]
    return scene


def previous_versions(scene: Scene) -> None:
    copy = ShadowCopy(id=guid("kept"), volume=volume_name("Volume1"), created=NOW - ago(days=6), client_accessible=True)
    scene.preflight("HV01", shadow_copies=[copy])
    scene.answers.shadows["HV01"] = ShadowPicture(time=NOW, shadows=(copy,))


def nothing(_: Scene) -> None:
    """Takes the place of a piece without putting anything there."""
