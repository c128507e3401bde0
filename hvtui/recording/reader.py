"""Reads a recording: what it is of, the state at any moment of it, and the notes in it."""

from __future__ import annotations

import gc
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from hvtui.model.change import Change
from hvtui.model.state import ClusterState, SequenceGapError
from hvtui.recording import keyframe
from hvtui.recording.condense import Expander, Told
from hvtui.recording.format import Head, RecordingError, open_file, reading, unpack
from hvtui.recording.hearts import Hearts
from hvtui.recording.keyframe import Keyframe
from hvtui.recording.still import SetClock, StillStore
from hvtui.recording.writer import decode_rows, raw_keyframe

__all__ = ["About", "Cursor", "Note", "Recording", "RecordingError"]


@dataclass(frozen=True)
class About:
    """What a recording is of; times are the client's clock, UTC.

    `problem` says where it ends early and why; empty when its recorder ended it. `dropped`: its beginning was thrown
    away for room.
    """

    title: str
    cluster: str
    cluster_id: str
    began: datetime
    ended: datetime
    clean: bool
    problem: str
    redacted: bool
    program: str
    protected: bool
    dropped: bool


@dataclass(frozen=True)
class Note:
    """Something kept beside the stream: `finding`, `action`, and what it says."""

    time: datetime
    kind: str
    data: Any


@dataclass(frozen=True)
class Segment:
    """A part of it, in milliseconds since it began. `sealed`: its body is whole."""

    id: int
    began: int
    ended: int
    base: int | None
    sealed: bool


class Recording:
    """An open file. Raises RecordingError wherever the file turns out not to be whole. On one thread at a time."""

    def __init__(self, file: Path, database: sqlite3.Connection, head: Head) -> None:
        self.file = file
        self.head = head
        self._database = database
        with reading(file):
            self._whole()
            self.segments = self._segments()
        if not self.segments:
            raise RecordingError(f"{file} has no picture yet: it was ended before anything was recorded")
        self.end = max(self.segments[-1].ended, self.segments[-1].began)
        # What is damaged shall be told now, not in the middle of the night that is looked at.
        self.read(self.segments[-1])

    @classmethod
    def open(cls, file: Path) -> Self:
        """Open a file. Raises RecordingError: no recording, a newer one, or a damaged one."""
        database, head = open_file(file)
        try:
            return cls(file, database, head)
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()

    @property
    def began(self) -> int:
        """When it begins, in milliseconds; not 0 when its beginning was dropped."""
        return self.segments[0].began

    @property
    def about(self) -> About:
        """What it is of."""
        head = self.head
        ended = self.time_of(self.end)
        clean = head.ended is not None
        problem = "" if clean else f"it ends at {ended:%H:%M:%S} UTC: its recorder was killed, or is still recording"
        return About(
            title=head.title,
            cluster=head.cluster,
            cluster_id=head.cluster_id,
            began=self.time_of(self.began),
            ended=ended,
            clean=clean,
            problem=problem,
            redacted=head.redacted,
            program=head.program,
            protected=head.protected,
            dropped=bool(head.dropped),
        )

    def time_of(self, ms: int) -> datetime:
        """A moment of it by the client's clock, UTC."""
        return self.head.began + timedelta(milliseconds=ms)

    def ms_of(self, time: datetime) -> int:
        """The other way, kept within the recording."""
        wanted = round((time.astimezone(UTC) - self.head.began) / timedelta(milliseconds=1))
        return min(max(wanted, self.began), self.end)

    def cursor(self) -> Cursor:
        """A place in it, at its beginning."""
        return Cursor(self)

    def notes(self, kind: str = "", since: datetime | None = None, until: datetime | None = None) -> Iterator[Note]:
        """Notes in their order, of one kind when given; from `since` to `until`, both included."""
        first = -(2**62) if since is None else self.ms_of(since)
        last = 2**62 if until is None else self.ms_of(until)
        query = "SELECT at, kind, body FROM notes WHERE at BETWEEN ? AND ? AND (? = '' OR kind = ?) ORDER BY at, id"
        with reading(self.file):
            rows = self._database.execute(query, (first, last, kind, kind)).fetchall()
            found = [(at, name, msgspec.msgpack.decode(unpack(body))) for at, name, body in rows]
        for at, name, data in found:
            yield Note(self.time_of(at), name, data)

    # --- segments ---

    def segment_at(self, ms: int) -> Segment:
        """The segment that holds a moment."""
        place = bisect_right(self.segments, ms, key=lambda segment: segment.began)
        return self.segments[max(0, place - 1)]

    def read(self, segment: Segment) -> tuple[bytes, list[bytes]]:
        """The raw keyframe, and the raw body or batches."""
        with reading(self.file):
            raw = raw_keyframe(self._database, segment.id)
            if segment.sealed:
                return raw, [unpack(self._one("SELECT body FROM segments WHERE id = ?", segment.id)[0])]
            rows = self._database.execute("SELECT body FROM batches WHERE segment = ? ORDER BY id", (segment.id,))
            return raw, [unpack(row[0]) for row in rows]

    def expand(self, segment: Segment) -> tuple[Keyframe, list[Told]]:
        """The keyframe, and what was told after it, by its time."""
        raw, parts = self.read(segment)
        with reading(self.file):
            key = keyframe.decode(raw)
            if segment.sealed:
                told = list(Expander(key, segment.began).read(parts[0]))
            else:
                told = [Told(time, one, skew) for part in parts for time, skew, one in decode_rows(part)]
        return key, sorted(told, key=lambda one: one.time)

    def _one(self, query: str, number: int) -> tuple[Any, ...]:
        row = self._database.execute(query, (number,)).fetchone()
        if row is None:
            raise RecordingError(f"{self.file} is damaged: part {number} of it is missing")
        return tuple(row)

    def _segments(self) -> list[Segment]:
        found = []
        last = self._database.execute("SELECT max(ended) FROM batches").fetchone()[0]
        query = "SELECT id, began, ended, base, body IS NOT NULL FROM segments WHERE body IS NOT x'' ORDER BY began"
        for number, began, ended, base, sealed in self._database.execute(query):
            end = ended if ended is not None else last if last is not None else began
            found.append(Segment(number, began, max(end, began), base, bool(sealed)))
        return found

    def _whole(self) -> None:
        """A file that was cut off is told at once."""
        (pages,) = self._database.execute("PRAGMA page_count").fetchone()
        (size,) = self._database.execute("PRAGMA page_size").fetchone()
        missing = pages * size - self.file.stat().st_size
        if missing > 0 and not self.file.with_name(f"{self.file.name}-wal").exists():
            raise RecordingError(f"{self.file} is cut off: {missing} bytes of {pages * size} are missing")


