"""Why live migrations fail, by the codes that Windows gives (Microsoft: Troubleshoot live migration issues).

A failure stands while the role's MigrationState says so: it stays at 5 until the next migration of that VM
(windows.md §1.6), so one that went well afterwards ends the finding. The texts of Windows are localised and never read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from hvtui.findings.finding import Evidence, Finding, Sure
from hvtui.findings.look import Look
from hvtui.findings.rules import rule
from hvtui.model.enums import GroupStatus, MigrationState
from hvtui.model.event_catalog import vm_of
from hvtui.model.events import NodeEvent
from hvtui.model.preflight import VmPreflight
from hvtui.operations.explain import FAILED_EVENTS, LIMIT_CODES, LIMIT_EVENT, best, meaning, normal

_DAY: Final = timedelta(hours=24)
_SHORT: Final = timedelta(hours=2)
"""A limit that was reached longer ago has long been free again."""
_ROLES_LATE: Final = timedelta(minutes=1)
"""A node's log is read sooner than the cluster's roles."""
_LOOK_AGAIN: Final = timedelta(seconds=5)
_CREDSSP: Final = 0
_MEMORY: Final = 3050
"""Hyper-V-Worker on the destination: its memory could not be set up (printed with 0x800705AA and 0x8007000E)."""
_OTHERS: Final = frozenset({10150, 18012})
"""Backup checkpoints that the same missing right makes fail."""
_SWITCH_EVENT: Final = 21125


def _stands(look: Look, vm: str) -> bool | None:
    """The last migration of a VM failed; None when that could not be read, or the VM has no role."""
    role = look.role(vm)
    if role is None or role.migration_state is None:
        return None
    return role.migration_state == MigrationState.Failure


def _open(look: Look, item: NodeEvent) -> bool:
    """The VM of an event has not moved since, as far as is known; asks again while the roles may be older."""
    stands = _stands(look, vm_of(item.event)[0])
    age = look.age(item)
    if stands is False and age is not None and age < _ROLES_LATE:
        look.again(_LOOK_AGAIN)
    return stands is not False


def _codes(item: NodeEvent) -> set[str]:
    return {normal(code) for code in item.event.codes}


def _asked(look: Look, vm: str) -> VmPreflight | None:
    for answer in look.facts.preflight.values():
        for one in answer.vms or ():
            if one.id == vm:
                return one
    return None


def _others(look: Look, vm: str) -> list[str]:
    home = look.state.home(vm)
    return [name for name in look.state.node_names() if name != home]


# --- what is wrong with one VM ---


@dataclass(frozen=True)
class _Kind:
    """A reason that concerns one VM. `confirm` finds what the nodes were asked of it: a text, empty for nothing."""

    rule: str
    codes: frozenset[str]
    words: str
    confirm: Callable[[Look, str], str]
    events: frozenset[int] = frozenset()
    """Events that say so without a code."""


def _medium(look: Look, vm: str) -> str:
    asked, index = _asked(look, vm), look.state.placements.index(look.state)
    for path in (asked.dvd or ()) if asked is not None else ():
        if not path.startswith("\\\\") and index is not None and index.find(path) is None:
            return f"{path} is in its drive, on a disk of its own node"
    return ""


def _owners(look: Look, vm: str) -> str:
    asked = _asked(look, vm)
    if asked is None or asked.possible_owners is None:
        return ""
    allowed = {name.lower() for name in asked.possible_owners}
    out = [name for name in look.state.node_names() if name.lower() not in allowed]
    return f"{', '.join(out)} are not among its possible owners" if out else ""


def _switches(look: Look, vm: str) -> str:
    asked = _asked(look, vm)
    for name in _others(look, vm) if asked is not None else ():
        answer = look.facts.preflight.get(name)
        there = answer.node.switches if answer is not None and answer.node is not None else None
        if there is None or asked is None:
            continue
        missing = [one for one in asked.switches or () if one and one.lower() not in {s.lower() for s in there}]
        if missing:
            return f"{name} has no virtual switch {', '.join(missing)}"
    return ""


def _room(look: Look, vm: str) -> str:
    asked = _asked(look, vm)
    need = asked.memory_assigned if asked is not None else None
    for name in _others(look, vm) if need else ():
        answer = look.facts.preflight.get(name)
        free = answer.node.memory_available if answer is not None and answer.node is not None else None
        if free is not None and need is not None and need > free:
            return f"it has {need / 1024:.1f} GB; {name} has {free / 1024:.1f} GB available"
    return ""


def _device(look: Look, vm: str) -> str:
    asked = _asked(look, vm)
    if asked is None:
        return ""
    if asked.gpu:
        return "it has a GPU partition or an assigned device"
    return f"it has a physical disk: {asked.pass_through[0]}" if asked.pass_through else ""


def _version(look: Look, vm: str) -> str:
    asked = _asked(look, vm)
    for name in _others(look, vm) if asked is not None and asked.version else ():
        answer = look.facts.preflight.get(name)
        there = answer.node.vm_versions if answer is not None and answer.node is not None else None
        if there is not None and asked is not None and asked.version not in there:
            return f"{name} does not run configuration version {asked.version}"
    return ""


_KINDS: Final = (
    _Kind(
        "move-no-memory", frozenset({"0x800705aa", "0x8007000e"}), "the destination has not enough memory for it", _room
    ),
    _Kind(
        "move-medium-missing", frozenset({"0xc03a0014"}), "a disk or an inserted ISO is not there on the other", _medium
    ),
    _Kind(
        "move-not-an-owner",
        frozenset({"0x80071398", "0x00001398"}),
        "the other node is not a possible owner of its role",
        _owners,
    ),
    _Kind(
        "move-no-switch",
        frozenset({"0x80070490"}),
        "a virtual switch of its name is missing on the other node",
        _switches,
        frozenset({_SWITCH_EVENT}),
    ),
    _Kind("move-device", frozenset({"0x80070032"}), "the hardware it needs is not on the other node", _device),
    _Kind("move-version", frozenset({"0x80048016"}), "its configuration version is too new for the other", _version),
)


def _failures(look: Look, vm: str, kind: _Kind) -> list[NodeEvent]:
    told = look.events(FAILED_EVENTS | {_MEMORY}, vm=vm, source="hyperv", since=_DAY)
    return [item for item in told if item.event.id in kind.events or not kind.codes.isdisjoint(_codes(item))]


def _of_a_vm(kind: _Kind) -> None:
    @rule(kind.rule, per="vm", ids=tuple(FAILED_EVENTS | {_MEMORY}), needs_event=True)
    def ask(look: Look, key: str) -> Iterator[Finding]:
        stands = _stands(look, key)
        told = _failures(look, key, kind) if stands is not False else []
        if not told:
            return
        target, confirmed = look.vm_target(key), kind.confirm(look, key)
        sure = Sure(1 + bool(stands) + bool(confirmed))
        evidence = [look.evidence(item) for item in told[:3]]
        if stands:
            evidence.append(look.read("MigrationState 5: its last migration failed", "", "roles"))
        if confirmed:
            evidence.append(look.read(confirmed, key, "preflight"))
        yield look.make(
            kind.rule,
            target,
            f"{target.name} could not be moved: {confirmed or kind.words}",
            sure=sure,
            evidence=evidence,
            vms=[target],
            since=told[-1].event.time,
        )


for _kind in _KINDS:
    _of_a_vm(_kind)


@rule("move-tpm", per="vm", ids=tuple(FAILED_EVENTS), needs_event=True)
def tpm(look: Look, key: str) -> Iterator[Finding]:
    """A VM with a virtual TPM could not be moved, and no code says why: its key protector may not open over there."""
    asked = _asked(look, key)
    told = _unexplained(look, key)
    if not told or asked is None or not asked.tpm:
        return
    target = look.vm_target(key)
    yield look.make(
        "move-tpm",
        target,
        f"{target.name} has a virtual TPM and could not be moved: the other node may lack its certificates",
        sure=Sure.POSSIBLE,
        evidence=[*map(look.evidence, told[:2]), look.read("it has a virtual TPM", key, "preflight")],
        vms=[target],
        since=told[-1].event.time,
    )


@rule("move-failed", per="vm", ids=tuple(FAILED_EVENTS), needs_event=True)
def failed(look: Look, key: str) -> Iterator[Finding]:
    """A migration failed for a reason that no other rule knows: Windows' own code and event, and what they mean."""
    told = _unexplained(look, key)
    if not told:
        return
    target = look.vm_target(key)
    code = best([code for item in told for code in (*item.event.codes, str(item.event.id))])
    known = meaning(code)
    why = f"{known.text} ({code})" if known is not None else code
    yield look.make(
        "move-failed",
        target,
        f"{target.name} could not be moved: {why}",
        sure=Sure.LIKELY if known is not None and code.startswith("0x") else Sure.POSSIBLE,
        evidence=[
            *map(look.evidence, told[:3]),
            look.read("MigrationState 5: its last migration failed", "", "roles"),
        ],
        vms=[target],
        since=told[-1].event.time,
    )


