"""The one gate below every front end: nothing is changed that it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from hvtui.operations.facts import Facts
from hvtui.operations.fork_commit import unsearched
from hvtui.operations.plan import Left, Note, Plan, Refusal, Target, Verb
from hvtui.operations.rules import RULES, Rule
from hvtui.operations.seen import seen_of

_ONE: Final = frozenset({Verb.APPLY, Verb.REMOVE})


def check(plan: Plan, facts: Facts, rules: Sequence[Rule] = RULES) -> tuple[Refusal, ...]:
    """Everything that stands against a plan now; empty when it may be done.

    Rules that the operator set aside by typing are left out, if they are among those that can be.
    """
    found: list[Refusal] = []
    for rule in rules:
        if plan.verb not in rule.verbs or (rule.override and rule.id in plan.overrides):
            continue
        override = rule.id if rule.override else ""
        found += [msgspec.structs.replace(refusal, override=override) for refusal in rule.check(plan, facts)]
    return tuple(dict.fromkeys(found))


def settle(draft: Plan, facts: Facts, rules: Sequence[Rule] = RULES) -> Plan:
    """A draft with what the gate says: what may not be moved or changed of a batch is left, with the reasons.

    In a drain or a restart nothing can be left out, nor of a verb that is about one thing: there every refusal stands
    against the whole plan.
    """
    plan = msgspec.structs.replace(draft, seen={t.key: seen_of(facts, t, draft.verb) for t in _all_targets(draft)})
    if (gap := unsearched(facts.fork)) and any(rule.id == "hold" and plan.verb in rule.verbs for rule in RULES):
        plan = msgspec.structs.replace(plan, notes=(*plan.notes, Note(text=gap)))
    refusals = check(plan, facts, rules)
    if plan.stages or plan.verb in _ONE or not (plan.moves or plan.changes):
        return msgspec.structs.replace(plan, refusals=(*plan.refusals, *refusals))
    kept, whole = leave_out(plan, refusals)
    return msgspec.structs.replace(kept, refusals=(*plan.refusals, *whole))


def leave_out(plan: Plan, refusals: Sequence[Refusal]) -> tuple[Plan, tuple[Refusal, ...]]:
    """A plan without the moves and changes that something stands against, and what stands against all of it.

    Of changes, those that a node cannot be asked for are left out with what stands against that node.
    """
    parts = {move.vm.key: (move.vm, move.source) for move in plan.moves}
    parts |= {change.target.key: (change.target, change.node) for change in plan.changes}
    on_node: dict[str, list[str]] = {}
    for change in plan.changes:
        on_node.setdefault(f"node:{change.node.lower()}", []).append(change.target.key)
    of_part: dict[str, list[Refusal]] = {}
    whole: list[Refusal] = []
    for refusal in refusals:
        key = refusal.target.key if refusal.target is not None else ""
        concerned = [key] if key in parts else on_node.get(key, [])
        for one in concerned:
            of_part.setdefault(one, []).append(refusal)
        if not concerned:
            whole.append(refusal)
    left = [Left(vm=parts[key][0], node=parts[key][1], refusals=tuple(why)) for key, why in of_part.items()]
    kept = msgspec.structs.replace(
        plan,
        moves=tuple(move for move in plan.moves if move.vm.key not in of_part),
        changes=tuple(change for change in plan.changes if change.target.key not in of_part),
        left=(*plan.left, *left),
    )
    if kept.changes:
        # What is left is neither held nor looked at again: of thousands of VMs always one is about to change.
        gone = {one.vm.key for one in kept.left}
        seen = {key: saw for key, saw in kept.seen.items() if key not in gone}
        targets = tuple(target for target in kept.targets if target.key not in gone)
        kept = msgspec.structs.replace(kept, seen=seen, targets=targets)
    return kept, tuple(whole)


def _all_targets(plan: Plan) -> list[Target]:
    parts = (*(move.vm for move in plan.moves), *(change.target for change in plan.changes))
    return list({target.key: target for target in (*plan.targets, *parts)}.values())
