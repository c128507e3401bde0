"""Merges that do not end, chains that nobody lists, and forks that were not committed (peers.md §B 24 to 30)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from hvtui.findings.chains import (
    FORK_IDS,
    MERGE_CUT,
    MERGES,
    MergeTrouble,
    at_work,
    explained,
    fork_holds,
    fork_trouble,
    is_replica,
    jobs_unread,
    layer_evidence,
    layers_of,
    merge_stands,
    merge_trouble,
    stamp,
    times,
)
from hvtui.findings.finding import Evidence, Finding, Sure
from hvtui.findings.look import Look
from hvtui.findings.rules import rule
from hvtui.model.conditions import RUNNING_JOBS
from hvtui.model.enums import JobType, OperationalStatus
from hvtui.model.events import NodeEvent

_IN_USE: Final = "0x80070020"
_LIMIT: Final = "0x80070299"
_DENIED: Final = "0x80070005"
_KNOWN: Final = frozenset({_IN_USE, _LIMIT, _DENIED})
_CHECKPOINT_FAILED: Final = (18012, 18014)
_STALL: Final = 900.0
"""Seconds without a percent more after which a merge counts as stalled (windows.md §10.3)."""
_RESUMES: Final = timedelta(minutes=15)
"""VMMS takes an interrupted merge up again by itself."""
_SOON: Final = timedelta(seconds=30)
_RESTART: Final = timedelta(minutes=5)
_RESOURCE_FAILED: Final = (1069, 1205)


@rule("fork-not-committed", per="vm", ids=FORK_IDS)
def fork_not_committed(look: Look, key: str) -> Iterator[Finding]:
    """Worker event 3216, or one of four codes, and an AVHDX that is not merged: a move or restart loses data (30)."""
    found, trouble = look.vm(key), fork_trouble(look, key)
    if found is None or trouble is None or not fork_holds(look, key):
        if found is not None and trouble is None:
            _search_logs(look, key)
        return
    layers = layers_of(look, key)
    evidence = list(trouble.evidence[:4])
    sure = Sure.POSSIBLE
    if layers is not None:
        evidence.append(layer_evidence(look, key, layers))
        sure = Sure.CERTAIN if trouble.event and trouble.code and len(trouble.evidence) > 1 else Sure.LIKELY
        if explained(found[1], layers, trouble.since):
            sure = Sure.POSSIBLE  # a later checkpoint may be all that the AVHDX is of
    target = look.vm_target(key)
    what = "an AVHDX is not merged" if layers is not None else "its disks could not be read"
    yield look.make(
        "fork-not-committed",
        target,
        f"HOLD {target.name}: a checkpoint of {stamp(trouble.since)} did not commit its fork, and {what}; "
        f"do not move or restart it, nor VMMS on {found[0].name}",
        sure=sure,
        evidence=evidence,
        vms=[target],
        since=trouble.since,
    )


def _search_logs(look: Look, key: str) -> None:
    """A layer that nobody lists may be of a fork whose sign is older than what is read of the logs by itself."""
    layers = layers_of(look, key)
    if layers is None or not layers.loose or at_work(look, key):
        return
    unsearched = [node for node in look.state.node_names() if node not in look.facts.fork]
    for node in unsearched:
        look.want("fork", node)
    if unsearched:
        look.again(_SOON)


# --- merges that fail ---


def _failed(look: Look, key: str) -> MergeTrouble | None:
    """A failed merge that stands, on a VM that no fork holds."""
    trouble = merge_stands(look, key)
    return None if trouble is None or fork_holds(look, key) else trouble


def _sure(look: Look, key: str, trouble: MergeTrouble, evidence: list[Evidence]) -> Sure:
    """One failure alone may be made up for by the next attempt; what could not be read leaves it open."""
    layers = layers_of(look, key)
    if layers is None:
        return Sure.POSSIBLE
    evidence.append(layer_evidence(look, key, layers))
    return Sure.CERTAIN if len(trouble.failed) > 1 else Sure.LIKELY


def _told(look: Look, key: str, trouble: MergeTrouble) -> list[Evidence]:
    """The newest failures, and what the product's attempts came to since."""
    evidence = [look.evidence(item) for item in trouble.failed[:3]]
    since = trouble.failed[-1].event.time
    later = [item for item in look.events(_CHECKPOINT_FAILED, vm=key, source="vmms") if item.event.time >= since]
    return evidence + [look.evidence(item) for item in later[:2]]


def _say(look: Look, key: str, rule_id: str, trouble: MergeTrouble, why: str) -> Finding:
    evidence, target = _told(look, key, trouble), look.vm_target(key)
    sure = _sure(look, key, trouble, evidence)
    return look.make(
        rule_id,
        target,
        f"{target.name}: its disk is not merged, {times(len(trouble.failed))} since {stamp(trouble.since)}: {why}",
        sure=sure,
        evidence=evidence,
        vms=[target],
        since=trouble.since,
    )


