"""What the FailoverClusters commands read (windows.md §1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from hvtui.lab.pwsh.cim import clustering
from hvtui.lab.pwsh.cim.clustering import Group, Resource
from hvtui.lab.pwsh.commands import errors
from hvtui.lab.pwsh.commands.answer import Answer, Refused
from hvtui.lab.pwsh.commands.call import CommandCall, Handler
from hvtui.lab.pwsh.commands.trouble import cluster_commands_answer
from hvtui.lab.world.node import Node
from hvtui.lab.world.storage import Csv
from hvtui.lab.world.world import World
from hvtui.model.enums import NodeState

_SPACE: Final = "Microsoft.FailoverClusters.PowerShell."
Record = dict[str, Any]


async def _ready(call: CommandCall) -> None:
    """The cluster service answers, and it is this cluster that is asked."""
    name = call.get("Cluster")
    if name is not None and str(name) != "." and str(name).lower() != call.world.cluster.name.lower():
        text = f"The cluster '{name}' could not be reached from a node of another one."
        raise Refused(errors.cluster(text, 1722, "ClusterRpcServerUnavailable", category="ConnectionError"))
    await cluster_commands_answer(call)


def chosen(names: list[str], all_of: list[Any], name_of: Callable[[Any], str], kind: str) -> Answer:
    """The objects that names or wildcards choose, in the order of the names; a name nobody has is an error."""
    if not names:
        return Answer(all_of)
    answer = Answer(found := [])
    for name in names:
        hits = [one for one in all_of if matches(name_of(one), name)]
        if not hits and not any(char in name for char in "*?["):
            answer.errors.append(errors.cluster_missing(kind, name))
        found += hits
    return answer


def matches(name: str, pattern: str) -> bool:
    """PowerShell's wildcards without regard to case, a backtick makes them plain; a name matches itself, too."""
    return name.lower() == pattern.lower() or re.fullmatch(_wildcard(pattern.lower()), name.lower()) is not None


@cache
def _wildcard(pattern: str) -> str:
    made, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        end = pattern.find("]", at + 2) if char == "[" else -1
        if char == "`" and at + 1 < len(pattern):
            at += 1
            made += re.escape(pattern[at])
        elif end > 0:
            inside = re.sub(r"[\\^\[\]&~|]", lambda found: "\\" + found.group(), pattern[at + 1 : end])
            made += f"[{inside}]"
            at = end
        else:
            made += {"*": "(?s:.*)", "?": "(?s:.)"}.get(char, re.escape(char))
        at += 1
    return made


def _mapped(answer: Answer, make: Callable[[Any], Record]) -> Answer:
    answer.output = [make(one) for one in answer.output]
    return answer


# --- records ---


def cluster_record(world: World) -> Record:
    """A Cluster object; MaximumParallelMigrations only where the world has it."""
    facts = world.cluster
    record: Record = {
        "$type": f"{_SPACE}Cluster",
        "Id": facts.id,
        "Name": facts.name,
        "Domain": "corp.example",
        "Description": "",
        "ClusterFunctionalLevel": facts.functional_level,
        "ClusterUpgradeVersion": 3,
        "BackupInProgress": 0,
        "DrainOnShutdown": 1,
        "DynamicQuorum": facts.dynamic_quorum,
        "WitnessDynamicWeight": facts.witness_weight,
        "ClusterEnforcedAntiAffinity": facts.enforced_anti_affinity,
        "QuarantineThreshold": 3,
        "QuarantineDuration": 7200,
        "EnableSharedVolumes": 1,
        "SharedVolumesRoot": "C:\\ClusterStorage",
        "AutoBalancerMode": facts.balancer,
        "S2DEnabled": int(facts.s2d),
    }
    if facts.max_parallel_migrations is not None:
        record["MaximumParallelMigrations"] = facts.max_parallel_migrations
    return record


