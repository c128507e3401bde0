"""`hvtui status`: one picture of a cluster, for people or as JSON."""

from __future__ import annotations

import asyncio
from typing import Final

from hvtui.cli import picture_json
from hvtui.cli.arguments import Arguments
from hvtui.cli.connecting import choose, gate_for
from hvtui.cli.exits import Exit
from hvtui.cli.output import Cell, say, show_json, table
from hvtui.cli.writer_output import COLUMNS, is_fine, worst_first, writer_row
from hvtui.config import ClusterConfig
from hvtui.live.picture import Picture, Unread, take_picture
from hvtui.live.pins import Pins
from hvtui.model.rows import CsvRow, NodeRow, VmRow, csv_row, node_row, summary, vm_row
from hvtui.model.severity import Severity
from hvtui.model.state import ClusterState
from hvtui.model.writers import Writer, WriterPicture
from hvtui.paths import state_dir
from hvtui.text import natural

MARKS: Final[dict[Severity, tuple[str, str]]] = {
    Severity.OK: ("✓", "ok"),
    Severity.INFO: ("·", "dim"),
    Severity.UNKNOWN: ("?", "warn"),
    Severity.WARN: ("▲", "warn"),
    Severity.BAD: ("✗", "bad"),
}


def run(arguments: Arguments) -> int:
    """0 fine, 1 something is wrong or unread, 2 nothing could be read."""
    cluster, picture = take(arguments, writers=arguments.writers)
    if arguments.json:
        show_json(as_json(cluster, picture, writers=arguments.writers))
    else:
        _show(cluster, picture, plain=arguments.plain, writers=arguments.writers)
    if picture.empty:
        return Exit.NOTHING
    return Exit.WRONG if picture.unread or _is_wrong(picture.state) else Exit.FINE


def take(arguments: Arguments, *, writers: bool) -> tuple[ClusterConfig, Picture]:
    """The picture of the cluster that was named."""
    config, cluster = choose(arguments)
    pins = Pins(state_dir(), config.path)
    return cluster, asyncio.run(take_picture(cluster, gate_for(cluster), pins=pins, writers=writers))


def as_json(cluster: ClusterConfig, picture: Picture, *, writers: bool) -> picture_json.Json:
    """The object of docs/status.schema.json."""
    state = picture.state
    return {
        "cluster": picture_json.cluster_json(state, cluster.name),
        "nodes": picture_json.nodes_json(state),
        "csvs": picture_json.csvs_json(state),
        "vms": picture_json.vms_json(state),
        "writers": picture_json.writers_json(state) if writers else None,
        "unread": [unread_json(unread) for unread in picture.unread],
        "as_of": picture_json.time_json(picture.as_of),
    }


def unread_json(unread: Unread) -> picture_json.Json:
    """One thing that could not be read; `where` is a node, or `cluster`."""
    return {"where": unread.node or "cluster", "what": unread.what, "why": unread.text, "hint": unread.hint}


def _is_wrong(state: ClusterState) -> bool:
    """What the first line of the table calls attention or trouble; a cluster's ordinary noise is neither."""
    whole = summary(state)
    return whole.severity >= Severity.WARN or whole.writers_failed > 0


# --- for people ---


def _show(cluster: ClusterConfig, picture: Picture, *, plain: bool, writers: bool) -> None:
    state = picture.state
    if picture.empty:
        glyph, mood = MARKS[Severity.BAD]
        say(f"{glyph} {cluster.name}: no picture, nothing could be read", mood)
        show_unread(picture.unread)
        return
    whole = summary(state)
    glyph, mood = MARKS[whole.severity]
    csvs = "?" if whole.csvs is None else whole.csvs
    counts = (
        f"{whole.nodes} nodes, {csvs} CSVs, {whole.vms} VMs ({whole.running} running, {whole.drift} off their owner)"
    )
    say(f"{glyph} {whole.name or cluster.name}: {whole.health}. {counts}. Quorum: {whole.quorum}", mood)
    for word in whole.words[:10]:
        say(f"  {word}")
    say()
    names = sorted(state.node_names(), key=natural)
    table("Nodes", _NODE_COLUMNS, [_node(node_row(state, name)) for name in names], plain=plain)
    volumes = "CSVs" if state.cluster.csvs else "CSVs: not read" if state.cluster.csvs is None else "CSVs: none"
    table(volumes, _CSV_COLUMNS, [_csv(csv_row(state, csv)) for csv in state.cluster.csvs or ()], plain=plain)
    rows = [vm_row(state, key) for key in state.vm_keys()]
    worth = [row for row in rows if row.severity > Severity.INFO]
    worth.sort(key=lambda row: (-row.severity, natural(row.name)))
    table(f"VMs that need a look: {len(worth)} of {len(rows)}", _VM_COLUMNS, [_vm(row) for row in worth], plain=plain)
    if writers:
        show_writers(state, plain=plain)
    else:
        say("VSS writers were not read; --writers reads them (runs vssadmin on every node)", "dim")
    show_unread(picture.unread)


