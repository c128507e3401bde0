"""Drain: Suspend returns at once; the cluster's picture says how each VM leaves and whether the node is empty."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from hvtui.journal.entry import Values
from hvtui.model.enums import DrainStatus, GroupStatus, NodeState, signed
from hvtui.model.records import ClusterNode
from hvtui.model.severity import Severity
from hvtui.operations.audit import Answer
from hvtui.operations.desk import Desk, GivenUpError
from hvtui.operations.nodes import Parameters
from hvtui.operations.plan import Plan, Target, Verb
from hvtui.operations.queue import is_moving
from hvtui.operations.run import ItemState, Offer, Run, RunItem, RunStage, RunState
from hvtui.operations.runs import look
from hvtui.operations.runs.moves import STOP_MOVE

SUSPEND: Final = "Suspend-HvTuiNode"
RESUME: Final = "Resume-HvTuiNode"


class DrainRun:
    """Runs of drain."""

    def lay_out(self, run: Run) -> None:
        """An item for every VM that leaves."""
        lay_out_vms(run, run.plan)
        run.stages = [RunStage(stage.action, stage.node, stage.text) for stage in run.plan.stages]

    async def run(self, desk: Desk, run: Run) -> RunState:
        """Each node of the plan, one after the other; the first that is not drained ends it."""
        for place, stage in enumerate(run.stages):
            run.current, stage.state = place, ItemState.RUNNING
            drained = await drain(desk, run, run.plan, stage.node)
            stage.state = ItemState.DONE if drained else ItemState.FAILED
            if not drained:
                return RunState.CANCELLED if run.cancelling else RunState.FAILED
        return look.end_state(run)


def lay_out_vms(run: Run, plan: Plan) -> None:
    """Items for VMs of a drain that have none yet."""
    known = {item.target.key for item in run.items}
    run.items += [RunItem(target=move.vm, source=move.source) for move in plan.moves if move.vm.key not in known]


async def drain(desk: Desk, run: Run, plan: Plan, node: str) -> bool:
    """Pause the node with a drain and follow it; False when it is not drained in the end, and the run says why.

    Raises GivenUpError when nothing was begun.
    """
    target = Target(kind="node", id=node, name=node)
    refusals = await desk.check(run, plan, desk.state.node_names(), services=_services(plan))
    if refusals:
        raise GivenUpError("; ".join(dict.fromkeys(refusal.text for refusal in refusals)))
    member = _member(desk, node)
    was = {item.target.id: look.vm_state(desk.state, item.target.id, node) for item in _of(run, node)}
    parameters: Parameters = {
        "ExpectState": signed(member.state),
        "ExpectDrain": member.drain or 0,
        "ExpectUp": look.up_others(desk.state, node),
    }
    answer = await desk.call(run, node, SUSPEND, parameters, target)
    if answer.rule == "stood_down":
        await desk.read_back(run, answer, "stood_down", answer.text)
        raise GivenUpError(f"{node} gave way: {answer.text}")
    if not answer.worked:
        raise GivenUpError(f"{node} was not paused: {answer.text}")
    run.can_cancel = True
    run.cancel_text = f"running migrations are cancelled, then {node} is resumed without failback"
    try:
        return await _Drain(desk, run, node, was, answer).follow()
    finally:
        run.can_cancel = False
        run.cancel_text = "cannot cancel this step"


class _Drain:
    """What the picture shows of a drain."""

    def __init__(self, desk: Desk, run: Run, node: str, was: dict[str, int | None], answer: Answer) -> None:
        self._desk = desk
        self._run = run
        self._node = node
        self._was = was
        self._answer = answer
        self._asked = desk.now()
        self._since = look.began(desk, node)
        self._paused = False
        self._last = ""
        self._changed = desk.now()

    async def follow(self) -> bool:
        """Until the drain has ended, or a person cancels."""
        desk, run = self._desk, self._run
        while True:
            await desk.watcher.until(lambda: bool(self._look()) or run.cancelling)
            found = self._look()
            if found:
                break
            if run.cancelling:
                await self._cancel()
                return False
        if found == "completed":
            return await self._empty()
        await self._not_drained(found)
        return False

    def _look(self) -> str:
        """`completed failed resumed unseen`, or empty while it goes on."""
        desk = self._desk
        heard = desk.state.cluster.link.last_frame
        member = desk.state.member(self._node)
        if heard is None or heard <= self._asked or member is None:
            return ""
        self._follow_vms()
        paused = signed(member.state) == NodeState.Paused
        self._paused |= paused
        if not paused:
            if self._paused and heard - self._asked > desk.pace.grace:
                return "resumed"
            return "unseen" if not self._paused and heard - self._asked > desk.pace.begin else ""
        if member.drain == DrainStatus.Completed:
            return "completed"
        return "failed" if member.drain == DrainStatus.Failed else ""

    def _follow_vms(self) -> None:
        desk, run = self._desk, self._run
        left = 0
        for item in _of(run, self._node):
            if item.state is not ItemState.DONE:
                self._follow_vm(item)
            left += not item.ended
        marks = " ".join(f"{i.target.id} {i.state} {i.percent} {i.text}" for i in run.items)
        now = desk.now()
        if marks != self._last:
            self._last, self._changed = marks, now
            desk.line(run, f"{self._node} is draining: {left} VMs are left on it")
        elif now - self._changed > desk.pace.stall:
            minutes = (now - self._changed) / 60
            desk.line(run, f"the drain of {self._node} stands still for {minutes:.0f} min", Severity.WARN)

    def _follow_vm(self, item: RunItem) -> None:
        state, vm = self._desk.state, item.target.id
        role = state.role(vm)
        if role is None or role.owner is None:
            return
        if not look.same(role.owner, self._node):
            item.destination, item.percent = role.owner, None
            now, was = look.vm_state(state, vm, role.owner), self._was.get(vm)
            if now is not None and (was is None or now == was):
                item.state, item.text = ItemState.DONE, f"on {role.owner}, {look.state_word(now)} as before"
            else:
                item.state, item.text = ItemState.RUNNING, f"its role is on {role.owner}: {look.state_word(now)}"
        elif is_moving(state, vm):
            item.state, item.text = ItemState.RUNNING, "leaving"
            item.percent = look.percent_of(state, role)
        elif (role.status or 0) & GroupStatus.Locked:
            item.state, item.text = ItemState.QUEUED, "its role is locked: a backup, export or checkpoint has it"
        elif (role.status or 0) & GroupStatus.Queued:
            item.state, item.text = ItemState.QUEUED, "queued by the cluster"
        else:
            item.state, item.text, item.percent = ItemState.QUEUED, "", None

    async def _empty(self) -> bool:
        """Completed: nothing of the cluster may be left, and what left must run as before."""
        desk, run, node = self._desk, self._run, self._node

        def all_there() -> bool:
            self._follow_vms()
            return not roles_on(desk, node) and all(item.state is ItemState.DONE for item in _of(run, node))

        if await desk.watcher.until(all_there, desk.pace.settle):
            text = f"{node} is paused and drained: no role is left on it"
            await self._told("done", text)
            return True
        left = roles_on(desk, node)
        for item in _of(run, node):
            if item.state is not ItemState.DONE:
                item.state = ItemState.FAILED
        text = f"{node} calls its drain completed, but {', '.join(left)} is left on it"
        if not left:
            names = ", ".join(item.target.name for item in _of(run, node) if item.state is ItemState.FAILED)
            text = f"{node} is drained, but not as they were before: {names}"
        await self._told("failed", text, Severity.BAD)
        run.offers = way_back(node, self._was)
        return False

    async def _not_drained(self, found: str) -> None:
        """Failed, resumed by somebody, or never begun: say what blocks, and offer what may be done."""
        desk, run, node = self._desk, self._run, self._node
        for item in _of(run, node):
            if item.state is not ItemState.DONE:
                reason = item.text or "it did not move"
                codes = await look.why(desk, item.target, (node,), self._since) if found == "failed" else []
                item.state, item.percent = ItemState.FAILED, None
                if codes:
                    look.explain_item(item, codes, reason)
                else:
                    item.text = f"still on {node}: {reason}"
        member = desk.state.member(node)
        code = f" (error {member.drain_error})" if member is not None and member.drain_error else ""
        texts = {
            "failed": f"the drain of {node} failed{code}; the node stays paused until it is drained again or resumed",
            "resumed": f"somebody resumed {node} while it was draining",
            "unseen": f"{node} was not paused: no sign of a drain came",
        }
        if found == "unseen" and self._answer.outcome == "unknown":
            texts[found] = f"the answer was lost, and no sign of a drain came; {node} was not asked again"
        outcome = "unknown" if found == "unseen" and self._answer.outcome == "unknown" else "failed"
        await self._told(outcome, texts[found], Severity.BAD)
        if found == "failed":
            target = Target(kind="node", id=node, name=node)
            again = Offer(Verb.DRAIN, (target,), f"Drain {node} again, after what blocks was mended")
            run.offers = (again, *way_back(node, self._was))

    async def _cancel(self) -> None:
        """Cancel what runs, then resume without failback: who left stays where it is."""
        desk, run, node = self._desk, self._run, self._node
        target = Target(kind="node", id=node, name=node)
        member = _member(desk, node)
        answer = await desk.call(
            run,
            node,
            RESUME,
            {"Failback": "NoFailback", "ExpectState": signed(member.state), "ExpectDrain": member.drain or 0},
            target,
        )
        if not answer.worked:
            desk.line(run, f"{node} was not resumed: {answer.text}", Severity.BAD)
            run.offers = way_back(node, self._was)
        for item in _of(run, node):
            role = desk.state.role(item.target.id)
            if role is not None and look.same(role.owner, node) and is_moving(desk.state, item.target.id):
                parameters = {"VMId": item.target.id, "ExpectOwner": node}
                stopped = await desk.call(run, node, STOP_MOVE, parameters, item.target, look=False)
                if not stopped.worked:
                    desk.line(run, f"{item.target.name} goes on moving: {stopped.text}", Severity.WARN)

        def over() -> bool:
            now = desk.state.member(node)
            self._follow_vms()
            moving = any(is_moving(desk.state, i.target.id) for i in _of(run, node))
            return now is not None and signed(now.state) == NodeState.Up and not moving

        ended = await desk.watcher.until(over, desk.pace.settle)
        for item in _of(run, node):
            if item.state is not ItemState.DONE:
                item.state, item.text, item.percent = ItemState.CANCELLED, f"stays on {node}", None
        text = (
            f"cancelled: {node} is resumed, nobody was brought back" if ended else f"{node} is not seen to be resumed"
        )
        await desk.read_back(run, answer, "done" if ended else "unknown", text)
        desk.line(run, text, Severity.INFO if ended else Severity.BAD)
        if not ended:
            run.offers = way_back(node, self._was)

    async def _told(self, outcome: str, text: str, severity: Severity = Severity.INFO) -> None:
        self._desk.line(self._run, text, severity)
        member = self._desk.state.member(self._node)
        after: Values = {} if member is None else {"state": signed(member.state), "drain": member.drain}
        await self._desk.read_back(self._run, self._answer, outcome, text, after)


def way_back(node: str, took: Iterable[str]) -> tuple[Offer, ...]:
    """Resume of a paused node, with its roles and without. Of a run that took nobody away the journal may know more."""
    target = Target(kind="node", id=node, name=node)
    keys = ",".join(took)
    returning = {"returning": keys} if keys else {}
    return (
        Offer(Verb.RESUME, (target,), f"Resume {node}, its roles come back", {"failback": "Immediate", **returning}),
        Offer(Verb.RESUME, (target,), f"Resume {node}, its roles stay away", {"failback": "NoFailback", **returning}),
    )


def roles_on(desk: Desk, node: str) -> list[str]:
    """Names of VM roles that the node owns."""
    roles = (desk.state.cluster.roles or {}).values()
    return [role.name for role in roles if look.same(role.owner, node)]


def _of(run: Run, node: str) -> list[RunItem]:
    return [item for item in run.items if look.same(item.source, node)]


def _member(desk: Desk, node: str) -> ClusterNode:
    member = desk.state.member(node)
    if member is None:
        raise GivenUpError(f"the cluster tells nothing of {node}")
    return member


def _services(plan: Plan) -> list[str]:
    return [target.id for target in plan.targets if target.kind == "service"]
