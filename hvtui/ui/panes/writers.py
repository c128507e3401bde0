"""The VSS writers pane: writer × node, worst first, with a sentence on the worst cell."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from hvtui.model.change import Change
from hvtui.ui.messages import OpenDetail
from hvtui.ui.pane import Pane
from hvtui.ui.panes.writer_matrix import LINES_ROW, READ_ROW, STALE_AFTER, WriterView, writer_view
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
        if change.writers or change.links or change.events or change.cluster:
            self._show()

    def tick(self) -> None:
        # Ages and durations stand in the cells.
        if self.is_on_screen:
            self._show()

    def _show(self) -> None:
        self.shown = writer_view(self.feed.state, self.feed.clock.monotonic(), self.look)
        self.query_one(Matrix).show_data(self.shown.data)
        self._note()
        self.retitle()

    def _note(self) -> None:
        cells, line = self.query_one(Matrix), self.query_one(NoteLine)
        place = cells.cursor if cells.has_focus or cells.touched else None
        note = self.shown.notes.get(place) if place is not None else None
        if note is None and self.shown.worst is not None:
            place, note = self.shown.worst, self.shown.notes.get(self.shown.worst)
        if note is None or place is None:
            blind = self.shown.data.blind
            place = next(((row, node) for row, node in self.shown.notes if node in blind), None)
            note = "" if place is None else self.shown.notes[place]
        role = self.shown.data.cell(*place).role if place is not None else ""
        line.say(note, {"bad": "bad", "warn": "warn", "busy": "busy"}.get(role, "dim"))

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
        if shown.blind:
            parts.append(f"{shown.blind} nodes not read")
        return f" {glyphs.dot} ".join(parts)

    def data_age(self) -> float | None:
        return self.shown.oldest

    def data_stale(self) -> bool:
        return self.shown.oldest is not None and self.shown.oldest > STALE_AFTER

    def read_node(self) -> str:
        cursor = self.query_one(Matrix).cursor
        return "" if cursor is None or cursor[1] in (FOLD, BLIND) else cursor[1]

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
