"""Get-HvTuiPreflight out of the world: what a move or a restart depends on, for all VMs of a node and the node."""

from __future__ import annotations

from typing import Any, Final

from hvtui.lab.native.chains import chain_of, other_files
from hvtui.lab.native.problems import (
    DENIED,
    NO_NODES,
    Trouble,
    cluster_trouble,
    hyperv_command,
    hyperv_trouble,
    part_trouble,
    problem,
)
from hvtui.lab.native.signals import shadow_list
from hvtui.lab.native.stream import stamp, wire
from hvtui.lab.world.node import Node
from hvtui.lab.world.vm import Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import VmState
from hvtui.remote.contract import WIRE

MACHINE_PARTS: Final = (
    "vms", "vms.version", "vms.memory", "vms.assigned", "vms.switches", "vms.disks", "vms.gpu", "vms.tpm",
    "vms.fibre_channel", "vms.system", "vms.chain", "vms.jobs",
)  # fmt: skip
"""Parts of VMs that are asked of VMMS, in the order of the questions."""
SOURCES: Final = {
    "vms": ("vms",),
    "vms.version": ("vms.checkpoints",),
    "vms.memory": ("Msvm_MemorySettingData",),
    "vms.assigned": ("load.vms",),
    "vms.switches": ("Msvm_VirtualEthernetSwitch", "Msvm_EthernetPortAllocationSettingData"),
    "vms.disks": ("files", "Msvm_DiskDrive"),
    "vms.gpu": ("Msvm_GpuPartitionSettingData", "Msvm_PciExpressSettingData"),
    "vms.tpm": ("Msvm_SecuritySettingData",),
    "vms.fibre_channel": ("Msvm_SyntheticFcPortSettingData",),
    "vms.system": ("Msvm_KvpExchangeComponent",),
    "vms.jobs": ("jobs",),
    "vms.role": ("roles", "roles.vm"),
    "vms.owners": ("Get-ClusterResource", "Get-ClusterOwnerNode", "role"),
    "node.switches": ("Msvm_VirtualEthernetSwitch",),
    "node.versions": ("Get-VMHost",),
    "node.memory": ("host",),
    "node.shadow_copies": ("Win32_ShadowCopy",),
    "node.id": ("nodes",),
    "node.affinity_rules": ("MSCluster_AffinityRule",),
    "node.cluster": ("cluster",),
    "node.threshold": ("Get-ClusterResourceType", "Get-ClusterParameter"),
    "node.virtual_disks": ("MSFT_VirtualDisk",),
    "node.storage_jobs": ("MSFT_StorageJob",),
    "node.replicas": ("MSFT_WvrReplicationGroup",),
}
"""Part → the parts of a scenario's `unreadable`, or the classes and commands, that it is read from, in order."""
RULES_SINCE: Final = 20348
"""The build that has affinity rules: Windows Server 2022."""


class _Reading:
    """One answer: parts that were asked, and why some could not be read."""

    def __init__(self, world: World, node: Node) -> None:
        self.world, self.node = world, node
        self.hyperv = hyperv_trouble(node)
        trouble = cluster_trouble(node)
        self.cmdlet = trouble
        self.cluster = NO_NODES if trouble is DENIED else trouble
        self.errors: list[dict[str, str]] = []

    def able(self, part: str, trouble: Trouble | None = None) -> bool:
        """Whether a part can be read; else the reason goes to the errors."""
        for source in SOURCES.get(part, ()):
            found = part_trouble(self.node, source)
            trouble = trouble or (hyperv_command(found) if source == "Get-VMHost" else found)
        if trouble is not None:
            self.errors.append(problem(part, trouble))
        return trouble is None


def preflight(world: World, node: Node, part: str, cpu_ms: int = 0) -> str:
    """The whole answer; `part` is All, Vms or Node."""
    reading = _Reading(world, node)
    vms = _vms(reading) if part != "Node" else None
    facts = _node(reading) if part != "Vms" else None
    return wire(
        {
            "v": WIRE,
            "time": stamp(world.time_of(node)),
            "cpu_ms": cpu_ms,
            "node": facts,
            "vms": vms,
            "errors": reading.errors,
        }
    ).decode()


def _vms(reading: _Reading) -> list[dict[str, Any]] | None:
    """None when the list itself cannot be read; a part that cannot be read is null in every VM."""
    if not reading.able("vms", reading.hyperv):
        return None
    able = {}
    for part in MACHINE_PARTS[1:]:
        able[part] = reading.able(part)
        if part == "vms.chain" and able["vms.disks"]:
            _untold_chains(reading)
    able["vms.role"] = reading.able("vms.role", reading.cluster)
    able["vms.owners"] = able["vms.role"] and reading.able("vms.owners", reading.cmdlet)
    return [_vm(reading.world, vm, able) for vm in reading.node.vms.values()]


def _untold_chains(reading: _Reading) -> None:
    """Each file is asked for by itself: what stands against it is told once a VM."""
    trouble = hyperv_command(part_trouble(reading.node, "Get-VHD"))
    if trouble is None:
        return
    for vm in reading.node.vms.values():
        if chain_of(reading.world, vm):
            reading.errors.append(problem(f"vms.chain/{vm.id}", trouble))


