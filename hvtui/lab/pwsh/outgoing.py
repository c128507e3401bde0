"""What an engine says on its way to the client: handed on unchanged, unless a test changes the strings in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple
from xml.etree import ElementTree

from psrpcore._crypto import PSRemotingCrypto
from psrpcore.types import deserialize, serialize

from hvtui.lab.pwsh import fragments
from hvtui.lab.pwsh.fragments import Assembler, Message

Rewrite = Callable[[str], str]


class Passed(NamedTuple):
    """What came whole: fragments for the client, and the messages as the engine said them."""

    fragments: list[bytes]
    messages: list[Message]


class Outgoing:
    """One stream of an engine. A message that began to go through goes through as it is."""

    def __init__(self) -> None:
        self._assembler = Assembler()
        self._held = False

    def feed(self, data: bytes, rewrite: Rewrite | None) -> Passed:
        """More of the stream; raises BadFragment. While strings are changed, a message waits until it is whole."""
        passed = Passed([], [])
        for fragment in fragments.split(data):
            if fragments.begins(fragment):
                self._held = rewrite is not None
            whole = list(self._assembler.feed(fragment))
            if not self._held:
                passed.fragments.append(fragment)
            else:
                passed.fragments.extend(part for message in whole for part in _changed(message, rewrite))
            passed.messages.extend(whole)
        return passed


def _changed(message: Message, rewrite: Rewrite | None) -> Iterable[bytes]:
    """The fragments of a message; of a string that a pipeline wrote, those of the changed one."""
    if rewrite is None or message.kind != fragments.PIPELINE_OUTPUT:
        return message.fragments
    element = ElementTree.fromstring(message.body.decode("utf-8-sig"))  # noqa: S314 - said by the lab's own engine
    if element.tag.rpartition("}")[2] != "S":
        return message.fragments
    cipher = PSRemotingCrypto()
    text = rewrite(str(deserialize(element, cipher)))
    body = ElementTree.tostring(serialize(text, cipher), encoding="utf-8", method="xml")
    return fragments.fragmented(message.object_id, message.introduction + body)
