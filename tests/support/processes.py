"""Child processes of a program, for tests that end it in a hard way. POSIX only, by `ps`."""

from __future__ import annotations

import subprocess
import time


def _table() -> dict[int, tuple[int, str]]:
    """Process id → parent's id and state."""
    shown = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True)
    rows = (line.split() for line in shown.stdout.splitlines())
    return {int(pid): (int(parent), state) for pid, parent, state in rows}


def children(parent: int) -> list[int]:
    """Ids of the processes that a process has started."""
    return [pid for pid, (started_by, _) in _table().items() if started_by == parent]


def wait_gone(pids: list[int], timeout: float = 15) -> None:
    """Wait until none of them runs any more; a zombie that nobody collects has ended, too."""
    deadline = time.monotonic() + timeout
    while True:
        table = _table()
        alive = [pid for pid in pids if pid in table and not table[pid][1].startswith("Z")]
        if not alive:
            return
        assert time.monotonic() < deadline, f"still running after {timeout:g} s: {alive}"
        time.sleep(0.1)
