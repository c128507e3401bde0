"""The journal's file: SQLite, one for all clusters of this user; lines are only ever added.

Several processes write at once: each line is added under the write lock of the database, and the head is replaced
under the same lock, from the last line that is there. A process that is killed between the two leaves a head that is
behind; the next one to open the journal puts it right and says so.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from hvtui import paths
from hvtui.errors import HvtuiError
from hvtui.journal.chain import START, Head, HeadUnreadableError, digest, read_head, write_head
from hvtui.journal.entry import Entry, Kind, Line, decode_entry
from hvtui.journal.session import Session, alive

FILE: Final = "journal.sqlite3"
HEAD: Final = "journal.head"
BUSY_SECONDS: Final = 10.0
BATCH: Final = 32
"""Lines that are added at once: the head follows after all of them."""
BEHIND: Final = 8 * BATCH
"""A head may be behind by so many lines: a batch for each process that was killed at once."""
_SHORTEST_SECRET: Final = 4
_HIDDEN: Final = "***"
_OWN: Final = frozenset({"time", "kind", "session", "operation", "call"})
"""What hvtui makes itself; everything else of a line may come from outside."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS lines (
  id INTEGER PRIMARY KEY, operation TEXT NOT NULL, kind TEXT NOT NULL, function TEXT NOT NULL,
  body TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS lines_operation ON lines (operation);
