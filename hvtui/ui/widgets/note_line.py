"""Words at the foot of a pane: the note of the cell under the cursor, how far a log reaches."""

from __future__ import annotations

from typing import ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from hvtui.ui.cells import fit
from hvtui.ui.look import Look
from hvtui.ui.widgets.document import wrap_spans

ROLES: Final = ("ok", "busy", "warn", "bad", "dim")

ROOMY: Final = 40
"""Lines of the screen from which a note may take more than one: not of the pane, whose height follows its contents."""

MOST: Final = 3
"""Lines that a note takes at most."""


class NoteLine(Widget):
    """As many lines as the words need and the screen can spare; none when there is nothing to say."""

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"note--{role}" for role in ROLES}

    DEFAULT_CSS = """
    NoteLine {
        height: 1; width: 1fr; background: $hv-base; color: $hv-text; display: none;
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
        self._lines: list[str] = []

    @property
    def words(self) -> str:
        """What the line says now."""
        return self._words

    @property
    def lines_wanted(self) -> int:
        """Lines that the words take, none when there are none."""
        return len(self._lines) if self._words else 0

    def say(self, words: str, role: str = "dim") -> None:
        """Say something else; empty hides the line."""
        if (words, role) == (self._words, self._role):
            return
        self._words, self._role = words, role
        self.display = bool(words)
        self._fold()

    def on_resize(self, _event: events.Resize) -> None:
        self._fold()

    def _fold(self) -> None:
        width = self.size.width
        most = MOST if self.screen.size.height >= ROOMY else 1
        lines = [
            "".join(text for text, _ in line).rstrip() for line in wrap_spans([(self._words, "")], max(8, width - 2))
        ]
        if len(lines) > most:
            lines = [*lines[: most - 1], " ".join(lines[most - 1 :])]
        self._lines = lines
        if self.styles.height is None or self.styles.height.value != len(lines):
            self.styles.height = len(lines)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """A line of the words; the last one is cut."""
        width = self.size.width
        style = self.rich_style
        if self._role:
            style += self.get_component_rich_style(f"note--{self._role}", partial=True)
        words = self._lines[y] if y < len(self._lines) else ""
        return Strip([Segment(fit(f" {words}", width, ellipsis=self._look.glyphs.ellipsis), style)], width)
