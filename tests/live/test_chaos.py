"""Many faults at once, in random order: nothing dies, and everything heals once they are over."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from hvtui.live.monitor import Monitor
from tests.live.conftest import QUICK, all_live
from tests.support.wait import until

Labs = Callable[..., Lab]
Watch = Callable[..., Awaitable[Monitor]]


def _break(lab: Lab, monitor: Monitor, rnd: random.Random) -> None:
    """One random fault on one random node, or a user's impatient key."""
    name = rnd.choice(list(lab.addresses))
    node = lab.node(name)
    faults: list[Callable[[], object]] = [
        lambda: node.stop(keep_shells=rnd.random() < 0.5),
        node.start,
        node.hang,
        lambda: node.hang(False),
        lambda: node.spoil("drop", times=2),
        lambda: node.spoil("truncate", times=2),
        lambda: node.spoil("garble", times=2),
        lambda: node.rewrite(lambda text: text[:50]),
        lambda: node.rewrite(lambda text: text.replace('"seq":', '"seq":1')),
        lambda: node.rewrite(None),
        lambda: lab.call(lambda w: setattr(w.nodes[name].faults, "vmms_hung", rnd.random() < 0.5)),
        lambda: lab.call(lambda w: setattr(w.nodes[name].faults, "cluster_service_hung", rnd.random() < 0.5)),
        lambda: monitor.refresh(rnd.choice(["node", "cluster", "writers", "events"]), rnd.choice(["", name])),
    ]
    rnd.choice(faults)()


def _mend(lab: Lab) -> None:
    for name in lab.addresses:
        node = lab.node(name)
        node.start()
        node.hang(False)
        node.spoil("drop", times=0)
        node.rewrite(None)

    def lift(world: World) -> None:
        for node in world.nodes.values():
            node.faults.vmms_hung = node.faults.cluster_service_hung = False

    lab.call(lift)


@pytest.mark.parametrize("seed", [1, 2])
async def test_everything_heals(labs: Labs, watch: Watch, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr("hvtui.remote.transport.LOG_ON_SECONDS", 1.0)
    monkeypatch.setattr("hvtui.live.node.PROBE_SECONDS", 1.0)
    rnd = random.Random(seed)
    lab = labs("healthy", speed=0, installed=seed % 2 == 0)
    monitor = await watch(lab, timing=replace(QUICK, silence=1.5))
    for _ in range(30):
        _break(lab, monitor, rnd)
        await asyncio.sleep(rnd.uniform(0, 0.2))
    _mend(lab)
    await until(lambda: all_live(monitor, lab), 40)
    homes = lab.call(lambda w: {vm.id: name for name, node in w.nodes.items() for vm in node.vms.values()})
    await until(lambda: {key: monitor.state.home(key) for key in homes} == homes)
    assert lab.logons[lab.username].failed == 0
