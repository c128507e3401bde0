"""The guided restart of VMMS: drain, stop, start, resume, each checked before and proved after; node after node."""

from __future__ import annotations

import msgspec

from hvtui.model.severity import Severity
from hvtui.operations.desk import Desk, GivenUpError
from hvtui.operations.plan import Plan, Refusal, Stage, Target, Verb
from hvtui.operations.run import ItemState, Offer, Run, RunItem, RunStage, RunState
from hvtui.operations.runs import look
from hvtui.operations.runs.drain import drain, lay_out_vms, way_back
from hvtui.operations.runs.resume import IMMEDIATE, resume
from hvtui.operations.runs.services import VMMS, HungError, start, stop, vmms_well
from hvtui.operations.stages import DRAIN, RESUME, START, STOP

_REPAIR = "storage-job"
_DEGRADED = "storage"


class VmmsRun:
    """Runs of the runbook, on one node or several."""

    def lay_out(self, run: Run) -> None:
        """The stages of all nodes, and the VMs of the first; those of the others are known when their turn comes."""
        run.stages = [RunStage(stage.action, stage.node, stage.text) for stage in run.plan.stages]
        lay_out_vms(run, run.plan)

    async def run(self, desk: Desk, run: Run) -> RunState:
        """One node at a time; the first doubt ends it."""
        nodes = list(dict.fromkeys(stage.node for stage in run.stages))
        for number, node in enumerate(nodes):
            if number:
                run.can_cancel, run.cancel_text = True, f"{node} is not begun any more"
                plan = await self._anew(desk, run, node)
                run.can_cancel, run.cancel_text = False, "cannot cancel this step"
                if plan is None:
                    desk.line(run, f"cancelled before {node}")
                    return RunState.CANCELLED
                lay_out_vms(run, plan)
            else:
                plan = run.plan
            if not await _Node(desk, run, plan, node).go():
                return RunState.CANCELLED if run.cancelling else RunState.FAILED
        return look.end_state(run)

    async def _anew(self, desk: Desk, run: Run, node: str) -> Plan | None:
        """The whole preflight again before the next node; waits for what passes by itself. None when cancelled."""
        target = Target(kind="node", id=node, name=node)
        until = desk.now() + desk.pace.roll
        while not run.cancelling:
            plan = await desk.sub_plan(run, Verb.VMMS, (target,), _options(run.plan))
            if not plan.refusals:
                return plan
            text = "; ".join(dict.fromkeys(refusal.text for refusal in plan.refusals))
            if not _pass(plan.refusals) or desk.now() > until:
                raise GivenUpError(f"{node} is not begun: {text}")
            desk.line(run, f"waiting before {node}: {text}")
            await desk.watcher.until(lambda: run.cancelling, desk.pace.roll_again)
        return None


def _pass(refusals: tuple[Refusal, ...]) -> bool:
    """All of them pass by themselves: HOLDs, storage jobs, and disks that such a job repairs."""
    rules = {refusal.rule for refusal in refusals if not refusal.hold}
    return rules <= {_REPAIR} or rules == {_REPAIR, _DEGRADED}


def _options(plan: Plan) -> dict[str, str]:
    options = {"failback": plan.options.get("failback", IMMEDIATE)}
    if plan.overrides:
        options["overrides"] = ",".join(plan.overrides)
    return options


