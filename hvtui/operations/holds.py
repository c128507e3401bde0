"""HOLD: a VM that must not be moved, restarted, checkpointed or merged now, nor VMMS restarted on its node.

What could not be read holds as well. Source: peers.md §0 and §B 28–36; windows.md §1.5 (Locked), §2.1, §3.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from hvtui.model.activity import MIGRATIONS
from hvtui.model.conditions import RUNNING_JOBS
from hvtui.model.enums import (
    GroupStatus,
    JobType,
    OperationalStatus,
)
from hvtui.model.records import Role, Vm
from hvtui.model.state import NodeView
from hvtui.operations.backup_state import Answer, backup_state, running_jobs
from hvtui.operations.facts import Facts
from hvtui.operations.plan import Refusal, Target

_BUSY: Final = {
    OperationalStatus.CreatingSnapshot: "a checkpoint is being created",
    OperationalStatus.ApplyingSnapshot: "a checkpoint is being applied",
    OperationalStatus.DeletingSnapshot: "a checkpoint is being deleted",
    OperationalStatus.MergingDisks: "its disks are being merged",
    OperationalStatus.ExportingVirtualMachine: "it is being exported",
    OperationalStatus.MigratingVirtualMachine: "it is being migrated",
    OperationalStatus.BackingUpVirtualMachine: "it is being backed up",
    OperationalStatus.StorageMigrationPhaseOne: "its storage is being migrated",
    OperationalStatus.StorageMigrationPhaseTwo: "its storage is being migrated",
    OperationalStatus.MigratingPlannedVm: "it is being migrated",
}
_MIGRATION_JOBS: Final = frozenset(range(JobType.MigrationCreateRemoteVm, JobType.MigrateStorage + 1)) | {
    JobType.Export
}


def vm_target(key: str, name: str) -> Target:
    """A VM as a plan names it."""
    return Target(kind="vm", id=key, name=name)


def holds_of(facts: Facts, key: str) -> tuple[Refusal, ...]:
    """Every HOLD on a VM, the ones nobody can lift first; empty when there is none and everything was read."""
    found = facts.state.vm(key)
    role = facts.state.role(key)
    if found is None:
        name = role.name if role is not None else key
        target = vm_target(key, name)
        hint = (
            "See its configuration resource in the cluster; when the VM is gone, remove the role or move it yourself."
        )
        return (_hold("unread", target, f"{name}: no node tells of this VM, so nothing is known of it", hint),)
    view, vm = found
    target = vm_target(key, vm.name)
    return (*_fork(facts, target), *_unread(view, vm, role, target), *_work(facts, view, vm, role, target))


def union(facts: Facts, keys: Iterable[str]) -> tuple[Refusal, ...]:
    """The HOLD set of a verb: that of every VM it moves, restarts, checkpoints or merges."""
    return tuple(refusal for key in dict.fromkeys(keys) for refusal in holds_of(facts, key))


def _hold(rule: str, target: Target, text: str, hint: str = "") -> Refusal:
    return Refusal(rule=rule, target=target, text=text, hint=hint, hold=True)


# --- fork-commit ---


def _fork(facts: Facts, target: Target) -> Iterator[Refusal]:
    """Signs in the log of any node count: the VM may have been elsewhere when it happened."""
    signs = facts.fork_signs.get(target.id, [])
    for node, why in facts.unsearched.items():
        text = f"{target.name}: the logs of {node} could not be searched for fork-commit signs{why}"
        yield _hold("fork-commit", target, text, f"Make the VMMS-Admin and Worker-Admin logs of {node} readable.")
    if not signs and not facts.down:
        return
    known = facts.vm(target.id)
    unmerged = known is None or known.chain is None or any(f.path.lower().endswith(".avhdx") for f in known.chain)
    for node in facts.down if unmerged else ():
        text = f"{target.name}: an AVHDX is not merged (or unread), and the logs of {node}, which is down, may hold why"
        yield _hold("fork-commit", target, text, f"Bring {node} back, or look for event 3216 in a copy of its log.")
    if not signs:
        return
    where = f"event {signs[0].id} of {signs[0].time:%Y-%m-%d %H:%M} UTC"
    if known is None or known.chain is None:
        text = f"{target.name}: fork-commit sign ({where}), and its disk chain could not be read"
    elif unmerged:
        text = f"{target.name}: a checkpoint's fork was not committed ({where}), and an AVHDX is not merged"
    else:
        return
    hint = "Do not move, restart or checkpoint it, nor restart VMMS on its node: that can destroy data. Ask Microsoft."
    yield _hold("fork-commit", target, text, hint)


# --- what could not be read ---


def _unread(view: NodeView, vm: Vm, role: Role | None, target: Target) -> Iterator[Refusal]:
    if not view.heard:
        yield _hold("unread", target, f"{vm.name}: {view.name} is not heard now ({view.link.status.value})")
    if view.jobs is None or view.problem("jobs") is not None:
        yield _hold("unread", target, f"{vm.name}: the jobs of {view.name} could not be read")
    if vm.op is None or view.problem("vms") is not None:
        yield _hold("unread", target, f"{vm.name}: its operational status could not be read")
    if role is not None and role.status is None:
        yield _hold("unread", target, f"{vm.name}: whether its role is locked could not be read")


# --- work that goes on ---


def _work(facts: Facts, view: NodeView, vm: Vm, role: Role | None, target: Target) -> Iterator[Refusal]:
    jobs = view.jobs_of.get(vm.id, ())
    breaking = list(running_jobs(jobs))
    for job in breaking:
        percent = "" if job.percent is None else f" at {job.percent}%"
        text = f"{vm.name}: {_word(job.type)} runs{percent}"
        yield _hold("job", target, text, "Wait until it has ended.")
    migrating = [job for job in jobs if job.state in RUNNING_JOBS and job.type in _MIGRATION_JOBS]
    if migrating or (role is not None and role.migration_state in MIGRATIONS):
        yield _hold("job", target, f"{vm.name}: it is being migrated", "Wait until it has ended, or cancel it.")
    # Left over by a backup that an operator said was stopped: these hold no more.
    settled = not breaking and _orphan_settled(facts, view)
    for number in (vm.op or ())[1:]:
        word = _BUSY.get(OperationalStatus(number)) if number in set(OperationalStatus) else None
        if word is None or (settled and number == OperationalStatus.BackingUpVirtualMachine):
            continue
        if not breaking and not (migrating and number == OperationalStatus.MigratingVirtualMachine):
            yield _hold("job", target, f"{vm.name}: {word} (status {number})", "Wait until it has ended.")
    if role is not None and (role.status or 0) & GroupStatus.Locked and not settled:
        hint = "A backup or export holds it: see the backup product. The lock goes when that ends."
        yield _hold("locked", target, f"{vm.name}: its role is locked against moves", hint)


def _orphan_settled(facts: Facts, view: NodeView) -> bool:
    if view.name not in facts.backup_stopped:
        return False
    state = backup_state(facts, view.name)
    return state.answer in {Answer.ORPHANED, Answer.IDLE}


def _word(kind: int) -> str:
    words = {
        JobType.MergeDisks: "a disk merge",
        JobType.GuestVssSnapshot: "a shadow copy inside the guest",
        JobType.Snapshot: "a checkpoint",
        JobType.ApplySnapshot: "applying a checkpoint",
        JobType.DeleteSnapshot: "deleting a checkpoint",
        JobType.Backup: "a backup",
        JobType.ConvertToReferencePoint: "a backup (reference point)",
        JobType.CreateReferencePoint: "a backup (reference point)",
        JobType.DeleteReferencePoint: "a backup (reference point)",
        JobType.ExportReferencePoint: "a backup (reference point)",
    }
    return words[JobType(kind)]
