"""Every answer of the native engine is what the contract says."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from hvtui.lab.engine import Call, CommandError
from hvtui.lab.native import NativeEngine
from hvtui.lab.native.problems import hyperv_trouble
from hvtui.lab.world import World, actions, scenario_names
from hvtui.model.change import Change
from hvtui.model.link import LinkStatus
from hvtui.model.records import ClusterFrame, EventPage, Info, NodeFrame, Providers, Record, WriterText
from hvtui.remote.contract import CHANNELS, FUNCTIONS
from tests.support.world import START, DirectFeed


class Sink:
    """Keeps what a command wrote."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.errors: list[CommandError] = []

    async def write(self, text: str) -> None:
        self.texts.append(text)

    def error(self, record: CommandError) -> None:
        self.errors.append(record)


async def ask(engine: NativeEngine, command: str, **parameters: Any) -> list[str]:
    sink = Sink()
    await engine.run(Call(command, parameters), sink)
    assert not sink.errors
    return sink.texts


def fits(text: str, kind: type[Record]) -> Record:
    """Decode strictly: unknown keys are an error, too."""
    record = msgspec.json.decode(text, type=kind)
    for raw, typed in ((msgspec.json.decode(text), msgspec.to_builtins(record)),):
        assert raw.keys() <= typed.keys()
    return record


@pytest.mark.parametrize("scenario", scenario_names())
async def test_every_function_answers_with_its_record(scenario: str) -> None:
    world = World.load(scenario, start=START, at=300)
    engine = NativeEngine(world, next(n.name for n in world.nodes.values() if not n.faults.down))
    for part in ("All", "Basic"):
        (text,) = await ask(engine, "Get-HvTuiInfo", Part=part)
        info = fits(text, Info)
        assert isinstance(info, Info)
        assert info.node == engine.node.name
    (text,) = await ask(engine, "Watch-HvTuiNode", Count=1)
    frame = fits(text, NodeFrame)
    assert isinstance(frame, NodeFrame)
    assert (frame.kind, frame.seq) == ("full", 1)
    (text,) = await ask(engine, "Watch-HvTuiCluster", Count=1)
    picture = fits(text, ClusterFrame)
    assert isinstance(picture, ClusterFrame)
    assert picture.cluster is not None
    assert picture.cluster.id == world.cluster.id
    for channel in CHANNELS:
        (text,) = await ask(engine, "Get-HvTuiEvent", Channel=channel)
        fits(text, EventPage)
    (text,) = await ask(engine, "Get-HvTuiProvider")
    fits(text, Providers)
    (text,) = await ask(engine, "Get-HvTuiWriter", TimeoutSeconds=5)
    fits(text, WriterText)
    for name in ("Get-HvTuiShadow", "Get-HvTuiFilter", "Get-HvTuiHotfix"):
        (text,) = await ask(engine, name)
        fits(text, FUNCTIONS[name].result)
    for id in list(engine.node.vms)[:3]:
        (text,) = await ask(engine, "Get-HvTuiChain", VMId=id)
        fits(text, FUNCTIONS["Get-HvTuiChain"].result)
    assert engine.functions() == FUNCTIONS.keys()


@pytest.mark.parametrize("scenario", scenario_names())
def test_a_feed_takes_every_scenario(scenario: str) -> None:
    feed = DirectFeed.load(scenario)
    for _ in range(3):
        feed.pump(20.0)
    usable = [
        node
        for node in feed.world.nodes.values()
        if not node.faults.down and hyperv_trouble(node) is None and not node.build.startswith("6.3")
    ]
    assert set(feed.state.homes) == {vm_id for node in usable for vm_id in node.vms}


def test_an_unknown_command_is_the_error_powershell_gives() -> None:
    engine = NativeEngine(World.load("healthy", start=START), "HV01")
    with pytest.raises(CommandError) as caught:
        asyncio.run(engine.run(Call("Get-VM"), Sink()))
    assert caught.value.error_id == "CommandNotFoundException"


def test_a_feed_shows_how_each_node_can_be_heard() -> None:
    feed = DirectFeed.load("faults")
    status = {name: view.link.status for name, view in feed.state.nodes.items()}
    assert status["HV01"] is LinkStatus.LIVE
    assert status["HV05"] is LinkStatus.HANGING
    assert status["HV07"] is LinkStatus.UNUSABLE
    assert status["HV09"] is LinkStatus.UNREACHABLE
    assert feed.state.nodes["HV08"].link.offset == timedelta(minutes=-11)
    feed.world.node("HV05").faults.vmms_hung = False
    actions.return_node(feed.world, feed.world.node("HV09"))
    feed.pump(2)
    status = {name: view.link.status for name, view in feed.state.nodes.items()}
    assert status["HV05"] is LinkStatus.LIVE
    assert status["HV09"] is LinkStatus.LIVE


def test_a_feed_tells_what_changed_and_reads_when_asked() -> None:
    feed = DirectFeed.load("healthy")
    heard: list[Change] = []
    end = feed.subscribe(heard.append)
    feed.pump(30)
    assert heard
    assert heard[-1].vms
    assert feed.state.nodes["HV04"].link.last_frame == feed.clock.monotonic()
    feed.refresh("writers", "HV04")
    assert heard[-1].writers == {"HV04"}
    assert feed.asked == [("writers", "HV04")]
    end()
    count = len(heard)
    feed.pump(2)
    assert len(heard) == count
