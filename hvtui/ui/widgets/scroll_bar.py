"""A scroll bar of three cached strips: Textual's own goes through Rich for every cell at every step."""

from __future__ import annotations

from math import ceil

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.scrollbar import ScrollBar
from textual.strip import Strip


class QuietScrollBar(ScrollBar):
    """A vertical bar with a thumb; dragging and clicking are inherited."""

    def __init__(self, *, thumb: str, track: str) -> None:
        super().__init__(vertical=True, name="vertical", thickness=1)
        self._glyphs = (thumb, track)
        self._strips: tuple[Style, Strip, Strip, Strip] | None = None

    def render_lines(self, crop: Region) -> list[Strip]:
        """The same three strips again and again; none is drawn when everything is in sight."""
        parent = self.parent
        assert parent is not None
        styles = parent.styles
        active = self.grabbed is not None or self.mouse_over
        colour = styles.scrollbar_color_active if active else styles.scrollbar_color
        style = Style(color=colour.rich_color, bgcolor=styles.scrollbar_background.rich_color)
        if self._strips is None or self._strips[0] != style:
            made = [Strip([Segment(glyph, style)], 1) for glyph in (*self._glyphs, " ")]
            for line_filter in self.get_line_filters():
                made = [strip.apply_filter(line_filter, styles.scrollbar_background) for strip in made]
            self._strips = (style, made[0], made[1], made[2])
        _, thumb, track, nothing = self._strips
        height, window, total = self.size.height, self.window_size, max(1, ceil(self.window_virtual_size))
        if window >= total or height <= 0:
            return [nothing] * crop.height
        length = max(1, round(height * window / total))
        top = round((height - length) * self.position / max(1, total - window))
        return [thumb if top <= y < top + length else track for y in range(crop.y, crop.bottom)]
