"""Drain, pause, resume: who moves how, what blocks, and what pausing one more node costs."""

from __future__ import annotations

from typing import Any

import pytest

from hvtui.lab.world import World, actions
from hvtui.lab.world.events import SYSTEM
from hvtui.lab.world.node import Node
from hvtui.model.enums import DrainStatus, JobType, MigrationState, NodeState, NodeStatus, VmState
from tests.lab.small_world import ALICE, BOB, kinds, logged, role_of, small, until
from tests.support.executed import executed


def drained(world: World, name: str = "HV01", most: float = 900.0) -> Node:
    """Drain a node and wait for the end of it, whichever."""
    node = world.node(name)
    actions.suspend(world, node, asked=ALICE)
    until(world, lambda: node.drain != DrainStatus.InProgress, most)
    return node


def blocked(node: Node) -> dict[str, str]:
    """Roles that could not be moved for the drain, with the code."""
    return {event.data["ResourceGroup"]: event.data["ErrorCode"] for event in logged(node, SYSTEM, 1137)}


def test_suspend_returns_at_once_and_the_drain_goes_on() -> None:
    world = small(vms=[{"names": ["A", "B", "C"]}])
    node = world.node("HV01")
    actions.suspend(world, node, asked=ALICE)
    assert (node.state, node.drain, node.status) == (2, DrainStatus.InProgress, NodeStatus.DrainInProgress)
    world.advance(3)
    assert len(world.migrating) == 2, "as many at once as the limit allows"
    most = 0
    while node.drain == DrainStatus.InProgress:
        world.advance(0.5)
        most = max(most, len(world.migrating))
    assert (most, node.drain, node.status, node.vms) == (2, DrainStatus.Completed, NodeStatus.DrainCompleted, {})
    assert {vm.state for vm in world.vms.values()} == {VmState.Running}
    assert kinds(world) == []
    assert executed(world) == {(ALICE.operation, ALICE.function, "HV01"): 1}


def test_the_important_ones_go_first_and_the_unimportant_are_saved() -> None:
    world = small(
        nodes={"max_migrations": 1},
        vms=[
            {"name": "LOW", "priority": 1000},
            {"name": "NEVER", "priority": 0},
            {"name": "MEDIUM", "priority": 2000},
            {"name": "HIGH", "priority": 3000},
            {"name": "SAVED", "priority": 1000, "state": "Saved"},
        ],
    )
    order: list[str] = []
    node = world.node("HV01")
    actions.suspend(world, node)
    while node.drain == DrainStatus.InProgress:
        world.advance(0.5)
        order += [vm.name for vm in world.vms.values() if vm.node is not node and vm.name not in order]
    assert order.index("HIGH") < order.index("MEDIUM")
    assert sorted(kinds(world)) == [("clients_dropped", "LOW"), ("clients_dropped", "NEVER")]
    jobs = [job for job in node.jobs.values() if job.type == JobType.MigrateVm]
    assert {world.vms[job.vm].name for job in jobs} == {"HIGH", "MEDIUM"}
    assert {vm.name for vm in world.vms.values() if vm.state == VmState.Saved} == {"SAVED"}


@pytest.mark.parametrize(("threshold", "dropped"), [(3001, ["A", "B"]), (1000, []), (2500, ["A"])])
def test_the_threshold_says_who_is_saved(threshold: int, dropped: list[str]) -> None:
    world = small(
        cluster={"move_type_threshold": threshold},
        vms=[{"name": "A", "priority": 2000}, {"name": "B", "priority": 3000}],
    )
    drained(world)
    assert sorted(harm.target for harm in world.ledger.entries) == dropped


@pytest.mark.parametrize(
    ("vm", "parts", "code"),
    [
        ({"dvd": ["D:\\setup.iso"]}, {}, "0x00001741"),
        ({"gpu": 1}, {}, "0x00001741"),
        ({"memory_gb": 40}, {"node": [{"name": n, "memory_gb": 32} for n in ("HV02", "HV03")]}, "0x00001745"),
        ({"possible_owners": ["HV01"]}, {}, "0x0000138d"),
    ],
)
def test_a_role_that_cannot_move_fails_the_drain(vm: dict[str, Any], parts: dict[str, Any], code: str) -> None:
    world = small(vms=[{"name": "A", **vm}, {"name": "B"}], **parts)
    node = drained(world)
    assert (node.state, node.drain, node.status) == (NodeState.Paused, DrainStatus.Failed, NodeStatus.DrainFailed)
    assert node.drain_error == int(code, 16)
    assert blocked(node) == {"A": code}
    assert [event.data["NodeName"] for event in logged(node, SYSTEM, 1677)] == ["HV01"]
    assert [one.name for one in node.vms.values()] == ["A"]
    assert world.vm("A").running
    assert kinds(world) == [("drain_failed", "HV01")]


