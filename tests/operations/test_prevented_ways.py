"""There is one way to change a cluster: `Operations.plan` and `start`, through the gate, again before each step."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import hvtui
from hvtui.lab.world import actions
from hvtui.operations.plan import Plan, Refusal, Target, Verb
from hvtui.operations.run import RunState
from hvtui.remote import contract
from hvtui.remote.contract import FUNCTIONS
from tests.support.desk import Stage
from tests.support.prevented import Case, Play, Shown, scene
from tests.support.prevented_cases import (
    SVC,
    checkpointed,
    entry,
    entry_undone,
    move,
    of_checkpoint,
    of_vm,
    on,
    restart,
    special,
    switched_off,
    types_undone,
    vms,
)

ROOT: Final = Path(hvtui.__file__).parent
MUTATING: Final = frozenset(name for name, function in FUNCTIONS.items() if function.mutating)
CONSTANTS: Final = frozenset(
    name for name, value in vars(contract).items() if isinstance(value, contract.Function) and value.name in MUTATING
)
"""How the contract calls them."""
KNOWN: Final = {
    "journal/unfinished.py": "reads what an earlier console did",
    "live/calls.py": "gives a cancel a lane of its own",
}
"""Who names a mutating function outside of operations, remote and the lab, and why: neither of them calls one."""


# --- who may call what changes something ---


def _sources(*rooms: str) -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(ROOT.rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        if not rooms or name.split("/")[0] in rooms:
            yield name, ast.parse(file.read_text(encoding="utf-8"))


def _named(tree: ast.Module) -> set[str]:
    """Mutating functions that a source names: as text, or by the contract's constants."""
    found: set[str] = set()
    for one in ast.walk(tree):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            found |= {name for name in MUTATING if name.lower() in one.value.lower()}
        elif isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "Verb":
            continue  # what an operator asks for, such as Verb.START_VM
        elif isinstance(one, ast.Name | ast.Attribute | ast.alias):
            word = one.id if isinstance(one, ast.Name) else one.attr if isinstance(one, ast.Attribute) else one.name
            found |= {word} & CONSTANTS
    return found


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    for one in ast.walk(tree):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and one.func.attr == "call":
            yield one


def _receiver(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Attribute)
    return ast.unparse(call.func.value).rpartition(".")[2].lstrip("_")


def test_no_front_end_names_a_function_that_changes_something() -> None:
    assert len(CONSTANTS) == len(MUTATING)
    found = {
        name: names
        for name, tree in _sources()
        if name.split("/")[0] not in {"operations", "remote", "lab"} and (names := _named(tree))
    }
    assert set(found) == set(KNOWN), found


def test_a_front_end_calls_only_what_looks() -> None:
    """`lane.call(GET_…)` and the like; nothing whose name comes from elsewhere."""
    seen = 0
    for name, tree in _sources("ui", "cli"):
        for call in _calls(tree):
            first = call.args[0] if call.args else None
            assert isinstance(first, ast.Name), (name, ast.unparse(call))
            assert first.id.startswith("GET_"), (name, ast.unparse(call))
            seen += 1
    assert seen


def test_in_operations_nodes_are_called_in_two_places() -> None:
    """The asker, which names what looks, and the desk, which journals before and after."""
    asking = {name for name, tree in _sources("operations") for call in _calls(tree) if _receiver(call) == "nodes"}
    assert asking == {"operations/nodes.py", "operations/desk.py"}
    changing = {name for name, tree in _sources("operations") for call in _calls(tree) if _receiver(call) == "desk"}
    assert {name.rpartition("/")[0] for name in changing} == {"operations/runs"}
    asker = next(tree for name, tree in _sources("operations") if name == "operations/nodes.py")
    assert not _named(asker)


# --- every verb ---


async def _isolate(stage: Stage) -> Plan:
    control = stage.vm("APP02")
    return await stage.plan(Verb.ISOLATE, stage.vm("APP01"), control=control.id, node="HV03")


async def _return(stage: Stage) -> Plan:
    return await stage.plan(Verb.RETURN, stage.vm("APP01"), home=f"{stage.vm('APP01').id}=HV02")


async def _cancel(stage: Stage) -> Plan:
    return await stage.plan(Verb.CANCEL, stage.vm("APP01"))


async def _align(stage: Stage) -> Plan:
    return await stage.plan(Verb.ALIGN)


async def _start(stage: Stage) -> Plan:
    return await stage.plan(Verb.START_VMMS, Target(kind="service", id="HV01/vmms", name="vmms on HV01"))


def _migrating(stage: Stage) -> None:
    actions.migrate(stage.world, stage.vms["APP01"], stage.world.node("HV02"))


def _drained(stage: Stage) -> None:
    actions.drain(stage.world, stage.world.node("HV01"))
    stage.nodes.pump(300.0)


