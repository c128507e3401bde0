"""Widths that follow what is shown, so that a narrow pane does not keep room for words that are not there."""

from __future__ import annotations

from collections.abc import Iterable

from hvtui.ui.cells import width_of


def widest(texts: Iterable[str], least: int, most: int) -> int:
    """Cells of the widest text, within bounds."""
    return max(least, min(most, max(map(width_of, texts), default=least)))
