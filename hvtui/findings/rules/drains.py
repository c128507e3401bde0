"""Drains that failed or will, and what they do to VMs (windows.md §1.2–§1.4, §5.2).

A drain moves high and medium priority live, saves and moves the low, leaves what is not clustered, and fails when one
role finds no node. `Suspend-ClusterNode` has returned long before: the truth is the node's drain status.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from hvtui.findings.finding import Evidence, Finding, Sure
from hvtui.findings.look import Look
from hvtui.findings.rules import rule
from hvtui.model.enums import DrainStatus, NodeState, NodeStatus, VmState, signed
from hvtui.model.events import NodeEvent
from hvtui.model.placement import is_at_rest
from hvtui.model.state import vm_key
from hvtui.operations.board import Board
from hvtui.operations.explain import best, meaning
from hvtui.operations.facts import Facts
from hvtui.operations.fit import judge

_DAY: Final = timedelta(hours=24)
_SAVED: Final = frozenset({VmState.Saved, VmState.SavedVendor})
_LIVE: Final = frozenset({VmState.Running, VmState.Paused, VmState.PausedVendor})
_DEFAULT_THRESHOLD: Final = 2000
"""MoveTypeThreshold when nobody changed it: low priority (1000) and none (0) are saved and moved."""
_UNSURE: Final = frozenset({"unread", "destination", "memory"})
"""Reasons that say nothing against a node for good."""
_MOST: Final = 40
"""VMs whose destinations are judged in one look."""


def _drain(look: Look, key: str) -> str:
    """`failed`, `running`, `done`, or empty: how the drain of a node stands."""
    member = look.member(key)
    if member is None:
        return ""
    status = member.status or 0
    if member.drain == DrainStatus.InProgress or status & NodeStatus.DrainInProgress:
        return "running"
    if member.drain == DrainStatus.Failed or status & NodeStatus.DrainFailed:
        return "failed"
    return "done" if member.drain == DrainStatus.Completed else ""


def _paused(look: Look, key: str) -> bool:
    member = look.member(key)
    return member is not None and signed(member.state) == NodeState.Paused


def _facts(look: Look) -> Facts:
    """What the arithmetic of operations looks at; what was not asked is unknown in it."""
    now = look.now("") or look.state.cluster.time or datetime.min.replace(tzinfo=UTC)
    return Facts(state=look.state, now=now, monotonic=look.monotonic, preflight=look.facts.preflight)


@rule("drain-failed", per="node", ids=(1137, 1677))
def failed(look: Look, key: str) -> Iterator[Finding]:
    """The drain of a node failed: which roles could not go, and why, as far as it is known."""
    if _drain(look, key) != "failed":
        return
    target = look.node_target(key)
    ended = [*look.events((1677,), about=key, source="cluster", since=_DAY)]
    refused = _refused(look, key)
    guilty = {vm: item for vm, item in _roles_named(look, refused).items() if look.state.home(vm) == key}
    evidence = [look.read(f"the cluster has the drain of {target.name} as failed", "", "nodes")]
    evidence += [look.evidence(item) for item in ended[:1]]
    said = []
    for vm, item in guilty.items():
        why = _why(item)
        evidence.append(look.evidence(item))
        said.append(f"{look.vm_target(vm).name}{f' ({why})' if why else ''}")
    evidence += _against(look, key, list(guilty))
    state = "the node is still paused" if _paused(look, key) else "the node takes roles again"
    stay = f": {', '.join(said[:3])}{f' and {len(said) - 3} more' if len(said) > 3 else ''} stayed" if said else ""
    yield look.make(
        "drain-failed",
        target,
        f"the drain of {target.name} failed{stay}; {state}",
        sure=Sure.CERTAIN if refused else Sure.LIKELY,
        evidence=evidence,
        vms=[look.vm_target(vm) for vm in guilty],
        since=(ended or refused)[0].event.time if ended or refused else None,
    )


def _refused(look: Look, key: str) -> list[NodeEvent]:
    """1137 of the last drain in the node's own log, newest first; not those of a drain that ended before."""
    refused = look.events((1137,), node=key, source="cluster", since=_DAY)
    ended = look.events((1677,), about=key, source="cluster", since=_DAY)
    if len(ended) < 2:
        return refused
    return [item for item in refused if item.event.time > ended[1].event.time]


def _roles_named(look: Look, events: list[NodeEvent]) -> dict[str, NodeEvent]:
    """VM → the newest event that names its role, the oldest first; `events` are newest first."""
    held: dict[str, str] = {}
    for role in (look.state.cluster.roles or {}).values() if events else ():
        held[role.name.lower()] = "" if role.name.lower() in held else vm_key(role)
    found: dict[str, NodeEvent] = {}
    for item in reversed(events):
        for value in item.event.data.values():
            if vm := held.get(value.lower()):
                found[vm] = item
    return found


def _why(item: NodeEvent) -> str:
    """What the code of a 1137 means; the code itself when that is not known."""
    code = best([*item.event.codes, *(value for value in item.event.data.values() if value.isdigit())])
    known = meaning(code)
    return f"{known.text[0].lower()}{known.text[1:]}" if known is not None else code


def _against(look: Look, node: str, vms: list[str]) -> Iterator[Evidence]:
    """What speaks against each other node, for VMs that could not go; only what is known."""
    facts = _facts(look)
    board = Board.of(facts) if vms else None
    for vm in vms[:3]:
        for other in look.state.node_names():
            if other == node or facts.vm(vm) is None:
                continue
            known = [refusal.text for refusal in judge(facts, vm, other, board).refusals if refusal.rule != "unread"]
            if known:
                yield look.read(known[0], other, "preflight")


