"""The cluster's own stream: from any node that is up, moving to another one within seconds."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Final

from hvtui.errors import DeadlinePassed, NotAuthenticated, RemoteError, Unreachable
from hvtui.live.health import is_blind
from hvtui.live.shared import Shared, answers, let_go
from hvtui.live.timing import Backoff
from hvtui.model.enums import NodeState, signed
from hvtui.model.link import LinkStatus
from hvtui.model.records import ClusterFrame
from hvtui.model.state import SequenceGapError
from hvtui.remote.contract import WATCH_CLUSTER
from hvtui.remote.lane import Lane, Stream

BLIND_SECONDS: Final = 60.0
"""A node that could not see the cluster is asked again after so long, unless no other is left."""

_log = logging.getLogger(__name__)


class _HaltedError(Exception):
    """It is another cluster: nothing is asked any more."""


class ClusterWatch:
    """Supervises the cluster's stream."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._failed: dict[str, float] = {}
        self._backoff = Backoff(shared.timing.retry, shared.timing.retry_most)
        self._first_picture = shared.timing.first_picture
        """Patience with a first picture: where all nodes are slow, moving on from each would never bring one."""
        self._wake = asyncio.Event()
        self._again = asyncio.Event()
        self.node = ""
        """The node that tells the cluster's picture now, empty while none does."""

    def refresh(self) -> str:
        """Ask for a full picture now; the result says in words what was started."""
        self._again.set()
        self._wake.set()
        return "reading the cluster now"

    async def run(self) -> None:
        """Never raises but for cancellation, and returns only when the monitor was halted."""
        store = self._shared.store
        store.link("", LinkStatus.CONNECTING)
        while True:
            node = self._choose()
            if node is None:
                error: RemoteError = Unreachable("The configuration gives no address for any known node")
                store.failed("", error)
                await self._pause(self._shared.timing.retry_most)
                continue
            try:
                await self._session(node)
            except RemoteError as failure:
                if isinstance(failure, NotAuthenticated) and self._shared.connector.gate.refusal:
                    store.failed("", failure)
                    await self._shared.gate_open()
                    continue
                self._lost(node, failure)
            except _HaltedError:
                return
            except Exception as failure:
                _log.exception("the cluster's stream from %s failed", node)
                self._lost(node, Unreachable(f"hvtui failed on its answer: {type(failure).__name__}", node=node))
            finally:
                self.node = ""
            if self._all_failed():
                await self._pause(self._backoff.wait())

    def _lost(self, node: str, error: RemoteError) -> None:
        self._failed[node.lower()] = self._shared.clock.monotonic()
        text = error.text if node.lower() in error.text.lower() else f"{node}: {error.text}"
        error.text = text
        self._shared.store.failed("", error)

    async def _pause(self, seconds: float) -> None:
        self._wake.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    # --- which node ---

    def _candidates(self) -> list[str]:
        state = self._shared.store.state
        names = {name.lower(): name for name in self._shared.config.seeds}
        names.update({name.lower(): name for name in state.nodes})
        return [name for name in names.values() if self._shared.connector.address(name) is not None]

    def _choose(self) -> str | None:
        """Never failed or longest ago, then live ones, then those the cluster calls Up, then the seeds' order."""
        names = self._candidates()
        return min(names, key=self._rank, default=None)

    def _rank(self, name: str) -> tuple[bool, float, bool, bool]:
        state = self._shared.store.state
        view = state.nodes.get(state.node_name(name))
        member = state.member(name)
        failed = self._failed.get(name.lower())
        recent = failed is not None and self._shared.clock.monotonic() - failed < BLIND_SECONDS
        return (
            recent,
            failed if failed is not None and recent else 0.0,
            view is None or view.link.status is not LinkStatus.LIVE,
            member is not None and signed(member.state) != NodeState.Up,
        )

    def _all_failed(self) -> bool:
        now = self._shared.clock.monotonic()
        failed = {name for name, when in self._failed.items() if now - when < BLIND_SECONDS}
        return all(name.lower() in failed for name in self._candidates())

    # --- one connection ---

    async def _session(self, node: str) -> None:
        shared = self._shared
        lane = shared.connector.lane(node, "cluster")
        try:
            await lane.open()
            while True:
                await self._watch(node, lane)
        finally:
            await shared.close(lane)

    async def _watch(self, node: str, lane: Lane) -> None:
        """Follow the stream until it must be started again; raises when another node should be asked."""
        shared = self._shared
        interval = shared.config.refresh
        self._again.clear()
        stream = lane.stream(WATCH_CLUSTER, {"IntervalMs": max(500, int(interval * 1000))}, poll=min(interval + 1, 4.0))
        shared.store.restart("")
        try:
            while True:
                frame = await self._next(node, lane, stream)
                if frame is None:
                    return
                if frame.kind == "full" and frame.nodes is None:
                    raise _blind(node, is_blind(frame.errors or ()) or "it could not read the cluster")
                if not shared.owner.cluster_seen(frame):
                    raise _HaltedError
                shared.store.cluster_frame(frame)
                self.node = node
                self._backoff.reset()
                why = is_blind(shared.store.state.cluster.problems)
                if why and not self._all_others_failed(node):
                    raise _blind(node, why)
        except SequenceGapError as gap:
            _log.info("cluster stream of %s: %s", node, gap)
        finally:
            await stream.aclose()

    def _all_others_failed(self, node: str) -> bool:
        now = self._shared.clock.monotonic()
        failed = {name for name, when in self._failed.items() if now - when < BLIND_SECONDS}
        return all(name.lower() in failed for name in self._candidates() if name.lower() != node.lower())

    async def _next(self, node: str, lane: Lane, stream: Stream) -> ClusterFrame | None:
        timing = self._shared.timing
        first = self.node != node
        link = self._shared.store.state.cluster.link
        interval = 0.0 if link.last_frame is None else link.interval
        patience = max(self._first_picture if first else timing.silence, 3 * interval)
        began = self._shared.clock.monotonic()
        coming = asyncio.ensure_future(anext(stream))
        again = asyncio.ensure_future(self._again.wait())
        try:
            await asyncio.wait({coming, again}, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                frame: ClusterFrame = coming.result()
                if first:
                    self._first_picture = max(timing.first_picture, 2 * (self._shared.clock.monotonic() - began))
                return frame
            if again.done():
                return None
            if first and answers(lane):
                self._first_picture = min(2 * self._first_picture, timing.first_picture_most)
            raise _blind(node, f"no message for {patience:.0f} s")
        except StopAsyncIteration:
            raise Unreachable(f"{node} ended the cluster's stream", node=node) from None
        finally:
            let_go(coming, again)


def _blind(node: str, why: str) -> RemoteError:
    return DeadlinePassed(f"The cluster service on {node} does not answer: {why}", node=node)
