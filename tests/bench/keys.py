"""From a key to the bytes that show its effect, in the table of all VMs of the whole console."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.bench.launch import PATIENCE, complete, console_on
from tests.bench.nodes import Nodes
from tests.bench.screen import TimedTerminal
from tests.bench.table import Line, percentile, summed

KEYS = {
    "down": "\x1b[B",
    "up": "\x1b[A",
    "page down": "\x1b[6~",
    "page up": "\x1b[5~",
    "home": "\x1b[H",
    "end": "\x1b[F",
}
MOST_P50, MOST_P99 = 0.005, 0.016
_NAME = slice(3, 18)


def cursor(screen: Any, first: int = 2) -> tuple[int, str] | None:
    """Line and VM's name of the row that carries the cursor: the one whose background is unlike its neighbours'."""
    alone = _alone(screen, range(first, screen.lines - 2), 6)
    if len(alone) != 1:
        return None
    row = "".join(screen.buffer[alone[0]][column].data for column in range(screen.columns))
    return alone[0], row[_NAME].split()[0] if row[_NAME].split() else ""


def _alone(screen: Any, lines: range, column: int) -> list[int]:
    """The lines whose background, in a column, no other line has."""
    grounds: dict[str, list[int]] = {}
    for line in lines:
        grounds.setdefault(screen.buffer[line][column].bg, []).append(line)
    return [found[0] for found in grounds.values() if len(found) == 1]


def carries(name: str) -> Callable[[Any], bool]:
    """The row of this VM has the cursor."""

    def shown(screen: Any) -> bool:
        found = cursor(screen)
        return found is not None and found[1] == name

    return shown


def measure(terminal: TimedTerminal, key: str, count: int, names: list[str]) -> tuple[list[float], int]:
    """Times of a kind of key at random moments, and how many never showed what they must."""
    chance = random.Random(len(key))
    times, missed = [], 0
    for _ in range(count):
        time.sleep(chance.uniform(0.02, 0.09))
        before = terminal.look(cursor)
        if before is None or before[1] not in names:
            missed += 1
            continue
        at = names.index(before[1])
        if key == "down" and at == len(names) - 1:
            terminal.send(KEYS["home"])
            time.sleep(0.3)
            at = 0
        wanted = names[at + 1] if key == "down" else names[at - 1]
        took = terminal.press(KEYS[key], carries(wanted))
        if took is None:
            missed += 1
        else:
            times.append(took)
    return times, missed


def lines(nodes: Nodes, count: int) -> Iterator[Line]:
    """Line 4: arrows in the order of names, at rest and under 800 changes a second."""
    vms = nodes.tell("vms")
    names = [vm[1] for vm in sorted(vms, key=lambda vm: vm[1])]
    data = nodes.folder / "vms.json"
    data.write_text(json.dumps(vms), encoding="utf-8")
    for rate in (0, 800):
        load = f" at {rate} changes/s" if rate else ""
        grid = _grid(data, rate, count, names)
        nodes.tell("rate", rate)
        with console_on(nodes) as terminal:
            terminal.wait_for(complete(nodes), PATIENCE)
            terminal.send("3", "+")
            time.sleep(3.0)
            terminal.send(KEYS["home"])
            time.sleep(1.0)
            times, missed = measure(terminal, "down", count, names)
            written = terminal.bytes
            began = time.perf_counter()
            time.sleep(5.0)
            speed = (terminal.bytes - written) / (time.perf_counter() - began)
        nodes.tell("rate", 0)
        yield _judged(f"key → paint, arrow down{load}", times, missed, grid, speed)


def _judged(name: str, times: list[float], missed: int, grid: list[float], speed: float) -> Line:
    if not times:
        return Line(name, failure=f"{missed} keys never showed their effect")
    line = summed(name, times)
    line.p99 = percentile(times, 0.99)
    if grid:
        line.baseline = percentile(grid, 0.99)
        line.ratio, line.against = line.p99 / line.baseline, "DataTable's p99"
    line.target = "p50 ≤ 5 ms, p99 ≤ 16 ms and ≤ 1/8 of DataTable, none missed"
    held = line.median is not None and line.median <= MOST_P50 and line.p99 <= MOST_P99 and not missed
    line.holds = held and (line.ratio is None or line.ratio <= 1 / 8)
    line.notes.append(f"{missed} missed; {speed / 1000:.1f} kB/s to the terminal without a key")
    return line


def _grid(data: Any, rate: float, count: int, names: list[str]) -> list[float]:
    """The same keys in Textual's own table."""
    with TimedTerminal(["-m", "tests.bench.programs.grid", str(data), str(rate)]) as terminal:
        terminal.wait_for(re.escape(names[0]), PATIENCE)
        time.sleep(2.0)
        times = []
        for number in range(1, min(count, 200)):
            time.sleep(0.05)
            name = names[number]
            took = terminal.press(KEYS["down"], _grid_row(name))
            if took is not None:
                times.append(took)
        return times


def _grid_row(name: str) -> Callable[[Any], bool]:
    def shown(screen: Any) -> bool:
        alone = _alone(screen, range(1, screen.lines), 2)
        rows = ["".join(screen.buffer[line][column].data for column in range(40)) for line in alone]
        return any(row.split()[:1] == [name] for row in rows)

    return shown
