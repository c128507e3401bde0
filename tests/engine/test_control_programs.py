"""vssadmin, fltmc, services and Hyper-V's commands over the control channel."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from hvtui.lab.native.vssadmin_text import vssadmin_text
from hvtui.model.writers import read_writers
from tests.engine.control_client import Session, controlled


async def run(session: Session, program: str, *arguments: str) -> tuple[bytes, int]:
    answer = await session.ask(program, Arguments=list(arguments))
    return base64.b64decode(answer["output"][0]["$bytes"]), answer["exit"]


@pytest.mark.parametrize(("node", "page"), [("HV01", "437"), ("HV02", "850")])
async def test_writers_are_printed_in_the_nodes_code_page(node: str, page: str) -> None:
    async with controlled("hostile", node) as (world, _, session):
        assert (await session.ask("HvTui:OemCodePage"))["output"] == [page]
        data, code = await run(session, "vssadmin.exe", "list", "writers")
        assert code == 0
        text = data.decode(f"cp{page}")
        assert text == vssadmin_text(world.node(node))
        assert len(read_writers(text).writers) == len(world.node(node).writers)


async def test_vssadmin_waits_behind_a_snapshot() -> None:
    async with controlled() as (world, _, session):
        world.node("HV01").faults.vssadmin_hung = True
        waiting = session.send("vssadmin.exe", Arguments=["list", "writers"])
        assert (await run(session, "vssadmin.exe", "list", "providers"))[1] == 0
        world.node("HV01").faults.vssadmin_hung = False
        world.changed()
        assert (await session.take(waiting))["exit"] == 0


async def test_without_elevation_nothing_is_printed_but_the_reason() -> None:
    async with controlled() as (world, _, session):
        assert (await session.ask("HvTui:Elevated"))["output"] == [True]
        world.node("HV01").faults.rights.add("elevated")
        assert (await session.ask("HvTui:Elevated"))["output"] == [False]
        data, code = await run(session, "vssadmin.exe", "list", "writers")
        assert (b"correct permissions" in data, code) == (True, 2)
        assert (await run(session, "fltmc.exe", "filters"))[1] == 5


async def test_other_programs_and_arguments() -> None:
    async with controlled() as (_, _, session):
        assert b"CsvFlt" in (await run(session, "fltmc.exe", "filters"))[0]
        assert b"No items found" in (await run(session, "vssadmin.exe", "list", "shadows"))[0]
        assert (await run(session, "vssadmin.exe", "delete", "shadows"))[1] == 2


async def names(session: Session, command: str, **parameters: Any) -> list[str]:
    return [one["Name"] for one in (await session.ask(command, **parameters))["output"]]


async def test_services_are_found_by_name_or_wildcard() -> None:
    async with controlled() as (world, _, session):
        found = (await session.ask("Get-Service", Name=["VMMS", "Clus*"]))["output"]
        assert [(one["ServiceName"], one["Status"]) for one in found] == [("vmms", 4), ("ClusSvc", 4)]
        world.node("HV01").faults.not_hyperv = True
        answer = await session.ask("Get-Service", Name="vmms")
        assert answer["errors"][0]["id"] == "NoServiceFoundForGivenName"
        assert (await session.ask("Get-Service", Name="vmm*"))["errors"] == []


async def test_hyperv_commands_read_vms_and_their_checkpoints() -> None:
    async with controlled("drift") as (world, _, session):
        node = world.node("HV01")
        assert sorted(await names(session, "Get-VM")) == sorted(vm.name for vm in node.vms.values())
        vm = next(iter(node.vms.values()))
        (one,) = (await session.ask("Get-VM", Id=vm.id.upper()))["output"]
        assert (one["State"], one["CheckpointType"]) == (int(vm.state), int(vm.checkpoint_type))
        kept = [checkpoint.name for vm in node.vms.values() for checkpoint in vm.checkpoints]
        assert await names(session, "Get-VMSnapshot") == kept
        assert await names(session, "Get-VMSnapshot", VM=[one]) == [point.name for point in vm.checkpoints]
        assert (await session.ask("Get-VMHost"))["output"][0]["LogicalProcessorCount"] == node.processors
        assert "unable to find" in (await session.ask("Get-VM", Name="nobody"))["errors"][0]["message"]
        node.faults.rights.add("hyperv")
        assert (await session.ask("Get-VM"))["errors"][0]["category"] == "PermissionDenied"


async def test_cluster_commands_choose_by_name_wildcard_and_pipeline() -> None:
    async with controlled() as (world, _, session):
        assert await names(session, "Get-ClusterNode", Name=["hv0[12]"]) == ["HV01", "HV02"]
        nodes = await session.ask("Get-ClusterNode", Name=["HV02", "HV99"])
        assert [one["Name"] for one in nodes["output"]] == ["HV02"]
        assert nodes["errors"][0]["id"] == "ClusterNodeNotFound"
        role = next(iter(world.roles.values()))
        (group,) = (await session.ask("Get-ClusterGroup", Name=[role.name]))["output"]
        resources = await session.ask("Get-ClusterResource", InputObject={"$type": group["$type"], "Name": role.name})
        kinds = {one["ResourceType"]["Name"]: one for one in resources["output"]}
        assert set(kinds) == {"Virtual Machine", "Virtual Machine Configuration"}
        pipe = {"$type": kinds["Virtual Machine"]["$type"], "Id": kinds["Virtual Machine"]["Id"]}
        (parameter,) = (await session.ask("Get-ClusterParameter", InputObject=pipe, Name=["VmId"]))["output"]
        assert parameter["Value"] == role.vm.id
        assert "Virtual Machine" in await names(session, "Get-ClusterResourceType")
        on_node = {"$type": "Microsoft.FailoverClusters.PowerShell.ClusterNode", "Name": "HV01"}
        groups = (await session.ask("Get-ClusterGroup", InputObject=on_node))["output"]
        assert {one["OwnerNode"]["Name"] for one in groups} == {"HV01"}
        elsewhere = await session.ask("Get-ClusterNode", Cluster="OTHER")
        assert elsewhere["errors"][0]["category"] == "ConnectionError"