@rule("merge-locked", per="vm", ids=(*MERGES, *_CHECKPOINT_FAILED), needs_event=True)
def merge_locked(look: Look, key: str) -> Iterator[Finding]:
    """19100 with 0x80070020, on one node: something there has the file open (24)."""
    trouble = _failed(look, key)
    if trouble is not None and trouble.code == _IN_USE and len(trouble.nodes) == 1:
        why = f"something has the file open on {trouble.nodes[0]} ({_IN_USE})"
        yield _say(look, key, "merge-locked", trouble, why)


@rule("merge-locked-elsewhere", per="vm", ids=MERGES, needs_event=True)
def merge_locked_elsewhere(look: Look, key: str) -> Iterator[Finding]:
    """19100 with 0x80070020 went with the VM to another node: the first one's kernel holds the file (25)."""
    trouble = _failed(look, key)
    if trouble is None or trouble.code != _IN_USE or len(trouble.nodes) < 2:
        return
    evidence, target = _told(look, key, trouble), look.vm_target(key)
    first = trouble.nodes[-1]
    oldest = next(item for item in reversed(trouble.failed) if item.node == first)
    layers = layers_of(look, key)
    if layers is not None:
        evidence.append(layer_evidence(look, key, layers))
    yield look.make(
        "merge-locked-elsewhere",
        target,
        f"{target.name}: its disk is not merged on {trouble.nodes[0]} either ({_IN_USE}): {first} still holds the file",
        sure=Sure.POSSIBLE if layers is None else Sure.LIKELY,
        evidence=[*evidence, look.evidence(oldest)],
        vms=[target],
        since=oldest.event.time,
    )


@rule("merge-file-limit", per="vm", ids=MERGES, needs_event=True)
def merge_file_limit(look: Look, key: str) -> Iterator[Finding]:
    """19100 with 0x80070299: the file system keeps no more extents of the file (26)."""
    trouble = _failed(look, key)
    if trouble is not None and trouble.code == _LIMIT:
        why = f"a limit of the file system, the file is in too many pieces ({_LIMIT})"
        yield _say(look, key, "merge-file-limit", trouble, why)


@rule("merge-denied", per="vm", ids=MERGES, needs_event=True)
def merge_denied(look: Look, key: str) -> Iterator[Finding]:
    """19100 with 0x80070005: the VM's own account has no right on the file or its folder (27)."""
    trouble = _failed(look, key)
    if trouble is not None and trouble.code == _DENIED:
        why = f"its account NT VIRTUAL MACHINE\\{key.upper()} has no access to the file ({_DENIED})"
        yield _say(look, key, "merge-denied", trouble, why)


@rule("merge-failed", per="vm", ids=MERGES, needs_event=True)
def merge_failed(look: Look, key: str) -> Iterator[Finding]:
    """19100 with any other code."""
    trouble = _failed(look, key)
    if trouble is not None and trouble.code not in _KNOWN:
        yield _say(look, key, "merge-failed", trouble, trouble.code or "Windows gave no code")


# --- merges that are cut off, or stand ---


def _cut(look: Look, key: str) -> NodeEvent | None:
    """The newest event says that a merge was interrupted (or begun), none ended since, and the AVHDX is in use."""
    trouble = merge_trouble(look, key)
    if trouble is None or trouble.failed or not trouble.others or fork_holds(look, key):
        return None
    newest = trouble.others[0]
    layers = layers_of(look, key)
    if layers is None:
        # That a merge began is no trouble as long as nothing says that its file is still there.
        return newest if newest.event.id == MERGE_CUT else None
    return newest if layers.paths else None


def _restart_after(look: Look, key: str, item: NodeEvent) -> bool:
    """The VM was started right after the merge was cut off."""
    found = look.vm(key)
    started = found[1].started if found is not None else None
    return started is not None and timedelta(minutes=-1) <= started - item.event.time <= _RESTART


