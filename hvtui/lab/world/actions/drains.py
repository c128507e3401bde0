"""Suspend-ClusterNode and Resume-ClusterNode: drain, pause, failback (windows.md §1.3, §1.4)."""

from __future__ import annotations

import contextlib
from typing import Any, Final

from hvtui.lab.world import events
from hvtui.lab.world.actions.asking import Refused, note
from hvtui.lab.world.actions.failures import DRAIN_FLAGS
from hvtui.lab.world.actions.moves import INVALID_STATE, LOCKED, NODE_DOWN, NODE_PAUSED, begin
from hvtui.lab.world.clock import Process
from hvtui.lab.world.cluster_facts import HEALTHY, WARNING, StorageJob
from hvtui.lab.world.command_log import Asked
from hvtui.lab.world.harm import pausing
from hvtui.lab.world.moving import busy, limit, live_migrate, quick_migrate, taking_part
from hvtui.lab.world.node import Node
from hvtui.lab.world.placement import best_node, memory_obstacle
from hvtui.lab.world.vm import Role, Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import DrainStatus, MigrationState, NodeState, NodeStatus

# Of winerror.h.
DRAINING: Final = 5962
_NO_HOST: Final = 5005
_INCOMPATIBLE: Final = 5953
_NO_ROOM: Final = 5957
_LOOK: Final = 1.0
_REPAIR: Final = 90.0
"""Seconds in which the virtual disks get what a node missed while it was paused."""
_DEGRADED: Final = 3


def suspend(world: World, node: Node, *, drain: bool = True, asked: Asked | None = None) -> None:
    """Suspend-ClusterNode, with -Drain or without; returns at once and the drain goes on (`node.drain`).

    A node that is paused is not paused again, but one whose drain failed or never began can be drained. Raises
    Refused.
    """
    arguments: dict[str, Any] = {"Name": node.name, "Drain": drain}
    again = drain and node.state == NodeState.Paused and node.drain in {DrainStatus.NotInitiated, DrainStatus.Failed}
    if node.faults.down or not (node.state == NodeState.Up or again):
        note(world, node, "Suspend-ClusterNode", node.name, arguments=arguments, asked=asked, outcome="refused")
        number = NODE_PAUSED if node.state == NodeState.Paused else NODE_DOWN
        if node.drain == DrainStatus.InProgress:
            number = DRAINING
        raise Refused(f"The node '{node.name}' cannot be paused: it is not up.", number, "ClusterNodeNotUp", node.name)
    note(
        world,
        node,
        "Suspend-ClusterNode",
        node.name,
        arguments=arguments,
        asked=asked,
        outcome="started" if drain else "done",
    )
    if not again:
        pausing(world, node)
        _storage_degrades(world)
    node.state = NodeState.Paused
    node.failback = DrainStatus.NotInitiated
    if drain:
        node.drain = DrainStatus.InProgress
        node.drain_error = 0
        node.status = (node.status & ~DRAIN_FLAGS) | NodeStatus.DrainInProgress
        world.scheduler.spawn(_drain(world, node))
    node.touch()


def drain(world: World, node: Node) -> None:
    """A colleague drains a node; nothing happens when it is not up."""
    if node.state == NodeState.Up:
        with contextlib.suppress(Refused):
            suspend(world, node)


def _drain(world: World, node: Node) -> Process:
    """High and medium priority move live, low ones are saved and moved; what cannot go blocks it (1137, 1677).

    As many at once as the limit allows, the most important first. What is not clustered stays and counts for nothing.
    """
    waiting = sorted(_roles(node), key=lambda role: -role.priority)
    node.failback_vms += [role.vm.id for role in waiting if role.vm.id not in node.failback_vms]
    going: list[tuple[Role, Node]] = []
    failed = 0
    while (waiting or going) and _draining(node):
        failed = _ended(world, node, going) or failed
        for role in [role for role in waiting if not _under_way(role)]:
            if role.vm.node is node:
                kind = _kind(world, role)
                if kind == "live" and taking_part(world, node) >= limit(world, node):
                    break
                best = best_node(world, role.vm)
                if best is None or role.locked:
                    failed = _stays(world, node, role, LOCKED if role.locked else _NO_HOST)
                elif kind == "live" and busy(world, node, best):
                    break
                else:
                    _send(world, role, best, kind)
                    going.append((role, best))
            waiting.remove(role)
        yield _LOOK
    if _draining(node):
        _drained(world, node, failed)


def _kind(world: World, role: Role) -> str:
    """How a drain moves a role: `live`, `quick` or `cold` (MoveTypeThreshold, windows.md §1.4)."""
    if role.vm.cold:
        return "cold"
    return "live" if role.priority >= world.cluster.move_type_threshold else "quick"


def _send(world: World, role: Role, target: Node, kind: str) -> None:
    role.migration_state = MigrationState.NoMigration
    begin(world, (quick_migrate if kind == "quick" else live_migrate)(world, role.vm, target))


