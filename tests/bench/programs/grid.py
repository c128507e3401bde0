"""Textual's own DataTable with the same VMs, and changes at a rate: `python -m tests.bench.programs.grid FILE RATE`."""

import json
import random
import sys
from pathlib import Path

from textual.app import App, ComposeResult
from textual.widgets import DataTable


class Grid(App[None]):
    """A table of VMs as most would write it."""

    def __init__(self, rows: list[list[str]], rate: float) -> None:
        super().__init__()
        self._rows = sorted(rows, key=lambda row: row[1])
        self._rate = rate
        self._chance = random.Random(9)

    def compose(self) -> ComposeResult:
        table: DataTable[str] = DataTable(cursor_type="row")
        self._columns = table.add_columns("VM", "node", "state", "type", "cpu", "memory")
        yield table

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for row in self._rows:
            table.add_row(row[1], row[2], str(row[3]), str(row[4]), "3%", "4.0 GB", key=row[0])
        if self._rate:
            self.set_interval(0.5, self._change)

    def _change(self) -> None:
        table = self.query_one(DataTable)
        for number in range(int(self._rate / 2)):
            # A quarter of the changes hit what is on the screen.
            near = number % 4 == 0
            top = int(table.scroll_y)
            row = self._rows[min(len(self._rows) - 1, top + self._chance.randrange(40))] if near else None
            row = row or self._chance.choice(self._rows)
            table.update_cell(row[0], self._columns[3], self._chance.choice(("3", "4")))


if __name__ == "__main__":
    Grid(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), float(sys.argv[2])).run()
