"""The harmless noise of a real cluster, which must never be taken for trouble (windows.md §4.7, §5.2, §5.4)."""

from __future__ import annotations

from datetime import timedelta
from operator import itemgetter

from hvtui.lab.world import events
from hvtui.lab.world.clock import Process
from hvtui.lab.world.node import Node
from hvtui.lab.world.processes import vss_process
from hvtui.lab.world.scenario import NoisePart, seconds
from hvtui.lab.world.storage import Csv
from hvtui.lab.world.world import World
from hvtui.lab.world.writers import SYSTEM_WRITER


def history(world: World, part: NoisePart, name: str) -> None:
    """What the logs already hold when the world begins."""
    chance = world.rng(f"history {name}")
    span = seconds(part.history)
    nodes = list(world.nodes.values())
    csvs = list(world.csvs.values())
    refused = _callbacks(world, part, name)
    for node in nodes:
        listed = [(span * chance.random(), _identify) for _ in range(3)]
        listed += [(age, _callback) for age, where in refused if where is node]
        for age, write in sorted(listed, key=itemgetter(0), reverse=True):
            write(world, node, age)
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


def callbacks(world: World, part: NoisePart, name: str) -> Process:
    """8194 now and then, when a program lists writers: cosmetic, no backup has anything to do with it."""
    chance = world.rng(f"callbacks {name}")
    every = seconds(part.callbacks)
    while every:
        yield every * (0.5 + chance.random())
        up = world.up_nodes()
        if up:
            _callback(world, chance.choice(up), 0.0)


def _callbacks(world: World, part: NoisePart, name: str) -> list[tuple[float, Node]]:
    """Ages and nodes of those before the world began; the nodes take turns."""
    chance = world.rng(f"callback history {name}")
    span, every = seconds(part.history), seconds(part.callbacks)
    count = int(span / every) if every else 0
    nodes = list(world.nodes.values())
    return [(span * chance.random(), nodes[(3 * number + 1) % len(nodes)]) for number in range(count)]


def _callback(world: World, node: Node, age: float) -> None:
    """System Writer may not call the program back that listed the writers (windows.md §6: mostly cosmetic)."""
    writer = node.writer(SYSTEM_WRITER)
    events.write(
        world,
        node,
        events.APPLICATION,
        8194,
        world.time_of(node) - timedelta(seconds=age),
        writer_id=writer.id,
        writer=writer.name,
        instance=writer.instance,
        process=vss_process(node, writer.service),
    )


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
