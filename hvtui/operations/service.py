"""Operations: what the console and the command line change a cluster with. One object for each of them.

A change is asked for (`plan`), shown to a person, confirmed (`start`) and carried out as a `Run`, which everybody may
watch. The rules are in one gate below it; the journal has every step before it runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from hvtui.clock import Clock
from hvtui.config import ClusterConfig
from hvtui.errors import Unreachable
from hvtui.journal.store import Journal, JournalError
from hvtui.journal.unfinished import Unfinished
from hvtui.model.checkpoints import Checkpoints
from hvtui.model.fallback import Fallback
from hvtui.model.guest_rows import GuestRow
from hvtui.model.guests import GuestFiles
from hvtui.model.secret import GuestCredential
from hvtui.model.vss_access import VssAccess
from hvtui.operations.access import Access
from hvtui.operations.audit import Actor, Audit
from hvtui.operations.backup_watch import BackupWatch
from hvtui.operations.builders import BUILDERS, NARROW, Builder, nodes_of, services_of
from hvtui.operations.desk import Desk
from hvtui.operations.facts import Facts, Leftover, Limits, Was
from hvtui.operations.fallbacks import FallbackNotes
from hvtui.operations.gate import check, leave_out
from hvtui.operations.guest_knowledge import GuestKnowledge
from hvtui.operations.guests import Guests
from hvtui.operations.nodes import Answers, Asker, Nodes, Watcher
from hvtui.operations.pace import Pace
from hvtui.operations.past import Past
from hvtui.operations.plan import OF_VMS, Plan, Refusal, Target, Verb
from hvtui.operations.records import stopped_services as stopped_by_records
from hvtui.operations.recovery import Truth
from hvtui.operations.run import Command, Run
from hvtui.operations.running import KEY, Listeners, Running, unconfirmed
from hvtui.operations.verbs.vss_access import VSSACCESS
from hvtui.operations.vss_verified import Check, checks

__all__ = ["KEY", "Operations"]

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
        self._backups = BackupWatch()
        self._listeners = Listeners()
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
            tell=self._listeners.tell,
        )
        self.access = Access(self._desk)
        self.guest_knowledge = GuestKnowledge()
        """What looks into guests have found; in memory only."""
        self._guests = Guests(self._desk, self.guest_knowledge)
        self._past = Past(self._desk)
        self._fallbacks = FallbackNotes(self._desk)
        self._running = Running(self._desk, clock, self._past.look)
        self._unsubscribe = nodes.subscribe(lambda change: self._observe())

    @property
    def journal_folder(self) -> Path:
        """Where the journal is."""
        return self._journal.folder

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
    def asked(self) -> Answers:
        """What nodes answered to the questions that only operations ask."""
        return self._desk.asker.answers

    @property
    def actor(self) -> Actor:
        """Who acts here."""
        return self._desk.audit.actor

    def backups_said(self) -> dict[str, Leftover]:
        """Node → what an operator said of its leftovers, where that still holds."""
        return self._backups.said(self._nodes.state)

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
        for key in sorted(self._past.stopped.keys() | stopped_by_records(self._nodes.state).keys()):
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
            await self._fallbacks.open()
        except JournalError as error:
            _log.warning("%s", error)

    @property
    def fallbacks(self) -> Sequence[Fallback]:
        """Checkpoints that silently became ones with memory, oldest first, those that earlier consoles saw included."""
        return self._nodes.state.fallbacks.found

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
        searched = self._nodes.state.node_names() if verb in OF_VMS else ()
        age = self._desk.pace.fork_age
        await self._desk.asker.ask(nodes, services=services, fork=fork, fork_age=age, searched=searched)
        await self._desk.read_more(verb, targets)
        await self._desk.fresh()
        await self.look_back()
        return self.facts(run)

    def facts(self, run: Run | None = None) -> Facts:
        """What is known now, nothing asked."""
        state, answers = self._nodes.state, self._desk.asker.answers
        monotonic = self._nodes.monotonic()
        self._backups.observe(state, monotonic, now_too=True)
        return Facts(
            state=state,
            now=self._clock.now(),
            monotonic=monotonic,
            limits=self._limits,
            preflight={state.node_name(node): answer for node, (_, answer) in answers.preflight.items()},
            fork={state.node_name(node): answer for node, (_, answer) in answers.fork.items()},
            services={key: answer for key, (_, answer) in answers.services.items()},
            unread=dict(answers.unread),
            busy=self._running.busy(run),
            stopped=frozenset(self._past.stopped) | frozenset(stopped_by_records(state)),
            backup_stopped=self._backups.said(state),
            read_only=self.read_only_why,
            pinned=self._nodes.pinned,
            protected=self._config.protected,
            groups=dict(self._config.groups),
            quiet=self._backups.quiet(state, monotonic),
            checkpoints={vm: answer for vm, (_, answer) in answers.checkpoints.items()},
            guests=self.guest_knowledge,
            access={state.node_name(node): answer for node, (_, answer) in answers.access.items()},
        )

    async def plan(self, verb: Verb, targets: Sequence[Target], **options: str) -> Plan:
        """Gather facts and make the plan of a verb. What stands against it is in the plan: nothing is raised for it.

        Options: `destination` (migrate), `failback` (resume, vmms), `overrides` (names joined by commas), and those of
        the verb's builder. Raises KeyError for a verb without a builder.
        """
        wanted: tuple[Target, ...] = tuple(targets)
        undo: tuple[Was, ...] = ()
        if verb in VSSACCESS:
            wanted, options, undo = await self.access.wish(verb, wanted, options)
        if verb is Verb.POLICY_UNDO:
            undo = await self._past.types_of(options.get("operation", ""))
            # So that only nodes which have such VMs are asked.
            wanted = tuple(was.target for was in undo)
        asked, services = self._asked(verb, wanted), services_of(verb, wanted)
        facts = await self.gather(verb, asked, targets=wanted, services=services)
        facts = replace(facts, undo=undo)
        return self._builders[verb](facts, wanted, self._with_known(verb, wanted, options))

    async def checkpoints(self, vm: str) -> Checkpoints:
        """The checkpoints of a VM, as its node tells them now. Raises RemoteError."""
        node = self._nodes.state.home(vm)
        if node is None:
            raise Unreachable("no node that is heard tells of this VM")
        return await self._desk.asker.checkpoints_of(node, vm)

    async def vss_access(self) -> dict[str, VssAccess | str]:
        """Node → who may take part in VSS there, or why that could not be read."""
        return await self.access.table()

    async def read_access(self, nodes: Iterable[str]) -> None:
        """Read who may take part in VSS on these nodes; `asked` has the answers."""
        await self._desk.asker.access(nodes)

    async def read_fork_signs(self, nodes: Iterable[str]) -> None:
        """Search the whole logs of these nodes for forks that were not committed; `asked` has the answers."""
        await self._desk.asker.ask((), searched=nodes)

    def access_checks(self) -> list[Check]:
        """Of each node on which hvtui set an entry of VssAccessControl: whether 8194 came again since."""
        return checks(self._nodes.state, self._backups.seen)

    # --- inside guests ---

    def guests(
        self, targets: Sequence[Target], credential: GuestCredential, *, parallel: int = 8
    ) -> AsyncGenerator[GuestRow, None]:
        """Look into guests, the first one alone; a row for each as they answer. Raises JournalError."""
        return self._guests.look(targets, credential, parallel=parallel)

    async def guest_files(
        self, target: Target, credential: GuestCredential, volume: str, *, count: int = 20, seconds: int = 60
    ) -> GuestFiles:
        """The largest files of a volume of one guest. Raises JournalError."""
        return await self._guests.files(target, credential, volume, count=count, seconds=seconds)

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
        self._backups.say(Leftover(node=name, by=self._desk.audit.actor.user, time=self._clock.now()))
        return ""

    # --- running ---

    async def start(self, plan: Plan, *, confirmed: str) -> Run:
        """Look once more, and begin. The run is `refused` when something stands against it: nothing was done then.

        `confirmed` is `key` for an armed button, else what was typed. The run is in `runs` from the first moment.
        """
        run = Run(id=str(uuid4()), plan=plan, started=self._clock.now())
        self.runs.append(run)
        self._desk.tell(run)
        run.refusals = unconfirmed(plan, confirmed, protected=self._config.protected)
        if not run.refusals:
            asked, services = self._asked(plan.verb, plan.targets), services_of(plan.verb, plan.targets)
            facts = await self.gather(plan.verb, asked, targets=plan.targets, services=services, run=run)
            # From here to the hold nothing else runs: two starts cannot both find the target free.
            kept, stands = self._still(plan, self._desk.gate(plan, facts))
            run.plan, run.refusals = kept, (*plan.refusals, *stands)
        if run.refusals:
            await self._running.refuse(run)
        else:
            await self._running.begin(run, confirmed)
        return run

    async def cancel(self, run: Run) -> str:
        """Cancel what is queued and what Windows can cancel; says in words what was done, or why nothing was."""
        if run.over:
            return f"it has ended: {run.state.value}"
        if not run.can_cancel:
            return run.cancel_text
        run.cancelling = True
        self._desk.watcher.wake()
        self._desk.tell(run)
        return f"cancelling: {run.cancel_text}"

    async def wait(self, run: Run) -> None:
        """Wait until a run has ended."""
        await self._running.wait(run)

    def acknowledge(self, run: Run) -> None:
        """A person has seen how it ended."""
        run.acknowledged = True
        self._desk.tell(run)

    def subscribe(self, listener: Callable[[Run], None]) -> Callable[[], None]:
        """Call `listener` with every run that changed; the result unsubscribes."""
        return self._listeners.add(listener)

    async def close(self) -> None:
        """The console ends. Windows goes on with what it was asked; the journal has what is left unfinished."""
        for run in self.runs:
            await self._running.leave(run)
        if not self._closed:
            self._closed = True
            self._unsubscribe()
            self._desk.watcher.close()
            await self._fallbacks.close()
        await asyncio.to_thread(self._journal.close)

    # --- after a console that was killed ---

    async def look_back(self) -> None:
        """Read from the journal what is unfinished and which services hvtui stopped."""
        await self._past.look()

    def unfinished(self) -> list[Unfinished]:
        """Operations of this cluster that a console began and did not end, oldest first, as last looked back."""
        return list(self._past.left)

    async def read_back(self, one: Unfinished) -> Truth:
        """Read what became of an unfinished operation, and what is offered now. Nothing is run."""
        return await self._past.read_back(one)

    async def close_unfinished(self, operation: str, note: str) -> None:
        """Mark an unfinished operation as closed, with a person's note. Raises JournalError."""
        await self._past.close(operation, note)

    # --- helpers ---

    def _observe(self) -> None:
        self._backups.observe(self._nodes.state, self._nodes.monotonic())
        self._fallbacks.look()
        self._past.drains.observe(self._nodes.state)

    def _cluster(self) -> tuple[str, str]:
        info = self._nodes.state.cluster.info
        return ("", self._config.name) if info is None else (info.id, info.name)

    def _asked(self, verb: Verb, targets: tuple[Target, ...]) -> list[str]:
        """Nodes that a plan of this verb must hear of."""
        if verb in VSSACCESS:
            return []
        if verb in OF_VMS:
            homes = (self._nodes.state.home(target.id.partition("/")[0]) for target in targets)
            return [home for home in dict.fromkeys(homes) if home]
        if verb in NARROW:
            return [] if verb is Verb.CANCEL else nodes_of(targets)
        return self._nodes.state.node_names()

    def _still(self, plan: Plan, refusals: tuple[Refusal, ...]) -> tuple[Plan, tuple[Refusal, ...]]:
        """Of many VMs those go on that nothing stands against now; the others are left, with their reasons."""
        if plan.verb not in OF_VMS:
            return plan, refusals
        kept, whole = leave_out(plan, refusals) if len(plan.changes) > 1 else (plan, refusals)
        if kept.changes:
            return kept, whole
        return plan, refusals or (Refusal(rule="nothing", text="nothing of it can be done, or needs to be"),)

    def _with_known(self, verb: Verb, targets: tuple[Target, ...], options: dict[str, str]) -> dict[str, str]:
        """Options with what the journal knows: which VMs hvtui's own drain of a node took away."""
        if verb is not Verb.RESUME or "returning" in options or not targets:
            return options
        taken = self._past.drains.taken(self._nodes.state, targets[0].id)
        if taken is None:
            return options
        return {**options, "returning": ",".join(taken)}

    def _build(self, verb: Verb, targets: tuple[Target, ...], options: dict[str, str], run: Run) -> Plan:
        """A sub plan of a run, from what is known now."""
        return self._builders[verb](self.facts(run), targets, self._with_known(verb, targets, options))
