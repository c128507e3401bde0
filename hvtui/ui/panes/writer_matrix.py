"""VSS writers of all nodes as one matrix, writer × node. Pure: state in, MatrixData and notes out.

A node that was not read, a writer that could not be read and a writer that is missing where others have it are all
faults of sight or of VSS: none of them ever counts as healthy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from hvtui.model.durations import writer_key
from hvtui.model.link import LinkStatus
from hvtui.model.state import ClusterState, NodeView
from hvtui.model.writer_catalog import CSV, HYPER_V
from hvtui.model.writers import Writer
from hvtui.text import natural, safe_text
from hvtui.ui import format as fmt
from hvtui.ui.look import Look
from hvtui.ui.widgets.matrix_layout import Cell, MatrixData

READ_ROW: Final = "\0read"
"""Key of the row with the age of each node's reading."""

LINES_ROW: Final = "\0lines"
"""Key of the row that counts lines of vssadmin's answer that could not be read."""

RANK: Final = {"ok": 0, "busy": 1, "missing": 2, "unreadable": 3, "failed": 4}
"""Classes of a writer from healthy to worst."""

WORDS: Final = {"ok": "ok", "busy": "busy", "failed": "failed", "unreadable": "unreadable", "missing": "missing"}

ROLES: Final = {"ok": "ok", "busy": "busy", "failed": "bad", "unreadable": "warn", "missing": "warn"}

STALE_AFTER: Final = 1_200.0
"""Seconds after which a reading is marked old: writers are read every 10 to 15 minutes outside a backup window."""


