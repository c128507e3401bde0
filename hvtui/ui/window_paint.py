"""From records of a backup window to cells on a time axis. Pure: no widget, no clock of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from hvtui.model.severity import Severity
from hvtui.ui import format as fmt
from hvtui.ui.look import Look
from hvtui.window.records import Backup, CsvLine, Mark, NodeLine, Outcome, Phase, VmLine

Cell = tuple[str, str]
"""A glyph, and the role that colours it."""
BLANK: Final[Cell] = (" ", "")

STEPS: Final = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
"""Seconds that one cell may stand for."""
_TICKS: Final = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)
_APART: Final = 9
"""Least cells from one time on the axis to the next."""

PHASES: Final = {
    Phase.FREEZE: ("▒", "%", "busy"),
    Phase.CHECKPOINT: ("▓", "#", "busy"),
    Phase.COPY: ("━", "=", "info"),
    Phase.CONVERT: ("╌", "-", "owner"),
    Phase.MERGE: ("▚", "&", "owner"),
    Phase.UNSEEN: ("?", "?", "unread"),
}
"""Glyph, its stand-in in ASCII mode, and role."""
_WEIGHT: Final = {
    Phase.COPY: 1,
    Phase.UNSEEN: 2,
    Phase.MERGE: 3,
    Phase.CONVERT: 4,
    Phase.CHECKPOINT: 5,
    Phase.FREEZE: 6,
}
"""What is short would vanish beside what is long: in one cell the short phase is shown."""
_STALL, _ENDED, _DONE, _FAILED = 7, 8, 9, 10


@dataclass(frozen=True, slots=True)
class Axis:
    """`cells` cells of `step` seconds, the first beginning at `begin`."""

    begin: datetime
    step: int
    cells: int

    def place(self, at: datetime) -> int:
        """The cell of a time; outside of 0 … cells - 1 when it is not on the axis."""
        return int((at - self.begin).total_seconds() // self.step)

    @property
    def end(self) -> datetime:
        """When the last cell ends."""
        return self.begin + timedelta(seconds=self.step * self.cells)


def axis_to(end: datetime, step: int, cells: int) -> Axis:
    """The axis whose last cell holds `end`. It begins at a whole step: a cell keeps its time as time goes on."""
    last = int(end.timestamp()) // step * step
    return Axis(datetime.fromtimestamp(last - step * (cells - 1), UTC), step, cells)


def axis_text(axis: Axis, zone: tzinfo | None, look: Look) -> str:
    """The line of times, exactly as wide as the axis; a time stands right of its own moment."""
    tick = next((one for one in _TICKS if one / axis.step >= _APART and one >= axis.step), _TICKS[-1])
    bar = look.glyphs.frame[3]
    line = [" "] * axis.cells
    for place in range(axis.cells):
        local = (axis.begin + timedelta(seconds=axis.step * place)).astimezone(zone)
        seconds = local.hour * 3600 + local.minute * 60 + local.second
        told = bar + local.strftime("%H:%M")
        if seconds % tick < axis.step and place + len(told) <= axis.cells:
            # A change of the clock may bring two times close together: the later one is left out.
            if any(cell != " " for cell in line[place : place + len(told)]):
                continue
            line[place : place + len(told)] = told
    return "".join(line)


def legend(look: Look) -> list[tuple[str, str]]:
    """What the glyphs of VM rows mean, glyph and word by turns."""
    glyphs = look.glyphs
    made: list[tuple[str, str]] = []
    for phase, (sign, plain, role) in PHASES.items():
        made += [(plain if look.ascii else sign, role), (f" {phase.value}  ", "dim")]
    ends = ((glyphs.warn, "warn", "stalled"), (glyphs.ok, "ok", "done"), (glyphs.bad, "bad", "failed"))
    for sign, role, word in ends:
        made += [(sign, role), (f" {word}  ", "dim")]
    return made


# --- rows ---


class _Grid:
    """Cells of a row; of several things in one cell the weightiest is shown."""

    def __init__(self, axis: Axis) -> None:
        self.axis = axis
        self.cells = [BLANK] * axis.cells
        self._weights = [-1] * axis.cells

    def fill(self, begin: datetime, end: datetime, cell: Cell, weight: int) -> None:
        axis, weights = self.axis, self._weights
        for place in range(max(0, axis.place(begin)), min(axis.cells - 1, axis.place(end)) + 1):
            if weight > weights[place]:
                self.cells[place], weights[place] = cell, weight


def vm_cells(line: VmLine, axis: Axis, now: datetime, look: Look) -> list[Cell]:
    """A VM's backups."""
    grid = _Grid(axis)
    for backup in line.backups:
        last = backup.end or now
        if last < axis.begin or backup.begin >= axis.end:
            continue
        for span in backup.spans:
            sign, plain, role = PHASES[span.phase]
            end = min(span.end or now, now)
            grid.fill(span.begin, end, (plain if look.ascii else sign, role), _WEIGHT[span.phase])
            if span.stalled is not None:
                grid.fill(max(span.stalled, span.begin), end, (look.glyphs.warn, "warn"), _STALL)
        if backup.end is not None:
            grid.fill(backup.end, backup.end, *_end(backup, look))
    return grid.cells


