"""Errors as Windows raises them, and waiting: deadlines, stopping, answers in any order, no lab at all."""

from __future__ import annotations

import pytest

from hvtui.lab.pwsh import stubs
from tests.engine.stub_control import Answer, Request, StubControl
from tests.engine.stub_session import EngineSession, engine

CLUSTER = "Microsoft.FailoverClusters.PowerShell."
HYPER_V = "Microsoft.HyperV.PowerShell."
CIM_COMMAND = "Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"
CIM_ERROR = "Microsoft.Management.Infrastructure.CimException"


pytestmark = pytest.mark.usefixtures("forgotten")


def _gives(*output: object) -> Answer:
    return {"output": list(output), "errors": []}


def _raises(**error: object) -> Answer:
    return {"output": [], "errors": [error]}


def test_a_cim_error_has_its_number_where_windows_has_it(session: EngineSession, control: StubControl) -> None:
    control.answers["Get-CimInstance"] = _raises(
        message="Invalid class ",
        exception=CIM_ERROR,
        native="InvalidClass",
        hresult=-2147217392,
        category="MetadataError",
    )
    failure = session.fails("Get-CimInstance -ClassName Nonsense")
    assert failure.id == f"HRESULT 0x80041010,{CIM_COMMAND}"
    assert failure.type == CIM_ERROR
    # Of any exception: COR_E_EXCEPTION.
    assert failure.hresult == -2146233088
    assert session.run(
        "try { Get-CimInstance -ClassName Nonsense } catch [Microsoft.Management.Infrastructure.CimException] "
        "{ [string]$_.Exception.NativeErrorCode }"
    ) == ["InvalidClass"]


def test_errors_that_end_nothing_go_to_the_error_stream_beside_the_output(
    session: EngineSession, control: StubControl
) -> None:
    control.answers["Get-ClusterNode"] = {
        **_gives({"$type": CLUSTER + "ClusterNode", "Name": "HV01"}),
        "errors": [
            {
                "message": "Access is denied.",
                "exception": "System.UnauthorizedAccessException",
                "hresult": -2147024891,
                "category": "PermissionDenied",
                "id": "AccessDenied",
                "target": "HV02",
            }
        ],
    }
    assert session.run(
        "$wrong = $null; (Get-ClusterNode -ErrorAction SilentlyContinue -ErrorVariable wrong).Name; $wrong.Count; "
        "$wrong[0].FullyQualifiedErrorId; $wrong[0].Exception.HResult; [string]$wrong[0].TargetObject"
    ) == ["HV01", 1, f"AccessDenied,{CLUSTER}GetClusterNodeCommand", -2147024891, "HV02"]
    assert session.fails("Get-ClusterNode").type == "System.UnauthorizedAccessException"


def test_an_error_that_ends_the_command_cannot_be_silenced(session: EngineSession, control: StubControl) -> None:
    control.answers["Get-Cluster"] = _raises(
        message="The cluster service is not running.",
        exception=CLUSTER + "ClusterCmdletException",
        category="ConnectionError",
        id="ClusterEndpointNotRegistered",
        terminating=True,
        inner={"message": "no more endpoints", "exception": "System.ComponentModel.Win32Exception", "native": 1753},
    )
    failure = session.fails("Get-Cluster -ErrorAction SilentlyContinue")
    assert failure.id == f"ClusterEndpointNotRegistered,{CLUSTER}GetClusterCommand"
    assert session.run(
        "try { Get-Cluster } catch { $_.Exception.InnerException.NativeErrorCode; $_.Exception.GetType().Name }"
    ) == [1753, "ClusterCmdletException"]


