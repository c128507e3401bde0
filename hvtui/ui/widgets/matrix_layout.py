"""What fits of a matrix: pure arithmetic of columns, rows and folding, no widget.

A matrix has named rows and columns and a small text per cell. When it does not fit, healthy (`quiet`) columns and rows
fold into one that counts them, so that what is wrong always stays on screen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hvtui.ui.cells import fit, width_of

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


@dataclass(frozen=True, slots=True)
class MatrixData:
    """A whole matrix. `fold` makes the cell that stands for several; `nouns` name what a folded row or column holds."""

    rows: Axis = ()
    columns: Axis = ()
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    fold: Callable[[Sequence[Cell]], Cell] = lambda cells: Cell(str(len(cells)))
    corner: str = ""
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
        """The cell at a place; an empty one when nothing is known of it."""
        return self.cells.get((row, column), EMPTY)

    def quiet_columns(self) -> list[str]:
        """Columns in which every cell is healthy."""
        rows = [r for r, _ in self.rows]
        return [c for c, _ in self.columns if c not in self.blind and all(self.cell(r, c).quiet for r in rows)]

    def quiet_rows(self) -> list[str]:
        """Rows in which every cell that could be read is healthy; none when nothing could be read."""
        columns = [c for c, _ in self.columns if c not in self.blind]
        rows = [r for r, _ in self.rows if r not in self.pinned] if columns else []
        return [r for r in rows if all(self.cell(r, c).quiet for c in columns)]


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
    if rows == (row,) and columns == (column,):
        return data.cell(row, column)
    return data.fold([data.cell(r, c) for r in rows for c in columns])


def row_label(data: MatrixData, layout: Layout, row: str) -> str:
    """The label of a row as shown."""
    if row == FOLD:
        return data.fold_row.format(n=len(layout.folded_rows))
    return next((label for key, label in data.rows if key == row), row)


def column_label(data: MatrixData, layout: Layout, column: str) -> str:
    """The label of a column as shown."""
    if column == FOLD:
        return data.fold_column.format(n=len(layout.folded_columns))
    if column == BLIND:
        return data.fold_blind.format(n=len(layout.blind_columns))
    return next((label for key, label in data.columns if key == column), column)


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
    labels = [width_of(label) for key, label in data.rows if key in rows] + [width_of(data.corner)]
    if folded_rows:
        labels.append(width_of(data.fold_row.format(n=len(folded_rows))))
    label_width = min(label_limit, max(12, width // 3), max(labels))
    forms = ("none", "quiet", "all")
    plain = tuple(k for k, _ in data.columns)
    tries = [Layout(rows, plain, folded_rows, (), (), label_width, (), form) for form in forms[:2]]
    columns, healthy = (plain, ()) if unfolded else _fold(plain, set(data.quiet_columns()), FOLD)
    columns, blind = (columns, ()) if unfolded else _fold(columns, data.blind, BLIND)
    if columns == plain:
        tries.append(replace(tries[0], brief="all"))
    else:
        tries += [Layout(rows, columns, folded_rows, healthy, blind, label_width, (), form) for form in forms]
    for option in tries:
        layout = replace(option, widths=tuple(_column_width(data, option, c) for c in option.columns))
        if layout.width <= width:
            break
    return layout


def _column_width(data: MatrixData, layout: Layout, column: str) -> int:
    cells = (width_of(_text(shown_cell(data, layout, r, column), layout.brief)) for r in layout.rows)
    return max([width_of(column_label(data, layout, column)), *cells])


def visible_columns(layout: Layout, width: int, first: int) -> range:
    """Indexes of the columns that fit from `first` on; at least one."""
    room, index = width - GUTTER - layout.label_width, first
    while index < len(layout.columns):
        room -= layout.widths[index] + GAP
        if room < 0 and index > first:
            break
        index += 1
    return range(first, index)


def header_line(data: MatrixData, layout: Layout, columns: range) -> list[Piece]:
    """The line of column labels; `‹` and `›` say that more columns lie outside."""
    corner = ("‹ " if columns.start > 0 else "") + data.corner
    pieces = [Piece(" " * GUTTER + fit(corner, layout.label_width), "")]
    for i in columns:
        key = layout.columns[i]
        role = "dim" if key in (FOLD, BLIND) else data.column_roles.get(key, "")
        label = fit(column_label(data, layout, key), layout.widths[i], right=data.right)
        pieces.append(Piece(" " * GAP + label, role, "", key))
    if columns.stop < len(layout.columns):
        pieces.append(Piece(f" › {len(layout.columns) - columns.stop}", ""))
    return pieces


def body_line(data: MatrixData, layout: Layout, row: str, columns: range) -> list[Piece]:
    """One row: its label and its cells."""
    role = "dim" if row == FOLD else data.row_roles.get(row, "")
    pieces = [Piece(" " * GUTTER, ""), Piece(fit(row_label(data, layout, row), layout.label_width), role, row)]
    for i in columns:
        key = layout.columns[i]
        cell = shown_cell(data, layout, row, key)
        pieces.append(Piece(" " * GAP, ""))
        pieces.append(Piece(fit(_text(cell, layout.brief), layout.widths[i], right=data.right), cell.role, row, key))
    return pieces
