"""root/MSCluster: what the cluster service tells of itself (windows.md §3.2)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from hvtui.lab.pwsh.cim.instances import Embedded, Property, Provider, View, constant, derived, unsigned
from hvtui.lab.pwsh.cim.schema import CLUSTER
from hvtui.lab.world.node import Node
from hvtui.lab.world.storage import Csv
from hvtui.lab.world.vm import Role
from hvtui.lab.world.world import World
from hvtui.model.enums import GroupState, ResourceState, VmState

VM: Final = "Virtual Machine"
CONFIGURATION: Final = "Virtual Machine Configuration"
DISK: Final = "Physical Disk"

CORE_GROUP: Final = "Cluster Group"
STORAGE_GROUP: Final = "Available Storage"


@dataclass(frozen=True, slots=True)
class Group:
    """A group: a VM role, a CSV's own one, or one of the cluster's."""

    id: str
    name: str
    type: int
    role: Role | None = None
    csv: Csv | None = None


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource: of a VM role, a CSV's disk, or one of the cluster's."""

    id: str
    name: str
    type: str
    group: str
    role: Role | None = None
    csv: Csv | None = None


def core_owner(world: World) -> Node:
    """The node that owns the cluster's own groups: the first that is up."""
    nodes = list(world.nodes.values())
    return next((node for node in nodes if node.up), nodes[0])


def groups(world: World) -> Iterator[Group]:
    """All groups: the cluster's two, the CSVs', the roles."""
    yield Group(derived(world.cluster.id, CORE_GROUP), CORE_GROUP, 1)
    yield Group(derived(world.cluster.id, STORAGE_GROUP), STORAGE_GROUP, 2)
    for csv in world.csvs.values():
        yield csv_group(csv)
    for role in world.roles.values():
        yield Group(role.id, role.name, 111, role=role)


def csv_group(csv: Csv) -> Group:
    """Each CSV's disk is alone in a group that is named by a GUID."""
    id = derived(csv.resource_id, "group")
    return Group(id, id, 4, csv=csv)


def resources(world: World) -> Iterator[Resource]:
    """All resources, in the order of the groups."""
    cluster = world.cluster.id
    yield Resource(derived(cluster, "address"), "Cluster IP Address", "IP Address", CORE_GROUP)
    yield Resource(derived(cluster, "name"), "Cluster Name", "Network Name", CORE_GROUP)
    witness = witness_resource(world)
    if witness is not None:
        yield witness
    for csv in world.csvs.values():
        yield Resource(csv.resource_id, csv.resource, DISK, csv_group(csv).name, csv=csv)
    for role in world.roles.values():
        yield vm_resource(role)
        yield configuration_resource(role)


def witness_resource(world: World) -> Resource | None:
    """The witness, named as its type."""
    kind = world.cluster.witness
    return Resource(derived(world.cluster.id, "witness"), kind, kind, CORE_GROUP) if kind else None


def vm_resource(role: Role) -> Resource:
    """The resource that is the VM."""
    return Resource(derived(role.id, VM), f"{VM} {role.name}", VM, role.name, role=role)


def configuration_resource(role: Role) -> Resource:
    """The resource that is its configuration."""
    return Resource(
        derived(role.id, CONFIGURATION), f"{CONFIGURATION} {role.name}", CONFIGURATION, role.name, role=role
    )


def resource_state(world: World, one: Resource) -> int:
    """ClusterResourceState of a resource."""
    if one.role is not None:
        return int(one.role.resource_state if one.type == VM else one.role.configuration_state)
    if one.csv is not None:
        return int(one.csv.state)
    if one.type == world.cluster.witness:
        return int(world.cluster.witness_state)
    return int(ResourceState.Online)


def resource_owner(world: World, one: Resource) -> Node:
    """The node that owns a resource."""
    if one.role is not None:
        return one.role.owner
    return one.csv.owner if one.csv is not None else core_owner(world)


def group_state(one: Group) -> int:
    """ClusterGroupState of a group."""
    return int(one.role.state if one.role is not None else GroupState.Online)


def group_owner(world: World, one: Group) -> Node:
    """The node that owns a group."""
    if one.role is not None:
        return one.role.owner
    return one.csv.owner if one.csv is not None else core_owner(world)


