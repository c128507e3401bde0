"""The slow facts of one node: its event logs by position, its VSS writers in their turn, and what findings ask for."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import Final

from hvtui.errors import BadReply, NodeRefused, RemoteError
from hvtui.live.shared import Shared
from hvtui.live.signals import FUNCTIONS, NodeSignals
from hvtui.live.writer_turn import WriterTurn, sign_of_backup
from hvtui.model.records import EventPage, Info, Provider, Providers, WriterText
from hvtui.remote.contract import CHANNELS, GET_EVENT, GET_INFO, GET_PROVIDER, GET_WRITER
from hvtui.remote.lane import Lane

BACK_HOURS: Final = 24
"""How far back the logs are read at start."""
PAGE: Final = 200
PAGES: Final = 100
"""Most pages of one channel in one go; the rest comes at the next look."""

_log = logging.getLogger(__name__)


class NodeFacts:
    """Owns the facts lane and the writers lane of a node; both are opened when needed and closed when idle."""

    def __init__(self, name: str, shared: Shared) -> None:
        self.name = name
        self._shared = shared
        self._facts: Lane | None = None
        self._positions: dict[str, int] = {}
        self._look_now = asyncio.Event()
        self._reading = False
        self._reads: set[asyncio.Task[None]] = set()
        self._writers_seen = False
        self._turn = WriterTurn(shared.timing)
        self._signals = NodeSignals(shared)

    async def run(self) -> None:
        """Read what the node says of itself, the writers, the event logs back; then new events and, seldom, writers."""
        if not self._writers_seen:
            self.read_writers()
        told = False
        while True:
            self._look_now.clear()
            try:
                async with self._shared.fact_slots:
                    if not told:
                        await self._read_info()
                        told = True
                    await self._read_events()
                    await self._signals.read(self.name, self._lane())
                sign = sign_of_backup(self._shared.store.state, self.name)
                if self._turn.due(self._shared.clock.monotonic(), sign=sign):
                    self.read_writers()
            except RemoteError as error:
                _log.info("%s: slow facts: %s", self.name, error)
            except Exception:
                _log.exception("reading the slow facts of %s failed", self.name)
            await self._pause()

    async def _read_info(self) -> None:
        info: Info = await self._lane().call(GET_INFO, {"Part": "All"})
        self._shared.store.info(self.name, info)
        self._shared.owner.member_seen(self.name, info)

    def release(self) -> list[Lane]:
        """Stop what runs; the caller closes the lanes. A read of the writers closes its own."""
        for read in self._reads:
            read.cancel()
        lane, self._facts = self._facts, None
        return [] if lane is None else [lane]

    # --- events ---

    def look_now(self) -> None:
        """Read new events without waiting for the next turn."""
        self._look_now.set()

    def read_signals(self, *names: str) -> None:
        """Read the shadow copies, filters and hotfixes, or only the named; the id of a VM stands for its chains."""
        self._signals.want(*(names or FUNCTIONS))
        self.look_now()

    async def _pause(self) -> None:
        """Wait for the next look; close the lane when that is longer than it may be idle."""
        nodes = len(self._shared.store.state.nodes)
        seconds = max(self._shared.timing.events, float(nodes)) * random.uniform(0.8, 1.2)  # noqa: S311
        idle = self._shared.timing.idle
        if seconds > idle and not await self._asked_within(idle):
            await self._close_facts()
            await self._asked_within(seconds - idle)
        elif seconds <= idle:
            await self._asked_within(seconds)

    async def _asked_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._look_now.wait()
        except TimeoutError:
            return False
        return True

    async def _read_events(self) -> None:
        lane = self._lane()
        for channel in CHANNELS:
            try:
                await self._read_channel(lane, channel)
            except (NodeRefused, BadReply) as error:
                # This channel's own trouble; any other error is the lane's.
                self._shared.store.events_failed(self.name, channel, error.text)

    async def _read_channel(self, lane: Lane, channel: str) -> None:
        for _ in range(PAGES):
            after = self._positions.get(channel, 0)
            page: EventPage = await lane.call(
                GET_EVENT, {"Channel": channel, "AfterRecord": after, "Hours": BACK_HOURS, "MaxEvents": PAGE}
            )
            if page.newest_record is not None and page.newest_record < after:
                # The log was cleared and counts from one again: read it by time once more.
                self._positions[channel] = 0
                self._shared.store.events(self.name, page)
                continue
            self._shared.store.events(self.name, page)
            last = max((event.record for event in page.events or ()), default=after)
            if not page.more or last <= after:
                if page.events is not None and not page.more and page.newest_record is not None:
                    last = max(last, page.newest_record)
                self._positions[channel] = last
                return
            self._positions[channel] = last

    def _lane(self) -> Lane:
        if self._facts is None:
            self._facts = self._shared.connector.lane(self.name, "facts")
        return self._facts

    async def _close_facts(self) -> None:
        lane, self._facts = self._facts, None
        await self._shared.close(lane)

    # --- writers ---

    def read_writers(self) -> bool:
        """Start a read of the VSS writers; False when one is already running."""
        if self._reading:
            return False
        self._reading = True
        self._turn.began(self._shared.clock.monotonic())
        read = asyncio.create_task(self._read_writers())
        self._reads.add(read)
        read.add_done_callback(self._read_ended)
        return True

    def _read_ended(self, read: asyncio.Task[None]) -> None:
        self._reads.discard(read)
        if not self._reads:
            self._reading = False

    async def _read_writers(self) -> None:
        store = self._shared.store
        store.writers_reading(self.name)
        try:
            async with self._shared.writer_slots:
                await self._ask_writers()
        except RemoteError as error:
            store.writers_failed(self.name, error.text)
        except asyncio.CancelledError:
            store.writers_failed(self.name, "the read was given up when the connection ended")
            raise
        except Exception as error:
            _log.exception("reading the writers of %s failed", self.name)
            store.writers_failed(self.name, f"hvtui failed on this answer: {type(error).__name__}")
        self._turn.ended(store.state.node(self.name).writers)

    async def _ask_writers(self) -> None:
        """On a lane of its own, closed when it is done: vssadmin may hang for minutes."""
        lane = self._shared.connector.lane(self.name, "writers")
        try:
            answer: WriterText = await lane.call(GET_WRITER)
            providers = await self._providers(lane)
            self._shared.store.writers(self.name, answer, providers)
            self._writers_seen = True
        finally:
            self._reading = False
            await self._shared.close(lane)

    async def _providers(self, lane: Lane) -> tuple[Provider, ...] | None:
        try:
            answer: Providers = await lane.call(GET_PROVIDER)
        except RemoteError:
            return None
        return None if answer.providers is None else tuple(answer.providers)
