"""The control channel: who is admitted, in what order answers come, what is written down, and planned failures."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from hvtui.lab.pwsh.commands.answer import LabError
from hvtui.lab.pwsh.control import ADDRESS, TOKEN
from tests.engine.control_client import CLUSTER, VIRTUALIZATION, Session, controlled


async def test_a_session_speaks_for_its_node_only() -> None:
    async with controlled(node="hv02") as (_, control, session):
        assert (await session.ask("HvTui:NodeName"))["output"] == ["HV02"]
        other = await Session.open(control, control.session("HV03"))
        assert (await other.ask("HvTui:NodeName"))["output"] == ["HV03"]
        other.writer.close()
        environment = control.environment(session.token)
        assert environment == {ADDRESS: control.address, TOKEN: session.token}
        assert control.address.startswith("127.0.0.1:")


@pytest.mark.parametrize("token", ["", "HV01", "x" * 32])
async def test_nobody_without_a_token_is_answered(token: str) -> None:
    async with controlled() as (world, control, _):
        stranger = await Session.open(control, token)
        with pytest.raises(ConnectionError):
            await stranger.ask("HvTui:NodeName")
        stranger.writer.close()
        assert world.commands.total == 0


async def test_a_token_is_worth_nothing_after_its_session() -> None:
    async with controlled() as (_, control, session):
        await session.ask("HvTui:NodeName")
        control.end(session.token)
        with pytest.raises(ConnectionError):
            await session.ask("HvTui:NodeName")


async def test_a_line_that_is_no_request_closes_the_connection() -> None:
    async with controlled() as (_, _, session):
        session.writer.write(b"GET / HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            await session.take(1)


async def test_an_answer_that_waits_holds_up_no_other_and_is_dropped_when_cancelled() -> None:
    async with controlled() as (_, control, session):
        control.fail("*", "Get-Service", "hang")
        hanging = session.send("Get-Service", Name="vmms")
        assert (await session.ask("HvTui:NodeName"))["output"] == ["HV01"]
        session.write({"token": session.token, "id": 900, "cancel": hanging})
        control.heal()
        last = await session.ask("Get-Service", Name="vmms")
        assert last["id"] > hanging
        assert last["output"][0]["ServiceName"] == "vmms"


async def test_stopping_ends_what_waits() -> None:
    async with controlled() as (_, control, session):
        control.fail("*", "Get-Service", "hang")
        session.send("Get-Service")
        await session.ask("HvTui:NodeName")
        await asyncio.wait_for(control.stop(), 10)
        with pytest.raises(ConnectionError):
            await session.take(1)


async def test_every_call_is_written_down_with_its_arguments() -> None:
    async with controlled(at=30.0) as (world, _, session):
        await session.cim("Msvm_ComputerSystem", Property=["Name"])
        await session.ask("No-SuchCommand", Name="x")
        (first,) = world.commands.of("Get-CimInstance", "HV01")
        assert first.time == 30.0
        assert first.arguments == {
            "Namespace": VIRTUALIZATION,
            "ClassName": "Msvm_ComputerSystem",
            "Property": ["Name"],
        }
        assert world.commands.of("No-SuchCommand")[0].arguments == {"Name": "x"}
        assert world.commands.of("Get-CimInstance", "HV02") == []


async def test_what_the_lab_does_not_simulate_is_an_error_and_changes_nothing() -> None:
    async with controlled() as (_, _, session):
        for command, parameters in (
            ("Remove-ClusterGroup", {"Name": "SQL01"}),
            ("Get-CimInstance", {"Namespace": VIRTUALIZATION, "ClassName": "Msvm_Battery"}),
            ("Get-CimInstance", {"ClassName": "Win32_Volume"}),
            ("Get-CimInstance", {"ClassName": "Win32_Service", "ComputerName": "HV02"}),
            ("Move-ClusterVirtualMachineRole", {"Name": "x", "IgnoreLocked": True}),
        ):
            answer = await session.ask(command, **parameters)
            assert answer["output"] == []
            assert "not supported by this lab" in answer["errors"][0]["message"], command


async def test_a_bug_of_the_lab_is_told_to_the_session() -> None:
    async with controlled() as (_, _, session):
        answer = await session.ask("HvTui:StartTime", Id="not a number")
        assert "the lab failed to answer HvTui:StartTime" in answer["errors"][0]["message"]
        assert (await session.ask("HvTui:NodeName"))["errors"] == []


async def fails(session: Session, **parameters: Any) -> bool:
    answer = await session.ask("Get-CimInstance", Namespace=VIRTUALIZATION, **parameters)
    return bool(answer["errors"])


async def test_planned_failures_choose_node_command_and_parameters() -> None:
    async with controlled() as (_, control, session):
        failure = control.fail("HV01", "Get-CimInstance", "denied", match={"ClassName": "Msvm_Comp*"})
        other = control.fail("HV02", "Get-CimInstance", "denied")
        assert await fails(session, ClassName="Msvm_ComputerSystem")
        assert not await fails(session, ClassName="Msvm_SummaryInformation")
        assert (failure.met, other.met) == (1, 0)
        failure.lift()
        failure.lift()
        assert not await fails(session, ClassName="Msvm_ComputerSystem")


async def test_a_planned_failure_can_come_late_and_go_by_itself() -> None:
    async with controlled() as (_, control, session):
        control.fail("*", "Get-CimInstance", "gone", match=lambda p: "Name" in p["Property"], skip=1, times=2)
        found = [await fails(session, ClassName="Msvm_ComputerSystem", Property=["Name"]) for _ in range(5)]
        assert found == [False, True, True, False, False]
        assert not await fails(session, ClassName="Msvm_ComputerSystem", Property=["ElementName"])


@pytest.mark.parametrize(
    ("command", "kind", "wanted"),
    [
        ("Get-CimInstance", "denied", {"id": "HRESULT 0x80041003", "native": "AccessDenied"}),
        ("Get-CimInstance", "unavailable", {"id": "HRESULT 0x800706ba", "hresult": -2147023174}),
        ("Get-CimInstance", "provider", {"id": "HRESULT 0x80041004", "native": "Failed"}),
        ("Get-CimInstance", "timeout", {"id": "HRESULT 0x80041069", "category": "OperationTimeout"}),
        ("Get-CimInstance", "missing", {"id": "HRESULT 0x8004100e", "native": "InvalidNamespace"}),
        ("Get-Cluster", "denied", {"exception": "Microsoft.FailoverClusters.PowerShell.ClusterCmdletException"}),
        ("Get-Cluster", "stopped", {"id": "ClusterEndpointNotRegistered", "category": "ConnectionError"}),
        ("Get-Cluster", "missing", {"exception": "System.Management.Automation.CommandNotFoundException"}),
        ("Get-VM", "denied", {"category": "PermissionDenied"}),
        ("Get-WinEvent", "denied", {"exception": "System.UnauthorizedAccessException", "terminating": True}),
        ("Get-Service", "generic", {"hresult": -2147467259}),
    ],
)
async def test_an_error_by_name_is_the_one_the_command_would_give(
    command: str, kind: str, wanted: dict[str, Any]
) -> None:
    async with controlled() as (_, control, session):
        control.fail("*", command, kind)
        answer = await session.ask(command)
        (error,) = answer["errors"]
        assert answer["output"] == []
        assert {key: error[key] for key in wanted} == wanted


async def test_an_error_can_be_given_whole() -> None:
    async with controlled() as (_, control, session):
        inner = LabError("inside", "System.ComponentModel.Win32Exception", native=5)
        control.fail("HV01", "Get-Cluster", LabError("outside", hresult=0x80070005, inner=inner))
        (error,) = (await session.ask("Get-Cluster"))["errors"]
        assert (error["message"], error["hresult"], error["inner"]["native"]) == ("outside", -2147024891, 5)
        with pytest.raises(ValueError, match="no kind of error"):
            control.fail("HV01", "Get-Cluster", "moonphase")


async def test_a_service_that_hangs_keeps_cim_waiting_as_long_as_the_command_says() -> None:
    async with controlled() as (world, _, session):
        world.deadline = 0.2
        world.node("HV01").faults.vmms_hung = True
        answer = await session.ask(
            "Get-CimInstance", Namespace=VIRTUALIZATION, ClassName="Msvm_ComputerSystem", OperationTimeoutSec=10
        )
        assert answer["errors"][0]["id"] == "HRESULT 0x80041069"
        waiting = session.send("Get-CimInstance", Namespace=VIRTUALIZATION, ClassName="Msvm_ComputerSystem")
        assert (await session.ask("Get-CimInstance", ClassName="Win32_OperatingSystem"))["errors"] == []
        world.node("HV01").faults.vmms_hung = False
        world.changed()
        assert (await session.take(waiting))["output"]


async def test_the_cluster_commands_have_no_deadline() -> None:
    async with controlled() as (world, _, session):
        world.deadline = 0.05
        world.node("HV01").faults.cluster_service_hung = True
        waiting = session.send("Get-Cluster")
        refused = await session.ask(
            "Get-CimInstance", Namespace=CLUSTER, ClassName="MSCluster_Node", OperationTimeoutSec=10
        )
        assert refused["errors"][0]["id"] == "HRESULT 0x80041069"
        world.node("HV01").faults.cluster_service_hung = False
        world.changed()
        assert (await session.take(waiting))["output"][0]["Name"] == world.cluster.name


async def test_answers_are_one_line_each_whatever_is_in_them() -> None:
    async with controlled("hostile") as (world, _, session):
        found = await session.cim("Msvm_ComputerSystem", Property=["ElementName", "Name"])
        names = {one["Name"].lower(): one["ElementName"] for one in found}
        node = world.node("HV01")
        assert names == {vm.id: vm.name for vm in node.vms.values()} | {"hv01": "HV01"}
        assert any("\n" in name for vm in world.vms.values() for name in [vm.name])
        assert json.dumps(names)


async def test_a_node_that_is_down_answers_when_it_is_back() -> None:
    async with controlled() as (world, _, session):
        world.node("HV01").faults.down = True
        waiting = session.send("HvTui:NodeName")
        world.changed()
        world.node("HV01").faults.down = False
        world.changed()
        assert (await session.take(waiting))["output"] == ["HV01"]
