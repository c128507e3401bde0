"""A list to choose one thing from, with what is known of the row under the cursor below it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.strip import Strip

from hvtui.clock import Clock
from hvtui.ui.look import Look
from hvtui.ui.widgets.document import Document, Line, Section
from hvtui.ui.widgets.line_table import Column, LineTable
from hvtui.ui.widgets.row_paint import RowPainter
from hvtui.ui.widgets.styled_line import Piece, StyledLine

_MOST: Final = 14
"""Rows of the list that are shown at once."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One entry. `key` chooses it at once; `word` stands at the right end; `about` is shown below for the cursor."""

    id: str
    title: str
    key: str = ""
    sign: str = ""
    role: str = ""
    word: str = ""
    about: tuple[Line, ...] = ()
    place: int = 0


class ChoiceTable(LineTable[Choice]):
    """The list: its columns need no titles."""

    def _header(self, painter: RowPainter[Choice]) -> Strip:
        return self._blank_strip()


class MenuScreen(ModalScreen[None]):
    """Enter chooses, Esc leaves. What is chosen never does more than open the next dialog."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Close", show=False)]

    DEFAULT_CSS = """
    MenuScreen {
        align: center middle; background: $hv-base 60%;
        & > Vertical {
            width: 96; max-width: 100%; height: auto; max-height: 100%; padding: 0;
            background: $hv-base; color: $hv-text; border: round $hv-frame-focus;
        }
        &.-ascii > Vertical { border: ascii $hv-frame-focus; }
        &.-protected > Vertical { border: heavy $hv-bad; }
        &.-ascii.-protected > Vertical { border: ascii $hv-bad; }
        & LineTable { height: 3; }
        & Document { height: 3; scrollbar-size: 1 1; }
    }
    """

    def __init__(
        self,
        look: Look,
        clock: Clock,
        heading: str,
        choices: Sequence[Choice],
        choose: Callable[[str], None],
        *,
        hint: str = "Enter chooses, Esc leaves",
        protected: bool = False,
    ) -> None:
        classes = [name for name, wanted in (("-ascii", look.ascii), ("-protected", protected)) if wanted]
        super().__init__(classes=" ".join(classes))
        self.look = look
        self.heading = heading
        self._choose = choose
        self._hint = hint
        self._protected = protected
        self._done = False
        self.head = StyledLine(ellipsis=look.glyphs.ellipsis)
        self.foot = StyledLine(ellipsis=look.glyphs.ellipsis)
        self.page = Document(look)
        self.page.can_focus = False
        self.table = ChoiceTable(
            self._columns(), look, clock, sort="title", name=lambda choice: choice.title, id="choices"
        )
        self.choices: list[Choice] = []
        self._give(choices)

    def _columns(self) -> list[Column[Choice]]:
        return [
            Column(key="key", title="", width=3, priority=0, cell=lambda choice: (choice.key, "key"),
                   sort=lambda choice: choice.place),
            Column(key="sign", title="", width=1, priority=0, cell=lambda choice: (choice.sign, choice.role),
                   sort=lambda choice: choice.place),
            Column(key="title", title="", width=24, grow=3, most=46, priority=0, cell=lambda choice: choice.title,
                   sort=lambda choice: choice.place),
            Column(key="word", title="", width=20, grow=9, most=120, priority=1,
                   cell=lambda choice: (choice.word, choice.role or "dim"), sort=lambda choice: choice.place),
        ]  # fmt: skip

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self.head
            yield self.table
            yield self.page
            yield self.foot

    def on_mount(self) -> None:
        right = [Piece(" PROD ", "alert"), Piece(" ")] if self._protected else []
        self.head.show([Piece(f" {self.heading}", "strong")], right)
        self.foot.show([Piece(f" {self._hint}", "dim")])
        self.set_focus(self.table)
        self._show()
        self.opened()

    def opened(self) -> None:
        """The menu is on the screen."""

    def on_resize(self) -> None:
        self._show()

    def show_choices(self, choices: Sequence[Choice], hint: str = "") -> None:
        """Other entries; the cursor stays on its own."""
        self._give(choices)
        if hint:
            self._hint = hint
        if self.is_mounted:
            self.foot.show([Piece(f" {self._hint}", "dim")])
            self._show()

    def _give(self, choices: Sequence[Choice]) -> None:
        ordered = [
            Choice(one.id, one.title, one.key, one.sign, one.role, one.word, one.about, place)
            for place, one in enumerate(choices)
        ]
        gone: dict[str, Choice | None] = {one.id: None for one in self.choices}
        self.choices = ordered
        self.table.update_rows(gone | {one.id: one for one in ordered})

    def _show(self) -> None:
        rows = len(self.choices)
        self.table.styles.height = min(_MOST, max(1, rows), max(3, self.size.height // 2 - 2)) + 1
        self._about()

    def _about(self) -> None:
        here = self.table.row(self.table.cursor_key)
        lines = here.about if here is not None else ()
        self.page.display = bool(any(choice.about for choice in self.choices))
        listed = self.table.styles.height
        room = max(2, self.size.height - int(listed.value if listed is not None else 3) - 5)
        self.page.show_sections([Section(here.title, lines, wide=True)] if here is not None and lines else [])
        self.page.styles.height = min(room, max((len(choice.about) + 2 for choice in self.choices), default=2))

    def on_table_base_cursor_moved(self, message: LineTable.CursorMoved) -> None:
        message.stop()
        self._about()

    def on_line_table_opened(self, message: LineTable.Opened) -> None:
        """Enter, or a double click."""
        message.stop()
        self._chosen(message.key)

    def on_key(self, event: events.Key) -> None:
        """A choice's own key. It ends here: below the menu it may be bound, too."""
        for choice in self.choices:
            if choice.key and choice.key == event.character:
                event.stop()
                event.prevent_default()
                self._chosen(choice.id)
                return

    def _chosen(self, key: str) -> None:
        if self._done:
            return
        self._done = True
        self.dismiss(None)
        self._choose(key)

    def action_leave(self) -> None:
        """Close; nothing was chosen."""
        if not self._done:
            self._done = True
            self.dismiss(None)
