"""A cluster that is watched offline through a Store, as the live monitor does, and recorded.

The world's answers come straight from the native engine; clock and world go on only when they are pumped.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from hvtui.clock import Clock
from hvtui.lab.native import calls
from hvtui.lab.native.cluster_stream import ClusterStream
from hvtui.lab.native.node_stream import NodeStream
from hvtui.lab.world import World
from hvtui.lab.world.node import Node
from hvtui.live.health import hanging_service
from hvtui.live.inputs import Tap
from hvtui.model.change import Change
from hvtui.model.enums import NodeState
from hvtui.model.link import LinkStatus
from hvtui.model.records import ClusterFrame, EventPage, Info, NodeFrame, Providers, WriterText
from hvtui.model.usage import Usage
from hvtui.recording.recorder import Recorder
from hvtui.recording.still import SetClock, StillStore
from hvtui.remote.contract import CHANNELS
from tests.support.world import START

_cluster_frame: Final = msgspec.json.Decoder(ClusterFrame)
_node_frame: Final = msgspec.json.Decoder(NodeFrame)


class ToldFeed:
    """`live.feed.Feed` over a Store. `tap` of its store may be a recorder's."""

    def __init__(self, world: World, *, title: str = "demo") -> None:
        self.world = world
        self.title = title
        self.read_only = True
        self.protected = False
        self._set = SetClock(world.now, 1_000.0)
        self.clock: Clock = self._set
        self._ms = 0
        self.store = StillStore(self.clock)
        self.state = self.store.state
        self._listeners: list[Callable[[Change], None]] = []
        self._nodes: dict[str, NodeStream] = {}
        self._cluster: ClusterStream | None = None

    @classmethod
    def load(cls, scenario: str | Path, *, at: float = 0.0, start: datetime = START) -> ToldFeed:
        """A feed on a scenario's world, nothing read yet."""
        return cls(World.load(scenario, start=start, at=at))

    # --- Feed ---

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def refresh(self, what: str, node: str = "") -> str:
        return f"{what} of {node or 'all nodes'} is read when the world is pumped"

    def usage(self, node: str) -> Usage | None:
        return None

    async def start(self) -> None:
        """Begins when it is pumped."""

    async def stop(self) -> None:
        """Nothing to end."""

    def listen(self, tap: Tap | None) -> None:
        self.store.tap = tap

    # --- driving it ---

    def pump(self, seconds: float = 0.0, *, writers: bool = False, events: bool = True) -> Change:
        """Let time pass, then read every node once; tells the listeners."""
        self.advance(seconds)
        self.read_cluster()
        for node in self.world.nodes.values():
            if not self.read_node(node):
                continue
            if events:
                self.read_events(node)
            if writers:
                self.read_writers(node)
        return self.tell()

    def advance(self, seconds: float) -> None:
        """Let time pass, to the millisecond; nothing is read."""
        if seconds:
            self.world.advance(seconds)
            self._ms += round(seconds * 1000)
            self._set.set(self._ms)

    def tell(self) -> Change:
        """Let the listeners know what was read since the last time."""
        change = self.store.take()
        if change:
            for listener in tuple(self._listeners):
                listener(change)
        return change

    def read_cluster(self) -> None:
        """A message of the cluster's stream, from the first node that answers."""
        stream = self._cluster
        if stream is None or stream.node.faults.down or stream.node.state == NodeState.Down:
            up = (node for node in self.world.nodes.values() if not node.faults.down and node.state != NodeState.Down)
            answering = next(up, None)
            if answering is None:
                self.store.link("", LinkStatus.UNREACHABLE, "no node answers")
                return
            stream = self._cluster = ClusterStream(self.world, answering)
            self.store.restart("")
        self.store.cluster_frame(_cluster_frame.decode(stream.tick()))

    def read_node(self, node: Node) -> bool:
        """A message of a node's stream; False when it does not answer."""
        if node.faults.down:
            self._nodes.pop(node.name, None)
            self.store.link(node.name, LinkStatus.UNREACHABLE, "nothing answers at its address")
            return False
        stream = self._nodes.get(node.name)
        if stream is None:
            stream = self._nodes[node.name] = NodeStream(self.world, node)
            self.store.restart(node.name)
            self.store.info(node.name, msgspec.json.decode(calls.info(self.world, node, "All"), type=Info))
        frame = _node_frame.decode(stream.tick())
        problems = self.state.node(node.name).problems if frame.errors is None else frame.errors
        self.store.node_frame(node.name, frame, hanging_service(problems))
        return True

    def read_events(self, node: Node) -> None:
        """What is new in its event logs."""
        for channel in CHANNELS:
            more = True
            while more:
                position = self.state.events.position(node.name, channel)
                text = calls.event_page(self.world, node, channel=channel, after=position)
                page = msgspec.json.decode(text, type=EventPage)
                self.store.events(node.name, page)
                more = page.more

    def read_writers(self, node: Node) -> None:
        """Its VSS writers and providers."""
        hung = calls.writer_blocked(self.world, node)
        answer = msgspec.json.decode(calls.writer_text(self.world, node, hung=hung), type=WriterText)
        listed = msgspec.json.decode(calls.providers(self.world, node), type=Providers)
        self.store.writers(node.name, answer, tuple(listed.providers or ()))


def recorder_of(feed: ToldFeed, file: Path, *, redact: bool = False, own_thread: bool = False) -> Recorder:
    """A recorder on the feed; without a thread of its own nothing is written until it is asked to."""
    made = Recorder(file, feed.state, feed.clock, title=feed.title, redact=redact, own_thread=own_thread)
    feed.store.tap = made.tap
    return made


def record_world(
    scenario: str | Path, file: Path, seconds: float, step: float = 2.0, *, at: float = 0.0, redact: bool = False
) -> ToldFeed:
    """Record a scenario's world for so many seconds of its own time; the feed stands at the end."""
    feed = ToldFeed.load(scenario, at=at)
    recorder = recorder_of(feed, file, redact=redact)
    feed.pump(writers=True)
    ticks = round(seconds / step)
    for tick in range(1, ticks + 1):
        often = tick % max(1, round(30 / step)) == 0
        feed.pump(step, events=often, writers=tick % max(1, round(600 / step)) == 0)
        if often:
            recorder.write()
    why = recorder.close()
    feed.store.tap = None
    if why:
        raise AssertionError(why)
    return feed
