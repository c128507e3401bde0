"""The first two lines: who looks two seconds here must get the right answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Vertical

from hvtui.live.feed import Feed
from hvtui.model.change import Change
from hvtui.model.link import LinkStatus
from hvtui.model.rows import Summary, summary
from hvtui.model.severity import Severity
from hvtui.ui import format as show
from hvtui.ui.acting import Acting
from hvtui.ui.finding_watch import FindingWatch
from hvtui.ui.look import Look
from hvtui.ui.signs import SEVERITY_ROLES, severity_signs
from hvtui.ui.widgets.styled_line import Piece, StyledLine

_NARROW: Final = 100


class Header(Vertical):
    """Cluster, counts, health, age of the data and clock; below, the worst problem in words."""

    DEFAULT_CSS: ClassVar[str] = """
    Header { height: 2; dock: top; background: $hv-head-bg; }
    """

    def __init__(self, feed: Feed, look: Look, findings: FindingWatch, acting: Acting | None = None) -> None:
        super().__init__()
        self.recording: Callable[[], list[Piece]] = list
        """The sign that it is recorded."""
        self._acting = acting
        self._findings = findings
        self._feed = feed
        self._look = look
        self._signs = severity_signs(look)
        self._summary: Summary | None = None
        self._dirty = True
        self._trouble = ""
        self.top = StyledLine(ellipsis=look.glyphs.ellipsis, id="header-top")
        self.below = StyledLine(ellipsis=look.glyphs.ellipsis, id="header-below")

    def compose(self) -> ComposeResult:
        yield self.top
        yield self.below

    def on_mount(self) -> None:
        self.tick()

    def on_resize(self) -> None:
        self._show()

    def apply(self, change: Change) -> None:
        """Something is different; the sum over everything is made once a second at most."""
        first = self._summary is None or self._summary.health == "unknown"
        self._dirty = True
        if first and (change.links or change.cluster or change.nodes):
            self.tick()

    def tick(self) -> None:
        """A second has passed."""
        if self._dirty:
            self._dirty = False
            self._summary = summary(self._feed.state)
        self._show()

    def show_trouble(self, text: str) -> None:
        """Say what hinders hvtui itself; stays."""
        self._trouble = text
        self._show()

    # --- pieces ---

    def _show(self) -> None:
        told = self._summary
        if told is None:
            return
        self.top.show(self._left(told), self._right())
        self.below.show(self._problem(told), self._place())

    def _left(self, told: Summary) -> list[Piece]:
        name = told.name or self._feed.title
        gap = "  " if self.size.width < _NARROW else "   "
        dot = f" {self._look.glyphs.dot} "
        counts = [
            f"{told.nodes} nodes",
            f"{told.vms} VMs" if self._feed.state.vms_known() else "? VMs",
            "? CSVs" if told.csvs is None else f"{told.csvs} CSVs",
        ]
        alarms = self._findings.engine.alarms()
        pieces = [*self._stopped(), Piece(" "), Piece(name, "strong")]
        # No row may need a look while a finding does: "healthy" beside it would be the wrong answer.
        if not alarms or alarms[0].finding.severity < Severity.WARN or told.severity > Severity.INFO:
            health, role = self._health(told)
            pieces += [Piece(gap), Piece(health, role)]
        pieces += [
            *self._found(gap),
            Piece(gap + dot.join(counts)),
        ]
        if told.drift and self.size.width >= _NARROW:
            pieces.append(Piece(f"{gap}{self._look.glyphs.unequal} {told.drift} drift", "warn"))
        return pieces

    def _found(self, gap: str) -> list[Piece]:
        """How many findings alarm."""
        alarms = self._findings.engine.alarms()
        if not alarms:
            return []
        severity = alarms[0].finding.severity
        words = "1 finding" if len(alarms) == 1 else f"{len(alarms)} findings"
        return [Piece(f"{gap}{self._signs[severity]} {words}", SEVERITY_ROLES[severity], "8")]

    def _health(self, told: Summary) -> tuple[str, str]:
        views = self._feed.state.nodes.values()
        waiting = sum(view.link.status is LinkStatus.CONNECTING for view in views)
        cluster_waits = self._feed.state.cluster.link.status is LinkStatus.CONNECTING
        if told.severity is Severity.UNKNOWN and (waiting or cluster_waits):
            done = f" {len(views) - waiting}/{len(views)}" if views else ""
            return f"{self._look.glyphs.busy} connecting{done}", "busy"
        role = SEVERITY_ROLES[told.severity] if told.severity is not Severity.UNKNOWN else "dim"
        several = f" ({len(told.words)})" if len(told.words) > 1 else ""
        return f"{self._signs[told.severity]} {told.health}{several}", role

    def _right(self) -> list[Piece]:
        feed, now = self._feed, self._feed.clock.monotonic()
        pieces = [Piece("  "), *self.recording()]
        if feed.protected:
            pieces += [Piece(" PROD ", "alert"), Piece(" ")]
        running, bad = self._acting.counts() if self._acting is not None else (0, 0)
        if running:
            pieces.append(Piece(f"{self._look.glyphs.busy} {running} running  ", "busy", "O"))
        if bad:
            pieces.append(Piece(f"{self._look.glyphs.bad} {bad} to look at (O)  ", "bad", "O"))
        if self._read_only():
            pieces += [Piece("READ-ONLY", "mark"), Piece("  ")]
        links = [feed.state.cluster.link, *(view.link for view in feed.state.nodes.values())]
        contacted = [link for link in links if link.status is not LinkStatus.NOT_CONTACTED]
        late = sum(link.stale(now) for link in contacted)
        ages = [age for link in contacted if (age := link.age(now)) is not None]
        if not ages:
            pieces.append(Piece("no data yet", "warn"))
        elif late and self.size.width >= _NARROW:
            pieces.append(Piece(f"{late} of {len(contacted)} stale, oldest {show.age(max(ages))}", "warn"))
        else:
            pieces.append(Piece(show.age(max(ages)), "warn" if late else "dim"))
        clock = feed.clock.now().astimezone(self._look.zone)
        zone = f" {clock.strftime('%Z')}" if self.size.width >= _NARROW else ""
        pieces.append(Piece(f"  {clock.strftime('%H:%M:%S')}{zone} "))
        return pieces

    def _read_only(self) -> bool:
        if self._acting is None:
            return self._feed.read_only
        return bool(self._acting.operations.read_only_why)

    def _stopped(self) -> list[Piece]:
        """VMMS that hvtui stopped and that is stopped: nothing else matters as much."""
        names = self._acting.operations.stopped_vmms if self._acting is not None else []
        if not names:
            return []
        return [Piece(f" VMMS is stopped on {', '.join(names)}, by hvtui: S starts it ", "alert", "S"), Piece("  ")]

    def _problem(self, told: Summary) -> list[Piece]:
        if self._trouble:
            return [Piece(f" {self._signs[Severity.BAD]} {self._trouble}", "bad")]
        first = self._first()
        alarms = self._findings.engine.alarms()
        if first and alarms[0].finding.severity >= told.severity:
            # What is only seen besides goes behind it, as far as there is room.
            words = together(told.words)[:3]
            more = f"   {self._look.glyphs.dot}   ".join(words)
            return [*first, *([Piece(f"   {self._look.plain(more)}", "dim")] if more else [])]
        if not told.words and not first:
            return [
                Piece(f" {self._look.glyphs.ok} nothing needs a look", "ok"),
                Piece(f"   quorum: {told.quorum}", "dim"),
            ]
        role = SEVERITY_ROLES[told.severity] if told.severity is not Severity.UNKNOWN else "dim"
        words = together(told.words)
        text = f"   {self._look.glyphs.dot}   ".join(words[:4])
        rest = len(words) - 4
        pieces = [Piece(f" {self._signs[told.severity]} {self._look.plain(text)}", role)]
        link = self._feed.state.cluster.link
        if link.status is not LinkStatus.LIVE and link.hint:
            pieces.append(Piece(f"   {self._look.plain(link.hint)}"))
        if rest > 0:
            pieces.append(Piece(f"   and {rest} more", "dim"))
        return [*pieces, Piece(f"   {self._look.glyphs.dot}  "), *first] if first else pieces

    def _first(self) -> list[Piece]:
        """The gravest finding in words, and how many there are."""
        alarms = self._findings.engine.alarms()
        if not alarms:
            return []
        finding = alarms[0].finding
        role = SEVERITY_ROLES[finding.severity]
        return [Piece(f" {self._signs[finding.severity]} {self._look.plain(finding.text)}", role)]

    def _place(self) -> list[Piece]:
        """`1 of 3`, and the key that shows them all: never cut."""
        count = 0 if self._trouble else len(self._findings.engine.alarms())
        return [Piece(f"  {self._look.glyphs.arrow} 1 of {count} (8) ", "key", "8")] if count else []


def together(words: Sequence[str]) -> list[str]:
    """Problems of the same kind in one sentence: `HV02, HV03 and 7 more: unreachable`."""
    names: dict[str, list[str]] = {}
    for word in words:
        name, _, problem = word.partition(": ")
        kind, _, reason = problem.partition(": ")
        problem = kind if kind == reason else problem
        names.setdefault(problem, []).append(name)
    told = []
    for problem, who in names.items():
        if not problem:
            told += who
            continue
        more = f" and {len(who) - 2} more" if len(who) > 3 else ""
        told.append(f"{', '.join(who[:2] if more else who)}{more}: {problem}")
    return told
