"""Which checkpoint type: the four of them, each with what a checkpoint of these guests would then be."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from hvtui.live.feed import Feed
from hvtui.model.enums import CheckpointType
from hvtui.model.severity import Severity
from hvtui.model.vm_rows import vm_row
from hvtui.operations.deliver import Can, Delivery, becomes, deliver
from hvtui.operations.facts import Facts
from hvtui.operations.plan import Target, Verb
from hvtui.operations.service import Operations
from hvtui.ui.dialogs.menu import Choice, MenuScreen
from hvtui.ui.look import Look
from hvtui.ui.screens.facts import span, text
from hvtui.ui.screens.lines import SEVERITY_ROLES
from hvtui.ui.signs import severity_signs
from hvtui.ui.widgets.document import Line

_LOG = logging.getLogger(__name__)

_TYPES: Final = (
    (CheckpointType.Production, "by the guest, or silently with memory"),
    (CheckpointType.ProductionOnly, "by the guest, or it fails"),
    (CheckpointType.Standard, "with memory, the guest is not asked"),
    (CheckpointType.Disabled, "none can be taken"),
)
_NAMES: Final = 6
_SLICE: Final = 400
"""VMs that are looked at before keys get their turn."""
_ALONE: Final = 3
"""Guests of whom each is told by name; of more it is counted."""


class CheckpointTypes(MenuScreen):
    """Asks the nodes what the guests can deliver; a type can be chosen before they have answered."""

    def __init__(
        self,
        feed: Feed,
        look: Look,
        operations: Operations,
        targets: tuple[Target, ...],
        choose: Callable[[str], None],
    ) -> None:
        self._feed = feed
        self._operations = operations
        self._targets = targets
        self._work: asyncio.Task[None] | None = None
        self._now = Counter(vm_row(feed.state, target.id).checkpoint_type for target in targets)
        what = targets[0].name if len(targets) == 1 else f"{len(targets)} VMs"
        now = ", ".join(
            f"{kind}" if len(targets) == 1 else f"{count} {kind}" for kind, count in self._now.most_common()
        )
        heading = f"Checkpoint type of {what}, now {now}"
        super().__init__(look, feed.clock, heading, [], choose, hint="", protected=feed.protected)
        self._give(list(self._choices(None)))

    def opened(self) -> None:
        began = time.monotonic()

        def tell() -> None:
            if self._work is not None and not self._work.done():
                waited = f"asking the nodes what the guests can deliver ({time.monotonic() - began:.0f} s)"
                self.show_choices(self.choices, waited)

        self._work = asyncio.create_task(self._ask(), name="checkpoint types")
        tell()
        self.set_interval(1.0, tell)

    def on_unmount(self) -> None:
        if self._work is not None:
            self._work.cancel()

    async def _ask(self) -> None:
        state = self._feed.state
        nodes = {home for target in self._targets if (home := state.home(target.id))}
        try:
            facts = await self._operations.gather(Verb.POLICY, sorted(nodes), targets=self._targets)
            found = await self._deliveries(facts)
        except Exception as error:
            _LOG.exception("nothing is known of what guests can deliver")
            self.show_choices(self.choices, f"hvtui failed on it: {type(error).__name__}; its log has more")
            return
        self.show_choices(list(self._choices(found)), "Enter shows the plan; what the guests can deliver stands below")

    async def _deliveries(self, facts: Facts) -> dict[Delivery, list[str]]:
        """What can be delivered → the names of those that can; keys get their turn in between."""
        found: dict[Delivery, list[str]] = {}
        for number, target in enumerate(self._targets, start=1):
            found.setdefault(delivery_of(facts, target.id), []).append(target.name)
            if number % _SLICE == 0:
                await asyncio.sleep(0)
        return found

    def _choices(self, found: dict[Delivery, list[str]] | None) -> Iterator[Choice]:
        signs = severity_signs(self.look)
        for number, (kind, words) in enumerate(_TYPES, start=1):
            there = self._now.get(kind.name, 0)
            now = "" if not there else "now; " if len(self._targets) == 1 else f"{there} have it; "
            sign, role = "", ""
            about: tuple[Line, ...] = ()
            if found is not None:
                worst = max((becomes(one, kind)[1] for one in found), default=Severity.UNKNOWN)
                sign, role = signs[worst], SEVERITY_ROLES.get(worst, "ok")
                about = tuple(self._reasons(found, kind))
            yield Choice(kind.name, kind.name, str(number), sign, role, f"{now}{words}", about)

    def _reasons(self, found: dict[Delivery, list[str]], kind: CheckpointType) -> Iterator[Line]:
        signs = severity_signs(self.look)
        if len(self._targets) > _ALONE:
            counts: Counter[Can] = Counter()
            for one, names in found.items():
                counts[one.word] += len(names)
            words = ", ".join(f"{counts[word]} {word.value}" for word in Can if counts[word])
            yield text(span("they can deliver: ", "dim"), span(words))
        groups: dict[tuple[Severity, str], list[str]] = {}
        for one, names in found.items():
            told, severity = becomes(one, kind)
            groups.setdefault((severity, told), []).extend(names)
        for (severity, told), names in sorted(groups.items(), key=lambda group: (-group[0][0], -len(group[1]))):
            who = ", ".join(names[:_NAMES]) + (f" and {len(names) - _NAMES} more" if len(names) > _NAMES else "")
            role = SEVERITY_ROLES.get(severity, "ok")
            told_role = role if role == "bad" else ""
            yield text(span(f"{signs[severity]} ", role), span(f"{who}: ", "dim"), span(told, told_role))


def delivery_of(facts: Facts, key: str) -> Delivery:
    """What a VM's guest can deliver, as far as it is known now."""
    found = facts.state.vm(key)
    return deliver(None if found is None else found[1], facts.vm(key))
