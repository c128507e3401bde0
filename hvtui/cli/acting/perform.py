"""The one way of every command that changes something: plan, show, and with `--apply` confirm, run, report.

Exit codes: 0 done or nothing to do, 1 something is left over, 2 what is needed could not be read, 3 refused,
4 timed out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from hvtui.cli.acting import session as sessions
from hvtui.cli.acting.offers import command_of
from hvtui.cli.acting.outcome import NOTHING_LEFT, Outcome, told_in_words
from hvtui.cli.acting.plan_json import plan_json, read_plan, run_json, write_plan
from hvtui.cli.acting.planning import Planner
from hvtui.cli.acting.progress import BETWEEN_VMS, Progress, progress_of, show_end
from hvtui.cli.acting.replan import VALUES
from hvtui.cli.acting.session import Session, say_backups_stopped
from hvtui.cli.acting.show import changes_values, how_to_apply, show_left, show_plan, show_refusals
from hvtui.cli.acting.wish import Wish, WishOf, WishOfSession
from hvtui.cli.arguments import Arguments
from hvtui.cli.connecting import choose, gate_for
from hvtui.cli.exits import Exit
from hvtui.cli.output import complain, say, show_json
from hvtui.cli.verb_arguments import WAIT_SECONDS
from hvtui.errors import HvtuiError, NotDone, UsageError
from hvtui.model.severity import Severity
from hvtui.operations.plan import Level, Note, Plan, Verb
from hvtui.operations.run import ITEM_ENDED, Run, RunStage, RunState
from hvtui.operations.service import KEY
from hvtui.operations.stages import START, STOP

Emit = Callable[[Mapping[str, object]], None]
_CHOICES: Final = ("csv", "group", "type", "value", "operation", "name")
"""Options that say what a plan is about."""
_LINES: Final = 8
"""Of what is shown of an unfinished operation; the journal has all."""


def _not_asked(_outcome: Outcome) -> None:
    return


def perform(
    arguments: Arguments, wish_of: WishOf, *, emit: Emit = show_json, ended: Callable[[Outcome], None] = _not_asked
) -> int:
    """Plan what `wish_of` makes of the picture, and carry it out when asked to.

    `emit` gets what `--json` prints; `ended` is told how it stands at the end.
    """

    async def wish(session: Session) -> Wish:
        return wish_of(session.state)

    return perform_asking(arguments, wish, emit=emit, ended=ended)


def perform_asking(
    arguments: Arguments,
    wish_of: WishOfSession,
    *,
    emit: Emit = show_json,
    ended: Callable[[Outcome], None] = _not_asked,
) -> int:
    """The same where nodes must be asked before it can be said what is wished."""
    check_usage(arguments)
    planned = read_plan(arguments.plan) if arguments.plan is not None else None
    config, cluster = choose(arguments)
    gate = gate_for(cluster)

    async def work() -> int:
        async with sessions.open_session(config, cluster, gate) as session:
            return await _Performance(arguments, session, wish_of, planned, emit, ended).go()

    try:
        return asyncio.run(work())
    except KeyboardInterrupt:
        # A run that had begun tells its own end.
        complain("interrupted; nothing was begun")
        raise


def check_usage(arguments: Arguments) -> None:
    """Options that make no sense together. Raises UsageError."""
    if arguments.plan is not None and not arguments.apply:
        raise UsageError("--plan is what --apply carries out", hint="a dry run makes a plan: -o FILE writes it")
    if arguments.plan is not None and arguments.override:
        raise UsageError("the plan says itself which rules are set aside", hint="give --override to the dry run")
    if arguments.timeout is not None and not arguments.wait:
        raise UsageError("--timeout is how long --wait waits")


@dataclass
class _Performance:
    arguments: Arguments
    session: Session
    wish_of: WishOfSession
    planned: Plan | None
    emit: Emit
    ended: Callable[[Outcome], None]

    async def go(self) -> int:
        arguments, session = self.arguments, self.session
        wish = await self.wish_of(session)
        if self.planned is not None:
            _same_wish(self.planned, wish)
        await self._remind()
        await say_backups_stopped(session, arguments.backup_stopped)
        progress = progress_of(arguments, session.clock.now)
        planner = Planner(session, wish, self.planned, progress)
        seconds = WAIT_SECONDS if arguments.timeout is None else arguments.timeout
        plan, held = await planner.plan(seconds if arguments.wait else None)
        plan = _with_gaps(plan, wish)
        before = Outcome.of_plan(plan, session.state, held, gaps=bool(wish.gaps))
        if arguments.out is not None:
            write_plan(arguments.out, plan)
        if not arguments.apply:
            return self._shown(before)
        return await self._applied(wish, plan, before, progress)

    async def _remind(self) -> None:
        """What somebody should know before anything else: what was left, how it stands, and what may be done."""
        operations = self.session.operations
        for node in operations.stopped_vmms:
            complain(f"VMMS on {node} is stopped, by hvtui: `hvtui vmms --start {node} --apply` starts it")
        for one in operations.unfinished():
            truth = await operations.read_back(one)
            lines = [f"left unfinished by an earlier hvtui: {one.begun.title}", *truth.lines[:_LINES]]
            lines += [f"next: {command_of(offer)}  # {offer.text}" for offer in truth.offers]
            complain(*lines, f"if nothing is to be done: hvtui journal close {one.operation} --note TEXT")

    def _shown(self, outcome: Outcome) -> int:
        self.ended(outcome)
        if self.arguments.json:
            self.emit(plan_json(outcome.plan))
            return outcome.code
        show_plan(outcome.plan)
        _show_held(outcome)
        if outcome.plan.refusals:
            say("Nothing of it can be done now.", "bad")
        elif outcome.empty:
            say("There is nothing to do.")
        else:
            how_to_apply(outcome.plan)
        return outcome.code

    async def _applied(self, wish: Wish, plan: Plan, before: Outcome, progress: Progress) -> int:
        """Begin it, follow it to its end, and tell how it ended."""
        if before.empty and not plan.refusals and (not before.left or plan.verb is Verb.ALIGN):
            _after(wish, None)
            return self._told(before)
        if not self.quiet:
            show_plan(plan)
        if before.empty and not plan.refusals:
            # All that was asked for is refused, VM by VM: the journal has that, too.
            plan = msgspec.structs.replace(plan, refusals=tuple(r for one in plan.left for r in one.refusals))
            before = replace(before, plan=plan)
        confirmed = _confirmation(plan, self.arguments.confirm, protected=self.session.cluster.protected)
        operations = self.session.operations
        unsubscribe = operations.subscribe(progress)
        run: Run | None = None
        stopped = False
        try:
            wish.begins(plan)
            run = await operations.start(plan, confirmed=confirmed)
            await operations.wait(run)
        except asyncio.CancelledError:
            run = run or (operations.runs[-1] if operations.runs else None)
            if run is None or run.state is not RunState.RUNNING or plan.verb not in BETWEEN_VMS:
                return self._interrupted(wish, run)
            complain("stopping: the VM at work is finished, no other is begun; Ctrl+C again leaves at once")
            await operations.cancel(run)
            await operations.wait(run)
            stopped = True
        finally:
            unsubscribe()
            progress.flush(run)
        _after(wish, run)
        outcome = before.ended(run)
        return self._told(replace(outcome, code=Exit.INTERRUPTED) if stopped else outcome)

    @property
    def quiet(self) -> bool:
        """Standard output is for programs."""
        return self.arguments.json or getattr(self.arguments, "jsonl", False)

    def _told(self, outcome: Outcome) -> int:
        self.ended(outcome)
        if self.quiet:
            value = run_json(
                outcome.plan,
                outcome.run,
                outcome=outcome.word,
                code=outcome.code,
                left=outcome.left,
                held=outcome.held,
            )
            (self.emit if self.arguments.json else show_end)(value)
            return outcome.code
        run = outcome.run
        if run is None:
            show_left(outcome.left, "Not changed" if changes_values(outcome.plan) else "Not moved")
        elif run.state is RunState.REFUSED:
            # Those of the plan were shown with it.
            told = outcome.plan.refusals
            show_refusals(r for r in run.refusals if r not in told and not (told and r.rule == NOTHING_LEFT))
        show_left(outcome.late, "Left when it was about to begin")
        _show_held(outcome)
        for line, mood in told_in_words(outcome):
            say(line, mood)
        return outcome.code

    def _interrupted(self, wish: Wish, run: Run | None) -> int:
        """Ctrl+C: hvtui ends, Windows does not."""
        if run is None or run.state in {RunState.CHECKING, RunState.REFUSED}:
            complain("interrupted; nothing was begun")
            if run is not None:
                _after(wish, run)
            return Exit.INTERRUPTED
        if run.over:
            _after(wish, run)
            complain(f"interrupted when it had ended: {run.state.value}")
            return Exit.INTERRUPTED
        going = [item.target.name for item in run.items if item.state not in ITEM_ENDED]
        stage = run.stages[run.current] if run.current is not None and run.stages else None
        lines = ["interrupted; what Windows was asked for goes on there, and nothing more is begun"]
        if stage is not None:
            lines.append(f"at step: {stage.title}" + (f" ({stage.text})" if stage.text else ""))
        if going:
            more = f" and {len(going) - 20} more" if len(going) > 20 else ""
            lines.append(f"not ended: {', '.join(going[:20])}{more}")
        lines += _way_back(run, stage)
        lines.append(f"the journal keeps it as unfinished: hvtui journal show {run.id}")
        complain(*lines)
        _after(wish, run)
        return Exit.INTERRUPTED


def _way_back(run: Run, stage: RunStage | None) -> list[str]:
    """Commands for a node that an interrupted run leaves as nobody wants it to stay."""
    if stage is None or run.plan.verb not in {Verb.DRAIN, Verb.VMMS}:
        return []
    lines = []
    if stage.action in {STOP, START}:
        lines.append(f"VMMS on {stage.node} may be stopped: hvtui vmms --start {stage.node} --apply")
    return [*lines, f"{stage.node} stays paused until it is resumed: hvtui resume {stage.node} --failback immediate"]


def _with_gaps(plan: Plan, wish: Wish) -> Plan:
    """With what may be missing. That there is nothing to change is no refusal here: a script may be run again."""
    notes = (Note(text=f"this may not be all: {text}", severity=Severity.UNKNOWN) for text in wish.gaps)
    refusals = plan.refusals
    if plan.targets and not plan.changes and {refusal.rule for refusal in refusals} == {NOTHING_LEFT}:
        refusals = ()
    return msgspec.structs.replace(plan, notes=(*plan.notes, *notes), refusals=refusals)


def _after(wish: Wish, run: Run | None) -> None:
    """What is kept of it must not hide how it ended."""
    try:
        wish.ended(run)
    except HvtuiError as error:
        complain(str(error))


def _show_held(outcome: Outcome) -> None:
    if outcome.held:
        say("Still held when --wait gave up:", "warn")
        for refusal in outcome.held:
            say(f"  {refusal.text} ({refusal.rule})", "warn")


def _confirmation(plan: Plan, typed: str | None, *, protected: bool) -> str:
    """What the pipeline is told. A name that is about something else refuses, also where none is asked for."""
    if typed is None:
        return KEY
    about = {plan.name.casefold(), plan.cluster.casefold()}
    if plan.level is Level.KEY and not protected and typed.strip().casefold() in about:
        return KEY
    return typed


def _same_wish(planned: Plan, wish: Wish) -> None:
    """The plan in the file is about what was typed. Raises NotDone."""
    # A service that hvtui stopped and that never came back is only started again.
    started = wish.verb is Verb.SERVICE and planned.verb is Verb.START_VMMS
    if planned.verb is not wish.verb and not started:
        raise NotDone(f"the plan is one of `{planned.verb.value}`, not of `{wish.verb.value}`")
    typed = {target.key for target in wish.targets}
    held = {target.key for target in planned.targets}
    more = {target.key for target in planned.targets if target.kind != "service"} - typed
    if planned.verb in VALUES | {Verb.ISOLATE, Verb.RETURN}:
        # Such a plan names only those that move, or change.
        typed &= held
    options = {name for name in _CHOICES if wish.options.get(name) != planned.options.get(name)}
    if (wish.targets and (more or typed - held)) or (set(wish.options) & options):
        names = ", ".join(target.name for target in planned.targets) or planned.title
        raise NotDone(f"the plan is about {names}, which is not what was typed")
