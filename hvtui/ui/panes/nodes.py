"""The Nodes pane: every host of the cluster, worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import ComposeResult

from hvtui.live.feed import Feed
from hvtui.model.change import Change
from hvtui.model.filter import parse_filter
from hvtui.model.link import LinkStatus
from hvtui.model.node_rows import NodeRow, WriterCounts, node_row
from hvtui.model.severity import Severity
from hvtui.ui import format as fmt
from hvtui.ui.look import Look
from hvtui.ui.marks import Marks
from hvtui.ui.messages import OpenDetail
from hvtui.ui.pane import Pane
from hvtui.ui.panes.signs import sign_counts, signs
from hvtui.ui.panes.widths import widest
from hvtui.ui.pointed import Pointed, rows_of
from hvtui.ui.widgets.line_table import Column, LineTable

NOTABLE_OFFSET: Final = 2.0
"""Seconds from which a node's clock offset is shown."""

BUSY_CPU: Final = 90
FULL_MEMORY: Final = 95


@dataclass(frozen=True, slots=True)
class NodeLine:
    """A node's row and, while nothing is heard of it, for how long."""

    row: NodeRow
    silent: str = ""


_Column = Column[NodeLine]


class NodesPane(Pane):
    """One row per node. A node that is not heard keeps its data, marked with their age."""

    key: ClassVar[str] = "nodes"
    number: ClassVar[int] = 1
    heading: ClassVar[str] = "Nodes"
    reads: ClassVar[str] = "node"
    filterable: ClassVar[bool] = True

    PAUSE: ClassVar[float] = 0.5
    """Seconds between two counts of VMs per node."""

    def __init__(self, feed: Feed, look: Look, marks: Marks | None = None) -> None:
        super().__init__(feed, look)
        self._marks = marks
        self._due: set[str] = set()
        self._all_due = True
        self._made = float("-inf")
        self._widths = (5, 4, 4)
        self._clocks = False
        self._signs = signs(look.glyphs)
        self.table: LineTable[NodeLine] = LineTable(
            self._columns(),
            look,
            feed.clock,
            sort="severity",
            name=lambda line: line.row.name,
            row_role=lambda line: "stale" if line.silent else "",
            trouble=lambda line: line.row.severity >= Severity.UNKNOWN,
            id="nodes",
        )

    def body(self) -> ComposeResult:
        yield self.table

    def load(self) -> None:
        self._all_due = True
        self._make()

    def apply(self, change: Change) -> None:
        self._due |= change.nodes | change.writers | (change.links - {""})
        if change.vms or change.cluster or "" in change.links:
            self._all_due = True
        now = self.feed.clock.monotonic()
        if change.links or now - self._made >= self.PAUSE:
            self._make()

    def tick(self) -> None:
        # Silence grows by itself: those rows change without a message.
        now = self.feed.clock.monotonic()
        self._due |= {name for name, view in self.feed.state.nodes.items() if view.link.stale(now)}
        self._due |= {key for key, line in self.table.order.rows.items() if line.silent}
        self._make()

    def _make(self) -> None:
        state, now = self.feed.state, self.feed.clock.monotonic()
        known = state.node_names()
        names = known if self._all_due else [name for name in self._due if name in known]
        changes: dict[str, NodeLine | None] = {key: None for key in self.table.order.rows if key not in known}
        for name in names:
            link = state.node(name).link
            age = link.age(now)
            heard = not link.stale(now) or link.status in (LinkStatus.CONNECTING, LinkStatus.NOT_CONTACTED)
            silent = "" if heard else "never" if age is None else fmt.age(age)
            changes[name] = NodeLine(node_row(state, name), silent)
        self._due, self._all_due, self._made = set(), False, now
        self.table.update_rows(changes)
        rows = self.table.order.rows.values()
        clocks = any(_notable(line) for line in rows)
        widths = (
            widest((line.row.name for line in rows), 5, 16),
            widest((self._state(line)[0] for line in rows), 5, 28),
            widest((self._writers(line)[0] for line in rows), 4, 9),
        )
        if (clocks, widths) != (self._clocks, self._widths):
            self._clocks, self._widths = clocks, widths
            self.table.set_columns(self._columns())
        self.retitle()

    def counts(self) -> str:
        rows = [line.row for line in self.table.order.rows.values()]
        if not rows:
            return "none known yet"
        return f"{len(rows)} {self.look.glyphs.dot} {sign_counts((row.severity for row in rows), self.look)}"

    def data_age(self) -> float | None:
        return self.feed.state.cluster.link.age(self.feed.clock.monotonic())

    def data_stale(self) -> bool:
        return self.feed.state.cluster.link.stale(self.feed.clock.monotonic())

    def read_node(self) -> str:
        return self.table.cursor_key or ""

    def filter_changed(self, text: str) -> str:
        wanted = parse_filter(text)
        self.table.set_filter((lambda line: wanted.matches(line.row)) if wanted else None)
        return "; ".join(wanted.problems)

    def pointed(self) -> Pointed:
        return rows_of("node", self.table)

    def marks_changed(self, keys: set[str]) -> None:
        if any(key.startswith(("node:", "service:")) for key in keys):
            self.table.repaint_rows()
            self._all_due = True
            self._make()

    def on_line_table_opened(self, message: LineTable.Opened) -> None:
        """Everything known of that node."""
        message.stop()
        self.post_message(OpenDetail("node", message.key))

    # --- columns ---

    def _columns(self) -> list[Column[NodeLine]]:
        name, state, writers = self._widths
        columns = [
            _Column(key="severity", title="", width=1, priority=0, descending=True, cell=self._sign,
                    sort=lambda line: line.row.severity),
            _Column(key="name", title="node", width=name, grow=1, most=16, priority=0, cell=lambda line: line.row.name),
            _Column(key="state", title="state", width=state, grow=1, most=30, priority=1, cell=self._state),
            _Column(key="vms", title="VMs", width=4, priority=3, right=True, descending=True, cell=self._vms,
                    sort=lambda line: line.row.vms),
            _Column(key="cpu", title="cpu", width=6, priority=4, right=True, descending=True, cell=self._cpu,
                    sort=lambda line: line.row.cpu),
            _Column(key="memory", title="mem", width=6, priority=5, right=True, descending=True, cell=self._memory,
                    sort=lambda line: line.row.memory_percent),
            _Column(key="writers", title="vss", width=writers, grow=1, most=10, priority=2, cell=self._writers,
                    sort=_writer_rank, descending=True),
        ]  # fmt: skip
        if self._clocks:
            columns.append(
                Column(key="clock", title="clock", width=7, priority=6, right=True, cell=self._clock,
                       sort=lambda line: line.row.offset, descending=True)
            )  # fmt: skip
        columns.append(Column(key="reason", title="why", width=24, grow=6, most=120, priority=9, cell=self._reason))
        return columns

    def _sign(self, line: NodeLine) -> tuple[str, str]:
        if line.row.state == "draining" and line.row.severity <= Severity.INFO:
            return self.look.glyphs.busy, "busy"
        return self._signs[line.row.severity]

    def _state(self, line: NodeLine) -> tuple[str, str]:
        text, role = self._own_state(line)
        mark = self._marks.of("node", line.row.key) if self._marks is not None else None
        return (text, role) if mark is None else (f"{text} {self.look.glyphs.dot} {mark[0]}", mark[1])

    def _own_state(self, line: NodeLine) -> tuple[str, str]:
        row = line.row
        own = "" if row.state == "Up" else row.state
        if row.link is LinkStatus.LIVE:
            late = f"late {line.silent}" if line.silent else ""
            words = f" {self.look.glyphs.dot} ".join(
                word for word in (own or ("" if late else row.state), late) if word
            )
            return words, "warn" if late else self._signs[row.severity][1] if own else ""
        silent = f" {line.silent}" if line.silent and line.silent != "never" else ""
        words = f" {self.look.glyphs.dot} ".join(
            word for word in (f"{row.link.value}{silent}", own) if word and word != "?"
        )
        return words, "bad" if row.severity is Severity.BAD else "unread"

    def _vms(self, line: NodeLine) -> tuple[str, str]:
        row = line.row
        if self.feed.state.cluster.roles is None and self.feed.state.node(row.key).vms is None:
            return "?", "unread"
        if row.state == "draining":
            return f"{row.vms}{self.look.glyphs.arrow}", "busy"
        return str(row.vms), ""

    def _cpu(self, line: NodeLine) -> tuple[str, str]:
        return self._meter(line.row.cpu, BUSY_CPU)

    def _memory(self, line: NodeLine) -> tuple[str, str]:
        return self._meter(line.row.memory_percent, FULL_MEMORY)

    def _meter(self, number: int | None, limit: int) -> tuple[str, str]:
        text = f"{fmt.level(number, ascii_only=self.look.ascii)}{fmt.percent(number)}"
        return text, "unread" if number is None else "warn" if number >= limit else ""

    def _writers(self, line: NodeLine) -> tuple[str, str]:
        return writer_summary(line.row.writers, self.look)

    def _clock(self, line: NodeLine) -> tuple[str, str]:
        return (fmt.offset(line.row.offset), "warn") if _notable(line) else ("", "")

    def _reason(self, line: NodeLine) -> tuple[str, str]:
        row = line.row
        words = f" {self.look.glyphs.dot} ".join([*row.reasons, *([row.since] if row.since else [])])
        return self.look.plain(words), "dim" if row.severity <= Severity.INFO else self._signs[row.severity][1]


def _writer_rank(line: NodeLine) -> tuple[int, int, int]:
    counts = line.row.writers
    return counts.failed, counts.unreadable, counts.busy


def _notable(line: NodeLine) -> bool:
    offset = line.row.offset
    return offset is not None and abs(offset.total_seconds()) >= NOTABLE_OFFSET


def writer_summary(counts: WriterCounts, look: Look) -> tuple[str, str]:
    """Such as `9✓1✖`, `10✓`, `9✓1◌`; `?` for a node whose writers were not read."""
    glyphs = look.glyphs
    if not counts.read:
        return ("?", "warn") if counts.failure else ("?", "unread")
    text = f"{counts.ok}{glyphs.ok}"
    for number, glyph in ((counts.failed, glyphs.bad), (counts.unreadable, glyphs.unknown), (counts.busy, glyphs.busy)):
        text += f"{number}{glyph}" if number else ""
    role = (
        "bad" if counts.failed else "warn" if counts.unreadable or counts.failure else "busy" if counts.busy else "ok"
    )
    return text, role
