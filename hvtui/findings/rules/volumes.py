"""Volumes that fill while AVHDX files grow, and VMs with files on several volumes (peers.md §B 39; mission S2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from hvtui.findings.chains import MERGES, fork_holds, is_kept, layers_of, merge_stands
from hvtui.findings.finding import Finding, Sure
from hvtui.findings.look import Look
from hvtui.findings.rules import rule
from hvtui.model.durations import span_text
from hvtui.model.enums import SnapshotType
from hvtui.model.records import VmFiles
from hvtui.model.severity import Severity

_LOW: Final = 10
"""Percent."""
_SOON: Final = timedelta(hours=12)
_VERY_SOON: Final = timedelta(hours=4)
_SHORTEST: Final = timedelta(minutes=10)
"""A trend of fewer minutes is none."""
_TREND: Final = timedelta(hours=2)
_OLD: Final = timedelta(hours=24)


@rule("volume-fills", per="csv", ids=MERGES)
def volume_fills(look: Look, key: str) -> Iterator[Finding]:
    """A volume is low, or will be full soon, and VMs on it write to AVHDX files (39)."""
    csv = look.csv(key)
    if csv is None or csv.free is None or not csv.size:
        return
    low = csv.free * 100 < csv.size * _LOW
    left, told = _left(look, key)
    falls = left is not None and left <= _SOON
    if not low and not falls:
        return
    grown = _growing(look, key)
    if not grown:
        return
    target, percent = look.csv_target(key), csv.free * 100 / csv.size
    guilty = [vm for vm, why in grown if why]
    evidence = [
        look.read(f"{csv.free / 2**30:,.0f} GB of {csv.size / 2**30:,.0f} are free ({percent:.0f}%)", "", "CSV")
    ]
    if falls:
        evidence.append(look.read(told, "", "CSV, as hvtui saw it"))
    for vm, why in grown[:4]:
        layers = layers_of(look, vm)
        said = (
            f"{look.vm_target(vm).name}: {layers.text if layers is not None else 'AVHDX'}{f' ({why})' if why else ''}"
        )
        evidence.append(look.read(said, vm, "VM files"))
    sure = Sure.POSSIBLE if not falls else Sure.CERTAIN if guilty else Sure.LIKELY
    when = f"is full in about {span_text(left.total_seconds())}" if falls and left is not None else "is low on space"
    names = ", ".join(look.vm_target(vm).name for vm, _ in grown[:3])
    more = f" and {len(grown) - 3} more" if len(grown) > 3 else ""
    yield look.make(
        "volume-fills",
        target,
        f"{target.name} {when} ({percent:.0f}% free) while AVHDX files of {names}{more} grow on it",
        sure=sure,
        evidence=evidence,
        vms=[look.vm_target(vm) for vm, _ in grown],
        severity=Severity.BAD if (falls and left is not None and left <= _VERY_SOON) or percent < _LOW / 2 else None,
    )


def _left(look: Look, key: str) -> tuple[timedelta | None, str]:
    """Until when the free space lasts if it goes on falling as it has; None while it does not fall."""
    samples = look.memory.free_space(key)
    if not samples:
        return None, ""
    newest, free = samples[-1]
    recent = [one for one in samples if newest - one[0] <= _TREND]
    began, before = recent[0]
    span, lost = newest - began, before - free
    if span < _SHORTEST or lost <= 0 or free > min(one[1] for one in recent):
        return None, ""
    told = f"{lost / 2**30:,.1f} GB fewer than {span_text(span.total_seconds())} before"
    return timedelta(seconds=min(free / (lost / span.total_seconds()), 1e8)), told


def _growing(look: Look, key: str) -> list[tuple[str, str]]:
    """VMs that write to an AVHDX on the volume, and why that does not end: those with a reason first."""
    index, now = look.state.placements.index(look.state), look.now("")
    found = []
    for vm in look.vms_on(key):
        layers = layers_of(look, vm)
        if layers is None or index is None or not any(index.find(path) == key for path in layers.paths):
            continue
        found.append((vm, _why(look, vm, now, layers.loose is True)))
    return sorted(found, key=lambda one: (not one[1], look.vm_target(one[0]).name.lower()))


def _why(look: Look, vm: str, now: datetime | None, loose: bool) -> str:
    if fork_holds(look, vm):
        return "its fork was not committed"
    if merge_stands(look, vm) is not None:
        return "its merge failed"
    if loose:
        return "it belongs to no checkpoint"
    found = look.vm(vm)
    for one in found[1].checkpoints or () if found is not None else ():
        old = one.oldest is not None and now is not None and now - one.oldest > _OLD
        if old and one.type == SnapshotType.Recovery and found is not None and not is_kept(look.config, found[1].name):
            return "a backup left its checkpoint"
        if old and one.type == SnapshotType.Standard:
            return "an old checkpoint"
    return ""


@rule("files-on-several-csvs", per="vm")
def files_on_several_csvs(look: Look, key: str) -> Iterator[Finding]:
    """A VM needs more than one volume: which file is where (mission S2)."""
    place = look.place(key)
    if len(place.csvs) < 2:
        return
    files, index = look.state.files(key), look.state.placements.index(look.state)
    if files is None or index is None:
        return
    target = look.vm_target(key)
    where: dict[str, list[str]] = {}
    for what, path in _paths(files):
        csv = index.find(path)
        if csv is not None:
            where.setdefault(csv, []).append(what)
    said = [f"{look.csv_target(csv).name}: {_few(what)}" for csv, what in where.items()]
    evidence = [look.read(text, key, "VM files") for text in said]
    sure = Sure.LIKELY
    if files.disks is not None and files.configuration is not None:
        sure = Sure.CERTAIN
    owners = f"; they have different owners: {', '.join(place.owners)}" if place.split else ""
    yield look.make(
        "files-on-several-csvs",
        target,
        f"{target.name} has files on {len(where)} volumes ({'; '.join(said)}){owners}",
        sure=sure,
        evidence=evidence,
        vms=[target],
    )


def _paths(files: VmFiles) -> Iterator[tuple[str, str]]:
    """What a file is, and where."""
    for path in files.disks or ():
        yield path.rpartition("\\")[2], path
    for what, place in (
        ("configuration", files.configuration),
        ("checkpoints", files.checkpoints),
        ("paging file", files.paging),
    ):
        if place:
            yield what, place


def _few(what: list[str]) -> str:
    named = list(dict.fromkeys(what))
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return f"{', '.join(named[:3])}{more}"
