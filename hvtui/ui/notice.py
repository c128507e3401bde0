"""A dialog with something that must be read whole: why hvtui stopped, and the command that helps."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from hvtui.text import safe_block
from hvtui.ui.look import Look


class NoticeScreen(ModalScreen[None]):
    """A heading, what happened, and what to do; any of Enter, Esc and Space closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,space,q", "leave", "Close", show=False)]

    DEFAULT_CSS = """
    NoticeScreen {
        align: center middle; background: $hv-base 60%;
        & > Vertical {
            width: 76; max-width: 100%; height: auto; padding: 0 1; background: $hv-base; border: round $hv-bad;
        }
        &.-ascii > Vertical { border: ascii $hv-bad; }
        & Static { height: auto; color: $hv-text; margin-bottom: 1; }
        & .notice--head { color: $hv-bad; text-style: bold; }
        & .notice--dim { color: $hv-dim; margin-bottom: 0; }
    }
    """

    def __init__(self, look: Look, heading: str, text: str, hint: str) -> None:
        super().__init__(classes="-ascii" if look.ascii else "")
        self._look = look
        self._parts = ((heading, "notice--head"), (text, ""), (hint, ""))

    def compose(self) -> ComposeResult:
        with Vertical():
            for text, name in self._parts:
                if text:
                    yield Static(Content(safe_block(self._look.plain(text))), classes=name or None)
            yield Static("Esc closes this; the reason stays in the header.", classes="notice--dim", markup=False)

    def action_leave(self) -> None:
        """Close."""
        self.dismiss(None)
