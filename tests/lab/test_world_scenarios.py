"""Each scenario is what its first lines and the field reports say."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hvtui.lab.world import World, actions, scenario_names
from hvtui.lab.world.events import APPLICATION, SYSTEM, VMMS, WORKER, LogEvent
from hvtui.lab.world.node import Node
from hvtui.lab.world.vm import Vm
from hvtui.lab.world.writers import CSV_WRITER, HYPERV, IN_BACKUP, SYSTEM_WRITER
from hvtui.model.enums import (
    DrainStatus,
    JobState,
    JobType,
    NodeState,
    NodeStatus,
    ReplicationMode,
    SnapshotType,
    VmState,
)
from hvtui.model.placement import csv_of
from tests.support.world import START, DirectFeed

WITH_VMS = [name for name in scenario_names() if name != "empty"]


def events_of(node: Node, channel: str, *ids: int) -> list[LogEvent]:
    return [event for event in node.log(channel).records if not ids or event.id in ids]


def steps(world: World, seconds: float, step: float = 1.0) -> Iterator[float]:
    end = world.elapsed + seconds
    while world.elapsed < end:
        world.advance(step)
        yield world.elapsed


def until(world: World, what: str, most: float = 600.0) -> None:
    """Step until a host's writer looks like `what`: state and error joined."""
    for _ in steps(world, most):
        if writer_of(world) == what:
            return
    raise AssertionError(f"never {what!r}, but {writer_of(world)!r}")


def writer_of(world: World, node: str = "HV03") -> str:
    writer = world.node(node).hyperv_writer
    return f"[{writer.state}] {writer.error}"


def test_the_scenarios_the_lab_promises_are_there() -> None:
    assert set(scenario_names()) >= {
        "healthy", "drift", "stuck-writer", "backup-window", "access-denied", "limit", "hostile", "empty", "faults",
        "obstacles", "merge-stuck", "fork-commit", "left-redirected", "blocked-drain",
    }  # fmt: skip


def test_no_two_scenarios_are_one_cluster() -> None:
    facts = [World.load(name, start=START).cluster for name in scenario_names()]
    assert len({fact.id for fact in facts}) == len(facts)
    assert len({fact.name for fact in facts}) == len(facts)


@pytest.mark.parametrize("name", WITH_VMS)
def test_every_cluster_has_its_harmless_noise(name: str) -> None:
    world = World.load(name, start=START, at=3600)
    assert any(csv.file_system == "ReFS" and csv.io_state(csv.owner) == (3, 32, 0) for csv in world.csvs.values())
    assert any(vm.state == VmState.Off for vm in world.vms.values())
    kinds = {(vm.replication, checkpoint.type) for vm in world.vms.values() for checkpoint in vm.checkpoints}
    assert (ReplicationMode.Replica, SnapshotType.Replica) in kinds
    kept = [
        vm
        for vm in world.vms.values()
        if any(c.type == SnapshotType.Recovery and c.created < 0 for c in vm.checkpoints)
    ]
    assert kept
    found = {event.id: event for node in world.nodes.values() for event in node.log(APPLICATION).records}
    assert 513 in found
    pauses = [e for node in world.nodes.values() for e in events_of(node, SYSTEM, 5120)]
    assert pauses
    assert all(event.codes == ("0xc0130021",) for event in pauses)


@pytest.mark.parametrize("name", WITH_VMS)
def test_cpu_and_memory_wander(name: str) -> None:
    world = World.load(name, start=START)
    running = [vm for vm in world.vms.values() if vm.running]
    before = [world.vm_load(vm) for vm in running]
    world.advance(120)
    after = [world.vm_load(vm) for vm in running]
    moved = sum(1 for a, b in zip(before, after, strict=True) if a[0] != b[0])
    assert moved > len(running) // 4
    assert all(world.vm_load(vm) == (0, 0) for vm in world.vms.values() if vm.cold)
    assert all(world.vm_load(vm) == (0, vm.memory) for vm in world.vms.values() if vm.state == VmState.Paused)