def _ended(world: World, node: Node, going: list[tuple[Role, Node]]) -> int:
    """Forget the moves that have ended; the code of one that failed, 0 when none did."""
    failed = 0
    for role, target in list(going):
        if not _under_way(role):
            going.remove((role, target))
            if role.vm.node is node:
                full = memory_obstacle(world, role.vm, target) is not None
                failed = _stays(world, node, role, _NO_ROOM if full else _INCOMPATIBLE)
    return failed


def _drained(world: World, node: Node, failed: int) -> None:
    node.drain = DrainStatus.Failed if failed else DrainStatus.Completed
    node.drain_error = failed
    node.status = (node.status & ~DRAIN_FLAGS) | (NodeStatus.DrainFailed if failed else NodeStatus.DrainCompleted)
    if failed:
        events.emit(world, node, events.SYSTEM, 1677, NodeName=node.name)
        world.ledger.note(world.elapsed, "drain_failed", node.name, f"{len(_roles(node))} roles are still on it")
    node.touch()


def _roles(node: Node) -> list[Role]:
    return [vm.role for vm in node.vms.values() if vm.role is not None]


def _draining(node: Node) -> bool:
    return node.state == NodeState.Paused and node.drain == DrainStatus.InProgress


def _under_way(role: Role) -> bool:
    return role.moving or role.migration is not None


def _stays(world: World, node: Node, role: Role, number: int) -> int:
    events.emit(world, node, events.SYSTEM, 1137, ResourceGroup=role.name, code=f"0x{number:08x}")
    return number


def resume_node(world: World, node: Node, failback: bool, *, asked: Asked | None = None) -> None:
    """Resume-ClusterNode with -Failback Immediate or NoFailback; raises Refused when the node is not paused."""
    arguments: dict[str, Any] = {"Name": node.name, "Failback": "Immediate" if failback else "NoFailback"}
    if node.faults.down or node.state != NodeState.Paused:
        note(world, node, "Resume-ClusterNode", node.name, arguments=arguments, asked=asked, outcome="refused")
        raise Refused(f"The node '{node.name}' is not paused.", INVALID_STATE, "ClusterNodeNotPaused", node.name)
    note(
        world,
        node,
        "Resume-ClusterNode",
        node.name,
        arguments=arguments,
        asked=asked,
        outcome="started" if failback else "done",
    )
    node.state, node.drain, node.drain_error = NodeState.Up, DrainStatus.NotInitiated, 0
    node.status &= ~DRAIN_FLAGS
    away, node.failback_vms = node.failback_vms, []
    _storage_repairs(world)
    if failback:
        node.failback = DrainStatus.InProgress
        world.scheduler.spawn(_failback(world, node, away))
    node.touch()


def resume(world: World, node: Node, *, failback: bool = True) -> None:
    """A colleague resumes a node; nothing happens when it is not paused."""
    with contextlib.suppress(Refused):
        resume_node(world, node, failback)


def _failback(world: World, node: Node, vms: list[str]) -> Process:
    """The roles that a drain took away come home, as many at once as the limit allows."""
    waiting = [world.vms[key] for key in vms]
    going: list[Vm] = []
    failed = False
    while (waiting or going) and node.up:
        for vm in list(going):
            if vm.role is None or not _under_way(vm.role):
                going.remove(vm)
                failed |= vm.node is not node
        for vm in list(waiting):
            role = vm.role
            if role is None or vm.node is node:
                waiting.remove(vm)
                continue
            if _under_way(role):
                continue
            if not vm.cold and busy(world, vm.node, node):
                break
            waiting.remove(vm)
            begin(world, live_migrate(world, vm, node))
            going.append(vm)
        yield _LOOK
    node.failback = DrainStatus.Failed if failed or waiting or going else DrainStatus.Completed
    node.touch()


def _storage_degrades(world: World) -> None:
    """With Storage Spaces Direct the disks of a paused node take no writes: every virtual disk misses them."""
    for disk in world.cluster.virtual_disks if world.cluster.s2d else ():
        if disk.health == HEALTHY:
            disk.health, disk.operational = WARNING, [_DEGRADED]


def _storage_repairs(world: World) -> None:
    """When it is back they are repaired, which takes its time; a disk that is beyond that stays as it is."""
    facts = world.cluster
    behind = [disk for disk in facts.virtual_disks if disk.health == WARNING] if facts.s2d else []
    if not behind or any(node.state == NodeState.Paused for node in world.nodes.values()):
        return

    def repair() -> Process:
        jobs = [StorageJob(f"Repair {disk.name}") for disk in behind]
        facts.storage_jobs += jobs
        for step in range(10):
            for job in jobs:
                job.percent = step * 10
            yield _REPAIR / 10
        for job, disk in zip(jobs, behind, strict=True):
            facts.storage_jobs.remove(job)
            if not any(node.state == NodeState.Paused for node in world.nodes.values()) and disk.health == WARNING:
                disk.health, disk.operational = HEALTHY, [2]

    world.scheduler.spawn(repair())
