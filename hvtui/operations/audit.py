"""What operations write into the journal: each line off the event loop, on the disk before its step runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from hvtui.clock import Clock
from hvtui.journal.entry import Entry, Failure, Kind, Values, Who
from hvtui.journal.store import Journal
from hvtui.model.preflight import ActionResult
from hvtui.operations.plan import Plan, Target
from hvtui.operations.run import Run

T = TypeVar("T")


@dataclass(frozen=True)
class Actor:
    """Who acts: the user of this machine, the account that nodes are asked with, and whether by console or `cli`."""

    user: str
    machine: str
    pid: int
    front: str
    account: str = ""

    @property
    def text(self) -> str:
        """`user@machine (account)`, as a node's log shows it: at most 200 characters, none a control character."""
        whole = f"{self.user}@{self.machine}" + (f" ({self.account})" if self.account else "")
        return "".join(c if c.isprintable() else "?" for c in whole)[:200]

    @property
    def who(self) -> Who:
        """The same for a line of the journal."""
        return Who(user=self.user, account=self.account, machine=self.machine, pid=self.pid, front=self.front)


@dataclass(frozen=True)
class Sent:
    """One call to a node, as the lines before and after it tell it."""

    call: str
    step: int
    node: str
    function: str
    target: Target
    parameters: Values
    command: str


@dataclass(frozen=True)
class Answer:
    """How a call ended: `done`, `started` (Windows works on), `refused` (by the node), `failed` (it was not run) or
    `unknown` (it may have been run). `code` is Windows' or the error's.
    """

    sent: Sent
    outcome: str
    rule: str = ""
    text: str = ""
    code: str = ""
    hint: str = ""
    result: ActionResult | None = None

    @property
    def worked(self) -> bool:
        """It was run, or may have been: what became of it must be read from the picture."""
        return self.outcome in {"done", "started", "unknown"}


@dataclass(frozen=True)
class Part:
    """How a call that is about many ended for one of them; the same words as in Answer."""

    target: Target
    outcome: str
    rule: str = ""
    text: str = ""
    code: str = ""
    before: Values = field(default_factory=dict)
    after: Values = field(default_factory=dict)
    command: str = ""


