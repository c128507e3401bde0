"""Everything known of one Cluster Shared Volume."""

from __future__ import annotations

from hvtui.model import enums
from hvtui.model.conditions import io_word, of_csv
from hvtui.model.csv_rows import csv_row
from hvtui.model.durations import csv_key, io_key
from hvtui.model.enums import flags_of, name_of
from hvtui.model.records import Csv
from hvtui.model.rows import short_path, vm_row
from hvtui.text import natural
from hvtui.ui import format as fmt
from hvtui.ui.screens.facts import Facts, row, span, text, yes_no
from hvtui.ui.screens.lines import SEVERITY_ROLES, glyph_of, vm_line
from hvtui.ui.screens.node_page import io_reasons
from hvtui.ui.widgets.document import Section


def csv_page(facts: Facts, key: str) -> list[Section]:
    """Sections of the page."""
    state = facts.state
    csv = (state.cluster.csvs or {}).get(key)
    if csv is None:
        return [Section("Gone", (text(("the cluster does not list this volume", "warn")),))]
    pages = [_volume(facts, csv), _space(facts, csv), _io(facts, csv)]
    problems = facts.problems(
        [p for p in state.cluster.problems if p.part.split(".")[0] in ("csvs", "io")], "the cluster"
    )
    pages += [problems] if problems is not None else []
    pages.append(facts.link_section("Cluster's stream", state.cluster.link))
    pages.append(_vms(facts, csv))
    names = {csv.resource.lower(), short_path(csv.path).lower(), (csv.volume or "\0").lower(), csv.path.lower()}
    related = [
        item for item in state.events.recent() if any(str(value).lower() in names for value in item.event.data.values())
    ]
    pages.append(facts.events(related))
    return pages


def _volume(facts: Facts, csv: Csv) -> Section:
    word = of_csv(csv)
    since = facts.state.history.text(facts.state, csv_key(csv.id), facts.look.zone)
    fault = flags_of(enums.FaultState, csv.fault, "NoFaults")
    backup = {None: None, 0: "none"}.get(csv.backup, name_of(enums.BackupState, csv.backup))
    shown = csv_row(facts.state, csv.id)
    sign = SEVERITY_ROLES.get(shown.severity, "ok")
    glyph = glyph_of(facts, shown.severity)
    lines = [
        *(
            row("why" if n == 0 else " ", span(f"{glyph} {facts.look.plain(why)}", sign))
            for n, why in enumerate(shown.reasons)
        ),
        row("path", span(csv.path)),
        row("resource", span(csv.resource)),
        row("owner", span(csv.owner, "owner")),
        row("state", span(name_of(enums.ResourceState, csv.state), "ok" if csv.state == 2 else "bad")),
        row("fault", span(fault, "bad" if word else ""), span(f" {facts.look.plain(since)}" if since else "", "bad")),
        row("backup", span(backup, "busy" if csv.backup else "")),
        row("maintenance", span(yes_no(csv.maintenance), "warn" if csv.maintenance else "")),
        row("redirected by hand", span(yes_no(csv.redirected), "warn" if csv.redirected else "")),
        row("file system", span(csv.file_system)),
        row("volume", span(csv.volume, "dim")),
    ]
    return Section("Volume", tuple(lines))


def used_percent(csv: Csv) -> int | None:
    """How full a volume is, None when size or free space are unread."""
    if csv.size is None or csv.free is None or csv.size <= 0:
        return None
    return min(100, max(0, 100 - csv.free * 100 // csv.size))


def _space(facts: Facts, csv: Csv) -> Section:
    used = used_percent(csv)
    role = "bad" if used is not None and used >= 95 else "warn" if used is not None and used >= 85 else "info"
    bar = fmt.meter(used, 20, ascii_only=facts.look.ascii)
    lines = [
        row("used", span(bar, role), span(f" {fmt.percent(used).strip()}")),
        row("free", span(fmt.size(csv.free)), span(" of "), span(fmt.size(csv.size))),
    ]
    return Section("Space", tuple(lines))


def _io(facts: Facts, csv: Csv) -> Section:
    found = (facts.state.cluster.io or {}).get(csv.volume or "")
    if found is None:
        return Section("I/O from each node", (text(("not read", "unread")),))
    lines = []
    wrong = 0
    for node, states in sorted(found.nodes.items(), key=lambda pair: natural(pair[0])):
        word = io_word(csv, *states)
        wrong += bool(word)
        known = facts.state.node_name(node)
        since = facts.state.history.text(facts.state, io_key(csv.id, known), facts.look.zone) if word else ""
        glyph = facts.look.glyphs.warn if word else facts.look.glyphs.ok
        lines.append(
            row(
                node,
                span(f"{glyph} ", "warn" if word else "ok"),
                span(f"{name_of(enums.CsvIoState, states[0])}{io_reasons(*states)}", "warn" if word else ""),
                span(f" {facts.look.plain(since)}" if since else "", "warn"),
            )
        )
    note = f"{wrong} of {len(lines)} not direct" if wrong else f"{len(lines)} nodes {facts.look.glyphs.ok}"
    return Section("I/O from each node", tuple(lines), note=note)


def _vms(facts: Facts, csv: Csv) -> Section:
    state = facts.state
    keys = [key for key in state.vm_keys() if csv.id in state.placements.place(state, key).csvs]
    rows = [vm_row(state, key) for key in keys]
    rows.sort(key=lambda row: (not row.drift, natural(row.node), natural(row.name)))
    drift = sum(row.drift is True for row in rows)
    note = f"{len(rows)}, {drift} off the owner" if drift else f"{len(rows)}, all on the owner or at rest"
    lines = tuple(vm_line(facts, row, node=True) for row in rows)
    return Section("VMs on it", lines or (text(("none", "dim")),), wide=True, note=note)
