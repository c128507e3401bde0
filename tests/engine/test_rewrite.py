"""Strings of a real engine are changed on their way out, as those of the native one: whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from xml.sax.saxutils import escape

import pytest

from hvtui.errors import BadReply
from hvtui.lab.pwsh import fragments
from hvtui.lab.pwsh.fragments import Assembler
from hvtui.lab.pwsh.outgoing import Outgoing, Passed
from hvtui.lab.serve import Lab
from hvtui.remote.contract import GET_INFO, WATCH_NODE
from hvtui.remote.lane import Lane

_INTRODUCTION: Final = (1).to_bytes(4, "little")
Lanes = Callable[[Lab, str], Lane]


def _message(number: int, body: str, kind: int = fragments.PIPELINE_OUTPUT) -> list[bytes]:
    head = _INTRODUCTION + kind.to_bytes(4, "little") + bytes(32)
    return fragments.fragmented(number, head + b"\xef\xbb\xbf" + body.encode())


def _bodies(*passed: Passed) -> list[str]:
    assembler = Assembler()
    data = b"".join(part for one in passed for part in one.fragments)
    return [message.body.decode("utf-8-sig") for message in assembler.feed(data)]


def test_a_string_is_changed_and_nothing_else() -> None:
    text = "<S>" + escape("{'a': 'ä & <漢字>'}") + "</S>"
    stream = Outgoing()
    data = b"".join([*_message(1, text), *_message(2, "<I32>7</I32>"), *_message(3, "<S>state</S>", 0x00041006)])
    passed = stream.feed(data, str.upper)
    assert _bodies(passed) == ["<S>{'A': 'Ä &amp; &lt;漢字&gt;'}</S>", "<I32>7</I32>", "<S>state</S>"]
    # What the session looks at is what the engine said.
    assert [message.body.decode("utf-8-sig") for message in passed.messages] == [text, "<I32>7</I32>", "<S>state</S>"]
    assert stream.feed(b"".join(_message(4, text)), None).fragments == _message(4, text)


def test_a_long_string_waits_until_it_is_whole() -> None:
    parts = _message(1, f"<S>{'x' * 100_000}</S>")
    assert len(parts) > 2
    stream = Outgoing()
    passed = [stream.feed(part, lambda text: str(len(text))) for part in parts]
    assert [len(one.fragments) for one in passed] == [0] * (len(parts) - 1) + [1]
    assert _bodies(*passed) == ["<S>100000</S>"]


@pytest.mark.parametrize("first", [None, str.upper])
def test_a_message_under_way_is_finished_as_it_began_or_as_it_ends(first: Callable[[str], str] | None) -> None:
    """The change is switched on or off in its middle: the client gets a whole message in either case."""
    text = f"<S>{'x' * 100_000}</S>"
    parts = _message(1, text)
    stream = Outgoing()
    second = None if first else str.upper
    passed = [stream.feed(parts[0], first), *(stream.feed(part, second) for part in parts[1:])]
    assert _bodies(*passed) == [text]


async def test_calls_of_an_engine(lab: Lab, lane_to: Lanes) -> None:
    lane = lane_to(lab, "HV01")
    assert (await lane.call(GET_INFO)).node == "HV01"
    lab.node("HV01").rewrite(lambda text: text[: len(text) // 2])
    try:
        with pytest.raises(BadReply, match="sent no JSON"):
            await lane.call(GET_INFO)
        # It is this node alone.
        assert (await lane_to(lab, "HV02").call(GET_INFO)).node == "HV02"
        lab.node("HV01").rewrite(lambda text: text.replace('"HV01"', '"漢字 <&>"'))
        assert (await lane.call(GET_INFO)).node == "漢字 <&>"
    finally:
        lab.node("HV01").rewrite(None)
    assert (await lane.call(GET_INFO)).node == "HV01"


async def test_a_stream_of_an_engine(lab: Lab, lane_to: Lanes) -> None:
    lane = lane_to(lab, "HV01")
    async with lane.stream(WATCH_NODE, {"IntervalMs": 500}, poll=1) as stream:
        assert (await anext(stream)).seq == 1
        lab.node("HV01").rewrite(lambda text: text.replace('"seq":', '"seq":9'))
        try:
            while (frame := await anext(stream)).seq < 90:
                assert frame.seq < 9
        finally:
            lab.node("HV01").rewrite(None)
