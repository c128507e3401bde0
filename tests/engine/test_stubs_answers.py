"""What the stubs ask, and what they make of the answers: typed objects, errors as Windows raises them, waiting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hvtui.lab.pwsh import stubs
from tests.engine.stub_control import Answer, Request, StubControl
from tests.engine.stub_session import EngineSession, engine

VM = "11111111-1111-1111-1111-111111111111"
CLUSTER = "Microsoft.FailoverClusters.PowerShell."
HYPER_V = "Microsoft.HyperV.PowerShell."
CIM_COMMAND = "Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"
CIM_ERROR = "Microsoft.Management.Infrastructure.CimException"
MACHINE = "root/virtualization/v2/Msvm_ComputerSystem"


@pytest.fixture(scope="module")
def control() -> Iterator[StubControl]:
    """The tiny server that the session of this module asks."""
    with StubControl() as made:
        yield made


@pytest.fixture(scope="module")
def session(control: StubControl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineSession]:
    """An engine with the newest stub set."""
    found = stubs.stub_set("2025", pwsh=engine())
    with EngineSession(found, tmp_path_factory.mktemp("answers"), control.address) as made:
        yield made


@pytest.fixture(autouse=True)
def _forget(control: StubControl) -> None:
    control.answers.clear()
    control.requests.clear()


def _machine(**properties: Any) -> dict[str, Any]:
    return {"$cim": MACHINE, "Name": VM, **properties}


def _gives(*output: object) -> Answer:
    return {"output": list(output), "errors": []}


def _raises(**error: object) -> Answer:
    return {"output": [], "errors": [error]}


# --- the question ---


def test_a_question_names_token_command_parameters_as_bound_and_set(
    session: EngineSession, control: StubControl
) -> None:
    session.run(
        f"Move-ClusterVirtualMachineRole -VMId {VM} HV02 -MigrationType Live -Wait 0 -IgnoreLocked -ErrorAction Stop"
    )
    assert control.requests == [
        {
            "token": "token of HV01",
            "id": control.requests[0]["id"],
            "command": "Move-ClusterVirtualMachineRole",
            "parameters": {"VMId": VM, "MigrationType": 4, "Wait": 0, "IgnoreLocked": True, "Name": "HV02"},
            "set": "",
            "pipeline": [],
        }
    ]


def test_values_travel_as_what_they_are(session: EngineSession, control: StubControl) -> None:
    session.run(
        "Get-WinEvent -FilterHashtable @{ LogName = 'System'; Id = 5120, 5142; "
        "StartTime = [datetime]::SpecifyKind('2026-01-02T03:04:05.6', 'Utc') }"
    )
    assert control.requests[0]["parameters"] == {
        "FilterHashtable": [
            {"LogName": "System", "Id": [5120, 5142], "StartTime": {"$date": "2026-01-02T03:04:05.6000000Z"}}
        ]
    }


def test_a_password_never_travels(session: EngineSession, control: StubControl) -> None:
    session.run(
        "$word = [securestring]::new(); foreach ($one in 'geheim'.ToCharArray()) { $word.AppendChar($one) }; "
        "Get-VM -Name a -ComputerName b -Credential ([pscredential]::new('LAB\\ann', $word))"
    )
    assert control.requests[0]["parameters"]["Credential"] == [{"$credential": "LAB\\ann"}]


def test_objects_from_the_pipeline_travel_one_question_each(session: EngineSession, control: StubControl) -> None:
    names = ("a'[x]", "漢字 `$(1)")
    control.answers["Get-VM"] = _gives(
        *({"$type": HYPER_V + "VirtualMachine", "Name": name, "Id": VM, "State": 2} for name in names)
    )
    session.run("Get-VM | Set-VM -Notes 'x'")
    asked = control.of("Set-VM")
    assert [one["parameters"]["VM"][0]["Name"] for one in asked] == list(names)
    assert asked[0]["set"] == "VMObject"
    assert asked[0]["parameters"]["VM"][0] == {
        "$type": HYPER_V + "VirtualMachine",
        "Name": names[0],
        "Id": VM,
        "State": 2,
    }


def test_what_the_real_command_refuses_is_never_asked(session: EngineSession, control: StubControl) -> None:
    get_vm = HYPER_V + "Commands.GetVM"
    cases = {
        "Get-VM -Nane a": f"NamedParameterNotFound,{get_vm}",
        "Get-VM -Id no-guid": f"CannotConvertArgumentNoMessage,{get_vm}",
        f"Get-VM -Name a -Id {VM}": f"AmbiguousParameterSet,{get_vm}",
        "Get-VM -Name ''": f"ParameterArgumentValidationError,{get_vm}",
        "Resume-ClusterNode a -Failback Perhaps": f"CannotConvertArgumentNoMessage,{CLUSTER}ResumeClusterNodeCommand",
        "Enable-VMReplication -VMName a -ReplicaServerName b -ReplicaServerPort 0 -AuthenticationType Kerberos": (
            f"ParameterArgumentValidationError,{HYPER_V}Commands.EnableVMReplication"
        ),
        "Add-VMStoragePath -Path a -ResourcePoolName b -ResourcePoolType Memory": (
            f"ParameterArgumentValidationError,{HYPER_V}Commands.AddVMStoragePath"
        ),
        "Get-CimInstance -ClassName a -Query b": f"AmbiguousParameterSet,{CIM_COMMAND}",
        "Get-WinEvent -LogName a -MaxEvents 0": (
            "ParameterArgumentValidationError,Microsoft.PowerShell.Commands.GetWinEventCommand"
        ),
        "Resume-ClusterNode HV01 -WhatIf": f"NamedParameterNotFound,{CLUSTER}ResumeClusterNodeCommand",
    }
    assert {script: session.fails(script).id for script in cases} == cases
    assert control.requests == []


def test_whatif_changes_nothing_where_the_real_command_has_it(session: EngineSession, control: StubControl) -> None:
    session.run("Suspend-ClusterNode HV01 -Drain -WhatIf; Restart-Service vmms -Force -WhatIf")
    assert control.requests == []
    session.run("Suspend-ClusterNode HV01 -Drain -Confirm:$false")
    assert control.of("Suspend-ClusterNode")[0]["parameters"] == {"Name": ["HV01"], "Drain": True}


# --- the answer ---


def test_properties_have_exactly_the_real_types(session: EngineSession, control: StubControl) -> None:
    control.answers["Get-VM"] = _gives(
        {
            "$type": HYPER_V + "VirtualMachine",
            "Name": "web",
            "Id": VM,
            "State": 2,
            "CreationTime": {"$date": "2026-01-02T03:04:05Z"},
            "Uptime": {"$span": 90.5},
            "MemoryAssigned": 68719476736,
            "OperationalStatus": [2, 32769],
            "Groups": [],
            "HardDrives": [{"$type": HYPER_V + "HardDiskDrive", "Path": "C:\\x.vhdx"}],
            "Heartbeat": None,
        }
    )
    shown = session.run(
        "$vm = Get-VM; $vm.GetType().FullName; [string]$vm.State; $vm.State -is [enum]; $vm.Id -is [guid]; "
        "[string]$vm.CreationTime.Kind; $vm.CreationTime.ToUniversalTime().ToString('s'); $vm.Uptime.TotalSeconds; "
        "$vm.MemoryAssigned -is [long]; $vm.OperationalStatus.GetType().Name; [string]$vm.OperationalStatus[1]; "
        "$vm.HardDrives[0].Path; $null -eq $vm.Heartbeat; $vm.ProcessorCount; $vm.VMId -eq $vm.Id; $vm.Groups.Count"
    )
    assert shown == [
        HYPER_V + "VirtualMachine",
        "Running",
        True,
        True,
        "Local",
        "2026-01-02T03:04:05",
        90.5,
        True,
        "VMOperationalStatus[]",
        "32769",
        "C:\\x.vhdx",
        True,
        0,
        True,
        0,
    ]


def test_flags_unsigned_and_nested_objects_of_the_cluster(session: EngineSession, control: StubControl) -> None:
    control.answers["Get-ClusterGroup"] = _gives(
        {
            "$type": CLUSTER + "ClusterGroup",
            "Name": "web",
            "State": -1,
            "StatusInformation": 5,
            "Priority": 3000,
            "OwnerNode": {"$type": CLUSTER + "ClusterNode", "Name": "HV02", "StatusInformation": 6},
        }
    )
    assert session.run(
        "$one = Get-ClusterGroup; [string]$one.State; [string]$one.StatusInformation; $one.Priority.GetType().Name; "
        "[string]$one.OwnerNode; [string]$one.OwnerNode.StatusInformation; $one.OwnerNode.BuildNumber -is [uint32]"
    ) == ["Unknown", "Locked, Queued", "UInt32", "HV02", "Quarantined, DrainInProgress", True]


def test_cim_instances_have_all_properties_of_their_class_and_null_where_not_read(
    session: EngineSession, control: StubControl
) -> None:
    control.answers["Get-CimInstance"] = _gives(
        _machine(
            EnabledState=2,
            OperationalStatus=[2],
            OnTimeInMilliseconds=9_000_000_000,
            LastSuccessfulBackupTime={"$date": "2026-01-02T03:04:05.25Z"},
        )
    )
    shown = session.run(
        "$one = Get-CimInstance -Namespace root\\virtualization\\v2 -ClassName Msvm_ComputerSystem -Property Name; "
        "$one.PSObject.TypeNames[0]; $one.EnabledState.GetType().Name; $one.OnTimeInMilliseconds.GetType().Name; "
        "$one.OperationalStatus.GetType().Name; [string]$one.LastSuccessfulBackupTime.Kind; "
        "$null -eq $one.HealthState; $null -eq $one.Caption; $one.CimSystemProperties.ClassName; "
        "$one.CimClass.CimClassName; "
        "@($one.PSObject.Properties.Name -eq 'ReplicationHealth').Count; $null -ne $one.PSObject.Properties['Nonsense']"
    )
    assert shown == [
        f"Microsoft.Management.Infrastructure.CimInstance#{MACHINE}",
        "UInt16",
        "UInt64",
        "UInt16[]",
        "Local",
        True,
        True,
        "Msvm_ComputerSystem",
        "Msvm_ComputerSystem",
        1,
        False,
    ]
    assert session.fails("(Get-CimInstance -ClassName Msvm_ComputerSystem).Nonsense").id == "PropertyNotFoundStrict"
    assert session.fails("(Get-CimInstance -ClassName Msvm_ComputerSystem).Name = 'x'").category == "NotSpecified"


def test_private_properties_have_the_members_that_the_object_has(session: EngineSession, control: StubControl) -> None:
    control.answers["Get-CimInstance"] = _gives(
        {
            "$cim": "root/MSCluster/MSCluster_Resource",
            "Name": "Virtual Machine web",
            "PrivateProperties": {"$cim": "root/MSCluster/MSCluster_Property", "VmID": VM, "MigrationState": 3},
        }
    )
    assert session.run(
        "$own = (Get-CimInstance -ClassName MSCluster_Resource).PrivateProperties; $own.VmID; "
        "$own.MigrationState.GetType().Name; $null -eq $own.PSObject.Properties['MigrationProgress']"
    ) == [VM, "UInt32", True]


def test_events_and_services_have_methods_notes_and_aliases(session: EngineSession, control: StubControl) -> None:
    control.answers["Get-WinEvent"] = _gives(
        {
            "$type": "System.Diagnostics.Eventing.Reader.EventLogRecord",
            "Id": 8194,
            "RecordId": 2**40,
            "Level": 2,
            "TimeCreated": {"$date": "2026-01-02T03:04:05Z"},
            "Message": "a\nb",
            "Xml": "<Event>漢</Event>",
        }
    )
    control.answers["Get-Service"] = _gives(
        {"$type": "System.ServiceProcess.ServiceController", "ServiceName": "vmms", "Status": 4, "StartType": 2}
    )
    assert session.run(
        "$one = Get-WinEvent -LogName System; $one.ToXml(); $one.Message; $one.FormatDescription(); "
        "$one.RecordId -is [long]; $one.Level -is [byte]; [string]$one.TimeCreated.Kind; $null -eq $one.UserId"
    ) == ["<Event>漢</Event>", "a\nb", "a\nb", True, True, "Local", True]
    assert session.run("$one = Get-Service vmms; $one.Name; [string]$one.Status; [string]$one.StartType") == [
        "vmms",
        "Running",
        "Automatic",
    ]
    session.run("Get-Service vmms | Restart-Service -Force -Confirm:$false")
    assert control.of("Restart-Service")[0]["parameters"]["InputObject"][0] == {
        "$type": "System.ServiceProcess.ServiceController",
        "ServiceName": "vmms",
        "Status": 4,
        "StartType": 2,
    }


@pytest.mark.parametrize(
    ("object_", "said"),
    [
        ({"$type": HYPER_V + "VirtualMachine", "Nane": "x"}, "has no property Nane"),
        ({"$type": HYPER_V + "VirtualMachine", "Name": 5}, "is no System.String"),
        ({"$type": HYPER_V + "VirtualMachine", "CreationTime": "yesterday"}, "VirtualMachine.CreationTime: the value"),
        ({"$type": HYPER_V + "VirtualMachine", "Generation": 2**40}, "is no System.Int32"),
        ({"$type": HYPER_V + "VirtualMachine", "State": "Dancing"}, "is no Microsoft.HyperV.PowerShell.VMState"),
        (
            {"$cim": MACHINE, "EnabledState": 70000},
            "Msvm_ComputerSystem.EnabledState: the value 70000 is no System.UInt16",
        ),
        ({"$type": HYPER_V + "Nonsense"}, "no command gives objects of type"),
        ({"$cim": MACHINE, "Nane": "x"}, "has no property Nane"),
        ({"$cim": "root/cimv2/Nonsense"}, "no CIM class"),
        ({"Name": "x"}, "must begin with"),
    ],
)
def test_an_answer_that_windows_could_not_give_is_an_error(
    session: EngineSession, control: StubControl, object_: dict[str, Any], said: str
) -> None:
    control.answers["Get-VM"] = _gives(object_)
    failure = session.fails("Get-VM")
    assert failure.id.startswith("LabAnswer,")
    assert said in failure.text


# --- errors ---


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