@rule("drain-will-fail", per="node")
def will_fail(look: Look, key: str) -> Iterator[Finding]:
    """A drain runs, and a VM that is still there can go to no other node, whatever becomes free."""
    if _drain(look, key) != "running":
        return
    facts = _facts(look)
    board = Board.of(facts)
    blocked: dict[str, str] = {}
    for vm in [vm for vm in look.vms_of(key) if look.role(vm) is not None and facts.vm(vm) is not None][:_MOST]:
        reasons = []
        for other in look.state.node_names():
            if other != key:
                against = [r for r in judge(facts, vm, other, board).refusals if r.rule not in _UNSURE]
                if not against:
                    break
                reasons.append(against[0].text)
        else:
            if reasons:
                blocked[vm] = reasons[0]
    if not blocked:
        return
    target = look.node_target(key)
    evidence = [look.read(f"{target.name} is being drained", "", "nodes")]
    evidence += [look.read(why, key, "preflight") for why in list(blocked.values())[:6]]
    names = ", ".join(look.vm_target(vm).name for vm in list(blocked)[:4])
    yield look.make(
        "drain-will-fail",
        target,
        f"the drain of {target.name} will fail: no other node takes {names}",
        sure=Sure.LIKELY,
        evidence=evidence,
        vms=[look.vm_target(vm) for vm in blocked],
    )


@rule("drain-saves-vms", per="node")
def saves(look: Look, key: str) -> Iterator[Finding]:
    """A drain runs, and VMs below the threshold will be saved and moved: whoever is connected to them is cut off."""
    if _drain(look, key) != "running":
        return
    told = [
        answer.node.threshold
        for answer in look.facts.preflight.values()
        if answer.node is not None and answer.node.threshold is not None
    ]
    threshold = told[0] if told else _DEFAULT_THRESHOLD
    low = []
    for vm in look.vms_of(key):
        found, role = look.vm(vm), look.role(vm)
        if found is None or role is None or role.priority is None or found[1].state not in _LIVE:
            continue
        if role.priority < threshold:
            low.append((role.priority, vm))
    if not low:
        return
    target = look.node_target(key)
    known = f"MoveTypeThreshold is {threshold}" if told else f"MoveTypeThreshold was not read; {threshold} is usual"
    yield look.make(
        "drain-saves-vms",
        target,
        f"the drain of {target.name} saves {len(low)} VMs of low priority before it moves them",
        sure=Sure.CERTAIN if told else Sure.POSSIBLE,
        evidence=[
            look.read(f"{target.name} is being drained", "", "nodes"),
            look.read(known, key if told else "", "preflight" if told else "nodes"),
            *(look.read(f"{look.vm_target(vm).name} has priority {number}", "", "roles") for number, vm in low[:4]),
        ],
        vms=[look.vm_target(vm) for _, vm in low],
    )


@rule("drain-left-saved", per="vm")
def left_saved(look: Look, key: str) -> Iterator[Finding]:
    """A VM that ran went Saved on a node that was being drained, and is Saved still."""
    found = look.vm(key)
    seen = look.memory.vm_states(key)
    if found is None or found[1].state not in _SAVED or not seen or look.role(key) is None:
        return
    went, home = next((one for one in reversed(seen) if one.before in _LIVE), None), look.state.home(key)
    if went is None:
        return
    # Between two looks it may have been saved and be on its new node already.
    nodes = [went.node] if _drain(look, went.node) else [n for n in look.state.nodes if n != home and _drain(look, n)]
    if len(nodes) != 1:
        return
    node, drain = nodes[0], _drain(look, nodes[0])
    target = look.vm_target(key)
    evidence = [
        Evidence(text="it ran until then", node=went.node, time=went.time, source="VM state"),
        look.read(f"the drain of {node}: {drain}", "", "nodes"),
        look.read(f"{target.name} is Saved on {home or '?'}", key, "VM state"),
    ]
    events = look.events((3050,), vm=key, source="worker", since=_DAY)
    evidence += [look.evidence(item) for item in events[:1]]
    yield look.make(
        "drain-left-saved",
        target,
        f"{target.name} was saved by the drain of {node} and did not start again",
        sure=Sure.CERTAIN if events else Sure.LIKELY,
        evidence=evidence,
        vms=[target],
        since=went.time,
    )


@rule("drain-leaves-vms", per="node")
def leaves(look: Look, key: str) -> Iterator[Finding]:
    """VMs that run on a node that is drained, or being drained, and are no roles of the cluster: they stay there."""
    drain = _drain(look, key)
    if drain not in {"running", "done"} or look.unread("", "roles") or look.unread(key, "vms"):
        return
    stay = [
        vm
        for vm in look.vms_of(key)
        if look.role(vm) is None and (found := look.vm(vm)) is not None and not is_at_rest(found[1].state)
    ]
    if not stay:
        return
    target = look.node_target(key)
    asked = {vm: look.facts.preflight.get(key) for vm in stay}
    sure = all(_said_not_clustered(answer, vm) for vm, answer in asked.items())
    state = "is drained" if drain == "done" else "is being drained"
    yield look.make(
        "drain-leaves-vms",
        target,
        f"{target.name} {state}, and {len(stay)} VMs that are not clustered still run there",
        sure=Sure.CERTAIN if sure else Sure.LIKELY,
        evidence=[
            look.read(f"the drain of {target.name}: {drain}", "", "nodes"),
            *(look.read(f"{look.vm_target(vm).name} runs and has no role", vm, "roles") for vm in stay[:6]),
        ],
        vms=[look.vm_target(vm) for vm in stay],
    )


def _said_not_clustered(answer: object, vm: str) -> bool:
    vms = getattr(answer, "vms", None) or ()
    return any(one.id == vm and one.clustered is False for one in vms)