def test_healthy_is_healthy_and_alive() -> None:
    world = World.load("healthy", start=START)
    assert 6 <= len(world.nodes) <= 8
    assert 60 <= len(world.vms) <= 100
    migrated, backups, writers = set(), set(), set()
    for _ in steps(world, 60):
        migrated |= {role.name for role in world.roles.values() if role.migration is not None}
        backups |= {job.vm for node in world.nodes.values() for job in node.jobs.values() if job.type == JobType.Backup}
        writers |= {node.hyperv_writer.state for node in world.nodes.values()}
    assert migrated
    assert backups
    assert len(writers) > 2
    world.advance(4 * 3600)
    assert all(node.state == NodeState.Up for node in world.nodes.values())
    assert {writer.error for node in world.nodes.values() for writer in node.writers} == {"No error"}
    serious = [
        event
        for node in world.nodes.values()
        for log in node.logs.values()
        for event in log.records
        if event.level <= 2 and event.id not in {513, 8194}
    ]
    assert serious == []
    assert world.ledger.entries == []


@pytest.mark.parametrize("name", ["healthy", "limit"])
def test_cosmetic_8194_comes_seldom_and_not_with_backups(name: str) -> None:
    world = World.load(name, start=START, at=60)
    told = {node.name: events_of(node, APPLICATION, 8194) for node in world.nodes.values()}
    assert 2 <= sum(map(len, told.values())) <= len(world.nodes)
    # Two of one day on one node would look like a backup that is refused each time.
    assert max(map(len, told.values())) == 1
    for node in world.nodes.values():
        times = [event.time for event in node.log(APPLICATION).records]
        assert times == sorted(times)
    event = next(one for events in told.values() for one in events)
    assert event.codes == ("0x80070005",)
    assert f"{{{SYSTEM_WRITER}}}" in event.data["2"]


def test_limit_is_as_large_as_windows_allows() -> None:
    world = World.load("limit", start=START)
    assert (len(world.nodes), len(world.vms), len(world.csvs)) == (64, 8000, 64)
    assert all(len(node.vms) <= 1024 for node in world.nodes.values())


def test_drift_has_what_makes_finding_it_hard() -> None:
    feed = DirectFeed.load("drift")
    state, world = feed.state, feed.world
    csvs = list((state.cluster.csvs or {}).values())
    assert {"Volume1", "Volume10"} <= {csv.path.rsplit("\\", 1)[-1] for csv in csvs}

    def places(vm: Vm) -> set[str]:
        files = (state.nodes[vm.node.name].files or {})[vm.id]
        paths = [files.configuration, files.checkpoints, *(files.disks or ())]
        found = {csv_of(path, csvs) for path in paths if path}
        by_id = {csv.id: csv.path.rsplit("\\", 1)[-1] for csv in csvs}
        return {by_id[one] for one in found if one is not None}

    erp = world.vm("ERP01")
    assert places(erp) == {"Volume1"}
    assert erp.node is not world.csv("Volume1").owner
    assert places(world.vm("CRM01")) == {"Volume10"}
    assert world.vm("CRM01").node is world.csv("Volume10").owner
    assert places(world.vm("SQL-SPLIT")) == {"Volume2", "Volume3"}
    assert places(world.vm("SNAP01")) == {"Volume3", "Volume11"}
    renamed = world.vm("INTRANET-NEW").role
    assert renamed is not None
    assert renamed.name != "INTRANET-NEW"
    assert len({vm.node.name for vm in world.vms.values() if vm.name == "BUILD"}) == 2
    assert world.vm("TOOLS").role is None


