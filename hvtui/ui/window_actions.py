"""Keys of the backup window page, and of watching. None of them changes anything on a cluster."""

from __future__ import annotations

from typing import Final

from hvtui.ui.action import Action


def _page(name: str, keys: tuple[str, ...], title: str, help_text: str, call: str) -> Action:
    footer = _FOOTERS.get(name, "")
    return Action(f"window.{name}", keys, title, help_text, call, "window", footer)


_FOOTERS: Final = {
    "back": "back",
    "open": "detail",
    "earlier": "earlier",
    "later": "later",
    "live": "live",
    "closer": "closer",
    "wider": "wider",
    "sort": "sort",
    "read": "read",
}


WINDOW_ACTIONS: Final[tuple[Action, ...]] = (
    Action(
        "acts.window", ("9",), "Backup window", "Every VM's backup on a time axis, and what is left behind",
        "app.window", "acts", "", True,
    ),
    # Its key is that of another action on other rows; whoever presses it gets the one of the row.
    Action(
        "watch.toggle", ("W",), "Watch", "Ring when its backup ends, fails or stalls; again: not",
        "app.watch", "watch", on=("vm", "csv"),
    ),
    _page("back", ("escape", "backspace"), "Back", "Back to the panes", "back"),
    _page("open", ("enter",), "Open", "Everything known of the VM, node or CSV under the cursor", "open"),
    _page("earlier", ("h", "left"), "Earlier", "A quarter of the time axis back", "move(-1)"),
    _page("later", ("l", "right"), "Later", "A quarter of the time axis on", "move(1)"),
    _page("live", ("t",), "Live", "The time axis ends now again, and goes on with the time", "live"),
    _page("closer", ("+", "="), "Closer", "Less time on the axis", "zoom(-1)"),
    _page("wider", ("-",), "Wider", "More time on the axis", "zoom(1)"),
    _page("sort", ("s",), "Sort", "VMs by trouble, by name, by node, or the last begun first", "sort"),
    _page("down", ("j", "down"), "Down", "A row down", "row(1)"),
    _page("up", ("k", "up"), "Up", "A row up", "row(-1)"),
    _page("half_down", ("d", "ctrl+d"), "Half a page down", "Half a page down", "page(1)"),
    _page("half_up", ("u", "ctrl+u"), "Half a page up", "Half a page up", "page(-1)"),
    _page("page_down", ("pagedown", "ctrl+f", "space"), "Page down", "A page down", "page(2)"),
    _page("page_up", ("pageup", "ctrl+b"), "Page up", "A page up", "page(-2)"),
    _page("first", ("g", "home"), "First", "To the first row", "edge(-1)"),
    _page("last", ("G", "end"), "Last", "To the last row", "edge(1)"),
    _page("next_trouble", ("n",), "Next in trouble", "To the next row that needs a look", "seek(1)"),
    _page("previous_trouble", ("N",), "Previous in trouble", "To the previous row that needs a look", "seek(-1)"),
    _page("next_section", ("tab",), "Next part", "VMs, what is left behind, writers, volumes, events", "section(1)"),
    _page("previous_section", ("shift+tab",), "Previous part", "To the part above", "section(-1)"),
    _page("read", ("r", "f5"), "Read now", "Ask the nodes for their VSS writers", "read"),
)  # fmt: skip