def _end(backup: Backup, look: Look) -> tuple[Cell, int]:
    if backup.outcome is Outcome.DONE:
        return (look.glyphs.ok, "ok"), _DONE
    if backup.outcome is Outcome.FAILED:
        return (look.glyphs.bad, "bad"), _FAILED
    return (look.glyphs.unknown, "unread"), _ENDED


_ROLES: Final = {
    Severity.OK: "dim",
    Severity.INFO: "busy",
    Severity.UNKNOWN: "unread",
    Severity.WARN: "warn",
    Severity.BAD: "bad",
}


def node_cells(line: NodeLine, axis: Axis, now: datetime, look: Look) -> list[Cell]:
    """The number of the Hyper-V writer's state; a dot while it is stable, `?` while it could not be read."""
    grid = _Grid(axis)
    for one in line.stretches:
        if one.severity is Severity.OK:
            sign = look.glyphs.dot
        else:
            sign = look.glyphs.unknown if one.code is None else str(one.code)[-1]
        grid.fill(one.begin, one.end or now, (sign, _ROLES[one.severity]), one.severity)
    return grid.cells


def csv_cells(line: CsvLine, axis: Axis, now: datetime, look: Look) -> list[Cell]:
    """The first letter of how a volume is reached; a dot while that is direct, `*` while a backup is in progress."""
    grid = _Grid(axis)
    for one in line.stretches:
        weight, role = int(one.severity) * 2, _ROLES[one.severity]
        if one.severity is Severity.UNKNOWN:
            sign = look.glyphs.unknown
        elif one.severity is not Severity.OK:
            sign = one.text[:1] or look.glyphs.unknown
        elif one.backup:
            sign, role, weight = "*", "busy", weight + 1
        else:
            sign = look.glyphs.dot
        grid.fill(one.begin, one.end or now, (sign, role), weight)
    return grid.cells


LOW, FULL = 10, 3
"""Percent of free space below which a volume is low, and as good as full."""


def free_cells(line: CsvLine, axis: Axis, now: datetime, look: Look) -> list[Cell]:
    """How much of the volume is free, as a level; a cell shows the least of its time."""
    grid = _Grid(axis)
    if not line.size:
        return grid.cells
    for place, sample in enumerate(line.free):
        end = line.free[place + 1].time if place + 1 < len(line.free) else now
        percent = sample.free * 100 // line.size
        role = "bad" if percent < FULL else "warn" if percent < LOW else "dim"
        grid.fill(sample.time, end, (fmt.level(percent, ascii_only=look.ascii), role), 100 - percent)
    return grid.cells


def mark_cells(marks: Iterable[Mark], axis: Axis, look: Look) -> list[Cell]:
    """The worst event of each cell, or `A` where an operator did something."""
    grid = _Grid(axis)
    for mark in marks:
        sign = look.glyphs.bad if mark.severity is Severity.BAD else look.glyphs.warn
        action = mark.kind == "action"
        cell = ("A", "key") if action else (sign, _ROLES[mark.severity])
        grid.fill(mark.time, mark.time, cell, 100 if action else mark.severity)
    return grid.cells
