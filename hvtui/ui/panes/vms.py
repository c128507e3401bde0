"""The VM pane: every VM of the cluster in one table, up to many thousands, each row made again only when it changed."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Final

from textual.app import ComposeResult

from hvtui.live.feed import Feed
from hvtui.model.activity import SEPARATOR
from hvtui.model.change import Change
from hvtui.model.filter import parse_filter
from hvtui.model.severity import Severity
from hvtui.model.state import ClusterState, vm_key
from hvtui.model.vm_rows import VmRow, vm_row
from hvtui.ui import format as show
from hvtui.ui.look import Look
from hvtui.ui.marks import MOVING, Marks
from hvtui.ui.messages import OpenDetail
from hvtui.ui.pane import Pane
from hvtui.ui.pointed import Pointed, rows_of
from hvtui.ui.signs import SEVERITY_ROLES, severity_signs
from hvtui.ui.watching import Watching
from hvtui.ui.widgets.line_table import Column, LineTable

_SLICE: Final = 400
"""Rows made before the loop gets its turn again: about 6 ms, so that keys stay quick during a full picture."""

_STATE_ROLES: Final = {"Running": "ok", "Off": "dim", "Saved": "dim"}


class VmsPane(Pane):
    """All VMs; `/` filters, marks and cursor stay on their VM."""

    key = "vms"
    number = 3
    heading = "VMs"
    reads = "node"
    filterable = True

    DEFAULT_CSS: ClassVar[str] = """
    VmsPane > LineTable { height: 1fr; }
    """

    def __init__(self, feed: Feed, look: Look, marks: Marks | None = None) -> None:
        super().__init__(feed, look)
        self._marks = marks
        self.watching: Watching | None = None
        self._todo: dict[str, None] = {}
        self._working = False
        self._stale: frozenset[str] = frozenset()
        self._minute = -1
        self._words = ""
        self._now: dict[str, datetime | None] = {}
        self._signs = severity_signs(look)
        self.table: LineTable[VmRow] = LineTable(
            self._columns(),
            look,
            feed.clock,
            sort="name",
            name=lambda row: row.name,
            row_role=self._row_role,
            trouble=lambda row: row.severity >= Severity.WARN,
            id="vms",
        )

    # --- the pane's hooks ---

    def body(self) -> ComposeResult:
        yield self.table

    def load(self) -> None:
        self._restale()
        state = self.feed.state
        keys = set(state.vm_keys())
        self._queue(keys | set(self.table.order.rows))

    def apply(self, change: Change) -> None:
        if change.links:
            self._restale()
        self._queue(change.vms)

    def tick(self) -> None:
        self._restale()
        minute = int(self.feed.clock.monotonic() // 60)
        if minute != self._minute:
            self._minute = minute
            self._now.clear()
            self.table.repaint_rows()

    def counts(self) -> str:
        table = self.table
        total, shown = len(table.order.rows), table.order.passing()
        if not total and not self._todo:
            return "none" if self.feed.state.vms_known() else "not read yet"
        parts = [f"{total}" if not self._words else f"{shown} of {total}"]
        if self._words:
            parts.append(f"filter: {self._words}")
        marked = len(table.marked)
        if marked:
            hidden = sum(1 for key in table.marked if key not in table.order.places())
            parts.append(f"{marked} marked" + (f" ({hidden} not shown)" if hidden else ""))
        if table.ranging:
            parts.append("range")
        if self._todo:
            parts.append(f"reading {len(self._todo)}")
        return f" {self.look.glyphs.dot} ".join(parts)

    def retitle(self) -> None:
        super().retitle()
        empty = "no VM matches the filter" if self.table.order.rows and self._words else self.counts()
        if empty != self.table.empty_text:
            self.table.empty_text = empty
            if not self.table.order.view:
                self.table.refresh()

    def data_age(self) -> float | None:
        now = self.feed.clock.monotonic()
        ages = [age for view in self.feed.state.nodes.values() if (age := view.link.age(now)) is not None]
        return max(ages, default=None)

    def data_stale(self) -> bool:
        return bool(self._stale)

    def read_node(self) -> str:
        row = self.table.row(self.table.cursor_key)
        return row.node if row is not None else ""

    def filter_changed(self, text: str) -> str:
        self._words = text.strip()
        wanted = parse_filter(self._words)
        self.table.set_filter(wanted.matches if wanted else None)
        return "; ".join(wanted.problems)

    def go_to(self, key: str) -> bool:
        if key in self.table.order.rows and key not in self.table.order.places():
            self.clear_filter()
        return self.table.put_cursor(key)

    def pointed(self) -> Pointed:
        return rows_of("vm", self.table)

    def marks_changed(self, keys: set[str]) -> None:
        rows = {key: row for key, row in self.table.order.rows.items() if f"vm:{key.lower()}" in keys}
        # A longer text may want a wider column.
        self.table.update_rows(rows)
        self.table.repaint_rows(rows)

    def watched_changed(self, keys: set[str]) -> None:
        """Other rows are watched: a longer name may want a wider column."""
        rows = {key: row for key, row in self.table.order.rows.items() if key in keys}
        self.table.update_rows(rows)
        self.table.repaint_rows(rows)

    def on_line_table_opened(self, message: LineTable.Opened) -> None:
        message.stop()
        self.post_message(OpenDetail("vm", message.key))

    # --- rows ---

    def _queue(self, keys: set[str]) -> None:
        self._todo.update(dict.fromkeys(keys))
        if self._todo and not self._working:
            self._working = True
            self._work()

    def _work(self) -> None:
        state, todo = self.feed.state, self._todo
        changes: dict[str, VmRow | None] = {}
        while todo and len(changes) < _SLICE:
            key = next(iter(todo))
            del todo[key]
            changes[key] = vm_row(state, key) if _exists(state, key) else None
        self.table.update_rows(changes)
        self._working = bool(todo)
        if todo:
            self.call_later(self._work)

    def _restale(self) -> None:
        now = self.feed.clock.monotonic()
        stale = frozenset(name for name, view in self.feed.state.nodes.items() if view.link.stale(now))
        if stale != self._stale:
            turned = stale ^ self._stale
            self._stale = stale
            self.table.repaint_rows([key for key, row in self.table.order.rows.items() if row.node in turned])

    def _row_role(self, row: VmRow) -> str:
        return "stale" if row.source or row.node in self._stale else ""

    # --- columns ---

    def _columns(self) -> list[Column[VmRow]]:
        return [
            Column(
                key="severity",
                title="",
                width=1,
                priority=0,
                descending=True,
                cell=lambda row: (self._signs[row.severity], SEVERITY_ROLES[row.severity]),
                sort=lambda row: row.severity,
            ),
            Column(
                key="name",
                title="VM",
                width=12,
                grow=6,
                most=44,
                priority=0,
                cell=self._named,
                sort=lambda row: row.name,
            ),
            Column(key="state", title="state", width=8, grow=1, most=12, cell=self._state),
            Column(key="node", title="node", width=6, grow=2, most=16, cell=lambda row: row.node or "?"),
            Column(
                key="drift",
                title=self.look.glyphs.unequal,
                width=2,
                priority=2,
                descending=True,
                cell=self._drift,
                sort=lambda row: None if row.drift is None else int(row.drift),
            ),
            Column(
                key="csv",
                title="CSV",
                width=9,
                grow=3,
                most=28,
                priority=2,
                cell=lambda row: ", ".join(row.csvs) or "?",
            ),
            Column(key="owner", title="owner", width=6, grow=2, most=20, priority=5, cell=self._owner),
            Column(key="type", title="checkpoint type", width=15, priority=6, cell=self._type),
            Column(
                key="checkpoints", title="chk", width=5, grow=1, most=10, priority=6, cell=lambda row: row.checkpoints
            ),
            Column(
                key="activity",
                title="activity",
                width=10,
                grow=12,
                most=34,
                priority=3,
                cell=self._activity,
                sort=lambda row: row.activity or None,
            ),
            Column(
                key="cpu",
                title="cpu",
                width=4,
                priority=4,
                right=True,
                descending=True,
                cell=lambda row: show.percent(row.cpu) if row.state == "Running" else "",
                sort=lambda row: row.cpu,
            ),
            Column(
                key="memory",
                title="memory",
                width=7,
                priority=7,
                right=True,
                descending=True,
                cell=lambda row: show.size(row.memory_mb * 1024 * 1024) if row.memory_mb else "",
                sort=lambda row: row.memory_mb,
            ),
            Column(
                key="uptime",
                title="uptime",
                width=8,
                priority=8,
                right=True,
                cell=self._uptime,
                sort=lambda row: row.started,
            ),
        ]

    def _named(self, row: VmRow) -> str:
        watched = self.watching is not None and self.watching.has("vm", row.key)
        return f"{self.look.glyphs.watch} {row.name}" if watched else row.name

    def _state(self, row: VmRow) -> tuple[str, str]:
        return row.state, _STATE_ROLES.get(row.state, "busy")

    def _drift(self, row: VmRow) -> tuple[str, str]:
        if row.drift is None:
            return "?", "unread"
        return (self.look.glyphs.unequal, "warn") if row.drift else ("", "")

    def _owner(self, row: VmRow) -> tuple[str, str]:
        return ", ".join(row.owners) or "?", "warn" if row.drift else ""

    def _type(self, row: VmRow) -> tuple[str, str]:
        return row.checkpoint_type, "unread" if row.checkpoint_type == "?" else ""

    def _activity(self, row: VmRow) -> tuple[str, str]:
        mark = self._marks.of("vm", row.key) if self._marks is not None else None
        if mark is None:
            return self.look.plain(row.activity), "busy"
        # What hvtui does with it comes first, what Windows tells of it behind; a migration is told once.
        told = mark[1] == "busy" and mark[0].partition(" ")[0] in MOVING
        parts = [part for part in row.activity.split(SEPARATOR) if not (told and part.startswith("migrating"))]
        dot = f" {self.look.glyphs.dot} "
        return self.look.plain(dot.join(word for word in (mark[0], *parts) if word)), mark[1]

    def _uptime(self, row: VmRow) -> str:
        if row.started is None:
            return ""
        now = self._node_now(row.source or row.node)
        return "?" if now is None else show.age((now - row.started).total_seconds())

    def _node_now(self, node: str) -> datetime | None:
        # Uptime is a matter of the node's own clock; once a minute is often enough for a column of hours and days.
        if node not in self._now:
            view = self.feed.state.nodes.get(node)
            self._now[node] = view.link.node_now(self.feed.clock.monotonic()) if view is not None else None
        return self._now[node]


def _exists(state: ClusterState, key: str) -> bool:
    role = state.role(key)
    return key in state.homes or (role is not None and vm_key(role) == key)
