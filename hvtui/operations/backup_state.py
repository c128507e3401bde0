"""Whether a backup runs on a node: one question with its evidence, asked before anything a backup forbids.

Running wins over all else: an error of a writer may belong to the run before. A quiet 2016+ backup that only copies
leaves the same signs as an orphaned one, and nothing readable tells them apart: a person has to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

from hvtui.model.activity import BACKUP_JOBS
from hvtui.model.conditions import RUNNING_JOBS
from hvtui.model.enums import BackupState as CsvBackup
from hvtui.model.enums import GroupStatus, JobType, OperationalStatus, SnapshotType
from hvtui.model.placement import place, short_path
from hvtui.model.records import Job, Vm
from hvtui.model.state import ClusterState, NodeView
from hvtui.model.writer_catalog import BACKUP_COMPLETE
from hvtui.operations.facts import Facts, Leftover

QUIET: Final = timedelta(minutes=15)
"""How long a node must have shown no sign of a running backup before leftovers count as orphaned."""
JUST_READ: Final = 60.0
"""Seconds for which a snapshot state that was read counts as going on."""
WRITERS_FRESH: Final = 180.0
"""Seconds after which a read of the writers says nothing of now."""

FORBIDDEN_JOBS: Final = BACKUP_JOBS | {
    JobType.MergeDisks,
    JobType.Snapshot,
    JobType.ApplySnapshot,
    JobType.DeleteSnapshot,
    JobType.DeleteReferencePoint,
}
"""Backup, checkpoint, convert and merge jobs (windows.md §3.1)."""
SIGN_EVENTS: Final = frozenset({10102, 10103, 10104, 10107, 10150, 10172, 10173, 18012, 18014, 18016, 19070, 19080})
"""VMMS-Admin events that a backup or checkpoint leaves behind while it works (windows.md §5.3)."""
_FREEZING: Final = frozenset({2, 3, 4})


class Answer(StrEnum):
    """What can be said of a node."""

    RUNNING = "running"
    ORPHANED = "orphaned, likely"
    UNKNOWN = "unknown"
    IDLE = "idle"


class BackupState(msgspec.Struct, frozen=True, kw_only=True):
    """The answer and why. `left` are minutes until leftovers may count as orphaned; `confirmed` who said it stopped."""

    answer: Answer
    evidence: tuple[str, ...] = ()
    left: int = 0
    confirmed: str = ""

    @property
    def forbids(self) -> bool:
        """Nothing that a backup forbids may be done."""
        if self.answer is Answer.ORPHANED:
            return not self.confirmed
        return self.answer is not Answer.IDLE


@dataclass(slots=True)
class BackupSigns:
    """When each node last showed a sign of a running backup; fed with every change of the state.

    Times are those of the client's monotonic clock, in seconds.
    """

    _watched: dict[str, float] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)

    def observe(self, state: ClusterState, monotonic: float) -> list[str]:
        """Look at every node that is heard; one that is not must be watched anew. Gives back those that show a sign."""
        found = []
        for name, view in state.nodes.items():
            if not view.heard or view.jobs is None:
                self._watched.pop(name, None)
                continue
            self._watched.setdefault(name, monotonic)
            if next(_live_signs(state, view), None) is not None or _freezes_now(view, monotonic):
                self._last[name] = monotonic
                found.append(name)
        return found

    def quiet(self, state: ClusterState, name: str, monotonic: float) -> timedelta:
        """How long the node is known to be quiet. Events that were read back count, for and against."""
        view = state.nodes.get(name)
        now = view.link.node_now(monotonic) if view is not None else None
        if now is None or name not in self._watched:
            return timedelta(0)
        watched = timedelta(seconds=monotonic - self._watched[name])
        read_back = _events_reach(state, name, now)
        known = max(watched, read_back)
        if name in self._last:
            known = min(known, timedelta(seconds=monotonic - self._last[name]))
        for event in state.events.of(SIGN_EVENTS, since=now - QUIET):
            if event.node.lower() == name.lower():
                known = min(known, now - event.event.time)
        return max(known, timedelta(0))


def still_said(state: ClusterState, said: Leftover) -> bool:
    """No event tells of a backup or checkpoint after a person said that the node's job was stopped."""
    later = state.events.of(SIGN_EVENTS, since=said.time)
    return all(event.node.lower() != said.node.lower() for event in later)


_VMMS_LOG: Final = "Microsoft-Windows-Hyper-V-VMMS-Admin"


def _events_reach(state: ClusterState, name: str, now: datetime) -> timedelta:
    """How much of the past the node's VMMS log, as it was read, speaks for."""
    if state.events.read_at(name) is None or state.events.error(name, _VMMS_LOG):
        return timedelta(0)
    oldest, wrapped = state.events.coverage(name, _VMMS_LOG)
    if wrapped and oldest is not None:
        return max(timedelta(0), now - oldest)
    return QUIET


