"""Faults that a test or a scenario plants on a node's network side. No hvtui code reads them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["drop", "truncate", "garble"]
_HEADER: Final = struct.Struct(">QQBI")
"""Of a fragment (MS-PSRP 2.2.4): object, number, flags, length."""
_TYPE: Final = struct.Struct("<II")
_START: Final = 1
_END: Final = 2
_OUTPUT: Final = 0x00041004  # PIPELINE_OUTPUT


@dataclass
class Trouble:
    """What a node does wrong. Everything may be changed at any time, on the lab's loop.

    `hang`: connections are accepted and requests read, and nothing is ever answered.
    `delay`: seconds before each answer.
    `rewrite`: changes every string that a function writes, such as into JSON that is cut short.
    `lose`: so many objects that pipelines write from now on get lost on the way, whole; only those with the text
    `losing` in their first fragment, if there is one.
    `heard`: a list that gets every message of either side, decrypted.
    """

    hang: bool = False
    delay: float = 0.0
    rewrite: Callable[[str], str] | None = None
    lose: int = 0
    losing: str = ""
    heard: list[bytes] | None = None
    _kind: Kind = field(default="drop", init=False)
    _verb: str = field(default="", init=False)
    _left: int = field(default=0, init=False)

    def next(self, kind: Kind, *, verb: str = "", times: int = 1) -> None:
        """Spoil the next answers: `drop` the connection in the middle, `truncate` or `garble` the envelope.

        `verb` limits it to one kind of request, such as `Receive`.
        """
        self._kind, self._verb, self._left = kind, verb, times

    def take(self, verb: str) -> Kind | None:
        """How to spoil the answer to this request, counted down; None to leave it alone."""
        if not self._left or (self._verb and self._verb != verb):
            return None
        self._left -= 1
        return self._kind

    def loss(self) -> Callable[[bytes], bool]:
        """For one pipeline: whether the next of its fragments gets lost. `lose` counts down where a message begins."""
        lost = False

        def loses(fragment: bytes) -> bool:
            nonlocal lost
            flags = _HEADER.unpack_from(fragment)[2]
            if flags & _START:
                output = _TYPE.unpack_from(fragment, _HEADER.size)[1] == _OUTPUT
                lost = self.lose > 0 and output and self.losing.encode() in fragment
                self.lose -= lost
            gone = lost
            lost = lost and not flags & _END
            return gone

        return loses

    def spoil(self, kind: Kind, answer: bytes) -> bytes:
        """A truncated or garbled envelope; `drop` keeps it, as the connection is what breaks."""
        half = len(answer) // 2
        if kind == "truncate":
            return answer[:half]
        return answer[:half] + b"\x00<?&" + answer[half + 4 :] if kind == "garble" else answer
