"""Every function and parameter of the contract, run by the engine on the stubs of each version of Windows."""

from __future__ import annotations

import json
from typing import Final

import msgspec
import pytest

from hvtui.lab.pwsh.stubs import VERSIONS
from hvtui.remote.contract import CHANNELS, CONTRACT, FUNCTIONS, Function, Parameter
from tests.engine.support.picture import Picture
from tests.engine.support.stage import Stage

_BUILDS: Final = {"2016": "healthy", "2019": "healthy", "2022": "backup-window", "2025": "backup-window"}


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest, stage: Stage) -> str:
    """A version of Windows, with a world on the stage."""
    chosen: str = request.param
    stage.load(_BUILDS[chosen], at=60.0)
    return chosen


def _bounds(parameter: Parameter) -> list[str | int]:
    """Values that a parameter takes, its ends among them."""
    if parameter.choices:
        return list(parameter.choices)
    low, high = parameter.minimum, parameter.maximum
    assert low is not None
    return [low] if high is None else [low, high]


def _literal(value: str | int) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


def _call(function: Function, **values: str | int) -> str:
    given = {one.name: one.choices[0] for one in function.parameters if one.mandatory} | values
    if function.stream:
        given = {"Count": 1, **given}
    return " ".join([function.name, *(f"-{name} {_literal(value)}" for name, value in given.items())])


def test_the_module_exports_the_contract(stage: Stage, version: str) -> None:
    engine = stage.engine("HV01", version)
    assert sorted(engine.run("(Get-Module HvTui).ExportedFunctions.Keys").output) == sorted(FUNCTIONS)
    for function in FUNCTIONS.values():
        names = engine.run(
            f"(Get-Command {function.name}).ScriptBlock.Ast.Body.ParamBlock.Parameters.Name.VariablePath.UserPath"
        )
        assert [name for name in names.output if name] == [one.name for one in function.parameters]


def test_every_parameter_takes_what_the_contract_allows(stage: Stage, version: str) -> None:
    engine = stage.engine("HV01", version)
    for function in FUNCTIONS.values():
        for parameter in function.parameters:
            for value in _bounds(parameter):
                if parameter.name == "Count" and value != 0:
                    continue
                if parameter.name == "Count":
                    value = 1  # noqa: PLW2901 - 0 is a stream without end: tested by its rounds
                result = engine.run(_call(function, **{parameter.name: value}))
                assert result.errors == [], (function.name, parameter.name, value)
                assert len(result.output) == 1
                record = msgspec.json.decode(result.output[0], type=function.result)
                assert record is not None


def test_every_parameter_refuses_what_lies_outside(stage: Stage, version: str) -> None:
    engine = stage.engine("HV01", version)
    for function in FUNCTIONS.values():
        for parameter in function.parameters:
            outside: list[str | int] = ["$(1)", ""] if parameter.choices else ["many"]
            if parameter.minimum is not None:
                outside.append(parameter.minimum - 1)
            if parameter.maximum is not None:
                outside.append(parameter.maximum + 1)
            for value in outside:
                result = engine.run(_call(function, **{parameter.name: value}))
                assert result.output == []
                assert [error.type for error in result.errors] == [
                    "System.Management.Automation.ParameterBindingValidationException"
                    if isinstance(value, int) or parameter.choices
                    else "System.Management.Automation.ParameterBindingArgumentTransformationException"
                ], (function.name, parameter.name, value)
        result = engine.run(_call(function) + " -Unknown 1")
        assert [error.id.split(",")[0] for error in result.errors] == ["NamedParameterNotFound"]


def test_a_stream_is_full_then_changes_then_beats(stage: Stage, version: str) -> None:
    world = stage.world
    for name, parameters in (("Watch-HvTuiCluster", ""), ("Watch-HvTuiNode", " -LoadSeconds 600")):
        script = f"{name} -IntervalMs 500 -SlowSeconds 600{parameters}"
        with stage.engine("HV01", version).watch(script, world.elapsed) as (stream, first):
            assert (first["kind"], first["seq"]) == ("full", 1)
            seen = Picture()
            seen.apply(first)
            assert seen.errors == {}
            beat = stream.round(world.elapsed)
            assert beat["kind"] == "beat"
            assert len(json.dumps(beat, separators=(",", ":"))) < 200
            seen.apply(beat)
            vm = next(iter(world.node("HV01").vms.values()))
            section, key = ("roles", vm.role.id) if "Cluster" in name and vm.role else ("vms", vm.id)
            seen.forget()
            stage.do(lambda vm=vm: vm.set_state(3 if vm.state == 2 else 2))  # type: ignore[misc]
            delta = stream.round(world.elapsed)
            assert delta["kind"] == "delta"
            seen.apply(delta)
            assert seen.changed == {(section, key)}
            beat = stream.round(world.elapsed)
            assert (beat["kind"], beat["seq"]) == ("beat", 4)
        # It was stopped in the middle; the session goes on.
        assert stage.engine("HV01", version).call("Get-HvTuiInfo -Part Basic")["contract"] == CONTRACT


def test_the_number_of_messages_is_kept(stage: Stage, version: str) -> None:
    result = stage.engine("HV01", version).run("Watch-HvTuiCluster -Count 3 -IntervalMs 500")
    assert result.errors == []
    assert [json.loads(text)["seq"] for text in result.output] == [1, 2, 3]


def test_a_deadline_ends_vssadmin(stage: Stage, version: str) -> None:
    world = stage.world
    world.node("HV01").faults.vssadmin_hung = True
    answer = stage.engine("HV01", version).call("Get-HvTuiWriter -TimeoutSeconds 5")
    assert (answer["timed_out"], answer["text"], answer["exit_code"]) == (True, None, None)
    assert [problem["kind"] for problem in answer["errors"]] == ["timeout"]


def test_events_come_page_by_page(stage: Stage, version: str) -> None:
    engine = stage.engine("HV01", version)
    for channel in CHANNELS:
        whole = engine.call(f"Get-HvTuiEvent -Channel '{channel}' -Hours 168 -MaxEvents 200")
        if len(whole["events"]) < 3 or whole["more"]:
            continue
        first = engine.call(f"Get-HvTuiEvent -Channel '{channel}' -Hours 168 -MaxEvents 2")
        assert first["more"] is True
        found, after = first["events"], first["events"][-1]["record"]
        rest = engine.call(f"Get-HvTuiEvent -Channel '{channel}' -AfterRecord {after} -MaxEvents 200")
        assert found + rest["events"] == whole["events"]
        return
    pytest.fail("no channel has three events")
