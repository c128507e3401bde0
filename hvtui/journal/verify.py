"""Has anybody changed, removed or cut lines of the journal? What this cannot tell is said in docs/journal.md."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from hvtui.journal.chain import START, Head, HeadUnreadableError, digest, read_head
from hvtui.journal.entry import Kind, decode_entry
from hvtui.journal.store import BEHIND, BUSY_SECONDS, FILE, HEAD, JournalError

Row = tuple[int, str, str, str, str, str]


class Fault(msgspec.Struct, frozen=True):
    """Something wrong, and the line where it shows; 0 when it is the head's or the file's."""

    line: int
    text: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found. `notes` are no faults, such as a head that a killed process left behind."""

    lines: int
    first: int = 0
    last: int = 0
    head: str = ""
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()


def verify(folder: Path) -> Report:
    """Check every line and the head. Raises JournalError when the file cannot be read at all."""
    try:
        rows, head, faults = _read(folder)
    except (OSError, sqlite3.Error) as error:
        raise JournalError(f"The journal {folder / FILE} cannot be read: {error}") from error
    notes: list[str] = []
    faults += _chain(rows)
    faults += _ends(rows, head, notes)
    return Report(
        lines=len(rows),
        first=rows[0][0] if rows else 0,
        last=rows[-1][0] if rows else 0,
        head=head.hash if head is not None else "",
        faults=tuple(faults),
        notes=tuple(notes),
    )


def _read(folder: Path) -> tuple[list[Row], Head | None, list[Fault]]:
    """Lines and head as they are at one moment: nobody writes meanwhile."""
    faults: list[Fault] = []
    file = folder / FILE
    if not file.exists():
        return [], _head(folder, faults), faults
    with closing(sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None)) as database:
        # A copy on a read-only disk cannot be locked, and nobody writes to it.
        with suppress(sqlite3.OperationalError):
            database.execute("BEGIN IMMEDIATE")
        rows = database.execute("SELECT id, operation, kind, function, body, hash FROM lines ORDER BY id").fetchall()
        return rows, _head(folder, faults), faults


def _head(folder: Path, faults: list[Fault]) -> Head | None:
    try:
        return read_head(folder / HEAD)
    except HeadUnreadableError:
        faults.append(Fault(0, "the file of the head cannot be read as one"))
        return None


def _chain(rows: list[Row]) -> list[Fault]:
    faults: list[Fault] = []
    expected, previous = 1, START
    for number, operation, kind, function, body, kept in rows:
        if number != expected:
            which = f"line {expected} is" if number == expected + 1 else f"lines {expected} to {number - 1} are"
            faults.append(Fault(expected, f"{which} missing"))
        elif digest(previous, number, body) != kept:
            before = f" (or the hash of line {number - 1})" if number > 1 else ""
            faults.append(Fault(number, f"line {number}{before} was changed"))
        faults += _content(number, operation, kind, function, body)
        expected, previous = number + 1, kept
    return faults


def _content(number: int, operation: str, kind: str, function: str, body: str) -> list[Fault]:
    try:
        entry = decode_entry(body)
    except msgspec.MsgspecError as error:
        return [Fault(number, f"line {number} cannot be read: {error}")]
    faults = []
    if (entry.operation, entry.kind.value, entry.function) != (operation, kind, function):
        faults.append(Fault(number, f"line {number} is filed as something else than it says"))
    if entry.kind is Kind.DAMAGE:
        faults.append(Fault(number, f"line {number}, {entry.time:%Y-%m-%d %H:%M:%S} UTC, told: {entry.text}"))
    return faults


def _ends(rows: list[Row], head: Head | None, notes: list[str]) -> list[Fault]:
    last = rows[-1][0] if rows else 0
    if head is None:
        if last > 1:
            return [Fault(0, "the file of the head is missing: lines cut from the end would not be missed")]
        return []
    if head.id > last:
        which = f"line {head.id} is" if head.id == last + 1 else f"lines {last + 1} to {head.id} are"
        return [Fault(last + 1, f"{which} missing at the end")]
    kept = next((row[5] for row in reversed(rows) if row[0] == head.id), None)
    if kept != head.hash:
        return [Fault(head.id, f"line {head.id} is not the one that the head was written for")]
    if last - head.id > BEHIND:
        return [Fault(head.id + 1, f"lines {head.id + 1} to {last} were added without the head")]
    if last > head.id:
        notes.append(f"the head is behind by {last - head.id}: a process ended between a line and its head")
    return []
