"""Text cut and padded to terminal cells."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from hvtui.text import safe_text


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


def _fit_wide(text: str, width: int, right: bool, ellipsis: str) -> str:
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + ellipsis if width > 1 else set_cell_size(text, width)
    blanks = " " * (width - length)
    return blanks + text if right else text + blanks
