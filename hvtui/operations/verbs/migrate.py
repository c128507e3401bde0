"""Live migration of one VM or of several, and the cancel of one that runs."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hvtui.model.activity import MIGRATIONS
from hvtui.model.enums import VmState
from hvtui.operations.board import Board
from hvtui.operations.facts import Facts
from hvtui.operations.fit import judge, ranked
from hvtui.operations.gate import settle
from hvtui.operations.holds import vm_target
from hvtui.operations.plan import Move, Note, Plan, Refusal, Verb
from hvtui.operations.queue import is_moving
from hvtui.operations.verbs.draft import AT_REST, draft, level_of, move_of, name_of


def plan_migrate(facts: Facts, keys: Iterable[str], destination: str = "", *, overrides: tuple[str, ...] = ()) -> Plan:
    """Move VMs to a node; without one each goes where it fits best, counting those that arrive before it."""
    wanted = list(dict.fromkeys(keys))
    moves: list[Move] = []
    notes: list[Note] = []
    board = Board.of(facts)
    for key in wanted:
        target = destination or _best(facts, key, board)
        move = move_of(facts, key, target)
        fit = judge(facts, key, target, board)
        notes += fit.notes
        if move.state in AT_REST:
            word = AT_REST[VmState(move.state)]
            notes.append(Note(text=f"{move.vm.name} is {word}: only its role changes the node", target=move.vm))
        if not fit.refusals and move.memory is not None:
            board.begin(key, move.source, target, move.memory)
        moves.append(move)
    names = f"{moves[0].vm.name}" if len(moves) == 1 else f"{len(moves)} VMs"
    title = f"Move {names} to {destination or 'where they fit best'}"
    plan = draft(facts, Verb.MIGRATE, title, (move.vm for move in moves))
    plan = msgspec.structs.replace(plan, moves=tuple(moves), notes=tuple(dict.fromkeys(notes)), overrides=overrides)
    return leveled(facts, settle(plan, facts))


def _best(facts: Facts, key: str, board: Board) -> str:
    order = ranked(facts, key, board)
    return order[0].node if order else ""


def plan_cancel(facts: Facts, keys: Iterable[str]) -> Plan:
    """End migrations that run: the VMs stay where they are."""
    targets = [vm_target(key, name_of(facts, key)) for key in dict.fromkeys(keys)]
    title = f"Cancel the migration of {targets[0].name if len(targets) == 1 else f'{len(targets)} VMs'}"
    refusals = []
    for target in targets:
        role = facts.state.role(target.id)
        # Either source will do: a cancel does no harm, and the node looks again.
        told = role is not None and role.migration_state in MIGRATIONS
        if not told and not is_moving(facts.state, target.id):
            text = f"{target.name} is not being migrated"
            refusals.append(Refusal(rule="changed", target=target, text=text))
    plan = msgspec.structs.replace(draft(facts, Verb.CANCEL, title, targets), refusals=tuple(refusals))
    return leveled(facts, settle(plan, facts))


def leveled(facts: Facts, plan: Plan) -> Plan:
    """The plan with how it is confirmed."""
    level, name = level_of(facts, plan)
    return msgspec.structs.replace(plan, level=level, name=name)
