"""How a plan or a run of it stands, as an exit code and in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from hvtui.cli.acting.offers import command_of
from hvtui.cli.acting.replan import MOVE_VERBS
from hvtui.cli.exits import Exit
from hvtui.model.placement import is_at_rest
from hvtui.model.state import ClusterState
from hvtui.operations.plan import Left, Plan, Refusal, Verb
from hvtui.operations.run import ItemState, Run, RunState

_NAMED: Final = 20
"""So many VMs that were not begun are told one by one; of more, their names."""
NOTHING_LEFT: Final = "nothing"
UNREAD: Final = frozenset({"unread", "stale", "vss-unread"})
"""Rules that say that something could not be read."""


@dataclass(frozen=True)
class Outcome:
    """`left`: VMs that were asked for and are not moved. `held`: what `--wait` gave up on.

    `late`: those of `left` that something stood against only when it was about to begin.
    """

    plan: Plan
    code: int
    word: str
    left: tuple[Left, ...] = ()
    held: tuple[Refusal, ...] = ()
    run: Run | None = None
    late: tuple[Left, ...] = ()

    @property
    def empty(self) -> bool:
        """The plan changes nothing."""
        plan = self.plan
        return not (plan.moves or plan.stages or plan.changes) and plan.verb is not Verb.CANCEL

    @classmethod
    def of_plan(cls, plan: Plan, state: ClusterState, held: tuple[Refusal, ...], *, gaps: bool = False) -> Outcome:
        """Before anything was begun. `gaps`: there may be more that was asked for, and could not be read."""
        left = tuple(_left_over(plan, state))
        outcome = cls(plan, Exit.FINE, "planned", left, held)
        if held and (plan.refusals or outcome.empty):
            return replace(outcome, code=Exit.TIMED_OUT, word="held")
        if plan.refusals:
            return replace(outcome, code=_refused(plan.refusals), word="refused")
        if outcome.empty:
            return replace(outcome, code=_nothing(plan, left) or (Exit.WRONG if gaps else Exit.FINE), word="nothing")
        return replace(outcome, code=Exit.TIMED_OUT if held else Exit.WRONG if left or gaps else Exit.FINE)

    def ended(self, run: Run) -> Outcome:
        """After a run, or after it was refused. What the last look before it left out is left over, too."""
        known = {one.vm.key for one in self.plan.left}
        late = tuple(one for one in run.plan.left if one.vm.key not in known)
        if run.state is RunState.REFUSED:
            code = self.code if self.word == "held" else _refused(run.refusals)
        elif run.state is RunState.DONE:
            code = self.code or (Exit.WRONG if late else Exit.FINE)
        else:
            code = Exit.NOTHING if run.state is RunState.UNKNOWN else Exit.WRONG
        left = (*self.left, *late)
        return replace(self, plan=run.plan, left=left, late=late, run=run, code=code, word=run.state.value)


def _left_over(plan: Plan, state: ClusterState) -> Iterator[Left]:
    """VMs at rest need no alignment, and what a drain leaves behind by its nature was never asked for."""
    for one in plan.left:
        found = state.vm(one.vm.id)
        rests = found is not None and is_at_rest(found[1].state)
        if one.refusals or (plan.verb in MOVE_VERBS and not rests):
            yield one


def _nothing(plan: Plan, left: tuple[Left, ...]) -> int:
    """Nothing can be moved: refused when VMs were named, left over when they were looked for."""
    against = [refusal for one in left for refusal in one.refusals]
    if not left:
        return Exit.FINE
    return Exit.WRONG if plan.verb is Verb.ALIGN or not against else _refused(against)


def _refused(refusals: Iterable[Refusal]) -> int:
    refusals = list(refusals)
    # That nothing is left of a plan only sums the others up.
    refusals = [refusal for refusal in refusals if refusal.rule != NOTHING_LEFT] or refusals
    return Exit.NOTHING if all(refusal.rule in UNREAD for refusal in refusals) else Exit.REFUSED


def told_in_words(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """The last lines of a command: a sentence and its mood each."""
    run = outcome.run
    if run is None:
        yield ("Nothing was changed: nothing could be done." if outcome.left else "There is nothing to do."), ""
        return
    if run.state is RunState.REFUSED:
        yield "Nothing was begun.", "bad"
        return
    undone = [item for item in run.items if item.state is ItemState.CANCELLED]
    if len(undone) > _NAMED:
        names = ", ".join(item.target.name for item in undone[:_NAMED])
        yield f"not begun: {names} and {len(undone) - _NAMED} more", "bad"
    for item in run.items:
        if item.ended and item.state is not ItemState.DONE:
            if item.state is ItemState.CANCELLED and len(undone) > _NAMED:
                continue
            code = f" ({item.code})" if item.code and item.code not in item.text else ""
            yield f"{item.target.name}: {item.state.value}, {item.text}{code}", "bad"
            if item.advice:
                yield f"  → {item.advice}", ""
    done = sum(item.state is ItemState.DONE for item in run.items)
    vms = "VMs" if all(item.target.kind == "vm" for item in run.items) else "done"
    count = f" {done} of {len(run.items)} {vms}." if run.items else ""
    left = f" {len(outcome.left)} left over." if outcome.left else ""
    mood = "ok" if run.state is RunState.DONE else "bad"
    yield f"{run.plan.title}: {run.state.value}.{count}{left} (hvtui journal show {run.id})", mood
    for offer in run.offers:
        command = command_of(offer) or "the same command again"
        yield f"  next: {command}  # {offer.text}", ""
