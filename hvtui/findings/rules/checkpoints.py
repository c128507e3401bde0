"""Checkpoints that fail, fall back silently or are left over (peers.md §B 23, 31 to 33, 37, 38; windows.md §2.2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from hvtui.findings.chains import (
    MERGED,
    at_work,
    fork_holds,
    is_kept,
    is_replica,
    jobs_unread,
    merge_stands,
    stamp,
    times,
)
from hvtui.findings.finding import Evidence, Finding, Sure
from hvtui.findings.look import Look
from hvtui.findings.rules import rule
from hvtui.model.enums import (
    CheckpointType,
    IntegrationStatus,
    SnapshotType,
    name_of,
)
from hvtui.model.events import NodeEvent
from hvtui.model.preflight import VmPreflight
from hvtui.model.records import Vm

_DAY: Final = timedelta(hours=24)
_FAILED: Final = (10150, 18012)
_FALLBACK: Final = 18016
_MIGRATIONS: Final = (20413, 20417, 21024, 21501, 21502)
_TIMED_OUT: Final = "0x800423f2"
_EXISTS: Final = frozenset({"0x80070050", "0x800423fb"})
_NOT_FOUND: Final = "0x80070002"
_GUEST_CLUSTER: Final = {
    "0x00008000": "the cluster service inside the guest does not answer",
    "0x00008002": "the shared disk is a CSV inside the guest",
    "0x00008007": "the shared disk is offline inside the guest, or has no owner there",
}
"""Return values 32768, 32770 and 32775 of a backup of a guest cluster (KB 4230569)."""
_SETTLED: Final = timedelta(hours=4)
"""A Recovery checkpoint that is older outside of a window, without any work on it, is none of a running backup."""
_NO_VSS: Final = frozenset(
    {
        IntegrationStatus.NoContact,
        IntegrationStatus.LostCommunication,
        IntegrationStatus.Error,
        IntegrationStatus.NonRecoverableError,
        IntegrationStatus.CommunicationFailed,
        IntegrationStatus.CommunicationTimedOut,
        IntegrationStatus.Disabled,
    }
)


# --- left over ---


@rule("recovery-checkpoint-left", per="vm")
def recovery_checkpoint_left(look: Look, key: str) -> Iterator[Finding]:
    """A backup's checkpoint stands longer than a backup: no work on the VM, and its window is over (23)."""
    found = look.vm(key)
    if found is None or is_replica(found[1]) or is_kept(look.config, found[1].name):
        return
    view, vm = found
    times_ = [
        one.oldest for one in vm.checkpoints or () if one.type == SnapshotType.Recovery and one.oldest is not None
    ]
    now = look.now(view.name)
    if not times_ or now is None or at_work(look, key) or fork_holds(look, key):
        return
    oldest, window = min(times_), look.in_window(view.name)
    # Without a window in the configuration nobody said how long a backup may take.
    least = _SETTLED if window is False else _DAY
    age = now - oldest
    if age < least:
        look.again(least - age)
        return
    target = look.vm_target(key)
    evidence = [look.read(f"Recovery checkpoint of {stamp(oldest)}", key, "VM")]
    sure = Sure.POSSIBLE
    if not jobs_unread(look, key):
        evidence.append(look.read("no backup, checkpoint or merge job runs for it", key, "jobs"))
        sure = Sure.LIKELY
    if window is False:
        evidence.append(look.read("no backup window is open", view.name, "configuration"))
    if vm.last_backup is not None and vm.last_backup > oldest + timedelta(minutes=10):
        evidence.append(look.read(f"saved successfully since, at {stamp(vm.last_backup)}", key, "VM"))
        sure = Sure.CERTAIN if sure is Sure.LIKELY else sure
    yield look.make(
        "recovery-checkpoint-left",
        target,
        f"{target.name}: a backup's Recovery checkpoint of {stamp(oldest)} was not removed",
        sure=sure,
        evidence=evidence,
        vms=[target],
        since=oldest,
    )


