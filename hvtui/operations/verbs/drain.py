"""Drain of a node: what will live-migrate, what drops its clients, what will not move and why, what stays behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from hvtui.model.enums import VmState
from hvtui.model.records import Vm
from hvtui.model.severity import Severity
from hvtui.operations.board import Board
from hvtui.operations.facts import Facts
from hvtui.operations.gate import settle
from hvtui.operations.holds import vm_target
from hvtui.operations.plan import Left, Move, Note, Plan, Stage, Verb
from hvtui.operations.rules_vm import blockers
from hvtui.operations.verbs.draft import draft, move_of, node_target
from hvtui.operations.verbs.migrate import leveled

LIVE_THRESHOLD: Final = 2000
"""MoveTypeThreshold when it is not set: roles below it are quick-migrated (windows.md §1.4)."""


def plan_drain(facts: Facts, node: str, *, overrides: tuple[str, ...] = ()) -> Plan:
    """Pause a node and let the cluster move its roles away; Windows chooses where each goes."""
    plan = draft(facts, Verb.DRAIN, f"Drain {node}", (node_target(node),))
    plan = with_drain(facts, plan, node)
    stages = (Stage(action="drain", node=node, text=f"Suspend-ClusterNode {node} -Drain, and wait until it is empty"),)
    return leveled(facts, settle(msgspec.structs.replace(plan, stages=stages, overrides=overrides), facts))


def with_drain(facts: Facts, plan: Plan, node: str) -> Plan:
    """What a drain of the node does to each of its VMs, added to a plan."""
    view = facts.state.nodes.get(node)
    vms = list((view.vms or {}).values()) if view is not None else []
    clustered = [vm for vm in vms if facts.state.role(vm.id) is not None]
    moves = [_drained(facts, vm) for vm in clustered]
    board = Board.of(facts)
    left = [
        Left(vm=vm_target(vm.id, vm.name), node=node, text="no role of the cluster: a drain leaves it where it is")
        for vm in vms
        if facts.state.role(vm.id) is None
    ]
    notes = [*_notes(facts, node, moves, left), *(Note(text=r.text, target=r.target, severity=Severity.WARN)
             for vm in clustered for r in blockers(facts, vm.id, node, board))]  # fmt: skip
    return msgspec.structs.replace(
        plan, moves=(*plan.moves, *moves), left=(*plan.left, *left), notes=(*plan.notes, *notes)
    )


def threshold_of(facts: Facts, node: str) -> int | None:
    """MoveTypeThreshold as the node told it; None when it could not be read."""
    answer = facts.preflight.get(node)
    return answer.node.threshold if answer is not None and answer.node is not None else None


def _drained(facts: Facts, vm: Vm) -> Move:
    """Where a drain takes it is Windows' choice; how follows from its state and priority."""
    move = move_of(facts, vm.id, "")
    role = facts.state.role(vm.id)
    threshold = threshold_of(facts, move.source)
    limit = LIVE_THRESHOLD if threshold is None else threshold
    quick = vm.state == VmState.Running and role is not None and role.priority is not None and role.priority < limit
    return msgspec.structs.replace(move, type="Quick") if quick else move


def _notes(facts: Facts, node: str, moves: list[Move], left: list[Left]) -> Iterator[Note]:
    dropping = [move for move in moves if move.type == "Quick" and move.state == VmState.Running]
    for move in dropping:
        text = f"{move.vm.name} is quick-migrated (low priority): it is saved and moved, its clients drop"
        yield Note(text=text, target=move.vm, severity=Severity.BAD)
    if threshold_of(facts, node) is None and moves:
        text = "MoveTypeThreshold could not be read; 2000 was assumed for who is quick-migrated"
        yield Note(text=text, severity=Severity.WARN)
    unknown = [move.vm.name for move in moves if (role := facts.state.role(move.vm.id)) and role.priority is None]
    if unknown:
        yield Note(text=f"priority unread, may be quick-migrated: {', '.join(unknown[:8])}", severity=Severity.WARN)
    if left:
        names = ", ".join(one.vm.name for one in left[:8])
        yield Note(text=f"stays behind on {node}: {names}", severity=Severity.WARN)
