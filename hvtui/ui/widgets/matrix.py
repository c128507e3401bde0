"""A matrix with a cell cursor, painted line by line: node × writer, node × CSV.

The cursor is a pair of keys, never a position: it stays on its row and column while others come, go or fold. A new
picture repaints only the lines that differ.
"""

from __future__ import annotations

from typing import ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from hvtui.ui.actions import bindings
from hvtui.ui.cells import width_of
from hvtui.ui.look import Look
from hvtui.ui.widgets.matrix_layout import (
    BLIND,
    FOLD,
    Layout,
    MatrixData,
    Piece,
    body_line,
    header_line,
    lay_out,
    visible_columns,
)

ROLES: Final = ("", "ok", "busy", "warn", "bad", "info", "dim", "stale", "unread", "key", "owner")


_SHARED: Final = frozenset(
    f"table.{name}"
    for name in (
        "open", "down", "up", "left", "right", "half_down", "half_up", "page_down", "page_up", "first", "last",
        "next_trouble", "previous_trouble",
    )
)  # fmt: skip
"""Keys of tables that mean the same here."""


class Matrix(Widget, can_focus=True):
    """Shows a MatrixData; listen to `Moved` and `Opened`."""

    ALLOW_SELECT = False

    BINDINGS: ClassVar[list[BindingType]] = [
        *(binding for binding in bindings("table") if isinstance(binding, Binding) and binding.id in _SHARED),
        *bindings("matrix"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"matrix--{role}" for role in ROLES if role),
        "matrix--head",
        "matrix--cursor",
        "matrix--blur",
        "matrix--line",
    }

    DEFAULT_CSS = """
    Matrix {
        background: $hv-base; color: $hv-text; height: 1fr; width: 1fr;
        & > .matrix--head { color: $hv-head; background: $hv-head-bg; text-style: bold; }
        & > .matrix--cursor { color: $hv-cursor; background: $hv-cursor-bg; text-style: bold; }
        & > .matrix--blur { color: $hv-text; background: $hv-blur-bg; }
        & > .matrix--line { background: $hv-blur-bg; }
        & > .matrix--ok { color: $hv-ok; }
        & > .matrix--busy { color: $hv-busy; }
        & > .matrix--warn { color: $hv-warn; text-style: bold; }
        & > .matrix--bad { color: $hv-bad; text-style: bold; }
        & > .matrix--info { color: $hv-info; }
        & > .matrix--dim { color: $hv-dim; }
        & > .matrix--stale { color: $hv-dim; text-style: italic; }
        & > .matrix--unread { color: $hv-dim; }
        & > .matrix--key { color: $hv-mark; text-style: bold; }
        & > .matrix--owner { color: $hv-owner; background: $hv-owner-bg; text-style: bold; }
    }
    """

    class Moved(Message):
        """The cursor is on another cell."""

        def __init__(self, matrix: Matrix) -> None:
            super().__init__()
            self.matrix = matrix

        @property
        def control(self) -> Matrix:
            return self.matrix

    class Opened(Message):
        """Enter or a double click on a cell; the keys are real ones, a fold opens instead."""

        def __init__(self, matrix: Matrix, row: str, column: str) -> None:
            super().__init__()
            self.matrix = matrix
            self.row = row
            self.column = column

        @property
        def control(self) -> Matrix:
            return self.matrix

    def __init__(self, look: Look, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.look = look
        self.data = MatrixData()
        self.unfolded = False
        self.touched = False
        self._cursor: tuple[str, str] | None = None
        self._first_row = 0
        self._first_column = 0
        self._plan: Layout = lay_out(self.data, 0, 0)
        self._columns = range(0)
        self._lines: list[tuple[str | None, tuple[Piece, ...]]] = []
        self._strips: dict[int, Strip] = {}

    # --- data and cursor ---

    def show_data(self, data: MatrixData) -> None:
        """Take a new picture; only lines that differ are painted again."""
        self.data = data
        self._arrange()

    @property
    def cursor(self) -> tuple[str, str] | None:
        """Row and column under the cursor as shown, FOLD or BLIND for those that stand for several."""
        if not self._plan.rows or not self._plan.columns:
            return None
        row, column = self._place()
        return self._plan.rows[row], self._plan.columns[column]

    def lines_wanted(self, most: int) -> int:
        """Lines for every row, or for those that do not fold when that is more than `most`."""
        rows = len(self.data.rows)
        if rows + 1 <= most or self.unfolded:
            return rows + 1
        quiet = len(self.data.quiet_rows())
        return rows + 1 - quiet + (quiet > 0)

    def put_cursor(self, row: str, column: str) -> None:
        """Put the cursor on a cell; where it is folded, on the fold."""
        self.touched = True
        self._set_cursor((row, column))

    def _place(self) -> tuple[int, int]:
        """Where the cursor is in the layout; a key that folded away is found at its fold."""
        layout = self._plan
        row, column = self._cursor or ("", "")
        places_r = {key: i for i, key in enumerate(layout.rows)} | dict.fromkeys(
            layout.folded_rows, len(layout.rows) - 1 - len(self.data.pinned)
        )
        places_c = {key: i for i, key in enumerate(layout.columns)}
        for fold, keys in ((FOLD, layout.folded_columns), (BLIND, layout.blind_columns)):
            places_c |= dict.fromkeys(keys, places_c.get(fold, 0))
        return max(0, places_r.get(row, 0)), places_c.get(column, 0)

    def _set_cursor(self, cursor: tuple[str, str]) -> None:
        if cursor != self._cursor:
            self._cursor = cursor
            self._arrange()
            self.post_message(self.Moved(self))

    def _first_trouble(self, width: int, height: int) -> tuple[str, str] | None:
        """The first cell that is not healthy, if there is one where no scrolling is needed to see it."""
        troubles = self._troubles()
        columns = {self._plan.columns[index] for index in visible_columns(self._plan, width, 0)}
        rows = set(self._plan.rows[: height - 1])
        seen = (place for place in troubles if place[0] in rows and place[1] in columns)
        return next(seen, next(iter(troubles), None))

    def _troubles(self) -> list[tuple[str, str]]:
        layout, data = self._plan, self.data
        return [
            (row, column)
            for row in layout.rows
            for column in layout.columns
            if row != FOLD and column not in (FOLD, BLIND) and row not in data.pinned
            if not data.cell(row, column).quiet and column not in data.blind
        ]

    # --- arranging and painting ---

    def _arrange(self) -> None:
        width, height = self.size
        if not width or not height:
            return
        self._plan = layout = lay_out(self.data, width, height, unfolded=self.unfolded)
        if not self.touched:
            self._cursor = self._first_trouble(width, height) or self._cursor
        row, column = self._place()
        self._keep_visible(row, column, width, height)
        body = layout.rows[self._first_row : self._first_row + height - 1]
        head = header_line(self.data, layout, self._columns, self.look.glyphs)
        # With each line the column in which it shows the cursor: the header names it, the cursor's row holds it.
        shown = layout.rows[row] if layout.rows else None
        marked = layout.columns[column] if layout.columns else None
        lines: list[tuple[str | None, tuple[Piece, ...]]] = [(marked, tuple(head))]
        for key in body:
            pieces = tuple(body_line(self.data, layout, key, self._columns, self.look.glyphs))
            lines.append((marked if key == shown else None, pieces))
        old, self._lines = self._lines, lines
        dirty = [y for y in range(max(len(old), len(lines))) if old[y : y + 1] != lines[y : y + 1]]
        for y in dirty:
            self._strips.pop(y, None)
        if dirty:
            self.refresh(*(Region(0, y, width, 1) for y in dirty if y < height))

    def _keep_visible(self, row: int, column: int, width: int, height: int) -> None:
        layout, page = self._plan, max(1, height - 1)
        last = max(0, len(layout.rows) - page)
        self._first_row = min(last, max(row - page + 1, min(self._first_row, row)))
        first = min(self._first_column, column, max(0, len(layout.columns) - 1))
        while column not in visible_columns(layout, width, first) and first < column:
            first += 1
        while first > 0 and visible_columns(layout, width, first - 1).stop >= len(layout.columns):
            first -= 1
        self._first_column = first
        self._columns = visible_columns(layout, width, first)

    def render_line(self, y: int) -> Strip:
        """One line of the screen, built when it is first asked for."""
        strip = self._strips.get(y)
        if strip is None:
            strip = self._strips[y] = self._paint(y)
        return strip

    def _paint(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        if y >= len(self._lines):
            return Strip.blank(width, base)
        column, pieces = self._lines[y]
        style = self._style
        segments = []
        used = 0
        for piece in pieces:
            whole = style("head") if y == 0 else Style()
            role = style(piece.role)
            if y == 0 and piece.column and piece.column == column and self.has_focus:
                made = base + whole + style("key")
            elif y > 0 and column is not None and piece.row and piece.column == column:
                # The cursor has one colour of text, readable on its background; without the focus cells keep theirs.
                made = base + (role + style("cursor") if self.has_focus else style("blur") + role)
            elif y > 0 and column is not None and piece.row and not piece.column and self.has_focus:
                made = base + role + style("key")
            else:
                made = base + whole + role
            segments.append(Segment(piece.text, made))
            used += width_of(piece.text)
        strip = Strip(segments)
        pad = base + style("head") if y == 0 else base
        return strip.adjust_cell_length(width, pad)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"matrix--{name}", partial=True) if name else Style()

    def notify_style_update(self) -> None:
        """Another theme, or focus: every line is of the old colours."""
        super().notify_style_update()
        self._strips.clear()
        self.refresh()

    def on_resize(self, _event: events.Resize) -> None:
        self._strips.clear()
        self._lines = []
        self._arrange()

    # --- keys and mouse ---

    def on_focus(self) -> None:
        """From now on the cursor stays where the user sees it."""
        self._cursor = self.cursor
        self.touched = True

    def action_cursor(self, rows: int) -> None:
        """Move the cursor by rows."""
        self._move(rows, 0)

    def action_side(self, columns: int) -> None:
        """Move the cursor by columns."""
        self._move(0, columns)

    def action_page(self, halves: int) -> None:
        """Move the cursor by halves of what fits."""
        self._move(halves * max(1, (self.size.height - 1) // 2), 0)

    def action_first(self) -> None:
        """To the first row."""
        self._move(-len(self._plan.rows), 0)

    def action_last(self) -> None:
        """To the last row."""
        self._move(len(self._plan.rows), 0)

    def _move(self, rows: int, columns: int) -> None:
        layout = self._plan
        if not layout.rows or not layout.columns:
            return
        row, column = self._place()
        row = max(0, min(len(layout.rows) - 1, row + rows))
        column = max(0, min(len(layout.columns) - 1, column + columns))
        self.put_cursor(layout.rows[row], layout.columns[column])

    def action_seek(self, direction: int) -> None:
        """The next cell that is not healthy, round the end."""
        troubles = self._troubles()
        if not troubles:
            return
        here = self.cursor
        index = troubles.index(here) if here in troubles else (-1 if direction > 0 else 0)
        self.put_cursor(*troubles[(index + direction) % len(troubles)])

    def action_unfold(self) -> None:
        """Show every row and column, or fold the healthy ones again."""
        self.unfolded = not self.unfolded
        self._arrange()

    def action_open(self) -> None:
        """Open the cell under the cursor; a fold unfolds."""
        cursor = self.cursor
        if cursor is None:
            return
        if cursor[0] == FOLD or cursor[1] in (FOLD, BLIND):
            self.touched = True
            self._cursor = self._plan.behind_row(cursor[0])[0], self._plan.behind_column(cursor[1])[0]
            self.action_unfold()
            return
        self.post_message(self.Opened(self, *cursor))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is; a double click opens."""
        if not 0 <= event.y < len(self._lines):
            return
        x, row, column = 0, "", ""
        for piece in self._lines[event.y][1]:
            x += width_of(piece.text)
            row, column = piece.row or row, piece.column or column
            if event.x < x:
                break
        here = self.cursor or ("", "")
        self.put_cursor(row or here[0], column or here[1])
        if event.chain == 2 and event.y > 0:
            self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._move(1, 0)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._move(-1, 0)