@pytest.mark.parametrize(
    "name",
    [
        CIM_ERROR,
        CLUSTER + "ClusterCmdletException",
        HYPER_V + "VirtualizationException",
        HYPER_V + "VirtualizationInvalidArgumentException",
        "Microsoft.PowerShell.Commands.ProcessCommandException",
        "Microsoft.PowerShell.Commands.ServiceCommandException",
        "System.ComponentModel.Win32Exception",
        "System.Diagnostics.Eventing.Reader.EventLogException",
        "System.Diagnostics.Eventing.Reader.EventLogNotFoundException",
        "System.Exception",
        "System.InvalidOperationException",
        "System.Management.Automation.CommandNotFoundException",
        "System.NotSupportedException",
        "System.Runtime.InteropServices.COMException",
        "System.TimeoutException",
        "System.UnauthorizedAccessException",
    ],
)
def test_every_exception_that_windows_commands_raise_can_be_raised(
    session: EngineSession, control: StubControl, name: str
) -> None:
    control.answers["Get-VM"] = _raises(message="漢 %1", exception=name, id="Some", category="ObjectNotFound")
    failure = session.fails("Get-VM")
    assert (failure.type, failure.text, failure.category) == (name, "漢 %1", "ObjectNotFound")
    assert failure.id == f"Some,{HYPER_V}Commands.GetVM"


# --- waiting ---


def test_cim_gives_up_after_its_own_deadline_and_says_so(session: EngineSession, control: StubControl) -> None:
    control.answers["Get-CimInstance"] = None
    failure = session.fails("Get-CimInstance -ClassName Msvm_ComputerSystem -OperationTimeoutSec 1")
    assert failure.id == f"HRESULT 0x80041069,{CIM_COMMAND}"
    assert failure.category == "OperationTimeout"
    asked = control.of("Get-CimInstance")[0]
    assert control.wait_for(lambda: any(one.get("cancel") == asked["id"] for one in control.requests))


def test_a_hanging_command_is_stopped_and_the_session_goes_on(session: EngineSession, control: StubControl) -> None:
    control.answers["Get-VM"] = None
    shown = session.run(
        "$shell = [powershell]::Create(); [void]$shell.AddScript('Get-VM -Name a; 5'); $wait = $shell.BeginInvoke(); "
        "while (-not [HvTuiLab.Channel]::Waiting) { Start-Sleep -Milliseconds 20 }; $shell.Stop(); "
        "[string]$shell.InvocationStateInfo.State; $wait.IsCompleted; $shell.Dispose()"
    )
    assert shown == ["Stopped", True]
    asked = control.of("Get-VM")[0]
    assert control.wait_for(lambda: any(one.get("cancel") == asked["id"] for one in control.requests))
    control.answers["Get-VM"] = _gives()
    assert session.run("Get-VM; 6") == [6]


def test_answers_come_in_any_order(session: EngineSession, control: StubControl) -> None:
    def answer(request: Request) -> Answer:
        if request["parameters"]["Name"] == ["slow"]:
            control.wait_for(
                lambda: any(one["parameters"]["Name"] == ["fast"] for one in control.of("Get-ClusterNode"))
            )
        return _gives({"$type": CLUSTER + "ClusterNode", "Name": request["parameters"]["Name"][0]})

    control.answers["Get-ClusterNode"] = answer
    assert session.run(
        "$shell = [powershell]::Create(); [void]$shell.AddScript('(Get-ClusterNode slow).Name'); "
        "$wait = $shell.BeginInvoke(); (Get-ClusterNode fast).Name; $shell.EndInvoke($wait)[0]; $shell.Dispose()"
    ) == ["fast", "slow"]


def test_without_a_lab_every_command_says_so(tmp_path_factory: pytest.TempPathFactory) -> None:
    found = stubs.stub_set("2025", pwsh=engine())
    with EngineSession(found, tmp_path_factory.mktemp("alone"), "127.0.0.1:9") as session:
        failure = session.fails("Get-VM")
    assert failure.id == f"LabClosed,{HYPER_V}Commands.GetVM"
    assert "does not listen" in failure.text


def test_a_control_channel_elsewhere_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    found = stubs.stub_set("2025", pwsh=engine())
    with EngineSession(found, tmp_path_factory.mktemp("elsewhere"), "192.0.2.1:9") as session:
        assert "not on this machine" in session.fails("Get-VM").text
