"""Single calls to one node, each on the lane of its purpose, one after the other on a lane.

*action* is opened after the first picture and kept: its calls take seconds, so that a cancel always gets through.
*facts* and *work* are opened when they are needed and closed when they are idle: what hangs there holds up no action.
So are *policy* and *guests*, for streams that last minutes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from hvtui.errors import Unreachable
from hvtui.live.shared import Shared
from hvtui.remote.contract import STOP_MOVE, Function
from hvtui.remote.lane import Lane, Parameters

ACTION: Final = "action"
_CANCEL: Final = "cancel"
"""Where a cancel goes while another action hangs: it must get through."""
ON_DEMAND: Final = frozenset({"facts", "work", "policy", "guests", _CANCEL})
_KEPT: Final = frozenset({ACTION})
_POLL: Final = 1.0
"""Seconds after which a stream that is silent notices that it shall stop."""


@dataclass(eq=False)
class _Open:
    """A lane and who uses it. `turn` makes calls wait here: time spent in the lane's own queue counts as the node's."""

    lane: Lane
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0
    used: float = 0.0
    retired: bool = False
    """The connection was lost meanwhile: it is closed when the call on it has ended."""


class NodeCalls:
    """The lanes of a node that are no stream's."""

    def __init__(self, name: str, shared: Shared) -> None:
        self.name = name
        self._shared = shared
        self._lanes: dict[str, _Open] = {}

    def action(self) -> Lane:
        """The action lane, made when it is first asked for."""
        return self._open(ACTION).lane

    async def call(self, function: Function, parameters: Parameters, purpose: str) -> Any:
        """Run a function on the lane of a purpose. Raises RemoteError, and ValueError for an unknown purpose."""
        async with self._turn(function, purpose) as lane:
            return await lane.call(function, parameters)

    async def stream(self, function: Function, parameters: Parameters, purpose: str) -> AsyncGenerator[Any, None]:
        """The records of a stream on the lane of a purpose; nothing is sent before the first one is asked for.

        Its end, however it comes, waits until nothing of it runs on the node any more. Raises as `call` does.
        """
        async with self._turn(function, purpose) as lane:
            stream = lane.stream(function, parameters, poll=_POLL)
            try:
                async for record in stream:
                    yield record
            finally:
                await lane.end(stream)

    @asynccontextmanager
    async def _turn(self, function: Function, purpose: str) -> AsyncIterator[Lane]:
        """The lane of a purpose, when nobody else is on it."""
        if purpose not in ON_DEMAND | _KEPT:
            raise ValueError(f"no lane is called {purpose}")
        changes = purpose == ACTION or function.mutating
        if changes and self._shared.store.state.node(self.name).link.last_frame is None:
            raise Unreachable(f"{self.name} has not sent its first picture yet", node=self.name)
        if function is STOP_MOVE and purpose == ACTION and self._open(ACTION).users:
            purpose = _CANCEL
        if self._shared.stopping:
            raise Unreachable("hvtui is ending", node=self.name)
        opened = self._open(purpose)
        opened.users += 1
        try:
            async with opened.turn:
                if opened.retired:
                    raise Unreachable(f"The connection to {self.name} was lost", node=self.name)
                yield opened.lane
        finally:
            opened.users -= 1
            opened.used = self._shared.clock.monotonic()
            if opened.retired and not opened.users:
                await self._shared.close(opened.lane)
            elif purpose in ON_DEMAND:
                asyncio.get_running_loop().call_later(self._shared.timing.idle, self._expire, purpose, opened)

    @asynccontextmanager
    async def probing(self) -> AsyncIterator[Lane]:
        """A lane to ask whether the node still answers: the action lane, or another one while an action is on it."""
        opened = self._open(ACTION)
        if not opened.users:
            yield opened.lane
            return
        lane = self._shared.connector.lane(self.name, "probe")
        try:
            yield lane
        finally:
            await self._shared.close(lane)

    def release(self) -> list[Lane]:
        """Lanes to close, the connection being lost. One with a call on it closes itself: its answer may still come."""
        lanes = list(self._lanes.values())
        self._lanes.clear()
        busy = [opened for opened in lanes if opened.users and not self._shared.stopping]
        for opened in busy:
            opened.retired = True
        return [opened.lane for opened in lanes if opened not in busy]

    def _open(self, purpose: str) -> _Open:
        opened = self._lanes.get(purpose)
        if opened is None:
            opened = self._lanes[purpose] = _Open(self._shared.connector.lane(self.name, purpose))
        return opened

    def _expire(self, purpose: str, opened: _Open) -> None:
        idle = self._shared.clock.monotonic() - opened.used
        if self._lanes.get(purpose) is opened and not opened.users and idle >= self._shared.timing.idle:
            del self._lanes[purpose]
            self._shared.hold(asyncio.ensure_future(self._shared.close(opened.lane)))
