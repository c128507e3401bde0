"""Monitors on simulated clusters; each is stopped, and must leave neither threads nor shells."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from hvtui.lab.serve import Lab
from hvtui.live.monitor import Monitor
from hvtui.live.timing import Timing
from hvtui.model.link import LinkStatus
from hvtui.remote.credentials import CredentialGate
from tests.remote.conftest import Reachable, config_for, gate_for
from tests.support.wait import until

QUICK = Timing(
    silence=3.0,
    first_picture=4.0,
    probe_again=1.0,
    retry=0.1,
    retry_most=0.5,
    retry_unusable=0.5,
    events=1.0,
    without_cluster=1.0,
)
"""People wait longer than tests."""


@pytest.fixture
def labs() -> Iterator[Callable[..., Lab]]:
    """Start labs: `labs("healthy", speed=0)`. They outlive the monitors that look at them."""
    with ExitStack() as running:
        yield lambda *args, **options: running.enter_context(Lab(*args, **options))


@pytest.fixture
async def watch(labs: Callable[..., Lab]) -> AsyncIterator[Callable[..., Any]]:
    """Start a Monitor on a lab: `await watch(lab, seeds=…, gate=…, pins=…)`."""
    before = set(threading.enumerate())
    monitors: list[Monitor] = []

    async def start(
        lab: Lab,
        *,
        gate: CredentialGate | None = None,
        pins: Any = None,
        timing: Timing = QUICK,
        clock: Any = None,
        **changes: Any,
    ) -> Monitor:
        config = config_for(lab, **{"refresh": 0.5, **changes})
        monitor = Monitor(config, credentials=gate or gate_for(lab), pins=pins, timing=timing, clock=clock)
        monitors.append(monitor)
        await monitor.start()
        return monitor

    yield start
    for monitor in monitors:
        await monitor.stop()
    kinds = ("watch", "action", "cancel", "facts", "work", "probe", "writers", "cluster")

    def left() -> list[str]:
        new = set(threading.enumerate()) - before
        return [thread.name for thread in new if thread.name.rpartition(" ")[2] in kinds]

    # On a loaded machine a thread may need a moment to end after its lane has said that it is closed.
    await until(lambda: not left())


def status(monitor: Monitor, node: str = "") -> LinkStatus:
    """Connection state of a node, or of the cluster's stream."""
    state = monitor.state
    return (state.node(node).link if node else state.cluster.link).status


def all_live(monitor: Monitor, lab: Reachable) -> bool:
    """Every node of the lab and the cluster's stream are live."""
    return all(status(monitor, name) is LinkStatus.LIVE for name in ("", *lab.addresses))
