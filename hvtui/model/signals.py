"""Facts that findings ask for beside the streams: shadow copies, filter drivers, hotfixes, chains of disks.

What a node answers (`Shadows`, `FilterText`, `Hotfixes`, `Chain`), and what is kept of it (`…Picture`). A picture whose
list is None was never read: unknown, not none. A read that failed keeps the list of the one before, with its time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol

import msgspec

from hvtui.model.fltmc_text import Filter, read_filters
from hvtui.model.preflight import ShadowCopy
from hvtui.model.records import Problem, Record, UtcTime

DIFFERENCING: Final = 4
"""VhdType of a disk that rests on a parent (Microsoft.Vhd.PowerShell.VhdType)."""


# --- answers ---


class Shadows(Record, frozen=True, kw_only=True):
    """Get-HvTuiShadow: the shadow copies that exist on a node now."""

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    shadows: list[ShadowCopy] | None = None
    errors: list[Problem] = msgspec.field(default_factory=list)


class FilterText(Record, frozen=True, kw_only=True):
    """Get-HvTuiFilter: the raw texts of `fltmc filters` and `fltmc instances`; None for one that could not be had."""

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    filters: str | None = None
    instances: str | None = None
    errors: list[Problem] = msgspec.field(default_factory=list)


class HotfixEntry(Record, frozen=True, kw_only=True):
    """Win32_QuickFixEngineering as it is: `installed` is a text that Windows made, empty when it does not know."""

    id: str
    installed: str = ""


class Hotfixes(Record, frozen=True, kw_only=True):
    """Get-HvTuiHotfix: the updates that component based servicing installed."""

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    hotfixes: list[HotfixEntry] | None = None
    errors: list[Problem] = msgspec.field(default_factory=list)


class ChainLink(Record, frozen=True, kw_only=True):
    """One file of a disk's chain (Get-VHD). `parent` is empty for a base, None when it could not be told.

    `type`: 2 fixed, 3 dynamic, 4 differencing. `checkpoint`: a checkpoint of the VM names this file; None when that
    could not be told.
    """

    path: str
    parent: str | None = None
    size: int | None = None
    type: int | None = None
    checkpoint: bool | None = None


class ChainDisk(Record, frozen=True, kw_only=True):
    """A virtual disk of a VM: the file it writes to, and that file with all its parents, down to the base."""

    attached: str
    files: list[ChainLink]


class Chain(Record, frozen=True, kw_only=True):
    """Get-HvTuiChain: the disks of one VM. `checkpoints` is how many checkpoints of any kind it has."""

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    node: str
    vm: str
    name: str | None = None
    state: int | None = None
    checkpoints: int | None = None
    disks: list[ChainDisk] | None = None
    errors: list[Problem] = msgspec.field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Every file of every chain was read, down to a base."""
        told = self.disks is not None and all(disk.files and disk.files[-1].parent == "" for disk in self.disks)
        return told and not self.errors

    def layers(self) -> int | None:
        """Differencing disks that the VM writes to or rests on; None when a chain was not read to its base."""
        if not self.whole or self.disks is None:
            return None
        return sum(bool(link.parent) for disk in self.disks for link in disk.files)


# --- what is kept ---


class ShadowPicture(msgspec.Struct, frozen=True, kw_only=True):
    """The shadow copies of a node at `time` (its clock). `failure`: why the last read gave nothing."""

    time: datetime | None = None
    shadows: tuple[ShadowCopy, ...] | None = None
    failure: str = ""


class FilterPicture(msgspec.Struct, frozen=True, kw_only=True):
    """The filter drivers of a node at `time`, the highest altitude first."""

    time: datetime | None = None
    filters: tuple[Filter, ...] | None = None
    unreadable: tuple[str, ...] = ()
    failure: str = ""


class Hotfix(msgspec.Struct, frozen=True, kw_only=True):
    """An installed update. `installed` is the day by the node's clock; None when Windows does not tell it."""

    id: str
    installed: date | None = None


class HotfixPicture(msgspec.Struct, frozen=True, kw_only=True):
    """The updates of a node at `time`, the newest first, those without a day last."""

    time: datetime | None = None
    hotfixes: tuple[Hotfix, ...] | None = None
    failure: str = ""


class ChainPicture(msgspec.Struct, frozen=True, kw_only=True):
    """The chains of a VM as they were last read. `failure`: why the last read gave nothing."""

    time: datetime | None = None
    chain: Chain | None = None
    failure: str = ""


NodePicture = ShadowPicture | FilterPicture | HotfixPicture


def kept_shadows(old: ShadowPicture | None, new: ShadowPicture) -> ShadowPicture:
    """The new picture; one that gave nothing says so beside the list of the read before."""
    if old is None or new.shadows is not None:
        return new
    return msgspec.structs.replace(old, failure=new.failure)


def kept_filters(old: FilterPicture | None, new: FilterPicture) -> FilterPicture:
    """The same for filters."""
    if old is None or new.filters is not None:
        return new
    return msgspec.structs.replace(old, failure=new.failure)


def kept_hotfixes(old: HotfixPicture | None, new: HotfixPicture) -> HotfixPicture:
    """The same for hotfixes."""
    if old is None or new.hotfixes is not None:
        return new
    return msgspec.structs.replace(old, failure=new.failure)


