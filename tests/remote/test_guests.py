"""What may lock an account is sent once, and a credential crosses encrypted with a key of the session."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from hvtui.errors import NodeRefused, RemoteError
from hvtui.lab.engine import Call, Output
from hvtui.lab.serve import Lab
from hvtui.model.secret import GuestCredential
from hvtui.remote.contract import GET_GUEST, GET_GUEST_FILE, GET_INFO, WIRE
from hvtui.remote.lane import Lane
from tests.remote.engines import TIME, ScriptedEngine, hang

Lanes = Callable[..., Lane]
VM: Final = "0b0d1f5c-39a7-4f52-9f8e-6d1f6a2b7c01"
SECRETS: Final = ("x", "Demo-guest-1", "Ünïcode 漢字 🖥 '\"<&]]>", " spaces ", "p" * 900)


def values(password: str = "secret", **more: Any) -> dict[str, Any]:
    return {"VM": VM, "Credential": GuestCredential("CORP\\anna", password), **more}


def file_values() -> dict[str, Any]:
    return {"VMId": VM, "Credential": GuestCredential("CORP\\anna", "secret"), "Volume": "C:"}


def line(kind: str = "end") -> str:
    return json.dumps({"v": WIRE, "time": TIME, "node": "HV01", "kind": kind})


FILES: Final = json.dumps({"v": WIRE, "time": TIME, "node": "HV01", "vm": VM, "outcome": "read"})


def asked(engine: ScriptedEngine) -> list[Call]:
    """The calls that carry a credential."""
    return [call for call in engine.calls if call.command in {GET_GUEST.name, GET_GUEST_FILE.name}]


async def test_a_credential_arrives_whole(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{GET_GUEST.name: line()})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        for secret in SECRETS:
            async with lane.stream(GET_GUEST, values(secret), poll=1) as stream:
                assert [one.kind async for one in stream] == ["end"]
    got = [call.parameters["Credential"] for call in asked(engine)]
    assert [(one.username, one.reveal()) for one in got] == [("CORP\\anna", secret) for secret in SECRETS]


async def test_a_session_makes_its_key_once(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{GET_GUEST_FILE.name: FILES})
    heard: list[bytes] = []
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await lane.open()
        lab.on_loop(lambda: setattr(lab.node("HV01")._node.trouble, "heard", heard))
        for _ in range(3):
            await lane.call(GET_GUEST_FILE, file_values())
        sent = b"".join(heard)
    # Only the key exchange sends something to the pool itself.
    assert sent.count(b"shell/Send</") == 1
    assert len(asked(engine)) == 3


@pytest.mark.parametrize("kind", ["garble", "truncate"])
async def test_a_look_whose_answer_is_lost_is_not_asked_again(lane_to: Lanes, kind: str) -> None:
    async def spoilt(call: Call, output: Output) -> None:
        lab.node("HV01")._node.trouble.next(kind, verb="Receive")  # type: ignore[arg-type]
        await output.write(FILES if call.command == GET_GUEST_FILE.name else line())

    engine = ScriptedEngine(**{GET_GUEST_FILE.name: spoilt, GET_GUEST.name: spoilt})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await lane.open()
        with pytest.raises(RemoteError):
            await lane.call(GET_GUEST_FILE, file_values())
        assert len(asked(engine)) == 1
        assert (await lane.call(GET_INFO)).node == "HV01"
        with pytest.raises(RemoteError):
            await anext(lane.stream(GET_GUEST, values(), poll=1))
        assert len(asked(engine)) == 2


async def test_an_old_session_is_tried_with_a_read_before_a_credential_is_sent(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{GET_GUEST_FILE.name: FILES})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await lane.open()
        lab.node("HV01").stop()
        lab.node("HV01").start()
        assert (await lane.call(GET_GUEST_FILE, file_values())).outcome == "read"
    assert len(asked(engine)) == 1


async def test_a_look_that_is_stopped_ends_on_the_node(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{GET_GUEST.name: hang})
    with Lab({"HV01": engine}) as lab:
        lane = lane_to(lab)
        await lane.open()
        stream = lane.stream(GET_GUEST, values(), poll=1)
        while not asked(engine):
            assert (await lane_to(lab).call(GET_INFO)).node == "HV01"
        await lane.end(stream)
        assert engine.stops == 1


async def test_a_name_alone_is_no_credential(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{GET_GUEST_FILE.name: FILES})
    with Lab({"HV01": engine}) as lab:
        with pytest.raises(NodeRefused) as caught:
            await lane_to(lab).call(GET_GUEST_FILE, {**file_values(), "Credential": "CORP\\anna"})
        assert caught.value.code == f"ParameterArgumentTransformationError,{GET_GUEST_FILE.name}"
    assert asked(engine) == []
