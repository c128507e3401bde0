"""Everything known of one node."""

from __future__ import annotations

from collections import Counter

from hvtui.model import enums
from hvtui.model.conditions import io_word, of_node
from hvtui.model.durations import node_key
from hvtui.model.enums import name_of
from hvtui.model.merge import newest_first
from hvtui.model.node_rows import node_row
from hvtui.model.records import ClusterNode, Host
from hvtui.model.rows import short_path, vm_row
from hvtui.model.views import NodeView
from hvtui.text import natural
from hvtui.ui import format as fmt
from hvtui.ui.panes.writer_matrix import RANK, why_blind
from hvtui.ui.screens.cost import cost_section
from hvtui.ui.screens.facts import Facts, row, span, stale_note, text, yes_no
from hvtui.ui.screens.lines import SEVERITY_ROLES, glyph_of, job_line, vm_line, writer_line
from hvtui.ui.screens.signal_lines import signals_section
from hvtui.ui.widgets.document import Line, Section

RIGHTS = {
    "elevated": "elevated",
    "hyperv": "Hyper-V",
    "cluster": "cluster",
    "events": "event logs",
    "vss": "VSS",
}
"""Rights of Get-HvTuiInfo in words."""


def node_page(facts: Facts, name: str) -> list[Section]:
    """Sections of the page, what is wrong first."""
    state = facts.state
    view = state.nodes.get(name) or NodeView(name)
    pages = [
        _state(facts, name, state.member(name)),
        _host(facts, view),
        facts.link_section("Connection", view.link),
    ]
    problems = facts.problems(view.problems, "this node")
    pages += [problems] if problems is not None else []
    pages += [_writers(facts, view), _volumes(facts, name), signals_section(facts, view), _rights(view)]
    jobs = _jobs(facts, view)
    pages += [jobs] if jobs is not None else []
    pages += [cost_section(facts, view), _vms(facts, name)]
    pages.append(facts.events([item for item in state.events.recent() if item.node == view.name], node=False))
    return pages


def _state(facts: Facts, name: str, node: ClusterNode | None) -> Section:
    stale = facts.state.cluster.link.stale(facts.now)
    note = f"{fmt.age(facts.state.cluster.link.age(facts.now))} old" if stale else ""
    if node is None:
        return Section("In the cluster", (text(("the cluster does not list this node", "warn")),), note=note)
    shown = node_row(facts.state, name)
    word = of_node(node)
    known = name_of(enums.NodeState, node.state)
    lasting = facts.state.history.text(facts.state, node_key(name), facts.look.zone)
    lines = [row("state", span(known, "ok" if not word else "warn"), span(f" {word}" if word else "", "warn"))]
    if lasting:
        lines.append(row("lasts", span(facts.look.plain(lasting))))
    sign = SEVERITY_ROLES.get(shown.severity, "ok")
    glyph = glyph_of(facts, shown.severity)
    lines += [
        row("why" if n == 0 else " ", span(f"{glyph} {facts.look.plain(why)}", sign))
        for n, why in enumerate(shown.reasons)
    ]
    flags = enums.flags_of(enums.NodeStatus, node.status, "none")
    lines += [
        row("flags", span(flags, "" if node.status is None or not node.status else "warn")),
        row("drain", span(name_of(enums.DrainStatus, node.drain)), span(_code(node.drain_error), "bad")),
        row("vote", span(node.weight), span(" configured, "), span(node.dynamic_weight), span(" dynamic")),
        row("build", span(node.build)),
    ]
    return Section("State", tuple(lines), note=note)


def _code(code: int | None) -> str:
    return f" error {code}" if code else ""


