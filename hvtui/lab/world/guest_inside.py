"""What the Windows inside a VM shows of itself: volumes, services, writers, shadow storage, files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from hvtui.lab.world.vm import GB, MB, GuestVolume, Vm
from hvtui.lab.world.writers import TIMED_OUT, Writer

_SPACE: Final = UUID("2d9d2a34-7a2c-5a0b-8d10-52f3c8e1a9d4")
UNBOUNDED: Final = 2**64 - 1
"""MaxSpace of a shadow storage without a limit."""
FAILED_AT_FREEZE: Final = 9
_WRITERS: Final = (
    ("Task Scheduler Writer", "d61d61c8-d73a-4eee-8cdd-f6f9786b7124"),
    ("VSS Metadata Store Writer", "75dfb225-e2e4-4d39-9ac9-ffaff65ddf06"),
    ("Performance Counters Writer", "0bada1de-01a9-4625-8278-69e735f39dd2"),
    ("System Writer", "e8132975-6f93-4464-a53e-1050253ae220"),
    ("ASR Writer", "be000cbe-11fe-4426-9c58-531aa6355fc4"),
    ("COM+ REGDB Writer", "542da469-d3e1-473c-9f4f-7847f01fc64f"),
    ("Registry Writer", "afbab4a2-367d-4d15-a586-71dbb18f8485"),
    ("Shadow Copy Optimization Writer", "4dc3bdd4-ab48-4d07-adb0-3bee2926fd7f"),
    ("WMI Writer", "a6ad56c2-b509-4e6c-bb19-49d8f43532f0"),
)
_SQL: Final = ("SqlServerWriter", "a65faa63-5ea8-4ebc-9dbd-a0c4db26912a")
_DIRECTORY: Final = ("NTDS", "b2014c9e-8711-4c5c-a5a9-3cf384484757")


@dataclass(frozen=True, slots=True)
class ServiceInside:
    """A service of a guest, in the words of Win32_Service."""

    name: str
    state: str
    mode: str


@dataclass(frozen=True, slots=True)
class StorageInside:
    """Where the shadow copies of a volume are kept; `maximum` may be UNBOUNDED."""

    volume: GuestVolume
    store: GuestVolume
    used: int
    allocated: int
    maximum: int


def volume_guid(vm: Vm, volume: GuestVolume) -> str:
    """The GUID of a volume, always the same."""
    place = vm.volumes.index(volume) if volume in vm.volumes else -1
    return str(uuid5(_SPACE, f"{vm.id}/{place}"))


def guid_path(vm: Vm, volume: GuestVolume) -> str:
    """The name that a volume has without any letter."""
    return f"\\\\?\\Volume{{{volume_guid(vm, volume)}}}"


def volume_path(vm: Vm, volume: GuestVolume) -> str:
    """Letter, mount point or GUID path, without a backslash at the end."""
    return volume.name or guid_path(vm, volume)


def volumes(vm: Vm) -> list[GuestVolume]:
    """All fixed volumes, the small one without a letter that Windows boots from first."""
    return [GuestVolume("", 549 * MB, 512 * MB, "System Reserved"), *vm.volumes]


def services(vm: Vm) -> list[ServiceInside]:
    """VSS, swprv and vmicvss. VSS runs only while somebody needs it."""
    stopped = not vm.guest.freezes
    requestor = ServiceInside(
        "vmicvss", "Stopped" if stopped else "Running", "Disabled" if stopped and vm.guest.enabled else "Manual"
    )
    return [ServiceInside("swprv", "Stopped", "Manual"), requestor, ServiceInside("VSS", "Stopped", "Manual")]


def writers(vm: Vm) -> list[Writer]:
    """The writers. Where a volume is full the last shadow copy failed while they were frozen; some stay so after it."""
    listed = [*_WRITERS]
    if "SQL" in vm.name.upper():
        listed.append(_SQL)
    if vm.guest.name == "domain-controller":
        listed.append(_DIRECTORY)
    found = [Writer(name, id, str(uuid5(_SPACE, f"{vm.id}/{id}")), "") for name, id in listed]
    if vm.full_volumes():
        for one in found:
            if one.name in {"System Writer", _SQL[0]}:
                one.set(FAILED_AT_FREEZE, TIMED_OUT)
    elif vm.spent_writers:
        for one in found:
            if one.name in {"System Writer", _SQL[0]}:
                one.set(FAILED_AT_FREEZE)
    return found


def storage(vm: Vm) -> list[StorageInside]:
    """The first volume keeps its shadow copies itself, within a limit; the second on the first, without one."""
    found = []
    for number, volume in enumerate(vm.volumes[:2]):
        used = 0 if volume.full else min(volume.free, GB) // 4
        found.append(StorageInside(volume, vm.volumes[0], used, used * 2, UNBOUNDED if number else volume.size // 10))
    return found


def files(vm: Vm, volume: GuestVolume) -> list[tuple[str, int]]:
    """Path below the volume's root, bytes. What a scenario does not say is what any Windows has."""
    if volume.files:
        return list(volume.files)
    used = max(0, volume.size - volume.free)
    if volume.name == "C:":
        return [
            ("pagefile.sys", min(used // 4, vm.memory * MB)),
            ("Windows\\MEMORY.DMP", used // 12),
            ("Windows\\Installer\\6a1f2c.msp", used // 40),
            ("Windows\\System32\\config\\SOFTWARE", used // 300),
        ]
    return [("Data\\archive.zip", used // 2), ("Data\\2025\\export.csv", used // 5), ("Data\\readme.txt", 2048)]
