"""The one gate below every front end: nothing is changed that it refuses."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hvtui.operations.facts import Facts
from hvtui.operations.fork_commit import unsearched
from hvtui.operations.plan import Left, Note, Plan, Refusal, Target
from hvtui.operations.rules import RULES, Rule
from hvtui.operations.seen import seen_of


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
    """A draft with what the gate says: VMs of a batch that may not be moved are left behind, with their reasons.

    In a drain or a restart nothing can be left out, so there every refusal stands against the whole plan.
    """
    plan = msgspec.structs.replace(draft, seen={t.key: seen_of(facts, t) for t in _all_targets(draft)})
    if (gap := unsearched(facts.fork)) and any(rule.id == "hold" and plan.verb in rule.verbs for rule in RULES):
        plan = msgspec.structs.replace(plan, notes=(*plan.notes, Note(text=gap)))
    refusals = check(plan, facts, rules)
    moved = {move.vm.key: move for move in plan.moves}
    if plan.stages or not moved:
        return msgspec.structs.replace(plan, refusals=(*plan.refusals, *refusals))
    of_vm: dict[str, list[Refusal]] = {}
    whole: list[Refusal] = []
    for refusal in refusals:
        if refusal.target is not None and refusal.target.key in moved:
            of_vm.setdefault(refusal.target.key, []).append(refusal)
        else:
            whole.append(refusal)
    left = [Left(vm=moved[key].vm, node=moved[key].source, refusals=tuple(why)) for key, why in of_vm.items()]
    kept = tuple(move for move in plan.moves if move.vm.key not in of_vm)
    return msgspec.structs.replace(plan, moves=kept, left=(*plan.left, *left), refusals=(*plan.refusals, *whole))


def _all_targets(plan: Plan) -> list[Target]:
    targets = {target.key: target for target in (*plan.targets, *(move.vm for move in plan.moves))}
    return list(targets.values())
