"""Commands that change the cluster: the next read shows it; what cannot be done says so."""

from __future__ import annotations

from hvtui.model.enums import GroupStatus
from tests.engine.control_client import CLUSTER, Session, controlled


async def node_states(session: Session) -> dict[str, tuple[int, int]]:
    found = await session.cim("MSCluster_Node", CLUSTER, Property=["Name", "State", "NodeDrainStatus"])
    return {one["Name"]: (one["State"], one["NodeDrainStatus"]) for one in found}


async def test_a_drain_and_a_resume_show_in_every_later_read() -> None:
    async with controlled("empty") as (world, _, session):
        answer = await session.ask("Suspend-ClusterNode", Name=["HV02"], Drain=True)
        assert answer["output"][0]["State"] == 2
        assert (await node_states(session))["HV02"] == (2, 1)
        world.advance(5)
        assert (await node_states(session))["HV02"] == (2, 2)
        again = await session.ask("Suspend-ClusterNode", Name=["HV02"])
        assert again["errors"][0]["id"] == "ClusterNodeNotUp"
        await session.ask("Resume-ClusterNode", Name=["HV02"], Failback=0)
        assert (await node_states(session))["HV02"] == (0, 0)


async def test_a_drain_with_wait_returns_when_it_is_over() -> None:
    async with controlled() as (world, _, session):
        waiting = session.send("Suspend-ClusterNode", Name=["HV01"], Drain=True, Wait=True)
        assert (await node_states(session))["HV01"] == (2, 1)
        world.advance(3600)
        assert (await session.take(waiting))["output"][0]["DrainStatus"] in {2, 3}
        assert [vm for vm in world.node("HV01").vms.values() if vm.role and not vm.role.locked] == []


async def test_a_pause_without_drain_moves_nothing() -> None:
    async with controlled() as (world, _, session):
        before = set(world.node("HV01").vms)
        await session.ask("Suspend-ClusterNode")
        world.advance(1)
        assert (await node_states(session))["HV01"] == (2, 0)
        assert before >= set(world.node("HV01").vms)


async def test_a_live_migration_by_id_arrives() -> None:
    async with controlled("empty") as (_, _, session):
        missing = await session.ask("Move-ClusterVirtualMachineRole", Name="nobody")
        assert missing["errors"][0]["id"] == "ClusterGroupNotFound"
    async with controlled() as (world, _, session):
        vm = next(vm for vm in world.node("HV01").vms.values() if vm.running and vm.role and not vm.role.status)
        waiting = session.send("Move-ClusterVirtualMachineRole", VMId=vm.id.upper(), Node="HV02", Wait=600)
        group = await session.ask("Get-ClusterGroup", VMId=vm.id)
        assert group["output"][0]["OwnerNode"]["Name"] == "HV01"
        world.advance(300)
        assert (await session.take(waiting))["output"][0]["OwnerNode"]["Name"] == "HV02"
        assert vm.id not in {one["Name"].lower() for one in await session.cim("Msvm_ComputerSystem")}


async def test_a_locked_role_refuses_and_logs_it() -> None:
    async with controlled() as (world, _, session):
        vm = next(vm for vm in world.node("HV01").vms.values() if vm.running and vm.role)
        assert vm.role is not None
        vm.role.flag(GroupStatus.Locked, on=True)
        answer = await session.ask("Move-ClusterVirtualMachineRole", Name=vm.role.name, Node="HV02", Wait=0)
        assert answer["errors"][0]["id"] == "ClusterGroupLocked"
        log = await session.ask("Get-WinEvent", LogName=["System"], FilterXPath="*[System[EventID=1071]]", MaxEvents=1)
        assert vm.role.name in log["output"][0]["Message"]


async def test_a_volume_gets_another_owner_unless_a_backup_holds_it() -> None:
    async with controlled() as (world, _, session):
        csv = next(csv for csv in world.csvs.values() if not csv.backups)
        target = next(node for node in world.nodes.values() if node is not csv.owner)
        answer = await session.ask("Move-ClusterSharedVolume", Name=csv.resource, Node=target.name)
        assert answer["output"][0]["OwnerNode"]["Name"] == target.name
        where = f"Id = '{csv.resource_id}'"
        (resource,) = await session.cim("MSCluster_Resource", CLUSTER, Filter=where)
        assert resource["OwnerNode"] == target.name
        csv.backups = 1
        held = await session.ask("Move-ClusterSharedVolume", Name=csv.resource)
        assert held["errors"][0]["inner"]["native"] == 5949
        unknown = await session.ask("Move-ClusterSharedVolume", Name="Cluster Disk 99")
        assert unknown["errors"][0]["id"] == "ClusterResourceNotFound"


async def test_restarting_vmms_gives_it_another_process() -> None:
    async with controlled() as (world, _, session):
        where = {"Filter": "Name = 'vmms'", "Property": ["State", "ProcessId"]}
        (before,) = await session.cim("Win32_Service", "root/cimv2", **where)
        waiting = session.send("Restart-Service", Name="vmms", PassThru=True)
        await session.ask("HvTui:NodeName")
        world.advance(4)
        gone = await session.ask("Get-CimInstance", Namespace="root/virtualization/v2", ClassName="Msvm_ComputerSystem")
        assert gone["errors"][0]["id"] == "HRESULT 0x800706ba"
        world.advance(30)
        assert (await session.take(waiting))["output"][0]["Status"] == 4
        (after,) = await session.cim("Win32_Service", "root/cimv2", **where)
        assert after["ProcessId"] != before["ProcessId"]
        began = await session.ask("HvTui:StartTime", Id=after["ProcessId"])
        assert began["output"][0]["$date"].endswith("Z")
        old = await session.ask("HvTui:StartTime", Id=before["ProcessId"])
        assert old["errors"][0]["id"] == "NoProcessFoundForGivenId"
        other = await session.ask("Restart-Service", Name="VSS")
        assert "not supported by this lab" in other["errors"][0]["message"]
