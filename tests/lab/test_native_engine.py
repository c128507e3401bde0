"""The native engine as a running command sees it: streams, stopping, refusals, blocking, hanging."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from hvtui.lab.engine import Call, CommandError
from hvtui.lab.native import NativeEngine
from hvtui.lab.world import World, actions
from hvtui.model.records import ClusterFrame, EventPage, Info, NodeFrame, WriterText
from tests.support.world import START

PATIENCE = 20.0


class Sink:
    """Output of a command whose client reads everything at once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.news = asyncio.Event()

    async def write(self, text: str) -> None:
        self.texts.append(text)
        self.news.set()

    def error(self, record: CommandError) -> None:
        raise record

    async def count(self, number: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.texts) < number:
                self.news.clear()
                await self.news.wait()

    async def until(self, what: Callable[[str], bool]) -> str:
        seen = 0
        async with asyncio.timeout(PATIENCE):
            while True:
                for text in self.texts[seen:]:
                    if what(text):
                        return text
                seen = len(self.texts)
                self.news.clear()
                if len(self.texts) == seen:
                    await self.news.wait()


@asynccontextmanager
async def running(engine: NativeEngine, command: str, **parameters: Any) -> AsyncIterator[Sink]:
    """A command while it runs; stopped at the end, and it must obey."""
    call, sink = Call(command, parameters), Sink()
    task = asyncio.create_task(engine.run(call, sink))
    await asyncio.sleep(0)  # it runs up to its first wait
    try:
        yield sink
    finally:
        call.stopped.set()
        async with asyncio.timeout(PATIENCE):
            await task


async def ask(engine: NativeEngine, command: str, **parameters: Any) -> str:
    sink = Sink()
    async with asyncio.timeout(PATIENCE):
        await engine.run(Call(command, parameters), sink)
    (text,) = sink.texts
    return text


def node_frames(sink: Sink) -> list[NodeFrame]:
    return [msgspec.json.decode(text, type=NodeFrame) for text in sink.texts]


async def test_a_stream_begins_full_and_numbers_its_messages() -> None:
    world = World.load("healthy", start=START)
    async with running(NativeEngine(world, "HV01"), "Watch-HvTuiNode", IntervalMs=500) as sink:
        await sink.count(1)
        for number in range(2, 8):
            world.advance(2)
            await sink.count(number)
    frames = node_frames(sink)
    assert [frame.seq for frame in frames] == list(range(1, len(frames) + 1))
    assert frames[0].kind == "full"
    assert "full" not in {frame.kind for frame in frames[1:]}
    assert all(frame.vms is None and frame.gone == {} for frame in frames[1:] if frame.kind == "beat")


async def test_a_stepped_world_wakes_its_streams_at_once() -> None:
    world = World.load("healthy", start=START)
    # An interval longer than the test's patience: only the step can bring the second message.
    async with running(NativeEngine(world, "HV01"), "Watch-HvTuiCluster", IntervalMs=60_000) as sink:
        await sink.count(1)
        world.advance(30)
        await sink.count(2)
    second = msgspec.json.decode(sink.texts[1], type=ClusterFrame)
    assert (second.time - START).total_seconds() == 30


async def test_count_ends_a_stream() -> None:
    engine = NativeEngine(World.load("healthy", start=START), "HV02")
    assert msgspec.json.decode(await ask(engine, "Watch-HvTuiNode", Count=1), type=NodeFrame).kind == "full"


async def test_a_running_world_follows_real_time() -> None:
    world = World.load("healthy", start=START)
    real = 100.0
    world.run(10.0, lambda: real)
    real += 3.0
    frame = msgspec.json.decode(await ask(NativeEngine(world, "HV01"), "Watch-HvTuiNode", Count=1), type=NodeFrame)
    assert (frame.time - START).total_seconds() == 30


