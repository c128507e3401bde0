"""Nodes under heavy load: slow is not unreachable, and patience grows until a picture comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from hvtui.lab.engine import Call, Output
from hvtui.lab.serve import Lab
from hvtui.live.monitor import Monitor
from hvtui.model.change import Change
from hvtui.model.link import LinkStatus
from tests.live.conftest import QUICK, status
from tests.remote.engines import Behaviour, ScriptedEngine, frame, hang, info, living
from tests.support.wait import until

Labs = Callable[..., Lab]
Watch = Callable[..., Awaitable[Monitor]]

FULL = frame("full", 1, vms=[], errors=[])
NODES = ("HV01", "HV02", "HV03")
CLUSTER = frame(
    "full",
    1,
    cluster={"id": "11111111-2222-3333-4444-555555555555", "name": "CLU-SLOW", "answered_by": "HV01"},
    nodes=[{"name": name, "state": 0} for name in NODES],
    errors=[],
)


def late(full: str, seconds: float) -> Behaviour:
    """Like `living`, but the first picture takes its time."""

    async def run(call: Call, output: Output) -> None:
        try:
            await asyncio.wait_for(call.stopped.wait(), seconds)
        except TimeoutError:
            await living(full)(call, output)

    return run


def once(text: str) -> Behaviour:
    """Answer the first call; whoever asks again waits for ever."""
    asked: list[Call] = []

    async def run(call: Call, output: Output) -> None:
        asked.append(call)
        await (output.write(text) if len(asked) == 1 else hang(call, output))

    return run


def statuses(monitor: Monitor, node: str) -> list[LinkStatus]:
    """Grows by every state that the connection to a node comes into."""
    seen: list[LinkStatus] = []

    def look(_: Change) -> None:
        now = status(monitor, node)
        if not seen or seen[-1] is not now:
            seen.append(now)

    monitor.subscribe(look)
    return seen


async def test_a_first_picture_that_takes_long_is_waited_for_while_the_node_answers(
    labs: Labs, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Shorter than the picture takes: only that WinRM goes on answering the stream tells that the node is there.
    monkeypatch.setattr("hvtui.live.shared.ANSWERS_SECONDS", 3.5)
    monkeypatch.setattr("hvtui.live.node.PROBE_SECONDS", 0.3)
    behaviours: dict[str, Behaviour | str] = {"Get-HvTuiInfo": once(info()), "Watch-HvTuiNode": late(FULL, 6.0)}
    engine = ScriptedEngine(**behaviours, **{"Watch-HvTuiCluster": hang})
    lab = labs({"HV01": engine})
    timing = replace(QUICK, first_picture=0.5, first_probe=2.0, probe_again=0.5)
    monitor = await watch(lab, timing=timing)
    seen = statuses(monitor, "HV01")
    await until(lambda: status(monitor, "HV01") is LinkStatus.HANGING)
    await until(lambda: "PowerShell does not" in monitor.state.node("HV01").link.text)
    await until(lambda: status(monitor, "HV01") is LinkStatus.LIVE)
    assert LinkStatus.UNREACHABLE not in seen
    assert sum(call.command == "Watch-HvTuiNode" for call in engine.calls) == 1


async def test_a_probe_that_waits_for_a_session_does_not_make_its_node_unreachable(
    labs: Labs, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hvtui.live.node.PROBE_SECONDS", 0.1)
    engine = ScriptedEngine(**{"Watch-HvTuiNode": late(FULL, 5.0), "Watch-HvTuiCluster": hang})
    lab = labs({"HV01": engine})
    monitor = await watch(lab, timing=replace(QUICK, first_picture=0.5, first_probe=0.0))
    await until(lambda: any(call.command == "Watch-HvTuiNode" for call in engine.calls))
    seen = statuses(monitor, "HV01")
    # Opening takes several answers; each is late from now on.
    lab.node("HV01").delay(0.3)
    await until(lambda: status(monitor, "HV01") is LinkStatus.LIVE)
    assert LinkStatus.UNREACHABLE not in seen
    assert sum(call.command == "Watch-HvTuiNode" for call in engine.calls) == 1


async def test_where_every_node_is_slow_patience_grows_until_the_clusters_picture_comes(
    labs: Labs, watch: Watch
) -> None:
    behaviours = {"Watch-HvTuiNode": living(FULL), "Watch-HvTuiCluster": late(CLUSTER, 2.5)}
    engines = {name: ScriptedEngine(**behaviours, **{"Get-HvTuiInfo": info(name)}) for name in NODES}
    monitor = await watch(labs(engines), seeds=NODES, timing=replace(QUICK, first_picture=0.5, silence=3.0))
    await until(lambda: status(monitor) is LinkStatus.LIVE)
    assert monitor.telling in NODES
