"""A copy of a recording: with other names, or a whole one of one whose recorder was killed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from hvtui.recording.format import Head
from hvtui.recording.reader import Recording
from hvtui.recording.redact import Redactor
from hvtui.recording.writer import Writer


def copy(source: Recording, file: Path, *, redact: bool = False) -> None:
    """Write everything of `source` into a new file. Raises RecordingError; then there is no such file."""
    redactor = Redactor() if redact else None
    if redactor is not None:
        _learn(redactor, source)
    writer = Writer(file, _head(source.head, redactor))
    try:
        for segment in source.segments:
            key, told = source.expand(segment)
            if redactor is not None:
                key = redactor.keyframe(key)
            writer.begin(key, segment.began)
            for one in told:
                item = one.told if redactor is None else redactor.told(one.told)
                writer.keep(one.time, one.skew, item, one.beats)
        for note in source.notes():
            data: Any = note.data if redactor is None else redactor.plain(note.data)
            at = round((note.time - source.head.began).total_seconds() * 1000)
            writer.note(at, note.kind, msgspec.msgpack.encode(data))
        writer.close(source.end)
    except BaseException:
        writer.abandon()
        for suffix in ("", "-wal", "-shm"):
            with suppress(OSError):
                file.with_name(file.name + suffix).unlink(missing_ok=True)
        raise


def _learn(redactor: Redactor, source: Recording) -> None:
    """Every name of the whole recording, so that none stands in a text before it is known to be one."""
    for word in (source.head.title, source.head.cluster):
        redactor.learn("CLUSTER", word)
    for segment in source.segments:
        key, told = source.expand(segment)
        redactor.gather(key)
        for one in told:
            redactor.gather(one.told)
    for note in source.notes():
        redactor.gather(note.data)


def _head(head: Head, redactor: Redactor | None) -> Head:
    if redactor is None:
        return head
    return msgspec.structs.replace(
        head, title=redactor.text(head.title), cluster=redactor.text(head.cluster), redacted=True
    )
