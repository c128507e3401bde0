"""Both streams on each version of Windows, read by hvtui's own lane: what they tell, and how they end.

The way is the real one: lane, pypsrp, WSMan, PSRP, PowerShell, the module, the stand-ins of that version.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from hvtui.errors import DeadlinePassed
from hvtui.model.merge import SequenceGapError
from tests.engine.support.site import NODE, WITHIN, Site
from tests.engine.support.watching import Reader, Watch, each, expected_keys, some_vm, toggle, works
from tests.support.wait import until


@each
async def test_a_full_picture_then_heartbeats_then_changes(site: Site, watch: Watch) -> None:
    reader = Reader(watch)
    async with watch.start(site) as stream:
        full = await reader.next(stream)
        assert (full.kind, full.seq, full.errors) == ("full", 1, [])
        assert [name for name in watch.sections if getattr(full, name) is None] == []
        whole = reader.shown
        assert whole.keys() == site.lab.call(lambda world: expected_keys(watch, world))
        beat = await reader.next(stream)
        assert (beat.kind, beat.seq) == ("beat", 2)
        key = site.lab.call(lambda world: watch.key_of(some_vm(world)))
        site.change(toggle)
        delta = await reader.news(stream)
        assert delta.kind == "delta"
        assert [name for name in watch.sections if getattr(delta, name) is not None] == [watch.section]
        assert {one for one, record in reader.shown.items() if record != whole[one]} == {key}
        assert (await reader.next(stream)).kind == "beat"
    await works(site)


@each
async def test_a_lost_message_is_noticed_and_a_full_picture_heals_it(site: Site, watch: Watch) -> None:
    reader = Reader(watch)

    async with watch.start(site) as stream:
        await reader.next(stream)
        await reader.next(stream)
        before = reader.shown
        key = site.lab.call(lambda world: watch.key_of(some_vm(world)))
        site.node.lose(1, f'"id":"{key}"')
        site.change(toggle)
        with pytest.raises(SequenceGapError, match="expected message"):
            await reader.news(stream)
        # The change was in the message that was lost; the one after it is not believed.
        assert reader.shown == before
    reader.restart()
    async with watch.start(site) as stream:
        assert (await reader.next(stream)).kind == "full"
    assert {one for one, record in reader.shown.items() if record != before[one]} == {key}
    await works(site)


@each
async def test_a_stop_ends_the_pipeline_at_the_node(site: Site, watch: Watch) -> None:
    # A lane gives a pipeline five seconds to stop, then it takes another session: the same engine tells that it did.
    engine = await works(site)
    async with watch.start(site, IntervalMs=60_000) as stream:
        await anext(stream)
    assert await works(site) == engine
    # In the middle of a question that is never answered.
    failure = site.lab.on_loop(lambda: site.lab.host.control.fail(NODE, "Get-CimInstance", "hang", match=_of(watch)))
    stream = watch.start(site)
    await until(lambda: failure.met, WITHIN)
    await stream.aclose()
    assert await works(site) == engine
    site.lab.on_loop(failure.lift)
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


def _of(watch: Watch) -> Callable[[dict[str, Any]], bool]:
    return lambda parameters: watch.asks in str(parameters)


@each
async def test_a_deadline_ends_the_pipeline_at_the_node(site: Site, watch: Watch) -> None:
    engine = await works(site)
    with pytest.raises(DeadlinePassed, match=f"{NODE} did not finish within 1 s") as caught:
        await site.lane.call(watch.function, {"IntervalMs": 500}, deadline=0.6)
    assert "stopped on the node" in caught.value.hint
    assert await works(site) == engine


@each
async def test_a_count_ends_the_stream_at_the_node(site: Site, watch: Watch) -> None:
    seen = []
    async with asyncio.timeout(WITHIN * 3):
        async for frame in watch.start(site, Count=3):
            seen.append(frame.seq)
    assert seen == [1, 2, 3]
    await works(site)
