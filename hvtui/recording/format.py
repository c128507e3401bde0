"""The file of a recording: one SQLite database. docs/recording.md describes it.

`head` says what it is of; `segments` hold ten minutes each, a keyframe and everything told after it; `batches` are the
parts of the newest segment, written twice a second; `notes` are findings, operations and what else was told about them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from hvtui.errors import InputError

APPLICATION: Final = 0x68767452
"""SQLite's application_id of a recording: `hvtR`."""
VERSION: Final = 1
"""SQLite's user_version: the version of this schema."""
SUFFIX: Final = ".hvtrec"
LEVEL: Final = 12
QUICK: Final = 3
MOST_RAW: Final = 256 * 2**20
"""Bytes that a blob may grow to when it is unpacked: a damaged or hostile file must not fill the memory."""

SCHEMA: Final = f"""
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
CREATE TABLE head (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE segments (
  id INTEGER PRIMARY KEY, began INTEGER NOT NULL, base INTEGER, keyframe BLOB NOT NULL, ended INTEGER, body BLOB
);
CREATE TABLE batches (id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, ended INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE notes (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL);
"""


class RecordingError(InputError):
    """The file is no recording, or cannot be read or written."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What a recording is of. `wall` is the client's clock when it began, `monotonic` its monotonic clock then.

    Every other time in the file is in milliseconds since then. `ended` is None until the recorder has ended it.
    `dropped`: segments that were thrown away for room, and so many milliseconds of the beginning with them.
    """

    title: str
    wall: datetime
    monotonic: float
    program: str
    protected: bool = False
    cluster: str = ""
    cluster_id: str = ""
    redacted: bool = False
    ended: int | None = None
    dropped: int = 0

    @property
    def began(self) -> datetime:
        """The same in UTC, to the millisecond."""
        return self.wall.astimezone(UTC)


def create(file: Path, head: Head) -> sqlite3.Connection:
    """A new recording, to be written on any one thread. Raises RecordingError, also when the file is there already."""
    if file.exists():
        raise RecordingError(f"{file} is there already", hint="A recording is not written over: name another file.")
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA auto_vacuum = INCREMENTAL")
            database.execute("PRAGMA journal_mode = WAL")
            # What a killed process wrote is in the file; a machine that loses power may lose the last seconds.
            database.execute("PRAGMA synchronous = NORMAL")
            database.execute("PRAGMA wal_autocheckpoint = 256")
            database.executescript(SCHEMA)
            put_head(database, head)
        except BaseException:
            database.close()
            raise
    return database


def put_head(database: sqlite3.Connection, head: Head) -> None:
    """Write what the recording is of."""
    database.execute("INSERT OR REPLACE INTO head VALUES ('about', ?)", (msgspec.json.encode(head),))


def open_file(file: Path) -> tuple[sqlite3.Connection, Head]:
    """Open a recording to read it. Raises RecordingError with what it is instead, when it is none."""
    if not file.is_file():
        raise RecordingError(f"there is no file {file}")
    with reading(file):
        database = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
        try:
            return database, _check(database, file)
        except BaseException:
            database.close()
            raise


def _check(database: sqlite3.Connection, file: Path) -> Head:
    (application,) = database.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION:
        raise RecordingError(f"{file} is no recording of hvtui, but another SQLite database")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise RecordingError(
            f"{file} was written by a newer hvtui: its format is {version}, this one reads up to {VERSION}",
            hint="Open it with the hvtui that wrote it, or a newer one.",
        )
    row = database.execute("SELECT value FROM head WHERE key = 'about'").fetchone()
    if row is None:
        raise RecordingError(f"{file} is damaged: it does not say what it is of")
    return msgspec.json.decode(row[0], type=Head)


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Whatever is wrong with a file, as a RecordingError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if "file is not a database" in str(error):
            raise RecordingError(f"{file} is no recording of hvtui") from error
        raise RecordingError(f"{file} is damaged: {error}", hint=_DAMAGED) from error
    except OSError as error:
        raise RecordingError(f"{file} cannot be read: {error.strerror or error}") from error
    except (zstandard.ZstdError, ValueError, LookupError, TypeError) as error:
        raise RecordingError(f"{file} is damaged: {type(error).__name__} in its content", hint=_DAMAGED) from error


_DAMAGED: Final = "If there is another copy, use that; a copy taken while it was being written needs its -wal file too."


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Whatever hinders writing a file, as a RecordingError."""
    try:
        yield
    except sqlite3.Error as error:
        raise RecordingError(f"{file} cannot be written: {error}") from error
    except OSError as error:
        raise RecordingError(f"{file} cannot be written: {error.strerror or error}") from error


def pack(raw: bytes, level: int = LEVEL, base: bytes | None = None) -> bytes:
    """Compress; with `base` it needs the same base to be unpacked."""
    if base is None:
        return zstandard.ZstdCompressor(level=level, write_checksum=True).compress(raw)
    held = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    window = max(20, min(27, (len(raw) + len(base)).bit_length()))
    parameters = zstandard.ZstdCompressionParameters.from_level(level, window_log=window, write_checksum=True)
    return zstandard.ZstdCompressor(dict_data=held, compression_params=parameters).compress(raw)


def unpack(blob: bytes, base: bytes | None = None) -> bytes:
    """The other way. Raises ZstdError."""
    size = zstandard.frame_content_size(blob)
    if size < 0 or size > MOST_RAW:
        raise zstandard.ZstdError("the size of a part is not plausible")
    held = None if base is None else zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
    return zstandard.ZstdDecompressor(dict_data=held, max_window_size=2**27).decompress(blob)
