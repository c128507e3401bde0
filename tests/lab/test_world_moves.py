"""Moves of VM roles: what the cluster refuses, what fails on the way, and what a wrong one does to a guest."""

from __future__ import annotations

from typing import Any

import pytest

from hvtui.lab.world import World, actions
from hvtui.lab.world.events import HA, SYSTEM, VMMS, WORKER
from hvtui.lab.world.vm import Vm
from hvtui.model.enums import GroupState, GroupStatus, JobState, JobType, MigrationState, NodeState, VmState
from tests.lab.small_world import ALICE, BOB, failed_with, kinds, logged, role_of, small, until
from tests.support.executed import executed


def refused(world: World, vm: Vm, target: str, kind: str = "Live") -> actions.Refused:
    """Ask for a move that Windows refuses: nothing at all changes."""
    before = (vm.node, vm.state, vm.role.migration_state if vm.role else None, len(world.ledger.entries))
    with pytest.raises(actions.Refused) as caught:
        actions.move_role(world, vm, world.node(target), kind, asked=ALICE)
    assert [change.outcome for change in world.commands.changes] == ["refused"]
    assert not executed(world)
    world.advance(60)
    assert (vm.node, vm.state, len(world.ledger.entries)) == (before[0], before[1], before[3])
    return caught.value


@pytest.mark.parametrize("state", ["Running", "Paused"])
def test_a_live_migration_shows_its_steps_and_hurts_nobody(state: str) -> None:
    world = small(vms=[{"name": "A", "memory_gb": 14, "state": state}])
    vm, target = world.vm("A"), world.node("HV02")
    started = vm.started
    actions.move_role(world, vm, target, "Live", asked=ALICE)
    role = role_of(vm)
    seen: list[int] = []
    job = role.migration
    assert job is not None
    assert (job.type, job.destination, job.id in world.node("HV01").jobs) == (JobType.MigrateVm, "HV02", True)
    while role.migration is not None:
        if not seen or seen[-1] != role.migration_state:
            seen.append(role.migration_state)
        world.advance(0.5)
    assert seen == [MigrationState.Setup, MigrationState.DataTransfer, MigrationState.Move]
    assert (vm.node, role.owner, role.migration_state) == (target, target, MigrationState.NoMigration)
    assert (vm.state, vm.started) == (VmState[state], started)
    assert job.state == JobState.Completed
    assert [event.vm for event in logged(target, VMMS, 20415)] == [vm.id]
    assert kinds(world) == []
    assert executed(world) == {(ALICE.operation, "Move-HvTuiVM", vm.id): 1}
    (change,) = world.commands.changes
    assert (change.command, change.node, change.asked) == ("Move-ClusterVirtualMachineRole", "HV01", ALICE)
    assert change.arguments == {"VMId": vm.id, "Node": "HV02", "MigrationType": "Live", "Wait": 0}


@pytest.mark.parametrize("kind", ["Live", "Quick", "Shutdown"])
@pytest.mark.parametrize("state", ["Off", "Saved"])
def test_what_does_not_run_is_registered_elsewhere_and_nobody_notices(kind: str, state: str) -> None:
    world = small(vms=[{"name": "A", "state": state}])
    vm, target = world.vm("A"), world.node("HV03")
    actions.move_role(world, vm, target, kind, asked=ALICE)
    world.advance(5)
    assert (vm.node, vm.state) == (target, VmState[state])
    assert not [job for node in world.nodes.values() for job in node.jobs.values()]
    assert kinds(world) == []


def test_a_quick_migration_drops_the_clients_of_a_vm_that_runs() -> None:
    world = small()
    vm = world.vm("A")
    actions.move_role(world, vm, world.node("HV02"), "Quick", asked=ALICE)
    world.advance(1)
    assert (vm.state, role_of(vm).state) == (VmState.Saving, GroupState.Pending)
    world.advance(10)
    assert (vm.node.name, vm.state, role_of(vm).state) == ("HV02", VmState.Running, GroupState.Online)
    assert kinds(world) == [("clients_dropped", "A")]


