"""VMs that are together and should not be, or apart from their storage (windows.md §1.11; peers' reports of drift)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from hvtui.findings.finding import Evidence, Finding, Sure
from hvtui.findings.look import Look
from hvtui.findings.rules import rule
from hvtui.model.enums import DrainStatus, FileSystemRedirectedIOReason, MigrationState, NodeState, VmState, signed
from hvtui.model.placement import short_path
from hvtui.model.preflight import AffinityRule, NodePreflight
from hvtui.operations.capacity import takes_roles

_DIFFERENT: Final = frozenset({3, 4})
"""DifferentFaultDomain and DifferentNode of Get-ClusterAffinityRule."""
_LIVE: Final = frozenset({VmState.Running, VmState.Paused, VmState.PausedVendor})
_MOVING: Final = frozenset({MigrationState.Setup, MigrationState.DataTransfer, MigrationState.Move})
_ENDED_STORAGE_JOBS: Final = frozenset({7, 8, 9})
_RETURNED: Final = frozenset({DrainStatus.Completed, DrainStatus.Failed})
"""FailbackStatus of a node that was resumed."""


@dataclass(frozen=True)
class _Set:
    """VMs that somebody wants apart: by a class of anti-affinity, or by a rule of the cluster."""

    name: str
    members: tuple[str, ...]
    source: str


def _sets(look: Look) -> list[_Set]:
    """The sets with at least two VMs that run; classes from the roles, rules from whichever node was asked."""
    classes: dict[str, list[str]] = {}
    by_name: dict[str, str] = {}
    roles = look.state.cluster.roles or {}
    for vm, role_id in look.state.roles_of.items():
        role = roles.get(role_id)
        if role is None:
            continue
        by_name[role.name.lower()] = vm
        for name in role.anti_affinity or ():
            classes.setdefault(name.lower(), []).append(vm)
    found = [_Set(f"class {name}", _running(look, vms), "roles") for name, vms in classes.items()]
    for one in _rules(look):
        if one.type in _DIFFERENT and one.enabled is not False:
            vms = [by_name[name.lower()] for name in one.groups if name.lower() in by_name]
            found.append(_Set(f"rule {one.name}", _running(look, vms), "preflight"))
    return [one for one in found if len(one.members) > 1]


def _rules(look: Look) -> list[AffinityRule]:
    told = (answer.node for answer in look.facts.preflight.values() if answer.node is not None)
    return next((node.affinity_rules for node in told if node.affinity_rules is not None), [])


def _running(look: Look, vms: list[str]) -> tuple[str, ...]:
    """VMs that run and do not move just now."""
    found = []
    for vm in vms:
        record, role = look.vm(vm), look.role(vm)
        if record is None or record[1].state not in _LIVE or role is None or role.migration_state in _MOVING:
            continue
        found.append(vm)
    return tuple(found)


def _names(look: Look, vms: list[str]) -> str:
    return " and ".join(sorted(look.vm_target(vm).name for vm in vms)[:4])


@rule("apart-on-one-node", per="cluster")
def one_node(look: Look, key: str) -> Iterator[Finding]:
    """VMs that are to be kept apart run on one node, though another that takes roles has none of them."""
    takers = [name for name in look.state.node_names() if takes_roles(look.state, name)]
    for one in _sets(look):
        homes: dict[str, list[str]] = {}
        for vm in one.members:
            home = look.state.home(vm)
            if home is not None:
                homes.setdefault(home, []).append(vm)
        free = [name for name in takers if name not in homes]
        for node, vms in homes.items():
            if len(vms) < 2 or not free:
                continue
            target = look.node_target(node)
            yield look.make(
                "apart-on-one-node",
                target,
                f"{_names(look, vms)} are on {node} together: {one.name} wants them apart",
                sure=Sure.CERTAIN,
                evidence=[
                    *(look.read(f"{look.vm_target(vm).name} runs on {node}", vm, "VM") for vm in vms[:4]),
                    look.read(f"{one.name} holds {len(one.members)} VMs that run", "", one.source),
                    look.read(f"{', '.join(free[:3])} take roles and have none of them", "", "nodes"),
                ],
                vms=[look.vm_target(vm) for vm in vms],
                part=one.name,
            )


@rule("apart-on-one-csv", per="cluster")
def one_csv(look: Look, key: str) -> Iterator[Finding]:
    """All VMs of a set that is to be kept apart have their disks on one volume: it takes them all with it."""
    csvs = look.state.cluster.csvs or {}
    if len(csvs) < 2:
        return
    for one in _sets(look):
        places = [look.place(vm) for vm in one.members]
        # A VM whose files were not all read may be elsewhere, too.
        if any(place.off_owner is None for place in places):
            continue
        common = set(places[0].csvs).intersection(*(place.csvs for place in places[1:]))
        for csv in sorted(common):
            name = short_path(csvs[csv].path) if csv in csvs else csv
            yield look.make(
                "apart-on-one-csv",
                look.csv_target(csv),
                f"{_names(look, list(one.members))} are all on {name}: {one.name} wants them apart",
                sure=Sure.CERTAIN,
                evidence=[
                    *(look.read(f"{look.vm_target(vm).name} has files on {name}", vm, "VM") for vm in one.members[:4]),
                    look.read(f"{one.name} holds them", "", one.source),
                ],
                vms=[look.vm_target(vm) for vm in one.members],
                part=one.name,
            )


# --- after a drain ---


def _asked(look: Look) -> list[NodePreflight]:
    return [answer.node for answer in look.facts.preflight.values() if answer.node is not None]


@rule("realign-after-drain", per="node")
def realign(look: Look, key: str) -> Iterator[Finding]:
    """A node was resumed and its VMs came back, their volumes did not: on ReFS and S2D each write goes to the owner."""
    member = look.member(key)
    if member is None or member.failback not in _RETURNED or signed(member.state) != NodeState.Up:
        return
    csvs = look.state.cluster.csvs or {}
    spaces = any(node.s2d for node in _asked(look))
    away: dict[str, str] = {}
    for vm in look.vms_of(key):
        place = look.place(vm)
        if not place.drift:
            continue
        for csv in place.csvs:
            if csv in csvs and (spaces or _is_refs(look, csv)):
                away[vm] = csv
    if not away:
        return
    target = look.node_target(key)
    names = ", ".join(dict.fromkeys(look.csv_target(csv).name for csv in away.values()))
    kind = "Storage Spaces Direct is on" if spaces else "the file system is ReFS"
    evidence = [look.read(f"{target.name} was resumed with failback", "", "nodes"), look.read(kind, "", "CSV")]
    for vm, csv in list(away.items())[:4]:
        owner = csvs[csv].owner or "?"
        evidence.append(
            look.read(f"{look.vm_target(vm).name}: {look.csv_target(csv).name} is owned by {owner}", vm, "VM")
        )
    yield look.make(
        "realign-after-drain",
        target,
        f"{len(away)} VMs came back to {target.name}, their volumes ({names}) are owned elsewhere",
        sure=Sure.LIKELY,
        evidence=evidence,
        vms=[look.vm_target(vm) for vm in away],
    )


def _is_refs(look: Look, csv: str) -> bool:
    """Some node says that the volume is redirected because it is ReFS; the cluster calls every file system CSVFS."""
    io = look.io(csv)
    return io is not None and any(way[1] & FileSystemRedirectedIOReason.FileSystemReFs for way in io.nodes.values())


@rule("storage-repairs", per="cluster")
def repairs(look: Look, key: str) -> Iterator[Finding]:
    """Storage Spaces Direct repairs itself: until it has ended another node's pause may take a volume away."""
    evidence: list[Evidence] = []
    said: dict[str, None] = {}
    jobs = disks = False
    for node in _asked(look):
        if not node.s2d:
            continue
        for disk in node.virtual_disks or ():
            if disk.health:
                disks = True
                said[f"{disk.name} is {'degraded' if disk.health == 1 else 'unhealthy'}"] = None
        for job in node.storage_jobs or ():
            if job.state not in _ENDED_STORAGE_JOBS:
                jobs = True
                percent = "" if job.percent is None else f" at {job.percent}%"
                said[f"{job.name} runs{percent}"] = None
    if not said:
        return
    evidence += [look.read(text, "", "preflight") for text in list(said)[:6]]
    paused = [
        name for name, member in (look.state.cluster.nodes or {}).items() if signed(member.state) == NodeState.Paused
    ]
    evidence += [look.read(f"{name} is paused", "", "nodes") for name in paused]
    yield look.make(
        "storage-repairs",
        look.cluster_target(),
        f"the storage is not whole: {', '.join(list(said)[:3])}",
        sure=Sure.CERTAIN if jobs and disks else Sure.LIKELY,
        evidence=evidence,
    )
