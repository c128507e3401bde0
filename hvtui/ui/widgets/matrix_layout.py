"""What fits of a matrix: pure arithmetic of columns, rows and folding, no widget.

A matrix has named rows and columns and a small text per cell. When it does not fit, healthy (`quiet`) columns and rows
fold into one that counts them, so that what is wrong always stays on screen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from hvtui.ui.cells import fit, width_of
from hvtui.ui.look import UNICODE, Glyphs

FOLD: Final = "\0fold"
"""Key of the row or column that stands for all healthy ones."""

BLIND: Final = "\0blind"
"""Key of the column that stands for all those of which nothing is known."""

GAP: Final = 2
"""Blank cells between two columns."""

GUTTER: Final = 1
"""Blank cells before the labels, as in tables."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its whole text, a shorter form, the style role, and whether it is healthy and may fold."""

    text: str
    role: str = ""
    quiet: bool = True
    short: str = ""
    value: int = 0
    """A number behind the text, so that a fold can add up."""

    @property
    def brief(self) -> str:
        """The shorter form, the text when there is none."""
        return self.short or self.text


EMPTY: Final = Cell("")

Axis = Sequence[tuple[str, str]]
"""Keys and labels in the order they are shown."""


@dataclass(frozen=True)
class MatrixData:
    """A whole matrix; `cells` holds those that say something, everywhere else `empty` stands.

    `fold` makes the cell that stands for several; `fold_row`, `fold_column` and `fold_blind` are labels with `{n}`.
    """

    rows: Axis = ()
    columns: Axis = ()
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    fold: Callable[[Sequence[Cell]], Cell] = lambda cells: Cell(str(len(cells)))
    corner: str = ""
    empty: Cell = EMPTY
    fold_row: str = "{n} ✓"
    fold_column: str = "{n} ✓"
    fold_blind: str = "{n} ?"
    blind: frozenset[str] = frozenset()
    """Columns of which nothing is known; they fold apart and never count as healthy."""
    pinned: frozenset[str] = frozenset()
    """Rows that say something about their column: always shown, at the end."""
    right: bool = False
    """Cells and column labels stand at the right: numbers."""
    row_roles: dict[str, str] = field(default_factory=dict)
    """Style role of a row's label, the plain one when it has none."""
    column_roles: dict[str, str] = field(default_factory=dict)

    def cell(self, row: str, column: str) -> Cell:
        """The cell at a place."""
        return self.cells.get((row, column), self.empty)

    @cached_property
    def by_row(self) -> dict[str, list[tuple[str, Cell]]]:
        """Row → its columns and cells."""
        found: dict[str, list[tuple[str, Cell]]] = {}
        for (row, column), cell in self.cells.items():
            found.setdefault(row, []).append((column, cell))
        return found

    @cached_property
    def by_column(self) -> dict[str, list[tuple[str, Cell]]]:
        """Column → its rows and cells."""
        found: dict[str, list[tuple[str, Cell]]] = {}
        for (row, column), cell in self.cells.items():
            found.setdefault(column, []).append((row, cell))
        return found

    @cached_property
    def labels(self) -> dict[str, str]:
        """Key of a row or column → its label."""
        return {**dict(self.rows), **dict(self.columns)}

    def quiet_columns(self) -> list[str]:
        """Columns in which every cell is healthy."""
        loud = {column for (_, column), cell in self.cells.items() if not cell.quiet}
        return [column for column, _ in self.columns if column not in loud and column not in self.blind]

    def quiet_rows(self) -> list[str]:
        """Rows in which every cell that could be read is healthy; none when nothing could be read."""
        if all(column in self.blind for column, _ in self.columns):
            return []
        loud = {row for (row, column), cell in self.cells.items() if not cell.quiet and column not in self.blind}
        return [row for row, _ in self.rows if row not in loud and row not in self.pinned]


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of text in one style role; `row`/`column` say which cell it belongs to (empty for labels and gaps)."""

    text: str
    role: str
    row: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """What is shown: the keys in order, column widths, and which forms of the texts were taken."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    folded_rows: tuple[str, ...]
    folded_columns: tuple[str, ...]
    blind_columns: tuple[str, ...]
    label_width: int
    widths: tuple[int, ...]
    brief: str
    """Which cells use their short form: `none`, `quiet` or `all`."""

    def behind_row(self, row: str) -> tuple[str, ...]:
        """The rows that a shown row stands for."""
        return self.folded_rows if row == FOLD else (row,)

    def behind_column(self, column: str) -> tuple[str, ...]:
        """The columns that a shown column stands for."""
        return {FOLD: self.folded_columns, BLIND: self.blind_columns}.get(column, (column,))

    @property
    def width(self) -> int:
        """Cells a line takes when every column is shown."""
        return GUTTER + self.label_width + sum(w + GAP for w in self.widths)


def _text(cell: Cell, brief: str) -> str:
    return cell.brief if brief == "all" or (brief == "quiet" and cell.quiet) else cell.text


def shown_cell(data: MatrixData, layout: Layout, row: str, column: str) -> Cell:
    """The cell on screen at (row, column), the sum of the folded ones where a key is FOLD."""
    rows, columns = layout.behind_row(row), layout.behind_column(column)
    if row != FOLD and column not in (FOLD, BLIND):
        return data.cell(row, column)
    if row == FOLD and len(columns) == 1:
        wanted = set(rows)
        held = [cell for r, cell in data.by_column.get(columns[0], ()) if r in wanted]
    else:
        wanted = set(columns)
        held = [cell for r in rows for c, cell in data.by_row.get(r, ()) if c in wanted]
    return data.fold(held) if held else data.empty


