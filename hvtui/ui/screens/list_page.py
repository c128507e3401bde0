"""The frame of pages that ask nodes for a list and keep it: above the list, below everything of the row in it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widget import Widget

from hvtui.errors import HvtuiError
from hvtui.operations.run import Run
from hvtui.ui import format as fmt
from hvtui.ui.actions import bindings
from hvtui.ui.footer import KeyLine
from hvtui.ui.look import Look
from hvtui.ui.pointed import NOTHING, Pointed
from hvtui.ui.widgets.document import Document, Section
from hvtui.ui.widgets.line_table import LineTable
from hvtui.ui.widgets.styled_line import Piece, StyledLine

if TYPE_CHECKING:
    from hvtui.ui.acting import Acting

_LOG = logging.getLogger(__name__)

_PAUSE: Final = 0.2
"""Seconds in which changes of runs are gathered before they are painted."""


class ListPage(Screen[None]):
    """Subclasses say what is read and shown. What could not be read is said in the head, and never looks empty."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("page"), *bindings("acts")]

    KIND: ClassVar[str] = ""
    """What its rows are to actions."""
    SHARE: ClassVar[int] = 45
    """Percent of the screen that the list takes at most."""
    WITHOUT: ClassVar[tuple[str, ...]] = ()
    """Actions that are not named in the last line."""

    DEFAULT_CSS = """
    ListPage {
        background: $hv-base; layout: vertical;
        & Document { height: 1fr; border-top: solid $hv-frame; }
        &.-ascii Document { border-top: ascii $hv-frame; }
    }
    """

    def __init__(self, acting: Acting, listed: Widget) -> None:
        look: Look = acting.look
        super().__init__(classes="-ascii" if look.ascii else "")
        self.acting = acting
        self.look = look
        self.listed = listed
        self.head = StyledLine(ellipsis=look.glyphs.ellipsis)
        self.page = Document(look)
        self.page.can_focus = False
        self.failure = ""
        """Why the last reading brought nothing; empty when it did."""
        self._read_at: float | None = None
        self._began = 0.0
        self._work: asyncio.Task[None] | None = None
        self._unsubscribe: Callable[[], None] = lambda: None
        self._due = False
        self._over: set[str] = set()
        self._open = False

    # --- what subclasses say ---

    def heading(self) -> tuple[str, str]:
        """What the page is about, and short words beside it."""
        raise NotImplementedError

    async def fetch(self) -> None:
        """Read it from the nodes and keep it. HvtuiError is told as the reason."""
        raise NotImplementedError

    def show_list(self) -> int:
        """Show what is kept; returns the lines that the list wants."""
        raise NotImplementedError

    def sections(self) -> list[Section]:
        """Everything of the row under the cursor."""
        raise NotImplementedError

    def concerns(self, run: Run) -> bool:
        """The run changes what the page shows: it is read again when that has ended."""
        raise NotImplementedError

    def pointed(self) -> Pointed:
        """What a key pressed now is about."""
        return NOTHING

    # --- life ---

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.listed
        yield self.page
        yield KeyLine(self.look, "page", "acts", "app", kind=self.KIND, without=("acts.page", *self.WITHOUT))

    def on_mount(self) -> None:
        operations = self.acting.operations
        self._open = True
        self._over = {run.id for run in operations.runs if run.over}
        self._unsubscribe = operations.subscribe(self._heard)
        self.set_interval(1.0, self.show)
        self.set_focus(self.listed)
        self.show()
        self.begin()

    def begin(self) -> None:
        """The page is on the screen."""
        self.read()

    def on_unmount(self) -> None:
        self._open = False
        self._unsubscribe()
        if self._work is not None:
            self._work.cancel()

    def _heard(self, run: Run) -> None:
        if not self.concerns(run):
            return
        if run.over and run.id not in self._over:
            self._over.add(run.id)
            self.read()
        self.soon()

    def soon(self) -> None:
        """Show what is new, together with what else comes within a moment."""
        if not self._due and self._open:
            self._due = True
            self.set_timer(_PAUSE, self.show)

    # --- reading ---

    @property
    def reading(self) -> bool:
        """The nodes are being asked."""
        return self._work is not None and not self._work.done()

    @property
    def was_read(self) -> bool:
        """It was read at least once."""
        return self._read_at is not None

    def read(self) -> None:
        """Ask the nodes again."""
        if not self.reading:
            self._began = time.monotonic()
            self._work = asyncio.create_task(self._read(), name=f"read {type(self).__name__}")
            if self._open:
                self.show()

    async def _read(self) -> None:
        try:
            await self.fetch()
        except HvtuiError as error:
            self.failure = error.text
        except Exception as error:
            _LOG.exception("%s could not be read", type(self).__name__)
            self.failure = f"hvtui failed on it: {type(error).__name__}; its log has more"
        else:
            self.failure = ""
            self._read_at = self.acting.feed.clock.monotonic()
        self._work = None
        if self._open:
            self.show()
            # The list knows its cursor only when it has its new height.
            self.call_after_refresh(self.show)

    # --- showing ---

    def show(self) -> None:
        """Show what is kept now."""
        self._due = False
        if not self._open:
            return
        what, words = self.heading()
        left = [Piece(f" {what} ", "strong"), Piece(f" {words}", "dim")]
        self.head.show(left, [*self._state(), *([Piece(" PROD ", "alert")] if self.acting.feed.protected else [])])
        lines = self.show_list()
        most = max(4, self.size.height * self.SHARE // 100)
        self.listed.styles.height = max(3, min(lines, most))
        self.page.show_sections(self.sections())

    def _state(self) -> list[Piece]:
        if self.reading:
            waited = int(time.monotonic() - self._began)
            return [Piece(f"{self.look.glyphs.busy} being read ({waited} s) ", "busy")]
        age = (
            "" if self._read_at is None else f"read {fmt.age(self.acting.feed.clock.monotonic() - self._read_at)} ago "
        )
        if self.failure:
            return [Piece(f"{self.look.glyphs.unknown} not read: {self.look.plain(self.failure)} ", "warn"), Piece(age)]
        return [Piece(age, "dim")]

    def on_table_base_cursor_moved(self, message: LineTable.CursorMoved) -> None:
        """Another row: what is known of it stands below."""
        message.stop()
        self.page.scroll_to(y=0, animate=False)
        self.page.show_sections(self.sections())

    # --- keys ---

    def action_back(self) -> None:
        """Back to where the user came from."""
        self.dismiss(None)

    def action_read(self) -> None:
        """Read it again."""
        self.read()

    def action_more(self, halves: int) -> None:
        """Scroll the text below the list."""
        self.page.scroll_to(y=self.page.scroll_offset.y + halves * max(1, self.page.size.height // 2), animate=False)