def test_a_failed_drain_can_be_tried_again_when_what_blocked_it_is_gone() -> None:
    world = small(vms=[{"name": "A", "dvd": ["D:\\setup.iso"]}, {"name": "B"}])
    node = drained(world)
    assert node.drain == DrainStatus.Failed
    world.vm("A").dvd.clear()
    drained(world)
    assert (node.drain, node.drain_error, node.vms) == (DrainStatus.Completed, 0, {})
    actions.resume_node(world, node, failback=True)
    until(world, lambda: len(node.vms) == 2)


def test_what_is_not_clustered_stays_and_fails_nothing() -> None:
    world = small(vms=[{"name": "A"}, {"name": "LOCAL", "clustered": False}])
    node = drained(world)
    assert node.drain == DrainStatus.Completed
    assert [vm.name for vm in node.vms.values()] == ["LOCAL"]


def test_a_locked_role_blocks_a_drain() -> None:
    world = small()
    world.vm("A").lock(on=True)
    assert blocked(drained(world)) == {"A": "0x00001748"}


def test_the_cluster_keeps_apart_what_it_can_and_fills_no_node_that_is_full() -> None:
    world = small(
        vms=[
            {"name": "DC1", "anti_affinity": ["dc"]},
            {"name": "DC2", "anti_affinity": ["dc"], "nodes": ["HV02"]},
            {"name": "BIG", "memory_gb": 30},
            {"name": "FULL", "memory_gb": 50, "nodes": ["HV02"]},
        ]
    )
    drained(world)
    assert {world.vm(name).node.name for name in ("DC1", "BIG")} == {"HV03"}
    # With one node left they come together, which the cluster prefers to leaving one behind.
    world = small(
        node=[{"name": "HV03", "down": True}],
        vms=[{"names": ["DC1", "DC2"], "nodes": ["HV01", "HV02"], "anti_affinity": ["dc"]}],
    )
    assert drained(world).drain == DrainStatus.Completed
    assert world.ledger.of("anti_affinity_broken") == []


def test_a_preferred_owner_is_preferred() -> None:
    world = small(vms=[{"name": "A", "preferred_owners": ["HV03"]}, {"names": ["X", "Y"], "nodes": ["HV03"]}])
    drained(world)
    assert world.vm("A").node.name == "HV03"


def test_a_pause_moves_nothing_and_a_second_one_is_refused() -> None:
    world = small()
    node = world.node("HV01")
    actions.suspend(world, node, drain=False, asked=ALICE)
    world.advance(60)
    assert (node.state, node.drain, len(node.vms)) == (NodeState.Paused, DrainStatus.NotInitiated, 1)
    with pytest.raises(actions.Refused) as caught:
        actions.suspend(world, node, drain=False, asked=BOB)
    assert (caught.value.number, caught.value.id) == (5070, "ClusterNodeNotUp")
    drained(world)
    assert node.drain == DrainStatus.Completed
    with pytest.raises(actions.Refused):
        actions.suspend(world, node, asked=BOB)
    assert [change.outcome for change in world.commands.changes] == ["done", "refused", "started", "refused"]


@pytest.mark.parametrize(("state", "number"), [("down", 5050), ("draining", 5962)])
def test_a_node_that_is_away_or_draining_cannot_be_paused(state: str, number: int) -> None:
    world = small(vms=[{"name": "A", "memory_gb": 40}])
    node = world.node("HV01")
    if state == "down":
        actions.fail_node(world, node)
    else:
        actions.suspend(world, node)
        world.advance(2)
    with pytest.raises(actions.Refused) as caught:
        actions.suspend(world, node)
    assert caught.value.number == number


def test_a_resume_in_the_middle_ends_the_drain() -> None:
    world = small(nodes={"max_migrations": 1}, vms=[{"names": ["A", "B", "C"], "memory_gb": 12}])
    node = world.node("HV01")
    actions.suspend(world, node)
    until(world, lambda: len(node.vms) == 2)
    world.advance(3)
    assert role_of(world.vm("B")).migration is not None
    actions.resume_node(world, node, failback=False)
    world.advance(300)
    assert (node.state, node.drain, node.status) == (NodeState.Up, DrainStatus.NotInitiated, 0)
    # The one that was on its way arrives, the last one is not asked any more.
    assert [vm.name for vm in node.vms.values()] == ["C"]


