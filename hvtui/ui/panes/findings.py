"""The Findings pane: what is wrong, gravest first; what a person knows of, or does not want to hear, last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType

from hvtui.findings.finding import Sure
from hvtui.findings.standing import Standing
from hvtui.live.feed import Feed
from hvtui.model.change import Change
from hvtui.model.filter import parse_filter
from hvtui.model.severity import Severity
from hvtui.ui.actions import bindings
from hvtui.ui.finding_watch import PANES, FindingWatch
from hvtui.ui.look import Look
from hvtui.ui.messages import GoTo, OpenDetail
from hvtui.ui.pane import Pane
from hvtui.ui.panes.event_rows import when
from hvtui.ui.pointed import NOTHING, Pointed
from hvtui.ui.screens.finding_keys import acknowledge, act_on
from hvtui.ui.signs import SEVERITY_ROLES, severity_signs
from hvtui.ui.widgets.line_table import Column, LineTable
from hvtui.ui.widgets.note_line import NoteLine

STALE_AFTER: Final = 10.0
"""Seconds after which the last look is marked."""
_SURE: Final = {Sure.POSSIBLE: "possible", Sure.LIKELY: "likely", Sure.CERTAIN: "certain"}
_NAMED: Final = 3
_KEYS: Final = "Enter goes there · e evidence and next step · ! acknowledge · a what helps"


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding in the list. `place` is its rank."""

    key: str
    place: int
    severity: Severity
    sure: str
    target: str
    text: str
    vms: int
    began: datetime | None
    state: str
    alarming: bool

    @property
    def fields(self) -> dict[str, str]:
        """What the filter looks at."""
        return {"target": self.target, "finding": self.text, "sure": self.sure, "state": self.state}


