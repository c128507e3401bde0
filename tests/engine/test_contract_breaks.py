"""What may break between hvtui and a node's engine: the same on every version, so it is tried on one."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pypsrp.wsman import SelectorSet

from hvtui.errors import DeadlinePassed, Unreachable
from hvtui.lab.endpoint import soap
from hvtui.live.monitor import Monitor
from hvtui.model.link import LinkStatus
from hvtui.remote.contract import GET_INFO, GET_WRITER
from hvtui.remote.lane import Stream
from tests.engine.engine_lab import engines
from tests.engine.support.site import NODE, WITHIN, Site, site_of
from tests.engine.support.watching import BASIC, WATCHES, Reader, Watch, each, some_vm, toggle, works
from tests.lab.endpoint_client import connect
from tests.live.conftest import QUICK
from tests.support.processes import children
from tests.support.wait import until


@pytest.fixture(scope="module")
def site(pwsh: str) -> Iterator[Site]:
    """A node with Windows Server 2022."""
    with site_of("2022") as made:
        yield made


def _shells(site: Site) -> set[str]:
    return site.lab.on_loop(lambda: set(site.lab.cluster.nodes[NODE].service.shells))


def _delete(site: Site, shell: str) -> None:
    """End a session as somebody else who uses the same account."""
    selectors = SelectorSet()
    selectors.add_option("ShellId", shell)
    with connect(site.lab, NODE) as wsman:
        wsman.delete(f"{soap.POWERSHELL}Microsoft.PowerShell", selector_set=selectors)


async def _read_out(stream: Stream) -> None:
    async with asyncio.timeout(WITHIN):
        async for _ in stream:
            pass


@each
async def test_an_answer_that_breaks_off_loses_nothing(site: Site, watch: Watch) -> None:
    reader = Reader(watch)
    engine = await works(site)
    logons = site.lab.logons[site.lab.username].succeeded
    async with watch.start(site) as stream:
        await reader.next(stream)
        site.node.spoil("drop", verb="Receive")
        site.change(toggle)
        assert (await reader.news(stream)).kind == "delta"
        await reader.next(stream)
    assert await works(site) == engine
    assert site.lab.logons[site.lab.username].succeeded == logons + 1


@each
async def test_a_session_that_is_deleted_ends_the_stream_and_is_replaced(site: Site, watch: Watch) -> None:
    engine = await works(site)
    async with watch.start(site) as stream:
        await anext(stream)
        (shell,) = _shells(site)
        _delete(site, shell)
        with pytest.raises(Unreachable, match=f"{NODE} ended the session"):
            await _read_out(stream)
    assert await works(site) != engine
    assert site.node.shells == 1


async def test_a_network_that_fails_ends_the_stream_and_the_session_is_replaced(site: Site) -> None:
    engine = await works(site)
    (shell,) = _shells(site)
    async with WATCHES[0].start(site) as stream:
        await anext(stream)
        site.node.stop(keep_shells=True)
        with pytest.raises(Unreachable, match="Nothing listens"):
            await _read_out(stream)
    site.node.start()
    assert (await site.lane.call(GET_INFO, BASIC, deadline=WITHIN)).node == NODE
    # The node knows nothing of it: the old session ends when it was idle long enough, or when somebody ends it.
    assert len(_shells(site)) == 2
    _delete(site, shell)
    await until(lambda: engine not in engines(site.lab), WITHIN)
    assert await works(site) != engine


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be halted by a signal there")
async def test_an_engine_that_hangs_is_given_up_at_the_deadline(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hvtui.remote.session.STOP_SECONDS", 0.5)
    monkeypatch.setattr("hvtui.remote.lane.STOP_SECONDS", 0.5)
    engine = await works(site)
    os.kill(engine, signal.SIGSTOP)
    try:
        with pytest.raises(DeadlinePassed, match=f"{NODE} did not answer within") as caught:
            await site.lane.call(WATCHES[0].function, {"IntervalMs": 500}, deadline=0.5)
        assert "given up" in caught.value.hint
    finally:
        os.kill(engine, signal.SIGKILL)
    await until(lambda: engine not in engines(site.lab), WITHIN)
    assert await works(site) != engine


@pytest.mark.timeout(300)
async def test_the_console_asks_for_a_full_picture_after_a_gap(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    config = replace(site.config, addresses={NODE: site.lab.addresses[NODE]}, refresh=0.5)
    monitor = Monitor(config, credentials=site.gate, timing=replace(QUICK, silence=WITHIN, first_picture=WITHIN))
    gap = "expected message"
    with caplog.at_level(logging.INFO, "hvtui.live"):
        await monitor.start()
        try:
            view, key = monitor.state.node(NODE), site.lab.call(lambda world: some_vm(world).id)
            await until(lambda: view.vms and key in view.vms and view.seq > 1, 2 * WITHIN)
            assert view.vms is not None
            before = view.vms[key].state

            site.node.lose(1, f'"id":"{key}"')
            site.change(toggle)
            await until(lambda: [one for one in caplog.messages if one.startswith(f"{NODE}: {gap}")], 2 * WITHIN)
            await until(lambda: view.vms and view.vms[key].state != before, WITHIN)
            assert monitor.state.node(NODE).link.status is LinkStatus.LIVE
        finally:
            await monitor.stop()


async def test_the_nodes_own_deadline_ends_vssadmin(site: Site) -> None:
    site.change(lambda world: setattr(world.node(NODE).faults, "vssadmin_hung", True))
    try:
        answer = await site.lane.call(GET_WRITER, {"TimeoutSeconds": 5}, deadline=WITHIN)
    finally:
        site.change(lambda world: setattr(world.node(NODE).faults, "vssadmin_hung", False))
    assert (answer.timed_out, answer.text, answer.exit_code) == (True, None, None)
    assert [problem.kind for problem in answer.errors] == ["timeout"]
    assert children(await works(site)) == []
