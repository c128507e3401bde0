"""An app with one table in it, for tests of the table alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from textual.app import App, ComposeResult

from hvtui.clock import ManualClock
from hvtui.ui.look import Look
from hvtui.ui.themes import DEFAULT, load_themes, theme_dirs
from hvtui.ui.widgets.line_table import Column, LineTable

START = datetime(2026, 11, 24, 0, 48, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    """A made-up row."""

    name: str
    cpu: int | None = 0
    state: str = "Running"


COLUMNS: list[Column[Row]] = [
    Column(key="name", title="VM", cell=lambda row: row.name, width=12, grow=1, priority=0),
    Column(
        key="state",
        title="state",
        cell=lambda row: (row.state, "ok" if row.state == "Running" else "warn"),
        width=8,
        priority=1,
    ),
    Column(
        key="cpu",
        title="cpu",
        cell=lambda row: "?" if row.cpu is None else f"{row.cpu}%",
        sort=lambda row: row.cpu,
        width=5,
        priority=3,
        right=True,
        descending=True,
    ),
]


class TableApp(App[None]):
    """Shows `rows` in a table sorted by `sort`."""

    def __init__(
        self, rows: dict[str, Row], *, sort: str = "name", cell_cursor: bool = False, ascii_only: bool = False
    ):
        self.palettes, problems = load_themes(theme_dirs())
        assert not problems
        super().__init__()
        for palette in self.palettes.values():
            self.register_theme(palette.theme())
        self.theme = DEFAULT
        self.clock = ManualClock(START)
        self.opened: list[tuple[str, str]] = []
        self.rows = rows
        self.table: LineTable[Row] = LineTable(
            COLUMNS,
            Look(ascii=ascii_only),
            self.clock,
            sort=sort,
            name=lambda row: row.name,
            trouble=lambda row: row.state == "Critical",
            cell_cursor=cell_cursor,
        )

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return dict(self.palettes[DEFAULT].theme().variables)

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.update_rows(dict(self.rows))
        self.table.focus()

    def on_line_table_opened(self, message: LineTable.Opened) -> None:
        self.opened.append((message.key, message.column))

    def lines(self) -> list[str]:
        """What is on the screen."""
        return [strip.text.rstrip() for strip in self.screen._compositor.render_strips()]

    def names(self) -> list[str]:
        """Names in the order shown."""
        return [row.name for key in self.table.order.view if (row := self.table.order.row(key)) is not None]

    def rest(self) -> None:
        """The user has not touched a key for a while."""
        self.clock.advance(LineTable.FREEZE + 0.1)
        self.table.thaw()


def some_rows(count: int) -> dict[str, Row]:
    """Rows `k0…`, named `VM0…`."""
    return {f"k{number}": Row(f"VM{number}", number % 100) for number in range(count)}
