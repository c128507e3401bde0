"""What each rule prevents: with it nothing happens; without it, and only it, the world is harmed or changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hvtui.operations.plan import Level, Verb
from hvtui.operations.rules import OVERRIDABLE, RULES
from hvtui.operations.run import RunState
from tests.support.prevented import VMS, Case, Play, Shown, done, scene
from tests.support.prevented_cases import CASES, STOP, on


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    return Play(tmp_path, monkeypatch)


def test_every_rule_has_a_case() -> None:
    assert {case.rule for case in CASES} == {rule.id for rule in RULES}


def assert_prevented(case: Case, shown: Shown) -> None:
    assert not case.shows(shown)
    assert any((case.told or case.rule) in told for told in shown.told), shown.told
    assert shown.harm == []
    if not case.begins:
        assert shown.changes == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
async def test_what_a_rule_prevents(case: Case, play: Play) -> None:
    assert_prevented(case, await play.run(case))
    if case.also:
        play.without_rules(*case.also)
        assert_prevented(case, await play.run(case))
    play.without_rules(case.rule, *case.also)
    if case.checks:
        shown = await play.run(case)
        assert not case.shows(shown)
        assert shown.answers[-1][1:] == ("refused", case.node), shown.answers
        play.without_checks(*case.checks)
    shown = await play.run(case)
    assert case.shows(shown), (shown.told, shown.answers, shown.changes, shown.harm)


@pytest.mark.parametrize("case", [case for case in CASES if case.rule not in OVERRIDABLE], ids=lambda case: case.id)
async def test_no_plan_talks_the_gate_out_of_a_rule(case: Case, play: Play) -> None:
    """A plan from a file, made elsewhere or changed by hand, which says that everything was set aside."""
    shown = await play.run(case, forged=True)
    assert not {refusal.rule for refusal in shown.run.plan.refusals} & {case.rule, case.told}
    assert_prevented(case, shown)


@pytest.mark.parametrize("case", [case for case in CASES if case.rule in OVERRIDABLE], ids=lambda case: case.id)
async def test_an_expert_who_sets_a_rule_aside_gets_what_it_prevented(case: Case, play: Play) -> None:
    """The rule is gone with one typed word: then nothing else, neither the gate nor the node, stands in its place."""
    verb = Verb.VMMS if case.rule == "left-behind" else Verb.DRAIN
    shown = await play.run(replace(case, wish=on(verb, overrides=case.rule)))
    assert shown.run.plan.level is Level.TYPED
    assert shown.run.state is not RunState.REFUSED
    assert case.shows(shown), (shown.told, shown.answers, shown.changes, shown.harm)


@pytest.mark.parametrize(("state", "overrides"), [("Off", ""), ("Running", "left-behind")])
async def test_what_is_no_role_of_the_cluster_stays_while_vmms_is_restarted(
    state: str, overrides: str, play: Play
) -> None:
    """Gate and node mean the same by a node on which nothing is left."""
    alone = f'[[vms]]\nname = "FILE01"\nnodes = ["HV01"]\nclustered = false\nstate = "{state}"\n'
    case = Case("", "vmms", on(Verb.VMMS, overrides=overrides), done(STOP), world=scene(vms=VMS + alone))
    shown = await play.run(case)
    assert shown.run.state is RunState.DONE, shown.run.lines
    assert case.shows(shown)
    assert shown.harm == []