def _unexplained(look: Look, key: str) -> list[NodeEvent]:
    """Failures that stand and whose codes no rule but `move-failed` is for, newest first."""
    if not _stands(look, key):
        return []
    told = look.events(FAILED_EVENTS | {_MEMORY}, vm=key, source="hyperv", since=_DAY)
    for item in told:
        if item.event.id in {_SWITCH_EVENT, LIMIT_EVENT} or not _KNOWN.isdisjoint(_codes(item)):
            return []
    return told


# --- what is wrong with a node, or between two ---


@dataclass(frozen=True)
class _Node:
    """A reason that hits every VM of a node. `confirm` as in `_Kind`, of the node."""

    rule: str
    codes: frozenset[str]
    words: str
    confirm: Callable[[Look, str], str]
    events: frozenset[int] = FAILED_EVENTS


def _delegation(look: Look, node: str) -> str:
    view = look.node(node)
    if view is None or view.host is None or view.host.migration_auth != _CREDSSP:
        return ""
    return "its migrations are authenticated by CredSSP, which works only for who is logged on to it"


def _no_answer(look: Look, node: str) -> str:
    for name, view in look.state.nodes.items():
        if name != node and view.host is not None and view.host.vmms not in {None, "Running"}:
            return f"VMMS of {name} is {view.host.vmms}"
        if name != node and view.host is not None and view.host.migration_enabled is False:
            return f"live migrations are turned off on {name}"
    return ""


