"""What all supervisors of one cluster share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from hvtui.clock import Clock
from hvtui.config import ClusterConfig
from hvtui.live.store import Store
from hvtui.live.timing import Timing
from hvtui.model.records import ClusterFrame, Info
from hvtui.model.usage import Usage
from hvtui.remote.credentials import CredentialGate
from hvtui.remote.lane import Lane

ANSWERS_SECONDS: Final = 10.0
"""A lane with a running stream hears from its node every 4 s at the latest, with 2 s of patience."""


class Connecting(Protocol):
    """What makes lanes: `remote.connect.Connector`."""

    gate: CredentialGate

    def address(self, node: str) -> tuple[str, int] | None:
        """Host and port of a node, None when it must not be contacted."""
        ...

    def lane(self, node: str, purpose: str) -> Lane:
        """A new lane, not yet open."""
        ...

    def usage(self, node: str) -> Usage | None:
        """What the lanes to a node cost it in the last minute; None when it was never contacted."""
        ...

    def renamed(self, old: str, new: str) -> None:
        """A node of the configuration said its own name."""
        ...


class Owner(Protocol):
    """What supervisors tell the monitor."""

    def cluster_seen(self, frame: ClusterFrame) -> bool:
        """A cluster message came; False stops everything: it is another cluster."""
        ...

    def member_seen(self, node: str, info: Info) -> None:
        """A node said which cluster it belongs to."""
        ...


@dataclass
class Shared:
    """Made once per monitor, on its event loop."""

    config: ClusterConfig
    connector: Connecting
    store: Store
    clock: Clock
    timing: Timing
    owner: Owner
    start_slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))
    retry_slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))
    fact_slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))
    writer_slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))
    credential_given: asyncio.Event = field(default_factory=asyncio.Event)

    starting: set[str] = field(default_factory=set)
    """Nodes that have neither sent their first picture nor failed yet."""
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when no node is starting; slow facts wait for it, first pictures come first."""

    closings: set[asyncio.Future[object]] = field(default_factory=set)
    """Lanes being closed; the monitor's stop waits for them."""
    stopping: bool = False
    """The monitor stops: no lane is left to a call that is still on it."""

    def hold(self, closing: asyncio.Future[object]) -> None:
        """Keep hold of a lane's end, until it has come."""
        self.closings.add(closing)
        closing.add_done_callback(self.closings.discard)

    async def close(self, *lanes: Lane | None) -> None:
        """Close lanes, all at once; goes on even when the waiting task is cancelled."""
        work: asyncio.Future[object] = asyncio.ensure_future(
            asyncio.gather(*(lane.close() for lane in lanes if lane is not None), return_exceptions=True)
        )
        self.hold(work)
        await asyncio.shield(work)

    def begins(self, node: str) -> None:
        """A node is contacted for the first time."""
        self.starting.add(node)
        self.settled.clear()

    def began(self, node: str) -> None:
        """Its first picture came, or it failed."""
        self.starting.discard(node)
        if not self.starting:
            self.settled.set()

    async def gate_open(self) -> None:
        """Wait until the user has given another credential."""
        while self.connector.gate.refusal:
            self.credential_given.clear()
            if self.connector.gate.refusal:
                await self.credential_given.wait()


def answers(lane: Lane) -> bool:
    """The node answered on a lane a moment ago, be it only that there is nothing to tell yet."""
    silent = lane.silent_for
    return silent is not None and silent < ANSWERS_SECONDS


def let_go(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks whose outcome does not matter any more, errors included."""
    for task in tasks:
        task.cancel()
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
