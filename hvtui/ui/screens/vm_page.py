"""Everything known of one VM: its host's view, its role's, its files, and what its log says."""

from __future__ import annotations

from hvtui.model import enums
from hvtui.model.conditions import is_critical
from hvtui.model.durations import merge_key, role_condition, vm_condition
from hvtui.model.enums import IntegrationStatus, SnapshotType, flags_of, name_of
from hvtui.model.placement import is_at_rest
from hvtui.model.records import Role, Vm
from hvtui.model.rows import VmRow, short_path, vm_row
from hvtui.model.views import NodeView
from hvtui.ui import format as fmt
from hvtui.ui.screens.facts import Facts, row, span, stale_note, text
from hvtui.ui.screens.lines import SEVERITY_ROLES, glyph_of, job_line
from hvtui.ui.screens.signal_lines import chain_section
from hvtui.ui.widgets.document import Line, Section


def vm_page(facts: Facts, key: str) -> list[Section]:
    """Sections of the page."""
    state = facts.state
    shown, found, role = vm_row(state, key), state.vm(key), state.role(key)
    view, vm = found if found is not None else (None, None)
    pages = [_vm(facts, shown, view, vm, key)]
    pages += [_backup(facts, view, vm), _checkpoints(facts, view, vm)] if view is not None and vm is not None else []
    pages += [_placement(facts, shown), _role(facts, key, role)]
    if view is not None:
        pages.append(facts.link_section(f"Connection to {view.name}", view.link, interval=False))
        problems = facts.problems([p for p in view.problems if p.part.split(".")[0] in ("vms", "files", "jobs")],
                                  view.name)  # fmt: skip
        pages += [problems] if problems is not None else []
        jobs = [job_line(facts, view, job, name=False) for job in view.jobs_of.get(key, ())]
        pages += [Section("Jobs", tuple(jobs), note=str(len(jobs)))] if jobs else []
    pages.append(_files(facts, key))
    chains = chain_section(facts, key)
    pages += [chains] if chains is not None else []
    names = {shown.name.lower(), shown.role.lower()} - {"", "?"}
    related = [item for item in state.events.recent() if _tells_of(key, names, item.event.vm, item.event.data)]
    pages.append(facts.events(related))
    return pages


def _tells_of(key: str, names: set[str], vm: str | None, data: dict[str, str]) -> bool:
    if vm is not None:
        return vm.lower() == key
    return any(value.lower() in names for value in data.values())


def _vm(facts: Facts, shown: VmRow, view: NodeView | None, vm: Vm | None, key: str) -> Section:
    role = SEVERITY_ROLES.get(shown.severity, "ok")
    words = [span(f"{glyph_of(facts, shown.severity)} {shown.state}", role)]
    if shown.reasons:
        words.append(span(f"  {facts.look.plain(' · '.join(shown.reasons))}", role))
    lines = [row("state", *words)]
    for condition in (vm_condition(key), merge_key(key)):
        since = facts.state.history.text(facts.state, condition, facts.look.zone)
        if since:
            lines.append(row("lasts", span(facts.look.plain(f"{condition[0]}: {since}"), role)))
    lines += [row("node", span(shown.node or None)), row("id", span(key, "dim"))]
    if shown.activity:
        lines.append(row("activity", span(facts.look.plain(shown.activity), "busy")))
    if vm is not None and view is not None:
        op = (
            ", ".join(name_of(enums.OperationalStatus, number) for number in vm.op or ()) if vm.op is not None else None
        )
        resting = is_at_rest(vm.state)
        cpu = span(None) if shown.cpu is None else span(f"{shown.cpu}%")
        memory = span(None if shown.memory_mb is None else fmt.size(shown.memory_mb * 2**20))
        lines += [
            row("operational", span(op, "bad" if is_critical(vm) else "")),
            row("heartbeat", _heartbeat(vm) if not resting else span("not running", "dim")),
            row("cpu, memory", *([cpu, span(", "), memory] if not resting else [span("not running", "dim")])),
            row(
                "started", facts.moment(vm.started, view.name) if vm.started is not None else span("not running", "dim")
            ),
            row("version", span(vm.version)),
            row("replication", span(name_of(enums.ReplicationMode, vm.replication))),
        ]
    others = [name for name in facts.state.homes.get(key, []) if name != shown.node]
    if others:
        lines.append(row("also listed by", span(", ".join(others), "warn")))
    return Section("VM", tuple(lines), note=stale_note(facts, view))


def _heartbeat(vm: Vm) -> tuple[str, str]:
    name = name_of(enums.Heartbeat, vm.heartbeat)
    return span(name, "ok" if vm.heartbeat == enums.Heartbeat.Ok else "warn" if vm.heartbeat is not None else "")


