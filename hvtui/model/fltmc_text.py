"""Reading `fltmc filters` and `fltmc instances`, in any language.

The headings are never read. A filter is a line that ends in a count, an altitude and a frame; an instance one that ends
in an altitude, a name, a frame and (since Windows 8) supported features. A volume without a name is an empty text: that
is how Windows prints one without a letter. What does not fit is kept as unreadable, and never counts as no filter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

LIMIT: Final = 2_000
"""Lines looked at; a host has some tens of filters and some hundred instances."""
_KEPT: Final = 20
_SHOWN: Final = 200
_BLANK: Final = " \t\u00a0"


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A file system filter driver. `altitude` as Windows writes it (`385250.5`), empty for a legacy filter.

    `volumes` are what it is attached to, empty texts included; None when that was not read.
    """

    name: str
    altitude: str = ""
    instances: int | None = None
    legacy: bool = False
    volumes: tuple[str, ...] | None = None

    @property
    def group(self) -> str:
        """The load order group of its altitude, such as `Anti-Virus`; empty when it belongs to none."""
        return altitude_group(self.altitude)


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """A filter attached to a volume."""

    filter: str
    volume: str
    altitude: str
    name: str
    frame: int | None = None


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What the two texts said. `filters` is None when neither gave a line, so that nothing read is not none there."""

    filters: tuple[Filter, ...] | None = None
    unreadable: tuple[str, ...] = ()


_FILTER: Final = re.compile(
    r"(?P<name>\S(?:.*?\S)?)\s+(?P<count>\d{1,6})\s+(?P<altitude>\d{1,6}(?:\.\d+)?)\s+(?P<frame>\d{1,3})"
)
_LEGACY: Final = re.compile(r"(?P<name>\S(?:.*?\S)?)\s+(?:\d{1,6}\s+)?<[^<>]{1,40}>")
_TAIL: Final = (
    r"(?P<altitude>\d{1,6}(?:\.\d+)?)\s+(?P<name>\S(?:.*?\S)?)\s+(?P<frame>\d{1,3})(?:\s+[0-9a-fA-F]{8}\b.*)?"
)
# Columns stand two blanks apart; a paste may have lost all but one.
_APART: Final = re.compile(r"(?P<filter>\S(?:.*?\S)?)(?:\s{2,}(?P<volume>\S(?:.*?\S)?))?\s{2,}" + _TAIL)
_CLOSE: Final = re.compile(r"(?P<filter>\S+)(?:\s+(?P<volume>\S+))?\s+" + _TAIL)

_GROUPS: Final = (
    # Load order groups and altitudes for minifilter drivers (Microsoft's driver documents).
    (420_000, 429_999, "Filter"),
    (400_000, 409_999, "Top"),
    (360_000, 389_999, "Activity Monitor"),
    (340_000, 349_999, "Undelete"),
    (320_000, 329_999, "Anti-Virus"),
    (300_000, 309_999, "Replication"),
    (280_000, 289_999, "Continuous Backup"),
    (260_000, 269_999, "Content Screener"),
    (240_000, 249_999, "Quota Management"),
    (220_000, 229_999, "System Recovery"),
    (200_000, 209_999, "Cluster File System"),
    (180_000, 189_999, "HSM"),
    (170_000, 174_999, "Imaging"),
    (160_000, 169_999, "Compression"),
    (140_000, 149_999, "Encryption"),
    (130_000, 139_999, "Virtualization"),
    (120_000, 129_999, "Physical Quota Management"),
    (100_000, 109_999, "Open File"),
    (80_000, 89_999, "Security Enhancer"),
    (60_000, 69_999, "Copy Protection"),
    (40_000, 49_999, "Bottom"),
    (20_000, 29_999, "System"),
)


def altitude_group(altitude: str) -> str:
    """The load order group that an altitude belongs to; empty for none."""
    whole = altitude.partition(".")[0]
    if not whole.isascii() or not whole.isdecimal():
        return ""
    number = int(whole)
    return next((name for low, high, name in _GROUPS if low <= number <= high), "")


def read_filter_line(line: str) -> Filter | None:
    """A line of `fltmc filters`, None when it is none."""
    found = _FILTER.fullmatch(line.strip())
    if found is not None:
        return Filter(name=found["name"], altitude=found["altitude"], instances=int(found["count"]))
    found = _LEGACY.fullmatch(line.strip())
    return None if found is None else Filter(name=found["name"], legacy=True)


def read_instance_line(line: str) -> Instance | None:
    """A line of `fltmc instances`, None when it is none."""
    found = _APART.fullmatch(line.strip()) or _CLOSE.fullmatch(line.strip())
    if found is None:
        return None
    return Instance(
        filter=found["filter"],
        volume=found["volume"] or "",
        altitude=found["altitude"],
        name=found["name"],
        frame=int(found["frame"]),
    )


def rows(text: str) -> list[str]:
    """The lines below the line of dashes; all lines when there is none."""
    lines = [line.rstrip("\r") for line in text.split("\n")[:LIMIT]]
    lines = [line for line in lines if line.strip(_BLANK)]
    ruled = next((n for n, line in enumerate(lines) if set(line.strip(_BLANK)) <= set("- \t") and "---" in line), -1)
    return lines[ruled + 1 :]


def read_filters(filters: str | None, instances: str | None) -> Filters:
    """The filters of a node out of both texts, the highest altitude first; either may be missing."""
    found: dict[str, Filter] = {}
    bad: list[str] = []
    for line in rows(filters or ""):
        one = read_filter_line(line)
        if one is None:
            bad.append(line.strip()[:_SHOWN])
        else:
            found[one.name.lower()] = one
    volumes: dict[str, list[Instance]] = {}
    for line in rows(instances or ""):
        attached = read_instance_line(line)
        if attached is None:
            bad.append(line.strip()[:_SHOWN])
        else:
            volumes.setdefault(attached.filter.lower(), []).append(attached)
    for key, told in volumes.items():
        if key not in found:
            found[key] = Filter(name=told[0].filter, altitude=told[0].altitude)
    if not found:
        return Filters(unreadable=_few(bad))
    whole = instances is not None and bool(volumes)
    made = [_with(one, volumes.get(key, ()), whole) for key, one in found.items()]
    made.sort(key=lambda one: (-float(one.altitude or 0), one.name.lower()))
    return Filters(filters=tuple(made), unreadable=_few(bad))


def _with(one: Filter, told: Iterable[Instance], whole: bool) -> Filter:
    """The filter with what it is attached to; legacy filters have no instances that anybody lists."""
    if not whole or one.legacy:
        return one
    return msgspec.structs.replace(one, volumes=tuple(instance.volume for instance in told))


def _few(lines: list[str]) -> tuple[str, ...]:
    more = len(lines) - _KEPT
    return (*lines[:_KEPT], f"and {more} more") if more > 0 else tuple(lines)
