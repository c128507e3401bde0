"""Runs under way: what each holds, its task, and who is told. A run begins and ends here, whatever its verb."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from hvtui.clock import Clock
from hvtui.errors import RemoteError
from hvtui.journal.store import JournalError
from hvtui.model.severity import Severity
from hvtui.operations.desk import Desk, GivenUpError
from hvtui.operations.plan import Level, Plan, Refusal
from hvtui.operations.run import Run, RunState
from hvtui.operations.runs import runner_of

KEY: Final = "key"
"""What `start` is told when an armed button was pressed."""

_log = logging.getLogger(__name__)


@dataclass
class Listeners:
    """Who wants to know of every run that changed."""

    _told: list[Callable[[Run], None]] = field(default_factory=list)

    def add(self, listener: Callable[[Run], None]) -> Callable[[], None]:
        """The result unsubscribes."""
        self._told.append(listener)
        return lambda: self._told.remove(listener)

    def tell(self, run: Run) -> None:
        """One that fails harms neither the run nor the others."""
        for listener in tuple(self._told):
            try:
                listener(run)
            except Exception:
                _log.exception("a listener of operations failed")


@dataclass
class Running:
    """The runs that were begun. Event loop thread only."""

    desk: Desk
    clock: Clock
    look_back: Callable[[], Awaitable[None]]
    """Called after each run: what it left unfinished is known then."""
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _holding: dict[str, Run] = field(default_factory=dict)
    """`Target.key` → the run that holds it."""

    def busy(self, run: Run | None) -> dict[str, str]:
        """`Target.key` → the title of the run that holds it, those of `run` itself left out."""
        return {key: held.plan.title for key, held in self._holding.items() if held is not run}

    async def begin(self, run: Run, confirmed: str) -> None:
        """Hold what it touches, journal it, and carry it out; refused when the journal cannot be written.

        Between the gate's last look and this nothing may be awaited: two starts must not both find the target free.
        """
        self._holding.update(dict.fromkeys(run.holds, run))
        try:
            await self.desk.audit.open()
            await self.desk.audit.begun(run, confirmed)
        except JournalError as error:
            self._release(run)
            run.refusals = (Refusal(rule="journal", text=error.text, hint=error.hint),)
            await self.refuse(run)
            return
        runner_of(run.plan).lay_out(run)
        run.state = RunState.RUNNING
        self.desk.tell(run)
        self._tasks[run.id] = asyncio.create_task(self._carry_out(run), name=f"run {run.id}")

    async def refuse(self, run: Run) -> None:
        """Something stands against it: nothing was done, and the journal keeps that it was asked for."""
        run.state = RunState.REFUSED
        run.ended = self.clock.now()
        for refusal in run.refusals:
            self.desk.line(run, f"{refusal.text} ({refusal.rule})", Severity.WARN)
        try:
            if self.desk.audit.session == "":
                await self.desk.audit.open()
            await self.desk.audit.refused(run)
        except JournalError as error:
            self.desk.line(run, error.text, Severity.BAD)
        self.desk.tell(run)

    async def wait(self, run: Run) -> None:
        """Wait until a run has ended."""
        task = self._tasks.get(run.id)
        if task is not None:
            await asyncio.shield(task)

    async def leave(self, run: Run) -> None:
        """The console ends before the run: Windows goes on with what it was asked, and the journal says so."""
        task = self._tasks.pop(run.id, None)
        if task is None or task.done():
            return
        task.cancel()
        await asyncio.wait([task])
        run.state = RunState.LEFT
        try:
            await self.desk.audit.left(run)
        except JournalError as error:
            _log.warning("%s", error)

    async def _carry_out(self, run: Run) -> None:
        desk, began = self.desk, self.desk.now()
        try:
            run.state = await runner_of(run.plan).run(desk, run)
        except (GivenUpError, JournalError, RemoteError) as error:
            desk.line(run, str(error), Severity.BAD)
            run.state = RunState.FAILED
        except asyncio.CancelledError:
            raise
        except Exception as error:
            _log.exception("run %s failed", run.id)
            text = f"hvtui failed on it: {type(error).__name__}; read the cluster before going on"
            desk.line(run, text, Severity.BAD)
            run.state = RunState.UNKNOWN
        finally:
            self._release(run)
        run.can_cancel = False
        run.ended = self.clock.now()
        try:
            last = run.lines[-1].text if run.lines else ""
            await desk.audit.ended(run, last, desk.now() - began)
            await self.look_back()
        except JournalError as error:
            desk.line(run, error.text, Severity.BAD)
        desk.tell(run)

    def _release(self, run: Run) -> None:
        for key in [key for key, holder in self._holding.items() if holder is run]:
            del self._holding[key]


def unconfirmed(plan: Plan, confirmed: str, *, protected: bool) -> tuple[Refusal, ...]:
    """No verb without a confirmation, and on a protected cluster always the typed one."""
    typed = confirmed.strip().casefold() == plan.name.strip().casefold() and bool(plan.name.strip())
    if typed or (confirmed == KEY and plan.level is Level.KEY and not protected):
        return ()
    return (Refusal(rule="confirm", text=f"not confirmed: type {plan.name}"),)
