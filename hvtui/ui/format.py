"""Numbers as an operator reads them: sizes, ages, percentages and meters of a fixed scale. Pure text, no widget."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import Final

UNKNOWN: Final = "?"
"""Shown for what could not be read; never 0, never blank."""

_UNITS: Final = ("B", "KB", "MB", "GB", "TB", "PB")
_LEVELS: Final = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS: Final = "_.:-=+*#"
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def size(number: int | None) -> str:
    """Bytes in the units Windows uses (1 KB = 1024), three significant digits: `412 GB`, `4.1 TB`, `0 B`."""
    if number is None:
        return UNKNOWN
    value, unit = float(number), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.1f} {_UNITS[unit]}" if unit and value < 9.95 else f"{value:.0f} {_UNITS[unit]}"


def age(seconds: float | None) -> str:
    """How long ago, in the largest useful unit: `4 s`, `3 min`, `2 h 05`, `3 d 4 h`."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, int(seconds))
    if whole < 100:
        return f"{whole} s"
    if whole < 100 * 60:
        return f"{whole // 60} min"
    if whole < 48 * 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d}"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def short_age(seconds: float | None) -> str:
    """Like `age`, without blanks, for a cell of a matrix: `4s`, `74m`, `5h`, `3d`."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, int(seconds))
    for limit, unit, letter in ((100, 1, "s"), (6000, 60, "m"), (172_800, 3600, "h")):
        if whole < limit:
            return f"{whole // unit}{letter}"
    return f"{whole // 86400}d"


def offset(delta: timedelta | None) -> str:
    """A clock difference with its sign: `+2.1 s`, `-75 s`, `+9 min`."""
    if delta is None:
        return UNKNOWN
    seconds = delta.total_seconds()
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{abs(seconds):.1f} s" if abs(seconds) < 10 else f"{sign}{age(abs(seconds))}"


def percent(number: int | None) -> str:
    """A whole percentage, right-aligned in four cells: `  4%`, `100%`, `   ?`."""
    return f"{UNKNOWN if number is None else f'{number}%':>4}"


def level(number: int | None, *, ascii_only: bool = False) -> str:
    """One glyph for a percentage on the fixed scale 0–100, a blank when it is unknown."""
    if number is None:
        return " "
    glyphs = _ASCII_LEVELS if ascii_only else _LEVELS
    return glyphs[min(7, max(0, number) * 8 // 100)]


def meter(number: int | None, width: int, *, ascii_only: bool = False) -> str:
    """A bar of `width` cells for a percentage on the fixed scale 0–100; what is not filled is blank, `.` in ASCII."""
    if number is None:
        return " " * width
    value = min(100, max(0, number))
    if ascii_only:
        filled = round(value * width / 100)
        return "#" * filled + "." * (width - filled)
    eighths = round(value * width * 8 / 100)
    full, rest = divmod(eighths, 8)
    bar = "█" * full + (_EIGHTHS[rest] if rest else "")
    return bar + " " * (width - len(bar))


def clock_time(moment: datetime | None, zone: tzinfo | None) -> str:
    """Time of day in the zone shown, `zone` None = the client's own: `00:46:07`."""
    return UNKNOWN if moment is None else moment.astimezone(zone).strftime("%H:%M:%S")


def day_time(moment: datetime | None, zone: tzinfo | None) -> str:
    """Date and time to the minute: `2026-11-24 00:46`."""
    return UNKNOWN if moment is None else moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")