@rule("silent-fallback", per="vm", ids=(_FALLBACK,))
def silent_fallback(look: Look, key: str) -> Iterator[Finding]:
    """A checkpoint with memory of a VM whose type is Production, whoever took it (windows.md §2.2)."""
    found = look.vm(key)
    if found is None or found[1].checkpoint_type != CheckpointType.Production:
        return
    _, vm = found
    kept = [one for one in vm.checkpoints or () if one.type == SnapshotType.Standard and one.saved and one.count]
    seen = look.state.fallbacks.standing.get(key)
    told = look.events((_FALLBACK,), vm=key, source="vmms", since=_DAY) if kept else []
    if not kept or not (seen or told):
        return
    target = look.vm_target(key)
    evidence = [look.read(f"checkpoints that hold memory: {sum(one.count for one in kept)}", key, "VM")]
    if seen is not None:
        text = f"one with memory came at {stamp(seen.time)}, while its type was Production"
        evidence.append(Evidence(text=text, node=seen.node, time=seen.time, source="checkpoints, as hvtui saw them"))
    evidence += [look.evidence(item) for item in told[:2]]
    when = seen.time if seen is not None else told[0].event.time
    yield look.make(
        "silent-fallback",
        target,
        f"{target.name}: a checkpoint fell back to a standard one with memory at {stamp(when)}; its type is Production",
        sure=Sure.CERTAIN if seen is not None and told else Sure.LIKELY,
        evidence=evidence,
        vms=[target],
        since=when,
    )


# --- fail ---


def _failures(look: Look, key: str) -> list[NodeEvent]:
    """Checkpoints that failed and after which the VM was not saved, newest first; none where a merge or fork is why."""
    found = look.vm(key)
    if found is None or merge_stands(look, key) is not None or fork_holds(look, key):
        return []
    # A merge that ended says the same as a backup: what stood in the way is gone.
    merged = [item.event.time for item in look.events((MERGED,), vm=key, source="vmms", since=_DAY)[:1]]
    good = max([*merged, *([found[1].last_backup] if found[1].last_backup is not None else [])], default=None)
    failed = look.events(_FAILED, vm=key, source="vmms", since=_DAY)
    return [item for item in failed if good is None or good <= item.event.time]


def _with(items: list[NodeEvent], codes: frozenset[str]) -> list[NodeEvent]:
    return [item for item in items if not codes.isdisjoint(item.event.codes)]


_OTHERS: Final = _EXISTS | {_NOT_FOUND, _TIMED_OUT} | _GUEST_CLUSTER.keys()
"""Codes that a rule of their own knows."""


@rule("checkpoint-fails", per="vm", ids=_FAILED, needs_event=True)
def checkpoint_fails(look: Look, key: str) -> Iterator[Finding]:
    """18012 or 10150, and what the VM lacks for a checkpoint, where that can be seen (33)."""
    failed, found = _failures(look, key), look.vm(key)
    if found is None or not failed or _with(failed, _OTHERS):
        return
    reasons = _lacks(look, key, found[1])
    target, kind = look.vm_target(key), name_of(CheckpointType, found[1].checkpoint_type)
    yield look.make(
        "checkpoint-fails",
        target,
        f"{target.name} ({kind}): checkpoint failed {times(len(failed))} since {stamp(failed[-1].event.time)}"
        + (f": {reasons[0].text}" if reasons else ""),
        sure=Sure.LIKELY if reasons else Sure.POSSIBLE,
        evidence=[*(look.evidence(item) for item in failed[:3]), *reasons],
        vms=[target],
        since=failed[-1].event.time,
    )


def _lacks(look: Look, key: str, vm: Vm) -> list[Evidence]:
    """What stands against a checkpoint of the VM, or one that its guest makes consistent."""
    found = []
    if vm.checkpoint_type == CheckpointType.Disabled:
        found.append(look.read("its checkpoint type is Disabled", key, "VM"))
    if vm.vss_enabled is False:
        found.append(look.read("its integration service for backup is switched off", key, "VM"))
    elif vm.vss in _NO_VSS:
        text = f"its integration service for backup does not answer ({name_of(IntegrationStatus, vm.vss)})"
        found.append(look.read(text, key, "VM"))
    about = _asked(look, key)
    if about is not None:
        for what, text in (
            (about.pass_through, "a physical disk is attached"),
            (about.shared, "a virtual disk is shared with another VM"),
            (about.fibre_channel, "a virtual Fibre Channel adapter is attached"),
            (about.gpu, "a GPU is assigned"),
        ):
            if what:
                found.append(look.read(text, key, "preflight"))
    return found


def _asked(look: Look, key: str) -> VmPreflight | None:
    answers = (vm for answer in look.facts.preflight.values() for vm in answer.vms or ())
    return next((vm for vm in answers if vm.id == key), None)


