"""A pasted text as lines and as one line, freed of what browsers, mail and word processors did to it.

Both forms keep where they are from: a match in the one line knows the number of the line it began in.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from hvtui.model.writer_text import LIMIT, spelled

LINES: Final = 20_000
"""Lines looked at; the rest of a longer text is not read, and said not to be."""
LINE_LENGTH: Final = 4_000

_BREAKS: Final = re.compile(r"\r\n|[\n\r\x0b\x0c\u2028\u2029]")
_QUOTED: Final = re.compile(r"^(?:[ \t]{0,8}>)+ ?")
_TAG: Final = re.compile(
    r"<(?:/?(?:p|pre|code|b|i|em|strong|div|span|li|ul|td|tr|table|tbody|font)\b[^<>]{0,200}|br ?/?)>", re.I
)
_HEX: Final = re.compile(r"(?<![0-9A-Za-z])[0OО][xX×хХ✕] ?(?=[0-9A-Fa-f]{3})")
"""A code whose x became a multiplication sign or a letter of another alphabet."""
_SPACES: Final = re.compile(r"\s+")


@dataclass(frozen=True)
class Line:
    """A line of a paste. `number` counts from 1; `text` keeps its blanks, because tables stand in columns."""

    number: int
    text: str


@dataclass(frozen=True)
class Paste:
    """`lines` are those with something in them; `cut` tells that there were more than are read."""

    lines: tuple[Line, ...]
    cut: bool = False

    @cached_property
    def joined(self) -> str:
        """All lines as one, single blanks between: phrases are found however the text was wrapped."""
        return " ".join(self._parts)

    @cached_property
    def phrases(self) -> str:
        """`joined` in lower case with one kind of quotation mark, character for character at the same places."""
        text = self.joined.replace('"', "'").replace("`", "'")
        return text.lower() if text.isascii() else "".join(_lower(char) for char in text)

    def line_at(self, place: int) -> int:
        """The number of the line that `joined` has at `place`."""
        return self.lines[bisect_right(self._starts, place) - 1].number if self.lines else 0

    @cached_property
    def _parts(self) -> list[str]:
        return [_SPACES.sub(" ", line.text.strip()) for line in self.lines]

    @cached_property
    def _starts(self) -> list[int]:
        starts, place = [], 0
        for part in self._parts:
            starts.append(place)
            place += len(part) + 1
        return starts


def pasted(text: str) -> Paste:
    """The lines of a text whose encoding is already undone; never raises."""
    raw = _BREAKS.split(text[:LIMIT].replace("\0", ""))
    lines = []
    for number, line in enumerate(raw[:LINES], start=1):
        clean = tidy(line[:LINE_LENGTH])
        if clean.strip():
            lines.append(Line(number, clean))
    return Paste(tuple(lines), cut=len(raw) > LINES or len(text) > LIMIT)


def tidy(line: str) -> str:
    """One line with plain quotes, hyphens, blanks and codes; without quotation marks of mail, entities and tags."""
    line = spelled(line.expandtabs(8))
    if "&" in line:
        line = spelled(html.unescape(line))
    if "<" in line:
        line = _TAG.sub(" ", line)
    if ">" in line:
        line = _QUOTED.sub("", line)
    return _HEX.sub("0x", line).rstrip()


def _lower(char: str) -> str:
    low = char.lower()
    return low if len(low) == 1 else char
