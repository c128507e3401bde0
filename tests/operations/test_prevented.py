"""What each rule prevents: with it nothing happens; without it, and only it, the world is harmed or changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hvtui.operations.rules import RULES
from tests.support.prevented import Case, Play, Shown
from tests.support.prevented_cases import CASES


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
