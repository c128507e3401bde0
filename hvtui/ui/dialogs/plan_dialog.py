"""The dialog of every verb: asks the nodes, shows the plan, stays live, and starts it when it is confirmed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from hvtui.live.feed import Feed
from hvtui.model.change import Change
from hvtui.operations.backup_state import Answer, BackupState, backup_state
from hvtui.operations.facts import Facts
from hvtui.operations.gate import check
from hvtui.operations.plan import Level, Plan, Target, Verb
from hvtui.operations.rules import OVERRIDABLE
from hvtui.operations.service import KEY, Operations
from hvtui.ui.action import Confirm
from hvtui.ui.dialogs.confirm import ConfirmScreen
from hvtui.ui.dialogs.plan_text import plan_sections
from hvtui.ui.look import Look
from hvtui.ui.screens.facts import span, text
from hvtui.ui.widgets.document import Section

_LOG = logging.getLogger(__name__)

_LOOK_EVERY: Final = 1.0
"""Seconds between two looks whether the plan still is what the picture shows; nothing is asked for that."""
_ASK_EVERY: Final = 5.0
"""Least seconds between two plans made anew by themselves: each asks every node."""
_SHARE: Final = 20
"""A look takes a twentieth of the time at most: at thousands of VMs it takes long."""
_NAMES: Final = 100
"""Names of targets that are listed; what becomes of each stands in the plan below."""
_BACKUP_VERBS: Final = frozenset({Verb.DRAIN, Verb.VMMS, Verb.SERVICE})
_FAILBACKS: Final = ("Immediate", "NoFailback")


@dataclass
class Wish:
    """What a person asked for: resolved targets, captured when the key was pressed.

    `title` is what the dialog says until there is a plan, `confirm` the least that it will ask for.
    """

    verb: Verb
    targets: tuple[Target, ...]
    title: str
    confirm: Confirm = Confirm.TYPED
    options: dict[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    """What a person answered before, shown beside the plan."""


class PlanDialog(ConfirmScreen):
    """One wish, from its plan to its start. `begin` gets the plan and how it was confirmed."""

    def __init__(
        self,
        feed: Feed,
        look: Look,
        operations: Operations,
        wish: Wish,
        *,
        begin: Callable[[Plan, str], None],
        say_stopped: Callable[[str], None],
    ) -> None:
        super().__init__(look, protected=feed.protected)
        self._feed = feed
        self._operations = operations
        self.wish = wish
        self._begin = begin
        self._say_stopped = say_stopped
        self.plan: Plan | None = None
        self._work: asyncio.Task[None] | None = None
        self._asked_at = float("-inf")
        self._error = ""
        self._lost = ""
        self._unread = False
        """The plan is another one than the person has read."""
        self._chosen = False
        """The person asked for another one."""
        self._against: frozenset[tuple[str, str]] = frozenset()
        """What stood against the plan in the picture right after it was made: rule and target."""
        self._now_against = ""
        self._backup: list[tuple[str, BackupState]] = []
        self._due = True
        self._again = float("-inf")
        """When to look again."""
        self._unsubscribe: Callable[[], None] = lambda: None

    # --- what the frame asks ---

    def heading(self) -> tuple[str, str]:
        plan = self.plan
        info = self._feed.state.cluster.info
        where = plan.cluster if plan is not None else info.name if info is not None else self._feed.title
        return (plan.title if plan is not None else self.wish.title), f"on {where}"

    def level(self) -> Level:
        if self.plan is not None:
            return self.plan.level
        return Level.TYPED if self.protected or self.wish.confirm is Confirm.TYPED else Level.KEY

    def name_to_type(self) -> str:
        return self.plan.name if self.plan is not None else ""

    def word(self) -> str:
        plan = self.plan
        if plan is None:
            return self.wish.title if not self._error else ""
        if plan.refused or not (plan.moves or plan.changes or plan.stages or plan.verb is Verb.CANCEL):
            return ""
        return plan.title

    def back(self) -> str:
        return "Let it run" if self.wish.verb is Verb.CANCEL else super().back()

    def missing(self) -> str:
        if self._asking and self.plan is None:
            return "the nodes are being asked"
        if self._unread:
            return f"it has changed: read it, then {'Enter' if self.level() is Level.TYPED else 'y'} arms the button"
        return self._now_against

    def not_armed(self) -> None:
        if self._unread:
            self._unread = False
            self.disarm()
        else:
            super().not_armed()

    def remark(self) -> tuple[str, str]:
        if self._asking:
            waited = int(time.monotonic() - self._asked_at)
            again = "again " if self.plan is not None else ""
            return f"{self.look.glyphs.busy} asking the nodes {again}({waited} s)", "busy"
        plan = self.plan
        if plan is not None and plan.refused:
            return "nothing can be confirmed; F5 asks the nodes again", "dim"
        if plan is not None and not self.word():
            return "there is nothing to do", "dim"
        return super().remark()

    def sections(self) -> Sequence[Section]:
        made = [Section("Asked for", self._targets(), wide=True)]
        if self._error:
            made.append(Section("No plan", (text(span(self._error, "bad")),), wide=True))
        if self.plan is not None:
            made += plan_sections(self.plan, self.look, backup=self._backup, lost=self._lost)
        return made

    def _targets(self) -> tuple:  # type: ignore[type-arg]
        kinds: dict[str, list[str]] = {}
        targets = self.plan.targets if self.plan is not None else self.wish.targets
        for target in targets:
            kinds.setdefault(target.kind, []).append(target.name)
        lines = []
        for kind, names in kinds.items():
            more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
            lines.append(text(span(f"{kind}  ", "label"), span(", ".join(names[:_NAMES])), span(more, "dim")))
        lines += [text(span(remark, "dim")) for remark in self.wish.remarks]
        return tuple(lines) or (text(span("everything that is away from the owner of its CSV")),)

    def confirmed(self, text: str) -> None:
        if self.plan is not None:
            self._begin(self.plan, text if self.plan.level is Level.TYPED else KEY)

    # --- life ---

    def opened(self) -> None:
        self._unsubscribe = self._feed.subscribe(self._heard)
        self.set_interval(_LOOK_EVERY, self._look)
        self.ask()

    def on_unmount(self) -> None:
        self._unsubscribe()
        if self._work is not None:
            self._work.cancel()

    def _heard(self, _change: Change) -> None:
        self._due = True

    @property
    def _asking(self) -> bool:
        return self._work is not None and not self._work.done()

    def ask(self, *, chosen: bool = False) -> None:
        """Make the plan, or make it anew; `chosen`: because of what the person just said or chose."""
        self._chosen |= chosen
        if not self._asking:
            self._asked_at = time.monotonic()
            self._work = asyncio.create_task(self._make(), name=f"plan {self.wish.title}")
            self.show()

    async def _make(self) -> None:
        wish, operations = self.wish, self._operations
        try:
            plan = await operations.plan(wish.verb, wish.targets, **wish.options)
            facts = operations.facts()
        except Exception as error:
            _LOG.exception("no plan for %s", wish.title)
            self._error = f"hvtui failed on it: {type(error).__name__}; its log has more"
            self.plan = None
        else:
            self._error = ""
            self._take(plan, facts)
        self._work = None
        self.show()

    def _take(self, plan: Plan, facts: Facts) -> None:
        old, self.plan = self.plan, plan
        self._against = against(plan, facts)
        self._now_against = ""
        self._backup = self._backups(plan, facts)
        difference = differs(old, plan) if old is not None else ""
        if difference:
            self._unread = not self._chosen and not plan.refused
            self._lost = "" if self._chosen else difference
        self._chosen = False
        if old is None or difference:
            # What a person was about to confirm is not what stands here now.
            self.disarm()

    def _look(self) -> None:
        """Once a second: does the picture still show what the plan is about?"""
        began = time.monotonic()
        if self.plan is None or not self._due or began < self._again:
            self.paint()
            return
        self._due = False
        self._look_at(self.plan)
        self._again = began + _SHARE * (time.monotonic() - began)

    def _look_at(self, plan: Plan) -> None:
        facts = self._operations.facts()
        self._backup = self._backups(plan, facts)
        now = against(plan, facts)
        self._now_against = "the picture is another one: planned anew" if now != self._against else ""
        if now != self._against:
            self._due = True
            if time.monotonic() - self._asked_at >= _ASK_EVERY:
                self.ask()
        self.show()

    def _backups(self, plan: Plan, facts: Facts) -> list[tuple[str, BackupState]]:
        if plan.verb not in _BACKUP_VERBS:
            return []
        nodes = dict.fromkeys(target.id.partition("/")[0] for target in plan.targets)
        found = [(node, backup_state(facts, node)) for node in nodes]
        return [(node, one) for node, one in found if one.answer is not Answer.IDLE]

    # --- keys ---

    def action_read_again(self) -> None:
        """Ask again now."""
        self.ask()

    def action_override(self) -> None:
        """Set aside every rule that stands against the plan and may be."""
        plan = self.plan
        if plan is None or self._asking:
            return
        names = [refusal.override for refusal in plan.refusals if refusal.override in OVERRIDABLE]
        if names:
            overrides = dict.fromkeys([*plan.overrides, *names])
            self.wish.options["overrides"] = ",".join(overrides)
            self.ask(chosen=True)
        else:
            self.say("no rule that stands against this can be set aside")

    def action_say_stopped(self) -> None:
        """Say that the backup job of a node was stopped, in a dialog of its own."""
        waiting = [node for node, found in self._backup if found.answer is Answer.ORPHANED and not found.confirmed]
        if waiting:
            self._say_stopped(waiting[0])
        else:
            left = max((found.left for _, found in self._backup), default=0)
            self.say(f"{left} min more must be quiet before that can be said" if left else "no backup is in doubt here")

    def action_failback(self) -> None:
        """Resume with the other failback."""
        if self.wish.verb in {Verb.RESUME, Verb.VMMS} and not self._asking:
            now = self.wish.options.get("failback", _FAILBACKS[0])
            self.wish.options["failback"] = next(other for other in _FAILBACKS if other != now)
            self.ask(chosen=True)


def against(plan: Plan, facts: Facts) -> frozenset[tuple[str, str]]:
    """What the gate has against a plan, without its words: those count seconds."""
    found = check(plan, facts)
    return frozenset((one.rule, one.target.key if one.target is not None else "") for one in found)


def differs(old: Plan, new: Plan) -> str:
    """What a new plan would do that the old one would not, in words; empty when both do the same."""
    said = []
    was = {move.vm.key: move for move in old.moves}
    now = {move.vm.key: move for move in new.moves}
    gone = [was[key].vm.name for key in was.keys() - now.keys()]
    came = [now[key].vm.name for key in now.keys() - was.keys()]
    other = [
        move.vm.name
        for key, move in now.items()
        if key in was
        and (move.source, move.destination, move.state, move.type)
        != (was[key].source, was[key].destination, was[key].state, was[key].type)
    ]
    for names, words in ((gone, "no longer moved"), (came, "moved now, too"), (other, "moved differently")):
        if names:
            said.append(f"{words}: {', '.join(sorted(names)[:8])}{' …' if len(names) > 8 else ''}")
    if {(one.target.key, one.node, one.before, one.after) for one in old.changes} != {
        (one.target.key, one.node, one.before, one.after) for one in new.changes
    }:
        said.append(_other_changes(old, new))
    if [stage.text for stage in old.stages] != [stage.text for stage in new.stages]:
        said.append("its steps are others")
    if {target.key for target in old.targets} != {target.key for target in new.targets}:
        said.append("its targets are others")
    if old.refused != new.refused:
        said.append("refused now" if new.refused else "not refused any more")
    if (old.level, old.name) != (new.level, new.name):
        said.append("it is confirmed in another way")
    return "; ".join(said)


def _other_changes(old: Plan, new: Plan) -> str:
    was = {one.target.key: (one.target.name, one.node, one.before, one.after) for one in old.changes}
    now = {one.target.key: (one.target.name, one.node, one.before, one.after) for one in new.changes}
    names = sorted({(now.get(key) or was[key])[0] for key in was.keys() | now.keys() if was.get(key) != now.get(key)})
    return f"other values, or others that change: {', '.join(names[:8])}{' …' if len(names) > 8 else ''}"
