"""The last line of a dialog: Cancel, which has the focus, and the button that confirms, armed or not."""

from __future__ import annotations

from typing import ClassVar

from hvtui.text import safe_text
from hvtui.ui.look import Look
from hvtui.ui.widgets.styled_line import Piece, StyledLine


class Buttons(StyledLine, can_focus=True):
    """`[ Cancel ]` and `[ y  Drain HV03 ]`; while unarmed the second is `( Drain HV03 )` and says what is missing."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"line--cancel", "line--cancel-blur", "line--armed", "line--unarmed"}

    DEFAULT_CSS = """
    Buttons {
        background: $hv-base;
        & > .line--cancel { color: $hv-cursor; background: $hv-cursor-bg; text-style: bold; }
        & > .line--cancel-blur { color: $hv-text; background: $hv-head-bg; }
        & > .line--armed { color: $hv-text; background: $hv-alert-bg; text-style: bold; }
        & > .line--unarmed { color: $hv-dim; }
    }
    """

    def __init__(self, look: Look) -> None:
        super().__init__(ellipsis=look.glyphs.ellipsis)
        self.armed = False
        self._word = ""
        self._key = "y"
        self._missing = ""
        self._back = "Cancel"

    def paint(self, word: str, *, key: str, armed: bool, missing: str = "", back: str = "Cancel") -> None:
        """`word` is what the button does (empty: there is no such button), `key` what presses it, `missing` what a
        person must do or wait for before it is armed, `back` what the harmless button is called.
        """
        self._back = back
        self.armed = armed and bool(word)
        self._word, self._key, self._missing = word, key, missing
        self._paint()

    def on_focus(self) -> None:
        self._paint()

    def on_blur(self) -> None:
        self._paint()

    def _paint(self) -> None:
        cancel = self._back if self._word else "Close"
        pieces = [
            Piece(" "),
            Piece(f"[ {cancel} ]", "cancel" if self.has_focus else "cancel-blur", "escape"),
            Piece(" Esc  ", "dim"),
        ]
        if self._word:
            shown = safe_text(self._word)
            if self.armed:
                word = "Enter" if self._key == "enter" else self._key
                pieces.append(Piece(f"[ {word}  {shown} ]", "armed", self._key))
            else:
                pieces.append(Piece(f"( {shown} )", "unarmed"))
        if self._missing:
            pieces.append(Piece(f"  {safe_text(self._missing)}", "warn"))
        self.show(pieces)
