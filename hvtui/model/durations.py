"""Since when something is so, and where that knowledge comes from.

Two sources: an event that tells when it began, or the moment hvtui first saw it. The text always says which:
`since 00:46 (event)` or `≥ 3 min (first seen)`. All times and thresholds are by the clock of the node concerned, as of
its last message, so that neither a wrong clock nor a faster one matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final

import msgspec

from hvtui.model import conditions
from hvtui.model.link import Link
from hvtui.model.onset import Seen, onset
from hvtui.model.writers import Writer

if TYPE_CHECKING:
    from hvtui.model.change import Change
    from hvtui.model.events import NodeEvent
    from hvtui.model.state import ClusterState

Key = tuple[str, ...]
"""What a condition is about: its kind, then names and ids."""


def node_key(name: str) -> Key:
    """A node is not simply Up."""
    return ("node", name)


def csv_key(csv: str) -> Key:
    """A CSV has a fault."""
    return ("csv", csv)


def io_key(csv: str, node: str) -> Key:
    """A node does not reach a CSV directly."""
    return ("io", csv, node)


def vm_condition(vm: str) -> Key:
    """A VM is critical or paused."""
    return ("vm", vm)


def role_condition(vm: str) -> Key:
    """A VM's role has failed, or is pending."""
    return ("role", vm)


def merge_key(vm: str) -> Key:
    """A VM's disks are being merged."""
    return ("merge", vm)


def job_key(node: str, job: str) -> Key:
    """A job stands at its percentage."""
    return ("job", node, job)


def writer_key(node: str, writer: Writer) -> Key:
    """A writer is busy or has failed."""
    return ("writer", node, writer.id, writer.instance)


class Since(msgspec.Struct, frozen=True):
    """When something began. `clock` is the node whose clock `time` is by, `""` the cluster's stream.

    `event` is the one that told, None when it was first seen at `time` and may have begun earlier.
    """

    time: datetime
    clock: str
    event: NodeEvent | None = None

    def seconds(self, now: datetime | None) -> float:
        """How long ago by the clock it is measured with."""
        return 0.0 if now is None else max(0.0, (now - self.time).total_seconds())

    def short(self, now: datetime | None) -> str:
        """`74 min`, or `≥ 3 min` when it may be longer."""
        span = span_text(self.seconds(now))
        return span if self.event is not None else f"≥ {span}"

    def text(self, now: datetime | None, zone: tzinfo | None = None) -> str:
        """`since 00:46 (event)` in the reader's time zone, or `≥ 3 min (first seen)`."""
        if self.event is None:
            return f"≥ {span_text(self.seconds(now))} (first seen)"
        local = self.time.astimezone(zone)
        day = "" if now is None or now.astimezone(zone).date() == local.date() else f"{local:%d %b} "
        return f"since {day}{local:%H:%M} (event)"


class SavedHistory(msgspec.Struct, frozen=True):
    """A history as a recording keeps it."""

    seen: list[tuple[Key, Seen]]
    last: dict[str, datetime]
    read: dict[str, tuple[Writer, ...]]


