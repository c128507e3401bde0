"""The table of every list in hvtui: thousands of live rows, steered as in vim and k9s, by keys or by mouse.

Keys and clicks here only navigate, mark, sort and open. None of them changes a cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.binding import BindingType

from hvtui.ui.actions import bindings
from hvtui.ui.widgets.row_paint import Column
from hvtui.ui.widgets.table_base import HEADER, TableBase

__all__ = ["Column", "LineTable"]

R = TypeVar("R")


class LineTable(TableBase[R], Generic[R]):
    """A table of rows of type R. Give it columns and rows; listen to its messages.

    Marks are keys, as the cursor is: they stay on their rows, also while a row is gone for a moment.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings("table")

    class Opened(TableBase.TableMessage):
        """Enter or a double click on `key` (and, with a cell cursor, in `column`)."""

        def __init__(self, table: LineTable[Any], key: str, column: str) -> None:
            super().__init__(table)
            self.key = key
            self.column = column

    class MarksChanged(TableBase.TableMessage):
        """Other rows are marked."""

    def __init__(self, columns: Sequence[Column[R]], *args: Any, **kwargs: Any) -> None:
        """See `TableBase`."""
        super().__init__(columns, *args, **kwargs)
        self._range_from: str | None = None
        self._range_before: set[str] = set()

    # --- marks ---

    @property
    def marked(self) -> list[str]:
        """Marked keys that exist, in the order shown, those hidden by the filter last."""
        places = self.order.places()
        living = [key for key in self.marks if key in self.order.rows]
        return sorted(living, key=lambda key: (places.get(key, len(places)), key))

    @property
    def ranging(self) -> bool:
        """A range is being marked: the cursor pulls its end."""
        return self._range_from is not None

    def end_range(self) -> None:
        """Keep what the range marked."""
        self._range_from = None

    def clear_marks(self) -> None:
        """Mark nothing."""
        self.end_range()
        self._set_marks(set())

    def move_to(self, place: int) -> None:
        """Put the cursor on a position of the view and show it; an open range follows."""
        super().move_to(place)
        if self._range_from is not None and self.cursor_key is not None:
            places = self.order.places()
            here = places.get(self.cursor_key, 0)
            start, end = sorted((places.get(self._range_from, here), here))
            self._set_marks(self._range_before | set(self.order.view[start : end + 1]))

    def _set_marks(self, marks: set[str]) -> None:
        changed = self.marks ^ marks
        if changed:
            self.marks = marks
            self.paint_keys(changed)
            self.post_message(self.MarksChanged(self))

    # --- keys ---

    def _go(self, place: int) -> None:
        self.touch()
        self.move_to(place)

    def action_cursor(self, step: int) -> None:
        """Some rows down (or up)."""
        self._go(self.cursor_place + step)

    def action_page(self, halves: int) -> None:
        """So many half pages down (or up)."""
        self._go(self.cursor_place + halves * max(1, self.page // 2))

    def action_first(self) -> None:
        """The first row."""
        self._go(0)

    def action_last(self) -> None:
        """The last row."""
        self._go(len(self.order.view) - 1)

    def action_side(self, step: int) -> None:
        """To the next cell, or to columns that found no room."""
        self.touch()
        if self.cell_cursor:
            keys = [slot.column.key for slot in self.slots]
            if keys:
                here = keys.index(self.cursor_column) if self.cursor_column in keys else 0
                self.cursor_column = keys[max(0, min(here + step, len(keys) - 1))]
                self.repaint_rows([self.cursor_key] if self.cursor_key else None)
                self.refresh()
                self.post_message(self.CursorMoved(self))
        elif (step > 0 and self.hidden > self.skip) or (step < 0 and self.skip):
            self.skip = max(0, self.skip + step)
            self.drop_painter()

    def action_seek(self, step: int) -> None:
        """The next (previous) row in trouble."""
        self.touch()
        trouble, view = self.trouble, self.order.view
        if trouble is None or not view:
            return
        here = self.cursor_place
        for distance in range(1, len(view) + 1):
            place = (here + step * distance) % len(view)
            row = self.order.rows.get(view[place])
            if row is not None and trouble(row):
                self.move_to(place)
                return

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor and step down."""
        self.touch()
        self.end_range()
        if self.cursor_key is not None:
            self._set_marks(self.marks ^ {self.cursor_key})
            self.move_to(self.cursor_place + 1)

    def action_range(self) -> None:
        """Begin or end a range of marks."""
        self.touch()
        if self._range_from is not None:
            self.end_range()
        elif self.cursor_key is not None:
            self._range_from, self._range_before = self.cursor_key, set(self.marks)
            self._set_marks(self.marks | {self.cursor_key})

    def action_extend(self, step: int) -> None:
        """Pull a range with the cursor."""
        if self._range_from is None:
            self.action_range()
        self.action_cursor(step)

    def action_mark_all(self) -> None:
        """Mark every row shown, or none when all are."""
        self.touch()
        self.end_range()
        shown = {key for key in self.order.view if key in self.order.rows}
        self._set_marks(self.marks - shown if shown <= self.marks else self.marks | shown)

    def action_sort_column(self, step: int) -> None:
        """Sort by the next (previous) column."""
        keys = [column.key for column in self.columns]
        self.sort_on(keys[(keys.index(self.sort_key) + step) % len(keys)])

    def action_reverse(self) -> None:
        """The same column, the other way round."""
        self.sort_on(self.sort_key)

    def action_open(self) -> None:
        """Show everything known of the row under the cursor."""
        self.touch()
        if self.cursor_key is not None:
            self.post_message(self.Opened(self, self.cursor_key, self.cursor_column))

    # --- mouse ---

    def on_click(self, event: events.Click) -> None:
        """Headers sort; rows take the cursor, mark (Ctrl) or end a range (Shift); a double click opens."""
        event.stop()
        slot = next((slot for slot in self.slots if slot.x <= event.x < slot.x + slot.width + 1), None)
        if event.y < HEADER:
            if slot is not None:
                self.sort_on(slot.column.key)
            return
        place = self.scroll_offset.y + event.y - HEADER
        if place >= len(self.order.view):
            return
        if self.cell_cursor and slot is not None and slot.column.key != self.cursor_column:
            self.cursor_column = slot.column.key
            self.repaint_rows([self.cursor_key] if self.cursor_key else None)
        if event.shift and self._range_from is None:
            self.action_range()
        elif not event.shift:
            self.end_range()
        self._go(place)
        if event.ctrl and self.cursor_key is not None:
            self._set_marks(self.marks ^ {self.cursor_key})
        if event.shift:
            self.end_range()
        if event.chain == 2 and not event.ctrl and not event.shift:
            self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Three rows down, without moving the cursor."""
        self._wheel(event, 3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Three rows up, without moving the cursor."""
        self._wheel(event, -3)

    def _wheel(self, event: events.MouseEvent, step: int) -> None:
        event.stop()
        event.prevent_default()
        self.touch()
        self.scroll_to(y=self.scroll_offset.y + step, animate=False)
