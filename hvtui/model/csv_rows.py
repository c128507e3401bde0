"""A Cluster Shared Volume as one row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from hvtui.model import conditions
from hvtui.model.durations import csv_key, io_key
from hvtui.model.enums import (
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
from hvtui.model.link import NOT_ANSWERING
from hvtui.model.placement import short_path
from hvtui.model.severity import Severity, worst

if TYPE_CHECKING:
    from hvtui.model.records import Csv
    from hvtui.model.state import ClusterState


class NodeIo(msgspec.Struct, frozen=True):
    """How one node reaches a volume, in Windows' words, and how bad that is."""

    node: str
    text: str
    severity: Severity


class CsvRow(msgspec.Struct, kw_only=True, frozen=True):
    """One volume. `?` and None stand for what could not be read.

    `io` is the worst of `nodes`. `vms` counts those with a file on it, `drift` those of them that run off their owner.
    `since` is how long the worst fault lasts.
    """

    FIELDS: ClassVar[dict[str, str]] = {
        "csv": "name",
        "name": "name",
        "volume": "name",
        "path": "path",
        "resource": "resource",
        "disk": "resource",
        "owner": "owner",
        "state": "state",
        "io": "io",
        "fault": "fault",
        "fs": "file_system",
        "free": "free_percent",
        "vms": "vms",
        "drift": "drift",
        "backup": "backup",
        "severity": "severity",
        "reason": "reasons",
    }

    key: str
    name: str
    path: str = ""
    resource: str = ""
    owner: str = "?"
    state: str = "?"
    io: str = "?"
    nodes: tuple[NodeIo, ...] = ()
    fault: str = "?"
    file_system: str = "?"
    size: int | None = None
    free: int | None = None
    free_percent: int | None = None
    vms: int = 0
    drift: int = 0
    backup: bool | None = None
    severity: Severity = Severity.OK
    reasons: tuple[str, ...] = ()
    since: str = ""

    def words(self) -> Iterator[str]:
        """What a plain search word looks at."""
        yield self.name
        yield self.resource
        yield self.owner
        yield self.io
        yield from self.reasons


SILENT: Final = "the cluster service does not answer"
_LOW_PERCENT: Final = 10
_FULL_PERCENT: Final = 3
_FAULTS: Final = {
    "failed": Severity.BAD,
    "offline": Severity.BAD,
    "no access": Severity.BAD,
    "dismounted": Severity.BAD,
    "maintenance": Severity.INFO,
    "no direct io": Severity.WARN,
}
_SOFT_REASONS: Final = (
    FileSystemRedirectedIOReason.FileSystemTiering | FileSystemRedirectedIOReason.BitLockerInitializing
)


def csv_row(state: ClusterState, csv_id: str) -> CsvRow:
    """Everything shown of one volume; also for an id that is no longer there."""
    csv = (state.cluster.csvs or {}).get(csv_id)
    if csv is None:
        return CsvRow(key=csv_id, name=csv_id, severity=Severity.UNKNOWN, reasons=("gone",))
    nodes = _nodes_io(state, csv)
    tally = state.tally.refresh(state)
    percent = None if not csv.size or csv.free is None else csv.free * 100 // csv.size
    severity, reasons = worst([*_reasons(csv, percent), *_io_reasons(state, csv, nodes)])
    return CsvRow(
        key=csv_id,
        name=short_path(csv.path),
        path=csv.path,
        resource=csv.resource,
        owner=csv.owner or "?",
        state=name_of(ResourceState, csv.state),
        io=_io_text(nodes),
        nodes=nodes,
        fault=flags_of(FaultState, csv.fault, "NoFaults"),
        file_system=csv.file_system or "?",
        size=csv.size,
        free=csv.free,
        free_percent=percent,
        vms=tally.by_csv[csv_id],
        drift=tally.drift_by_csv[csv_id],
        backup=None if csv.backup is None else csv.backup != 0,
        severity=severity,
        reasons=reasons,
        since=_since(state, csv_id, nodes),
    )


def _nodes_io(state: ClusterState, csv: Csv) -> tuple[NodeIo, ...]:
    io = (state.cluster.io or {}).get(csv.volume or "")
    if io is None:
        return ()
    return tuple(_node_io(state, csv, node, told) for node, told in io.nodes.items())


