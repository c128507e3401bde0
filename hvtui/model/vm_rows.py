"""A VM as one row: what its node, its role and its storage say of it together."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from hvtui.model.activity import IDLE, Activity, activity_of
from hvtui.model.conditions import is_critical
from hvtui.model.durations import job_key
from hvtui.model.enums import (
    CheckpointType,
    GroupState,
    JobState,
    JobType,
    MigrationState,
    SnapshotType,
    VmState,
    name_of,
)
from hvtui.model.placement import is_at_rest, short_path
from hvtui.model.records import CheckpointCount, Job, Role, Vm
from hvtui.model.severity import Severity, worst
from hvtui.model.views import problem_text

if TYPE_CHECKING:
    from hvtui.model.state import ClusterState
    from hvtui.model.views import NodeView

__all__ = ["VmRow", "checkpoint_text", "short_path", "state_name", "vm_row"]


class VmRow(msgspec.Struct, kw_only=True, frozen=True):
    """One VM. `?` and None stand for what could not be read.

    `name` is the VM's, `role` its cluster role's, empty when it has none. `csvs` are the last parts of the volumes'
    paths, `csv_ids` their ids. `off_owner` is a fact of place, `drift` says that it matters now (the VM is not at
    rest). `source` is the node whose data these are when they are not fresh: it is silent, or lists the VM no longer.
    `state_number` is Windows' number, None for a VM known by its role only.
    """

    FIELDS: ClassVar[dict[str, str]] = {
        "vm": "name",
        "name": "name",
        "role": "role",
        "id": "key",
        "state": "state",
        "node": "node",
        "host": "node",
        "csv": "csvs",
        "volume": "csvs",
        "owner": "owners",
        "drift": "drift",
        "off": "off_owner",
        "split": "split",
        "type": "checkpoint_type",
        "chk": "checkpoint_count",
        "checkpoints": "checkpoint_count",
        "recovery": "recovery_count",
        "activity": "activity",
        "percent": "percent",
        "cpu": "cpu",
        "mem": "memory_mb",
        "memory": "memory_mb",
        "clustered": "clustered",
        "stale": "source",
        "severity": "severity",
        "reason": "reasons",
    }

    key: str
    name: str
    role: str = ""
    state: str = "?"
    state_number: int | None = None
    severity: Severity = Severity.OK
    reasons: tuple[str, ...] = ()
    node: str = ""
    csvs: tuple[str, ...] = ()
    csv_ids: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    off_owner: bool | None = None
    drift: bool | None = None
    split: bool | None = None
    checkpoint_type: str = "?"
    checkpoints: str = "?"
    checkpoint_count: int | None = None
    recovery_count: int | None = None
    activity: str = ""
    percent: int | None = None
    job: str = ""
    cpu: int | None = None
    memory_mb: int | None = None
    started: datetime | None = None
    clustered: bool | None = None
    source: str = ""

    def words(self) -> Iterator[str]:
        """What a plain search word looks at."""
        yield self.name
        yield self.role
        yield self.state
        yield self.node
        yield from self.csvs
        yield self.activity
        yield self.checkpoint_type


_STATES: Final = {
    **{state.value: state.name for state in VmState},
    VmState.PausedVendor: "Paused",
    VmState.SavedVendor: "Saved",
    VmState.StartingVendor: "Starting",
    VmState.StoppingVendor: "Stopping",
}
_TYPES: Final = {kind.value: kind.name for kind in CheckpointType}
_LETTERS: Final[dict[int, str]] = {SnapshotType.Recovery: "R", SnapshotType.Standard: "S", SnapshotType.Planned: "P"}
_REPLICA: Final = frozenset({SnapshotType.Replica, SnapshotType.AppConsistentReplica, SnapshotType.SyncedReplica})


def state_name(vm: Vm) -> str:
    """The state as Get-VM spells it, with `Critical` when the VM's health is not OK."""
    name = _STATES.get(vm.state) or str(vm.state)
    return f"{name}Critical" if is_critical(vm) else name


def checkpoint_text(counts: list[CheckpointCount] | None) -> tuple[str, int | None, int | None]:
    """Such as `1R 2S` (Recovery, Standard, `V` replica, `M` missing), with the total and the Recovery ones."""
    if counts is None:
        return "?", None, None
    if not counts:
        return "0", 0, 0
    total = recovery = 0
    letters: dict[str, int] = {}
    for item in counts:
        letter = _LETTERS.get(item.type) or ("V" if item.type in _REPLICA else "M" if item.type == 5 else "?")
        letters[letter] = letters.get(letter, 0) + item.count
        total += item.count
        recovery += item.count if letter == "R" else 0
    text = " ".join(f"{letters[letter]}{letter}" for letter in "RSPVM?" if letters.get(letter))
    return text or "0", total, recovery