def _nothing(look: Look, node: str) -> str:
    return ""


_NODES: Final = (
    _Node(
        "move-no-delegation",
        frozenset({"0x8009030e", "0x8009030d"}),
        "the hosts could not log on to each other",
        _delegation,
    ),
    _Node(
        "move-no-connection",
        frozenset({"0x8007274d", "0x8007274c", "0x80072746", "0x8007271d", "0x000013ab"}),
        "the other node did not answer on the migration network",
        _no_answer,
    ),
    _Node(
        "vm-logon-right-missing",
        frozenset({"0x80070569", "0x8007052f"}),
        "virtual machines may not log on as a service",
        _nothing,
        FAILED_EVENTS | _OTHERS,
    ),
    _Node("move-smb-name", frozenset({"0x80042001"}), "live migration over SMB fails to one node", _nothing),
)
_KNOWN: Final = frozenset(code for one in (*_KINDS, *_NODES) for code in one.codes) | LIMIT_CODES
"""Codes that another rule than `move-failed` is for."""


def _of_a_node(kind: _Node) -> None:
    @rule(kind.rule, per="node", ids=tuple(kind.events), needs_event=True)
    def ask(look: Look, key: str) -> Iterator[Finding]:
        told = [
            item
            for item in look.events(kind.events, node=key, source="hyperv", since=_DAY)
            if not kind.codes.isdisjoint(_codes(item))
        ]
        told = [item for item in told if item.event.id in _OTHERS or _open(look, item)]
        if not told:
            return
        target, confirmed = look.node_target(key), kind.confirm(look, key)
        vms = dict.fromkeys(vm for item in told if (vm := vm_of(item.event)[0]))
        # Of one VM alone the reason may be the VM's own; of several it is the node's.
        stands = any(_stands(look, vm) for vm in vms)
        sure = Sure(1 + stands + (len(vms) > 1 or bool(confirmed)))
        evidence: list[Evidence] = [look.evidence(item) for item in told[:4]]
        if confirmed:
            evidence.append(look.read(confirmed, key, "host"))
        count = f"{len(vms)} VMs" if len(vms) != 1 else look.vm_target(next(iter(vms))).name
        yield look.make(
            kind.rule,
            target,
            f"{count} of {target.name}: {kind.words}{f'; {confirmed}' if confirmed else ''}",
            sure=sure,
            evidence=evidence,
            vms=[look.vm_target(vm) for vm in vms],
            since=told[-1].event.time,
        )


