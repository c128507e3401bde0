"""The rows of the backup window page: trouble first, then writers, volumes, marks and what is left behind."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import partial
from typing import Final

from hvtui.model.enums import CheckpointType, name_of
from hvtui.model.severity import Severity
from hvtui.text import natural, safe_text
from hvtui.ui import format as fmt
from hvtui.ui.look import Look
from hvtui.ui.signs import SEVERITY_ROLES, severity_signs
from hvtui.ui.window_paint import Axis, Cell, csv_cells, free_cells, mark_cells, node_cells, vm_cells
from hvtui.window.records import Backup, CsvLine, Leftover, Mark, NodeLine, Standing, Timeline, VmLine

SORTS: Final = ("trouble", "name", "node", "begin")
_STANDINGS: Final = {
    Standing.NONE: ("", "dim", "no backup known"),
    Standing.DONE: ("ok", "ok", "done"),
    Standing.WAITING: ("info", "dim", "waiting"),
    Standing.RUNNING: ("busy", "busy", ""),
    Standing.ENDED: ("unknown", "unread", "ended, outcome unknown"),
    Standing.MISSED: ("warn", "warn", "missed"),
    Standing.STALLED: ("warn", "warn", "stalled"),
    Standing.FAILED: ("bad", "bad", "failed"),
}


_BEFORE: Final = frozenset({Standing.NONE, Standing.WAITING, Standing.MISSED})


@dataclass(frozen=True, slots=True)
class TimeRow:
    """One line. `kind` is `vm node csv left mark head`; `target` and `key` are what Enter opens.

    `cells` paints its strip, None for a row whose text takes the whole line. `state` makes equal rows comparable.
    """

    id: str
    kind: str
    name: str
    target: str = ""
    key: str = ""
    sign: str = ""
    role: str = ""
    node: str = ""
    type: str = ""
    reached: str = ""
    what: str = ""
    trouble: bool = False
    cells: Callable[[Axis, datetime], list[Cell]] | None = None
    """From the axis and the time that it is now."""
    lasting: bool = True
    """Its strip grows as time goes on."""


Kept = dict[str, tuple[VmLine, bool, TimeRow]]
"""VM → its row, and what that was made from: of thousands of VMs few change within a second."""


def rows_of(
    timeline: Timeline, look: Look, sort: str, watched: frozenset[tuple[str, str]], kept: Kept | None = None
) -> list[TimeRow]:
    """All rows in order. VMs of which no backup is known or expected are counted, not listed.

    `kept` is what an earlier call filled: rows of VMs that did not change are the same objects again.
    """
    held: Kept = {} if kept is None else kept
    listed = [line for line in timeline.vms if line.standing is not Standing.NONE]
    hidden = len(timeline.vms) - len(listed)
    listed.sort(key=_order(sort))
    more = f", {hidden} without a backup in sight are not listed" if hidden else ""
    rows = [_head("vms", f"VMs {len(listed)}{more}")]
    rows += [_kept_vm(line, look, ("vm", line.vm) in watched, held) for line in listed]
    if timeline.leftovers:
        rows.append(_head("left", f"Left behind {len(timeline.leftovers)}"))
        rows += [_left(number, one, timeline.now, look) for number, one in enumerate(timeline.leftovers)]
    if timeline.nodes:
        rows.append(_head("nodes", "Hyper-V writer, by node"))
        rows += sorted((_node(line, look) for line in timeline.nodes), key=lambda row: natural(row.name))
    if timeline.csvs:
        rows.append(_head("csvs", "Volumes: way of I/O, and free space"))
        for line in sorted(timeline.csvs, key=lambda line: natural(line.name)):
            rows += _csv(line, look, ("csv", line.csv) in watched)
    if timeline.marks:
        rows.append(_head("marks", f"Events and actions {len(timeline.marks)}"))
        rows += _marks(timeline.marks, look)
    return rows


def _order(sort: str) -> Callable[[VmLine], tuple[object, ...]]:
    if sort == "name":
        return lambda line: (natural(line.name), line.vm)
    if sort == "node":
        return lambda line: (natural(line.node), -line.standing, natural(line.name), line.vm)
    if sort == "begin":
        return lambda line: (-line.last.begin.timestamp() if line.last else 0.0, natural(line.name), line.vm)
    return lambda line: (-line.standing, natural(line.name), line.vm)


def _head(key: str, text: str) -> TimeRow:
    return TimeRow(id=f"head|{key}", kind="head", name=text)


def _kept_vm(line: VmLine, look: Look, watched: bool, held: Kept) -> TimeRow:
    known = held.get(line.vm)
    if known is not None and known[0] is line and known[1] is watched:
        return known[2]
    made = _vm(line, look, watched)
    held[line.vm] = (line, watched, made)
    return made


def _vm(line: VmLine, look: Look, watched: bool) -> TimeRow:
    glyph, role, word = _STANDINGS[line.standing]
    what = word
    if line.standing is Standing.RUNNING:
        what = line.reason
    elif line.standing in (Standing.FAILED, Standing.STALLED):
        what = f"{word}: {line.reason}" if line.reason else word
    if line.standing is Standing.DONE and line.last_backup is not None:
        what = f"done {fmt.clock_time(line.last_backup, look.zone)[:5]}"
    if line.unseen:
        role, what = "stale", f"not heard; {what}"
    name = f"{look.glyphs.watch} {line.name}" if watched else line.name
    return TimeRow(
        id=f"vm|{line.vm}",
        kind="vm",
        name=name,
        target="vm",
        key=line.vm,
        sign=getattr(look.glyphs, glyph) if glyph else "",
        role=role,
        node=line.node,
        type=name_of(CheckpointType, line.checkpoint_type),
        # Of a backup of before this window it would be read as tonight's.
        reached=line.consistency.value if line.standing not in _BEFORE and line.last is not None else "",
        what=look.plain(what),
        trouble=line.standing >= Standing.ENDED,
        cells=partial(_vm_cells, line, look),
        lasting=bool(line.backups) and line.backups[-1].open,
    )


def _vm_cells(line: VmLine, look: Look, axis: Axis, now: datetime) -> list[Cell]:
    return vm_cells(line, axis, now, look)


def _left(number: int, one: Leftover, now: datetime, look: Look) -> TimeRow:
    age = f", {fmt.age((now - one.since).total_seconds())} old" if one.since is not None else ""
    where = f" on {one.node}" if one.node and one.target != "node" else ""
    return TimeRow(
        id=f"left|{one.kind}|{one.key}|{number}",
        kind="left",
        name=one.name,
        target=one.target,
        key=one.key,
        sign=severity_signs(look)[one.severity],
        role=SEVERITY_ROLES[one.severity],
        node=one.node,
        what=look.plain(f"{one.text}{age}{where}"),
        trouble=True,
    )


def _node(line: NodeLine, look: Look) -> TimeRow:
    last = line.stretches[-1] if line.stretches else None
    severity = last.severity if last is not None else Severity.UNKNOWN
    if line.stalled:
        severity = max(severity, Severity.WARN)
    return TimeRow(
        id=f"node|{line.node}",
        kind="node",
        name=line.node,
        target="node",
        key=line.node,
        sign=severity_signs(look)[severity],
        role=SEVERITY_ROLES[severity],
        what=look.plain(line.stalled or (last.text if last is not None else "not read")),
        trouble=severity >= Severity.WARN,
        cells=lambda axis, now: node_cells(line, axis, now, look),
    )


def _csv(line: CsvLine, look: Look, watched: bool) -> list[TimeRow]:
    last = line.stretches[-1] if line.stretches else None
    severity = last.severity if last is not None else Severity.UNKNOWN
    backup = ", backup in progress" if last is not None and last.backup else ""
    free = line.free[-1].free if line.free else None
    percent = None if free is None or not line.size else free * 100 // line.size
    low = Severity.UNKNOWN if percent is None else Severity.BAD if percent < 3 else Severity.WARN
    lowest = f", lowest {fmt.size(line.lowest)}" if line.lowest is not None and line.lowest != free else ""
    name = f"{look.glyphs.watch} {line.name}" if watched else line.name
    return [
        TimeRow(
            id=f"csv|{line.csv}",
            kind="csv",
            name=name,
            target="csv",
            key=line.csv,
            sign=severity_signs(look)[severity],
            role=SEVERITY_ROLES[severity],
            what=look.plain(f"{last.text if last is not None else 'not read'}{backup}"),
            trouble=severity >= Severity.WARN,
            cells=lambda axis, now: csv_cells(line, axis, now, look),
        ),
        TimeRow(
            id=f"free|{line.csv}",
            kind="csv",
            name="",
            target="csv",
            key=line.csv,
            sign="" if percent is not None and percent >= 10 else severity_signs(look)[low],
            role="dim" if percent is not None and percent >= 10 else SEVERITY_ROLES[low],
            what=f"{fmt.size(free)} free{lowest}" if free is not None else "free space not read",
            trouble=percent is not None and percent < 10,
            cells=lambda axis, now: free_cells(line, axis, now, look),
        ),
    ]


def _marks(marks: tuple[Mark, ...], look: Look) -> list[TimeRow]:
    """A strip of events, one of actions, and the newest of each in words."""
    rows = []
    for kind, word in (("event", "events"), ("action", "actions")):
        listed = [mark for mark in marks if mark.kind == kind]
        if not listed:
            continue
        newest = listed[-1]
        rows.append(
            TimeRow(
                id=f"mark|{kind}",
                kind="mark",
                name=word,
                sign="A" if kind == "action" else severity_signs(look)[max(mark.severity for mark in listed)],
                role="key" if kind == "action" else SEVERITY_ROLES[max(mark.severity for mark in listed)],
                node=newest.node,
                what=look.plain(f"{fmt.clock_time(newest.time, look.zone)[:5]} {newest.text}"),
                cells=partial(_mark_cells, tuple(listed), look),
                lasting=False,
            )
        )
    return rows


def _mark_cells(marks: tuple[Mark, ...], look: Look, axis: Axis, _now: datetime) -> list[Cell]:
    return mark_cells(marks, axis, look)


def detail_of(row: TimeRow | None, timeline: Timeline, look: Look, width: int) -> list[str]:
    """Everything of the row under the cursor in two lines, as far as they hold it."""
    if row is None or row.kind == "head":
        return []
    if row.kind != "vm":
        return textwrap.wrap(safe_text(f"{row.name}: {row.what}" if row.name else row.what), width)
    line = next((one for one in timeline.vms if one.vm == row.key), None)
    if line is None:
        return ["it is not there any more"]
    zone, dot = look.zone, f" {look.glyphs.dot} "
    told = [f"{line.name} on {line.node or '?'}", f"type {row.type}"]
    last = line.last
    if last is None:
        return [dot.join([*told, f"last backup {fmt.day_time(line.last_backup, zone)}"])]
    attempts = f"attempt {line.attempts}" if line.attempts > 1 else ""
    told += [f"by {last.way.value}", f"reached {last.consistency.value}", *([attempts] if attempts else [])]
    told.append(f"last good {fmt.day_time(line.last_backup, zone)}")
    return [dot.join(told), look.plain(_phases(last, timeline.now, zone, look))]


def _phases(last: Backup, now: datetime, zone: tzinfo | None, look: Look) -> str:
    parts = [
        f"{span.phase.value} {fmt.age(((span.end or now) - span.begin).total_seconds())}"
        f"{' (stalled)' if span.stalled is not None else ''}"
        for span in last.spans
    ]
    ended = f"{last.outcome.value} {fmt.clock_time(last.end, zone)[:5]}" if last.end is not None else "running"
    why = f": {last.reason}" if last.reason else ""
    begun = f"begun {fmt.clock_time(last.begin, zone)[:5]}"
    return f" {look.glyphs.arrow} ".join([begun, *parts, f"{ended}{why}"])
