"""Rows on a time axis: at the left who and what, at the right a strip. Line API, one strip per row, cached.

The cursor is a row's id, never a position. While the user moves, rows keep their order for a few seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from hvtui.clock import Clock
from hvtui.ui.cells import fit, width_of
from hvtui.ui.look import Look
from hvtui.ui.widgets.scroll_bar import QuietScrollBar
from hvtui.ui.widgets.table_styles import CLASSES, CSS, table_styles
from hvtui.ui.window_paint import Axis, Cell, axis_text
from hvtui.ui.window_rows import TimeRow

HEADER: Final = 1
FREEZE: Final = 3.0
"""Seconds after the last key during which rows keep their places."""


@dataclass(frozen=True, slots=True)
class Left:
    """Widths of what stands left of the strip; 0 leaves a part out."""

    name: int
    node: int
    type: int
    reached: int
    what: int

    @property
    def cells(self) -> int:
        """All of it: a cell before, two of the sign, and a blank behind every part."""
        return 3 + sum(part + 1 for part in (self.name, self.node, self.type, self.reached, self.what) if part)


def left_for(width: int) -> Left:
    """What has room in so many cells; the strip keeps at least half of them."""
    if width < 100:
        return Left(12, 0, 0, 0, 20)
    if width < 160:
        return Left(15, 6, 0, 0, 26)
    return Left(22, 8, 14, 11, 36)


class Timeline(ScrollView, can_focus=True):
    """Shows rows; `show` again whenever they, or the axis, are others."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = CLASSES
    DEFAULT_CSS = CSS.replace("TableBase", "Timeline")

    class CursorMoved(Message):
        """The cursor is on another row."""

    class Opened(Message):
        """A double click on a row."""

    class Resized(Message):
        """The strip has another width."""

    def __init__(self, look: Look, clock: Clock) -> None:
        super().__init__()
        self.look = look
        self._clock = clock
        self._rows: dict[str, TimeRow] = {}
        self._view: list[str] = []
        self._axis: Axis | None = None
        self._now: datetime | None = None
        self._strips: dict[tuple[str, str], Strip] = {}
        self._styles: dict[tuple[str, str], Style] | None = None
        self._frozen_until = 0.0
        self.cursor: str | None = None
        self.touched = False
        self.empty_text = "nothing was read yet"

    # --- what is shown ---

    @property
    def left(self) -> Left:
        """Widths left of the strip."""
        return left_for(self.size.width)

    @property
    def strip_width(self) -> int:
        """Cells of the time axis."""
        return max(1, self._width - self.left.cells)

    @property
    def _width(self) -> int:
        return max(1, self.size.width - self.scrollbar_size_vertical)

    @property
    def row(self) -> TimeRow | None:
        """The row under the cursor."""
        return self._rows.get(self.cursor or "")

    @property
    def axis(self) -> Axis | None:
        """The time axis shown."""
        return self._axis

    def show(self, rows: Sequence[TimeRow], axis: Axis, now: datetime) -> None:
        """Show these rows on this axis at this time; only what differs is painted again."""
        moved = axis != self._axis
        self._now = now
        new = {row.id: row for row in rows}
        old, self._rows, self._axis = self._rows, new, axis
        changed = {key for key in new.keys() | old.keys() if not _same(old.get(key), new.get(key))}
        if moved:
            self._strips.clear()
        else:
            self._strips = {mark: strip for mark, strip in self._strips.items() if mark[0] not in changed}
        order = [row.id for row in rows]
        if self._clock.monotonic() < self._frozen_until:
            # What is new comes behind what stands; what is gone leaves at once.
            known = set(self._view)
            order = [*(key for key in self._view if key in new), *(key for key in order if key not in known)]
        if order != self._view:
            self._reorder(order)
        elif changed or moved:
            self.refresh()

    def _reorder(self, order: list[str]) -> None:
        place = self._place
        top = self.scroll_offset.y
        followed = self.touched and 0 <= place - top < self._page
        self._view = order
        if self.cursor not in self._rows or not self.touched:
            self._set_cursor(self._first(min(place, len(order) - 1) if self.touched else 0))
        size = Size(self._width, len(order) + HEADER)
        if size != self.virtual_size:
            self.virtual_size = size
        if followed:
            self.scroll_to(y=max(0, self._place - (place - top)), animate=False)
            self._show_place(self._place)
        self.refresh()

    def _first(self, place: int) -> str | None:
        """The first row from a place on that is no heading."""
        below = [*self._view[max(0, place) :], *self._view]
        return next((key for key in below if self._rows[key].kind != "head"), None)

    @property
    def _place(self) -> int:
        return self._view.index(self.cursor) if self.cursor in self._view else 0

    @property
    def _page(self) -> int:
        return max(1, self.size.height - HEADER)

    # --- steering ---

    def go(self, step: int) -> None:
        """So many rows down; headings are passed over."""
        self._touch()
        view = self._view
        place = max(0, min(self._place + step, len(view) - 1))
        way = 1 if step >= 0 else -1
        while 0 <= place < len(view) and self._rows[view[place]].kind == "head":
            place += way
        if place < 0:
            # Above the first row there is only its heading.
            place = next((n for n, key in enumerate(view) if self._rows[key].kind != "head"), len(view))
        if place < len(view):
            self._move_to(place)

    def page(self, halves: int) -> None:
        """So many half pages down."""
        self.go(halves * max(1, self._page // 2))

    def edge(self, side: int) -> None:
        """To the first or the last row."""
        self.go(-len(self._view) if side < 0 else len(self._view))

    def section(self, step: int) -> None:
        """To the first row under the next (previous) heading."""
        self._touch()
        heads = [place for place, key in enumerate(self._view) if self._rows[key].kind == "head"]
        if not heads:
            return
        here = max((number for number, place in enumerate(heads) if place < self._place), default=0)
        self._move_to(min(heads[(here + step) % len(heads)] + 1, len(self._view) - 1))

    def seek(self, step: int) -> None:
        """To the next (previous) row in trouble."""
        self._touch()
        view, here = self._view, self._place
        for distance in range(1, len(view) + 1):
            place = (here + step * distance) % len(view)
            if self._rows[view[place]].trouble:
                self._move_to(place)
                return

    def put_cursor(self, row: str) -> bool:
        """Put the cursor on a row; False when it is not shown."""
        if row not in self._view:
            return False
        self._touch()
        self._move_to(self._view.index(row))
        return True

    def thaw(self) -> None:
        """Rows may take their right places with the next `show`."""
        self._frozen_until = 0.0

    def _touch(self) -> None:
        self.touched = True
        self._frozen_until = self._clock.monotonic() + FREEZE

    def _move_to(self, place: int) -> None:
        self._set_cursor(self._view[place])
        self._show_place(place)

    def _set_cursor(self, key: str | None) -> None:
        if key != self.cursor:
            self.cursor = key
            self.refresh()
            self.post_message(self.CursorMoved())

    def _show_place(self, place: int) -> None:
        top, page = self.scroll_offset.y, self._page
        # The first row of a section is not shown without its heading.
        headed = 0 < place < len(self._view) and self._rows[self._view[place - 1]].kind == "head"
        top_wanted = place - 1 if headed else place
        if top_wanted < top:
            self.scroll_to(y=top_wanted, animate=False)
        elif place >= top + page:
            self.scroll_to(y=place - page + 1, animate=False)

    # --- painting ---

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        if y < HEADER:
            return self._heading()
        place = self.scroll_offset.y + y - HEADER
        styles = self._table_styles()
        if place >= len(self._view):
            words = f"   {self.empty_text}" if place == 0 else ""
            return self._filtered(Strip([Segment(fit(words, self._width), styles["", "dim"])]))
        key = self._view[place]
        kind = ("cursor" if self.has_focus else "blur") if key == self.cursor else ""
        strip = self._strips.get((key, kind))
        if strip is None:
            strip = self._strips[key, kind] = self._filtered(self._paint(self._rows[key], kind, styles))
        return strip

    def _heading(self) -> Strip:
        styles, left, axis = self._table_styles(), self.left, self._axis
        strip = self._strips.get(("", ""))
        if strip is None:
            titles = [("VM", left.name), ("node", left.node), ("type", left.type), ("reached", left.reached)]
            text = "   " + "".join(f"{fit(word, width)} " for word, width in (*titles, ("state", left.what)) if width)
            times = axis_text(axis, self.look.zone, self.look) if axis is not None else ""
            line = fit(text + times, self._width, ellipsis=self.look.glyphs.ellipsis)
            strip = self._strips["", ""] = self._filtered(Strip([Segment(line, styles["head", ""])]))
        return strip

    def _paint(self, row: TimeRow, kind: str, styles: dict[tuple[str, str], Style]) -> Strip:
        glyphs = self.look.glyphs
        if row.kind == "head":
            rule = "-" if self.look.ascii else "─"
            text = f" {rule} {row.name} "
            line = text + rule * max(0, self._width - width_of(text))
            return Strip([Segment(fit(line, self._width, ellipsis=glyphs.ellipsis), styles["", "dim"])])
        gutter = glyphs.cursor if kind == "cursor" else " "
        segments = [Segment(gutter, styles[kind, ""]), Segment(fit(row.sign, 2), styles[kind, row.role])]
        left = self.left
        plain = "stale" if row.role == "stale" else ""
        told = row.role if row.role in {"bad", "warn", "busy", "stale", "unread"} else "dim"
        parts = [(row.name, left.name, plain), (row.node, left.node, "dim"), (row.type, left.type, "dim")]
        parts += [(row.reached, left.reached, "unread" if row.reached == "unknown" else "dim")]
        if row.cells is None:
            room = self._width - 3 - left.name - 1
            parts = [parts[0], (row.what, room, told)]
        else:
            parts += [(row.what, left.what, told)]
        for text, width, role in parts:
            if width:
                segments.append(Segment(fit(text, width, ellipsis=glyphs.ellipsis) + " ", styles[kind, role]))
        if row.cells is not None and self._axis is not None and self._now is not None:
            segments += _runs(row.cells(self._axis, self._now), kind, styles)
        return Strip(segments).adjust_cell_length(self._width, styles[kind, ""])

    def _table_styles(self) -> dict[tuple[str, str], Style]:
        if self._styles is None:
            self._styles = table_styles(self)
        return self._styles

    def _filtered(self, strip: Strip) -> Strip:
        for line_filter in self.get_line_filters():
            strip = strip.apply_filter(line_filter, self.styles.background)
        return strip

    def _drop(self) -> None:
        self._styles = None
        self._strips.clear()
        self.refresh()

    def notify_style_update(self) -> None:
        """Another theme, or focus: every cached line is of the old colours."""
        super().notify_style_update()
        self._drop()

    def on_resize(self, _event: events.Resize) -> None:
        self._drop()
        self.virtual_size = Size(self._width, len(self._view) + HEADER)
        if self.touched and self._view:
            self._show_place(self._place)
        self.post_message(self.Resized())

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        if self._vertical_scrollbar is None:
            glyphs = self.look.glyphs
            self._vertical_scrollbar = bar = QuietScrollBar(thumb=glyphs.thumb, track=glyphs.track)
            bar.display = False
            self.app._start_widget(self, bar)
        return self._vertical_scrollbar

    # --- mouse ---

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor, a double click opens."""
        event.stop()
        place = self.scroll_offset.y + event.y - HEADER
        if event.y < HEADER or place >= len(self._view) or self._rows[self._view[place]].kind == "head":
            return
        self._touch()
        self._move_to(place)
        if event.chain == 2:
            self.post_message(self.Opened())


def _same(old: TimeRow | None, new: TimeRow | None) -> bool:
    """Equal but for the function that paints; a strip that grows is painted anew every time."""
    if new is not None and new.lasting:
        return False
    return old is new or (old is not None and new is not None and _plain(old) == _plain(new))


def _plain(row: TimeRow) -> tuple[object, ...]:
    return (row.kind, row.name, row.sign, row.role, row.node, row.type, row.reached, row.what)


def _runs(cells: Sequence[Cell], kind: str, styles: dict[tuple[str, str], Style]) -> list[Segment]:
    """Cells of one colour together. Under the cursor they keep their colours on its background."""
    segments: list[Segment] = []
    text, role = "", None
    for sign, cell_role in cells:
        if cell_role != role and text:
            segments.append(Segment(text, styles[kind, role or ""]))
            text = ""
        text, role = text + sign, cell_role
    return [*segments, Segment(text, styles[kind, role or ""])] if text else segments