@pytest.mark.parametrize("kind", ["Live", "Quick", "Shutdown"])
def test_a_vm_stays_when_its_destination_goes_down_meanwhile(kind: str) -> None:
    world = small()
    vm = world.vm("A")
    actions.move_role(world, vm, world.node("HV02"), kind, asked=ALICE)
    world.advance(2)
    actions.fail_node(world, world.node("HV02"))
    until(world, lambda: role_of(vm).migration is None and not role_of(vm).moving)
    assert (vm.node.name, vm.state, vm.busy) == ("HV01", VmState.Running, [])
    assert bool(failed_with(world.node("HV01"))) == (kind == "Live")


def test_a_group_is_not_moved_live() -> None:
    world = small()
    actions.move_group(world, world.vm("A"), world.node("HV02"), asked=ALICE)
    world.advance(10)
    assert kinds(world) == [("clients_dropped", "A")]


@pytest.mark.parametrize("kind", ["TurnOff", "Shutdown", "ShutdownForce"])
def test_a_cold_move_is_an_outage(kind: str) -> None:
    world = small()
    vm = world.vm("A")
    actions.move_role(world, vm, world.node("HV02"), kind, asked=ALICE)
    until(world, lambda: vm.node.name == "HV02" and vm.running)
    assert kinds(world) == [("vm_interrupted", "A")]
    assert vm.started == pytest.approx(world.elapsed, abs=1)
    assert [event.vm for event in logged(vm.node, WORKER, 18500)] == [vm.id]


def test_a_locked_role_refuses() -> None:
    world = small()
    vm = world.vm("A")
    vm.lock(on=True)
    said = refused(world, vm, "HV02")
    assert (said.number, said.id, said.target) == (5960, "ClusterGroupLocked", "A")
    assert [event.data["ResourceGroup"] for event in logged(world.node("HV01"), SYSTEM, 1071)] == ["A"]


@pytest.mark.parametrize(("state", "number"), [(NodeState.Down, 5050), (NodeState.Paused, 5070)])
def test_a_node_that_takes_no_roles_refuses(state: NodeState, number: int) -> None:
    world = small()
    world.node("HV02").state = state
    said = refused(world, world.vm("A"), "HV02")
    assert (said.number, said.id) == (number, "ClusterNodeNotUp")


def test_a_vm_stays_where_it_is_when_that_is_asked_for() -> None:
    world = small()
    assert refused(world, world.vm("A"), "HV01").number == 5023


def test_one_that_is_moving_is_not_moved_again() -> None:
    world = small()
    vm = world.vm("A")
    actions.move_role(world, vm, world.node("HV02"), "Live", asked=ALICE)
    for kind in ("Live", "Quick", "TurnOff"):
        with pytest.raises(actions.Refused) as caught:
            actions.move_role(world, vm, world.node("HV03"), kind, asked=BOB)
        assert caught.value.id == "ClusterGroupInvalidState"
    world.advance(60)
    assert vm.node.name == "HV02"
    assert kinds(world) == []


def test_a_node_that_is_no_possible_owner_refuses() -> None:
    world = small(vms=[{"name": "A", "possible_owners": ["HV01", "HV03"]}])
    said = refused(world, world.vm("A"), "HV02")
    assert said.number == 5016
    assert role_of(world.vm("A")).migration_state == MigrationState.NoMigration
    assert failed_with(world.node("HV01")) == [("0x80071398",)]


@pytest.mark.parametrize("rule", ["DifferentNode", "DifferentFaultDomain"])
def test_an_affinity_rule_refuses(rule: str) -> None:
    rules = [{"name": "apart", "type": rule, "groups": ["A", "B"]}]
    world = small(cluster={"affinity_rules": rules}, vms=[{"name": "A"}, {"name": "B", "nodes": ["HV02"]}])
    assert refused(world, world.vm("A"), "HV02").number == 5971
    actions.move_role(world, world.vm("A"), world.node("HV03"), "Live", asked=ALICE)
    world.advance(60)
    assert kinds(world) == []