@rule("merge-interrupted", per="vm", ids=MERGES, needs_event=True)
def merge_interrupted(look: Look, key: str) -> Iterator[Finding]:
    """19090, or 19070 without 19080, and a quarter of an hour later no merge runs and the AVHDX is in use (28)."""
    item = _cut(look, key)
    if item is None or jobs_unread(look, key) or (item.event.id == MERGE_CUT and _restart_after(look, key, item)):
        return
    age = look.age(item)
    if age is None or at_work(look, key):
        return
    if age < _RESUMES:
        look.again(_RESUMES - age)
        return
    evidence, target = [look.evidence(item)], look.vm_target(key)
    layers = layers_of(look, key)
    if layers is not None:
        evidence.append(layer_evidence(look, key, layers))
    what = "interrupted" if item.event.id == MERGE_CUT else "begun"
    yield look.make(
        "merge-interrupted",
        target,
        f"{target.name}: the merge of its disk was {what} at {stamp(item.event.time)}, and goes on no more",
        sure=Sure.POSSIBLE if layers is None else Sure.LIKELY,
        evidence=[*evidence, look.read("no merge runs", key, "jobs")],
        vms=[target],
        since=item.event.time,
    )


@rule("merge-cut-by-restart", per="vm", ids=(*MERGES, *_RESOURCE_FAILED), needs_event=True)
def merge_cut_by_restart(look: Look, key: str) -> Iterator[Finding]:
    """A clustered VM was shut down to be merged, and the cluster started it again at once (29)."""
    item, role, found = _cut(look, key), look.role(key), look.vm(key)
    if item is None or item.event.id != MERGE_CUT or role is None or found is None:
        return
    if not _restart_after(look, key, item):
        return
    target, started = look.vm_target(key), found[1].started or item.event.time
    evidence = [look.evidence(item), look.read(f"started at {stamp(started)}", key, "VM")]
    layers = layers_of(look, key)
    if layers is not None:
        evidence.append(layer_evidence(look, key, layers))
    near = [
        one
        for one in look.events(_RESOURCE_FAILED, vm=key, source="cluster")
        if abs(one.event.time - item.event.time) <= _RESTART
    ]
    evidence += [look.evidence(one) for one in near[:2]]
    yield look.make(
        "merge-cut-by-restart",
        target,
        f"{target.name}: its merge ended when the cluster started it again at {stamp(started)}",
        sure=Sure.LIKELY if near and layers is not None else Sure.POSSIBLE,
        evidence=evidence,
        vms=[target],
        since=item.event.time,
    )


@rule("merge-stalls", per="vm")
def merge_stalls(look: Look, key: str) -> Iterator[Finding]:
    """A merge job has not moved on for a quarter of an hour (windows.md §10.3)."""
    found = look.vm(key)
    if found is None:
        return
    view, vm = found
    for job in view.jobs_of.get(key, ()):
        if job.type != JobType.MergeDisks or job.state not in RUNNING_JOBS:
            continue
        stands = look.memory.job_stands(view.name, job.id)
        if stands is None or stands < _STALL:
            look.again(timedelta(seconds=_STALL - (stands or 0.0)))
            continue
        target = look.vm_target(key)
        evidence = [look.read(f"the merge stands at {job.percent}% for {stands / 60:.0f} min or more", key, "job")]
        sure = Sure.POSSIBLE
        if OperationalStatus.MergingDisks in (vm.op or ()):
            evidence.append(look.read(f"operational status {OperationalStatus.MergingDisks:d}", key, "VM"))
            sure = Sure.LIKELY
        yield look.make(
            "merge-stalls",
            target,
            f"{target.name}: the merge of its disk stands at {job.percent}% for {stands / 60:.0f} min or more",
            sure=sure,
            evidence=evidence,
            vms=[target],
            since=job.started,
        )


@rule("avhdx-without-checkpoint", per="vm", ids=MERGES)
def avhdx_without_checkpoint(look: Look, key: str) -> Iterator[Finding]:
    """A VM writes to an AVHDX, and no checkpoint is listed that it would belong to (windows.md §10.4)."""
    layers, found = layers_of(look, key), look.vm(key)
    if found is None or layers is None or not layers.paths or not layers.loose:
        return
    _, vm = found
    if is_replica(vm) or jobs_unread(look, key) or fork_holds(look, key):
        return
    if at_work(look, key):
        look.again(timedelta(minutes=5))
        return
    if merge_trouble(look, key) is not None:
        return  # the finding about the merge says why
    look.again(_SOON)  # the logs of nodes may be searched meanwhile, and hold it
    target, count = look.vm_target(key), len(vm.checkpoints or ())
    listed = f"{count} kinds of checkpoints are listed" if count else "no checkpoint is listed"
    sure = Sure.CERTAIN if layers.chain else Sure.LIKELY
    if vm.replication:
        sure = Sure.POSSIBLE  # the first copy of a replication is made from an AVHDX, too
    yield look.make(
        "avhdx-without-checkpoint",
        target,
        f"{target.name} runs on an AVHDX that belongs to no checkpoint",
        sure=sure,
        evidence=[
            layer_evidence(look, key, layers),
            look.read(listed, key, "VM"),
            look.read("no job works on its disks", key, "jobs"),
        ],
        vms=[target],
    )
