"""Volumes whose I/O takes a detour, stands, or is gone (windows.md §1.9, §5.2; Microsoft's list of cluster events).

Redirected is not bad by itself: a ReFS volume is so for ever, and a snapshot makes any volume so for a moment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from hvtui.findings.finding import Evidence, Finding, Sure
from hvtui.findings.look import Look
from hvtui.findings.rules import rule
from hvtui.model.durations import io_key
from hvtui.model.enums import (
    BackupState,
    BlockRedirectedIOReason,
    CsvIoState,
    FaultState,
    FileSystemRedirectedIOReason,
    NodeState,
    ResourceState,
    flags_of,
    name_of,
    signed,
)
from hvtui.model.events import NodeEvent
from hvtui.model.fltmc_text import Filter
from hvtui.model.records import Csv
from hvtui.model.severity import Severity
from hvtui.model.signals import ShadowPicture
from hvtui.operations.backup_state import Answer
from hvtui.operations.facts import Limits

_DAY: Final = timedelta(hours=24)
_SETTLE: Final = timedelta(minutes=2)
"""A snapshot or a move takes a volume's I/O another way for moments; what lasts longer is told."""
_AFTER_BOOT: Final = timedelta(hours=2)
_BENIGN: Final = "c0130021"
"""STATUS_CLUSTER_CSV_AUTO_PAUSE_ERROR, since 2016 …_NO_SNAPSHOTS: Microsoft says that a few may be ignored."""
_TIMEOUTS: Final = frozenset({"c00000b5", "c0000203"})
"""STATUS_IO_TIMEOUT and STATUS_USER_SESSION_DELETED: both mended by KB4462928 on Server 2016."""
_MENDED: Final = (14393, 2580)
"""The build of KB4462928 (18 October 2018)."""
_BUILD: Final = re.compile(r"(?:\d+\.\d+\.)?(\d{5})(?:\.(\d+))?")
_STATUS: Final = re.compile(r"(?<![0-9a-fA-F])(?:0x)?([c8][0-9a-fA-F]{7})(?![0-9a-fA-F-])", re.IGNORECASE)
# Plain numbers: of 64 volumes on 64 nodes they are compared often, and enum arithmetic is slow.
_PAUSED: Final = int(CsvIoState.Paused)
_UNAVAILABLE: Final = int(CsvIoState.Unavailable)
_BLOCK_REDIRECTED: Final = int(CsvIoState.BlockRedirected)
_BY_REQUEST: Final = int(FileSystemRedirectedIOReason.UserRequest)
_FILTERS: Final = int(
    FileSystemRedirectedIOReason.IncompatibleFileSystemFilter | FileSystemRedirectedIOReason.IncompatibleVolumeFilter
)
_LOST: Final = ~int(BlockRedirectedIOReason.VolumeReplicationEnabled)
_WINDOWS_FILTERS: Final = frozenset(
    {
        *("applockerfltr", "bfs", "bindflt", "ccffilter", "cldflt", "csvflt", "csvnsflt", "datascrn", "dedup"),
        *("dfsrro", "fileinfo", "filecrypt", "iorate", "luafv", "mssecflt", "npsvctrig", "quota", "resumekeyfilter"),
        *("storqosflt", "svhdxflt", "unionfs", "wcifs", "wcnfs", "wdfilter", "wof"),
    }
)
"""Filters that come with Windows; a backup, anti-virus or DLP product brings its own."""
_WORDS: Final = {
    "c00000b5": "an I/O took longer than the time allowed (STATUS_IO_TIMEOUT)",
    "c0000203": "the session to the owner was deleted (STATUS_USER_SESSION_DELETED)",
    "c000020c": "the connection to the owner was lost (STATUS_CONNECTION_DISCONNECTED)",
    "c000020d": "the connection to the owner was reset (STATUS_CONNECTION_RESET)",
    "c00000be": "the path to the owner was not found (STATUS_BAD_NETWORK_PATH)",
    "c00000cc": "the owner's share was not found (STATUS_BAD_NETWORK_NAME)",
    "c00000c4": "an unexpected network error (STATUS_UNEXPECTED_NETWORK_ERROR)",
    "c000023c": "the owner's network cannot be reached (STATUS_NETWORK_UNREACHABLE)",
    "c000026e": "the volume was dismounted (STATUS_VOLUME_DISMOUNTED)",
    "c000009d": "the disk is not connected (STATUS_DEVICE_NOT_CONNECTED)",
    "c000000e": "the disk is gone (STATUS_NO_SUCH_DEVICE)",
    "c0000013": "the storage has a problem (STATUS_NO_MEDIA_IN_DEVICE)",
    "c00000a2": "the medium is write protected (STATUS_MEDIA_WRITE_PROTECTED)",
    "c0000128": "the file was closed under it (STATUS_FILE_CLOSED)",
    "c000009a": "resources ran out (STATUS_INSUFFICIENT_RESOURCES)",
    "80000011": "the disk's reservation was lost or it is busy (STATUS_DEVICE_BUSY)",
}
"""What Microsoft's guidance to 5120 says of a status."""

