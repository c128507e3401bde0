"""The last line: the keys that matter here, from the registry of actions; each can be clicked."""

from __future__ import annotations

from dataclasses import replace

from hvtui.ui.actions import ACTIONS, key_word
from hvtui.ui.look import Look
from hvtui.ui.widgets.styled_line import Piece, StyledLine


class KeyLine(StyledLine):
    """Keys of some scopes, in the order of the registry."""

    DEFAULT_CSS = """
    KeyLine { dock: bottom; }
    """

    def __init__(self, look: Look, *scopes: str, without: tuple[str, ...] = ()) -> None:
        super().__init__(ellipsis=look.glyphs.ellipsis)
        pieces = [Piece(" ")]
        for scope in scopes:
            for action in ACTIONS:
                if action.scope == scope and action.footer and action.id not in without:
                    pieces += [
                        Piece(key_word(action.keys[0]).replace("Ctrl+", "^"), "key", action.keys[0]),
                        Piece(f" {action.footer}  ", "", action.keys[0]),
                    ]
        pieces[-1] = replace(pieces[-1], text=pieces[-1].text.rstrip())
        self.show(pieces)
