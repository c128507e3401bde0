"""How things are drawn: glyphs, their ASCII stand-ins, and the time zone shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One glyph per meaning; a state is always shown with its word and colour as well."""

    ok: str = "✓"
    info: str = "·"
    warn: str = "▲"
    bad: str = "✖"
    unknown: str = "?"
    busy: str = "◌"
    stale: str = "◌"
    mark: str = "▌"
    cursor: str = " "
    cursor_mark: str = "▌"
    up: str = "↑"
    down: str = "↓"
    arrow: str = "→"
    unequal: str = "≠"
    at_least: str = "≥"
    ellipsis: str = "…"
    dot: str = "·"
    left: str = "‹"
    right: str = "›"
    watch: str = "◉"
    track: str = " "
    thumb: str = "█"
    record: str = "●"
    gone: str = "━"
    ahead: str = "─"
    frame: str = "╭─╮│╰╯"
    """Corner, edge, corner, side, corner, corner."""


UNICODE: Final = Glyphs()
ASCII: Final = Glyphs(
    ok="+",
    info=".",
    warn="!",
    bad="X",
    unknown="?",
    busy="~",
    stale="~",
    mark="*",
    cursor=">",
    cursor_mark="#",
    up="^",
    down="v",
    arrow=">",
    unequal="!=",
    at_least=">=",
    ellipsis="~",
    dot="-",
    left="<",
    right=">",
    watch="@",
    track=":",
    thumb="#",
    record="*",
    gone="=",
    ahead="-",
    frame="+-+|++",
)

_PLAIN: Final = str.maketrans(
    {
        "✓": "+",
        "▲": "!",
        "✖": "X",
        "◌": "~",
        "●": "*",
        "◉": "@",
        "▌": "|",
        "→": "->",
        "≠": "!=",
        "≥": ">=",
        "≤": "<=",
        "…": "~",
        "·": "-",
        "–": "-",
        "—": "-",
        "×": "x",
        "‹": "<",
        "›": ">",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        "\N{NO-BREAK SPACE}": " ",
    }
)


@dataclass(frozen=True, slots=True)
class Look:
    """The user's choices about drawing. `zone` None shows times in the client's own time zone."""

    ascii: bool = False
    zone: tzinfo | None = None
    glyphs: Glyphs = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "glyphs", ASCII if self.ascii else UNICODE)

    def plain(self, text: str) -> str:
        """Text of hvtui's own making, its glyphs replaced in ASCII mode; never for names."""
        return text.translate(_PLAIN) if self.ascii else text
