"""Isolate suspects on one node with a clean VM as control, so that a failing backup shows whose fault it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from hvtui.model.severity import Severity
from hvtui.operations.board import Board
from hvtui.operations.facts import Facts
from hvtui.operations.fit import judge
from hvtui.operations.gate import settle
from hvtui.operations.order import in_order
from hvtui.operations.plan import Left, Move, Note, Plan, Refusal, Verb
from hvtui.operations.verbs.draft import balancer_note, draft, move_of
from hvtui.operations.verbs.migrate import leveled


def plan_isolate(facts: Facts, suspects: Iterable[str], control: str, node: str = "") -> Plan:
    """Gather the suspects and the control on one node: the one said, or where most of them can be."""
    wanted = list(dict.fromkeys((*suspects, control)))
    candidates = [node] if node else facts.state.node_names()
    plans = []
    for name in candidates:
        plan = _to_one(facts, wanted, name)
        missing = sum(facts.state.home(key) != name for key in wanted) - len(plan.moves)
        plans.append(((bool(plan.refusals), missing, len(plan.moves), name.lower()), plan))
    best = min(plans, key=lambda one: one[0])[1]
    notes = list(best.notes)
    if control:
        text = "the control must be a VM whose backups succeed: when it fails there too, the node is at fault"
        notes.append(Note(text=text, severity=Severity.INFO))
    refusals = best.refusals
    if any(left.vm.id == control and left.refusals for left in best.left):
        text = "the control cannot be moved there, and without it a backup that fails proves nothing"
        target = next(left.vm for left in best.left if left.vm.id == control)
        refusals = (*refusals, Refusal(rule="control", target=target, text=text, hint="Choose another control."))
    options = {"control": control, "home": ",".join(f"{move.vm.id}={move.source}" for move in best.moves)}
    return msgspec.structs.replace(best, notes=tuple(notes), refusals=refusals, options=best.options | options)


def _to_one(facts: Facts, keys: list[str], node: str) -> Plan:
    wishes = [move_of(facts, key, node, "isolate") for key in keys if facts.state.home(key) != node]
    plan = draft(
        facts, Verb.ISOLATE, f"Isolate {len(keys) - 1} suspects and a control on {node}", (w.vm for w in wishes)
    )
    plan = _ordered(facts, plan, wishes)
    return msgspec.structs.replace(plan, options={"node": node})


def plan_return(facts: Facts, homes: Mapping[str, str]) -> Plan:
    """Send VMs back to where they were (VM → node)."""
    refusals: list[Refusal] = []
    wishes: list[Move] = []
    for key, node in homes.items():
        move = move_of(facts, key, node, "back to where it was")
        if facts.state.vm(key) is None:
            refusals.append(Refusal(rule="unread", target=move.vm, text=f"{key}: no node tells of this VM"))
        elif facts.state.home(key) != node:
            wishes.append(move)
    plan = draft(facts, Verb.RETURN, f"Return {len(wishes)} VMs to where they were", (w.vm for w in wishes))
    plan = msgspec.structs.replace(plan, refusals=tuple(refusals))
    return _ordered(facts, plan, wishes)


def _ordered(facts: Facts, plan: Plan, wishes: list[Move]) -> Plan:
    board = Board.of(facts)
    moves, stuck = in_order(board, wishes)
    left = [
        Left(vm=move.vm, node=move.source, refusals=judge(facts, move.vm.id, move.destination, board).refusals)
        for move in stuck
    ]
    notes = tuple(balancer_note(facts)) if plan.verb is Verb.ISOLATE else ()
    plan = msgspec.structs.replace(plan, moves=tuple(moves), left=(*plan.left, *left), notes=(*plan.notes, *notes))
    return leveled(facts, settle(plan, facts))