for _node in _NODES:
    _of_a_node(_node)


@rule("moves-at-the-limit", per="node", ids=(LIMIT_EVENT,), needs_event=True)
def at_the_limit(look: Look, key: str) -> Iterator[Finding]:
    """All places for live migrations were taken, and the VMs that were turned away have not moved since."""
    told = look.events((LIMIT_EVENT,), node=key, source="hyperv", since=_SHORT)
    told = [item for item in told if _open(look, item)]
    if not told:
        return
    target = look.node_target(key)
    vms = dict.fromkeys(vm for item in told if (vm := vm_of(item.event)[0]))
    queued = [
        vm
        for vm in look.owned_by(key)
        if (role := look.role(vm)) is not None and (role.status or 0) & GroupStatus.Queued
    ]
    view, info = look.node(key), look.state.cluster.info
    limit = info.max_parallel_migrations if info is not None else None
    limit = limit or (view.host.max_migrations if view is not None and view.host is not None else None)
    evidence = [look.evidence(item) for item in told[:3]]
    if limit:
        evidence.append(look.read(f"at most {limit} live migrations at once", key, "host"))
    evidence += [look.read(f"{look.vm_target(vm).name} waits for a place", "", "roles") for vm in queued[:2]]
    sure = any(_stands(look, vm) for vm in vms)
    yield look.make(
        "moves-at-the-limit",
        target,
        f"{len(vms)} VMs of {target.name} were turned away: the limit of live migrations was reached"
        f"{f' ({limit})' if limit else ''}",
        sure=Sure.CERTAIN if sure else Sure.POSSIBLE,
        evidence=evidence,
        vms=[look.vm_target(vm) for vm in vms],
        since=told[-1].event.time,
    )


@rule("long-blackout", per="node", ids=(20417,), needs_event=True)
def blackout(look: Look, key: str) -> Iterator[Finding]:
    """Windows calls the time in which a VM stood still at the end of its migration unexpectedly long."""
    told = look.events((20417,), node=key, source="hyperv", since=_DAY)
    if not told:
        return
    target = look.node_target(key)
    vms = dict.fromkeys(vm for item in told if (vm := vm_of(item.event)[0]))
    names = ", ".join(look.vm_target(vm).name for vm in list(vms)[:3])
    yield look.make(
        "long-blackout",
        target,
        f"live migrations to {target.name} stood still for long: {names}",
        sure=Sure.CERTAIN if len(told) > 1 else Sure.LIKELY,
        evidence=[look.evidence(item) for item in told[:4]],
        vms=[look.vm_target(vm) for vm in vms],
        since=told[-1].event.time,
    )
