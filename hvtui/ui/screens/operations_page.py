"""The operations page: what runs, what was done, what failed and was not seen yet, and the command log."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from hvtui.journal.store import JournalError
from hvtui.journal.unfinished import Unfinished
from hvtui.operations.recovery import Truth
from hvtui.operations.run import Offer, Run, RunState
from hvtui.ui import format as fmt
from hvtui.ui.actions import bindings
from hvtui.ui.asks import undo
from hvtui.ui.dialogs.ask_dialog import CloseUnfinished
from hvtui.ui.dialogs.menu import Choice, MenuScreen
from hvtui.ui.footer import KeyLine
from hvtui.ui.isolations import tally_of
from hvtui.ui.look import Look
from hvtui.ui.pointed import Pointed
from hvtui.ui.screens.run_text import STATE_ROLES, log_sections, run_sections, sign_of, unfinished_sections
from hvtui.ui.widgets.document import Document
from hvtui.ui.widgets.line_table import Column, LineTable
from hvtui.ui.widgets.styled_line import Piece, StyledLine

if TYPE_CHECKING:
    from hvtui.ui.acting import Acting

_LOG = logging.getLogger(__name__)

_PAUSE: Final = 0.2
"""Seconds in which changes of runs are gathered before they are painted."""
_CLOSE: Final = "\nclose"


@dataclass(frozen=True, slots=True)
class Row:
    """One operation in the list. `percent` and times are text, so that an equal row is not painted again."""

    key: str
    sign: str
    role: str
    state: str
    title: str
    percent: str
    items: str
    began: str
    ended: str
    place: int


class OperationsPage(Screen[None]):
    """Above the list, below everything of the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("operations"), *bindings("acts")]

    DEFAULT_CSS = """
    OperationsPage {
        background: $hv-base; layout: vertical;
        & LineTable { height: 5; }
        & Document { height: 1fr; border-top: solid $hv-frame; }
        &.-ascii Document { border-top: ascii $hv-frame; }
    }
    """

    def __init__(self, acting: Acting) -> None:
        look: Look = acting.look
        super().__init__(classes="-ascii" if look.ascii else "")
        self._acting = acting
        self._look = look
        self._head = StyledLine(ellipsis=look.glyphs.ellipsis)
        self._page = Document(look)
        self._log = False
        self._truths: dict[str, Truth] = {}
        self._work: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._due = False
        self._pause = _PAUSE
        self._newest = ""
        self.table: LineTable[Row] = LineTable(
            self._columns(),
            look,
            acting.feed.clock,
            sort="began",
            name=lambda line: line.title,
            trouble=lambda line: line.role == "bad",
            id="operations",
        )

    def _columns(self) -> list[Column[Row]]:
        def column(
            key: str, title: str, cell: Callable[[Row], str | tuple[str, str]], width: int, *, grow: int = 0,
            most: int = 40, priority: int = 1, right: bool = False,
        ) -> Column[Row]:  # fmt: skip
            return Column(key=key, title=title, cell=cell, sort=lambda line: line.place, width=width, grow=grow,
                          most=most, priority=priority, right=right)  # fmt: skip

        return [
            column("sign", "", lambda line: (line.sign, line.role), 1, priority=0),
            column("state", "state", lambda line: (line.state, line.role), 10, grow=1, most=14, priority=0),
            column("title", "operation", lambda line: line.title, 30, grow=6, most=70, priority=0),
            column("percent", "%", lambda line: line.percent, 4, right=True),
            column("items", "items", lambda line: line.items, 9, priority=2),
            column("began", "begun", lambda line: line.began, 8, priority=3),
            column("ended", "ended", lambda line: line.ended, 8, priority=4),
        ]

    def compose(self) -> ComposeResult:
        yield self._head
        yield self.table
        yield self._page
        yield KeyLine(self._look, "operations", "acts", "app", kind="run", without=("acts.page",))

    def on_mount(self) -> None:
        self._unsubscribe = self._acting.operations.subscribe(self._heard)
        self.set_interval(1.0, self._show)
        self.set_focus(self.table)
        self._show()

    def on_unmount(self) -> None:
        self._unsubscribe()
        if self._work is not None:
            self._work.cancel()

    def _heard(self, run: Run) -> None:
        if run.over:
            # What was read back before it may be so no longer.
            self._truths.clear()
        if not self._due and self.is_mounted:
            self._due = True
            self.set_timer(self._pause, self._show)

    @property
    def text(self) -> str:
        """The lower part as plain text."""
        return self._page.text

    # --- showing ---

    def _show(self) -> None:
        began = time.perf_counter()
        self._due = False
        self._paint()
        # A run over thousands of VMs tells of every one: the page takes a tenth of the time at most.
        self._pause = max(_PAUSE, 10 * (time.perf_counter() - began))

    def _paint(self) -> None:
        operations, look = self._acting.operations, self._look
        rows = self._rows()
        gone: dict[str, Row | None] = {key: None for key in self.table.order.rows if key not in rows}
        self.table.update_rows(gone | rows)
        self.table.empty_text = "nothing was asked for yet: M, A, D, U, V on a row of the panes, or . for all actions"
        newest = operations.runs[-1].id if operations.runs else ""
        if newest != self._newest:
            # What was just begun is what its person looks for.
            self.table.thaw(at_once=True)
            if self.table.put_cursor(newest):
                self._newest = newest
        self.table.styles.height = max(3, min(len(rows) + 1, self.size.height * 30 // 100))
        running, bad = self._acting.counts()
        right = [Piece(" PROD ", "alert"), Piece(" ")] if self._acting.feed.protected else []
        if operations.read_only_why:
            right.insert(0, Piece("READ-ONLY  ", "mark"))
        info = self._acting.feed.state.cluster.info
        name = info.name if info is not None else self._acting.feed.title
        self._head.show(
            [Piece(" Operations ", "strong"), Piece(f"on {name}  ", "dim"),
             Piece(f"{running} running", "busy" * bool(running)), Piece(f"  {bad} to look at" if bad else "", "bad")],
            right,
        )  # fmt: skip
        if self._log:
            self._page.show_sections(log_sections(operations.commands, look))
            return
        key = self.table.cursor_key
        run, one = self._run(key), self._unfinished(key)
        if run is not None:
            isolation = self._acting.isolations.get(run.id)
            counted = tally_of(self._acting.feed, isolation) if isolation is not None else None
            self._page.show_sections(run_sections(run, look, counted))
        elif one is not None:
            self._page.show_sections(unfinished_sections(one, self._truths.get(one.operation), look))
        else:
            self._page.show_sections([])

    def _rows(self) -> dict[str, Row | None]:
        look, made = self._look, {}
        runs = list(self._acting.operations.runs)
        for place, run in enumerate(reversed(runs)):
            done = sum(item.ended for item in run.items)
            state = "cancelling" if run.cancelling and not run.over else run.state.value
            bad = run.state in {RunState.FAILED, RunState.UNKNOWN}
            made[run.id] = Row(
                key=run.id,
                sign=sign_of(run.state, look),
                role="dim" if run.acknowledged and bad else STATE_ROLES.get(run.state, ""),
                state=state,
                title=run.plan.title,
                percent=f"{run.percent}%" if run.percent is not None and not run.over else "",
                items=f"{done}/{len(run.items)}" if run.items else "",
                began=fmt.clock_time(run.started, look.zone) if run.started is not None else "",
                ended=fmt.clock_time(run.ended, look.zone) if run.ended is not None else "",
                place=place,
            )
        for place, one in enumerate(self._acting.operations.unfinished(), start=len(runs)):
            began = fmt.clock_time(one.begun.time, look.zone)
            made[one.operation] = Row(
                one.operation, look.glyphs.warn, "warn", "unfinished", one.begun.title, "", "", began, "", place
            )
        return dict(made)

    def _run(self, key: str | None) -> Run | None:
        return next((run for run in self._acting.operations.runs if run.id == key), None)

    def _unfinished(self, key: str | None) -> Unfinished | None:
        return next((one for one in self._acting.operations.unfinished() if one.operation == key), None)

    def on_table_base_cursor_moved(self, message: LineTable.CursorMoved) -> None:
        message.stop()
        self._log = False
        self._page.scroll_to(y=0, animate=False)
        self._show()

    def on_line_table_opened(self, message: LineTable.Opened) -> None:
        """Enter on a row."""
        message.stop()
        self.action_next_step()

    def pointed(self) -> Pointed:
        """The operation under the cursor."""
        key = self.table.cursor_key
        return Pointed("run", (key,) if key is not None else ())

    # --- keys ---

    def action_back(self) -> None:
        """Back to the panes."""
        self.dismiss(None)

    def action_log(self) -> None:
        """The command log, and back."""
        self._log = not self._log
        self._page.scroll_to(y=0, animate=False)
        self._show()

    def action_seen(self) -> None:
        """A person has seen how it ended."""
        run = self._run(self.table.cursor_key)
        if run is not None and run.over:
            self._acting.operations.acknowledge(run)

    def action_undo(self) -> None:
        """Plan the way back of the operation."""
        key = self.table.cursor_key
        if key is not None:
            undo(self._acting, key)

    def action_next_step(self) -> None:
        """Choose among what a run offers."""
        key = self.table.cursor_key
        run, one = self._run(key), self._unfinished(key)
        if run is not None:
            if run.offers:
                self._choose(f"After: {run.plan.title}", list(run.offers), None)
            else:
                self._acting.tell("there is no next step to it")
        elif one is not None:
            truth = self._truths.get(one.operation)
            if truth is None:
                self.action_read_back()
            else:
                self._choose(f"Unfinished: {one.begun.title}", list(truth.offers), one)

    def _choose(self, heading: str, offers: list[Offer], one: Unfinished | None) -> None:
        choices = [
            Choice(str(n), offer.text, str(n + 1), word="a plan, to be confirmed") for n, offer in enumerate(offers)
        ]
        if one is not None:
            choices.append(
                Choice(_CLOSE, "Mark it as closed", str(len(offers) + 1), word="with a note for the journal")
            )

        def chosen(key: str) -> None:
            if key == _CLOSE:
                self._close(one)
            else:
                self._acting.take(offers[int(key)])

        feed = self._acting.feed
        self.app.push_screen(MenuScreen(self._look, feed.clock, heading, choices, chosen, protected=feed.protected))

    def action_read_back(self) -> None:
        """What became of an unfinished operation."""
        one = self._unfinished(self.table.cursor_key)
        if one is not None and (self._work is None or self._work.done()):
            self._work = asyncio.create_task(self._read_back(one), name="read back")

    async def _read_back(self, one: Unfinished) -> None:
        try:
            self._truths[one.operation] = await self._acting.operations.read_back(one)
        except Exception as error:
            _LOG.exception("nothing could be read back")
            self._acting.tell(f"it could not be read back: {type(error).__name__}")
        self._show()

    def _close(self, one: Unfinished | None) -> None:
        if one is None:
            return
        truth = self._truths.get(one.operation)
        lines = truth.lines if truth is not None else ("it was not read back",)

        def close(note: str) -> None:
            self._work = asyncio.create_task(self._note_closed(one, note), name="close")

        self.app.push_screen(CloseUnfinished(self._acting.feed, self._look, one.begun.title, lines, close))

    async def _note_closed(self, one: Unfinished, note: str) -> None:
        try:
            await self._acting.operations.close_unfinished(one.operation, note)
        except JournalError as error:
            self._acting.tell(error.text)
        self._show()
