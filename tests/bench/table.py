"""One measured line, and the table of all."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass
class Line:
    """What was measured. `ratio` is against `against`; `failure` says why there is no figure."""

    name: str
    unit: str = "s"
    median: float | None = None
    p99: float | None = None
    most: float | None = None
    baseline: float | None = None
    floor: float | None = None
    ratio: float | None = None
    against: str = ""
    target: str = ""
    holds: bool | None = None
    count: int = 0
    failure: str = ""
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie, no value invented between two."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def summed(name: str, values: Sequence[float], **more: Any) -> Line:
    """A line of many measurements."""
    return Line(
        name,
        median=statistics.median(values),
        p99=percentile(values, 0.99) if len(values) >= 100 else None,
        most=max(values),
        count=len(values),
        **more,
    )


def compare(
    name: str,
    values: Sequence[float],
    floor: Sequence[float] = (),
    baseline: Sequence[float] = (),
    *,
    most: float | None = None,
    least: float | None = None,
    unit: str = "s",
) -> Line:
    """A line beside what was measured alternately with it.

    `most`: at most so many times the floor. `least`: the baseline takes at least so many times as long.
    """
    line = summed(name, values, unit=unit)
    line.floor = statistics.median(floor) if floor else None
    line.baseline = statistics.median(baseline) if baseline else None
    held = []
    if line.floor:
        line.ratio, line.against = line.median / line.floor, "floor"  # type: ignore[operator]
        if most is not None:
            line.target = f"≤ {most:g} × floor"
            held.append(line.ratio <= most)
    if line.baseline:
        faster = line.baseline / line.median  # type: ignore[operator]
        line.notes.append(f"{faster:.1f} × as fast as the baseline")
        if line.ratio is None:
            line.ratio, line.against = line.median / line.baseline, "baseline"  # type: ignore[operator]
        if least is not None:
            line.target = f"{line.target} · ≥ {least:g} × baseline".lstrip(" ·")
            held.append(faster >= least)
    line.holds = all(held) if held else None
    return line


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit == "s":
        return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"
    return f"{value:,.1f} {unit}"


def show(lines: Iterable[Line], console: Console | None = None) -> None:
    """The table, with what failed said in its line."""
    table = Table(title="hvtui against baseline and floor of the same run", title_justify="left")
    for title in ("what", "median", "p99", "max", "floor", "baseline", "ratio", "target", "holds", "n"):
        table.add_column(title, overflow="fold")
    notes = []
    for line in lines:
        if line.failure:
            table.add_row(line.name, f"not measured: {line.failure}", *[""] * 8)
            continue
        held = {True: "yes", False: "NO", None: ""}[line.holds]
        ratio = "" if line.ratio is None else f"{line.ratio:.2f} × {line.against}"
        figures = [_figure(value, line.unit) for value in (line.median, line.p99, line.most, line.floor, line.baseline)]
        table.add_row(line.name, *figures, ratio, line.target, held, str(line.count))
        notes += [f"{line.name}: {note}" for note in line.notes]
    console = console or Console(width=190)
    console.print(table)
    for note in notes:
        console.print(f"· {note}", markup=False, highlight=False)
