"""root/cimv2 inside a Windows guest: the classes that are asked there, out of the guest's own facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from hvtui.lab.pwsh.cim.instances import Embedded, Provider, View, constant
from hvtui.lab.pwsh.cim.repository import Repository
from hvtui.lab.pwsh.cim.schema import CIMV2
from hvtui.lab.world import guest_inside
from hvtui.lab.world.node import Node, Service
from hvtui.lab.world.vm import MB, GuestVolume, Vm
from hvtui.lab.world.world import World

_PARTS: Final = {
    # What a scenario calls unreadable → what `trouble.PARTS` calls it.
    "system": "host",
    "services": "host.vmms",
    "volumes": "Win32_Volume",
    "storage": "Win32_ShadowStorage",
}
_FIXED: Final = 3
_OPTICAL: Final = 5


class GuestRepository(Repository):
    """The classes of one guest; `vm` is what the guest runs in."""

    def __init__(self, world: World, vm: Vm) -> None:
        super().__init__(View(world, _machine(vm)), {one.name: one for one in _providers(vm)})
        self.vm = vm


def _machine(vm: Vm) -> Node:
    """The guest as a computer: its name, writers and services, and what it does not tell."""
    guest = Node(vm.name, 0, "10.0.17763.1", vm.processors, vm.memory * MB, vm.started or 0.0)
    guest.writers = guest_inside.writers(vm)
    # The writers are hosted by services that always run; which is nobody's business here.
    guest.services = {"": Service()} | {
        one.name: Service(one.state, mode=one.mode) for one in guest_inside.services(vm)
    }
    guest.faults.unreadable = {
        _PARTS.get(part, part): kind for part, kind in vm.guest_unreadable.items() if part in _PARTS
    }
    if "writers" in vm.guest_unreadable:
        # vssadmin is the only one that asks for it.
        guest.faults.rights.add("elevated")
    return guest


def _providers(vm: Vm) -> list[Provider]:
    def whole(of: Callable[[Vm], Iterable[Any]]) -> Callable[[View], Iterable[Any]]:
        return lambda _view: of(vm)

    return [
        Provider(
            "Win32_OperatingSystem",
            CIMV2,
            lambda view: (view.node,),
            {"Caption": constant(f"Microsoft {vm.guest.system}"), "CSName": lambda _view, node: node.name},
            keys=("CSName",),
        ),
        Provider(
            "Win32_Service",
            CIMV2,
            whole(guest_inside.services),
            {
                "Name": lambda _view, one: one.name,
                "State": lambda _view, one: one.state,
                "StartMode": lambda _view, one: one.mode,
            },
            keys=("Name",),
        ),
        Provider(
            "Win32_Volume",
            CIMV2,
            lambda _view: [*guest_inside.volumes(vm), *([None] if vm.dvd else [])],
            {
                "DeviceID": lambda _view, one: _device(vm, one),
                "Name": lambda _view, one: "Z:\\" if one is None else f"{guest_inside.volume_path(vm, one)}\\",
                "Label": lambda _view, one: one and one.label,
                "FileSystem": lambda _view, one: one and one.file_system,
                "Capacity": lambda _view, one: one and one.size,
                "FreeSpace": lambda _view, one: one and one.free,
                "DriveType": lambda _view, one: _OPTICAL if one is None else _FIXED,
            },
            keys=("DeviceID",),
        ),
        Provider(
            "Win32_ShadowStorage",
            CIMV2,
            whole(guest_inside.storage),
            {
                "Volume": lambda _view, one: _reference(vm, one.volume),
                "DiffVolume": lambda _view, one: _reference(vm, one.store),
                "UsedSpace": lambda _view, one: one.used,
                "AllocatedSpace": lambda _view, one: one.allocated,
                "MaxSpace": lambda _view, one: one.maximum,
            },
            keys=("Volume",),
        ),
    ]


def _device(vm: Vm, volume: GuestVolume | None) -> str:
    return (
        "\\\\?\\Volume{00000000-0000-0000-0000-000000000000}\\"
        if volume is None
        else f"{guest_inside.guid_path(vm, volume)}\\"
    )


def _reference(vm: Vm, volume: GuestVolume) -> Embedded:
    """A reference carries the keys of what it points to."""
    return Embedded(f"{CIMV2}/Win32_Volume", {"DeviceID": _device(vm, volume)})
