"""The conversation with one engine: every packet waits for its acknowledgement, because only that keeps the order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable

from hvtui.lab.pwsh.packets import Packet, read_packet
from hvtui.lab.pwsh.process import EngineProcess

_log = logging.getLogger(__name__)


class EngineLost(Exception):
    """The engine died, hangs or writes what is no packet: nothing more can be asked of it."""


class Relay:
    """Talks to one engine. `received` is called for each Data packet, in order; `lost` once, when the engine is gone.

    `patience`: seconds an engine has to acknowledge a packet; one that takes longer hangs.

    The engine queues every line to a thread pool, so order holds only from one acknowledgement to the next packet of
    the same GUID: there is one lock a GUID.
    """

    def __init__(
        self,
        process: EngineProcess,
        received: Callable[[Packet], Awaitable[None]],
        lost: Callable[[], None],
        *,
        patience: float,
    ) -> None:
        self.process = process
        self.patience = patience
        self.awaiting = asyncio.Event()
        """Set while an acknowledgement is awaited: reading must go on then, whatever waits for a client."""
        self._received = received
        self._lost = lost
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._acks: dict[tuple[str, str], asyncio.Future[None]] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._gone = False
        self._reader = asyncio.create_task(self._read())

    @property
    def gone(self) -> bool:
        """Whether the engine cannot be asked any more."""
        return self._gone

    async def ask(self, kind: str, guid: str, data: bytes = b"", stream: str = "", *, patience: float = 0.0) -> None:
        """Send a packet and wait for its acknowledgement; raises EngineLost. A hanging engine is killed."""
        # Not in the caller's task: if that is cancelled, the acknowledgement still belongs to this packet.
        task = asyncio.create_task(self._ask(Packet(kind, guid, data, stream), patience or self.patience))
        self._work.add(task)
        task.add_done_callback(self._forget)
        await asyncio.shield(task)

    def drop(self, guid: str) -> None:
        """A pipeline is over: its lock is not needed any more."""
        if guid in self._locks and not self._locks[guid].locked():
            del self._locks[guid]

    async def end(self, grace: float) -> None:
        """End the engine and everything here; `grace` as in `EngineProcess.end`."""
        self._gone = True
        await self.process.end(grace)
        self._reader.cancel()
        await asyncio.wait([self._reader, *self._work])
        self._abandon()

    async def _ask(self, packet: Packet, patience: float) -> None:
        async with self._locks[packet.guid]:
            if self._gone and packet.kind != "Close":
                raise EngineLost
            key = (f"{packet.kind}Ack", packet.guid)
            ack = self._acks[key] = asyncio.get_running_loop().create_future()
            self.awaiting.set()
            try:
                async with asyncio.timeout(patience):
                    await self.process.write(packet.line())
                    await ack
            except (TimeoutError, ConnectionError) as error:
                _log.warning("engine %d did not acknowledge %s: %r", self.process.pid, packet.kind, error)
                self._break()
                raise EngineLost from error
            finally:
                self._acks.pop(key, None)
                if not self._acks:
                    self.awaiting.clear()

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._work.discard(task)
        if not task.cancelled():
            task.exception()  # the caller may be gone; then nobody else looks

    async def _read(self) -> None:
        try:
            async for line in self.process.lines():
                packet = read_packet(line)
                if packet is None:
                    _log.warning("engine %d wrote no packet: %r", self.process.pid, line[:200])
                    break
                if packet.kind == "Data":
                    await self._received(packet)
                    continue
                ack = self._acks.get((packet.kind, packet.guid))
                if ack is not None and not ack.done():
                    ack.set_result(None)
            else:
                # It is ending by itself; whoever ends the relay waits for that, and kills it only if it does not.
                self._break(kill=False)
        finally:
            self._break()

    def _break(self, *, kill: bool = True) -> None:
        if self._gone:
            return
        self._gone = True
        for line in self.process.complaints:
            _log.warning("engine %d said: %s", self.process.pid, line)
        if kill:
            self.process.kill()
        self._abandon()
        self._lost()

    def _abandon(self) -> None:
        for ack in list(self._acks.values()):
            if not ack.done():
                ack.set_exception(EngineLost())
                with contextlib.suppress(asyncio.CancelledError):
                    ack.exception()
