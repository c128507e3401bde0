"""What one look at a VM says about a backup of it: which phase it is in, how far, and what else was seen.

Numbers only: job types, operational status and checkpoint types (windows.md §3.1, §10). A look that could not be made
is no look: the answer is None, and never *no backup*.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from hvtui.model.conditions import RUNNING_JOBS
from hvtui.model.enums import GroupStatus, JobState, JobType, OperationalStatus, SnapshotType, VmState
from hvtui.model.link import LinkStatus
from hvtui.model.records import Job, Vm
from hvtui.model.state import ClusterState, NodeView
from hvtui.window.records import Phase

_CONVERTING: Final = frozenset(
    {
        JobType.ConvertToReferencePoint,
        JobType.CreateReferencePoint,
        JobType.DeleteReferencePoint,
        JobType.ExportReferencePoint,
        JobType.DeleteSnapshot,
    }
)
_OF_BACKUP: Final = frozenset(
    {
        JobType.GuestVssSnapshot,
        JobType.Backup,
        JobType.ConvertToReferencePoint,
        JobType.CreateReferencePoint,
        JobType.DeleteReferencePoint,
        JobType.ExportReferencePoint,
    }
)
"""Jobs that only a backup starts; checkpoints and merges have other causes, too."""
KINDS: Final = _OF_BACKUP | {JobType.Snapshot, JobType.MergeDisks, JobType.DeleteSnapshot}
_BUSY: Final = frozenset(
    {
        OperationalStatus.CreatingSnapshot,
        OperationalStatus.DeletingSnapshot,
        OperationalStatus.MergingDisks,
        OperationalStatus.BackingUpVirtualMachine,
    }
)
_ENDED_BADLY: Final = frozenset({JobState.Exception, JobState.Killed, JobState.Terminated})
AT_REST: Final = frozenset({VmState.Off, VmState.Saved, VmState.SavedVendor})


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """One look at a VM. `phase` is None when nothing of a backup goes on.

    `quiet`: the phase is told by a standing Recovery checkpoint alone. `backup`: something was seen that only a backup
    does. `recovery` counts Recovery checkpoints, None when that was not read; `created` is the oldest one's time.
    """

    time: datetime
    node: str
    name: str
    phase: Phase | None = None
    quiet: bool = False
    backup: bool = False
    job: str = ""
    percent: int | None = None
    started: datetime | None = None
    """When the job behind the phase began."""
    guest: bool | None = None
    """The guest's shadow copy: True it was made, False it failed; None: no such job is known to have ended."""
    host: bool = False
    """A guest's shadow copy is made without a checkpoint of its VM: a backup through the host's writer."""
    made: bool = False
    """A checkpoint is being made, or a backup job of the VM runs: the 2016+ way."""
    failed: str = ""
    """A job of a backup that ended badly, in words."""
    recovery: int | None = None
    created: datetime | None = None
    saved: bool = False
    """The Recovery checkpoint holds memory."""
    state: int = 0
    locked: bool = False
    checkpoint_type: int | None = None
    last_backup: datetime | None = None


def plain(vm: Vm, view: NodeView) -> bool:
    """Nothing of a backup can be seen at a glance; most VMs, most of the time."""
    if vm.op is not None and len(vm.op) > 1:
        return False
    if vm.id in view.jobs_of:
        return False
    return not any(held.type == SnapshotType.Recovery for held in vm.checkpoints or ())


def look(state: ClusterState, key: str) -> Signs | None:
    """What can be seen of a VM now; None when it cannot be seen."""
    found = state.vm(key)
    if found is None:
        return None
    view, vm = found
    if view.link.status is not LinkStatus.LIVE or view.problem("vms") is not None or view.time is None:
        return None
    return signs_of(state, view, vm, view.time)


def signs_of(state: ClusterState, view: NodeView, vm: Vm, time: datetime) -> Signs:
    """The same for a VM and the node that lists it."""
    recovery = [held for held in vm.checkpoints or () if held.type == SnapshotType.Recovery]
    count = None if vm.checkpoints is None or view.problem("vms.checkpoints") else sum(one.count for one in recovery)
    jobs = [job for job in view.jobs_of.get(vm.id, ()) if job.type in KINDS]
    running = {job.type: job for job in reversed(jobs) if job.state in RUNNING_JOBS}
    busy = _BUSY.intersection(vm.op or ())
    role = state.role(vm.id)
    locked = role is not None and bool((role.status or 0) & GroupStatus.Locked)
    phase, job, quiet = _phase(running, busy, bool(recovery))
    failed = next((j for j in jobs if j.type in _OF_BACKUP and _bad(j)), None)
    own = {JobType.Snapshot, JobType.Backup} & running.keys()
    return Signs(
        time=time,
        node=view.name,
        name=vm.name,
        phase=phase,
        quiet=quiet,
        backup=bool(_OF_BACKUP & running.keys() or recovery or OperationalStatus.BackingUpVirtualMachine in busy),
        job="" if job is None else job.id,
        percent=None if job is None else job.percent,
        started=None if job is None else job.started,
        guest=_guest(jobs),
        host=JobType.GuestVssSnapshot in running and not own and OperationalStatus.CreatingSnapshot not in busy,
        made=bool(own) or OperationalStatus.CreatingSnapshot in busy,
        failed="" if failed is None else _words(failed),
        recovery=count,
        created=min((one.oldest for one in recovery if one.oldest is not None), default=None),
        saved=any(one.saved for one in recovery),
        state=vm.state,
        locked=locked,
        checkpoint_type=vm.checkpoint_type,
        last_backup=vm.last_backup,
    )


def _phase(
    running: dict[int, Job], busy: frozenset[OperationalStatus], recovery: bool
) -> tuple[Phase | None, Job | None, bool]:
    """The phase, the job that tells it, and whether only the standing checkpoint does; the latest in order wins."""
    merge = running.get(JobType.MergeDisks)
    if merge is not None or OperationalStatus.MergingDisks in busy:
        return Phase.MERGE, merge, False
    convert = next((job for kind, job in running.items() if kind in _CONVERTING), None)
    if convert is not None or OperationalStatus.DeletingSnapshot in busy:
        return Phase.CONVERT, convert, False
    guest = running.get(JobType.GuestVssSnapshot)
    if guest is not None:
        return Phase.FREEZE, guest, False
    snapshot = running.get(JobType.Snapshot)
    if snapshot is not None or OperationalStatus.CreatingSnapshot in busy:
        return Phase.CHECKPOINT, snapshot, False
    backup = running.get(JobType.Backup)
    if backup is not None or OperationalStatus.BackingUpVirtualMachine in busy:
        # Without a checkpoint to read from, a backup is still on its way to one.
        return (Phase.COPY if recovery else Phase.CHECKPOINT), backup, False
    return (Phase.COPY, None, True) if recovery else (None, None, False)


def _guest(jobs: list[Job]) -> bool | None:
    for job in jobs:
        if job.type == JobType.GuestVssSnapshot and job.state not in RUNNING_JOBS:
            return False if _bad(job) else True if job.state == JobState.Completed else None
    return None


def _bad(job: Job) -> bool:
    return job.state in _ENDED_BADLY or (job.state == JobState.Completed and bool(job.error))


def _words(job: Job) -> str:
    word = "guest VSS" if job.type == JobType.GuestVssSnapshot else "backup"
    code = job.error or 0
    told = str(code) if 0 < code < 2**16 else f"{code & 0xFFFFFFFF:#010x}"
    return f"the {word} job failed (error {told})" if code else f"the {word} job failed"
