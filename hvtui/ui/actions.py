"""The registry of everything a key can do. Bindings, help, palette and footer are made from it, and nothing else."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding, BindingType

from hvtui.ui.action import Action, Confirm
from hvtui.ui.replay_actions import REPLAY_ACTIONS
from hvtui.ui.verb_actions import VERB_ACTIONS
from hvtui.ui.window_actions import WINDOW_ACTIONS

__all__ = ["ACTIONS", "FOOTER_ORDER", "PANES", "Action", "Confirm", "bindings", "by_id", "key_word"]


PANES: Final = ("nodes", "csvs", "vms", "writers", "placement", "events", "findings")
"""Panes in the order of their digits."""

PANE_KEYS: Final = ("1", "2", "3", "4", "5", "6", "8")
"""Their digits: 7 is the page of operations."""
_PANE_TITLES: Final = ("Nodes", "CSVs", "VMs", "VSS writers", "Placement", "Events", "Findings")

ACTIONS: Final[tuple[Action, ...]] = (
    # Everywhere
    Action("app.help", ("?", "f1"), "Help", "Keys, signs and colours, and how to filter", "help", "app", "help", True),
    Action(
        "app.palette",
        ("ctrl+p", ":"),
        "Command palette",
        "Every command, and any VM, node or CSV by name",
        "command_palette",
        "app",
        "palette",
    ),
    Action("app.theme", ("f9",), "Next theme", "Switch to the next colour theme", "next_theme", "app", "", True),
    Action(
        "app.quit", ("q", "ctrl+q"), "Quit", "Leave hvtui; nothing on the cluster notices", "quit", "app", "quit", True
    ),
    # Panes
    *(
        Action(
            f"pane.{pane}",
            (key,),
            f"Go to {title}",
            f"Focus the {title} pane",
            f"pane('{pane}')",
            "overview",
            "",
            True,
        )
        for key, pane, title in zip(PANE_KEYS, PANES, _PANE_TITLES, strict=True)
    ),
    Action("pane.next", ("tab",), "Next pane", "Focus the next pane", "pane_step(1)", "overview", "panes"),
    Action("pane.previous", ("shift+tab",), "Previous pane", "Focus the previous pane", "pane_step(-1)"),
    Action(
        "pane.filter",
        ("/",),
        "Filter",
        "Show only rows with these words or field:value",
        "filter",
        "overview",
        "filter",
        True,
    ),
    Action(
        "pane.zoom",
        ("+",),
        "Zoom",
        "Give the focused pane the whole screen, and back",
        "zoom",
        "overview",
        "zoom",
        True,
    ),
    Action(
        "pane.read",
        ("r", "f5"),
        "Read now",
        "Ask the nodes for what the focused pane shows",
        "read",
        "overview",
        "read",
        True,
    ),
    Action("pane.back", ("escape",), "Back", "One thing less: the range, the filter, the marks, the zoom", "back"),
    # Tables
    Action("table.open", ("enter",), "Open", "Everything known of the row under the cursor", "open", "table", "detail"),
    Action("table.down", ("j", "down"), "Down", "Next row", "cursor(1)", "table"),
    Action("table.up", ("k", "up"), "Up", "Previous row", "cursor(-1)", "table"),
    Action("table.left", ("h", "left"), "Left", "Previous cell, or columns to the left", "side(-1)", "table"),
    Action("table.right", ("l", "right"), "Right", "Next cell, or columns that found no room", "side(1)", "table"),
    Action("table.half_down", ("d", "ctrl+d"), "Half a page down", "Half a page down", "page(1)", "table"),
    Action("table.half_up", ("u", "ctrl+u"), "Half a page up", "Half a page up", "page(-1)", "table"),
    Action("table.page_down", ("pagedown", "ctrl+f"), "Page down", "A page down", "page(2)", "table"),
    Action("table.page_up", ("pageup", "ctrl+b"), "Page up", "A page up", "page(-2)", "table"),
    Action("table.first", ("g", "home"), "First row", "To the first row", "first", "table"),
    Action("table.last", ("G", "end"), "Last row", "To the last row", "last", "table"),
    Action("table.next_trouble", ("n",), "Next in trouble", "To the next row that needs a look", "seek(1)", "table"),
    Action(
        "table.previous_trouble",
        ("N",),
        "Previous in trouble",
        "To the previous row that needs a look",
        "seek(-1)",
        "table",
    ),
    Action(
        "table.mark", ("space",), "Mark", "Mark or unmark the row; marks stay on their row", "mark", "table", "mark"
    ),
    Action("table.range", ("v",), "Mark a range", "Begin a range, move, v again ends it", "range", "table"),
    Action("table.extend_down", ("shift+down",), "Mark downwards", "Pull a range down", "extend(1)", "table"),
    Action("table.extend_up", ("shift+up",), "Mark upwards", "Pull a range up", "extend(-1)", "table"),
    Action(
        "table.mark_all", ("*",), "Mark all shown", "Mark every row that the filter shows, or none", "mark_all", "table"
    ),
    Action("table.sort_next", (">",), "Sort by next column", "Sort by the next column", "sort_column(1)", "table"),
    Action(
        "table.sort_previous",
        ("<",),
        "Sort by previous column",
        "Sort by the previous column",
        "sort_column(-1)",
        "table",
    ),
    Action("table.reverse", ("o",), "Reverse order", "Turn the order round", "reverse", "table"),
    # Matrices
    Action(
        "matrix.unfold",
        ("z",),
        "Fold or unfold",
        "Show every row and column of a matrix, or fold the healthy ones",
        "unfold",
        "matrix",
    ),
    # Findings, in their pane and on their page
    Action(
        "findings.evidence",
        ("e",),
        "Evidence",
        "How a finding is known, its cause, the next step and the way back",
        "evidence",
        "findings",
        "evidence",
    ),
    Action(
        "findings.acknowledge",
        ("!",),
        "Acknowledge",
        "Know of it, with a note: quiet until it gets worse; again: loud",
        "acknowledge",
        "findings",
        "acknowledge",
    ),
    Action(
        "findings.act",
        ("a",),
        "What helps",
        "Open the action that helps against a finding",
        "act",
        "findings",
        "what helps",
    ),
    Action(
        "findings.object",
        ("enter",),
        "Go there",
        "To the node, CSV or VM that a finding is about",
        "object",
        "finding",
        "go there",
    ),
    # Detail and help
    Action("detail.back", ("escape", "backspace"), "Back", "Back to where you came from", "back", "detail", "back"),
    Action("detail.down", ("j", "down"), "Down", "A line down", "scroll(1)", "detail"),
    Action("detail.up", ("k", "up"), "Up", "A line up", "scroll(-1)", "detail"),
    Action("detail.half_down", ("d", "ctrl+d"), "Half a page down", "Half a page down", "page(1)", "detail"),
    Action("detail.half_up", ("u", "ctrl+u"), "Half a page up", "Half a page up", "page(-1)", "detail"),
    Action("detail.page_down", ("pagedown", "ctrl+f", "space"), "Page down", "A page down", "page(2)", "detail"),
    Action("detail.page_up", ("pageup", "ctrl+b"), "Page up", "A page up", "page(-2)", "detail"),
    Action("detail.first", ("g", "home"), "Top", "To the top", "edge(-1)", "detail"),
    Action("detail.last", ("G", "end"), "Bottom", "To the bottom", "edge(1)", "detail"),
    Action("detail.read", ("r", "f5"), "Read now", "Ask the node again", "read", "detail", "read"),
    # Pages with a list of their own: checkpoints, guests, VssAccessControl
    Action("page.back", ("escape", "backspace"), "Back", "Back to where you came from", "back", "page", "back"),
    Action("page.read", ("r", "f5"), "Read now", "Read what the page shows again", "read", "page", "read"),
    Action("page.more_down", ("J",), "Text down", "Half a page down in the text below", "more(1)", "page"),
    Action("page.more_up", ("H",), "Text up", "Half a page up in the text below", "more(-1)", "page"),
    Action(
        "record.toggle",
        ("R",),
        "Record",
        "Record everything that comes in into a file, for hvtui replay; again: end",
        "app.record",
        "record",
        "",
        True,
    ),
    *REPLAY_ACTIONS,
    *VERB_ACTIONS,
    *WINDOW_ACTIONS,
)

ON_PAGES: Final = (
    "verb.checkpoint",
    "verb.apply-checkpoint",
    "verb.remove-checkpoint",
    "verb.start-vm",
    "verb.vssaccess",
    "verb.vssaccess-remove",
)
"""Verbs whose keys are shown where their targets are listed: on pages of their own."""

FOOTER_ORDER: Final = (
    "page.back",
    "run.back",
    "run.offer",
    "verb.cancel",
    "run.log",
    "run.seen",
    "run.undo",
    "run.read",
    *ON_PAGES,
    "page.read",
    "window.back",
    "window.open",
    "window.earlier",
    "window.later",
    "window.live",
    "window.closer",
    "window.wider",
    "window.sort",
    "window.read",
    "findings.object",
    "findings.evidence",
    "findings.acknowledge",
    "findings.act",
    "detail.back",
    "detail.read",
    "table.open",
    "pane.filter",
    "acts.menu",
    "verb.migrate",
    "verb.align",
    "app.help",
    "verb.drain",
    "verb.vmms",
    "verb.policy",
    "acts.page",
    "app.palette",
    "acts.checkpoints",
    "acts.guests",
    "pane.next",
    "pane.zoom",
    "pane.read",
    "table.mark",
    "app.quit",
)
"""What stands in the last line, the most wanted first: a narrow terminal cuts the end."""

_KEY_WORDS: Final = {
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "home": "Home",
    "end": "End",
    **{f"f{number}": f"F{number}" for number in range(1, 13)},
    "backspace": "Backspace",
}


def key_word(key: str) -> str:
    """A key as people write it: `Ctrl+P`, `Enter`, `/`."""
    if key in _KEY_WORDS:
        return _KEY_WORDS[key]
    *modifiers, last = key.split("+") if len(key) > 1 else [key]
    if not modifiers:
        return key
    return "+".join([*(word.capitalize() for word in modifiers), _KEY_WORDS.get(last, last.upper())])


def bindings(scope: str) -> list[BindingType]:
    """Textual's bindings of one scope."""
    return [
        Binding(
            ",".join(action.keys),
            action.key_call or action.call,
            action.title,
            id=action.id,
            tooltip=action.help,
            show=False,
        )
        for action in ACTIONS
        if action.scope == scope and action.keys
    ]


def by_id(action_id: str) -> Action:
    """An action by its id."""
    return next(action for action in ACTIONS if action.id == action_id)
