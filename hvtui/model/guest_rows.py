"""What a look into a guest means: which volumes are too full for a shadow copy, and what else stands in its way.

Thresholds are those of the field: under 1 GB free a shadow copy inside the guest fails, 10–15 % is what it should have.
A volume of up to 1 GB (System Reserved, recovery) cannot have that: Microsoft asks for 50 MB on one under
500 MB and 320 MB on a larger one ("UEFI/GPT-based hard drive partitions", free space for shadow copies).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from hvtui.model.guests import GuestLine, GuestService, GuestVolume, ShadowStorage
from hvtui.model.records import Problem, UtcTime
from hvtui.model.severity import Severity
from hvtui.model.writers import WriterReport, read_writers

GB: Final = 1024**3
MB: Final = 1024**2
RED: Final = 1 * GB
AMBER: Final = 2 * GB
AMBER_PERCENT: Final = 15
SMALL: Final = 1 * GB
"""A volume of this size or less cannot have 1 GB free."""
_TINY: Final = 500 * MB
_TINY_FREE: Final = 50 * MB
_SMALL_FREE: Final = 320 * MB
_SNAPSHOTS: Final = frozenset({"NTFS", "REFS", "CSVFS"})
"""File systems that VSS makes shadow copies of (Microsoft's documents of volsnap: NTFS and, since 2012, ReFS)."""

WINDOWS: Final = "windows"
LINUX: Final = "linux"
_IN_WINDOWS: Final = (
    "Get-CimInstance Win32_Volume -Filter 'DriveType=3' | Sort-Object FreeSpace | "
    "Format-Table Name,Label,Capacity,FreeSpace -AutoSize; vssadmin list writers"
)
_IN_OLD_WINDOWS: Final = "wmic volume where drivetype=3 get Name,Label,Capacity,FreeSpace & vssadmin list writers"
_IN_LINUX: Final = "df -h; systemctl status hv_vss_daemon hypervvssd hv-vss-daemon --no-pager"

NOT_READABLE: Final = "not readable"


class VolumeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One volume. Bytes; `percent` is what is free. None is unread, and never fine.

    `to_free` is what must be freed until it is neither red nor amber, `least` until it is not red.
    """

    path: str
    label: str
    file_system: str
    size: int | None
    free: int | None
    percent: int | None
    severity: Severity
    to_free: int
    least: int
    text: str


class GuestRow(msgspec.Struct, frozen=True, kw_only=True):
    """One guest. `word` is `full`, `low`, `writer`, `VSS`, `partly read`, `ok`, or `not readable` with a `reason`.

    `volumes` are worst first. `command` is what a person runs inside instead; empty when it was read.
    """

    vm: str
    name: str
    node: str
    word: str
    severity: Severity
    reason: str = ""
    command: str = ""
    outcome: str = ""
    system: str = ""
    volumes: tuple[VolumeRow, ...] = ()
    services: tuple[GuestService, ...] | None = None
    writers: WriterReport | None = None
    storage: tuple[ShadowStorage, ...] | None = None
    errors: tuple[Problem, ...] = ()
    time: UtcTime | None = None

    @property
    def read(self) -> bool:
        """The guest answered."""
        return self.word != NOT_READABLE

    @property
    def full(self) -> tuple[VolumeRow, ...]:
        """Volumes in which no shadow copy can be made."""
        return tuple(volume for volume in self.volumes if volume.severity is Severity.BAD)


def size_text(number: int | None) -> str:
    """Bytes in words: whole MB under 10 GB, else GB with one digit. Rounded down: free space is never flattered."""
    if number is None:
        return "?"
    if number < 10 * GB:
        return f"{number // MB} MB" if number < GB else f"{number * 10 // GB / 10:.1f} GB"
    return f"{number // GB} GB"


def volume_row(volume: GuestVolume) -> VolumeRow:
    """Judge a volume by its free space."""
    size, free = volume.size, volume.free
    percent = free * 100 // size if size and free is not None else None
    severity, to_free, least = _judge(volume)
    text = f"{volume.path} {size_text(free)} free" if free is not None else f"{volume.path}: free space not read"
    if percent is not None and severity is not Severity.BAD:
        text += f" ({percent} %)"
    return VolumeRow(
        path=volume.path,
        label=volume.label or "",
        file_system=volume.file_system or "",
        size=size,
        free=free,
        percent=percent,
        severity=severity,
        to_free=to_free,
        least=least,
        text=text,
    )


def _judge(volume: GuestVolume) -> tuple[Severity, int, int]:
    size, free = volume.size, volume.free
    if volume.file_system is not None and volume.file_system.upper() not in _SNAPSHOTS:
        # EFI and raw partitions: VSS makes no shadow copy of them, so they cannot stand in its way.
        return Severity.INFO, 0, 0
    if free is None or size is None:
        return Severity.UNKNOWN, 0, 0
    needed = _needed(size)
    wanted = needed if size < AMBER else max(AMBER, -(-size * AMBER_PERCENT // 100))
    severity = Severity.BAD if free < needed else Severity.WARN if free < wanted else Severity.OK
    return severity, max(0, wanted - free), max(0, needed - free)


def _needed(size: int) -> int:
    """Free bytes under which no shadow copy can be counted on."""
    if size > SMALL:
        return RED
    return _TINY_FREE if size < _TINY else _SMALL_FREE


def guest_row(line: GuestLine, name: str, *, kind: str = "", old: bool = False) -> GuestRow:
    """What a line of Get-HvTuiGuest means. `kind` is `windows`, `linux` or empty; `old`: before Windows Server 2016."""
    if line.outcome != "read":
        return not_readable(
            line.vm,
            name,
            line.node,
            line.text or line.outcome,
            outcome=line.outcome,
            kind=kind,
            old=old,
            time=line.time,
        )
    volumes = tuple(sorted((volume_row(one) for one in line.volumes or ()), key=_worst_volume))
    report = read_writers(line.writers) if line.writers else None
    reasons = [(volume.severity, volume.text) for volume in volumes if volume.severity > Severity.INFO]
    word = _word(volumes)
    if line.volumes is None:
        reasons.append((Severity.UNKNOWN, "its volumes were not read"))
    elif not line.volumes:
        reasons.append((Severity.UNKNOWN, "it told no volume at all"))
    for severity, text in (*_writer_reasons(report), *_service_reasons(line.services)):
        reasons.append((severity, text))
    reasons += [(Severity.UNKNOWN, f"{problem.part} not read: {problem.text}") for problem in line.errors]
    severity = max((one for one, _ in reasons), default=Severity.OK)
    if not word and severity > Severity.INFO:
        word = "partly read" if severity is Severity.UNKNOWN else "VSS"
    return GuestRow(
        vm=line.vm,
        name=name,
        node=line.node,
        word=word or "ok",
        severity=severity,
        reason="; ".join(text for _, text in sorted(reasons, key=lambda one: -one[0])),
        outcome=line.outcome,
        system=line.system or "",
        volumes=volumes,
        services=None if line.services is None else tuple(line.services),
        writers=report,
        storage=None if line.storage is None else tuple(line.storage),
        errors=tuple(line.errors),
        time=line.time,
    )


def not_readable(
    vm: str,
    name: str,
    node: str,
    reason: str,
    *,
    outcome: str = "",
    kind: str = "",
    old: bool = False,
    time: UtcTime | None = None,
) -> GuestRow:
    """A guest that did not answer, why, and what a person runs inside it instead. It is never shown as fine."""
    return GuestRow(
        vm=vm,
        name=name,
        node=node,
        word=NOT_READABLE,
        severity=Severity.WARN if outcome == "denied" else Severity.UNKNOWN,
        reason=reason,
        command=command_inside(kind, old=old),
        outcome=outcome,
        time=time,
    )


def command_inside(kind: str, *, old: bool = False) -> str:
    """What to run in a guest's own console to see the same."""
    if kind == LINUX:
        return _IN_LINUX
    windows = _IN_OLD_WINDOWS if old else _IN_WINDOWS
    return windows if kind == WINDOWS or old else f"Windows: {windows} · Linux: {_IN_LINUX}"


def worst_first(rows: Iterable[GuestRow]) -> list[GuestRow]:
    """Full ones first, then those in whose case nobody knows, low ones, and fine ones; in each the fullest first."""
    return sorted(rows, key=_order)


_RANK: Final = {Severity.BAD: 0, Severity.UNKNOWN: 1, Severity.WARN: 2, Severity.INFO: 3, Severity.OK: 4}


def _order(row: GuestRow) -> tuple[int, int, str, str]:
    rank = 1 if not row.read else _RANK[row.severity]
    free = min((volume.free for volume in row.volumes if volume.free is not None), default=0)
    return rank, free, row.name.lower(), row.vm


def _worst_volume(volume: VolumeRow) -> tuple[int, int, str]:
    return _RANK[volume.severity], volume.free if volume.free is not None else 0, volume.path.lower()


def _word(volumes: tuple[VolumeRow, ...]) -> str:
    severities = {volume.severity for volume in volumes}
    if Severity.BAD in severities:
        return "full"
    return "low" if Severity.WARN in severities else ""


def _writer_reasons(report: WriterReport | None) -> list[tuple[Severity, str]]:
    if report is None:
        return [(Severity.UNKNOWN, "its VSS writers were not read")]
    if report.failure:
        return [(Severity.UNKNOWN, f"its VSS writers were not read: {report.failure}")]
    found = []
    for writer in report.writers:
        label = f"writer {writer.name} is [{'?' if writer.code is None else writer.code}] {writer.error_text}".strip()
        if writer.state_class == "failed":
            found.append((Severity.WARN, label))
        elif writer.state_class == "unreadable":
            found.append((Severity.UNKNOWN, label))
    return found


def _service_reasons(services: list[GuestService] | None) -> list[tuple[Severity, str]]:
    """VSS and swprv run only while they are needed; the integration service (vmicvss) must run."""
    if services is None:
        return [(Severity.UNKNOWN, "its VSS services were not read")]
    found = []
    for service in services:
        if (service.start_mode or "").lower() == "disabled":
            found.append((Severity.WARN, f"its service {service.name} is disabled"))
        elif service.name.lower() == "vmicvss" and service.state is not None and service.state.lower() != "running":
            found.append((Severity.WARN, f"its service {service.name} is {service.state}"))
        elif service.state is None:
            found.append((Severity.UNKNOWN, f"the state of its service {service.name} was not read"))
    return found