Way = tuple[int, int, int]
"""State, file system reason, block reason."""


def _ways(look: Look, key: str, wanted: Callable[[Way], object]) -> dict[str, Way]:
    """Nodes that reach a volume in a way that is `wanted` and are not down, named as the state spells them."""
    io = look.io(key)
    if io is None:
        return {}
    found = {look.state.node_name(name): way for name, way in io.nodes.items() if wanted(way)}
    return {name: way for name, way in found.items() if not _down(look, name)}


def _down(look: Look, name: str) -> bool:
    member = look.member(name)
    return member is not None and signed(member.state) == NodeState.Down


def _on(look: Look, key: str, nodes: list[str]) -> str:
    """` (12 VMs there use it)`: how many VMs of these nodes have a file on the volume."""
    count = sum(key in look.place(vm).csvs for node in nodes for vm in look.vms_of(node))
    return f" ({count} VM{'s' if count != 1 else ''} there use{'' if count != 1 else 's'} it)" if count else ""


def _state(look: Look, key: str, node: str, way: Way) -> Evidence:
    state, system, block = way
    reasons = [flags_of(FileSystemRedirectedIOReason, system), flags_of(BlockRedirectedIOReason, block)]
    words = ", ".join(word for word in reasons if word)
    lasts = look.state.history.told(look.state, io_key(key, node))
    text = f"on {node}: {name_of(CsvIoState, state)}{f' ({words})' if words else ''}{f', {lasts}' if lasts else ''}"
    return look.read(text, "", "CSV state")


@rule("csv-left-redirected", per="csv", ids=(5136,))
def left_redirected(look: Look, key: str) -> Iterator[Finding]:
    """Redirected access that somebody turned on, while no backup runs that might need it."""
    csv = look.csv(key)
    if csv is None or csv.backup == BackupState.InProgress or csv.maintenance:
        return
    nodes = _ways(look, key, lambda way: way[1] & _BY_REQUEST)
    if not (csv.redirected or nodes):
        return
    owner = look.state.node_name(csv.owner) if csv.owner is not None else ""
    shadows = look.facts.shadows.get(owner)
    if owner and (look.backup(owner).answer is Answer.RUNNING or _has_copy(csv, shadows)):
        return
    turned = look.events((5136,), csv=key, source="cluster", since=_DAY)
    age = look.age(turned[0]) if turned else None
    if age is not None and age < _SETTLE:
        # The backup that wanted it may not show yet.
        look.again(_SETTLE - age)
        return
    target, backed_up = look.csv_target(key), look.memory.backup_seen(key)
    sure = Sure.LIKELY if turned else Sure.POSSIBLE
    evidence = [look.read(f"redirected access of {target.name} is on", "", "CSV state")]
    evidence += [look.evidence(item) for item in turned[:2]]
    if csv.backup is None:
        evidence.append(look.read("whether a backup runs on it could not be read", "", "CSV BackupState"))
    else:
        evidence.append(look.read("no backup is in progress on it (BackupState 0)", "", "CSV BackupState"))
        sure = Sure(sure + 1)
    if shadows is not None and shadows.shadows is not None:
        evidence.append(look.read("no shadow copy of it is left", owner, "shadow copies"))
    after = ""
    if backed_up is not None:
        after = f"; the last backup on it was seen at {backed_up:%H:%M} UTC"
        evidence.append(Evidence(text="a backup was in progress", time=backed_up, source="CSV BackupState"))
    yield look.make(
        "csv-left-redirected",
        target,
        f"{target.name}: redirected access is on and no backup runs{after}",
        sure=sure,
        evidence=evidence,
        since=turned[0].event.time if turned else None,
    )


def _has_copy(csv: Csv, picture: ShadowPicture | None) -> bool:
    """A shadow copy of the volume exists that is young enough to belong to a backup that still reads it."""
    if picture is None or picture.time is None or csv.volume is None:
        return False
    volume, young = csv.volume.lower().rstrip("\\"), timedelta(seconds=Limits().window)
    return any(
        (copy.volume or "").lower().rstrip("\\") == volume
        and (copy.created is None or picture.time - copy.created < young)
        for copy in picture.shadows or ()
    )