def test_stuck_writer_is_the_third_field_report() -> None:
    world = World.load("stuck-writer", start=START)
    node = world.node("HV03")
    until(world, "[5] Retryable error", 120)
    guests = {event.vm_name for event in events_of(node, VMMS, 10102)}
    assert guests == {"SQL07", "FILE02"}
    assert all(world.vm(name).full_volumes() for name in ("SQL07", "FILE02"))
    assert world.elapsed < 120
    # The job loops: the writer stays so, snapshots of the array come and go, 10102 comes again for both guests.
    seen, shadows = set(), 0
    held = False
    for _ in steps(world, 20 * 60):
        seen.add(writer_of(world))
        shadows += bool(node.shadows) and not held
        held = bool(node.shadows)
    assert seen == {"[5] Retryable error"}
    assert shadows >= 3
    assert len(events_of(node, VMMS, 10102)) >= 8
    assert events_of(node, APPLICATION, 8194) == []
    assert (world.vm("SQL07").last_backup or 0) < 0
    # Somebody kills the job.
    world.advance(25 * 60 - world.elapsed)
    assert writer_of(world) == "[5] Unexpected error"
    assert [event.codes for event in events_of(node, APPLICATION, 8194)] == [("0x80070005",)]
    count = len(events_of(node, VMMS, 10102))
    world.advance(3600 - world.elapsed)
    assert writer_of(world) == "[5] Unexpected error"
    assert len(events_of(node, VMMS, 10102)) == count
    others = {writer_of(world, name) for name in world.nodes if name != "HV03"}
    assert others == {"[1] No error"}
    # A colleague drains, restarts VMMS and resumes: no guest is interrupted, the writer is a new one and stable.
    instance = node.hyperv_writer.instance
    world.advance(101 * 60 - world.elapsed)
    assert (node.state, len(node.vms)) == (NodeState.Paused, 0)
    world.advance(104.5 * 60 - world.elapsed)
    assert writer_of(world) == "[1] No error"
    assert node.hyperv_writer.instance != instance
    # The next run fails again, for the guests are as full as before, until there is 1 GB free in each partition.
    until(world, "[5] Retryable error", 15 * 60)
    assert world.vm("SQL07").node is node
    world.advance(129 * 60 - world.elapsed)
    assert writer_of(world) == "[5] Retryable error"
    until(world, "[1] No error", 15 * 60)
    assert (world.vm("SQL07").last_backup or 0) > 130 * 60
    assert world.ledger.entries == []


def test_less_than_a_gigabyte_is_not_enough() -> None:
    world = World.load("stuck-writer", start=START, at=180)
    for name in ("SQL07", "FILE02"):
        actions.free_space(world.vm(name), 0.9)
    world.advance(10 * 60)
    assert writer_of(world) == "[5] Retryable error"
    for name in ("SQL07", "FILE02"):
        actions.free_space(world.vm(name), 1.0)
    actions.start_backup(world, world.node("HV03"))
    until(world, "[1] No error", 9 * 60)


def test_a_restart_does_not_heal_while_the_job_runs() -> None:
    world = World.load("stuck-writer", start=START, at=180)
    actions.restart_vmms(world, world.node("HV03"))
    world.advance(20)
    until(world, "[5] Retryable error", 5 * 60)


def test_freed_space_does_not_heal_a_killed_job_without_a_restart() -> None:
    world = World.load("stuck-writer", start=START, at=26 * 60)
    for name in ("SQL07", "FILE02"):
        actions.free_space(world.vm(name), 20)
    actions.start_backup(world, world.node("HV03"))
    world.advance(10 * 60)
    assert writer_of(world) == "[5] Unexpected error"
    actions.restart_vmms(world, world.node("HV03"))
    until(world, "[1] No error", 30)


def test_backup_window_saves_forty_vms_and_one_guest_fails() -> None:
    world = World.load("backup-window", start=START)
    wanted = {vm.name for vm in world.vms.values() if vm.name.startswith(("APP", "SQL", "WEB"))}
    assert len(wanted) == 40
    types: set[int] = set()
    percents: dict[str, set[int]] = {}
    recovery, layers, locked, states = set(), set(), set(), set()
    for _ in steps(world, 45 * 60):
        for node in world.nodes.values():
            states |= {writer.state for writer in node.writers}
            for job in node.jobs.values():
                types.add(job.type)
                if job.type == JobType.MergeDisks and job.running:
                    percents.setdefault(job.id, set()).add(job.percent(world.elapsed))
        for vm in world.vms.values():
            if any(c.type == SnapshotType.Recovery and c.created > 0 for c in vm.checkpoints):
                recovery.add(vm.name)
            layers |= {path for path in vm.files() if path.endswith(".avhdx")}
            if vm.role is not None and vm.role.locked:
                locked.add(vm.name)
    assert types >= {
        JobType.Snapshot, JobType.GuestVssSnapshot, JobType.Backup, JobType.ConvertToReferencePoint,
        JobType.MergeDisks,
    }  # fmt: skip
    assert recovery == wanted - {"SQL03"}
    assert len(layers) > 39
    assert locked == wanted
    assert any(len(seen) > 5 for seen in percents.values())
    # The host's writers say nothing of all this.
    assert states == {1}
    done = {vm.name for vm in world.vms.values() if (vm.last_backup or -1) > 0}
    assert done == wanted - {"SQL03"}
    failed = [
        (event.id, event.vm_name) for node in world.nodes.values() for event in events_of(node, VMMS, 10150, 18012)
    ]
    assert set(failed) == {(10150, "SQL03"), (18012, "SQL03")}
    leftovers = [vm.name for vm in world.vms.values() if any(c.created > 0 for c in vm.checkpoints)]
    assert leftovers == []


