"""What the module costs a node, measured: `python -m tests.footprint [--write]` (docs/footprint.md).

Exit 1 when a tick without a change at 1,024 VMs costs 100 ms of CPU or sends 2 kB beside the load vector.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from hvtui.remote.module import module_text
from tests.powershell.engine import ROOT, pwsh

REPORT: Final = ROOT / "docs" / "footprint.md"
SIZES: Final = (0, 125, 1024)
CPU_MS: Final = 100.0
BYTES: Final = 2000.0

HEAD: Final = """# What hvtui costs a node

Made by `python -m tests.footprint --write`: both streams run on PowerShell 7 against objects that lie ready in
memory, so the CPU is that of the module and of handing out objects, not of Windows' own providers, and Windows
PowerShell 5.1 may need more (see [unverified.md](unverified.md)). One tick every two seconds, 45 ticks at the default
cadences; figures are the mean of a tick. CPU and memory of every VM move at random and uptimes have jitter; "1 %
changed" also changes one VM in a hundred at every tick. The load vector (three numbers for each VM that moved) is
counted apart.
"""


def measure(sizes: tuple[int, ...] = SIZES) -> list[dict[str, Any]]:
    """One row for each function, size and share of changes."""
    with tempfile.TemporaryDirectory() as folder:
        sent = Path(folder) / "module.ps1"
        sent.write_text(module_text(), encoding="utf-8")
        script = Path(__file__).with_name("measure.ps1")
        listed = ",".join(map(str, sizes))
        done = pwsh("-File", str(script), "-Module", str(sent), "-Sizes", listed, seconds=900)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return [row for row in rows if row["vms"] in sizes]


def table(rows: list[dict[str, Any]]) -> list[str]:
    """The rows as Markdown."""
    columns: dict[str, Callable[[dict[str, Any]], str]] = {
        "function": lambda r: str(r["function"]),
        "VMs": lambda r: f"{r['vms']:,}",
        "changed": lambda r: f"{r['share']:.0%}",
        "cmdlets": lambda r: f"{r['commands']:.1f}",
        "WMI queries": lambda r: f"{r['queries']:.1f}",
        "objects": lambda r: f"{r['objects']:,.0f}",
        "CPU ms": lambda r: f"{r['cpu']:.0f}",
        "worst": lambda r: f"{r['worst']:.0f}",
        "bytes": lambda r: f"{r['bytes']:,.0f}",
        "load vector": lambda r: f"{r['load']:,.0f}",
        "first message": lambda r: f"{r['full']:,}",
    }
    cells = [list(columns), ["---"] * len(columns), *([show(row) for show in columns.values()] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in cells]


def main() -> int:
    """Measure, print, write, judge."""
    rows = measure()
    quiet = [r for r in rows if r["vms"] == max(SIZES) and not r["share"]]
    good = all(r["cpu"] < CPU_MS and r["bytes"] < BYTES for r in quiet)
    size = len(module_text().encode())
    lines = [
        *table(rows),
        "",
        f"The module's text, sent once to each lane of a node that has it not installed: {size:,} bytes.",
        "",
        f"Target for a tick without a change at {max(SIZES):,} VMs, under {CPU_MS:.0f} ms of CPU and",
        f"{BYTES:,.0f} bytes beside the load vector: {'kept' if good else '**not kept**'}.",
    ]
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if "--write" in sys.argv[1:]:
        REPORT.write_text(HEAD + "\n" + text, encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
