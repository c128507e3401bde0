"""The chain: each line's hash covers its content, its number and the hash before it; the head is kept in another file.

The head names the last line. With it, lines cut from the end are missed as well as changed ones.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import Final

import msgspec

START: Final = "0" * 64
"""What the first line is chained to."""
_TRIES: Final = 20
_TRY_AGAIN: Final = 0.02


class Head(msgspec.Struct, frozen=True):
    """Number and hash of the last line."""

    id: int
    hash: str


# Made once, at import: two threads that do it at one time crash the process.
_decode_head: Final = msgspec.json.Decoder(Head).decode


def digest(previous: str, number: int, body: str) -> str:
    """The hash of a line: SHA-256 in hex."""
    text = f"hvtui journal 1\n{previous}\n{number}\n{body}"
    return hashlib.sha256(text.encode()).hexdigest()


class HeadUnreadableError(Exception):
    """The head file is there, but it is not what hvtui writes."""


def read_head(file: Path) -> Head | None:
    """The head, None when there is no file. Raises HeadUnreadableError and OSError."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return _decode_head(data)
    except msgspec.DecodeError as error:
        raise HeadUnreadableError(str(error)) from error


def write_head(file: Path, head: Head) -> None:
    """Replace the head; a crash leaves the old one or the new one. Raises OSError."""
    handle, beside = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(msgspec.json.encode(head) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        _replace(Path(beside), file)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def _replace(beside: Path, file: Path) -> None:
    """On Windows a file that somebody (a virus scanner) has open for a moment cannot be replaced: try again."""
    for left in reversed(range(_TRIES)):
        try:
            beside.replace(file)
        except PermissionError:
            if not left:
                raise
            time.sleep(_TRY_AGAIN)
        else:
            return
