"""What the module costs a node, measured: `python -m tests.footprint [--write]` (docs/footprint.md).

Exit 1 when a round without a change at 1,024 VMs costs 100 ms of processor or sends 2 kB beside the load vector.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from hvtui.lab.pwsh import stubs
from hvtui.remote.module import module_text
from tests.footprint.measure import ROUNDS, Row, rows
from tests.powershell.engine import ROOT

REPORT: Final = ROOT / "docs" / "footprint.md"
SIZES: Final = (0, 125, 1024)
CPU_MS: Final = 100.0
BYTES: Final = 2000.0

HEAD: Final = f"""# What hvtui costs a node

Made by `python -m tests.footprint --write`: both streams run on PowerShell 7, on the simulated cluster's stand-ins for
Windows' commands ([stubs.md](stubs.md)), which give objects of the real types. One node has all the VMs, each with two
disks and a recovery checkpoint; the cluster has 16 nodes and 8 CSVs. One round every two seconds of the cluster's time,
at the default cadences; figures are the mean of {ROUNDS} rounds after the engine has warmed up. CPU and memory of every
VM wander; "1 % changed" also changes one VM in a hundred in every round.

- *own CPU*: milliseconds of processor of the engine's process, less those that pass within the calls to the stand-ins,
  which are shown beside it; writing the message out is part of it. What Windows' own providers need to answer is in
  neither. The worst are the rounds, one in five of the cluster's and one in fifteen of a node's, in which what changes
  rarely is read again, and what the engine compiles or cleans up then is in them. Windows PowerShell 5.1 may need more
  (see [unverified.md](unverified.md)).
- *sent*: bytes of the message without the load vector (three numbers for each VM whose load moved), which stands apart.
- A node whose console is open shows what it really pays on its page: the processor time of hvtui's sessions there.
"""


def table(found: list[Row]) -> list[str]:
    """The rows as Markdown."""
    columns: dict[str, Callable[[Row], str]] = {
        "function": lambda r: r.function,
        "VMs": lambda r: f"{r.vms:,}",
        "changed": lambda r: f"{r.share:.0%}",
        "cmdlets": lambda r: f"{r.commands:.1f}",
        "WMI queries": lambda r: f"{r.queries:.1f}",
        "objects": lambda r: f"{r.objects:,.0f}",
        "own CPU ms": lambda r: f"{r.own:.0f}",
        "median": lambda r: f"{r.usual:.0f}",
        "worst": lambda r: f"{r.most:.0f}",
        "stand-ins ms": lambda r: f"{r.standins:.0f}",
        "sent": lambda r: f"{r.sent:,.0f}",
        "load vector": lambda r: f"{r.load:,.0f}",
        "first message": lambda r: f"{r.first:,}",
    }
    cells = [list(columns), ["---"] * len(columns), *([show(row) for show in columns.values()] for row in found)]
    return [f"| {' | '.join(line)} |" for line in cells]


def main() -> int:
    """Measure, print, write, judge."""
    pwsh = stubs.find_engine()
    if pwsh is None:
        sys.stderr.write("no PowerShell engine: neither HVTUI_PWSH nor pwsh on the PATH\n")
        return 2
    found = []
    for row in rows(pwsh, SIZES):
        sys.stderr.write(f"{row}\n")
        found.append(row)
    quiet = [r for r in found if r.vms == max(SIZES) and not r.share]
    good = all(r.own < CPU_MS and r.sent < BYTES for r in quiet)
    size = len(module_text().encode())
    lines = [
        *table(found),
        "",
        f"The module's text, sent once to each lane of a node that has it not installed: {size:,} bytes.",
        "",
        f"Target for a round without a change at {max(SIZES):,} VMs, under {CPU_MS:.0f} ms of own CPU and",
        f"{BYTES:,.0f} bytes beside the load vector: {'kept' if good else '**not kept**'}.",
    ]
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text)
    if "--write" in sys.argv[1:]:
        REPORT.write_text(HEAD + "\n" + text, encoding="utf-8")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