def node_record(world: World, node: Node) -> Record:
    """A ClusterNode object."""
    major, minor, build = clustering.build(node)
    return {
        "$type": f"{_SPACE}ClusterNode",
        "Name": node.name,
        "NodeName": node.name,
        "Id": str(node.number),
        "Cluster": {"$type": f"{_SPACE}Cluster", "Id": world.cluster.id, "Name": world.cluster.name},
        "State": int(node.state),
        "StatusInformation": int(node.status),
        "DrainStatus": int(node.drain),
        "DrainTarget": 0xFFFFFFFF,
        "DrainErrorCode": node.drain_error,
        "FailbackStatus": int(node.failback),
        "NodeWeight": node.weight,
        "DynamicWeight": node.dynamic_weight,
        "MajorVersion": major,
        "MinorVersion": minor,
        "BuildNumber": build,
        "NeedsPreventQuorum": 0,
        "NodeInstanceID": f"00000000-0000-0000-0000-{node.number:012d}",
    }


def _short_node(node: Node) -> Record:
    return {"$type": f"{_SPACE}ClusterNode", "Name": node.name, "NodeName": node.name, "Id": str(node.number)}


def group_record(world: World, one: Group) -> Record:
    """A ClusterGroup object."""
    role = one.role
    return {
        "$type": f"{_SPACE}ClusterGroup",
        "Id": one.id,
        "Name": one.name,
        "Description": "",
        "GroupType": one.type,
        "State": clustering.group_state(one),
        "StatusInformation": int(role.status) if role is not None else 0,
        "LockedFromMoving": int(role.locked) if role is not None else 0,
        "OwnerNode": node_record(world, clustering.group_owner(world, one)),
        "Priority": role.priority if role is not None else 3000,
        "AntiAffinityClassNames": list(role.anti_affinity) if role is not None else [],
        "IsCoreGroup": one.type in {1, 2},
        "PersistentState": 1,
        "AutoFailbackType": 0,
        "FailoverPeriod": 6,
    }


def resource_record(world: World, one: Resource) -> Record:
    """A ClusterResource object."""
    owner = clustering.resource_owner(world, one)
    return {
        "$type": f"{_SPACE}ClusterResource",
        "Id": one.id,
        "Name": one.name,
        "Description": "",
        "State": clustering.resource_state(world, one),
        "StatusInformation": int(one.role.locked) if one.role is not None else 0,
        "ResourceType": _type_record(one.type),
        "OwnerGroup": {"$type": f"{_SPACE}ClusterGroup", "Name": one.group},
        "OwnerNode": _short_node(owner),
        "IsCoreResource": one.group == clustering.CORE_GROUP,
        "IsStorageClassResource": one.type == clustering.DISK,
        "MaintenanceMode": one.csv.maintenance if one.csv is not None else False,
        "PersistentState": 1,
    }


def _type_record(name: str) -> Record:
    return {"$type": f"{_SPACE}ClusterResourceType", "Name": name, "DisplayName": name, "Id": name}


def volume_record(world: World, csv: Csv) -> Record:
    """A ClusterSharedVolume object with its one volume."""
    free = csv.free(world.elapsed)
    partition = {
        "$type": f"{_SPACE}ClusterDiskPartitionInfo",
        "Name": csv.volume,
        "PartitionNumber": csv.partition,
        "FileSystem": "CSVFS",
        "Size": csv.size,
        "FreeSpace": free,
        "UsedSpace": csv.size - free,
        "PercentFree": round(100 * free / csv.size, 5) if csv.size else 0.0,
        "DriveLetterMask": 0,
        "HasDriveLetter": False,
        "IsFormatted": True,
        "IsNtfs": csv.file_system == "NTFS",
        "IsCompressed": False,
        "MountPoints": [],
    }
    return {
        "$type": f"{_SPACE}ClusterSharedVolume",
        "Id": csv.resource_id,
        "Name": csv.resource,
        "OwnerNode": _short_node(csv.owner),
        "State": int(csv.state),
        "SharedVolumeInfo": [
            {
                "$type": f"{_SPACE}ClusterSharedVolumeInfo",
                "FaultState": int(csv.fault),
                "FriendlyVolumeName": csv.path,
                "MaintenanceMode": csv.maintenance,
                "RedirectedAccess": csv.redirected,
                "PartitionNumber": csv.partition,
                "VolumeOffset": 135_266_304,
                "Partition": partition,
            }
        ],
    }