def vm_row(state: ClusterState, key: str) -> VmRow:
    """Everything shown of one VM; also for a key that is no longer there (the row then has no facts)."""
    role = state.role(key)
    home = state.home(key, role)
    found = state.vm(key, home)
    if found is None:
        return _role_row(state, key, role, home or "")
    view, vm = found
    placement = state.placements.place_at(state, key, state.files(key, view), home, is_at_rest(vm.state))
    fresh = view.name == home and view.all_read and key not in state.adrift
    jobs = view.jobs_of.get(key, ())
    busy = jobs or role is not None or (vm.op is not None and len(vm.op) > 1)
    activity = activity_of(vm, jobs, role) if busy else IDLE
    text, count, recovery = checkpoint_text(vm.checkpoints)
    load = view.vm_load.get(vm.slot)
    reasons = _reasons(state, vm, role, jobs)
    if placement.split:
        reasons.append((Severity.INFO, "on CSVs of different owners"))
    elif placement.drift:
        reasons.append((Severity.INFO, "runs off its CSV's owner"))
    if not fresh:
        reasons.append((Severity.UNKNOWN, f"last told by {view.name}"))
    severity, words = worst(reasons) if reasons else _FINE
    names = state.placements.names
    return VmRow(
        key=key,
        name=vm.name,
        role="" if role is None else role.name,
        state=state_name(vm),
        state_number=vm.state,
        severity=severity,
        reasons=words,
        node=home or "",
        csvs=tuple([names[csv] for csv in placement.csvs]) if placement.csvs else (),
        csv_ids=placement.csvs,
        owners=placement.owners,
        elsewhere=placement.elsewhere,
        off_owner=placement.off_owner,
        drift=placement.drift,
        split=placement.split,
        checkpoint_type="?"
        if vm.checkpoint_type is None
        else _TYPES.get(vm.checkpoint_type) or str(vm.checkpoint_type),
        checkpoints=text,
        checkpoint_count=count,
        recovery_count=recovery,
        activity=activity.text + _stalled(state, view, activity),
        percent=activity.percent,
        job=activity.job,
        cpu=None if load is None else load[0],
        memory_mb=None if load is None else load[1],
        started=vm.started,
        clustered=True if role is not None else None if state.cluster.roles is None else False,
        source="" if fresh else view.name,
    )


_FINE: Final[tuple[Severity, tuple[str, ...]]] = (Severity.OK, ())


def _stalled(state: ClusterState, view: NodeView, activity: Activity) -> str:
    """How long a job stands at its percentage, when that is longer than it should."""
    if not activity.job:
        return ""
    key = job_key(view.name, activity.job)
    stands = state.history.seconds(state, key)
    if stands < STALLED.get(activity.type, _STALLED):
        return ""
    return f" · stalled {state.history.short(state, key)}"


STALLED: Final[dict[int, float]] = {JobType.GuestVssSnapshot: 300.0, JobType.Snapshot: 300.0}
"""Seconds after which a job at one percentage counts as stalled: the guest's freeze lasts a minute at most."""
_STALLED: Final = 900.0


def _role_row(state: ClusterState, key: str, role: Role | None, home: str) -> VmRow:
    """A VM of which only the cluster's role is known: its node was never read, or does not list it."""
    if role is None:
        return VmRow(key=key, name=key, severity=Severity.UNKNOWN, reasons=("gone",))
    view = state.nodes.get(home)
    read = view is not None and view.heard and view.vms is not None
    reason = f"not registered on {home}" if read else _unread(view, home)
    severity = Severity.BAD if role.state == GroupState.Failed else Severity.WARN if read else Severity.UNKNOWN
    if read and role.state == GroupState.Offline:
        severity = Severity.INFO
    return VmRow(
        key=key,
        name=role.name,
        role=role.name,
        state=f"role {name_of(GroupState, role.state)}",
        severity=severity,
        reasons=(reason,),
        node=home,
        activity=activity_of(None, (), role).text,
        percent=role.migration_percent if role.migration_state in (1, 2, 3) else None,
        clustered=True,
        source=home,
    )


def _unread(view: NodeView | None, home: str) -> str:
    problem = None if view is None else view.problem("vms")
    return f"{home}: {problem_text(problem)}" if problem is not None else f"{home or 'its node'} is not read"


def _reasons(state: ClusterState, vm: Vm, role: Role | None, jobs: tuple[Job, ...]) -> list[tuple[Severity, str]]:
    reasons: list[tuple[Severity, str]] = []
    failed = state.events.backup_failed.get(vm.id)
    if failed is not None and (vm.last_backup is None or vm.last_backup < failed.event.time):
        reasons.append((Severity.WARN, f"backup failed (event {failed.event.id})"))
    if vm.id in state.fallbacks.standing:
        time = state.fallbacks.standing[vm.id].time
        reasons.append((Severity.WARN, f"a checkpoint fell back to one with memory ({time:%Y-%m-%d %H:%M} UTC)"))
    if is_critical(vm):
        reasons.append((Severity.BAD, "critical"))
    elif vm.state in (VmState.Paused, VmState.PausedVendor):
        reasons.append((Severity.WARN, "paused"))
    if role is not None:
        if role.state == GroupState.Failed:
            reasons.append((Severity.BAD, "role failed"))
        if role.migration_state == MigrationState.Failure:
            reasons.append((Severity.WARN, "last migration failed"))
    if jobs and any(job.state in _FAILED_JOBS for job in jobs):
        reasons.append((Severity.WARN, "a job failed"))
    return reasons


_FAILED_JOBS: Final = frozenset({JobState.Exception, JobState.Killed, JobState.Terminated})