@dataclass
class Audit:
    """Writes lines. `cluster` gives id and name of the cluster as they are known now."""

    journal: Journal
    clock: Clock
    actor: Actor
    cluster: Callable[[], tuple[str, str]]
    session: str = ""
    _order: asyncio.Lock = field(default_factory=asyncio.Lock)
    _reading: int = 0

    @property
    def busy(self) -> bool:
        """The journal is being written or read."""
        return self._order.locked() or self._reading > 0

    async def open(self) -> None:
        """Make sure that the journal can be written. Raises JournalError."""
        await self.read(lambda journal: journal.open())
        self.session = await self.read(lambda journal: journal.session)

    async def read(self, question: Callable[[Journal], T]) -> T:
        """Ask the journal something, off the event loop. Raises JournalError."""
        self._reading += 1
        try:
            return await _off_loop(lambda: question(self.journal))
        finally:
            self._reading -= 1

    async def begun(self, run: Run, confirmed: str) -> None:
        """An operation begins. Raises JournalError, and then it must not."""
        plan = run.plan
        requested: Values = {
            "confirmed": confirmed,
            "level": plan.level.value,
            "moves": len(plan.moves),
            "plan": msgspec.json.encode(plan).decode(),
        }
        if plan.overrides:
            requested["overrides"] = ", ".join(plan.overrides)
        requested.update({f"option {name}": value for name, value in plan.options.items()})
        await self._write(self._of_run(run, Kind.BEGUN, requested=requested, text=_targets(plan)))

    async def refused(self, run: Run) -> None:
        """Nothing was begun, and why. Raises JournalError."""
        text = "; ".join(dict.fromkeys(refusal.text for refusal in run.refusals))
        rules = ", ".join(dict.fromkeys(refusal.rule for refusal in run.refusals))
        failure = Failure(kind=rules, text=text)
        await self._write(self._of_run(run, Kind.REFUSED, outcome="refused", text=text, error=failure))

    async def before(self, run: Run, sent: Sent) -> None:
        """A call is about to be made. Raises JournalError, and then it must not."""
        await self._write(self._of_call(run, sent, Kind.STEP))

    async def after(self, run: Run, answer: Answer, seconds: float) -> None:
        """How a call ended. Raises JournalError."""
        result = answer.result
        more: dict[str, Any] = {"outcome": answer.outcome, "text": answer.text, "duration": round(seconds, 3)}
        if result is not None:
            more |= {"before": dict(result.before), "after": dict(result.after)}
            if result.command:
                more["command"] = result.command
            if result.recorded is False:
                more["text"] = f"{answer.text} (no record could be written to the node's log)".strip()
        if answer.outcome in {"refused", "failed", "unknown"}:
            more["error"] = Failure(kind=answer.rule, code=answer.code, text=answer.text, hint=answer.hint)
        await self._write(self._of_call(run, answer.sent, Kind.OUTCOME, **more))

    async def parts(self, run: Run, sent: Sent, parts: Sequence[Part]) -> None:
        """How a call went for some of those it is about; they are no calls of their own. Raises JournalError."""
        lines = []
        for part in parts:
            more: dict[str, Any] = {"outcome": part.outcome, "text": part.text, "before": part.before}
            more |= {"after": part.after, "requested": {}, "call": "", "command": part.command, **_target(part.target)}
            if part.outcome in {"refused", "failed", "unknown"}:
                more["error"] = Failure(kind=part.rule, code=part.code, text=part.text)
            lines.append(self._of_call(run, sent, Kind.OUTCOME, **more))
        if lines:
            async with self._order:
                await _off_loop(lambda: self.journal.append_all(lines))

    async def read_back(self, run: Run, sent: Sent, outcome: str, text: str, after: Values | None = None) -> None:
        """What the cluster shows of a call. Raises JournalError."""
        await self._write(self._of_call(run, sent, Kind.READ_BACK, outcome=outcome, text=text, after=after or {}))

    async def ended(self, run: Run, text: str, seconds: float) -> None:
        """An operation ended by itself. Raises JournalError."""
        line = self._of_run(run, Kind.ENDED, outcome=run.state.value, text=text, duration=round(seconds, 3))
        await self._write(line)

    async def left(self, run: Run) -> None:
        """The console ends before the operation. Raises JournalError."""
        await self._write(self._of_run(run, Kind.LEFT, text="the console ended before the operation"))

    async def note(self, text: str, target: Target | None = None, requested: Values | None = None) -> None:
        """Something a person said or did that is no change of the cluster. Raises JournalError."""
        await self._write(self._entry(Kind.NOTE, text=text, requested=requested or {}, **_target(target)))

    async def closed(self, operation: str, note: str, begun: Entry) -> None:
        """A person closed an operation that a console left unfinished. Raises JournalError."""
        line = self._entry(Kind.CLOSED, operation=operation, text=note, outcome="closed", title=begun.title)
        await self._write(msgspec.structs.replace(line, verb=begun.verb, target=begun.target))

    # --- helpers ---

    def _of_run(self, run: Run, kind: Kind, **more: Any) -> Entry:
        plan = run.plan
        target = plan.targets[0] if len(plan.targets) == 1 else None
        fields = {"operation": run.id, "verb": plan.verb.value, "title": plan.title, **_target(target), **more}
        return self._entry(kind, **fields)

    def _of_call(self, run: Run, sent: Sent, kind: Kind, **more: Any) -> Entry:
        fields: dict[str, Any] = {
            "operation": run.id,
            "verb": run.plan.verb.value,
            "step": sent.step,
            "call": sent.call,
            "node": sent.node,
            "function": sent.function,
            "requested": sent.parameters,
            "command": sent.command,
            **_target(sent.target),
        }
        return self._entry(kind, **(fields | more))

    def _entry(self, kind: Kind, **fields: Any) -> Entry:
        cluster_id, cluster = self.cluster()
        return Entry(
            time=self.clock.now(),
            kind=kind,
            who=self.actor.who,
            session=self.session,
            cluster_id=cluster_id,
            cluster=cluster,
            **fields,
        )

    async def _write(self, entry: Entry) -> None:
        async with self._order:
            await _off_loop(lambda: self.journal.append(entry))


async def _off_loop(work: Callable[[], T]) -> T:
    """Run it on a thread; a line that is being written is written to its end when the waiting task is cancelled."""
    return await asyncio.shield(asyncio.to_thread(work))


def _target(target: Target | None) -> dict[str, str]:
    if target is None:
        return {}
    return {"target_kind": target.kind, "target_id": target.id, "target": target.name}


def _targets(plan: Plan) -> str:
    names = [f"{target.kind} {target.name}" for target in plan.targets[:20]]
    more = f" and {len(plan.targets) - 20} more" if len(plan.targets) > 20 else ""
    return ", ".join(names) + more
