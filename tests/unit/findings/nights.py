"""Scenarios played offline with the findings' engine looking on: what was found of whom, first and last when.

The world's answers come straight from the native engine, as a console would have them: streams and events at every
step, writers and shadow copies every minute, filters and updates once. `asked` adds what only a person's doing asks
(preflight, signs of forks, VssAccessControl, chains of disks), every ten minutes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from hvtui.config import ClusterConfig
from hvtui.findings.engine import Engine
from hvtui.findings.finding import Sure
from hvtui.findings.look import Answers
from hvtui.findings.standing import Standing
from hvtui.lab.native import signals
from hvtui.lab.native.fork_commit import fork_commit
from hvtui.lab.native.preflight import preflight
from hvtui.lab.native.vss_access import vss_access
from hvtui.lab.world.node import Node
from hvtui.model.change import Change
from hvtui.model.preflight import ForkCommit, Preflight
from hvtui.model.signals import (
    Chain,
    FilterText,
    Hotfixes,
    Shadows,
    chain_picture,
    filter_picture,
    hotfix_picture,
    shadow_picture,
)
from hvtui.model.vss_access import VssAccess
from tests.support.world import DirectFeed

T = TypeVar("T")
MINUTE = 60.0
ASKED = 600.0


@dataclass
class Found:
    """One finding over the night; minutes into the scenario. `sure` is the surest it became."""

    rule: str
    target: str
    first: float
    last: float
    sure: Sure
    text: str

    @property
    def pair(self) -> tuple[str, str]:
        return self.rule, self.target


@dataclass
class Night:
    """What was found, by key, and what stood first in the list at each look."""

    found: dict[str, Found] = field(default_factory=dict)
    leading: list[tuple[float, str]] = field(default_factory=list)

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """Rule and name of what it is about."""
        return {one.pair for one in self.found.values()}

    def leads(self, minute: float) -> str:
        """The rule of the finding that stood first then; empty when there was none."""
        return next((rule for at, rule in reversed(self.leading) if at <= minute), "")

    def take(self, minute: float, standing: tuple[Standing, ...]) -> None:
        """Note what stands now."""
        alarms = [one for one in standing if one.alarming]
        self.leading.append((minute, alarms[0].finding.rule if alarms else ""))
        for one in standing:
            finding = one.finding
            held = self.found.get(finding.key)
            if held is None:
                self.found[finding.key] = Found(
                    finding.rule,
                    f"{finding.target.kind}:{finding.target.name}",
                    minute,
                    minute,
                    finding.sure,
                    finding.text,
                )
            else:
                held.last, held.sure, held.text = minute, max(held.sure, finding.sure), finding.text


def play(
    scenario: str, minutes: float, *, step: float = 20.0, asked: bool = False, config: ClusterConfig | None = None
) -> Night:
    """Play a scenario from its beginning."""
    feed = DirectFeed.load(scenario)
    engine, night, answers = Engine(config), Night(), Answers()
    told = Change()
    _signals(feed, told, once=True)
    began, last_minute, last_asked = feed.clock.monotonic(), 0.0, float("-inf")
    while True:
        passed = feed.clock.monotonic() - began
        if asked and passed - last_asked >= ASKED:
            last_asked = passed
            answers = _ask(feed, told)
        engine.note(told)
        engine.look(feed.state, feed.clock.monotonic(), answers)
        wanted = [key for what, key in engine.wanted if what == "access" and key not in answers.vss_access]
        engine.wanted.clear()
        for node in wanted:
            # As the console does when a rule asks for it.
            answers.vss_access[node] = _of(vss_access, feed, feed.world.node(node), VssAccess)
        assert not engine.failed, engine.failed
        night.take(passed / MINUTE, engine.standing)
        if passed >= minutes * MINUTE:
            return night
        each_minute = passed + step - last_minute >= MINUTE
        told = feed.pump(step, writers=each_minute)
        if each_minute:
            last_minute = passed + step
            _signals(feed, told)


def _signals(feed: DirectFeed, told: Change, *, once: bool = False) -> None:
    for node in _heard(feed):
        told.add(feed.state.set_signal(node.name, shadow_picture(_of(signals.shadows, feed, node, Shadows))))
        if once:
            told.add(feed.state.set_signal(node.name, filter_picture(_of(signals.filters, feed, node, FilterText))))
            told.add(feed.state.set_signal(node.name, hotfix_picture(_of(signals.hotfixes, feed, node, Hotfixes))))


def _ask(feed: DirectFeed, told: Change) -> Answers:
    answers = Answers()
    for node in _heard(feed):
        text = preflight(feed.world, node, "All")
        answers.preflight[node.name] = msgspec.json.decode(text, type=Preflight)
        answers.fork[node.name] = _of(fork_commit, feed, node, ForkCommit)
        answers.vss_access[node.name] = _of(vss_access, feed, node, VssAccess)
    for key in list(feed.state.homes):
        home = feed.state.home(key)
        if home is not None and not feed.world.node(home).faults.down:
            chain = msgspec.json.decode(signals.chain(feed.world, feed.world.node(home), key), type=Chain)
            told.add(feed.state.set_chain(key, chain_picture(chain)))
    return answers


def _of(function: Callable[..., str], feed: DirectFeed, node: Node, kind: type[T]) -> T:
    return msgspec.json.decode(function(feed.world, node), type=kind)


def _heard(feed: DirectFeed) -> list[Node]:
    return [node for node in feed.world.nodes.values() if not node.faults.down and feed.state.node(node.name).heard]
