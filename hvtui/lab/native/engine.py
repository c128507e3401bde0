"""NativeEngine: a node of the world behind the endpoint's seam."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from hvtui.lab.endpoint.binding import bind
from hvtui.lab.engine import Call, CommandError, Output
from hvtui.lab.native import calls, changes, signals
from hvtui.lab.native.change import Wait
from hvtui.lab.native.checkpoints import checkpoints
from hvtui.lab.native.cluster_stream import ClusterStream
from hvtui.lab.native.fork_commit import fork_commit
from hvtui.lab.native.guests import guest_files, guests
from hvtui.lab.native.node_stream import NodeStream
from hvtui.lab.native.preflight import preflight
from hvtui.lab.native.problems import TIMEOUT, hyperv_trouble
from hvtui.lab.native.services import service
from hvtui.lab.native.stream import Stream
from hvtui.lab.native.vss_access import vss_access
from hvtui.lab.world.node import Node
from hvtui.lab.world.world import World
from hvtui.remote.contract import FUNCTIONS

_LOOK: Final = 0.2
"""Seconds of real time between two looks at something that is waited for while the world runs."""
_CPU_MS: Final = {
    "Get-HvTuiInfo": 25,
    "Get-HvTuiProvider": 10,
    "Get-HvTuiEvent": 15,
    "Get-HvTuiWriter": 20,
    "Get-HvTuiForkCommit": 400,
    "Get-HvTuiService": 15,
    "Get-HvTuiCheckpoint": 20,
    "Get-HvTuiVssAccess": 20,
    "Get-HvTuiShadow": 10,
    "Get-HvTuiFilter": 15,
    "Get-HvTuiHotfix": 15,
    "Get-HvTuiChain": 30,
}
"""About what each call costs a shell's process."""

_PLAIN: Final[dict[str, Callable[[World, Node, int], str]]] = {
    "Get-HvTuiProvider": calls.providers,
    "Get-HvTuiShadow": signals.shadows,
    "Get-HvTuiFilter": signals.filters,
    "Get-HvTuiHotfix": signals.hotfixes,
    "Get-HvTuiForkCommit": fork_commit,
    "Get-HvTuiVssAccess": vss_access,
}
"""Functions without parameters that ask neither VMMS nor the cluster service."""
_OF_VM: Final[dict[str, Callable[[World, Node, str, int], str]]] = {
    "Get-HvTuiCheckpoint": checkpoints,
    "Get-HvTuiChain": signals.chain,
}
"""Functions about one VM, which ask VMMS."""
_CHANGE_MS: Final = 40
_LINE: Final = 0.004
"""Seconds of real time that a line of a stream with an end takes at least; on Windows it is some hundred times that."""
_GUEST_MS: Final = 30


class _Stopped(Exception):
    """A call was stopped while it waited for something that does not answer."""


