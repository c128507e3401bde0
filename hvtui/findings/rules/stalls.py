"""Backups that stand still, last for hours, or stop a VM (windows.md §10.1, §10.3; peers.md §B 34)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from hvtui.findings.chains import stamp
from hvtui.findings.finding import Evidence, Finding, Sure
from hvtui.findings.look import Look
from hvtui.findings.memory import VmSeen
from hvtui.findings.rules import rule
from hvtui.model.conditions import RUNNING_JOBS
from hvtui.model.enums import GroupStatus, IntegrationStatus, JobType, OperationalStatus, VmState, name_of
from hvtui.model.records import Vm
from hvtui.model.severity import Severity
from hvtui.model.state import NodeView
from hvtui.model.writer_catalog import HYPER_V

_DAY: Final = timedelta(hours=24)
_LOCKED: Final = 1071
_LONG: Final = timedelta(hours=4)
"""A backup that marks a VM for longer is worth a question; within a window, for longer than a window usually is."""
_LONG_IN_WINDOW: Final = timedelta(hours=12)
_FREEZE_LONG: Final = 180.0
_FREEZE_TOO_LONG: Final = 300.0
"""Seconds at one percentage after which a guest's freeze counts as stalled (windows.md §10.3: 3 to 5 min)."""
_STANDS: Final = 900.0
_FREEZE_JOBS: Final = frozenset({JobType.GuestVssSnapshot, JobType.Snapshot})
_BACKUP_JOBS: Final = frozenset({JobType.Backup, JobType.ExportReferencePoint})
_SAVED: Final = frozenset({VmState.Saved, VmState.SavedVendor})
_BEFORE: Final = frozenset({VmState.Running, VmState.Saving, VmState.Snapshotting})
_SLACK: Final = timedelta(minutes=2)
_BRIEF: Final = timedelta(minutes=15)
"""A VM that a backup saved for its snapshot runs again after it."""
_ASKED: Final = frozenset({2, 3, 4, 5})
"""States of a writer in the middle of a backup."""


@rule("guest-freeze-stalls", per="vm")
def guest_freeze_stalls(look: Look, key: str) -> Iterator[Finding]:
    """The job of a guest's shadow copy, or of a checkpoint, stays at one percentage (windows.md §10.3)."""
    found = look.vm(key)
    if found is None:
        return
    view, vm = found
    longest, percent, began = 0.0, None, None
    for job in view.jobs_of.get(key, ()):
        if job.type in _FREEZE_JOBS and job.state in RUNNING_JOBS:
            stands = look.memory.job_stands(view.name, job.id) or 0.0
            if stands >= longest:
                longest, percent, began = stands, job.percent, job.started
            look.again(timedelta(seconds=max(5.0, _FREEZE_LONG - stands)))
    if longest < _FREEZE_LONG:
        return
    target, minutes = look.vm_target(key), longest / 60
    evidence = [look.read(f"at {percent}% for {minutes:.0f} min or more", key, "job")]
    marked = not {OperationalStatus.CreatingSnapshot, OperationalStatus.BackingUpVirtualMachine}.isdisjoint(vm.op or ())
    if marked:
        evidence.append(look.read(f"operational status {(vm.op or [0])[-1]}", key, "VM"))
    yield look.make(
        "guest-freeze-stalls",
        target,
        f"{target.name}: its guest freezes since {minutes:.0f} min at {percent}%",
        sure=Sure.LIKELY if marked and longest >= _FREEZE_TOO_LONG else Sure.POSSIBLE,
        evidence=evidence,
        vms=[target],
        since=began,
    )


@rule("backing-up-for-hours", per="vm", ids=(_LOCKED,))
def backing_up_for_hours(look: Look, key: str) -> Iterator[Finding]:
    """Marked as being backed up for hours, and held against moves: two signs at least (34)."""
    found = look.vm(key)
    if found is None:
        return
    view, _ = found
    began, now = _backup_began(look, key), look.now(view.name)
    if began is None or now is None:
        return
    least = _LONG_IN_WINDOW if look.in_window(view.name) else _LONG
    if now - began < least:
        look.again(least - (now - began))
        return
    target, role = look.vm_target(key), look.role(key)
    signs = [look.read(f"being backed up since {stamp(began)} or earlier", key, "VM and jobs")]
    if role is not None and (role.status or 0) & GroupStatus.Locked:
        signs.append(look.read(f"the role {role.name} is locked", "", "role"))
    refused = [
        item for item in look.events((_LOCKED,), vm=key, source="cluster", since=_DAY) if item.event.time >= began
    ]
    signs += [look.evidence(item) for item in refused[:1]]
    for job in view.jobs_of.get(key, ()):
        stands = look.memory.job_stands(view.name, job.id) if job.type in _BACKUP_JOBS else None
        if stands is not None and stands >= _STANDS and job.state in RUNNING_JOBS:
            signs.append(look.read(f"the backup job stands at {job.percent}% for {stands / 60:.0f} min", key, "job"))
    if len(signs) < 2:
        return
    yield look.make(
        "backing-up-for-hours",
        target,
        f"{target.name}: being backed up since {stamp(began)}; it can be neither moved nor changed",
        sure=Sure.CERTAIN if len(signs) > 2 else Sure.LIKELY,
        evidence=signs,
        vms=[target],
        since=began,
    )


