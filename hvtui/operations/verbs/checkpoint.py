"""Checkpoints: take one, apply one, remove one, and start a VM that applying left off. Says before what will happen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from hvtui.model.checkpoint_rows import kind_of
from hvtui.model.checkpoints import CheckpointInfo, Checkpoints
from hvtui.model.enums import CheckpointType, VmState, name_of
from hvtui.model.placement import place
from hvtui.model.severity import Severity
from hvtui.operations.deliver import becomes
from hvtui.operations.facts import Facts
from hvtui.operations.gate import settle
from hvtui.operations.holds import vm_target
from hvtui.operations.plan import Change, Level, Note, Plan, Target, Verb
from hvtui.operations.rules_checkpoint import answer_of, children_of, ids_of, is_recovery
from hvtui.operations.verbs.draft import draft
from hvtui.operations.verbs.draft import name_of as vm_name
from hvtui.operations.verbs.policy import KEY_CHANGES, delivery_of

_TIGHT: Final = 10.0
"""Percent of a volume below which a checkpoint's growth, or a merge, may fill it."""


def checkpoint_target(vm: str, info: CheckpointInfo) -> Target:
    """A checkpoint as a plan names it."""
    return Target(kind="checkpoint", id=f"{vm}/{info.id}", name=info.name)


def plan_take(facts: Facts, keys: Iterable[str], name: str = "") -> Plan:
    """A checkpoint of each VM, and what it will really be."""
    targets = tuple(vm_target(key, vm_name(facts, key)) for key in dict.fromkeys(keys))
    changes = [_take(facts, target, name) for target in targets]
    names = targets[0].name if len(targets) == 1 else f"{len(targets)} VMs"
    plan = draft(facts, Verb.CHECKPOINT, f"Take a checkpoint of {names}", targets)
    notes = [note for target in targets for note in _space(facts, target.id, "its growth may fill it")]
    plan = msgspec.structs.replace(plan, changes=tuple(changes), notes=tuple(notes), options={"name": name})
    typed = len(changes) > KEY_CHANGES
    return _leveled(facts, settle(plan, facts), typed=typed, name=targets[0].name if len(targets) == 1 else "")


def _take(facts: Facts, target: Target, name: str) -> Change:
    found = facts.state.vm(target.id)
    kind = found[1].checkpoint_type if found is not None else None
    held = found[1].checkpoints if found is not None else None
    count = "?" if held is None else str(sum(one.count for one in held))
    if kind is None:
        text, severity = "its checkpoint type could not be read", Severity.UNKNOWN
    else:
        text, severity = becomes(delivery_of(facts, target.id), kind)
        text = f"{name_of(CheckpointType, kind)}: {text}"
    return Change(
        target=target,
        node=facts.state.home(target.id) or "",
        before=f"{count} checkpoints",
        after=name or f"{target.name} - hvtui {facts.now:%Y-%m-%d %H.%M.%S}",
        text=text,
        severity=severity,
    )


def plan_apply(facts: Facts, targets: Sequence[Target]) -> Plan:
    """Go back to a checkpoint: the present state is lost."""
    target = targets[0]
    vm, _ = ids_of(target)
    answer, info = answer_of(facts, target)
    name = vm_name(facts, vm)
    plan = draft(facts, Verb.APPLY, f"Apply the checkpoint {target.name} of {name}", (target,))
    text, severity = _applied(name, answer, info)
    state = answer.state if answer is not None else None
    change = Change(
        target=target,
        node=facts.state.home(vm) or "",
        before=f"{name} as it is, {name_of(VmState, state)}",
        after=_after_apply(answer, info),
        text=text,
        severity=severity,
    )
    lost = f"everything {name} did since is discarded, its disks included: take a checkpoint first to keep it"
    notes = [Note(text=lost, severity=Severity.BAD), Note(text=text, severity=severity)]
    if info is not None and info.created is not None:
        notes.append(Note(text=f"it is {_age(facts, info)} old"))
    delivery = delivery_of(facts, vm)
    if delivery.controller:
        what = "its directory goes back in time" + (
            " with its memory: that is not supported" if info and info.saved else ""
        )
        notes.append(Note(text=f"{name} is a domain controller: {what}", severity=Severity.BAD))
    plan = msgspec.structs.replace(plan, changes=(change,), notes=tuple(notes))
    return _leveled(facts, settle(plan, facts), typed=True, name=name)