def test_enforced_anti_affinity_refuses_and_the_usual_one_only_suffers() -> None:
    vms = [{"names": ["A", "B"], "nodes": ["HV01", "HV02"], "anti_affinity": ["dc"]}]
    world = small(cluster={"enforced_anti_affinity": 1}, vms=vms)
    assert refused(world, world.vm("A"), "HV02").number == 5971
    world = small(vms=vms)
    actions.move_role(world, world.vm("A"), world.node("HV02"), "Live", asked=ALICE)
    world.advance(60)
    assert world.vm("A").node.name == "HV02"
    assert kinds(world) == [("anti_affinity_broken", "A")]


@pytest.mark.parametrize(("both", "harm"), [(True, []), (False, [("anti_affinity_broken", "A")])])
def test_roles_that_belong_together_may_move_one_after_the_other(both: bool, harm: list[tuple[str, str]]) -> None:
    rules = [{"name": "pair", "type": "SameNode", "groups": ["A", "B"]}]
    world = small(cluster={"affinity_rules": rules}, vms=[{"names": ["A", "B"]}])
    for name in ("A", "B") if both else ("A",):
        actions.move_role(world, world.vm(name), world.node("HV02"), "Live", asked=ALICE)
        world.advance(60)
    world.advance(900)
    assert kinds(world) == harm


def test_without_vmms_on_its_host_a_vm_cannot_be_moved() -> None:
    world = small()
    actions.stop_service(world, world.node("HV01"), "vmms")
    with pytest.raises(actions.Refused) as caught:
        actions.move_role(world, world.vm("A"), world.node("HV02"), "Live", asked=ALICE)
    assert caught.value.number == 1722


def test_a_vm_that_is_not_clustered_has_no_role_to_move() -> None:
    world = small(vms=[{"name": "A", "clustered": False}])
    assert refused(world, world.vm("A"), "HV02").id == "ClusterGroupNotFound"


OBSTACLES: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
    ({"switches": ["vSwitch", "DMZ"]}, {}, "0x80070490", "virtual switch 'DMZ'"),
    ({"gpu": 1}, {}, "0x80070032", "1 assigned GPU"),
    ({"other_disks": ["Disk 7 500.00 GB Bus 0 Lun 3 Target 1"]}, {}, "0x80070032", "Disk 7"),
    ({"dvd": ["C:\\iso\\setup.iso"]}, {}, "0xc03a0014", "Attachment 'C:\\iso\\setup.iso'"),
    ({"config_version": "12.0"}, {}, "0x80070032", "configuration version 12.0"),
    ({"memory_gb": 60}, {}, "0x800705aa", "Insufficient system resources"),
    (
        {},
        {"csvs": [{"name": "Volume1", "owner": "HV01", "unavailable_on": ["HV02"]}]},
        "0x80070002",
        "cannot find the file",
    ),
]


@pytest.mark.parametrize(("vm", "parts", "code", "words"), OBSTACLES)
def test_what_stands_in_the_way_of_a_live_migration(
    vm: dict[str, Any], parts: dict[str, Any], code: str, words: str
) -> None:
    world = small(vms=[{"name": "A", **vm}], **parts)
    moved, source, target = world.vm("A"), world.node("HV01"), world.node("HV02")
    actions.move_role(world, moved, target, "Live", asked=ALICE)
    world.advance(30)
    assert (moved.node, moved.state, role_of(moved).migration) == (source, VmState.Running, None)
    assert role_of(moved).migration_state == MigrationState.Failure
    (job,) = source.jobs.values()
    assert (job.state, job.percent(world.elapsed) < 10) == (JobState.Exception, True)
    assert failed_with(source) == [(code,)]
    assert [event.vm for event in logged(source, VMMS, 21024)] == [moved.id]
    (event,) = logged(source, HA, 21502)
    assert words in event.text
    assert event.text.startswith("Live migration of 'Virtual Machine A' failed. Virtual machine migration operation")
    assert bool(logged(target, HA, 21125)) == (code == "0x80070490")
    assert bool(logged(target, WORKER, 3050)) == (code == "0x800705aa")
    assert kinds(world) == []


