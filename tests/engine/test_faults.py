"""Each question the module asks fails in turn: its own fields are null with the reason, all others stay right."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from hvtui.lab.native.cluster_stream import ClusterStream
from hvtui.lab.native.node_stream import NodeStream
from tests.engine.support.picture import Picture
from tests.engine.support.questions import (
    CIM,
    CLUSTER_PLACE,
    CLUSTER_QUESTIONS,
    NODE_PLACE,
    NODE_QUESTIONS,
    Question,
    same,
    told_with,
    without,
)
from tests.engine.support.stage import Stage
from tests.engine.support.twin import MUST_DIFFER
from tests.support.fuller import FULLER

_KINDS: Final = {
    # Windows' failure → the kind that the problem has, and its number of a CIM question.
    "denied": ("denied", "0x80041003"),
    "unavailable": ("unavailable", "0x800706ba"),
    "stopped": ("unavailable", "0x80041015"),
    "provider": ("other", "0x80041004"),
    "gone": ("missing", "0x80041002"),
    "timeout": ("timeout", "0x80041069"),
    "missing": ("missing", "0x8004100e"),
    "elevation": ("denied", "0x80070005"),
    "hang": ("timeout", "0x80041069"),
}


# Every question fails in three ways in an ordinary run, in all ways in a fuller one. What really hangs lets a second
# pass, so that only some do in an ordinary run; an error that says the same costs none.
_EACH: Final = tuple(_KINDS)
_OUT_OF_TIME: Final = frozenset({"hang", "timeout"})


def _cases(questions: tuple[Question, ...]) -> list[Any]:
    cases = []
    for index, question in enumerate(questions):
        kinds = [kind for kind in _EACH if kind != "hang" or question.command == CIM]
        for kind in kinds if FULLER else dict.fromkeys((kinds[index % len(kinds)], "unavailable", "timeout")):
            name = question.class_name or question.command
            cases.append(pytest.param(question, kind, id=f"{name}-{kind}"))
    return cases


def _parts(question: Question, held: bool) -> list[str]:
    """The parts that a failing question leaves without an answer."""
    if held:
        return told_with(question.part)
    # Both questions of this class fail.
    return ["roles.resources", "roles.vm"] if question.class_name == "MSCluster_Resource" else [question.part]


def _script(kind: str) -> str:
    return f"Watch-HvTui{kind} -IntervalMs 500 -SlowSeconds 5" + (" -LoadSeconds 1" if kind == "Node" else "")


def _fails(stage: Stage, node: str, question: Question, kind: str, native: Callable[[], str]) -> None:
    """It fails from the beginning, and works later."""
    world = stage.world
    watch = "Node" if question in NODE_QUESTIONS else "Cluster"
    engine = stage.engine(node, hurried=True)
    whole = Picture()
    whole.apply(json.loads(stage.do(native)))
    failure = stage.do(lambda: stage.control.fail(node, question.command, kind, match=question.match))
    with engine.watch(_script(watch), world.elapsed) as (stream, first):
        seen = Picture()
        seen.apply(first)
        assert failure.met > 0
        told, words, code = seen.errors[question.part]
        assert words
        if question.command == CIM:
            assert (told, code) == _KINDS[kind]
        elif kind != "provider":
            assert told == _KINDS[kind][0]
        held = kind in _OUT_OF_TIME
        assert same(seen, without(whole, question, held=held)) == []
        assert sorted(seen.errors) == sorted(_parts(question, held))
        # Those that were not asked in vain say the same, word for word.
        assert set(seen.errors.values()) == {seen.errors[question.part]}
        stage.do(failure.lift)
        # Longer than what hangs is left alone, and than every period.
        stage.do(lambda: world.advance(31.0))
        whole.apply(json.loads(stage.do(native)))
        for _ in range(6):
            seen.apply(stream.round(world.elapsed))
        assert seen.errors == {}
        assert seen.sections == whole.sections


@pytest.mark.parametrize(("question", "kind"), _cases(NODE_QUESTIONS))
def test_a_question_of_the_node_stream_fails(stage: Stage, question: Question, kind: str) -> None:
    scenario, node, at = NODE_PLACE
    world = stage.load(scenario, at=at)
    native = NodeStream(world, world.node(node), interval_ms=500, slow_seconds=5, load_seconds=1)
    _fails(stage, node, question, kind, native.tick)


@pytest.mark.parametrize(("question", "kind"), _cases(CLUSTER_QUESTIONS))
def test_a_question_of_the_cluster_stream_fails(stage: Stage, question: Question, kind: str) -> None:
    scenario, node, at = CLUSTER_PLACE
    world = stage.load(scenario, at=at)
    native = ClusterStream(world, world.node(node), interval_ms=500, slow_seconds=5)
    _fails(stage, node, question, kind, native.tick)


@pytest.mark.parametrize(
    ("watch", "questions", "place"),
    [("Node", NODE_QUESTIONS, NODE_PLACE), ("Cluster", CLUSTER_QUESTIONS, CLUSTER_PLACE)],
)
def test_the_tables_hold_every_question(
    stage: Stage, watch: str, questions: tuple[Question, ...], place: tuple[str, str, float]
) -> None:
    """Read from what the module really asked."""
    scenario, node, at = place
    world = stage.load(scenario, at=at)
    with stage.engine(node).watch(_script(watch), world.elapsed):
        asked = {(entry.command, str(entry.arguments.get("ClassName", ""))) for entry in world.commands.entries}
    known = {(question.command, question.class_name) for question in questions}
    assert asked - known == {("HvTui:NodeName", ""), ("HvTui:Now", "")}
    assert known - asked == set()


def test_private_properties_alone_fail(stage: Stage) -> None:
    """The second question of MSCluster_Resource, in a stream that knows the VMs of its roles: those stay."""
    scenario, node, at = CLUSTER_PLACE
    world = stage.load(scenario, at=at)
    with stage.engine(node).watch(_script("Cluster"), world.elapsed) as (stream, first):
        seen = Picture()
        seen.apply(first)
        before = seen.sections["roles"]
        assert all(role["vm"] for role in before.values())
        private = {"ClassName": "MSCluster_Resource", "Property": "PrivateProperties"}
        failure = stage.do(lambda: stage.control.fail(node, CIM, "denied", match=private))
        stage.do(lambda: world.advance(6.0))
        known = {key: role["vm"] for key, role in before.items()}
        for _ in range(6):
            seen.apply(stream.round(world.elapsed))
        assert failure.met > 0
        assert [(part, problem[0], problem[2]) for part, problem in seen.errors.items()] == [
            ("roles.vm", "denied", "0x80041003")
        ]
        for key, role in seen.sections["roles"].items():
            assert (role["migration_state"], role["migration_percent"]) == (None, None)
            assert role["vm"] == known[key]
            assert role["resource_state"] is not None


_ENDS: Final = {"denied": "denied", "unavailable": "unavailable", "timeout": "timeout", "generic": "other"}
_PAGE: Final = ("oldest_record", "oldest_time", "newest_record", "wrapped", "events")


@pytest.mark.parametrize("kind", sorted(_ENDS))
@pytest.mark.parametrize(
    ("script", "command", "class_name", "fields", "part"),
    [
        ("Get-HvTuiProvider", CIM, "Win32_ShadowProvider", ("providers",), "providers"),
        ("Get-HvTuiShadow", CIM, "Win32_ShadowCopy", ("shadows",), "shadows"),
        ("Get-HvTuiHotfix", CIM, "Win32_QuickFixEngineering", ("hotfixes",), "hotfixes"),
        ("Get-HvTuiEvent -Channel 'System'", "Get-WinEvent", "", _PAGE, "events"),
    ],
)
def test_a_question_of_a_call_fails(  # noqa: PLR0917 - a row of the table
    stage: Stage, script: str, command: str, class_name: str, fields: tuple[str, ...], part: str, kind: str
) -> None:
    scenario, node, at = CLUSTER_PLACE
    stage.load(scenario, at=at)
    match = {"ClassName": class_name} if class_name else None
    failure = stage.do(lambda: stage.control.fail(node, command, kind, match=match))
    answer = stage.engine(node).call(script)
    assert failure.met > 0
    assert {name: answer[name] for name in fields} == dict.fromkeys(fields)
    assert [(problem["part"], problem["kind"]) for problem in answer["errors"]] == [(part, _ENDS[kind])]


@pytest.mark.parametrize("kind", sorted(_ENDS))
def test_who_a_node_is_can_be_told_in_part(stage: Stage, kind: str) -> None:
    """Each question of Get-HvTuiInfo fails in turn: it answers all the same, and says what it could not tell."""
    scenario, node, at = CLUSTER_PLACE
    world = stage.load(scenario, at=at)
    engine = stage.engine(node)
    whole = engine.call("Get-HvTuiInfo")
    assert whole["errors"] == []
    asked = {
        (entry.command, str(entry.arguments.get("ClassName", "")))
        for entry in world.commands.entries
        if not entry.command.startswith("HvTui:")
    }
    assert len(asked) >= 4
    for command, name in sorted(asked):
        match = {"ClassName": name} if name else None
        failure = stage.control.fail(node, command, kind, match=match)
        answer = engine.call("Get-HvTuiInfo")
        failure.lift()
        assert failure.met > 0
        changed = {key for key in whole if answer[key] != whole[key]}
        assert "errors" in changed, f"{command} {name} failed unnoticed"
        for key in changed - {"errors", "rights", "services"} - MUST_DIFFER.keys():
            assert answer[key] is None, f"{key} is told though {command} {name} failed"
        for right, able in answer["rights"].items():
            # False only where access was refused.
            assert able == whole["rights"][right] or able is (False if kind == "denied" else None)
        for service, state in answer["services"].items():
            assert state == whole["services"][service]
