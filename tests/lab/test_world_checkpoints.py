"""Windows' laws of checkpoints in the world: which kind it becomes, what applying brings back, what removing merges."""

from __future__ import annotations

from typing import Any, Final

import pytest

from hvtui.lab.world import World, actions
from hvtui.lab.world.events import VMMS
from hvtui.lab.world.scenario import ScenarioError
from hvtui.lab.world.vm import Vm
from hvtui.model.enums import CheckpointType, JobState, JobType, OperationalStatus, VmState
from tests.lab.small_world import small

NODE: Final = "HV01"


def world_of(*vms: dict[str, Any]) -> World:
    """A small cluster; the VMs are on its first node."""
    return small(vms=list(vms))


def vm_of(world: World, name: str = "A") -> Vm:
    return next(vm for vm in world.vms.values() if vm.name == name)


def events(world: World) -> list[int]:
    return [one.id for one in world.node(NODE).log(VMMS).records if one.id != 14094]


def jobs(world: World) -> dict[int, JobState]:
    return {int(job.type): JobState(job.state) for job in world.node(NODE).jobs.values()}


FULL: Final = [{"name": "C:", "size_gb": 100, "free_gb": 0.2}]


@pytest.mark.parametrize(
    ("vm", "saved"),
    [
        ({}, False), ({"guest": "linux"}, False), ({"state": "Off"}, False), ({"state": "Saved"}, True),
        ({"state": "Paused"}, True), ({"checkpoint_type": "Standard"}, True), ({"guest": "windows-vss-off"}, True),
        ({"guest": "windows-no-vmicvss"}, True), ({"guest": "linux-no-daemon"}, True), ({"volumes": FULL}, True),
        ({"config_version": "5.0"}, True), ({"config_version": "6.2"}, False), ({"guest": "appliance"}, True),
    ],
)  # fmt: skip
def test_what_a_checkpoint_becomes(vm: dict[str, Any], saved: bool) -> None:
    world = world_of({"name": "A", **vm})
    actions.checkpoint(world, vm_of(world), "first")
    assert vm_of(world).role is not None
    assert vm_of(world).role.locked  # type: ignore[union-attr]
    assert OperationalStatus.CreatingSnapshot in vm_of(world).operational()
    world.advance(90.0)
    (one,) = vm_of(world).checkpoints
    assert (one.name, one.saved, one.parent, vm_of(world).current) == ("first", saved, "", one.id)
    assert not vm_of(world).busy
    assert not vm_of(world).role.locked  # type: ignore[union-attr]
    assert jobs(world)[JobType.Snapshot] == JobState.Completed
    asked = vm.get("checkpoint_type") != "Standard" and vm.get("config_version") != "5.0"
    alive = vm.get("state", "Running") in {"Running", "Paused"}
    assert events(world) == ([18016] if saved and asked and alive else []), "silent, but for the log"
    assert world.ledger.entries == []


@pytest.mark.parametrize(
    ("vm", "code"),
    [
        ({"guest": "windows-vss-off"}, "0x80070422"), ({"guest": "windows-no-vmicvss"}, "0x80070426"),
        ({"guest": "linux-no-daemon"}, "0x80070426"), ({"volumes": FULL}, "0x800423f3"),
        ({"state": "Paused"}, "0x8007139f"),
    ],
)  # fmt: skip
def test_production_only_fails_with_its_reason(vm: dict[str, Any], code: str) -> None:
    world = world_of({"name": "A", "checkpoint_type": "ProductionOnly", **vm})
    actions.checkpoint(world, vm_of(world))
    world.advance(90.0)
    assert vm_of(world).checkpoints == []
    assert events(world) == [18016, 10150, 18012]
    assert code in next(one for one in world.node(NODE).log(VMMS).records if one.id == 10150).codes
    assert jobs(world)[JobType.Snapshot] == JobState.Exception


@pytest.mark.parametrize(
    "vm",
    [
        {"checkpoint_type": "Disabled"}, {"other_disks": ["Disk 3 40.00 GB Bus 0 Lun 1 Target 2"]},
        {"shared_disks": ["C:\\ClusterStorage\\Volume1\\q.vhds"]}, {"fibre_channel": 1}, {"gpu": 1},
        {"checkpoints": [{}] * 50}, {"state": "Starting"},
    ],
)  # fmt: skip
def test_windows_takes_none(vm: dict[str, Any]) -> None:
    world = world_of({"name": "A", **vm})
    before = len(vm_of(world).checkpoints)
    with pytest.raises(actions.Refused):
        actions.checkpoint(world, vm_of(world))
    world.advance(60.0)
    assert len(vm_of(world).checkpoints) == before
    assert [change.outcome for change in world.commands.changes] == ["refused"]


def test_what_works_on_a_vm_is_in_the_way() -> None:
    world = world_of({"name": "A", "checkpoints": [{}]})
    vm = vm_of(world)
    actions.checkpoint(world, vm)
    with pytest.raises(actions.Refused, match="current state"):
        actions.checkpoint(world, vm)
    with pytest.raises(actions.Refused, match="current state"):
        actions.apply_checkpoint(world, vm, vm.checkpoints[0])
    with pytest.raises(actions.Refused, match="current state"):
        actions.remove_checkpoint(world, vm, vm.checkpoints[0])
    with pytest.raises(actions.Refused, match="current state"):
        actions.set_checkpoint_type(world, vm, CheckpointType.Standard)
    world.advance(30.0)
    assert len(vm.checkpoints) == 2


