"""The main screen: header, seven panes, key line. It arranges; the panes show."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.notifications import SeverityLevel
from textual.screen import Screen

from hvtui.live.feed import Feed
from hvtui.model.change import Change
from hvtui.recording.feed import ReplayFeed
from hvtui.text import safe_text
from hvtui.ui.acting import Acting
from hvtui.ui.actions import ON_PAGES, PANES, bindings
from hvtui.ui.finding_watch import FindingWatch
from hvtui.ui.footer import KeyLine
from hvtui.ui.header import Header
from hvtui.ui.look import Look
from hvtui.ui.messages import FilterVms, GoTo
from hvtui.ui.pane import Pane
from hvtui.ui.panes.csvs import CsvsPane
from hvtui.ui.panes.events import EventsPane
from hvtui.ui.panes.findings import FindingsPane
from hvtui.ui.panes.nodes import NodesPane
from hvtui.ui.panes.placement import PlacementPane
from hvtui.ui.panes.vms import VmsPane
from hvtui.ui.panes.writers import WritersPane
from hvtui.ui.pointed import Pointed
from hvtui.ui.replay import ReplayBar
from hvtui.ui.watching import Watching

_LOG = logging.getLogger(__name__)

_ELSEWHERE = ("verb.cancel", *ON_PAGES)
"""Keys that are shown on pages of their own."""
_LEAST = 7
"""Lines of a row of panes, whatever is in it."""


class Overview(Screen[None]):
    """All panes of one cluster."""

    TITLE = "hvtui"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("overview"), *bindings("acts")]
    AUTO_FOCUS = "#vms"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-normal"), (180, "-wide")]  # noqa: RUF012  # declared by Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-tall")]  # noqa: RUF012  # declared by Textual

    DEFAULT_CSS = """
    Overview {
        background: $hv-base; color: $hv-text; layout: vertical;
        & #upper { height: 30%; min-height: 6; }
        & #lower { height: 30%; min-height: 6; }
        & #pane-nodes { width: 45%; }
        & #pane-csvs { width: 1fr; }
        & #pane-vms { height: 1fr; }
        & #lower > Pane { display: none; width: 1fr; height: 100%; }
        & #lower > Pane.-shown { display: block; }
        &.-wide #lower > Pane { display: block; }
        &.-wide #lower > #pane-findings { display: none; }
        &.-wide #lower.-findings > #pane-findings { display: block; }
        &.-wide #lower.-findings > #pane-placement { display: none; }
        &.-wide #pane-writers { width: 1fr; }
        &.-wide #pane-placement { width: 1fr; }

        &.-short Pane, &.-narrow Pane { padding: 1 0 0 0; }
        &.-short #upper { height: 6; }
        &.-short #lower { height: 5; min-height: 5; }
        &.-short #lower.-entered { height: 10; }
        &.-narrow #pane-nodes { width: 50%; }

        &.-protected Pane > .pane--frame { color: $hv-bad; }
        &.-protected Pane > .pane--frame-focus { color: $hv-bad; text-style: bold; }
        & .-gone { display: none !important; }
        & .-zoom { display: block !important; width: 1fr !important; height: 1fr !important; }
    }
    """

    def __init__(
        self,
        feed: Feed,
        look: Look,
        ask_again: Callable[[], bool],
        findings: FindingWatch,
        acting: Acting | None = None,
    ) -> None:
        """`ask_again` opens the password dialog if the credential was refused, and says whether it did."""
        super().__init__(classes="-protected" if feed.protected else "")
        self._acting = acting
        self._ask_again = ask_again
        self.feed = feed
        self.look = look
        marks = acting.marks if acting is not None else None
        self.header = Header(feed, look, findings, acting)
        self.vms = VmsPane(feed, look, marks)
        nodes, csvs = NodesPane(feed, look, marks), CsvsPane(feed, look)
        self.csvs = csvs
        writers, placement, listed = WritersPane(feed, look), PlacementPane(feed, look), EventsPane(feed, look)
        self.findings = FindingsPane(feed, look, findings)
        listing = (nodes, csvs, self.vms, writers, placement, listed, self.findings)
        self.panes: dict[str, Pane] = {pane.key: pane for pane in listing}
        self.replay = ReplayBar(feed, look) if isinstance(feed, ReplayFeed) else None
        self._failed: set[str] = set()
        self._heights: dict[str, int] = {}

    def compose(self) -> ComposeResult:
        panes = self.panes
        yield self.header
        with Horizontal(id="upper"):
            yield panes["nodes"]
            yield panes["csvs"]
        yield panes["vms"]
        with Horizontal(id="lower"):
            yield panes["writers"]
            yield panes["placement"]
            yield panes["events"]
            yield panes["findings"]
        if self.replay is not None:
            yield self.replay
        yield KeyLine(self.look, "table", "overview", "acts", "app", without=_ELSEWHERE)

    def on_mount(self) -> None:
        self.panes["writers"].add_class("-shown")
        self.set_interval(1.0, self._second)
        self.call_after_refresh(self._fit_rows)

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit_rows)

    # --- data ---

    def apply(self, change: Change) -> None:
        """Hand a change to every pane; one that fails says so and the others go on."""
        self._each_pane(change)
        self.header.apply(change)
        if self.replay is not None:
            self.replay.tick()
        self.call_later(self._fit_rows)

    def _second(self) -> None:
        self._each_pane(None)
        self.call_later(self.header.tick)
        self.call_later(self._fit_rows)

    def _each_pane(self, change: Change | None) -> None:
        # One message each, so that a key never waits for more than one pane.
        for pane in self.panes.values():
            if pane.is_mounted:
                self.call_later(self._guarded, pane, change)

    def _fit_rows(self) -> None:
        """Rows of panes get no more lines than they can fill; the VMs get the rest."""
        for row in self.query(Horizontal):
            shown = [pane for pane in row.query(Pane) if pane.display]
            height = 0
            if self.has_class("-tall") and not self.has_class("-zoomed") and shown:
                most = self.size.height * 30 // 100
                height = max(_LEAST, min(most, max(pane.lines_wanted(most) for pane in shown)))
            if height != self._heights.get(row.id or "", 0):
                self._heights[row.id or ""] = height
                # None, not `clear_rule`: that would not lay the screen out again.
                row.styles.height = height or None

    def _guarded(self, pane: Pane, change: Change | None) -> None:
        try:
            if change is None:
                pane.second()
            else:
                pane.apply(change)
        except Exception as error:
            # Whatever goes wrong inside one view must not take the console away from the person on call.
            if pane.key not in self._failed:
                self._failed.add(pane.key)
                _LOG.exception("pane %s", pane.key)
            pane.show_failure(f"{type(error).__name__} in hvtui itself; see the log")

    def marked(self, keys: set[str]) -> None:
        """Other marks of operations on these rows (`Target.key`)."""
        for pane in self.panes.values():
            if pane.is_mounted:
                pane.marks_changed(keys)
        self.header.tick()

    def show_watching(self, watching: Watching) -> None:
        """What is watched carries a mark in its row."""
        self.vms.watching = watching
        self.csvs.watching = watching

    def watched(self, pointed: Pointed) -> None:
        """These rows are watched now, or no more."""
        pane = self.vms if pointed.kind == "vm" else self.csvs
        pane.watched_changed(set(pointed.keys))

    def pointed(self) -> Pointed:
        """What a key pressed now is about."""
        return self.focused_pane.pointed()

    # --- panes ---

    @property
    def focused_pane(self) -> Pane:
        """The pane that has the focus, the VM pane when none has."""
        node = self.focused
        while node is not None:
            if isinstance(node, Pane):
                return node
            node = node.parent  # type: ignore[assignment]
        return self.panes["vms"]

    def show_pane(self, key: str) -> None:
        """Make a pane visible and focus it."""
        pane = self.panes[key]
        lower = self.query_one("#lower")
        if pane.parent is lower:
            for other in lower.query(Pane):
                other.set_class(other is pane, "-shown")
            # On a wide screen the findings take the room of the placement.
            lower.set_class(key == "findings", "-findings")
        lower.set_class(pane.parent is lower, "-entered")
        if self.has_class("-zoomed"):
            self._zoom(pane)
        pane.focus_inside()

    def _zoom(self, zoomed: Pane | None) -> None:
        self.set_class(zoomed is not None, "-zoomed")
        row = zoomed.parent if zoomed is not None else None
        for pane in self.panes.values():
            pane.set_class(zoomed is not None and pane is not zoomed, "-gone")
            pane.set_class(pane is zoomed, "-zoom")
        for box in self.query(Horizontal):
            if box.id in {"upper", "lower"}:
                box.set_class(zoomed is not None and box is not row, "-gone")
                box.set_class(zoomed is not None and box is row, "-zoom")
        # The fitted height of a row is stronger than its class: a zoomed row must lose it now, not at the next tick.
        self._fit_rows()

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        lower = self.query_one("#lower")
        lower.set_class(self.focused_pane.parent is lower, "-entered")

    def on_filter_vms(self, message: FilterVms) -> None:
        """The VM pane with another filter."""
        self.panes["vms"].open_filter(message.text)
        self.show_pane("vms")

    def on_go_to(self, message: GoTo) -> None:
        """A pane, and a row of it."""
        self.show_pane(message.pane)
        pane = self.panes[message.pane]
        if message.key and not pane.go_to(message.key) and not (pane.clear_filter() and pane.go_to(message.key)):
            self.tell("it is not there any more")

    def tell(self, text: str, *, severity: SeverityLevel = "information") -> None:
        """A short word at the edge of the screen; the truth stays in the panes."""
        sign = {"warning": f"{self.look.glyphs.warn} ", "error": f"{self.look.glyphs.bad} "}.get(severity, "")
        self.notify(sign + safe_text(self.look.plain(text)), severity=severity, markup=False, timeout=4)

    # --- keys ---

    def action_pane(self, key: str) -> None:
        """Focus a pane."""
        self.show_pane(key)

    def action_pane_step(self, step: int) -> None:
        """Focus the next pane."""
        here = PANES.index(self.focused_pane.key)
        self.show_pane(PANES[(here + step) % len(PANES)])

    def action_zoom(self) -> None:
        """The focused pane alone, and back."""
        self._zoom(None if self.has_class("-zoomed") else self.focused_pane)

    def action_filter(self) -> None:
        """Open the filter line of the focused pane."""
        pane = self.focused_pane
        if pane.filterable:
            pane.open_filter()
        else:
            self.show_pane("vms")
            self.panes["vms"].open_filter()

    def action_back(self) -> None:
        """One step back."""
        if not self.focused_pane.back() and self.has_class("-zoomed"):
            self._zoom(None)

    def action_read(self) -> None:
        """Ask for what the focused pane shows; after a refused log-on, for another password."""
        pane = self.focused_pane
        if self._ask_again():
            return
        if not pane.reads:
            self.tell("nothing to read here")
            return
        self.tell(self.feed.refresh(pane.reads, pane.read_node()))