def private_properties(world: World, one: Resource) -> dict[str, Any]:
    """Private properties of a resource, as MSCluster_Property and Get-ClusterParameter show them."""
    if one.role is None:
        return {"WitnessType": 1} if one.type == world.cluster.witness else {}
    role, vm = one.role, one.role.vm
    if one.type == CONFIGURATION:
        return {"VmID": vm.id, "VmStoreRootPath": vm.configuration, "DependsOnSharedVolumes": _volumes(world, role)}
    return {
        "VmID": vm.id,
        "VmState": int(vm.state),
        "MigrationState": int(role.migration_state),
        "MigrationProgress": migration_percent(world, role),
        "MigrationFailureReason": 0,
        "OfflineAction": 1,
        "ShutdownAction": 0,
        "CheckHeartbeat": 1,
        "DefaultMoveType": 0xFFFFFFFF,
        "StartMemory": vm.memory,
        "VirtualNumaCount": 1,
    }


def migration_percent(world: World, role: Role) -> int:
    """MigrationProgress: how far the running migration is."""
    return role.migration.percent(world.elapsed) if role.migration_state and role.migration else 0


def _volumes(world: World, role: Role) -> list[str]:
    found = (world.csv_of(path) for path in role.vm.files())
    return list(dict.fromkeys(csv.resource_id for csv in found if csv is not None))


def build(node: Node) -> tuple[int, int, int]:
    """Major, minor and build number of a node's Windows."""
    major, minor, number = (int(part) for part in node.build.split(".")[:3])
    return major, minor, number


def _node(part: Callable[[Node], Any]) -> Property:
    return lambda _view, node: part(node)


NODE: Final = Provider(
    "MSCluster_Node",
    CLUSTER,
    lambda view: view.world.nodes.values(),
    {
        "Caption": _node(lambda node: node.name),
        "CreationClassName": constant("MSCluster_Node"),
        "Name": _node(lambda node: node.name),
        "Id": _node(lambda node: str(node.number)),
        "State": _node(lambda node: unsigned(int(node.state))),
        "StatusInformation": _node(lambda node: unsigned(int(node.status))),
        "NodeDrainStatus": _node(lambda node: int(node.drain)),
        "NodeDrainTarget": constant("4294967295"),
        "NodeWeight": _node(lambda node: node.weight),
        "DynamicWeight": _node(lambda node: node.dynamic_weight),
        "MajorVersion": _node(lambda node: build(node)[0]),
        "MinorVersion": _node(lambda node: build(node)[1]),
        "BuildNumber": _node(lambda node: build(node)[2]),
        "NodeInstanceID": _node(lambda node: f"00000000-0000-0000-0000-{node.number:012d}"),
        "NeedsPreventQuorum": constant(0),
        "Flags": constant(0),
        "Characteristics": constant(0),
        "Status": constant("OK"),
    },
    keys=("CreationClassName", "Name"),
    key=lambda node: node.name,
    version=lambda _view, node: (node.revision, node.state),
)


def _group_version(_view: View, one: Group) -> Hashable:
    if one.role is not None:
        return one.role.revision
    return one.csv.revision if one.csv is not None else None


def _of_role(part: Callable[[Role], Any], otherwise: Any) -> Property:
    return lambda _view, one: otherwise if one.role is None else part(one.role)


GROUP: Final = Provider(
    "MSCluster_ResourceGroup",
    CLUSTER,
    lambda view: groups(view.world),
    {
        "Caption": lambda _view, one: one.name,
        "Name": lambda _view, one: one.name,
        "Id": lambda _view, one: one.id,
        "Description": constant(""),
        "GroupType": lambda _view, one: one.type,
        "State": lambda _view, one: unsigned(group_state(one)),
        "StatusInformation": _of_role(lambda role: int(role.status), 0),
        "OwnerNode": lambda view, one: group_owner(view.world, one).name,
        "Priority": _of_role(lambda role: role.priority, 3000),
        "AntiAffinityClassNames": _of_role(lambda role: list(role.anti_affinity), []),
        "IsCore": lambda _view, one: one.type in {1, 2},
        "PersistentState": constant(True),
        "AutoFailbackType": constant(0),
        "FailoverPeriod": constant(6),
        "Flags": constant(0),
        "Characteristics": constant(0),
        "Status": constant("OK"),
    },
    keys=("Id",),
    key=lambda one: one.id,
    version=lambda view, one: (
        core_owner(view.world).name if one.role is None and one.csv is None else _group_version(view, one)
    ),
)


