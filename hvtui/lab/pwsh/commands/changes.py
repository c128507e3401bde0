"""Commands that change the cluster: each does to the world what people do there, so every later read shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hvtui.lab.pwsh.cim.clustering import Group
from hvtui.lab.pwsh.commands import errors
from hvtui.lab.pwsh.commands.answer import Answer, Refused
from hvtui.lab.pwsh.commands.call import CommandCall, Handler
from hvtui.lab.pwsh.commands.cluster import chosen, group_record, node_record, volume_record
from hvtui.lab.pwsh.commands.trouble import cluster_commands_answer
from hvtui.lab.world import actions, events
from hvtui.lab.world.behaviours.csv_moves import move_csv
from hvtui.lab.world.node import Node
from hvtui.lab.world.storage import Csv
from hvtui.lab.world.vm import Role
from hvtui.model.enums import DrainStatus, NodeState

LIVE: Final = 4
"""-MigrationType Live."""
_LIVE: Final = frozenset({4, "4", "Live"})
_NO_FAILBACK: Final = frozenset({0, "0", "NoFailback"})
_IMMEDIATE: Final = frozenset({1, "1", "Immediate"})
# Of winerror.h: ERROR_CLUSTER_RESOURCE_LOCKED_STATUS, _NODE_DOWN, _NODE_PAUSED, _BACKUP_IN_PROGRESS,
# ERROR_HOST_NODE_NOT_AVAILABLE, ERROR_OPERATION_ABORTED.
_LOCKED: Final = 5960
_NODE_DOWN: Final = 5050
_NODE_PAUSED: Final = 5070
_IN_BACKUP: Final = 5949
_NO_HOST: Final = 5005
_ABORTED: Final = 995


def _refuse(call: CommandCall, *names: str) -> None:
    for name in names:
        if call.get(name) not in {None, False}:
            raise Refused(errors.unsupported(f"{call.command} -{name}"))


def _node(call: CommandCall, name: str) -> Node:
    try:
        return call.world.node(name)
    except KeyError:
        raise Refused(errors.cluster_missing("node", name)) from None


def _nodes(call: CommandCall) -> list[Node]:
    """The nodes that -Name or -InputObject say; this one when neither does."""
    given = call.get("InputObject")
    if given is not None:
        given = given if isinstance(given, list) else [given]
        return [_node(call, str(one.get("Name", "") if isinstance(one, dict) else one)) for one in given]
    names = call.names()
    return [_node(call, name) for name in names] if names else [call.node]


async def suspend_node(call: CommandCall) -> Answer:
    """Suspend-ClusterNode, with or without -Drain; -Wait until the drain is over."""
    await cluster_commands_answer(call)
    _refuse(call, "TargetNode", "ForceDrain", "RetryDrainOnFailure", "AvoidPlacement", "Cluster")
    nodes = _nodes(call)
    for node in nodes:
        if node.state != NodeState.Up:
            text = f"The node '{node.name}' cannot be paused: it is not up."
            number = _NODE_PAUSED if node.state == NodeState.Paused else _NODE_DOWN
            raise Refused(errors.cluster(text, number, "ClusterNodeNotUp", target=node.name))
    for node in nodes:
        if call.get("Drain"):
            actions.drain(call.world, node)
        else:
            node.state = NodeState.Paused
            node.touch()
    call.world.changed()
    if call.get("Drain") and call.get("Wait"):
        await call.wait_while(lambda: any(node.drain == DrainStatus.InProgress for node in nodes))
    return Answer([node_record(call.world, node) for node in nodes])


async def resume_node(call: CommandCall) -> Answer:
    """Resume-ClusterNode with -Failback NoFailback or Immediate."""
    await cluster_commands_answer(call)
    _refuse(call, "Cluster", "FailbackStorage", "FailbackVMs", "FailbackPinnedVMsOnly")
    failback = call.get("Failback", 1)
    if failback not in _NO_FAILBACK | _IMMEDIATE:
        raise Refused(errors.unsupported("Resume-ClusterNode -Failback Policy"))
    nodes = _nodes(call)
    for node in nodes:
        actions.resume(call.world, node, failback=failback in _IMMEDIATE)
    call.world.changed()
    return Answer([node_record(call.world, node) for node in nodes])


def _role(call: CommandCall) -> Role:
    id, names, given = call.get("VMId"), call.names(), call.get("InputObject") or {}
    wanted = str(id).strip("{}").lower() if id is not None else None
    name = names[0] if names else str(given.get("Name", ""))
    for role in call.world.roles.values():
        if (role.vm.id == wanted) if wanted is not None else (role.name.lower() == name.lower()):
            return role
    raise Refused(errors.cluster_missing("group", wanted or name))


async def move_machine(call: CommandCall) -> Answer:
    """Move-ClusterVirtualMachineRole: live, to the node said or to the one with the fewest VMs.

    Waits until it is there unless -Wait says how long; -Wait 0 does not.
    """
    await cluster_commands_answer(call)
    _refuse(call, "Cancel", "IgnoreLocked", "IgnoreAffinityRule", "Cluster")
    if call.get("MigrationType", LIVE) not in _LIVE:
        raise Refused(errors.unsupported("Move-ClusterVirtualMachineRole with a MigrationType other than Live"))
    role, world = _role(call), call.world
    target = _target(call, role.owner, lambda node: len(node.vms))
    if role.locked:
        events.emit(world, role.owner, events.SYSTEM, 1071, ResourceGroup=role.name)
        text = f"The operation was refused because the cluster group '{role.name}' is locked."
        raise Refused(errors.cluster(text, _LOCKED, "ClusterGroupLocked", target=role.name))
    actions.migrate(world, role.vm, target)
    world.scheduler.advance(0.0)
    world.changed()
    seconds = call.get("Wait")
    if seconds is None or int(seconds) > 0:
        await call.wait_while(lambda: role.migration is not None, None if seconds is None else float(seconds))
    if (seconds is None or int(seconds) > 0) and role.migration is None and role.owner is not target:
        text = f"Live migration of '{role.name}' failed."
        raise Refused(errors.cluster(text, _ABORTED, "ClusterMigrationFailed", target=role.name))
    return Answer([group_record(world, Group(role.id, role.name, 111, role=role))])


def _target(call: CommandCall, owner: Node, load: Callable[[Node], int]) -> Node:
    name = call.get("Node")
    if name is not None:
        target = _node(call, str(name))
        if not target.up:
            text = f"The node '{target.name}' is not up."
            raise Refused(errors.cluster(text, _NODE_DOWN, "ClusterNodeNotUp", target=target.name))
        return target
    others = [node for node in call.world.up_nodes() if node is not owner]
    if not others:
        raise Refused(errors.cluster("No other node can own the group.", _NO_HOST, "ClusterNoOwner"))
    return min(others, key=lambda node: (load(node), node.number))


async def move_volume(call: CommandCall) -> Answer:
    """Move-ClusterSharedVolume: another node coordinates it from now on."""
    await cluster_commands_answer(call)
    _refuse(call, "Cluster")
    given = call.get("InputObject") or {}
    names = call.names() or [str(given.get("Name", ""))]
    world = call.world
    answer = chosen(names, list(world.csvs.values()), lambda csv: str(csv.resource), "resource")
    moved: list[Csv] = list(answer.output)
    for csv in moved:
        owner = csv.owner
        target = _target(call, owner, lambda node: sum(one.owner is node for one in world.csvs.values()))
        if csv.backups:
            text = f"The volume '{csv.resource}' is in backup mode."
            raise Refused(errors.cluster(text, _IN_BACKUP, "ClusterBackupInProgress", target=csv.resource))
        if not move_csv(world, csv, target):
            text = f"The cluster resource '{csv.resource}' could not be moved: a snapshot of it is being made."
            raise Refused(errors.cluster(text, _IN_BACKUP, "ClusterSnapshotInProgress", target=csv.resource))
    world.changed()
    answer.output = [volume_record(world, csv) for csv in moved]
    return answer


COMMANDS: Final[dict[str, Handler]] = {
    "Suspend-ClusterNode": suspend_node,
    "Resume-ClusterNode": resume_node,
    "Move-ClusterVirtualMachineRole": move_machine,
    "Move-ClusterSharedVolume": move_volume,
}
