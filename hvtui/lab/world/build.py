"""From a scenario to a living world."""

from __future__ import annotations

from itertools import count, cycle
from typing import Final, NamedTuple

from hvtui.lab.world.actions import schedule_timeline
from hvtui.lab.world.behaviours import start_behaviours
from hvtui.lab.world.build_hosts import build_cluster, build_csvs, build_nodes, leave_shadows, versions
from hvtui.lab.world.guests import KINDS, can_freeze
from hvtui.lab.world.node import Node
from hvtui.lab.world.operations import add_layer, leave_fork
from hvtui.lab.world.scenario import CheckpointPart, VmsPart, VolumePart, seconds, vm_names
from hvtui.lab.world.storage import Csv
from hvtui.lab.world.vm import GB, Checkpoint, Disk, GuestVolume, Role, Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import (
    CheckpointType,
    GroupState,
    ReplicationMode,
    ResourceState,
    SnapshotType,
    VmState,
)

_DAY: Final = 86_400.0
_KB: Final = 1024.0


def build(world: World) -> None:
    """Fill an empty world as its scenario says and start what goes on in it."""
    build_cluster(world)
    build_nodes(world)
    build_csvs(world)
    numbers = count(1)
    for part in world.scenario.vms:
        _vms(world, part, numbers)
    for csv in world.csvs.values():
        csv.used = max(csv.used, 0)
    leave_shadows(world)
    start_behaviours(world)
    schedule_timeline(world)


def _vms(world: World, part: VmsPart, numbers: count[int]) -> None:
    nodes = [world.node(name) for name in part.nodes] or [
        node for node in world.nodes.values() if node.up and not node.faults.not_hyperv
    ]
    named = cycle([world.csv(name) for name in part.csvs])
    owned: dict[str, list[Csv]] = {}
    for csv in world.csvs.values():
        owned.setdefault(csv.owner.name, []).append(csv)
    everywhere = list(world.csvs.values())
    for index, name in enumerate(vm_names(part)):
        key = next(numbers)
        # Explicit lists are used in turn from their first; without one the groups follow each other around all nodes.
        node = nodes[(index if part.nodes else key - 1) % len(nodes)]
        choice = owned.get(node.name, everywhere)
        csv = next(named) if part.csvs else choice[key % len(choice)]
        _vm(world, part, _Place(name, key, node, csv))


class _Place(NamedTuple):
    """Where one VM of a group goes."""

    name: str
    key: int
    node: Node
    csv: Csv


