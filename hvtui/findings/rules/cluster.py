"""Nodes that the cluster does not trust, resources that hang, and what the cluster could not bear (windows.md §5.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from hvtui.findings.finding import Evidence, Finding, Sure, Target
from hvtui.findings.look import Look
from hvtui.findings.rules import rule
from hvtui.model.enums import GroupState, GroupStatus, NodeState, NodeStatus, flags_of, signed
from hvtui.model.events import NodeEvent
from hvtui.model.state import vm_key
from hvtui.operations.backup_state import Answer
from hvtui.operations.capacity import takes_roles
from hvtui.operations.facts import Limits

_DAY: Final = timedelta(hours=24)
_SAME_MOMENT: Final = timedelta(minutes=15)
"""The cluster ends the process that hosts a resource some minutes after the resource's time-out."""
_VM_TYPES: Final = frozenset({"virtual machine", "virtual machine configuration"})
"""Resource types of a VM role: identifiers, not localised (windows.md §1.6)."""
_RESOURCES: Final = ("virtual machine configuration ", "virtual machine ")
_BUILD: Final = re.compile(r"(?:\d+\.\d+\.)?(\d{5})")
_NEWEST: Final = {14393: 8.0, 17763: 9.0, 20348: 10.0, 26100: 12.0}
"""Windows Server 2016, 2019, 2022, 2025 → the highest configuration version it runs (windows.md §2.7)."""
# Plain numbers: 8,000 roles are asked for them, and enum arithmetic is slow.
_KEPT_OFF: Final = int(GroupStatus.OfflineAntiAffinityConflict | GroupStatus.PhysicalResourcesLacking)
_UNMONITORED: Final = int(GroupStatus.Unmonitored)
_MB: Final = 2**20


def _named(look: Look, ids: tuple[int, ...], node: str) -> list[NodeEvent]:
    """Cluster events of the last day in any node's log that name a node, newest first."""
    return look.events(ids, about=node, source="cluster", since=_DAY)


@rule("node-quarantined", per="node", ids=(1672, 1676))
def quarantined(look: Look, key: str) -> Iterator[Finding]:
    """The cluster keeps a node out that lost it too often in a short time."""
    member = look.member(key)
    if member is None or not (member.status or 0) & NodeStatus.Quarantined:
        return
    told = _named(look, (1672, 1676), key)
    target = look.node_target(key)
    evidence = [look.read(f"the cluster has {target.name} in quarantine", "", "nodes")]
    evidence += [look.evidence(item) for item in (*told[:2], *_named(look, (1135,), key)[:2])]
    yield look.make(
        "node-quarantined",
        target,
        f"{target.name} is in quarantine: it left the cluster again and again",
        sure=Sure.CERTAIN if told else Sure.LIKELY,
        evidence=evidence,
        since=told[0].event.time if told else None,
    )


@rule("node-isolated", per="node", ids=(1673,))
def isolated(look: Look, key: str) -> Iterator[Finding]:
    """The others do not hear a node; its VMs run on for a while, unmonitored."""
    member = look.member(key)
    if member is None or not (member.status or 0) & NodeStatus.Isolated:
        return
    told = _named(look, (1673,), key)
    target, there = look.node_target(key), look.owned_by(key)
    evidence = [look.read(f"the cluster has {target.name} as isolated", "", "nodes")]
    evidence += [look.evidence(item) for item in (*told[:2], *_named(look, (1135,), key)[:2])]
    yield look.make(
        "node-isolated",
        target,
        f"{target.name} is isolated: its {len(there)} VMs run on for some minutes, and nobody watches them",
        sure=Sure.CERTAIN if told else Sure.LIKELY,
        evidence=evidence,
        vms=[look.vm_target(vm) for vm in there],
        since=told[0].event.time if told else None,
    )


