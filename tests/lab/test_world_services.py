"""Services of a host: how they stop and start, and what breaks when one is stopped at the wrong time."""

from __future__ import annotations

from typing import Any

import pytest

from hvtui.lab.native.vssadmin_text import vssadmin_text
from hvtui.lab.world import World, actions
from hvtui.lab.world.actions.services import PATIENCE
from hvtui.lab.world.events import HA, SYSTEM, VMMS
from hvtui.lab.world.jobs import Job
from hvtui.lab.world.node import Node
from hvtui.lab.world.scenario import load_scenario
from hvtui.lab.world.writers import HOST_WRITERS, HYPERV, SYSTEM_WRITER
from hvtui.model.enums import JobState, JobType, NodeState, VmState
from tests.lab.small_world import ALICE, kinds, logged, role_of, small, until
from tests.support.executed import executed
from tests.support.world import START

STUCK = "[5] Retryable error"


def writer_of(node: Node) -> str:
    return f"[{node.hyperv_writer.state}] {node.hyperv_writer.error}"


def stopped(world: World, node: Node, name: str = "vmms") -> None:
    assert actions.stop_service(world, node, name, asked=ALICE) == 0
    until(world, lambda: node.services[name].state == "Stopped", 30)


def started(world: World, node: Node, name: str = "vmms") -> None:
    assert actions.start_service(world, node, name, asked=ALICE) == 0
    until(world, lambda: node.services[name].running, 30)


def restarted(world: World, node: Node, name: str = "vmms") -> None:
    stopped(world, node, name)
    started(world, node, name)


def beside(world: World) -> list[tuple[str, str]]:
    """Harm beside that of stopping VMMS on a host that is not drained."""
    return [harm for harm in kinds(world) if harm[0] != "vmms_undrained"]


def drained(world: World, node: Node) -> None:
    actions.suspend(world, node, asked=ALICE)
    until(world, lambda: node.drain != 1)


@pytest.mark.parametrize("name", ["vmms", "VSS", "CryptSvc"])
def test_a_stop_is_pending_first_and_counts(name: str) -> None:
    world = small()
    node = world.node("HV01")
    service = node.services[name]
    begun = service.started
    assert actions.stop_service(world, node, name, asked=ALICE) == 0
    assert (service.state, service.started) == ("Stop Pending", begun)
    seen = [service.checkpoint]
    assert service.wait_hint > 0
    world.advance(1)
    seen.append(service.checkpoint)
    assert 0 < seen[0] < seen[1]
    world.advance(10)
    assert (service.state, service.started, service.checkpoint, service.wait_hint) == ("Stopped", None, 0, 0)
    assert actions.start_service(world, node, name, asked=ALICE) == 0
    assert service.state == "Start Pending"
    assert service.checkpoint > 0
    world.advance(10)
    assert service.running
    assert service.started is not None
    assert service.started > 11
    assert kinds(world) == ([("vmms_undrained", "HV01")] if name == "vmms" else [])
    assert executed(world)[ALICE.operation, ALICE.function, f"HV01/{name}"] == 2


def test_vmms_says_when_it_goes_and_when_it_comes() -> None:
    world = small(vms=[{"name": "A", "nodes": ["HV02"]}])
    node = world.node("HV01")
    before = len(logged(node, VMMS, 14094))
    restarted(world, node)
    assert [event.id for event in logged(node, VMMS, 14094, 14096)][before:] == [14096, 14094]


def test_what_the_service_control_manager_says_no_to() -> None:
    world = small(node=[{"name": "HV01", "dependents": {"CryptSvc": ["AppIDSvc"]}}])
    node = world.node("HV01")

    def stop(name: str) -> int:
        return actions.stop_service(world, node, name, asked=ALICE)

    def start(name: str) -> int:
        return actions.start_service(world, node, name, asked=ALICE)

    assert stop("CryptSvc") == 3, "dependents run"
    assert node.services["CryptSvc"].running
    assert stop("swprv") == 6, "it is not active"
    assert start("vmms") == 10, "it runs"
    assert stop("vmms") == 0
    assert (stop("vmms"), start("vmms")) == (5, 5), "it is stopping"
    node.services["swprv"].mode = "Disabled"
    assert start("swprv") == 14
    with pytest.raises(KeyError):
        stop("SQLWriter")
    assert len(executed(world)) == 1
    assert stop("AppIDSvc") == 0
    world.advance(10)
    assert stop("CryptSvc") == 0


