"""The last line: the keys that matter here, from the registry of actions; each can be clicked."""

from __future__ import annotations

from dataclasses import replace

from hvtui.ui.actions import FOOTER_ORDER, by_id, key_word
from hvtui.ui.look import Look
from hvtui.ui.widgets.styled_line import Piece, StyledLine


class KeyLine(StyledLine):
    """Keys of some scopes, the most wanted first; with `kind` only those that are about rows of that kind."""

    DEFAULT_CSS = """
    KeyLine { dock: bottom; }
    """

    def __init__(self, look: Look, *scopes: str, kind: str = "", without: tuple[str, ...] = ()) -> None:
        super().__init__(ellipsis=look.glyphs.ellipsis)
        shown = [by_id(name) for name in FOOTER_ORDER if name not in without]
        pieces = [Piece(" ")]
        for action in shown:
            if action.scope in scopes and (not kind or not action.on or kind in action.on):
                key = action.keys[0]
                pieces += [
                    Piece(key_word(key).replace("Ctrl+", "^"), "key", key),
                    Piece(f" {action.footer}  ", "", key),
                ]
        pieces[-1] = replace(pieces[-1], text=pieces[-1].text.rstrip())
        self.show(pieces)