@rule("vms-unmonitored", per="cluster", ids=(1681,))
def unmonitored(look: Look, key: str) -> Iterator[Finding]:
    """Roles that the cluster does not watch, on nodes that it does not call isolated (then that is told)."""
    blind: dict[str, list[str]] = {}
    for role in (look.state.cluster.roles or {}).values():
        if (role.status or 0) & _UNMONITORED and role.owner is not None:
            blind.setdefault(look.state.node_name(role.owner), []).append(vm_key(role))
    for node, vms in blind.items():
        member = look.member(node)
        if member is None or member.status is None or member.status & NodeStatus.Isolated:
            continue
        told = look.events((1681,), node=node, source="cluster", since=_DAY)
        target = look.node_target(node)
        yield look.make(
            "vms-unmonitored",
            target,
            f"{len(vms)} VMs on {target.name} are not watched by the cluster: a failure would not be noticed",
            sure=Sure.CERTAIN if told else Sure.LIKELY,
            evidence=[
                *(look.read(f"the role of {look.vm_target(vm).name} is Unmonitored", "", "roles") for vm in vms[:3]),
                *map(look.evidence, told[:2]),
            ],
            vms=[look.vm_target(vm) for vm in vms],
            since=told[0].event.time if told else None,
        )


@rule("rhs-deadlock", per="node", ids=(1146, 1230), needs_event=True)
def deadlock(look: Look, key: str) -> Iterator[Finding]:
    """A VM's resource did not answer in time (1230), and the process that hosts it was ended for it (1146)."""
    hung = [item for item in look.events((1230,), node=key, source="cluster", since=_DAY) if _of_a_vm(look, item)]
    if not hung:
        return
    ended = [
        item
        for item in look.events((1146,), node=key, source="cluster", since=_DAY)
        if any(abs(item.event.time - one.event.time) <= _SAME_MOMENT for one in hung)
    ]
    target = look.node_target(key)
    backup = look.backup(key)
    evidence = [look.evidence(item) for item in (*hung[:3], *ended[:2])]
    during = ""
    if backup.answer is Answer.RUNNING:
        during = ", while a backup runs there"
        evidence += [look.read(sign, key, "backup") for sign in backup.evidence[:2]]
    vms = dict.fromkeys(vm for item in hung for vm in _vms_named(look, item))
    yield look.make(
        "rhs-deadlock",
        target,
        f"{target.name}: a VM's resource did not answer the cluster in time{during}",
        sure=Sure.CERTAIN if ended else Sure.LIKELY,
        evidence=evidence,
        vms=[look.vm_target(vm) for vm in vms],
        since=hung[-1].event.time,
    )


def _of_a_vm(look: Look, item: NodeEvent) -> bool:
    """The event names the type of a VM's resource, or the resource of a VM's role."""
    values = {value.lower() for value in item.event.data.values()}
    return not values.isdisjoint(_VM_TYPES) or bool(_vms_named(look, item))


def _vms_named(look: Look, item: NodeEvent) -> list[str]:
    """VMs whose resources an event names: `Virtual Machine X`, X being the role."""
    values = [value.lower() for value in item.event.data.values()]
    names = {value.removeprefix(kind) for kind in _RESOURCES for value in values if value.startswith(kind)}
    roles = (look.state.cluster.roles or {}).values() if names else ()
    return [vm_key(role) for role in roles if role.name.lower() in names]


@rule("role-kept-off", per="cluster")
def kept_off(look: Look, key: str) -> Iterator[Finding]:
    """A role is not started: the cluster says that anti-affinity, or resources that lack, forbid it everywhere."""
    info = look.state.cluster.info
    enforced = info is not None and bool(info.enforced_anti_affinity)
    for role in (look.state.cluster.roles or {}).values():
        status = role.status or 0
        if not status & _KEPT_OFF or role.state == GroupState.Online:
            continue
        apart = bool(status & GroupStatus.OfflineAntiAffinityConflict)
        target = look.vm_target(vm_key(role))
        why = "anti-affinity leaves no node for it" if apart else "no node has the resources for it"
        evidence = [look.read(f"its role has the flags {flags_of(GroupStatus, status)}", "", "roles")]
        if apart and enforced:
            evidence.append(look.read("anti-affinity is enforced (ClusterEnforcedAntiAffinity)", "", "cluster"))
        yield look.make(
            "role-kept-off",
            target,
            f"{target.name} is kept off: {why}",
            sure=Sure.CERTAIN if apart and enforced else Sure.LIKELY,
            evidence=evidence,
            vms=[target],
        )


# --- what the cluster could not bear ---