@pytest.mark.parametrize(
    ("command", "parameters", "error_id"),
    [
        ("Watch-HvTuiNode", {"IntervalMs": 499}, "ParameterArgumentValidationError,Watch-HvTuiNode"),
        ("Watch-HvTuiNode", {"SlowSeconds": "much"}, "ParameterArgumentTransformationError,Watch-HvTuiNode"),
        ("Watch-HvTuiCluster", {"LoadSeconds": 10}, "NamedParameterNotFound,Watch-HvTuiCluster"),
        ("Get-HvTuiEvent", {}, "MissingMandatoryParameter,Get-HvTuiEvent"),
        ("Get-HvTuiEvent", {"Channel": "Security"}, "ParameterArgumentValidationError,Get-HvTuiEvent"),
        ("Get-HvTuiInfo", {"Part": "Secret"}, "ParameterArgumentValidationError,Get-HvTuiInfo"),
        ("Get-HvTuiWriter", {"TimeoutSeconds": 601}, "ParameterArgumentValidationError,Get-HvTuiWriter"),
    ],
)
async def test_parameters_are_refused_as_powershell_does(
    command: str, parameters: dict[str, Any], error_id: str
) -> None:
    engine = NativeEngine(World.load("empty", start=START), "HV01")
    with pytest.raises(CommandError) as caught:
        await engine.run(Call(command, parameters), Sink())
    assert caught.value.error_id == error_id


async def test_vssadmin_waits_behind_a_freeze_and_is_read_once_at_a_time() -> None:
    world = World.load("access-denied", start=START)
    node = world.node("HV01")
    while not world.elapsed < node.freeze_until:
        world.advance(0.5)
    engine = NativeEngine(world, "HV01")
    async with running(engine, "Get-HvTuiWriter", TimeoutSeconds=120) as sink:
        busy = msgspec.json.decode(await ask(engine, "Get-HvTuiWriter"), type=WriterText)
        assert (busy.busy, busy.text) == (True, None)
        assert sink.texts == []
        world.advance(7)
        world.advance(10)
        await sink.count(1)
    answer = msgspec.json.decode(sink.texts[0], type=WriterText)
    assert answer.exit_code == 0
    assert answer.duration_ms > 7000
    assert "66841cd4-6ded-4f4b-8f17-fd23f8ddc3de" in (answer.text or "")
    free = msgspec.json.decode(await ask(engine, "Get-HvTuiWriter"), type=WriterText)
    assert not free.busy


async def test_a_vssadmin_that_hangs_is_ended_at_the_time_limit_of_the_node() -> None:
    world = World.load("healthy", start=START)
    world.node("HV01").faults.vssadmin_hung = True
    async with running(NativeEngine(world, "HV01"), "Get-HvTuiWriter", TimeoutSeconds=60) as sink:
        world.advance(30)
        world.advance(31)
        await sink.count(1)
    answer = msgspec.json.decode(sink.texts[0], type=WriterText)
    assert (answer.timed_out, answer.text, answer.duration_ms) == (True, None, 60_000)
    assert answer.errors[0].kind == "timeout"


async def test_a_hanging_vmms_is_told_from_a_node_that_answers() -> None:
    world = World.load("healthy", start=START)
    world.deadline = 0.3
    engine = NativeEngine(world, "HV01")
    async with running(engine, "Watch-HvTuiNode", IntervalMs=500) as sink:
        await sink.count(1)
        world.node("HV01").faults.vmms_hung = True
        world.changed()
        text = await sink.until(lambda t: '"timeout"' in t)
        basic = msgspec.json.decode(await ask(engine, "Get-HvTuiInfo", Part="Basic"), type=Info)
        world.node("HV01").faults.vmms_hung = False
        world.changed()
        healed = await sink.until(lambda t: '"errors":[]' in t and '"kind":"full"' not in t)
    frame = msgspec.json.decode(text, type=NodeFrame)
    assert {problem.kind for problem in frame.errors or ()} == {"timeout"}
    assert {problem.part for problem in frame.errors or ()} >= {"vms", "jobs", "files"}
    assert frame.gone == {}
    assert (basic.node, basic.services["vmms"], basic.errors) == ("HV01", "Running", [])
    assert msgspec.json.decode(healed, type=NodeFrame).errors == []


