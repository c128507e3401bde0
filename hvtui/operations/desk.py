"""What a run works with: the gate before each step, a call that is journaled before and after it, and the picture."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from hvtui.clock import Clock
from hvtui.errors import OutcomeUnknown, RemoteError
from hvtui.journal.entry import Values
from hvtui.journal.store import JournalError
from hvtui.model.checkpoints import Checkpoints
from hvtui.model.preflight import ActionResult
from hvtui.model.secret import GuestCredential
from hvtui.model.severity import Severity
from hvtui.model.state import ClusterState
from hvtui.model.vss_access import VssAccess
from hvtui.model.writers import WriterPicture
from hvtui.operations.audit import Answer, Audit, Sent
from hvtui.operations.builders import nodes_of, services_of
from hvtui.operations.explain import best, meaning
from hvtui.operations.facts import Facts
from hvtui.operations.nodes import ACTION, Asker, Nodes, Parameters, Watcher
from hvtui.operations.pace import Pace
from hvtui.operations.plan import Plan, Refusal, Target, Verb
from hvtui.operations.queue import Slots
from hvtui.operations.rules_checkpoint import is_recovery
from hvtui.operations.run import Command, Run, RunLine
from hvtui.operations.seen import TYPE_VERBS
from hvtui.operations.vss_access import node_and_account

UNDER_BACKUP: Final = frozenset({Verb.DRAIN, Verb.VMMS, Verb.SERVICE})
"""Verbs that a running backup forbids: what the VSS writers say counts for them."""
COMMANDS: Final = 1000
"""Lines kept of the command log; the journal has all."""


class GivenUpError(Exception):
    """A run cannot go on; the text says why."""


@dataclass
class Desk:
    """Shared by all runs of one `Operations`. Event loop thread only."""

    nodes: Nodes
    audit: Audit
    clock: Clock
    pace: Pace
    asker: Asker
    watcher: Watcher
    gate: Callable[[Plan, Facts], tuple[Refusal, ...]]
    facts: Callable[[Run | None], Facts]
    build: Callable[[Verb, tuple[Target, ...], dict[str, str], Run], Plan]
    tell: Callable[[Run], None]
    slots: Slots = field(default_factory=Slots)
    commands: list[Command] = field(default_factory=list)
    _steps: dict[str, int] = field(default_factory=dict)

    @property
    def state(self) -> ClusterState:
        """The picture."""
        return self.nodes.state

    def now(self) -> float:
        """The monotonic clock."""
        return self.nodes.monotonic()

    # --- telling ---

    def line(self, run: Run, text: str, severity: Severity = Severity.INFO) -> None:
        """Add evidence to a run, once while it stays the same."""
        if run.current is not None and run.current < len(run.stages):
            run.stages[run.current].text = text
        if not run.lines or run.lines[-1].text != text:
            run.lines.append(RunLine(self.clock.now(), text, severity))
        self.tell(run)

    # --- looking ---

    async def check(
        self, run: Run, plan: Plan, nodes: Iterable[str], *, services: Iterable[str] = (), fork: bool = True
    ) -> tuple[Refusal, ...]:
        """Ask the gate right before a step; `nodes` are those whose answers must be young for it."""
        names = list(nodes)
        await self.asker.ask(
            names,
            services=services,
            preflight_age=self.pace.preflight_age,
            fork_age=self.pace.fork_age,
            fork=fork,
        )
        await self.read_more(plan.verb, plan.targets)
        await self.fresh()
        found = self.gate(plan, self.facts(run))

        def not_only_stale() -> bool:
            nonlocal found
            found = self.gate(plan, self.facts(run))
            return not _only_stale(found)

        if _only_stale(found):
            # A stream that moves to another node or connects again is back within seconds.
            await self.watcher.until(not_only_stale, self.pace.fresh)
        return found

    async def sub_plan(
        self, run: Run, verb: Verb, targets: tuple[Target, ...], options: dict[str, str], *, young: bool = False
    ) -> Plan:
        """A plan of one of the run's stages, from facts of now; `young` answers of a moment ago will do."""
        age = self.pace.preflight_age if young else 0.0
        services = services_of(verb, targets)
        await self.asker.ask(self.state.node_names(), services=services, preflight_age=age, fork_age=self.pace.fork_age)
        await self.read_more(verb, targets)
        await self.fresh()
        return self.build(verb, targets, options, run)

    async def read_more(self, verb: Verb, targets: Iterable[Target]) -> None:
        """What only some verbs need: checkpoints, entries of VssAccessControl, VSS writers."""
        held = tuple(targets)
        await self.read_checkpoints(held)
        await self.read_access(held)
        await self.read_writers(verb, held)

    async def read_writers(self, verb: Verb, targets: Iterable[Target]) -> None:
        """For verbs that a backup forbids: read the VSS writers of the nodes concerned, unless that was just done.

        Their events must have been read back once, too: what they tell of the past counts.
        """
        nodes = self._under_backup(verb, targets)
        if not nodes:
            return

        before: dict[str, WriterPicture | None] = {}
        for node in nodes:
            picture = self.writers(node)
            read_at = None if picture is None or picture.reading or picture.failure else picture.read_at
            if read_at is None or self.now() - read_at > self.pace.writers_age:
                before[node] = picture
                self.nodes.refresh("writers", node)
        unheard = [n for n in nodes if self.state.events.read_at(self.state.node_name(n)) is None]
        for node in unheard:
            self.nodes.refresh("events", node)
        await self.watcher.until(lambda: all(self.read_anew(n, old) for n, old in before.items()), self.pace.writer)
        events = self.state.events
        await self.watcher.until(
            lambda: all(events.read_at(self.state.node_name(n)) is not None for n in unheard), self.pace.fresh
        )

    async def read_checkpoints(self, targets: Iterable[Target]) -> None:
        """Read the checkpoints of VMs of which one is to be applied or removed."""
        vms = dict.fromkeys(target.id.partition("/")[0] for target in targets if target.kind == "checkpoint")
        homes = {vm: self.state.home(vm) or "" for vm in vms}
        for vm in vms:
            self.asker.answers.checkpoints.pop(vm, None)
        await self.asker.checkpoints({vm: node for vm, node in homes.items() if node})

    async def checkpoints_of(self, plan: Plan) -> dict[str, Checkpoints]:
        """The checkpoints of the VMs of a plan about them, read now; those that could not be read are missing."""
        if plan.verb in TYPE_VERBS:
            return {}
        vms = dict.fromkeys(change.target.id.partition("/")[0] for change in plan.changes)
        homes = {vm: home for vm in vms if (home := self.state.home(vm))}
        await self.asker.checkpoints(homes)
        return {vm: self.asker.answers.checkpoints[vm][1] for vm in homes if vm in self.asker.answers.checkpoints}

    def _under_backup(self, verb: Verb, targets: Iterable[Target]) -> list[str]:
        """Nodes whose writers count for a verb: those it pauses or restarts, and where a backup's checkpoint is."""
        held = tuple(targets)
        if verb in UNDER_BACKUP:
            return nodes_of(held)
        if verb is not Verb.REMOVE or not any(is_recovery(self.facts(None), target) for target in held):
            return []
        homes = (self.state.home(target.id.partition("/")[0]) for target in held)
        return [home for home in dict.fromkeys(homes) if home]

    async def access_of(self, nodes: Iterable[str]) -> dict[str, VssAccess | str]:
        """Who may take part in VSS on each of `nodes`, read now; the reason where that could not be read."""
        names = list(dict.fromkeys(nodes))
        await self.asker.access(names)
        kept, unread = self.asker.answers.access, self.asker.answers.unread
        return {name: kept[name][1] if name in kept else unread.get(f"vssaccess:{name}", "") for name in names}

    async def read_access(self, targets: Iterable[Target]) -> None:
        """Read who may take part in VSS on the nodes of entries that are to be changed."""
        await self.asker.access(node_and_account(target)[0] for target in targets if target.kind == "vssaccess")

    def writers(self, node: str) -> WriterPicture | None:
        """What the last read of a node's writers gave."""
        view = self.state.nodes.get(self.state.node_name(node))
        return view.writers if view is not None else None

    def read_anew(self, node: str, before: WriterPicture | None) -> bool:
        """A read of the writers has ended since, well or not."""
        picture = self.writers(node)
        return picture is not None and picture is not before and not picture.reading

    async def fresh(self, since: float | None = None) -> bool:
        """Wait for the cluster's picture to be fresh, with `since` for one that came after it; False when it is not."""

        def is_fresh() -> bool:
            link = self.state.cluster.link
            if link.stale(self.now()) or link.last_frame is None:
                return False
            return since is None or link.last_frame > since

        return await self.watcher.until(is_fresh, self.pace.fresh)

    async def fresh_node(self, node: str, since: float) -> bool:
        """Wait for a message of a node that came after `since`; False when none came."""

        def is_fresh() -> bool:
            last = self.state.node(node).link.last_frame
            return last is not None and last > since

        return await self.watcher.until(is_fresh, self.pace.fresh)

    # --- changing ---

    async def call(
        self, run: Run, node: str, function: str, parameters: Parameters, target: Target, *, look: bool = True
    ) -> Answer:
        """Make one mutating call, journaled before and after. Raises JournalError when it was not made for that.

        It is sent once, whatever happens; its id is new. `look` False: the node's preflight stays as it is.
        """
        sent, whole = await self.begin(run, node, function, parameters, target)
        began = self.now()
        answer = await self._send(sent, whole)
        if look:
            self.asker.answers.forget(node)
        await self.end(run, answer, self.now() - began)
        if answer.result is not None and answer.result.recorded is False:
            self.line(run, f"{node}: no record of {function} could be written to its Application log", Severity.WARN)
        return answer

    async def begin(
        self, run: Run, node: str, function: str, parameters: Parameters, target: Target
    ) -> tuple[Sent, Parameters]:
        """Journal a call that is about to be made; gives it with all its parameters. Raises JournalError: do not."""
        call = str(uuid4())
        self._steps[run.id] = step = self._steps.get(run.id, 0) + 1
        whole: Parameters = {**parameters, "OperationId": call, "Actor": self.audit.actor.text}
        # A secret is a parameter of nothing that changes anything; should one be, it stays out.
        plain = {name: value for name, value in parameters.items() if not isinstance(value, GuestCredential)}
        kept: Values = {name: int(value) if isinstance(value, bool) else value for name, value in plain.items()}
        sent = Sent(call, step, node, function, target, kept, as_typed(function, whole))
        await self.audit.before(run, sent)
        self._log(Command(self.clock.now(), run.id, call, node, sent.command))
        return sent, whole

    def stream(self, sent: Sent, parameters: Parameters, *, lane: str) -> AsyncGenerator[Any, None]:
        """The records of a call that was begun, as they come; close it (`aclosing`), or it goes on."""
        return self.nodes.stream(sent.node, sent.function, parameters, lane=lane)

    async def end(self, run: Run, answer: Answer, seconds: float) -> None:
        """Journal how a call ended. A journal that fails is told: the call was made."""
        self._answered(answer)
        try:
            await self.audit.after(run, answer, seconds)
        except JournalError as error:
            text = f"{answer.sent.function} on {answer.sent.node}: {answer.outcome}, but {error.text}"
            self.line(run, text, Severity.BAD)

    async def read_back(self, run: Run, answer: Answer, outcome: str, text: str, after: Values | None = None) -> None:
        """Journal what the picture shows of a call."""
        try:
            await self.audit.read_back(run, answer.sent, outcome, text, after)
        except JournalError as error:
            self.line(run, error.text, Severity.BAD)

    async def _send(self, sent: Sent, parameters: Parameters) -> Answer:
        try:
            result: ActionResult = await self.nodes.call(sent.node, sent.function, parameters, lane=ACTION)
        except OutcomeUnknown as error:
            return Answer(sent, "unknown", type(error).__name__, error.text, hint=error.hint)
        except RemoteError as error:
            # Only OutcomeUnknown may have been run: every other error came before the call was sent.
            code = getattr(error, "code", "")
            return Answer(sent, "failed", type(error).__name__, error.text, code, error.hint)
        text, hint = result.text, ""
        if result.outcome == "refused" and result.rule == "windows":
            found = meaning(best([result.code]))
            if found is not None:
                text, hint = (f"{found.text}. {result.text}" if result.text else found.text), found.advice
        return Answer(sent, result.outcome, result.rule, text, result.code, hint, result)

    def _log(self, command: Command) -> None:
        self.commands.append(command)
        del self.commands[:-COMMANDS]

    def _answered(self, answer: Answer) -> None:
        for place in range(len(self.commands) - 1, -1, -1):
            command = self.commands[place]
            if command.call == answer.sent.call:
                ran = answer.result.command if answer.result is not None else ""
                self.commands[place] = Command(
                    command.time, command.operation, command.call, command.node, ran or command.text, answer.outcome
                )
                return


def _only_stale(refusals: tuple[Refusal, ...]) -> bool:
    return bool(refusals) and all(refusal.rule == "stale" for refusal in refusals)


def as_typed(function: str, parameters: Parameters) -> str:
    """The call as a person would type it on the node."""
    words = [function]
    for name, value in parameters.items():
        words += [f"-{name}", str(value) if isinstance(value, int) else "'" + str(value or "").replace("'", "''") + "'"]
    return " ".join(words)
