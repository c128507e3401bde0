"""A screen of the console as SVG that needs nothing from elsewhere: no web font, no style sheet, no script.

Every word stands at its own cell, so that the columns hold whatever monospaced font the viewer has; frames, bars and
blocks are drawn as shapes, so that they join.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from rich.terminal_theme import DIMMED_MONOKAI
from textual.strip import Strip

FONT_SIZE: Final = 14
CELL: Final = 8.4
LINE: Final = 18
MARGIN: Final = 10
BAR: Final = 26
"""Height of the window's title bar."""

FONTS: Final = "'Cascadia Mono','JetBrains Mono',Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"

_LEVELS: Final = {glyph: eighths for eighths, glyph in enumerate("▁▂▃▄▅▆▇█", start=1)}
_PARTS: Final = {glyph: eighths for eighths, glyph in enumerate("▏▎▍▌▋▊▉", start=1)}
_FRAMES: Final = {"─": "lr", "│": "ud", "╭": "rd", "╮": "ld", "╰": "ru", "╯": "lu"}
_HEAVY: Final = {"━": "lr", "┃": "ud", "┏": "rd", "┓": "ld", "┗": "ru", "┛": "lu"}
_SHAPES: Final = frozenset(_LEVELS) | frozenset(_PARTS) | frozenset(_FRAMES) | frozenset(_HEAVY)


@dataclass(frozen=True, slots=True)
class Run:
    """Cells of one style on one line."""

    x: int
    text: str
    colour: str
    background: str
    bold: bool
    italic: bool


def _hex(color: Color | None, *, foreground: bool) -> str:
    red, green, blue = (color or Color.default()).get_truecolor(DIMMED_MONOKAI, foreground=foreground)
    return f"#{red:02x}{green:02x}{blue:02x}"


def runs(strip: Strip) -> Iterator[Run]:
    """The runs of a line, from the left."""
    x = 0
    for text, style, control in strip:
        if control or not text:
            continue
        made = style or Style()
        colour, background = _hex(made.color, foreground=True), _hex(made.bgcolor, foreground=False)
        if made.reverse:
            colour, background = background, colour
        yield Run(x, text, colour, background, bool(made.bold), bool(made.italic))
        x += cell_len(text)


def words(text: str) -> Iterator[tuple[int, str]]:
    """Pieces of a text that stand apart by two blanks or a shape, with the cell each begins at."""
    x, start, piece = 0, 0, ""
    blanks = 0
    for char in text:
        shape = char in _SHAPES
        if char == " " or shape:
            blanks += 1
            if piece and (blanks >= 2 or shape):
                yield start, piece
                piece = ""
        else:
            if not piece:
                start = x
            else:
                piece += " " * blanks
            piece += char
            blanks = 0
        x += cell_len(char)
    if piece:
        yield start, piece


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _shape(char: str, x: float, y: float, colour: str) -> str:
    """One glyph that must join its neighbours."""
    n = _number
    if char in _LEVELS:
        # As high as the letters beside it, and on their line.
        height = (LINE - 5) * _LEVELS[char] / 8 if char != "█" else LINE
        top = y + LINE - height - (4 if char != "█" else 0)
        return f'<rect x="{n(x + 0.4)}" y="{n(top)}" width="{n(CELL - 0.8)}" height="{n(height)}" fill="{colour}"/>'
    if char in _PARTS:
        return f'<rect x="{n(x)}" y="{n(y)}" width="{n(CELL * _PARTS[char] / 8)}" height="{LINE}" fill="{colour}"/>'
    middle, centre = x + CELL / 2, y + LINE / 2
    ends = {"l": (x, centre), "r": (x + CELL, centre), "u": (middle, y), "d": (middle, y + LINE)}
    (x1, y1), (x2, y2) = (ends[side] for side in (_FRAMES.get(char) or _HEAVY[char]))
    if char in "─│━┃":
        path = f"M{n(x1)} {n(y1)}L{n(x2)} {n(y2)}"
    elif char in _HEAVY:
        path = f"M{n(x1)} {n(y1)}L{n(middle)} {n(centre)}L{n(x2)} {n(y2)}"
    else:
        path = f"M{n(x1)} {n(y1)}Q{n(middle)} {n(centre)} {n(x2)} {n(y2)}"
    width = ' stroke-width="2.5"' * (char in _HEAVY)
    return f'<path d="{path}" stroke="{colour}"{width} fill="none"/>'


def _background(line: Sequence[Run], y: float, base: str) -> Iterator[str]:
    x, width, colour = 0, 0, base
    for run in [*line, Run(-1, "", "", "", False, False)]:
        if run.background == colour and run.x >= 0:
            width += cell_len(run.text)
            continue
        if width and colour != base:
            left, size = _number(MARGIN + x * CELL), _number(width * CELL)
            yield f'<rect x="{left}" y="{_number(y)}" width="{size}" height="{LINE}" fill="{colour}"/>'
        x, width, colour = run.x, cell_len(run.text), run.background


def _foreground(line: Sequence[Run], y: float) -> Iterator[str]:
    for run in line:
        x = MARGIN + run.x * CELL
        at = 0
        for char in run.text:
            if char in _SHAPES:
                yield _shape(char, x + at * CELL, y, run.colour)
            at += cell_len(char)
        weight = ' font-weight="bold"' * run.bold + ' font-style="italic"' * run.italic
        for start, word in words(run.text):
            left, length = _number(x + start * CELL), _number(cell_len(word) * CELL)
            place = f'x="{left}" y="{_number(y + LINE - 4.6)}" textLength="{length}"'
            yield f'<text {place} fill="{run.colour}"{weight}>{escape(word, quote=False)}</text>'


def svg(strips: Iterable[Strip], title: str) -> str:
    """A whole screen in a plain window."""
    lines = [list(runs(strip)) for strip in strips]
    columns = max((sum(cell_len(run.text) for run in line) for line in lines), default=0)
    base = lines[0][0].background if lines and lines[0] else "#000000"
    area: Counter[str] = Counter()
    for line in lines[1:]:
        for run in line:
            area[run.background] += cell_len(run.text)
    frame = max(area, key=lambda colour: area[colour], default=base)
    width, height = columns * CELL + 2 * MARGIN, len(lines) * LINE + BAR + MARGIN
    n = _number
    ink = next((run.colour for line in lines for run in line if run.text.strip()), "#888888")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {n(width)} {n(height)}" role="img" '
        f'aria-label="{escape(title)}">',
        f'<rect x="0.5" y="0.5" width="{n(width - 1)}" height="{n(height - 1)}" rx="7" fill="{frame}" '
        'stroke="#7f7f7f" stroke-opacity="0.5"/>',
        *(f'<circle cx="{17 + 16 * i}" cy="13" r="4.5" fill="#7f7f7f" fill-opacity="0.55"/>' for i in range(3)),
        f'<g font-family="{FONTS}" font-size="{FONT_SIZE}" xml:space="preserve" text-rendering="optimizeLegibility">',
        f'<text x="{n(width / 2)}" y="18" text-anchor="middle" fill="{ink}" fill-opacity="0.7">{escape(title)}</text>',
    ]
    for number, line in enumerate(lines):
        y = BAR + number * LINE
        parts += _background(line, y, frame)
        parts += _foreground(line, y)
    return "\n".join([*parts, "</g>", "</svg>", ""])
