"""Before a backup window: backups that still run, where VMs are, what is left on them, their types and guests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from hvtui.model.activity import BACKUP_JOBS
from hvtui.model.conditions import RUNNING_JOBS, of_merge
from hvtui.model.enums import (
    BackupState,
    CheckpointType,
    GroupStatus,
    IntegrationStatus,
    OperationalStatus,
    SnapshotType,
    VmState,
    name_of,
)
from hvtui.model.placement import place, short_path
from hvtui.model.records import Vm
from hvtui.model.state import ClusterState
from hvtui.model.views import NodeView
from hvtui.operations.readiness import Check, Verdict, count
from hvtui.operations.ready_nodes import has_hardware, taking_part
from hvtui.text import natural

RUNNING: Final = "running backups"
PLACEMENT: Final = "placement"
LEFTOVERS: Final = "leftovers"
TYPES: Final = "checkpoint types"
GUESTS: Final = "guests"
SPACE: Final = "guest space"
_DIFFERENCING: Final = (".avhdx", ".avhd")


def _vms(state: ClusterState) -> Iterator[tuple[str, NodeView, Vm]]:
    """Every VM that a node told, by name."""
    found = [(key, told[0], told[1]) for key in state.homes if (told := state.vm(key)) is not None]
    yield from sorted(found, key=lambda item: natural(item[2].name))


def in_backup(view: NodeView, vm: Vm) -> bool:
    """A backup works on the VM now."""
    jobs = view.jobs_of.get(vm.id, ())
    running = any(job.type in BACKUP_JOBS and job.state in RUNNING_JOBS for job in jobs)
    return running or OperationalStatus.BackingUpVirtualMachine in (vm.op or ())


def backup_checks(state: ClusterState) -> Iterator[Check]:
    """Nothing of an earlier backup runs any more."""
    csvs = [short_path(csv.path) for csv in (state.cluster.csvs or {}).values() if csv.backup == BackupState.InProgress]
    vms = [vm.name for _, view, vm in _vms(state) if in_backup(view, vm)]
    merging = [vm.name for key, view, vm in _vms(state) if of_merge(vm, view.jobs_of.get(key, ()))]
    for names, word in ((csvs, "a backup is in progress on it"), (vms, "a backup of it runs")):
        if names:
            yield Check(area=RUNNING, verdict=Verdict.NOT, where=tuple(names), text=word, next="wait for its end")
    if merging:
        yield Check(area=RUNNING, verdict=Verdict.NOT, where=tuple(merging), text="disks of it are being merged",
                    next="wait for the end of the merge")  # fmt: skip
    unread = [view.name for view in taking_part(state) if view.vms is not None and view.jobs is None]
    if unread:
        yield Check(area=RUNNING, verdict=Verdict.UNKNOWN, where=tuple(unread), text="jobs could not be read")
    if not (csvs or vms or merging or unread) and state.vms_known():
        yield Check(area=RUNNING, verdict=Verdict.READY, text="none")


def placement_checks(state: ClusterState) -> Iterator[Check]:
    """VMs beside the owner of their CSV: a hardware provider needs it, others are only slower without."""
    off: dict[str, list[str]] = {}
    unknown = []
    beside = 0
    for key, view, vm in _vms(state):
        if state.files(key, view) is None:
            unknown.append(vm.name)
            continue
        where = place(state, key)
        if where.drift:
            off.setdefault(" and ".join(where.owners), []).append(vm.name)
        elif where.csvs and where.drift is None:
            unknown.append(vm.name)
        else:
            beside += 1
    needed = has_hardware(state)
    why = "a hardware provider may need them together" if needed else "their I/O goes through another node"
    for owners, names in off.items():
        told = "runs off the owner of its" if len(names) == 1 else f"({len(names)} VMs) run off the owner of their"
        text = f"{told} CSV, {owners}: {why}"
        yield Check(area=PLACEMENT, verdict=Verdict.NOT if needed else Verdict.NOTE, where=tuple(names),
                    text=text, next="hvtui align")  # fmt: skip
    if unknown:
        text = "where their files are could not be read"
        yield Check(area=PLACEMENT, verdict=Verdict.UNKNOWN, where=tuple(unknown), text=text)
    if beside and not unknown and (not off or not needed):
        yield Check(
            area=PLACEMENT, verdict=Verdict.READY, text=f"{count(beside, 'VM')} beside their storage, or at rest"
        )


def leftover_checks(state: ClusterState, kept: Callable[[str], bool]) -> Iterator[Check]:
    """Recovery checkpoints, AVHDX files and locks without anything that works on them."""
    clean, unread = 0, []
    for key, view, vm in _vms(state):
        if vm.checkpoints is None:
            unread.append(vm.name)
            continue
        if in_backup(view, vm):
            continue
        found = list(_left(state, key, view, vm, kept))
        yield from found
        clean += not found
    if unread:
        text = "its checkpoints could not be read"
        yield Check(area=LEFTOVERS, verdict=Verdict.UNKNOWN, where=tuple(unread), text=text)
    if clean:
        yield Check(area=LEFTOVERS, verdict=Verdict.READY, text=f"{count(clean, 'VM')} without any")


def _left(state: ClusterState, key: str, view: NodeView, vm: Vm, kept: Callable[[str], bool]) -> Iterator[Check]:
    recovery = [held for held in vm.checkpoints or () if held.type == SnapshotType.Recovery]
    if recovery:
        oldest = min((held.oldest for held in recovery if held.oldest is not None), default=None)
        since = "" if oldest is None else f", the oldest of {oldest:%Y-%m-%d %H:%M} UTC"
        text = (
            f"{count(sum(held.count for held in recovery), 'Recovery checkpoint')} and no job that works on it{since}"
        )
        if kept(vm.name):
            yield Check(area=LEFTOVERS, verdict=Verdict.NOTE, where=(vm.name,), text=f"{text}: kept on purpose")
        else:
            yield Check(area=LEFTOVERS, verdict=Verdict.NOT, where=(vm.name,), text=text,
                        next="ask the backup product first; what it keeps is named in kept_checkpoints")  # fmt: skip
    files = state.files(key, view)
    chain = any(path.lower().endswith(_DIFFERENCING) for path in (files.disks if files is not None else None) or ())
    if chain and not vm.checkpoints and not of_merge(vm, view.jobs_of.get(key, ())):
        text = "it writes to an .avhdx and has no checkpoint"
        yield Check(area=LEFTOVERS, verdict=Verdict.NOT, where=(vm.name,), text=text,
                    next="merge with the VM off; delete no file")  # fmt: skip
    role = state.role(key)
    if role is not None and (role.status or 0) & GroupStatus.Locked:
        yield Check(area=LEFTOVERS, verdict=Verdict.NOT, where=(vm.name,),
                    text="its role is locked, and no backup of it runs: it cannot be moved")  # fmt: skip


def type_checks(state: ClusterState) -> Iterator[Check]:
    """What a new checkpoint of each VM would be."""
    counts: Counter[int] = Counter()
    unread, standard, disabled = [], [], []
    for _, _, vm in _vms(state):
        if vm.checkpoint_type is None:
            unread.append(vm.name)
            continue
        counts[vm.checkpoint_type] += 1
        if vm.checkpoint_type == CheckpointType.Standard:
            standard.append(vm.name)
        elif vm.checkpoint_type == CheckpointType.Disabled:
            disabled.append(vm.name)
    if unread:
        yield Check(area=TYPES, verdict=Verdict.UNKNOWN, where=tuple(unread), text="could not be read")
    if standard:
        text = "Standard: a checkpoint that people take holds memory, and brings it back"
        yield Check(area=TYPES, verdict=Verdict.NOTE, where=tuple(standard), text=text)
    if disabled:
        yield Check(area=TYPES, verdict=Verdict.NOTE, where=tuple(disabled), text="Disabled: people take none")
    if counts and not unread:
        words = ", ".join(f"{number} {name_of(CheckpointType, kind)}" for kind, number in sorted(counts.items()))
        yield Check(area=TYPES, verdict=Verdict.READY, text=words)


def guest_checks(state: ClusterState) -> Iterator[Check]:
    """Guests that answer to VSS, and those whose last backup failed inside; how full they are only a look tells."""
    well, crash, unread = 0, [], []
    for key, _, vm in _vms(state):
        failed = state.events.backup_failed.get(key)
        if failed is not None and (vm.last_backup is None or vm.last_backup < failed.event.time):
            when = f"{failed.event.time:%Y-%m-%d %H:%M} UTC (event {failed.event.id})"
            text = f"its last backup failed at {when}, and none succeeded since"
            yield Check(area=GUESTS, verdict=Verdict.NOT, where=(vm.name,), text=text, next=f"hvtui guests --vm {key}")
            continue
        if vm.state != VmState.Running:
            continue
        if vm.vss_enabled is None or (vm.vss is None and vm.vss_enabled):
            unread.append(vm.name)
        elif not vm.vss_enabled or vm.vss != IntegrationStatus.Ok:
            crash.append((vm, "switched off" if not vm.vss_enabled else name_of(IntegrationStatus, vm.vss)))
        else:
            well += 1
    for vm, why in crash:
        if vm.checkpoint_type == CheckpointType.ProductionOnly:
            text = f"ProductionOnly, and VSS in its guest is {why}: its checkpoint fails"
            yield Check(area=GUESTS, verdict=Verdict.NOT, where=(vm.name,), text=text)
    rest = [vm.name for vm, _ in crash if vm.checkpoint_type != CheckpointType.ProductionOnly]
    if rest:
        text = "VSS in its guest does not answer: a backup of it is crash-consistent"
        yield Check(area=GUESTS, verdict=Verdict.NOTE, where=tuple(rest), text=text)
    if unread:
        text = "whether VSS in its guest answers could not be read"
        yield Check(area=GUESTS, verdict=Verdict.UNKNOWN, where=tuple(unread), text=text)
    if well:
        yield Check(area=GUESTS, verdict=Verdict.READY, text=f"VSS answers in {count(well, 'guest')}")
    if state.vms_known():
        yield Check(area=SPACE, verdict=Verdict.NOTE, text="not known: only a look into guests tells",
                    next="hvtui guests --all")  # fmt: skip