class NativeEngine:
    """Answers for one node. Streams tick in real time every interval and at once when the world is stepped.

    A question to something that hangs takes the world's `deadline`, in seconds of real time.
    """

    def __init__(self, world: World, node: str) -> None:
        self.world = world
        self.node = world.node(node)
        self._reading_writers = False

    def functions(self) -> frozenset[str]:
        """All functions of the contract."""
        return frozenset(FUNCTIONS)

    async def run(self, call: Call, output: Output) -> None:
        """Run one function to its end or until it is stopped; raises CommandError as PowerShell would."""
        function = FUNCTIONS.get(call.command)
        if function is None:
            raise CommandError(
                f"The term '{call.command}' is not recognized as the name of a cmdlet, function, script file, or "
                "operable program.",
                error_id="CommandNotFoundException",
                category="ObjectNotFound",
                target=call.command,
                exception="System.Management.Automation.CommandNotFoundException",
            )
        values = {p.name: p.default for p in function.parameters} | bind(function.name, call.parameters)
        self.world.sync()
        if self.node.faults.down:
            await call.stopped.wait()
            return
        if function.name in changes.STREAMS:
            await self._lines(function.name, values, call, output)
            return
        if function.mutating:
            await self._change(function.name, values, call, output)
            return
        match function.name:
            case "Watch-HvTuiNode":
                stream: Stream = NodeStream(
                    self.world,
                    self.node,
                    interval_ms=values["IntervalMs"],
                    slow_seconds=values["SlowSeconds"],
                    load_seconds=values["LoadSeconds"],
                )
                await self._watch(stream, values["Count"], call, output)
            case "Watch-HvTuiCluster":
                stream = ClusterStream(
                    self.world, self.node, interval_ms=values["IntervalMs"], slow_seconds=values["SlowSeconds"]
                )
                await self._watch(stream, values["Count"], call, output)
            case "Get-HvTuiWriter":
                await self._writers(values["TimeoutSeconds"], call, output)
            case "Get-HvTuiGuest" | "Get-HvTuiGuestFile":
                await self._guests(function.name, values, call, output)
            case name:
                await self._answer(name, values, call, output)

    async def _answer(self, name: str, values: dict[str, Any], call: Call, output: Output) -> None:
        world, node = self.world, self.node
        if name == "Get-HvTuiInfo":
            part = values["Part"]
            async with self._waking(call) as wake:
                await self._wait(lambda: calls.waits_for_hung(node, part), self.world.deadline, call, wake)
            text = calls.info(world, node, part, call.spent.add(_CPU_MS[name]), contract=call.contract)
        elif name in _PLAIN:
            text = _PLAIN[name](world, node, call.spent.add(_CPU_MS[name]))
        elif name == "Get-HvTuiPreflight":
            async with self._waking(call) as wake:
                await self._wait(lambda: calls.waits_for_hung(node, "All"), self.world.deadline, call, wake)
            text = preflight(world, node, values["Part"], call.spent.add(150 + 4 * len(node.vms)))
        elif name in _OF_VM:
            async with self._waking(call) as wake:
                await self._wait(lambda: hyperv_trouble(node) is TIMEOUT, self.world.deadline, call, wake)
            text = _OF_VM[name](world, node, values["VMId"], call.spent.add(_CPU_MS[name]))
        elif name == "Get-HvTuiService":
            text = service(world, node, values["Name"], call.spent.add(_CPU_MS[name]))
        else:
            text = calls.event_page(
                world,
                node,
                channel=values["Channel"],
                after=values["AfterRecord"],
                hours=values["Hours"],
                most=values["MaxEvents"],
                cpu_ms=call.spent.add(_CPU_MS[name]),
            )
        if not call.stopped.is_set():
            await output.write(text)

    async def _guests(self, name: str, values: dict[str, Any], call: Call, output: Output) -> None:
        world, node = self.world, self.node
        async with self._waking(call) as wake:
            await self._wait(lambda: hyperv_trouble(node) is TIMEOUT, world.deadline, call, wake)
        if call.stopped.is_set():
            return
        if name == "Get-HvTuiGuestFile":
            await output.write(guest_files(world, node, values, call.spent.add(_GUEST_MS)))
            return
        async for line in guests(world, node, values["VM"], values["Credential"], lambda: call.spent.add(_GUEST_MS)):
            if call.stopped.is_set():
                return
            await output.write(line)

    async def _change(self, name: str, values: dict[str, Any], call: Call, output: Output) -> None:
        """A mutating function: what it has changed stays changed, also when nobody waits for its answer any more."""
        async with self._patient(call) as wait:
            text = await changes.run(self.world, self.node, name, values, wait=wait, cpu_ms=call.spent.add(_CHANGE_MS))
            if not call.stopped.is_set():
                await output.write(text)

    async def _lines(self, name: str, values: dict[str, Any], call: Call, output: Output) -> None:
        """A stream with an end: stopped, it ends between two lines."""
        async with self._patient(call) as wait:
            lines = changes.STREAMS[name](self.world, self.node, values, wait=wait, cpu_ms=call.spent.add(_CHANGE_MS))
            async with contextlib.aclosing(lines):
                async for text in lines:
                    if call.stopped.is_set():
                        return
                    await output.write(text)
                    # A stop gets between two lines, as it does where each takes its time.
                    await asyncio.sleep(_LINE)

    @contextlib.asynccontextmanager
    async def _patient(self, call: Call) -> AsyncIterator[Wait]:
        """How a change waits for what hangs; a stop ends the block there."""
        async with self._waking(call) as wake:

            async def wait(blocked: Callable[[], bool], seconds: float | None) -> None:
                await self._wait(blocked, math.inf if seconds is None else seconds, call, wake)
                if blocked() and call.stopped.is_set():
                    raise _Stopped

            with contextlib.suppress(_Stopped):
                yield wait

    async def _watch(self, stream: Stream, count: int, call: Call, output: Output) -> None:
        stream.spent = call.spent
        async with self._waking(call) as wake:
            while not call.stopped.is_set():
                self.world.sync()
                if self.node.faults.down:
                    await call.stopped.wait()
                    return
                await self._wait(stream.hanging, self.world.deadline, call, wake)
                if call.stopped.is_set():
                    return
                wake.clear()
                await output.write(stream.tick())
                if count and stream.seq >= count:
                    return
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(wake.wait(), stream.wait_ms / 1000)

    async def _writers(self, timeout: int, call: Call, output: Output) -> None:  # noqa: ASYNC109 - a parameter of the function
        """One reader at a time; waits behind a snapshot until it is over or the time limit passes."""
        world, node = self.world, self.node
        spent = call.spent.add(_CPU_MS["Get-HvTuiWriter"])
        if self._reading_writers:
            await output.write(calls.writer_text(world, node, busy=True, cpu_ms=spent))
            return
        self._reading_writers = True
        try:
            began = world.elapsed
            async with self._waking(call) as wake:

                def blocked() -> bool:
                    return calls.writer_blocked(world, node) and world.elapsed - began < timeout

                await self._wait(blocked, float(timeout), call, wake)
            if call.stopped.is_set():
                return
            hung = calls.writer_blocked(world, node)
            waited = world.elapsed - began
            text = calls.writer_text(world, node, waited=waited, timeout=timeout, hung=hung, cpu_ms=spent)
            await output.write(text)
        finally:
            self._reading_writers = False

    async def _wait(self, blocked: Callable[[], bool], longest: float, call: Call, wake: asyncio.Event) -> None:
        """Wait while `blocked`, at most `longest` seconds of real time; ends at once when the call is stopped."""
        loop = asyncio.get_running_loop()
        end = loop.time() + longest
        while blocked() and not call.stopped.is_set() and (left := end - loop.time()) > 0:
            wake.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), min(_LOOK, left))
            self.world.sync()

    @contextlib.asynccontextmanager
    async def _waking(self, call: Call) -> AsyncIterator[asyncio.Event]:
        """An event that is set when the world is stepped or the call is stopped."""
        wake = asyncio.Event()
        unlisten = self.world.listen(wake.set)

        async def when_stopped() -> None:
            await call.stopped.wait()
            wake.set()

        watcher = asyncio.create_task(when_stopped())
        try:
            yield wake
        finally:
            unlisten()
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher
