"""A lane against a real WSMan/PSRP endpoint."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from hvtui.errors import (
    BadReply,
    DeadlinePassed,
    NodeRefused,
    NotAuthenticated,
    NotAuthorised,
    Unreachable,
    Untrusted,
)
from hvtui.lab.endpoint.accounts import Account
from hvtui.lab.engine import Call, CommandError, Output
from hvtui.lab.serve import Lab
from hvtui.remote.contract import GET_EVENT, GET_INFO, GET_PROVIDER, WATCH_NODE
from hvtui.remote.lane import Lane
from hvtui.remote.module import Source
from tests.remote.conftest import gate_for
from tests.remote.engines import ScriptedEngine, frame, hang, info, ticking
from tests.support.wait import until

Lanes = Callable[..., Lane]


async def test_call_returns_the_record(lane_to: Lanes) -> None:
    engine = ScriptedEngine()
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        answer = await lane.call(GET_INFO, {"Part": "Basic"})
        assert (answer.node, answer.supported) == ("HV01", True)
        assert lane.source is Source.INSTALLED
        assert engine.calls[-1].parameters["Part"] == "Basic"


async def test_big_numbers_arrive_whole(lane_to: Lanes) -> None:
    engine = ScriptedEngine(
        **{"Get-HvTuiEvent": '{"v":1,"time":"2026-01-10T01:00:00Z","channel":"System","events":[]}'}
    )
    with Lab({"HV01": engine}) as lab:
        await lane_to(lab).call(GET_EVENT, {"Channel": "System", "AfterRecord": 2**40})
        assert engine.calls[-1].parameters["AfterRecord"] == 2**40


async def test_stream_hands_over_each_message_and_stops_on_the_node(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{"Watch-HvTuiNode": ticking(frame("full", 1), frame("beat", 2), frame("beat", 3))})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        async with lane.stream(WATCH_NODE, {"IntervalMs": 500}, poll=1) as stream:
            assert [(await anext(stream)).seq for _ in range(3)] == [1, 2, 3]
        # The lane is usable at once, and the pipeline was really stopped.
        assert (await lane.call(GET_INFO)).node == "HV01"
        assert engine.stops == 1


async def test_waiting_for_a_message_may_be_cancelled(lane_to: Lanes) -> None:
    go = threading.Event()

    async def later(call: Call, output: Output) -> None:
        await output.write(frame("full", 1))
        await asyncio.to_thread(go.wait)
        await output.write(frame("beat", 2))

    with Lab({"HV01": ScriptedEngine(**{"Watch-HvTuiNode": later})}) as lab:
        async with lane_to(lab).stream(WATCH_NODE, poll=1) as stream:
            assert (await anext(stream)).seq == 1
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.05)
            go.set()
            assert (await anext(stream)).seq == 2
            with pytest.raises(StopAsyncIteration):
                await anext(stream)


async def test_cancelled_call_is_stopped_on_the_node_and_the_lane_goes_on(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{"Get-HvTuiProvider": hang})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await lane.open()
        for _ in range(3):
            running = asyncio.create_task(lane.call(GET_PROVIDER))
            await until(lambda: engine.calls and engine.calls[-1].command == "Get-HvTuiProvider")
            engine.calls.clear()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert (await lane.call(GET_INFO)).node == "HV01"
        assert engine.stops == 3
        assert lab.node("HV01").shells == 1


async def test_deadline_stops_the_call_and_the_lane_goes_on(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{"Get-HvTuiProvider": hang})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await lane.open()
        with pytest.raises(DeadlinePassed, match="HV01 did not finish within 1 s"):
            await lane.call(GET_PROVIDER, deadline=1)
        assert engine.stops == 1
        assert (await lane.call(GET_INFO)).node == "HV01"


async def test_error_record_is_told_with_its_id(lane_to: Lanes) -> None:
    async def fail(call: Call, output: Output) -> None:
        raise CommandError("the sky fell \u202edown", error_id="SkyFell")

    with Lab({"HV01": ScriptedEngine(**{"Get-HvTuiProvider": fail})}) as lab:
        lane = lane_to(lab)
        with pytest.raises(NodeRefused, match="the sky fell") as caught:
            await lane.call(GET_PROVIDER)
        assert caught.value.code.startswith("SkyFell")
        assert "\u202e" not in caught.value.text
        assert (await lane.call(GET_INFO)).node == "HV01"


async def test_error_record_beside_an_answer_does_not_hide_the_answer(lane_to: Lanes) -> None:
    async def both(call: Call, output: Output) -> None:
        output.error(CommandError("a warning of sorts"))
        await output.write(info())

    with Lab({"HV01": ScriptedEngine(**{"Get-HvTuiInfo": both})}) as lab:
        assert (await lane_to(lab).call(GET_INFO)).node == "HV01"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("", "answered nothing"),
        ("not json", "sent no JSON"),
        (info()[:-20], "sent no JSON"),
        ('{"v": 1}', "does not keep the contract"),
        (info(v=9), "wire version 9"),
    ],
)
async def test_bad_answers(lane_to: Lanes, answer: str, says: str) -> None:
    with Lab({"HV01": ScriptedEngine(**{"Get-HvTuiInfo": answer})}) as lab, pytest.raises(BadReply, match=says):
        await lane_to(lab).call(GET_INFO)


async def test_bad_message_in_a_stream_ends_it(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{"Watch-HvTuiNode": ticking(frame("full", 1), "{oops")})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        async with lane.stream(WATCH_NODE, poll=1) as stream:
            await anext(stream)
            with pytest.raises(BadReply):
                await anext(stream)
        assert (await lane.call(GET_INFO)).node == "HV01"


@pytest.mark.parametrize("kind", ["truncate", "garble"])
async def test_spoilt_envelope_is_a_bad_reply_and_the_lane_recovers(lane_to: Lanes, kind: str) -> None:
    with Lab({"HV01": ScriptedEngine()}) as lab:
        lane = lane_to(lab)
        await lane.open()
        lab.node("HV01").spoil(kind, verb="Receive")  # type: ignore[arg-type]
        with pytest.raises(BadReply):
            await lane.call(GET_INFO)
        assert (await lane.call(GET_INFO)).node == "HV01"


async def test_broken_connection_in_the_middle_of_an_answer_is_survived(lane_to: Lanes) -> None:
    engine = ScriptedEngine()
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await lane.open()
        lab.node("HV01").spoil("drop", verb="Receive")
        assert (await lane.call(GET_INFO)).node == "HV01"
        assert len(engine.calls) == 1


async def test_idle_connection_closed_by_the_server_is_logged_on_again(lane_to: Lanes) -> None:
    with Lab({"HV01": ScriptedEngine()}, idle_close=0.1) as lab:
        lane = lane_to(lab)
        await lane.open()
        before = lab.logons[lab.username].succeeded
        await asyncio.sleep(0.4)
        assert (await lane.call(GET_INFO)).node == "HV01"
        assert lab.logons[lab.username].succeeded == before + 1
        assert lab.node("HV01").shells == 1


async def test_restarted_node_is_asked_in_a_new_session(lane_to: Lanes) -> None:
    with Lab({"HV01": ScriptedEngine()}) as lab:
        lane = lane_to(lab)
        await lane.open()
        lab.node("HV01").stop()
        lab.node("HV01").start()
        assert (await lane.call(GET_INFO)).node == "HV01"


async def test_closed_port(lane_to: Lanes) -> None:
    with Lab({"HV01": ScriptedEngine()}) as lab:
        lab.node("HV01").stop()
        with pytest.raises(Unreachable, match=r"Nothing listens at 127.0.0.1:\d+") as caught:
            await lane_to(lab).open()
        assert "Enable-PSRemoting" in caught.value.hint


async def test_node_that_accepts_and_never_answers(lane_to: Lanes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hvtui.remote.transport.LOG_ON_SECONDS", 0.5)
    with Lab({"HV01": ScriptedEngine()}) as lab:
        lab.node("HV01").hang()
        with pytest.raises(Unreachable, match="accepts connections but does not answer"):
            await lane_to(lab).open()


async def test_wrong_password_is_tried_once(lane_to: Lanes) -> None:
    with Lab({"HV01": ScriptedEngine()}) as lab:
        lane = lane_to(lab, gate=gate_for(lab, "wrong"))
        for _ in range(3):
            with pytest.raises(NotAuthenticated):
                await lane.open()
        assert lab.logons[lab.username].failed == 1


async def test_account_that_may_not_open_a_session(lane_to: Lanes) -> None:
    account = Account("reader", "reading", allowed=False)
    with Lab({"HV01": ScriptedEngine()}, accounts=(account,)) as lab:
        gate = gate_for(lab)
        gate.replace(type(gate._credential)(r"LAB\reader", "reading"))
        with pytest.raises(NotAuthorised, match="Access denied"):
            await lane_to(lab, gate=gate).open()
        assert gate.refusal == ""


async def test_too_many_sessions(lane_to: Lanes) -> None:
    with Lab({"HV01": ScriptedEngine()}, max_shells=1) as lab:
        await lane_to(lab).open()
        with pytest.raises(NodeRefused, match="2150859173") as caught:
            await lane_to(lab).open()
        assert "personal accounts" in caught.value.hint


async def test_tls_with_the_clusters_own_authority(lane_to: Lanes) -> None:
    with Lab({"HV01": ScriptedEngine()}, tls=True) as lab:
        assert (await lane_to(lab).call(GET_INFO)).node == "HV01"
        assert (await lane_to(lab, ca=None, verify=False).call(GET_INFO)).node == "HV01"


async def test_unknown_authority(lane_to: Lanes) -> None:
    with Lab({"HV01": ScriptedEngine()}, tls=True) as lab:
        with pytest.raises(Untrusted, match="CA that is not trusted"):
            await lane_to(lab, ca=None).open()
        assert lab.logons[lab.username].succeeded == 0


@pytest.mark.parametrize(
    ("mistake", "says"), [({"expired": True}, "has expired"), ({"address": "hv01.example"}, "is for another name")]
)
async def test_bad_certificate(lane_to: Lanes, mistake: dict[str, Any], says: str) -> None:
    with Lab({"HV01": ScriptedEngine()}, tls=True) as lab:
        node = lab.cluster.nodes["HV01"]
        assert lab.cluster.authority is not None
        lab.node("HV01").stop()
        node.tls = lab.cluster.authority.issue(**mistake).tls()
        lab.node("HV01").start()
        with pytest.raises(Untrusted, match=says):
            await lane_to(lab).open()
        assert lab.logons[lab.username].succeeded == 0


async def test_text_that_is_no_text(lane_to: Lanes) -> None:
    with Lab({"HV01": ScriptedEngine(**{"Get-HvTuiInfo": info(build="\ud800")})}) as lab:
        lane = lane_to(lab)
        lab.node("HV01").rewrite(lambda text: text.replace("\\ud800", "\ud800"))
        with pytest.raises(BadReply):
            await lane.call(GET_INFO)


async def test_http_asked_for_tls(lane_to: Lanes) -> None:
    with Lab({"HV01": ScriptedEngine()}) as lab, pytest.raises(Untrusted, match="TLS with"):
        await lane_to(lab, tls=True).open()


async def test_proxy_variables_are_ignored(lane_to: Lanes, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with Lab({"HV01": ScriptedEngine()}) as lab:
        assert (await lane_to(lab).call(GET_INFO)).node == "HV01"


async def test_output_batching_does_not_matter(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{"Watch-HvTuiNode": ticking(*(frame("beat", n) for n in range(1, 6)), every=0)})
    with Lab({"HV01": engine}, batching_ms=200) as lab:
        async with lane_to(lab).stream(WATCH_NODE, poll=1) as stream:
            assert [(await anext(stream)).seq for _ in range(5)] == [1, 2, 3, 4, 5]


async def test_close_ends_the_session_even_while_a_stream_runs(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{"Watch-HvTuiNode": ticking(frame("full", 1))})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        stream = lane.stream(WATCH_NODE, poll=1)
        await anext(stream)
        await lane.close()
        assert not lane.alive
        assert lab.node("HV01").shells == 0
        with pytest.raises(Unreachable, match="closed"):
            await lane.call(GET_INFO)


async def test_close_does_not_wait_for_a_node_that_hangs(lane_to: Lanes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hvtui.remote.lane.CLOSE_LIMIT", 0.3)
    engine = ScriptedEngine(**{"Watch-HvTuiNode": ticking(frame("full", 1))})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await anext(lane.stream(WATCH_NODE, poll=1))
        lab.node("HV01").hang()
        async with asyncio.timeout(3):
            await lane.close()
        await until(lambda: not lane.alive)
