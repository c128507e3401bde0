"""What a change does to those it should not touch; each entry is for the ledger."""

from __future__ import annotations

from typing import Final

from hvtui.lab.world import events
from hvtui.lab.world.cluster_facts import IN_SYNC
from hvtui.lab.world.command_log import Asked
from hvtui.lab.world.node import Node
from hvtui.lab.world.operations import drop_layer, end_job
from hvtui.lab.world.placement import SAME, conflict, io_there
from hvtui.lab.world.vm import Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import CsvIoState, JobType, NodeState, ResourceState

_BACKUP_JOBS: Final = frozenset(
    {
        JobType.Backup, JobType.GuestVssSnapshot, JobType.Snapshot, JobType.ConvertToReferencePoint,
        JobType.CreateReferencePoint, JobType.DeleteReferencePoint, JobType.ExportReferencePoint,
    }
)  # fmt: skip
_TOGETHER: Final = 600.0
"""Seconds after which roles that belong together must be so again."""


def spoil(world: World, vm: Vm, why: str) -> None:
    """A VM whose checkpoint's fork was not committed is read anew: its chain ends at the old file (peers.md §0)."""
    if vm.fork_commit:
        vm.fork_commit = False
        drop_layer(world, vm)
        vm.touch()
        world.ledger.note(world.elapsed, "data_lost", vm.name, why)


def disturb(world: World, vm: Vm, why: str) -> None:
    """A VM leaves its host: a merge there has to begin again, a backup there does not get to its end (§7, §10)."""
    node = vm.node
    for job in [job for job in node.running_jobs() if job.vm == vm.id]:
        if job.type == JobType.MergeDisks:
            interrupt_merge(world, node, vm, why)
            end_job(world, job, error=32768)
        elif job.type in _BACKUP_JOBS:
            world.ledger.note(world.elapsed, "backup_broken", vm.name, why)
            end_job(world, job, error=32768)
    backup = world.backups.get(node.name)
    if backup is not None and backup.leave(vm):
        world.ledger.note(world.elapsed, "backup_broken", vm.name, f"{why}, in the middle of the backup of {node.name}")


def interrupt_merge(world: World, node: Node, vm: Vm, why: str) -> None:
    """A merge stops; it is taken up again later."""
    events.emit(world, node, events.VMMS, 19090, vm=vm)
    world.ledger.note(world.elapsed, "merge_interrupted", vm.name, why)


def settle(world: World, vm: Vm, asked: Asked | None) -> None:
    """A VM is on a host it was brought to: can it work there, and does it break a rule?"""
    role, node = vm.role, vm.node
    there = io_there(world, vm, node)
    if there in {CsvIoState.Unavailable, CsvIoState.Paused}:
        world.ledger.note(world.elapsed, "io_lost", vm.name, f"{node.name} has no access to its volume")
    elif there == CsvIoState.BlockRedirected:
        world.ledger.note(world.elapsed, "io_slowed", vm.name, f"{node.name} has no direct path to its volume")
    if role is None or asked is None:
        # Where nothing else is left the cluster itself puts together what it should keep apart; that is its decision.
        return
    clash = conflict(world, role, node)
    if clash is None:
        return
    if any(rule.name in clash.name and rule.type in SAME for rule in world.affinity_rules):
        world.scheduler.after(_TOGETHER, lambda: _apart(world, vm))
        return
    world.ledger.note(world.elapsed, "anti_affinity_broken", vm.name, f"{clash.name} on {node.name}")


def _apart(world: World, vm: Vm) -> None:
    clash = conflict(world, vm.role, vm.node) if vm.role is not None else None
    if clash is not None:
        world.ledger.note(world.elapsed, "anti_affinity_broken", vm.name, f"{clash.name} on {vm.node.name}")


def pausing(world: World, node: Node) -> None:
    """What pausing one more node costs the cluster (windows.md §1.11; peers.md §B 47, 67)."""
    others = [other for other in world.nodes.values() if other is not node]
    if any(other.up for other in others):
        _votes(world, node)
    else:
        world.ledger.note(world.elapsed, "no_node_up", node.name, "no node is left that takes roles")
    facts = world.cluster
    whole = all(other.up for other in others) and not facts.storage_jobs
    for disk in facts.virtual_disks if facts.s2d else ():
        if disk.health or not whole:
            disk.health = 2
            world.ledger.note(world.elapsed, "storage_lost", disk.name, f"{node.name} paused while it was not whole")
    for replica in node.replicas:
        if replica.status not in IN_SYNC:
            world.ledger.note(world.elapsed, "replica_lost", replica.name, f"{node.name} paused while it was behind")


def _votes(world: World, node: Node) -> None:
    """The votes that are left when the paused node is restarted, and when another one fails at that time."""
    facts = world.cluster
    others = [other.dynamic_weight for other in world.nodes.values() if other is not node and other.up]
    votes = sum(other.dynamic_weight for other in world.nodes.values() if other.state != NodeState.Down)
    witness = facts.witness_weight if facts.witness else 0
    there = witness if facts.witness_state == ResourceState.Online else 0
    votes += witness
    left = sum(others) + there
    complete = len(others) == len(world.nodes) - 1 and (there == witness or not facts.witness)
    if left * 2 <= votes:
        world.ledger.note(world.elapsed, "quorum_lost", node.name, f"the rest has {left} of {votes} votes")
    elif not complete and (left - max(others)) * 2 <= votes:
        text = f"the rest has {left} of {votes} votes, one fewer stops the cluster"
        world.ledger.note(world.elapsed, "no_reserve", node.name, text)


def break_jobs(world: World, node: Node, why: str) -> None:
    """VMMS ends: what runs inside it does not get to its end, and nobody watches over VMs that run (windows.md §7)."""
    alone = sum(1 for vm in node.vms.values() if vm.running and vm.role is not None)
    if alone:
        world.ledger.note(world.elapsed, "vmms_undrained", node.name, f"{why} under {alone} clustered VMs that run")
    for job in node.running_jobs():
        vm = world.vms[job.vm]
        if job.type == JobType.MergeDisks:
            interrupt_merge(world, node, vm, why)
        elif job.kind == "migration":
            world.ledger.note(world.elapsed, "migration_broken", vm.name, why)
        else:
            world.ledger.note(world.elapsed, "backup_broken", vm.name, why)
        end_job(world, job, error=32768)
    for role in [world.roles[key] for key, (_, target) in world.migrating.items() if target is node]:
        if role.migration is not None and role.migration.running:
            world.ledger.note(world.elapsed, "migration_broken", role.vm.name, why)
            end_job(world, role.migration, error=32768)
    backup = world.backups.get(node.name)
    if backup is not None and backup.running:
        world.ledger.note(world.elapsed, "backup_broken", node.name, f"{why}, in the middle of its backup")
    for vm in list(node.vms.values()):
        spoil(world, vm, why)
