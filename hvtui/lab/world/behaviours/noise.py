"""The harmless noise of a real cluster, which must never be taken for trouble (windows.md §4.7, §5.2, §5.4)."""

from __future__ import annotations

from datetime import timedelta

from hvtui.lab.world import events
from hvtui.lab.world.clock import Process
from hvtui.lab.world.node import Node
from hvtui.lab.world.scenario import NoisePart, seconds
from hvtui.lab.world.storage import Csv
from hvtui.lab.world.world import World


def history(world: World, part: NoisePart, name: str) -> None:
    """What the logs already hold when the world begins."""
    chance = world.rng(f"history {name}")
    span = seconds(part.history)
    nodes = list(world.nodes.values())
    csvs = list(world.csvs.values())
    for node in nodes:
        for age in sorted((span * chance.random() for _ in range(3)), reverse=True):
            _identify(world, node, age)
    if csvs:
        for age in sorted((span * chance.random() for _ in range(max(2, len(csvs) // 4))), reverse=True):
            csv = chance.choice(csvs)
            _pause(world, csv.owner, csv, age)
    running = [vm for vm in world.vms.values() if vm.running]
    if running:
        for age in sorted((span * chance.random() for _ in range(len(nodes))), reverse=True):
            vm = chance.choice(running)
            time = world.on_clock(vm.node, -age)
            events.write(world, vm.node, events.VMMS, 20415, time, vm=vm, ms=str(chance.randrange(150, 900)))


def run(world: World, part: NoisePart, name: str) -> Process:
    """CAPI2 513 when something lists writers, and 5120 with c0130021 when a snapshot is removed."""
    chance = world.rng(f"noise {name}")
    every = seconds(part.every)
    while True:
        yield every * (0.5 + chance.random())
        up = world.up_nodes()
        if up:
            _identify(world, chance.choice(up), 0.0)
        csvs = list(world.csvs.values())
        if csvs and chance.random() < 0.4:
            csv = chance.choice(csvs)
            _pause(world, csv.owner, csv, 0.0)


def _identify(world: World, node: Node, age: float) -> None:
    """System Writer's OnIdentify: ignorable (SUP event-id-513)."""
    events.write(world, node, events.APPLICATION, 513, world.time_of(node) - timedelta(seconds=age))


def _pause(world: World, node: Node, csv: Csv, age: float) -> None:
    """STATUS_CLUSTER_CSV_AUTO_PAUSE_ERROR, ignorable now and then (SUP event-id-5120)."""
    events.write(
        world,
        node,
        events.SYSTEM,
        5120,
        world.time_of(node) - timedelta(seconds=age),
        VolumeName=csv.path.rsplit("\\", 1)[-1],
        ResourceName=csv.resource,
        status="STATUS_CLUSTER_CSV_AUTO_PAUSE_ERROR",
        code="0xc0130021",
    )
