"""The only door from outside text to a screen or a terminal.

VM names, notes, event texts and writer texts come from guests and nodes: they can carry terminal escapes, markup,
line breaks and direction overrides. `safe_text` makes them one harmless line; `safe_block` keeps line breaks.
Markup is the other half: pass the result to Textual as `Content`/`Text`, never as a plain `str`.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LIMIT: Final = 300
"""Longest single line shown; a longer one ends in `…`."""

_CONTROL: Final = (
    {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"} | dict.fromkeys(range(0x80, 0xA0), "�")
)
# Direction overrides and isolates, zero-width characters, line separators, byte order mark, soft hyphen,
# tag characters, variation selectors that change widths.
_HIDDEN: Final = {
    *range(0x200B, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    0x00AD,
    0x061C,
    0xFEFF,
    *range(0xFFF9, 0xFFFC),
    *range(0xE0000, 0xE0080),
}
_TABLE: Final = _CONTROL | dict.fromkeys(_HIDDEN, "·")
_BLOCK_TABLE: Final = {**_TABLE, 0x0A: "\n", 0x09: "    "}
_PLAIN: Final = re.compile(r"[\x20-\x7e]*\Z")


def safe_text(text: str, limit: int = LIMIT) -> str:
    """One line without anything a terminal would obey: controls become visible marks, NFC, length capped."""
    if not _PLAIN.match(text):
        text = unicodedata.normalize("NFC", text[: limit * 4]).translate(_TABLE)
        text = "".join(c if unicodedata.category(c) not in {"Cs", "Co", "Cn"} else "�" for c in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def safe_block(text: str, limit: int = 20_000) -> str:
    """Like `safe_text`, for text of several lines: line breaks stay, tabs become spaces."""
    text = text[:limit].replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFC", text).translate(_BLOCK_TABLE)
    return "".join(c if unicodedata.category(c) not in {"Cs", "Co", "Cn"} else "�" for c in text)
