"""The CSVs pane: every Cluster Shared Volume, worst first."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from hvtui.live.feed import Feed
from hvtui.model.change import Change
from hvtui.model.csv_rows import CsvRow, csv_row
from hvtui.model.filter import parse_filter
from hvtui.model.severity import Severity
from hvtui.ui import format as fmt
from hvtui.ui.look import Look
from hvtui.ui.messages import OpenDetail
from hvtui.ui.pane import Pane
from hvtui.ui.panes.signs import sign_counts, signs
from hvtui.ui.panes.widths import widest
from hvtui.ui.pointed import Pointed, rows_of
from hvtui.ui.watching import Watching
from hvtui.ui.widgets.line_table import Column, LineTable


class CsvsPane(Pane):
    """One row per volume: owner, the worst node's I/O, space, VMs off the owner, backup."""

    key: ClassVar[str] = "csvs"
    number: ClassVar[int] = 2
    heading: ClassVar[str] = "CSVs"
    reads: ClassVar[str] = "cluster"
    filterable: ClassVar[bool] = True

    PAUSE: ClassVar[float] = 0.5
    """Seconds between two counts of VMs per volume."""

    TURNS: ClassVar[int] = 10
    """Seconds in which every row is made anew once."""

    def __init__(self, feed: Feed, look: Look) -> None:
        super().__init__(feed, look)
        self.watching: Watching | None = None
        self._due: set[str] = set()
        self._all_due = True
        self._count = False
        self._turn = 0
        self._made = float("-inf")
        self._stale = False
        self._widths = (6, 5, 6)
        self._signs = signs(look.glyphs)
        self.table: LineTable[CsvRow] = LineTable(
            self._columns(),
            look,
            feed.clock,
            sort="severity",
            name=lambda row: row.name,
            row_role=lambda _row: "stale" if self._stale else "",
            trouble=lambda row: row.severity >= Severity.UNKNOWN,
            id="csvs",
        )

    def body(self) -> ComposeResult:
        yield self.table

    def load(self) -> None:
        self._all_due = True
        self._make()

    def apply(self, change: Change) -> None:
        self._due |= change.csvs
        self._count |= bool(change.vms)
        if "" in change.links or change.cluster:
            self._all_due = True
        if "" in change.links or self.feed.clock.monotonic() - self._made >= self.PAUSE:
            self._make()

    def tick(self) -> None:
        # Durations grow by themselves, and what no change names (a node that went Down) is looked at in turns.
        rows = self.table.order.rows
        self._due |= {key for key, row in rows.items() if row.since}
        keys = list(rows)
        self._due |= set(keys[self._turn :: self.TURNS])
        self._turn = (self._turn + 1) % self.TURNS
        self._make()

    def on_resize(self) -> None:
        self._fit()

    def _make(self) -> None:
        state, now = self.feed.state, self.feed.clock.monotonic()
        stale = state.cluster.link.stale(now)
        if stale != self._stale:
            self._stale = stale
            self.table.repaint_rows()
        csvs = state.cluster.csvs or {}
        if self._count:
            # VMs change all the time; a row only when its own counts do.
            tally, rows = state.tally.refresh(state), self.table.order.rows
            counts = ((key, (tally.by_csv[key], tally.drift_by_csv[key])) for key in rows)
            self._due |= {key for key, count in counts if count != (rows[key].vms, rows[key].drift)}
        if self._due or self._all_due:
            changes: dict[str, CsvRow | None] = {key: None for key in self.table.order.rows if key not in csvs}
            changes |= {key: csv_row(state, key) for key in (csvs if self._all_due else self._due) if key in csvs}
            self.table.update_rows(changes)
            self._fit()
        self._due, self._all_due, self._count, self._made = set(), False, False, now
        self.retitle()

    def _fit(self) -> None:
        rows = self.table.order.rows.values()
        name = widest((self._named(row) for row in rows), 6, 24)
        room = self.content_size.width - name - 5
        widths = (
            name,
            widest((row.owner for row in rows), 5, 15),
            widest((row.io for row in rows), 6, max(10, min(30, room))),
        )
        if widths != self._widths:
            self._widths = widths
            self.table.set_columns(self._columns())

    def counts(self) -> str:
        rows = list(self.table.order.rows.values())
        if not rows:
            return "none" if self.feed.state.cluster.csvs is not None else "not read yet"
        parts = [str(len(rows)), sign_counts((row.severity for row in rows), self.look)]
        running = sum(row.backup is True for row in rows)
        if running:
            parts.append(f"{running} in backup")
        return f" {self.look.glyphs.dot} ".join(parts)

    def data_age(self) -> float | None:
        return self.feed.state.cluster.link.age(self.feed.clock.monotonic())

    def data_stale(self) -> bool:
        return self._stale

    def filter_changed(self, text: str) -> str:
        wanted = parse_filter(text)
        self.table.set_filter(wanted.matches if wanted else None)
        return "; ".join(wanted.problems)

    def pointed(self) -> Pointed:
        return rows_of("csv", self.table)

    def watched_changed(self, keys: set[str]) -> None:
        """Other rows are watched."""
        self._fit()
        self.table.repaint_rows(keys)

    def on_line_table_opened(self, message: LineTable.Opened) -> None:
        """Everything known of that volume."""
        message.stop()
        self.post_message(OpenDetail("csv", message.key))

    # --- columns ---

    def _columns(self) -> list[Column[CsvRow]]:
        name, owner, io = self._widths
        return [
            Column(key="severity", title="", width=1, priority=0, descending=True,
                   cell=lambda row: self._signs[row.severity], sort=lambda row: row.severity),
            Column(key="name", title="volume", width=name, grow=1, most=24, priority=0, cell=self._named,
                   sort=lambda row: row.name),
            Column(key="owner", title="owner", width=owner, grow=1, most=15, priority=3,
                   cell=lambda row: (row.owner, "unread" if row.owner == "?" else "")),
            Column(key="io", title="I/O", width=io, grow=6, most=48, priority=1, cell=self._io,
                   sort=self._io_severity, descending=True),
            Column(key="free", title="free", width=7, priority=4, right=True, cell=self._free,
                   sort=lambda row: row.free),
            Column(key="used", title="used", width=6, priority=2, right=True, descending=True, cell=self._used,
                   sort=lambda row: None if row.free_percent is None else 100 - row.free_percent),
            Column(key="vms", title="VMs", width=4, priority=7, right=True, descending=True,
                   cell=lambda row: str(row.vms), sort=lambda row: row.vms),
            Column(key="drift", title="off", width=3, priority=5, right=True,
                   descending=True, cell=self._drift, sort=lambda row: row.drift),
            Column(key="backup", title="bkp", width=3, priority=6, descending=True, cell=self._backup,
                   sort=lambda row: row.backup),
            Column(key="reason", title="why", width=24, grow=5, most=100, priority=9, cell=self._reason),
        ]  # fmt: skip

    def _named(self, row: CsvRow) -> str:
        watched = self.watching is not None and self.watching.has("csv", row.key)
        return f"{self.look.glyphs.watch} {row.name}" if watched else row.name

    def _io_severity(self, row: CsvRow) -> Severity:
        return max((node.severity for node in row.nodes), default=Severity.UNKNOWN)

    def _io(self, row: CsvRow) -> tuple[str, str]:
        severity = self._io_severity(row)
        return row.io, "" if severity <= Severity.INFO else self._signs[severity][1]

    def _free(self, row: CsvRow) -> tuple[str, str]:
        return fmt.size(row.free), "unread" if row.free is None else ""

    def _used(self, row: CsvRow) -> tuple[str, str]:
        used = None if row.free_percent is None else 100 - row.free_percent
        role = "unread" if used is None else "bad" if used > 97 else "warn" if used > 90 else ""
        return f"{fmt.level(used, ascii_only=self.look.ascii)}{fmt.percent(used)}", role

    def _drift(self, row: CsvRow) -> tuple[str, str]:
        return (str(row.drift), "warn") if row.drift else (self.look.glyphs.dot, "dim")

    def _backup(self, row: CsvRow) -> tuple[str, str]:
        if row.backup is None:
            return "?", "unread"
        return (("*" if self.look.ascii else " ●"), "busy") if row.backup else ("", "")

    def _reason(self, row: CsvRow) -> tuple[str, str]:
        words = f" {self.look.glyphs.dot} ".join([*row.reasons, *([row.since] if row.since else [])])
        return self.look.plain(words), "dim" if row.severity <= Severity.INFO else self._signs[row.severity][1]