def test_a_stop_that_hangs_never_ends_and_only_a_restart_of_the_host_helps() -> None:
    world = small(vms=[{"name": "A", "nodes": ["HV02"]}], node=[{"name": "HV01", "hanging_stops": ["vmms"]}])
    node = world.node("HV01")
    drained(world, node)
    service = node.services["vmms"]
    assert actions.stop_service(world, node, "vmms", asked=ALICE) == 0
    world.advance(30)
    count = service.checkpoint
    world.advance(3600)
    assert (service.state, service.checkpoint) == ("Stop Pending", count)
    assert actions.stop_service(world, node, "vmms") == 5
    assert actions.start_service(world, node, "vmms") == 5
    actions.reboot_node(world, node)
    world.advance(300)
    assert (service.state, service.checkpoint, node.state) == ("Running", 0, NodeState.Paused)
    assert kinds(world) == []


def test_a_vmms_that_hangs_does_not_stop_either_and_a_restart_of_the_host_heals_it() -> None:
    world = small(vms=[{"name": "A", "nodes": ["HV02"]}], node=[{"name": "HV01", "vmms_hung": True}])
    node = world.node("HV01")
    actions.stop_service(world, node, "vmms")
    world.advance(120)
    assert node.services["vmms"].state == "Stop Pending"
    actions.reboot_node(world, node)
    world.advance(300)
    assert (node.services["vmms"].running, node.faults.vmms_hung) == (True, False)
    restarted(world, node)
    assert kinds(world) == []


@pytest.mark.parametrize("hangs", [False, True])
def test_vms_are_taken_away_from_a_host_whose_vmms_is_gone_for_long(hangs: bool) -> None:
    world = small(vms=[{"names": ["A", "B"]}, {"name": "LOCAL", "clustered": False}])
    node = world.node("HV01")
    node.services["vmms"].hangs = hangs
    actions.stop_service(world, node, "vmms")
    world.advance(PATIENCE - 5)
    assert all(vm.running for vm in world.vms.values()), "a short absence stops nobody"
    assert beside(world) == []
    world.advance(60)
    assert len(logged(node, SYSTEM, 1230)) == len(logged(node, SYSTEM, 1146)) == 1
    assert sorted(beside(world)) == [("vm_interrupted", "A"), ("vm_interrupted", "B")]
    assert all(world.vm(name).running and world.vm(name).node is not node for name in "AB")
    assert (world.vm("LOCAL").state, world.vm("LOCAL").node) == (VmState.Running, node)


def test_only_clustered_vms_that_run_are_in_danger() -> None:
    world = small(vms=[{"name": "OFF", "state": "Off"}, {"name": "LOCAL", "clustered": False}])
    restarted(world, world.node("HV01"))
    assert kinds(world) == []


def test_a_drained_host_may_be_without_vmms_for_as_long_as_it_takes() -> None:
    world = small()
    node = world.node("HV01")
    drained(world, node)
    stopped(world, node)
    world.advance(3 * PATIENCE)
    assert logged(node, SYSTEM, 1230, 1146) == []
    assert kinds(world) == []


def test_a_second_stop_has_its_own_patience() -> None:
    world = small()
    node = world.node("HV01")
    restarted(world, node)
    world.advance(PATIENCE / 2)
    stopped(world, node)
    world.advance(PATIENCE - 20)
    assert beside(world) == []
    world.advance(60)
    assert beside(world) == [("vm_interrupted", "A")]


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        ({JobType.MergeDisks}, "merge_interrupted"),
        ({JobType.Snapshot, JobType.GuestVssSnapshot}, "backup_broken"),
        ({JobType.Backup}, "backup_broken"),
    ],
)
def test_vmms_takes_its_jobs_with_it(types: set[int], kind: str) -> None:
    world = World.load("backup-window", start=START)

    def found() -> list[tuple[Node, str]]:
        return [
            (node, world.vms[job.vm].name)
            for node in world.nodes.values()
            for job in node.running_jobs()
            if job.type in types
        ]

    until(world, lambda: bool(found()))
    node, vm = found()[0]
    before = {key: (one.state, one.started) for key, one in node.vms.items()}
    stopped(world, node)
    assert (kind, vm) in kinds(world)
    assert not node.running_jobs()
    assert {key: (one.state, one.started) for key, one in node.vms.items()} == before
    assert [event.id for event in logged(node, VMMS, 14096)] == [14096]