def kept_chain(old: ChainPicture | None, new: ChainPicture) -> ChainPicture:
    """The same for the chains of a VM."""
    if old is None or new.chain is not None:
        return new
    return msgspec.structs.replace(old, failure=new.failure)


class Signals(msgspec.Struct, frozen=True, kw_only=True):
    """What is known beside the streams. A key that is missing was not read: unknown, never none."""

    shadows: Mapping[str, ShadowPicture] = {}
    filters: Mapping[str, FilterPicture] = {}
    hotfixes: Mapping[str, HotfixPicture] = {}
    chains: Mapping[str, ChainPicture] = {}


class _Node(Protocol):
    shadows: ShadowPicture | None
    filters: FilterPicture | None
    hotfixes: HotfixPicture | None


def signals_of(nodes: Mapping[str, _Node], chains: Mapping[str, ChainPicture]) -> Signals:
    """The pictures of all nodes that hold something: node → picture, and VM id → chain."""
    return Signals(
        shadows={n: s for n, v in nodes.items() if (s := v.shadows) is not None and s.shadows is not None},
        filters={n: f for n, v in nodes.items() if (f := v.filters) is not None and f.filters is not None},
        hotfixes={n: h for n, v in nodes.items() if (h := v.hotfixes) is not None and h.hotfixes is not None},
        chains={vm: picture for vm, picture in chains.items() if picture.chain is not None},
    )


# --- from an answer to a picture ---


def shadow_picture(answer: Shadows) -> ShadowPicture:
    """What the answer said, or why it said nothing."""
    if answer.shadows is None:
        return ShadowPicture(failure=_why(answer.errors))
    return ShadowPicture(time=answer.time, shadows=tuple(answer.shadows))


def filter_picture(answer: FilterText) -> FilterPicture:
    """The filters out of both texts. One text is enough for a list; what the other would have said is unknown in it."""
    found = read_filters(answer.filters, answer.instances)
    if found.filters is None:
        why = _why(answer.errors) if answer.errors else "fltmc printed no filter that could be read"
        return FilterPicture(unreadable=found.unreadable, failure=why)
    failure = _why(answer.errors) if answer.errors else ""
    return FilterPicture(time=answer.time, filters=found.filters, unreadable=found.unreadable, failure=failure)


def hotfix_picture(answer: Hotfixes) -> HotfixPicture:
    """The updates with their days."""
    if answer.hotfixes is None:
        return HotfixPicture(failure=_why(answer.errors))
    days = install_days([entry.installed for entry in answer.hotfixes])
    found = [Hotfix(id=entry.id, installed=day) for entry, day in zip(answer.hotfixes, days, strict=True)]
    found.sort(key=lambda one: (one.installed is None, -(one.installed or date.min).toordinal(), one.id))
    return HotfixPicture(time=answer.time, hotfixes=tuple(found))


def chain_picture(answer: Chain) -> ChainPicture:
    """The chain, or why there is none."""
    if answer.disks is None:
        return ChainPicture(failure=_why(answer.errors))
    return ChainPicture(time=answer.time, chain=answer)


def _why(problems: Iterable[Problem]) -> str:
    return "; ".join(dict.fromkeys(p.text or p.kind for p in problems)) or "it said nothing"


# --- days of installation ---

_SLASHES: Final = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:\D.*)?")
_ISO: Final = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:\D.*)?")
_FILETIME: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{15,16})")
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)


def install_days(texts: list[str]) -> list[date | None]:
    """The day that each InstalledOn of one node means.

    It is a text: month/day/year whatever the language (PowerShell's own types.ps1xml reads it by the invariant
    culture), in some cases the hex digits of a FILETIME, or yyyymmdd. On nodes that write day/month/year some entry
    says so by a first number above 12, and then all of that node are read so. Where both kinds stand, those that may be
    either are unknown: no day is guessed.
    """
    pairs = [(int(m[1]), int(m[2]), int(m[3])) for t in texts if (m := _SLASHES.fullmatch(t.strip())) is not None]
    day_first = any(first > 12 for first, _, _ in pairs)
    month_first = any(second > 12 for _, second, _ in pairs)
    return [_day(text.strip(), day_first=day_first, month_first=month_first) for text in texts]


def _day(text: str, *, day_first: bool, month_first: bool) -> date | None:
    found = _SLASHES.fullmatch(text)
    if found is not None:
        first, second, year = int(found[1]), int(found[2]), int(found[3])
        if day_first and month_first and first <= 12 and second <= 12 and first != second:
            return None
        month, day = (second, first) if first > 12 or (day_first and second <= 12) else (first, second)
        return _date(year, month, day)
    found = _FILETIME.fullmatch(text)
    if found is not None:
        ticks = int(found[1], 16)
        try:
            moment = _EPOCH + timedelta(microseconds=ticks // 10)
        except OverflowError:
            return None
        return moment.date() if 1990 <= moment.year < 2200 else None
    found = _ISO.fullmatch(text)
    return None if found is None else _date(int(found[1]), int(found[2]), int(found[3]))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
