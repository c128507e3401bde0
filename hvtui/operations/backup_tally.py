"""How backups of isolated VMs have ended since they were gathered: whose fault is it, a guest's or the node's?

Failures are the events of the isolating node that name the VM (10102 and its kin); a success is a newer
LastSuccessfulBackupTime. Windows keeps only the last one, so successes are not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from hvtui.model.event_catalog import meaning, vm_of
from hvtui.model.severity import Severity
from hvtui.model.state import ClusterState

CHANNEL: Final = "Microsoft-Windows-Hyper-V-VMMS-Admin"


@dataclass(frozen=True)
class VmTally:
    """One VM. `there`: on the isolating node now (None unknown). `succeeded`: its last good backup, if since then.

    `failed` is how often each event id told of a failure; `last_failed` the node's clock. `unread` says what could
    not be read of it.
    """

    vm: str
    name: str
    control: bool
    there: bool | None
    succeeded: datetime | None
    failed: dict[int, int]
    last_failed: datetime | None
    unread: str = ""

    @property
    def outcome(self) -> str:
        """`failed`, `succeeded`, `both`, `none yet` or `unread`; what was last decides nothing, both are told."""
        if self.failed and self.succeeded is not None:
            return "both"
        if self.failed:
            return "failed"
        if self.unread:
            return "unread"
        return "succeeded" if self.succeeded is not None else "none yet"


@dataclass(frozen=True)
class BackupTally:
    """All of them, and what can be said of whose fault it is."""

    node: str
    since: datetime
    vms: tuple[VmTally, ...]
    gap: str
    """Why failures may be missing; empty when the node's log was read back to `since`."""
    verdict: str


def tally(
    state: ClusterState,
    *,
    node: str,
    since: datetime,
    control: str,
    names: Mapping[str, str],
    before: Mapping[str, datetime | None],
) -> BackupTally:
    """`names` are the VMs by id, `before` their LastSuccessfulBackupTime when they were gathered."""
    failures = _failures(state, node, since, names)
    rows = tuple(
        _of(state, node, (vm, name), failures.get(vm, []), before.get(vm), control=vm == control, since=since)
        for vm, name in names.items()
    )
    gap = _gap(state, node, since)
    return BackupTally(node=node, since=since, vms=rows, gap=gap, verdict=_verdict(rows, gap, node))


def _failures(
    state: ClusterState, node: str, since: datetime, wanted: Iterable[str]
) -> dict[str, list[tuple[datetime, int]]]:
    vms = set(wanted)
    found: dict[str, list[tuple[datetime, int]]] = {}
    for held in state.events.recent():
        event = held.event
        if held.node.lower() != node.lower() or event.time < since:
            continue
        vm, _ = vm_of(event)
        known = meaning(event) if vm in vms else None
        if known is not None and known.kind == "backup" and known.severity is Severity.BAD:
            found.setdefault(vm, []).append((event.time, event.id))
    return found


def _of(
    state: ClusterState,
    node: str,
    called: tuple[str, str],
    failures: list[tuple[datetime, int]],
    before: datetime | None,
    *,
    control: bool,
    since: datetime,
) -> VmTally:
    vm, name = called
    home, found = state.home(vm), state.vm(vm)
    last = found[1].last_backup if found is not None else None
    newer = last is not None and last >= since and (before is None or last > before)
    unread = "" if found is not None and found[1].last_backup is not None else "no time of a last good backup was read"
    return VmTally(
        vm=vm,
        name=found[1].name if found is not None else name,
        control=control,
        there=None if home is None else home.lower() == node.lower(),
        succeeded=last if newer else None,
        failed=dict(Counter(number for _, number in failures)),
        last_failed=max((time for time, _ in failures), default=None),
        unread=unread,
    )


def _gap(state: ClusterState, node: str, since: datetime) -> str:
    error = state.events.error(node, CHANNEL)
    if error:
        return f"the log of {node} could not be read: {error}"
    if state.events.read_at(node) is None:
        return f"the log of {node} was not read yet"
    oldest, wrapped = state.events.coverage(node, CHANNEL)
    if wrapped and (oldest is None or oldest > since):
        return f"the log of {node} does not reach back to then any more"
    return ""


def _verdict(rows: tuple[VmTally, ...], gap: str, node: str) -> str:
    suspects = [row for row in rows if not row.control]
    controls = [row for row in rows if row.control]
    failed = [row for row in suspects if row.failed]
    if any(row.failed for row in controls):
        return f"the control failed on {node}, too: look at the node, not at the guests"
    if not any(row.succeeded for row in controls):
        return f"the control has had no backup on {node} yet: nothing can be said"
    if failed:
        return f"the control succeeded on {node}: look at {', '.join(row.name for row in failed)}"
    waiting = [row for row in suspects if row.succeeded is None]
    if waiting or gap:
        return f"no failure on {node} yet" + (f"; still without a backup: {len(waiting)}" if waiting else "")
    return f"all succeeded on {node}: look at the node they came from"
