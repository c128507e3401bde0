"""`hvtui explain`: what a saved or pasted text of Windows or of a backup product means. Asks no node."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import BinaryIO, Final

from hvtui.cli.arguments import Arguments
from hvtui.cli.exits import Exit
from hvtui.cli.explain_output import EXPECTED, recognise
from hvtui.cli.output import complain, say, show_json
from hvtui.errors import InputError

LARGEST: Final = 4_000_000
"""Bytes read at most; a node with a hundred writers prints 30 kB, twice that as UTF-16; logs of a night are longer."""

_BINARY_SHARE: Final = 0.1
"""More control bytes than this, and it is no text in any encoding."""


def run(arguments: Arguments) -> int:
    """Print what the text says; 0 all well, 1 something is not or was not readable, 2 nothing in it is known."""
    found = recognise(_read(arguments.file))
    if arguments.json:
        show_json(found.as_json())
    else:
        found.show()
        for line in found.unreadable:
            say(f"could not be read: {line}", "warn")
    if found.failure:
        complain(f"{_name(arguments.file)}: {found.failure}", f"expected: {EXPECTED}")
        return Exit.NOTHING
    return Exit.FINE if found.fine and not found.unreadable else Exit.WRONG


def _read(name: str) -> bytes:
    """The bytes of a file or of standard input; raises InputError for what cannot be a text."""
    if name == "-":
        data = _bounded(sys.stdin.buffer)
    else:
        path = Path(name)
        try:
            kind = path.stat()
            if stat.S_ISDIR(kind.st_mode):
                raise InputError(f"{name} is a folder", hint="name the file with the text in it")
            if stat.S_ISREG(kind.st_mode) and kind.st_size > LARGEST:
                raise InputError(f"{name} has {kind.st_size:,} bytes: too large for a pasted text")
            with path.open("rb") as file:
                data = _bounded(file)
        except OSError as error:
            raise InputError(f"{name} cannot be read: {error.strerror or error}") from None
        except ValueError:
            raise InputError("that is not a file name") from None
    if len(data) > LARGEST:
        raise InputError(f"{_name(name)}: over {LARGEST:,} bytes, too large for a pasted text")
    if not data.strip(b"\0 \t\r\n\xff\xfe\xef\xbb\xbf"):
        raise InputError(f"{_name(name)} is empty", hint="save the text that is to be explained in it")
    if _is_binary(data):
        raise InputError(f"{_name(name)} is not text")
    return data


def _bounded(file: BinaryIO) -> bytes:
    """At most one byte more than allowed, whatever the source gives per read."""
    parts: list[bytes] = []
    left = LARGEST + 1
    while left > 0:
        part = file.read(min(left, 1 << 16))
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _is_binary(data: bytes) -> bool:
    """Text in UTF-8, UTF-16 or a code page has hardly a control byte; UTF-16 has NULs at every other place only."""
    head = data[:65_536]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or _looks_utf16(head):
        return False
    controls = sum(1 for byte in head if byte < 32 and byte not in b"\t\n\r\x0c\x1b")
    return controls > len(head) * _BINARY_SHARE


def _looks_utf16(head: bytes) -> bool:
    even, odd = head[::2].count(0), head[1::2].count(0)
    half = len(head) / 2
    return (even < half * 0.05 and odd > half * 0.7) or (odd < half * 0.05 and even > half * 0.7)


def _name(name: str) -> str:
    return "standard input" if name == "-" else name