def _applied(name: str, answer: Checkpoints | None, info: CheckpointInfo | None) -> tuple[str, Severity]:
    if info is None or info.saved is None or answer is None:
        return "whether it holds memory could not be read", Severity.UNKNOWN
    if info.saved:
        text = f"the memory of then returns: databases, Exchange and domain controllers in {name} are at risk"
        return text, Severity.BAD
    return f"it holds no memory: {name} is off afterwards, and starting it is offered", Severity.WARN


def _after_apply(answer: Checkpoints | None, info: CheckpointInfo | None) -> str:
    if info is None or info.saved is None:
        return "?"
    if not info.saved:
        return f"{info.name}, Off"
    running = answer is not None and answer.state in {VmState.Running, VmState.Paused, VmState.PausedVendor}
    return f"{info.name}, {'Running' if running else 'Saved'}"


def plan_remove(facts: Facts, targets: Sequence[Target]) -> Plan:
    """Remove one checkpoint, and only that: what was written since is merged, and the VM goes on."""
    target = targets[0]
    vm, key = ids_of(target)
    answer, info = answer_of(facts, target)
    name = vm_name(facts, vm)
    plan = draft(facts, Verb.REMOVE, f"Remove the checkpoint {target.name} of {name}", (target,))
    kind = kind_of(info) if info is not None else "?"
    below = children_of(answer, key) if answer is not None else 0
    text = "its disk is merged, which takes as long as it is large" + (
        f"; {below} that rest on it stay" if below else ""
    )
    change = Change(
        target=target, node=facts.state.home(vm) or "", before=kind, after="removed", text=text, severity=Severity.WARN
    )
    notes = [Note(text=f"one cannot go back to {target.name} any more", severity=Severity.WARN)]
    if info is not None and info.created is not None:
        notes.append(Note(text=f"it is {_age(facts, info)} old"))
    if is_recovery(facts, target):
        whose = "a backup made it and removes it itself; only one that a backup left behind is removed by hand"
        notes.append(Note(text=whose, severity=Severity.WARN))
    notes += _space(facts, vm, "a merge may need as much as the disk is large")
    plan = msgspec.structs.replace(plan, changes=(change,), notes=tuple(notes))
    return _leveled(facts, settle(plan, facts), typed=True, name=name)


def plan_start_vm(facts: Facts, keys: Iterable[str]) -> Plan:
    """Start VMs that are off or saved."""
    targets = tuple(vm_target(key, vm_name(facts, key)) for key in dict.fromkeys(keys))
    changes = []
    for target in targets:
        found = facts.state.vm(target.id)
        word = name_of(VmState, found[1].state) if found is not None else "?"
        node = facts.state.home(target.id) or ""
        changes.append(Change(target=target, node=node, before=word, after=VmState.Running.name))
    names = targets[0].name if len(targets) == 1 else f"{len(targets)} VMs"
    plan = msgspec.structs.replace(draft(facts, Verb.START_VM, f"Start {names}", targets), changes=tuple(changes))
    typed = len(changes) > KEY_CHANGES
    return _leveled(facts, settle(plan, facts), typed=typed, name=targets[0].name if len(targets) == 1 else "")


def _leveled(facts: Facts, plan: Plan, *, typed: bool, name: str) -> Plan:
    level = Level.TYPED if typed or facts.protected else Level.KEY
    return msgspec.structs.replace(plan, level=level, name=name or plan.cluster)


def _space(facts: Facts, vm: str, why: str) -> Iterator[Note]:
    """Volumes of the VM on which there is little room."""
    csvs = facts.state.cluster.csvs or {}
    for key in place(facts.state, vm).csvs:
        csv = csvs.get(key)
        if csv is None or csv.free is None or not csv.size:
            yield Note(
                text=f"how much is free on a volume of {vm_name(facts, vm)} could not be read", severity=Severity.WARN
            )
        elif csv.free * 100 < csv.size * _TIGHT:
            percent = csv.free * 100 // csv.size
            yield Note(text=f"{csv.path}: {percent} % free; {why}", severity=Severity.WARN)


def _age(facts: Facts, info: CheckpointInfo) -> str:
    assert info.created is not None
    minutes = max(0, int((facts.now - info.created).total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
