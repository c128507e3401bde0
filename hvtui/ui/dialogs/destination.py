"""Where to: every node as the destination of one VM or several, the best first, with the reasons for and against."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from hvtui.live.feed import Feed
from hvtui.operations.board import Board
from hvtui.operations.capacity import need_of
from hvtui.operations.facts import Facts
from hvtui.operations.fit import Fit, judge
from hvtui.operations.plan import Target, Verb
from hvtui.operations.service import Operations
from hvtui.ui.dialogs.menu import Choice, MenuScreen
from hvtui.ui.look import Look
from hvtui.ui.screens.facts import span, text
from hvtui.ui.widgets.document import Line

_LOG = logging.getLogger(__name__)

BEST = "\nbest"
"""The entry that gives each VM its own best node."""


@dataclass
class Place:
    """A node for a batch: which VMs fit, in the order they were marked, each after those before it."""

    node: str
    fits: list[Fit] = field(default_factory=list)
    there: int = 0
    """VMs that are on it already."""

    @property
    def able(self) -> int:
        """VMs that may go there."""
        return sum(not fit.refusals for fit in self.fits)

    def rank(self) -> tuple[int, int, int, int, str]:
        """The best first."""
        able = [fit for fit in self.fits if not fit.refusals]
        return (
            -self.able,
            -sum(fit.owns for fit in able),
            sum(fit.spare is not True for fit in able),
            sum(len(fit.notes) for fit in able),
            self.node.lower(),
        )


def places_of(facts: Facts, keys: Sequence[str]) -> list[Place]:
    """Every node for these VMs, the best first."""
    made = []
    for node in facts.state.node_names():
        place, board = Place(node), Board.of(facts)
        for key in keys:
            source = facts.state.home(key) or ""
            if source == node:
                place.there += 1
                continue
            fit = judge(facts, key, node, board)
            place.fits.append(fit)
            need = need_of(facts, key)
            if not fit.refusals and need is not None:
                board.begin(key, source, node, need)
        if place.fits:
            made.append(place)
    # One VM is ranked as the plan ranks it.
    return sorted(made, key=(lambda place: place.fits[0].rank()) if len(keys) == 1 else Place.rank)


class Destinations(MenuScreen):
    """Asks the nodes first; `choose` gets the node's name, empty for the best of each VM."""

    def __init__(
        self,
        feed: Feed,
        look: Look,
        operations: Operations,
        targets: tuple[Target, ...],
        choose: Callable[[str], None],
    ) -> None:
        what = targets[0].name if len(targets) == 1 else f"{len(targets)} VMs"
        super().__init__(
            look,
            feed.clock,
            f"Move {what} to which node?",
            [],
            lambda key: choose("" if key == BEST else key),
            hint="asking the nodes what fits",
            protected=feed.protected,
        )
        self._feed = feed
        self._operations = operations
        self._targets = targets
        self._work: asyncio.Task[None] | None = None

    def opened(self) -> None:
        began = time.monotonic()

        def tell() -> None:
            if self._work is not None and not self._work.done():
                self.show_choices(self.choices, f"asking the nodes what fits ({time.monotonic() - began:.0f} s)")

        self._work = asyncio.create_task(self._ask(), name="destinations")
        self.set_interval(1.0, tell)

    def on_unmount(self) -> None:
        if self._work is not None:
            self._work.cancel()

    async def _ask(self) -> None:
        try:
            await self._operations.gather(Verb.MIGRATE, self._feed.state.node_names())
            facts = self._operations.facts()
            keys = [target.id for target in self._targets]
            choices = list(self._choices(facts, places_of(facts, keys)))
        except Exception as error:
            _LOG.exception("no destinations")
            self.show_choices([], f"hvtui failed on it: {type(error).__name__}; its log has more")
            return
        self.show_choices(choices, "Enter shows the plan; the reasons are below")

    def _choices(self, facts: Facts, places: list[Place]) -> Iterator[Choice]:
        glyphs = self.look.glyphs
        if len(self._targets) > 1:
            told = (text(span("Each VM goes where it fits best, counting those that go before it.")),)
            yield Choice(BEST, "where each fits best", "1", word="one plan with several destinations", about=told)
        for number, place in enumerate(places, start=2 if len(self._targets) > 1 else 1):
            total = len(place.fits)
            worst = place.able < total
            sign, role = (
                (glyphs.ok, "ok") if not worst else (glyphs.warn, "warn") if place.able else (glyphs.bad, "bad")
            )
            if total == 1:
                word = self._word(place.fits[0])
            else:
                word = f"{place.able} of {total} fit" + (f", {place.there} are there" if place.there else "")
            about = tuple(self._reasons(place))
            yield Choice(place.node, place.node, str(number) if number < 10 else "", sign, role, word, about)

    def _word(self, fit: Fit) -> str:
        if fit.refusals:
            return fit.refusals[0].text.partition(": ")[2] or fit.refusals[0].text
        words = ["owns its CSV"] if fit.owns else []
        if fit.room is not None:
            words.append(f"{fit.room / 1024:.0f} GB left there")
        if fit.spare is True:
            words.append("N+1 holds")
        words += [note.text for note in fit.notes[:1]]
        return ", ".join(words) or "fits"

    def _reasons(self, place: Place) -> Iterator[Line]:
        glyphs = self.look.glyphs
        names = {target.id: target.name for target in self._targets}
        keys = [key for key in names if (self._feed.state.home(key) or "") != place.node]
        several = len(place.fits) > 1
        for key, fit in zip(keys, place.fits, strict=False):
            for refusal in fit.refusals:
                yield text(span(f"{glyphs.bad} ", "bad"), span(refusal.text))
                if refusal.hint:
                    yield text(span(f"    {refusal.hint}", "info"))
            for note in fit.notes:
                name = f"{names[key]}: " if several else ""
                yield text(span(f"{glyphs.warn} ", "warn"), span(f"{name}{note.text}"))
            if several:
                continue
            if fit.owns:
                yield text(span(f"{glyphs.ok} ", "ok"), span("it owns every CSV of the VM: no redirected metadata"))
            elif not fit.refusals:
                yield text(span(f"{glyphs.info} ", "dim"), span("another node owns its CSV"))
            if fit.spare is True:
                yield text(
                    span(f"{glyphs.ok} ", "ok"), span("afterwards the cluster bears the loss of its fullest node")
                )
            if fit.preferred:
                yield text(span(f"{glyphs.ok} ", "ok"), span("it is among the preferred owners"))
            if fit.room is not None:
                left = f"{fit.room / 1024:.1f} GB beyond the reserve are left there afterwards"
                yield text(span(f"{glyphs.info} ", "dim"), span(left))
