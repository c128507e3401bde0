"""CIM over the control channel: the errors of Windows, and the same facts that the native engine tells."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hvtui.lab.native.cluster_stream import ClusterStream
from hvtui.lab.native.node_stream import NodeStream
from hvtui.lab.pwsh.cim.virtualization import SNAPSHOT_TYPES
from hvtui.lab.world import World
from tests.engine.control_client import CLUSTER, VIRTUALIZATION, Session, controlled

CIMV2 = "root\\cimv2"


async def refused(session: Session, **parameters: Any) -> str:
    answer = await session.ask("Get-CimInstance", **parameters)
    assert answer["output"] == []
    (error,) = answer["errors"]
    assert error["exception"] == "Microsoft.Management.Infrastructure.CimException"
    return str(error["id"])


@pytest.mark.parametrize(
    ("parameters", "number"),
    [
        ({"Namespace": "root\\nowhere", "ClassName": "Win32_Service"}, "0x8004100e"),
        ({"ClassName": "Win32_Nothing"}, "0x80041010"),
        ({"Namespace": CLUSTER, "ClassName": "Msvm_ComputerSystem"}, "0x80041010"),
        ({"ClassName": "Win32_Service", "Property": ["Name", "Nothing"]}, "0x80041017"),
        ({"ClassName": "Win32_Service", "Filter": "Nothing = 1"}, "0x80041017"),
        ({"ClassName": "Win32_Service", "Filter": "Name = "}, "0x80041017"),
        ({"Query": "SELEKT * FROM Win32_Service"}, "0x80041017"),
        ({"Query": "SELECT Nothing FROM Win32_Service"}, "0x80041017"),
    ],
)
async def test_what_cannot_be_asked_is_refused_as_on_windows(parameters: dict[str, Any], number: str) -> None:
    async with controlled() as (_, _, session):
        assert await refused(session, **parameters) == f"HRESULT {number}"


async def test_only_the_properties_asked_for_are_given() -> None:
    async with controlled() as (_, _, session):
        found = await session.cim("win32_service", CIMV2, Property=["name", "State"], Filter="Name LIKE 'vmm_'")
        assert found == [{"$cim": "root/cimv2/Win32_Service", "Name": "vmms", "State": "Running"}]
        (whole,) = await session.cim("Win32_Service", CIMV2, Filter="State <> 'Stopped' AND Name = 'VMMS'")
        assert whole["ProcessId"] > 0
        (key,) = await session.cim("Win32_Service", CIMV2, Filter="Name = 'vmms'", KeyOnly=True)
        assert key == {"$cim": "root/cimv2/Win32_Service", "Name": "vmms"}
        answer = await session.ask("Get-CimInstance", Query="SELECT Name FROM Win32_Service WHERE Name='ClusSvc'")
        assert [one["Name"] for one in answer["output"]] == ["ClusSvc"]


async def test_a_base_class_gives_what_inherits_from_it() -> None:
    async with controlled() as (_, _, session):
        settings = await session.cim("CIM_ResourceAllocationSettingData")
        kinds = {one["$cim"].rpartition("/")[2] for one in settings}
        assert {"Msvm_ResourceAllocationSettingData", "Msvm_VssComponentSettingData"} <= kinds


async def test_an_instance_is_read_again_until_it_is_gone() -> None:
    async with controlled() as (world, _, session):
        vm = next(iter(world.node("HV01").vms.values()))
        (one,) = await session.cim("Msvm_ComputerSystem", Filter=f"Name = '{vm.id}'")
        again = await session.ask("Get-CimInstance", InputObject=one)
        assert again["output"] == [one]
        del world.node("HV01").vms[vm.id]
        gone = await session.ask("Get-CimInstance", InputObject=one)
        assert gone["errors"][0]["id"] == "HRESULT 0x80041002"


async def test_associations_lead_from_jobs_to_machines_and_back() -> None:
    async with controlled("backup-window", at=300.0) as (world, control, _):
        job = next(job for node in world.nodes.values() for job in node.jobs.values() if job.kind == "concrete")
        node = next(node for node in world.nodes.values() if job.id in node.jobs)
        session = await Session.open(control, control.session(node.name))
        links = await session.cim("Msvm_AffectedJobElement")
        link = next(one for one in links if one["AffectingElement"]["InstanceID"].lower() == job.id)
        assert link["AffectedElement"]["Name"].lower() == job.vm
        ends = await session.ask("Get-CimAssociatedInstance", InputObject=link["AffectingElement"])
        assert [one["Name"].lower() for one in ends["output"]] == [job.vm]
        back = await session.ask(
            "Get-CimAssociatedInstance", InputObject=ends["output"][0], ResultClassName="Msvm_ConcreteJob"
        )
        assert job.id in {one["InstanceID"].lower() for one in back["output"]}
        session.writer.close()


async def test_methods_are_refused_unless_they_only_read() -> None:
    async with controlled() as (_, _, session):
        (service,) = await session.cim("Msvm_VirtualSystemManagementService")
        read = await session.ask("Invoke-CimMethod", InputObject=service, MethodName="GetSummaryInformation")
        assert len(read["output"][0]["SummaryInformation"]) > 5
        for method, number in (("DestroySystem", "0x8004100c"), ("Nothing", "0x80041055")):
            answer = await session.ask("Invoke-CimMethod", InputObject=service, MethodName=method)
            assert answer["errors"][0]["id"] == f"HRESULT {number}"


async def test_an_account_without_rights_sees_empty_lists_and_a_host_without_hyperv_has_no_namespace() -> None:
    async with controlled() as (world, _, session):
        faults = world.node("HV01").faults
        faults.rights |= {"hyperv", "cluster"}
        assert await session.cim("Msvm_ComputerSystem") == []
        assert await session.cim("MSCluster_Node", CLUSTER) == []
        faults.rights.clear()
        faults.not_hyperv = True
        parameters = {"Namespace": VIRTUALIZATION, "ClassName": "Msvm_ComputerSystem"}
        assert await refused(session, **parameters) == "HRESULT 0x8004100e"
        counters = "Win32_PerfFormattedData_HvStats_HyperVHypervisorLogicalProcessor"
        assert await refused(session, ClassName=counters) == "HRESULT 0x80041010"
        world.node("HV01").services["ClusSvc"].state = "Stopped"
        assert await refused(session, Namespace=CLUSTER, ClassName="MSCluster_Node") == "HRESULT 0x800713ac"


async def test_a_part_that_a_scenario_makes_unreadable_fails_at_its_class() -> None:
    parameters: dict[str, Any]
    async with controlled() as (world, _, session):
        unreadable = world.node("HV01").faults.unreadable
        unreadable |= {"vms.vss": "denied", "vms.last_backup": "other", "roles.vm": "unavailable"}
        parameters = {"Namespace": VIRTUALIZATION, "ClassName": "Msvm_VssComponent"}
        assert await refused(session, **parameters) == "HRESULT 0x80041003"
        names = ["Name", "LastSuccessfulBackupTime"]
        assert all(
            "LastSuccessfulBackupTime" not in one for one in await session.cim("Msvm_ComputerSystem", Property=names)
        )
        assert await session.cim("MSCluster_Resource", CLUSTER, Property=["Name"])
        parameters = {"Namespace": CLUSTER, "ClassName": "MSCluster_Resource", "Property": ["Id", "PrivateProperties"]}
        assert await refused(session, **parameters) == "HRESULT 0x800706ba"


async def test_a_cluster_state_of_minus_one_is_shown_unsigned() -> None:
    async with controlled() as (world, _, session):
        role = next(iter(world.roles.values()))
        role.state = -1
        role.revision += 1
        (one,) = await session.cim("MSCluster_ResourceGroup", CLUSTER, Filter=f"Id = '{role.id}'")
        assert one["State"] == 4294967295


# --- the same facts as the native engine ---

_WORLDS = st.tuples(
    st.sampled_from(["healthy", "drift", "stuck-writer", "backup-window", "access-denied", "hostile"]),
    st.integers(0, 1000),
    st.floats(0, 2400, allow_nan=False),
)


async def _node_facts(session: Session) -> dict[str, Any]:
    """What a reader can put together of a node's VMs, by WMI alone."""
    kinds = {text: int(kind) for kind, text in SNAPSHOT_TYPES.items()}
    machines = [one for one in await session.cim("Msvm_ComputerSystem") if len(one["Name"]) == 36]
    all_settings = await session.cim("Msvm_VirtualSystemSettingData")
    owner = {one["InstanceID"][10:]: one["VirtualSystemIdentifier"].lower() for one in all_settings}
    realized = {
        one["VirtualSystemIdentifier"].lower(): one
        for one in all_settings
        if one["VirtualSystemType"] == "Microsoft:Hyper-V:System:Realized"
    }
    checkpoints: dict[str, Counter[tuple[int, bool]]] = {}
    for one in all_settings:
        if one["VirtualSystemType"] in kinds:
            of = checkpoints.setdefault(one["VirtualSystemIdentifier"].lower(), Counter())
            of[kinds[one["VirtualSystemType"]], one["IsSaved"]] += 1
    disks: dict[str, set[str]] = {vm: set() for vm in realized}
    for one in await session.cim("Msvm_StorageAllocationSettingData", Filter="HostResource IS NOT NULL"):
        disks[owner[one["InstanceID"][10:46]]].update(one["HostResource"])
    drives = {one["DeviceID"]: one["ElementName"] for one in await session.cim("Msvm_DiskDrive")}
    where = "ResourceSubType = 'Microsoft:Hyper-V:Physical Disk Drive' AND HostResource IS NOT NULL"
    for one in await session.cim("Msvm_ResourceAllocationSettingData", Filter=where):
        for path in one["HostResource"]:
            device = path.partition('DeviceID="')[2].partition('"')[0].replace("\\\\", "\\")
            disks[owner[one["InstanceID"][10:46]]].add(drives[device])
    load = {one["Name"].lower(): one for one in await session.cim("Msvm_SummaryInformation")}
    vss = {one["SystemName"].lower(): one["OperationalStatus"][0] for one in await session.cim("Msvm_VssComponent")}
    return {
        one["Name"].lower(): {
            "name": one["ElementName"],
            "state": one["EnabledState"],
            "health": one["HealthState"],
            "op": one["OperationalStatus"],
            "replication": one["ReplicationMode"],
            "version": realized[one["Name"].lower()]["Version"],
            "checkpoint_type": realized[one["Name"].lower()]["UserSnapshotType"],
            "checkpoints": dict(checkpoints.get(one["Name"].lower(), {})),
            "disks": disks[one["Name"].lower()],
            "configuration": realized[one["Name"].lower()]["ConfigurationDataRoot"],
            "heartbeat": load[one["Name"].lower()]["Heartbeat"],
            "load": (load[one["Name"].lower()]["ProcessorLoad"], load[one["Name"].lower()]["MemoryUsage"]),
            "vss": vss.get(one["Name"].lower()) if one["EnabledState"] == 2 else None,
        }
        for one in machines
    }


