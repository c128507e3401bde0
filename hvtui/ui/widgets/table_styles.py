"""Colours of a table: component classes that themes fill, and what they come to for each kind of row."""

from __future__ import annotations

from typing import Final

from rich.style import Style
from textual.widget import Widget

from hvtui.ui.widgets.row_paint import KINDS, ROLES

CLASSES: Final = {
    *(f"line-table--{role}" for role in ROLES if role),
    *(f"line-table--{kind}" for kind in (*KINDS, "head") if kind),
}

CSS: Final = """
    TableBase {
        background: $hv-base; color: $hv-text;
        overflow-x: hidden; overflow-y: scroll;
        scrollbar-size: 1 1;
        scrollbar-color: $hv-bar; scrollbar-color-hover: $hv-frame-focus; scrollbar-color-active: $hv-frame-focus;
        scrollbar-background: $hv-base;
        & > .line-table--head { color: $hv-head; background: $hv-head-bg; text-style: bold; }
        & > .line-table--cursor { color: $hv-cursor; background: $hv-cursor-bg; text-style: bold; }
        & > .line-table--blur { color: $hv-text; background: $hv-blur-bg; }
        & > .line-table--marked { background: $hv-mark-bg; }
        & > .line-table--ok { color: $hv-ok; }
        & > .line-table--busy { color: $hv-busy; }
        & > .line-table--warn { color: $hv-warn; text-style: bold; }
        & > .line-table--bad { color: $hv-bad; text-style: bold; }
        & > .line-table--info { color: $hv-info; }
        & > .line-table--dim { color: $hv-dim; }
        & > .line-table--stale { color: $hv-dim; text-style: italic; }
        & > .line-table--unread { color: $hv-dim; }
        & > .line-table--key { color: $hv-mark; text-style: bold; }
        & > .line-table--owner { color: $hv-owner; }
    }
    """


def table_styles(widget: Widget) -> dict[tuple[str, str], Style]:
    """Style by kind of row and role of cell."""
    made: dict[tuple[str, str], Style] = {}
    for kind in (*KINDS, "head"):
        whole = widget.get_component_rich_style(f"line-table--{kind}", partial=True) if kind else Style()
        for role in ROLES:
            colour = widget.get_component_rich_style(f"line-table--{role}", partial=True) if role else Style()
            # The cursor keeps one colour of text, which every theme makes readable on the cursor's background.
            mixed = colour + whole if kind in {"cursor", "head", "blur"} else whole + colour
            made[kind, role] = widget.rich_style + mixed
    return made
