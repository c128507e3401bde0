"""Sections of labelled facts that scroll as one page: what detail screens are made of.

Lines are wrapped with a hanging indent, on wide screens sections stand in two columns. A new text repaints only the
lines that differ, so that a page can be shown again every second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from rich.cells import chop_cells
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from hvtui.ui.cells import fit, width_of
from hvtui.ui.look import Look
from hvtui.ui.widgets.scroll_bar import QuietScrollBar

Span = tuple[str, str]
"""Text and its role."""

ROLES: Final = ("ok", "busy", "warn", "bad", "info", "dim", "stale", "unread", "key", "owner", "label", "title", "rule")

TWO_COLUMNS: Final = 110
"""From this width on sections stand side by side."""

MARGIN: Final = 3
"""Blank cells between two columns of sections."""


@dataclass(frozen=True, slots=True)
class Line:
    """A label and what it says. Without a label the text takes the whole width."""

    label: str
    spans: tuple[Span, ...]
    wrap: bool = True
    """False cuts a long line instead: rows of a small table keep their shape."""


@dataclass(frozen=True, slots=True)
class Section:
    """A title and its lines. `wide` sections take the whole width, below what stands before them."""

    title: str
    lines: tuple[Line, ...]
    wide: bool = False
    note: str = ""
    """Short words at the end of the title line: an age, a count."""


def wrap_spans(spans: Sequence[Span], width: int) -> list[list[Span]]:
    """Break spans into lines of at most `width` cells, at blanks where there are any."""
    lines: list[list[Span]] = [[]]
    used = 0
    for text, role in spans:
        for word in _words(text):
            for piece in chop_cells(word, width) if width_of(word) > width else [word]:
                length = width_of(piece)
                if used + width_of(piece.rstrip()) > width and used:
                    lines.append([])
                    used = 0
                if used == 0:
                    piece = piece.lstrip() if len(lines) > 1 else piece  # noqa: PLW2901
                    length = width_of(piece)
                if not piece:
                    continue
                if lines[-1] and lines[-1][-1][1] == role:
                    lines[-1][-1] = (lines[-1][-1][0] + piece, role)
                else:
                    lines[-1].append((piece, role))
                used += length
    # The blank after the last word of a line has no room of its own.
    return [[*line[:-1], (line[-1][0].rstrip(), line[-1][1])] if line else line for line in lines]


def _words(text: str) -> list[str]:
    """Words with the blanks that follow them."""
    words: list[str] = []
    start = 0
    for index in range(1, len(text)):
        if text[index] != " " and text[index - 1] == " ":
            words.append(text[start:index])
            start = index
    if text:
        words.append(text[start:])
    return words


def layout_section(section: Section, width: int, look: Look) -> list[list[Span]]:
    """A section as lines of exactly `width` cells."""
    rule = "-" if look.ascii else "─"
    title, note = f" {section.title} ", f" {section.note} " if section.note else ""
    room = max(0, width - 2 - width_of(title) - width_of(note))
    head = [(rule, "rule"), (title, "title"), (rule * room, "rule"), (note, "dim"), (rule, "rule")]
    lines: list[list[Span]] = [_exact([span for span in head if span[0]], width)]
    labels = [width_of(line.label) for line in section.lines if line.label]
    indent = min(max(labels, default=0), max(8, width // 3))
    for line in section.lines:
        left = indent + 2 if line.label else 1
        room = max(4, width - left)
        folded = wrap_spans(line.spans, room) if line.wrap else [list(line.spans)]
        for number, spans in enumerate(folded):
            label = (
                f" {fit(line.label, indent, ellipsis=look.glyphs.ellipsis)} "
                if line.label and number == 0
                else " " * (left)
            )
            lines.append(_exact([(label, "label"), *spans], width, look.glyphs.ellipsis))
    return lines


def layout_page(sections: Sequence[Section], width: int, look: Look) -> list[list[Span]]:
    """All sections as lines; two columns, balanced in order, where there is room."""
    lines: list[list[Span]] = []
    group: list[Section] = []
    for section in [*sections, Section("", (), wide=True)]:
        if not section.wide:
            group.append(section)
            continue
        if group:
            lines += _columns(group, width, look)
            group = []
        if section.title:
            lines += [*layout_section(section, width, look), []]
    return lines


def _columns(sections: Sequence[Section], width: int, look: Look) -> list[list[Span]]:
    if width < TWO_COLUMNS or len(sections) < 2:
        return [line for section in sections for line in [*layout_section(section, width, look), []]]
    half = (width - MARGIN) // 2
    blocks = [[*layout_section(section, half, look), []] for section in sections]
    total = sum(map(len, blocks))
    split, height = 1, len(blocks[0])
    while split < len(blocks) - 1 and height + len(blocks[split]) / 2 <= total / 2:
        height += len(blocks[split])
        split += 1
    left = [line for block in blocks[:split] for line in block]
    right = [line for block in blocks[split:] for line in block]
    blank = [(" " * half, "")]
    return [
        [*((left[i] if i < len(left) else None) or blank), (" " * MARGIN, ""), *(right[i] if i < len(right) else [])]
        for i in range(max(len(left), len(right)))
    ]


def _exact(spans: Sequence[Span], width: int, ellipsis: str = "…") -> list[Span]:
    """Cut or pad spans to `width` cells."""
    made: list[Span] = []
    left = width
    for text, role in spans:
        length = width_of(text)
        if length > left:
            if left > 0:
                made.append((fit(text, left, ellipsis=ellipsis), role))
            return made
        made.append((text, role))
        left -= length
    return [*made, (" " * left, "")] if left else made


class Document(ScrollView, can_focus=True):
    """Shows sections; `show_sections` again whenever they may have changed."""

    ALLOW_SELECT = False

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"document--{role}" for role in ROLES}

    DEFAULT_CSS = """
    Document {
        background: $hv-base; color: $hv-text; height: 1fr; padding: 0;
        overflow-x: hidden; overflow-y: scroll; scrollbar-size: 1 1;
        scrollbar-color: $hv-bar; scrollbar-color-hover: $hv-frame-focus; scrollbar-color-active: $hv-frame-focus;
        scrollbar-background: $hv-base;
        & > .document--title { color: $hv-title; text-style: bold; }
        & > .document--rule { color: $hv-frame; }
        & > .document--label { color: $hv-dim; }
        & > .document--ok { color: $hv-ok; }
        & > .document--busy { color: $hv-busy; }
        & > .document--warn { color: $hv-warn; text-style: bold; }
        & > .document--bad { color: $hv-bad; text-style: bold; }
        & > .document--info { color: $hv-info; }
        & > .document--dim { color: $hv-dim; }
        & > .document--stale { color: $hv-dim; text-style: italic; }
        & > .document--unread { color: $hv-dim; }
        & > .document--key { color: $hv-mark; text-style: bold; }
        & > .document--owner { color: $hv-owner; }
    }
    """

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look
        self._sections: Sequence[Section] = ()
        self._lines: list[list[Span]] = []
        self._strips: dict[int, Strip] = {}

    def show_sections(self, sections: Sequence[Section]) -> None:
        """Show these sections; only lines that differ are painted again."""
        self._sections = sections
        self._lay_out()

    @property
    def text(self) -> str:
        """The whole page as plain text, as laid out now."""
        return "\n".join("".join(text for text, _ in line).rstrip() for line in self._lines)

    @property
    def _width(self) -> int:
        """Cells beside the scroll bar, which always has its column."""
        return self.scrollable_content_region.width

    def _lay_out(self) -> None:
        width = self._width
        if width <= 0:
            return
        old, self._lines = self._lines, layout_page(self._sections, width, self._look)
        new = self._lines
        dirty = [y for y in range(max(len(old), len(new))) if old[y : y + 1] != new[y : y + 1]]
        for y in dirty:
            self._strips.pop(y, None)
        size = Size(width, len(new))
        if size != self.virtual_size:
            self.virtual_size = size
        top = self.scroll_offset.y
        regions = [Region(0, y - top, width, 1) for y in dirty if 0 <= y - top < self.size.height]
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        place = self.scroll_offset.y + y
        strip = self._strips.get(place)
        if strip is None:
            strip = self._strips[place] = self._paint(place)
        return strip

    def _paint(self, place: int) -> Strip:
        base, width = self.rich_style, self._width
        if place >= len(self._lines):
            return Strip.blank(width, base)
        segments = [Segment(text, base + self._style(role)) for text, role in self._lines[place]]
        return Strip(segments).adjust_cell_length(width, base)

    def _style(self, role: str) -> Style:
        return self.get_component_rich_style(f"document--{role}", partial=True) if role else Style()

    def notify_style_update(self) -> None:
        """Another theme: every line is of the old colours."""
        super().notify_style_update()
        self._strips.clear()
        self.refresh()

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        if self._vertical_scrollbar is None:
            glyphs = self._look.glyphs
            self._vertical_scrollbar = bar = QuietScrollBar(thumb=glyphs.thumb, track=glyphs.track)
            bar.display = False
            self.app._start_widget(self, bar)
        return self._vertical_scrollbar

    def on_resize(self, _event: events.Resize) -> None:
        self._strips.clear()
        self._lines = []
        self._lay_out()
