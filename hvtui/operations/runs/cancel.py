"""Cancel of migrations that run, whoever began them: the VM stays on its source."""

from __future__ import annotations

from hvtui.model.severity import Severity
from hvtui.operations.desk import Desk
from hvtui.operations.queue import is_moving
from hvtui.operations.run import ItemState, Run, RunItem, RunState
from hvtui.operations.runs import look
from hvtui.operations.runs.moves import STOP_MOVE


class CancelRun:
    """Runs of cancel."""

    def lay_out(self, run: Run) -> None:
        """An item for every VM."""
        run.items = [RunItem(target=target) for target in run.plan.targets]

    async def run(self, desk: Desk, run: Run) -> RunState:
        """One after the other: each call takes seconds, and none waits for Windows."""
        run.cancel_text = "cannot cancel: a cancel is asked for in one call"
        for item in run.items:
            await _one(desk, run, item)
            severity = Severity.INFO if item.state is ItemState.DONE else Severity.WARN
            desk.line(run, f"{item.target.name}: {item.text}", severity)
        return look.end_state(run)


async def _one(desk: Desk, run: Run, item: RunItem) -> None:
    vm, state = item.target, desk.state
    owner = look.owner_of(state, vm.id)
    item.state, item.source = ItemState.RUNNING, owner
    if not owner or not is_moving(state, vm.id):
        item.state, item.text = ItemState.REFUSED, "no migration of it runs any more"
        return
    answer = await desk.call(run, owner, STOP_MOVE, {"VMId": vm.id, "ExpectOwner": owner}, vm, look=False)
    if not answer.worked:
        item.state = ItemState.REFUSED if answer.outcome == "refused" else ItemState.FAILED
        item.text, item.code, item.advice = answer.text, answer.code, answer.hint
        return
    asked = desk.now()

    def over() -> bool:
        heard = desk.state.cluster.link.last_frame
        return heard is not None and heard > asked and not is_moving(desk.state, vm.id)

    ended = await desk.watcher.until(over, desk.pace.settle)
    seen = desk.now()

    def told() -> bool:
        """Where it is now comes in another message than the end of its job."""
        heard = desk.state.cluster.link.last_frame
        still = heard is not None and heard > seen and desk.now() - seen >= desk.pace.grace
        return still or not look.same(look.owner_of(desk.state, vm.id), owner)

    ended = ended and await desk.watcher.until(told, desk.pace.settle)
    now = look.owner_of(desk.state, vm.id)
    if not ended:
        lost = "the answer was lost" if answer.outcome == "unknown" else "asked for"
        item.state, item.text = ItemState.UNKNOWN, f"{lost}; how the migration ended is not seen yet"
    elif look.same(now, owner):
        item.state, item.text = ItemState.DONE, f"cancelled, still on {owner}"
    else:
        item.state, item.text = ItemState.FAILED, f"it was too late: it is on {now}"
    await desk.read_back(run, answer, item.state.value, item.text, {"owner": now})
