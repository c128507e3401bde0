"""Live migration of a role, and the balancing that causes it (windows.md §1.6, §1.10, §3.1)."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from hvtui.lab.world import events
from hvtui.lab.world.clock import Process
from hvtui.lab.world.node import Node
from hvtui.lab.world.operations import end_job, start_job
from hvtui.lab.world.scenario import MigrationsPart, seconds
from hvtui.lab.world.vm import Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import GroupStatus, JobType, MigrationState, OperationalStatus, VmState

MB_PER_SECOND: Final = 700.0
"""What a 10 Gbit/s migration network carries, with compression."""


def limit(world: World, *nodes: Node) -> int:
    """Migrations a node takes part in at once: the cluster's value if there is one, else the hosts' lowest (§9)."""
    cluster = world.cluster.max_parallel_migrations
    return cluster if cluster is not None else min(node.max_migrations for node in nodes)


def taking_part(world: World, node: Node) -> int:
    """Migrations from and to a node now: a VM counts at both ends (§9)."""
    return sum(1 for source, target in world.migrating.values() if node in {source, target})


def live_migrate(world: World, vm: Vm, target: Node) -> Process:
    """Move a role to another node: live when it runs, else only its registration moves.

    A locked role refuses (event 1071). Over the limit it waits with the Queued flag. The job is on the source; at the
    end the VM is on the target, and the role's owner with it.
    """
    role, source = vm.role, vm.node
    if role is None or source is target or role.migration is not None:
        return
    if role.locked:
        events.emit(world, source, events.SYSTEM, 1071, ResourceGroup=role.name)
        return
    if not vm.running:
        yield 2.0
        move(vm, target)
        return
    if busy(world, source, target):
        role.flag(GroupStatus.Queued, on=True)
        while busy(world, source, target):
            yield 1.0
        role.flag(GroupStatus.Queued, on=False)
    if vm.node is not source or not target.up or role.locked or not vm.running:
        return
    transfer = max(6.0, vm.memory / MB_PER_SECOND)
    plan = [(2.0, 8.0), (2.0 + transfer, 92.0), (4.0 + transfer, 100.0)]
    job = start_job(world, source, vm, JobType.MigrateVm, plan, kind="migration", destination=target.name)
    role.migration, role.migration_state = job, MigrationState.Setup
    world.migrating[role.id] = (source, target)
    role.revision += 1
    vm.begin(OperationalStatus.MigratingVirtualMachine)
    for wait, state in ((2.0, MigrationState.DataTransfer), (transfer, MigrationState.Move), (2.0, None)):
        yield wait
        if not job.running or not target.up or not vm.running:
            break
        if state is not None:
            role.migration_state = state
            role.revision += 1
    else:
        world.migrating.pop(role.id, None)
        _arrive(world, vm, source, target)
        return
    world.migrating.pop(role.id, None)
    # VMMS went away or an end failed: the VM stays on its source (windows.md §7).
    end_job(world, job, error=32768)
    vm.end(OperationalStatus.MigratingVirtualMachine)
    role.migration, role.migration_state = None, MigrationState.Failure
    role.revision += 1
    events.emit(world, source, events.VMMS, 21024, vm=vm, source=source.name)
    events.emit(world, source, events.HA, 21502, vm=vm, error="The operation was interrupted.")


def _arrive(world: World, vm: Vm, source: Node, target: Node) -> None:
    role = vm.role
    if role is None or role.migration is None:
        return
    end_job(world, role.migration)
    vm.end(OperationalStatus.MigratingVirtualMachine)
    move(vm, target)
    role.migration, role.migration_state = None, MigrationState.NoMigration
    role.revision += 1
    blackout = 180 + int(700 * world.scatter(vm.key, int(world.elapsed)))
    events.emit(world, target, events.VMMS, 20415, vm=vm, ms=str(blackout))


def move(vm: Vm, target: Node) -> None:
    """The VM is on another host from now on."""
    vm.node.vms.pop(vm.id, None)
    target.vms[vm.id] = vm
    vm.node = target
    vm.touch()
    if vm.role is not None:
        vm.role.owner = target
        vm.role.revision += 1


def busy(world: World, source: Node, target: Node) -> bool:
    """One end has no free place for another migration."""
    most = limit(world, source, target)
    return taking_part(world, source) >= most or taking_part(world, target) >= most


def balance(world: World, part: MigrationsPart, name: str) -> Process:
    """Move a VM somewhere else now and then; each second move brings one home, so that the cluster stays as it was."""
    chance = world.rng(f"migrations {name}")
    every = seconds(part.every)
    away: list[tuple[Vm, Node]] = []
    yield seconds(part.start)
    while True:
        if away and (len(away) > 2 or chance.random() < 0.45):
            vm, home = away.pop(0)
            if home.up:
                world.scheduler.spawn(live_migrate(world, vm, home))
            else:
                away.append((vm, home))
        else:
            candidates = [vm for vm in world.vms.values() if _movable(vm, part.vms)]
            targets = world.up_nodes()
            if candidates and len(targets) > 1:
                vm = chance.choice(candidates)
                target = chance.choice([node for node in targets if node is not vm.node] or targets)
                if target is not vm.node:
                    away.append((vm, vm.node))
                    world.scheduler.spawn(live_migrate(world, vm, target))
        yield every * (0.6 + 0.8 * chance.random())


def _movable(vm: Vm, patterns: list[str]) -> bool:
    role = vm.role
    return (
        vm.state == VmState.Running
        and role is not None
        and role.migration is None
        and not role.status
        and not role.anti_affinity
        and not vm.busy
        and vm.node.up
        and vm.memory <= 65_536
        and (not patterns or any(fnmatchcase(vm.name, pattern) for pattern in patterns))
    )
