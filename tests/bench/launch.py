"""From launch until every pane is complete, and `hvtui status --json`, on as many nodes as there are."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

from tests.bench.nodes import Nodes
from tests.bench.screen import TimedTerminal
from tests.bench.startup import painted, timed
from tests.bench.table import Line, compare

PATIENCE = 300.0
"""Seconds until the whole cluster must be on the screen."""


def console_on(nodes: Nodes) -> TimedTerminal:
    """The console on a cluster, just started."""
    return TimedTerminal(["-m", "hvtui", "--config", str(nodes.config)], env=nodes.environment())


def launched(nodes: Nodes, wanted: str) -> float:
    """Seconds until the console shows every node, VM and CSV and calls none of them unread."""
    began = time.perf_counter()
    with console_on(nodes) as terminal:
        terminal.wait_for(wanted, PATIENCE)
        return time.perf_counter() - began


def fetched(nodes: Nodes, how: str) -> float:
    """Seconds that pypsrp alone needs, its own import aside."""
    words = [sys.executable, "-m", "tests.bench.programs.fetch", str(nodes.login), how]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return float(json.loads(done.stdout)["seconds"])


def complete(nodes: Nodes) -> str:
    """What the first lines show when everything was read."""
    vms = len(nodes.tell("vms"))
    count = len(nodes.addresses)
    return rf"✓ healthy +{count} nodes · {vms} VMs(.|\n)*1 Nodes · {count} · \d+ ✓"


def lines(nodes: Nodes, rounds: int, think: int = 300) -> Iterator[Line]:
    """Line 1: the floor is the parallel fetch and a trivial program's first paint; the baseline one by one."""
    wanted = complete(nodes)
    for ms in (0, think):
        nodes.tell("think", ms)
        console, status, floor, bare, baseline = [], [], [], [], []
        for _ in range(rounds):
            paint, python = painted(["-m", "tests.bench.programs.trivial"], "PAINTED"), timed("-c", "pass")
            fetch = fetched(nodes, "floor")
            floor.append(fetch + paint)
            bare.append(fetch + python)
            console.append(launched(nodes, wanted))
            status.append(timed("-m", "hvtui", "--config", str(nodes.config), "status", "--json"))
            baseline.append(fetched(nodes, "baseline"))
        thinking = f", {ms} ms of think time" if ms else ""
        yield compare(
            f"launch → complete{thinking}",
            console,
            floor,
            baseline,
            most=None if ms else 1.5,
            least=8.0 if ms else None,
        )
        yield compare(f"status --json{thinking}", status, bare, most=None if ms else 1.3)
    nodes.tell("think", 0)
