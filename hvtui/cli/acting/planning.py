"""Makes the plan of a command, and with `--wait` waits until nothing is held any more, or too long."""

from __future__ import annotations

from typing import Final

from hvtui.cli.acting.pace import PACE
from hvtui.cli.acting.progress import Progress
from hvtui.cli.acting.replan import VALUES, again, changes_again
from hvtui.cli.acting.session import Session
from hvtui.cli.acting.wish import Wish
from hvtui.operations.builders import BUILDERS, services_of
from hvtui.operations.facts import Facts
from hvtui.operations.plan import Plan, Refusal

PASSING: Final = frozenset({"storage-job"})
"""Beside HOLDs, what ends by itself."""
STAYING: Final = frozenset({"fork-commit", "backup-orphaned"})
"""HOLDs that wait for a person, not for time."""


_REST: Final = 10
"""Times longer than a look itself took: until the next one."""


def passing(plan: Plan) -> tuple[Refusal, ...]:
    """What stands against the plan, or keeps VMs out of it, and passes by itself."""
    against = (*plan.refusals, *(refusal for one in plan.left for refusal in one.refusals))
    return tuple(dict.fromkeys(r for r in against if (r.hold or r.rule in PASSING) and r.rule not in STAYING))


def hopeless(plan: Plan) -> bool:
    """Something else stands against the whole plan: waiting would not help."""
    held = set(passing(plan))
    return any(refusal not in held for refusal in plan.refusals)


class Planner:
    """Makes one plan, as often as it takes."""

    def __init__(self, session: Session, wish: Wish, planned: Plan | None, progress: Progress) -> None:
        """`planned` is a plan that was read from a file: it is checked again instead of a new one being made."""
        self._session = session
        self._wish = wish
        self._planned = planned
        self._progress = progress

    async def plan(self, seconds: float | None) -> tuple[Plan, tuple[Refusal, ...]]:
        """The plan, and what was still held when waiting ended; without `seconds` nothing is waited for."""
        plan = await self._once()
        if seconds is None:
            return plan, ()
        until = self._session.nodes.monotonic() + seconds
        said = ""
        while (held := passing(plan)) and not hopeless(plan):
            left = until - self._session.nodes.monotonic()
            if left <= 0:
                return plan, held
            text = "; ".join(refusal.text for refusal in held[:5])
            if text != said:
                said = text
                self._progress.line(f"waiting: {text}" + (f" and {len(held) - 5} more" if len(held) > 5 else ""))
            await self._until_free(min(left, PACE.held_most))
            plan = await self._once()
        return plan, ()

    async def _once(self) -> Plan:
        session, wish = self._session, self._wish
        if self._planned is None:
            return await session.operations.plan(wish.verb, wish.targets, **wish.options)
        verb, targets = self._planned.verb, self._planned.targets
        if verb in VALUES:
            fresh = await session.operations.plan(verb, targets, **self._planned.options)
            return changes_again(self._planned, fresh, session.operations.facts())
        facts = await session.operations.gather(
            verb, session.state.node_names(), targets=targets, services=services_of(verb, targets)
        )
        return again(self._planned, facts)

    async def _until_free(self, seconds: float) -> None:
        """Until the streams say that nothing is held any more: the nodes are not asked for that."""
        session = self._session
        pause, until = PACE.held, session.nodes.monotonic() + seconds
        while (left := until - session.nodes.monotonic()) > 0:
            await session.watcher.pause(min(left, pause))
            began = session.nodes.monotonic()
            if not passing(self._from(session.operations.facts())):
                return
            # On a large cluster a plan takes its time, and nothing else is read meanwhile.
            pause = max(PACE.held, _REST * (session.nodes.monotonic() - began))

    def _from(self, facts: Facts) -> Plan:
        planned, wish = self._planned, self._wish
        if planned is None:
            return BUILDERS[wish.verb](facts, wish.targets, wish.options)
        if planned.verb in VALUES:
            return BUILDERS[planned.verb](facts, planned.targets, planned.options)
        return again(planned, facts)
