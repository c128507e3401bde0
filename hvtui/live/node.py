"""One node: its stream, its health, and the supervisor that never gives up."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from hvtui.errors import BadReply, DeadlinePassed, NotAuthenticated, RemoteError, Unreachable
from hvtui.live.calls import NodeCalls
from hvtui.live.facts import NodeFacts
from hvtui.live.health import hanging_service, silent_service
from hvtui.live.shared import Shared, answers, let_go
from hvtui.live.store import status_of
from hvtui.live.timing import Backoff
from hvtui.model.link import LinkStatus
from hvtui.model.records import Info, NodeFrame
from hvtui.model.state import SequenceGapError
from hvtui.remote.contract import GET_INFO, WATCH_NODE
from hvtui.remote.lane import OPEN_LIMIT, Lane, Stream
from hvtui.remote.module import check_contract
from hvtui.remote.session import OPEN_SECONDS

PROBE_SECONDS: Final = 5.0
_HANGING_HINT: Final = "See VMMS and WMI on the node; VMs go on running. Guided restart: drain, restart VMMS, resume."
_SLOW_HINT: Final = "The node may be under heavy load; what it tells comes as soon as it has it."

_log = logging.getLogger(__name__)


class _KnownError(Exception):
    """The node behind this address is watched under its own name already."""


class NodeWatch:
    """Supervises one node: connects for ever, streams its picture, probes it when it is silent."""

    def __init__(self, name: str, shared: Shared, renamed: Callable[[NodeWatch, str], bool]) -> None:
        """`renamed` is asked when the node has another name than `name`; False ends this watch."""
        self.name = name
        self._shared = shared
        self._renamed = renamed
        self._backoff = Backoff(shared.timing.retry, shared.timing.retry_most)
        self._wake = asyncio.Event()
        self._failing = False
        self._first_name = name
        self._stream: Stream | None = None
        self.calls = NodeCalls(name, shared)
        self._restart = asyncio.Event()
        """Set to start the stream again with a full picture."""
        self.facts = NodeFacts(name, shared)

    # --- asked from outside ---

    def wake(self) -> None:
        """Do not wait any longer before the next attempt."""
        self._wake.set()

    def refresh(self) -> str:
        """Ask for a full picture now; the result says in words what was started."""
        if self._stream is None:
            self.wake()
            return f"connecting to {self.name} now"
        self._restart.set()
        return f"reading {self.name} now"

    # --- the supervisor ---

    async def run(self) -> None:
        """Never raises but for cancellation, and returns only when the node is watched under another name already."""
        store = self._shared.store
        store.link(self.name, LinkStatus.CONNECTING)
        self._shared.begins(self._first_name)
        try:
            await self._for_ever()
        finally:
            self._shared.began(self._first_name)

    async def _for_ever(self) -> None:
        store, timing = self._shared.store, self._shared.timing
        while True:
            most = 0.0
            try:
                await self._session()
            except RemoteError as error:
                store.failed(self.name, error)
                self._shared.began(self._first_name)
                self._failing = True
                if status_of(error) in {LinkStatus.REFUSED, LinkStatus.UNUSABLE}:
                    most = timing.retry_unusable
                if isinstance(error, NotAuthenticated) and self._shared.connector.gate.refusal:
                    await self._shared.gate_open()
                    continue
            except _KnownError:
                return
            except Exception as error:
                self._shared.began(self._first_name)
                _log.exception("the watch of %s failed", self.name)
                store.failed(self.name, BadReply(f"hvtui failed on this node: {type(error).__name__}", node=self.name))
                most = timing.retry_unusable
            await self._pause(self._backoff.wait(most))

    async def _pause(self, seconds: float) -> None:
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _session(self) -> None:
        """From connecting to the loss of the connection, which is always an error."""
        shared = self._shared
        lane = shared.connector.lane(self.name, "watch")
        try:
            # Slots keep the start of 64 nodes from being one stampede; nodes that fail have their own, fewer.
            async with shared.retry_slots if self._failing else shared.start_slots:
                await lane.open()
                info: Info = await lane.call(GET_INFO, {"Part": "Basic"}, deadline=OPEN_SECONDS)
            self._accept(info)
            while True:
                await self._watch(lane)
        finally:
            await shared.close(lane, *self.calls.release(), *self.facts.release())

    def _accept(self, info: Info) -> None:
        """Learn the node's own name and clock; refuse a node that hvtui cannot work with."""
        check_contract(info, self.name)
        if info.node and info.node.lower() != self.name.lower():
            if not self._renamed(self, info.node):
                raise _KnownError
            self._shared.connector.renamed(self.name, info.node)
            self.name = self.facts.name = self.calls.name = info.node
        if self._shared.store.state.node(self.name).info is None:
            self._shared.store.info(self.name, info)
        if info.supported is False:
            raise BadReply(
                f"Windows build {info.build or '?'} is older than Windows Server 2016",
                node=self.name,
                hint="unsupported: hvtui needs Windows Server 2016 (build 14393) or later",
            )

    async def _watch(self, lane: Lane) -> None:
        """Follow the stream until it must be started again (gap, refresh); raises when the node is lost."""
        shared = self._shared
        interval = shared.config.refresh
        # A little off for every node: what starts in step must not stay in step.
        jittered = max(500, int(interval * 1000 * random.uniform(0.95, 1.05)))  # noqa: S311
        shared.store.restart(self.name)
        self._restart.clear()
        stream = lane.stream(WATCH_NODE, {"IntervalMs": jittered}, poll=min(interval + 1, 4.0))
        self._stream = stream
        children: list[asyncio.Task[None]] = []
        try:
            seen = False
            while True:
                frame = await self._next(lane, stream, seen)
                if frame is None:
                    return
                self._apply(frame)
                if not seen:
                    seen = True
                    self._failing = False
                    shared.began(self._first_name)
                    self._backoff.reset()
                    children.append(asyncio.create_task(self._after_first_picture()))
        except SequenceGapError as gap:
            _log.info("%s: %s", self.name, gap)
        finally:
            self._stream = None
            let_go(*children)
            await stream.aclose()

    def _apply(self, frame: NodeFrame) -> None:
        view = self._shared.store.state.node(self.name)
        problems = view.problems if frame.errors is None else frame.errors
        hanging = hanging_service(problems)
        self._shared.store.node_frame(self.name, frame, hanging, _HANGING_HINT if hanging else "")

    # --- silence ---

    async def _next(self, lane: Lane, stream: Stream, seen: bool) -> NodeFrame | None:
        """The next message, probing the node while none comes; None to start the stream again."""
        coming = asyncio.ensure_future(anext(stream))
        ending = asyncio.ensure_future(self._restart.wait())
        try:
            silent = 0.0
            wait = self._patience(seen)
            while True:
                await asyncio.wait((coming, ending), timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                if coming.done():
                    try:
                        frame: NodeFrame = coming.result()
                    except StopAsyncIteration:
                        raise Unreachable(f"{self.name} ended its stream", node=self.name) from None
                    return frame
                if ending.done():
                    return None
                silent += wait
                if not seen and silent < self._shared.timing.first_probe and answers(lane):
                    text = f"It answers, but its first picture takes long: no message for {silent:.0f} s"
                    self._shared.store.link(self.name, LinkStatus.HANGING, text, _SLOW_HINT)
                else:
                    await self._probe(lane, (coming, ending), silent)
                wait = self._shared.timing.probe_again
        finally:
            let_go(coming, ending)

    def _patience(self, seen: bool) -> float:
        timing = self._shared.timing
        link = self._shared.store.state.node(self.name).link
        interval = 0.0 if link.last_frame is None else link.interval
        return max(timing.silence if seen else timing.first_picture, 3 * interval)

    async def _probe(self, lane: Lane, until: tuple[asyncio.Future[Any], ...], silent: float) -> None:
        """Ask on another lane whether the node still answers; raises when it does not, nor on the stream's own lane.

        A loaded node may need a minute for another session. As long as it answers the stream's lane it is not gone.
        """
        store = self._shared.store
        slow = f"WinRM on it answers, but PowerShell does not: no message for {silent:.0f} s"
        probe = asyncio.ensure_future(self._ask_basic())
        try:
            await asyncio.wait((probe, *until), timeout=PROBE_SECONDS * 2, return_when=asyncio.FIRST_COMPLETED)
            if not any(one.done() for one in (probe, *until)) and answers(lane):
                store.link(self.name, LinkStatus.HANGING, slow, _SLOW_HINT)
            await asyncio.wait((probe, *until), return_when=asyncio.FIRST_COMPLETED)
            if not probe.done():
                return
            info = probe.result()
        except (Unreachable, DeadlinePassed):
            if not answers(lane):
                raise
            store.link(self.name, LinkStatus.HANGING, slow, _SLOW_HINT)
            return
        finally:
            let_go(probe)
        store.link(self.name, LinkStatus.HANGING, silent_service(info, silent), _HANGING_HINT)

    async def _ask_basic(self) -> Info:
        try:
            async with self.calls.probing() as lane:
                async with asyncio.timeout(PROBE_SECONDS * 2 + (0 if lane.opened else OPEN_LIMIT)):
                    info: Info = await lane.call(GET_INFO, {"Part": "Basic"}, deadline=PROBE_SECONDS)
        except TimeoutError:
            raise Unreachable(f"{self.name} does not answer any more", node=self.name) from None
        return info

    # --- the action lane ---

    async def _after_first_picture(self) -> None:
        """Open the action lane and keep it; read the slow facts. First pictures of other nodes come first."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._shared.timing.settle):
                await self._shared.settled.wait()
        try:
            async with self._shared.fact_slots:
                lane = self.calls.action()
                await lane.open()
                # So that what opening it cost the node is told, too.
                await lane.call(GET_INFO, {"Part": "Basic"})
        except RemoteError as error:
            _log.info("%s: the action lane: %s", self.name, error)
        await self.facts.run()
