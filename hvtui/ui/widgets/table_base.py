"""Rows, order, cursor and painting of hvtui's table; `line_table.py` adds keys, mouse and marks.

Rows are immutable records under stable keys. The cursor is a key, never a position: it stays on its row while rows
change, move, come and go. While the user navigates, or something holds the order (`hold`), rows keep their places:
new ones wait, gone ones stay as ghosts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Generic, TypeVar

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.timer import Timer

from hvtui.clock import Clock
from hvtui.ui.look import Look
from hvtui.ui.widgets.row_order import RowOrder
from hvtui.ui.widgets.row_paint import KINDS, Column, RowPainter, Slot, lay_out, value_of, widen
from hvtui.ui.widgets.scroll_bar import QuietScrollBar
from hvtui.ui.widgets.table_styles import CLASSES, CSS, table_styles

R = TypeVar("R")

HEADER: Final = 1
"""Lines of titles above the rows."""


class TableBase(ScrollView, Generic[R], can_focus=True):
    """A table of rows of type R: what it shows, not how it is steered."""

    ALLOW_SELECT = False
    FREEZE: ClassVar[float] = 3.0
    """Seconds after the last key or click during which rows keep their places."""

    COMPONENT_CLASSES: ClassVar[set[str]] = CLASSES
    DEFAULT_CSS = CSS

    class TableMessage(Message):
        """Base: `table` is the sender."""

        def __init__(self, table: TableBase[Any]) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> TableBase[Any]:
            return self.table

    class CursorMoved(TableMessage):
        """The cursor is on another row."""

    class ViewChanged(TableMessage):
        """Rows came, went or were filtered: counts are different."""

    def __init__(
        self,
        columns: Sequence[Column[R]],
        look: Look,
        clock: Clock,
        *,
        sort: str,
        descending: bool | None = None,
        name: Callable[[R], str] | None = None,
        row_role: Callable[[R], str] | None = None,
        trouble: Callable[[R], bool] | None = None,
        cell_cursor: bool = False,
        id: str | None = None,
    ) -> None:
        """`name` decides between rows of equal value, `row_role` colours a whole row, `trouble` is what `n` seeks."""
        super().__init__(id=id)
        self.look = look
        self.clock = clock
        self.columns = list(columns)
        self.cell_cursor = cell_cursor
        self.sort_key = sort
        first = self.column(sort)
        self.descending = first.descending if descending is None else descending
        self.order: RowOrder[R] = RowOrder(value_of(first), descending=self.descending)
        if name is not None:
            self.order.name_by(name)
        self.trouble = trouble
        self.cursor_key: str | None = None
        self.cursor_column = columns[0].key if columns else ""
        self.marks: set[str] = set()
        self.touched = False
        self.empty_text = ""
        """What stands in the table when it shows no row."""
        self._row_role = row_role
        self._held = 0
        self._frozen_until = 0.0
        self._thaw: Timer | None = None
        self.skip = 0
        self.slots: list[Slot[R]] = []
        self.hidden = 0
        self._painter: RowPainter[R] | None = None
        self._strips: dict[tuple[str, str, bool, str], Strip] = {}
        self._blank: Strip | None = None
        self._needs: dict[str, int] = {}

    # --- rows ---

    def update_rows(self, changes: Mapping[str, R | None]) -> None:
        """Take in new rows; None means gone. Only what differs is painted again."""
        before = len(self.order.rows)
        dirty = self.order.update(changes)
        if widen(self._needs, self.columns, changes.values()):
            self.drop_painter()
        for key in dirty:
            self._forget(key)
        if self.order.stale and not self.frozen:
            self._rebuild()
        else:
            self.paint_keys(dirty)
        if before != len(self.order.rows):
            self.post_message(self.ViewChanged(self))

    def row(self, key: str | None) -> R | None:
        """The living row of a key, None when it is gone."""
        return None if key is None else self.order.rows.get(key)

    def set_filter(self, accept: Callable[[R], bool] | None) -> None:
        """Show only rows that `accept` likes."""
        self.order.filter_by(accept)
        self.touch()
        self._rebuild(keep_gone=False)

    def set_columns(self, columns: Sequence[Column[R]]) -> None:
        """Other columns; the order stays if its column is still there."""
        self.columns = list(columns)
        widen(self._needs, self.columns, self.order.rows.values())
        if not any(column.key == self.sort_key for column in columns) and columns:
            self.sort_key = columns[0].key
        if columns and not any(column.key == self.cursor_column for column in columns):
            self.cursor_column = columns[0].key
        self.order.sort_by(value_of(self.column(self.sort_key)), descending=self.descending)
        self.drop_painter()
        if not self.frozen:
            self._rebuild()

    def sort_on(self, key: str, *, descending: bool | None = None) -> None:
        """Sort by a column; again by the same one turns it round."""
        column = self.column(key)
        if descending is None:
            descending = not self.descending if key == self.sort_key else column.descending
        self.sort_key, self.descending = key, descending
        self.order.sort_by(value_of(column), descending=descending)
        self._rebuild()

    def repaint_rows(self, keys: Iterable[str] | None = None) -> None:
        """Rows look different though their records are the same (age, theme, link); None for all."""
        if keys is None:
            self._strips.clear()
            self.refresh()
            return
        listed = list(keys)
        for key in listed:
            self._forget(key)
        self.paint_keys(listed)

    # --- freezing ---

    @property
    def frozen(self) -> bool:
        """Rows keep their places now; while none is shown there is nothing to keep, and the first ones come at once."""
        return bool(self.order.view) and (self._held > 0 or self._now() < self._frozen_until)

    def hold(self) -> None:
        """Keep the order until `release` (a dialog is open). Calls nest."""
        self._held += 1

    def release(self) -> None:
        """Undo one `hold`."""
        self._held = max(0, self._held - 1)
        self.thaw()

    def touch(self) -> None:
        """The user is navigating: keep the order for a few seconds from now."""
        self.touched = True
        self._frozen_until = self._now() + self.FREEZE
        if self._thaw is None and self.is_mounted:
            self._thaw = self.set_timer(self.FREEZE + 0.05, self._thaw_later)

    def thaw(self, *, at_once: bool = False) -> None:
        """Put rows in their right places, if nothing keeps the order; `at_once`: keys of a moment ago do not."""
        if at_once:
            self._frozen_until = self._now()
        if not self.frozen and self.order.stale:
            self._rebuild()

    def _thaw_later(self) -> None:
        left = self._frozen_until - self._now()
        self._thaw = self.set_timer(left + 0.05, self._thaw_later) if left > 0 else None
        self.thaw()

    def _now(self) -> float:
        return self.clock.monotonic()

    # --- cursor ---

    @property
    def cursor_place(self) -> int:
        """Position of the cursor in the view, 0 when there is none."""
        return self.order.places().get(self.cursor_key or "", 0)

    def put_cursor(self, key: str) -> bool:
        """Put the cursor on a key and show it; False when it is not in the view."""
        place = self.order.places().get(key)
        if place is None:
            return False
        self.touch()
        self.move_to(place)
        return True

    def move_to(self, place: int) -> None:
        """Put the cursor on a position of the view and show it."""
        view = self.order.view
        if not view:
            return
        place = max(0, min(place, len(view) - 1))
        key, old = view[place], self.cursor_key
        if key != old:
            self.cursor_key = key
            if old is not None and old == self.order.guest:
                self.order.stale = True
            self.paint_keys([key] if old is None else [old, key])
            self.post_message(self.CursorMoved(self))
        self.show_place(place)

    def show_place(self, place: int) -> None:
        """Scroll as little as shows a position."""
        top, page = self.scroll_offset.y, self.page
        if place < top:
            self.scroll_to(y=place, animate=False)
        elif place >= top + page:
            self.scroll_to(y=place - page + 1, animate=False)

    @property
    def page(self) -> int:
        """Rows that fit."""
        return max(1, self.size.height - HEADER)

    # --- painting ---

    @property
    def line_width(self) -> int:
        """Cells of a line; the scroll bar has the rest."""
        return max(1, self.size.width - self.scrollbar_size_vertical)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Hand the same Strip objects to the compositor again, so that its own caches survive."""
        painter = self._painter or self._make_painter()
        view, top = self.order.view, self.scroll_offset.y
        lines: list[Strip] = []
        for y in range(crop.y, crop.bottom):
            place = top + y - HEADER
            if y < HEADER:
                lines.append(self._header(painter))
            elif place < len(view):
                lines.append(self._strip(painter, view[place]))
            elif place == 0 and self.empty_text:
                lines.append(self._filtered(painter.words(self.empty_text)))
            else:
                lines.append(self._blank_strip())
        if crop.x or crop.width < self.line_width:
            return [line.crop(crop.x, crop.right) for line in lines]
        return lines

    def _strip(self, painter: RowPainter[R], key: str) -> Strip:
        kind = ""
        if key == self.cursor_key:
            kind = "cursor" if self.has_focus else "blur" if self.touched else ""
        marked = key in self.marks
        if marked and not kind:
            kind = "marked"
        cell = self.cursor_column if self.cell_cursor and key == self.cursor_key else ""
        cached = self._strips.get((key, kind, marked, cell))
        if cached is None:
            row = self.order.row(key)
            if row is None:
                return self._blank_strip()
            ghost = key not in self.order.rows
            cached = self._filtered(painter.row(row, kind=kind, marked=marked, ghost=ghost, cell=cell))
            if len(self._strips) > 4000:
                self._strips.clear()
            self._strips[key, kind, marked, cell] = cached
        return cached

    def _header(self, painter: RowPainter[R]) -> Strip:
        mark = ("head", f"{self.sort_key}/{self.cursor_column}", self.descending, "")
        strip = self._strips.get(mark)
        if strip is None:
            cell = self.cursor_column if self.cell_cursor else ""
            made = painter.header(self.sort_key, descending=self.descending, hidden=self.hidden, cell=cell)
            strip = self._strips[mark] = self._filtered(made)
        return strip

    def _blank_strip(self) -> Strip:
        if self._blank is None or self._blank.cell_length != self.line_width:
            self._blank = self._filtered(Strip.blank(self.line_width, table_styles(self)["", ""]))
        return self._blank

    def _filtered(self, strip: Strip) -> Strip:
        # Without the widget's StylesCache nobody else applies NO_COLOR and the ANSI filters.
        background = self.styles.background
        for line_filter in self.get_line_filters():
            strip = strip.apply_filter(line_filter, background)
        return strip

    def _make_painter(self) -> RowPainter[R]:
        width = self.line_width
        self.slots, self.hidden = lay_out(self.columns, width, self._needs, self.skip)
        self._painter = RowPainter(self.slots, width, self.look, table_styles(self), self._row_role)
        return self._painter

    def _forget(self, key: str) -> None:
        for kind in KINDS:
            for marked in (False, True):
                self._strips.pop((key, kind, marked, ""), None)
        if self.cell_cursor:
            for stale in [known for known in self._strips if known[0] == key]:
                del self._strips[stale]

    def paint_keys(self, keys: Iterable[str]) -> None:
        """Paint again the lines of these keys, where they are on the screen."""
        places, top, height, width = self.order.places(), self.scroll_offset.y, self.size.height, self.line_width
        regions = [
            Region(0, y, width, 1)
            for key in keys
            if (place := places.get(key)) is not None and HEADER <= (y := place - top + HEADER) < height
        ]
        if regions:
            self.refresh(*regions)

    def drop_painter(self) -> None:
        """Widths or colours are others: lay out and paint anew."""
        self._painter = None
        self._blank = None
        self._strips.clear()
        self.refresh()

    def notify_style_update(self) -> None:
        """Another theme, or focus: every cached line is of the old colours."""
        super().notify_style_update()
        self.drop_painter()

    def on_resize(self, _event: events.Resize) -> None:
        self.drop_painter()
        self._resize_view()
        if self.touched:
            self.show_place(self.cursor_place)

    # --- order ---

    def _rebuild(self, *, keep_gone: bool = True) -> None:
        old_place, top = self.cursor_place, self.scroll_offset.y
        followed = self.touched and 0 <= old_place - top < self.page
        old_key = self.cursor_key
        self.order.rebuild(self.cursor_key if keep_gone and self.touched else None)
        view = self.order.view
        if not self.touched or self.cursor_key not in self.order.places():
            self.cursor_key = view[min(old_place, len(view) - 1) if self.touched else 0] if view else None
        self._resize_view()
        place = self.cursor_place
        if followed:
            # The row under the user's eyes stays on its line of the screen.
            self.scroll_to(y=max(0, place - (old_place - top)), animate=False)
            self.show_place(place)
        self.refresh()
        self.post_message(self.ViewChanged(self))
        if self.cursor_key != old_key:
            self.post_message(self.CursorMoved(self))

    def _resize_view(self) -> None:
        size = Size(self.line_width, len(self.order.view) + HEADER)
        if size != self.virtual_size:
            self.virtual_size = size

    def column(self, key: str) -> Column[R]:
        """The column of a key."""
        return next(column for column in self.columns if column.key == key)

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        if self._vertical_scrollbar is None:
            glyphs = self.look.glyphs
            self._vertical_scrollbar = bar = QuietScrollBar(thumb=glyphs.thumb, track=glyphs.track)
            bar.display = False
            self.app._start_widget(self, bar)
        return self._vertical_scrollbar
