"""From a key to a change: what the key is about, which dialog asks, and what happens when it was confirmed.

Nothing here changes a cluster: it asks `Operations`, whose gate refuses whatever must not be.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from hvtui.journal.store import JournalError
from hvtui.live.feed import Feed
from hvtui.model.change import Change
from hvtui.operations.plan import Plan, Target, Verb
from hvtui.operations.run import Offer, Run, RunState
from hvtui.operations.service import Operations
from hvtui.ui.action import Action
from hvtui.ui.actions import ACTIONS
from hvtui.ui.isolations import Isolation, isolation_of
from hvtui.ui.look import Look
from hvtui.ui.marks import Marks
from hvtui.ui.notice import NoticeScreen
from hvtui.ui.pointed import NOTHING, Pointed, Points
from hvtui.ui.targets import csv_target, node_targets, service_of_writer, service_target, vm_targets

if TYPE_CHECKING:
    from hvtui.ui.app import HvtuiApp
    from hvtui.ui.dialogs.plan_dialog import Wish

_LOG = logging.getLogger(__name__)

_WATCHED: Final = frozenset({Verb.DRAIN, Verb.VMMS, Verb.SERVICE, Verb.RESUME, Verb.START_VMMS})
"""Verbs with steps to be followed: the operations page opens when they begin."""
_PLACES: Final = {"vm": "a VM (3)", "node": "a node (1)", "csv": "a CSV (2)", "writer": "a writer (4)", "run": ""}


class Acting:
    """What the console does with `Operations`. `marks` are those of the rows."""

    def __init__(self, app: HvtuiApp, feed: Feed, look: Look, operations: Operations) -> None:
        self._app = app
        self.feed = feed
        self.look = look
        self.operations = operations
        self.marks = Marks.none()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._opened = ""
        self._restricted = False
        self.isolations: dict[str, Isolation] = {}
        """Run id → what is needed to count the backups of VMs that this console isolated."""
        self._due = False

    def begin(self) -> None:
        """The app runs: listen to runs, and open the journal once it is known which cluster this is."""
        self.operations.subscribe(self._heard)
        self.feed.subscribe(self._open_when_known)
        self._open_when_known(Change())

    def _open_when_known(self, _change: Change) -> None:
        info = self.feed.state.cluster.info
        if info is not None and info.id != self._opened:
            self._opened = info.id
            self._later(self.operations.open(), "open the journal")

    # --- what runs ---

    def _heard(self, _run: Run) -> None:
        # Runs tell every small step; rows are painted some times a second.
        if not self._due and self._app.is_running:
            self._due = True
            self._app.set_timer(0.1, self._mark)

    def _mark(self) -> None:
        self._due = False
        changed = self.marks.update(self.operations.runs)
        self._app.overview.marked(changed)

    def counts(self) -> tuple[int, int]:
        """Operations that run, and those that ended badly or were left unfinished and nobody has seen yet."""
        runs = self.operations.runs
        running = sum(not run.over for run in runs)
        bad = sum(run.state in {RunState.FAILED, RunState.UNKNOWN} and not run.acknowledged for run in runs)
        return running, bad + len(self.operations.unfinished())

    def asks_before_leaving(self) -> bool:
        """Operations run: open the dialog that says what leaving means. False when nothing runs."""
        from hvtui.ui.dialogs.ask_dialog import LeaveRunning  # noqa: PLC0415

        if not self.counts()[0] or isinstance(self._app.screen, LeaveRunning):
            return False
        self._app.push_screen(LeaveRunning(self.feed, self.look, self.operations, self._app.exit))
        return True

    # --- keys ---

    def ask(self, verb: Verb, about: Pointed | None = None) -> None:
        """A verb's key, or its entry in the menu or palette; without `about` it is about the screen's row."""
        action = next(action for action in ACTIONS if action.verb == verb.value)
        why = self.operations.read_only_why
        if why:
            self._refuse(action, why)
            return
        pointed = self._pointed() if about is None else about
        if verb is Verb.ALIGN:
            self._align(action, pointed)
        elif verb is Verb.START_VMMS:
            self._start_vmms(action, pointed)
        elif pointed.kind not in action.on or not pointed.keys:
            places = " or ".join(place for kind in action.on if (place := _PLACES[kind]))
            self.tell(f"{action.title}: put the cursor on {places} first")
        elif verb is Verb.CANCEL and pointed.kind == "run":
            self._cancel_run(pointed.keys[0])
        elif verb is Verb.MIGRATE:
            self._migrate(vm_targets(self.feed.state, pointed.keys))
        elif verb is Verb.ISOLATE:
            self._isolate(action, vm_targets(self.feed.state, pointed.keys))
        elif verb is Verb.RETURN:
            self._return(action, pointed)
        elif verb is Verb.SERVICE:
            self._service(action, pointed)
        elif verb in {Verb.RESUME, Verb.DRAIN, Verb.VMMS}:
            self._nodes(action, verb, pointed)
        else:
            names = vm_targets(self.feed.state, pointed.keys)
            self.open_plan(self._wish(action, names, f"{action.title}: {_some(names)}"))

    def open_menu(self) -> None:
        """Everything that can be done with the row under the cursor."""
        from hvtui.ui.dialogs.row_menu import row_menu  # noqa: PLC0415

        pointed = self._pointed()
        self._app.push_screen(row_menu(self, pointed, lambda verb: self.ask(Verb(verb), pointed)))

    def toggle_read_only(self) -> None:
        """Restrict this console, or lift its own restriction; what the configuration says stays."""
        operations = self.operations
        self._restricted = not self._restricted
        operations.read_only = self._restricted
        self.tell(operations.read_only_why or "changes are allowed again, each with its confirmation")
        self._app.overview.header.tick()

    def _pointed(self) -> Pointed:
        screen = self._app.screen
        return screen.pointed() if isinstance(screen, Points) else NOTHING

    def _refuse(self, action: Action, why: str) -> None:
        """Without permission a verb names the line to add and the file."""
        hint = "Add that line and start hvtui again, or ask who runs this cluster."
        if "switched on" in why:
            hint = "F8 lifts it again."
        self._app.push_screen(NoticeScreen(self.look, f"{action.title}: nothing is changed", why, hint))

    def _wish(self, action: Action, targets: tuple[Target, ...], title: str, **options: str) -> Wish:
        from hvtui.ui.dialogs.plan_dialog import Wish  # noqa: PLC0415  # not needed for the first frame

        return Wish(Verb(action.verb), targets, title, action.confirm, dict(options))

    # --- verbs ---

    def _nodes(self, action: Action, verb: Verb, pointed: Pointed) -> None:
        names = tuple(dict.fromkeys(key.partition("|")[0] for key in pointed.keys))
        if len(names) > 1 and verb is not Verb.VMMS:
            self.tell(f"{action.title}: one node at a time; {len(names)} are marked")
            return
        targets = node_targets(names)
        if verb is Verb.RESUME:
            self._resume(action, targets)
        elif verb is Verb.VMMS:
            self._vmms(action, targets)
        else:
            self.open_plan(self._wish(action, targets, f"Drain {names[0]}"))

    def _align(self, action: Action, pointed: Pointed) -> None:
        if pointed.kind == "csv" and pointed.keys:
            target = csv_target(self.feed.state, pointed.keys[0])
            self.open_plan(self._wish(action, (target,), f"Align the VMs of {target.name}", csv=target.name))
        else:
            self.open_plan(self._wish(action, (), "Align VMs with the owners of their CSVs"))

    def _start_vmms(self, action: Action, pointed: Pointed) -> None:
        stopped = self.operations.stopped_vmms
        names = [name for name in pointed.keys if pointed.kind == "node" and name in stopped] or stopped
        names = names or (list(pointed.keys) if pointed.kind == "node" else [])
        if names:
            target = service_target(names[0], "vmms")
            self.open_plan(self._wish(action, (target,), f"Start VMMS on {names[0]}"))
        else:
            self.tell("no VMMS that hvtui stopped is stopped")

    def _migrate(self, targets: tuple[Target, ...]) -> None:
        from hvtui.ui.dialogs.destination import Destinations  # noqa: PLC0415

        action = next(action for action in ACTIONS if action.verb == Verb.MIGRATE)

        def chosen(node: str) -> None:
            where = node or "where they fit best"
            self.open_plan(self._wish(action, targets, f"Move {_some(targets)} to {where}", destination=node))

        self._app.push_screen(Destinations(self.feed, self.look, self.operations, targets, chosen))

    def _resume(self, action: Action, targets: tuple[Target, ...]) -> None:
        from hvtui.ui.dialogs.questions import resume_question  # noqa: PLC0415

        def chosen(failback: str) -> None:
            self.open_plan(self._wish(action, targets, f"Resume {targets[0].name} ({failback})", failback=failback))

        self._app.push_screen(resume_question(self.feed, self.look, targets[0].name, chosen))

    def _vmms(self, action: Action, targets: tuple[Target, ...]) -> None:
        from hvtui.ui.dialogs.questions import needed_question  # noqa: PLC0415

        def go_on(answer: str) -> None:
            title = f"Restart VMMS on {_some(targets)}"
            wish = self._wish(action, targets, title)
            wish.remarks = (answer,) if answer else ()
            self.open_plan(wish)

        question = needed_question(self.feed, self.look, [target.id for target in targets], go_on)
        if question is None:
            go_on("")
        else:
            self._app.push_screen(question)

    def _service(self, action: Action, pointed: Pointed) -> None:
        from hvtui.ui.dialogs.questions import service_question  # noqa: PLC0415

        node, _, writer = pointed.keys[0].partition("|")

        def chosen(service: str) -> None:
            target = service_target(node, service)
            self.open_plan(self._wish(action, (target,), f"Restart {service} on {node}"))

        service = service_of_writer(writer)
        if service:
            if service.lower() == "vmms":
                self._vmms(next(one for one in ACTIONS if one.verb == Verb.VMMS), node_targets([node]))
                return
            chosen(service)
        else:
            self._app.push_screen(service_question(self.feed, self.look, node, chosen))

    def _isolate(self, action: Action, targets: tuple[Target, ...]) -> None:
        from hvtui.ui.dialogs.questions import control_question  # noqa: PLC0415

        def chosen(control: str) -> None:
            title = f"Isolate {_some(targets)}"
            self.open_plan(self._wish(action, targets, title, control=control))

        self._app.push_screen(control_question(self.feed, self.look, targets, chosen))

    def _return(self, action: Action, pointed: Pointed) -> None:
        homes: dict[str, str] = {}
        for run in self.operations.runs:
            if run.plan.verb is Verb.ISOLATE and (pointed.kind != "run" or run.id in pointed.keys):
                pairs = (pair.partition("=") for pair in run.plan.options.get("home", "").split(","))
                homes.update({key: node for key, _, node in pairs if node})
        if pointed.kind == "vm" and pointed.marked:
            homes = {key: node for key, node in homes.items() if key in pointed.keys}
        if not homes:
            self.tell("this console has isolated nothing that could be sent back")
            return
        targets = vm_targets(self.feed.state, homes)
        home = ",".join(f"{key}={node}" for key, node in homes.items())
        self.open_plan(self._wish(action, targets, f"Return {_some(targets)} to where they were", home=home))

    def _cancel_run(self, run_id: str) -> None:
        from hvtui.ui.dialogs.ask_dialog import CancelRun  # noqa: PLC0415

        run = next((run for run in self.operations.runs if run.id == run_id), None)
        if run is None:
            self.tell("it was left unfinished by an earlier console: there is nothing to cancel here")
        elif run.over or not run.can_cancel:
            self.tell(f"it has ended: {run.state.value}" if run.over else run.cancel_text)
        else:
            self._app.push_screen(CancelRun(self.feed, self.look, run, self._cancel))

    # --- offers, and what hvtui knows only from a person ---

    def take(self, offer: Offer) -> None:
        """What a run or an unfinished operation offers, as a new plan."""
        from hvtui.ui.dialogs.plan_dialog import Wish  # noqa: PLC0415

        action = next(action for action in ACTIONS if action.verb == offer.verb)
        why = self.operations.read_only_why
        if why:
            self._refuse(action, why)
        else:
            self.open_plan(Wish(offer.verb, offer.targets, offer.text, action.confirm, dict(offer.options)))

    def open_plan(self, wish: Wish) -> None:
        """The dialog of a wish."""
        from hvtui.ui.dialogs.plan_dialog import PlanDialog  # noqa: PLC0415

        def begin(plan: Plan, confirmed: str) -> None:
            self._start(wish, plan, confirmed)

        dialog = PlanDialog(self.feed, self.look, self.operations, wish, begin=begin, say_stopped=self._ask_stopped)
        self._app.push_screen(dialog)

    def _ask_stopped(self, node: str) -> None:
        from hvtui.ui.dialogs.ask_dialog import BackupStopped  # noqa: PLC0415

        self._app.push_screen(BackupStopped(self.feed, self.look, self.operations, node, self._said_stopped))

    def _said_stopped(self, node: str, typed: str) -> None:
        self._later(self._say_stopped(node, typed), "say that a backup was stopped")

    async def _say_stopped(self, node: str, typed: str) -> None:
        from hvtui.ui.dialogs.plan_dialog import PlanDialog  # noqa: PLC0415

        try:
            why = await self.operations.say_backup_stopped(node, typed)
        except JournalError as error:
            why = error.text
        if why:
            self.tell(why)
        for screen in self._app.screen_stack:
            if isinstance(screen, PlanDialog):
                screen.ask(chosen=True)

    # --- doing ---

    def _start(self, wish: Wish, plan: Plan, confirmed: str) -> None:
        if plan.verb in _WATCHED:
            self._app.action_operations()
        self._later(self._run(wish, plan, confirmed), plan.title)

    async def _run(self, wish: Wish, plan: Plan, confirmed: str) -> None:
        isolation = isolation_of(self.feed, plan, wish.targets) if plan.verb is Verb.ISOLATE else None
        run = await self.operations.start(plan, confirmed=confirmed)
        if isolation is not None:
            self.isolations[run.id] = isolation
        if run.state is RunState.REFUSED:
            text = "\n".join(f"{refusal.text} ({refusal.rule})" for refusal in run.refusals)
            self._app.push_screen(NoticeScreen(self.look, f"Refused: {plan.title}", text, "Nothing was done."))
        elif plan.verb not in _WATCHED:
            self._app.overview.tell(f"{plan.title}: begun; O shows how it goes")

    def _cancel(self, run: Run) -> None:
        self._later(self._cancelled(run), "cancel")

    async def _cancelled(self, run: Run) -> None:
        self.tell(await self.operations.cancel(run))

    def tell(self, text: str) -> None:
        """A short word at the edge of the screen."""
        self._app.overview.tell(text)

    def _later(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Work that belongs to no screen: it goes on whatever is shown."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("%s failed", task.get_name(), exc_info=task.exception())
            if self._app.is_running:
                self.tell(f"hvtui failed on it: {type(task.exception()).__name__}; its log has more")


def _some(targets: tuple[Target, ...]) -> str:
    """`SQL07`, or `3 VMs`."""
    if len(targets) == 1:
        return targets[0].name
    kinds = {target.kind for target in targets}
    return f"{len(targets)} {'VMs' if kinds == {'vm'} else 'nodes' if kinds == {'node'} else 'targets'}"