@pytest.mark.parametrize(
    "vm", [{"dvd": ["C:\\ClusterStorage\\Volume2\\a.iso"]}, {"dvd": ["\\\\fs1\\iso\\a.iso"]}, {"memory_gb": 54}]
)
def test_what_does_not(vm: dict[str, Any]) -> None:
    world = small(vms=[{"name": "A", **vm}])
    actions.move_role(world, world.vm("A"), world.node("HV02"), "Live", asked=ALICE)
    world.advance(120)
    assert world.vm("A").node.name == "HV02"


def test_memory_of_vms_on_their_way_counts_as_taken() -> None:
    world = small(nodes={"max_migrations": 4}, vms=[{"names": ["A", "B"], "memory_gb": 30}])
    target = world.node("HV02")
    free = world.memory_available(target)
    actions.move_role(world, world.vm("A"), target, "Live", asked=ALICE)
    assert world.memory_available(target) == free - 30 * 1024
    actions.move_role(world, world.vm("B"), target, "Live", asked=ALICE)
    world.advance(120)
    assert [vm.name for vm in target.vms.values()] == ["A"]
    assert failed_with(world.node("HV01")) == [("0x800705aa",)]
    assert world.memory_available(target) == free - 30 * 1024


def test_a_quick_migration_without_memory_there_leaves_the_vm_saved() -> None:
    world = small(vms=[{"name": "A", "memory_gb": 60}])
    actions.move_role(world, world.vm("A"), world.node("HV02"), "Quick", asked=ALICE)
    world.advance(60)
    assert (world.vm("A").node.name, world.vm("A").state) == ("HV02", VmState.Saved)
    assert [event.codes for event in logged(world.node("HV02"), WORKER, 3050)] == [("0x800705aa",)]
    assert kinds(world) == [("clients_dropped", "A"), ("vm_interrupted", "A")]


def test_over_its_own_limit_a_client_fails_and_is_noted() -> None:
    world = small(vms=[{"names": ["A", "B", "C"]}])
    for name in "ABC":
        actions.move_role(world, world.vm(name), world.node("HV02"), "Live", asked=ALICE)
    third = world.vm("C")
    assert role_of(third).migration_state == MigrationState.Failure
    world.advance(120)
    assert [world.vm(name).node.name for name in "ABC"] == ["HV02", "HV02", "HV01"]
    assert failed_with(world.node("HV01")) == [("0x800700aa",)]
    (event,) = logged(world.node("HV01"), HA, 21501)
    assert "because virtual machine migration limit '2' was reached, please wait" in event.text
    assert kinds(world) == [("limit_exceeded", "C")]
    assert "alice@desk1 has 2 migrations" in world.ledger.entries[0].text


def test_over_the_limit_because_of_another_client_is_no_harm() -> None:
    world = small(vms=[{"names": ["A", "B", "C"]}])
    for name, who in (("A", ALICE), ("B", BOB), ("C", BOB)):
        actions.move_role(world, world.vm(name), world.node("HV02"), "Live", asked=who)
    world.advance(120)
    assert world.vm("C").node.name == "HV01"
    assert failed_with(world.node("HV01")) == [("0x800700aa",)]
    assert kinds(world) == []
    actions.move_role(world, world.vm("C"), world.node("HV02"), "Live", asked=BOB)
    world.advance(120)
    assert world.vm("C").node.name == "HV02"
    assert role_of(world.vm("C")).migration_state == MigrationState.NoMigration


