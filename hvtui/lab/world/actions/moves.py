"""Moves of VM roles as somebody asks the cluster for them (windows.md §1.10)."""

from __future__ import annotations

from typing import Any, Final

from hvtui.lab.world import events
from hvtui.lab.world.actions.asking import Refused, note
from hvtui.lab.world.clock import Process
from hvtui.lab.world.command_log import SOMEBODY, Asked
from hvtui.lab.world.moving import (
    busy,
    cold_migrate,
    fail,
    limit,
    live_migrate,
    quick_migrate,
    register,
    stop_transfer,
    tell,
    transfer,
)
from hvtui.lab.world.node import Node
from hvtui.lab.world.placement import Obstacle, conflict, may_own
from hvtui.lab.world.vm import Role, Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import GroupStatus, JobState, MigrationState, NodeState, VmState

MOVE: Final = "Move-ClusterVirtualMachineRole"
KINDS: Final = ("TurnOff", "Quick", "Shutdown", "ShutdownForce", "Live")
"""-MigrationType, by number."""
# Of winerror.h.
NOT_FOUND: Final = 5013
NOT_OWNER: Final = 5016
INVALID_STATE: Final = 5023
NODE_DOWN: Final = 5050
NODE_PAUSED: Final = 5070
LOCKED: Final = 5960
AFFINITY: Final = 5971
RPC_UNAVAILABLE: Final = 1722


def move_role(world: World, vm: Vm, target: Node, kind: str, *, asked: Asked | None = None) -> None:
    """Move-ClusterVirtualMachineRole -MigrationType `kind` -Wait 0: begins, and everything else shows later.

    Raises Refused when the cluster does not even begin. A live migration over the limit begins and fails at once.
    """
    source = vm.node
    arguments: dict[str, Any] = {"VMId": vm.id, "Node": target.name, "MigrationType": kind, "Wait": 0}
    if kind not in KINDS:
        raise ValueError(f"no migration type is named {kind!r}")
    try:
        role = _movable(world, vm, target)
    except Refused:
        note(world, source, MOVE, vm.id, arguments=arguments, asked=asked, outcome="refused")
        raise
    note(world, source, MOVE, vm.id, arguments=arguments, asked=asked)
    if vm.cold:
        begin(world, register(world, vm, target))
    elif kind == "Live":
        _live(world, role, target, asked or SOMEBODY)
    elif kind == "Quick":
        begin(world, quick_migrate(world, vm, target, asked=asked or SOMEBODY))
    else:
        begin(world, cold_migrate(world, vm, target, turn_off=kind == "TurnOff", asked=asked or SOMEBODY))


def move_group(world: World, vm: Vm, target: Node, *, asked: Asked | None = None) -> None:
    """Move-ClusterGroup: for a VM that runs that is a quick migration, not a live one; raises Refused."""
    move_role(world, vm, target, "Quick", asked=asked)


def migrate(world: World, vm: Vm, target: Node) -> None:
    """A live migration that waits for its turn, as a colleague starts it in Failover Cluster Manager."""
    note(world, vm.node, MOVE, vm.id, arguments={"VMId": vm.id, "Node": target.name}, asked=None)
    world.scheduler.spawn(live_migrate(world, vm, target))


def cancel_move(world: World, vm: Vm, *, asked: Asked | None = None) -> None:
    """Move-ClusterVirtualMachineRole -Cancel: the VM stays where it is.

    Raises Refused when nothing is under way, or when it is being handed over already.
    """
    role, node = vm.role, vm.node
    arguments: dict[str, Any] = {"VMId": vm.id, "Cancel": True, "Wait": 0}
    waiting = role is not None and role.moving and bool(role.status & GroupStatus.Queued)
    job = role.migration if role is not None else None
    late = role is not None and role.migration_state == MigrationState.Move
    if role is None or not (waiting or (job is not None and job.running and not late)):
        note(world, node, MOVE, vm.id, arguments=arguments, asked=asked, outcome="refused")
        text = f"The live migration of '{vm.name}' cannot be cancelled: " + (
            "it is being completed." if late else "none is running."
        )
        raise Refused(text, INVALID_STATE, "ClusterGroupInvalidState", vm.name)
    note(world, node, MOVE, vm.id, arguments=arguments, asked=asked, outcome="done")
    if job is not None:
        stop_transfer(world, role, job, JobState.Terminated)
    role.moving = False
    role.flag(GroupStatus.Queued, on=False)
    role.migration_state = MigrationState.Cancelled