@pytest.mark.parametrize("failback", [True, False])
def test_resume_brings_home_what_the_drain_took_away_when_that_is_asked_for(failback: bool) -> None:
    world = small(vms=[{"names": ["A", "B"]}, {"name": "OTHER", "nodes": ["HV02"]}])
    node = drained(world)
    actions.resume_node(world, node, failback, asked=BOB)
    assert node.state == NodeState.Up
    assert node.failback == (DrainStatus.InProgress if failback else DrainStatus.NotInitiated)
    world.advance(300)
    assert sorted(vm.name for vm in node.vms.values()) == (["A", "B"] if failback else [])
    assert node.failback == (DrainStatus.Completed if failback else DrainStatus.NotInitiated)
    assert kinds(world) == []
    with pytest.raises(actions.Refused) as caught:
        actions.resume_node(world, node, failback)
    assert caught.value.id == "ClusterNodeNotPaused"


def test_a_failback_that_cannot_bring_all_home_says_so() -> None:
    world = small(vms=[{"names": ["A", "B"]}])
    node = drained(world)
    world.vm("A").lock(on=True)
    actions.resume_node(world, node, failback=True)
    until(world, lambda: node.failback != DrainStatus.InProgress)
    assert node.failback == DrainStatus.Failed
    assert [vm.name for vm in node.vms.values()] == ["B"]


def test_a_drain_takes_a_vm_whose_fork_was_not_committed_with_it() -> None:
    world = small(vms=[{"name": "A", "fork_commit": "9d"}, {"name": "B"}])
    drained(world)
    assert kinds(world) == [("data_lost", "A")]


def unlocked(world: World, *types: int) -> list[Node]:
    """Nodes with a job of these types on a VM that can be moved."""
    found = []
    for node in world.up_nodes():
        jobs = [world.vms[job.vm] for job in node.running_jobs() if job.type in types]
        if any(vm.running and vm.role is not None and not vm.role.locked for vm in jobs):
            found.append(node)
    return found


@pytest.mark.parametrize(
    ("job", "kind"), [(JobType.MergeDisks, "merge_interrupted"), (JobType.Backup, "backup_broken")]
)
def test_a_drain_interrupts_a_merge_and_a_backup(job: JobType, kind: str) -> None:
    world = World.load("backup-window", start=small().start)
    until(world, lambda: bool(unlocked(world, job)))
    actions.suspend(world, unlocked(world, job)[0])
    world.advance(4)
    assert world.ledger.of(kind)


@pytest.mark.parametrize(
    ("parts", "harm"),
    [
        ({}, []),
        ({"node": [{"name": n, "paused": True} for n in ("HV02", "HV03")]}, ["no_node_up"]),
        # Of three votes one is left: no majority when the paused node goes.
        ({"cluster": {"witness": ""}, "node": [{"name": "HV03", "paused": True}]}, ["quorum_lost"]),
        ({"nodes": {"count": 2}}, []),
        ({"nodes": {"count": 2}, "cluster": {"witness_offline": True}}, ["quorum_lost"]),
        # Five votes, three left; when another node fails meanwhile, it is over.
        ({"nodes": {"count": 4}, "cluster": {"witness_offline": True}}, ["no_reserve"]),
        ({"nodes": {"count": 4}}, []),
        ({"nodes": {"count": 4}, "cluster": {"witness": ""}}, []),
        ({"nodes": {"count": 4}, "node": [{"name": "HV04", "quarantined": True}]}, ["no_reserve"]),
        ({"nodes": {"count": 7}, "node": [{"name": "HV07", "isolated": True}]}, []),
        ({"node": [{"name": "HV02", "isolated": True}, {"name": "HV03", "quarantined": True}]}, ["no_node_up"]),
        ({"cluster": {"s2d": True}}, []),
        ({"cluster": {"s2d": True, "virtual_disks": [{"name": "VD1", "health": 1}]}}, ["storage_lost"]),
        ({"cluster": {"s2d": True, "storage_jobs": [{"name": "Repair", "percent": 30}]}}, ["storage_lost"]),
        (
            {"nodes": {"count": 5}, "cluster": {"s2d": True}, "node": [{"name": "HV05", "paused": True}]},
            ["no_reserve", "storage_lost"],
        ),
        ({"node": [{"name": "HV01", "replicas": [{"name": f"SR{n}", "status": n} for n in (1, 12, 15)]}]}, []),
        ({"node": [{"name": "HV01", "replicas": [{"name": "SR1", "status": 2}]}]}, ["replica_lost"]),
    ],
)
def test_what_pausing_one_more_node_costs(parts: dict[str, Any], harm: list[str]) -> None:
    world = small(**parts)
    actions.suspend(world, world.node("HV01"), drain=False)
    assert [kind for kind, _ in kinds(world)] == harm


