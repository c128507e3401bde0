"""After a console that was killed: what was begun, what the cluster shows of it, and what may be done about it.

Nothing is ever run again from the journal: what is offered is a new plan about what is there now, and passes the gate
as any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from hvtui.journal.entry import Kind
from hvtui.journal.store import Journal
from hvtui.journal.unfinished import Call, Unfinished
from hvtui.model.enums import DrainStatus, NodeState, signed
from hvtui.model.preflight import ServiceState
from hvtui.model.state import ClusterState
from hvtui.operations.plan import Move, Plan, Target, Verb, decode_plan
from hvtui.operations.queue import is_moving
from hvtui.operations.run import Offer

_SUSPEND: Final = "Suspend-HvTuiNode"
_RESUME: Final = "Resume-HvTuiNode"


@dataclass(frozen=True)
class Truth:
    """What the cluster shows of an unfinished operation. `settled`: everything it began has ended."""

    lines: tuple[str, ...]
    settled: bool
    offers: tuple[Offer, ...]


def plan_of(one: Unfinished) -> Plan | None:
    """The plan that was confirmed; None when the journal does not hold it any more."""
    return _decoded(one.plan)


def _decoded(plan: str | int | None) -> Plan | None:
    try:
        return decode_plan(plan) if isinstance(plan, str) and plan else None
    except msgspec.MsgspecError:
        return None


def read_truth(state: ClusterState, one: Unfinished, services: dict[str, ServiceState]) -> Truth:
    """Compare an unfinished operation with the picture, and with services (`NODE/name`) as they were just read."""
    plan = plan_of(one)
    lines: list[str] = []
    offers: list[Offer] = []
    settled = True
    if plan is None:
        return Truth(("its plan is not in the journal: look at what it touched yourself",), False, ())
    if plan.verb in {Verb.MIGRATE, Verb.ISOLATE, Verb.RETURN, Verb.ALIGN}:
        settled = _moves(state, plan, one, lines, offers)
    for call in one.calls:
        if call.open and not _seen(state, plan, call):
            lines.append(f"step {call.step.step}, {call.step.function} on {call.step.node}: no sign of how it ended")
    for key, service in services.items():
        node, _, name = key.partition("/")
        lines.append(f"{name} on {node} is {service.state or 'unread'}")
        if service.state == "Stopped":
            target = Target(kind="service", id=key, name=f"{name} on {node}")
            word = "VMMS" if name == "vmms" else name
            offers.append(Offer(Verb.START_VMMS, (target,), f"Start {word} on {node}"))
            settled = False
        elif service.state != "Running":
            settled = False
    for node in _paused_by(one, plan):
        settled = _node(state, node, one, lines, offers) and settled
    return Truth(tuple(lines), settled, tuple(offers))


def services_of(one: Unfinished) -> list[str]:
    """`NODE/name` of every service the operation stopped or started, or was about to."""
    named = [call.step.target_id for call in one.calls if call.step.target_kind == "service"]
    return list(dict.fromkeys(named))


def _paused_by(one: Unfinished, plan: Plan) -> list[str]:
    """Nodes that it paused, or that it found paused, or was about to pause: one that stays so is to be seen."""
    nodes = [call.step.node for call in one.calls if call.step.function in {_SUSPEND, _RESUME}]
    if plan.verb in {Verb.DRAIN, Verb.RESUME, Verb.VMMS}:
        nodes += [target.id for target in plan.targets if target.kind == "node"]
    if plan.verb is Verb.START_VMMS:
        services = (target.id.partition("/") for target in plan.targets)
        nodes += [node for node, _, name in services if name == "vmms"]
    return list(dict.fromkeys(nodes))


def _node(state: ClusterState, node: str, one: Unfinished, lines: list[str], offers: list[Offer]) -> bool:
    member = state.member(node)
    target = Target(kind="node", id=node, name=node)
    if member is None:
        lines.append(f"{node}: the cluster tells nothing of it")
        return False
    if signed(member.state) != NodeState.Paused:
        lines.append(f"{node} is not paused")
        return True
    drain = DrainStatus(member.drain).name if member.drain in set(DrainStatus) else "unread"
    lines.append(f"{node} is paused, its drain is {drain}")
    # A node that was drained before it took nobody away: then the journal may know more.
    took = _took(plan_of(one), node)
    returning = {"returning": ",".join(took)} if took else {}
    for failback in ("Immediate", "NoFailback"):
        text = f"Resume {node}, -Failback {failback}"
        offers.append(Offer(Verb.RESUME, (target,), text, {"failback": failback, **returning}))
    if one.begun.verb == Verb.VMMS:
        offers.append(Offer(Verb.VMMS, (target,), f"Begin the restart of VMMS on {node} anew from here"))
    return False


def _took(plan: Plan | None, node: str) -> list[str]:
    """VMs that were on the node when its drain began, as the plan had them."""
    moves = plan.moves if plan is not None else ()
    return [move.vm.id for move in moves if move.source.lower() == node.lower()]


@dataclass(frozen=True)
class Drained:
    """A drain that hvtui asked for: the call's id, as the node's record has it, when, and whom it took away."""

    call: str
    time: datetime
    vms: tuple[str, ...]


def drains(journal: Journal, cluster_id: str) -> dict[str, Drained]:
    """Node in lower case → its last drain by this user's hvtui, unless that resumed it since. Raises JournalError."""
    lines = journal.lines(function=_SUSPEND) + journal.lines(function=_RESUME)
    ended = (line.entry for line in lines if line.entry.kind is Kind.OUTCOME)
    nothing = {entry.call for entry in ended if entry.outcome in {"refused", "failed"}}
    last = {
        line.entry.node.lower(): line.entry
        for line in sorted(lines, key=lambda line: line.id)
        if line.entry.cluster_id == cluster_id and line.entry.call not in nothing
    }
    began = {line.entry.call: line.entry.time for line in lines if line.entry.kind is Kind.STEP}
    found: dict[str, Drained] = {}
    for node, entry in last.items():
        if entry.function == _SUSPEND:
            begun = journal.lines(operation=entry.operation, kinds=(Kind.BEGUN,))
            plan = _decoded(begun[0].entry.requested.get("plan")) if begun else None
            if plan is not None:
                found[node] = Drained(entry.call, began.get(entry.call, entry.time), tuple(_took(plan, node)))
    return found


def _moves(state: ClusterState, plan: Plan, one: Unfinished, lines: list[str], offers: list[Offer]) -> bool:
    asked = {call.step.target_id for call in one.calls}
    rest: list[Move] = []
    settled = True
    for move in plan.moves:
        home = state.home(move.vm.id)
        if is_moving(state, move.vm.id):
            lines.append(f"{move.vm.name} is being migrated")
            settled = False
        elif home is not None and home.lower() == move.destination.lower():
            lines.append(f"{move.vm.name} is on {home}")
        else:
            word = "was asked for, and is" if move.vm.id in asked else "was not begun: it is"
            lines.append(f"{move.vm.name} {word} on {home or 'no known node'}")
            rest.append(move)
    for destination in dict.fromkeys(move.destination for move in rest):
        targets = tuple(move.vm for move in rest if move.destination == destination)
        text = f"Move {len(targets)} of its VMs to {destination}"
        offers.append(Offer(Verb.MIGRATE, targets, text, {"destination": destination}))
    return settled and not rest


def _seen(state: ClusterState, plan: Plan, call: Call) -> bool:
    """The picture says elsewhere what became of this call."""
    if call.step.kind is not Kind.STEP:
        return True
    return call.step.target_kind in {"service", "node"} or any(move.vm.id == call.step.target_id for move in plan.moves)