@contextmanager
def _no_collection() -> Iterator[None]:
    """A seek makes a hundred thousand objects and no cycle: looking for some takes a quarter of its time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class Cursor:
    """A place in a recording, and the state there."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.clock = SetClock(recording.head.wall, recording.head.monotonic)
        self._store = StillStore(self.clock)
        self._segment: Segment | None = None
        self._key: Keyframe | None = None
        self._told: list[Told] = []
        self._next = 0
        self._hearts = Hearts({})
        self.at = recording.began
        """Milliseconds since the recording began."""
        self.seek_ms(self.at)

    @property
    def state(self) -> ClusterState:
        """The cluster as it was; always the same object."""
        return self._store.state

    @property
    def now(self) -> datetime:
        """The client's clock there, UTC."""
        return self.clock.now().astimezone(UTC)

    @property
    def over(self) -> bool:
        """Nothing follows."""
        return self.at >= self.recording.end

    def seek(self, when: datetime) -> Change:
        """Go to a moment; what lies outside the recording is its beginning or end. The result is all that changed."""
        return self.seek_ms(self.recording.ms_of(when))

    def seek_ms(self, ms: int) -> Change:
        """The same in milliseconds since the recording began."""
        ms = min(max(ms, self.recording.began), self.recording.end)
        segment = self.recording.segment_at(ms)
        with _no_collection():
            if segment == self._segment and ms >= self.at:
                return self.advance(ms)
            with reading(self.recording.file):
                change = self._enter(segment)
            change.add(self.advance(ms))
        return change

    def advance(self, ms: int) -> Change:
        """Go on to a later moment. The result is all that changed."""
        ms = min(ms, self.recording.end)
        change = Change()
        with reading(self.recording.file):
            while True:
                self._apply(ms)
                change.add(self._store.take())
                follows = self._following()
                if follows is None or follows.began > ms:
                    break
                change.add(self._enter(follows))
        self.at = max(self.at, ms)
        self.clock.set(self.at)
        change.heard |= self._hearts.beat(self.state, self.at)
        return change

    def next_ms(self) -> int | None:
        """When something is told next, None at the end."""
        if self._next < len(self._told):
            return self._told[self._next].time
        follows = self._following()
        return None if follows is None else follows.began

    def play(self, until: datetime | None = None, step: float = 1.0) -> Iterator[Change]:
        """Go on to `until` or the end; after each `step` seconds in which something changed its change is given."""
        last = self.recording.end if until is None else self.recording.ms_of(until)
        while self.at < last:
            change = self.advance(min(self.at + round(step * 1000), last))
            if change:
                yield change

    # --- helpers ---

    def _enter(self, segment: Segment) -> Change:
        if segment != self._segment or self._key is None:
            self._key, self._told = self.recording.expand(segment)
        self._segment, self._next = segment, 0
        self.at = segment.began
        self.clock.set(segment.began)
        self._hearts = Hearts.of(self._key, self._told, self.recording.head.monotonic)
        return keyframe.put(self._key, self.state)

    def _following(self) -> Segment | None:
        segments = self.recording.segments
        if self._segment is None:
            return None
        place = segments.index(self._segment) + 1
        return segments[place] if place < len(segments) else None

    def _apply(self, ms: int) -> None:
        told, clock, store = self._told, self.clock, self._store
        place = self._next
        try:
            while place < len(told) and told[place].time <= ms:
                one = told[place]
                place += 1
                clock.set(one.time, one.skew)
                store.put(one.told)
        except SequenceGapError as error:
            raise ValueError(str(error)) from error
        finally:
            self._next = place
