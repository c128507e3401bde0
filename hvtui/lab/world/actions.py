"""What people do to a cluster: the world's side of every change, and the harm that a wrong one does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hvtui.lab.world import events
from hvtui.lab.world.behaviours.migration import live_migrate, move
from hvtui.lab.world.clock import Process
from hvtui.lab.world.node import Node
from hvtui.lab.world.operations import end_job
from hvtui.lab.world.scenario import TimelinePart, seconds
from hvtui.lab.world.vm import GB, Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import DrainStatus, JobType, NodeState, NodeStatus, VmState

LIVE_THRESHOLD: Final = 2000
"""Roles of lower priority are quick-migrated by a drain: saved, moved, resumed (windows.md §1.4)."""

_DRAIN_FLAGS: Final = NodeStatus.DrainInProgress | NodeStatus.DrainCompleted | NodeStatus.DrainFailed


def kill_backup(world: World, node: Node) -> None:
    """End the node's backup job in the backup product."""
    job = world.backups.get(node.name)
    if job is not None:
        job.kill()


def start_backup(world: World, node: Node) -> None:
    """Start or resume the node's backup job in the backup product."""
    job = world.backups.get(node.name)
    if job is not None:
        job.start_now()


def free_space(vm: Vm, gb: float) -> None:
    """Somebody deletes files in the guest: every partition that has less gets `gb` free."""
    for volume in vm.volumes:
        volume.free = max(volume.free, int(gb * GB))


def migrate(world: World, vm: Vm, target: Node) -> None:
    """Ask for a live migration."""
    world.scheduler.spawn(live_migrate(world, vm, target))


def restart_vmms(world: World, node: Node) -> None:
    """Restart-Service vmms."""
    world.scheduler.spawn(_restart_vmms(world, node))


def _restart_vmms(world: World, node: Node) -> Process:
    """Running VMs go on (windows.md §7); jobs inside VMMS break, and the writer is new and stable afterwards."""
    service = node.services["vmms"]
    if service.state != "Running":
        return
    service.state = "Stop Pending"
    node.touch()
    yield 3.0
    service.state, service.started = "Stopped", None
    for job in node.running_jobs():
        vm = world.vms[job.vm]
        if job.type == JobType.MergeDisks:
            events.emit(world, node, events.VMMS, 19090, vm=vm)
            world.ledger.note(world.elapsed, "merge_interrupted", vm.name, f"VMMS restarted on {node.name}")
        elif job.kind == "migration":
            world.ledger.note(world.elapsed, "migration_broken", vm.name, f"VMMS restarted on {node.name}")
        else:
            world.ledger.note(world.elapsed, "backup_broken", vm.name, f"VMMS restarted on {node.name}")
        end_job(world, job, error=32768)
    events.emit(world, node, events.VMMS, 14096)
    node.touch()
    yield 2.0
    service.state = "Start Pending"
    node.touch()
    yield 4.0
    service.state, service.started = "Running", world.elapsed
    writer = node.hyperv_writer
    writer.instance = world.guid()
    writer.set(1)
    events.emit(world, node, events.VMMS, 14094)
    node.touch()


def drain(world: World, node: Node) -> None:
    """Suspend-ClusterNode -Drain."""
    if node.state == NodeState.Up:
        node.state, node.drain = NodeState.Paused, DrainStatus.InProgress
        node.status = (node.status & ~_DRAIN_FLAGS) | NodeStatus.DrainInProgress
        node.touch()
        world.scheduler.spawn(_drain(world, node))


def _drain(world: World, node: Node) -> Process:
    """High and medium priority move live, low ones cold; a locked role stops the drain (1137, 1677)."""
    failed = False
    node.failback_vms = [vm.id for vm in node.vms.values() if vm.role is not None]
    for vm in sorted((v for v in node.vms.values() if v.role), key=lambda v: -(v.role.priority if v.role else 0)):
        targets = world.up_nodes()
        role = vm.role
        if node.state != NodeState.Paused or role is None:
            break
        if not targets or role.locked:
            events.emit(world, node, events.SYSTEM, 1137, ResourceGroup=role.name, code="0x000013e0")
            failed = True
            continue
        target = min(targets, key=lambda n: (len(n.vms), n.number))
        if vm.running and role.priority < LIVE_THRESHOLD:
            yield from _quick(world, vm, target)
        else:
            yield from live_migrate(world, vm, target)
            failed |= vm.node is node
    if node.state != NodeState.Paused:
        return
    node.drain = DrainStatus.Failed if failed else DrainStatus.Completed
    node.status = (node.status & ~_DRAIN_FLAGS) | (NodeStatus.DrainFailed if failed else NodeStatus.DrainCompleted)
    if failed:
        events.emit(world, node, events.SYSTEM, 1677, NodeName=node.name)
    node.touch()


