"""The words of a `/` filter, and whether a row matches them.

`sql` looks at all of a row's texts, `field:value` at one of its fields, `-word` and `-field:value` exclude,
`field:=value` wants the whole value, `cpu:>50` compares numbers, `drift:yes`, `drift:no` and `drift:?` look at what is
true, false or unknown, `csv:none` at what is empty. Quotes keep blanks together. All parts must match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Protocol


class Row(Protocol):
    """What can be filtered: named fields, and the texts a plain word looks at."""

    FIELDS: ClassVar[dict[str, str]]

    def words(self) -> Iterator[str]:
        """Texts of the row."""
        ...


Test = Callable[[Row], bool]

_PART: Final = re.compile(r'(-?)(?:([A-Za-z_]+):)?(=?)(?:"([^"]*)"?|(\S+))?')
_COMPARE: Final = re.compile(r"(>=|<=|>|<|=)?(-?[0-9]{1,15}(?:\.[0-9]{1,6})?)(%?|[kmgt]b?)\Z", re.IGNORECASE)
_YES: Final = ("yes", "true", "1", "on")
_NO: Final = ("no", "false", "0", "off")
_UNKNOWN: Final = frozenset({"?", "unknown"})
_TEXT_LIMIT: Final = 500


@dataclass(frozen=True)
class Filter:
    """A filter ready for use; `text` is what was typed. `problems` are parts that could not be understood."""

    text: str = ""
    tests: tuple[Test, ...] = ()
    problems: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tests)

    def matches(self, row: Row) -> bool:
        """True when every part of the filter holds for the row."""
        return all(test(row) for test in self.tests)


def parse_filter(text: str) -> Filter:
    """Understand a filter; any text is one, at worst it matches nothing."""
    tests: list[Test] = []
    problems: list[str] = []
    for match in _PART.finditer(text[:_TEXT_LIMIT]):
        minus, field, equals, quoted, word = match.groups()
        value = (quoted if quoted is not None else word or "").lower()
        if not value:
            continue
        if field is None:
            test = _word(equals + value)
        else:
            test = _field(field.lower(), value, exact=bool(equals))
            if value[0] in "<>" and not _COMPARE.match(value):
                problems.append(f"{field}:{value} needs a number after {value[0]}")
        tests.append(_not(test) if minus else test)
    return Filter(text.strip(), tuple(tests), tuple(problems))


def _not(test: Test) -> Test:
    return lambda row: not test(row)


def _word(value: str) -> Test:
    return lambda row: any(value in text.lower() for text in row.words())


def _field(field: str, value: str, *, exact: bool) -> Test:
    compare = _COMPARE.match(value)
    plain = _word(f"{field}:{value}")

    def test(row: Row) -> bool:
        name = row.FIELDS.get(field)
        if name is None:
            # `C:\\ClusterStorage` is a word, not a field.
            return plain(row)
        return _holds(getattr(row, name), value, compare, exact)

    return test


def _holds(held: object, value: str, compare: re.Match[str] | None, exact: bool) -> bool:
    if held is None or held == "?":
        return value in _UNKNOWN
    if isinstance(held, bool):
        return any(word.startswith(value) for word in (_YES if held else _NO))
    if isinstance(held, (int, float)) and not isinstance(held, IntEnum):
        return compare is not None and _compares(held, compare)
    texts = held if isinstance(held, tuple) else (held.name if isinstance(held, IntEnum) else held,)
    shown = [str(text).lower() for text in texts if text != ""]
    if value == "none" and not shown:
        return True
    return any(text == value if exact else value in text for text in shown)


_UNITS: Final = {"k": 2**-10, "m": 1, "g": 2**10, "t": 2**20}
"""Sizes in rows are MB."""


def _compares(held: float, compare: re.Match[str]) -> bool:
    sign, number, unit = compare.groups()
    wanted = float(number) * _UNITS.get(unit[:1].lower(), 1)
    return {
        ">": held > wanted,
        "<": held < wanted,
        ">=": held >= wanted,
        "<=": held <= wanted,
    }.get(sign or "=", held == wanted)
