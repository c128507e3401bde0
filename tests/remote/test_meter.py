"""What hvtui costs a node is counted where it is asked, and forgotten after a minute."""

from __future__ import annotations

import threading

import pytest

from hvtui.clock import ManualClock
from hvtui.lab.serve import Lab
from hvtui.remote.connect import Connector
from hvtui.remote.contract import GET_INFO, WATCH_NODE
from hvtui.remote.meter import STEP, WINDOW, Meter
from tests.remote.conftest import config_for, gate_for
from tests.remote.engines import ScriptedEngine, frame, ticking
from tests.support import builders as b


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(b.NOW)


def test_a_node_that_was_never_contacted_has_no_sums(clock: ManualClock) -> None:
    meter = Meter(clock)
    assert meter.usage() is None
    meter.session("watch")
    assert meter.usage() is None


def test_sums_are_of_the_last_minute(clock: ManualClock) -> None:
    meter = Meter(clock)
    session = meter.session("watch")
    session.called("Watch-HvTuiNode")
    meter.request(100, 1000)
    session.answered(500, stream="Watch-HvTuiNode")
    clock.advance(30)
    meter.request(10, 20)
    session.answered(540, stream="Watch-HvTuiNode")
    usage = meter.usage()
    assert usage is not None
    assert (usage.seconds, usage.calls, usage.rounds) == (30, {"Watch-HvTuiNode": 1}, {"Watch-HvTuiNode": 2})
    assert (usage.cpu_ms, usage.requests, usage.sent, usage.received) == (540, 2, 110, 1020)
    clock.advance(WINDOW - 30 + STEP)
    usage = meter.usage()
    assert usage is not None
    assert (usage.seconds, usage.calls, usage.rounds) == (WINDOW, {}, {"Watch-HvTuiNode": 1})
    assert (usage.cpu_ms, usage.requests, usage.sent, usage.received) == (40, 1, 10, 20)


def test_nothing_said_of_the_processor_is_unknown_not_nothing(clock: ManualClock) -> None:
    meter = Meter(clock)
    session = meter.session("watch")
    session.answered(None, stream="Watch-HvTuiNode")
    usage = meter.usage()
    assert usage is not None
    assert (usage.cpu_ms, usage.untold, usage.sessions) == (None, ("watch",), ("watch",))
    meter.session("facts").answered(7)
    usage = meter.usage()
    assert usage is not None
    assert (usage.cpu_ms, usage.untold, usage.sessions) == (7, ("watch",), ("facts", "watch"))


def test_each_session_is_a_process_of_its_own(clock: ManualClock) -> None:
    meter = Meter(clock)
    first, second = meter.session("watch"), meter.session("watch")
    first.answered(400)
    second.answered(300)
    first.answered(410)
    first.close()
    first.close()
    usage = meter.usage()
    assert usage is not None
    assert (usage.cpu_ms, usage.sessions) == (710, ("watch",))


def test_a_process_that_has_used_less_than_before_is_another_one(clock: ManualClock) -> None:
    meter = Meter(clock)
    session = meter.session("watch")
    session.answered(900)
    session.answered(50)
    session.answered(60)
    usage = meter.usage()
    assert usage is not None
    assert usage.cpu_ms == 960


def test_lanes_count_at_the_same_time(clock: ManualClock) -> None:
    meter = Meter(clock)

    def work() -> None:
        for _ in range(2000):
            meter.request(1, 2)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    usage = meter.usage()
    assert usage is not None
    assert (usage.requests, usage.sent, usage.received) == (8000, 8000, 16000)


async def test_a_lane_counts_what_it_asks() -> None:
    told = frame("full", 1)[:-1] + ',"cpu_ms":450}'
    engine = ScriptedEngine(**{"Watch-HvTuiNode": ticking(told, frame("beat", 2)[:-1] + ',"cpu_ms":470}')})
    with Lab({"HV01": engine}) as lab:
        connector = Connector(config_for(lab), gate_for(lab))
        lane = connector.lane("HV01", "test")
        try:
            assert connector.usage("HV01") is None
            await lane.call(GET_INFO, {"Part": "Basic"})
            usage = connector.usage("hv01")
            assert usage is not None
            # Logging on, the shell, the module and the call are several requests; the answer has no word of the CPU.
            assert usage.requests > 3
            assert min(usage.sent, usage.received) > 1000
            assert (usage.calls, usage.rounds) == ({"Get-HvTuiInfo": 1}, {})
            assert (usage.cpu_ms, usage.untold) == (None, ("test",))
            async with lane.stream(WATCH_NODE, poll=1) as stream:
                assert [(await anext(stream)).cpu_ms for _ in range(2)] == [450, 470]
            usage = connector.usage("HV01")
            assert usage is not None
            assert usage.calls == {"Get-HvTuiInfo": 1, "Watch-HvTuiNode": 1}
            assert usage.rounds == {"Watch-HvTuiNode": 2}
            assert (usage.cpu_ms, usage.untold, usage.sessions) == (470, (), ("test",))
        finally:
            await lane.close()
        connector.renamed("HV01", "HV01.other")
        assert connector.usage("HV01") is None
        usage = connector.usage("HV01.other")
        assert usage is not None
        assert usage.sessions == ()
