"""The help screen, made from the registry of actions, so that it cannot be out of date."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from hvtui.ui.actions import ACTIONS, bindings, key_word
from hvtui.ui.footer import KeyLine
from hvtui.ui.look import Look

_SCOPES: Final = (
    ("overview", "Panes"),
    ("table", "Tables"),
    ("matrix", "Matrices"),
    ("findings", "Findings: their pane, and the page of one"),
    ("finding", "The page of a finding"),
    ("acts", "Changes, and what belongs to them"),
    ("detail", "Detail and help screens"),
    ("operations", "Operations page"),
    ("page", "Pages of checkpoints, guests and VSS access"),
    ("window", "Backup window page"),
    ("watch", "Watching"),
    ("dialog", "Dialogs that confirm"),
    ("record", "Recording"),
    ("replay", "In a replay"),
    ("app", "Everywhere"),
)

_FILTER: Final = (
    ("web sql", "rows with both words in any column"),
    ("-test", "rows without the word"),
    ("state:running", "the word in one column"),
    ("drift:yes", "VMs away from the owner of their CSV"),
    ("cpu:>50", "numbers can be compared: > >= < <="),
)


class HelpScreen(ModalScreen[None]):
    """Keys, signs, filters. Scrolls like every other reading screen."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("detail")

    DEFAULT_CSS = """
    HelpScreen {
        align: center middle; background: $hv-base 60%;
        & > VerticalScroll {
            width: 92; max-width: 100%; height: 90%; max-height: 100%; padding: 0 1;
            background: $hv-base; color: $hv-text; border: round $hv-frame-focus;
            scrollbar-size-vertical: 1; scrollbar-background: $hv-base; scrollbar-color: $hv-bar;
        }
        &.-ascii > VerticalScroll { border: ascii $hv-frame-focus; }
    }
    """

    def __init__(self, look: Look, version: str) -> None:
        super().__init__(classes="-ascii" if look.ascii else "")
        self._look = look
        self._version = version

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static(self._text())
        yield KeyLine(self._look, "detail", without=("detail.read",))

    def _text(self) -> Content:
        parts: list[Content | tuple[str, str]] = [
            (f"hvtui {self._version}", "bold $hv-title"),
            Content("\nKeys that move never change anything on the cluster.\n"),
        ]
        for scope, heading in _SCOPES:
            parts.append((f"\n{heading}\n", "bold $hv-frame-focus"))
            for action in ACTIONS:
                if action.scope == scope:
                    keys = ", ".join(key_word(key) for key in action.keys) or ". (menu)"
                    parts.append((f"  {keys:<18}", "$hv-mark"))
                    parts.append(Content(f" {action.help}\n"))
        parts.append(("\nMouse\n", "bold $hv-frame-focus"))
        parts.append(
            Content(
                "  A click puts the cursor, a double click opens, Ctrl+click marks, Shift+click marks a range;\n"
                "  a click on a column's title sorts, again turns the order round.\n"
            )
        )
        parts.append(("\nFilter\n", "bold $hv-frame-focus"))
        for text, meaning in _FILTER:
            parts += [(f"  {text:<18}", "$hv-mark"), Content(f" {meaning}\n")]
        parts.append(("\nSigns\n", "bold $hv-frame-focus"))
        parts += self._signs()
        return Content.assemble(*parts)

    def _signs(self) -> list[Content | tuple[str, str]]:
        glyphs = self._look.glyphs
        signs = (
            (glyphs.ok, "$hv-ok", "fine"),
            (glyphs.info, "$hv-info", "worth knowing, nothing to do"),
            (glyphs.unknown, "$hv-dim", "could not be read: never taken for healthy"),
            (glyphs.warn, "$hv-warn", "needs a look"),
            (glyphs.bad, "$hv-bad", "broken"),
            (glyphs.busy, "$hv-busy", "under way, or data of before the connection broke"),
            (glyphs.unequal, "$hv-warn", "drift: the VM runs on another node than the owner of its CSV"),
            (glyphs.mark, "$hv-mark", "marked"),
        )
        made: list[Content | tuple[str, str]] = []
        for sign, colour, meaning in signs:
            made += [(f"  {sign:<18}", colour), Content(f" {meaning}\n")]
        made.append(Content("  grey italic rows    data of a node that does not answer now, with their age\n"))
        return made

    def action_back(self) -> None:
        """Close."""
        self.dismiss(None)

    def action_scroll(self, lines: int) -> None:
        """Some lines down."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_page(self, halves: int) -> None:
        """So many half pages down."""
        scroll = self.query_one(VerticalScroll)
        scroll.scroll_relative(y=halves * max(1, scroll.size.height // 2), animate=False)

    def action_edge(self, side: int) -> None:
        """To the top or the bottom."""
        scroll = self.query_one(VerticalScroll)
        scroll.scroll_to(y=0 if side < 0 else scroll.max_scroll_y, animate=False)
