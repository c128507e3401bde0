"""PSRP fragments and messages (MS-PSRP 2.2.4 and 2.2.1), as far as a relay must look into them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

SESSION_CAPABILITY: Final = 0x00010002
INIT_RUNSPACEPOOL: Final = 0x00010004
APPLICATION_PRIVATE_DATA: Final = 0x00021009
CREATE_PIPELINE: Final = 0x00021006
GET_COMMAND_METADATA: Final = 0x0002100A
RUNSPACEPOOL_INIT_DATA: Final = 0x0002100B
PIPELINE_OUTPUT: Final = 0x00041004
PIPELINE_STATE: Final = 0x00041006

FRAGMENT: Final = 32_768
_HEADER: Final = struct.Struct(">QQBI")
_TYPE: Final = struct.Struct("<II")
_INTRODUCTION: Final = 40
"""Bytes before a message's XML: destination, type, pool id, pipeline id."""
_START: Final = 1
_END: Final = 2
_LONGEST: Final = 16 << 20


class BadFragment(Exception):
    """Bytes that are no fragments, or fragments that make no message."""


class Message(NamedTuple):
    """A whole message, and the fragments it came in."""

    kind: int
    introduction: bytes
    body: bytes
    object_id: int
    fragments: tuple[bytes, ...]


class Assembler:
    """Puts the messages of one stream together, which come one after another."""

    def __init__(self) -> None:
        self._object = 0
        self._parts: list[bytes] = []
        self._fragments: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole now; raises BadFragment."""
        for fragment in split(data):
            object_id, number, flags, _ = _HEADER.unpack_from(fragment)
            if bool(flags & _START) == bool(self._parts) or number != len(self._parts):
                raise BadFragment("fragments out of order")
            if self._parts and object_id != self._object:
                raise BadFragment("two messages in one another")
            self._object = object_id
            self._parts.append(fragment[_HEADER.size :])
            self._fragments.append(fragment)
            self._size += len(fragment)
            if self._size > _LONGEST:
                raise BadFragment("a message without an end")
            if flags & _END:
                yield self._message()

    def _message(self) -> Message:
        whole = b"".join(self._parts)
        fragments = tuple(self._fragments)
        self._parts, self._fragments, self._size = [], [], 0
        if len(whole) < _INTRODUCTION:
            raise BadFragment("a message without its introduction")
        _, kind = _TYPE.unpack_from(whole)
        return Message(kind, whole[:_INTRODUCTION], whole[_INTRODUCTION:], self._object, fragments)


def begins(fragment: bytes) -> bool:
    """Whether it is the first of its message."""
    return bool(_HEADER.unpack_from(fragment)[2] & _START)


def split(data: bytes) -> Iterator[bytes]:
    """The fragments of a stream's data, header included; raises BadFragment."""
    at = 0
    while at < len(data):
        if len(data) - at < _HEADER.size:
            raise BadFragment("half a fragment")
        length = _HEADER.unpack_from(data, at)[3]
        end = at + _HEADER.size + length
        if end > len(data):
            raise BadFragment("half a fragment")
        yield data[at:end]
        at = end


def fragmented(object_id: int, message: bytes) -> list[bytes]:
    """The fragments of a message, as PowerShell cuts them."""
    room = FRAGMENT - _HEADER.size
    result = []
    for number, start in enumerate(range(0, len(message), room)):
        part = message[start : start + room]
        flags = (_START if number == 0 else 0) | (_END if start + room >= len(message) else 0)
        result.append(_HEADER.pack(object_id, number, flags, len(part)) + part)
    return result
