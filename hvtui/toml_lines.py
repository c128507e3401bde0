"""Where each key of a TOML file stands: `tomllib` keeps no positions, and a complaint without a line helps nobody."""

from __future__ import annotations

import re
from typing import Final

Key = tuple[str | int, ...]
"""Path of a key: names of tables and keys, and the index in an array of tables."""

_PART: Final = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED: Final = rf"{_PART}(?:\s*\.\s*{_PART})*"
_TABLE: Final = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]")
_ASSIGNED: Final = re.compile(rf"\s*({_DOTTED})\s*=")
_INLINE: Final = re.compile(rf"[{{,]\s*({_DOTTED})\s*=")
_QUOTES: Final = re.compile(r'"""|\'\'\'')


def key_lines(text: str) -> dict[Key, int]:
    """Line number (from 1) of each key and table header. Text in multi-line strings is skipped."""
    lines: dict[Key, int] = {}
    table: Key = ()
    counts: dict[Key, int] = {}
    closing = ""
    for number, line in enumerate(text.splitlines(), 1):
        if closing:
            if closing in line:
                closing = ""
            continue
        header = _TABLE.match(line)
        if header:
            table = _parts(header[2])
            if header[1] == "[[":
                index = counts.get(table, 0)
                counts[table] = index + 1
                lines.setdefault(table, number)
                table = (*table, index)
            lines[table] = number
            continue
        assigned = _ASSIGNED.match(line)
        if assigned:
            path = (*table, *_parts(assigned[1]))
            lines[path] = number
            for inner in _INLINE.finditer(line, assigned.end()):
                lines.setdefault((*path, *_parts(inner[1])), number)
        quotes = _QUOTES.findall(line)
        if len(quotes) % 2:
            closing = quotes[-1]
    return lines


def line_of(lines: dict[Key, int], key: Key) -> int:
    """The line of a key, or of the nearest table around it."""
    while key and key not in lines:
        key = key[:-1]
    return lines.get(key, 1)


def _parts(dotted: str) -> Key:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