def _vm(world: World, vm: Vm, able: dict[str, bool]) -> dict[str, Any]:
    memory, disks, role = able["vms.memory"], able["vms.disks"], vm.role
    roles, owners = able["vms.role"], able["vms.owners"]
    names = [node.name for node in world.nodes.values()]
    jobs = [int(job.type) for job in vm.node.jobs.values() if job.vm == vm.id and job.running]
    return {
        "id": vm.id,
        "name": vm.name,
        "state": int(vm.state),
        "operational": [int(number) for number in vm.operational()],
        "clustered": role is not None if roles else None,
        "version": vm.config_version if able["vms.version"] else None,
        "dynamic": vm.dynamic if memory else None,
        "memory_startup": vm.memory_startup if memory else None,
        "memory_minimum": vm.memory_minimum if memory else None,
        "memory_maximum": vm.memory_maximum if memory else None,
        "memory_assigned": world.memory_assigned(vm) if able["vms.assigned"] else None,
        "switches": sorted(set(vm.switches)) if able["vms.switches"] else None,
        "dvd": list(vm.dvd) if disks else None,
        "pass_through": list(vm.pass_through()) if disks else None,
        "shared": list(vm.shared) if disks else None,
        "gpu": vm.gpu if able["vms.gpu"] else None,
        "tpm": vm.tpm if able["vms.tpm"] else None,
        "fibre_channel": vm.fibre_channel if able["vms.fibre_channel"] else None,
        "system": _system(vm) if able["vms.system"] else None,
        "product": _product(vm) if able["vms.system"] else None,
        "chain": _chain(world, vm) if disks and able["vms.chain"] else None,
        "jobs": sorted(jobs) if able["vms.jobs"] else None,
        "role": (role.id if role is not None else "") if roles else None,
        "role_status": int(role.status) if roles and role is not None else None,
        "owner": role.owner.name if roles and role is not None else None,
        "priority": role.priority if roles and role is not None else None,
        "possible_owners": (vm.possible_owners if vm.possible_owners is not None else names)
        if owners and role is not None
        else None,
        "preferred_owners": list(vm.preferred_owners) if owners and role is not None else None,
        "anti_affinity": list(role.anti_affinity) if roles and role is not None else None,
    }


def _system(vm: Vm) -> str:
    """What the guest says it is; nothing while it is off, or when it says nothing."""
    return vm.guest.system if _tells(vm) else ""


def _product(vm: Vm) -> int:
    return vm.guest.product if _tells(vm) else 0


def _tells(vm: Vm) -> bool:
    return vm.guest.tells and vm.state not in {VmState.Off, VmState.Saved, VmState.SavedVendor}


def _chain(world: World, vm: Vm) -> list[dict[str, Any]]:
    known = chain_of(world, vm)
    if part_trouble(vm.node, "Get-VHD") is not None:
        attached = {*vm.attached(), *other_files(vm)}
        return [{"path": path, "parent": None, "size": None} for path, _, _ in known if path in attached]
    return [{"path": path, "parent": parent, "size": size} for path, parent, size in known]


def _node(reading: _Reading) -> dict[str, Any]:
    world, node = reading.world, reading.node
    able = {part: reading.able(part, reading.hyperv) for part in ("node.switches", "node.versions")}
    able["node.memory"] = reading.able("node.memory")
    able["node.shadow_copies"] = reading.able("node.shadow_copies")
    able["node.id"] = reading.able("node.id", reading.cluster)
    able["node.affinity_rules"] = reading.able("node.affinity_rules", reading.cluster)
    able["node.cluster"] = reading.able("node.cluster", reading.cmdlet)
    able["node.threshold"] = reading.able("node.threshold", reading.cmdlet)
    cluster = world.cluster
    s2d = cluster.s2d if able["node.cluster"] else None
    # Without Storage Spaces Direct nothing is asked about it; unknown whether it is on means unknown disks.
    disks = s2d is not None and (not s2d or reading.able("node.virtual_disks"))
    jobs = s2d is not None and (not s2d or reading.able("node.storage_jobs"))
    replicas = reading.able("node.replicas")
    return {
        "name": node.name,
        "id": str(node.number) if able["node.id"] else None,
        "memory_available": world.memory_available(node) if able["node.memory"] else None,
        "memory_total": world.memory_total(node) if able["node.memory"] else None,
        "switches": sorted(node.switches) if able["node.switches"] else None,
        "vm_versions": list(node.vm_versions) if able["node.versions"] else None,
        "s2d": s2d,
        "virtual_disks": [
            {"name": disk.name, "health": disk.health, "operational": list(disk.operational)}
            for disk in (cluster.virtual_disks if s2d else ())
        ]
        if disks
        else None,
        "storage_jobs": [
            {"name": job.name, "state": job.state, "percent": job.percent}
            for job in (cluster.storage_jobs if s2d else ())
        ]
        if jobs
        else None,
        "replicas": [{"name": one.name, "status": one.status} for one in node.replicas] if replicas else None,
        "shadow_copies": shadow_list(world, node) if able["node.shadow_copies"] else None,
        "affinity_rules": [
            {"name": rule.name, "type": rule.type, "groups": list(rule.groups), "enabled": rule.enabled}
            for rule in (world.affinity_rules if int(node.build.split(".")[2]) >= RULES_SINCE else ())
        ]
        if able["node.affinity_rules"]
        else None,
        "threshold": cluster.move_type_threshold if able["node.threshold"] else None,
        "balancer": cluster.balancer if able["node.cluster"] else None,
    }