@rule("csv-incompatible-filter", per="csv", ids=(5124, 5125))
def incompatible_filter(look: Look, key: str) -> Iterator[Finding]:
    """A filter driver that CSV calls incompatible forces all I/O of a volume through its owner."""
    nodes = _ways(look, key, lambda way: way[1] & _FILTERS)
    if not nodes:
        return
    target = look.csv_target(key)
    told = look.events((5124, 5125), csv=key, source="cluster", since=_DAY)
    drivers = {name: _drivers(look, name, told) for name in nodes}
    named = sorted({one.name for found in drivers.values() for one in found}, key=str.lower)
    evidence = [_state(look, key, name, way) for name, way in nodes.items()]
    evidence += [look.evidence(item) for item in told[:2]]
    evidence += [
        Evidence(text=f"{name} runs {', '.join(_called(one) for one in found)}", node=name, source="fltmc")
        for name, found in drivers.items()
        if found
    ]
    who = f"; not Windows' own there: {', '.join(named[:4])}" if named else ""
    yield look.make(
        "csv-incompatible-filter",
        target,
        f"{target.name}: a filter driver forces redirected I/O on {', '.join(nodes)}{_on(look, key, list(nodes))}{who}",
        sure=Sure.CERTAIN if told or named else Sure.LIKELY,
        evidence=evidence,
        since=told[-1].event.time if told else None,
    )


def _drivers(look: Look, node: str, told: list[NodeEvent]) -> list[Filter]:
    """Filters of a node that may be the one: those that an event names, else those that Windows does not bring."""
    picture = look.facts.filters.get(node)
    if picture is None:
        look.want("filters", node)
    known: tuple[Filter, ...] = picture.filters or () if picture is not None else ()
    words = {
        word.lower()
        for item in told
        if item.node.lower() == node.lower()
        for value in item.event.data.values()
        for word in re.split(r"[\s,;()']+", value)
    }
    named = [one for one in known if one.name.lower() in words]
    return named or [one for one in known if one.name.lower() not in _WINDOWS_FILTERS and one.instances != 0]


def _called(one: Filter) -> str:
    return f"{one.name} ({one.group})" if one.group else one.name


@rule("csv-no-direct-path", per="csv", ids=(5121,))
def no_direct_path(look: Look, key: str) -> Iterator[Finding]:
    """A node lost its own path to the storage: its I/O goes over the network, block by block."""
    nodes = _ways(look, key, lambda way: way[0] == _BLOCK_REDIRECTED and way[2] & _LOST)
    if not nodes:
        return
    target = look.csv_target(key)
    told = [
        item
        for item in look.events((5121,), csv=key, source="cluster", since=_DAY)
        if look.state.node_name(item.node) in nodes
    ]
    yield look.make(
        "csv-no-direct-path",
        target,
        f"{target.name}: {', '.join(nodes)} reach{'es' if len(nodes) == 1 else ''} it only through another node"
        f"{_on(look, key, list(nodes))}",
        sure=Sure.CERTAIN if told else Sure.LIKELY,
        evidence=[*(_state(look, key, name, way) for name, way in nodes.items()), *map(look.evidence, told[:3])],
        since=told[-1].event.time if told else None,
    )


@rule("csv-no-access", per="csv", ids=(5142, 5150))
def no_access(look: Look, key: str) -> Iterator[Finding]:
    """Nobody, or some node that is up, reaches a volume at all; not one that was put into maintenance."""
    csv = look.csv(key)
    if csv is None or csv.maintenance or (csv.fault or 0) & FaultState.InMaintenance:
        return
    nodes = _ways(look, key, lambda way: way[0] == _UNAVAILABLE)
    nodes = {name: way for name, way in nodes.items() if _lasts(look, key, name)}
    failed = csv.state == ResourceState.Failed
    gone = bool((csv.fault or 0) & (FaultState.NoAccess | FaultState.Dismounted))
    if not (nodes or failed or gone):
        return
    target = look.csv_target(key)
    told = look.events((5142, 5150), csv=key, source="cluster", since=_DAY)
    evidence = [_state(look, key, name, way) for name, way in nodes.items()]
    if failed or gone:
        fault = flags_of(FaultState, csv.fault)
        evidence.append(look.read(f"resource {name_of(ResourceState, csv.state)}, fault {fault}", "", "CSV state"))
    where = f"on {', '.join(nodes)}" if nodes and not (failed or gone) else "at all"
    yield look.make(
        "csv-no-access",
        target,
        f"{target.name}: cannot be reached {where}{_on(look, key, list(nodes))}",
        sure=Sure.CERTAIN if told else Sure.LIKELY,
        evidence=[*evidence, *map(look.evidence, told[:3])],
        since=told[-1].event.time if told else None,
    )