def _stopped(stage: Stage) -> None:
    _drained(stage)
    actions.stop_service(stage.world, stage.world.node("HV01"), "vmms")
    stage.nodes.pump(30.0, writers=True)


def _anything(shown: Shown) -> object:
    return shown.changes


BIG: Final = scene(
    node='[[node]]\nname = "HV01"\nmemory_gb = 4096\n[[node]]\nname = "HV02"\nmemory_gb = 4096\n',
    vms=vms('nodes = ["HV01"]', count=1, memory=2000),
)
DRIFTED: Final = scene(vms=vms('nodes = ["HV01"]\ncsvs = ["Volume2"]', count=1))
LISTED: Final = scene(cluster=f"account = '{SVC}'", node=special("HV01", "access_control = { 'CORP\\old' = 2 }"))
VERBS: Final[dict[Verb, Case]] = {
    Verb.MIGRATE: Case("", "migrate", move(), _anything),
    Verb.ISOLATE: Case("", "isolate", _isolate, _anything),
    Verb.RETURN: Case("", "return", _return, _anything),
    Verb.ALIGN: Case("", "align", _align, _anything, world=DRIFTED),
    Verb.DRAIN: Case("", "drain", on(Verb.DRAIN), _anything),
    Verb.RESUME: Case("", "resume", on(Verb.RESUME, failback="NoFailback"), _anything, prepare=_drained),
    Verb.VMMS: Case("", "vmms", on(Verb.VMMS), _anything),
    Verb.SERVICE: Case("", "service", restart("CryptSvc"), _anything),
    Verb.START_VMMS: Case("", "start", _start, _anything, prepare=_stopped),
    Verb.POLICY: Case("", "policy", of_vm(Verb.POLICY, type="Standard"), _anything),
    Verb.POLICY_UNDO: Case("", "policy undone", types_undone, _anything),
    Verb.CHECKPOINT: Case("", "checkpoint", of_vm(Verb.CHECKPOINT), _anything),
    Verb.APPLY: Case("", "apply", of_checkpoint(Verb.APPLY), _anything, prepare=checkpointed()),
    Verb.REMOVE: Case("", "remove", of_checkpoint(Verb.REMOVE), _anything, prepare=checkpointed()),
    Verb.START_VM: Case("", "start a VM", of_vm(Verb.START_VM), _anything, prepare=switched_off),
    Verb.VSSACCESS: Case("", "vssaccess", entry(), _anything, world=LISTED),
    Verb.VSSACCESS_REMOVE: Case("", "remove", entry("CORP\\old", verb=Verb.VSSACCESS_REMOVE), _anything, world=LISTED),
    Verb.VSSACCESS_UNDO: Case("", "undo", entry_undone, _anything, world=LISTED),
    Verb.CANCEL: Case("", "cancel", _cancel, _anything, world=BIG, prepare=_migrating),
}


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    return Play(tmp_path, monkeypatch)


def _read_only(stage: Stage) -> None:
    stage.operations.read_only = True


def _refuses_from_the_second_look_on(stage: Stage) -> None:
    """Between the confirmation and the first step something happens that stands against everything."""
    desk = stage.operations._desk
    looks = 0

    def gate(plan: Plan, facts: object) -> tuple[Refusal, ...]:
        nonlocal looks
        looks += 1
        return (Refusal(rule="test", text="not any more"),) if looks > 1 else ()

    desk.gate = gate


def test_every_verb_is_here() -> None:
    assert set(VERBS) == set(Verb)


@pytest.mark.parametrize("verb", VERBS)
async def test_read_only_refuses_every_verb(verb: Verb, play: Play) -> None:
    case = VERBS[verb]
    shown = await play.run(case)
    assert case.shows(shown), (shown.told, shown.run.lines)
    assert shown.harm == []
    for between, options in ((_read_only, {}), (lambda stage: None, {"actions": False})):
        shown = await play.run(
            Case("", case.name, case.wish, case.shows, case.world, case.prepare, between, options=options)
        )
        assert shown.run.state is RunState.REFUSED
        assert shown.changes == []
        assert "read-only" in shown.told
        assert shown.harm == []


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb is not Verb.CANCEL])
async def test_the_gate_is_asked_again_before_the_first_step(verb: Verb, play: Play) -> None:
    """A cancel has one step, and its one call looks at what it touches."""
    case = VERBS[verb]
    between = _refuses_from_the_second_look_on
    shown = await play.run(Case("", case.name, case.wish, case.shows, case.world, case.prepare, between))
    assert shown.run.state is not RunState.REFUSED
    assert shown.changes == []
    texts = [line.text for line in shown.run.lines] + [item.text for item in shown.run.items]
    assert any("not any more" in text for text in texts), texts
