"""Checkpoints taken, applied and removed, and VMs started: one after the other, each followed to its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from hvtui.journal.entry import Values
from hvtui.model.checkpoint_rows import STANDARD, kind_of
from hvtui.model.checkpoints import CheckpointInfo, Checkpoints
from hvtui.model.enums import CheckpointType, SnapshotType, VmState, name_of
from hvtui.model.severity import Severity
from hvtui.operations.audit import Answer
from hvtui.operations.desk import Desk
from hvtui.operations.holds import vm_target
from hvtui.operations.nodes import Parameters
from hvtui.operations.plan import Change, Plan, Refusal, Target, Verb
from hvtui.operations.rules_checkpoint import children_of, ids_of
from hvtui.operations.run import ItemState, Offer, Run, RunItem, RunState
from hvtui.operations.runs import look
from hvtui.operations.runs.checkpoint_look import Following, read

TAKE: Final = "New-HvTuiCheckpoint"
APPLY: Final = "Restore-HvTuiCheckpoint"
REMOVE: Final = "Remove-HvTuiCheckpoint"
START: Final = "Start-HvTuiVM"
_COLD: Final = frozenset({VmState.Off, VmState.Saved, VmState.SavedVendor})


@dataclass(frozen=True)
class Turn:
    """One change of a run whose turn has come."""

    desk: Desk
    run: Run
    item: RunItem
    change: Change


Step = Callable[[Turn], Awaitable[None]]


class CheckpointRun:
    """Runs of checkpoint, apply, remove and start."""

    def lay_out(self, run: Run) -> None:
        """An item for every target."""
        run.items = [RunItem(target=change.target, source=change.node) for change in run.plan.changes]

    async def run(self, desk: Desk, run: Run) -> RunState:
        """One after the other. What Windows has begun goes on: no cmdlet ends a merge or a checkpoint in the middle."""
        step = _STEPS[run.plan.verb]
        for item, change in zip(run.items, run.plan.changes, strict=True):
            left = len(run.items) - run.items.index(item) - 1
            run.can_cancel = left > 0
            run.cancel_text = (
                "those whose turn has not come stay as they are"
                if left
                else "cannot cancel: Windows carries it to its end"
            )
            if run.cancelling:
                item.state, item.text = ItemState.CANCELLED, "cancelled before it began"
            elif await _checked(desk, run, item, change):
                item.state = ItemState.RUNNING
                await step(Turn(desk, run, item, change))
                item.percent = None
            bad = item.state is not ItemState.DONE
            code = f" ({item.code})" if item.code else ""
            text = f"{item.target.name}: {item.state.value}, {item.text}{code}"
            desk.line(run, text, Severity.WARN if bad else Severity.INFO)
        return look.end_state(run)


async def _checked(desk: Desk, run: Run, item: RunItem, change: Change) -> bool:
    """The gate lets it pass, right before."""
    item.text = "checked once more"
    desk.tell(run)
    refusals = await desk.check(run, _alone(run.plan, change), [change.node])
    if refusals:
        _refuse(item, refusals)
    return not refusals


def _alone(plan: Plan, change: Change) -> Plan:
    seen = {key: saw for key, saw in plan.seen.items() if key == change.target.key}
    return msgspec.structs.replace(
        plan, changes=(change,), targets=(change.target,), seen=seen, left=(), notes=(), refusals=()
    )


async def _ask(turn: Turn, function: str, parameters: Parameters) -> tuple[Answer, Following] | None:
    """Make the call; None when nothing was begun, and the item says why."""
    desk, run, item, change = turn.desk, turn.run, turn.item, turn.change
    vm = change.target if change.target.kind == "vm" else _vm_of(desk, change.target)
    view = desk.state.nodes.get(desk.state.node_name(change.node))
    before = frozenset(job.id for job in (view.jobs_of.get(vm.id, ()) if view is not None else ()))
    since = look.began(desk, change.node)
    item.text = f"asking {change.node}"
    desk.tell(run)
    answer = await desk.call(run, change.node, function, parameters, change.target)
    if not answer.worked:
        refused = answer.outcome == "refused" and answer.rule != "windows"
        item.state = ItemState.REFUSED if refused else ItemState.FAILED
        item.text, item.code, item.advice = answer.text, answer.code, answer.hint
        return None
    item.text = answer.text if answer.outcome == "unknown" else "Windows works on it"
    desk.tell(run)
    return answer, Following(desk, run, item, vm, change.node, since, before, desk.now())


def _vm_of(desk: Desk, target: Target) -> Target:
    key, _ = ids_of(target)
    found = desk.state.vm(key)
    return vm_target(key, found[1].name if found is not None else key)


# --- take ---


async def _take(turn: Turn) -> None:
    desk, run, item, change = turn.desk, turn.run, turn.item, turn.change
    vm, node = change.target, change.node
    found = desk.state.vm(vm.id)
    listed = await read(desk, node, vm.id)
    if found is None or listed is None:
        item.state, item.text = ItemState.REFUSED, "its checkpoints could not be read right before"
        return
    before = {one.id for one in listed.checkpoints or ()}
    state, kind = found[1].state, found[1].checkpoint_type
    name = change.after
    asked = await _ask(turn, TAKE, {"VMId": vm.id, "Name": name, "ExpectState": state, "ExpectType": kind})
    if asked is None:
        return
    answer, following = asked
    one = await _new(following, before, name)
    if one is None:
        await _failed(following, answer, "no checkpoint was taken")
        return
    item.state = ItemState.DONE
    item.text = _taken(one, name, kind, state)
    if one.saved and kind == CheckpointType.Production and state == VmState.Running:
        item.advice = "Applying it brings old memory back. See why the guest could not freeze, or set ProductionOnly."
        desk.line(run, f"{vm.name}: a silent fallback, {item.text}", Severity.WARN)
    after: Values = {"checkpoint": one.id, "name": one.name, "saved": None if one.saved is None else int(one.saved)}
    await desk.read_back(run, answer, item.state.value, item.text, after)


async def _new(following: Following, before: set[str], name: str) -> CheckpointInfo | None:
    """The checkpoint that came, when Windows is done; its name comes last (windows.md §2.4)."""
    came: CheckpointInfo | None = None
    while True:
        following.look()
        listed = await following.listed()
        new = [one for one in listed or () if one.id not in before and one.type == SnapshotType.Standard]
        came = next((one for one in new if one.name == name), new[0] if len(new) == 1 else None)
        if came is not None and came.name == name and following.idle is not None:
            return came
        if following.over and listed is not None:
            return came
        await following.desk.watcher.pause(following.desk.pace.poll)


def _taken(one: CheckpointInfo, name: str, kind: int | None, state: int) -> str:
    word = kind_of(one)
    if state in _COLD and not one.saved:
        word = "taken while it was off, without memory"
    text = f"it became: {word}"
    if one.saved and kind in {CheckpointType.Production, CheckpointType.ProductionOnly} and state == VmState.Running:
        text = f"it became: {STANDARD}, though its type is {name_of(CheckpointType, kind)}"
    return text if one.name == name else f"{text}; its name is {one.name}, not {name}"


# --- apply ---


async def _apply(turn: Turn) -> None:
    desk, run, item, change = turn.desk, turn.run, turn.item, turn.change
    vm, key = ids_of(change.target)
    listed = await read(desk, change.node, vm)
    one = _of(listed, key)
    if listed is None or one is None or one.saved is None or listed.state is None:
        item.state, item.text = ItemState.REFUSED, "it could not be read right before"
        return
    state, saved = listed.state, one.saved
    parameters: Mapping[str, str | int] = {
        "VMId": vm,
        "CheckpointId": key,
        "ExpectState": state,
        "ExpectSaved": int(saved),
    }
    asked = await _ask(turn, APPLY, parameters)
    if asked is None:
        return
    answer, following = asked
    alive = state not in _COLD
    wanted = (VmState.Running if alive else VmState.Saved) if saved else VmState.Off
    now = await _applied(following, key, wanted)
    # Where it rested on it before, and is in no other state than before, only the job tells.
    told = answer.outcome != "unknown" or following.worked or (now is not None and now.state != state)
    if now is None or now.current != key or not told or (now.state == state and alive and not saved):
        await _failed(following, answer, "it was not applied")
        return
    word = name_of(VmState, now.state)
    memory = "with the memory of then" if saved else "without memory"
    item.state, item.text = ItemState.DONE, f"{following.vm.name} is what it was then, {memory}; it is {word}"
    if now.state in _COLD and alive:
        run.offers = (Offer(Verb.START_VM, (following.vm,), f"Start {following.vm.name}"),)
    await desk.read_back(run, answer, item.state.value, item.text, {"current": key, "state": now.state})


async def _applied(following: Following, key: str, wanted: int) -> Checkpoints | None:
    """What the VM is when Windows is done; None when that could not be read."""
    while True:
        following.look()
        now = await following.answer()
        there = now is not None and now.current == key
        rests = now is not None and now.state == wanted
        if following.over and now is not None and ((there and rests) or not following.worked or following.failed):
            return now
        if following.over and now is not None and following.rest > following.desk.pace.settle:
            return now
        await following.desk.watcher.pause(following.desk.pace.poll)


# --- remove ---


async def _remove(turn: Turn) -> None:
    desk, run, item, change = turn.desk, turn.run, turn.item, turn.change
    vm, key = ids_of(change.target)
    listed = await read(desk, change.node, vm)
    one = _of(listed, key)
    if listed is None or one is None or one.type is None:
        item.state, item.text = ItemState.REFUSED, "it could not be read right before"
        return
    parameters: Mapping[str, str | int] = {
        "VMId": vm,
        "CheckpointId": key,
        "ExpectType": one.type,
        "ExpectChildren": children_of(listed, key),
    }
    asked = await _ask(turn, REMOVE, parameters)
    if asked is None:
        return
    answer, following = asked
    gone = await _merged(following, key)
    code, text = following.told() if not following.failed else await following.why()
    if not gone:
        await _failed(following, answer, "it was not removed")
    elif following.failed or text:
        item.state, item.code = ItemState.FAILED, code
        item.text = f"it is gone from the list, but its disk was not merged{f': {text}' if text else ''}"
        item.advice = "Do not delete an .avhdx by hand. See the disk chain, and shut the VM down to merge it offline."
        await desk.read_back(run, answer, item.state.value, item.text, {"listed": 0})
    else:
        item.state, item.text = ItemState.DONE, "removed, and its disk is merged"
        await desk.read_back(run, answer, item.state.value, item.text, {"listed": 0})


async def _merged(following: Following, key: str) -> bool:
    """It left the list, and no merge runs any more."""
    while True:
        following.look()
        listed = await following.listed()
        gone = listed is not None and all(one.id != key for one in listed)
        # Gone at once and merged in the background: the merge is seen a little later.
        if gone and following.rest >= following.desk.pace.grace:
            return True
        if not gone and listed is not None and following.over:
            return False
        if gone and following.item.text != "merging its disk":
            following.item.text = "merging its disk"
            following.desk.tell(following.run)
        await following.desk.watcher.pause(following.desk.pace.poll)


# --- start ---


async def _start(turn: Turn) -> None:
    desk, run, item, change = turn.desk, turn.run, turn.item, turn.change
    vm = change.target
    found = desk.state.vm(vm.id)
    if found is None:
        item.state, item.text = ItemState.REFUSED, "it could not be read right before"
        return
    asked = await _ask(turn, START, {"VMId": vm.id, "ExpectState": found[1].state})
    if asked is None:
        return
    answer, following = asked

    def state() -> int | None:
        record = following.record()
        return record.state if record is not None else None

    def over() -> bool:
        following.look()
        return state() == VmState.Running or (bool(following.failed) and following.over)

    await desk.watcher.until(over, desk.pace.settle)
    if state() == VmState.Running:
        item.state, item.text = ItemState.DONE, "it runs"
        await desk.read_back(run, answer, item.state.value, item.text, {"state": int(VmState.Running)})
    else:
        await _failed(following, answer, f"it is {name_of(VmState, state())}")


# --- helpers ---


async def _failed(following: Following, answer: Answer, text: str) -> None:
    """It did not come about: why, in Windows' words where there are any."""
    item = following.item
    item.code, why = await following.why()
    if answer.outcome == "unknown" and not following.worked and not why:
        item.state = ItemState.UNKNOWN
        item.text = f"the answer was lost, and no sign of it came: {text}; it was not asked again"
    else:
        item.state = ItemState.FAILED
        item.text = f"{text}: {why}" if why else f"{text}; Windows told no reason in its events"
    await following.desk.read_back(following.run, answer, item.state.value, item.text)


def _of(listed: Checkpoints | None, key: str) -> CheckpointInfo | None:
    held = listed.checkpoints if listed is not None else None
    return next((one for one in held or () if one.id == key), None)


def _refuse(item: RunItem, refusals: tuple[Refusal, ...]) -> None:
    item.state = ItemState.HELD if all(refusal.hold for refusal in refusals) else ItemState.REFUSED
    item.text = "; ".join(dict.fromkeys(refusal.text for refusal in refusals))
    item.advice = next((refusal.hint for refusal in refusals if refusal.hint), "")


_STEPS: Final[dict[Verb, Step]] = {
    Verb.CHECKPOINT: _take,
    Verb.APPLY: _apply,
    Verb.REMOVE: _remove,
    Verb.START_VM: _start,
}
