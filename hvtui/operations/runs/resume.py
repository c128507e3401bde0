"""Resume: the node is Up again, and with failback its roles come home, each verified."""

from __future__ import annotations

from hvtui.model.enums import DrainStatus, NodeState, signed
from hvtui.model.severity import Severity
from hvtui.operations.audit import Answer
from hvtui.operations.desk import Desk, GivenUpError
from hvtui.operations.nodes import Parameters
from hvtui.operations.plan import Plan, Target
from hvtui.operations.queue import is_moving
from hvtui.operations.run import ItemState, Run, RunItem, RunStage, RunState
from hvtui.operations.runs import look
from hvtui.operations.runs.drain import RESUME, way_back

IMMEDIATE = "Immediate"
_ENDED = frozenset({DrainStatus.Completed, DrainStatus.Failed})


class ResumeRun:
    """Runs of resume."""

    def lay_out(self, run: Run) -> None:
        """An item for every VM that is expected home."""
        run.items = [
            RunItem(target=move.vm, source=move.source, destination=move.destination) for move in run.plan.moves
        ]
        run.stages = [RunStage(stage.action, stage.node, stage.text) for stage in run.plan.stages]

    async def run(self, desk: Desk, run: Run) -> RunState:
        """One node."""
        run.cancel_text = "cannot cancel: the cluster brings the roles back by itself"
        node = run.plan.targets[0].id
        run.current, run.stages[0].state = 0, ItemState.RUNNING
        refusals = await desk.check(run, run.plan, [node], fork=False)
        if refusals:
            raise GivenUpError("; ".join(dict.fromkeys(refusal.text for refusal in refusals)))
        home = await resume(desk, run, run.plan, node, items=run.items)
        run.stages[0].state = ItemState.DONE if home else ItemState.FAILED
        state = look.end_state(run)
        return state if home or state is not RunState.DONE else RunState.FAILED


async def resume(desk: Desk, run: Run, plan: Plan, node: str, *, items: list[RunItem]) -> bool:
    """Resume the node with the plan's failback and follow it; True when it is Up and, with failback, its VMs are home.

    The gate has just been asked. Raises GivenUpError when nothing was begun.
    """
    target = Target(kind="node", id=node, name=node)
    failback = plan.options.get("failback", IMMEDIATE)
    member = desk.state.member(node)
    if member is None:
        raise GivenUpError(f"the cluster tells nothing of {node}")
    was = {item.target.id: _state_of(desk, item) for item in items}
    parameters: Parameters = {
        "Failback": failback,
        "ExpectState": signed(member.state),
        "ExpectDrain": member.drain or 0,
    }
    answer = await desk.call(run, node, RESUME, parameters, target)
    if not answer.worked:
        run.offers = way_back(node, was)
        raise GivenUpError(f"{node} was not resumed: {answer.text}")
    asked = desk.now()

    def is_up() -> bool:
        heard, now = desk.state.cluster.link.last_frame, desk.state.member(node)
        return heard is not None and heard > asked and now is not None and signed(now.state) == NodeState.Up

    if not await desk.watcher.until(is_up, desk.pace.settle):
        text = f"{node} is not seen to be Up"
        if answer.outcome == "unknown":
            text = f"the answer was lost, and {text}; it was not asked again"
        desk.line(run, text, Severity.BAD)
        await desk.read_back(run, answer, "unknown" if answer.outcome == "unknown" else "failed", text)
        run.offers = way_back(node, was)
        return False
    desk.line(run, f"{node} is Up")
    if failback != IMMEDIATE:
        for item in items:
            if not item.ended:
                item.state, item.text = ItemState.DONE, "stays where it is"
        await desk.read_back(run, answer, "done", f"{node} is Up, no failback was asked for")
        return True
    return await _Home(desk, run, node, items, answer).follow(was)


class _Home:
    """Roles on their way home."""

    def __init__(self, desk: Desk, run: Run, node: str, items: list[RunItem], answer: Answer) -> None:
        self._desk = desk
        self._run = run
        self._node = node
        self._items = items
        self._was: dict[str, int | None] = {}
        self._answer = answer
        self._since = look.began(desk, node)
        self._begun = False
        self._last = ""
        self._changed = desk.now()

    async def follow(self, was: dict[str, int | None]) -> bool:
        """Until all are home in the state they were in, or the cluster brings nobody back any more."""
        self._was = was
        desk, run, node = self._desk, self._run, self._node
        await desk.watcher.until(lambda: self._all_home() or self._over())
        home = self._all_home()
        for item in self._items:
            if item.state is not ItemState.DONE:
                owner = look.owner_of(desk.state, item.target.id)
                codes = await look.why(desk, item.target, (owner or node, node), self._since)
                item.state, item.percent = ItemState.FAILED, None
                look.explain_item(item, codes, f"did not come home, it is on {owner or 'no known node'}")
        count = len(self._items)
        away = sum(item.state is not ItemState.DONE for item in self._items)
        text = f"{count} VMs are home on {node}, running as before" if home else f"{away} of {count} VMs are not home"
        if not count:
            text = f"{node} is Up; which VMs come back is Windows' knowledge"
        desk.line(run, text, Severity.INFO if home else Severity.WARN)
        await desk.read_back(run, self._answer, "done" if home else "failed", text)
        return home

    def _all_home(self) -> bool:
        items = self._items
        self._failback()
        for item in items:
            self._follow_vm(item)
        marks = " ".join(f"{i.target.id} {i.state} {i.percent}" for i in items)
        if marks != self._last:
            self._last, self._changed = marks, self._desk.now()
            home = sum(item.state is ItemState.DONE for item in items)
            self._desk.line(self._run, f"{home} of {len(items)} VMs are home on {self._node}")
        if items:
            return all(item.state is ItemState.DONE for item in items)
        return self._failback() in _ENDED

    def _follow_vm(self, item: RunItem) -> None:
        state, vm = self._desk.state, item.target.id
        role = state.role(vm)
        if role is None or role.owner is None:
            return
        if is_moving(state, vm):
            item.state, item.text, item.percent = ItemState.RUNNING, "coming home", look.percent_of(state, role)
        elif look.same(role.owner, self._node):
            now, was = look.vm_state(state, vm, self._node), self._was.get(vm)
            item.percent = None
            if now is not None and (was is None or now == was):
                item.state, item.text = ItemState.DONE, f"home, {look.state_word(now)} as before"
            else:
                item.state, item.text = ItemState.RUNNING, f"its role is home: {look.state_word(now)}"
        else:
            item.state, item.text, item.percent = ItemState.QUEUED, f"still on {role.owner}", None

    def _over(self) -> bool:
        """Nobody comes any more: the cluster says so, or nothing has moved for long."""
        if any(item.state is ItemState.RUNNING for item in self._items):
            return False
        quiet = self._desk.now() - self._changed
        ended = self._begun and self._failback() in _ENDED
        return quiet > (self._desk.pace.grace if ended else self._desk.pace.settle)

    def _failback(self) -> int | None:
        """FailbackStatus; what an earlier resume left there is told apart by having seen this one begin."""
        member = self._desk.state.member(self._node)
        found = member.failback if member is not None else None
        self._begun |= found == DrainStatus.InProgress
        return found


def _state_of(desk: Desk, item: RunItem) -> int | None:
    owner = look.owner_of(desk.state, item.target.id)
    return look.vm_state(desk.state, item.target.id, owner) if owner else None