class _Node:
    """The runbook on one node."""

    def __init__(self, desk: Desk, run: Run, plan: Plan, node: str) -> None:
        self._desk = desk
        self._run = run
        self._plan = plan
        self._node = node
        self._target = Target(kind="node", id=node, name=node)
        self._service = Target(kind="service", id=f"{node}/{VMMS}", name=f"{VMMS} on {node}")
        self._process: int | None = None
        self._left: frozenset[str] = frozenset()
        """What a drain leaves there: VMMS must list it again."""

    async def go(self) -> bool:
        """Every stage, in the order of the plan; False at the first that did not go well."""
        steps = {DRAIN: self._drain, STOP: self._stop, START: self._start, RESUME: self._resume}
        for place, stage in enumerate(self._run.stages):
            if not look.same(stage.node, self._node) or stage.state is not ItemState.QUEUED:
                continue
            self._run.current, stage.state = place, ItemState.RUNNING
            try:
                well = await steps[stage.action]()
            except GivenUpError as error:
                self._desk.line(self._run, str(error), Severity.BAD)
                well = False
            stage.state = ItemState.DONE if well else ItemState.FAILED
            if not well:
                return False
        return True

    async def _drain(self) -> bool:
        plan = await self._sub_plan(Verb.DRAIN, _options(self._plan))
        if plan.refusals:
            raise GivenUpError(_words(plan.refusals))
        lay_out_vms(self._run, plan)
        return await drain(self._desk, self._run, plan, self._node)

    async def _sub_plan(self, verb: Verb, options: dict[str, str]) -> Plan:
        """The plan of a stage; HOLDs that pass by themselves are waited for a while."""
        until = self._desk.now() + self._desk.pace.settle
        while True:
            plan = await self._desk.sub_plan(self._run, verb, (self._target,), options, young=True)
            if not plan.refusals or not _pass(plan.refusals) or self._desk.now() > until:
                return plan
            self._desk.line(self._run, f"waiting: {_words(plan.refusals)}")
            await self._desk.watcher.pause(self._desk.pace.poll)

    async def _stop(self) -> bool:
        desk, run, node = self._desk, self._run, self._node
        run.cancel_text = "cannot cancel: a service that stops goes on by itself"
        stage = Stage(action=STOP, node=node, text=f"stop {VMMS} on {node}")
        plan = msgspec.structs.replace(
            self._plan, targets=(self._target, self._service), stages=(stage,), moves=(), seen={}, notes=(), refusals=()
        )
        # The node itself tells a little later than the cluster that its last VM has left.
        await desk.watcher.until(lambda: not self._lists_roles(), desk.pace.settle)
        refusals = await self._clear(plan)
        if refusals:
            run.offers = way_back(node, self._took())
            raise GivenUpError(f"{VMMS} on {node} is not stopped: {_words(refusals)}")
        view = desk.state.nodes.get(desk.state.node_name(node))
        self._left = frozenset(view.vms or ()) if view is not None else frozenset()
        desk.line(run, f"nothing of the cluster is left on {node}, and no job runs there")
        run.offers = way_back(node, self._took())
        try:
            before = await stop(desk, run, self._service.id)
        except HungError as error:
            text = (
                f"{error}. hvtui does not kill it. Nothing of the cluster runs on this drained node: reboot {node}, "
                f"and resume it when it is back"
            )
            raise GivenUpError(text) from error
        run.offers = ()
        self._process = before.process_id
        return True

    def _lists_roles(self) -> bool:
        """The node's own picture still has a VM of the cluster."""
        state = self._desk.state
        view = state.nodes.get(state.node_name(self._node))
        return view is not None and any(state.role(vm) is not None for vm in view.vms or ())

    async def _clear(self, plan: Plan) -> tuple[Refusal, ...]:
        """Ask the gate, waiting a while for jobs that end by themselves."""
        desk, until = self._desk, self._desk.now() + self._desk.pace.settle
        while True:
            desk.asker.answers.forget(self._node)
            found = await desk.check(self._run, plan, [self._node], services=[self._service.id])
            if not found or not _pass(found) or desk.now() > until:
                return found
            desk.line(self._run, f"waiting before {VMMS} is stopped: {_words(found)}")
            await desk.watcher.pause(desk.pace.poll)

    async def _start(self) -> bool:
        desk, run, node = self._desk, self._run, self._node
        options: dict[str, str] = {}
        await desk.asker.ask([], services=[self._service.id])
        plan = desk.build(Verb.START_VMMS, (self._service,), options, run)
        run.offers = (Offer(Verb.START_VMMS, (self._service,), f"Start {VMMS} on {node}"),)
        if plan.refusals:
            raise GivenUpError(f"{VMMS} on {node} is not started: {_words(plan.refusals)}")
        await start(desk, run, plan, self._service.id, old_process=self._process)
        run.offers = ()
        if await vmms_well(desk, run, node, self._left):
            return True
        run.offers = way_back(node, self._took())
        raise GivenUpError(
            f"{VMMS} runs on {node}, but what it shows is not well; {node} stays paused until it is resumed"
        )

    async def _resume(self) -> bool:
        desk, run, node = self._desk, self._run, self._node
        options = {"failback": _options(self._plan)["failback"]}
        if self._took():
            options["returning"] = ",".join(self._took())
        plan = await self._sub_plan(Verb.RESUME, options)
        if plan.refusals:
            run.offers = way_back(node, self._took())
            raise GivenUpError(f"{node} is not resumed with {options['failback']}: {_words(plan.refusals)}")
        known = {item.target.key for item in self._run.items}
        self._run.items += [  # of a node that was drained before this run the journal knows who comes home
            RunItem(target=move.vm, source=node, destination=node) for move in plan.moves if move.vm.key not in known
        ]
        for item in self._items():
            item.state, item.text = ItemState.QUEUED, ""
        return await resume(desk, run, plan, node, items=self._items())

    def _items(self) -> list[RunItem]:
        return [item for item in self._run.items if look.same(item.source, self._node)]

    def _took(self) -> list[str]:
        return [item.target.id for item in self._items()]


def _words(refusals: tuple[Refusal, ...]) -> str:
    return "; ".join(dict.fromkeys(refusal.text for refusal in refusals))
