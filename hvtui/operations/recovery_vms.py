"""After a console that was killed: what the cluster shows of changes of VMs, their checkpoint types and checkpoints."""

from __future__ import annotations

from typing import Final

from hvtui.journal.entry import Kind
from hvtui.journal.unfinished import Unfinished
from hvtui.model.checkpoints import Checkpoints
from hvtui.model.enums import VmState, name_of
from hvtui.model.state import ClusterState
from hvtui.operations.backup_state import running_jobs
from hvtui.operations.plan import Change, Plan, Target, Verb
from hvtui.operations.recovery import Truth
from hvtui.operations.run import Offer
from hvtui.operations.verbs.policy import type_of

_NAMED: Final = 20
"""VMs that are told one by one; more are counted."""


def vms_truth(state: ClusterState, one: Unfinished, plan: Plan, held: dict[str, Checkpoints]) -> Truth:
    """`held` are the checkpoints of its VMs, as they were just read."""
    lines: list[str] = []
    offers: list[Offer] = []
    if plan.verb in {Verb.POLICY, Verb.POLICY_UNDO}:
        settled = _types(state, plan, one, lines, offers)
    else:
        settled = _checkpoints(state, plan, one, held, (lines, offers))
    return Truth(tuple(lines), settled, tuple(offers))


def _types(state: ClusterState, plan: Plan, one: Unfinished, lines: list[str], offers: list[Offer]) -> bool:
    """Which VMs have the type that was wanted. Offers to go on with the others, and to give back what was changed."""
    asked = {vm for call in one.calls for vm in _asked(str(call.step.requested.get("VM") or ""))}
    done: list[Target] = []
    rest: list[Target] = []
    unread: list[Target] = []
    for change in plan.changes:
        found = state.vm(change.target.id)
        now = found[1].checkpoint_type if found is not None else None
        if now is None:
            unread.append(change.target)
        elif now == type_of(change.after):
            done.append(change.target)
        else:
            rest.append(change.target)
    begun = sum(target.id in asked for target in rest)
    lines.append(f"{len(done)} of {len(plan.changes)} VMs have the type that was wanted")
    if rest:
        what = f", {begun} of them though their node was asked" if begun else ""
        lines.append(f"{len(rest)} have another one{what}: {_names(rest)}")
    if unread:
        lines.append(f"of {len(unread)} it is not read now: {_names(unread)}")
    if rest and plan.verb is Verb.POLICY:
        text = f"Go on with the {len(rest)} VMs that are left"
        offers.append(Offer(Verb.POLICY, tuple(rest), text, dict(plan.options)))
    elif rest:
        offers.append(Offer(Verb.POLICY_UNDO, (), "Go on with giving back", dict(plan.options)))
    if done and plan.verb is Verb.POLICY:
        text = f"Give back what {'it' if len(done) == 1 else 'they'} had before"
        offers.append(Offer(Verb.POLICY_UNDO, (), text, {"operation": one.operation}))
    return not rest and not unread


def _checkpoints(
    state: ClusterState,
    plan: Plan,
    one: Unfinished,
    held: dict[str, Checkpoints],
    told: tuple[list[str], list[Offer]],
) -> bool:
    """What became of checkpoints that were to be taken, applied or removed, and of VMs to be started."""
    lines, offers = told
    calls = {call.step.target_id for call in one.calls if call.step.kind is Kind.STEP}
    settled = True
    for change in plan.changes:
        vm = change.target.id.partition("/")[0]
        if _works(state, vm):
            lines.append(f"{change.target.name}: Windows is at work on it")
            settled = False
            continue
        asked = change.target.id in calls
        word, over = _told(state, plan.verb, change, held.get(vm))
        lines.append(f"{change.target.name}: {word}{'' if asked else '; it was not asked for yet'}")
        settled = settled and over
        if not over:
            text = f"{plan.title.partition(' ')[0]} {change.target.name} again, looked at anew"
            offers.append(Offer(plan.verb, (change.target,), text, dict(plan.options)))
        elif plan.verb is Verb.APPLY and _state(state, vm) == VmState.Off:
            name = _name(state, vm)
            offers.append(Offer(Verb.START_VM, (Target(kind="vm", id=vm, name=name),), f"Start {name}"))
    return settled


def _told(state: ClusterState, verb: Verb, change: Change, held: Checkpoints | None) -> tuple[str, bool]:
    """What is to be seen, and whether that is what was wanted."""
    vm, _, key = change.target.id.partition("/")
    if verb is Verb.START_VM:
        at = _state(state, vm)
        return f"it is {name_of(VmState, at)}", at == VmState.Running
    if held is None or held.checkpoints is None:
        return "its checkpoints could not be read", False
    if verb is Verb.CHECKPOINT:
        there = any(one.name == change.after for one in held.checkpoints)
        return (f"{change.after} is there" if there else f"there is no checkpoint {change.after}"), there
    listed = any(one.id == key for one in held.checkpoints)
    if verb is Verb.REMOVE:
        return ("it is still listed" if listed else "it is removed"), not listed
    # Resting on it is what it did before as well, when it was the newest: its state is the better sign.
    now = name_of(VmState, held.state)
    there = held.current == key
    return (f"the VM rests on it and is {now}" if there else f"the VM rests on another one and is {now}"), there


def _works(state: ClusterState, vm: str) -> bool:
    found = state.vm(vm)
    return found is not None and next(iter(running_jobs(found[0].jobs_of.get(vm, ()))), None) is not None


def _state(state: ClusterState, vm: str) -> int | None:
    found = state.vm(vm)
    return found[1].state if found is not None else None


def _name(state: ClusterState, vm: str) -> str:
    found = state.vm(vm)
    return found[1].name if found is not None else vm


def _asked(pairs: str) -> list[str]:
    return [pair.partition(":")[0] for pair in pairs.split(",") if pair]


def _names(targets: list[Target]) -> str:
    more = f" and {len(targets) - _NAMED} more" if len(targets) > _NAMED else ""
    return ", ".join(target.name for target in targets[:_NAMED]) + more