def _native_facts(world: World, node: str) -> dict[str, Any]:
    frame = json.loads(NodeStream(world, world.node(node)).tick())
    files = {one["id"]: one for one in frame["files"]}
    numbers = frame["load"]["vms"]
    load = {slot: (cpu, memory) for slot, cpu, memory in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)}
    return {
        one["id"]: {
            **{key: one[key] for key in ("name", "state", "health", "op", "replication", "version", "checkpoint_type")},
            "checkpoints": {(kind["type"], kind["saved"]): kind["count"] for kind in one["checkpoints"]},
            "disks": set(files[one["id"]]["disks"]),
            "configuration": files[one["id"]]["configuration"],
            "heartbeat": one["heartbeat"],
            "load": load[one["slot"]],
            "vss": one["vss"],
        }
        for one in frame["vms"]
    }


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_WORLDS)
async def test_a_nodes_machines_are_the_native_engines(where: tuple[str, int, float]) -> None:
    scenario, seed, at = where
    async with controlled(scenario, at=at, seed=seed) as (world, control, _):
        for node in world.nodes:
            session = await Session.open(control, control.session(node))
            assert await _node_facts(session) == _native_facts(world, node)
            world.advance(7.0)
            assert await _node_facts(session) == _native_facts(world, node)
            session.writer.close()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_WORLDS)