@rule("checkpoint-file-exists", per="vm", ids=_FAILED, needs_event=True)
def checkpoint_file_exists(look: Look, key: str) -> Iterator[Finding]:
    """0x80070050 or 0x800423FB: a file of an earlier backup is in the way (31)."""
    failed = _with(_failures(look, key), _EXISTS)
    if not failed:
        return
    files, target = look.state.files(key), look.vm_target(key)
    left = [path for path in (files.disks or () if files is not None else ()) if "autorecovery" in path.lower()]
    evidence = [look.evidence(item) for item in failed[:3]]
    evidence += [look.read(f"its settings name {path}", key, "VM files") for path in left[:2]]
    yield look.make(
        "checkpoint-file-exists",
        target,
        f"{target.name}: a file that an earlier backup left is in the way of its checkpoint",
        sure=Sure.LIKELY if left or len(failed) > 1 else Sure.POSSIBLE,
        evidence=evidence,
        vms=[target],
        since=failed[-1].event.time,
    )


@rule("checkpoint-file-missing", per="vm", ids=_FAILED, needs_event=True)
def checkpoint_file_missing(look: Look, key: str) -> Iterator[Finding]:
    """0x80070002: the settings of the VM name a disk that is not there (32)."""
    failed = [item for item in _failures(look, key) if _NOT_FOUND in item.event.codes]
    if not failed:
        return
    target, evidence = look.vm_target(key), [look.evidence(item) for item in failed[:3]]
    picture = look.facts.chains.get(key)
    if picture is None:
        look.want("chain", key)
    disks = picture.chain.disks if picture is not None and picture.chain is not None else None
    broken = [disk.attached for disk in disks or () if not disk.files or disk.files[-1].parent is None]
    evidence += [look.read(f"the chain of {path} cannot be followed to its base", key, "disk chain") for path in broken]
    yield look.make(
        "checkpoint-file-missing",
        target,
        f"{target.name}: its settings name a file that is not there ({_NOT_FOUND})",
        sure=Sure.LIKELY if broken else Sure.POSSIBLE,
        evidence=evidence,
        vms=[target],
        since=failed[-1].event.time,
    )


@rule("guest-cluster-checkpoint", per="vm", ids=_FAILED, needs_event=True)
def guest_cluster_checkpoint(look: Look, key: str) -> Iterator[Finding]:
    """A VM with a shared disk set, and one of three return values that tell what is wrong inside its cluster (38)."""
    failed = _with(_failures(look, key), frozenset(_GUEST_CLUSTER))
    files = look.state.files(key)
    sets = [path for path in (files.disks or () if files is not None else ()) if path.lower().endswith(".vhds")]
    if not failed or not sets:
        return
    code = next(one for one in failed[0].event.codes if one in _GUEST_CLUSTER)
    target = look.vm_target(key)
    yield look.make(
        "guest-cluster-checkpoint",
        target,
        f"{target.name}, a node of a cluster of guests: {_GUEST_CLUSTER[code]} ({int(code, 16)})",
        sure=Sure.LIKELY,
        evidence=[*(look.evidence(item) for item in failed[:3]), look.read(f"shared: {sets[0]}", key, "VM files")],
        vms=[target],
        since=failed[-1].event.time,
    )


@rule("standard-checkpoint-migration", per="vm", ids=_MIGRATIONS, needs_event=True)
def standard_checkpoint_migration(look: Look, key: str) -> Iterator[Finding]:
    """A VM with memory in standard checkpoints migrates slowly, or fails to (37; KB 4502868)."""
    found = look.vm(key)
    kept = [
        one for one in (found[1].checkpoints or () if found else ()) if one.type == SnapshotType.Standard and one.saved
    ]
    slow = look.events(_MIGRATIONS, vm=key, since=_DAY) if kept else []
    if not slow:
        return
    target = look.vm_target(key)
    yield look.make(
        "standard-checkpoint-migration",
        target,
        f"{target.name}: migrations fail or are slow, and it has standard checkpoints with memory",
        sure=Sure.LIKELY if len(slow) > 1 else Sure.POSSIBLE,
        evidence=[
            *(look.evidence(item) for item in slow[:3]),
            look.read(f"checkpoints with memory: {sum(one.count for one in kept)}", key, "VM"),
        ],
        vms=[target],
        since=slow[-1].event.time,
    )
