"""From a row to one line of the screen: which columns fit, how wide, and a Strip of few segments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from hvtui.ui.cells import fit, width_of
from hvtui.ui.look import Look

R = TypeVar("R")

ROLES: Final = ("", "ok", "busy", "warn", "bad", "info", "dim", "stale", "unread", "key", "owner")
"""What a cell's colour means; each is a component class of the table."""

KINDS: Final = ("", "cursor", "blur", "marked")
"""What a whole row is; `blur` is the cursor of a table without the focus."""

GUTTER: Final = 1


@dataclass(frozen=True, kw_only=True)
class Column(Generic[R]):
    """One column. `cell` gives text, or text and role; `sort` gives the value, None for unknown (always last).

    `width` is the least width in cells; columns with `grow` share what is left, as far as their contents need it and up
    to `most`. When the width does not
    suffice, columns of low `priority` number are placed first; 0 always.
    """

    key: str
    title: str
    cell: Callable[[R], str | tuple[str, str]]
    sort: Callable[[R], Any] | None = None
    width: int
    grow: int = 0
    most: int = 40
    priority: int = 1
    right: bool = False
    descending: bool = False
    """The first click on the header shows the largest first."""


def value_of(column: Column[R]) -> Callable[[R], Any]:
    """What a column is sorted by: its `sort`, else the text of its cells."""
    if column.sort is not None:
        return column.sort
    cell = column.cell

    def text(row: R) -> str:
        made = cell(row)
        return made[0] if isinstance(made, tuple) else made

    return text


@dataclass(frozen=True, slots=True)
class Slot(Generic[R]):
    """A column as laid out: it begins at cell `x` and is `width` wide."""

    column: Column[R]
    x: int
    width: int


def lay_out(
    columns: Sequence[Column[R]], width: int, needs: Mapping[str, int], skip: int = 0
) -> tuple[list[Slot[R]], int]:
    """Place columns into `width` cells; `skip` leaves out that many of the movable ones from the left.

    `needs` is the widest content of each growing column.

    Returns the slots and how many columns found no room.
    """
    movable = [column for column in columns if column.priority > 0]
    gone = {column.key for column in movable[: min(skip, max(0, len(movable) - 1))]}
    room = width - GUTTER
    # The most important first; one that is too wide for what is left does not keep out narrower ones after it.
    taken: set[str] = set()
    used = -1
    for column in sorted(columns, key=lambda column: column.priority):
        if column.key not in gone and (column.priority == 0 or used + column.width + 1 <= room):
            taken.add(column.key)
            used += column.width + 1
    kept = [column for column in columns if column.key in taken]
    widths = {column.key: column.width for column in kept}
    left = room - used
    most = {column.key: min(column.most, max(needs.get(column.key, 0), column.width)) for column in kept}
    growing = [column for column in kept if column.grow and widths[column.key] < most[column.key]]
    while left > 0 and growing:
        weight = sum(column.grow for column in growing)
        share = left
        for column in growing:
            more = min(max(1, share * column.grow // weight), most[column.key] - widths[column.key], left)
            widths[column.key] += more
            left -= more
        growing = [column for column in growing if widths[column.key] < most[column.key]]
    slots: list[Slot[R]] = []
    x = GUTTER
    for column in kept:
        slots.append(Slot(column, x, max(1, min(widths[column.key], width - x))))
        x += widths[column.key] + 1
    return slots, len(columns) - len(kept)


def widen(needs: dict[str, int], columns: Sequence[Column[R]], rows: Iterable[R | None]) -> bool:
    """Note the widest content of each growing column; True when one became wider.

    A column never becomes narrower again: it shall not jump to and fro under the reader's eyes.
    """
    wider = False
    for column in columns:
        if column.grow:
            most, cell = column.most, column.cell
            before = need = needs.get(column.key, len(column.title) + 1)
            for row in rows:
                if row is not None and need < most:
                    made = cell(row)
                    need = max(need, width_of(made[0] if isinstance(made, tuple) else made))
            wider = wider or need != before
            needs[column.key] = need
    return wider


class RowPainter(Generic[R]):
    """Builds strips for one width and one set of styles; made anew when either changes."""

    def __init__(
        self,
        slots: Sequence[Slot[R]],
        width: int,
        look: Look,
        styles: Mapping[tuple[str, str], Style],
        row_role: Callable[[R], str] | None,
    ) -> None:
        self.slots = slots
        self.width = width
        self._look = look
        self._styles = styles
        self._row_role = row_role

    def row(self, row: R, *, kind: str, marked: bool, ghost: bool, cell: str = "") -> Strip:
        """One line. `kind` is the row's (`KINDS`), `cell` the key of a column to show as the cursor's."""
        glyphs = self._look.glyphs
        ellipsis = glyphs.ellipsis
        styles = self._styles
        over = "stale" if ghost else (self._row_role(row) if self._row_role is not None else "")
        if kind == "cursor":
            gutter = glyphs.cursor_mark if marked else glyphs.cursor
        else:
            gutter = glyphs.mark if marked else " "
        base = "" if cell else kind
        whole = base in {"cursor", "blur"}
        segments: list[Segment] = []
        run, run_role, used = gutter, "key" if marked else over, GUTTER
        for slot in self.slots:
            made = slot.column.cell(row)
            text, role = made if isinstance(made, tuple) else (made, "")
            role = over or role
            text = fit(text, slot.width, right=slot.column.right, ellipsis=ellipsis)
            if cell == slot.column.key:
                segments += [Segment(run, styles[base, run_role]), Segment(text, styles[kind, role])]
                run, run_role = " ", over
            else:
                if role != run_role and not whole:
                    segments.append(Segment(run, styles[base, run_role]))
                    run, run_role = "", role
                run += text + " "
            used += slot.width + 1
        run = run[:-1] if used > self.width else run + " " * (self.width - used)
        segments.append(Segment(run, styles[base, run_role]))
        return Strip(segments, self.width)

    def words(self, text: str) -> Strip:
        """A line that says something instead of a row."""
        made = fit(f"   {text}", self.width, ellipsis=self._look.glyphs.ellipsis)
        return Strip([Segment(made, self._styles["", "dim"])], self.width)

    def header(self, sort: str, *, descending: bool, hidden: int, cell: str = "") -> Strip:
        """The line of titles; the sorted column carries an arrow, columns without room are counted at the right."""
        glyphs = self._look.glyphs
        text = " "
        plain, strong = self._styles["head", ""], self._styles["head", "key"]
        segments: list[Segment] = []
        for slot in self.slots:
            column = slot.column
            title = self._look.plain(column.title)
            active = column.key == sort
            if active:
                arrow = glyphs.down if descending else glyphs.up
                title = f"{title[: slot.width - 1]}{arrow}"
            made = fit(title, slot.width, right=column.right, ellipsis=glyphs.ellipsis)
            if active or (cell and column.key == cell):
                segments += [Segment(text, plain), Segment(made, strong)]
                text = " "
            else:
                text += made + " "
        strip = Strip([*segments, Segment(text, plain)])
        used = strip.cell_length - (1 if text.endswith(" ") else 0)
        note = f" +{hidden}{glyphs.right}" if hidden else ""
        if used + len(note) > self.width:
            # No room beside the titles: one cell says that there is more.
            note = note[-1:]
        strip = strip.crop(0, self.width - len(note)).extend_cell_length(self.width - len(note), plain)
        return Strip([*strip, Segment(note, plain)], self.width) if note else strip
