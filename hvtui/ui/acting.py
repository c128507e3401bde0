"""From a key to a change: what the key is about, and what happens when it was confirmed; `asks` has the questions.

Nothing here changes a cluster: it asks `Operations`, whose gate refuses whatever must not be.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Final

from textual.screen import Screen

from hvtui.journal.store import JournalError
from hvtui.live.feed import Feed
from hvtui.model.change import Change
from hvtui.model.secret import GuestCredential
from hvtui.operations.plan import Plan, Verb
from hvtui.operations.run import Offer, Run, RunState
from hvtui.operations.service import Operations
from hvtui.ui.action import Action
from hvtui.ui.asks import action_of, ask
from hvtui.ui.isolations import Isolation, isolation_of
from hvtui.ui.look import Look
from hvtui.ui.marks import Marks
from hvtui.ui.notice import NoticeScreen
from hvtui.ui.page_asks import PAGES, open_page
from hvtui.ui.pointed import NOTHING, Pointed, Points

if TYPE_CHECKING:
    from hvtui.ui.app import HvtuiApp
    from hvtui.ui.dialogs.plan_dialog import Wish

_LOG = logging.getLogger(__name__)

_PAUSE: Final = 0.1
"""Seconds in which changes of runs are gathered before rows are marked."""
_WATCHED: Final = frozenset(
    {
        Verb.DRAIN, Verb.VMMS, Verb.SERVICE, Verb.RESUME, Verb.START_VMMS, Verb.POLICY, Verb.POLICY_UNDO,
        Verb.VSSACCESS, Verb.VSSACCESS_REMOVE, Verb.VSSACCESS_UNDO,
    }
)  # fmt: skip
"""Verbs with steps or many targets to be followed: the operations page opens when they begin."""


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
        self.guest_account = ""
        """The name of the account of guests that was given last."""
        self.guest_credential: GuestCredential | None = None
        """The account of guests, asked for once; in memory only, and gone as soon as a guest refuses it."""
        self.isolations: dict[str, Isolation] = {}
        """Run id → what is needed to count the backups of VMs that this console isolated."""
        self._due = False
        self._pause = _PAUSE

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
            self._app.set_timer(self._pause, self._mark)

    def _mark(self) -> None:
        began = time.perf_counter()
        self._due = False
        changed = self.marks.update(self.operations.runs)
        self._app.overview.marked(changed)
        # A run over thousands of VMs tells of every one: the marks take a tenth of the time at most.
        self._pause = max(_PAUSE, 10 * (time.perf_counter() - began))

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
        action = action_of(verb)
        why = self.operations.read_only_why
        if why:
            self._refuse(action, why)
        else:
            ask(self, action, self.pointed() if about is None else about)

    def open_menu(self) -> None:
        """Everything that can be done with the row under the cursor."""
        from hvtui.ui.dialogs.row_menu import row_menu  # noqa: PLC0415

        pointed = self.pointed()
        self.push(row_menu(self, pointed, lambda chosen: self._choose(chosen, pointed)))

    def _choose(self, chosen: str, pointed: Pointed) -> None:
        if chosen == "watch.toggle":
            self._app.toggle_watch(pointed)
        elif chosen in PAGES:
            open_page(self, chosen, pointed)
        else:
            self.ask(Verb(chosen), pointed)

    def open_page(self, page: str) -> None:
        """A page about the screen's rows: `acts.checkpoints`, `acts.guests` or `acts.access`."""
        open_page(self, page, self.pointed())

    def toggle_read_only(self) -> None:
        """Restrict this console, or lift its own restriction; what the configuration says stays."""
        operations = self.operations
        self._restricted = not self._restricted
        operations.read_only = self._restricted
        self.tell(operations.read_only_why or "changes are allowed again, each with its confirmation")
        self._app.overview.header.tick()

    def pointed(self) -> Pointed:
        """What a key pressed now is about."""
        screen = self._app.screen
        return screen.pointed() if isinstance(screen, Points) else NOTHING

    def push(self, screen: Screen[Any]) -> None:
        """Show a dialog or a page."""
        self._app.push_screen(screen)

    def shows(self, kind: type[Screen[Any]]) -> bool:
        """A screen of that kind is in front."""
        return isinstance(self._app.screen, kind)

    def _refuse(self, action: Action, why: str) -> None:
        """Without permission a verb names the line to add and the file."""
        hint = "Add that line and start hvtui again, or ask who runs this cluster."
        if "switched on" in why:
            hint = "F8 lifts it again."
        self._app.push_screen(NoticeScreen(self.look, f"{action.title}: nothing is changed", why, hint))

    # --- offers, and what hvtui knows only from a person ---

    def take(self, offer: Offer) -> None:
        """What a run or an unfinished operation offers, as a new plan."""
        from hvtui.ui.dialogs.plan_dialog import Wish  # noqa: PLC0415

        action = action_of(offer.verb)
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

    def cancel(self, run: Run) -> None:
        """Cancel a run, as far as Windows can; says what was done."""
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
