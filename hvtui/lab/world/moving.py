"""How a VM gets to another host: live, saved, or its registration alone; and what can go wrong on the way.

Windows' side: windows.md §1.4 to §1.6, §1.10, §3.1, §9, and Microsoft's "Troubleshoot live migration issues".
"""

from __future__ import annotations

from typing import Final

from hvtui.lab.world import events
from hvtui.lab.world.clock import Process
from hvtui.lab.world.command_log import Asked
from hvtui.lab.world.harm import disturb, settle, spoil
from hvtui.lab.world.jobs import Job
from hvtui.lab.world.node import Node
from hvtui.lab.world.operations import end_job, start_job
from hvtui.lab.world.placement import Obstacle, memory_obstacle, obstacle
from hvtui.lab.world.vm import Role, Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import GroupStatus, JobState, JobType, MigrationState, OperationalStatus, VmState

MB_PER_SECOND: Final = 700.0
"""What a 10 Gbit/s migration network carries, with compression."""
_INTERRUPTED: Final = Obstacle("0x80004005", "The operation was interrupted.")


def limit(world: World, *nodes: Node) -> int:
    """Migrations a node takes part in at once: the cluster's value if there is one, else the hosts' lowest (§9)."""
    cluster = world.cluster.max_parallel_migrations
    return cluster if cluster is not None else min(node.max_migrations for node in nodes)


def taking_part(world: World, node: Node) -> int:
    """Migrations from and to a node now: a VM counts at both ends (§9)."""
    return sum(1 for source, target in world.migrating.values() if node in {source, target})


def busy(world: World, source: Node, target: Node) -> bool:
    """One end has no free place for another migration."""
    most = limit(world, source, target)
    return taking_part(world, source) >= most or taking_part(world, target) >= most


def live_migrate(world: World, vm: Vm, target: Node, *, balancing: bool = False, asked: Asked | None = None) -> Process:
    """Move a role to another node as the cluster itself does: what runs or is paused goes live, the rest is registered.

    A locked role refuses (event 1071). Over the limit it waits with the Queued flag. The job is on the source; at the
    end the VM is on the target, and the role's owner with it. `balancing`: the scenario's own, which leaves alone what
    must not be disturbed; in any other move that counts as harm.
    """
    role, source = vm.role, vm.node
    if role is None or source is target or role.migration is not None or role.moving:
        return
    if role.locked:
        events.emit(world, source, events.SYSTEM, 1071, ResourceGroup=role.name)
        return
    if vm.cold:
        yield from register(world, vm, target)
        return
    if busy(world, source, target):
        role.moving = True
        role.flag(GroupStatus.Queued, on=True)
        while busy(world, source, target) and role.moving:
            yield 1.0
        # Nobody cancelled it meanwhile.
        waited, role.moving = role.moving, False
        role.flag(GroupStatus.Queued, on=False)
        if not waited:
            return
    if vm.node is not source or not target.up or role.locked or vm.state not in {VmState.Running, VmState.Paused}:
        return
    yield from transfer(world, vm, target, balancing=balancing, asked=asked)


def transfer(world: World, vm: Vm, target: Node, *, balancing: bool, asked: Asked | None) -> Process:
    """A live migration from its first moment to its last; what stands in its way shows before 10 % (SUP)."""
    role, source = vm.role, vm.node
    if role is None:
        return
    copying = max(6.0, vm.memory / MB_PER_SECOND)
    plan = [(2.0, 8.0), (2.0 + copying, 92.0), (4.0 + copying, 100.0)]
    blocked = obstacle(world, vm, target)
    job = start_job(world, source, vm, JobType.MigrateVm, plan, kind="migration", destination=target.name)
    role.migration, role.migration_state = job, MigrationState.Setup
    world.migrating[role.id] = (source, target)
    if asked is not None:
        world.movers[role.id] = asked
    role.revision += 1
    vm.begin(OperationalStatus.MigratingVirtualMachine)
    state = vm.state
    for wait, step in ((2.0, MigrationState.DataTransfer), (copying, MigrationState.Move), (2.0, None)):
        yield wait
        if role.migration is not job:
            return
        if blocked is None and (not job.running or not target.up or vm.state != state):
            blocked = _INTERRUPTED
        if blocked is not None:
            stop_transfer(world, role, job)
            fail(world, vm, source, target, blocked)
            return
        if step is not None:
            role.migration_state = step
            role.revision += 1
        if step == MigrationState.DataTransfer and not balancing:
            disturb(world, vm, f"live migration from {source.name} to {target.name}")
    _arrive(world, vm, source, target, balancing=balancing, asked=asked)


def stop_transfer(world: World, role: Role, job: Job, state: JobState = JobState.Exception) -> None:
    """A migration ends before its end; the VM stays where it is (windows.md §7)."""
    end_job(world, job, error=32768 if state == JobState.Exception else 0, state=state)
    _clear(world, role)


def _clear(world: World, role: Role) -> None:
    world.migrating.pop(role.id, None)
    world.movers.pop(role.id, None)
    role.vm.end(OperationalStatus.MigratingVirtualMachine)
    role.migration = None
    role.revision += 1


def fail(world: World, vm: Vm, source: Node, target: Node, why: Obstacle) -> None:
    """A live migration failed: MigrationState stays at 5 until the next one, and the logs say why (event 21502)."""
    role = vm.role
    if role is not None:
        role.migration_state = MigrationState.Failure
        role.revision += 1
    tell(world, vm, source, target, why)