@dataclass(slots=True)
class History:
    """What was first seen when. Kept up by ClusterState; asked by rows and panes."""

    _seen: dict[Key, Seen] = field(default_factory=dict)
    _last: dict[str, datetime] = field(default_factory=dict)
    _onsets: dict[Key, tuple[int, Seen, Since]] = field(default_factory=dict)
    _read: dict[str, tuple[Writer, ...]] = field(default_factory=dict)
    """Node → the writers of its last read."""

    # --- asking ---

    def since(self, state: ClusterState, key: Key) -> Since | None:
        """When a condition began, None when there is none."""
        seen = self._seen.get(key)
        if seen is None:
            return None
        held = self._onsets.get(key)
        if held is not None and held[0] == state.events.version and held[1] is seen:
            return held[2]
        event = onset(state, key, seen)
        found = Since(seen.time, seen.clock) if event is None else Since(event.event.time, event.node, event)
        self._onsets[key] = (state.events.version, seen, found)
        return found

    def text(self, state: ClusterState, key: Key, zone: tzinfo | None = None) -> str:
        """How long a condition lasts and how that is known, empty when there is none."""
        found = self.since(state, key)
        return "" if found is None else found.text(_now(state, key, found), zone)

    def short(self, state: ClusterState, key: Key) -> str:
        """The same for a narrow cell: `74 min` or `≥ 3 min`."""
        found = self.since(state, key)
        return "" if found is None else found.short(_now(state, key, found))

    def told(self, state: ClusterState, key: Key) -> str:
        """The same within a sentence, whatever the reader's time zone: `74 min (event)` or `≥ 3 min (first seen)`."""
        found = self.since(state, key)
        if found is None:
            return ""
        return f"{found.short(_now(state, key, found))} ({'first seen' if found.event is None else 'event'})"

    def seconds(self, state: ClusterState, key: Key) -> float:
        """Least number of seconds a condition has lasted, 0 when there is none."""
        found = self.since(state, key)
        return 0.0 if found is None else found.seconds(_now(state, key, found))

    # --- keeping ---

    def saved(self) -> SavedHistory:
        """Everything it knows, as it is now."""
        return SavedHistory(list(self._seen.items()), dict(self._last), dict(self._read))

    def restore(self, saved: SavedHistory) -> None:
        """Know exactly what was known then."""
        self._seen = dict(saved.seen)
        self._last = dict(saved.last)
        self._read = dict(saved.read)
        self._onsets = {}

    # --- keeping up ---

    def after_cluster(self, state: ClusterState, change: Change) -> None:
        """Note what the cluster's stream just changed."""
        now = state.cluster.time
        if now is None:
            return
        before = self._advance("", now)
        for name in change.nodes:
            self._note(node_key(name), conditions.of_node(state.member(name)), now, before)
        for csv_id in change.csvs:
            csv = (state.cluster.csvs or {}).get(csv_id)
            self._note(csv_key(csv_id), conditions.of_csv(csv), now, before)
            told = (state.cluster.io or {}).get(csv.volume or "") if csv is not None else None
            words = {io_key(csv_id, state.node_name(node)): word for node, word in conditions.of_io(csv, told)}
            self._keep(("io", csv_id), words)
            for io, word in words.items():
                self._note(io, word, now, before)
        for key in change.vms:
            self._note(role_condition(key), conditions.of_role(state.role(key)), now, before)

    def after_node(self, state: ClusterState, name: str, change: Change) -> None:
        """Note what a node's stream just changed."""
        view = state.nodes[name]
        now = view.time
        if now is None:
            return
        before = self._advance(name, now)
        for key in change.vms:
            if state.home(key) != name and key in state.homes:
                continue  # told by the node it is moving from or to
            vm = (view.vms or {}).get(key)
            jobs = view.jobs_of.get(key, ())
            self._note(vm_condition(key), conditions.of_vm(vm), now, before, name)
            self._note(merge_key(key), conditions.of_merge(vm, jobs), now, before, name)
        if name in change.nodes:
            jobs = tuple((view.jobs or {}).values())
            self._keep(("job", name), {job_key(name, job.id) for job in jobs})
            for job in jobs:
                self._note(job_key(name, job.id), conditions.of_job(job), now, before, name)

    def after_writers(self, state: ClusterState, name: str) -> None:
        """Note what a read of a node's writers showed."""
        picture = state.nodes[name].writers
        if picture is None or picture.time is None or picture.reading or not picture.writers:
            return
        source = f"writers of {name}"
        if self._last.get(source) == picture.time and self._read.get(name) == picture.writers:
            return
        self._read[name] = picture.writers
        before = self._advance(source, picture.time)
        self._keep(("writer", name), {writer_key(name, writer) for writer in picture.writers})
        for writer in picture.writers:
            key = writer_key(name, writer)
            word = conditions.of_writer(writer)
            seen = self._seen.get(key)
            # Between two attempts of a looping job the writer is busy: the same trouble goes on until it is ok again.
            clear = before if seen is None else seen.clear
            if seen is not None and seen.word == "failed" and word == "busy":
                continue
            self._note(key, word, picture.time, clear, name)

    def _advance(self, source: str, now: datetime) -> datetime | None:
        before = self._last.get(source)
        self._last[source] = now
        return before

    def _note(self, key: Key, word: str, now: datetime, before: datetime | None, clock: str = "") -> None:
        seen = self._seen.get(key)
        if not word:
            if seen is not None:
                del self._seen[key]
                self._onsets.pop(key, None)
        elif seen is None or seen.word != word:
            self._seen[key] = Seen(word, now, clock, before)

    def _keep(self, prefix: Key, keys: Iterable[Key]) -> None:
        """Forget conditions of a kind that are about things no longer there."""
        kept = set(keys)
        for key in [k for k in self._seen if k[: len(prefix)] == prefix and k not in kept]:
            del self._seen[key]
            self._onsets.pop(key, None)


def _now(state: ClusterState, key: Key, since: Since) -> datetime | None:
    """Until when a condition is known to last: a writer is seen only when writers are read."""
    if key[0] == "writer" and since.event is None:
        view = state.nodes.get(key[1])
        return None if view is None or view.writers is None else view.writers.time
    return now_of(state, since.clock)


def now_of(state: ClusterState, clock: str) -> datetime | None:
    """A node's clock in its last message; the cluster's stream for `""`."""
    if not clock:
        return state.cluster.time
    view = state.nodes.get(state.node_name(clock))
    return None if view is None else view.time


def link_text(link: Link, monotonic: float) -> str:
    """How long a connection is in its state: always as hvtui saw it, by the client's own clock."""
    return f"≥ {span_text(max(0.0, monotonic - link.since))} (first seen)"


_SPANS: Final[tuple[tuple[float, Callable[[float], str]], ...]] = (
    (100, lambda s: f"{s:.0f} s"),
    (100 * 60, lambda s: f"{s // 60:.0f} min"),
    (48 * 3600, lambda s: f"{s // 3600:.0f} h {s % 3600 // 60:02.0f} min"),
)


def span_text(seconds: float) -> str:
    """A length of time in words: `12 s`, `74 min`, `3 h 05 min`, `4 d`."""
    for limit, words in _SPANS:
        if seconds < limit:
            return words(seconds)
    return f"{timedelta(seconds=seconds).days} d"
