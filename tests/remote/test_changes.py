"""A change is sent once: whatever happens to its answer, nothing sends it again, and what is not known is said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from hvtui.errors import BadReply, DeadlinePassed, NodeRefused, NotAuthenticated, OutcomeUnknown, Unreachable
from hvtui.lab.engine import Call, CommandError, Output
from hvtui.lab.serve import Lab
from hvtui.remote.contract import FUNCTIONS, GET_INFO, RESUME_NODE, SET_CHECKPOINT_TYPE, WIRE, Function
from hvtui.remote.lane import Lane
from tests.remote.conftest import gate_for
from tests.remote.engines import TIME, ScriptedEngine, hang
from tests.support.wait import until

Lanes = Callable[..., Lane]
VALUES: Final[dict[str, Any]] = {
    "Failback": "NoFailback",
    "ExpectState": 2,
    "ExpectDrain": 2,
    "OperationId": "0b0d1f5c-39a7-4f52-9f8e-6d1f6a2b7c01",
    "Actor": "anna@ADMIN7",
}
NAME: Final = RESUME_NODE.name
ANSWER: Final = json.dumps(
    {
        "v": WIRE,
        "time": TIME,
        "node": "HV01",
        "function": NAME,
        "operation": VALUES["OperationId"],
        "outcome": "done",
    }
)


def changes(engine: ScriptedEngine) -> int:
    """How often the node was asked for the change."""
    return sum(call.command == NAME for call in engine.calls)


async def test_a_change_answers_with_what_it_did(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{NAME: ANSWER})
    with Lab({"HV01": engine}) as lab:
        answer = await lane_to(lab).call(RESUME_NODE, VALUES)
        assert (answer.outcome, changes(engine)) == ("done", 1)


@pytest.mark.parametrize("kind", ["garble", "truncate"])
async def test_an_answer_lost_on_the_way_is_unknown_and_not_asked_for_again(lane_to: Lanes, kind: str) -> None:
    engine = ScriptedEngine(**{NAME: ANSWER})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await lane.open()

        async def spoilt(call: Call, output: Output) -> None:
            # On the lab's loop already.
            lab.node("HV01")._node.trouble.next(kind, verb="Receive")  # type: ignore[arg-type]
            await output.write(ANSWER)

        engine.behaviours[NAME] = spoilt
        with pytest.raises(OutcomeUnknown) as caught:
            await lane.call(RESUME_NODE, VALUES)
        assert isinstance(caught.value.cause, Unreachable | BadReply)
        assert caught.value.node == "HV01"
        # The lane goes on, and the change was asked for once.
        assert (await lane.call(GET_INFO)).node == "HV01"
        assert changes(engine) == 1


async def test_a_connection_that_breaks_before_the_answer_does_not_lose_it(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{NAME: ANSWER})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await lane.open()

        async def broken(call: Call, output: Output) -> None:
            lab.node("HV01")._node.trouble.next("drop", verb="Receive")
            await output.write(ANSWER)

        engine.behaviours[NAME] = broken
        # Only what was asked last of the pipeline is asked again, the pipeline is not begun anew.
        assert (await lane.call(RESUME_NODE, VALUES)).outcome == "done"
        assert changes(engine) == 1


async def test_an_answer_that_does_not_keep_the_contract_is_unknown(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{NAME: '{"v":1}'})
    with Lab({"HV01": engine}) as lab:
        with pytest.raises(OutcomeUnknown) as caught:
            await lane_to(lab).call(RESUME_NODE, VALUES)
        assert isinstance(caught.value.cause, BadReply)
        assert changes(engine) == 1


async def test_a_change_that_does_not_answer_in_time_is_unknown(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{NAME: hang})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        with pytest.raises(OutcomeUnknown) as caught:
            await lane.call(RESUME_NODE, VALUES, deadline=0.5)
        assert isinstance(caught.value.cause, DeadlinePassed)
        assert (await lane.call(GET_INFO)).node == "HV01"
        assert changes(engine) == 1


async def test_an_error_record_of_a_change_is_unknown_but_a_refused_command_is_not(lane_to: Lanes) -> None:
    async def fail(call: Call, output: Output) -> None:
        raise CommandError("something went wrong", error_id="InTheMiddle")

    engine = ScriptedEngine(**{NAME: fail})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        with pytest.raises(OutcomeUnknown):
            await lane.call(RESUME_NODE, VALUES)
        for wrong in ({"Failback": "Policy"}, {"ExpectState": "many"}, {"OperationId": "none"}, {"Unknown": 1}):
            with pytest.raises(NodeRefused):
                await lane.call(RESUME_NODE, {**VALUES, **wrong})
        with pytest.raises(NodeRefused):
            await lane.call(RESUME_NODE, {})
        assert changes(engine) == 1


async def test_a_session_that_died_unnoticed_takes_no_change_with_it(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{NAME: ANSWER})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await lane.open()
        lab.node("HV01").stop()
        lab.node("HV01").start()
        assert (await lane.call(RESUME_NODE, VALUES)).outcome == "done"
        assert changes(engine) == 1


async def test_a_node_that_is_away_was_not_asked(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{NAME: ANSWER})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await lane.open()
        lab.node("HV01").stop()
        with pytest.raises(Unreachable):
            await lane.call(RESUME_NODE, VALUES)
        assert changes(engine) == 0


async def test_a_wrong_password_sends_nothing(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{NAME: ANSWER})
    with Lab({"HV01": engine}) as lab:
        with pytest.raises(NotAuthenticated):
            await lane_to(lab, gate=gate_for(lab, "wrong")).call(RESUME_NODE, VALUES)
        assert changes(engine) == 0


async def test_a_change_given_up_while_it_waits_for_the_lane_is_never_sent(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{NAME: ANSWER})
    engine.behaviours["Get-HvTuiProvider"] = hang
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await lane.open()
        first = asyncio.create_task(lane.call(FUNCTIONS["Get-HvTuiProvider"]))
        await until(lambda: any(call.command == "Get-HvTuiProvider" for call in engine.calls))
        second = asyncio.create_task(lane.call(RESUME_NODE, VALUES))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await lane.call(GET_INFO)).node == "HV01"
        assert changes(engine) == 0


# --- streams that change something ---


def line(kind: str, changed: int) -> str:
    """A line of Set-HvTuiCheckpointType."""
    told = {"v": WIRE, "time": TIME, "node": "HV01", "function": SET_CHECKPOINT_TYPE.name, "operation": "x"}
    return json.dumps(told | {"kind": kind, "outcome": "done", "changed": changed})


TYPES: Final[dict[str, Any]] = {
    "VM": "0b0d1f5c-39a7-4f52-9f8e-6d1f6a2b7c01:3:5",
    "OperationId": VALUES["OperationId"],
    "Actor": VALUES["Actor"],
}


class Changer:
    """A behaviour that changes one VM after the other until it is stopped, or has changed `most`."""

    def __init__(self, most: int = 1000) -> None:
        self.most, self.changed, self.ended = most, 0, False

    async def __call__(self, call: Call, output: Output) -> None:
        while not call.stopped.is_set() and self.changed < self.most:
            self.changed += 1
            await output.write(line("vm", self.changed))
            # What a VM takes at least.
            await asyncio.sleep(0.01)
        self.ended = True
        if not call.stopped.is_set():
            await output.write(line("end", self.changed))


def streams(engine: ScriptedEngine) -> int:
    """How often the node was asked for the stream."""
    return sum(call.command == SET_CHECKPOINT_TYPE.name for call in engine.calls)


async def test_a_stream_that_changes_something_tells_every_line(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{SET_CHECKPOINT_TYPE.name: Changer(3)})
    with Lab({"HV01": engine}) as lab:
        async with lane_to(lab).stream(SET_CHECKPOINT_TYPE, TYPES, poll=1) as stream:
            lines = [one async for one in stream]
        assert [(one.kind, one.changed) for one in lines] == [("vm", 1), ("vm", 2), ("vm", 3), ("end", 3)]
        assert streams(engine) == 1


async def test_a_stream_that_is_ended_has_ended_on_the_node(lane_to: Lanes) -> None:
    changer = Changer(10**9)
    engine = ScriptedEngine(**{SET_CHECKPOINT_TYPE.name: changer})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        stream = lane.stream(SET_CHECKPOINT_TYPE, TYPES, poll=1)
        await anext(stream)
        await lane.end(stream)
        assert changer.ended
        changed = changer.changed
        assert (await lane.call(GET_INFO)).node == "HV01"
        assert (changer.changed, streams(engine)) == (changed, 1)


@pytest.mark.parametrize("kind", ["garble", "truncate"])
async def test_a_stream_that_breaks_is_unknown_and_not_begun_again(lane_to: Lanes, kind: str) -> None:
    async def spoilt(call: Call, output: Output) -> None:
        await output.write(line("vm", 1))
        lab.node("HV01")._node.trouble.next(kind, verb="Receive")  # type: ignore[arg-type]
        await output.write(line("vm", 2))

    engine = ScriptedEngine(**{SET_CHECKPOINT_TYPE.name: spoilt})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await lane.open()
        stream = lane.stream(SET_CHECKPOINT_TYPE, TYPES, poll=1)
        with pytest.raises(OutcomeUnknown) as caught:
            async for _ in stream:
                pass
        assert isinstance(caught.value.cause, Unreachable | BadReply)
        assert (await lane.call(GET_INFO)).node == "HV01"
        assert streams(engine) == 1


async def test_a_stream_that_powershell_does_not_begin_is_refused_and_not_unknown(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{SET_CHECKPOINT_TYPE.name: Changer(1)})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        for wrong in ({"VM": "none"}, {"VM": TYPES["VM"] + "\n"}, {"OperationId": "none"}, {"Unknown": 1}):
            with pytest.raises(NodeRefused):
                await anext(lane.stream(SET_CHECKPOINT_TYPE, {**TYPES, **wrong}, poll=1))
        assert streams(engine) == 0


async def test_a_dead_session_takes_no_stream_with_it(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{SET_CHECKPOINT_TYPE.name: Changer(1)})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await lane.open()
        lab.node("HV01").stop()
        with pytest.raises(Unreachable):
            await anext(lane.stream(SET_CHECKPOINT_TYPE, TYPES, poll=1))
        lab.node("HV01").start()
        async with lane.stream(SET_CHECKPOINT_TYPE, TYPES, poll=1) as stream:
            assert [one.kind async for one in stream] == ["vm", "end"]
        assert streams(engine) == 1


@pytest.mark.parametrize("function", [one for one in FUNCTIONS.values() if one.mutating], ids=lambda one: str(one.name))
def test_every_function_that_changes_something_is_marked(function: Function) -> None:
    assert not function.name.startswith(("Get-", "Watch-"))
    assert {"OperationId", "Actor"} <= {one.name for one in function.parameters}
    assert all(one.mandatory for one in function.parameters)
    assert function.deadline == (None if function.stream else 20.0)
    reads = [one for one in FUNCTIONS.values() if not one.mutating]
    assert all(one.name.startswith(("Get-", "Watch-")) for one in reads)
