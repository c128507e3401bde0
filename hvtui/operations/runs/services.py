"""Stop and start of a service in short calls, its state polled between them, and what must be so afterwards.

Windows waits for a service that stops as long as the service answers; hvtui never kills one. State, CheckPoint and
WaitHint say whether it makes progress (documents of SERVICE_STATUS).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import msgspec

from hvtui.errors import RemoteError
from hvtui.model.preflight import ServiceState
from hvtui.model.severity import Severity
from hvtui.model.writer_catalog import HYPER_V, WRITERS
from hvtui.operations.audit import Answer
from hvtui.operations.desk import Desk, GivenUpError
from hvtui.operations.explain import SERVICE_RETURNS
from hvtui.operations.nodes import Parameters
from hvtui.operations.plan import Plan, Target, Verb
from hvtui.operations.run import ItemState, Offer, Run, RunItem, RunStage, RunState
from hvtui.operations.stages import START

STOP_SERVICE: Final = "Stop-HvTuiService"
START_SERVICE: Final = "Start-HvTuiService"
VMMS: Final = "vmms"
_LONGEST_HINT: Final = 1800.0
_Over = Callable[[ServiceState], str]
"""Says whether a service is where it should be, or will not get there; empty while neither."""


class HungError(GivenUpError):
    """The service neither ends nor makes progress."""


class ServiceRun:
    """Runs that restart a writer's service."""

    def lay_out(self, run: Run) -> None:
        """One item: the service."""
        run.items = [RunItem(target=target) for target in run.plan.targets]
        run.stages = [RunStage(stage.action, stage.node, stage.text) for stage in run.plan.stages]

    async def run(self, desk: Desk, run: Run) -> RunState:
        """Stop it, start it again, and look at its writers."""
        run.cancel_text = "cannot cancel: a service that stops or starts goes on by itself"
        item = run.items[0]
        node, _, name = item.target.id.partition("/")
        item.state = ItemState.RUNNING
        try:
            before = await self._stop(desk, run, node, name)
            run.current, run.stages[1].state = 1, ItemState.RUNNING
            _offer_start(run, node, name)
            await start(desk, run, _start_plan(run.plan, item.target), item.target.id, old_process=before.process_id)
        except GivenUpError as error:
            item.state, item.text = ItemState.FAILED, str(error)
            run.stages[run.current or 0].state = ItemState.FAILED
            raise
        run.offers = ()
        well = await writers_back(desk, run, node, hosted_by(name), name)
        run.stages[1].state = ItemState.DONE if well else ItemState.FAILED
        item.state = ItemState.DONE if well else ItemState.FAILED
        item.text = "running again, with a new process" + ("" if well else "; its writers are not well")
        return RunState.DONE if well else RunState.FAILED

    async def _stop(self, desk: Desk, run: Run, node: str, name: str) -> ServiceState:
        run.current, run.stages[0].state = 0, ItemState.RUNNING
        refusals = await desk.check(run, run.plan, [node], services=[f"{node}/{name}"], fork=False)
        if refusals:
            raise GivenUpError("; ".join(dict.fromkeys(refusal.text for refusal in refusals)))
        before = await stop(desk, run, f"{node}/{name}")
        run.stages[0].state = ItemState.DONE
        return before


class StartRun:
    """Runs that start a VMMS, or a writer's service, which hvtui stopped."""

    def lay_out(self, run: Run) -> None:
        """One item: the service."""
        run.items = [RunItem(target=target) for target in run.plan.targets]
        run.stages = [RunStage(stage.action, stage.node, stage.text) for stage in run.plan.stages]

    async def run(self, desk: Desk, run: Run) -> RunState:
        """Start it, and look at its writers and at what VMMS lists."""
        run.cancel_text = "cannot cancel: a service that starts goes on by itself"
        item = run.items[0]
        node, _, name = item.target.id.partition("/")
        run.current, item.state = 0, ItemState.RUNNING
        run.stages[0].state = ItemState.RUNNING
        try:
            await start(desk, run, run.plan, item.target.id, old_process=None)
        except GivenUpError as error:
            item.state, item.text = ItemState.FAILED, str(error)
            run.stages[0].state = ItemState.FAILED
            raise
        if name == VMMS:
            well = await vmms_well(desk, run, node, None)
        else:
            well = await writers_back(desk, run, node, hosted_by(name), name)
        item.state, item.text = ItemState.DONE, "running" + ("" if well else "; what it shows is not well yet")
        run.stages[0].state = ItemState.DONE if well else ItemState.FAILED
        if name == VMMS:
            target = Target(kind="node", id=node, name=node)
            run.offers = (
                Offer(Verb.RESUME, (target,), f"Resume {node}, its roles come back", {"failback": "Immediate"}),
                Offer(Verb.RESUME, (target,), f"Resume {node}, its roles stay away", {"failback": "NoFailback"}),
            )
        return RunState.DONE if well else RunState.FAILED