async def test_roles_and_volumes_are_the_native_engines(where: tuple[str, int, float]) -> None:
    scenario, seed, at = where
    async with controlled(scenario, at=at, seed=seed) as (world, _, session):
        for _ in range(2):
            frame = json.loads(ClusterStream(world, world.node("HV01")).tick())
            groups = await session.cim("MSCluster_ResourceGroup", CLUSTER, Filter="GroupType = 111")
            assert [
                (one["Id"], one["Name"], one["OwnerNode"], one["State"], one["StatusInformation"]) for one in groups
            ] == [(one["id"], one["name"], one["owner"], one["state"], one["status"]) for one in frame["roles"]]
            machines = await session.cim("MSCluster_Resource", CLUSTER, Filter="Type = 'Virtual Machine'")
            assert [
                (
                    one["State"],
                    *(one["PrivateProperties"][key] for key in ("VmID", "MigrationState", "MigrationProgress")),
                )
                for one in machines
            ] == [
                (one["resource_state"], one["vm"], one["migration_state"], one["migration_percent"])
                for one in frame["roles"]
            ]
            volumes = await session.ask("Get-ClusterSharedVolume")
            told = {one["resource"]: one for one in frame["csvs"]}
            for one in volumes["output"]:
                (info,) = one["SharedVolumeInfo"]
                native = told[one["Name"]]
                assert f"{one['Id']}/{info['PartitionNumber']}" == native["id"]
                assert (one["OwnerNode"]["Name"], one["State"]) == (native["owner"], native["state"])
                assert (info["Partition"]["FreeSpace"], info["Partition"]["Name"]) == (native["free"], native["volume"])
            world.advance(11.0)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_WORLDS)
