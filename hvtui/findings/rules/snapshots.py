"""Snapshots of a node and of its CSVs: a job that loops, snapshots that fail or stay, backups that may be worthless."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from hvtui.findings.finding import Evidence, Finding, Sure
from hvtui.findings.guilty import DAY, hyper_v_failed, last_backup, listed, saved_after, stamp
from hvtui.findings.look import Look
from hvtui.findings.memory import ShadowSeen, short_lived
from hvtui.findings.rules import rule
from hvtui.model.durations import span_text
from hvtui.model.enums import CsvIoState, VmState
from hvtui.model.events import NodeEvent
from hvtui.model.placement import short_path
from hvtui.model.severity import Severity

_SHORT: Final = timedelta(minutes=15)
"""A shadow copy that lives no longer than this was not read from by a backup of a whole volume."""
_LOOP: Final = timedelta(hours=2)
"""In which so many short-lived shadow copies make a loop."""
_TIMES: Final = 3
_FAILURES: Final = (10102, 10103, 10104, 10150)
_OLD: Final = timedelta(days=2)
"""A shadow copy that no backup removed in two days is left over."""
_LOW_PERCENT: Final = 10
_READ_LATER: Final = timedelta(hours=12)
"""A backup that was made from a snapshot ends within that."""


@rule("retry-loop", per="node", ids=_FAILURES)
def retry_loop(look: Look, key: str) -> Iterator[Finding]:
    """Shadow copies come and go on a node, and nothing on their volumes is saved (mission S3)."""
    now = look.now(key)
    seen = look.memory.shadows(key)
    if now is None or not seen:
        return
    brief = [one for one in short_lived(seen, _SHORT) if now - one.first <= _LOOP]
    runs = _runs(brief)
    if len(runs) < _TIMES:
        return
    began = runs[0]
    vms = _vms_on(look, key, brief)
    saved = saved_after(look, vms, began)
    if saved or not vms:
        return
    failed = [item for item in look.events(_FAILURES, node=key, source="vmms", since=_LOOP) if item.event.time >= began]
    evidence = [_shadow_evidence(look, key, one) for one in brief[-_TIMES:]]
    if saved is False:
        evidence.append(look.read(f"none of its {len(vms)} VMs there was saved since {stamp(began)}", key, "VMs"))
    evidence += [look.evidence(item) for item in failed[:2]]
    sure = Sure.POSSIBLE if saved is None else Sure.CERTAIN if failed else Sure.LIKELY
    guilty = list(dict.fromkeys(item.event.vm for item in failed if item.event.vm))
    yield look.make(
        "retry-loop",
        look.node_target(key),
        f"{key}: a backup job tries again and again: {len(runs)} short-lived sets of shadow copies since "
        f"{stamp(began)}, and no VM on those volumes was saved",
        sure=sure,
        evidence=evidence,
        vms=[look.vm_target(vm) for vm in guilty],
        since=began,
        # A stuck Hyper-V writer is the reason then, and its finding says what to do.
        severity=Severity.WARN if hyper_v_failed(look, key) else None,
    )


@rule("backup-suspect", per="csv", ids=(1584,))
def backup_suspect(look: Look, key: str) -> Iterator[Finding]:
    """1584: a snapshot without preparation; what was saved from it may be unusable (SUP failover-clustering events)."""
    told = look.events((1584,), csv=key, source="cluster", since=DAY)
    if not told:
        return
    suspect = []
    for vm in look.vms_on(key):
        saved = last_backup(look, vm)
        if saved is not None and any(timedelta(0) <= saved - item.event.time <= _READ_LATER for item in told):
            suspect.append(vm)
    evidence = [look.evidence(item) for item in told[:3]]
    evidence += [
        look.read(f"{look.vm_target(vm).name} was saved at {stamp(time)}, after that snapshot", vm, "VM")
        for vm in suspect[:3]
        if (time := last_backup(look, vm)) is not None
    ]
    targets = sorted((look.vm_target(vm) for vm in suspect), key=lambda target: target.name.lower())
    what = f": do not trust the newest backup of {listed([t.name for t in targets])}" if targets else ""
    yield look.make(
        "backup-suspect",
        look.csv_target(key),
        f"{look.csv_target(key).name} was snapshot without preparation (1584){what}",
        sure=Sure.CERTAIN if suspect else Sure.LIKELY,
        evidence=evidence,
        vms=targets,
        since=told[-1].event.time,
    )


@rule("csv-snapshot-failed", per="csv", ids=(5216, 5217))
def csv_snapshot_failed(look: Look, key: str) -> Iterator[Finding]:
    """5216 or 5217 name the volume, and not all of its VMs were saved since."""
    told = look.events((5216, 5217), csv=key, source="cluster", since=DAY)
    if not told:
        return
    newest = told[0].event.time
    vms = _running_on(look, key)
    left = [vm for vm in vms if (saved := last_backup(look, vm)) is None or saved <= newest]
    if vms and not left:
        return
    evidence = [look.evidence(item) for item in told[:3]]
    sure = Sure.LIKELY
    if vms and saved_after(look, vms, newest) is False:
        evidence.append(look.read(f"none of its {len(vms)} running VMs was saved since", "", "VMs"))
        sure = Sure.CERTAIN
    yield look.make(
        "csv-snapshot-failed",
        look.csv_target(key),
        f"{look.csv_target(key).name}: its snapshot failed ({_ids(told)}), {_times(told)}",
        sure=sure,
        evidence=evidence,
        vms=[look.vm_target(vm) for vm in sorted(left)[:20]],
        since=told[-1].event.time,
    )


@rule("csv-provider-unregistered", per="node", ids=(5219,), needs_event=True)
def csv_provider_unregistered(look: Look, key: str) -> Iterator[Finding]:
    """5219: the CSV provider is not known to VSS; it registers anew with the cluster service."""
    view = look.node(key)
    boot = view.host.boot if view is not None and view.host is not None else None
    told = [
        item
        for item in look.events((5219,), node=key, source="cluster", since=DAY)
        if boot is None or item.event.time >= boot
    ]
    if not told or view is None:
        return
    evidence = [look.evidence(item) for item in told[:2]]
    sure = Sure.LIKELY
    if view.providers is not None:
        own = {provider.id.lower() for provider in view.providers}
        missing = {
            provider.id.lower(): (name, provider.name)
            for name, other in look.state.nodes.items()
            for provider in other.providers or ()
            if provider.id.lower() not in own and provider.type != 3
        }
        if missing:
            name, title = next(iter(missing.values()))
            evidence.append(look.read(f"{title} is not among its providers, {name} has it", key, "VSS providers"))
            sure = Sure.CERTAIN
        else:
            sure = Sure.POSSIBLE
    yield look.make(
        "csv-provider-unregistered",
        look.node_target(key),
        f"{key}: the CSV snapshot provider could not register with VSS (5219)",
        sure=sure,
        evidence=evidence,
        since=told[-1].event.time,
    )


@rule("csv-paused-by-snapshot", per="csv", ids=(5156,))
def csv_paused_by_snapshot(look: Look, key: str) -> Iterator[Finding]:
    """5156: the snapshots below a volume vanished and its I/O was paused; mostly it had no room for them."""
    told = look.events((5156,), csv=key, source="cluster", since=DAY)
    csv = look.csv(key)
    if not told or csv is None:
        return
    evidence = [look.evidence(item) for item in told[:3]]
    percent = csv.free * 100 // csv.size if csv.size and csv.free is not None else None
    low = percent is not None and percent < _LOW_PERCENT
    if low:
        evidence.append(look.read(f"{percent} % of {short_path(csv.path)} are free", "", "CSV space"))
    io = look.io(key)
    states = io.nodes if io is not None else {}
    paused = [node for node, (state, _, _) in states.items() if state == CsvIoState.Paused]
    if paused:
        evidence.append(look.read(f"its I/O is paused on {listed(paused)}", "", "CSV state"))
    yield look.make(
        "csv-paused-by-snapshot",
        look.csv_target(key),
        f"{short_path(csv.path)} was paused because its snapshots vanished (5156)"
        + (f"; only {percent} % are free" if low else "")
        + (f"; it is paused on {listed(paused)} now" if paused else ""),
        sure=Sure.CERTAIN if low or paused else Sure.LIKELY,
        evidence=evidence,
        severity=Severity.BAD if paused else None,
        since=told[-1].event.time,
    )


@rule("shadow-copies-leaked", per="node", ids=(5218, 5145))
def shadow_copies_leaked(look: Look, key: str) -> Iterator[Finding]:
    """Shadow copies that nobody removed: old ones are there, or the cluster removes them after days (5218, 5145)."""
    now = look.now(key)
    told = look.events((5218, 5145), node=key, source="cluster", since=DAY)
    old = [
        one
        for one in look.memory.shadows(key)
        if not one.gone and one.created is not None and now is not None and now - one.created > _OLD
    ]
    old = [one for one in old if not _for_people(look, key, one.id)]
    if not told and not old:
        return
    if told and not old and len(told) < 2:
        return  # the cluster has cleaned up once, as it should
    evidence = [look.evidence(item) for item in told[:3]]
    evidence += [_shadow_evidence(look, key, one) for one in old[:3]]
    oldest = min((one.created for one in old if one.created is not None), default=None)
    what = f"{len(old)} shadow copies older than {span_text(_OLD.total_seconds())}" if old else "old snapshots"
    yield look.make(
        "shadow-copies-leaked",
        look.node_target(key),
        f"{key}: {what} that no backup removed"
        + (f"; the cluster tells of it {_times(told)} ({_ids(told)})" if told else ""),
        sure=Sure.CERTAIN if told and old else Sure.LIKELY if old else Sure.POSSIBLE,
        evidence=evidence,
        since=oldest or told[-1].event.time,
    )


# --- helpers ---


def _runs(brief: list[ShadowSeen]) -> list[datetime]:
    """When each set of shadow copies came; those of one backup come within a minute or two."""
    runs: list[datetime] = []
    for one in sorted(brief, key=lambda seen: seen.first):
        if not runs or one.first - runs[-1] > timedelta(minutes=2):
            runs.append(one.first)
    return runs


def _vms_on(look: Look, node: str, copies: list[ShadowSeen]) -> list[str]:
    """VMs of a node on the volumes of some shadow copies; all of its running ones where no volume is known."""
    csvs = look.state.cluster.csvs or {}
    volumes = {one.volume.lower() for one in copies if one.volume}
    keys = {key for key, csv in csvs.items() if csv.volume and csv.volume.lower() in volumes}
    mine = [vm for vm in look.vms_of(node) if _runs_now(look, vm)]
    on = [vm for vm in mine if keys & set(look.place(vm).csvs)] if keys else []
    return on or mine


def _running_on(look: Look, csv: str) -> list[str]:
    return [vm for vm in look.vms_on(csv) if _runs_now(look, vm)]


def _runs_now(look: Look, vm: str) -> bool:
    found = look.vm(vm)
    return found is not None and found[1].state == VmState.Running


def _for_people(look: Look, node: str, id_: str) -> bool:
    """A copy of Previous Versions: it stays by intention."""
    picture = look.facts.shadows.get(node)
    copies = picture.shadows or () if picture is not None else ()
    return any(copy.id == id_ and copy.client_accessible for copy in copies)


def _shadow_evidence(look: Look, node: str, one: ShadowSeen) -> Evidence:
    lived = span_text((one.last - one.first).total_seconds())
    told = f", gone after {lived} at least" if one.gone else ", still there"
    return Evidence(
        text=f"shadow copy {one.id[:8]} of {stamp(one.first)}{told}", node=node, time=one.first, source="shadow copies"
    )


def _ids(told: Iterable[NodeEvent]) -> str:
    return ", ".join(str(number) for number in sorted({item.event.id for item in told}))


def _times(told: list[NodeEvent]) -> str:
    return f"{len(told)} times" if len(told) > 1 else "once"
