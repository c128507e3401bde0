"""One picture of a cluster over one lane a node: what `status`, `writers` and `doctor` of the command line need."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from hvtui.clock import Clock, SystemClock
from hvtui.config import ClusterConfig
from hvtui.errors import BadReply, DeadlinePassed, NotAuthenticated, RemoteError, Unreachable
from hvtui.live.health import hanging_service
from hvtui.live.identity import Identity
from hvtui.live.pins import Pins
from hvtui.live.shared import Connecting
from hvtui.live.store import Store
from hvtui.model.link import LinkStatus
from hvtui.model.records import ClusterFrame, EventPage, Frame, Info, NodeFrame, Problem, Providers, WriterText
from hvtui.model.state import ClusterState
from hvtui.model.views import problem_text
from hvtui.model.vss_access import VssAccess
from hvtui.remote.connect import Connector
from hvtui.remote.contract import (
    CHANNELS,
    GET_EVENT,
    GET_FILTER,
    GET_HOTFIX,
    GET_INFO,
    GET_PROVIDER,
    GET_SHADOW,
    GET_VSS_ACCESS,
    GET_WRITER,
    WATCH_CLUSTER,
    WATCH_NODE,
    Function,
)
from hvtui.remote.credentials import CredentialGate
from hvtui.remote.lane import Lane
from hvtui.remote.module import check_contract

_HOURS: Final = 24
"""How far back the event logs are read."""
_PAGES: Final = 100
"""Most pages of one channel."""
AT_ONCE: Final = 16
"""Nodes asked at the same time."""


@dataclass(frozen=True)
class Unread:
    """Something that could not be read: of which node (empty: the cluster), what, why, and what to do about it."""

    node: str
    what: str
    text: str
    hint: str = ""


@dataclass
class Picture:
    """A state as of one moment, with everything that is missing in it."""

    state: ClusterState
    as_of: datetime
    unread: list[Unread] = field(default_factory=list)
    access: dict[str, VssAccess] = field(default_factory=dict)
    """Who may take part in VSS, of nodes that were asked."""

    @property
    def empty(self) -> bool:
        """Nothing at all could be read."""
        return self.state.cluster.nodes is None and all(view.vms is None for view in self.state.nodes.values())


async def take_picture(
    config: ClusterConfig,
    gate: CredentialGate,
    *,
    clock: Clock | None = None,
    pins: Pins | None = None,
    writers: bool = False,
    past: bool = False,
    deadline: float = 30.0,
    connector: Connecting | None = None,
) -> Picture:
    """Ask every node once. `deadline`, in seconds, is for each step but the writers, which have their own.

    `past`: the event logs of the last day too, and what findings ask for beside: shadow copies, filters, hotfixes,
    and who may take part in VSS.

    What could not be read is in `unread`, an unreachable node too. Raises OtherCluster when the cluster is not the
    one that was met before, and ConfigError for pins that cannot be read.
    """
    asked = (*((_WRITERS,) if writers else ()), *((_PAST,) if past else ()))
    taking = _Taking(config, connector or Connector(config, gate), clock or SystemClock(), asked, deadline)
    await taking.run(Identity(config, pins))
    return taking.picture


_WRITERS: Final = "writers"
_PAST: Final = "past"


class _Taking:
    """The work on one picture."""

    def __init__(
        self, config: ClusterConfig, connector: Connecting, clock: Clock, asked: tuple[str, ...], deadline: float
    ) -> None:
        self._config = config
        self._connector = connector
        self._clock = clock
        self._asked = asked
        self._deadline = deadline
        self._store = Store(clock)
        self._lanes: dict[str, Lane] = {}
        self._failed: set[str] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self.picture = Picture(self._store.state, clock.now())

    async def run(self, identity: Identity) -> None:
        try:
            await self._read_cluster(identity)
            state = self._store.state
            names = [*(state.cluster.nodes or ()), *self._config.seeds]
            if state.cluster.nodes is None:
                names += self._config.addresses
            unique = {name.lower(): name for name in reversed(names)}
            async with asyncio.TaskGroup() as group:
                for key, name in unique.items():
                    if key not in self._failed:
                        group.create_task(self._node(name))
        finally:
            async with asyncio.TaskGroup() as group:
                for lane in self._lanes.values():
                    group.create_task(lane.close())
            self._store.close()
            self.picture.as_of = self._clock.now()

    # --- the cluster ---

    async def _read_cluster(self, identity: Identity) -> None:
        """Ask one node after another for the cluster's picture, until one has it."""
        names = {name.lower(): name for name in (*self._config.seeds, *self._config.addresses)}
        last: RemoteError = Unreachable("The configuration names no node that has an address")
        for name in names.values():
            if self._connector.address(name) is None:
                continue
            try:
                lane = await self._open(name)
                frame: ClusterFrame = await self._first(lane, WATCH_CLUSTER)
                if frame.nodes is None:
                    reason = next((problem_text(p) for p in frame.errors or ()), "it said nothing about its nodes")
                    raise BadReply(f"{name} cannot read the cluster: {reason}", node=name)
            except NotAuthenticated as error:
                last = error
                break
            except RemoteError as error:
                last = error
                continue
            if frame.cluster is not None:
                identity.check(frame.cluster.id, frame.cluster.name)
            self._store.cluster_frame(frame)
            self._note_problems("", frame)
            return
        self._store.failed("", last)
        self._note("", "cluster", last)

    # --- a node ---

    async def _node(self, name: str) -> None:
        async with self._slots:
            try:
                lane = await self._open(name)
                info: Info = await lane.call(GET_INFO, {"Part": "All"})
                check_contract(info, name)
                self._store.info(name, info)
                if info.supported is False:
                    raise BadReply(f"Windows build {info.build or '?'} is older than Windows Server 2016", node=name)
                frame: NodeFrame = await self._first(lane, WATCH_NODE)
                self._store.node_frame(name, frame, hanging_service(frame.errors or ()))
                self._note_problems(name, frame)
            except RemoteError as error:
                if name.lower() not in self._failed:
                    self._failure(name, error)
                return
            if _WRITERS in self._asked:
                await self._read_writers(name, lane)
            if _PAST in self._asked:
                await self._read_past(name, lane)

    async def _read_past(self, name: str, lane: Lane) -> None:
        """Events of every channel, and the facts that findings ask for beside the streams."""
        for channel in CHANNELS:
            try:
                await self._read_channel(name, lane, channel)
            except RemoteError as error:
                self._store.events_failed(name, channel, error.text)
                self._note(name, f"events of {channel}", error)
        for what, function in (("shadows", GET_SHADOW), ("filters", GET_FILTER), ("hotfixes", GET_HOTFIX)):
            try:
                answer = await lane.call(function)
            except RemoteError as error:
                self._store.signal_failed(name, what, error.text)
                self._note(name, what, error)
                continue
            self._store.signal(name, answer)
            self.picture.unread += [Unread(name, what, problem_text(problem)) for problem in answer.errors]

        try:
            self.picture.access[self._store.state.node_name(name)] = await lane.call(GET_VSS_ACCESS)
        except RemoteError as error:
            self._note(name, "VSS access", error)

    async def _read_channel(self, name: str, lane: Lane, channel: str) -> None:
        after = 0
        for _ in range(_PAGES):
            page: EventPage = await lane.call(
                GET_EVENT, {"Channel": channel, "AfterRecord": after, "Hours": _HOURS, "MaxEvents": 200}
            )
            self._store.events(name, page)
            self.picture.unread += [Unread(name, f"events of {channel}", problem_text(p)) for p in page.errors]
            last = max((event.record for event in page.events or ()), default=after)
            if not page.more or last <= after:
                return
            after = last

    async def _read_writers(self, name: str, lane: Lane) -> None:
        try:
            answer: WriterText = await lane.call(GET_WRITER)
        except RemoteError as error:
            self._store.writers_failed(name, error.text)
            self._note(name, "writers", error)
            return
        providers: Providers | None = None
        try:
            providers = await lane.call(GET_PROVIDER)
        except RemoteError as error:
            self._note(name, "providers", error)
        told = None if providers is None or providers.providers is None else tuple(providers.providers)
        self._store.writers(name, answer, told)
        picture = self._store.state.node(name).writers
        if picture is not None and picture.failure:
            self.picture.unread.append(Unread(name, "writers", picture.failure))

    # --- helpers ---

    async def _open(self, name: str) -> Lane:
        """The node's lane, opened; a failure is noted once."""
        held = self._lanes.get(name.lower())
        if held is not None:
            return held
        if name.lower() in self._failed:
            raise Unreachable(f"{name} could not be asked", node=name)
        try:
            lane = self._connector.lane(name, "picture")
            try:
                async with asyncio.timeout(self._deadline):
                    await lane.open()
            except TimeoutError:
                await lane.close()
                text = f"{name} did not open a session within {self._deadline:.0f} s"
                raise DeadlinePassed(text, node=name) from None
            except RemoteError:
                await lane.close()
                raise
        except RemoteError as error:
            self._failure(name, error)
            raise
        self._lanes[name.lower()] = lane
        return lane

    def _failure(self, name: str, error: RemoteError) -> None:
        self._failed.add(name.lower())
        self._note(name, "node", error)
        if self._connector.address(name) is None:
            self._store.link(name, LinkStatus.NOT_CONTACTED, error.text, error.hint)
        else:
            self._store.failed(name, error)

    async def _first(self, lane: Lane, function: Function) -> Any:
        """The one full message of a stream that ends after it."""
        async with lane.stream(function, {"Count": 1}, poll=1.0) as stream:
            try:
                async with asyncio.timeout(self._deadline):
                    return await anext(stream)
            except StopAsyncIteration:
                raise BadReply(f"{function.name} on {lane.node} said nothing", node=lane.node) from None
            except TimeoutError:
                text = f"{function.name} on {lane.node} did not answer within {self._deadline:.0f} s"
                raise DeadlinePassed(text, node=lane.node) from None

    def _note(self, node: str, what: str, error: RemoteError) -> None:
        self.picture.unread.append(Unread(node, what, error.text, error.hint))

    def _note_problems(self, node: str, frame: Frame) -> None:
        noted: list[Problem] = frame.errors or []
        self.picture.unread += [Unread(node, p.part, problem_text(p)) for p in noted]