def test_a_merge_is_stuck_until_somebody_lets_go_of_the_file() -> None:
    world = World.load("merge-stuck", start=START)
    node, vm = world.node("HV02"), world.vm("SQL04")
    before = vm.last_backup
    marked = listed = 0
    for _ in steps(world, 88 * 60, 2.0):
        marked += 32772 in vm.busy
        listed += bool(vm.checkpoints)
    assert marked > 60
    assert 0 < listed < 200, "its checkpoint was there while it was read"
    assert (vm.last_backup, vm.checkpoints) == (before, [])
    assert [path.endswith(".avhdx") for path in vm.files()] == [True, False]
    told = events_of(node, VMMS, 19070, 19080, 19090, 19100, 18012, 18014)
    mine = [event for event in told if event.vm_name == "SQL04"]
    failed = [event for event in mine if event.id == 19100]
    assert len(failed) > 15
    assert {event.codes for event in failed} == {("0x80070020",)}
    assert {event.id for event in mine} == {19070, 19100, 18012, 18014}
    # All others were saved, and their merges ended.
    others = {one for one in world.vms.values() if one.name.startswith(("APP", "WEB"))}
    assert all((one.last_backup or -1) > 0 and not one.busy for one in others)
    # While the disk is held no other checkpoint can be taken either.
    actions.checkpoint(world, vm)
    world.advance(60)
    assert vm.checkpoints == []
    world.advance(130 * 60 - world.elapsed)
    assert [path.endswith(".avhdx") for path in vm.files()] == [False]
    assert (vm.last_backup or -1) > 90 * 60
    assert world.ledger.entries == []


def test_machines_whose_fork_was_not_committed_lose_data_when_they_move() -> None:
    world = World.load("fork-commit", start=START, at=21 * 60)
    for name, host in (("ERP-DB", "HV02"), ("CRM02", "HV03")):
        vm, node = world.vm(name), world.node(host)
        assert vm.node is node
        assert vm.checkpoints == []
        assert vm.files()[0].endswith(".avhdx")
        assert [event.vm_name for event in events_of(node, WORKER, 3216)] == [name]
        codes = [event.codes for event in events_of(node, VMMS, 18590) if event.vm_name == name]
        assert codes == [("0x80048102",)]
    assert world.ledger.entries == []
    for host, harm in (("HV01", []), ("HV03", [("data_lost", "CRM02")])):
        node = world.node(host)
        actions.suspend(world, node)
        while node.drain == DrainStatus.InProgress:
            world.advance(1)
        actions.resume(world, node)
        world.advance(300)
        assert [(entry.kind, entry.target) for entry in world.ledger.entries] == harm
    actions.restart_vmms(world, world.node("HV02"))
    world.advance(20)
    assert ("data_lost", "ERP-DB") in {(entry.kind, entry.target) for entry in world.ledger.entries}


def test_access_denied_is_the_fourth_field_report() -> None:
    world = World.load("access-denied", start=START, at=40 * 60)
    for node in world.nodes.values():
        denied = events_of(node, APPLICATION, 8194)
        assert denied, node.name
        event = denied[0]
        assert event.codes == ("0x80070005",)
        assert f"{{{SYSTEM_WRITER}}}" in event.data["2"]
        assert "Gathering Writer Data" in event.data["2"]
        assert "IVssWriterCallback" in event.text
    # The balanced ones may have been on their way when their hosts were saved.
    backed_up = [vm for vm in world.vms.values() if vm.running and not vm.name.startswith("APP")]
    assert all((vm.last_backup or -1) > 0 for vm in backed_up)
    # With the account listed as a writer the next runs are silent.
    before = sum(len(events_of(node, APPLICATION, 8194)) for node in world.nodes.values())
    for node in world.nodes.values():
        node.access_control[world.cluster.account] = 1
    world.advance(3600)
    assert sum(len(events_of(node, APPLICATION, 8194)) for node in world.nodes.values()) == before


