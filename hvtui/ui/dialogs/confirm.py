"""The frame of every dialog that may lead to a change: what, what stands against it, and how it is confirmed.

Level *key*: the focus is on Cancel, Enter there cancels, `y` confirms. Level *typed*: a name is typed, Enter confirms.
For a moment after it opened, and after it shows something else, neither key counts, and the button is drawn unarmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from hvtui.operations.plan import Level
from hvtui.text import safe_text
from hvtui.ui.actions import bindings
from hvtui.ui.dialogs.arming import Arming
from hvtui.ui.dialogs.buttons import Buttons
from hvtui.ui.look import Look
from hvtui.ui.widgets.document import Document, Section
from hvtui.ui.widgets.styled_line import Piece, StyledLine

_AROUND: Final = 7
"""Lines of a dialog beside its text: borders, head, name, note, buttons."""


class NameInput(Input):
    """The name to type. Enter acts at once: a message would come after letters that were typed behind it."""

    async def action_submit(self) -> None:
        """Enter."""
        screen = self.screen
        assert isinstance(screen, ConfirmScreen)
        screen.submit()


class ConfirmScreen(ModalScreen[None]):
    """Subclasses say what is shown and what happens; everything about keys is here."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("dialog")
    AUTO_FOCUS = ""

    DEFAULT_CSS = """
    ConfirmScreen {
        align: center middle; background: $hv-base 60%;
        & > Vertical {
            width: 108; max-width: 100%; height: auto; max-height: 100%; padding: 0;
            background: $hv-base; color: $hv-text; border: round $hv-frame-focus;
        }
        &.-ascii > Vertical { border: ascii $hv-frame-focus; }
        &.-protected > Vertical { border: heavy $hv-bad; }
        &.-ascii.-protected > Vertical { border: ascii $hv-bad; }
        & Document { height: 3; scrollbar-size: 1 1; }
        & .confirm--name { height: 1; display: none; background: $hv-head-bg; }
        & .confirm--name.-shown { display: block; }
        & .confirm--name > Static { width: auto; height: 1; color: $hv-warn; background: $hv-head-bg; padding: 0 1; }
        & NameInput { width: 1fr; height: 1; border: none; padding: 0; background: $hv-head-bg; color: $hv-text; }
        & .confirm--note { background: $hv-base; }
    }
    """

    def __init__(self, look: Look, *, protected: bool = False) -> None:
        classes = [name for name, wanted in (("-ascii", look.ascii), ("-protected", protected)) if wanted]
        super().__init__(classes=" ".join(classes))
        self.look = look
        self.protected = protected
        self.arming = Arming()
        self.head = StyledLine(ellipsis=look.glyphs.ellipsis)
        self.page = Document(look)
        self.page.can_focus = False
        self.note = StyledLine(ellipsis=look.glyphs.ellipsis)
        self.note.add_class("confirm--note")
        self.buttons = Buttons(look)
        self._label = Static("", markup=False)
        self._field = NameInput(compact=True, id="name")
        self._name_line = Horizontal(self._label, self._field, classes="confirm--name")
        self._sections: Sequence[Section] = ()
        self._said = ""
        self._done = False
        self._ready = False

    # --- what subclasses say ---

    def heading(self) -> tuple[str, str]:
        """What the dialog is about, and where: `Drain HV03`, `CLU-PROD`."""
        raise NotImplementedError

    def sections(self) -> Sequence[Section]:
        """What stands in it."""
        raise NotImplementedError

    def level(self) -> Level:
        """How it is confirmed."""
        raise NotImplementedError

    def name_to_type(self) -> str:
        """What is typed at level *typed*; empty when it is not known yet, or when any text will do."""
        return ""

    def word(self) -> str:
        """What the button does; empty when there is nothing to confirm."""
        raise NotImplementedError

    def missing(self) -> str:
        """What must come first, whatever is pressed; empty when nothing must."""
        return ""

    def back(self) -> str:
        """The harmless button, which has the focus."""
        return "Cancel"

    def remark(self) -> tuple[str, str]:
        """A line above the buttons, and its role."""
        return self._said, "warn"

    def confirmed(self, text: str) -> None:
        """It was confirmed: `text` is what was typed, empty at level *key*."""
        raise NotImplementedError

    # --- showing ---

    def compose(self) -> ComposeResult:
        with Vertical():
            yield self.head
            yield self.page
            yield self._name_line
            yield self.note
            yield self.buttons

    def on_mount(self) -> None:
        self._ready = True
        self.show()
        self.disarm()
        if self.level() is Level.TYPED:
            self.set_focus(self._field)
        else:
            self.set_focus(self.buttons)
        self.opened()

    def opened(self) -> None:
        """The dialog is on the screen."""

    def on_resize(self) -> None:
        self.call_after_refresh(self._fit)

    def show(self) -> None:
        """Show what the subclass says now; the screen is painted only where that is something else."""
        if not self._ready:
            return
        what, where = self.heading()
        right = [Piece(" PROD ", "alert"), Piece(" ")] if self.protected else []
        self.head.show([Piece(f" {what}", "strong"), Piece(f"  {where}", "dim")], right)
        self._sections = self.sections()
        self.page.show_sections(self._sections)
        typed = self.level() is Level.TYPED and bool(self.word())
        if typed != self._name_line.has_class("-shown"):
            self._name_line.set_class(typed, "-shown")
            self._refocus(typed)
        name = self.name_to_type()
        self._label.update(Content(f"type {safe_text(name)} to confirm:" if name else self.label()))
        self.call_after_refresh(self._fit)
        self.paint()

    def label(self) -> str:
        """What stands before the field when no certain text is asked for."""
        return "name:"

    def _refocus(self, typed: bool) -> None:
        if typed:
            self.set_focus(self._field)
        elif self.focused is not self.buttons:
            self.set_focus(self.buttons)

    def _fit(self) -> None:
        wanted = max(1, self.page.virtual_size.height)
        room = max(3, self.size.height - _AROUND + (0 if self._name_line.has_class("-shown") else 1))
        self.page.styles.height = min(wanted, room)

    def paint(self) -> None:
        """The buttons and the line above them."""
        word, missing = self.word(), self.missing()
        typed = self.level() is Level.TYPED
        ready = bool(word) and not missing and self.arming.armed
        if ready and typed and not self._fits():
            ready, missing = False, "type the name" if self.name_to_type() else "type it"
        elif word and not missing and not self.arming.armed:
            missing = "not yet"
        self.buttons.paint(word, key="enter" if typed else "y", armed=ready, missing=missing, back=self.back())
        text, role = self.remark()
        self.note.show([Piece(f" {text}", role)] if text else [])

    @property
    def armed(self) -> bool:
        """The button would be pressed by its key now."""
        return self.buttons.armed

    def disarm(self) -> None:
        """What is asked for is new: wait before a key counts."""
        self.arming.begin()
        self.paint()
        self._paint_when_armed()

    def _paint_when_armed(self) -> None:
        left = self.arming.left
        if left > 0:
            # A timer may fire a little early.
            self.set_timer(left + 0.01, self._paint_when_armed)
        else:
            self.paint()

    def say(self, text: str) -> None:
        """A remark that stays until another one."""
        self._said = text
        self.paint()

    # --- typing ---

    @property
    def typed(self) -> str:
        """What stands in the field."""
        return self._field.value

    def fill(self, text: str) -> None:
        """Put a proposal into the field; the cursor stands behind it."""
        self._field.value = text
        self._field.cursor_position = len(text)
        self.paint()

    def _fits(self) -> bool:
        name, typed = self.name_to_type().strip().casefold(), self.typed.strip().casefold()
        return bool(typed) and (not name or typed == name)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.paint()

    def submit(self) -> None:
        """Enter in the field."""
        self._press(self.typed)

    # --- keys ---

    def action_leave(self) -> None:
        """Close; nothing is done."""
        if not self._done:
            self._done = True
            self.dismiss(None)

    def action_enter(self) -> None:
        """Enter, while the focus is on Cancel."""
        if not self.arming.armed:
            self.disarm()
            return
        self.action_leave()

    def action_yes(self) -> None:
        """`y`."""
        if self.level() is Level.KEY:
            self._press("")

    def _press(self, text: str) -> None:
        if self._done or not self.word():
            return
        if not self.arming.armed:
            # Whoever holds the key down has not read this.
            self.disarm()
            return
        self.paint()
        if self.armed:
            self._done = True
            self.dismiss(None)
            self.confirmed(text)
        else:
            self.not_armed()

    def not_armed(self) -> None:
        """The button was pressed, and something is missing."""
        if not self.missing() and self.level() is Level.TYPED:
            name = self.name_to_type()
            self.say(f"that is not {name}" if name and self.typed.strip() else "nothing was typed")

    def action_scroll(self, lines: int) -> None:
        """Scroll the text by lines."""
        self.page.scroll_to(y=self.page.scroll_offset.y + lines, animate=False)

    def action_page(self, halves: int) -> None:
        """Scroll the text by halves of it."""
        self.action_scroll(halves * max(1, self.page.size.height // 2))

    def action_override(self) -> None:
        """Nothing to set aside here."""

    def action_say_stopped(self) -> None:
        """Nothing to say here."""

    def action_failback(self) -> None:
        """Nothing to choose here."""

    def action_read_again(self) -> None:
        """Nothing to read here."""