def show_writers(state: ClusterState, *, plain: bool = False) -> None:
    """How each node's writers are, then those that are not well."""
    names = sorted(state.node_names(), key=natural)
    read = {name: picture for name in names if (picture := state.node(name).writers) is not None}
    bad = {name: tuple(w for w in picture.writers if not is_fine(w)) for name, picture in read.items()}
    table(
        "VSS writers" if read else "VSS writers: not read",
        _READ_COLUMNS,
        [_read(name, read[name], bad[name]) for name in read],
        plain=plain,
    )
    for name, picture in read.items():
        if bad[name]:
            title = f"{name}: not well"
            table(title, COLUMNS, [writer_row(writer) for writer in worst_first(bad[name])], plain=plain)
        for writer in worst_first(bad[name]):
            if writer.advice:
                say(f"  {name}, {writer.name}: {writer.advice}", "warn")
        for line in picture.unreadable:
            say(f"  {name}, could not be read: {line}", "warn")


def show_unread(unread: list[Unread]) -> None:
    """What is missing: one line for each reason, with everything it hit, and what to do about it."""
    reasons: dict[tuple[str, str], dict[str, list[str]]] = {}
    for one in sorted(unread, key=lambda one: natural(one.node)):
        reasons.setdefault((one.text, one.hint), {}).setdefault(one.node, []).append(one.what)
    for (why, hint), hit in reasons.items():
        say(f"not read: {'; '.join(_missing(hit))}: {why}", "bad")
        if hint:
            say(f"  → {hint}")


def _missing(hit: dict[str, list[str]]) -> list[str]:
    """`HV03, node` or `HV03, HV04, vms, jobs`: nodes that miss the same in one."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for node, whats in hit.items():
        alike.setdefault(tuple(whats) if node else (), []).append(node or "cluster")
    return [f"{some(nodes)}{''.join(f', {what}' for what in whats)}" for whats, nodes in alike.items()]


def some(names: list[str]) -> str:
    """The first of many names, and how many more there are."""
    return ", ".join(names) if len(names) <= _NAMED else f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"


_NAMED: Final = 8
_READ_COLUMNS: Final = ("", "node", "well", "not well", "unreadable", "read at (its clock)", "took")
_NODE_COLUMNS: Final = ("", "node", "state", "VMs", "cpu", "memory", "VMMS", "note")
_CSV_COLUMNS: Final = ("", "volume", "owner", "I/O", "free", "VMs", "off owner", "note")
_VM_COLUMNS: Final = ("", "VM", "state", "node", "CSV", "owner", "checkpoint type", "activity", "note")


def _read(name: str, picture: WriterPicture, bad: tuple[Writer, ...]) -> tuple[Cell, ...]:
    fine = picture.writers and not bad and not picture.unreadable
    return (
        MARKS[Severity.OK if fine else Severity.BAD if bad else Severity.UNKNOWN],
        name,
        str(len(picture.writers) - len(bad)) if picture.writers else picture.failure or "?",
        str(len(bad)) if picture.writers else "?",
        str(len(picture.unreadable)) if picture.unreadable else "",
        f"{picture.time:%H:%M:%S}" if picture.time else "?",
        f"{picture.duration_ms / 1000:.1f} s",
    )


def _node(row: NodeRow) -> tuple[Cell, ...]:
    return (
        MARKS[row.severity],
        row.name,
        row.state,
        str(row.vms),
        "?" if row.cpu is None else f"{row.cpu}%",
        "?" if row.memory_percent is None else f"{row.memory_percent}%",
        row.vmms,
        "; ".join(row.reasons),
    )


def _csv(row: CsvRow) -> tuple[Cell, ...]:
    return (
        MARKS[row.severity],
        row.name,
        row.owner,
        row.io,
        "?" if row.free_percent is None else f"{row.free_percent}%",
        str(row.vms),
        str(row.drift),
        "; ".join(row.reasons),
    )


def _vm(row: VmRow) -> tuple[Cell, ...]:
    activity = row.activity if row.percent is None else f"{row.activity} {row.percent}%"
    return (
        MARKS[row.severity],
        row.name,
        row.state,
        row.node or "?",
        ", ".join(row.csvs) or "?",
        ", ".join(row.owners) or "?",
        row.checkpoint_type,
        activity,
        "; ".join(row.reasons),
    )
