"""What both streams share: comparing sections with what was sent, and writing the difference as one message."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from hvtui.lab.engine import Spent
from hvtui.lab.native.problems import Trouble, problem
from hvtui.lab.world.node import Node
from hvtui.lab.world.world import World
from hvtui.remote.contract import WIRE

_encode: Final = msgspec.json.Encoder().encode
HOLD: Final = 10.0
"""Seconds for which a provider that ran into its deadline is left alone."""
FIRST_REST_MS: Final = 30_000
"""Longest rest after a first round: it asks everything, and cold, and so says little about the next."""

Section = dict[str, bytes]
"""Id → JSON of its record."""


def stamp(time: datetime) -> str:
    """UTC, ISO 8601 with milliseconds and Z."""
    return time.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def wire(record: Mapping[str, Any]) -> bytes:
    """JSON of a record."""
    return _encode(record)


class Stream(ABC):
    """State of one running Watch-… command.

    The world's clock is the node's clock: cadences in seconds are of world time, and no message depends on real time.
    """

    single: frozenset[str] = frozenset()
    """Sections that are one record, not a list."""

    def __init__(self, world: World, node: Node, interval_ms: int, slow_seconds: int) -> None:
        self.spent = Spent()
        """Of the shell that it runs in."""
        self.world, self.node = world, node
        self.interval_ms, self.slow_seconds = interval_ms, slow_seconds
        self.seq = 0
        self.wait_ms = interval_ms
        self._base: dict[str, Section] = {}
        self._errors = b""
        self._problems: dict[str, Trouble] = {}
        self._due: dict[str, float] = {}
        self._hold_until = -1.0

    @abstractmethod
    def hanging(self) -> bool:
        """The next tick will run into a deadline: something behind it does not answer."""

    @abstractmethod
    def tick(self) -> str:
        """The next message."""

    # --- helpers of the two kinds ---

    def due(self, name: str, every: float) -> bool:
        """True when something slow is to be read again; the next time is then `every` seconds away."""
        now = self.world.elapsed
        if now < self._due.get(name, -1.0):
            return False
        self._due[name] = now + every
        return True

    def note(self, part: str, trouble: Trouble | None) -> bool:
        """Keep or drop the problem of a part; True when the part can be read."""
        if trouble is None:
            self._problems.pop(part, None)
            return True
        self._problems[part] = trouble
        return False

    def must_be_full(self, sections: Mapping[str, Section]) -> bool:
        """Only a full message can say that what the client kept of a section from an earlier stream is gone."""
        return self.seq == 0 or any(name not in self._base for name in sections)

    def message(self, sections: Mapping[str, Section], load: bytes, *, full: bool, cost_ms: int) -> str:
        """Write one message; sections that were not read now stay as they were."""
        parts: list[bytes] = []
        gone: dict[str, list[str]] = {}
        for name, new in sections.items():
            old = self._base.get(name, {})
            self._base[name] = new
            if full:
                continue
            changed = [text for key, text in new.items() if old.get(key) != text]
            lost = [key for key in old if key not in new]
            if changed:
                parts.append(self._section(name, changed))
            if lost:
                gone[name] = lost
        if full:
            parts += [self._section(name, list(section.values())) for name, section in self._base.items()]
        if load:
            parts.append(b'"load":' + load)
        if gone:
            parts.append(b'"gone":' + _encode(gone))
        errors = _encode([problem(part, trouble) for part, trouble in self._problems.items()])
        if full or errors != self._errors:
            parts.append(b'"errors":' + errors)
            self._errors = errors
        # A node spends at most a tenth of its time on one stream, else the stream slows down.
        rest = 9 * cost_ms if self.seq else min(9 * cost_ms, FIRST_REST_MS)
        self.wait_ms = max(self.interval_ms - cost_ms, rest, 50)
        self.seq += 1
        head = {
            "v": WIRE,
            "kind": "full" if full else "delta" if parts else "beat",
            "seq": self.seq,
            "time": stamp(self.world.time_of(self.node)),
            "tick_ms": cost_ms,
            "interval_ms": self.wait_ms,
            "cpu_ms": self.spent.add(cost_ms),
        }
        return b",".join([_encode(head)[:-1], *parts]).decode() + "}"

    def _section(self, name: str, texts: list[bytes]) -> bytes:
        if name in self.single:
            return b'"%s":%s' % (name.encode(), texts[0])
        return b'"%s":[%s]' % (name.encode(), b",".join(texts))
