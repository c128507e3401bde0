"""The one writer of a ClusterState, and the bell that tells its readers."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable

import msgspec

from hvtui.clock import Clock
from hvtui.errors import (
    BadReply,
    DeadlinePassed,
    FunctionMissing,
    HvtuiError,
    NodeRefused,
    NotAuthenticated,
    NotAuthorised,
    Untrusted,
)
from hvtui.live import inputs
from hvtui.live.inputs import Input, Tap
from hvtui.model.change import Change
from hvtui.model.link import Link, LinkStatus
from hvtui.model.merge import read_load
from hvtui.model.records import ClusterFrame, EventPage, Frame, Info, Load, NodeFrame, Provider, WriterText
from hvtui.model.signals import (
    Chain,
    ChainPicture,
    FilterPicture,
    FilterText,
    Hotfixes,
    HotfixPicture,
    NodePicture,
    ShadowPicture,
    Shadows,
    chain_picture,
    filter_picture,
    hotfix_picture,
    shadow_picture,
)
from hvtui.model.state import ClusterState, ClusterView, NodeView
from hvtui.model.writers import WriterPicture, writer_picture

TICK = 0.05
"""Readers are told at most every so many seconds, with everything that changed since."""

_log = logging.getLogger(__name__)


def status_of(error: HvtuiError) -> LinkStatus:
    """Which state of a connection an error means."""
    if isinstance(error, NotAuthenticated | NotAuthorised | Untrusted):
        return LinkStatus.REFUSED
    if isinstance(error, FunctionMissing | BadReply | NodeRefused):
        return LinkStatus.UNUSABLE
    if isinstance(error, DeadlinePassed):
        return LinkStatus.HANGING
    return LinkStatus.UNREACHABLE


class Store:
    """Applies what comes, merges what changed, and tells subscribers once per tick. Event loop thread only."""

    def __init__(self, clock: Clock) -> None:
        self.state = ClusterState()
        self.tap: Tap | None = None
        """Hears every input after it was applied: a recorder."""
        self._clock = clock
        self._pending = Change()
        self._listeners: list[Callable[[Change], None]] = []
        self._ringing: asyncio.TimerHandle | None = None
        self._rang = float("-inf")

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` with every merged change; the result unsubscribes.

        It is called in the context it was subscribed in, whoever rings: Textual keeps its app in a context variable,
        and a bell that was set off by another thread's message has none.
        """
        context = contextvars.copy_context()

        def call(change: Change) -> None:
            context.copy().run(listener, change)

        self._listeners.append(call)

        def unsubscribe() -> None:
            if call in self._listeners:
                self._listeners.remove(call)

        return unsubscribe

    def close(self) -> None:
        """Tell what is still pending and ring no more."""
        if self._ringing is not None:
            self._ringing.cancel()
            self._ring()

    # --- connection states ---

    def link(self, name: str, status: LinkStatus, text: str = "", hint: str = "") -> None:
        """Set the connection state of a node, or of the cluster's stream (`""`); the data stay."""
        old = self._view(name).link
        since = old.since if old.status is status and old.since else self._clock.monotonic()
        new = msgspec.structs.replace(old, status=status, text=text, hint=hint, since=since)
        self._apply(self.state.set_link(name, new), inputs.Linked(name, status, text, hint))

    def restart(self, name: str) -> None:
        """A new stream begins: its numbers start again. The last data stay."""
        self.state.restart(name)
        self._told(inputs.Restarted(name))

    def failed(self, name: str, error: HvtuiError) -> None:
        """Set the state that an error means."""
        self.link(name, status_of(error), error.text, error.hint)

    def _heard(self, name: str, frame: Frame, hanging: str, hint: str) -> Link:
        old = self._view(name).link
        status = LinkStatus.HANGING if hanging else LinkStatus.LIVE
        now = self._clock.monotonic()
        return Link(
            status=status,
            text=hanging,
            hint=hint,
            since=old.since if old.status is status else now,
            last_frame=now,
            node_time=frame.time,
            offset=frame.time - self._clock.now(),
            interval=frame.interval_ms / 1000 if frame.interval_ms else old.interval,
        )

    # --- data ---

    def cluster_frame(self, frame: ClusterFrame) -> None:
        """Apply a message of the cluster's stream; raises SequenceGapError."""
        change = self.state.apply_cluster(frame, self._heard("", frame, "", ""))
        self._apply(change, inputs.ClusterTold("", frame))

    def node_frame(self, name: str, frame: NodeFrame, hanging: str = "", hint: str = "") -> None:
        """Apply a message of a node's stream; `hanging` names what on it does not answer. Raises SequenceGapError."""
        change = self.state.apply_node(name, frame, self._heard(name, frame, hanging, hint))
        self._apply(change, inputs.NodeTold(name, frame, hanging, hint))

    def info(self, name: str, info: Info) -> None:
        """Keep what a node says about itself, and its clock until its first message comes."""
        change = self.state.set_info(name, info)
        view = self.state.node(name)
        if view.link.last_frame is None:
            view.link = msgspec.structs.replace(view.link, offset=info.time - self._clock.now())
            change.links.add(view.name)
        self._apply(change, inputs.InfoTold(name, info))

    def writers_reading(self, name: str) -> None:
        """Show that the writers of a node are being read."""
        self.writer_picture(name, WriterPicture(reading=True))

    def writers(self, name: str, answer: WriterText, providers: tuple[Provider, ...] | None = None) -> None:
        """Keep what a node's VSS writers said."""
        self.writer_picture(name, writer_picture(answer, self._clock.monotonic()), providers)

    def writers_failed(self, name: str, text: str) -> None:
        """Keep why a node's writers could not be read."""
        self.writer_picture(name, WriterPicture(failure=text))

    def writer_picture(self, name: str, picture: WriterPicture, providers: tuple[Provider, ...] | None = None) -> None:
        """Keep a picture of a node's writers that was made elsewhere."""
        change = self.state.set_writers(name, picture, providers)
        self._apply(change, inputs.WritersTold(name, picture, providers))

    def events(self, name: str, page: EventPage) -> None:
        """Keep a page of a node's event log."""
        self._apply(self.state.add_events(name, page), inputs.EventsTold(name, page))

    def events_failed(self, name: str, channel: str, text: str, kind: str = "other") -> None:
        """Keep why a channel of a node could not be read."""
        change = self.state.set_event_error(name, channel, text, kind)
        self._apply(change, inputs.EventsFailed(name, channel, text, kind))

    def signal(self, name: str, answer: Shadows | FilterText | Hotfixes | Chain) -> None:
        """Keep what a node said of its shadow copies, filter drivers or hotfixes, or of a VM's chains."""
        if isinstance(answer, Shadows):
            self.signal_picture(name, shadow_picture(answer))
        elif isinstance(answer, FilterText):
            self.signal_picture(name, filter_picture(answer))
        elif isinstance(answer, Hotfixes):
            self.signal_picture(name, hotfix_picture(answer))
        else:
            self.signal_picture(answer.vm, chain_picture(answer))

    def signal_failed(self, name: str, what: str, text: str) -> None:
        """Keep why that could not be asked; `what` is `shadows`, `filters`, `hotfixes`, or the id of a VM."""
        match what:
            case "shadows":
                self.signal_picture(name, ShadowPicture(failure=text))
            case "filters":
                self.signal_picture(name, FilterPicture(failure=text))
            case "hotfixes":
                self.signal_picture(name, HotfixPicture(failure=text))
            case vm:
                self.signal_picture(vm, ChainPicture(failure=text))

    def signal_picture(self, name: str, picture: NodePicture | ChainPicture) -> None:
        """Keep a picture that was made elsewhere; `name` is a node, of chains a VM's id."""
        if isinstance(picture, ChainPicture):
            self._apply(self.state.set_chain(name, picture), inputs.ChainTold(name, picture))
            return
        change = self.state.set_signal(name, picture)
        if isinstance(picture, ShadowPicture):
            self._apply(change, inputs.ShadowsTold(name, picture))
        elif isinstance(picture, FilterPicture):
            self._apply(change, inputs.FiltersTold(name, picture))
        else:
            self._apply(change, inputs.HotfixesTold(name, picture))

    def forget(self, name: str) -> None:
        """Drop a node that turned out to be known under another name, before it said anything else."""
        if self.state.nodes.pop(name, None) is not None:
            self._apply(Change(nodes={name}, links={name}), inputs.Forgotten(name))

    # --- the tap ---

    def put(self, told: Input) -> None:
        """Apply an input that a tap was told once. Raises SequenceGapError."""
        match told:
            case inputs.NodeTold(name, frame, hanging, hint):
                self.node_frame(name, frame, hanging, hint)
            case inputs.ClusterTold(_, frame):
                self.cluster_frame(frame)
            case inputs.LoadTold(name, load):
                self.changed(_gathered(self.state.node(name), load))
            case inputs.Restarted(name):
                self.restart(name)
            case inputs.Linked(name, status, text, hint):
                self.link(name, status, text, hint)
            case inputs.InfoTold(name, info):
                self.info(name, info)
            case inputs.WritersTold(name, picture, providers):
                self.writer_picture(name, picture, providers)
            case inputs.EventsTold(name, page):
                self.events(name, page)
            case inputs.EventsFailed(name, channel, text, kind):
                self.events_failed(name, channel, text, kind)
            case inputs.Forgotten(name):
                self.forget(name)
            case _:
                self.signal_picture(told.name, told.picture)

    def _apply(self, change: Change, told: Input) -> None:
        self.changed(change)
        self._told(told)

    def _told(self, told: Input) -> None:
        if self.tap is None:
            return
        try:
            self.tap(told)
        except Exception:
            # A recording must never cost the person on call the picture.
            self.tap = None
            _log.exception("the recorder failed")

    # --- the bell ---

    def changed(self, change: Change) -> None:
        """Merge a change and see that subscribers hear of it."""
        if not change:
            return
        self._pending.add(change)
        if self._ringing is None:
            loop = asyncio.get_running_loop()
            self._ringing = loop.call_at(max(loop.time(), self._rang + TICK), self._ring)

    def _ring(self) -> None:
        self._ringing = None
        change, self._pending = self._pending, Change()
        if not change:
            return
        self._rang = asyncio.get_running_loop().time()
        for listener in list(self._listeners):
            try:
                listener(change)
            except Exception:
                # A reader's fault must not stop the data for the others.
                _log.exception("a subscriber failed")

    def _view(self, name: str) -> ClusterView | NodeView:
        return self.state.node(name) if name else self.state.cluster


def _gathered(view: NodeView, load: Load) -> Change:
    """Load figures as a recording gathered them, which were good when they came."""
    figures, _ = read_load(load)
    view.load_problem = None
    view.vm_load.update(figures)
    change = Change(vms={key for key, vm in (view.vms or {}).items() if vm.slot in figures})
    if load.host is not None:
        view.load = load.host
        change.nodes.add(view.name)
    return change