def _resource_version(view: View, one: Resource) -> Hashable:
    role = one.role
    if role is not None:
        return (role.revision, role.vm.revision, migration_percent(view.world, role) if role.migration else 0)
    if one.csv is not None:
        return one.csv.revision
    return (core_owner(view.world).name, view.world.cluster.witness_state)


def _private(view: View, one: Resource) -> Embedded:
    return Embedded(f"{CLUSTER}/MSCluster_Property", private_properties(view.world, one))


RESOURCE: Final = Provider(
    "MSCluster_Resource",
    CLUSTER,
    lambda view: resources(view.world),
    {
        "Caption": lambda _view, one: one.name,
        "Name": lambda _view, one: one.name,
        "Id": lambda _view, one: one.id,
        "Description": constant(""),
        "Type": lambda _view, one: one.type,
        "State": lambda view, one: unsigned(resource_state(view.world, one)),
        "StatusInformation": _of_role(lambda role: int(role.locked), 0),
        "OwnerGroup": lambda _view, one: one.group,
        "OwnerNode": lambda view, one: resource_owner(view.world, one).name,
        "IsClusterSharedVolume": lambda _view, one: one.csv is not None,
        "CoreResource": lambda _view, one: one.group == CORE_GROUP,
        "PrivateProperties": _private,
        "PersistentState": lambda _view, one: one.role is None or one.role.vm.state != VmState.Off,
        "QuorumCapable": lambda _view, one: one.type == DISK,
        "Flags": constant(0),
        "Status": constant("OK"),
    },
    keys=("Id",),
    key=lambda one: one.id,
    version=_resource_version,
)

CLUSTER_ITSELF: Final = Provider(
    "MSCluster_Cluster",
    CLUSTER,
    lambda view: (view.world.cluster,),
    {
        "Caption": lambda _view, one: one.name,
        "CreationClassName": constant("MSCluster_Cluster"),
        "Name": lambda _view, one: one.name,
        "Fqdn": lambda _view, one: f"{one.name}.corp.example",
        "ClusterFunctionalLevel": lambda _view, one: one.functional_level,
        "QuorumType": lambda _view, one: one.witness or "Node Majority",
        "QuorumTypeValue": lambda _view, one: one.quorum_type,
        "WitnessDynamicWeight": lambda _view, one: one.witness_weight,
        "DynamicQuorumEnabled": lambda _view, one: one.dynamic_quorum,
        "ClusterEnforcedAntiAffinity": lambda _view, one: one.enforced_anti_affinity,
        "SharedVolumesRoot": constant("C:\\ClusterStorage"),
        "EnableSharedVolumes": constant(1),
        "BackupInProgress": constant(0),
        "Status": constant("OK"),
    },
    keys=("CreationClassName", "Name"),
)

SHARED_VOLUME: Final = Provider(
    "MSCluster_ClusterSharedVolume",
    CLUSTER,
    lambda view: view.world.csvs.values(),
    {
        "Caption": lambda _view, csv: csv.path,
        "Name": lambda _view, csv: csv.path,
        "VolumeName": lambda _view, csv: csv.volume,
        "FaultState": lambda _view, csv: int(csv.fault),
        "BackupState": lambda _view, csv: int(csv.backup),
        "Flags": constant(0),
        "Characteristics": constant(0),
        "Status": constant("OK"),
    },
    keys=("Name",),
)

AFFINITY_RULE: Final = Provider(
    "MSCluster_AffinityRule",
    CLUSTER,
    lambda view: view.world.affinity_rules,
    {
        "Name": lambda _view, rule: rule.name,
        "RuleType": lambda _view, rule: rule.type,
        "Groups": lambda _view, rule: list(rule.groups),
        "Enabled": lambda _view, rule: int(rule.enabled),
    },
    keys=("Name",),
)

PROVIDERS: Final = (NODE, GROUP, RESOURCE, CLUSTER_ITSELF, SHARED_VOLUME, AFFINITY_RULE)
