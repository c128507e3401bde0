"""Guests that make a backup fail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from hvtui.findings.finding import Finding, Sure
from hvtui.findings.look import Look
from hvtui.findings.rules import rule

_RECENT: Final = timedelta(hours=24)
"""The past that is read of a log at the start."""


@rule("guest-shadow-failed", per="vm", ids=(10102,), needs_event=True)
def guest_shadow_failed(look: Look, key: str) -> Iterator[Finding]:
    """10102 names the VM, and no backup of it succeeded since (windows.md §5.3)."""
    found = look.vm(key)
    failed = look.events((10102,), vm=key, source="vmms", since=_RECENT)
    if found is None or not failed:
        return
    _, vm = found
    if vm.last_backup is not None and vm.last_backup > failed[0].event.time:
        return
    evidence = [look.evidence(item) for item in failed[:3]]
    sure = Sure.LIKELY
    if vm.last_backup is not None:
        evidence.append(look.read(f"last successful backup {vm.last_backup:%d %b %H:%M} UTC", key, "VM"))
        sure = Sure.CERTAIN
    times = f"{len(failed)} times" if len(failed) > 1 else "once"
    yield look.make(
        "guest-shadow-failed",
        look.vm_target(key),
        f"{vm.name}: no shadow copy inside the guest, {times} since {failed[-1].event.time:%H:%M} UTC",
        sure=sure,
        evidence=evidence,
        vms=[look.vm_target(key)],
        since=failed[-1].event.time,
    )
