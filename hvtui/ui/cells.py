"""Text cut and padded to terminal cells, and the order people expect of names with numbers in them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from rich.cells import cell_len, set_cell_size

from hvtui.text import safe_text

_DIGITS: Final = re.compile(r"(\d+)")


def fit(text: str, width: int, *, right: bool = False, ellipsis: str = "…") -> str:
    """Exactly `width` cells of harmless text: padded with blanks, or cut with `ellipsis` at the end."""
    if not (text.isascii() and text.isprintable()):
        text = safe_text(text)
        if not text.isascii():
            return _fit_wide(text, width, right, ellipsis)
    length = len(text)
    if length > width:
        return text[: width - 1] + ellipsis if width > 1 else text[:width]
    return text.rjust(width) if right else text.ljust(width)


def width_of(text: str) -> int:
    """Cells that `text` takes on a terminal."""
    return len(text) if text.isascii() else cell_len(text)


@lru_cache(maxsize=32_768)
def natural(text: str) -> tuple[str | int, ...]:
    """A sort key in which `VM2` comes before `VM10` and case does not matter; text and numbers always alternate."""
    parts = _DIGITS.split(text.casefold())
    return tuple(int(part) if index % 2 else part for index, part in enumerate(parts))


def _fit_wide(text: str, width: int, right: bool, ellipsis: str) -> str:
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + ellipsis if width > 1 else set_cell_size(text, width)
    blanks = " " * (width - length)
    return blanks + text if right else text + blanks
