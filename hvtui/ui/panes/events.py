"""The Events pane: what the nodes' logs say, newest first."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Final

from textual.app import ComposeResult

from hvtui.model.change import Change
from hvtui.model.events import NodeEvent
from hvtui.model.filter import parse_filter
from hvtui.model.severity import Severity
from hvtui.ui.messages import OpenDetail
from hvtui.ui.pane import Pane
from hvtui.ui.panes.event_rows import EventRow, brief, coverage_note, event_row, role_of, when
from hvtui.ui.widgets.line_table import Column, LineTable
from hvtui.ui.widgets.note_line import NoteLine

HORIZON: Final = timedelta(hours=24)
"""How far back events are read at start."""


STALE_AFTER: Final = 180.0
"""Seconds after which the oldest reading of a log is marked."""


class EventsPane(Pane):
    """All nodes' events in one list. The cursor stays on its event while new ones come in above."""

    key: ClassVar[str] = "events"
    number: ClassVar[int] = 6
    heading: ClassVar[str] = "Events"
    reads: ClassVar[str] = "events"
    filterable: ClassVar[bool] = True

    _known: dict[int, NodeEvent]
    _version = -1

    def body(self) -> ComposeResult:
        self._known = {}
        yield LineTable[EventRow](
            self._columns(),
            self.look,
            self.feed.clock,
            sort="time",
            descending=True,
            name=lambda row: row.key,
            row_role=lambda row: "dim" if row.noise else "",
            trouble=lambda row: row.severity >= Severity.WARN,
        )
        yield NoteLine(self.look)

    def _columns(self) -> list[Column[EventRow]]:
        glyphs, zone, clock = self.look.glyphs, self.look.zone, self.feed.clock
        marks = {Severity.BAD: glyphs.bad, Severity.WARN: glyphs.warn}

        def sign(row: EventRow) -> tuple[str, str]:
            return marks.get(row.severity, glyphs.info), role_of(row) or "info"

        return [
            Column(
                key="severity",
                title="",
                cell=sign,
                sort=lambda row: row.severity,
                width=1,
                priority=0,
                descending=True,
            ),
            Column(
                key="time",
                title="time",
                cell=lambda row: (when(row.time, clock.now(), zone), "dim"),
                sort=lambda row: row.order,
                width=11,
                priority=0,
                descending=True,
            ),
            Column(key="node", title="node", cell=lambda row: row.node, width=6, grow=1, most=15, priority=1),
            Column(
                key="id",
                title="id",
                cell=lambda row: str(row.id),
                sort=lambda row: row.id,
                width=5,
                priority=1,
                right=True,
            ),
            Column(key="level", title="level", cell=lambda row: (row.level, role_of(row)), width=7, priority=4),
            Column(
                key="text",
                title="event",
                cell=lambda row: (row.text, role_of(row)),
                width=24,
                grow=8,
                most=240,
                priority=0,
            ),
            Column(key="channel", title="log", cell=lambda row: (brief(row.channel), "dim"), width=14, priority=8),
        ]

    def load(self) -> None:
        self._read()

    def apply(self, change: Change) -> None:
        if change.events:
            self._read()
        elif change.links:
            self._note()

    def _read(self) -> None:
        log = self.feed.state.events
        if log.version == self._version:
            return
        self._version = log.version
        recent = log.recent()
        living = {id(item): item for item in recent}
        changes: dict[str, EventRow | None] = {
            item.key: None for mark, item in self._known.items() if mark not in living
        }
        offsets = {view.name: view.link.offset for view in self.feed.state.nodes.values()}
        changes |= {
            item.key: event_row(item, offsets.get(item.node))
            for mark, item in living.items()
            if mark not in self._known
        }
        self._known = living
        self.query_one(LineTable).update_rows(changes)
        self._note()
        self.retitle()

    def _note(self) -> None:
        state, now = self.feed.state, self.feed.clock.monotonic()
        there = state.cluster.link.node_now(now) or self.feed.clock.now()
        words, role = coverage_note(state.events, state.node_names(), there - HORIZON, self.look)
        self.query_one(NoteLine).say(words, role)

    def counts(self) -> str:
        table, glyphs = self.query_one(LineTable), self.look.glyphs
        rows = table.order.rows.values()
        bad = sum(row.severity is Severity.BAD for row in rows)
        warn = sum(row.severity is Severity.WARN for row in rows)
        shown = table.order.passing()
        parts = [f"{shown} of {len(rows)}" if shown != len(rows) else str(shown)]
        parts += [f"{bad} {glyphs.bad}"] * bool(bad) + [f"{warn} {glyphs.warn}"] * bool(warn)
        return f" {glyphs.dot} ".join(parts)

    def data_age(self) -> float | None:
        state, now = self.feed.state, self.feed.clock.monotonic()
        ages = []
        for view in state.nodes.values():
            read, there = state.events.read_at(view.name), view.link.node_now(now)
            if read is not None and there is not None:
                ages.append(max(0.0, (there - read).total_seconds()))
        return max(ages, default=None)

    def data_stale(self) -> bool:
        return (self.data_age() or 0.0) > STALE_AFTER

    def read_node(self) -> str:
        row = self.query_one(LineTable).row(self.query_one(LineTable).cursor_key)
        return row.node if isinstance(row, EventRow) else ""

    def filter_changed(self, text: str) -> str:
        wanted = parse_filter(text)
        self.query_one(LineTable).set_filter(wanted.matches if wanted else None)
        return "; ".join(wanted.problems)

    def on_line_table_opened(self, message: LineTable.Opened) -> None:
        """Everything the event says."""
        message.stop()
        self.post_message(OpenDetail("event", message.key))