class FindingsPane(Pane):
    """Enter goes to the node, CSV or VM; `e` shows how it is known and what to do."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("findings")

    key: ClassVar[str] = "findings"
    number: ClassVar[int] = 8
    heading: ClassVar[str] = "Findings"
    filterable: ClassVar[bool] = True

    def __init__(self, feed: Feed, look: Look, watch: FindingWatch) -> None:
        super().__init__(feed, look)
        self._watch = watch
        self._version = -1

    def body(self) -> ComposeResult:
        yield LineTable[FindingRow](
            self._columns(),
            self.look,
            self.feed.clock,
            sort="place",
            name=lambda row: row.text,
            row_role=lambda row: "" if row.alarming else "dim",
            trouble=lambda row: row.alarming and row.severity >= Severity.WARN,
        )
        yield NoteLine(self.look)

    def _columns(self) -> list[Column[FindingRow]]:
        signs, zone, clock = severity_signs(self.look), self.look.zone, self.feed.clock

        def role(row: FindingRow) -> str:
            return SEVERITY_ROLES[row.severity] if row.alarming else "dim"

        return [
            Column(
                key="place",
                title="",
                cell=lambda row: (signs[row.severity], role(row)),
                sort=lambda row: row.place,
                width=1,
                priority=0,
            ),
            Column(key="target", title="where", cell=lambda row: row.target, width=8, grow=1, most=20, priority=1),
            Column(
                key="text",
                title="finding",
                cell=lambda row: (row.text, role(row)),
                width=30,
                grow=9,
                most=200,
                priority=0,
            ),
            Column(key="sure", title="sure", cell=lambda row: (row.sure, "dim"), width=8, priority=3),
            Column(
                key="since",
                title="since",
                cell=lambda row: (when(row.began, clock.now(), zone) if row.began is not None else "", "dim"),
                sort=lambda row: row.began.timestamp() if row.began is not None else float("inf"),
                width=11,
                priority=4,
            ),
            Column(
                key="vms",
                title="VMs",
                cell=lambda row: str(row.vms) if row.vms else "",
                sort=lambda row: row.vms,
                width=4,
                priority=5,
                right=True,
                descending=True,
            ),
            Column(key="state", title="", cell=lambda row: (row.state, "dim"), width=10, grow=1, most=40, priority=6),
        ]

    # --- showing ---

    def load(self) -> None:
        self._read()

    def apply(self, change: Change) -> None:
        if change.links:
            self._note()

    def tick(self) -> None:
        self._read()

    def _read(self) -> None:
        if self._watch.version != self._version:
            self._version = self._watch.version
            table = self.query_one(LineTable)
            rows: dict[str, FindingRow | None] = {
                one.finding.key: self._row(place, one) for place, one in enumerate(self._watch.engine.standing)
            }
            gone: dict[str, FindingRow | None] = {key: None for key in table.order.rows if key not in rows}
            table.update_rows(gone | rows)
            table.empty_text = "nothing found in what could be read"
        self._note()

    def _row(self, place: int, one: Standing) -> FindingRow:
        finding, state = one.finding, ""
        if one.acknowledged is not None:
            state = f"known{f': {one.acknowledged.note}' if one.acknowledged.note else ''}"
        elif one.quiet:
            state = "quiet"
        elif one.unread:
            state = "as last seen"
        return FindingRow(
            key=finding.key,
            place=place,
            severity=finding.severity,
            sure=_SURE[finding.sure],
            target=finding.target.name,
            text=self.look.plain(finding.text),
            vms=len(finding.vms),
            began=one.began,
            state=state,
            alarming=one.alarming,
        )

    def _note(self) -> None:
        """What no rule can speak of: an empty list is no good news about it."""
        unseen = self._watch.unseen()
        more = f" and {len(unseen) - _NAMED} more" if len(unseen) > _NAMED else ""
        words = f"not seen: {'; '.join(unseen[:_NAMED])}{more}" if unseen else _KEYS
        self.query_one(NoteLine).say(self.look.plain(words), "warn" if unseen else "")

    def counts(self) -> str:
        standing, signs = self._watch.engine.standing, severity_signs(self.look)
        alarms = self._watch.engine.alarms()
        parts = [
            f"{count} {signs[level]}"
            for level in (Severity.BAD, Severity.WARN, Severity.INFO)
            if (count := sum(one.finding.severity is level for one in alarms))
        ]
        rest = len(standing) - len(alarms)
        parts += [f"{rest} known or quiet"] * bool(rest)
        return f" {self.look.glyphs.dot} ".join(parts) or "none"

    def data_age(self) -> float | None:
        looked = self._watch.looked_at
        return None if looked is None else max(0.0, self.feed.clock.monotonic() - looked)

    def data_stale(self) -> bool:
        return (self.data_age() or 0.0) > STALE_AFTER

    def filter_changed(self, text: str) -> str:
        wanted = parse_filter(text)
        self.query_one(LineTable).set_filter(wanted.matches if wanted else None)
        return "; ".join(wanted.problems)

    # --- keys ---

    def pointed(self) -> Pointed:
        one = self._under_cursor()
        target = one.finding.target if one is not None else None
        return NOTHING if target is None or not target.key else Pointed(target.kind, (target.key,))

    def _under_cursor(self) -> Standing | None:
        return self._watch.standing(self.query_one(LineTable).cursor_key or "")

    def on_line_table_opened(self, message: LineTable.Opened) -> None:
        """To what the finding is about."""
        message.stop()
        one = self._watch.standing(message.key)
        if one is None:
            return
        pane = PANES.get(one.finding.target.kind)
        if pane is None:
            self.post_message(OpenDetail("finding", message.key))
        else:
            self.post_message(GoTo(pane, one.finding.target.key))

    def action_evidence(self) -> None:
        """How it is known, and what to do."""
        one = self._under_cursor()
        if one is not None:
            self.post_message(OpenDetail("finding", one.finding.key))

    def action_acknowledge(self) -> None:
        """Know of it, with a note; again, let it alarm."""
        acknowledge(self.app, self._watch, self.look, self._under_cursor())

    def action_act(self) -> None:
        """Open what helps."""
        act_on(self.app, self._watch, self._under_cursor())
