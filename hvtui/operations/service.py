"""Operations: what the console and the command line change a cluster with. One object for each of them.

A change is asked for (`plan`), shown to a person, confirmed (`start`) and carried out as a `Run`, which everybody may
watch. The rules are in one gate below it; the journal has every step before it runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final
from uuid import uuid4

from hvtui.clock import Clock
from hvtui.config import ClusterConfig
from hvtui.errors import RemoteError
from hvtui.journal.entry import Entry
from hvtui.journal.store import Journal, JournalError
from hvtui.journal.unfinished import Unfinished, stopped_services, unfinished
from hvtui.model.severity import Severity
from hvtui.operations.audit import Actor, Audit
from hvtui.operations.backup_state import BackupSigns, still_said
from hvtui.operations.builders import BUILDERS, NARROW, Builder, nodes_of, services_of
from hvtui.operations.desk import Desk, GivenUpError
from hvtui.operations.facts import Facts, Leftover, Limits
from hvtui.operations.gate import check
from hvtui.operations.nodes import Asker, Nodes, Watcher
from hvtui.operations.pace import Pace
from hvtui.operations.plan import Level, Plan, Refusal, Target, Verb
from hvtui.operations.records import stopped_services as stopped_by_records
from hvtui.operations.recovery import Truth, read_truth, taken_away
from hvtui.operations.recovery import services_of as services_of_unfinished
from hvtui.operations.run import Command, Run, RunState
from hvtui.operations.runs import runner_of

OBSERVE: Final = 2.0
"""Seconds between two looks for signs of running backups; the streams tell no faster."""
KEY: Final = "key"
"""What `start` is told when an armed button was pressed."""

_log = logging.getLogger(__name__)


class Operations:
    """Plans, starts, watches and cancels changes of one cluster. All methods on the event loop's thread."""

    def __init__(
        self,
        nodes: Nodes,
        journal: Journal,
        *,
        config: ClusterConfig,
        actor: Actor,
        clock: Clock,
        file: str = "",
        pace: Pace | None = None,
        limits: Limits | None = None,
        gate: Callable[[Plan, Facts], tuple[Refusal, ...]] = check,
        builders: dict[Verb, Builder] | None = None,
    ) -> None:
        """`file` is the configuration's path, named where a line of it would allow changes.

        `pace`, `limits`, `gate` and `builders` are replaced in tests.
        """
        self.runs: list[Run] = []
        """Newest last."""
        self._nodes = nodes
        self._journal = journal
        self._config = config
        self._file = file
        self._clock = clock
        self._restricted = False
        self._closed = False
        self._limits = limits or Limits()
        self._builders = BUILDERS if builders is None else builders
        self._signs = BackupSigns()
        self._leftovers: dict[str, Leftover] = {}
        self._stopped: dict[str, Entry] = {}
        self._unfinished: list[Unfinished] = []
        self._taken: dict[str, list[str]] = {}
        """Node in lower case → VMs that its last drain took away, as long as it was not resumed since."""
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._holding: dict[str, Run] = {}
        """`Target.key` → the run that holds it."""
        self._listeners: list[Callable[[Run], None]] = []
        pace = pace or Pace()
        self._desk = Desk(
            nodes=nodes,
            audit=Audit(journal, clock, actor, self._cluster),
            clock=clock,
            pace=pace,
            asker=Asker(nodes),
            watcher=Watcher(nodes, pace.tick),
            gate=gate,
            facts=self.facts,
            build=self._build,
            tell=self._tell,
        )
        self._observed = float("-inf")
        self._unsubscribe = nodes.subscribe(lambda change: self._observe())

    # --- what may be done ---

    @property
    def read_only(self) -> bool:
        """Nothing may be changed. Setting it restricts; clearing it lifts only that restriction, not the file's."""
        return bool(self.read_only_why)

    @read_only.setter
    def read_only(self, wanted: bool) -> None:
        self._restricted = wanted

    @property
    def read_only_why(self) -> str:
        """Why nothing may be changed, with the line to add and the file; empty when it may."""
        if not self._config.actions:
            where = f" of {self._file}" if self._file else ""
            return f"read-only: `actions = true` is missing under [clusters.{self._config.name}]{where}"
        return "read-only: switched on in this console" if self._restricted else ""

    @property
    def commands(self) -> Sequence[Command]:
        """The command log: every mutating call of this console, verbatim, oldest first."""
        return self._desk.commands

    @property
    def stopped_vmms(self) -> list[str]:
        """Nodes whose VMMS is stopped and was stopped by hvtui: the first thing on the screen.

        By this user's journal, or by the record that another hvtui left in the node's own log.
        """
        found = []
        for key in sorted(self._stopped.keys() | stopped_by_records(self._nodes.state).keys()):
            node, _, name = key.partition("/")
            view = self._nodes.state.nodes.get(self._nodes.state.node_name(node))
            if name == "vmms" and view is not None and view.host is not None and view.host.vmms == "Stopped":
                found.append(view.name)
        return found

    # --- asking and planning ---

    async def open(self) -> None:
        """Open the journal and read what was left unfinished. A journal that fails stops changes, not the console."""
        try:
            await self._desk.audit.open()
            await self.look_back()
        except JournalError as error:
            _log.warning("%s", error)

    async def gather(
        self,
        verb: Verb,
        nodes: Iterable[str],
        *,
        targets: Sequence[Target] = (),
        services: Iterable[str] = (),
        run: Run | None = None,
    ) -> Facts:
        """Ask the nodes afresh for what plans depend on, and put it together with the picture.

        What could not be read is in `Facts.unread`. `services` are `NODE/name`; of `targets` that a backup forbids to
        touch the VSS writers are read; `run` is the one that asks: what it holds itself is not busy.
        """
        fork = verb not in {Verb.CANCEL, Verb.START_VMMS, Verb.SERVICE}
        # The search of whole logs is heavy, and what is logged since then comes with the event stream.
        await self._desk.asker.ask(nodes, services=services, fork=fork, fork_age=self._desk.pace.fork_age)
        await self._desk.read_writers(verb, targets)
        await self._desk.fresh()
        await self.look_back()
        return self.facts(run)

    def facts(self, run: Run | None = None) -> Facts:
        """What is known now, nothing asked."""
        state, answers = self._nodes.state, self._desk.asker.answers
        monotonic = self._nodes.monotonic()
        self._observe(now_too=True)
        return Facts(
            state=state,
            now=self._clock.now(),
            monotonic=monotonic,
            limits=self._limits,
            preflight={state.node_name(node): answer for node, (_, answer) in answers.preflight.items()},
            fork={state.node_name(node): answer for node, (_, answer) in answers.fork.items()},
            services={key: answer for key, (_, answer) in answers.services.items()},
            unread=dict(answers.unread),
            busy={key: held.plan.title for key, held in self._holding.items() if held is not run},
            stopped=frozenset(self._stopped) | frozenset(stopped_by_records(state)),
            backup_stopped={node: said for node, said in self._leftovers.items() if still_said(state, said)},
            read_only=self.read_only_why,
            pinned=self._nodes.pinned,
            protected=self._config.protected,
            groups=dict(self._config.groups),
            quiet={name: self._signs.quiet(state, name, monotonic) for name in state.nodes},
        )

    async def plan(self, verb: Verb, targets: Sequence[Target], **options: str) -> Plan:
        """Gather facts and make the plan of a verb. What stands against it is in the plan: nothing is raised for it.

        Options: `destination` (migrate), `failback` (resume, vmms), `overrides` (names joined by commas), and those of
        the verb's builder. Raises KeyError for a verb without a builder.
        """
        wanted = tuple(targets)
        asked, services = self._asked(verb, wanted), services_of(verb, wanted)
        facts = await self.gather(verb, asked, targets=wanted, services=services)
        return self._builders[verb](facts, wanted, self._with_known(verb, wanted, options))

    async def say_backup_stopped(self, node: str, confirmed: str) -> str:
        """An operator says that the backup job of a node was stopped in the backup product; typed, and journaled.

        Returns why it was not taken; empty when it was. Raises JournalError.
        """
        name = self._nodes.state.node_name(node)
        if confirmed.strip().lower() != name.lower():
            return f"type {name} to say that its backup job was stopped"
        target = Target(kind="node", id=name, name=name)
        await self._desk.audit.note(
            f"said that the backup job of {name} was stopped in the backup product", target, {"typed": confirmed}
        )
        self._leftovers[name] = Leftover(node=name, by=self._desk.audit.actor.user, time=self._clock.now())
        return ""

    # --- running ---

    async def start(self, plan: Plan, *, confirmed: str) -> Run:
        """Look once more, and begin. The run is `refused` when something stands against it: nothing was done then.

        `confirmed` is `key` for an armed button, else what was typed. The run is in `runs` from the first moment.
        """
        run = Run(id=str(uuid4()), plan=plan, started=self._clock.now())
        self.runs.append(run)
        self._tell(run)
        run.refusals = _confirmed(plan, confirmed, protected=self._config.protected)
        if not run.refusals:
            asked, services = self._asked(plan.verb, plan.targets), services_of(plan.verb, plan.targets)
            facts = await self.gather(plan.verb, asked, targets=plan.targets, services=services, run=run)
            # From here to the hold nothing else runs: two starts cannot both find the target free.
            run.refusals = (*plan.refusals, *self._desk.gate(plan, facts))
        if not run.refusals:
            self._holding.update(dict.fromkeys(run.holds, run))
            try:
                await self._desk.audit.open()
                await self._desk.audit.begun(run, confirmed)
            except JournalError as error:
                self._release(run)
                run.refusals = (Refusal(rule="journal", text=error.text, hint=error.hint),)
        if run.refusals:
            await self._refuse(run)
            return run
        runner = runner_of(plan)
        runner.lay_out(run)
        run.state = RunState.RUNNING
        self._tell(run)
        self._tasks[run.id] = asyncio.create_task(self._carry_out(run), name=f"run {run.id}")
        return run

    async def cancel(self, run: Run) -> str:
        """Cancel what is queued and what Windows can cancel; says in words what was done, or why nothing was."""
        if run.over:
            return f"it has ended: {run.state.value}"
        if not run.can_cancel:
            return run.cancel_text
        run.cancelling = True
        self._desk.watcher.wake()
        self._tell(run)
        return f"cancelling: {run.cancel_text}"

    async def wait(self, run: Run) -> None:
        """Wait until a run has ended."""
        task = self._tasks.get(run.id)
        if task is not None:
            await asyncio.shield(task)

    def acknowledge(self, run: Run) -> None:
        """A person has seen how it ended."""
        run.acknowledged = True
        self._tell(run)

    def subscribe(self, listener: Callable[[Run], None]) -> Callable[[], None]:
        """Call `listener` with every run that changed; the result unsubscribes."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def close(self) -> None:
        """The console ends. Windows goes on with what it was asked; the journal has what is left unfinished."""
        for run in self.runs:
            task = self._tasks.pop(run.id, None)
            if task is None or task.done():
                continue
            task.cancel()
            await asyncio.wait([task])
            run.state = RunState.LEFT
            try:
                await self._desk.audit.left(run)
            except JournalError as error:
                _log.warning("%s", error)
        if not self._closed:
            self._closed = True
            self._unsubscribe()
            self._desk.watcher.close()
        await asyncio.to_thread(self._journal.close)

    # --- after a console that was killed ---

    async def look_back(self) -> None:
        """Read from the journal what is unfinished and which services hvtui stopped."""
        cluster_id, _ = self._cluster()
        if not cluster_id:
            return
        try:
            read = self._desk.audit.read
            self._unfinished = await read(lambda journal: unfinished(journal, cluster_id))
            self._stopped = await read(lambda journal: stopped_services(journal, cluster_id))
            self._taken = await read(lambda journal: taken_away(journal, cluster_id))
        except JournalError as error:
            _log.warning("%s", error)

    def unfinished(self) -> list[Unfinished]:
        """Operations of this cluster that a console began and did not end, oldest first, as last looked back."""
        return list(self._unfinished)

    async def read_back(self, one: Unfinished) -> Truth:
        """Read what became of an unfinished operation, and what is offered now. Nothing is run."""
        services = {}
        for service in services_of_unfinished(one):
            node, _, name = service.partition("/")
            try:
                services[service] = await self._desk.asker.service(node, name)
            except RemoteError as error:
                _log.info("%s: %s", service, error)
        await self._desk.fresh(since=self._nodes.monotonic())
        return read_truth(self._nodes.state, one, services)

    async def close_unfinished(self, operation: str, note: str) -> None:
        """Mark an unfinished operation as closed, with a person's note. Raises JournalError."""
        one = next((one for one in self._unfinished if one.operation == operation), None)
        if one is not None:
            await self._desk.audit.closed(operation, note, one.begun)
            await self.look_back()

    # --- helpers ---

    def _observe(self, *, now_too: bool = False) -> None:
        """Look for signs of running backups, not at every tick: it is a look at every node.

        `now_too`: for a plan always; a node that came only a moment ago would count as one that nobody watches.
        """
        now = self._nodes.monotonic()
        if now_too or now - self._observed >= OBSERVE:
            self._observed = now
            for node in self._signs.observe(self._nodes.state, now):
                # A backup runs now: what was said about leftovers was said of another one.
                self._leftovers.pop(node, None)

    def _cluster(self) -> tuple[str, str]:
        info = self._nodes.state.cluster.info
        return ("", self._config.name) if info is None else (info.id, info.name)

    def _asked(self, verb: Verb, targets: tuple[Target, ...]) -> list[str]:
        """Nodes that a plan of this verb must hear of."""
        if verb in NARROW:
            return [] if verb is Verb.CANCEL else nodes_of(targets)
        return self._nodes.state.node_names()

    def _with_known(self, verb: Verb, targets: tuple[Target, ...], options: dict[str, str]) -> dict[str, str]:
        """Options with what the journal knows: which VMs hvtui's own drain of a node took away."""
        taken = self._taken.get(targets[0].id.lower()) if targets else None
        if verb is not Verb.RESUME or "returning" in options or taken is None:
            return options
        return {**options, "returning": ",".join(taken)}

    def _build(self, verb: Verb, targets: tuple[Target, ...], options: dict[str, str], run: Run) -> Plan:
        """A sub plan of a run, from what is known now."""
        return self._builders[verb](self.facts(run), targets, self._with_known(verb, targets, options))

    async def _refuse(self, run: Run) -> None:
        run.state = RunState.REFUSED
        run.ended = self._clock.now()
        for refusal in run.refusals:
            self._desk.line(run, f"{refusal.text} ({refusal.rule})", Severity.WARN)
        try:
            if self._desk.audit.session == "":
                await self._desk.audit.open()
            await self._desk.audit.refused(run)
        except JournalError as error:
            self._desk.line(run, error.text, Severity.BAD)
        self._tell(run)

    async def _carry_out(self, run: Run) -> None:
        desk, began = self._desk, self._nodes.monotonic()
        try:
            run.state = await runner_of(run.plan).run(desk, run)
        except (GivenUpError, JournalError, RemoteError) as error:
            desk.line(run, str(error), Severity.BAD)
            run.state = RunState.FAILED
        except asyncio.CancelledError:
            raise
        except Exception as error:
            _log.exception("run %s failed", run.id)
            desk.line(
                run, f"hvtui failed on it: {type(error).__name__}; read the cluster before going on", Severity.BAD
            )
            run.state = RunState.UNKNOWN
        finally:
            self._release(run)
        run.can_cancel = False
        run.ended = self._clock.now()
        try:
            last = run.lines[-1].text if run.lines else ""
            await desk.audit.ended(run, last, self._nodes.monotonic() - began)
            await self.look_back()
        except JournalError as error:
            desk.line(run, error.text, Severity.BAD)
        self._tell(run)

    def _release(self, run: Run) -> None:
        for key in [key for key, holder in self._holding.items() if holder is run]:
            del self._holding[key]

    def _tell(self, run: Run) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(run)
            except Exception:
                _log.exception("a listener of operations failed")


def _confirmed(plan: Plan, confirmed: str, *, protected: bool) -> tuple[Refusal, ...]:
    """No verb without a confirmation, and on a protected cluster always the typed one."""
    typed = confirmed.strip().casefold() == plan.name.strip().casefold() and bool(plan.name.strip())
    if typed or (confirmed == KEY and plan.level is Level.KEY and not protected):
        return ()
    return (Refusal(rule="confirm", text=f"not confirmed: type {plan.name}"),)
