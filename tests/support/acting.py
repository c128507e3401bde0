"""A console that can act, on a hand-made cluster: everything it asks is answered at once, and every change is kept.

What Windows would do with a change is not played here: `tests/support/world_nodes.py` does that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from hvtui.clock import ManualClock
from hvtui.config import ClusterConfig
from hvtui.errors import RemoteError, Unreachable
from hvtui.journal.store import Journal
from hvtui.model.preflight import ActionResult
from hvtui.model.vss_access import VssAccess
from hvtui.operations.audit import Actor
from hvtui.operations.facts import Facts
from hvtui.operations.pace import Pace
from hvtui.operations.service import Operations
from hvtui.remote.contract import FUNCTIONS
from hvtui.ui.app import HvtuiApp
from hvtui.ui.look import Look
from tests.support import builders
from tests.support.builders import NOW
from tests.support.screens import settle
from tests.support.small_clusters import MONOTONIC, Small
from tests.support.still import StillFeed

ACTOR = Actor(user="alice", machine="PC7", pid=4711, front="console", account="CORP\\alice")
ASKED = (
    "Get-HvTuiPreflight",
    "Get-HvTuiForkCommit",
    "Get-HvTuiService",
    "Get-HvTuiVssAccess",
    "Get-HvTuiCheckpoint",
)


class ActingFeed(StillFeed):
    """`Feed` and `Nodes` on a cluster. `sent` is every mutating call: node, function, parameters.

    Questions are answered with what `facts` holds; what it does not hold cannot be read.
    """

    def __init__(self, small: Small | None = None, *, facts: Facts | None = None) -> None:
        self.known: Facts = facts or (small or Small()).facts()
        super().__init__(self.known.state, ManualClock(NOW, MONOTONIC))
        for name in self.state.node_names():
            self.state.add_events(name, builders.page([]))
        self.read_only = False
        self.sent: list[tuple[str, str, dict[str, Any]]] = []
        self.asked_nodes: list[tuple[str, str]] = []
        self.answer: Callable[[str, str, Mapping[str, Any]], ActionResult | RemoteError] = lambda *_: _started()
        """What a mutating call is answered."""
        self.lines: Callable[[str, str, Mapping[str, Any]], Iterable[Any]] = lambda *_: ()
        """The records of a stream; one that is an error is raised in its place."""
        self.ready = asyncio.Event()
        """Questions are answered while this is set."""
        self.ready.set()
        self._seq = 1

    @property
    def pinned(self) -> str:
        info = self.state.cluster.info
        return self.known.pinned or (info.id if info is not None else "")

    def monotonic(self) -> float:
        return self.clock.monotonic()

    async def call(self, node: str, function: str, parameters: Mapping[str, Any], *, lane: str = "action") -> Any:
        if function in ASKED:
            self.asked_nodes.append((node, function))
            await self.ready.wait()
            found = self._known(node, function, parameters)
            if found is None:
                raise Unreachable(f"{node} does not tell", node=node)
            return found
        self.sent.append((node, function, dict(parameters)))
        await asyncio.sleep(0)
        answer = self.answer(node, function, parameters)
        if isinstance(answer, RemoteError):
            raise answer
        return answer

    async def stream(
        self, node: str, function: str, parameters: Mapping[str, Any], *, lane: str
    ) -> AsyncGenerator[Any, None]:
        if FUNCTIONS[function].mutating:
            self.sent.append((node, function, dict(parameters)))
        else:
            self.asked_nodes.append((node, function))
        for record in self.lines(node, function, parameters):
            await self.ready.wait()
            await asyncio.sleep(0)
            if isinstance(record, RemoteError):
                raise record
            yield record

    def move(self, vm: str, source: str, node: str, *volumes: str) -> None:
        """A VM is on another node now, as the streams tell it."""
        state, gone = self.state, {"vms": [builders.guid(vm)]}
        self._seq += 1
        role = [builders.role(vm, node)]
        frame = builders.cluster_frame(roles=role, kind="delta", seq=self._seq)
        left = builders.node_frame(source, kind="delta", seq=self._seq, gone=gone)
        files = [builders.files(vm, *volumes)]
        there = builders.node_frame(node, [builders.vm(vm, 90)], files, kind="delta", seq=self._seq)
        for change in (
            state.apply_cluster(frame, builders.live()),
            state.apply_node(source, left, builders.live()),
            state.apply_node(node, there, builders.live()),
        ):
            self.tell(change)

    def stop_vmms(self, node: str) -> None:
        """VMMS of a node is stopped, as its stream tells it."""
        host = builders.host(node, vmms="Stopped")
        self._seq += 1
        frame = builders.node_frame(node, kind="delta", seq=self._seq, host=host)
        self.tell(self.state.apply_node(node, frame, builders.live()))

    def _known(self, node: str, function: str, parameters: Mapping[str, Any]) -> Any:
        if function == "Get-HvTuiPreflight":
            return self.known.preflight.get(node)
        if function == "Get-HvTuiForkCommit":
            return self.known.fork.get(node)
        if function == "Get-HvTuiVssAccess":
            found = self.known.access.get(node)
            return found if isinstance(found, VssAccess) else None
        if function == "Get-HvTuiCheckpoint":
            return self.known.checkpoints.get(parameters["VMId"].lower())
        return self.known.services.get(f"{node}/{parameters['Name']}")


def _started() -> ActionResult:
    return ActionResult(v=1, time=NOW, node="", function="", operation="", outcome="started")


@asynccontextmanager
async def acting(
    feed: ActingFeed,
    folder: Path,
    size: tuple[int, int] = (120, 40),
    *,
    ascii_only: bool = False,
    theme: str = "dark",
    **config: Any,
) -> AsyncIterator[tuple[HvtuiApp, Pilot[None], Operations]]:
    """The console on the feed with its operations; their journal is in `folder`."""
    fields: dict[str, Any] = {"name": "test", "seeds": ("HV01",), "actions": True} | config
    cluster = ClusterConfig(**fields)
    feed.protected = cluster.protected
    operations = Operations(
        feed,
        Journal(folder / "journal"),
        config=cluster,
        actor=ACTOR,
        clock=feed.clock,
        file="hvtui.toml",
        # The clock stands still: waiting for a fresher picture would never end.
        pace=Pace(fresh=0.0),
    )
    app = HvtuiApp(feed, operations=operations, look=Look(ascii=ascii_only, zone=UTC), theme=theme)
    # One look, and all of it: what a screen shows must not depend on how long the machine takes.
    app.findings.every, app.findings.budget = float("inf"), None
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            await settle(pilot)
            yield app, pilot, operations
    finally:
        await operations.close()