@pytest.mark.parametrize(
    ("parts", "pairs", "fails"),
    [
        # The cluster's own limit wins over the hosts' (2022 and later).
        ({"nodes": {"build": "10.0.20348.2762", "max_migrations": 2}}, [("A", "HV02"), ("B", "HV03")], ["B"]),
        (
            {
                "nodes": {"build": "10.0.20348.2762", "max_migrations": 1},
                "cluster": {"max_parallel_migrations": 2},
            },
            [("A", "HV02"), ("B", "HV03")],
            [],
        ),
        # Without it the lower of the two hosts' limits counts, and at both ends.
        ({"node": [{"name": "HV03", "max_migrations": 1}]}, [("A", "HV02"), ("B", "HV03")], ["B"]),
        ({"node": [{"name": "HV02", "max_migrations": 1}]}, [("A", "HV02"), ("D", "HV02")], ["D"]),
    ],
)
def test_the_limit_that_counts(parts: dict[str, Any], pairs: list[tuple[str, str]], fails: list[str]) -> None:
    world = small(vms=[{"names": ["A", "B", "C"]}, {"name": "D", "nodes": ["HV03"]}], **parts)
    for name, target in pairs:
        actions.move_role(world, world.vm(name), world.node(target), "Live", asked=ALICE)
    world.advance(120)
    assert [vm.name for vm in world.vms.values() if role_of(vm).migration_state == MigrationState.Failure] == fails


def test_a_cancelled_migration_leaves_the_vm_where_it_is() -> None:
    world = small(vms=[{"name": "A", "memory_gb": 40}])
    vm = world.vm("A")
    actions.move_role(world, vm, world.node("HV02"), "Live", asked=ALICE)
    world.advance(10)
    job = role_of(vm).migration
    assert job is not None
    actions.cancel_move(world, vm, asked=BOB)
    assert (role_of(vm).migration, role_of(vm).migration_state) == (None, MigrationState.Cancelled)
    assert job.state == JobState.Terminated
    assert 0 < job.percent(world.elapsed) < 100
    world.advance(120)
    assert (vm.node.name, vm.state, vm.busy, world.migrating) == ("HV01", VmState.Running, [], {})
    assert failed_with(world.node("HV01")) == []
    assert kinds(world) == []
    actions.move_role(world, vm, world.node("HV02"), "Live", asked=ALICE)
    world.advance(120)
    assert vm.node.name == "HV02"


def test_there_are_five_ways_to_move_and_no_others() -> None:
    world = small()
    with pytest.raises(ValueError, match="'live'"):
        actions.move_role(world, world.vm("A"), world.node("HV02"), "live")
    assert not world.commands.changes


def test_a_colleagues_changes_are_in_the_log_and_belong_to_no_operation() -> None:
    world = small()
    actions.migrate(world, world.vm("A"), world.node("HV02"))
    actions.restart_vmms(world, world.node("HV03"))
    actions.drain(world, world.node("HV01"))
    assert [(change.command, change.asked.operation) for change in world.commands.changes] == [
        ("Move-ClusterVirtualMachineRole", ""),
        ("Restart-Service", ""),
        ("Suspend-ClusterNode", ""),
    ]
    assert not executed(world)


def test_cancel_comes_too_late_or_for_nothing() -> None:
    world = small()
    vm = world.vm("A")
    with pytest.raises(actions.Refused, match="none is running"):
        actions.cancel_move(world, vm, asked=ALICE)
    actions.move_role(world, vm, world.node("HV02"), "Live", asked=ALICE)
    until(world, lambda: role_of(vm).migration_state == MigrationState.Move)
    with pytest.raises(actions.Refused, match="it is being completed"):
        actions.cancel_move(world, vm, asked=ALICE)
    world.advance(60)
    assert vm.node.name == "HV02"


def test_one_that_waits_in_the_queue_can_be_cancelled() -> None:
    world = small(nodes={"max_migrations": 1}, vms=[{"names": ["A", "B"]}])
    for name in "AB":
        actions.migrate(world, world.vm(name), world.node("HV02"))
    world.advance(1)
    waiting = world.vm("B")
    assert role_of(waiting).status & GroupStatus.Queued
    actions.cancel_move(world, waiting, asked=ALICE)
    assert not role_of(waiting).status & GroupStatus.Queued
    world.advance(120)
    assert [world.vm(name).node.name for name in "AB"] == ["HV02", "HV01"]


