"""root/virtualization/v2: what a VM has beside disks: memory, ports, GPUs, a TPM, its guest's words; the switches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from hvtui.lab.pwsh.cim.instances import Property, Provider, View, constant, derived
from hvtui.lab.pwsh.cim.schema import VIRTUALIZATION
from hvtui.lab.pwsh.cim.virtualization import Settings, settings, settings_version
from hvtui.lab.world.vm import Vm
from hvtui.model.enums import VmState

_PARTITIONED: Final = 20348
"""The build from which a GPU is given to VMs in partitions (Windows Server 2022); before it is assigned whole."""


class Part(NamedTuple):
    """One device of the settings of a VM or checkpoint, by its number."""

    owner: Settings
    number: int
    text: str = ""

    @property
    def instance(self) -> str:
        """InstanceID."""
        return f"Microsoft:{self.owner.guid}\\{derived(self.owner.guid, self.text, self.number).upper()}"


_COMMON: Final[dict[str, Property]] = {
    "InstanceID": lambda _view, one: one.instance,
    "ElementName": lambda _view, one: one.text,
}


def _memory(view: View) -> Iterator[Part]:
    for owner in settings(view):
        yield Part(owner, 0, "Memory")


MEMORY: Final = Provider(
    "Msvm_MemorySettingData",
    VIRTUALIZATION,
    _memory,
    {
        **_COMMON,
        "ResourceType": constant(4),
        "ResourceSubType": constant("Microsoft:Hyper-V:Memory"),
        "AllocationUnits": constant("byte * 2^20"),
        "VirtualQuantity": lambda _view, one: one.owner.vm.memory_startup,
        "Reservation": lambda _view, one: one.owner.vm.memory_minimum,
        "Limit": lambda _view, one: one.owner.vm.memory_maximum,
        "DynamicMemoryEnabled": lambda _view, one: one.owner.vm.dynamic,
    },
)


def _switch_id(name: str) -> str:
    """A switch has a GUID of its own on each host in reality; that it is found by it is what matters here."""
    return derived("switch", name).upper()


def _ports(view: View) -> Iterator[Part]:
    for owner in settings(view):
        for number, name in enumerate(owner.vm.switches):
            yield Part(owner, number, name)


def _port_host(view: View, one: Part) -> list[str]:
    return [
        f"\\\\{view.node.name}\\root\\virtualization\\v2:Msvm_VirtualEthernetSwitch."
        f'CreationClassName="Msvm_VirtualEthernetSwitch",Name="{_switch_id(one.text)}"'
    ]


PORT: Final = Provider(
    "Msvm_EthernetPortAllocationSettingData",
    VIRTUALIZATION,
    _ports,
    {
        **_COMMON,
        "ElementName": constant("Dynamic Ethernet Switch Port"),
        "ResourceType": constant(33),
        "ResourceSubType": constant("Microsoft:Hyper-V:Ethernet Connection"),
        "HostResource": _port_host,
        "EnabledState": constant(2),
        "LastKnownSwitchName": lambda _view, one: one.text,
    },
)

SWITCH: Final = Provider(
    "Msvm_VirtualEthernetSwitch",
    VIRTUALIZATION,
    lambda view: view.node.switches,
    {
        "Caption": constant("Virtual Switch"),
        "CreationClassName": constant("Msvm_VirtualEthernetSwitch"),
        "Name": lambda _view, name: _switch_id(name),
        "ElementName": lambda _view, name: name,
        "EnabledState": constant(5),
        "HealthState": constant(5),
        "OperationalStatus": constant([2]),
    },
    keys=("CreationClassName", "Name"),
)


def _partitioned(view: View) -> bool:
    return int(view.node.build.split(".")[2]) >= _PARTITIONED


def _devices(view: View, *, partitions: bool) -> Iterator[Part]:
    if _partitioned(view) is partitions:
        for vm in view.node.vms.values():
            for number in range(vm.gpu):
                yield Part(Settings(vm, None), number, "GPU")


GPU: Final = Provider(
    "Msvm_GpuPartitionSettingData",
    VIRTUALIZATION,
    lambda view: _devices(view, partitions=True),
    {**_COMMON, "ResourceType": constant(32770), "ResourceSubType": constant("Microsoft:Hyper-V:GPU Partition")},
)
PCI: Final = Provider(
    "Msvm_PciExpressSettingData",
    VIRTUALIZATION,
    lambda view: _devices(view, partitions=False),
    {
        **_COMMON,
        "ResourceType": constant(32769),
        "ResourceSubType": constant("Microsoft:Hyper-V:Virtual Pci Express Port"),
    },
)


SECURITY: Final = Provider(
    "Msvm_SecuritySettingData",
    VIRTUALIZATION,
    settings,
    {
        "InstanceID": lambda _view, one: f"Microsoft:{one.guid}\\{derived(one.guid, 'security').upper()}",
        "ElementName": constant("Security Settings"),
        "TpmEnabled": lambda _view, one: one.vm.tpm,
        "KsdEnabled": constant(False),
        "ShieldingRequested": constant(False),
    },
    key=lambda one: one.key,
    version=settings_version,
)


def _fibre_channel(view: View) -> Iterator[Part]:
    for owner in settings(view):
        for number in range(owner.vm.fibre_channel):
            yield Part(owner, number, "Fibre Channel Adapter")


FIBRE_CHANNEL: Final = Provider(
    "Msvm_SyntheticFcPortSettingData",
    VIRTUALIZATION,
    _fibre_channel,
    {
        **_COMMON,
        "ResourceType": constant(7),
        "ResourceSubType": constant("Microsoft:Hyper-V:Synthetic FibreChannel Port"),
    },
)

_KVP: Final = "2A34B1C2-FD73-4043-8A5B-DD2159BC743F"
_IDLE: Final = frozenset({VmState.Off, VmState.Saved, VmState.SavedVendor})


def _exchanged(_view: View, vm: Vm) -> list[str]:
    """What the guest says of itself, each as the XML of a Msvm_KvpExchangeDataItem."""
    if not (vm.guest.tells and vm.guest.system):
        return []
    told = {"FullyQualifiedDomainName": f"{vm.name}.corp.example", "OSName": vm.guest.system}
    if vm.guest.product:
        told["ProductType"] = str(vm.guest.product)
    return [_item(name, value) for name, value in told.items()]


def _item(name: str, value: str) -> str:
    texts = (("Caption", ""), ("Data", value), ("Name", name), ("Source", "2"))
    body = "".join(
        f'<PROPERTY NAME="{key}" TYPE="string"><VALUE>{escape(text)}</VALUE></PROPERTY>' for key, text in texts
    )
    return f'<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">{body}</INSTANCE>'


KVP: Final = Provider(
    "Msvm_KvpExchangeComponent",
    VIRTUALIZATION,
    lambda view: (vm for vm in view.node.vms.values() if vm.state not in _IDLE),
    {
        "ElementName": constant("Key-Value Pair Exchange"),
        "SystemCreationClassName": constant("Msvm_ComputerSystem"),
        "SystemName": lambda _view, vm: vm.id.upper(),
        "CreationClassName": constant("Msvm_KvpExchangeComponent"),
        "DeviceID": lambda _view, vm: f"Microsoft:{vm.id.upper()}\\{_KVP}",
        "EnabledState": constant(2),
        "GuestExchangeItems": constant([]),
        "GuestIntrinsicExchangeItems": _exchanged,
    },
    keys=("CreationClassName", "DeviceID", "SystemCreationClassName", "SystemName"),
    key=lambda vm: vm.id,
    version=lambda _view, vm: vm.revision,
)

PROVIDERS: Final = (MEMORY, PORT, SWITCH, GPU, PCI, SECURITY, FIBRE_CHANNEL, KVP)
