"""The balancing of a cluster: VMs move now and then, and home again (windows.md §1.10)."""

from __future__ import annotations

from fnmatch import fnmatchcase

from hvtui.lab.world.clock import Process
from hvtui.lab.world.moving import live_migrate
from hvtui.lab.world.node import Node
from hvtui.lab.world.scenario import MigrationsPart, seconds
from hvtui.lab.world.vm import Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import VmState


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
                world.scheduler.spawn(live_migrate(world, vm, home, balancing=True))
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
                    world.scheduler.spawn(live_migrate(world, vm, target, balancing=True))
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
