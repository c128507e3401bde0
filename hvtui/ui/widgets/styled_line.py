"""One line of the screen made of pieces with roles; pieces may be clicked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from hvtui.text import safe_text
from hvtui.ui.cells import fit, width_of

_ROLES: Final = ("ok", "busy", "warn", "bad", "info", "dim", "key", "strong", "alert", "mark", "owner", "unread")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text; `key` is what a click on it presses."""

    text: str
    role: str = ""
    key: str = ""


class StyledLine(Widget):
    """Pieces from the left and pieces at the right end; when both do not fit, the left ones are cut."""

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{role}" for role in _ROLES}

    DEFAULT_CSS = """
    StyledLine {
        height: 1; width: 1fr; background: $hv-head-bg; color: $hv-text;
        & > .line--ok { color: $hv-ok; }
        & > .line--busy { color: $hv-busy; }
        & > .line--warn { color: $hv-warn; text-style: bold; }
        & > .line--bad { color: $hv-bad; text-style: bold; }
        & > .line--info { color: $hv-info; }
        & > .line--dim { color: $hv-dim; }
        & > .line--key { color: $hv-frame-focus; text-style: bold; }
        & > .line--strong { color: $hv-text; text-style: bold; }
        & > .line--alert { color: $hv-text; background: $hv-alert-bg; text-style: bold; }
        & > .line--mark { color: $hv-mark; text-style: bold; }
        & > .line--owner { color: $hv-owner; }
        & > .line--unread { color: $hv-dim; }
    }
    """

    def __init__(self, *, ellipsis: str = "…", id: str | None = None) -> None:
        super().__init__(id=id)
        self._ellipsis = ellipsis
        self._left: tuple[Piece, ...] = ()
        self._right: tuple[Piece, ...] = ()
        self._strip: Strip | None = None
        self._clicks: list[tuple[int, int, str]] = []

    def show(self, left: list[Piece], right: list[Piece] | None = None) -> None:
        """Show these pieces; nothing is painted when they are the same as before."""
        now = (tuple(left), tuple(right or ()))
        if now != (self._left, self._right):
            self._left, self._right = now
            self._strip = None
            self.refresh()

    @property
    def text(self) -> str:
        """What the line says."""
        return "".join(piece.text for piece in (*self._left, *self._right))

    def notify_style_update(self) -> None:
        """Another theme: the cached line is of the old colours."""
        super().notify_style_update()
        self._strip = None

    def on_resize(self, _event: events.Resize) -> None:
        self._strip = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """The cached line."""
        if self._strip is None:
            self._strip = self._build(self.size.width)
        strip = self._strip
        return [strip if crop.width == strip.cell_length else strip.crop(crop.x, crop.right)] * crop.height

    def _build(self, width: int) -> Strip:
        self._clicks = []
        room = max(0, width - sum(width_of(safe_text(piece.text)) for piece in self._right))
        segments: list[Segment] = []
        x = self._add(segments, self._left, 0, room)
        if x < room:
            segments.append(Segment(" " * (room - x), self.rich_style))
        self._add(segments, self._right, room, width)
        strip = Strip(segments).adjust_cell_length(width, self.rich_style)
        for line_filter in self.get_line_filters():
            strip = strip.apply_filter(line_filter, self.styles.background)
        return strip

    def _add(self, segments: list[Segment], pieces: tuple[Piece, ...], x: int, end: int) -> int:
        key = ""
        for place, piece in enumerate(pieces):
            text = safe_text(piece.text)
            cells = width_of(text)
            if piece.key and piece.key != key:
                key = piece.key
                whole = "".join(other.text for other in pieces[place : place + 2] if other.key == key)
                if width_of(whole.rstrip()) > end - x:
                    # Half a key's name helps nobody.
                    break
            if cells > end - x:
                # Blanks at its end need no room.
                text = text.rstrip()
                cells = min(width_of(text), end - x)
                text = fit(text, cells, ellipsis=self._ellipsis) if cells > 0 else ""
            if not text:
                break
            style = self.rich_style
            if piece.role:
                style += self.get_component_rich_style(f"line--{piece.role}", partial=True)
            segments.append(Segment(text, style))
            if piece.key:
                self._clicks.append((x, x + cells, piece.key))
            x += cells
        return x

    def on_click(self, event: events.Click) -> None:
        for start, end, key in self._clicks:
            if start <= event.x < end:
                event.stop()
                self.app.simulate_key(key)
                return
