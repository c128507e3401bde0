"""The screen over the overview that shows everything known of one thing, and keeps showing it as it changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.screen import Screen

from hvtui.live.feed import Feed
from hvtui.model.change import Change
from hvtui.model.rows import short_path, vm_row
from hvtui.text import safe_text
from hvtui.ui import format as fmt
from hvtui.ui.actions import bindings
from hvtui.ui.footer import KeyLine
from hvtui.ui.look import Look
from hvtui.ui.pointed import Pointed
from hvtui.ui.screens.csv_page import csv_page
from hvtui.ui.screens.event_page import event_page, event_title, find_event
from hvtui.ui.screens.facts import Facts, link_glyph, link_role
from hvtui.ui.screens.node_page import node_page
from hvtui.ui.screens.vm_page import vm_page
from hvtui.ui.screens.writer_page import title_of, writer_page
from hvtui.ui.widgets.document import Document, Section
from hvtui.ui.widgets.styled_line import Piece, StyledLine

PAUSE: Final = 0.5
"""Least seconds between two looks at the state while changes come in."""

_ELSEWHERE: Final = ("verb.cancel", "verb.checkpoint", "verb.start-vm")
"""Keys that are shown on pages of their own."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of thing is shown: its page, its name, the node it is told by, and what `r` reads.

    `more` is what `r` reads besides, of the thing itself.
    """

    word: str
    page: Callable[[Facts, str], list[Section]]
    title: Callable[[Facts, str], str]
    node: Callable[[Facts, str], str]
    reads: str
    more: str = ""


def _csv_name(facts: Facts, key: str) -> str:
    csv = (facts.state.cluster.csvs or {}).get(key)
    return key if csv is None else short_path(csv.path)


def _event_node(facts: Facts, key: str) -> str:
    item = find_event(facts, key)
    return "" if item is None else item.node


KINDS: Final = {
    "node": Kind("Node", node_page, lambda _facts, key: key, lambda _facts, key: key, "node", "signals"),
    "csv": Kind("CSV", csv_page, _csv_name, lambda _facts, _key: "", "cluster"),
    "vm": Kind("VM", vm_page, lambda facts, key: vm_row(facts.state, key).name,
               lambda facts, key: facts.state.home(key) or "", "node", "chain"),
    "writer": Kind("VSS writer", writer_page, title_of, lambda _facts, key: key.partition("|")[0], "writers"),
    "event": Kind("Event", event_page, event_title, _event_node, "events"),
}  # fmt: skip


class DetailScreen(Screen[None]):
    """A title line with the source's state and age, the page, and the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("detail"), *bindings("acts")]

    DEFAULT_CSS = """
    DetailScreen { background: $hv-base; layout: vertical; }
    """

    def __init__(self, feed: Feed, look: Look, kind: str, key: str) -> None:
        super().__init__()
        self._feed = feed
        self._look = look
        self._kind = KINDS[kind]
        self._key = key
        self._pointed = Pointed(kind, (key,))
        self._head = StyledLine(ellipsis=look.glyphs.ellipsis)
        self._page = Document(look)
        self._unsubscribe: Callable[[], None] = lambda: None
        self._shown_at = float("-inf")
        self._due = False

    def compose(self) -> ComposeResult:
        yield self._head
        yield self._page
        yield KeyLine(self._look, "detail", "acts", "app", kind=self._pointed.kind, without=_ELSEWHERE)

    def on_mount(self) -> None:
        self._unsubscribe = self._feed.subscribe(self._heard)
        self.set_interval(1.0, self._show)
        self._page.focus()
        self._show()

    def on_unmount(self) -> None:
        self._unsubscribe()

    def pointed(self) -> Pointed:
        """What the page is about."""
        return self._pointed

    @property
    def text(self) -> str:
        """The page as plain text."""
        return self._page.text

    def _heard(self, _change: Change) -> None:
        if self._due or not self.is_mounted:
            return
        self._due = True
        self.set_timer(PAUSE, self._show)

    def _show(self) -> None:
        self._due = False
        acting = getattr(self.app, "acting", None)
        facts = Facts(self._feed, self._look, acting.operations.guest_knowledge if acting is not None else None)
        kind, key = self._kind, self._key
        node = kind.node(facts, key)
        view = facts.state.nodes.get(node) if node else None
        link = view.link if view is not None else facts.state.cluster.link
        age = link.age(facts.now)
        source = node or "cluster"
        state = f"{link_glyph(link, self._look)} {source} {link.status.value}"
        right = [
            Piece(safe_text(state), link_role(link, facts.now)),
            Piece(f"  {'never heard' if age is None else fmt.age(age)} ", "dim"),
        ]
        self._head.show(
            [Piece(f" {kind.word} ", "dim"), Piece(safe_text(kind.title(facts, key)), "strong")],
            right,
        )  # fmt: skip
        self._page.show_sections(kind.page(facts, key))

    # --- keys ---

    def action_back(self) -> None:
        """Back to where the user came from."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self._page.scroll_to(y=self._page.scroll_offset.y + lines, animate=False)

    def action_page(self, halves: int) -> None:
        """Scroll by halves of the page."""
        self.action_scroll(halves * max(1, self._page.size.height // 2))

    def action_edge(self, direction: int) -> None:
        """To the top or the bottom."""
        self._page.scroll_to(y=0 if direction < 0 else self._page.virtual_size.height, animate=False)

    def action_read(self) -> None:
        """Ask the source again."""
        facts = Facts(self._feed, self._look)
        said = self._feed.refresh(self._kind.reads, self._kind.node(facts, self._key))
        if self._kind.more:
            self._feed.refresh(self._kind.more, self._key)
        if said:
            self.notify(Content(safe_text(said)).plain, markup=False)


def detail_screen(feed: Feed, look: Look, kind: str, key: str) -> DetailScreen:
    """The screen of one node, CSV, VM, writer (`node|writer`) or event."""
    return DetailScreen(feed, look, kind, key)