@dataclass(frozen=True, slots=True)
class WriterView:
    """The matrix, the places that are not healthy (worst first), and the counts for the title."""

    data: MatrixData = field(default_factory=MatrixData)
    loud: tuple[tuple[str, str], ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    oldest: float | None = None
    """Age of the oldest reading in seconds."""


def row_key(writer: Writer) -> str:
    """What is one row: the writer's GUID; its name while the GUID is unreadable."""
    return writer.id or writer.name


def worst_of(writers: Sequence[Writer]) -> Writer:
    """The instance to show of a writer that runs several times on a node."""
    return max(writers, key=lambda w: (RANK.get(w.state_class, 3), w.code or 0))


def why_blind(view: NodeView) -> str:
    """Why nothing is known of a node's writers."""
    picture = view.writers
    if picture is not None and picture.failure:
        return picture.failure
    if picture is not None and picture.reading:
        return "being read"
    if view.link.status is not LinkStatus.LIVE:
        return view.link.text or view.link.status.value
    return "not read yet"


def writer_view(state: ClusterState, monotonic: float, look: Look) -> WriterView:
    """Everything the pane shows of the writers now."""
    names = sorted(state.node_names(), key=natural)
    read = {name: rows for name in names if (rows := _by_row(state.nodes.get(name)))}
    titles: dict[str, str] = {}
    for rows in read.values():
        for key, writers in rows.items():
            titles.setdefault(key, writers[0].name)
    cells: dict[tuple[str, str], Cell] = {}
    counts = dict.fromkeys(RANK, 0)
    ranks: dict[tuple[str, str], int] = {}
    for key in titles:
        expected = sum(key in rows for rows in read.values()) * 2 >= len(read)
        for name in names:
            place = key, name
            if name not in read:
                cells[place] = Cell("?", "unread", quiet=False)
                continue
            writers = read[name].get(key, [])
            if not writers:
                cells[place] = _missing(look) if expected else Cell(look.plain("–"), "dim")
                state_class = "missing" if expected else ""
            else:
                writer = worst_of(writers)
                cells[place] = _cell(writer, len(writers), lasting(state, name, writer, look)[0], look)
                state_class = writer.state_class
            if state_class:
                counts[state_class] += 1
            if RANK.get(state_class, 0):
                ranks[place] = RANK[state_class]
    for name in names:
        picture = state.node(name).writers
        lines = picture.unreadable if picture is not None else ()
        if lines:
            cells[LINES_ROW, name] = Cell(f"{len(lines)} ?", "warn", quiet=False)
    order = _row_order(titles, ranks)
    if any((LINES_ROW, name) in cells for name in names):
        order.append((LINES_ROW, "unreadable lines"))
    order.append((READ_ROW, "read"))
    glyphs = look.glyphs
    data = MatrixData(
        order,
        [(name, safe_text(name, 40)) for name in names],
        cells,
        lambda some: _fold(some, look),
        "writer",
        fold_row=f"{{n}} writers {glyphs.ok}",
        fold_column=f"{{n}} {glyphs.ok}",
        fold_blind=f"{{n}} {glyphs.unknown}",
        blind=frozenset(name for name in names if name not in read),
        pinned=frozenset({READ_ROW, LINES_ROW}),
        row_roles={READ_ROW: "dim", LINES_ROW: "dim"},
    )
    loud = sorted(ranks, key=lambda place: (-ranks[place], place[0] != HYPER_V))
    return aged(WriterView(data, tuple(loud), counts), state, monotonic, look)


def aged(shown: WriterView, state: ClusterState, monotonic: float, look: Look) -> WriterView:
    """The same with the ages and durations of this moment; nothing else is worked out again."""
    names = [name for name, _ in shown.data.columns]
    views = {name: state.nodes.get(name) or NodeView(name) for name in names}
    cells = shown.data.cells | {(READ_ROW, name): _read_cell(view, monotonic, look) for name, view in views.items()}
    for row, name in shown.loud:
        writers = [writer for writer in _writers(views[name]) if row_key(writer) == row]
        if writers:
            writer = worst_of(writers)
            cells[row, name] = _cell(writer, len(writers), lasting(state, name, writer, look)[0], look)
    silent = {name: "stale" for name, view in views.items() if view.link.stale(monotonic)}
    ages = [monotonic - v.writers.read_at for v in views.values() if v.writers and v.writers.read_at is not None]
    data = replace(shown.data, cells=cells, column_roles=silent)
    return replace(shown, data=data, oldest=max(ages, default=None))


def note_of(state: ClusterState, place: tuple[str, str], look: Look) -> str:
    """A sentence on one cell: Windows' words and how long it has been so, or why nothing is known."""
    row, name = place
    view = state.nodes.get(name) or NodeView(name)
    if not _writers(view):
        note = f"{name}: {why_blind(view)}"
    elif row == LINES_ROW:
        lines = view.writers.unreadable if view.writers is not None else ()
        note = f"{name}: {len(lines)} lines not readable, the first: {lines[0]}" if lines else ""
    elif row == READ_ROW:
        failure = view.writers.failure if view.writers is not None else ""
        note = f"{name}: the last reading failed: {failure}" if failure else ""
    else:
        found = [writer for writer in _writers(view) if row_key(writer) == row]
        if found:
            writer = worst_of(found)
            note = _sentence(name, writer, lasting(state, name, writer, look)[1])
        else:
            note = f"{name} {title_of(state, row)}: not in this node's list"
    return look.plain(safe_text(note))


def title_of(state: ClusterState, row: str) -> str:
    """The short name of a row's writer, from any node that has it."""
    writers = (writer for view in state.nodes.values() for writer in _writers(view))
    return next((brief(writer.name) for writer in writers if row_key(writer) == row), row)


def _writers(view: NodeView | None) -> tuple[Writer, ...]:
    return () if view is None or view.writers is None else view.writers.writers


def lasting(state: ClusterState, node: str, writer: Writer, look: Look) -> tuple[str, str]:
    """How long a writer has not been well: for a cell (`74m`), and in words that say how that is known."""
    if writer.state_class == "ok":
        return "", ""
    key = writer_key(node, writer)
    since = state.history.since(state, key)
    if since is None:
        return "", ""
    least = "" if since.event is not None else look.glyphs.at_least
    return f"{least}{fmt.short_age(state.history.seconds(state, key))}", state.history.text(state, key, look.zone)


def _by_row(view: NodeView | None) -> dict[str, list[Writer]]:
    rows: dict[str, list[Writer]] = {}
    for writer in _writers(view):
        rows.setdefault(row_key(writer), []).append(writer)
    return rows


def _row_order(titles: dict[str, str], ranks: dict[tuple[str, str], int]) -> list[tuple[str, str]]:
    """Worst first; then the two writers every host backup needs; then by name."""
    worst: dict[str, int] = {}
    for (key, _), rank in ranks.items():
        worst[key] = max(worst.get(key, 0), rank)
    first = {HYPER_V: 0, CSV: 1}
    order = sorted(titles, key=lambda key: (-worst.get(key, 0), first.get(key, 2), natural(titles[key])))
    return [(key, safe_text(brief(titles[key]), 60)) for key in order]


def brief(name: str) -> str:
    """A writer's name without what nearly all of them share: `Hyper-V` of `Microsoft Hyper-V VSS Writer`."""
    short = name.removeprefix("Microsoft ").removesuffix(" Writer").removesuffix(" VSS")
    return short or name


def _cell(writer: Writer, instances: int, short: str, look: Look) -> Cell:
    return _made(writer.code, writer.state_class, instances, short, look)


@lru_cache(maxsize=1024)
def _made(code: int | None, state_class: str, instances: int, short: str, look: Look) -> Cell:
    number = "?" if code is None else code
    glyphs = look.glyphs
    glyph = {"ok": glyphs.ok, "busy": glyphs.busy, "failed": glyphs.bad}.get(state_class, glyphs.unknown)
    many = look.plain(f"×{instances}") if instances > 1 else ""
    age = f" {short}" if short else ""
    word = WORDS[state_class]
    return Cell(
        f"[{number}]{glyph} {word}{age}{many and f' {many}'}",
        ROLES[state_class],
        quiet=state_class == "ok",
        short=f"[{number}]{glyph}{short}{many}",
    )


def _missing(look: Look) -> Cell:
    return Cell(f"{look.glyphs.warn} missing", "warn", quiet=False, short=f"{look.glyphs.warn}none")


def _sentence(node: str, writer: Writer, sentence: str) -> str:
    number = "?" if writer.code is None else writer.code
    words = [writer.state_text or "state unreadable"]
    if writer.error_kind != "none":
        words.insert(0, writer.error_text or "error unreadable")
    if sentence:
        # Before the state: a narrow pane cuts the end.
        words.insert(1, sentence)
    return f"{node} {brief(writer.name)} [{number}] {' · '.join(words)}"


def _read_cell(view: NodeView, monotonic: float, look: Look) -> Cell:
    picture = view.writers
    if picture is not None and picture.reading:
        return Cell(look.plain("reading…"), "busy", short=look.plain("…"))
    if picture is None or picture.read_at is None:
        return Cell("never", "unread", value=-1)
    seconds = max(0.0, monotonic - picture.read_at)
    old = seconds > STALE_AFTER or view.link.stale(monotonic)
    if picture.failure:
        return Cell(f"failed {fmt.short_age(seconds)}", "warn", quiet=False, value=int(seconds))
    return Cell(fmt.short_age(seconds), "stale" if old else "dim", value=int(seconds))


def _fold(cells: Sequence[Cell], look: Look) -> Cell:
    """One cell for several: how many are healthy and how many are not; for readings the oldest age."""
    if not any(cell.text for cell in cells):
        return Cell("")
    if any(cell.value for cell in cells) or all(cell.role in ("dim", "busy", "stale") for cell in cells):
        ages = [cell.value for cell in cells if cell.text and cell.value >= 0]
        return Cell(look.plain(f"≤ {fmt.short_age(max(ages))}"), "dim") if ages else Cell("", "dim")
    fine = sum(cell.quiet for cell in cells)
    rest = sum(not cell.quiet for cell in cells)
    if not rest:
        return Cell(f"{fine} {look.glyphs.ok}", "ok", short=f"{fine}{look.glyphs.ok}")
    blind = all(cell.role == "unread" for cell in cells)
    return Cell(f"{rest} {look.glyphs.unknown}", "unread" if blind else "warn", quiet=False)
