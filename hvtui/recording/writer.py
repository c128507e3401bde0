"""Writes a recording: batches at once, and segments when they are full. On one thread, and it may wait for the disk."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

import msgspec

from hvtui.live.inputs import Input
from hvtui.recording import format as file_format
from hvtui.recording import keyframe
from hvtui.recording.condense import Condenser
from hvtui.recording.format import Head, pack, put_head, unpack, writing
from hvtui.recording.keyframe import Keyframe

SEGMENT_MS: Final = 600_000
FIRST_MS: Final = 60_000
"""The first segment is short: it often begins before anything is known, and others are compressed against its next."""
BASES: Final = 12
"""So many segments are compressed against one keyframe; the next such is compressed against the one before it."""
CHAIN: Final = 8
"""So many of them in a row, then one that stands alone: a seek unpacks them all."""
MOST_CHAIN: Final = 64
"""A longer chain is none: a damaged file may name a segment as its own base."""
LIMIT: Final = 512 * 2**20
"""Bytes of a file unless another limit is given."""


def raw_keyframe(database: sqlite3.Connection, segment: int) -> bytes:
    """A keyframe unpacked, and for it those it rests on. Raises ZstdError, and LookupError for one that is missing."""
    chain: list[bytes] = []
    wanted: int | None = segment
    while wanted is not None:
        row = database.execute("SELECT keyframe, base FROM segments WHERE id = ?", (wanted,)).fetchone()
        if row is None or len(chain) > MOST_CHAIN:
            raise LookupError(f"the keyframe of segment {wanted}")
        blob, wanted = row
        chain.append(blob)
    raw: bytes | None = None
    while chain:
        raw = unpack(chain.pop(), raw)
    return raw or b""


Row = tuple[int, int, Input]
"""Time, skew of the wall clock, and what was told: what a batch holds."""
encode_rows: Final = msgspec.msgpack.Encoder().encode
decode_rows: Final = msgspec.msgpack.Decoder(list[Row]).decode


class Writer:
    """One file. Every method may raise RecordingError; the file then is whole up to the last `flush` that worked."""

    def __init__(self, file: Path, head: Head, *, limit: int = LIMIT) -> None:
        """Creates the file; an existing one is not written over."""
        self.file = file
        self.head = head
        self.limit = limit
        self.size = 0
        """Bytes of the file and what SQLite keeps beside it."""
        self._database = file_format.create(file, head)
        self._condenser: Condenser | None = None
        self._segment = 0
        self._rows: list[Row] = []
        self._notes: list[tuple[int, str, bytes]] = []
        self._base: tuple[int, int] | None = None
        """Segment whose keyframe others are compressed against, and its length."""
        self._based = 0
        self._links = 0
        """How many keyframes the base itself rests on."""
        self._time = 0
        self._measure()

    # --- what comes ---

    def begin(self, key: Keyframe, time: int) -> None:
        """A new segment begins with this picture; the one before is sealed."""
        raw = keyframe.encode(key)
        with writing(self.file):
            base = self._base_for(len(raw))
            new = self._based >= BASES or base is None
            blob = pack(raw, base=None if base is None else self._raw_of(base))
            self._write_rows()
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._seal(time)
                added = self._database.execute(
                    "INSERT INTO segments (began, base, keyframe) VALUES (?, ?, ?)", (time, base, blob)
                )
                put_head(self._database, self.head)
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
            self._segment = added.lastrowid or 0
            if new:
                self._base, self._based = (self._segment, len(raw)), 0
                self._links = 0 if base is None else self._links + 1
            self._make_room()
        self._condenser = Condenser(key, time)
        self._time = time
        self._measure()

    def add(self, time: int, skew: int, told: Input, *, exact: bool = False) -> None:
        """Something was told; see Condenser.add. It is on the disk after the next `flush`."""
        assert self._condenser is not None
        self._condenser.add(time, told, skew, exact=exact)
        self._rows.append((time, skew, told))
        self._time = max(self._time, time)

    def keep(self, time: int, skew: int, told: Input, beats: int) -> None:
        """The same for what comes from another recording, with the heartbeats before it; written when sealed."""
        assert self._condenser is not None
        self._condenser.add(time, told, skew, exact=True, beats=beats)
        self._time = max(self._time, time)

    def note(self, time: int, kind: str, data: bytes) -> None:
        """A note in MessagePack."""
        self._notes.append((time, kind, data))

    def flush(self) -> None:
        """Write what was added since the last time."""
        if self._rows or self._notes:
            with writing(self.file):
                self._write_rows()
            self._measure()

    def close(self, ended: int | None) -> None:
        """Seal the last segment and end the file; `ended` None leaves it as one that was not ended."""
        database = self._database
        try:
            with writing(self.file):
                self._write_rows()
                database.execute("BEGIN IMMEDIATE")
                if ended is not None:
                    self._seal(ended)
                    self.head = msgspec.structs.replace(self.head, ended=ended)
                    put_head(database, self.head)
                database.execute("COMMIT")
                database.executescript("PRAGMA incremental_vacuum")
                # One file that can be copied, without companions.
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
                database.execute("PRAGMA journal_mode = DELETE").fetchall()
            self._measure()
        finally:
            database.close()

    def abandon(self) -> None:
        """Let go of a file that can no longer be written."""
        self._database.close()

    # --- helpers ---

    def _write_rows(self) -> None:
        rows, notes = self._rows, self._notes
        self._rows, self._notes = [], []
        if not rows and not notes:
            return
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            if rows:
                database.execute(
                    "INSERT INTO batches (segment, ended, body) VALUES (?, ?, ?)",
                    (self._segment, max(row[0] for row in rows), pack(encode_rows(rows), file_format.QUICK)),
                )
            database.executemany(
                "INSERT INTO notes (at, kind, body) VALUES (?, ?, ?)",
                [(time, kind, pack(data, file_format.QUICK)) for time, kind, data in notes],
            )
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    def _seal(self, ended: int) -> None:
        """Within a transaction: the open segment gets its body, and its batches go."""
        if self._condenser is None:
            return
        body = pack(self._condenser.body())
        self._database.execute("UPDATE segments SET ended = ?, body = ? WHERE id = ?", (ended, body, self._segment))
        self._database.execute("DELETE FROM batches")
        self._condenser = None

    def _base_for(self, size: int) -> int | None:
        """The keyframe to compress one of this size against; None for one that stands alone."""
        self._based += 1
        if self._base is None or not 0.5 < size / self._base[1] < 2:
            return None
        return None if self._based >= BASES and self._links >= CHAIN else self._base[0]

    def _raw_of(self, segment: int) -> bytes:
        return raw_keyframe(self._database, segment)

    def _make_room(self) -> None:
        """Drop the oldest segments while the file is too large; a keyframe that others need stays a while."""
        database = self._database
        while self._used() > self.limit:
            oldest = database.execute(
                "SELECT id FROM segments WHERE body IS NOT NULL AND length(body) > 0 ORDER BY id LIMIT 1"
            ).fetchone()
            if oldest is None:
                return
            following = database.execute("SELECT began FROM segments WHERE id > ? ORDER BY id", oldest).fetchone()
            self.head = msgspec.structs.replace(self.head, dropped=following[0])
            database.execute("BEGIN IMMEDIATE")
            database.execute("UPDATE segments SET body = x'' WHERE id = ?", oldest)
            database.execute(
                "DELETE FROM segments WHERE body = x'' AND id <> ? AND id NOT IN"
                " (SELECT base FROM segments WHERE base IS NOT NULL)",
                (self._base[0] if self._base is not None else 0,),
            )
            database.execute("DELETE FROM notes WHERE at < ?", following)
            put_head(database, self.head)
            database.execute("COMMIT")
        database.executescript("PRAGMA incremental_vacuum")

    def _used(self) -> int:
        (pages,) = self._database.execute("PRAGMA page_count").fetchone()
        (free,) = self._database.execute("PRAGMA freelist_count").fetchone()
        (size,) = self._database.execute("PRAGMA page_size").fetchone()
        return int((pages - free) * size)

    def _measure(self) -> None:
        total = 0
        for suffix in ("", "-wal"):
            try:
                total += self.file.with_name(self.file.name + suffix).stat().st_size
            except OSError:
                continue
        self.size = total
