"""root/virtualization/v2: the drives of machines and what is in them.

InstanceIDs are `Microsoft:<GUID of the VM or checkpoint>\\<controller>\\<bus>\\<place>\\<L or D>`. Windows lists
templates of every kind of setting beside the real ones; they are here too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from hvtui.lab.native.chains import is_file, other_files
from hvtui.lab.pwsh.cim.instances import Property, Provider, View, constant, derived
from hvtui.lab.pwsh.cim.schema import VIRTUALIZATION
from hvtui.lab.pwsh.cim.virtualization import Settings, settings
from hvtui.lab.world.vm import Vm

DISK: Final = "Microsoft:Hyper-V:Virtual Hard Disk"
DVD: Final = "Microsoft:Hyper-V:Virtual CD/DVD Disk"
FLOPPY: Final = "Microsoft:Hyper-V:Virtual Floppy Disk"
CONTROLLER: Final = "Microsoft:Hyper-V:Synthetic SCSI Controller"
DRIVE: Final = "Microsoft:Hyper-V:Synthetic Disk Drive"
PHYSICAL: Final = "Microsoft:Hyper-V:Physical Disk Drive"

_DVD_PLACE: Final = 64
"""Places of DVD drives, behind those of all disks."""
_TEMPLATES: Final = ("Default", "Minimum", "Maximum", "Increment")
_RESOURCE_TYPES: Final = {DISK: 31, DVD: 31, FLOPPY: 31, CONTROLLER: 6, DRIVE: 17, PHYSICAL: 17}


class Item(NamedTuple):
    """One setting of a machine's storage, or (without an owner) one of Windows' templates."""

    owner: Settings | None
    kind: str
    place: int
    hosts: tuple[str, ...]
    """HostResource."""
    instance: str
    name: str


def places(owner: Settings) -> Iterator[tuple[int, str]]:
    """Place and file of each virtual disk that the settings of a VM or checkpoint name."""
    vm, checkpoint = owner
    files = vm.attached(checkpoint)
    yield from enumerate([*files, *(path for path in other_files(vm) if path not in files)])


def _physical(vm: Vm) -> list[str]:
    return [path for path in vm.other_disks if not is_file(path)]


def _controller(vm: Vm) -> str:
    return derived(vm.id, "scsi").upper()


def _templates(kind: str) -> Iterator[Item]:
    base = f"Microsoft:Definition\\{derived('template', kind).upper()}\\"
    for name in _TEMPLATES:
        yield Item(None, kind, 0, (), base + name, kind.rsplit(":", 1)[1])


def _media(view: View) -> Iterator[Item]:
    for kind in (DISK, DVD, FLOPPY):
        yield from _templates(kind)
    for owner in settings(view):
        base = f"Microsoft:{owner.guid}\\{_controller(owner.vm)}\\0\\"
        for place, path in places(owner):
            yield Item(owner, DISK, place, (path,), f"{base}{place}\\L", "Hard Disk Image")
        for place, path in enumerate(owner.vm.dvd if owner.checkpoint is None else ()):
            yield Item(owner, DVD, place, (path,), f"{base}{_DVD_PLACE + place}\\L", "ISO Disk Image")


def _hardware(view: View) -> Iterator[Item]:
    for kind in (CONTROLLER, DRIVE, PHYSICAL):
        yield from _templates(kind)
    for owner in settings(view):
        base = f"Microsoft:{owner.guid}\\{_controller(owner.vm)}"
        yield Item(owner, CONTROLLER, 0, (), f"{base}\\0", "SCSI Controller")
        count = 0
        for place, _ in places(owner):
            yield Item(owner, DRIVE, place, (), f"{base}\\0\\{place}\\D", "Hard Drive")
            count = place + 1
        for place, path in enumerate(_physical(owner.vm), count):
            yield Item(owner, PHYSICAL, place, (_drive_path(view, path),), f"{base}\\0\\{place}\\D", "Hard Drive")


def _drive_path(view: View, name: str) -> str:
    """The reference by which a pass-through disk names the host's drive; backslashes inside quotes are doubled."""
    device = _device(view, name).replace("\\", "\\\\")
    return (
        f"\\\\{view.node.name}\\root\\virtualization\\v2:Msvm_DiskDrive."
        f'CreationClassName="Msvm_DiskDrive",DeviceID="{device}",'
        f'SystemCreationClassName="Msvm_ComputerSystem",SystemName="{view.node.name}"'
    )


def _device(view: View, name: str) -> str:
    return f"Microsoft:{derived(view.node.name, 'disk', name).upper()}\\{_number(name)}"


def _number(name: str) -> int:
    """`Disk 7 500.00 GB Bus 0 Lun 3 Target 1` is drive 7."""
    words = name.split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def _drives(view: View) -> Iterator[str]:
    """The host's disks that VMs use directly, each once."""
    return iter(dict.fromkeys(name for vm in view.node.vms.values() for name in _physical(vm)))


_COMMON: Final[dict[str, Property]] = {
    "InstanceID": lambda _view, one: one.instance,
    "Caption": lambda _view, one: one.name,
    "ElementName": lambda _view, one: one.name,
    "ResourceType": lambda _view, one: _RESOURCE_TYPES[one.kind],
    "ResourceSubType": lambda _view, one: one.kind,
    "HostResource": lambda _view, one: list(one.hosts) or None,
    "PoolID": constant(""),
    "AutomaticAllocation": constant(True),
    "AutomaticDeallocation": constant(True),
    "AddressOnParent": lambda _view, one: None if one.owner is None or one.kind == CONTROLLER else str(one.place),
}


def _version(view: View, one: Item) -> object:
    return None if one.owner is None else (one.owner.vm.revision, view.node.name)


def _shared(_view: View, one: Item) -> bool:
    return one.owner is not None and one.kind == DISK and one.hosts[0] in one.owner.vm.shared


STORAGE: Final = Provider(
    "Msvm_StorageAllocationSettingData",
    VIRTUALIZATION,
    _media,
    _COMMON | {"PersistentReservationsSupported": _shared},
    key=lambda one: one.instance,
    version=_version,
)
RESOURCE: Final = Provider(
    "Msvm_ResourceAllocationSettingData",
    VIRTUALIZATION,
    _hardware,
    _COMMON,
    key=lambda one: one.instance,
    version=_version,
)
DISK_DRIVE: Final = Provider(
    "Msvm_DiskDrive",
    VIRTUALIZATION,
    _drives,
    {
        "Caption": constant("Hard Drive"),
        "ElementName": lambda _view, name: name,
        "SystemCreationClassName": constant("Msvm_ComputerSystem"),
        "SystemName": lambda view, _name: view.node.name,
        "DeviceID": _device,
        "DriveNumber": lambda _view, name: _number(name),
        "EnabledState": constant(2),
        "HealthState": constant(5),
        "OperationalStatus": constant([2]),
    },
    keys=("DeviceID", "SystemCreationClassName", "SystemName"),
)

PROVIDERS: Final = (STORAGE, RESOURCE, DISK_DRIVE)