# --- stop and start ---


async def stop(desk: Desk, run: Run, service: str) -> ServiceState:
    """Stop `NODE/name` as the gate has just seen it; gives back how it was. Raises GivenUpError, HungError."""
    node, _, name = service.partition("/")
    before = _asked(desk, service)
    answer = await _call(desk, run, STOP_SERVICE, service, before)
    began = desk.now()

    def over(now: ServiceState) -> str:
        if now.state == "Stopped":
            return "stopped"
        lost = answer.outcome == "unknown" and now.state == "Running" and now.process_id == before.process_id
        return "lost" if lost and desk.now() - began > desk.pace.begin else ""

    try:
        found, now = await _poll(desk, run, service, over)
    except HungError:
        await desk.read_back(run, answer, "failed", f"{name} on {node} does not stop")
        raise
    if found == "lost":
        text = f"the answer was lost, and {name} on {node} still runs; it was not asked again"
        await desk.read_back(run, answer, "unknown", text)
        raise GivenUpError(text)
    text = f"{name} on {node} is Stopped"
    await desk.read_back(run, answer, "done", text, _values(now))
    # Else the step's last word would stay the pending state it passed through.
    desk.line(run, text)
    return before


async def start(desk: Desk, run: Run, plan: Plan, service: str, *, old_process: int | None) -> ServiceState:
    """Start `NODE/name`, asking the gate before; it must run with another process. Raises GivenUpError, HungError."""
    node, _, name = service.partition("/")
    refusals = await desk.check(run, plan, [], services=[service], fork=False)
    if refusals:
        raise GivenUpError("; ".join(dict.fromkeys(refusal.text for refusal in refusals)))
    before = _asked(desk, service)
    answer = await _call(desk, run, START_SERVICE, service, before)
    began = desk.now()

    def over(now: ServiceState) -> str:
        if now.state == "Running" and now.process_id:
            return "old" if now.process_id == old_process else "running"
        stopped = now.state == "Stopped" and desk.now() - began > desk.pace.grace
        if stopped and answer.outcome == "unknown":
            return "lost" if desk.now() - began > desk.pace.begin else ""
        return "ended" if stopped else ""

    try:
        found, now = await _poll(desk, run, service, over)
    except HungError:
        await desk.read_back(run, answer, "failed", f"{name} on {node} does not come to run")
        _offer_start(run, node, name)
        raise
    text = {
        "running": f"{name} on {node} is Running, process {now.process_id}",
        "old": f"{name} on {node} runs with its old process {now.process_id}: it was not restarted",
        "lost": f"the answer was lost, and {name} on {node} is Stopped; it was not asked again",
        "ended": f"{name} on {node} is Stopped again, exit code {now.exit_code}",
    }[found]
    outcome = {"running": "done", "lost": "unknown"}.get(found, "failed")
    await desk.read_back(run, answer, outcome, text, _values(now))
    if found != "running":
        _offer_start(run, node, name)
        raise GivenUpError(text)
    desk.line(run, text)
    return now


async def _call(desk: Desk, run: Run, function: str, service: str, before: ServiceState) -> Answer:
    node, _, name = service.partition("/")
    target = Target(kind="service", id=service, name=f"{name} on {node}")
    parameters: Parameters = {
        "Name": name,
        "ExpectState": before.state or "",
        "ExpectProcessId": before.process_id or 0,
        "ExpectStarted": iso(before.started),
    }
    answer = await desk.call(run, node, function, parameters, target)
    if not answer.worked:
        number = int(answer.code) if answer.code.isdigit() else -1
        meaning = SERVICE_RETURNS.get(number)
        why = f"{meaning.text}. {meaning.advice}".strip() if meaning is not None else answer.text
        raise GivenUpError(f"{target.name} was not {'stopped' if function == STOP_SERVICE else 'started'}: {why}")
    return answer


async def _poll(desk: Desk, run: Run, service: str, over: _Over) -> tuple[str, ServiceState]:
    """Look at the service until it is over; a state without progress for longer than it asks for is a hang."""
    node, _, name = service.partition("/")
    last: tuple[object, ...] = ()
    changed = desk.now()
    while True:
        try:
            now = await desk.asker.service(node, name)
        except RemoteError as error:
            desk.line(run, f"{name} on {node} could not be read: {error.text}", Severity.WARN)
            patience = desk.pace.service
        else:
            found = over(now)
            if found:
                return found, now
            mark = (now.state, now.checkpoint)
            if mark != last:
                last, changed = mark, desk.now()
            hint = (now.wait_hint or 0) / 1000
            patience = max(desk.pace.service, min(hint, _LONGEST_HINT))
            asks = f", asks for {hint:.0f} s" if hint else ""
            desk.line(run, f"{name} on {node}: {now.state or 'state unread'}, checkpoint {now.checkpoint}{asks}")
        if desk.now() - changed > patience:
            raise HungError(f"{name} on {node} made no progress for {desk.now() - changed:.0f} s")
        await desk.watcher.pause(desk.pace.poll)


