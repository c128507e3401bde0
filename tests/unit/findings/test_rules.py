"""Every rule: fires on its pieces, needs each of them, and stays silent on what only looks like trouble."""

from __future__ import annotations

import pytest

from hvtui.findings.catalogue import catalogue
from hvtui.findings.rules import all_rules
from tests.unit.findings.runner import Case, Quiet, cases, found, quiet_cases, told
from tests.unit.findings.scene import Scene

CASES = cases()
SILENT = quiet_cases()


def test_a_healthy_cluster_has_no_findings() -> None:
    found = Scene().findings()
    assert not found, told(found)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_all_pieces_together_speak(case: Case) -> None:
    scene = case.scene()
    mine = found(case, scene)
    assert len(mine) == 1, told(scene.ask(case.rule))
    finding = mine[0]
    assert finding.sure is case.sure
    assert finding.evidence
    assert all(evidence.text and evidence.source for evidence in finding.evidence)
    if case.guilty is not None:
        assert tuple(vm.name for vm in finding.vms) == case.guilty
    everything = scene.findings()
    assert finding.key in {one.key for one in everything}, "the engine did not ask the rule"
    others = {one.rule for one in everything} - {case.rule} - case.also
    assert not others, told(everything)


@pytest.mark.parametrize(
    ("case", "piece"),
    [(case, piece) for case in CASES for piece in case.pieces],
    ids=[f"{case.id}-{piece}" for case in CASES for piece in case.pieces],
)
def test_each_piece_is_needed(case: Case, piece: str) -> None:
    left = found(case, case.scene(without=piece))
    allowed = case.without.get(piece)
    if allowed is None:
        assert not left, told(left)
    else:
        assert [finding.sure for finding in left] == [allowed]
        assert allowed < case.sure


@pytest.mark.parametrize("case", SILENT, ids=lambda case: case.name)
def test_what_is_no_trouble_is_not_told(case: Quiet) -> None:
    found = [finding for finding in case.scene().findings() if finding.rule not in case.also]
    assert not found, told(found)


def test_every_rule_is_in_the_catalogue_and_has_a_case() -> None:
    rules = set(all_rules())
    assert rules == set(catalogue().entries)
    assert rules == {case.rule for case in CASES}


def test_cases_name_pieces_and_rules_that_exist() -> None:
    assert len({case.id for case in CASES}) == len(CASES)
    for case in CASES:
        assert set(case.without) <= set(case.pieces), case.id
        assert case.also <= set(all_rules()), case.id


def test_silent_incidents_are_played() -> None:
    played = {case.incident for case in SILENT if case.incident}
    assert played == {silent.incident for silent in catalogue().silent if silent.incident}
