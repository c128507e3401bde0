"""A plan that was written to a file, held against the cluster as it is now.

It is carried out as it was written or not at all: another owner, state, destination, move type or a HOLD refuses it.
Only memory is counted afresh, and leaves out what no longer fits. A file may have been edited by hand: nothing in it is
believed that can be worked out again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from hvtui.operations.builders import BUILDERS
from hvtui.operations.facts import Facts
from hvtui.operations.gate import check
from hvtui.operations.plan import Change, Left, Move, Plan, Refusal, Stage, Target, Verb
from hvtui.operations.seen import seen_of
from hvtui.operations.verbs.draft import level_of, move_of

RULE: Final = "plan"
MOVE_VERBS: Final = frozenset({Verb.MIGRATE, Verb.ALIGN, Verb.ISOLATE, Verb.RETURN})
VALUES: Final = frozenset(
    {
        Verb.POLICY,
        Verb.POLICY_UNDO,
        Verb.CHECKPOINT,
        Verb.APPLY,
        Verb.REMOVE,
        Verb.START_VM,
        Verb.VSSACCESS,
        Verb.VSSACCESS_REMOVE,
        Verb.VSSACCESS_UNDO,
    }
)
"""Verbs that set values: their plans have changes, no moves and no steps."""
_ROOM: Final = frozenset({"memory"})


def again(planned: Plan, facts: Facts) -> Plan:
    """The plan as it can be begun now, with what stands against it in `refusals` and what no longer fits in `left`."""
    moves_only = planned.verb in MOVE_VERBS and not planned.stages
    return _moves_again(planned, facts) if moves_only else _built_again(planned, facts)


def _moves_again(planned: Plan, facts: Facts) -> Plan:
    """Plans of moves: the very moves of the file, in its order."""
    differences = [*_cluster(planned, facts), *_targets_changed(planned, facts)]
    moves: list[Move] = []
    for move in planned.moves:
        now = move_of(facts, move.vm.id, move.destination, move.reason)
        differences += _differs(move, now, facts)
        moves.append(msgspec.structs.replace(now, vm=move.vm, wave=move.wave))
    plan = msgspec.structs.replace(planned, made=facts.now, moves=tuple(moves), refusals=())
    left = list(planned.left)
    while True:
        found = check(plan, facts)
        short = {r.target.key: r for r in found if r.rule in _ROOM and r.target is not None}
        if not short or any(refusal.rule not in _ROOM for refusal in found):
            break
        left += [Left(vm=m.vm, node=m.source, refusals=(short[m.vm.key],)) for m in plan.moves if m.vm.key in short]
        # Who stays makes no room for those after it: they are counted once more.
        plan = msgspec.structs.replace(plan, moves=tuple(m for m in plan.moves if m.vm.key not in short))
    named = {refusal.target.key for refusal in differences if refusal.target is not None}
    # What differs was said once: the gate would say it of the same VM in its own words.
    more = (r for r in found if r.target is None or r.target.key not in named or r.hold)
    refusals = tuple(dict.fromkeys((*differences, *more)))
    return _leveled(msgspec.structs.replace(plan, left=tuple(left), refusals=refusals), facts)


def _built_again(planned: Plan, facts: Facts) -> Plan:
    """Plans of nodes, services and volumes: made anew from the same wish, and compared."""
    options = dict(planned.options)
    if planned.overrides:
        options["overrides"] = ",".join(planned.overrides)
    if not planned.targets:
        refusal = Refusal(rule=RULE, text="the plan names nothing that it is about")
        return msgspec.structs.replace(planned, refusals=(refusal,))
    fresh = BUILDERS[planned.verb](facts, planned.targets, options)
    differences = [*_cluster(planned, facts), *_targets_changed(planned, facts)]
    now = {move.vm.id: move for move in fresh.moves}
    for move in planned.moves:
        found = now.pop(move.vm.id, None)
        if found is None:
            differences.append(_refuse(move.vm, f"{move.vm.name} is no longer among the VMs that would move"))
        else:
            differences += _differs(move, found, facts)
    differences += [_refuse(m.vm, f"{m.vm.name} would move now, which the plan does not say") for m in now.values()]
    if {one.vm.id for one in planned.left} != {one.vm.id for one in fresh.left}:
        names = ", ".join(sorted(one.vm.name for one in fresh.left)) or "none"
        differences.append(Refusal(rule=RULE, text=f"other VMs stay behind now: {names}"))
    if [_step(stage) for stage in planned.stages] != [_step(stage) for stage in fresh.stages]:
        steps = ", ".join(" ".join(filter(None, _step(stage))) for stage in fresh.stages) or "none"
        differences.append(Refusal(rule=RULE, text=f"its steps would be others now: {steps}"))
    return msgspec.structs.replace(fresh, refusals=tuple(dict.fromkeys((*differences, *fresh.refusals))))


def changes_again(planned: Plan, fresh: Plan, facts: Facts) -> Plan:
    """Plans of changed values: `fresh` is made from the same wish, and must say the same of everything."""
    differences = [*_cluster(planned, facts), *_targets_changed(planned, facts)]
    now = {change.target.key: change for change in fresh.changes}
    left = {one.vm.key: one for one in fresh.left}
    for change in planned.changes:
        found = now.pop(change.target.key, None)
        if found is not None:
            differences += _value_differs(planned.verb, change, found)
        elif (one := left.get(change.target.key)) is not None and one.refusals:
            differences += one.refusals
        else:
            why = one.text if one is not None and one.text else "it is not among what would be changed"
            differences.append(_refuse(change.target, f"{change.target.name} has changed: {why}"))
    for change in now.values():
        text = f"{change.target.name} would be changed now, which the plan does not say"
        differences.append(_refuse(change.target, text))
    if not planned.changes and not fresh.refusals:
        differences.append(Refusal(rule=RULE, text="the plan says nothing that it would change"))
    return msgspec.structs.replace(fresh, refusals=tuple(dict.fromkeys((*differences, *fresh.refusals))))


def _value_differs(verb: Verb, planned: Change, now: Change) -> Iterator[Refusal]:
    pairs = {
        "is on": (planned.node.lower(), now.node.lower()),
        "is": (planned.before, now.before),
        # A checkpoint that was not named is called by the moment it is taken.
        "would be": (planned.after, now.after) if verb is not Verb.CHECKPOINT else ("", ""),
    }
    for what, (then, today) in pairs.items():
        if then != today:
            yield _refuse(planned.target, f"{planned.target.name} {what} {today or '?'}; the plan says {then}")


def _step(stage: Stage) -> tuple[str, str, str]:
    """What a stage does: its action, node, and what it is done to if that is not the node."""
    return stage.action, stage.node, stage.target.id if stage.target is not None else ""


def _cluster(planned: Plan, facts: Facts) -> Iterator[Refusal]:
    info = facts.state.cluster.info
    if info is not None and info.id != planned.cluster_id:
        text = f"the plan is for {planned.cluster} ({planned.cluster_id}), but {info.name} ({info.id}) answers"
        yield Refusal(rule="wrong-cluster", text=text)


def _targets_changed(planned: Plan, facts: Facts) -> Iterator[Refusal]:
    """What the plan saw of each thing it touches; a plan that does not say what it saw is none."""
    targets: Iterable[Target] = (*planned.targets, *(move.vm for move in planned.moves))
    for target in {target.key: target for target in targets}.values():
        saw, now = planned.seen.get(target.key, ""), seen_of(facts, target, planned.verb)
        if saw != now:
            yield _refuse(target, f"{target.name} has changed: the plan saw {saw or 'nothing'}, now it is {now}")


def _differs(planned: Move, now: Move, facts: Facts) -> Iterator[Refusal]:
    known = {name.lower() for name in facts.state.node_names()}
    pairs = {
        "is on": (planned.source, now.source),
        "is in state": (str(planned.state), str(now.state)),
        "would go to": (planned.destination, now.destination),
        "would move": (planned.type, now.type),
    }
    for what, (then, today) in pairs.items():
        if then.lower() != today.lower():
            yield _refuse(planned.vm, f"{planned.vm.name} {what} {today or 'nowhere known'}; the plan says {then}")
    if planned.destination and planned.destination.lower() not in known:
        yield _refuse(planned.vm, f"{planned.vm.name}: there is no node {planned.destination}")


def _refuse(target: Target, text: str) -> Refusal:
    return Refusal(rule=RULE, target=target, text=text, hint="Make the plan anew and read it.")


def _leveled(plan: Plan, facts: Facts) -> Plan:
    level, name = level_of(facts, plan)
    return msgspec.structs.replace(plan, level=level, name=name)
