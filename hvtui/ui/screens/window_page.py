"""The backup window: a time axis with every VM's backup, writers and volumes, and what the night left behind."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen

from hvtui.text import safe_text
from hvtui.ui import format as fmt
from hvtui.ui.actions import ON_PAGES, bindings
from hvtui.ui.footer import KeyLine
from hvtui.ui.messages import OpenDetail
from hvtui.ui.pointed import NOTHING, Pointed
from hvtui.ui.widgets.styled_line import Piece, StyledLine
from hvtui.ui.widgets.timeline import Timeline
from hvtui.ui.window_paint import STEPS, Axis, axis_to, legend
from hvtui.ui.window_rows import SORTS, Kept, detail_of, rows_of
from hvtui.window.records import Expected
from hvtui.window.records import Timeline as Window

if TYPE_CHECKING:
    from hvtui.ui.look import Look
    from hvtui.ui.window_feed import WindowFeed

_WHOLE: Final = timedelta(hours=2)
"""What the axis shows at first, if that is not longer than what was watched."""
_LEAST: Final = timedelta(minutes=10)
_MOST: Final = timedelta(hours=36)


class WindowPage(Screen[None]):
    """Head, summary, rows on a time axis, what the row under the cursor is in full, and the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("window"), *bindings("acts")]

    DEFAULT_CSS = """
    WindowPage {
        background: $hv-base; layout: vertical;
        & Timeline { height: 1fr; }
        & #window-legend { background: $hv-base; }
        & .window--detail { background: $hv-base; }
    }
    """

    def __init__(self, window: WindowFeed, look: Look) -> None:
        super().__init__()
        self._window = window
        self._look = look
        self._head = StyledLine(ellipsis=look.glyphs.ellipsis, id="window-head")
        self._sum = StyledLine(ellipsis=look.glyphs.ellipsis, id="window-summary")
        self._legend = StyledLine(ellipsis=look.glyphs.ellipsis, id="window-legend")
        self._details = [StyledLine(ellipsis=look.glyphs.ellipsis) for _ in range(2)]
        self.table = Timeline(look, window.feed.clock)
        self._told: Window | None = None
        self._step = 0
        self._end: datetime | None = None
        """Where the axis ends; None: it ends now."""
        self._sort = 0
        self._kept: Kept = {}

    def compose(self) -> ComposeResult:
        yield self._head
        yield self._sum
        yield self.table
        yield self._legend
        for line in self._details:
            line.add_class("window--detail")
            yield line
        yield KeyLine(self._look, "window", "acts", "app", without=("acts.window", "verb.cancel", *ON_PAGES))

    def on_mount(self) -> None:
        self.set_interval(1.0, self.show)
        self.set_focus(self.table)
        self._legend.show([Piece(" "), *(Piece(text, role) for text, role in legend(self._look))])
        self.show()

    # --- showing ---

    @property
    def window(self) -> Window | None:
        """What is shown now."""
        return self._told

    def show(self) -> None:
        """Look at the tracker again."""
        if not self.is_mounted:
            return
        told = self._window.timeline()
        if told is None:
            self.table.empty_text = f"the backup window cannot be shown: {self._window.failure}"
            self.table.refresh()
            return
        self._told = told
        axis = self._axis(told)
        rows = rows_of(told, self._look, SORTS[self._sort], self._window.watching.rows, self._kept)
        self.table.show(rows, axis, told.now)
        self._show_head(told, axis)
        self._show_summary(told)
        self._show_detail()

    def _axis(self, told: Window) -> Axis:
        cells = self.table.strip_width
        if not self._step and self.table.size.width:
            # At first: the window so far, or the time watched, but no more than two hours of the past.
            begun = [line.backups[-1].begin for line in told.vms if line.backups and line.backups[-1].open]
            begin = max(told.now - _WHOLE, min(told.watched, told.now - _LEAST, *begun))
            wanted = (told.now - begin).total_seconds() / cells
            self._step = next((step for step in STEPS if step >= wanted), STEPS[-1])
        step = self._step or STEPS[0]
        return axis_to(told.now if self._end is None else min(self._end, told.now), step, cells)

    def _show_head(self, told: Window, axis: Axis) -> None:
        zone, dot = self._look.zone, self._look.glyphs.dot
        pieces = [Piece(" Backup window ", "strong"), *self._expected(told.expected, told.now)]
        shown = fmt.age(axis.step * axis.cells)
        if self._end is None:
            right = [Piece("  live", "ok"), Piece(f" {dot} {shown}", "dim")]
        else:
            behind = fmt.age((told.now - axis.end).total_seconds())
            right = [Piece(f"  {behind} back (t: live)", "mark"), Piece(f" {dot} {shown}", "dim")]
        right.append(Piece(f" {dot} by {SORTS[self._sort]}  {fmt.clock_time(told.now, zone)} ", "dim"))
        self._head.show(pieces, right)

    def _expected(self, expected: Expected | None, now: datetime) -> list[Piece]:
        zone = self._look.zone
        if expected is None:
            return [Piece(self._look.plain("none configured (windows = [ … ] of the cluster)"), "dim")]
        dash = "-" if self._look.ascii else "–"
        if expected.begin is None or expected.end is None:
            return [] if expected.next is None else [Piece(f"begins in {_left(expected.next - now)}", "dim")]
        span = f"{fmt.clock_time(expected.begin, zone)[:5]}{dash}{fmt.clock_time(expected.end, zone)[:5]}"
        if expected.inside:
            return [Piece(f"{span}, "), Piece(f"{_left(expected.end - now)} left", "busy")]
        after = f", next in {_left(expected.next - now)}" if expected.next is not None else ""
        return [Piece(f"{span}, over for {_left(now - expected.end)}{after}", "dim")]

    def _show_summary(self, told: Window) -> None:
        glyphs, counts = self._look.glyphs, told.summary
        parts = (
            (counts.failed, f"{glyphs.bad} {counts.failed} failed", "bad"),
            (counts.stalled, f"{glyphs.warn} {counts.stalled} stalled", "warn"),
            (counts.missed, f"{glyphs.warn} {counts.missed} missed", "warn"),
            (counts.running, f"{glyphs.busy} {counts.running} running", "busy"),
            (counts.waiting, f"{counts.waiting} waiting", ""),
            (counts.ended, f"{counts.ended} ended, outcome unknown", "dim"),
            (counts.done, f"{glyphs.ok} {counts.done} done", "ok"),
            (counts.unknown, f"{glyphs.unknown} {counts.unknown} not readable", "dim"),
        )
        pieces = [Piece(" ")]
        for count, text, role in parts:
            if count:
                pieces.append(Piece(f"{text}  ", role))
        if len(pieces) == 1:
            pieces.append(Piece("no backup was seen  ", "dim"))
        if counts.unread:
            pieces.append(Piece(f"{glyphs.unknown} not heard: {', '.join(counts.unread[:3])}  ", "warn"))
        if counts.oldest is not None:
            one = counts.oldest
            age = f" {fmt.age((told.now - one.since).total_seconds())}" if one.since is not None else ""
            words = f"{glyphs.warn} {counts.leftovers} left behind, oldest: {one.name} {one.kind}{age}"
            pieces.append(Piece(words, "warn"))
        self._sum.show(pieces)

    def _show_detail(self) -> None:
        width = max(20, self.size.width - 2)
        told = detail_of(self.table.row, self._told, self._look, width) if self._told is not None else []
        for number, line in enumerate(self._details):
            line.show([Piece(f" {told[number]}" if number < len(told) else " ", "" if number == 0 else "dim")])

    def on_timeline_cursor_moved(self, message: Timeline.CursorMoved) -> None:
        message.stop()
        self._show_detail()

    def on_timeline_opened(self, message: Timeline.Opened) -> None:
        message.stop()
        self.action_open()

    def on_timeline_resized(self, message: Timeline.Resized) -> None:
        message.stop()
        self.show()

    # --- what keys are about ---

    def pointed(self) -> Pointed:
        """The VM, CSV or node under the cursor."""
        row = self.table.row
        return Pointed(row.target, (row.key,)) if row is not None and row.target else NOTHING

    # --- keys ---

    def action_back(self) -> None:
        """Back to where the user came from."""
        self.dismiss(None)

    def action_open(self) -> None:
        """Everything known of what the row is about."""
        row = self.table.row
        if row is not None and row.target:
            self.post_message(OpenDetail(row.target, row.key))

    def action_move(self, way: int) -> None:
        """The time axis back or on by a quarter; on beyond now it is live again."""
        told, axis = self._told, self.table.axis
        if told is None or axis is None:
            return
        end = (self._end or told.now) + timedelta(seconds=way * axis.step * max(1, axis.cells // 4))
        self._end = None if end >= told.now else max(end, told.now - _MOST)
        self.show()

    def action_live(self) -> None:
        """The axis ends now."""
        self._end = None
        self.table.thaw()
        self.show()

    def action_zoom(self, way: int) -> None:
        """More or less time in a cell; the end of the axis stays."""
        place = STEPS.index(self._step) if self._step in STEPS else 0
        self._step = STEPS[max(0, min(place + way, len(STEPS) - 1))]
        self.show()

    def action_sort(self) -> None:
        """The next order."""
        self._sort = (self._sort + 1) % len(SORTS)
        self.table.thaw()
        self.show()

    def action_row(self, step: int) -> None:
        """Some rows down."""
        self.table.go(step)

    def action_page(self, halves: int) -> None:
        """So many half pages down."""
        self.table.page(halves)

    def action_edge(self, side: int) -> None:
        """To the first or last row."""
        self.table.edge(side)

    def action_seek(self, step: int) -> None:
        """To the next row in trouble."""
        self.table.seek(step)

    def action_section(self, step: int) -> None:
        """To the next part."""
        self.table.section(step)

    def action_read(self) -> None:
        """Ask for the writers again: of the node under the cursor, or of all."""
        row = self.table.row
        said = self._window.feed.refresh("writers", row.key if row is not None and row.target == "node" else "")
        if said:
            self.notify(Content(safe_text(said)).plain, markup=False)


def _left(span: timedelta) -> str:
    """A span to a minute, as people count down: `3:12`, `0:04`; with days `2 d 3:12`."""
    minutes = max(0, int(span.total_seconds() // 60))
    days, rest = divmod(minutes, 24 * 60)
    return f"{days} d {rest // 60}:{rest % 60:02d}" if days else f"{rest // 60}:{rest % 60:02d}"