@rule("no-spare-node", per="cluster")
def no_spare(look: Look, key: str) -> Iterator[Finding]:
    """N+1: after the loss of the fullest node the others would not have the memory for what runs on it.

    Asked of the nodes that take roles; when the memory of one is not known nothing can be said.
    """
    rooms = {name: _memory(look, name) for name in look.state.node_names() if takes_roles(look.state, name)}
    known = {name: room for name, room in rooms.items() if room is not None}
    if len(known) < len(rooms) or not known or look.unread("", "nodes"):
        return
    fullest = max(known, key=lambda name: (known[name][1], name))
    need = known[fullest][1]
    reserve = Limits().reserve
    room = sum(max(0, total - used - reserve) for name, (total, used) in known.items() if name != fullest)
    if need <= room:
        return
    text = f"the loss of {fullest} ({need / 1024:.0f} GB in use) would not be borne: the others have {room / 1024:.0f}"
    evidence = [
        look.read(f"{(total - used) / 1024:.0f} of {total / 1024:.0f} GB are free", name, "memory")
        for name, (total, used) in known.items()
    ]
    out = [name for name in look.state.node_names() if name not in rooms]
    evidence += [look.read(f"{name} takes no roles now", "", "nodes") for name in out]
    yield look.make("no-spare-node", look.cluster_target(), f"{text} GB", sure=Sure.LIKELY, evidence=evidence[:12])


def _memory(look: Look, name: str) -> tuple[int, int] | None:
    """Memory of a node and what is in use of it, MB; None when unread."""
    view = look.node(name)
    if view is None or look.unread(name, "host", "load") or view.host is None or view.load is None:
        return None
    return None if not view.host.memory else (view.host.memory // _MB, view.load[1])


@rule("config-version-one-way", per="cluster", ids=(10698,))
def one_way(look: Look, key: str) -> Iterator[Finding]:
    """A cluster of several versions of Windows, and VMs that only the newer ones run: there is no way back."""
    builds = {name: build for name in look.state.node_names() if (build := _build(look, name)) is not None}
    if len(set(builds.values())) < 2:
        return
    stuck: dict[str, list[str]] = {}
    evidence: list[Evidence] = []
    told = False
    for name, build in builds.items():
        answer = look.facts.preflight.get(name)
        versions = answer.node.vm_versions if answer is not None and answer.node is not None else None
        for vm in look.state.homes:
            version = _version(look, vm)
            if version is None or look.state.home(vm) == name:
                continue
            if versions is not None and version not in versions:
                told = True
                stuck.setdefault(vm, []).append(name)
            elif versions is None and build in _NEWEST and _number(version) > _NEWEST[build]:
                stuck.setdefault(vm, []).append(name)
        source = "preflight" if versions is not None else "nodes"
        evidence.append(look.read(f"{name} runs build {build}", name, source))
    if not stuck:
        return
    vms: list[Target] = [look.vm_target(vm) for vm in sorted(stuck, key=lambda vm: look.vm_target(vm).name.lower())]
    first = vms[0]
    evidence.append(look.read(f"{first.name} has configuration version {_version(look, first.key)}", first.key, "VM"))
    old = sorted({name for names in stuck.values() for name in names})
    failed = [item for vm in stuck for item in look.events((10698,), vm=vm, source="hyperv", since=_DAY)]
    evidence += [look.evidence(item) for item in failed[:3]]
    yield look.make(
        "config-version-one-way",
        look.cluster_target(),
        f"{len(vms)} VMs cannot go to {', '.join(old)}: their configuration version is too new for it",
        sure=Sure.CERTAIN if told else Sure.LIKELY,
        evidence=evidence,
        vms=vms,
    )


def _build(look: Look, name: str) -> int | None:
    """The build of a node that takes part, such as 17763."""
    member, view = look.member(name), look.node(name)
    if member is None or signed(member.state) == NodeState.Down:
        return None
    text = view.host.build if view is not None and view.host is not None and view.host.build else member.build
    found = _BUILD.match(text or "")
    return None if found is None else int(found[1])


def _version(look: Look, vm: str) -> str | None:
    found = look.vm(vm)
    return found[1].version if found is not None and look.role(vm) is not None else None


def _number(version: str) -> float:
    try:
        return float(version)
    except ValueError:
        return 0.0
