"""The checkpoint type of VMs, one or thousands: what it is, what it will be, and what that means for each guest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from hvtui.model.enums import CheckpointType, name_of
from hvtui.model.severity import Severity
from hvtui.operations.deliver import Can, Delivery, becomes, deliver
from hvtui.operations.facts import Facts, Was
from hvtui.operations.gate import settle
from hvtui.operations.holds import vm_target
from hvtui.operations.plan import Change, Left, Level, Note, Plan, Refusal, Target, Verb
from hvtui.operations.verbs.draft import draft
from hvtui.operations.verbs.draft import name_of as vm_name

KEY_CHANGES: Final = 20
"""Up to so many VMs are changed on a key; more need the typed name."""
_APPLICATION: Final = frozenset({CheckpointType.Production, CheckpointType.ProductionOnly})
TYPES: Final = {kind.name: kind for kind in CheckpointType}


def type_of(name: str) -> CheckpointType | None:
    """A checkpoint type by Windows' name, however it is spelled; None for no such type."""
    return next((kind for word, kind in TYPES.items() if word.lower() == name.strip().lower()), None)


def delivery_of(facts: Facts, key: str) -> Delivery:
    """What a VM's guest can deliver, from what is known of it now."""
    found = facts.state.vm(key)
    return deliver(found[1] if found is not None else None, facts.vm(key))


def plan_policy(facts: Facts, keys: Iterable[str], kind: str) -> Plan:
    """Set the type of VMs. Those that have it stay as they are; those under a HOLD are left and listed."""
    wanted = type_of(kind)
    keys = list(dict.fromkeys(keys))
    targets = tuple(vm_target(key, vm_name(facts, key)) for key in keys)
    names = targets[0].name if len(targets) == 1 else f"{len(targets)} VMs"
    plan = draft(facts, Verb.POLICY, f"Checkpoint type of {names}: {wanted.name if wanted else kind}", targets)
    plan = msgspec.structs.replace(plan, options={"type": wanted.name if wanted else kind})
    if wanted is None:
        text = f"{kind or 'nothing'} is no checkpoint type: {', '.join(TYPES)}"
        return _refused(facts, plan, Refusal(rule="type", text=text))
    return _planned(facts, plan, [(target, wanted) for target in targets])


def plan_undo(facts: Facts, operation: str) -> Plan:
    """Give VMs back the type that an operation took from them, where they still have the one that it set."""
    plan = draft(facts, Verb.POLICY_UNDO, f"Undo of {operation[:8]}: checkpoint types as before", ())
    plan = msgspec.structs.replace(plan, options={"operation": operation})
    if not facts.undo:
        text = f"the journal tells of no checkpoint type that the operation {operation or '?'} changed"
        return _refused(facts, plan, Refusal(rule="undo", text=text))
    wishes: list[tuple[Target, CheckpointType]] = []
    left: list[Left] = []
    for was in facts.undo:
        before, after = _numbers(was)
        found = facts.state.vm(was.target.id)
        now = found[1].checkpoint_type if found is not None else None
        # One that is unread now is refused as that, when the plan is settled.
        if before is None or after is None:
            left.append(_left(facts, was.target, "the journal does not tell what it had"))
        elif now is not None and now == before:
            left.append(_left(facts, was.target, f"it has {_word(before)} again"))
        elif now is not None and now != after:
            text = f"somebody set {_word(now)} since: hvtui set {_word(after)}"
            left.append(_left(facts, was.target, text))
        else:
            wishes.append((was.target, before))
    plan = msgspec.structs.replace(plan, targets=tuple(target for target, _ in wishes), left=tuple(left))
    return _planned(facts, plan, wishes)


def _refused(facts: Facts, plan: Plan, refusal: Refusal) -> Plan:
    """A plan of nothing: what else stands against it is told with it."""
    return settle(msgspec.structs.replace(plan, refusals=(refusal,), name=plan.cluster), facts)


