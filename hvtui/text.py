"""The only door from outside text to a screen or a terminal.

VM names, notes, event texts and writer texts come from guests and nodes: they can carry terminal escapes, markup,
line breaks and direction overrides. `safe_text` makes them one harmless line; `safe_block` keeps line breaks.
Markup is the other half: pass the result to Textual as `Content`/`Text`, never as a plain `str`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

LIMIT: Final = 300
"""Longest single line shown; a longer one ends in `…`."""

BLOCK_LIMIT: Final = 20_000
"""Longest text of several lines shown."""

# Fillers, joiners and variation selectors: they have no width, or change the width of what stands beside them. Format
# characters (direction overrides, zero-width ones, tags) are hidden by their category.
_HIDDEN: Final = frozenset(
    {
        0x034F,
        0x115F,
        0x1160,
        0x17B4,
        0x17B5,
        *range(0x180B, 0x1810),
        0x3164,
        *range(0xFE00, 0xFE10),
        0xFFA0,
        *range(0xE0100, 0xE01F0),
    }
)
_FORMAT: Final = frozenset({"Cf", "Zl", "Zp"})
_MARKS: Final = frozenset({"Mn", "Me"})
_UNSHOWABLE: Final = frozenset({"Cs", "Co", "Cn"})
_PLAIN: Final = re.compile(r"[\x20-\x7e]*\Z")
_CACHE_LIMIT: Final = 20_000


class _Shown(dict[int, str]):
    """Code point → what is shown for it, worked out once for each that occurs."""

    def __missing__(self, code: int) -> str:
        if len(self) > _CACHE_LIMIT:
            self.clear()
        shown = self[code] = _shown(code)
        return shown


def _shown(code: int) -> str:
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if 0x80 <= code < 0xA0:
        return "�"
    category = unicodedata.category(chr(code))
    if code in _HIDDEN or category in _FORMAT:
        return "·"
    return "�" if category in _UNSHOWABLE else chr(code)


_LINE: Final = _Shown()
_BLOCK: Final = _Shown({0x0A: "\n", 0x09: "    "})
# Three and more marks on one letter are not a script but a joke that paints over the lines around it.
_MARK_PILE: Final = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{2})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)


def safe_text(text: str, limit: int = LIMIT) -> str:
    """One line without anything a terminal would obey: controls become visible marks, NFC, length capped."""
    if len(text) <= limit and _PLAIN.match(text):
        return text
    text = _cleaned(text[: limit * 4], _LINE)
    if unicodedata.category(text[:1] or " ") in _MARKS:
        # A mark at the start would sit on whatever is drawn before it.
        text = f"◌{text}"
    return text if len(text) <= limit else text[: limit - 1] + "…"


def safe_block(text: str, limit: int = BLOCK_LIMIT) -> str:
    """Like `safe_text`, for text of several lines: line breaks stay, tabs become spaces."""
    cut = text[:limit].replace("\r\n", "\n").replace("\r", "\n")
    return _cleaned(cut, _BLOCK) + ("…" if len(text) > limit else "")


def _cleaned(text: str, table: _Shown) -> str:
    return _MARK_PILE.sub(r"\1", unicodedata.normalize("NFC", text).translate(table))


_DIGITS: Final = re.compile(r"(\d+)")


@lru_cache(maxsize=32_768)
def natural(text: str) -> tuple[str | int, ...]:
    """A sort key in which `VM2` comes before `VM10` and case does not matter; text and numbers always alternate."""
    parts = _DIGITS.split(text.casefold())
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts))
