"""What the stubs ask, and what they make of the answers: objects with exactly the real types."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.stub_control import Answer, StubControl
from tests.engine.stub_session import EngineSession

VM = "11111111-1111-1111-1111-111111111111"
CLUSTER = "Microsoft.FailoverClusters.PowerShell."
HYPER_V = "Microsoft.HyperV.PowerShell."
CIM_COMMAND = "Microsoft.Management.Infrastructure.CimCmdlets.GetCimInstanceCommand"
MACHINE = "root/virtualization/v2/Msvm_ComputerSystem"


pytestmark = pytest.mark.usefixtures("forgotten")


def _machine(**properties: Any) -> dict[str, Any]:
    return {"$cim": MACHINE, "Name": VM, **properties}


def _gives(*output: object) -> Answer:
    return {"output": list(output), "errors": []}


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