def _planned(facts: Facts, plan: Plan, wishes: list[tuple[Target, CheckpointType]]) -> Plan:
    changes: list[Change] = []
    left = list(plan.left)
    said: Counter[Can] = Counter()
    for target, wanted in wishes:
        found = facts.state.vm(target.id)
        now = found[1].checkpoint_type if found is not None else None
        if now is None:
            left.append(_unread(facts, target))
        elif now == wanted:
            left.append(_left(facts, target, f"it has {wanted.name} already"))
        else:
            delivery = delivery_of(facts, target.id)
            said[delivery.word] += 1
            text, severity = _meaning(delivery, now, wanted)
            node = facts.state.home(target.id) or ""
            changes.append(Change(
                target=target, node=node, before=_word(now), after=wanted.name, text=text, severity=severity
            ))  # fmt: skip
    plan = msgspec.structs.replace(plan, changes=tuple(changes), left=tuple(left))
    plan = msgspec.structs.replace(plan, notes=(*plan.notes, *_notes(changes, said)))
    asked = len(changes) + len(left)
    if changes:
        # Only what is changed is looked at again: what could not be read of the others stands in nobody's way.
        targets = tuple(change.target for change in changes)
        plan = settle(msgspec.structs.replace(plan, targets=targets), facts)
    level, name = _level(facts, plan, asked)
    return msgspec.structs.replace(plan, level=level, name=name)


def _level(facts: Facts, plan: Plan, asked: int) -> tuple[Level, str]:
    """Typed: what makes memory stale or checkpoints impossible, many VMs, and all of a protected cluster."""
    name = plan.changes[0].target.name if asked == 1 and plan.changes else plan.cluster
    dangerous = any(
        change.after == CheckpointType.Disabled.name
        or (change.after == CheckpointType.Standard.name and type_of(change.before) in _APPLICATION)
        for change in plan.changes
    )
    typed = facts.protected or dangerous or len(plan.changes) > KEY_CHANGES
    return (Level.TYPED if typed else Level.KEY), name


def _meaning(delivery: Delivery, now: int, wanted: CheckpointType) -> tuple[str, Severity]:
    text, severity = becomes(delivery, wanted)
    if wanted is CheckpointType.Standard and now in _APPLICATION and severity < Severity.WARN:
        severity = Severity.WARN
    return text, severity


def _notes(changes: list[Change], said: Counter[Can]) -> Iterator[Note]:
    after = {change.after for change in changes}
    if CheckpointType.Disabled.name in after:
        text = "Disabled: no checkpoint can be taken any more, and backups that take one may fail"
        yield Note(text=text, severity=Severity.WARN)
    if any(c.after == CheckpointType.Standard.name and type_of(c.before) in _APPLICATION for c in changes):
        text = (
            "Standard: a checkpoint holds memory, and applying one brings the old memory back: stale data in databases,"
            " Exchange and domain controllers"
        )
        yield Note(text=text, severity=Severity.WARN)
    if changes:
        counted = ", ".join(f"{said[word]} {word.value}" for word in Can if said[word])
        yield Note(text=f"what their guests can deliver now: {counted}", severity=Severity.INFO)


def _numbers(was: Was) -> tuple[CheckpointType | None, CheckpointType | None]:
    return _number(was.before.get("type")), _number(was.after.get("type"))


def _number(value: str | int | None) -> CheckpointType | None:
    return CheckpointType(value) if isinstance(value, int) and value in set(CheckpointType) else None


def _word(number: int) -> str:
    return name_of(CheckpointType, number)


def _left(facts: Facts, target: Target, text: str) -> Left:
    return Left(vm=target, node=facts.state.home(target.id) or "", text=text)


def _unread(facts: Facts, target: Target) -> Left:
    known = facts.state.vm(target.id) is not None
    text = f"{target.name}: its checkpoint type could not be read" if known else f"{target.name}: no node tells of it"
    refusal = Refusal(rule="unread", target=target, text=text, hold=True)
    return Left(vm=target, node=facts.state.home(target.id) or "", refusals=(refusal,))
