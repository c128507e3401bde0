"""Reading what PowerShell prints of objects: Format-List's blocks and Format-Table's columns.

Property names and enum names are the same in every language. A value that was cut (`NotBlo...`) is kept as cut: `whole`
tells which full name it can only be.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from hvtui.model.pasted import Line

ROW_LIMIT: Final = 10_000
_VALUE: Final = 300
_FIELD: Final = re.compile(r"[ \t>*|-]*(?P<name>[A-Za-z][\w.()%]*)\*{0,2}[ \t]*:\*{0,2}(?:[ \t]+|\Z)(?P<value>.*)\Z")
_DASHES: Final = re.compile(r"-+")
_CUT: Final = ("...", "…")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One object: property (in lower case) → value, and the line it begins in. `table`: it stood in a table."""

    values: Mapping[str, str]
    line: int
    table: bool = False

    def get(self, name: str) -> str:
        """A property's value, empty when it was not printed."""
        return self.values.get(name.lower(), "")


def whole(value: str, names: Collection[str]) -> str:
    """The name that a value, cut or not, can only be; the value itself when it is none or may be several."""
    if value in names:
        return value
    for cut in _CUT:
        head = value.removesuffix(cut)
        if head != value:
            fits = [name for name in names if name.startswith(head.rstrip())]
            return fits[0] if len(fits) == 1 else value
    lower = [name for name in names if name.lower() == value.lower()]
    return lower[0] if len(lower) == 1 else value


def read_rows(lines: Sequence[Line], names: Iterable[str], least: int = 2) -> list[Row]:
    """Every object with at least `least` of the properties `names`, of lists and tables alike."""
    wanted = {name.lower() for name in names}
    listed, used = _lists(lines, wanted, least)
    return (listed + _tables(lines, wanted, least, used))[:ROW_LIMIT]


def _lists(lines: Sequence[Line], wanted: set[str], least: int) -> tuple[list[Row], set[int]]:
    rows: list[Row] = []
    used: set[int] = set()
    block: dict[str, str] = {}
    first = last = 0

    def end() -> None:
        nonlocal block
        if len(wanted & block.keys()) >= least:
            rows.append(Row(values=block, line=first))
            used.update(range(first, last + 1))
        block = {}

    for line in lines:
        match = _FIELD.match(line.text)
        name = match["name"].lower() if match is not None else ""
        if match is None or (block and (name in block or line.number > last + 1)):
            end()
        if match is not None:
            first = first if block else line.number
            last = line.number
            block[name] = match["value"].strip()[:_VALUE]
    end()
    return rows, used


def _tables(lines: Sequence[Line], wanted: set[str], least: int, used: set[int]) -> list[Row]:
    rows: list[Row] = []
    for at, line in enumerate(lines):
        if at == 0 or line.number in used or not _is_rule(line.text):
            continue
        heading = lines[at - 1].text
        names = heading.split()
        if len(wanted & {name.lower() for name in names}) < least:
            continue
        spans = [(match.start(), match.end()) for match in _DASHES.finditer(line.text)]
        aligned = len(spans) == len(names)
        last = line.number
        # Web pages put a blank line between any two; then only more than one ends a table.
        step = max(1, line.number - lines[at - 1].number)
        for below in lines[at + 1 :]:
            if below.number > last + step or _is_rule(below.text) or below.text.split() == names:
                break
            last = below.number
            cells = _cells(below.text, spans) if aligned else below.text.split()
            if cells is None or len(cells) != len(names):
                cells = _by_words(below.text, len(names))
            if cells is not None:
                values = {name.lower(): cell[:_VALUE] for name, cell in zip(names, cells, strict=True)}
                rows.append(Row(values=values, line=below.number, table=True))
    return rows


def _is_rule(text: str) -> bool:
    return len(text.split()) > 1 and set(text.replace(" ", "")) == {"-"}


def _cells(text: str, spans: list[tuple[int, int]]) -> list[str] | None:
    """A line cut where its columns begin and end; None when a word stands across a border of both kinds.

    Text begins where the dashes do, a number ends where they end: a border is any blank between two columns' dashes.
    """
    cells, start = [], 0
    for index, (_, end) in enumerate(spans):
        if index + 1 == len(spans):
            cells.append(text[start:].strip())
            break
        following = spans[index + 1][0]
        # Left-aligned first: the blank just before the next column's dashes.
        border = next((at for at in range(following - 1, end - 2, -1) if text[at : at + 1] in {"", " "}), None)
        if border is None:
            # A value longer than its dashes: the last blank before it ends the column.
            border = text.find(" ", end)
            if border < 0:
                return None
        if text[following : following + 1] == " " and text[following - 1 : following] != " ":
            border = next((at for at in range(following - 1, start, -1) if text[at : at + 1] == " "), border)
        cells.append(text[start:border].strip())
        start = border
    return cells


def _by_words(text: str, count: int) -> list[str] | None:
    """Columns that lost their places: two blanks or more between two of them, else a word each."""
    for parts in (re.split(r"\s{2,}", text.strip()), text.split()):
        if len(parts) == count:
            return parts
    return None