def _host(facts: Facts, view: NodeView) -> Section:
    host: Host | None = view.host
    note = stale_note(facts, view)
    if host is None:
        return Section("Host", (text(("not read yet", "unread")),), note=note)
    load = view.load
    cpu, memory = load if load is not None else (None, None)
    total = None if host.memory is None else host.memory // 2**20
    used = None if memory is None or not total else min(100, memory * 100 // total)
    ascii_only = facts.look.ascii
    lines = [
        row("cpu", span(fmt.meter(cpu, 10, ascii_only=ascii_only), "info"), span(f" {fmt.percent(cpu).strip()} of "),
            span(host.processors), span(" logical processors")),
        row("memory", span(fmt.meter(used, 10, ascii_only=ascii_only), "info"),
            span(f" {fmt.percent(used).strip()} of "), span(fmt.size(host.memory))),
        row("up since", facts.moment(host.boot, view.name)),
        row("VMMS", _service(host.vmms), span(" since "), facts.moment(host.vmms_started, view.name)),
        row("cluster service", _service(host.cluster_service)),
        row("live migration", span({True: "enabled", False: "disabled", None: None}[host.migration_enabled]),
            span(", at most "), span(host.max_migrations), span(" at once, "), span(host.max_storage_migrations),
            span(" of storage")),
        row("authentication", span({0: "CredSSP", 1: "Kerberos"}.get(host.migration_auth, host.migration_auth)
                                   if host.migration_auth is not None else None)),
    ]  # fmt: skip
    return Section("Host", tuple(lines), note=note)


def _service(word: str | None) -> tuple[str, str]:
    return span(word, "ok" if word == "Running" else "bad")


def _writers(facts: Facts, view: NodeView) -> Section:
    picture = view.writers
    if picture is None or (not picture.writers and not picture.unreadable):
        return Section("VSS writers", (text((why_blind(view), "warn" if picture else "unread")),))
    order = sorted(picture.writers, key=lambda w: (-RANK.get(w.state_class, 3), natural(w.name)))
    lines = [writer_line(facts, view.name, writer) for writer in order]
    if picture.failure:
        lines.insert(0, text(span(f"the last reading failed: {picture.failure}", "warn")))
    lines += [text(span("unreadable: ", "warn"), span(line)) for line in picture.unreadable[:10]]
    for provider in view.providers or ():
        kind = {1: "system", 2: "software", 3: "hardware", 4: "file share"}.get(provider.type or 0, "")
        lines.append(
            text(span("provider ", "dim"), span(provider.name), span(f" {kind} {provider.version or ''}", "dim"))
        )
    age = None if picture.read_at is None else facts.now - picture.read_at
    note = "being read" if picture.reading else f"read {fmt.age(age)} ago, took {picture.duration_ms / 1000:.1f} s"
    return Section("VSS writers", tuple(lines), note=note)


def _volumes(facts: Facts, name: str) -> Section:
    cluster = facts.state.cluster
    if cluster.csvs is None:
        return Section("CSVs", (text(("not read yet", "unread")),))
    lines = []
    for csv in sorted(cluster.csvs.values(), key=lambda csv: natural(short_path(csv.path))):
        found = (cluster.io or {}).get(csv.volume or "")
        states = {node.lower(): states for node, states in found.nodes.items()} if found is not None else {}
        here = states.get(name.lower())
        if here is None:
            io = span(None)
        else:
            word = io_word(csv, *here)
            reasons = io_reasons(*here)
            io = span(f"{name_of(enums.CsvIoState, here[0])}{reasons}", "warn" if word else "")
        owner = csv.owner is not None and csv.owner.lower() == name.lower()
        mark = ("* " if facts.look.ascii else "◆ ") if owner else "  "
        lines.append(row(short_path(csv.path), span(mark, "owner"), io, wrap=False))
    owned = sum(csv.owner is not None and csv.owner.lower() == name.lower() for csv in cluster.csvs.values())
    return Section("CSVs from here", tuple(lines), note=f"owns {owned} of {len(cluster.csvs)}")


def io_reasons(state: int, reason: int, block: int) -> str:
    """Windows' names of the redirection reasons in brackets, empty without one."""
    del state
    words = [
        enums.flags_of(enums.FileSystemRedirectedIOReason, reason),
        enums.flags_of(enums.BlockRedirectedIOReason, block),
    ]
    shown = ", ".join(word for word in words if word)
    return f" ({shown})" if shown else ""


def _rights(view: NodeView) -> Section:
    info = view.info
    if info is None:
        return Section("What the account may", (text(("not asked yet", "unread")),))
    lines: list[Line] = []
    for key, words in RIGHTS.items():
        value = info.rights.get(key)
        lines.append(row(words, span(yes_no(value), {True: "ok", False: "bad"}.get(value, "")))
                     if value is not None else row(words, span(None)))  # fmt: skip
    lines += [
        row("PowerShell", span(info.ps_version)),
        row("HvTui", span(info.contract)),
        row(
            "modules", span(", ".join(f"{name} {version}" for name, version in sorted(info.modules.items())) or "none")
        ),
    ]
    return Section("What the account may", tuple(lines))


def _jobs(facts: Facts, view: NodeView) -> Section | None:
    if view.jobs is None:
        return Section("Jobs", (text(("not read yet", "unread")),)) if view.link.last_frame is not None else None
    lines = [job_line(facts, view, job) for job in newest_first(view.jobs.values())]
    return Section("Jobs", tuple(lines), note=str(len(lines))) if lines else None


def _vms(facts: Facts, name: str) -> Section:
    state = facts.state
    rows = [vm_row(state, key) for key in state.vm_keys() if state.home(key) == name]
    rows.sort(key=lambda row: (-row.severity, natural(row.name)))
    states = Counter(row.state for row in rows)
    note = ", ".join(f"{count} {word}" for word, count in states.most_common())
    lines = tuple(vm_line(facts, row) for row in rows)
    return Section("VMs", lines or (text(("none", "dim")),), wide=True, note=note)
