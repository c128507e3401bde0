"""Hosts that fail, restart and come back, and machines that are switched on and off."""

from __future__ import annotations

from typing import Final

from hvtui.lab.world import events
from hvtui.lab.world.clock import Process
from hvtui.lab.world.moving import move, start
from hvtui.lab.world.node import Node
from hvtui.lab.world.operations import end_job, leave_fork
from hvtui.lab.world.vm import Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import DrainStatus, NodeState, NodeStatus, VmState

DRAIN_FLAGS: Final = NodeStatus.DrainInProgress | NodeStatus.DrainCompleted | NodeStatus.DrainFailed
_BOOT: Final = 240.0
"""Seconds a host is away when it restarts."""


def fail_node(world: World, node: Node) -> None:
    """Power goes: the node is Down, its roles start again elsewhere, and everybody on it was interrupted."""
    node.paused_before = node.state == NodeState.Paused
    node.faults.down, node.state = True, NodeState.Down
    node.dynamic_weight = 0
    node.touch()
    _witness_votes(world)
    survivors = world.up_nodes()
    for job in node.running_jobs():
        end_job(world, job, error=32768)
    for other in survivors:
        events.emit(world, other, events.SYSTEM, 1135, NodeName=node.name)
    for csv in world.csvs.values():
        if csv.owner is node and survivors:
            csv.owner = survivors[0]
        csv.touch()
    backup = world.backups.get(node.name)
    if backup is not None:
        backup.break_off()
    fail_over(world, list(node.vms.values()), f"{node.name} went down", 8.0)


def fail_fork(world: World, vm: Vm) -> None:
    """A checkpoint of a product fails in the middle: its fork is not committed (peers.md §0)."""
    if vm.running and not vm.fork_commit and not vm.node.faults.down:
        leave_fork(world, vm)
        events.emit(world, vm.node, events.VMMS, 18012, vm=vm)


def fail_over(world: World, vms: list[Vm], why: str, delay: float) -> None:
    """VMs stop where they are; the clustered ones start again on the nodes that are left."""
    for number, vm in enumerate(vms):
        was_running = vm.running
        if was_running:
            world.ledger.note(world.elapsed, "vm_interrupted", vm.name, why)
        vm.busy.clear()
        vm.lock(on=False)
        vm.started = None
        vm.set_state(VmState.Off)
        if vm.role is not None:
            world.scheduler.spawn(_failover(world, vm, number, was_running=was_running), delay)


def _failover(world: World, vm: Vm, number: int, *, was_running: bool) -> Process:
    """The role starts on a node that is left, the roles spread over all of them."""
    while not (survivors := [node for node in world.up_nodes() if node.services["vmms"].running]):
        yield 5.0
    target = survivors[number % len(survivors)]
    move(world, vm, target, "failed over")
    if was_running:
        yield from start(world, vm)


def return_node(world: World, node: Node) -> None:
    """The node boots and joins again; one that was paused is paused still, and what hung hangs no more."""
    node.faults.down = node.faults.vmms_hung = False
    node.state = NodeState.Paused if node.paused_before else NodeState.Up
    if not node.paused_before or node.drain == DrainStatus.InProgress:
        node.drain = DrainStatus.NotInitiated
        node.status &= ~DRAIN_FLAGS
    node.dynamic_weight = 1
    _witness_votes(world)
    node.boot = world.elapsed
    for service in node.services.values():
        stopped = service.mode != "Auto" and service.state == "Stopped"
        service.state, service.started = ("Stopped", None) if stopped else ("Running", world.elapsed)
        service.checkpoint = service.wait_hint = 0
        service.hangs = False
    for writer in node.writers:
        writer.instance = world.guid()
        writer.set(1)
    node.touch()
    for csv in world.csvs.values():
        csv.touch()


def reboot_node(world: World, node: Node) -> None:
    """A host is restarted, whatever runs on it: the only way out when a service never stops."""
    if not node.faults.down:
        fail_node(world, node)
        world.scheduler.after(_BOOT, lambda: return_node(world, node) if node.faults.down else None)


def _witness_votes(world: World) -> None:
    """The witness votes while the nodes that vote are even in number (dynamic witness)."""
    if world.cluster.witness and world.cluster.dynamic_quorum:
        votes = sum(node.dynamic_weight for node in world.nodes.values())
        world.cluster.witness_weight = 1 if votes % 2 == 0 else 0


def power_off(world: World, vm: Vm) -> None:
    """Somebody turns a VM off."""
    if vm.running:
        world.ledger.note(world.elapsed, "vm_interrupted", vm.name, "turned off")
    vm.started = None
    vm.set_state(VmState.Off)


def power_on(world: World, vm: Vm) -> None:
    """Somebody starts a VM that is off."""
    world.scheduler.spawn(start(world, vm))


def restart_guest(world: World, vm: Vm) -> None:
    """Somebody restarts a VM."""
    if vm.running:
        power_off(world, vm)
        power_on(world, vm)
