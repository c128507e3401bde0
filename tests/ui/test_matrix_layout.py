"""What fits of a matrix, and that nothing wrong is ever folded away."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvtui.ui.cells import width_of
from hvtui.ui.widgets.matrix_layout import (
    BLIND,
    FOLD,
    GAP,
    GUTTER,
    Cell,
    MatrixData,
    body_line,
    header_line,
    lay_out,
    shown_cell,
    visible_columns,
)

OK = Cell("[1] Stable ✓", "ok", short="[1]✓")
BAD = Cell("[7] Failed ✗", "bad", quiet=False, short="[7]✗")


def fold(cells: Sequence[Cell]) -> Cell:
    return Cell(f"{sum(c.quiet for c in cells)} ✓", "ok")


def matrix(rows: int, columns: int, bad: dict[tuple[str, str], Cell] | None = None, **extra: object) -> MatrixData:
    row_keys = [(f"r{i}", f"Writer {i}") for i in range(rows)]
    column_keys = [(f"c{i}", f"HV{i:02d}") for i in range(columns)]
    cells = {(r, c): OK for r, _ in row_keys for c, _ in column_keys} | (bad or {})
    return MatrixData(row_keys, column_keys, cells, fold, "writer", **extra)  # type: ignore[arg-type]


def text(data: MatrixData, width: int, height: int) -> list[str]:
    layout = lay_out(data, width, height)
    columns = visible_columns(layout, width, 0)
    lines = [header_line(data, layout, columns), *(body_line(data, layout, r, columns) for r in layout.rows)]
    return ["".join(p.text for p in line) for line in lines]


def test_everything_is_spelled_out_when_it_fits() -> None:
    assert text(matrix(2, 2), 60, 10) == [
        " writer    HV00          HV01        ",
        " Writer 0  [1] Stable ✓  [1] Stable ✓",
        " Writer 1  [1] Stable ✓  [1] Stable ✓",
    ]


def test_healthy_cells_get_short_before_the_failed_one_does() -> None:
    lines = text(matrix(1, 4, {("r0", "c2"): BAD}), 45, 10)
    assert lines[1] == " Writer 0  [1]✓  [1]✓  [7] Failed ✗  [1]✓"


def test_healthy_columns_fold_into_one_count() -> None:
    lines = text(matrix(2, 64, {("r0", "c40"): BAD}), 70, 10)
    assert lines[0].split() == ["writer", "HV40", "63", "✓"]
    assert lines[1].split() == ["Writer", "0", "[7]", "Failed", "✗", "63", "✓"]


def test_healthy_rows_fold_when_the_pane_is_low() -> None:
    layout = lay_out(matrix(12, 3, {("r5", "c1"): BAD}), 80, 3)
    assert layout.rows == ("r5", FOLD)
    assert len(layout.folded_rows) == 11


def test_as_many_healthy_rows_stay_as_there_is_room_for() -> None:
    layout = lay_out(matrix(12, 3, {("r5", "c1"): BAD}), 80, 6)
    assert layout.rows == ("r0", "r1", "r2", "r5", FOLD)
    assert len(layout.folded_rows) == 8


def test_pinned_rows_stay_and_do_not_keep_a_column_from_folding() -> None:
    data = matrix(3, 64, {("r2", f"c{i}"): Cell("3m", "dim") for i in range(64)}, pinned=frozenset({"r2"}))
    layout = lay_out(data, 60, 3)
    assert layout.columns == (FOLD,)
    assert layout.rows == (FOLD, "r2")


def test_columns_that_could_not_be_read_fold_apart_and_never_as_healthy() -> None:
    unread = {(f"r{r}", f"c{c}"): Cell("?", "unread", quiet=False) for r in range(2) for c in range(10)}
    data = matrix(2, 64, unread, blind=frozenset(f"c{c}" for c in range(10)))
    layout = lay_out(data, 60, 10)
    assert layout.columns == (FOLD, BLIND)
    assert (len(layout.folded_columns), len(layout.blind_columns)) == (54, 10)
    assert header_line(data, layout, range(2))[2].text.strip() == "10 ?"


def test_nothing_is_healthy_when_nothing_could_be_read() -> None:
    unread = {("r0", f"c{c}"): Cell("?", "unread", quiet=False) for c in range(3)}
    data = matrix(1, 3, unread, blind=frozenset({"c0", "c1", "c2"}))
    assert data.quiet_rows() == []
    assert data.quiet_columns() == []


@pytest.mark.parametrize("width", [20, 37, 80, 200])
def test_columns_outside_are_announced(width: int) -> None:
    data = matrix(1, 40, {("r0", f"c{i}"): BAD for i in range(40)})
    layout = lay_out(data, width, 10)
    columns = visible_columns(layout, width, 3)
    line = "".join(p.text for p in header_line(data, layout, columns))
    assert line.startswith(" ‹")
    assert (f"› {40 - columns.stop}" in line) == (columns.stop < 40)


KEYS = st.integers(1, 9)


@given(
    KEYS,
    KEYS,
    st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8))),
    st.integers(10, 120),
    st.integers(2, 12),
)
def test_a_bad_cell_is_never_behind_a_fold(
    rows: int, columns: int, bad: set[tuple[int, int]], width: int, height: int
) -> None:
    planted = {(f"r{r}", f"c{c}"): BAD for r, c in bad if r < rows and c < columns}
    data = matrix(rows, columns, planted)
    layout = lay_out(data, width, height)
    for row, column in planted:
        assert row in layout.rows
        assert column in layout.columns
    shown = visible_columns(layout, width, 0)
    for row in layout.rows:
        line = body_line(data, layout, row, shown)
        assert width_of("".join(p.text for p in line)) == GUTTER + layout.label_width + sum(
            layout.widths[i] + GAP for i in shown
        )
        for column in layout.columns:
            assert (shown_cell(data, layout, row, column).role == "bad") == ((row, column) in planted)
