"""`python -m tests.bench [--quick] [--json] [--only NAME …]`: one table of what was measured, never of what was not.

Run it on a machine that does nothing else. Baseline and floor are measured in the same run, in turn with hvtui.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import keys, launch, startup, steady
from tests.bench.nodes import Nodes
from tests.bench.table import Line, show

PARTS = ("startup", "launch", "steady", "keys")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds on a small cluster, under three minutes")
    parser.add_argument("--json", action="store_true", help="the lines as JSON")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="these parts only")
    parser.add_argument("--scenario", default="", help="another cluster than the default")
    return parser.parse_args()


def main() -> int:
    """Measure; 1 when a line failed. A target that does not hold is said, and is no failure of the program."""
    arguments = _arguments()
    quick = arguments.quick
    parts: dict[str, Callable[[Nodes], Iterator[Line]]] = {
        "startup": lambda nodes: startup.lines(nodes, 3 if quick else 11),
        "launch": lambda nodes: launch.lines(nodes, 1 if quick else 5),
        "steady": lambda nodes: steady.lines(nodes, 5.0 if quick else 60.0, 3 if quick else 30),
        "keys": lambda nodes: keys.lines(nodes, 20 if quick else 500),
    }
    found: list[Line] = []
    scenario = arguments.scenario or ("healthy" if quick else "limit")
    with tempfile.TemporaryDirectory() as folder, Nodes(scenario, Path(folder)) as nodes:
        for name in arguments.only:
            found += _lines(name, parts[name], nodes)
    if arguments.json:
        json.dump([line.as_json() for line in found], sys.stdout, indent=1)
    else:
        show(found)
    return 1 if any(line.failure for line in found) else 0


def _lines(name: str, part: Callable[[Nodes], Iterator[Line]], nodes: Nodes) -> list[Line]:
    """What a part measured; what broke off is a line that says so."""
    found: list[Line] = []
    try:
        for line in part(nodes):
            found.append(line)
            print(f"measured: {line.name}", file=sys.stderr)  # noqa: T201
    except Exception as error:
        found.append(Line(name, failure=f"{type(error).__name__}: {error}"))
    return found


if __name__ == "__main__":
    sys.exit(main())
