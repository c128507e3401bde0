"""root/virtualization/v2: machines, their settings and checkpoints, load, integration services (windows.md §3.1)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple

from hvtui.lab.pwsh.cim.instances import Embedded, Property, Provider, View, constant, derived
from hvtui.lab.pwsh.cim.schema import VIRTUALIZATION
from hvtui.lab.world.node import Node
from hvtui.lab.world.vm import Checkpoint, Vm
from hvtui.model.enums import ReplicationMode, SnapshotType, VmState

VSS: Final = "2450EE40-33BF-4FBD-892E-9FB06E9214CF"
"""Id of the integration service for backup, in the InstanceID of its instances."""

SNAPSHOT_TYPES: Final = {
    SnapshotType.Standard: "Microsoft:Hyper-V:Snapshot:Realized",
    SnapshotType.Recovery: "Microsoft:Hyper-V:Snapshot:Recovery",
    SnapshotType.Planned: "Microsoft:Hyper-V:Snapshot:Planned",
    SnapshotType.Missing: "Microsoft:Hyper-V:Snapshot:Missing",
    SnapshotType.Replica: "Microsoft:Hyper-V:Snapshot:Replica:Standard",
    SnapshotType.AppConsistentReplica: "Microsoft:Hyper-V:Snapshot:Replica:ApplicationConsistent",
    SnapshotType.SyncedReplica: "Microsoft:Hyper-V:Snapshot:Replica:PlannedFailover",
}
_WORDS: Final = {2: "Operating normally", 11: "In service", 32772: "Merging disks", 32776: "Backing up"}
_IDLE: Final = frozenset({VmState.Off, VmState.Saved, VmState.SavedVendor})


class Settings(NamedTuple):
    """The settings of a VM, or of one of its checkpoints."""

    vm: Vm
    checkpoint: Checkpoint | None

    @property
    def guid(self) -> str:
        """What InstanceID is made of: the VM's GUID or the checkpoint's, in upper case."""
        return (self.vm.id if self.checkpoint is None else self.checkpoint.id).upper()

    @property
    def key(self) -> Hashable:
        """Tells settings apart."""
        return self.guid


def settings(view: View) -> Iterator[Settings]:
    """Settings of all VMs of the node, each followed by those of its checkpoints."""
    for vm in view.node.vms.values():
        yield Settings(vm, None)
        for checkpoint in vm.checkpoints:
            yield Settings(vm, checkpoint)


def vm_reference(vm: Vm) -> Embedded:
    """A reference to a VM."""
    return Embedded(
        f"{VIRTUALIZATION}/Msvm_ComputerSystem", {"CreationClassName": "Msvm_ComputerSystem", "Name": vm.id.upper()}
    )


def settings_path(view: View, owner: Settings) -> str:
    """The path by which one setting names another."""
    return (
        f"\\\\{view.node.name}\\root\\virtualization\\v2:Msvm_VirtualSystemSettingData."
        f'InstanceID="Microsoft:{owner.guid}"'
    )


def settings_version(view: View, one: Settings) -> Hashable:
    """Changes when anything about the settings does."""
    return (one.vm.revision, view.node.clock_offset)


# --- Msvm_ComputerSystem: the VMs, and one instance for the host ---


def _systems(view: View) -> Iterator[Vm | Node]:
    yield view.node
    yield from view.node.vms.values()


def _of(vm: Property, host: Any = None) -> Property:
    """A property of a VM that has one value for the host."""
    return lambda view, one: host if isinstance(one, Node) else vm(view, one)


def _uptime(view: View, one: Vm | Node) -> int:
    """OnTimeInMilliseconds: rounded towards the middle of the second of the start, so that the start it leads back to
    is in the same second as the real one.
    """
    began = one.boot if isinstance(one, Node) else one.started
    if began is None:
        return 0
    start = view.clock(began)
    passed = (view.clock(view.world.elapsed) - start) // timedelta(microseconds=1)
    return max(0, -(-passed // 1000) if start.microsecond >= 500_000 else passed // 1000)


def _worker(view: View, vm: Vm) -> int | None:
    """ProcessID of vmwp.exe; another one after each start."""
    if vm.state in _IDLE or vm.started is None:
        return None
    return 4 * (2_000 + int(10_000 * view.world.scatter(vm.key, int(vm.started))))


def replication_state(vm: Vm) -> int:
    """ReplicationState: 0 disabled, 5 replicating."""
    return 0 if vm.replication == ReplicationMode.NotReplicated else 5


def words(vm: Vm) -> list[str]:
    """StatusDescriptions, in English: hvtui reads the numbers."""
    return [_WORDS.get(number, "In service") for number in vm.operational()]


def numbers(vm: Vm) -> list[int]:
    """OperationalStatus, primary first."""
    return [int(number) for number in vm.operational()]


COMPUTER_SYSTEM: Final = Provider(
    "Msvm_ComputerSystem",
    VIRTUALIZATION,
    _systems,
    {
        "Caption": _of(constant("Virtual Machine"), "Hosting Computer System"),
        "Description": _of(constant("Microsoft Virtual Machine"), "Microsoft Hosting Computer System"),
        "ElementName": lambda _view, one: one.name,
        "Name": lambda _view, one: one.name if isinstance(one, Node) else one.id.upper(),
        "CreationClassName": constant("Msvm_ComputerSystem"),
        "EnabledState": _of(lambda _view, vm: int(vm.state), 2),
        "HealthState": _of(lambda _view, vm: int(vm.health), 5),
        "OperationalStatus": lambda _view, one: [2] if isinstance(one, Node) else numbers(one),
        "StatusDescriptions": lambda _view, one: ["OK"] if isinstance(one, Node) else words(one),
        "Status": constant("OK"),
        "RequestedState": constant(12),
        "OnTimeInMilliseconds": _uptime,
        "ProcessID": _of(_worker),
        "NumberOfNumaNodes": constant(1),
        "ReplicationMode": _of(lambda _view, vm: int(vm.replication), 0),
        "ReplicationState": _of(lambda _view, vm: replication_state(vm), 0),
        "ReplicationHealth": _of(lambda _view, vm: int(vm.replication != ReplicationMode.NotReplicated), 0),
        "LastSuccessfulBackupTime": _of(
            lambda view, vm: None if vm.last_backup is None else view.clock(vm.last_backup)
        ),
        "EnhancedSessionModeState": constant(3),
    },
    keys=("CreationClassName", "Name"),
    live=frozenset({"OnTimeInMilliseconds"}),
    key=lambda one: one.name if isinstance(one, Node) else one.id,
    version=lambda view, one: (one.revision, view.node.clock_offset),
)


# --- Msvm_VirtualSystemSettingData ---


def _parent(view: View, one: Settings) -> str | None:
    """The checkpoint a setting stands on."""
    id = one.vm.current if one.checkpoint is None else one.checkpoint.parent
    found = next((other for other in one.vm.checkpoints if other.id == id), None)
    return None if found is None else settings_path(view, Settings(one.vm, found))


SETTING_DATA: Final = Provider(
    "Msvm_VirtualSystemSettingData",
    VIRTUALIZATION,
    settings,
    {
        "InstanceID": lambda _view, one: f"Microsoft:{one.guid}",
        "Caption": constant("Virtual Machine Settings"),
        "Description": constant("Settings for the virtual machine."),
        "ElementName": lambda _view, one: one.vm.name if one.checkpoint is None else one.checkpoint.name,
        "VirtualSystemIdentifier": lambda _view, one: one.vm.id.upper(),
        "VirtualSystemType": lambda _view, one: (
            "Microsoft:Hyper-V:System:Realized"
            if one.checkpoint is None
            else SNAPSHOT_TYPES[SnapshotType(one.checkpoint.type)]
        ),
        "VirtualSystemSubType": constant("Microsoft:Hyper-V:SubType:2"),
        "Notes": constant([]),
        "CreationTime": lambda view, one: None if one.checkpoint is None else view.clock(one.checkpoint.created),
        "ConfigurationID": lambda _view, one: one.guid,
        "ConfigurationDataRoot": lambda _view, one: one.vm.configuration,
        "ConfigurationFile": lambda _view, one: (
            f"{'Virtual Machines' if one.checkpoint is None else 'Snapshots'}\\{one.guid}.vmcx"
        ),
        "SnapshotDataRoot": lambda _view, one: one.vm.checkpoint_path or one.vm.configuration,
        "SuspendDataRoot": lambda _view, one: one.vm.configuration,
        "SwapFileDataRoot": lambda _view, one: one.vm.configuration,
        "LogDataRoot": lambda _view, one: one.vm.configuration,
        "UserSnapshotType": lambda _view, one: int(one.vm.checkpoint_type),
        "IsSaved": lambda _view, one: (
            one.vm.state in {VmState.Saved, VmState.SavedVendor} if one.checkpoint is None else one.checkpoint.saved
        ),
        "Parent": _parent,
        "Version": lambda _view, one: one.vm.config_version,
        "IncrementalBackupEnabled": constant(True),
        "VirtualNumaEnabled": constant(True),
        "AutomaticSnapshotsEnabled": constant(False),
        "IsAutomaticSnapshot": constant(False),
    },
    key=lambda one: one.key,
    version=settings_version,
)


# --- Msvm_SummaryInformation ---


def _heartbeat(_view: View, vm: Vm) -> int | None:
    return int(vm.guest.heartbeat) if vm.running else None


SUMMARY: Final = Provider(
    "Msvm_SummaryInformation",
    VIRTUALIZATION,
    lambda view: view.node.vms.values(),
    {
        "InstanceID": lambda _view, vm: f"Microsoft:{vm.id.upper()}",
        "Name": lambda _view, vm: vm.id.upper(),
        "ElementName": lambda _view, vm: vm.name,
        "EnabledState": lambda _view, vm: int(vm.state),
        "HealthState": lambda _view, vm: int(vm.health),
        "OperationalStatus": lambda _view, vm: numbers(vm),
        "StatusDescriptions": lambda _view, vm: words(vm),
        "Heartbeat": _heartbeat,
        "ProcessorLoad": lambda view, vm: view.world.vm_load(vm)[0],
        "MemoryUsage": lambda view, vm: view.world.vm_load(vm)[1],
        "NumberOfProcessors": lambda _view, vm: vm.processors,
        "GuestOperatingSystem": lambda _view, vm: vm.guest.system if vm.running and vm.guest.system else None,
        "UpTime": lambda view, vm: 0 if vm.state in _IDLE else _uptime(view, vm),
        "Version": lambda _view, vm: vm.config_version,
        "Notes": constant(""),
        "ReplicationMode": lambda _view, vm: int(vm.replication),
        "ReplicationState": lambda _view, vm: replication_state(vm),
        "VirtualSystemSubType": constant("Microsoft:Hyper-V:SubType:2"),
        "HostComputerSystemName": lambda view, _vm: view.node.name,
    },
    live=frozenset({"ProcessorLoad", "MemoryUsage", "UpTime"}),
    key=lambda vm: vm.id,
    version=lambda _view, vm: vm.revision,
)


# --- the integration service for backup ---


VSS_COMPONENT: Final = Provider(
    "Msvm_VssComponent",
    VIRTUALIZATION,
    lambda view: (vm for vm in view.node.vms.values() if vm.state not in _IDLE),
    {
        "Caption": constant("VSS"),
        "ElementName": constant("VSS"),
        "SystemCreationClassName": constant("Msvm_ComputerSystem"),
        "SystemName": lambda _view, vm: vm.id.upper(),
        "CreationClassName": constant("Msvm_VssComponent"),
        "DeviceID": lambda _view, vm: f"Microsoft:{vm.id.upper()}\\{VSS}",
        "EnabledState": lambda _view, vm: 2 if vm.guest.enabled else 3,
        "HealthState": constant(5),
        "OperationalStatus": lambda _view, vm: [int(vm.guest.vss)],
    },
    keys=("CreationClassName", "DeviceID", "SystemCreationClassName", "SystemName"),
    key=lambda vm: vm.id,
    version=lambda _view, vm: vm.revision,
)

VSS_SETTING: Final = Provider(
    "Msvm_VssComponentSettingData",
    VIRTUALIZATION,
    settings,
    {
        "InstanceID": lambda _view, one: f"Microsoft:{one.guid}\\{VSS}",
        "Caption": constant("VSS Settings"),
        "ElementName": constant("VSS"),
        "ResourceType": constant(4096),
        "ResourceSubType": constant("Microsoft:Hyper-V:Vss Component"),
        "EnabledState": lambda _view, one: 2 if one.vm.guest.enabled else 3,
    },
    key=lambda one: one.key,
    version=settings_version,
)


# --- services of the host ---


def _service(name: str, caption: str) -> dict[str, Property]:
    return {
        "Caption": constant(caption),
        "ElementName": constant(caption),
        "Name": constant(name),
        "CreationClassName": constant(caption),
        "SystemCreationClassName": constant("Msvm_ComputerSystem"),
        "SystemName": lambda view, _one: view.node.name,
        "OperationalStatus": constant([2]),
        "HealthState": constant(5),
        "Started": constant(True),
        "StartMode": constant("Automatic"),
    }


MANAGEMENT: Final = Provider(
    "Msvm_VirtualSystemManagementService",
    VIRTUALIZATION,
    lambda view: (view.node,),
    _service("vmms", "Hyper-V Virtual System Management Service"),
    keys=("CreationClassName", "Name", "SystemCreationClassName", "SystemName"),
)

MIGRATION: Final = Provider(
    "Msvm_VirtualSystemMigrationService",
    VIRTUALIZATION,
    lambda view: (view.node,),
    _service("vmms", "Hyper-V Migration Service")
    | {
        "ActiveVirtualSystemMigrationCount": lambda view, one: sum(
            1 for pair in view.world.migrating.values() if one in pair
        ),
    },
    keys=("CreationClassName", "Name", "SystemCreationClassName", "SystemName"),
    live=frozenset({"ActiveVirtualSystemMigrationCount"}),
)

MIGRATION_SETTING: Final = Provider(
    "Msvm_VirtualSystemMigrationServiceSettingData",
    VIRTUALIZATION,
    lambda view: (view.node,),
    {
        "InstanceID": lambda _view, one: f"Microsoft:{derived(one.name, 'migration').upper()}",
        "Caption": constant("Hyper-V Migration Service Setting Data"),
        "ElementName": constant("Hyper-V Migration Service"),
        "EnableVirtualSystemMigration": lambda _view, one: one.migration_enabled,
        "MaximumActiveVirtualSystemMigration": lambda _view, one: one.max_migrations,
        "MaximumActiveStorageMigration": lambda _view, one: one.max_storage_migrations,
        "AuthenticationType": lambda _view, one: one.migration_auth,
    },
)

PROVIDERS: Final = (
    COMPUTER_SYSTEM,
    SETTING_DATA,
    SUMMARY,
    VSS_COMPONENT,
    VSS_SETTING,
    MANAGEMENT,
    MIGRATION,
    MIGRATION_SETTING,
)