def _node_io(state: ClusterState, csv: Csv, node: str, told: tuple[int, int, int]) -> NodeIo:
    number, reason, block = told
    word = conditions.io_word(csv, number, reason, block)
    name = state.node_name(node)
    if number == CsvIoState.Direct:
        return NodeIo(name, "direct", Severity.OK)
    if number == CsvIoState.FileSystemRedirected:
        if not word:
            return NodeIo(name, "redirected (ReFS)", Severity.OK)
        return NodeIo(name, f"redirected: {_redirect_reason(csv, reason)}", _redirect_severity(csv, reason))
    if number == CsvIoState.BlockRedirected:
        text = f"block redirected: {flags_of(BlockRedirectedIOReason, block, 'no reason given')}"
        return NodeIo(name, text, Severity.WARN if word else Severity.INFO)
    member = state.member(name)
    if number == CsvIoState.Unavailable and member is not None and signed(member.state) == NodeState.Down:
        return NodeIo(name, "unavailable (node Down)", Severity.INFO)
    known = number in (CsvIoState.Unavailable, CsvIoState.Paused)
    return NodeIo(name, name_of(CsvIoState, number).lower(), Severity.BAD if known else Severity.UNKNOWN)


def _redirect_reason(csv: Csv, reason: int) -> str:
    if not reason:
        # Windows has no reason for a snapshot; while a backup runs on the volume that is the likely one.
        return "backup" if csv.backup else "no reason given"
    return flags_of(FileSystemRedirectedIOReason, reason & ~FileSystemRedirectedIOReason.FileSystemReFs)


def _redirect_severity(csv: Csv, reason: int) -> Severity:
    hard = reason & ~(_SOFT_REASONS | FileSystemRedirectedIOReason.FileSystemReFs)
    if not hard and (reason or csv.backup):
        return Severity.INFO
    return Severity.WARN


def _io_text(nodes: tuple[NodeIo, ...]) -> str:
    if not nodes:
        return "?"
    top = max(node.severity for node in nodes)
    found = [node for node in nodes if node.severity == top]
    text = found[0].text
    if top in (Severity.OK, Severity.INFO) or len(found) == len(nodes):
        return text
    return f"{text} on {found[0].node}" if len(found) == 1 else f"{text} on {len(found)} nodes"


def _reasons(csv: Csv, percent: int | None) -> list[tuple[Severity, str]]:
    reasons: list[tuple[Severity, str]] = []
    word = conditions.of_csv(csv)
    if word:
        reasons.append((_FAULTS[word], word))
    if csv.redirected:
        reasons.append((Severity.WARN, "redirected access is turned on"))
    if csv.state is None:
        reasons.append((Severity.UNKNOWN, "state not read"))
    elif csv.state != ResourceState.Online and not word:
        reasons.append((Severity.WARN, name_of(ResourceState, csv.state)))
    if csv.fault is None:
        reasons.append((Severity.UNKNOWN, "fault state not read"))
    if percent is None:
        reasons.append((Severity.UNKNOWN, "space not read"))
    elif percent < _LOW_PERCENT:
        reasons.append((Severity.BAD if percent < _FULL_PERCENT else Severity.WARN, f"{percent}% free"))
    return reasons


def _io_reasons(state: ClusterState, csv: Csv, nodes: tuple[NodeIo, ...]) -> list[tuple[Severity, str]]:
    if not nodes:
        return [(Severity.UNKNOWN, "I/O state not read")]
    found = [(node.severity, f"{node.node} {node.text}") for node in nodes if node.severity > Severity.OK]
    if state.cluster.link.status in NOT_ANSWERING:
        found.append((Severity.UNKNOWN, SILENT))
    silent = state.cluster.problem("csvs") or state.cluster.problem("io")
    if silent is not None:
        found.append((Severity.UNKNOWN, f"{silent.part}: {silent.text or silent.kind}"))
    return found


def _since(state: ClusterState, csv_id: str, nodes: tuple[NodeIo, ...]) -> str:
    history = state.history
    keys = [csv_key(csv_id)]
    keys += [io_key(csv_id, n.node) for n in sorted(nodes, key=lambda n: -n.severity) if n.severity >= Severity.WARN]
    return next((text for text in (history.text(state, key) for key in keys) if text), "")