def _backup_began(look: Look, key: str) -> datetime | None:
    """When what still marks the VM as being backed up began, as far as that was seen."""
    marked = look.memory.busy_since(key, OperationalStatus.BackingUpVirtualMachine)
    started = [
        job.started
        for job in look.jobs(key)
        if job.type in _BACKUP_JOBS and job.state in RUNNING_JOBS and job.started is not None
    ]
    return min([*started, *([marked] if marked is not None else [])], default=None)


# --- an outage ---


@rule("vm-saved-in-backup", per="vm")
def vm_saved_in_backup(look: Look, key: str) -> Iterator[Finding]:
    """A VM that ran was saved while a backup of its host ran: it lacks what a shadow copy inside it needs (§10.1)."""
    found = look.vm(key)
    if found is None:
        return
    view, vm = found
    saved = _saved(look, key, view)
    backup = _backup_then(look, key, saved) if saved is not None else None
    if saved is None or backup is None:
        return
    states = [one for one in look.memory.vm_states(key) if one.time > saved.time]
    back = next((one.time for one in states if one.state == VmState.Running), None)
    missing = _missing(look, key, vm)
    brief = back is not None and back - saved.time <= _BRIEF
    if not missing and not brief:
        return  # somebody may have saved it
    target = look.vm_target(key)
    text = f"was saved at {stamp(saved.time)}"
    evidence = [
        Evidence(text=text, node=saved.node, time=saved.time, source="state, as hvtui saw it"),
        backup,
        *missing,
    ]
    if back is not None:
        evidence.append(Evidence(text="ran again", node=view.name, time=back, source="state, as hvtui saw it"))
    still = back is None and vm.state in _SAVED
    yield look.make(
        "vm-saved-in-backup",
        target,
        f"{target.name} {text} by a backup, {'and still is' if still else 'an outage'}"
        + (f": {missing[0].text}" if missing else ""),
        sure=Sure.CERTAIN if missing and brief else Sure.LIKELY,
        evidence=evidence,
        vms=[target],
        since=saved.time,
        severity=Severity.BAD if still else None,
    )


def _saved(look: Look, key: str, view: NodeView) -> VmSeen | None:
    """When it was last saved while it ran, on the node where it is; a VM that moved was saved for the move."""
    now = look.now(view.name)
    for one in reversed(look.memory.vm_states(key)):
        if one.state in _SAVED and one.before in _BEFORE:
            return one if one.node == view.name and now is not None and now - one.time <= _DAY else None
    return None


def _backup_then(look: Look, key: str, saved: VmSeen) -> Evidence | None:
    """What says that a backup through the host's writers ran at that moment."""
    for seen in reversed(look.memory.writers(saved.node, HYPER_V)):
        if seen.time <= saved.time + _SLACK:
            if seen.code in _ASKED and saved.time - seen.time <= _BRIEF:
                text = f"the Hyper-V writer was at [{seen.code}]"
                return Evidence(text=text, node=saved.node, time=seen.time, source="writers")
            break
    shift = _shift(look, saved.node)
    for csv in look.place(key).csvs:
        span = look.memory.backup_span(csv)
        if span is not None and span[0] - _SLACK <= saved.time - shift <= span[1] + _SLACK:
            text = f"{look.csv_target(csv).name}: a backup was in progress (BackupState 1)"
            return Evidence(text=text, time=span[0], source="CSV state")
    return None


def _shift(look: Look, node: str) -> timedelta:
    """How far the clock of a node is ahead of the cluster stream's."""
    view = look.node(node)
    ahead = view.link.offset if view is not None else None
    cluster = look.state.cluster.link.offset
    return ahead - cluster if ahead is not None and cluster is not None else timedelta(0)


def _missing(look: Look, key: str, vm: Vm) -> list[Evidence]:
    """Preconditions of a shadow copy inside the guest that are not met (windows.md §10.1 step 2)."""
    found = []
    if vm.vss_enabled is False:
        found.append(look.read("its integration service for backup is switched off", key, "VM"))
    elif vm.vss is not None and vm.vss not in (IntegrationStatus.Ok, IntegrationStatus.Degraded):
        text = f"its integration service for backup does not answer ({name_of(IntegrationStatus, vm.vss)})"
        found.append(look.read(text, key, "VM"))
    files, index = look.state.files(key), look.state.placements.index(look.state)
    if files is not None and index is not None and files.checkpoints and files.disks:
        there = index.find(files.checkpoints)
        disks = {index.find(path) for path in files.disks}
        if there is not None and there not in disks:
            name = look.csv_target(there).name
            found.append(look.read(f"its checkpoints go to {name}, where none of its disks is", key, "VM files"))
    for path in files.disks or () if files is not None else ():
        if path[1:3] != ":\\" and not path.startswith("\\\\"):
            found.append(look.read(f"a physical disk is attached: {path[:60]}", key, "VM files"))
    return found
