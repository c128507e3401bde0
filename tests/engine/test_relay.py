"""A client's shells are PowerShell sessions: everything WSMan knows works on a real engine, through pypsrp."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import RunspacePool

from hvtui.errors import FunctionMissing
from hvtui.lab.endpoint import faults
from hvtui.lab.pwsh.configuration import READER, visible_functions
from hvtui.lab.serve import EngineKind, Lab
from hvtui.model.records import NodeFrame
from hvtui.remote.contract import CONTRACT, GET_INFO, WATCH_NODE
from hvtui.remote.lane import Lane
from hvtui.remote.module import Source
from tests.engine.engine_lab import CULTURE, ENVIRONMENT, EVER, FLOOD, TICKS, WORDS, accepted, begin_script, engines
from tests.lab.endpoint_client import begin, connect, finish, ids, opened, run, script, stop, until
from tests.support.processes import wait_gone

LaneTo = Callable[..., Lane]


def test_a_named_function_answers_and_a_stream_is_stopped(lab: Lab) -> None:
    with opened(connect(lab)) as pool:
        assert json.loads(run(pool, "Get-HvTuiInfo", Part="Basic").output[0])["node"] == "HV01"
        stream = begin(pool, "Watch-HvTuiNode", IntervalMs=500)
        while not stream.output:
            stream.poll_invoke()
        assert msgspec.json.decode(stream.output[0], type=NodeFrame).kind == "full"
        stop(stream)
        assert stream.state == PSInvocationState.STOPPED
        assert json.loads(run(pool, "Get-HvTuiInfo", Part="Basic").output[0])["contract"] == CONTRACT
    until(lambda: not engines(lab))


def test_errors_are_the_engines_own(lab: Lab) -> None:
    with opened(connect(lab)) as pool:
        bad = run(pool, "Get-HvTuiInfo", Part="Nothing")
        assert bad.state == PSInvocationState.FAILED
        assert ids(bad) == ["ParameterArgumentValidationError,Get-HvTuiInfo"]
        missing = run(pool, "Import-Module", Name="HvTui", RequiredVersion="9.9")
        assert ids(missing) == ["Modules_ModuleWithVersionNotFound,Microsoft.PowerShell.Commands.ImportModuleCommand"]


def test_text_goes_through_unharmed_and_complaints_are_drained(lab: Lab) -> None:
    with opened(connect(lab)) as pool:
        said = script(pool, WORDS)
        assert said.output == ['\u4e16\u754c \U0001f600 "quoted" <&> \x1b']
        assert [str(record) for record in said.streams.error] == ["not fatal"]
        assert said.state == PSInvocationState.COMPLETED


def test_only_accepted_scripts_run(lab: Lab) -> None:
    with opened(connect(lab)) as pool:
        refused = script(pool, "Get-Process")
        assert refused.state == PSInvocationState.FAILED
        assert ids(refused) == ["LabScriptNotAccepted"]
        unknown = run(pool, "Get-Process")
        assert ids(unknown) == ["CommandNotFoundException"]
        assert json.loads(run(pool, "Get-HvTuiInfo", Part="Basic").output[0])["node"] == "HV01"


def test_a_session_is_set_up_as_on_its_node(lab: Lab, home: Path) -> None:
    with opened(connect(lab)) as pool:
        modules, path, telemetry, control = script(pool, ENVIRONMENT).output
    assert telemetry == "1"
    assert control.startswith("127.0.0.1:")
    folders = [Path(entry) for entry in modules.split(os.pathsep)]
    assert {"FailoverClusters", "Hyper-V", "CimCmdlets", "HvTuiWindows"} <= {one.name for one in folders}
    assert not [one for one in folders if one.is_relative_to(home)]
    assert [entry for entry in path.split(os.pathsep) if list(Path(entry).glob("vssadmin.*"))]


async def test_a_lane_on_the_installed_module(lab: Lab, lane_to: LaneTo) -> None:
    lane = lane_to(lab, "HV02")
    info = await lane.call(GET_INFO, {"Part": "Basic"})
    assert (lane.source, info.node) == (Source.INSTALLED, "HV02")


@pytest.mark.parametrize("installed", [False, "0.9.0"])
async def test_a_lane_that_brings_the_module_along(pwsh: str, lane_to: LaneTo, installed: bool | str) -> None:
    with Lab("healthy", speed=0, engine="pwsh", installed=installed) as lab:
        lane = lane_to(lab)
        info = await lane.call(GET_INFO)
        assert (lane.source, info.node, info.contract) == (Source.SCRIPT, "HV01", CONTRACT)
        async with lane.stream(WATCH_NODE, {"IntervalMs": 500}) as stream:
            frame = await anext(stream)
        assert frame.kind == "full"
        assert frame.vms


@pytest.mark.parametrize("kind", ["native", "pwsh"])
async def test_a_restricted_endpoint_of_another_version_is_refused(
    pwsh: str, lane_to: LaneTo, kind: EngineKind
) -> None:
    with Lab("healthy", speed=0, engine=kind, installed="0.9.0", sessions={"Reader": "none"}) as lab:
        with pytest.raises(FunctionMissing, match=rf"HvTui on HV01 is 0\.9\.0, this hvtui needs exactly {CONTRACT}"):
            await lane_to(lab, endpoint="Reader").open()
        assert lab.node("HV01").shells == 0


def test_an_installed_module_has_a_version(pwsh: str) -> None:
    with pytest.raises(ValueError, match=r"'\.\./x' is no version"), Lab("empty", engine="pwsh", installed="../x"):
        pass


async def test_a_restricted_endpoint_refuses_everything_but_its_functions(lab: Lab, lane_to: LaneTo) -> None:
    with opened(connect(lab), configuration_name="Reader") as pool:
        names = {str(command) for command in run(pool, "Get-Command").output}
        assert {name for name in names if "HvTui" in name} == set(visible_functions(READER))
        assert json.loads(run(pool, "Get-HvTuiInfo", Part="Basic").output[0])["node"] == "HV01"
        whole = json.loads(run(pool, "Get-HvTuiInfo").output[0])
        assert whole["errors"] == []
        assert set(whole["rights"].values()) == {True}
        frame = msgspec.json.decode(run(pool, "Watch-HvTuiNode", Count=1).output[0], type=NodeFrame)
        assert frame.vms
        assert not frame.errors
        assert ["ScriptsNotAllowed" in error for error in ids(script(pool, "1 + 1"))] == [True]
        for other in ("Read-HvTuiWriter", "Get-Process", "Import-Module", "Get-ClusterNode"):
            assert ids(run(pool, other)) == ["CommandNotFoundException"], other
        assert ids(run(pool, "Get-HvTuiEvent", Channel="Security")) == [
            "ParameterArgumentValidationError,Get-HvTuiEvent"
        ]
    lane = lane_to(lab, endpoint="Operator")
    assert (await lane.call(GET_INFO, {"Part": "Basic"})).node == "HV01"
    assert lane.source == Source.ENDPOINT


@pytest.mark.parametrize(
    ("culture", "shown"),
    [
        ("", ["1.5", "2026", "-1"]),
        ("de-DE", ["1,5", "2026", "-1"]),
        ("th-TH", ["1.5", "2569", "-1"]),
        ("fa-IR", ["1/5", "1404", "\u200e-1"]),
    ],
)
def test_a_culture_is_that_of_the_whole_session(pwsh: str, culture: str, shown: list[str]) -> None:
    with (
        Lab("healthy", speed=0, engine="pwsh", accepted=accepted(), culture=culture) as lab,
        opened(connect(lab)) as pool,
    ):
        assert script(pool, CULTURE).output == shown


def test_disconnect_and_reconnect_lose_nothing(lab: Lab) -> None:
    with opened(connect(lab)) as pool:
        shell = begin_script(pool, TICKS)
        while len(shell.output) < 5:
            shell.poll_invoke()
        pool.disconnect()
        pool.connect()
        shell.state = PSInvocationState.RUNNING
        finish(shell)
        assert shell.output == [f"tick {number}" for number in range(1, 31)]


def test_another_client_connects_and_gets_the_rest(lab: Lab) -> None:
    with connect(lab) as first, connect(lab) as other:
        pool = RunspacePool(first)
        pool.open()
        shell = begin_script(pool, TICKS)
        while len(shell.output) < 5:
            shell.poll_invoke()
        had = list(shell.output)
        pool.disconnect()
        (found,) = RunspacePool.get_runspace_pools(other)
        found.connect()
        assert (found.min_runspaces, found.max_runspaces) == (1, 1)
        assert found.application_private_data is not None
        (rest,) = found.pipelines.values()
        assert had + rest.connect() == [f"tick {number}" for number in range(1, 31)]  # type: ignore[no-untyped-call]
        rest.close()
        assert json.loads(run(found, "Get-HvTuiInfo", Part="Basic").output[0])["node"] == "HV01"
        found.close()


def test_an_engine_nobody_reads_from_waits_and_can_be_stopped(lab: Lab) -> None:
    with opened(connect(lab)) as pool:
        shell = begin_script(pool, FLOOD)
        (service,) = [lab.cluster.nodes["HV01"].service]
        (held,) = lab.on_loop(lambda: list(service.shells.values()))
        until(lambda: lab.on_loop(lambda: held.buffer(shell.id.upper()).full), 30)
        stop(shell)
        assert shell.state == PSInvocationState.STOPPED
        assert json.loads(run(pool, "Get-HvTuiInfo", Part="Basic").output[0])["node"] == "HV01"


async def test_a_killed_engine_is_a_fault_of_its_shell_only(lab: Lab, lane_to: LaneTo) -> None:
    lane = lane_to(lab)
    await lane.call(GET_INFO, {"Part": "Basic"})
    (other,) = engines(lab)
    with connect(lab) as wsman:
        pool = RunspacePool(wsman)
        pool.open()
        shell = begin_script(pool, EVER)
        while not shell.output:
            shell.poll_invoke()
        (mine,) = [pid for pid in engines(lab) if pid != other]
        os.kill(mine, signal.SIGTERM)
        with pytest.raises(WSManFaultError) as fault:
            pool._receive(shell.id, timeout=20)
        assert fault.value.code in {faults.ABORTED, faults.UNKNOWN}  # waiting for it, or a moment late
        with pytest.raises(WSManFaultError) as fault:
            begin_script(pool, TICKS)
        assert fault.value.code == faults.UNKNOWN
    assert (await lane.call(GET_INFO, {"Part": "Basic"})).node == "HV01"
    os.kill(other, signal.SIGTERM)
    until(lambda: not engines(lab))
    # hvtui's own lane takes a new session for the next question.
    assert (await lane.call(GET_INFO, {"Part": "Basic"})).node == "HV01"


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be halted by a signal there")
def test_a_hanging_engine_is_a_fault_of_its_shell_only(pwsh: str) -> None:
    with Lab("healthy", speed=0, engine="pwsh", accepted=accepted(), patience=1) as lab, connect(lab) as wsman:
        pool = RunspacePool(wsman)
        pool.open()
        (pid,) = engines(lab)
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(WSManFaultError) as fault:
            begin_script(pool, TICKS)
        assert fault.value.code == faults.ABORTED
        wait_gone([pid])
        with opened(connect(lab)) as another:
            assert json.loads(run(another, "Get-HvTuiInfo", Part="Basic").output[0])["node"] == "HV01"