@pytest.mark.parametrize("end", ["HV01", "HV02"])
def test_a_migration_breaks_at_either_end(end: str) -> None:
    world = small(vms=[{"name": "A", "memory_gb": 40}])
    vm = world.vm("A")
    actions.move_role(world, vm, world.node("HV02"), "Live", asked=ALICE)
    world.advance(5)
    stopped(world, world.node(end))
    world.advance(120)
    assert (vm.node.name, vm.running, role_of(vm).migration, role_of(vm).migration_state) == ("HV01", True, None, 5)
    assert beside(world) == [("migration_broken", "A")]
    assert len(logged(world.node("HV01"), HA, 21502)) == 1


def test_a_restart_of_vmms_reads_a_chain_anew() -> None:
    world = small(vms=[{"name": "A", "fork_commit": "20d"}, {"name": "B", "nodes": ["HV02"], "fork_commit": "1d"}])
    restarted(world, world.node("HV01"))
    assert kinds(world) == [("vmms_undrained", "HV01"), ("data_lost", "A")]


@pytest.mark.parametrize("name", ["VSS", "CryptSvc", "BITS", "SQLWriter"])
def test_the_writers_of_a_service_are_new_and_stable_after_its_restart(name: str) -> None:
    world = small(node=[{"name": "HV01", "services": ["BITS", "SQLWriter"]}])
    node = world.node("HV01")
    hosted = [writer for writer in node.writers if writer.service == name]
    assert hosted
    for writer in node.writers:
        writer.set(9, "Timed out")
    before = {writer.id: writer.instance for writer in node.writers}
    stopped(world, node, name)
    listed = vssadmin_text(node)
    assert [writer.id in listed for writer in node.writers] == [writer.service != name for writer in node.writers]
    started(world, node, name)
    assert {(w.state, w.error) for w in hosted} == {(1, "No error")}
    assert {(w.state, w.error) for w in node.writers if w.service != name} == {(9, "Timed out")}
    changed = {writer.id for writer in node.writers if writer.instance != before[writer.id]}
    assert changed == {writer.id for writer in hosted}


def test_a_service_that_was_never_run_brings_its_writer_with_it() -> None:
    world = small()
    node = world.node("HV01")
    assert len(node.writers) == len(HOST_WRITERS)
    started(world, node, "BITS")
    assert [(writer.name, writer.state) for writer in node.writers if writer.service == "BITS"] == [("BITS Writer", 1)]
    restarted(world, node, "BITS")
    assert len(node.writers) == len(HOST_WRITERS) + 1


def test_services_without_writers_change_none() -> None:
    world = small()
    node = world.node("HV01")
    before = [(writer.id, writer.instance) for writer in node.writers]
    started(world, node, "swprv")
    stopped(world, node, "swprv")
    assert [(writer.id, writer.instance) for writer in node.writers] == before


@pytest.mark.parametrize("name", ["vmms", "VSS", "CryptSvc"])
def test_a_backup_through_the_hosts_writers_breaks_when_a_service_it_needs_is_stopped(name: str) -> None:
    world = World.load("access-denied", start=START)
    node = world.node("HV01")
    until(world, lambda: bool(node.shadows))
    last = {vm.id: vm.last_backup for vm in node.vms.values()}
    restarted(world, node, name)
    assert ("backup_broken", "HV01") in kinds(world)
    until(world, lambda: not node.shadows)
    assert world.backups["HV01"].pending
    assert {key: world.vms[key].last_backup for key in last} == last
    assert all(writer.state == 1 for writer in node.writers)