@pytest.mark.parametrize("move", ["Live", "Quick", "Shutdown"])
@pytest.mark.parametrize(("key", "kind"), [("paused_on", "io_lost"), ("no_direct_io", "io_slowed")])
def test_a_host_that_does_not_reach_the_volume_well(key: str, kind: str, move: str) -> None:
    world = small(csvs=[{"name": "Volume1", "owner": "HV01", key: ["HV02"]}])
    actions.move_role(world, world.vm("A"), world.node("HV02"), move, asked=ALICE)
    world.advance(60)
    assert kinds(world)[-1] == (kind, "A")
    assert len(kinds(world)) == (1 if move == "Live" else 2)


@pytest.mark.parametrize("kind", ["Live", "Quick", "Shutdown"])
def test_a_vm_whose_fork_was_not_committed_loses_data_when_it_moves(kind: str) -> None:
    world = small(vms=[{"name": "A", "fork_commit": "9d"}])
    vm = world.vm("A")
    assert [name.endswith(".avhdx") for name in vm.attached()] == [True]
    actions.move_role(world, vm, world.node("HV02"), kind, asked=ALICE)
    world.advance(60)
    assert ("data_lost", "A") in kinds(world)
    assert [name.endswith(".avhdx") for name in vm.attached()] == [False]


def test_a_vm_whose_fork_was_not_committed_loses_data_when_it_is_restarted_or_turned_off() -> None:
    world = small(vms=[{"names": ["A", "B"], "fork_commit": "9d"}])
    actions.restart_guest(world, world.vm("A"))
    world.advance(30)
    assert kinds(world) == [("vm_interrupted", "A"), ("data_lost", "A")]
    assert world.vm("A").running
    actions.power_off(world, world.vm("B"))
    assert world.vm("B").fork_commit
    actions.power_on(world, world.vm("B"))
    world.advance(30)
    assert kinds(world)[2:] == [("vm_interrupted", "B"), ("data_lost", "B")]


@pytest.mark.parametrize("kind", ["Live", "Quick", "Shutdown"])
def test_a_merge_has_to_begin_again_when_its_vm_is_moved(kind: str) -> None:
    world = World.load("backup-window", start=small().start)

    def merging() -> list[Vm]:
        jobs = [job for node in world.nodes.values() for job in node.running_jobs()]
        return [world.vms[job.vm] for job in jobs if job.type == JobType.MergeDisks and world.vms[job.vm].running]

    until(world, lambda: bool(merging()))
    vm = merging()[0]
    source = vm.node
    job = next(job for job in source.running_jobs() if job.vm == vm.id and job.type == JobType.MergeDisks)
    target = next(node for node in world.up_nodes() if node is not source)
    actions.move_role(world, vm, target, kind, asked=ALICE)
    world.advance(5)
    assert job.state == JobState.Exception
    assert [harm.target for harm in world.ledger.of("merge_interrupted")] == [vm.name]
    assert [event.vm for event in logged(source, VMMS, 19090)] == [vm.id]
    until(world, lambda: not vm.busy and vm.node is target)


def test_a_backup_is_broken_when_its_vm_is_moved() -> None:
    world = World.load("backup-window", start=small().start)

    def copying() -> list[Vm]:
        return [vm for vm in world.vms.values() if 32776 in vm.busy and vm.running and vm.role and not vm.role.locked]

    until(world, lambda: bool(copying()))
    vm = copying()[0]
    last = vm.last_backup
    job = next(job for job in vm.node.running_jobs() if job.vm == vm.id and job.type == JobType.Backup)
    target = next(node for node in world.up_nodes() if node is not vm.node)
    actions.move_role(world, vm, target, "Live", asked=ALICE)
    until(world, lambda: vm.node is target)
    assert job.state == JobState.Exception
    assert [harm.target for harm in world.ledger.of("backup_broken")] == [vm.name]
    until(world, lambda: not vm.busy)
    assert vm.last_backup == last
