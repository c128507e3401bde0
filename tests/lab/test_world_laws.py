"""What holds in every world, whatever people do to it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hvtui.lab.world import World, actions
from hvtui.lab.world.actions.failures import fail_fork
from hvtui.lab.world.actions.people import release_files
from hvtui.lab.world.scenario import VERBS, TimelinePart, load_scenario
from hvtui.model.enums import GroupStatus, JobState, JobType
from tests.support.world import START

SMALL = ("drift", "stuck-writer", "backup-window", "access-denied", "merge-stuck")


def check(world: World) -> None:
    """The laws."""
    for vm in world.vms.values():
        assert [node.name for node in world.nodes.values() if vm.id in node.vms] == [vm.node.name]
        if vm.role is not None:
            assert vm.role.owner is vm.node
            assert (vm.role.migration is not None) == (vm.role.id in world.migrating)
            assert world.movers.keys() <= world.migrating.keys()
        if vm.running:
            assert vm.started is not None
            assert not vm.node.faults.down
    for csv in world.csvs.values():
        assert csv.backups >= 0
        assert not csv.snapshotting or csv.backups
        assert 0 <= csv.free(world.elapsed) <= csv.size
        assert csv.layers.keys() == {
            layer.path
            for vm in world.vms.values()
            for disk in vm.disks
            for layer in disk.layers
            if world.csv_of(layer.path) is csv
        }
    for node in world.nodes.values():
        assert 0 <= world.memory_available(node) <= world.memory_total(node)
        for service in node.services.values():
            assert (service.started is None) == (service.state in {"Stopped", "Start Pending"})
            assert (service.checkpoint > 0) == (service.state in {"Stop Pending", "Start Pending"})
        assert node.services["vmms"].state != "Stopped" or not node.running_jobs()
        for job in node.jobs.values():
            assert job.vm in world.vms
            assert 0 <= job.percent(world.elapsed) <= 100
            assert job.state != JobState.Completed or job.percent(world.elapsed) == 100
        for log in node.logs.values():
            numbers = [event.record for event in log.records]
            assert numbers == sorted(set(numbers))


def doings(world: World, number: int) -> list[Callable[[], object]]:
    nodes, vms = list(world.nodes.values()), list(world.vms.values())
    node, vm = nodes[number % len(nodes)], vms[number % len(vms)]
    return [
        lambda: actions.migrate(world, vm, node),
        lambda: actions.drain(world, node),
        lambda: actions.resume(world, node, failback=bool(number % 2)),
        lambda: actions.restart_vmms(world, node),
        lambda: actions.kill_backup(world, node),
        lambda: actions.start_backup(world, node),
        lambda: actions.free_space(vm, 3),
        lambda: actions.fail_node(world, node) if len(world.up_nodes()) > 1 and not node.faults.down else None,
        lambda: actions.return_node(world, node) if node.faults.down else None,
        lambda: asked(lambda: actions.move_role(world, vm, node, MOVES[number % 5])),
        lambda: asked(lambda: actions.cancel_move(world, vm)),
        lambda: asked(lambda: actions.suspend(world, node, drain=bool(number % 3))),
        lambda: actions.stop_service(world, node, SERVICES[number % len(SERVICES)]),
        lambda: actions.start_service(world, node, SERVICES[number % len(SERVICES)]),
        lambda: asked(lambda: actions.move_volume(world, list(world.csvs.values())[number % len(world.csvs)], node)),
        lambda: actions.reboot_node(world, node) if len(world.up_nodes()) > 1 else None,
        lambda: fail_fork(world, vm),
        lambda: release_files(vm),
        lambda: actions.restart_guest(world, vm) if not node.faults.down and vm.node.up else None,
    ]


def asked(action: Callable[[], object]) -> None:
    """Windows may refuse it; then nothing was changed."""
    with contextlib.suppress(actions.Refused):
        action()


MOVES = ("TurnOff", "Quick", "Shutdown", "ShutdownForce", "Live")
SERVICES = ("vmms", "VSS", "CryptSvc", "BITS", "swprv")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(SMALL),
    st.lists(st.tuples(st.floats(0.1, 400.0), st.integers(0, 10_000)), min_size=1, max_size=20),
)
def test_the_laws_hold_whatever_people_do(scenario: str, moves: list[tuple[float, int]]) -> None:
    world = World.load(scenario, start=START)
    check(world)
    for seconds, number in moves:
        choices = doings(world, number)
        choices[number // 11 % len(choices)]()
        world.advance(seconds)
        check(world)


def test_when_it_is_quiet_nothing_is_left_behind() -> None:
    world = World.load("backup-window", start=START)
    moved = 0
    for step in range(200):
        # VMs in the copy phase are busy but not locked: they can be moved away from their jobs.
        copying = [vm for vm in world.vms.values() if 32776 in vm.busy]
        if copying and step % 5 == 0:
            actions.migrate(world, copying[step % len(copying)], list(world.nodes.values())[step % 6])
            moved += 1
        world.advance(12)
    assert moved > 20
    # The run is over; only the balancing goes on.
    world.advance(3 * 3600)
    migrating = {vm.id for vm in world.vms.values() if vm.role is not None and vm.role.migration is not None}
    for vm in world.vms.values():
        assert vm.id in migrating or vm.busy == []
        assert vm.role is None or not vm.role.status & GroupStatus.Locked
    for node in world.nodes.values():
        assert {job.vm for job in node.running_jobs()} <= migrating
    world.advance(301)
    assert not [job for node in world.nodes.values() for job in node.jobs.values() if job.type != JobType.MigrateVm]


@pytest.mark.parametrize("scenario", ["obstacles", "stuck-writer", "backup-window"])
def test_changes_make_one_history_however_time_passes(scenario: str) -> None:
    histories = []
    for step in (0.5, 7.0, 240.0):
        world = World.load(scenario, start=START)
        for number in range(0, 90, 6):
            choices = doings(world, number)
            choices[number % len(choices)]()
            for _ in range(round(420 / step) if step < 100 else 1):
                world.advance(step if step < 100 else 420)
        histories.append(
            (
                world.ledger.entries,
                list(world.commands.changes),
                [
                    (node.name, event)
                    for node in world.nodes.values()
                    for log in node.logs.values()
                    for event in log.records
                ],
                [(vm.name, vm.node.name, vm.state, vm.last_backup) for vm in world.vms.values()],
            )
        )
    assert histories[0] == histories[1] == histories[2]
    assert len(histories[0][1]) > 5


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_of_a_timeline_can_be_done(verb: str) -> None:
    scenario = load_scenario("drift")
    scenario.timeline = [TimelinePart(at=10, do=verb, node="HV02", vm="ERP01", volume="Volume1")]
    world = World.load(scenario, start=START)
    world.advance(120)
    check(world)
