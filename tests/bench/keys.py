"""From a key to the bytes that show its effect, in the table of all VMs of the whole console."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.bench.launch import complete
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
    grounds: dict[str, list[int]] = {}
    for line in range(first, screen.lines - 2):
        grounds.setdefault(screen.buffer[line][6].bg, []).append(line)
    alone = [lines[0] for lines in grounds.values() if len(lines) == 1]
    if len(alone) != 1:
        return None
    row = "".join(screen.buffer[alone[0]][column].data for column in range(screen.columns))
    return alone[0], row[_NAME].split()[0] if row[_NAME].split() else ""


class Expected:
    """Which VM must carry the cursor after a key, by the order of names and the size of the page."""

    def __init__(self, names: list[str], page: int) -> None:
        self.names = names
        self.page = page
        self.at = 0

    def after(self, key: str) -> str:
        last = len(self.names) - 1
        step = {"down": 1, "up": -1, "page down": self.page, "page up": -self.page}.get(key, 0)
        self.at = {"home": 0, "end": last}.get(key, min(last, max(0, self.at + step)))
        return self.names[self.at]


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
        with TimedTerminal(["-m", "hvtui", "--config", str(nodes.config)], env=nodes.environment()) as terminal:
            wanted = complete(nodes)
            while not wanted.search(terminal.text()):
                time.sleep(0.1)
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
        while names[0] not in terminal.text():
            time.sleep(0.1)
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
        grounds: dict[str, list[int]] = {}
        for line in range(1, screen.lines):
            grounds.setdefault(screen.buffer[line][2].bg, []).append(line)
        alone = [lines[0] for lines in grounds.values() if len(lines) == 1]
        rows = ["".join(screen.buffer[line][column].data for column in range(40)) for line in alone]
        return any(row.split()[:1] == [name] for row in rows)

    return shown
