"""What is being done to a VM at this moment, in a few words: migration, backup, merge, checkpoint."""

from __future__ import annotations

from typing import Final

import msgspec

from hvtui.model.conditions import RUNNING_JOBS
from hvtui.model.enums import GroupStatus, JobType, MigrationState, OperationalStatus
from hvtui.model.records import Job, Role, Vm

_JOBS: Final[dict[int, str]] = {
    JobType.Start: "starting",
    JobType.Save: "saving",
    JobType.Shutdown: "shutting down",
    JobType.MergeDisks: "merging",
    JobType.GuestVssSnapshot: "guest VSS",
    JobType.Export: "export",
    JobType.Snapshot: "checkpoint",
    JobType.ApplySnapshot: "applying checkpoint",
    JobType.DeleteSnapshot: "deleting checkpoint",
    JobType.Backup: "backup",
    JobType.ConvertToReferencePoint: "backup: reference point",
    JobType.CreateReferencePoint: "backup: reference point",
    JobType.DeleteReferencePoint: "backup: reference point",
    JobType.ExportReferencePoint: "backup: reference point",
    JobType.MigrationCreateRemoteVm: "migrating",
    JobType.MigrationCheck1: "migrating",
    JobType.MigrationCheck2: "migrating",
    JobType.MigrationCheck3: "migrating",
    JobType.MigrationCheck4: "migrating",
    JobType.MigrateVm: "migrating",
    JobType.MigrateVmAndStorage: "migrating with storage",
    JobType.MigrateStorage: "migrating storage",
}
_STATUS: Final[dict[int, str]] = {
    OperationalStatus.CreatingSnapshot: "checkpoint",
    OperationalStatus.ApplyingSnapshot: "applying checkpoint",
    OperationalStatus.DeletingSnapshot: "deleting checkpoint",
    OperationalStatus.WaitingToStart: "waiting to start",
    OperationalStatus.MergingDisks: "merging",
    OperationalStatus.ExportingVirtualMachine: "export",
    OperationalStatus.MigratingVirtualMachine: "migrating",
    OperationalStatus.BackingUpVirtualMachine: "backup",
    OperationalStatus.ModifyingUpVirtualMachine: "modifying",
    OperationalStatus.StorageMigrationPhaseOne: "migrating storage",
    OperationalStatus.StorageMigrationPhaseTwo: "migrating storage",
    OperationalStatus.MigratingPlannedVm: "migrating",
}
MIGRATIONS: Final = frozenset({MigrationState.Setup, MigrationState.DataTransfer, MigrationState.Move})
BACKUP_JOBS: Final = frozenset(
    {
        JobType.GuestVssSnapshot,
        JobType.Backup,
        JobType.ConvertToReferencePoint,
        JobType.CreateReferencePoint,
        JobType.ExportReferencePoint,
    }
)


class Activity(msgspec.Struct, frozen=True):
    """`text` for people; `percent` of the first job that tells one, `job` its id (empty: none), `type` its type."""

    text: str = ""
    percent: int | None = None
    job: str = ""
    type: int = 0


IDLE: Final = Activity()
SEPARATOR: Final = " · "
"""Between the parts of an activity's text."""


def activity_of(vm: Vm | None, jobs: tuple[Job, ...], role: Role | None) -> Activity:
    """What is being done to a VM, and the flags with which the cluster holds its role."""
    status = None if role is None else role.status
    moving = role is not None and role.migration_state in MIGRATIONS
    busy = vm is not None and vm.op is not None and len(vm.op) > 1
    if not jobs and not busy and not moving and not status:
        return IDLE
    parts: dict[str, str] = {}
    percent, job_id, job_type = None, "", 0
    for job in jobs:
        word = _JOBS.get(job.type) if job.state in RUNNING_JOBS else None
        if word is None:
            continue
        target = f" → {job.destination}" if job.destination else ""
        shown = "" if job.percent is None else f" {job.percent}%"
        parts.setdefault(word, f"{word}{target}{shown}")
        if percent is None:
            percent, job_id, job_type = job.percent, job.id, job.type
    if moving and role is not None and "migrating" not in parts:
        shown = "" if role.migration_percent is None else f" {role.migration_percent}%"
        parts["migrating"] = f"migrating{shown}"
        percent = role.migration_percent if percent is None else percent
    for number in (vm.op or ()) if vm is not None else ():
        word = _STATUS.get(number)
        if word is not None and not any(known.startswith(word) for known in parts):
            parts[word] = word
    texts = list(parts.values())
    if status:
        texts += [word for flag, word in _FLAGS if status & flag]
    return Activity(SEPARATOR.join(texts), percent, job_id, job_type)


_FLAGS: Final = (
    (GroupStatus.Queued, "queued"),
    (GroupStatus.Locked, "locked"),
    (GroupStatus.WaitingToStart, "waiting to start"),
    (GroupStatus.PhysicalResourcesLacking, "lacks resources"),
    (GroupStatus.WaitingForDependencies, "waits for dependencies"),
)
