"""Events of all nodes in one list, newest first, and how far back it can be trusted."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from operator import attrgetter

import msgspec

from hvtui.model.event_catalog import describe, is_noise, meaning, severity_of, subject_of, vm_of, writer_of
from hvtui.model.records import Event, EventPage, Problem
from hvtui.model.severity import Severity

__all__ = ["EventLog", "NodeEvent", "describe", "is_noise", "severity_of", "subject_of", "writer_of"]


class NodeEvent(msgspec.Struct, frozen=True):
    """An event and the node whose log holds it."""

    node: str
    event: Event

    @property
    def key(self) -> str:
        """Identity in tables: node, channel and record number."""
        return f"{self.node}\n{self.event.channel}\n{self.event.record}"

    @property
    def severity(self) -> Severity:
        return severity_of(self.event)

    def order(self) -> tuple[datetime, str, str, int]:
        """Sorting key, oldest first."""
        return self.event.time, self.node, self.event.channel, self.event.record


@dataclass(slots=True)
class _Channel:
    """One channel of one node: what was read of it."""

    node: str
    position: int = 0
    oldest_time: datetime | None = None
    wrapped: bool | None = None
    read_at: datetime | None = None
    problems: tuple[Problem, ...] = ()
    seen: set[tuple[int, datetime]] = field(default_factory=set)
    kept: list[NodeEvent] = field(default_factory=list)


class SavedChannel(msgspec.Struct, frozen=True, array_like=True):
    """One channel of one node as a recording keeps it."""

    node: str
    channel: str
    position: int
    oldest_time: datetime | None
    wrapped: bool | None
    read_at: datetime | None
    problems: tuple[Problem, ...]
    events: list[Event]


class SavedEvents(msgspec.Struct, frozen=True, array_like=True):
    """A log as a recording keeps it."""

    channels: list[SavedChannel]
    backup_failed: dict[str, NodeEvent]


class EventLog:
    """A bounded, merged list of the nodes' events, each held once.

    `limit` bounds all, `channel_limit` one channel of one node, so that a chatty node does not push the others out.
    """

    def __init__(self, limit: int = 20_000, channel_limit: int = 2_000) -> None:
        self.limit = limit
        self.channel_limit = channel_limit
        self.version = 0
        """Grows with every change."""
        self._channels: dict[tuple[str, str], _Channel] = {}
        self._sorted: list[NodeEvent] = []
        self._by_id: dict[int, list[NodeEvent]] = {}
        self._recent: list[NodeEvent] | None = None
        self.backup_failed: dict[str, NodeEvent] = {}
        """VM → the newest event that says its backup failed; another dict whenever it changes."""
        self.arrived = 0
        """How many events were taken in so far."""
        self.dropped = 0
        """How often events were forgotten."""
        self._arrivals: deque[NodeEvent] = deque(maxlen=limit)

    def __len__(self) -> int:
        return len(self._sorted)

    def add(self, node: str, page: EventPage) -> bool:
        """Take in a piece of one channel; True when it brought something new."""
        channel = self._channel(node, page.channel)
        if page.newest_record is not None and page.newest_record < channel.position:
            # The log was cleared: its numbers began again.
            channel.position = 0
            channel.wrapped = True
        changed = channel.problems != tuple(page.errors)
        channel.problems = tuple(page.errors)
        if page.events is not None and not page.more:
            # Only then nothing newer waits to be read.
            channel.read_at = page.time
        if page.oldest_time is not None:
            channel.oldest_time = page.oldest_time
        if page.wrapped:
            channel.wrapped = True
        elif channel.wrapped is None:
            channel.wrapped = page.wrapped
        fresh = []
        for event in page.events or ():
            channel.position = max(channel.position, event.record)
            mark = (event.record, event.time)
            if mark not in channel.seen:
                channel.seen.add(mark)
                fresh.append(NodeEvent(node, event))
        if not page.more and page.events is not None and page.newest_record is not None:
            channel.position = max(channel.position, page.newest_record)
        self._insert(channel, fresh)
        if changed or fresh:
            self.version += 1
        return changed or bool(fresh)

    def recent(self) -> list[NodeEvent]:
        """All events, newest first; the same list until something changes. Not to be changed by the caller."""
        if self._recent is None:
            self._recent = self._sorted[::-1]
        return self._recent

    def of(self, ids: Iterable[int], *, since: datetime | None = None) -> Iterator[NodeEvent]:
        """Events with these ids on any node, oldest first within an id."""
        for number in ids:
            held = self._by_id.get(number, [])
            start = 0 if since is None else bisect_left(held, since, key=_time)
            yield from held[start:]

    def arrivals(self, since: int) -> list[NodeEvent] | None:
        """What came after `arrived` was `since`, in the order it came; None when that is no longer known."""
        count = self.arrived - since
        if count > len(self._arrivals):
            return None
        return list(islice(self._arrivals, len(self._arrivals) - count, None))

    def position(self, node: str, channel: str) -> int:
        """Highest record number read, 0 before the first read."""
        found = self._channels.get((node.lower(), channel))
        return 0 if found is None else found.position

    def read_at(self, node: str) -> datetime | None:
        """The node's clock when that of its channels was read which was read longest ago; None before any was."""
        lower = node.lower()
        times = [
            held.read_at for (name, _), held in self._channels.items() if name == lower and held.read_at is not None
        ]
        return min(times, default=None)

    def was_read(self, node: str, channel: str) -> bool:
        """Whether a channel of the node was read to its end at least once."""
        found = self._channels.get((node.lower(), channel))
        return found is not None and found.read_at is not None

    def coverage(self, node: str, channel: str) -> tuple[datetime | None, bool | None]:
        """How far back the node's log reaches, and whether records that were asked for are already gone."""
        found = self._channels.get((node.lower(), channel))
        return (None, None) if found is None else (found.oldest_time, found.wrapped)

    def error(self, node: str, channel: str) -> str:
        """Why a channel could not be read, empty when it could."""
        found = self._channels.get((node.lower(), channel))
        return "" if found is None or not found.problems else found.problems[0].text or found.problems[0].kind

    def errors(self) -> list[tuple[str, str, Problem]]:
        """Every channel that could not be read: node, channel, problem."""
        return [(channel.node, name, p) for (_, name), channel in self._channels.items() for p in channel.problems]

    def set_error(self, node: str, channel: str, text: str, kind: str = "other") -> bool:
        """Note that a channel could not be asked at all; True when that is news."""
        found = self._channel(node, channel)
        problems = (Problem(part="events", kind=kind, text=text),)
        if found.problems == problems:
            return False
        found.problems = problems
        self.version += 1
        return True

    # --- keeping ---

    def saved(self) -> SavedEvents:
        """Everything it knows, as it is now."""
        channels = [
            SavedChannel(
                one.node, name, one.position, one.oldest_time, one.wrapped, one.read_at, one.problems,
                [item.event for item in one.kept],
            )
            for (_, name), one in self._channels.items()
        ]  # fmt: skip
        return SavedEvents(channels, dict(self.backup_failed))

    def restore(self, saved: SavedEvents) -> None:
        """Know exactly what was known then; to a reader everything that was known before was forgotten."""
        self._channels, self._by_id, self._recent = {}, {}, None
        for one in saved.channels:
            kept = [NodeEvent(one.node, event) for event in one.events]
            seen = {(event.record, event.time) for event in one.events}
            self._channels[one.node.lower(), one.channel] = _Channel(
                one.node, one.position, one.oldest_time, one.wrapped, one.read_at, one.problems, seen, kept
            )
        self._sorted = sorted((item for one in self._channels.values() for item in one.kept), key=NodeEvent.order)
        for item in self._sorted:
            self._by_id.setdefault(item.event.id, []).append(item)
        self._arrivals = deque(self._sorted, maxlen=self.limit)
        self.arrived += len(self._sorted)
        self.dropped += 1
        self.version += 1
        self.backup_failed = dict(saved.backup_failed)

    # --- helpers ---

    def _channel(self, node: str, name: str) -> _Channel:
        return self._channels.setdefault((node.lower(), name), _Channel(node))

    def _insert(self, channel: _Channel, fresh: list[NodeEvent]) -> None:
        if not fresh:
            return
        self._recent = None
        self.arrived += len(fresh)
        self._arrivals.extend(fresh)
        for item in fresh:
            insort(channel.kept, item, key=NodeEvent.order)
            insort(self._sorted, item, key=NodeEvent.order)
            insort(self._by_id.setdefault(item.event.id, []), item, key=NodeEvent.order)
        self._note_backups(fresh)
        if len(channel.kept) > self.channel_limit:
            dropped = channel.kept[: len(channel.kept) - self.channel_limit * 9 // 10]
            del channel.kept[: len(dropped)]
            self._forget(dropped)
        if len(self._sorted) > self.limit:
            self._forget(self._sorted[: len(self._sorted) - self.limit * 9 // 10])

    def _note_backups(self, fresh: list[NodeEvent]) -> None:
        failed: dict[str, NodeEvent] = {}
        for item in fresh:
            vm, _ = vm_of(item.event)
            known = meaning(item.event) if vm else None
            if known is None or known.kind != "backup" or known.severity is not Severity.BAD:
                continue
            held = failed.get(vm) or self.backup_failed.get(vm)
            if held is None or held.event.time < item.event.time:
                failed[vm] = item
        if failed:
            self.backup_failed = self.backup_failed | failed

    def _forget(self, dropped: list[NodeEvent]) -> None:
        """Drop the oldest; a channel remembers for good that it dropped something."""
        self.dropped += 1
        gone = {(item.node.lower(), item.event.channel, item.event.record, item.event.time) for item in dropped}
        for channel in self._channels.values():
            kept = [item for item in channel.kept if not _is_in(item, gone)]
            if len(kept) != len(channel.kept):
                channel.kept = kept
            channel.seen = {(item.event.record, item.event.time) for item in kept}
        self._sorted = [item for item in self._sorted if not _is_in(item, gone)]
        self._by_id = {}
        for item in self._sorted:
            self._by_id.setdefault(item.event.id, []).append(item)


_time = attrgetter("event.time")


def _is_in(item: NodeEvent, gone: set[tuple[str, str, int, datetime]]) -> bool:
    return (item.node.lower(), item.event.channel, item.event.record, item.event.time) in gone
