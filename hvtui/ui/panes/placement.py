"""The Placement pane: which node runs how many VMs on which CSV, and who owns the CSV."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from hvtui.model.change import Change
from hvtui.model.placement import matrix
from hvtui.ui.messages import FilterVms
from hvtui.ui.pane import Pane
from hvtui.ui.panes.placement_matrix import ELSEWHERE, UNKNOWN, PlacementView, placement_view
from hvtui.ui.widgets.matrix import Matrix


class PlacementPane(Pane):
    """Node × CSV. Enter shows the VMs of a cell in the VM pane."""

    key: ClassVar[str] = "placement"
    number: ClassVar[int] = 5
    heading: ClassVar[str] = "Placement"
    reads: ClassVar[str] = "cluster"

    PAUSE: ClassVar[float] = 2.0
    """Seconds between two counts: each looks at every VM."""

    shown: PlacementView = PlacementView()
    _due = True
    _counted = float("-inf")

    def body(self) -> ComposeResult:
        yield Matrix(self.look)

    def load(self) -> None:
        self._count()

    def apply(self, change: Change) -> None:
        if change.vms or change.csvs or change.nodes or change.links or change.cluster:
            self._due = True
            self._count_if_due()

    def tick(self) -> None:
        self._count_if_due()

    def on_show(self) -> None:
        self._count_if_due()

    def _count_if_due(self) -> None:
        late = self.feed.clock.monotonic() - self._counted >= self.PAUSE
        if self._due and late and self.is_on_screen:
            self._count()

    def _count(self) -> None:
        now = self.feed.clock.monotonic()
        self._due, self._counted = False, now
        self.shown = placement_view(self.feed.state, matrix(self.feed.state), now, self.look)
        self.query_one(Matrix).show_data(self.shown.data)
        self.retitle()

    def lines_wanted(self, most: int) -> int:
        return self.query_one(Matrix).lines_wanted(most - 2) + 2

    def counts(self) -> str:
        shown, glyphs = self.shown, self.look.glyphs
        parts = [f"{shown.drift} off-owner {glyphs.unequal}" if shown.drift else f"all on their owner {glyphs.ok}"]
        if not shown.data.columns:
            return "no CSVs" if self.feed.state.cluster.csvs is not None else "not read yet"
        if shown.split:
            parts.append(f"{shown.split} on CSVs of several owners")
        if shown.unknown:
            parts = [part for part in parts if not part.startswith("all ")] + [f"{shown.unknown} unread"]
        return f" {glyphs.dot} ".join(parts)

    def data_age(self) -> float | None:
        return self.feed.state.cluster.link.age(self.feed.clock.monotonic())

    def data_stale(self) -> bool:
        return self.feed.state.cluster.link.stale(self.feed.clock.monotonic())

    def go_to(self, key: str) -> bool:
        cells = self.query_one(Matrix)
        if key in dict(self.shown.data.rows):
            cells.put_cursor(key, (cells.cursor or ("", ""))[1])
            return True
        if key in dict(self.shown.data.columns):
            cells.put_cursor((cells.cursor or ("", ""))[0], key)
            return True
        return False

    def on_matrix_opened(self, message: Matrix.Opened) -> None:
        """Show the VMs of that node on that CSV."""
        message.stop()
        node = f'node:="{message.row}"'
        if message.column == ELSEWHERE:
            self.post_message(FilterVms(f"{node} csv:none"))
        elif message.column == UNKNOWN:
            self.post_message(FilterVms(f"{node} off:?"))
        else:
            csv = self.shown.csv_names.get(message.column, message.column)
            self.post_message(FilterVms(f'{node} csv:="{csv}"'))