async def test_info_tells_what_is_missing() -> None:
    world = World.load("faults", start=START)
    world.deadline = 0.05
    answers = {
        name: msgspec.json.decode(await ask(NativeEngine(world, name), "Get-HvTuiInfo"), type=Info)
        for name, node in world.nodes.items()
        if not node.faults.down
    }
    assert all(answers["HV01"].rights.values())
    assert answers["HV02"].rights["elevated"] is False
    assert answers["HV02"].rights["vss"] is False
    assert answers["HV03"].rights["hyperv"] is False
    assert answers["HV04"].rights["events"] is False
    assert answers["HV05"].rights["hyperv"] is None
    assert {problem.kind for problem in answers["HV05"].errors} == {"timeout"}
    assert "Hyper-V" not in answers["HV06"].modules
    assert "vmms" not in answers["HV06"].services
    assert answers["HV07"].supported is False
    assert (answers["HV08"].time - world.now).total_seconds() == -660


async def test_a_node_without_power_never_answers() -> None:
    world = World.load("healthy", start=START)
    actions.fail_node(world, world.node("HV01"))
    async with running(NativeEngine(world, "HV01"), "Get-HvTuiInfo") as sink:
        world.advance(60)
        await asyncio.sleep(0)
    assert sink.texts == []


async def test_events_are_read_by_position_without_a_gap_or_a_double() -> None:
    world = World.load("stuck-writer", start=START)
    engine = NativeEngine(world, "HV03")
    channel = "Microsoft-Windows-Hyper-V-VMMS-Admin"
    seen: list[int] = []
    after = 0
    for _ in range(30):
        world.advance(60)
        more = True
        while more:
            text = await ask(engine, "Get-HvTuiEvent", Channel=channel, AfterRecord=after, MaxEvents=3, Hours=168)
            page = msgspec.json.decode(text, type=EventPage)
            seen += [event.record for event in page.events or ()]
            after, more = (seen[-1] if seen else 0), page.more
            assert len(page.events or ()) <= 3
    held = [event.record for event in world.node("HV03").log(channel).records]
    assert seen == held[-len(seen) :]
    assert len(seen) > 10
    assert seen == sorted(set(seen))


async def test_a_log_that_wrapped_says_so() -> None:
    world = World.load("stuck-writer", start=START)
    node = world.node("HV03")
    channel = "Microsoft-Windows-Hyper-V-VMMS-Admin"
    log = node.log(channel)
    log.capacity = 5
    world.advance(20 * 60)
    engine = NativeEngine(world, "HV03")
    page = msgspec.json.decode(await ask(engine, "Get-HvTuiEvent", Channel=channel, AfterRecord=1), type=EventPage)
    assert page.wrapped is True
    assert len(page.events or ()) == 5
    assert page.oldest_record == log.newest - 4
    last = msgspec.json.decode(
        await ask(engine, "Get-HvTuiEvent", Channel=channel, AfterRecord=log.newest), type=EventPage
    )
    assert (last.wrapped, last.events) == (False, [])


async def test_denied_logs_and_providers_are_problems_not_emptiness() -> None:
    world = World.load("healthy", start=START)
    faults = world.node("HV01").faults
    faults.rights |= {"events", "elevated"}
    engine = NativeEngine(world, "HV01")
    page = msgspec.json.decode(await ask(engine, "Get-HvTuiEvent", Channel="System"), type=EventPage)
    assert (page.events, page.errors[0].kind) == (None, "denied")
    writers = msgspec.json.decode(await ask(engine, "Get-HvTuiWriter"), type=WriterText)
    assert writers.exit_code == 2
    assert writers.errors[0].kind == "denied"