def _movable(world: World, vm: Vm, target: Node) -> Role:
    """The role of a VM that may be moved to a node; raises Refused."""
    role = vm.role
    if role is None:
        raise Refused(f"'{vm.name}' is not clustered.", NOT_FOUND, "ClusterGroupNotFound", vm.name)
    if role.locked:
        events.emit(world, role.owner, events.SYSTEM, 1071, ResourceGroup=role.name)
        text = f"The operation was refused because the cluster group '{role.name}' is locked."
        raise Refused(text, LOCKED, "ClusterGroupLocked", role.name)
    if not target.up:
        number = NODE_PAUSED if target.state == NodeState.Paused else NODE_DOWN
        raise Refused(f"The node '{target.name}' is not up.", number, "ClusterNodeNotUp", target.name)
    if target is vm.node or role.moving or role.migration is not None or not _at_rest(vm):
        text = f"The group '{role.name}' is not in the correct state to perform the requested operation."
        raise Refused(text, INVALID_STATE, "ClusterGroupInvalidState", role.name)
    if not may_own(vm, target):
        text = (
            "The operation failed because either the specified cluster node is not the owner of the group, "
            "or the node is not a possible owner of the group."
        )
        tell(world, vm, vm.node, target, Obstacle("0x80071398", text))
        raise Refused(text, NOT_OWNER, "ClusterNotPossibleOwner", target.name)
    clash = conflict(world, role, target)
    if clash is not None and clash.hard:
        text = "The operation cannot be completed because of cluster affinity conflicts."
        raise Refused(text, AFFINITY, "ClusterAffinityConflict", role.name)
    if not vm.node.services["vmms"].running:
        raise Refused("The RPC server is unavailable.", RPC_UNAVAILABLE, "ClusterResourceNotAvailable", role.name)
    return role


def _at_rest(vm: Vm) -> bool:
    return vm.cold or vm.state in {VmState.Running, VmState.Paused}


def _live(world: World, role: Role, target: Node, asked: Asked) -> None:
    """Begin a live migration, or fail it at once when one end has no free place (event 21501, 21502)."""
    vm, source = role.vm, role.owner
    if busy(world, source, target):
        most = limit(world, source, target)
        own = max(_own(world, node, asked) for node in (source, target))
        if own >= most:
            text = f"{asked.actor or 'somebody'} has {own} migrations under way where {most} are allowed"
            world.ledger.note(world.elapsed, "limit_exceeded", vm.name, text)
        text = (
            f"Failed to perform migration on virtual machine '{vm.name}' because virtual machine migration limit "
            f"'{most}' was reached, please wait for completion of an ongoing migration operation."
        )
        fail(world, vm, source, target, Obstacle("0x800700aa", text))
        events.emit(world, source, events.HA, 21501, vm=vm, error=text, code="0x800700aa")
        return
    begin(world, transfer(world, vm, target, balancing=False, asked=asked))


def _own(world: World, node: Node, asked: Asked) -> int:
    """Migrations of one client that a node takes part in now."""
    return sum(
        1
        for key, who in world.movers.items()
        if who.actor == asked.actor and key in world.migrating and node in world.migrating[key]
    )


def begin(world: World, process: Process) -> None:
    """Start a process at once: its first step shows before this returns."""
    delay = next(process, None)
    if delay is not None:
        world.scheduler.spawn(process, delay)
