"""The base of every pane: a frame with title and age, a filter line, and the road from a change to the widgets."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.geometry import Region
from textual.strip import Strip

from hvtui.live.feed import Feed
from hvtui.model.change import Change
from hvtui.text import safe_text
from hvtui.ui.cells import fit, width_of
from hvtui.ui.format import age
from hvtui.ui.look import Look
from hvtui.ui.pointed import NOTHING, Pointed
from hvtui.ui.widgets.filter_line import FilterLine
from hvtui.ui.widgets.line_table import LineTable


class Pane(Container):
    """One view of the cluster. Subclasses say what they are in the class variables and fill in the hooks.

    The app calls `load` once after mounting, `apply` with what changed (at most some times a second, on the UI's loop)
    and `tick` once a second. A pane changes only itself; for anything else it posts a message of `messages.py`.
    """

    key: ClassVar[str] = ""
    number: ClassVar[int] = 0
    heading: ClassVar[str] = ""
    reads: ClassVar[str] = ""
    """What `Feed.refresh` is asked for on `r`; empty when there is nothing to read."""
    filterable: ClassVar[bool] = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "pane--frame",
        "pane--frame-focus",
        "pane--title",
        "pane--title-focus",
        "pane--age",
        "pane--age-stale",
    }

    DEFAULT_CSS = """
    Pane {
        padding: 1; background: $hv-base; color: $hv-text; layout: vertical;
        & > .pane--frame { color: $hv-frame; }
        & > .pane--frame-focus { color: $hv-frame-focus; }
        & > .pane--title { color: $hv-title; }
        & > .pane--title-focus { color: $hv-frame-focus; text-style: bold; }
        & > .pane--age { color: $hv-dim; }
        & > .pane--age-stale { color: $hv-warn; text-style: bold; }
    }
    """

    def __init__(self, feed: Feed, look: Look) -> None:
        super().__init__(id=f"pane-{self.key}")
        self.feed = feed
        self.look = look
        self._title = ""
        self._age = ""
        self._late = False
        self._failure = ""
        self._lines: dict[tuple[int, int, str, bool], Strip] = {}

    # --- hooks ---

    def body(self) -> ComposeResult:
        """Yield the widgets inside the frame."""
        yield from ()

    def load(self) -> None:
        """Show everything the feed's state holds; called once when mounted, and after `apply` cannot know."""

    def apply(self, change: Change) -> None:
        """Show what changed."""

    def tick(self) -> None:
        """A second has passed: ages and durations are others."""

    def counts(self) -> str:
        """What stands in the title after the heading: `64 nodes · 63 ✓`."""
        return ""

    def data_age(self) -> float | None:
        """Age of the oldest source shown, in seconds; None when nothing was ever read."""
        return None

    def data_stale(self) -> bool:
        """The age must stand out."""
        return False

    def read_node(self) -> str:
        """The node that `r` asks; empty for all."""
        return ""

    def filter_changed(self, text: str) -> str:
        """Filter by what was typed; returns what is wrong with it, empty when nothing is."""
        return ""

    def go_to(self, key: str) -> bool:
        """Put the cursor on a key; False when it is not shown."""
        return any(table.put_cursor(key) for table in self.query(LineTable))

    def pointed(self) -> Pointed:
        """What a key that changes something is about: the marked rows, or the one under the cursor."""
        return NOTHING

    def marks_changed(self, keys: set[str]) -> None:
        """Other marks of operations on these rows (`Target.key`)."""

    def lines_wanted(self, most: int) -> int:
        """Lines the pane can fill, the frame included; it will get `most` at most."""
        inside = [max(1, widget.virtual_size.height) for widget in self.children if widget.display]
        return sum(inside) + 2

    # --- what the frame does ---

    def compose(self) -> ComposeResult:
        yield from self.body()
        if self.filterable:
            yield FilterLine(self.look, self.focus_inside)

    def on_mount(self) -> None:
        self.load()
        self.retitle()

    def second(self) -> None:
        """Called by the app once a second."""
        self.tick()
        self.retitle()

    def focus_inside(self) -> None:
        """Focus the pane's main widget."""
        for widget in self.query("*"):
            if widget.focusable and not isinstance(widget, FilterLine):
                # At once, not by a message: the next key may already wait, and must not reach the old place.
                self.screen.set_focus(widget, scroll_visible=False)
                return

    def open_filter(self, text: str | None = None) -> None:
        """Show the filter line, with `text` in it when given."""
        if self.filterable:
            self.query_one(FilterLine).open(text)

    def back(self) -> bool:
        """One step back: range, filter, marks; False when there was nothing to undo."""
        tables = list(self.query(LineTable))
        for table in tables:
            if table.ranging:
                table.end_range()
                return True
        if self.clear_filter():
            self.focus_inside()
            return True
        for table in tables:
            if table.marks:
                table.clear_marks()
                return True
        return False

    def retitle(self) -> None:
        """Paint the title line again if it says something else now."""
        counts = self._failure or self.counts()
        title = f"{self.number} {self.heading}" + (f" {self.look.glyphs.dot} {counts}" if counts else "")
        seconds = self.data_age()
        state = (safe_text(title), "" if seconds is None else age(seconds), self.data_stale())
        if state != (self._title, self._age, self._late):
            self._title, self._age, self._late = state
            self._lines.clear()
            # Regions count from the content; the title stands above it.
            padding = self.styles.padding
            self.refresh(Region(-padding.left, -padding.top, self.outer_size.width, 1))

    def clear_filter(self) -> bool:
        """Remove the filter; False when there was none."""
        if not self.filterable or not self.query_one(FilterLine).clear_filter():
            return False
        self.filter_changed("")
        self.retitle()
        return True

    def show_failure(self, text: str) -> None:
        """Say in the title that this view does not work; it stays until hvtui is started again."""
        self._failure = text
        self.retitle()

    def on_filter_line_changed(self, message: FilterLine.Changed) -> None:
        message.stop()
        problem = self.filter_changed(message.text)
        message.line.show_problem(problem)
        self.retitle()

    def on_line_table_view_changed(self) -> None:
        self.retitle()

    def on_line_table_marks_changed(self) -> None:
        self.retitle()

    # --- painting ---

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        self.refresh()

    def on_descendant_blur(self, _event: events.DescendantBlur) -> None:
        self.refresh()

    def notify_style_update(self) -> None:
        """Another theme: the cached frame is of the old colours."""
        super().notify_style_update()
        self._lines.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Frame and title; the widgets inside cover the rest."""
        width, height = self.outer_size.width, self.outer_size.height
        boxed = self.styles.padding.left > 0
        focused = self.has_focus_within
        lines: list[Strip] = []
        for y in range(crop.y, crop.bottom):
            part = "top" if y == 0 else "side"
            if boxed and y == height - 1 and y:
                part = "bottom"
            mark = (width, int(boxed), part, focused)
            line = self._lines.get(mark)
            if line is None:
                line = self._frame_line(part, width, boxed, focused)
                for line_filter in self.get_line_filters():
                    line = line.apply_filter(line_filter, self.styles.background)
                self._lines[mark] = line
            lines.append(line if crop.width == width else line.crop(crop.x, crop.right))
        return lines

    def _frame_line(self, part: str, width: int, boxed: bool, focused: bool) -> Strip:
        def style(name: str) -> Style:
            return self.rich_style + self.get_component_rich_style(f"pane--{name}", partial=True)

        left, edge, right, side, low_left, low_right = tuple(self.look.glyphs.frame)
        frame = style("frame-focus" if focused else "frame")
        if part == "side":
            ends = side if boxed else " "
            return Strip([Segment(ends, frame), Segment(" " * (width - 2), frame), Segment(ends, frame)])
        if part == "bottom":
            return Strip([Segment(low_left + edge * (width - 2) + low_right, frame)])
        first, last = (left, right) if boxed else (edge, edge)
        told = f" {self._age} " if self._age else ""
        room = width - 4 - width_of(told)
        title = f" {self._title} "
        if width_of(title) > room:
            title = fit(title, max(0, room), ellipsis=self.look.glyphs.ellipsis)
        gap = edge * (width - 4 - width_of(title) - width_of(told))
        return Strip(
            [
                Segment(first + edge, frame),
                Segment(title, style("title-focus" if focused else "title")),
                Segment(gap, frame),
                Segment(told, style("age-stale" if self._late else "age")),
                Segment(edge + last, frame),
            ]
        )
