"""Moves of VMs: a queue that keeps to the limits, each move looked at by the gate, sent once and read back."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

import msgspec

from hvtui.journal.store import JournalError
from hvtui.model.enums import GroupStatus, JobState, MigrationState
from hvtui.model.records import Job, Role
from hvtui.model.severity import Severity
from hvtui.operations.audit import Answer
from hvtui.operations.desk import Desk
from hvtui.operations.nodes import Parameters
from hvtui.operations.plan import Move, Plan, Refusal
from hvtui.operations.queue import is_moving
from hvtui.operations.run import ItemState, Run, RunItem, RunState
from hvtui.operations.runs import look
from hvtui.operations.runs.csvs import lay_out_volumes, move_volumes
from hvtui.operations.stages import MOVE_CSV

MOVE_VM: Final = "Move-HvTuiVM"
STOP_MOVE: Final = "Stop-HvTuiMove"
_log = logging.getLogger(__name__)

_BROKEN_JOB: Final = frozenset({JobState.Killed, JobState.Exception})


class MoveRun:
    """Runs of migrate, isolate, return and align."""

    def lay_out(self, run: Run) -> None:
        """An item for every move, and one for every volume."""
        lay_out_volumes(run)
        run.items += [
            RunItem(target=move.vm, source=move.source, destination=move.destination) for move in run.plan.moves
        ]

    async def run(self, desk: Desk, run: Run) -> RunState:
        """Volumes first, then the VMs in the order of the plan, as many at once as the limits allow."""
        if any(stage.action == MOVE_CSV for stage in run.plan.stages):
            await move_volumes(desk, run)
        await _Queue(desk, run).go()
        return look.end_state(run)


@dataclass
class _Place:
    """A move in the queue."""

    move: Move
    item: RunItem
    wait: float
    not_before: float = 0.0
    cancel_sent: bool = False

    @property
    def vm(self) -> str:
        return self.move.vm.id


class _Queue:
    """The moves of one run."""

    def __init__(self, desk: Desk, run: Run) -> None:
        self._desk = desk
        self._run = run
        items = {item.target.key: item for item in run.items}
        self._places = [_Place(move, items[move.vm.key], desk.pace.retry) for move in run.plan.moves]
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def go(self) -> None:
        """Until every item has ended."""
        run, desk = self._run, self._desk
        run.can_cancel = True
        run.cancel_text = "moves that wait are not begun, those that run are cancelled as far as Windows can"
        try:
            while not self._over():
                if run.cancelling:
                    self._drop_waiting()
                while (place := self._next()) is not None:
                    desk.slots.take(place.vm, place.move.source, place.move.destination)
                    place.item.state = ItemState.RUNNING
                    task = asyncio.create_task(self._one(place), name=f"move {place.move.vm.name}")
                    self._tasks[place.vm] = task
                    task.add_done_callback(lambda done: desk.watcher.wake())
                desk.tell(run)
                await desk.watcher.until(self._news)
                await self._gather()
        finally:
            for vm, task in self._tasks.items():
                task.cancel()
                desk.slots.give_back(vm)

    def _news(self) -> bool:
        if any(task.done() for task in self._tasks.values()) or self._next() is not None:
            return True
        if self._over():
            return True
        return self._run.cancelling and any(self._waits(place) for place in self._places)

    def _over(self) -> bool:
        """Every item has ended, and what became of it is in the journal."""
        return not self._tasks and all(place.item.ended for place in self._places)

    async def _gather(self) -> None:
        for vm, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[vm]
                self._desk.slots.give_back(vm)
                await task

    def _waits(self, place: _Place) -> bool:
        return place.item.state in {ItemState.QUEUED, ItemState.WAITING}

    def _next(self) -> _Place | None:
        """The first move that may begin: of the present wave, both ends free, and nobody before it waits for them."""
        if self._run.cancelling:
            return None
        wave = min((place.move.wave for place in self._places if not place.item.ended), default=0)
        waited_for: set[str] = set()
        for place in self._places:
            if place.item.ended or place.move.wave != wave:
                continue
            source, destination = place.move.source.lower(), place.move.destination.lower()
            ready = self._waits(place) and place.not_before <= self._desk.now()
            behind = not waited_for.isdisjoint({source, destination})
            if ready and not behind and self._desk.slots.free(self._desk.state, source, destination):
                return place
            if place.item.state is ItemState.QUEUED:
                waited_for |= {source, destination}
        return None

    def _drop_waiting(self) -> None:
        for place in self._places:
            if self._waits(place):
                place.item.state, place.item.text = ItemState.CANCELLED, "cancelled before it began"

    # --- one move ---

    async def _one(self, place: _Place) -> None:
        try:
            await self._move(place)
        except JournalError as error:
            place.item.state, place.item.text, place.item.advice = ItemState.FAILED, error.text, error.hint
        except Exception as error:  # the other moves go on and are watched, whatever happens to this one
            _log.exception("the move of %s failed", place.move.vm.name)
            place.item.state = ItemState.UNKNOWN
            place.item.text = f"hvtui failed on it: {type(error).__name__}; look where it is"
        item = place.item
        if item.state is not ItemState.WAITING:
            bad = item.state is not ItemState.DONE
            text = f"{place.move.vm.name}: {item.state.value}" + (f", {item.text}" if item.text else "")
            self._desk.line(self._run, text, Severity.WARN if bad else Severity.INFO)
        self._desk.tell(self._run)

    async def _move(self, place: _Place) -> None:
        desk, run, move, item = self._desk, self._run, place.move, place.item
        item.text = "checked once more"
        refusals = await desk.check(run, self._alone(move), [move.source, move.destination])
        if refusals:
            _refuse(item, refusals)
            return
        if run.cancelling:
            item.state, item.text = ItemState.CANCELLED, "cancelled before it began"
            return
        watch = _Watch(desk, run, place)
        parameters: Parameters = {
            "VMId": move.vm.id,
            "Node": move.destination,
            "ExpectOwner": move.source,
            "ExpectState": move.state,
        }
        item.text = f"asking {move.source}"
        answer = await desk.call(run, move.source, MOVE_VM, parameters, move.vm)
        desk.asker.answers.forget(move.destination)
        if not answer.worked:
            if answer.rule == "windows" and look.limit_reached([answer.code]):
                self._again(place)
            else:
                _not_done(item, answer)
            return
        item.text = f"{move.type} to {move.destination}" if answer.outcome != "unknown" else answer.text
        watch.answered()
        await self._follow(place, watch, answer)

    async def _follow(self, place: _Place, watch: _Watch, answer: Answer) -> None:
        desk, run, move, item = self._desk, self._run, place.move, place.item
        while True:
            await desk.watcher.until(lambda: bool(watch.look()) or (run.cancelling and not place.cancel_sent))
            found = watch.look()
            if found:
                break
            place.cancel_sent = True
            await self._stop(place)
        if found == "failed":
            codes = [*watch.job_codes(), *await look.why(desk, move.vm, (move.source, move.destination), watch.since)]
            if look.limit_reached(codes) and not run.cancelling:
                self._again(place)
                await desk.read_back(run, answer, "failed", item.text)
                return
            item.state = ItemState.FAILED
            look.explain_item(item, codes, f"the migration failed, it is still on {move.source}")
        else:
            item.state, item.text = watch.verdict(found, answer)
        item.percent = None
        owner = look.owner_of(desk.state, move.vm.id)
        after = {"owner": owner, "state": look.vm_state(desk.state, move.vm.id, owner)}
        await desk.read_back(run, answer, item.state.value, item.text, after)

    async def _stop(self, place: _Place) -> None:
        """Cancel it on the node that has it; what comes of it is seen in the picture as everything else."""
        move = place.move
        parameters = {"VMId": move.vm.id, "ExpectOwner": move.source}
        place.item.text = "cancelling"
        answer = await self._desk.call(self._run, move.source, STOP_MOVE, parameters, move.vm, look=False)
        if not answer.worked:
            self._desk.line(self._run, f"{move.vm.name} cannot be cancelled any more: {answer.text}", Severity.WARN)

    def _alone(self, move: Move) -> Plan:
        plan = self._run.plan
        seen = {key: saw for key, saw in plan.seen.items() if key == move.vm.key}
        return msgspec.structs.replace(
            plan, moves=(move,), targets=(move.vm,), seen=seen, stages=(), left=(), notes=(), refusals=()
        )

    def _again(self, place: _Place) -> None:
        """Another client's migrations have all places: later, and each time a little later."""
        place.item.state = ItemState.WAITING
        place.item.percent = None
        place.item.text = f"another client has all places for migrations; asked again in {place.wait:.0f} s"
        place.not_before = self._desk.now() + place.wait
        place.wait = min(place.wait * 2, self._desk.pace.retry_most)


