"""What a process and its children use, from /proc."""

from __future__ import annotations

import os
from pathlib import Path

from tests.support.processes import children

_TICK = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all that it started and that still run."""
    found = [pid]
    for child in children(pid):
        found += family(child)
    return found


def cpu(pid: int) -> float:
    """Seconds of processor of the family so far."""
    total = 0
    for one in family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / _TICK


def memory(pid: int) -> float:
    """Megabytes of the family: the sum of their proportional set sizes."""
    total = 0
    for one in family(pid):
        try:
            rollup = Path(f"/proc/{one}/smaps_rollup").read_text(encoding="utf-8")
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024