def test_a_host_backup_takes_its_writers_through_their_states() -> None:
    world = World.load("access-denied", start=START)
    node = world.node("HV01")
    order: list[int] = []
    redirected = held = False
    for _ in steps(world, 6 * 60):
        state = node.hyperv_writer.state
        if not order or order[-1] != state:
            order.append(state)
        ours = [csv for csv in world.csvs.values() if csv.backups]
        held |= bool(ours)
        redirected |= any(csv.io_state(world.node("HV04")) == (3, 0, 0) for csv in ours)
        blocked = world.elapsed < node.freeze_until
        assert not blocked or node.writer(HYPERV).state == 3
    assert order == [1, 5, 2, 3, 4, 5, 1]
    assert held
    assert redirected
    assert CSV_WRITER in IN_BACKUP
    assert all(job.state == JobState.Completed for job in node.jobs.values() if job.type == JobType.GuestVssSnapshot)


@pytest.mark.parametrize(
    ("name", "harm", "stay"),
    [
        ("HV01", {("data_lost", "FORK01")}, set()),
        ("HV02", {("drain_failed", "HV02")}, {"ISO01", "GPU01", "TAPE01"}),
        (
            "HV03",
            {("drain_failed", "HV03"), ("clients_dropped", "TEST01")},
            {"LICENCE01", "PROXY01", "LOCAL01"},
        ),
        ("HV04", set(), set()),
        ("HV05", set(), set()),
    ],
)
def test_obstacles_has_one_of_each_and_a_clean_node(name: str, harm: set[tuple[str, str]], stay: set[str]) -> None:
    world = World.load("obstacles", start=START)
    node = world.node(name)
    actions.suspend(world, node)
    while node.drain == DrainStatus.InProgress:
        world.advance(1)
    assert {vm.name for vm in node.vms.values()} == stay
    assert {(entry.kind, entry.target) for entry in world.ledger.entries} == harm
    assert world.vm("DC01").node is not world.vm("DC02").node
    actions.stop_service(world, node, "vmms")
    world.advance(60)
    assert node.services["vmms"].state == ("Stop Pending" if name == "HV04" else "Stopped")


def test_left_redirected_outlives_the_backup_that_wanted_it() -> None:
    world = World.load("left-redirected", start=START, at=5 * 60)
    csv = world.csv("Volume3")
    assert csv.redirected
    assert csv.backup == 1
    turned = [event for node in world.nodes.values() for event in events_of(node, SYSTEM, 5136)]
    assert [event.data["VolumeName"] for event in turned] == ["Volume3"]
    world.advance(5 * 60)
    assert csv.redirected
    assert csv.backup == 0
    assert {csv.io_state(node) for node in world.nodes.values()} == {(3, 1, 0)}
    assert not any(node.shadows for node in world.nodes.values())
    assert {writer.state for node in world.nodes.values() for writer in node.writers} == {1}
    world.advance(150 * 60)
    assert {csv.io_state(node) for node in world.nodes.values()} == {(2, 0, 0)}


def test_blocked_drain_leaves_two_vms_for_two_reasons() -> None:
    world = World.load("blocked-drain", start=START, at=10 * 60)
    node = world.node("HV02")
    assert (node.state, node.drain, node.status) == (NodeState.Paused, DrainStatus.Failed, NodeStatus.DrainFailed)
    assert {vm.name for vm in node.vms.values()} == {"DC02", "DB01"}
    assert {event.data["ResourceGroup"]: event.codes for event in events_of(node, SYSTEM, 1137)} == {
        "DC02": ("0x0000138d",),
        "DB01": ("0x00001745",),
    }
    assert [event.data["NodeName"] for event in events_of(node, SYSTEM, 1677)] == ["HV02"]
    assert all(vm.running for vm in node.vms.values())
    world.advance(3600)
    assert node.drain == DrainStatus.Failed


def test_hostile_names_are_really_there() -> None:
    world = World.load("hostile", start=START)
    names = {vm.name for vm in world.vms.values()}
    assert {"VM[/prod]", "[@click=app.quit]x[/]", "a\x1b[31mb", "Ünïcode 漢字"} <= names
    assert max(map(len, names)) == 300


def test_empty_is_empty() -> None:
    feed = DirectFeed.load("empty", at=600)
    assert list(feed.state.vm_keys()) == []
    assert feed.state.cluster.csvs == {}
    assert len(feed.state.cluster.nodes or {}) == 2