async def test_the_cluster_and_its_paths_are_the_native_engines(where: tuple[str, int, float]) -> None:
    scenario, seed, at = where
    async with controlled(scenario, at=at, seed=seed) as (world, _, session):
        frame = json.loads(ClusterStream(world, world.node("HV01")).tick())
        (cluster,) = (await session.ask("Get-Cluster"))["output"]
        (quorum,) = (await session.ask("Get-ClusterQuorum"))["output"]
        witness = quorum["QuorumResource"]
        native = frame["cluster"]
        assert (cluster["Id"], cluster["Name"], cluster["ClusterFunctionalLevel"], cluster["SharedVolumesRoot"]) == (
            native["id"],
            native["name"],
            native["functional_level"],
            native["csv_root"],
        )
        assert cluster.get("MaximumParallelMigrations") == native["max_parallel_migrations"]
        assert (quorum["QuorumType"], cluster["WitnessDynamicWeight"], cluster["DynamicQuorum"]) == (
            native["quorum_type"],
            native["witness_weight"],
            native["dynamic_quorum"],
        )
        assert (witness["ResourceType"]["Name"] if witness else "") == native["witness"]
        assert (witness["State"] if witness else None) == native["witness_state"]
        found: dict[str, dict[str, list[int]]] = {}
        for one in (await session.ask("Get-ClusterSharedVolumeState"))["output"]:
            names = ("StateInfo", "FileSystemRedirectedIOReason", "BlockRedirectedIOReason")
            found.setdefault(one["VolumeName"], {})[one["Node"]] = [one[name] for name in names]
        assert found == {one["id"]: one["nodes"] for one in frame["io"]}
        nodes = (await session.ask("Get-ClusterNode"))["output"]
        told = await session.cim("MSCluster_Node", CLUSTER)
        facts = [(one["Name"], one["State"], one["DrainStatus"], one["Id"], one["NodeWeight"]) for one in nodes]
        assert facts == [
            (one["Name"], one["State"], one["NodeDrainStatus"], one["Id"], one["NodeWeight"]) for one in told
        ]
        assert facts == [(one["name"], one["state"], one["drain"], one["id"], one["weight"]) for one in frame["nodes"]]


async def test_an_instance_is_written_anew_only_when_it_changed() -> None:
    async with controlled() as (world, control, session):
        parameters = {
            "Namespace": VIRTUALIZATION,
            "ClassName": "Msvm_VirtualSystemSettingData",
            "Property": ["InstanceID", "ElementName"],
        }
        repository = control.repository(session.token)
        first = (await control.answer(repository, "Get-CimInstance", parameters)).output
        again = (await control.answer(repository, "Get-CimInstance", parameters)).output
        assert all(old is new for old, new in zip(first, again, strict=True))
        vm = next(iter(world.node("HV01").vms.values()))
        vm.name = "renamed"
        vm.touch()
        last = (await control.answer(repository, "Get-CimInstance", parameters)).output
        changed = [new for old, new in zip(first, last, strict=True) if old is not new]
        assert 0 < len(changed) < len(first)
        assert any(b'"renamed"' in bytes(one) for one in changed)
