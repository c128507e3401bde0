"""What guests told, for people and as JSON: the worst first, and those that could not be read never as fine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from hvtui.cli.output import Cell, say, table
from hvtui.cli.picture_json import time_json
from hvtui.cli.status import MARKS
from hvtui.cli.writer_output import COLUMNS, is_fine, worst_first, writer_json, writer_row
from hvtui.model.guest_rows import GuestRow, VolumeRow, size_text
from hvtui.model.guests import GuestFiles
from hvtui.model.severity import Severity

_GUESTS: Final = ("", "guest", "node", "is", "fullest volume", "free", "to free", "why")
_VOLUMES: Final = ("", "guest", "volume", "label", "file system", "size", "free", "", "to free")
_SERVICES: Final = ("guest", "service", "state", "start")
_STORAGE: Final = ("guest", "shadow copies of", "kept on", "used", "allocated", "at most")
_FEW: Final = 3
"""Of so many guests everything is shown; of more, what is not well."""


def show_guests(rows: Sequence[GuestRow]) -> None:
    """All guests in one table, then what is not well in them."""
    read = [row for row in rows if row.read]
    table(f"Guests: {len(read)} of {len(rows)} read", _GUESTS, map(_guest, rows))
    few = len(rows) <= _FEW
    volumes = [(row, one) for row in read for one in row.volumes if few or one.severity > Severity.INFO]
    if volumes:
        table("Volumes" if few else "Volumes that are not well", _VOLUMES, [_volume(*pair) for pair in volumes])
    for row in read:
        writers = row.writers.writers if row.writers is not None else ()
        shown = writers if few else tuple(one for one in writers if not is_fine(one))
        if shown:
            table(f"VSS writers in {row.name}", COLUMNS, map(writer_row, worst_first(shown)))
    if few:
        services = [(row.name, s.name, s.state or "?", s.start_mode or "?") for row in read for s in row.services or ()]
        if services:
            table("Services", _SERVICES, services)
        storage = [_storage(row, one) for row in read for one in row.storage or ()]
        if storage:
            table("Shadow storage", _STORAGE, storage)
    _show_unread([row for row in rows if not row.read])


def _show_unread(rows: list[GuestRow]) -> None:
    """Each with its reason; what to run inside is said once for those it is the same for."""
    if not rows:
        return
    say(f"Not readable: {len(rows)}", "warn")
    for command in dict.fromkeys(row.command for row in rows):
        for row in rows:
            if row.command == command:
                say(f"  ? {row.name} on {row.node or '?'}: {row.reason or 'no reason was told'}", "warn")
        if command:
            say(f"    → inside: {command}")
    say()


def guest_line(row: GuestRow) -> str:
    """One guest as it answers."""
    why = f": {row.reason}" if row.reason else ""
    return f"{row.name} on {row.node or '?'}: {row.word}{why}"


def guest_json(row: GuestRow) -> dict[str, Any]:
    """A guest of docs/guests.schema.json."""
    report = row.writers
    return {
        "vm": {"id": row.vm, "name": row.name},
        "node": row.node,
        "read": row.read,
        "word": row.word,
        "severity": row.severity.name.lower(),
        "reason": row.reason,
        "outcome": row.outcome,
        "command": row.command,
        "system": row.system,
        "time": None if row.time is None else time_json(row.time),
        "volumes": [_volume_json(one) for one in row.volumes],
        "services": None if row.services is None else [msgspec.to_builtins(one) for one in row.services],
        "writers": None if report is None else [writer_json(one) for one in report.writers],
        "writers_unread": [] if report is None else [*report.unreadable, *filter(None, [report.failure])],
        "storage": None if row.storage is None else [msgspec.to_builtins(one) for one in row.storage],
        "unread": [{"part": problem.part, "text": problem.text} for problem in row.errors],
    }


def show_files(name: str, told: GuestFiles) -> None:
    """The largest files of a volume."""
    files = told.files or []
    total = sum(file.size for file in files)
    note = ", the time ran out before all was searched" if told.partial else ""
    title = f"{name} {told.volume}: the {len(files)} largest files, {size_text(total)} together{note}"
    table(title, ("size", "file"), [(size_text(file.size), file.path) for file in files])
    for problem in told.errors:
        say(f"  ? {problem.part}: {problem.text}", "warn")


def files_json(vm: dict[str, str], told: GuestFiles) -> dict[str, Any]:
    """The object of docs/guest-files.schema.json."""
    return {
        "vm": vm,
        "node": told.node,
        "volume": told.volume,
        "outcome": told.outcome,
        "text": told.text,
        "partial": told.partial,
        "time": time_json(told.time),
        "files": None if told.files is None else [{"path": file.path, "size": file.size} for file in told.files],
        "unread": [{"part": problem.part, "text": problem.text} for problem in told.errors],
    }


def counts(rows: Iterable[GuestRow]) -> dict[str, int]:
    """How many of which word."""
    words = [row.word for row in rows]
    return {word: words.count(word) for word in dict.fromkeys(words)}


def _guest(row: GuestRow) -> tuple[Cell, ...]:
    glyph, mood = MARKS[row.severity]
    fullest = next((one for one in row.volumes if one.free is not None), None)
    free = row.volumes[0].to_free if row.volumes else 0
    return (
        (glyph, mood),
        row.name,
        row.node or "?",
        (row.word, mood if row.severity > Severity.INFO else ""),
        fullest.path if fullest is not None else "?",
        _free(fullest) if fullest is not None else "?",
        size_text(free) if free else "",
        row.reason,
    )


def _volume(row: GuestRow, one: VolumeRow) -> tuple[Cell, ...]:
    return (
        MARKS[one.severity],
        row.name,
        one.path,
        one.label,
        one.file_system or "?",
        size_text(one.size),
        _free(one),
        "" if one.percent is None else f"{one.percent} %",
        size_text(one.to_free) if one.to_free else "",
    )


def _free(one: VolumeRow) -> Cell:
    return (size_text(one.free), MARKS[one.severity][1] if one.severity > Severity.INFO else "")


def _storage(row: GuestRow, one: Any) -> tuple[Cell, ...]:
    return (
        row.name,
        one.volume,
        one.store or "?",
        size_text(one.used),
        size_text(one.allocated),
        "no limit, or unread" if one.maximum is None else size_text(one.maximum),
    )


def _volume_json(one: VolumeRow) -> dict[str, Any]:
    return {
        "path": one.path,
        "label": one.label,
        "file_system": one.file_system,
        "size": one.size,
        "free": one.free,
        "percent": one.percent,
        "severity": one.severity.name.lower(),
        "to_free": one.to_free,
        "least": one.least,
    }
