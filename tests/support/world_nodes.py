"""`operations.Nodes` straight on a world: streams, questions and changes of the native engine, without a network.

Time is the world's: `drive` lets it pass while a test waits for a run, and holds it while the journal is written.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

from hvtui.errors import NodeRefused, OutcomeUnknown, RemoteError, Unreachable
from hvtui.lab.endpoint.binding import bind
from hvtui.lab.engine import CommandError
from hvtui.lab.native import changes, signals
from hvtui.lab.native.checkpoints import checkpoints
from hvtui.lab.native.fork_commit import fork_commit
from hvtui.lab.native.guests import guest_files, guests
from hvtui.lab.native.preflight import preflight
from hvtui.lab.native.services import service
from hvtui.lab.native.vss_access import vss_access
from hvtui.lab.world.node import Node
from hvtui.remote.contract import FUNCTIONS
from hvtui.remote.wire import decode
from tests.support.world import DirectFeed

Fault = Callable[[str, str], str]
"""Asked with node and function before a call: `""` nothing, `never` it does not arrive, `before` and `after` its answer
is lost before or after it was carried out.
"""


class WorldNodes(DirectFeed):
    """A feed that can also be called. `sent` is every call: node, function, parameters, lane."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.sent: list[tuple[str, str, dict[str, Any], str]] = []
        self.fault: Fault = lambda node, function: ""
        self.before: Callable[[str, str], object] = lambda node, function: None
        """Called with node and function right before a call is carried out."""
        self.after: Callable[[str, str, Any], Any] = lambda node, function, answer: answer
        """Called with node, function and each record of the answer; gives the one that comes, or an awaitable of it."""
        self.hold: Callable[[], bool] = lambda: False
        """Time stands still while this is true."""
        self.first_contact = ""
        """The id that was pinned then; empty: the cluster's own."""

    @property
    def pinned(self) -> str:
        """The id of the first contact."""
        info = self.state.cluster.info
        return self.first_contact or (info.id if info is not None else "")

    def monotonic(self) -> float:
        """The clock that stands still until it is moved."""
        return self.clock.monotonic()

    def changing(self) -> list[tuple[str, str]]:
        """Node and function of every mutating call, in order."""
        return [(node, name) for node, name, _, _ in self.sent if FUNCTIONS[name].mutating]

    async def call(self, node: str, function: str, parameters: Mapping[str, Any], *, lane: str = "action") -> Any:
        """Carry it out at once, and answer a moment later."""
        target, values, fault = self._arrive(node, function, parameters, lane)
        text = await self._answer(target, function, values)
        await asyncio.sleep(0)
        if fault == "after":
            raise _lost(function, node)
        return await self._seen(node, function, text)

    async def stream(
        self, node: str, function: str, parameters: Mapping[str, Any], *, lane: str
    ) -> AsyncGenerator[Any, None]:
        """Carry it out line by line, each a moment later; with the fault `after` the first line does not come."""
        target, values, fault = self._arrive(node, function, parameters, lane)
        async with aclosing(self._lines(target, function, values)) as lines:
            async for text in lines:
                await asyncio.sleep(0)
                if fault == "after":
                    raise _lost(function, node)
                yield await self._seen(node, function, text)

    def _arrive(
        self, node: str, function: str, parameters: Mapping[str, Any], lane: str
    ) -> tuple[Node, dict[str, Any], str]:
        self.sent.append((node, function, dict(parameters), lane))
        known = FUNCTIONS[function]
        fault = self.fault(node, function)
        target = self.world.node(node)
        if fault == "never" or target.faults.down:
            raise Unreachable(f"{node} cannot be reached", node=node)
        if fault == "before":
            raise _lost(function, node)
        try:
            values = {p.name: p.default for p in known.parameters} | bind(function, parameters)
        except CommandError as error:
            raise NodeRefused(str(error), node=node) from error
        self.before(node, function)
        return target, values, fault

    async def _seen(self, node: str, function: str, text: str) -> Any:
        answer = self.after(node, function, decode(FUNCTIONS[function], text, node))
        return await answer if inspect.isawaitable(answer) else answer

    async def _answer(self, node: Node, function: str, values: dict[str, Any]) -> str:
        world = self.world
        looks: dict[str, Callable[[], str]] = {
            "Get-HvTuiPreflight": lambda: preflight(world, node, values["Part"]),
            "Get-HvTuiForkCommit": lambda: fork_commit(world, node),
            "Get-HvTuiCheckpoint": lambda: checkpoints(world, node, values["VMId"]),
            "Get-HvTuiService": lambda: service(world, node, values["Name"]),
            "Get-HvTuiVssAccess": lambda: vss_access(world, node),
            "Get-HvTuiShadow": lambda: signals.shadows(world, node),
            "Get-HvTuiFilter": lambda: signals.filters(world, node),
            "Get-HvTuiHotfix": lambda: signals.hotfixes(world, node),
            "Get-HvTuiChain": lambda: signals.chain(world, node, values["VMId"]),
            "Get-HvTuiGuestFile": lambda: guest_files(world, node, values, 0),
        }
        look = looks.get(function)
        return look() if look is not None else await self._change(node, function, values)

    def _lines(self, node: Node, function: str, values: dict[str, Any]) -> AsyncGenerator[str, None]:
        if function == "Get-HvTuiGuest":
            lines = guests(self.world, node, values["VM"], values["Credential"], lambda: 0)
            assert isinstance(lines, AsyncGenerator)
            return lines
        return changes.STREAMS[function](self.world, node, values, wait=self._wait)

    async def _change(self, node: Node, function: str, values: dict[str, Any]) -> str:
        return await changes.run(self.world, node, function, values, wait=self._wait)

    async def _wait(self, blocked: Callable[[], bool], seconds: float | None) -> None:
        """Something that hangs is waited for in world time."""
        until = self.monotonic() + (math.inf if seconds is None else seconds)
        await self.reach(lambda: not blocked() or self.monotonic() >= until)

    async def reach(self, condition: Callable[[], object]) -> None:
        """Wait until something is so, without letting time pass."""
        while not condition():  # noqa: ASYNC110  # every turn of the loop counts: time is the driver's
            await asyncio.sleep(0)

    @asynccontextmanager
    async def drive(self, step: float = 0.5) -> AsyncIterator[None]:
        """Let time pass while the block waits for something."""
        driver = asyncio.create_task(self._drive(step))
        try:
            yield
        finally:
            driver.cancel()
            await asyncio.wait([driver])
            if not driver.cancelled() and driver.exception() is not None:
                raise RuntimeError("time stopped") from driver.exception()

    async def _drive(self, step: float) -> None:
        while True:
            # Everybody who can go on goes on first: what they ask for belongs to this moment.
            for _ in range(5):
                await asyncio.sleep(0)
            if self.hold():
                await asyncio.sleep(0.001)
            else:
                self.pump(step)


def _lost(function: str, node: str) -> RemoteError:
    return OutcomeUnknown(f"Whether {function} was carried out on {node} is not known: the connection broke", node=node)
