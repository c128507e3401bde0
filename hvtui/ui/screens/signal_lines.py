"""What a page shows of shadow copies, filter drivers, updates and chains of disks, each with its age."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hvtui.model.fltmc_text import Filter
from hvtui.model.preflight import ShadowCopy
from hvtui.model.rows import short_path
from hvtui.model.signals import ChainLink
from hvtui.model.views import NodeView
from hvtui.ui import format as fmt
from hvtui.ui.screens.facts import Facts, row, span, text
from hvtui.ui.widgets.document import Line, Section

SHOWN: Final = 12
"""Shadow copies and updates shown; the newest."""


def signals_section(facts: Facts, view: NodeView) -> Section:
    """Shadow copies, filters and updates of a node; what was not read says so, and which key reads it."""
    return Section("Shadow copies, filters, updates", (*_shadows(facts, view), *_filters(facts, view), *_updates(view)))


def _unread(word: str, failure: str) -> Line:
    return row(word, span(failure, "warn") if failure else span("not read yet: r reads", "unread"))


def _shadows(facts: Facts, view: NodeView) -> list[Line]:
    picture = view.shadows
    if picture is None or picture.shadows is None:
        return [_unread("shadow copies", picture.failure if picture is not None else "")]
    count = len(picture.shadows)
    lines = [
        row(
            "shadow copies",
            span(str(count) if count else "none", "" if count else "dim"),
            span(_old(facts, view, picture.time), "dim"),
            span(f"  the last look failed: {picture.failure}" if picture.failure else "", "warn"),
        )
    ]
    newest = sorted(picture.shadows, key=_made, reverse=True)
    return lines + [_copy(facts, view, one) for one in newest[:SHOWN]]


def _made(one: ShadowCopy) -> float:
    return 0.0 if one.created is None else one.created.timestamp()


def _copy(facts: Facts, view: NodeView, one: ShadowCopy) -> Line:
    csvs = (facts.state.cluster.csvs or {}).values()
    volume = next((short_path(csv.path) for csv in csvs if csv.volume and csv.volume == one.volume), one.volume)
    maker = next((p.name for p in view.providers or () if p.id == one.provider), "")
    kept = " persistent" if one.persistent else ""
    return row(" ", span(volume), span("  since ", "dim"), facts.moment(one.created, view.name),
               span(f"  {maker}{kept}", "dim"))  # fmt: skip


def _filters(facts: Facts, view: NodeView) -> list[Line]:
    picture = view.filters
    if picture is None or picture.filters is None:
        return [_unread("filters", picture.failure if picture is not None else "")]
    age = span(_old(facts, view, picture.time), "dim")
    failed = span(f"  {picture.failure}" if picture.failure else "", "warn")
    lines = [row("filters", span(len(picture.filters)), age, failed)]
    return lines + [_driver(one) for one in picture.filters]


def _driver(one: Filter) -> Line:
    where = "" if one.volumes is None else f"  on {len(one.volumes)} volume{'s' * (len(one.volumes) != 1)}"
    group = "legacy" if one.legacy else one.group or "of no group"
    return row(" ", span(one.name), span(f"  {one.altitude} {group}{where}", "dim"))


def _updates(view: NodeView) -> list[Line]:
    picture = view.hotfixes
    if picture is None or picture.hotfixes is None:
        return [_unread("updates", picture.failure if picture is not None else "")]
    lines = []
    for number, one in enumerate(picture.hotfixes[:SHOWN]):
        day = one.installed.isoformat() if one.installed is not None else "on a day that Windows does not tell"
        lines.append(row("updates" if number == 0 else " ", span(one.id), span(f"  installed {day}", "dim")))
    more = len(picture.hotfixes) - SHOWN
    if more > 0:
        lines.append(row(" ", span(f"and {more} older", "dim")))
    return lines or [row("updates", span("none", "dim"))]


def _old(facts: Facts, view: NodeView, when: datetime | None) -> str:
    now = facts.node_now(view.name)
    if when is None or now is None:
        return ""
    return f"  read {fmt.age(max(0.0, (now - when).total_seconds()))} ago"


def chain_section(facts: Facts, key: str) -> Section | None:
    """The chains of a VM's disks, when they were asked for."""
    picture = facts.state.chains.get(key)
    if picture is None:
        return None
    chain = picture.chain
    lines: list[Line] = [text(span(f"not read: {picture.failure}", "warn"))] if picture.failure else []
    if chain is None:
        return Section("Disk chains", tuple(lines), wide=True)
    lines += [text(span(f"{p.part}: {p.text or p.kind}", "warn")) for p in chain.errors]
    for disk in chain.disks or ():
        for depth, link in enumerate(disk.files):
            lines.append(_link(link, depth))
    layers = chain.layers()
    rests = "not read to the base" if layers is None else f"{layers} layer{'s' * (layers != 1)}"
    counted = "?" if chain.checkpoints is None else str(chain.checkpoints)
    note = f"{rests}, checkpoints: {counted}"
    found = facts.state.vm(key)
    age = "" if found is None else _old(facts, found[0], picture.time)
    return Section("Disk chains", tuple(lines), wide=True, note=note + age)


def _link(link: ChainLink, depth: int) -> Line:
    role = "busy" if link.parent else ""
    words = [] if link.size is None else [fmt.size(link.size)]
    words += ["named by a checkpoint"] if link.checkpoint else []
    words += ["could not be read"] if link.parent is None else []
    return row("disk" if depth == 0 else " ", span("  " * depth), span(link.path, role),
               span(f"  {', '.join(words)}", "dim"))  # fmt: skip
