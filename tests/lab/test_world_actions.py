"""What people do to the world, and the harm that a wrong step does there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import msgspec

from hvtui.lab.native.node_stream import NodeStream
from hvtui.lab.native.vssadmin_text import vssadmin_text
from hvtui.lab.world import World, actions
from hvtui.lab.world.behaviours.csv_moves import move_csv
from hvtui.lab.world.events import HA, SYSTEM, VMMS
from hvtui.lab.world.guests import KINDS
from hvtui.lab.world.scenario import NodePart, load_scenario
from hvtui.lab.world.vm import Vm
from hvtui.lab.world.writers import HYPERV
from hvtui.model.enums import DrainStatus, GroupState, GroupStatus, JobType, NodeState, NodeStatus, VmState
from hvtui.model.records import NodeFrame
from tests.support.world import START


def run_until(world: World, what: Callable[[], bool], most: float = 900.0) -> None:
    end = world.elapsed + most
    while not what():
        assert world.elapsed < end, "it never came to that"
        world.advance(0.5)


def quiet(name: str = "drift") -> World:
    """A scenario in which nothing happens by itself."""
    scenario = load_scenario(name)
    scenario.behaviours, scenario.timeline = [], []
    return World.load(scenario, start=START)


def states(world: World) -> dict[str, int]:
    return {vm.id: vm.state for vm in world.vms.values()}


def test_a_drain_moves_roles_live_and_a_resume_brings_them_home() -> None:
    world = quiet()
    node = world.node("HV01")
    home = {vm.id for vm in node.vms.values() if vm.role is not None}
    before = states(world)
    actions.drain(world, node)
    assert (node.state, node.drain, node.status) == (
        NodeState.Paused, DrainStatus.InProgress, NodeStatus.DrainInProgress,
    )  # fmt: skip
    run_until(world, lambda: node.drain == DrainStatus.Completed)
    assert not node.vms
    assert node.status == NodeStatus.DrainCompleted
    assert states(world) == before
    actions.resume(world, node)
    run_until(world, lambda: set(node.vms) == home)
    assert node.state == NodeState.Up
    assert world.ledger.entries == []


def test_a_drain_saves_low_priority_roles_and_their_clients_drop() -> None:
    world = quiet("healthy")
    node = next(n for n in world.nodes.values() if any(v.name.startswith("VDI") for v in n.vms.values()))
    low = sorted(vm.name for vm in node.vms.values() if vm.role is not None and vm.role.priority < 2000 and vm.running)
    actions.drain(world, node)
    run_until(world, lambda: node.drain == DrainStatus.Completed)
    assert sorted(harm.target for harm in world.ledger.of("clients_dropped")) == low
    assert low


def test_a_locked_role_refuses_to_move_and_blocks_a_drain() -> None:
    world = quiet()
    node, vm = world.node("HV01"), world.vm("HR01")
    assert vm.node is node
    vm.lock(on=True)
    actions.migrate(world, vm, world.node("HV02"))
    world.advance(60)
    assert vm.node is node
    (refused,) = [event for event in node.log(SYSTEM).records if event.id == 1071]
    assert refused.data["ResourceGroup"] == "HR01"
    actions.drain(world, node)
    run_until(world, lambda: node.drain == DrainStatus.Failed)
    assert vm.node is node
    assert {event.id for event in node.log(SYSTEM).records} >= {1137, 1677}


def test_migrations_over_the_limit_wait_in_the_queue() -> None:
    world = quiet()
    source, target = world.node("HV01"), world.node("HV02")
    source.max_migrations = 1
    vms = [vm for vm in source.vms.values() if vm.running and vm.role is not None][:3]
    for vm in vms:
        actions.migrate(world, vm, target)
    most = 0
    queued: set[str] = set()

    def arrived() -> bool:
        nonlocal most
        most = max(most, len(world.migrating))
        queued.update(vm.name for vm in vms if vm.role is not None and vm.role.status & GroupStatus.Queued)
        return all(vm.node is target for vm in vms)

    run_until(world, arrived)
    assert most == 1
    assert queued == {vms[1].name, vms[2].name}
    assert all(vm.role is not None and vm.role.status == 0 for vm in vms)


def test_off_vms_move_without_a_migration_job() -> None:
    world = quiet()
    vm = world.vm("OFF-FIN")
    actions.migrate(world, vm, world.node("HV03"))
    world.advance(5)
    assert vm.node is world.node("HV03")
    assert not any(job.vm == vm.id for node in world.nodes.values() for job in node.jobs.values())


def test_a_restart_of_vmms_leaves_vms_running_and_breaks_what_runs_inside_it() -> None:
    world = World.load("backup-window", start=START)
    node = world.node("HV01")
    run_until(world, lambda: any(job.type == JobType.MergeDisks and job.running for job in node.jobs.values()))
    before = {vm.id: (vm.state, vm.started) for vm in node.vms.values()}
    merging = {job.vm for job in node.jobs.values() if job.type == JobType.MergeDisks and job.running}
    actions.restart_vmms(world, node)
    world.advance(12)
    assert node.services["vmms"].state == "Running"
    assert {vm.id: (vm.state, vm.started) for vm in node.vms.values() if vm.id in before} == {
        key: value for key, value in before.items() if key in node.vms
    }
    assert {event.vm for event in node.log(VMMS).records if event.id == 19090} == merging
    assert {harm.kind for harm in world.ledger.entries} >= {"merge_interrupted"}
    # The merge is taken up again and ends.
    run_until(world, lambda: not any(world.vms[vm].busy for vm in merging))


def test_a_migration_breaks_when_vmms_goes_and_the_vm_stays() -> None:
    world = quiet()
    vm, target = world.vm("ERP01"), world.node("HV01")
    source = vm.node
    actions.migrate(world, vm, target)
    world.advance(6)
    actions.restart_vmms(world, source)
    world.advance(90)
    assert vm.node is source
    assert vm.running
    assert vm.busy == []
    assert [event.id for event in source.log(HA).records] == [21502]
    assert [harm.kind for harm in world.ledger.entries] == ["vmms_undrained", "migration_broken"]


def test_a_node_that_fails_interrupts_its_vms_and_they_start_elsewhere() -> None:
    world = quiet()
    node = world.node("HV02")
    running = {vm.name for vm in node.vms.values() if vm.running}
    clustered: list[Vm] = [vm for vm in node.vms.values() if vm.running and vm.role is not None]
    actions.fail_node(world, node)
    assert node.state == NodeState.Down
    assert all(csv.owner is not node for csv in world.csvs.values())
    world.advance(60)
    assert {harm.target for harm in world.ledger.of("vm_interrupted")} == running
    assert all(vm.running and vm.node is not node for vm in clustered)
    assert all(vm.role is not None and vm.role.state == GroupState.Online for vm in clustered)
    assert any(event.id == 1135 for event in world.node("HV01").log(SYSTEM).records)
    actions.return_node(world, node)
    assert node.up


def test_a_guest_that_cannot_freeze_is_saved_for_a_host_backup() -> None:
    world = World.load("access-denied", start=START)
    vm = next(vm for vm in world.node("HV01").vms.values() if vm.running)
    vm.guest = KINDS["linux-no-daemon"]
    run_until(world, lambda: vm.state == VmState.Saved)
    assert vm.role is not None
    assert vm.role.state == GroupState.Offline
    run_until(world, lambda: vm.state == VmState.Running)
    assert [(harm.kind, harm.target) for harm in world.ledger.entries] == [("vm_interrupted", vm.name)]


def test_a_snapshot_vetoes_the_move_of_its_csv() -> None:
    world = World.load("access-denied", start=START)
    csv = world.csv("Volume1")
    run_until(world, lambda: csv.snapshotting)
    owner = csv.owner
    assert not move_csv(world, csv, world.node("HV04"))
    assert csv.owner is owner
    assert any(event.id == 5147 for event in owner.log(SYSTEM).records)
    run_until(world, lambda: not csv.snapshotting)
    assert move_csv(world, csv, world.node("HV04"))
    assert csv.owner is world.node("HV04")


def test_while_vmms_is_away_its_writer_and_its_vms_cannot_be_read() -> None:
    world = quiet()
    node = world.node("HV01")
    stream = NodeStream(world, node)
    stream.tick()
    assert HYPERV in vssadmin_text(node)
    actions.restart_vmms(world, node)
    world.advance(4)
    assert node.services["vmms"].state == "Stopped"
    assert HYPERV not in vssadmin_text(node)
    away = msgspec.json.decode(stream.tick(), type=NodeFrame)
    assert {(p.kind, p.code) for p in away.errors or ()} == {("unavailable", "0x800706ba")}
    assert away.gone == {}
    assert away.host is not None
    assert (away.host.vmms, away.host.vmms_started, away.host.max_migrations) == ("Stopped", None, None)
    world.advance(10)
    back = msgspec.json.decode(stream.tick(), type=NodeFrame)
    assert back.errors == []
    assert back.host is not None
    assert back.host.vmms_started == START + timedelta(seconds=9)
    assert HYPERV in vssadmin_text(node)


def test_a_node_with_a_wrong_clock_dates_everything_by_it() -> None:
    scenario = load_scenario("stuck-writer")
    scenario.node = [NodePart(name="HV03", clock_offset="-2h")]
    world = World.load(scenario, start=START, at=120)
    node = world.node("HV03")
    failed = [event.time for event in node.log(VMMS).records if event.id == 10102]
    assert failed == [START + timedelta(seconds=60, hours=-2)] * 2
    frame = msgspec.json.decode(NodeStream(world, node).tick(), type=NodeFrame)
    assert frame.time == world.now - timedelta(hours=2)
    assert {job.started for job in frame.jobs or ()} == {START + timedelta(seconds=46, hours=-2)}