CREATE INDEX IF NOT EXISTS lines_function ON lines (function) WHERE function <> '';
CREATE TRIGGER IF NOT EXISTS lines_stay BEFORE UPDATE ON lines BEGIN SELECT RAISE(ABORT, 'lines are only added'); END;
CREATE TRIGGER IF NOT EXISTS lines_last BEFORE DELETE ON lines BEGIN SELECT RAISE(ABORT, 'lines are only added'); END;
"""


class JournalError(HvtuiError):
    """The journal cannot be read or written. Nothing is changed on a cluster without it."""


class Journal:
    """The journal in `folder`. Methods may be called on any thread; each may wait for the disk or another process."""

    def __init__(self, folder: Path | None = None, *, secrets: Callable[[], Iterable[str]] = tuple) -> None:
        """`secrets` gives the passwords that are in use: should a text contain one, it is replaced by ***."""
        self.folder = folder if folder is not None else paths.state_dir() / "journal"
        self._secrets = secrets
        self._lock = threading.RLock()
        self._database: sqlite3.Connection | None = None
        self._session: Session | None = None
        self.notes: list[str] = []
        """What was put right when the journal was opened or written."""

    @property
    def file(self) -> Path:
        """The database."""
        return self.folder / FILE

    # --- writing ---

    def open(self) -> None:
        """Make sure that lines can be written; repairs a head that is behind. Raises JournalError."""
        with self._errors("written"), self._lock:
            self._begin_session()
            with self._writing() as database:
                _, damage = self._fit(database)
            if damage:
                self.notes.append(f"the journal is damaged: {damage}")

    @property
    def session(self) -> str:
        """The id of this process as a writer; opens the journal when it is not. Raises JournalError."""
        with self._errors("written"), self._lock:
            return self._begin_session().id

    def append(self, entry: Entry) -> int:
        """Add a line and return its number; it is on the disk when this returns. Raises JournalError."""
        return self.append_all([entry])

    def append_all(self, entries: Sequence[Entry]) -> int:
        """Add lines, one after the other, and return the last one's number; all are on the disk when this returns.

        What ends the process in between leaves a beginning of them. Raises JournalError.
        """
        number = 0
        for first in range(0, len(entries), BATCH):
            held = [(entry, self._body(entry)) for entry in entries[first : first + BATCH]]
            number = self._append(held)
        return number

    def _append(self, held: Sequence[tuple[Entry, str]]) -> int:
        with self._errors("written"), self._lock:
            with self._writing() as database:
                last, damage = self._fit(database)
                if damage:
                    last = self._insert(database, last, self._damage(held[0][0], damage))
                for entry, body in held:
                    last = self._insert(database, last, entry, body)
            with self._writing() as database:
                head = _last(database)
                if head is not None:
                    write_head(self._head_file, head)
            return last.id if last is not None else 0

    def close(self) -> None:
        """End this process's session; an operation that it left is unfinished from now on."""
        with self._lock:
            database, self._database = self._database, None
            session, self._session = self._session, None
            if database is not None:
                database.close()
            if session is not None:
                session.close()

    # --- reading ---

    def last(self) -> int:
        """The number of the last line, 0 when there is none. Raises JournalError."""
        with self._errors("read"), self._lock:
            if self._database is None and not self.file.exists():
                return 0
            found = _last(self._open())
            return found.id if found is not None else 0

    def lines(
        self, *, operation: str = "", function: str = "", kinds: Iterable[Kind] = (), after: int = 0
    ) -> list[Line]:
        """Lines in their order, of one operation, function or kinds when given. Raises JournalError.

        Only those with a number above `after`.
        """
        where, values = _where(operation, function, tuple(kinds), after)
        with self._errors("read"), self._lock:
            if self._database is None and not self.file.exists():
                return []
            rows = self._open().execute(f"SELECT id, body, hash FROM lines{where} ORDER BY id", values).fetchall()  # noqa: S608
        return [Line(number, decode_entry(body), hash_) for number, body, hash_ in rows]

    def writer_lives(self, session: str) -> bool:
        """The process that wrote lines with this session still runs."""
        mine = self._session
        return (mine is not None and mine.id == session) or alive(self.folder, session)

    # --- helpers ---

    @property
    def _head_file(self) -> Path:
        return self.folder / HEAD

    def _begin_session(self) -> Session:
        if self._session is None:
            self._session = Session(self.folder)
        return self._session

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self.file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                database.execute("PRAGMA journal_mode = WAL")
                # A line must have reached the disk before the step it tells of runs.
                database.execute("PRAGMA synchronous = FULL")
                database.executescript(_SCHEMA)
            except BaseException:
                database.close()
                raise
            self._database = database
        return self._database

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        database = self._open()
        database.execute("BEGIN IMMEDIATE")
        try:
            yield database
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")

    def _fit(self, database: sqlite3.Connection) -> tuple[Head | None, str]:
        """What the next line is chained to, and in words how the lines and the head do not fit together."""
        last = _last(database)
        try:
            head = read_head(self._head_file)
        except HeadUnreadableError:
            return last, "the file of the head cannot be read as one"
        if head == last:
            return last, ""
        if head is None and last is not None and last.id > 1:
            return last, "the file of the head is missing"
        head = head or Head(0, START)
        if last is None or head.id > last.id:
            first = last.id + 1 if last is not None else 1
            return head, f"lines {first} to {head.id} are missing"
        return last, self._catch_up(database, head, last)

    def _catch_up(self, database: sqlite3.Connection, head: Head, last: Head | None) -> str:
        """Put right a head that a killed process left behind; else say what is wrong with it."""
        if last is None:
            return ""
        kept = database.execute("SELECT hash FROM lines WHERE id = ?", (head.id,)).fetchone()
        if head.id and (kept is None or kept[0] != head.hash):
            return f"line {head.id} is not the one that the head was written for"
        behind = last.id - head.id
        if behind > BEHIND:
            return f"lines {head.id + 1} to {last.id} were added without the head"
        write_head(self._head_file, last)
        which = f"line {last.id}" if behind == 1 else f"lines {head.id + 1} to {last.id}"
        self.notes.append(f"the head was behind by {behind}: {which} had been written when a process ended; put right")
        return ""

    def _insert(self, database: sqlite3.Connection, last: Head | None, entry: Entry, body: str = "") -> Head:
        body = body or self._body(entry)
        number = last.id + 1 if last is not None else 1
        added = Head(number, digest(last.hash if last is not None else START, number, body))
        database.execute(
            "INSERT INTO lines (id, operation, kind, function, body, hash) VALUES (?, ?, ?, ?, ?, ?)",
            (number, entry.operation, entry.kind.value, entry.function, body, added.hash),
        )
        return added

    def _damage(self, entry: Entry, text: str) -> Entry:
        self.notes.append(f"the journal is damaged: {text}")
        return Entry(time=entry.time, kind=Kind.DAMAGE, who=entry.who, session=entry.session, text=text)

    def _body(self, entry: Entry) -> str:
        secrets = [secret for secret in self._secrets() if len(secret) >= _SHORTEST_SECRET]
        content = msgspec.to_builtins(entry)
        if secrets:
            content = {key: value if key in _OWN else _hide(value, secrets) for key, value in content.items()}
        return msgspec.json.encode(content, order="sorted").decode()

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error, msgspec.MsgspecError) as error:
            raise JournalError(
                f"The journal {self.file} cannot be {what}: {error}",
                hint="Nothing is changed without it: free its disk or mend its folder's rights first.",
            ) from error


def _hide(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _hide(inner, secrets) for key, inner in value.items()}
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, _HIDDEN)
    return value


def _last(database: sqlite3.Connection) -> Head | None:
    row = database.execute("SELECT id, hash FROM lines ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else Head(row[0], row[1])


def _where(operation: str, function: str, kinds: tuple[Kind, ...], after: int) -> tuple[str, tuple[str | int, ...]]:
    parts: list[str] = []
    values: list[str | int] = []
    if after:
        parts.append("id > ?")
        values.append(after)
    if operation:
        parts.append("operation = ?")
        values.append(operation)
    if function:
        parts.append("function = ?")
        values.append(function)
    if kinds:
        parts.append(f"kind IN ({', '.join('?' * len(kinds))})")
        values += [kind.value for kind in kinds]
    return (f" WHERE {' AND '.join(parts)}" if parts else ""), tuple(values)
