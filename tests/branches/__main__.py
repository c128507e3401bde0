"""Branch coverage of the module on the engine: `python -m tests.branches`; exit 1 below 95 percent."""

from __future__ import annotations

import sys
from typing import Final

from tests.branches.marks import Branch, branches, marked
from tests.powershell.table import TableEngine, run_table

WANTED: Final = 95.0


def measure() -> tuple[int, list[Branch]]:
    """How many branches there are, and those that no case runs."""
    found = branches()
    engine = TableEngine()
    try:
        hits = frozenset[str]().union(*run_table(engine, marked(found)).hits.values())
    finally:
        engine.close()
    return len(found), [branch for branch in found if branch.name not in hits]


def main() -> int:
    """Print the figure and what is not run."""
    total, missed = measure()
    for branch in missed:
        sys.stdout.write(f"{branch.file}:{branch.line}: {branch.kind}\n")
    percent = 100 * (total - len(missed)) / total
    sys.stdout.write(f"branches: {total - len(missed)} of {total} run on the engine, {percent:.1f} %\n")
    return 0 if percent >= WANTED else 1


if __name__ == "__main__":
    sys.exit(main())
