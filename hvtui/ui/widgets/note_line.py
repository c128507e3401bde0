"""One line of words at the foot of a pane: the note of the cell under the cursor, how far a log reaches."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from hvtui.ui.cells import fit
from hvtui.ui.look import Look

ROLES: Final = ("ok", "busy", "warn", "bad", "dim")


class NoteLine(Widget):
    """A line that is as high as it has something to say: one cell, or none."""

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"note--{role}" for role in ROLES}

    DEFAULT_CSS = """
    NoteLine {
        height: 1; width: 1fr; background: $hv-base; color: $hv-text;
        & > .note--ok { color: $hv-ok; }
        & > .note--busy { color: $hv-busy; }
        & > .note--warn { color: $hv-warn; text-style: bold; }
        & > .note--bad { color: $hv-bad; text-style: bold; }
        & > .note--dim { color: $hv-dim; }
    }
    """

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._words = ""
        self._role = ""

    @property
    def words(self) -> str:
        """What the line says now."""
        return self._words

    def say(self, words: str, role: str = "dim") -> None:
        """Say something else; empty hides the line."""
        if (words, role) == (self._words, self._role):
            return
        self._words, self._role = words, role
        self.display = bool(words)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The words, cut to the width."""
        width = self.size.width
        style = self.rich_style
        if self._role:
            style += self.get_component_rich_style(f"note--{self._role}", partial=True)
        text = fit(f" {self._words}", width, ellipsis=self._look.glyphs.ellipsis) if y == 0 else " " * width
        return Strip([Segment(text, style)], width)
