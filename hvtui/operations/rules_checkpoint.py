"""Rules about checkpoints: is it the one that was seen, can it be taken, applied or removed, does a backup need it?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hvtui.model.checkpoints import CheckpointInfo, Checkpoints
from hvtui.model.enums import CheckpointType, SnapshotType, VmState, name_of
from hvtui.operations.deliver import Can, deliver
from hvtui.operations.facts import Facts
from hvtui.operations.plan import Plan, Refusal, Target, Verb

MOST: Final = 50
"""Checkpoints that a VM can have (windows.md §2.2)."""
STARTABLE: Final = frozenset({VmState.Off, VmState.Saved, VmState.SavedVendor})
_SETTLED: Final = STARTABLE | {VmState.Running, VmState.Paused, VmState.PausedVendor}
"""States in which a VM stays: in all others Windows is at work on it."""


def ids_of(target: Target) -> tuple[str, str]:
    """The VM and the checkpoint of a target."""
    vm, _, key = target.id.partition("/")
    return vm, key


def answer_of(facts: Facts, target: Target) -> tuple[Checkpoints | None, CheckpointInfo | None]:
    """What was read of a checkpoint and of its VM's checkpoints."""
    vm, key = ids_of(target)
    answer = facts.checkpoints.get(vm)
    held = answer.checkpoints if answer is not None else None
    return answer, next((one for one in held or () if one.id == key), None)


def children_of(answer: Checkpoints, key: str) -> int:
    """How many checkpoints rest on one."""
    return sum(one.parent == key for one in answer.checkpoints or ())


def is_recovery(facts: Facts, target: Target) -> bool:
    """A backup made it; one of which that could not be read counts as such."""
    _, info = answer_of(facts, target)
    return info is None or info.type is None or info.type == SnapshotType.Recovery


def checkpoint(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """Why a checkpoint cannot be taken, applied or removed."""
    for change in plan.changes:
        target = change.target
        said = _take(facts, target) if plan.verb is Verb.CHECKPOINT else _held(facts, target, plan.verb)
        for text, hint in said:
            yield Refusal(rule="checkpoint", target=target, text=text, hint=hint)


def _take(facts: Facts, target: Target) -> Iterator[tuple[str, str]]:
    found = facts.state.vm(target.id)
    if found is None:
        return
    vm = found[1]
    if vm.checkpoint_type is None:
        yield f"{target.name}: its checkpoint type could not be read", ""
    elif vm.checkpoint_type == CheckpointType.Disabled:
        yield f"{target.name}: checkpoints are disabled for it", "Set another checkpoint type first."
    if vm.state not in _SETTLED:
        yield f"{target.name} is {name_of(VmState, vm.state)}: a checkpoint is taken when that is over", ""
    delivery = deliver(vm, facts.vm(target.id))
    if delivery.word is Can.NONE:
        yield f"{target.name}: Windows takes no checkpoint of it: {'; '.join(delivery.reasons)}", ""
    count = None if vm.checkpoints is None else sum(one.count for one in vm.checkpoints)
    if count is None:
        yield f"{target.name}: its checkpoints could not be read", ""
    elif count >= MOST:
        yield f"{target.name} has {count} checkpoints, and a VM can have {MOST}", "Remove some first."


def _held(facts: Facts, target: Target, verb: Verb) -> Iterator[tuple[str, str]]:
    answer, info = answer_of(facts, target)
    if answer is None or answer.checkpoints is None:
        errors = answer.errors if answer is not None else ()
        why = facts.unread.get(f"checkpoints:{ids_of(target)[0]}") or next((e.text for e in errors), "")
        yield f"the checkpoints of the VM could not be read{f': {why}' if why else ''}", ""
        return
    if info is None:
        yield f"{target.name} is not there any more", ""
        return
    if info.type is None:
        yield f"{target.name}: what kind of checkpoint it is could not be read", ""
    elif verb is Verb.APPLY and info.type != SnapshotType.Standard:
        kind = name_of(SnapshotType, info.type)
        yield f"{target.name} is a {kind} checkpoint, which Windows made for itself: hvtui does not apply it", ""
    elif verb is Verb.REMOVE and info.type not in {SnapshotType.Standard, SnapshotType.Recovery}:
        kind = name_of(SnapshotType, info.type)
        yield f"{target.name} is a {kind} checkpoint: replication or Windows itself needs it", ""
    if verb is Verb.APPLY and info.saved is None:
        yield f"{target.name}: whether it holds memory could not be read, so what applying it does is not known", ""
    if answer.state is None:
        yield f"the state of {answer.name or 'its VM'} could not be read", ""
    elif answer.state not in _SETTLED:
        yield f"{answer.name} is {name_of(VmState, answer.state)}: wait until that is over", ""


def start(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """Only a VM that is off or saved is started."""
    for change in plan.changes:
        found = facts.state.vm(change.target.id)
        if found is not None and found[1].state not in STARTABLE:
            text = f"{change.target.name} is {name_of(VmState, found[1].state)}: there is nothing to start"
            yield Refusal(rule="start", target=change.target, text=text)
