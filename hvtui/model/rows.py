"""What panes show: one struct per VM, node and volume, and the line above them all."""

from __future__ import annotations

from hvtui.model.csv_rows import CsvRow, NodeIo, csv_row
from hvtui.model.node_rows import NodeRow, WriterCounts, node_row, writer_counts
from hvtui.model.placement import short_path
from hvtui.model.severity import Severity
from hvtui.model.summary import Summary, summary
from hvtui.model.vm_rows import VmRow, vm_row

__all__ = [
    "CsvRow",
    "NodeIo",
    "NodeRow",
    "Severity",
    "Summary",
    "VmRow",
    "WriterCounts",
    "csv_row",
    "node_row",
    "short_path",
    "summary",
    "vm_row",
    "writer_counts",
]