@pytest.mark.parametrize("how", ["CryptSvc", "kill", "power"])
def test_shadow_copies_inside_guests_end_with_the_backup_that_asked_for_them(how: str) -> None:
    world = World.load("access-denied", start=START)
    node = world.node("HV01")

    def asked() -> list[Job]:
        return [job for job in node.running_jobs() if job.type == JobType.GuestVssSnapshot]

    until(world, lambda: bool(asked()))
    jobs = asked()
    world.advance(1)
    if how == "CryptSvc":
        stopped(world, node, how)
    elif how == "kill":
        actions.kill_backup(world, node)
    else:
        actions.fail_node(world, node)
    assert {job.state for job in jobs} == {JobState.Exception}


def test_a_vm_that_leaves_in_the_middle_is_in_no_backup() -> None:
    world = World.load("access-denied", start=START)
    node = world.node("HV01")
    until(world, lambda: bool(node.shadows))
    vm = next(vm for vm in node.vms.values() if vm.running and vm.role is not None and not vm.role.locked)
    last = vm.last_backup
    other = next(one for one in node.vms.values() if one is not vm and one.running)
    actions.move_role(world, vm, world.node("HV02"), "Live", asked=ALICE)
    until(world, lambda: vm.node is not node)
    assert kinds(world) == [("backup_broken", vm.name)]
    until(world, lambda: not node.shadows)
    assert vm.last_backup == last
    assert (other.last_backup or 0) > 0


def test_shadow_copies_of_others_outlive_a_backup() -> None:
    scenario: dict[str, Any] = {
        "node": [{"name": "HV01", "shadows": [{"csv": "Volume1", "age": "2d"}]}],
        "behaviours": [{"kind": "host_backup", "nodes": ["HV01"], "copy": "1m"}],
    }
    world = small(**scenario)
    node = world.node("HV01")
    (old,) = node.shadows
    assert (old.volume, old.created) == (world.csv("Volume1").volume, -2 * 86_400)
    until(world, lambda: len(node.shadows) == 2)
    assert len({shadow.set for shadow in node.shadows}) == 2
    until(world, lambda: len(node.shadows) == 1)
    assert node.shadows == [old]


# --- the heart of the field report ---


def test_with_the_job_gone_a_restart_heals_and_a_full_guest_sticks_the_next_run_again() -> None:
    scenario = load_scenario("stuck-writer")
    scenario.timeline = [step for step in scenario.timeline if step.do == "kill_backup"]
    world = World.load(scenario, start=START, at=60 * 60)
    node = world.node("HV03")
    home = set(node.vms)
    assert writer_of(node) == "[5] Unexpected error"
    drained(world, node)
    assert writer_of(node) == "[5] Unexpected error", "a drain alone heals nothing"
    restarted(world, node)
    assert writer_of(node) == "[1] No error"
    actions.resume_node(world, node, failback=True, asked=ALICE)
    until(world, lambda: set(node.vms) == home)
    assert writer_of(node) == "[1] No error"
    assert kinds(world) == []
    actions.start_backup(world, node)
    until(world, lambda: writer_of(node) == STUCK)


def test_with_the_job_still_there_a_restart_heals_for_a_moment_only() -> None:
    world = World.load("stuck-writer", start=START, at=200)
    node = world.node("HV03")
    home = set(node.vms)
    assert (writer_of(node), world.backups["HV03"].pending) == (STUCK, True)
    drained(world, node)
    restarted(world, node)
    assert writer_of(node) == "[1] No error"
    # The product does not find the guests it has to try again, and waits for them.
    world.advance(600)
    assert world.backups["HV03"].pending
    actions.resume_node(world, node, failback=True)
    until(world, lambda: set(node.vms) == home)
    until(world, lambda: writer_of(node) == STUCK)
    assert world.vm("SQL07").node is node


def test_freed_guests_and_no_restart_do_not_heal_a_killed_job() -> None:
    world = World.load("stuck-writer", start=START, at=26 * 60)
    node = world.node("HV03")
    for name in ("SQL07", "FILE02"):
        actions.free_space(world.vm(name), 20)
    for name in ("VSS", "CryptSvc"):
        restarted(world, node, name)
    actions.start_backup(world, node)
    world.advance(600)
    assert writer_of(node) == "[5] Unexpected error"
    assert node.writer(SYSTEM_WRITER).state == 1
    assert HYPERV in vssadmin_text(node)
