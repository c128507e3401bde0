"""Where a VM can live: owners, affinity, memory, and everything a move runs into at its destination.

The words and codes are those of Microsoft's "Troubleshoot live migration issues".
"""

from __future__ import annotations

from typing import Final, NamedTuple

from hvtui.lab.world.node import Node
from hvtui.lab.world.vm import Role, Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import CsvIoState

SAME: Final = frozenset({1, 2})
"""Affinity rules that keep roles together; every node is a fault domain of its own here."""


class Obstacle(NamedTuple):
    """What a move runs into: the error code as `0x…`, the words, and the event the destination writes, 0 for none."""

    code: str
    text: str
    event: int = 0


class Conflict(NamedTuple):
    """What a VM would break on a node; `hard`: the cluster refuses, else it only avoids it."""

    name: str
    hard: bool


def may_own(vm: Vm, node: Node) -> bool:
    """A node is a possible owner of the VM's resources."""
    return vm.possible_owners is None or node.name in vm.possible_owners


def conflict(world: World, role: Role, target: Node) -> Conflict | None:
    """The rule or class that a role would break on a node (windows.md §1.11)."""
    others = [vm.role for vm in target.vms.values() if vm.role is not None and vm.role is not role]
    others += [
        other for key, (_, end) in world.migrating.items() if end is target and (other := world.roles[key]) is not role
    ]
    for rule in world.affinity_rules:
        if not rule.enabled or role.name not in rule.groups:
            continue
        rest = {name for name in rule.groups if name != role.name}
        here = {other.name for other in others} & rest
        if here != rest if rule.type in SAME else here:
            # Roles that belong together move one by one, so the cluster cannot refuse the first.
            return Conflict(f"affinity rule '{rule.name}'", hard=rule.type not in SAME)
    for name in role.anti_affinity:
        if any(name in other.anti_affinity for other in others):
            return Conflict(f"anti-affinity class '{name}'", hard=bool(world.cluster.enforced_anti_affinity))
    return None


def io_there(world: World, vm: Vm, target: Node) -> int:
    """The worst way in which a node reaches the volumes of a VM (CsvIoState)."""
    order = (CsvIoState.Unavailable, CsvIoState.Paused, CsvIoState.BlockRedirected)
    csvs = {csv.id: csv for path in vm.files() if (csv := world.csv_of(path)) is not None}
    states = {csv.io_state(target)[0] for csv in csvs.values()}
    return next((state for state in order if state in states), CsvIoState.Direct)


def obstacle(world: World, vm: Vm, target: Node) -> Obstacle | None:
    """What a migration of a running or paused VM to a node fails with, None when nothing is in its way."""
    for check in (_no_contact, _switch_missing, _hardware, _too_new, _image_missing, _no_volume, memory_obstacle):
        found = check(world, vm, target)
        if found is not None:
            return found
    return None


def _no_contact(world: World, vm: Vm, target: Node) -> Obstacle | None:
    if target.services["vmms"].running:
        return None
    words = "No connection could be made because the target machine actively refused it."
    return Obstacle("0x8007274d", f"Failed to establish a connection with host '{target.name}': {words}")


def _switch_missing(world: World, vm: Vm, target: Node) -> Obstacle | None:
    missing = next((switch for switch in vm.switches if switch not in target.switches), None)
    if missing is None:
        return None
    text = f"the virtual switch '{missing}' used by it does not exist on the destination node '{target.name}'."
    return Obstacle("0x80070490", f"'{vm.name}' failed to live migrate because {text}", 21125)


def _hardware(world: World, vm: Vm, target: Node) -> Obstacle | None:
    if not (vm.gpu or vm.pass_through()):
        return None
    what = vm.pass_through()[0] if vm.pass_through() else f"{vm.gpu} assigned GPU partitions or devices"
    text = "The hardware on the destination computer is not compatible with the hardware requirements of this VM"
    return Obstacle("0x80070032", f"'{vm.name}': {text}: {what}.")


def _too_new(world: World, vm: Vm, target: Node) -> Obstacle | None:
    if vm.config_version in target.vm_versions:
        return None
    text = f"the destination node '{target.name}' does not support configuration version {vm.config_version}."
    return Obstacle("0x80070032", f"'{vm.name}' cannot be moved: {text}")


def _image_missing(world: World, vm: Vm, target: Node) -> Obstacle | None:
    image = next((image for image in vm.dvd if _missing(world, image, target)), None)
    if image is None:
        return None
    words = "A virtual disk support provider for the specified file was not found."
    return Obstacle("0xc03a0014", f"'{vm.name}': Attachment '{image}' failed to open because of error: {words}")


def _missing(world: World, image: str, node: Node) -> bool:
    """An image on a disk of its own host is not there on another one; on a share or a CSV it is."""
    if image.startswith("\\\\"):
        return False
    csv = world.csv_of(image)
    return csv is None or csv.io_state(node)[0] == CsvIoState.Unavailable


def _no_volume(world: World, vm: Vm, target: Node) -> Obstacle | None:
    if io_there(world, vm, target) != CsvIoState.Unavailable:
        return None
    return Obstacle("0x80070002", f"'{vm.name}': the system cannot find the file specified.")


def memory_obstacle(world: World, vm: Vm, target: Node) -> Obstacle | None:
    """The destination has not the memory that the VM holds now."""
    if world.memory_assigned(vm) <= world.memory_available(target):
        return None
    words = "Insufficient system resources exist to complete the requested service."
    return Obstacle("0x800705aa", f"'{vm.name}' failed to create partition: {words}", 3050)


def best_node(world: World, vm: Vm) -> Node | None:
    """Where the cluster puts a role: preferred owners first, without a conflict if it can, then the fewest VMs."""
    role = vm.role
    if role is None:
        return None
    found: list[tuple[tuple[bool, bool, bool, int, int], Node]] = []
    for node in world.up_nodes():
        clash = conflict(world, role, node)
        if node is vm.node or not may_own(vm, node) or (clash is not None and clash.hard):
            continue
        short = not vm.cold and memory_obstacle(world, vm, node) is not None
        preferred = node.name in vm.preferred_owners
        found.append(((short, clash is not None, not preferred, len(node.vms), node.number), node))
    return min(found, key=lambda one: one[0])[1] if found else None