def _lasts(look: Look, key: str, node: str) -> bool:
    """The node's way to the volume is not that of a moment; asks again when it might become so."""
    condition = io_key(key, node)
    if look.state.history.since(look.state, condition) is None:
        return True
    lasts = timedelta(seconds=look.state.history.seconds(look.state, condition))
    if lasts < _SETTLE:
        look.again(_SETTLE - lasts)
    return lasts >= _SETTLE


@rule("csv-paused", per="csv", ids=(5120,))
def paused(look: Look, key: str) -> Iterator[Finding]:
    """5120 with any status but the benign one: I/O of the volume stood still, and for a reason; or it stands still."""
    told = [item for item in _pauses(look, key) if not _of_2016(look, item)]
    now = _ways(look, key, lambda way: way[0] == _PAUSED)
    stands = bool(now) and any(_lasts(look, key, name) for name in now)
    if not (told or stands):
        return
    target = look.csv_target(key)
    why = _status(told[0]) if told else ""
    words = f": {_WORDS.get(why, f'status 0x{why}')}" if why else " and stays so"
    state = f"is paused on {', '.join(now)}" if now else f"was paused {_times(told)}"
    yield look.make(
        "csv-paused",
        target,
        f"{target.name}: I/O {state}{words}{_on(look, key, list(now))}",
        sure=Sure.CERTAIN if told and (now or len(told) > 2) else Sure.LIKELY,
        severity=Severity.BAD if stands else None,
        evidence=[*map(look.evidence, told[:3]), *(_state(look, key, name, way) for name, way in now.items())],
        since=told[-1].event.time if told else None,
    )


@rule("csv-timeout-2016", per="csv", ids=(5120,))
def timeout_2016(look: Look, key: str) -> Iterator[Finding]:
    """Server 2016 before KB4462928: a node that was drained and restarted makes volumes pause (5120, c00000b5)."""
    told = [item for item in _pauses(look, key) if _of_2016(look, item)]
    if not told:
        return
    target, item = look.csv_target(key), told[0]
    booted = _booted(look, item)
    view = look.node(item.node)
    build = view.host.build if view is not None and view.host is not None else ""
    evidence = [*map(look.evidence, told[:3]), look.read(f"{item.node} runs build {build}", item.node, "host")]
    if booted is not None:
        name, boot = booted
        evidence.append(Evidence(text=f"{name} was started", node=name, time=boot, source="host"))
    after = f" after {booted[0]} was restarted" if booted is not None else ""
    yield look.make(
        "csv-timeout-2016",
        target,
        f"{target.name}: paused by a time-out{after}; {item.node} lacks the update of October 2018",
        sure=Sure.CERTAIN if booted is not None else Sure.LIKELY,
        evidence=evidence,
        since=told[-1].event.time,
    )


def _pauses(look: Look, key: str) -> list[NodeEvent]:
    """5120 of the last day about a volume, without those that may be ignored; newest first."""
    told = look.events((5120,), csv=key, source="cluster", since=_DAY)
    return [item for item in told if (status := _status(item)) and status != _BENIGN]


def _status(item: NodeEvent) -> str:
    """The status of a 5120 in eight hex digits: Windows writes `STATUS_IO_TIMEOUT(c00000b5)`. Empty without one."""
    for text in (*item.event.codes, *item.event.data.values()):
        found = _STATUS.search(text)
        if found is not None:
            return found[1].lower()
    return ""


def _of_2016(look: Look, item: NodeEvent) -> bool:
    if _status(item) not in _TIMEOUTS:
        return False
    view = look.node(item.node)
    found = _BUILD.match((view.host.build or "") if view is not None and view.host is not None else "")
    return (
        found is not None
        and found[2] is not None
        and (int(found[1]), int(found[2])) < _MENDED
        and (int(found[1]) == _MENDED[0])
    )


def _booted(look: Look, item: NodeEvent) -> tuple[str, datetime] | None:
    """A node that was started shortly before the event."""
    for name, view in look.state.nodes.items():
        boot = view.host.boot if view.host is not None else None
        if boot is not None and timedelta(0) <= item.event.time - boot <= _AFTER_BOOT:
            return name, boot
    return None


def _times(told: list[NodeEvent]) -> str:
    return (
        f"at {told[0].event.time:%H:%M} UTC"
        if len(told) == 1
        else f"{len(told)} times, last at " + (f"{told[0].event.time:%H:%M} UTC")
    )