# --- what must be so afterwards ---


async def vmms_well(desk: Desk, run: Run, node: str, vms: frozenset[str] | None) -> bool:
    """VMMS lists the same VMs as before (None: as the cluster's roles say), and its writer is back and [1]."""
    since = desk.now()

    def same() -> bool:
        view = desk.state.nodes.get(desk.state.node_name(node))
        if view is None or view.vms is None or not view.all_read:
            return False
        last = view.link.last_frame
        return last is not None and last > since and _wanted(desk, node, vms) <= set(view.vms)

    listed = await desk.watcher.until(same, desk.pace.settle)
    if listed:
        desk.line(run, f"{node} lists the same VMs as before: {len(_wanted(desk, node, vms))}")
    else:
        view = desk.state.nodes.get(desk.state.node_name(node))
        known = set(view.vms or ()) if view is not None else set()
        missing = sorted(_wanted(desk, node, vms) - known)
        what = f"{len(missing)} VMs are missing" if missing else "its VMs could not be read"
        desk.line(run, f"{node} does not list the same VMs as before: {what}", Severity.BAD)
    back = await writers_back(desk, run, node, (HYPER_V,), VMMS)
    return listed and back


def _wanted(desk: Desk, node: str, vms: frozenset[str] | None) -> set[str]:
    if vms is not None:
        return set(vms)
    roles = (desk.state.cluster.roles or {}).values()
    return {r.vm for r in roles if r.vm and r.owner is not None and r.owner.lower() == node.lower()}


async def writers_back(desk: Desk, run: Run, node: str, writers: tuple[str, ...], service: str) -> bool:
    """The writers that a service hosts are there and stable, read anew until they are or time is up."""
    if not writers:
        return True
    until = desk.now() + desk.pace.writer
    while True:
        before = desk.writers(node)
        desk.nodes.refresh("writers", node)
        await desk.watcher.until(lambda old=before: desk.read_anew(node, old), desk.pace.writer)  # type: ignore[misc]
        picture = desk.writers(node)
        read = desk.read_anew(node, before) and picture is not None and not picture.failure
        found = [writer for writer in picture.writers if writer.id in writers] if read and picture is not None else []
        if found and all(writer.code == 1 for writer in found):
            desk.line(run, f"{node}: {', '.join(writer.name for writer in found)} is back and [1]")
            return True
        text = ", ".join(f"{writer.name} [{writer.code}] {writer.error_text}" for writer in found)
        if not found:
            text = f"no writer of {service} is listed" if read else "the writers could not be read"
        if desk.now() >= until:
            desk.line(run, f"{node}: {text}", Severity.BAD)
            return False
        desk.line(run, f"{node}: {text}; read again", Severity.WARN)
        await desk.watcher.pause(desk.pace.writer_again)


def hosted_by(service: str) -> tuple[str, ...]:
    """Ids of the writers that a service hosts."""
    return tuple(id_ for id_, known in WRITERS.items() if known.service.lower() == service.lower())


# --- helpers ---


def iso(time: datetime | None) -> str:
    """A time as the module takes it: UTC with milliseconds and `Z`; empty for none."""
    if time is None:
        return ""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _asked(desk: Desk, service: str) -> ServiceState:
    kept = desk.asker.answers.services.get(service)
    if kept is None:
        raise GivenUpError(f"the state of {service} could not be read")
    return kept[1]


def _values(now: ServiceState) -> dict[str, str | int | None]:
    return {"state": now.state, "process": now.process_id, "started": iso(now.started)}


def _start_plan(plan: Plan, target: Target) -> Plan:
    """The way back from a stop checks only what it touches, whatever the service."""
    stages = tuple(stage for stage in plan.stages if stage.action == START)
    return msgspec.structs.replace(
        plan, verb=Verb.START_VMMS, targets=(target,), stages=stages, seen={}, moves=(), left=(), refusals=()
    )


def _offer_start(run: Run, node: str, name: str) -> None:
    target = Target(kind="service", id=f"{node}/{name}", name=f"{name} on {node}")
    word = "VMMS" if name == VMMS else name
    run.offers = (Offer(Verb.START_VMMS, (target,), f"Start {word} on {node}"),)
