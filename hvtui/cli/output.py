"""What commands print: tables for people, aligned words for a pipe, JSON for programs.

Every text passes `safe_text`, because names and messages come from guests and nodes. Rich is imported only when the
output is a terminal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence

from hvtui.text import safe_text

Cell = str | tuple[str, str]
"""Text, or text and a mood: `ok`, `warn`, `bad`, `dim`."""

_STYLES = {"ok": "green", "warn": "yellow", "bad": "bold red", "dim": "dim"}


def complain(*lines: str) -> None:
    """Say on standard error what went wrong, one line each."""
    for line in lines:
        sys.stderr.write(f"hvtui: {safe_text(line, limit=2000)}\n")


def say(text: str = "", mood: str = "") -> None:
    """One line for a person."""
    text = safe_text(text, limit=1000)
    if mood and _rich():
        from rich.console import Console
        from rich.text import Text

        Console().print(Text(text, style=_STYLES[mood]))
    else:
        _line(text)


def show_json(value: Mapping[str, object]) -> None:
    """One JSON object. Escaped to ASCII, so that no code page of a terminal or pipe can spoil it."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True) + "\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, plain: bool = False) -> None:
    """A table: Rich's on a terminal, aligned words in a pipe or with `plain`."""
    cells = [[_split(cell) for cell in row] for row in rows]
    if not cells:
        say(title)
        say()
        return
    if _rich() and not plain:
        _rich_table(title, columns, cells)
        return
    widths = [max(len(c), *(len(row[i][0]) for row in cells)) for i, c in enumerate(columns)]
    _line(title)
    for line in ([(c, "") for c in columns], *cells):
        text = "  ".join(cell.ljust(width) for (cell, _), width in zip(line, widths, strict=True))
        _line("  " + text.rstrip())
    _line()


def _rich_table(title: str, columns: Sequence[str], rows: list[list[tuple[str, str]]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(Text(column), overflow="fold")
    for row in rows:
        made.add_row(*(Text(text, style=_STYLES.get(mood, "")) for text, mood in row))
    Console().print(made)


def _split(cell: Cell) -> tuple[str, str]:
    text, mood = cell if isinstance(cell, tuple) else (cell, "")
    return safe_text(text), mood


def _rich() -> bool:
    return sys.stdout.isatty()


def _line(text: str = "") -> None:
    """Write a line; what the output's code page cannot show becomes `?`: a Windows pipe is rarely UTF-8."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")
