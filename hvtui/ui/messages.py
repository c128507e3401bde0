"""What panes ask of the app. A pane changes only itself; everything else goes through one of these."""

from __future__ import annotations

from textual.message import Message


class OpenDetail(Message):
    """Show everything known of one thing; `kind` is `node`, `csv`, `vm`, `writer`, `event` or `finding`."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__()
        self.kind = kind
        self.key = key


class FilterVms(Message):
    """Show in the VM pane only what `text` selects, and go there."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class GoTo(Message):
    """Focus a pane and put its cursor on `key` (empty: leave the cursor)."""

    def __init__(self, pane: str, key: str = "") -> None:
        super().__init__()
        self.pane = pane
        self.key = key