def _backup(facts: Facts, view: NodeView, vm: Vm) -> Section:
    enabled = {True: "enabled", False: "disabled", None: None}[vm.vss_enabled]
    status = name_of(IntegrationStatus, vm.vss)
    good = vm.vss == IntegrationStatus.Ok
    lines = [
        row("last backup", facts.moment(vm.last_backup, view.name)),
        row("VSS in the guest", span(enabled, "" if vm.vss_enabled else "warn"), span(", "),
            span("not running", "dim") if vm.vss is None and is_at_rest(vm.state)
            else span(status, "ok" if good else "warn" if vm.vss is not None else "")),
    ]  # fmt: skip
    if vm.last_backup is None and view.problem("vms.last_backup") is None:
        lines[0] = row("last backup", span("none known to Hyper-V", "dim"))
    return Section("Backup", tuple(lines))


def _checkpoints(facts: Facts, view: NodeView, vm: Vm) -> Section:
    lines: list[Line] = [row("type", span(name_of(enums.CheckpointType, vm.checkpoint_type)))]
    if vm.checkpoints is None:
        lines.append(row("checkpoints", span(None)))
    elif not vm.checkpoints:
        lines.append(row("checkpoints", span("none", "dim")))
    for item in vm.checkpoints or ():
        kind = name_of(SnapshotType, item.type)
        memory = "with memory (IsSaved)" if item.saved else "without memory"
        lines.append(row(kind, span(f"{item.count} {memory}"), span(", oldest "), facts.moment(item.oldest, view.name)))
    total = None if vm.checkpoints is None else sum(item.count for item in vm.checkpoints)
    return Section("Checkpoints", tuple(lines), note="?" if total is None else str(total))


def _placement(facts: Facts, shown: VmRow) -> Section:
    look = facts.look
    lines = [row("node", span(shown.node or None))]
    csvs = facts.state.cluster.csvs or {}
    for csv_id in shown.csv_ids:
        csv = csvs[csv_id]
        lines.append(row("CSV", span(short_path(csv.path)), span(" owned by ", "dim"), span(csv.owner, "owner")))
    if not shown.csv_ids:
        lines.append(row("CSV", span(None) if shown.off_owner is None else span("on none", "warn")))
    verdict = {
        True: (f"{look.glyphs.unequal} runs off the owner of its volumes", "warn"),
        False: ("beside its storage", "ok"),
        None: ("cannot be told: files, volumes or owner are not read", "unread"),
    }[shown.off_owner]
    if shown.off_owner and shown.drift is False:
        verdict = ("off the owner, but at rest: no data move", "dim")
    lines.append(row("placement", span(*verdict)))
    if shown.split:
        lines.append(row("", span("its volumes have different owners: no node is right", "warn")))
    lines += [row("elsewhere", span(path, "warn")) for path in shown.elsewhere]
    return Section("Placement", tuple(lines))


def _role(facts: Facts, key: str, role: Role | None) -> Section:
    if role is None:
        unread = facts.state.cluster.roles is None
        words = ("the roles were not read", "unread") if unread else ("not clustered: no role holds this VM", "warn")
        return Section("Cluster role", (text(words),))
    since = facts.state.history.text(facts.state, role_condition(key), facts.look.zone)
    online = role.state == enums.GroupState.Online
    priority = {0: "no auto start", 1000: "low", 2000: "medium", 3000: "high"}.get(role.priority or 0)
    state = name_of(enums.GroupState, role.state)
    moving = role.migration_state in (1, 2, 3)
    lines = [
        row("name", span(role.name)),
        row("state", span(state, "ok" if online else "bad" if state == "Failed" else ""),
            span(f" {facts.look.plain(since)}" if since else "", "warn")),
        row("owner", span(role.owner)),
        row("flags", span(flags_of(enums.GroupStatus, role.status, "none"), "busy" if role.status else "")),
        row("VM resource", span(name_of(enums.ResourceState, role.resource_state))),
        row("configuration", span(name_of(enums.ResourceState, role.configuration_state))),
        row("migration", span(name_of(enums.MigrationState, role.migration_state)),
            span(f" {role.migration_percent}%" if moving and role.migration_percent is not None else "", "busy")),
        row("priority", span(priority or role.priority) if role.priority is not None else span(None)),
        row("anti-affinity", span(None) if role.anti_affinity is None
            else span(", ".join(role.anti_affinity) or "none", "" if role.anti_affinity else "dim")),
    ]  # fmt: skip
    return Section("Cluster role", tuple(lines))


def _files(facts: Facts, key: str) -> Section:
    files = facts.state.files(key)
    if files is None:
        return Section("Files", (text(("not read", "unread")),), wide=True)
    lines = [
        row("configuration", span(files.configuration)),
        row("checkpoints", span(files.checkpoints)),
        row("paging file", span(files.paging)),
    ]
    if files.disks is None:
        lines.append(row("disks", span(None)))
    for number, disk in enumerate(files.disks or ()):
        chain = disk.lower().endswith((".avhdx", ".avhd"))
        lines.append(row("disks" if number == 0 else " ", span(disk, "busy" if chain else ""),
                         span("  checkpoint disk" if chain else "", "dim")))  # fmt: skip
    return Section(
        "Files",
        tuple(lines),
        wide=True,
        note="" if files.disks is None else f"{len(files.disks)} disk{'s' * (len(files.disks) != 1)}",
    )
