"""Guests that make a backup fail: no shadow copy inside, a slow freeze, a full volume, a failed writer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hvtui.findings.finding import Evidence, Finding, Sure
from hvtui.findings.guilty import DAY, full_volumes, hyper_v_failed, last_backup, listed, stamp, still_failed
from hvtui.findings.look import Look
from hvtui.findings.rules import rule
from hvtui.model.events import NodeEvent
from hvtui.model.severity import Severity

_SHADOW: Final = (10102,)
_FREEZE: Final = (10150, 18012)
_REVERT: Final = (10103, 10104)
_WRITERS: Final = (10172, 10173)
_FAILED: Final = (*_SHADOW, *_FREEZE, *_REVERT, *_WRITERS)
_TIMED_OUT: Final = "0x800423f2"
"""VSS_E_WRITERERROR_TIMEOUT: the time between Freeze and Thaw ran out."""


@rule("guest-shadow-failed", per="vm", ids=_SHADOW, needs_event=True)
def guest_shadow_failed(look: Look, key: str) -> Iterator[Finding]:
    """10102 names the VM, and no backup of it succeeded since (windows.md §5.3)."""
    found = look.vm(key)
    failed = _standing(look, key, _SHADOW)
    if found is None or not failed:
        return
    vm = found[1]
    evidence = [look.evidence(item) for item in failed[:3]]
    evidence += _volume_evidence(look, key)
    full = full_volumes(look, key)
    yield look.make(
        "guest-shadow-failed",
        look.vm_target(key),
        f"{vm.name}: no shadow copy inside the guest, {_times(failed)} since {stamp(failed[-1].event.time)}"
        + (f"; {full}" if full else ""),
        sure=_sure(look, key, evidence),
        evidence=evidence,
        vms=[look.vm_target(key)],
        since=failed[-1].event.time,
        # The node's writer is the greater trouble, and its finding names this VM.
        severity=Severity.WARN if hyper_v_failed(look, found[0].name) else None,
    )


@rule("guest-freeze-timeout", per="vm", ids=_FREEZE, needs_event=True)
def guest_freeze_timeout(look: Look, key: str) -> Iterator[Finding]:
    """A backup checkpoint failed because the guest did not thaw in time (0x800423F2), and no backup succeeded since."""
    failed = [item for item in _standing(look, key, _FREEZE) if _TIMED_OUT in item.event.codes]
    if look.vm(key) is None or not failed:
        return
    target = look.vm_target(key)
    evidence = [look.evidence(item) for item in failed[:3]]
    yield look.make(
        "guest-freeze-timeout",
        target,
        f"{target.name}: its writers did not thaw in time, {_times(failed)} since {stamp(failed[-1].event.time)}",
        sure=_sure(look, key, evidence),
        evidence=evidence,
        vms=[target],
        since=failed[-1].event.time,
    )


@rule("guest-disk-not-reverted", per="vm", ids=_REVERT, needs_event=True)
def guest_disk_not_reverted(look: Look, key: str) -> Iterator[Finding]:
    """10103 or 10104: a disk was not brought back to the guest's own shadow copy (Microsoft, dd582376)."""
    failed = _standing(look, key, _REVERT)
    if look.vm(key) is None or not failed:
        return
    target = look.vm_target(key)
    evidence = [look.evidence(item) for item in failed[:3]]
    yield look.make(
        "guest-disk-not-reverted",
        target,
        f"{target.name}: its disk was not reverted to the shadow copy, {_times(failed)}",
        sure=_sure(look, key, evidence),
        evidence=evidence,
        vms=[target],
        since=failed[-1].event.time,
    )


@rule("guest-writer-failed", per="vm", ids=_FAILED, needs_event=True)
def guest_writer_failed(look: Look, key: str) -> Iterator[Finding]:
    """A look into the guest shows a failed writer with an error, and the last backup of the VM failed, too.

    A failed writer alone says nothing: old guests have them after every good backup from the host (KB 2952783).
    """
    row = look.facts.guests.get(key)
    report = row.writers if row is not None and row.read else None
    failed = [w for w in report.writers if w.state_class == "failed" and w.error_kind != "none"] if report else []
    told = _standing(look, key, _FAILED) if failed else []
    if look.vm(key) is None or not told or row is None:
        return
    target = look.vm_target(key)
    evidence = [
        Evidence(
            text=f"{target.name}: {writer.name} [{writer.code}] {writer.error_text}",
            node=row.node,
            time=row.time,
            source="a look into the guest",
        )
        for writer in failed[:3]
    ]
    evidence += [look.evidence(item) for item in told[:2]]
    yield look.make(
        "guest-writer-failed",
        target,
        f"{target.name}: inside the guest {listed([writer.name for writer in failed])} failed, and so did its backup",
        sure=_sure(look, key, evidence),
        evidence=evidence,
        vms=[target],
        since=told[-1].event.time,
    )


@rule("guest-volume-full", per="vm")
def guest_volume_full(look: Look, key: str) -> Iterator[Finding]:
    """A look into the guest found a volume, perhaps one without a letter, too full for a shadow copy (peers.md 17)."""
    full = full_volumes(look, key)
    row = look.facts.guests.get(key)
    if not full or row is None or look.vm(key) is None or _standing(look, key, _SHADOW):
        return  # with a failed backup behind it another finding speaks, and names the volume
    target = look.vm_target(key)
    yield look.make(
        "guest-volume-full",
        target,
        f"{target.name}: too full for a shadow copy: {full}",
        sure=Sure.LIKELY,
        evidence=_volume_evidence(look, key),
        vms=[target],
        since=row.time,
    )


# --- helpers ---


def _standing(look: Look, vm: str, ids: tuple[int, ...]) -> list[NodeEvent]:
    """Failures of a VM after which it was not saved, newest first."""
    return still_failed(look, look.events(ids, vm=vm, source="vmms", since=DAY))


def _sure(look: Look, vm: str, evidence: list[Evidence]) -> Sure:
    """Certain when the VM's last good backup is known, and older; that is then evidence, too."""
    saved = last_backup(look, vm)
    if saved is None:
        return Sure.LIKELY
    evidence.append(look.read(f"last successful backup {stamp(saved)}", vm, "VM"))
    return Sure.CERTAIN


def _volume_evidence(look: Look, vm: str) -> list[Evidence]:
    row = look.facts.guests.get(vm)
    if row is None or not row.read:
        return []
    return [
        Evidence(text=f"{row.name}: {volume.text}", node=row.node, time=row.time, source="a look into the guest")
        for volume in row.full
    ]


def _times(items: list[NodeEvent]) -> str:
    return f"{len(items)} times" if len(items) > 1 else "once"
