"""First paint, `--version` and `explain` against the least that Python and Textual can do."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.nodes import Nodes
from tests.bench.screen import COLUMNS, LINES
from tests.bench.table import Line, compare
from tests.support.terminal import Terminal

_TEXT = Path(__file__).parent.parent / "data" / "writers"


def timed(*words: str, env: dict[str, str] | None = None) -> float:
    """Seconds a program took from start to end."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *words], check=False, capture_output=True, env=env)
    return time.perf_counter() - began


def painted(words: list[str], wanted: str, env: dict[str, str] | None = None) -> float:
    """Seconds from start until a text stands on the terminal."""
    began = time.perf_counter()
    with Terminal(words, columns=COLUMNS, lines=LINES, env=env) as terminal:
        terminal.wait_for(wanted)
        return time.perf_counter() - began


def lines(nodes: Nodes, rounds: int) -> Iterator[Line]:
    """Line 5 of the table; every program in turn, so that all meet the same machine."""
    sample = next(path for path in sorted(_TEXT.iterdir()) if path.suffix == ".txt")
    python, version, explain, trivial, first = [], [], [], [], []
    for _ in range(rounds):
        python.append(timed("-c", "pass"))
        version.append(timed("-m", "hvtui", "--version"))
        explain.append(timed("-m", "hvtui", "explain", str(sample)))
        trivial.append(painted(["-m", "tests.bench.programs.trivial"], "PAINTED"))
        first.append(painted(["-m", "hvtui", "--config", str(nodes.config)], "1 Nodes", nodes.environment()))
    yield compare("hvtui --version", version, python, most=2.0)
    yield compare("hvtui explain", explain, python)
    yield compare("first paint", first, trivial, most=1.5)