def test_after_a_pause_storage_spaces_repair_what_they_missed() -> None:
    world = small(cluster={"s2d": True, "virtual_disks": [{"name": "VD1"}, {"name": "VD2"}]})
    facts = world.cluster
    node = drained(world)
    assert {(disk.health, *disk.operational) for disk in facts.virtual_disks} == {(1, 3)}
    actions.resume_node(world, node, failback=True)
    world.advance(30)
    assert [(job.name, job.state) for job in facts.storage_jobs] == [("Repair VD1", 4), ("Repair VD2", 4)]
    first = facts.storage_jobs[0].percent
    world.advance(30)
    assert facts.storage_jobs[0].percent > first > 0
    until(world, lambda: not facts.storage_jobs)
    assert {(disk.health, *disk.operational) for disk in facts.virtual_disks} == {(0, 2)}
    assert kinds(world) == []
    # The next node before that would have cost the storage.
    drained(world, "HV02")
    actions.resume_node(world, world.node("HV02"), failback=False)
    world.advance(5)
    actions.suspend(world, world.node("HV03"))
    assert {kind for kind, _ in kinds(world)} == {"storage_lost"}


def test_a_storage_job_of_the_scenario_ends_in_its_time() -> None:
    parts = {"s2d": True, "virtual_disks": [{"name": "VD1", "health": 1}]}
    world = small(cluster={**parts, "storage_jobs": [{"percent": 40, "lasts": "2m"}]})
    world.advance(60)
    (job,) = world.cluster.storage_jobs
    assert 60 <= job.percent <= 80
    world.advance(61)
    assert (world.cluster.storage_jobs, world.cluster.virtual_disks[0].health) == ([], 0)


def test_a_paused_node_that_restarts_is_paused_still() -> None:
    world = small()
    node = drained(world)
    actions.reboot_node(world, node)
    assert node.faults.down
    world.advance(250)
    assert (node.faults.down, node.state, node.drain) == (False, NodeState.Paused, DrainStatus.Completed)
    assert node.services["vmms"].running
    actions.resume_node(world, node, failback=True)
    until(world, lambda: len(node.vms) == 1)
    assert kinds(world) == []


def test_a_host_that_restarted_has_new_writers_and_its_vote_and_the_witness_evens_the_votes_out() -> None:
    world = small(nodes={"count": 4})
    node, facts = world.node("HV04"), world.cluster
    before = [writer.instance for writer in node.writers]
    for writer in node.writers:
        writer.set(5, "Retryable error")
    assert (node.dynamic_weight, facts.witness_weight) == (1, 1)
    actions.reboot_node(world, node)
    assert (node.dynamic_weight, facts.witness_weight) == (0, 0)
    world.advance(250)
    assert (node.dynamic_weight, facts.witness_weight) == (1, 1)
    assert {(writer.state, writer.error) for writer in node.writers} == {(1, "No error")}
    assert not set(before) & {writer.instance for writer in node.writers}
    world = small(nodes={"count": 4}, cluster={"witness": ""})
    actions.fail_node(world, world.node("HV04"))
    assert world.cluster.witness_weight == 0


def test_restarting_a_node_that_is_not_drained_interrupts_its_vms() -> None:
    world = small(vms=[{"names": ["A", "B"]}, {"name": "FORK", "fork_commit": "2d"}])
    node = world.node("HV01")
    actions.reboot_node(world, node)
    world.advance(30)
    assert {kind for kind, _ in kinds(world)} == {"vm_interrupted", "data_lost"}
    world.advance(250)
    assert (node.state, node.drain) == (NodeState.Up, DrainStatus.NotInitiated)
    assert all(vm.running and vm.node is not node for vm in world.vms.values())


def test_a_drain_leaves_no_failure_of_an_earlier_move_behind() -> None:
    world = small(vms=[{"name": "A", "memory_gb": 8}])
    role = role_of(world.vm("A"))
    role.migration_state = MigrationState.Failure
    drained(world)
    assert role.migration_state == MigrationState.NoMigration
