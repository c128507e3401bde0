"""The largest cluster stays cheap: cost grows with change, not with size. Ratios only; no clock decides a test."""

from __future__ import annotations

import time
from collections.abc import Callable

from hvtui.lab.native.cluster_stream import ClusterStream
from hvtui.lab.native.node_stream import NodeStream
from hvtui.lab.world import World
from tests.support.world import START


def fastest(work: Callable[[], object], runs: int = 5) -> float:
    best = float("inf")
    for _ in range(runs):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return best


def test_a_tick_of_sixty_four_nodes_costs_a_fraction_of_their_full_pictures() -> None:
    world = World.load("limit", start=START)
    nodes = list(world.nodes.values())

    def full() -> None:
        for node in nodes:
            NodeStream(world, node).tick()
        ClusterStream(world, nodes[0]).tick()

    streams = [*(NodeStream(world, node) for node in nodes), ClusterStream(world, nodes[0])]
    for stream in streams:
        stream.tick()
    # From here on the load is not due, and a step brings what really happened.
    world.advance(1)

    def tick() -> None:
        for stream in streams:
            stream.tick()

    # The fastest of few full pictures can only be too slow, which the bound of an eighth leaves room for.
    assert fastest(tick) < fastest(full, runs=2) / 8


def test_quiet_ticks_send_next_to_nothing() -> None:
    world = World.load("limit", start=START)
    streams = [NodeStream(world, node) for node in world.nodes.values()]
    pictures = sum(len(stream.tick()) for stream in streams)
    sent = 0
    for _ in range(15):
        world.advance(2)
        sent += sum(len(stream.tick()) for stream in streams)
    # Half a minute of a living cluster, load vectors and jobs included, against one full picture.
    assert sent < pictures / 10
