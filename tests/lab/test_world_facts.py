"""What a scenario says of a cluster before anything is changed, and how the world keeps it true."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hvtui.lab.world import ScenarioError, actions
from hvtui.lab.world.events import VMMS, WORKER
from hvtui.lab.world.scenario import parse_scenario
from hvtui.model.enums import NodeStatus
from tests.lab.small_world import ALICE, logged, small, until
from tests.lab.test_world_scenario_files import GOOD
from tests.support.world import START


def test_the_chain_of_a_vm_names_every_file_and_its_parent() -> None:
    checkpoints = [{"type": "Standard", "age": "3d"}, {"type": "Recovery", "age": "1h"}]
    world = small(vms=[{"name": "A", "second_disk": "Volume2", "checkpoints": checkpoints, "disk_gb": 100}])
    vm = world.vm("A")
    chain = vm.chain(world.elapsed)
    assert len(chain) == 6
    first, second, third = chain[:3]
    assert first[0] == vm.attached()[0]
    assert (first[1], second[1], third[1]) == (second[0], third[0], "")
    assert [path.endswith(".avhdx") for path, _, _ in chain[:3]] == [True, True, False]
    assert third[2] == 100 * 1024**3
    assert chain[5] == ("C:\\ClusterStorage\\Volume2\\A\\A-data.vhdx", "", 200 * 1024**3)
    world.advance(3600)
    assert vm.chain(world.elapsed)[0][2] > first[2]


def test_a_fork_that_was_not_committed_shows_in_the_logs_and_in_the_chain_but_as_no_checkpoint() -> None:
    world = small(
        vms=[{"name": "A", "fork_commit": "20d"}, {"name": "B"}], node=[{"name": "HV01", "clock_offset": "1h"}]
    )
    node, vm = world.node("HV01"), world.vm("A")
    (worker,), (vmms,) = logged(node, WORKER, 3216), logged(node, VMMS, 18590)
    assert (worker.vm, worker.codes) == (vm.id, ("0x800703ee",))
    assert (vmms.vm, vmms.codes) == (vm.id, ("0x80048102",))
    assert worker.time == START - timedelta(days=20) + timedelta(hours=1)
    assert vm.checkpoints == []
    assert [parent for _, parent, _ in vm.chain(0)] == [vm.disks[0].base, ""]
    assert len(world.vm("B").chain(0)) == 1


@pytest.mark.parametrize(
    ("vm", "wanted"),
    [
        ({"memory_gb": 8}, (8192, 8192, 512, 1_048_576)),
        ({"memory_gb": 8, "dynamic": True}, (8192, 4096, 2048, 8192)),
        (
            {"memory_gb": 8, "dynamic": True, "memory_startup_gb": 3, "memory_minimum_gb": 1, "memory_maximum_gb": 32},
            (8192, 3072, 1024, 32768),
        ),
    ],
)
def test_memory(vm: dict[str, Any], wanted: tuple[int, int, int, int]) -> None:
    found = small(vms=[{"name": "A", **vm}]).vm("A")
    assert (found.memory, found.memory_startup, found.memory_minimum, found.memory_maximum) == wanted


def test_memory_of_a_host_is_what_its_vms_hold_and_the_host_itself() -> None:
    world = small(
        vms=[
            {"name": "RUNS", "memory_gb": 10},
            {"name": "DYNAMIC", "memory_gb": 10, "dynamic": True},
            {"name": "PAUSED", "memory_gb": 4, "state": "Paused"},
            {"names": ["OFF", "SAVED"], "memory_gb": 20, "state": "Off"},
        ]
    )
    world.vm("SAVED").set_state(6)
    node = world.node("HV01")
    held = {name: world.memory_assigned(world.vm(name)) for name in ("RUNS", "DYNAMIC", "PAUSED", "OFF", "SAVED")}
    assert (held["RUNS"], held["PAUSED"], held["OFF"], held["SAVED"]) == (10_240, 4_096, 0, 0)
    assert 0 < held["DYNAMIC"] < 10_240
    assert world.memory_total(node) == 64 * 1024
    used = world.memory_total(node) - world.memory_available(node)
    assert used - sum(held.values()) == world.memory_total(world.node("HV03")) - world.memory_available(
        world.node("HV03")
    )
    assert world.host_load(node)[1] == used


def test_what_a_vm_has() -> None:
    vm = small(
        vms=[
            {
                "name": "A",
                "switches": ["vSwitch", "DMZ"],
                "dvd": ["C:\\a.iso"],
                "other_disks": ["Disk 7 500.00 GB Bus 0 Lun 3 Target 1", "\\\\fs1\\share\\b.vhdx"],
                "shared_disks": ["C:\\ClusterStorage\\Volume1\\quorum.vhds"],
                "gpu": 2,
                "tpm": True,
                "possible_owners": ["HV01"],
                "preferred_owners": ["HV02"],
                "config_version": "8.0",
            }
        ]
    ).vm("A")
    assert (vm.switches, vm.dvd, vm.gpu, vm.tpm) == (["vSwitch", "DMZ"], ["C:\\a.iso"], 2, True)
    assert vm.pass_through() == ["Disk 7 500.00 GB Bus 0 Lun 3 Target 1"]
    assert vm.shared == ["C:\\ClusterStorage\\Volume1\\quorum.vhds"]
    assert (vm.possible_owners, vm.preferred_owners, vm.config_version) == (["HV01"], ["HV02"], "8.0")
    plain = small().vm("A")
    assert (plain.possible_owners, plain.preferred_owners, plain.switches) == (None, [], ["vSwitch"])


@pytest.mark.parametrize(
    ("build", "newest", "oldest"),
    [
        ("10.0.14393.6614", "8.0", "5.0"),
        ("10.0.17763.5329", "9.0", "5.0"),
        ("10.0.20348.2762", "10.0", "8.0"),
        ("10.0.26100.1742", "12.0", "8.0"),
        ("6.3.9600.21620", "5.0", "5.0"),
    ],
)
def test_configuration_versions_are_those_of_the_build(build: str, newest: str, oldest: str) -> None:
    world = small(nodes={"build": build})
    versions = world.node("HV01").vm_versions
    assert (versions[0], versions[-1]) == (oldest, newest)
    assert world.vm("A").config_version == newest


def test_what_a_host_has() -> None:
    world = small(
        node=[
            {
                "name": "HV02",
                "isolated": True,
                "switches": ["Other"],
                "vm_versions": ["9.0"],
                "replicas": [{"name": "SR1", "status": 12}],
                "services": ["SQLWriter"],
            },
            {"name": "HV03", "quarantined": True},
        ]
    )
    one, two, three = world.nodes.values()
    assert (one.status, two.status, three.status) == (0, NodeStatus.Isolated, NodeStatus.Quarantined)
    assert (one.switches, two.switches, two.vm_versions) == (["vSwitch"], ["Other"], ["9.0"])
    assert [(replica.name, replica.status) for replica in two.replicas] == [("SR1", 12)]
    assert [name for name in one.services if name in {"swprv", "BITS", "SQLWriter"}] == ["swprv", "BITS"]
    assert two.services["SQLWriter"].running
    assert "SqlServerWriter" in {writer.name for writer in two.writers}


def test_what_a_cluster_has() -> None:
    world = small(
        cluster={
            "s2d": True,
            "balancer": 0,
            "move_type_threshold": 1000,
            "affinity_rules": [
                {"name": "apart", "type": "DifferentNode", "groups": ["A"]},
                {"name": "off", "type": "SameNode", "groups": ["A"], "enabled": False},
            ],
        }
    )
    facts = world.cluster
    assert (facts.s2d, facts.balancer, facts.move_type_threshold, facts.storage_jobs) == (True, 0, 1000, [])
    assert [(disk.name, disk.health, disk.operational) for disk in facts.virtual_disks] == [("Pool01", 0, [2])]
    assert [(rule.type, rule.groups, rule.enabled) for rule in world.affinity_rules] == [
        (4, ("A",), True),
        (2, ("A",), False),
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vms": [{"name": "A", "possible_owners": ["HV9"]}]}, "vms[0].possible_owners: 'HV9' is unknown"),
        ({"vms": [{"name": "A", "preferred_owners": ["HV1"]}]}, "did you mean 'HV01'?"),
        ({"vms": [{"name": "A", "fork_commit": "soon"}]}, "vms[0].fork_commit: 'soon' is no length of time"),
        ({"vms": [{"name": "A", "fork": "1d"}]}, "fork"),
        ({"csvs": [{"name": "Volume1", "paused_on": ["HV9"]}]}, "csvs[0].paused_on"),
        ({"csvs": [{"name": "Volume1", "unavailable_on": ["HV9"]}]}, "csvs[0].unavailable_on"),
        ({"node": [{"name": "HV01", "services": ["SqlWriter"]}]}, "did you mean 'SQLWriter'?"),
        ({"node": [{"name": "HV01", "hanging_stops": ["VMMS"]}]}, "node[0].hanging_stops"),
        ({"node": [{"name": "HV01", "dependents": {"Crypt": ["X"]}}]}, "did you mean 'CryptSvc'?"),
        ({"node": [{"name": "HV01", "shadows": [{"csv": "Volume9"}]}]}, "node[0].shadows.csv"),
        ({"node": [{"name": "HV01", "shadows": [{"csv": "Volume1", "age": "-1h"}]}]}, "less than nothing"),
        ({"cluster": {"virtual_disks": [{"name": "V"}]}}, "set s2d = true"),
        ({"cluster": {"s2d": True, "storage_jobs": [{"lasts": "x"}]}}, "cluster.storage_jobs.lasts"),
        ({"cluster": {"affinity_rules": [{"name": "r", "type": "SameNod", "groups": []}]}}, "'SameNode'?"),
        ({"cluster": {"affinity_rules": [{"name": "r", "type": "SameNode", "groups": ["B"]}]}}, "'B' is unknown"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], said: str) -> None:
    raw = GOOD | change
    raw["cluster"] = GOOD["cluster"] | change.get("cluster", {})
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(raw, "mine.toml")
    assert said in str(caught.value)


# --- CSVs ---


def test_a_csv_gets_another_coordinator_and_its_vms_stay() -> None:
    world = small()
    csv, target = world.csv("Volume1"), world.node("HV03")
    actions.move_volume(world, csv, target, asked=ALICE)
    assert (csv.owner, world.vm("A").node.name) == (target, "HV01")
    (change,) = world.commands.changes
    assert (change.command, change.target, change.outcome) == ("Move-ClusterSharedVolume", csv.id, "done")
    assert change.arguments == {"Name": csv.resource, "Node": "HV03"}


@pytest.mark.parametrize(
    ("parts", "target", "number", "id"),
    [
        ({"node": [{"name": "HV03", "paused": True}]}, "HV03", 5070, "ClusterNodeNotUp"),
        ({"node": [{"name": "HV03", "down": True}]}, "HV03", 5050, "ClusterNodeNotUp"),
        (
            {"csvs": [{"name": "Volume1", "owner": "HV01", "no_direct_io": ["HV03"]}]},
            "HV03",
            5023,
            "ClusterResourceInvalidState",
        ),
    ],
)
def test_a_csv_stays_when_a_node_cannot_own_it(parts: dict[str, Any], target: str, number: int, id: str) -> None:
    world = small(**parts)
    csv = world.csv("Volume1")
    with pytest.raises(actions.Refused) as caught:
        actions.move_volume(world, csv, world.node(target), asked=ALICE)
    assert (caught.value.number, caught.value.id, csv.owner.name) == (number, id, "HV01")
    assert [change.outcome for change in world.commands.changes] == ["refused"]


def test_a_backup_and_a_snapshot_hold_a_csv() -> None:
    world = small(behaviours=[{"kind": "host_backup", "nodes": ["HV01"], "copy": "2m"}])
    csv, target = world.csv("Volume1"), world.node("HV03")
    until(world, lambda: csv.snapshotting)
    with pytest.raises(actions.Refused) as caught:
        actions.move_volume(world, csv, target)
    assert (caught.value.number, caught.value.id) == (5949, "ClusterSnapshotInProgress")
    assert [event.data["ResourceName"] for event in logged(world.node("HV01"), "System", 5147)] == [csv.resource]
    until(world, lambda: not csv.snapshotting)
    with pytest.raises(actions.Refused) as caught:
        actions.move_volume(world, csv, target)
    assert caught.value.id == "ClusterBackupInProgress"
    assert len(logged(world.node("HV01"), "System", 5147)) == 1
    until(world, lambda: not csv.backups)
    actions.move_volume(world, csv, target)
    assert csv.owner is target
