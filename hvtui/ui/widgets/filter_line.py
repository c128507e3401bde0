"""The line in which a filter is typed; it works while one types and hides when it is empty and left."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from hvtui.text import safe_text
from hvtui.ui.look import Look


class FilterInput(Input):
    """An Input whose arrows leave for the table, as in k9s."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,enter,tab", "leave", "To the rows", show=False),
        Binding("escape", "drop", "Clear and leave", show=False),
    ]

    def action_leave(self) -> None:
        """Keep the filter, go to the rows."""
        self.query_ancestor(FilterLine).leave(clear=False)

    def action_drop(self) -> None:
        """Clear the filter, go to the rows."""
        self.query_ancestor(FilterLine).leave(clear=True)


class FilterLine(Horizontal):
    """`/` and an input; at the right, what is wrong with the text."""

    DEFAULT_CSS = """
    FilterLine {
        height: 1; dock: bottom; display: none; background: $hv-head-bg;
        &.-open { display: block; }
        & > .filter--slash { width: 2; color: $hv-mark; background: $hv-head-bg; text-style: bold; }
        & > .filter--problem { width: auto; max-width: 60%; color: $hv-bad; background: $hv-head-bg; }
        & > FilterInput {
            width: 1fr; height: 1; border: none; padding: 0; background: $hv-head-bg; color: $hv-text;
        }
    }
    """

    class Changed(Message):
        """Other text was typed."""

        def __init__(self, line: FilterLine, text: str) -> None:
            super().__init__()
            self.line = line
            self.text = text

    def __init__(self, look: Look, leave: Callable[[], None]) -> None:
        """`leave` moves the focus back to the rows."""
        super().__init__()
        self._look = look
        self._leave = leave

    def compose(self) -> ComposeResult:
        yield Static("/", classes="filter--slash", markup=False)
        yield FilterInput(placeholder="words, field:value, -not", compact=True, select_on_focus=False)
        yield Static("", classes="filter--problem", markup=False)

    @property
    def text(self) -> str:
        """What is typed now."""
        return self.query_one(FilterInput).value

    def open(self, text: str | None = None) -> None:
        """Show the line; with `text` the filter is set and the focus stays where it is."""
        self.add_class("-open")
        field = self.query_one(FilterInput)
        if text is None:
            self.screen.set_focus(field, scroll_visible=False)
        else:
            field.value = text
            field.cursor_position = len(text)

    def clear_filter(self) -> bool:
        """Remove the filter and hide; False when there was none."""
        field = self.query_one(FilterInput)
        had = bool(field.value)
        field.value = ""
        self.remove_class("-open")
        return had

    def show_problem(self, problem: str) -> None:
        """Say what is wrong with the text, empty for nothing."""
        self.query_one(".filter--problem", Static).update(Content(safe_text(self._look.plain(problem))))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, event.value))

    def leave(self, *, clear: bool) -> None:
        """Go back to the rows, with or without the filter."""
        if clear:
            self.clear_filter()
        elif not self.text:
            self.remove_class("-open")
        self._leave()