class _Watch:
    """What the picture shows of one move since it was asked for."""

    def __init__(self, desk: Desk, run: Run, place: _Place) -> None:
        self._desk = desk
        self._run = run
        self._move = place.move
        self._item = place.item
        role = desk.state.role(place.vm)
        self._before = role.migration_state if role is not None else None
        self._jobs_before = {job.id for job in look.moving_jobs(desk.state, place.vm, place.move.source)}
        self.since = look.began(desk, place.move.source)
        self._answered = float("inf")
        self._seen = False
        self._asked_events = desk.now()
        self._over: float | None = None
        self._there: float | None = None

    def answered(self) -> None:
        """The call is over: only newer messages of the cluster say what became of it."""
        self._answered = self._desk.now()

    def look(self) -> str:
        """`arrived unlisted elsewhere failed cancelled unseen`, or empty while it is not over."""
        heard = self._desk.state.cluster.link.last_frame
        role = self._desk.state.role(self._move.vm.id)
        if heard is None or heard <= self._answered or role is None or role.owner is None:
            return ""
        if is_moving(self._desk.state, self._move.vm.id):
            self._seen, self._over = True, None
            self._moved(look.percent_of(self._desk.state, role))
            return ""
        if look.same(role.owner, self._move.destination):
            return self._arrived()
        if not look.same(role.owner, self._move.source):
            return self._after_grace("elsewhere")
        return self._still_there(role, heard)

    def _moved(self, percent: int | None) -> None:
        if percent != self._item.percent:
            self._item.percent = percent
            self._desk.tell(self._run)

    def _still_there(self, role: Role, heard: float) -> str:
        now = role.migration_state
        if (role.status or 0) & GroupStatus.Queued:
            self._seen, self._item.text = True, "queued by the cluster"
            return ""
        ended = now in {MigrationState.Failure, MigrationState.Cancelled} and now != self._before
        states = {job.state for job in self._jobs()}
        if JobState.Terminated in states or (ended and now == MigrationState.Cancelled):
            return self._after_grace("cancelled")
        if self._seen or ended or states & _BROKEN_JOB or self._told():
            return self._after_grace("failed")
        return "unseen" if heard - self._answered > self._desk.pace.begin else ""

    def _told(self) -> bool:
        """An event tells of a failure; the log is asked now and then, as long as nothing else is seen."""
        now = self._desk.now()
        if now - self._asked_events > self._desk.pace.grace:
            self._asked_events = now
            self._desk.nodes.refresh("events", self._move.source)
        return bool(look.told(self._desk, self._move.vm, self.since))

    def _arrived(self) -> str:
        desk, move = self._desk, self._move
        state = look.vm_state(desk.state, move.vm.id, move.destination)
        if state == move.state:
            return "arrived"
        if self._there is None:
            self._there = desk.now()
        return "unlisted" if desk.now() - self._there > desk.pace.settle else ""

    def _after_grace(self, found: str) -> str:
        now = self._desk.now()
        if self._over is None:
            self._over = now
        return found if now - self._over >= self._desk.pace.grace else ""

    def _jobs(self) -> list[Job]:
        found = look.moving_jobs(self._desk.state, self._move.vm.id, self._move.source)
        return [job for job in found if job.id not in self._jobs_before]

    def job_codes(self) -> list[str]:
        """Errors of its migration job on the source, if that ended badly."""
        return [str(job.error) for job in self._jobs() if job.state in _BROKEN_JOB and job.error]

    def verdict(self, found: str, answer: Answer) -> tuple[ItemState, str]:
        """How the item ended, for everything but a failure of Windows."""
        state, move = self._desk.state, self._move
        owner = look.owner_of(state, move.vm.id)
        if found == "arrived":
            return ItemState.DONE, f"on {owner}, {look.state_word(move.state)} as before"
        if found == "unlisted":
            now = look.vm_state(state, move.vm.id, owner)
            word = f"is {look.state_word(now)} there" if now is not None else "is not listed there"
            return ItemState.FAILED, f"its role is on {owner}, but it {word}; it was {look.state_word(move.state)}"
        if found == "elsewhere":
            return ItemState.FAILED, f"somebody else moved it: it is on {owner}"
        if found == "cancelled":
            return ItemState.CANCELLED, f"cancelled, still on {owner}"
        if answer.outcome == "unknown":
            text = f"the answer was lost, and no sign of a migration came; it is on {owner} and was not asked again"
            return ItemState.UNKNOWN, text
        return ItemState.FAILED, f"Windows took it, but no migration began; it is on {owner}"


def _refuse(item: RunItem, refusals: tuple[Refusal, ...]) -> None:
    """Its turn came, and something stands against it."""
    item.state = ItemState.HELD if all(refusal.hold for refusal in refusals) else ItemState.REFUSED
    item.text = "; ".join(dict.fromkeys(refusal.text for refusal in refusals))
    item.advice = next((refusal.hint for refusal in refusals if refusal.hint), "")


def _not_done(item: RunItem, answer: Answer) -> None:
    """The node said no, or the call never reached it."""
    refused = answer.outcome == "refused" and answer.rule != "windows"
    item.state = ItemState.REFUSED if refused else ItemState.FAILED
    item.text, item.code, item.advice = answer.text, answer.code, answer.hint
    item.percent = None