# --- commands ---


async def get_cluster(call: CommandCall) -> Answer:
    """Get-Cluster."""
    name = call.get("Name")
    if name is not None and str(name) not in {".", ""} and str(name).lower() != call.world.cluster.name.lower():
        raise Refused(
            errors.cluster(f"The cluster '{name}' could not be reached.", 1722, "ClusterRpcServerUnavailable")
        )
    await _ready(call)
    return Answer([cluster_record(call.world)])


async def get_node(call: CommandCall) -> Answer:
    """Get-ClusterNode."""
    await _ready(call)
    answer = chosen(call.names(), list(call.world.nodes.values()), lambda node: str(node.name), "node")
    return _mapped(answer, lambda node: node_record(call.world, node))


async def get_group(call: CommandCall) -> Answer:
    """Get-ClusterGroup by name or VM."""
    await _ready(call)
    world = call.world
    found = _of_vm(call, list(clustering.groups(world)))
    given = call.get("InputObject") or {}
    if str(given.get("$type", "")).endswith(".ClusterNode"):
        found = [one for one in found if clustering.group_owner(world, one).name == given.get("Name")]
    answer = chosen(call.names(), found, lambda one: str(one.name), "group")
    return _mapped(answer, lambda one: group_record(world, one))


async def get_resource(call: CommandCall) -> Answer:
    """Get-ClusterResource by name, VM, group or node."""
    await _ready(call)
    world = call.world
    found = _of_vm(call, list(clustering.resources(world)))
    given = call.get("InputObject") or {}
    kind = str(given.get("$type", "")).rpartition(".")[2]
    if kind == "ClusterGroup":
        found = [one for one in found if one.group == given.get("Name")]
    elif kind == "ClusterNode":
        found = [one for one in found if clustering.resource_owner(world, one).name == given.get("Name")]
    answer = chosen(call.names(), found, lambda one: str(one.name), "resource")
    return _mapped(answer, lambda one: resource_record(world, one))


def _of_vm(call: CommandCall, found: list[Any]) -> list[Any]:
    id = call.get("VMId")
    if id is None:
        return found
    wanted = str(id).strip("{}").lower()
    return [one for one in found if one.role is not None and one.role.vm.id == wanted]


async def get_parameter(call: CommandCall) -> Answer:
    """Get-ClusterParameter of a resource from the pipeline."""
    await _ready(call)
    given = call.get("InputObject") or {}
    world = call.world
    if str(given.get("$type", "")).endswith(".ClusterResourceType"):
        kind = str(given.get("Name"))
        of_type = {"MoveTypeThreshold": world.cluster.move_type_threshold} if kind == clustering.VM else {}
        answer = chosen(call.names(), list(of_type.items()), lambda pair: str(pair[0]), "parameter")
        return _mapped(answer, lambda pair: _parameter(_type_record(kind), pair[0], pair[1]))
    if not str(given.get("$type", "")).endswith(".ClusterResource"):
        raise Refused(errors.unsupported("Get-ClusterParameter of anything but a resource or a resource type"))
    one = next((found for found in clustering.resources(world) if found.id == given.get("Id")), None)
    if one is None:
        raise Refused(errors.cluster_missing("resource", str(given.get("Name", ""))))
    values = list(clustering.private_properties(world, one).items())
    answer = chosen(call.names(), values, lambda pair: str(pair[0]), "parameter")
    record = resource_record(world, one)
    return _mapped(answer, lambda pair: _parameter(record, pair[0], pair[1]))


def _parameter(record: Record, name: str, value: Any) -> Record:
    kind = 3 if isinstance(value, str) else 5 if isinstance(value, list) else 2
    return {
        "$type": f"{_SPACE}ClusterParameter",
        "ClusterObject": record,
        "Name": name,
        "IsReadOnly": name in {"VmState", "MigrationState", "MigrationProgress"},
        "ParameterType": kind,
        "Value": value,
    }