def _quick(world: World, vm: Vm, target: Node) -> Process:
    world.ledger.note(world.elapsed, "clients_dropped", vm.name, "quick migration: saved and moved")
    vm.set_state(VmState.Saving)
    yield 3.0
    vm.set_state(VmState.Saved)
    move(vm, target)
    yield 2.0
    vm.set_state(VmState.Running)


def resume(world: World, node: Node, *, failback: bool = True) -> None:
    """Resume-ClusterNode, with `-Failback Immediate` or `NoFailback`."""
    if node.state != NodeState.Paused:
        return
    node.state, node.drain = NodeState.Up, DrainStatus.NotInitiated
    node.status &= ~_DRAIN_FLAGS
    node.touch()
    if failback:
        world.scheduler.spawn(_failback(world, node))


def _failback(world: World, node: Node) -> Process:
    node.failback = DrainStatus.InProgress
    node.touch()
    for vm_id in node.failback_vms:
        vm = world.vms.get(vm_id)
        if vm is not None and vm.node is not node:
            yield from live_migrate(world, vm, node)
    node.failback_vms = []
    node.failback = DrainStatus.Completed
    node.touch()


def fail_node(world: World, node: Node) -> None:
    """Power goes: the node is Down, its roles start again elsewhere, and everybody on it was interrupted."""
    node.faults.down, node.state = True, NodeState.Down
    node.dynamic_weight = 0
    node.touch()
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
    for number, vm in enumerate(list(node.vms.values())):
        was_running = vm.running
        if was_running:
            world.ledger.note(world.elapsed, "vm_interrupted", vm.name, f"{node.name} went down")
        vm.busy.clear()
        vm.lock(on=False)
        vm.started = None
        vm.set_state(VmState.Off)
        if vm.role is not None:
            world.scheduler.spawn(_failover(world, vm, number, was_running=was_running), 8.0)


def _failover(world: World, vm: Vm, number: int, *, was_running: bool) -> Process:
    """The role starts on a node that is left, the roles spread over all of them."""
    while not (survivors := world.up_nodes()):
        yield 5.0
    target = survivors[number % len(survivors)]
    move(vm, target)
    if was_running and vm.state == VmState.Off:
        vm.set_state(VmState.Starting)
        yield 4.0
        if vm.state == VmState.Starting:
            vm.started = world.elapsed
            vm.set_state(VmState.Running)
            events.emit(world, vm.node, events.WORKER, 18500, vm=vm)


def return_node(world: World, node: Node) -> None:
    """The node boots and joins again."""
    node.faults.down, node.state = False, NodeState.Up
    node.dynamic_weight = 1
    node.boot = world.elapsed
    for service in node.services.values():
        service.state, service.started = "Running", world.elapsed
    for writer in node.writers:
        writer.instance = world.guid()
        writer.set(1)
    node.touch()
    for csv in world.csvs.values():
        csv.touch()


def _act(world: World, step: TimelinePart) -> None:
    node = world.node(step.node) if step.node else next(iter(world.nodes.values()))
    verbs: dict[str, Callable[[], object]] = {
        "kill_backup": lambda: kill_backup(world, node),
        "start_backup": lambda: start_backup(world, node),
        "restart_vmms": lambda: restart_vmms(world, node),
        "drain": lambda: drain(world, node),
        "resume": lambda: resume(world, node),
        "free_space": lambda: free_space(world.vm(step.vm), step.gb or 2.0),
        "migrate": lambda: migrate(world, world.vm(step.vm), node),
        "fail_node": lambda: fail_node(world, node),
        "return_node": lambda: return_node(world, node),
        "hang_vmms": lambda: setattr(node.faults, "vmms_hung", True),
        "unhang_vmms": lambda: setattr(node.faults, "vmms_hung", False),
    }
    verbs[step.do]()


def schedule_timeline(world: World) -> None:
    """Let the people of the scenario do what it says, when it says."""
    for step in world.scenario.timeline:
        world.scheduler.after(seconds(step.at), lambda step=step: _act(world, step))  # type: ignore[misc]