def _vm(world: World, part: VmsPart, place: _Place) -> None:
    name, key, node, csv = place
    state = VmState[part.state]
    chance = world.scatter(key, 11)
    home = f"{csv.path}\\{_folder(name)}"
    memory = int(part.memory_gb * _KB)
    vm = Vm(
        id=world.guid(),
        name=name,
        key=key,
        node=node,
        guest=KINDS[part.guest],
        configuration=home,
        memory=memory,
        memory_startup=_megabytes(part.memory_startup_gb, memory // 2 if part.dynamic else memory),
        memory_minimum=_megabytes(part.memory_minimum_gb, max(512, memory // 4) if part.dynamic else 512),
        memory_maximum=_megabytes(part.memory_maximum_gb, memory if part.dynamic else 1_048_576),
        processors=part.processors,
        cpu=part.cpu if part.cpu >= 0 else 0.6 + 4.0 * chance + (38.0 * chance if chance > 0.85 else 0.0),
        dynamic=part.dynamic,
        state=state,
        started=None if state in {VmState.Off, VmState.Saved} else -_DAY * 9 * world.scatter(key, 12) - 300.0,
        config_version=part.config_version or versions(world.scenario.nodes.build)[-1],
        checkpoint_type=_checkpoint_type(part),
        other_disks=list(part.other_disks),
        shared=list(part.shared_disks),
        switches=list(part.switches),
        dvd=list(part.dvd),
        gpu=part.gpu,
        fibre_channel=part.fibre_channel,
        held=part.merge_error,
        tpm=part.tpm,
        set_fails=part.set_fails,
        possible_owners=list(part.possible_owners) or None,
        preferred_owners=list(part.preferred_owners),
        replication=ReplicationMode[part.replication],
        last_backup=-seconds(part.backed_up) - 40.0 * key % 3000 if part.backed_up else None,
    )
    vm.disks.append(Disk(f"{home}\\Virtual Hard Disks\\{_folder(name)}.vhdx", part.disk_gb * GB))
    if part.second_disk:
        second = world.csv(part.second_disk)
        vm.disks.append(Disk(f"{second.path}\\{_folder(name)}\\{_folder(name)}-data.vhdx", part.disk_gb * 2 * GB))
    if part.checkpoint_csv:
        vm.checkpoint_path = f"{world.csv(part.checkpoint_csv).path}\\{_folder(name)}"
    volumes = [_volume(one) for one in part.volumes]
    vm.volumes = volumes or [GuestVolume("C:", 127 * GB, int((18 + 60 * chance) * GB))]
    for number, checkpoint in enumerate(part.checkpoints):
        _checkpoint(world, vm, number, checkpoint)
    vm.guest_unreadable = dict(part.guest_unreadable)
    vm.spent_writers = part.guest_spent_writers
    if part.guest_account:
        world.guest_accounts.add(vm.id, part.guest_account, part.guest_password or world.scenario.guests.password)
    node.vms[vm.id] = vm
    world.vms[vm.id] = vm
    if part.fork_commit is not None:
        leave_fork(world, vm, seconds(part.fork_commit))
    if part.clustered:
        _role(world, part, vm)


def _volume(part: VolumePart) -> GuestVolume:
    files = [(one.path, int(one.size_gb * GB)) for one in part.files]
    return GuestVolume(
        part.name, int(part.size_gb * GB), int(part.free_gb * GB), part.label, part.file_system, files=files
    )


def _megabytes(gb: float | None, otherwise: int) -> int:
    return otherwise if gb is None else int(gb * _KB)


def _checkpoint(world: World, vm: Vm, number: int, part: CheckpointPart) -> None:
    """A checkpoint of earlier days; replica ones live on the replica's own disks and need no layer here."""
    name, age = part.name or f"{vm.name} - ({number})", seconds(part.age)
    made = Checkpoint(world.guid(), name, SnapshotType[part.type], part.saved, -age, vm.current)
    vm.checkpoints.append(made)
    vm.current = made.id
    for disk in vm.disks:
        disk.layers.append(add_layer(world, disk, 2_000.0 + 9_000.0 * world.scatter(vm.key, number), age))


def _checkpoint_type(part: VmsPart) -> CheckpointType:
    """A VM of an old configuration version has only standard ones (windows.md §2.2)."""
    old = part.config_version and not can_freeze(part.config_version)
    return CheckpointType.Standard if old else CheckpointType[part.checkpoint_type]


def _role(world: World, part: VmsPart, vm: Vm) -> None:
    role = Role(
        id=world.guid(),
        name=_free_name(world, part.role or vm.name),
        vm=vm,
        owner=vm.node,
        priority=part.priority,
        anti_affinity=tuple(part.anti_affinity),
    )
    if vm.state in {VmState.Off, VmState.Saved}:
        role.state, role.resource_state = GroupState.Offline, ResourceState.Offline
    vm.role = role
    world.roles[role.id] = role


def _free_name(world: World, name: str) -> str:
    """A cluster has no two groups of one name; it counts on instead, as it does for a second VM of a name."""
    taken = {role.name.lower() for role in world.roles.values()}
    free, number = name, 1
    while free.lower() in taken:
        number += 1
        free = f"{name} ({number})"
    return free


def _folder(name: str) -> str:
    """A folder name Windows accepts, for VM names that are no file names; at most 60 characters."""
    return "".join("_" if c in '\\/:*?"<>|' or ord(c) < 32 else c for c in name)[:60].rstrip(". ") or "vm"
