"""Faults that begin in the middle of a stream: a whole picture, then the fault, then it is healed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from hvtui.lab.native.cluster_stream import ClusterStream
from hvtui.lab.native.node_stream import NodeStream
from tests.engine.support.picture import Picture
from tests.engine.support.questions import (
    CLUSTER_PLACE,
    CLUSTER_QUESTIONS,
    NODE_PLACE,
    NODE_QUESTIONS,
    Question,
    told_with,
    without,
)
from tests.engine.support.stage import Stage
from tests.support.fuller import FULLER

# While its VMs keep their files, so that what stands still is what it was.
NODE_QUIET: Final = ("drift", "HV02", 720.0)
HANGING: Final = ("Msvm_ComputerSystem", "Msvm_ConcreteJob", "Win32_Service", "MSCluster_Node", "MSCluster_Resource")
_ROUNDS: Final = 6
"""Within so many rounds every question has its turn: a stream asks one slow one a round."""
_KINDS: Final = {"unavailable": "unavailable", "denied": "denied"} | ({"gone": "missing"} if FULLER else {})


def _cases(questions: tuple[Question, ...]) -> list[Any]:
    again = [question for question in questions if not question.once]
    chosen = [(question, kind) for question in again for kind in _KINDS]
    if not FULLER:
        chosen = [(question, list(_KINDS)[number % 2]) for number, question in enumerate(again)]
    return [pytest.param(one, kind, id=f"{one.class_name or one.command}-{kind}") for one, kind in chosen]


def _stream(stage: Stage, question: Question) -> tuple[str, str, Callable[[], str]]:
    """The node that is asked, the script of its stream, and the native engine's answer to the same."""
    if question in NODE_QUESTIONS:
        scenario, node, at = NODE_QUIET
        world = stage.load(scenario, at=at)
        script = "Watch-HvTuiNode -IntervalMs 500 -SlowSeconds 5 -LoadSeconds 1"
        stream = NodeStream(world, world.node(node), interval_ms=500, slow_seconds=5, load_seconds=1)
        return node, script, stream.tick
    scenario, node, at = CLUSTER_PLACE
    world = stage.load(scenario, at=at)
    script = "Watch-HvTuiCluster -IntervalMs 500 -SlowSeconds 5"
    return node, script, ClusterStream(world, world.node(node), interval_ms=500, slow_seconds=5).tick


@pytest.mark.parametrize(("question", "kind"), [*_cases(NODE_QUESTIONS), *_cases(CLUSTER_QUESTIONS)])
def test_a_question_fails_later_and_is_healed(stage: Stage, question: Question, kind: str) -> None:
    """Null with the reason or as it was; all else goes on, and afterwards everything is there again."""
    node, script, native = _stream(stage, question)
    world = stage.world
    whole = Picture()
    whole.apply(json.loads(stage.do(native)))
    with stage.engine(node, hurried=True).watch(script, world.elapsed) as (stream, first):
        seen = Picture()
        seen.apply(first)
        assert seen.errors == {}
        assert seen.sections == whole.sections
        before = Picture()
        before.sections = {name: dict(records) for name, records in seen.sections.items()}
        failure = stage.do(lambda: stage.control.fail(node, question.command, kind, match=question.match))
        stage.do(lambda: world.advance(6.0))
        whole.apply(json.loads(stage.do(native)))
        for _ in range(_ROUNDS):
            seen.apply(stream.round(world.elapsed))
        assert failure.met > 0
        parts = {question.part} | ({"roles.vm"} if question.part == "roles.resources" else set())
        assert {part: problem[0] for part, problem in seen.errors.items()} == dict.fromkeys(parts, _KINDS[kind])
        assert seen.sections == without(whole, question, kept=before).sections
        stage.do(failure.lift)
        stage.do(lambda: world.advance(6.0))
        whole.apply(json.loads(stage.do(native)))
        for _ in range(_ROUNDS):
            seen.apply(stream.round(world.elapsed))
        assert seen.errors == {}
        assert seen.sections == whole.sections


@pytest.mark.parametrize(
    "question",
    [one for one in (*NODE_QUESTIONS, *CLUSTER_QUESTIONS) if one.class_name in HANGING],
    ids=lambda question: question.class_name,
)
def test_a_provider_that_begins_to_hang(stage: Stage, question: Question) -> None:
    """Everything behind it says so, what was known stands still, the rest goes on; and it comes back by itself."""
    node, script, native = _stream(stage, question)
    world = stage.world
    whole = Picture()
    whole.apply(json.loads(stage.do(native)))
    with stage.engine(node, hurried=True).watch(script, world.elapsed) as (stream, first):
        seen = Picture()
        seen.apply(first)
        before = {name: set(records) for name, records in seen.sections.items()}
        failure = stage.do(lambda: stage.control.fail(node, question.command, "hang", match=question.match))
        stage.do(lambda: world.advance(6.0))
        for _ in range(_ROUNDS):
            seen.apply(stream.round(world.elapsed))
        # It is left alone for a while, so it is asked once; each round after that comes without waiting.
        assert failure.met == 1
        assert set(seen.errors) >= set(told_with(question.part))
        assert len(set(seen.errors.values())) == 1
        assert seen.errors[question.part][::2] == ("timeout", "0x80041069")
        # Nothing is taken back that was known: no VM, no role, no node is told to be gone.
        assert seen.gone == set()
        assert {name: set(records) for name, records in seen.sections.items()} == before
        stage.do(failure.lift)
        stage.do(lambda: world.advance(31.0))
        whole.apply(json.loads(stage.do(native)))
        for _ in range(_ROUNDS):
            seen.apply(stream.round(world.elapsed))
        assert seen.errors == {}
        assert seen.sections == whole.sections


def test_links_of_a_new_job_cannot_be_read(stage: Stage) -> None:
    """The jobs known before keep their VM; a new one has none, with the reason, until the links can be read."""
    scenario, node, at = NODE_PLACE
    world = stage.load(scenario, at=at)
    with stage.engine(node).watch("Watch-HvTuiNode -IntervalMs 500 -SlowSeconds 5", world.elapsed) as (stream, first):
        seen = Picture()
        seen.apply(first)
        before = {key: job["vm"] for key, job in seen.sections["jobs"].items()}
        failure = stage.do(
            lambda: stage.control.fail(node, "Get-CimInstance", "provider", match={"ClassName": "Msvm_Affected*"})
        )
        new: set[str] = set()
        for _ in range(40):
            stage.do(lambda: world.advance(30.0))
            seen.apply(stream.round(world.elapsed))
            new = {
                key for key, job in seen.sections["jobs"].items() if key not in before and job["kind"] != "migration"
            }
            if new:
                break
        assert new
        assert failure.met > 0
        assert seen.errors["jobs.vm"][0] == "other"
        assert {seen.sections["jobs"][key]["vm"] for key in new} == {None}
        assert all(job["vm"] == before[key] for key, job in seen.sections["jobs"].items() if key in before)
        stage.do(failure.lift)
        seen.apply(stream.round(world.elapsed))
        assert "jobs.vm" not in seen.errors
        assert all(seen.sections["jobs"][key]["vm"] is not None for key in new)