def row_label(data: MatrixData, layout: Layout, row: str) -> str:
    """The label of a row as shown."""
    if row == FOLD:
        return data.fold_row.format(n=len(layout.folded_rows))
    return data.labels.get(row, row)


def column_label(data: MatrixData, layout: Layout, column: str) -> str:
    """The label of a column as shown."""
    if column == FOLD:
        return data.fold_column.format(n=len(layout.folded_columns))
    if column == BLIND:
        return data.fold_blind.format(n=len(layout.blind_columns))
    return data.labels.get(column, column)


def _fold(keys: tuple[str, ...], hide: Collection[str], key: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Shown keys and folded ones; one alone is not folded, it would take the same room."""
    hidden = tuple(k for k in keys if k in hide)
    if len(hidden) < 2:
        return keys, ()
    return (*(k for k in keys if k not in hide), key), hidden


def lay_out(data: MatrixData, width: int, height: int, *, unfolded: bool = False, label_limit: int = 30) -> Layout:
    """Choose what to show in `width` × `height` cells (one line is the header).

    First with whole texts, then with short forms of the healthy cells, then with the healthy columns folded, then with
    short forms everywhere. What still does not fit is scrolled by the widget.
    """
    rows: tuple[str, ...] = tuple(k for k, _ in data.rows)
    folded_rows: tuple[str, ...] = ()
    if not unfolded and len(rows) > max(1, height - 1):
        free = tuple(r for r in rows if r not in data.pinned)
        quiet = [r for r in free if r in set(data.quiet_rows())]
        # As many healthy rows as there is room for stay; the fold says how many more there are.
        room = max(0, height - 1 - (len(rows) - len(quiet)) - 1)
        free, folded_rows = _fold(free, quiet[room:], FOLD)
        rows = (*free, *(r for r in rows if r in data.pinned))
    shown = set(rows)
    labels = [width_of(label) for key, label in data.rows if key in shown] + [width_of(data.corner)]
    if folded_rows:
        labels.append(width_of(data.fold_row.format(n=len(folded_rows))))
    label_width = min(label_limit, max(12, width // 3), max(labels))
    plain = tuple(k for k, _ in data.columns)
    columns, healthy = (plain, ()) if unfolded else _fold(plain, set(data.quiet_columns()), FOLD)
    columns, blind = (columns, ()) if unfolded else _fold(columns, data.blind, BLIND)
    whole = Layout(rows, plain, folded_rows, (), (), label_width, (), "none")
    folded = replace(whole, columns=columns, folded_columns=healthy, blind_columns=blind)
    least = GUTTER + label_width + sum(width_of(label) + GAP for _, label in data.columns)
    tries = [replace(whole, brief=form) for form in ("none", "quiet")] if least <= width or columns == plain else []
    tries += [replace(folded, brief=form) for form in (("all",) if columns == plain else ("none", "quiet", "all"))]
    for option in tries:
        layout = replace(option, widths=_widths(data, option))
        if layout.width <= width:
            break
    spare = max(0, width - layout.width)
    return replace(layout, label_width=min(label_limit, max(labels), label_width + spare))


def _widths(data: MatrixData, layout: Layout) -> tuple[int, ...]:
    """The width of every shown column."""
    shown, count = set(layout.rows), len(layout.rows)
    widths = []
    for column in layout.columns:
        if column in (FOLD, BLIND):
            cells = [shown_cell(data, layout, row, column) for row in layout.rows]
        else:
            cells = [cell for row, cell in data.by_column.get(column, ()) if row in shown]
            if FOLD in shown:
                cells.append(shown_cell(data, layout, FOLD, column))
            if len(cells) < count:
                cells.append(data.empty)
        widths.append(
            max([width_of(column_label(data, layout, column)), *(width_of(_text(c, layout.brief)) for c in cells)])
        )
    return tuple(widths)


def visible_columns(layout: Layout, width: int, first: int) -> range:
    """Indexes of the columns that fit from `first` on; at least one."""
    room, index = width - GUTTER - layout.label_width, first
    while index < len(layout.columns):
        room -= layout.widths[index] + GAP
        if room < 0 and index > first:
            break
        index += 1
    return range(first, index)


def header_line(data: MatrixData, layout: Layout, columns: range, glyphs: Glyphs = UNICODE) -> list[Piece]:
    """The line of column labels; `‹` and `›` say that more columns lie outside."""
    cut = glyphs.ellipsis
    corner = (f"{glyphs.left} " if columns.start > 0 else "") + data.corner
    pieces = [Piece(" " * GUTTER + fit(corner, layout.label_width, ellipsis=cut), "")]
    for i in columns:
        key = layout.columns[i]
        role = "dim" if key in (FOLD, BLIND) else data.column_roles.get(key, "")
        label = fit(column_label(data, layout, key), layout.widths[i], right=data.right, ellipsis=cut)
        pieces.append(Piece(" " * GAP + label, role, "", key))
    if columns.stop < len(layout.columns):
        pieces.append(Piece(f" {glyphs.right} {len(layout.columns) - columns.stop}", ""))
    return pieces


def body_line(data: MatrixData, layout: Layout, row: str, columns: range, glyphs: Glyphs = UNICODE) -> list[Piece]:
    """One row: its label and its cells."""
    cut = glyphs.ellipsis
    role = "dim" if row == FOLD else data.row_roles.get(row, "")
    pieces = [
        Piece(" " * GUTTER, ""),
        Piece(fit(row_label(data, layout, row), layout.label_width, ellipsis=cut), role, row),
    ]
    for i in columns:
        key = layout.columns[i]
        cell = shown_cell(data, layout, row, key)
        pieces.append(Piece(" " * GAP, ""))
        text = fit(_text(cell, layout.brief), layout.widths[i], right=data.right, ellipsis=cut)
        pieces.append(Piece(text, cell.role, row, key))
    return pieces
