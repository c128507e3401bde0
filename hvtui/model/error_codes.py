"""Error codes in a text: HRESULTs, NTSTATUS values and bare Win32 numbers as people and products write them.

`0x80070005`, `0×8007 0005L`, `hr = 80042306`, `-2147024891`, `error code '2155348129'`, `STATUS_IO_TIMEOUT(c00000b5)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

_HEX: Final = re.compile(r"(?<![0-9A-Za-z])0x(?P<hex>[0-9a-fA-F]{8})L?(?![0-9a-fA-F])")
_SPLIT: Final = re.compile(r"(?<![0-9A-Za-z])0x(?P<hex>[89cC][0-9a-fA-F]{3}[ _-][0-9a-fA-F]{4})L?(?![0-9a-fA-F])")
"""A code that was broken in the middle by a line end or a hyphen."""
_SHORT: Final = re.compile(r"(?<![0-9A-Za-z])0x(?P<hex>[0-9a-fA-F]{1,7})(?![0-9a-fA-F])")
_BARE: Final = re.compile(
    r"(?:hresult|hr|error|code|status\w*|returned|fehlercode|fehler|erreur|código|codice)\W{1,6}(?P<hex>[89cC][0-9a-fA-F]{7})"
    r"(?![0-9A-Za-z-])",
    re.IGNORECASE,
)
_STATUS: Final = re.compile(r"(?<![0-9A-Za-z])STATUS_\w+ ?\((?P<hex>[cC][0-9a-fA-F]{7})\)")
_SIGNED: Final = re.compile(r"(?<![0-9A-Za-z-])(?P<number>-2[0-9]{9}|-1[0-9]{9})(?![0-9])")
_UNSIGNED: Final = re.compile(r"(?<![0-9A-Za-z.:-])(?P<number>[23][0-9]{9})(?![0-9.])")
_SEVERE: Final = 0x8000_0000
_FACILITIES: Final = frozenset({0x8000, 0x8001, 0x8003, 0x8004, 0x8007, 0x8009, 0x800A, 0x8024, 0x8078})
"""Facilities in which an unsigned decimal number is believed to be a code: the number of a job is not."""


class CodeAt(NamedTuple):
    """A code as `0x` and eight lower-case digits, as it was written, and its place in the text."""

    code: str
    written: str
    place: int


def _an_argument(text: str, start: int, end: int) -> bool:
    """Whether a number stands between the commas of a call, `CreateFileW(…,0x80000000,0x00000003,…)`: no error."""
    return text[start - 1 : start] == "," or (text[end : end + 1] == "," and text[end + 1 : end + 2] not in {" ", ""})


def codes_in(text: str) -> Iterator[CodeAt]:
    """Every code, in the order of the text; a short `0x5` counts where it stands in round brackets."""
    found: dict[int, CodeAt] = {}
    for pattern in (_HEX, _SPLIT, _STATUS, _BARE):
        for match in pattern.finditer(text):
            place = match.start("hex")
            if place not in found and not _an_argument(text, match.start(), match.end()):
                digits = re.sub(r"[ _-]", "", match["hex"])
                found[place] = CodeAt(f"0x{int(digits, 16):08x}", match[0].strip(), match.start())
    for match in _SHORT.finditer(text):
        if text[max(0, match.start() - 1) : match.start()] == "(" and match.start("hex") not in found:
            found[match.start("hex")] = CodeAt(f"0x{int(match['hex'], 16):08x}", match[0], match.start())
    for match in _SIGNED.finditer(text):
        number = int(match["number"]) + 2**32
        if _SEVERE <= number < 2**32:
            found.setdefault(match.start(), CodeAt(f"0x{number:08x}", match[0], match.start()))
    for match in _UNSIGNED.finditer(text):
        number = int(match["number"])
        if _SEVERE <= number < 2**32 and number >> 16 in _FACILITIES:
            found.setdefault(match.start(), CodeAt(f"0x{number:08x}", match[0], match.start()))
    yield from (found[place] for place in sorted(found))
