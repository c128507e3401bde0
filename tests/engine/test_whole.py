"""Whole clusters on the engine: every scenario of up to 16 nodes, and of the largest one its stream and three nodes.

The fuller run only (`HVTUI_TEST_FULLER=1`, see conftest.py): a node has up to five engines at once.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from hvtui.lab.world.scenario import load_scenario, parse_scenario, scenario_names
from hvtui.live.monitor import Monitor
from hvtui.model.link import LinkStatus
from tests.engine.engine_lab import engines
from tests.engine.support.whole import unread
from tests.remote.conftest import config_for, gate_for
from tests.support.processes import wait_gone
from tests.support.wait import until

pytestmark = pytest.mark.timeout(900)

MOST: Final = 16
COMPLETE: Final = 600.0
"""Seconds within which everything was read, also beside other work."""
TROUBLE: Final[dict[str, dict[str, LinkStatus]]] = {
    "faults": {"HV05": LinkStatus.HANGING, "HV07": LinkStatus.UNUSABLE, "HV09": LinkStatus.UNREACHABLE}
}
SIXTEEN: Final[dict[str, Any]] = {
    "title": "Sixteen nodes and a few VMs",
    "cluster": {"name": "CLU-SIXTEEN", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2a016"},
    "nodes": {"count": MOST, "build": "10.0.20348.2762"},
    "csvs": [{"count": 4}],
    "vms": [{"prefix": "APP", "count": 40}],
    "behaviours": [{"kind": "noise"}],
}


async def _comes_up(
    name: str,
    source: str | World,
    *,
    nodes: tuple[str, ...] = (),
    otherwise: Mapping[str, LinkStatus] | None = None,
) -> dict[str, int]:
    """Everything is read and goes on, and no engine is left; how many VMs each node shows. `nodes`: no other ones."""
    began = time.monotonic()
    with Lab(source, engine="pwsh") as lab:
        addresses = {node: lab.addresses[node] for node in nodes or lab.addresses}
        feed = Monitor(config_for(lab, addresses=addresses), credentials=gate_for(lab))
        await feed.start()
        try:
            await until(lambda: not list(unread(feed, lab, addresses, otherwise)), COMPLETE)
            running = engines(lab)
            read = time.monotonic() - began
            state = feed.state
            live = [node for node in addresses if node not in (otherwise or {})]

            def told() -> list[int]:
                return [state.cluster.seq, *(state.nodes[node].seq for node in live)]

            before = told()
            # All of them tell more: nothing rests for minutes because its begin was expensive.
            await until(lambda: all(now > seq for now, seq in zip(told(), before, strict=True)), 120)
            next_after = time.monotonic() - began - read
            shown = {node: len(state.nodes[node].vms or {}) for node in addresses}
            # For the fuller run's reader, who asks pytest for it by `-s` or `-rP`.
            sys.stderr.write(
                f"\n{name}: {len(addresses)} nodes with {sum(shown.values())} VMs, all read after {read:.0f} s,"
                f" {len(running)} engines; each stream had its next message {next_after:.0f} s later\n"
            )
        finally:
            await feed.stop()
    wait_gone(running)
    return shown


def _expected(world: World, nodes: tuple[str, ...] = ()) -> dict[str, int]:
    return {node.name: len(node.vms) for node in world.nodes.values() if not nodes or node.name in nodes}


@pytest.mark.parametrize("name", [name for name in scenario_names() if load_scenario(name).nodes.count <= MOST])
async def test_a_scenario_runs_whole(name: str) -> None:
    await _comes_up(name, name, otherwise=TROUBLE.get(name))


async def test_sixteen_nodes_run_whole() -> None:
    world = World.load(parse_scenario(SIXTEEN, "sixteen"), start=datetime.now(UTC))
    assert await _comes_up("sixteen nodes", world) == _expected(world)
    assert len(world.nodes) == MOST


async def test_of_the_largest_cluster_its_stream_and_three_nodes_run() -> None:
    nodes = ("HV01", "HV32", "HV64")
    world = World.load("limit", start=datetime.now(UTC))
    shown = await _comes_up("limit", world, nodes=nodes)
    assert shown == _expected(world, nodes)
    assert min(shown.values()) > 100
