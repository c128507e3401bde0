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
from hvtui.lab.world import actions
from hvtui.lab.world.node import Node
from hvtui.lab.world.storage import Csv
from hvtui.lab.world.vm import Role
from hvtui.model.enums import DrainStatus

KINDS: Final = ("TurnOff", "Quick", "Shutdown", "ShutdownForce", "Live")
"""-MigrationType, by number."""
_NO_FAILBACK: Final = frozenset({0, "0", "NoFailback"})
_IMMEDIATE: Final = frozenset({1, "1", "Immediate"})
# ERROR_HOST_NODE_NOT_AVAILABLE and ERROR_OPERATION_ABORTED of winerror.h.
_NO_HOST: Final = 5005
_ABORTED: Final = 995


def act(change: Callable[[], object]) -> None:
    """Do it in the world; what it refuses is the command's error."""
    try:
        change()
    except actions.Refused as refused:
        raise Refused(errors.cluster(refused.text, refused.number, refused.id, target=refused.target)) from None


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
        drain = bool(call.get("Drain"))
        act(lambda node=node, drain=drain: actions.suspend(call.world, node, drain=drain, asked=call.asked))  # type: ignore[misc]
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
    home = failback in _IMMEDIATE
    for node in nodes:
        act(lambda node=node: actions.resume_node(call.world, node, home, asked=call.asked))  # type: ignore[misc]
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
    """Move-ClusterVirtualMachineRole: in every way of moving, to the node said or to the one with the fewest VMs.

    Waits until it is there unless -Wait says how long; -Wait 0 does not. With -Cancel it ends a live migration.
    """
    await cluster_commands_answer(call)
    _refuse(call, "IgnoreLocked", "IgnoreAffinityRule", "Cluster")
    role, world = _role(call), call.world
    if call.get("Cancel"):
        act(lambda: actions.cancel_move(world, role.vm, asked=call.asked))
        world.changed()
        return Answer([group_record(world, Group(role.id, role.name, 111, role=role))])
    target = _target(call, role.owner, lambda node: len(node.vms))
    kind = _kind(call)
    act(lambda: actions.move_role(world, role.vm, target, kind, asked=call.asked))
    world.scheduler.advance(0.0)
    world.changed()
    seconds = call.get("Wait")
    if seconds is None or int(seconds) > 0:
        await call.wait_while(
            lambda: role.migration is not None or role.moving, None if seconds is None else float(seconds)
        )
        if role.migration is None and not role.moving and role.owner is not target:
            text = f"The move of '{role.name}' failed."
            raise Refused(errors.cluster(text, _ABORTED, "ClusterMigrationFailed", target=role.name))
    return Answer([group_record(world, Group(role.id, role.name, 111, role=role))])


def _kind(call: CommandCall) -> str:
    """-MigrationType by name or number; live when it is not said."""
    given = call.get("MigrationType", "Live")
    if str(given).isdigit() and int(given) < len(KINDS):
        return KINDS[int(given)]
    return str(given)


def _target(call: CommandCall, owner: Node, load: Callable[[Node], int]) -> Node:
    name = call.get("Node")
    if name is not None:
        target = _node(call, str(name))
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
        act(lambda csv=csv, target=target: actions.move_volume(world, csv, target, asked=call.asked))  # type: ignore[misc]
    world.changed()
    answer.output = [volume_record(world, csv) for csv in moved]
    return answer


COMMANDS: Final[dict[str, Handler]] = {
    "Suspend-ClusterNode": suspend_node,
    "Resume-ClusterNode": resume_node,
    "Move-ClusterVirtualMachineRole": move_machine,
    "Move-ClusterSharedVolume": move_volume,
}
