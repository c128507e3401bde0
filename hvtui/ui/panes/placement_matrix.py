"""VMs per node and CSV as one matrix. Pure: the model's counts in, MatrixData out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from hvtui.model.placement import Matrix
from hvtui.model.rows import short_path
from hvtui.model.state import ClusterState
from hvtui.text import natural, safe_text
from hvtui.ui.cells import width_of
from hvtui.ui.look import Look
from hvtui.ui.widgets.matrix_layout import Cell, MatrixData

ELSEWHERE: Final = "\0elsewhere"
"""Key of the column of VMs on no CSV."""

UNKNOWN: Final = "\0unknown"
"""Key of the column of VMs whose files could not be read."""


@dataclass(frozen=True, slots=True)
class PlacementView:
    """The matrix and the counts for the title."""

    data: MatrixData = field(default_factory=MatrixData)
    csv_names: dict[str, str] = field(default_factory=dict)
    drift: int = 0
    unknown: int = 0
    split: int = 0


def placement_view(state: ClusterState, found: Matrix, monotonic: float, look: Look) -> PlacementView:
    """What the pane shows of the model's counts."""
    csvs = state.cluster.csvs or {}
    blank = " " * width_of(look.glyphs.unequal)
    names = {csv.id: safe_text(short_path(csv.path), 40) for csv in csvs.values()}
    cells: dict[tuple[str, str], Cell] = {}
    drift = 0
    for (node, csv), cell in found.cells.items():
        drift += cell.drift
        cells[node, csv] = _cell(cell.vms, cell.drift, owner=cell.owner, look=look)
    columns = sorted(((csv, names.get(csv, csv)) for csv in found.csvs), key=lambda pair: natural(pair[1]))
    nodes = [*found.nodes, *sorted({node for node, _ in found.cells} - set(found.nodes))]
    if found.elsewhere:
        columns.append((ELSEWHERE, "no CSV"))
        cells |= {(node, ELSEWHERE): Cell(f"{n}{blank}", "dim", value=n) for node, n in found.elsewhere.items()}
    if found.unknown:
        columns.append((UNKNOWN, "unread"))
        cells |= {(n, UNKNOWN): Cell(f"{k} ?", "warn", quiet=False, value=k) for n, k in found.unknown.items()}
        nodes += [node for node in found.unknown if node not in nodes]
    zero = Cell(f"{look.glyphs.dot}{blank}", "dim")
    stale = {n: "stale" for n in nodes if (view := state.nodes.get(n)) is not None and view.link.stale(monotonic)}
    glyphs = look.glyphs
    data = MatrixData(
        [(node, safe_text(node, 40) or "no node") for node in sorted(nodes, key=natural)],
        columns,
        cells,
        lambda some: _fold(some, look),
        "node",
        zero,
        fold_row=f"{{n}} nodes {glyphs.ok}",
        fold_column=f"{{n}} {glyphs.ok}",
        right=True,
        row_roles=stale,
    )
    return PlacementView(data, names, drift, sum(found.unknown.values()), found.split)


def _cell(vms: int, drift: int, *, owner: bool, look: Look) -> Cell:
    glyphs = look.glyphs
    blank = " " * width_of(glyphs.unequal)
    if owner:
        mark = "*" if look.ascii else "◆"
        return Cell(f"{mark}{vms}{blank}", "owner", value=vms)
    if drift:
        return Cell(f"{vms}{glyphs.unequal}", "warn", quiet=False, value=vms)
    # VMs that are off move no data: counted, not highlighted.
    return Cell(f"{vms}{blank}", "dim", value=vms)


def _fold(cells: Sequence[Cell], look: Look) -> Cell:
    """One cell for several: their VMs added up."""
    total = sum(cell.value for cell in cells)
    quiet = all(cell.quiet for cell in cells)
    text = f"{total or look.glyphs.dot}{' ' * width_of(look.glyphs.unequal)}"
    return Cell(text, "dim" if quiet else "warn", quiet=quiet, value=total)