def backup_state(facts: Facts, node: str) -> BackupState:
    """The state of backups on a node and its CSVs, with the evidence for it."""
    state = facts.state
    view = state.nodes.get(node)
    if view is None:
        return BackupState(answer=Answer.UNKNOWN, evidence=(f"{node} is not watched",))
    signs = [*_live_signs(state, view), *_freezing(view), *_shadow_copies(facts, view)]
    if signs:
        return BackupState(answer=Answer.RUNNING, evidence=tuple(signs))
    unread = tuple(_unread(facts, view))
    if unread:
        return BackupState(answer=Answer.UNKNOWN, evidence=unread)
    leftovers = tuple(_leftovers(state, view))
    if not leftovers:
        return BackupState(answer=Answer.IDLE)
    quiet = facts.quiet.get(node, timedelta(0))
    if quiet < QUIET:
        left = -int(-(QUIET - quiet).total_seconds() // 60)
        text = f"quiet for {int(quiet.total_seconds() // 60)} min only; {left} min more are needed"
        return BackupState(answer=Answer.UNKNOWN, evidence=(*leftovers, text), left=left)
    said = facts.backup_stopped.get(node)
    confirmed = f"{said.by} at {said.time:%H:%M:%S} UTC" if said is not None else ""
    return BackupState(answer=Answer.ORPHANED, evidence=leftovers, confirmed=confirmed)


def running_jobs(jobs: Iterable[Job]) -> Iterator[Job]:
    """Jobs that a move, a checkpoint or a restart of VMMS would break."""
    return (job for job in jobs if job.state in RUNNING_JOBS and job.type in FORBIDDEN_JOBS)


def _live_signs(state: ClusterState, view: NodeView) -> Iterator[str]:
    """What the streams show of a running backup."""
    for job in running_jobs((view.jobs or {}).values()):
        name = _name(view, job.vm)
        percent = "" if job.percent is None else f" at {job.percent}%"
        yield f"{_job_word(job.type)} of {name} runs{percent}"
    csvs = state.cluster.csvs or {}
    # Which volumes a node's VMs are on is asked only then: it is looked at with every change of 8,000 VMs.
    for csv in _volumes(state, view) if any(csv.backup == CsvBackup.InProgress for csv in csvs.values()) else ():
        record = csvs[csv]
        if record.backup == CsvBackup.InProgress:
            yield f"{short_path(record.path)}: a backup is in progress (BackupState 1)"


def _freezes_now(view: NodeView, monotonic: float) -> bool:
    """A writer was in the middle of a snapshot when it was read, and that was just now."""
    read_at = view.writers.read_at if view.writers is not None else None
    return read_at is not None and monotonic - read_at < JUST_READ and next(_freezing(view), None) is not None


def _freezing(view: NodeView) -> Iterator[str]:
    for writer in view.writers.writers if view.writers is not None else ():
        if writer.code in _FREEZING:
            yield f"writer {writer.name} is at [{writer.code}]"


def _shadow_copies(facts: Facts, view: NodeView) -> Iterator[str]:
    answer = facts.preflight.get(view.name)
    if answer is None or answer.node is None:
        return
    for copy in answer.node.shadow_copies or ():
        if copy.created is not None and answer.time - copy.created < timedelta(seconds=facts.limits.window):
            yield f"a shadow copy of {copy.created:%H:%M:%S} UTC exists ({copy.id[:8]})"


def _unread(facts: Facts, view: NodeView) -> Iterator[str]:
    state = facts.state
    if view.link.stale(facts.monotonic):
        yield f"{view.name} is not heard now ({view.link.status.value})"
    if view.jobs is None or view.problem("jobs") is not None:
        yield "its jobs could not be read"
    if view.vms is None or view.problem("vms") is not None:
        yield "its VMs could not be read"
    if state.cluster.csvs is None or state.cluster.problem("csvs") is not None:
        yield "the CSVs could not be read"
    for csv in _volumes(state, view):
        record = (state.cluster.csvs or {})[csv]
        if record.backup is None:
            yield f"{short_path(record.path)}: BackupState could not be read"
    answer = facts.preflight.get(view.name)
    if answer is None or answer.node is None or answer.node.shadow_copies is None:
        yield "shadow copies could not be read"
    writers = view.writers
    if writers is None or writers.reading or writers.failure or writers.unreadable or writers.read_at is None:
        yield f"the VSS writers could not be read{f': {writers.failure}' if writers and writers.failure else ''}"
    elif facts.monotonic - writers.read_at > WRITERS_FRESH:
        yield f"the VSS writers were read {int((facts.monotonic - writers.read_at) // 60)} min ago"


def _leftovers(state: ClusterState, view: NodeView) -> Iterator[str]:
    """Signs of a backup that may have been left behind."""
    for writer in view.writers.writers if view.writers is not None else ():
        if writer.code == BACKUP_COMPLETE:
            error = f", {writer.error_text}" if writer.error_kind != "none" else ""
            yield f"writer {writer.name} waits for completion [5]{error}"
    for vm in (view.vms or {}).values():
        for held in vm.checkpoints or ():
            if held.type == SnapshotType.Recovery:
                yield f"{vm.name} has a Recovery checkpoint"
        if OperationalStatus.BackingUpVirtualMachine in (vm.op or ()):
            yield f"{vm.name} is marked as being backed up, without a job"
        role = state.role(vm.id)
        if role is not None and (role.status or 0) & GroupStatus.Locked:
            yield f"the role of {vm.name} is locked, without a job"


def _volumes(state: ClusterState, view: NodeView) -> list[str]:
    """CSVs that the node owns or has VMs on."""
    csvs = state.cluster.csvs or {}
    owned = [key for key, csv in csvs.items() if csv.owner is not None and csv.owner.lower() == view.name.lower()]
    used = [csv for vm in view.vms or () for csv in place(state, vm).csvs]
    return [key for key in dict.fromkeys((*owned, *used)) if key in csvs]


def _name(view: NodeView, key: str | None) -> str:
    vm: Vm | None = (view.vms or {}).get(key or "")
    return vm.name if vm is not None else "a VM"


def _job_word(kind: int) -> str:
    words = {JobType.MergeDisks: "a disk merge", JobType.Snapshot: "a checkpoint", JobType.Backup: "a backup"}
    try:
        return words.get(JobType(kind)) or f"a job ({JobType(kind).name})"
    except ValueError:
        return f"a job of type {kind}"