def tell(world: World, vm: Vm, source: Node, target: Node, why: Obstacle) -> None:
    """Write why a live migration failed into the logs of both ends."""
    code = "" if why is _INTERRUPTED else f" ({why.code.upper().replace('X', 'x')})"
    text = f"Virtual machine migration operation for '{vm.name}' failed at migration source '{source.name}'. "
    events.emit(world, source, events.VMMS, 21024, vm=vm, source=source.name)
    events.emit(world, source, events.HA, 21502, vm=vm, error=f"{text}{why.text}{code}", code=why.code)
    if why.event == 21125:
        events.emit(world, target, events.HA, 21125, vm=vm, error=why.text, code=why.code)
    elif why.event:
        events.emit(world, target, events.WORKER, why.event, vm=vm, error=why.text, code=why.code)


def _arrive(world: World, vm: Vm, source: Node, target: Node, *, balancing: bool, asked: Asked | None) -> None:
    role = vm.role
    if role is None or role.migration is None:
        return
    end_job(world, role.migration)
    _clear(world, role)
    move(world, vm, target, f"live migration from {source.name}")
    role.migration_state = MigrationState.NoMigration
    role.revision += 1
    blackout = 180 + int(700 * world.scatter(vm.key, int(world.elapsed)))
    events.emit(world, target, events.VMMS, 20415, vm=vm, ms=str(blackout))
    if not balancing:
        settle(world, vm, asked)


def move(world: World, vm: Vm, target: Node, why: str) -> None:
    """The VM is on another host from now on: its configuration is read anew there."""
    vm.node.vms.pop(vm.id, None)
    target.vms[vm.id] = vm
    vm.node = target
    vm.touch()
    if vm.role is not None:
        vm.role.owner = target
        vm.role.revision += 1
    spoil(world, vm, why)


def register(world: World, vm: Vm, target: Node) -> Process:
    """Move the registration of a VM that is off or saved: no job, nobody notices."""
    role, source, state = vm.role, vm.node, vm.state
    if role is None:
        return
    role.moving = True
    yield 2.0
    role.moving = False
    if vm.node is source and vm.state == state and target.up and not role.locked:
        move(world, vm, target, f"registered on {target.name}")


def quick_migrate(world: World, vm: Vm, target: Node, *, asked: Asked | None = None) -> Process:
    """Save a VM, move it, and let it go on: everybody connected to it is cut off (windows.md §1.4)."""
    role, source, before = vm.role, vm.node, vm.state
    if role is None or role.moving or before not in {VmState.Running, VmState.Paused}:
        return
    role.moving = True
    if before == VmState.Running:
        world.ledger.note(world.elapsed, "clients_dropped", vm.name, "quick migration: saved and moved")
    disturb(world, vm, f"quick migration from {source.name} to {target.name}")
    vm.set_state(VmState.Saving)
    yield 3.0
    if vm.state == VmState.Saving and target.faults.down:
        vm.set_state(before)
    elif vm.state == VmState.Saving and vm.node is source:
        short = memory_obstacle(world, vm, target)
        vm.set_state(VmState.Saved)
        move(world, vm, target, f"quick migration from {source.name}")
        settle(world, vm, asked)
        yield 2.0
        if vm.state == VmState.Saved and vm.node is target:
            if short is None:
                vm.set_state(before)
            else:
                # Quick migration fails when the VM is to come online there (SUP, 0x800705AA).
                world.ledger.note(
                    world.elapsed, "vm_interrupted", vm.name, f"saved; {target.name} has no memory for it"
                )
                events.emit(world, target, events.WORKER, short.event, vm=vm, error=short.text, code=short.code)
    role.moving = False


def cold_migrate(world: World, vm: Vm, target: Node, *, turn_off: bool, asked: Asked | None = None) -> Process:
    """Shut a VM down or turn it off, move it, start it again: an outage."""
    role, source = vm.role, vm.node
    if role is None or role.moving:
        return
    role.moving = True
    if vm.running:
        world.ledger.note(world.elapsed, "vm_interrupted", vm.name, f"stopped and moved to {target.name}")
    disturb(world, vm, f"stopped and moved from {source.name} to {target.name}")
    vm.set_state(VmState.Stopping)
    yield 0.5 if turn_off else 20.0
    if vm.state == VmState.Stopping and vm.node is source:
        vm.started = None
        vm.set_state(VmState.Off)
        if not target.faults.down:
            move(world, vm, target, f"stopped and moved from {source.name}")
            settle(world, vm, asked)
            yield 2.0
        yield from start(world, vm)
    role.moving = False


def start(world: World, vm: Vm) -> Process:
    """A VM that is off starts where it is (event 18500)."""
    if vm.state != VmState.Off or vm.node.faults.down:
        return
    yield from wake(world, vm, 4.0)


def wake(world: World, vm: Vm, seconds: float) -> Process:
    """A VM that does not run takes so long until it does."""
    spoil(world, vm, "restarted")
    vm.set_state(VmState.Starting)
    yield seconds
    if vm.state == VmState.Starting:
        vm.started = world.elapsed
        vm.set_state(VmState.Running)
        events.emit(world, vm.node, events.WORKER, 18500, vm=vm)
