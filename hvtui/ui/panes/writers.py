"""The VSS writers pane: writer × node, worst first, with a sentence on the worst cell."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from hvtui.model.change import Change
from hvtui.ui.messages import OpenDetail
from hvtui.ui.pane import Pane
from hvtui.ui.panes.writer_matrix import LINES_ROW, READ_ROW, STALE_AFTER, WriterView, aged, note_of, writer_view
from hvtui.ui.pointed import NOTHING, Pointed
from hvtui.ui.widgets.matrix import Matrix
from hvtui.ui.widgets.matrix_layout import BLIND, FOLD
from hvtui.ui.widgets.note_line import NoteLine


class WritersPane(Pane):
    """Every node's writers as vssadmin told them the last time; `r` asks the node under the cursor."""

    key: ClassVar[str] = "writers"
    number: ClassVar[int] = 4
    heading: ClassVar[str] = "VSS writers"
    reads: ClassVar[str] = "writers"

    shown: WriterView = WriterView()

    def body(self) -> ComposeResult:
        yield Matrix(self.look)
        yield NoteLine(self.look)

    def load(self) -> None:
        self._show()

    def apply(self, change: Change) -> None:
        state = self.feed.state
        if change.writers or change.links or len(self.shown.data.columns) != len(state.node_names()):
            self._show()
        elif change.events:
            # An event may tell the true start of what was only seen so far.
            self.tick()

    def tick(self) -> None:
        if self.is_on_screen:
            self.shown = aged(self.shown, self.feed.state, self.feed.clock.monotonic(), self.look)
            self._paint()

    def _show(self) -> None:
        self.shown = writer_view(self.feed.state, self.feed.clock.monotonic(), self.look)
        self._paint()

    def _paint(self) -> None:
        self.query_one(Matrix).show_data(self.shown.data)
        self._note()
        self.retitle()

    def _note(self) -> None:
        """The cell under the cursor once the user is here, else the worst, else why a node was not read."""
        cells, line, shown = self.query_one(Matrix), self.query_one(NoteLine), self.shown
        here = cells.cursor if cells.touched else None
        if here is not None and (FOLD in here or BLIND in here or shown.data.cell(*here).quiet):
            here = None
        blind = next((name for name, _ in shown.data.columns if name in shown.data.blind), None)
        place = here or next(iter(shown.loud), None) or (None if blind is None else (READ_ROW, blind))
        if place is None:
            line.say("")
            return
        role = shown.data.cell(*place).role
        line.say(note_of(self.feed.state, place, self.look), role if role in ("bad", "warn", "busy") else "dim")

    def lines_wanted(self, most: int) -> int:
        note = self.query_one(NoteLine).lines_wanted
        return self.query_one(Matrix).lines_wanted(most - note - 2) + note + 2

    def counts(self) -> str:
        shown, glyphs = self.shown, self.look.glyphs
        counts = shown.counts
        parts = []
        for name, glyph in (("failed", glyphs.bad), ("unreadable", glyphs.unknown), ("missing", glyphs.warn)):
            if counts.get(name):
                parts.append(f"{counts[name]} {name} {glyph}")
        if counts.get("busy"):
            parts.append(f"{counts['busy']} busy {glyphs.busy}")
        if counts.get("ok"):
            parts.append(f"{counts['ok']} {glyphs.ok}")
        if shown.data.blind:
            parts.append(f"{len(shown.data.blind)} nodes not read")
        return f" {glyphs.dot} ".join(parts)

    def data_age(self) -> float | None:
        return self.shown.oldest

    def data_stale(self) -> bool:
        return self.shown.oldest is not None and self.shown.oldest > STALE_AFTER

    def read_node(self) -> str:
        cursor = self.query_one(Matrix).cursor
        return "" if cursor is None or cursor[1] in (FOLD, BLIND) else cursor[1]

    def pointed(self) -> Pointed:
        cursor = self.query_one(Matrix).cursor
        if cursor is None or cursor[1] in (FOLD, BLIND):
            return NOTHING
        row, node = cursor
        return Pointed("writer", (f"{node}|{'' if row in (READ_ROW, LINES_ROW, FOLD, BLIND) else row}",))

    def go_to(self, key: str) -> bool:
        """`key` is a node, or `node|writer`."""
        node, _, writer = key.partition("|")
        if node not in dict(self.shown.data.columns):
            return False
        cells = self.query_one(Matrix)
        cells.put_cursor(writer or (cells.cursor or ("", ""))[0], node)
        return True

    def on_matrix_moved(self, message: Matrix.Moved) -> None:
        message.stop()
        self._note()

    def on_matrix_opened(self, message: Matrix.Opened) -> None:
        """Everything known of that writer on that node."""
        message.stop()
        if message.row in (READ_ROW, LINES_ROW) or message.column in self.shown.data.blind:
            self.post_message(OpenDetail("node", message.column))
        else:
            self.post_message(OpenDetail("writer", f"{message.column}|{message.row}"))