def test_vmms_that_ends_takes_the_checkpoint_with_it() -> None:
    world = world_of({"name": "A"})
    actions.checkpoint(world, vm_of(world))
    actions.stop_service(world, world.node(NODE), "vmms")
    world.advance(60.0)
    assert vm_of(world).checkpoints == []
    assert jobs(world)[JobType.Snapshot] == JobState.Exception


# --- types ---


def test_a_type_is_changed_at_once_and_by_nobody_who_may_not() -> None:
    world = world_of({"name": "A"}, {"name": "BAD", "set_fails": "Why not."}, {"name": "OLD", "config_version": "5.0"})
    actions.set_checkpoint_type(world, vm_of(world), CheckpointType.ProductionOnly)
    assert vm_of(world).checkpoint_type == CheckpointType.ProductionOnly
    with pytest.raises(actions.Refused, match="Why not"):
        actions.set_checkpoint_type(world, vm_of(world, "BAD"), CheckpointType.Standard)
    assert vm_of(world, "OLD").checkpoint_type == CheckpointType.Standard
    with pytest.raises(actions.Refused, match="configuration version"):
        actions.set_checkpoint_type(world, vm_of(world, "OLD"), CheckpointType.Production)
    assert [change.outcome for change in world.commands.changes] == ["done", "refused", "refused"]


# --- apply ---


def test_applying_goes_back_to_what_the_checkpoint_names() -> None:
    world = world_of({"name": "A"})
    vm = vm_of(world)
    files = []
    for name in ("one", "two"):
        files.append(vm.disks[0].active)
        actions.checkpoint(world, vm, name)
        world.advance(60.0)
    lost = vm.disks[0].active
    one, two = vm.checkpoints
    assert (vm.attached(one), vm.attached(two)) == ([files[0]], [files[1]])
    actions.apply_checkpoint(world, vm, one)
    world.advance(1.0)
    assert vm.state == VmState.Saving
    world.advance(30.0)
    assert (vm.state, vm.current, two.parent) == (VmState.Off, one.id, one.id)
    assert lost not in vm.files()
    assert (vm.attached(one), vm.attached(two)) == ([files[0]], [files[1]])
    assert [layer.path for layer in vm.disks[0].aside] == [files[1]]
    # To the other branch and back: nothing of either is lost.
    actions.apply_checkpoint(world, vm, two)
    world.advance(30.0)
    assert vm.current == two.id
    assert vm.disks[0].files()[1:] == [files[1], files[0]]
    assert vm.disks[0].aside == []
    assert world.ledger.entries == []
    held = {path for csv in world.csvs.values() for path in csv.layers}
    assert held == {layer.path for layer in vm.disks[0].layers}


@pytest.mark.parametrize(("guest", "harmed"), [("domain-controller", True), ("sql-server", True), ("linux", False)])
def test_old_memory_comes_back_and_others_remember(guest: str, harmed: bool) -> None:
    world = world_of({"name": "A", "guest": guest, "checkpoints": [{"saved": True}]})
    vm = vm_of(world)
    actions.apply_checkpoint(world, vm, vm.checkpoints[0])
    world.advance(30.0)
    assert vm.state == VmState.Running
    assert [harm.kind for harm in world.ledger.entries] == (["stale_memory"] if harmed else [])


def test_a_vm_that_is_off_stays_off_or_saved() -> None:
    world = world_of({"name": "A", "state": "Off", "checkpoints": [{"name": "cold"}, {"name": "warm", "saved": True}]})
    vm = vm_of(world)
    for at, state in ((1, VmState.Saved), (0, VmState.Off)):
        actions.apply_checkpoint(world, vm, vm.checkpoints[at])
        world.advance(30.0)
        assert vm.state == state
    actions.start_vm(world, vm, "Start-ClusterGroup")
    world.advance(30.0)
    assert vm.running
    with pytest.raises(actions.Refused):
        actions.start_vm(world, vm, "Start-ClusterGroup")


# --- remove ---


def test_a_removal_is_merged_in_the_background() -> None:
    world = world_of({"name": "A", "checkpoints": [{"name": "one"}, {"name": "two"}]})
    vm = vm_of(world)
    one, two = vm.checkpoints
    actions.remove_checkpoint(world, vm, one)
    world.advance(3.0)
    assert (vm.checkpoints, two.parent, vm.current) == ([two], "", two.id)
    assert OperationalStatus.MergingDisks in vm.operational()
    assert jobs(world) == {JobType.DeleteSnapshot: JobState.Completed, JobType.MergeDisks: JobState.Running}
    world.advance(900.0)
    assert events(world) == [19070, 19080]
    assert len(vm.disks[0].layers) == 1
    assert vm.attached(two) == [vm.disks[0].base]


def test_a_locked_role_refuses_and_a_backup_that_is_read_from_breaks() -> None:
    world = world_of({"name": "A", "checkpoints": [{"type": "Recovery"}]})
    vm = vm_of(world)
    vm.lock(on=True)
    with pytest.raises(actions.Refused):
        actions.remove_checkpoint(world, vm, vm.checkpoints[0])
    vm.lock(on=False)
    vm.begin(OperationalStatus.BackingUpVirtualMachine)
    actions.remove_checkpoint(world, vm, vm.checkpoints[0])
    assert [harm.kind for harm in world.ledger.entries] == ["backup_broken"]


def test_an_unknown_guest_in_a_scenario_is_told() -> None:
    with pytest.raises(ScenarioError, match="windows-no-kvp"):
        world_of({"name": "A", "guest": "windows-no-kvm"})
