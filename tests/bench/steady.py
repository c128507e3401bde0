"""What an open console costs: processor and memory, with nothing changed and with 800 changes a second."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from tests.bench.launch import PATIENCE, complete, console_on
from tests.bench.nodes import Nodes
from tests.bench.procs import cpu, memory
from tests.bench.screen import TimedTerminal
from tests.bench.table import Line, summed


def lines(nodes: Nodes, seconds: float, seen: int) -> Iterator[Line]:
    """Lines 2, 3 and 6: processor against bare streams that get the same messages; from a change to the screen."""
    wanted = complete(nodes)
    for rate in (0, 800):
        load = f"{rate} changes/s" if rate else "no state change"
        with console_on(nodes) as terminal:
            terminal.wait_for(wanted, PATIENCE)
            time.sleep(5.0)
            nodes.tell("rate", rate)
            time.sleep(3.0)
            console = spent(terminal.process.pid, seconds)
            held = memory(terminal.process.pid)
            if rate:
                yield _seen(nodes, terminal, seen)
        streams = _streams(nodes, seconds)
        nodes.tell("rate", 0)
        line = Line(f"CPU of the console, {load}", unit="% of a core", median=100 * console, count=1)
        line.floor = 100 * streams
        line.ratio, line.against = console / streams, "bare streams"
        line.target, line.holds = "≤ 1.5 × bare streams", console <= 1.5 * streams
        yield line
        yield Line(f"memory (PSS), {load}", unit="MB", median=held, count=1, target="≤ 130 MB", holds=held <= 130)


def spent(pid: int, seconds: float) -> float:
    """Share of a core that a family of processes used during so many seconds."""
    before, began = cpu(pid), time.perf_counter()
    time.sleep(seconds)
    return (cpu(pid) - before) / (time.perf_counter() - began)


def _streams(nodes: Nodes, seconds: float) -> float:
    """The same for pypsrp alone that follows every node and reads nothing."""
    words = [sys.executable, "-m", "tests.bench.programs.streams", str(nodes.login)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(5.0)
        share = spent(process.pid, seconds)
        process.kill()
    return share


def _seen(nodes: Nodes, terminal: TimedTerminal, count: int) -> Line:
    """From the moment a node has a change to the moment it stands on the screen, for VMs that are on it."""
    vms = {vm[1]: vm[0] for vm in nodes.tell("vms")}
    times: list[float] = []
    missed = 0
    for _ in range(count):
        time.sleep(0.3)
        row = terminal.look(lambda screen: _row_of(screen, vms))
        if row is None:
            missed += 1
            continue
        line, name = row
        words = {3: "Production", 4: "ProductionOnly"}
        terminal._found.clear()
        turned = nodes.tell("turn", vms[name])
        took = terminal.press("", _shows(line, name, words[turned["type"]]), timeout=10.0)
        if took is None:
            missed += 1
        else:
            times.append(terminal.found_at - turned["at"] if terminal.found_at > turned["at"] else took)
    if not times:
        return Line("change at the node → on screen", failure=f"{missed} changes were never seen")
    found = summed(
        "change at the node → on screen, 800 changes/s", times, target="p50 ≤ tick (2 s) + 0.2 s, max ≤ + 1 s"
    )
    found.holds = found.median is not None and found.median <= 2.2 and max(times) <= 3.0 and not missed
    found.notes.append(f"{missed} never seen")
    return found


def _row_of(screen: Any, vms: dict[str, str]) -> tuple[int, str] | None:
    for line, text in enumerate(screen.display):
        name = text[4:19].split()[:1]
        if name and name[0] in vms and "Production" in text:
            return line, name[0]
    return None


def _shows(line: int, name: str, word: str) -> Callable[[Any], bool]:
    pattern = re.compile(rf"^│ . {re.escape(name)} .* {word} ")

    def shown(screen: Any) -> bool:
        row = "".join(screen.buffer[line][column].data for column in range(screen.columns))
        return bool(pattern.match(row))

    return shown
