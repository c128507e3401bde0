"""A cluster for user interface tests: the world's answers without a network, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

import msgspec

from hvtui.clock import Clock, ManualClock
from hvtui.lab.native import calls
from hvtui.lab.native.cluster_stream import ClusterStream
from hvtui.lab.native.node_stream import NodeStream
from hvtui.lab.world import World
from hvtui.lab.world.node import Node
from hvtui.live.health import hanging_service
from hvtui.model.change import Change
from hvtui.model.enums import NodeState
from hvtui.model.link import Link, LinkStatus
from hvtui.model.records import ClusterFrame, EventPage, Frame, Info, NodeFrame, Providers, WriterText
from hvtui.model.state import ClusterState
from hvtui.model.usage import Usage
from hvtui.model.writers import writer_picture
from hvtui.remote.contract import CHANNELS

START: Final = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
"""First second of the world in tests and pictures."""

_cluster_frame: Final = msgspec.json.Decoder(ClusterFrame)
_node_frame: Final = msgspec.json.Decoder(NodeFrame)


class DirectFeed:
    """`live.feed.Feed` straight from the native engine's answers.

    Nothing happens by itself: `pump` lets world and clock go on and applies one tick of every stream, new events, and
    (`writers`) the writers of all nodes. Nodes that are down are unreachable, and keep their last data.
    """

    def __init__(
        self,
        world: World,
        clock: Clock | None = None,
        *,
        title: str = "demo",
        read_only: bool = True,
        protected: bool = False,
    ) -> None:
        self.world = world
        self.clock: Clock = clock if clock is not None else ManualClock(world.now)
        self.title = title
        self.read_only = read_only
        self.protected = protected
        self.state = ClusterState()
        self.asked: list[tuple[str, str]] = []
        """What `refresh` was asked for."""
        self._listeners: list[Callable[[Change], None]] = []
        self._nodes: dict[str, NodeStream] = {}
        self._cluster: ClusterStream | None = None

    @classmethod
    def load(cls, scenario: str | Path, *, at: float = 0.0, start: datetime = START, title: str = "demo") -> Self:
        """A feed on a scenario's world after `at` seconds, with its first full picture, writers and events read."""
        feed = cls(World.load(scenario, start=start, at=at), title=title)
        feed.pump(writers=True)
        return feed

    # --- Feed ---

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def refresh(self, what: str, node: str = "") -> str:
        """Reads at once, the cluster's answers being at hand."""
        self.asked.append((what, node))
        change = Change()
        for one in self._reachable():
            if node and one.name.lower() != node.lower():
                continue
            if what == "writers":
                change.add(self._read_writers(one))
            elif what == "events":
                change.add(self._read_events(one))
            elif what == "node":
                change.add(self._read_node(one))
        if what == "cluster":
            change.add(self._read_cluster())
        self._tell(change)
        return f"reading {what} of {node or 'all nodes'}"

    def usage(self, node: str) -> Usage | None:
        """Nothing goes over a network here."""
        return None

    async def start(self) -> None:
        """Takes the first picture, unless there is one."""
        if self._cluster is None:
            self.pump(writers=True)

    async def stop(self) -> None:
        """Nothing to end."""

    # --- driving it ---

    def pump(self, seconds: float = 0.0, *, writers: bool = False) -> Change:
        """Let `seconds` pass on world and clock, then apply what every node says; tells the listeners once."""
        if seconds:
            self.world.advance(seconds)
            if isinstance(self.clock, ManualClock):
                self.clock.advance(seconds)
        change = self._read_cluster()
        for node in self.world.nodes.values():
            if node.faults.down:
                self._nodes.pop(node.name, None)
                change.add(self._set(node.name, LinkStatus.UNREACHABLE, "nothing answers at its address"))
                continue
            change.add(self._read_node(node))
            if self.state.node(node.name).link.status is LinkStatus.UNUSABLE:
                continue
            change.add(self._read_events(node))
            if writers:
                change.add(self._read_writers(node))
        self._tell(change)
        return change

    def _tell(self, change: Change) -> None:
        if change:
            for listener in tuple(self._listeners):
                listener(change)

    def _reachable(self) -> list[Node]:
        return [node for node in self.world.nodes.values() if not node.faults.down]

    def _link(self, old: Link, frame: Frame, hanging: str = "") -> Link:
        status = LinkStatus.HANGING if hanging else LinkStatus.LIVE
        now = self.clock.monotonic()
        return Link(
            status=status,
            text=hanging,
            since=old.since if old.status is status else now,
            last_frame=now,
            node_time=frame.time,
            offset=frame.time - self.clock.now(),
        )

    def _set(self, name: str, status: LinkStatus, text: str) -> Change:
        """A node that gives no data; what it said before stays."""
        old = self.state.node(name).link if name else self.state.cluster.link
        since = old.since if old.status is status else self.clock.monotonic()
        return self.state.set_link(name, msgspec.structs.replace(old, status=status, text=text, since=since))

    def _read_cluster(self) -> Change:
        stream = self._cluster
        if stream is None or stream.node.faults.down or stream.node.state == NodeState.Down:
            answering = next((node for node in self._reachable() if node.state != NodeState.Down), None)
            if answering is None:
                return self._set("", LinkStatus.UNREACHABLE, "no node answers")
            stream = self._cluster = ClusterStream(self.world, answering)
            self.state.restart("")
        frame = _cluster_frame.decode(stream.tick())
        return self.state.apply_cluster(frame, self._link(self.state.cluster.link, frame))

    def _read_node(self, node: Node) -> Change:
        change = Change()
        stream = self._nodes.get(node.name)
        if stream is None:
            stream = self._nodes[node.name] = NodeStream(self.world, node)
            self.state.restart(node.name)
            info = msgspec.json.decode(calls.info(self.world, node, "All"), type=Info)
            change.add(self.state.set_info(node.name, info))
        view = self.state.node(node.name)
        if view.info is not None and view.info.supported is False:
            change.add(self._set(node.name, LinkStatus.UNUSABLE, f"Windows build {view.info.build} is too old"))
            return change
        frame = _node_frame.decode(stream.tick())
        hanging = hanging_service(view.problems if frame.errors is None else frame.errors)
        change.add(self.state.apply_node(node.name, frame, self._link(view.link, frame, hanging)))
        return change

    def _read_events(self, node: Node) -> Change:
        change = Change()
        for channel in CHANNELS:
            more = True
            while more:
                position = self.state.events.position(node.name, channel)
                text = calls.event_page(self.world, node, channel=channel, after=position)
                page = msgspec.json.decode(text, type=EventPage)
                change.add(self.state.add_events(node.name, page))
                more = page.more
        return change

    def _read_writers(self, node: Node) -> Change:
        hung = calls.writer_blocked(self.world, node)
        answer = msgspec.json.decode(calls.writer_text(self.world, node, hung=hung), type=WriterText)
        picture = writer_picture(answer, self.clock.monotonic())
        listed = msgspec.json.decode(calls.providers(self.world, node), type=Providers)
        return self.state.set_writers(node.name, picture, tuple(listed.providers or ()))