async def get_volume(call: CommandCall) -> Answer:
    """Get-ClusterSharedVolume."""
    await _ready(call)
    answer = chosen(call.names(), list(call.world.csvs.values()), lambda csv: str(csv.resource), "resource")
    return _mapped(answer, lambda csv: volume_record(call.world, csv))


async def get_volume_state(call: CommandCall) -> Answer:
    """Get-ClusterSharedVolumeState: a row for each CSV and each node that is in the cluster now."""
    await _ready(call)
    world = call.world
    nodes = [node for node in world.nodes.values() if node.state != NodeState.Down]
    if wanted := call.names("Node"):
        nodes = [node for node in nodes if any(matches(node.name, name) for name in wanted)]
    answer = chosen(call.names(), list(world.csvs.values()), lambda csv: str(csv.resource), "resource")
    answer.output = [_state(csv, node) for csv in answer.output for node in nodes]
    return answer


def _state(csv: Csv, node: Node) -> Record:
    state, file_system, block = csv.io_state(node)
    return {
        "$type": f"{_SPACE}ClusterSharedVolumeStateInfo",
        "Name": csv.resource,
        "Node": node.name,
        "VolumeName": csv.volume,
        "VolumeFriendlyName": csv.path.rpartition("\\")[2],
        "StateInfo": int(state),
        "FileSystemRedirectedIOReason": int(file_system),
        "BlockRedirectedIOReason": int(block),
    }


async def get_quorum(call: CommandCall) -> Answer:
    """Get-ClusterQuorum."""
    await _ready(call)
    world = call.world
    witness = clustering.witness_resource(world)
    return Answer(
        [
            {
                "$type": f"{_SPACE}ClusterQuorumSettings",
                "Cluster": cluster_record(world),
                "QuorumType": world.cluster.quorum_type,
                "QuorumResource": None if witness is None else resource_record(world, witness),
            }
        ]
    )


async def get_resource_type(call: CommandCall) -> Answer:
    """Get-ClusterResourceType: those the cluster has resources of."""
    await _ready(call)
    names = list(dict.fromkeys([clustering.VM, *(one.type for one in clustering.resources(call.world))]))
    return _mapped(chosen(call.names(), names, str, "resource type"), _type_record)


async def get_owners(call: CommandCall) -> Answer:
    """Get-ClusterOwnerNode of a resource (possible owners) or a group (preferred owners) from the pipeline."""
    await _ready(call)
    given = call.get("InputObject") or {}
    kind = str(given.get("$type", "")).rpartition(".")[2]
    world = call.world
    if kind == "ClusterResource":
        one = next((found for found in clustering.resources(world) if found.id == given.get("Id")), None)
        if one is None:
            raise Refused(errors.cluster_missing("resource", str(given.get("Name", ""))))
        listed = None if one.role is None else one.role.vm.possible_owners
        names = list(world.nodes) if listed is None else listed
        record = resource_record(world, one)
    elif kind == "ClusterGroup":
        group = next((found for found in clustering.groups(world) if found.id == given.get("Id")), None)
        if group is None:
            raise Refused(errors.cluster_missing("group", str(given.get("Name", ""))))
        names = [] if group.role is None else list(group.role.vm.preferred_owners)
        record = group_record(world, group)
    else:
        raise Refused(errors.unsupported("Get-ClusterOwnerNode of anything but a resource or a group"))
    nodes = [_short_node(world.node(name)) for name in names]
    return Answer([{"$type": f"{_SPACE}ClusterOwnerNodeList", "ClusterObject": record, "OwnerNodes": nodes}])


COMMANDS: Final[dict[str, Handler]] = {
    "Get-Cluster": get_cluster,
    "Get-ClusterNode": get_node,
    "Get-ClusterGroup": get_group,
    "Get-ClusterResource": get_resource,
    "Get-ClusterParameter": get_parameter,
    "Get-ClusterSharedVolume": get_volume,
    "Get-ClusterSharedVolumeState": get_volume_state,
    "Get-ClusterQuorum": get_quorum,
    "Get-ClusterOwnerNode": get_owners,
    "Get-ClusterResourceType": get_resource_type,
}
