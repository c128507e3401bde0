"""Reading what `Get-VM` and `Get-VMSnapshot` print, tables and lists.

The state is one of Windows' own names and decides; the status is in the node's language and is only known in English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from hvtui.model.enums import SnapshotType, VmState
from hvtui.model.pasted import Line
from hvtui.model.powershell_text import read_rows, whole
from hvtui.model.severity import Severity

_VM: Final = ("Name", "State", "Status", "CPUUsage(%)", "MemoryAssigned(M)", "Uptime", "Version", "Heartbeat")
_SNAPSHOT: Final = ("VMName", "Name", "SnapshotType", "CreationTime", "ParentSnapshotName", "CheckpointType")
_VM_NAMES: Final = frozenset({*VmState.__members__, *(f"{name}Critical" for name in VmState.__members__)})
_TYPES: Final = frozenset(SnapshotType.__members__)
_VM_LINE: Final = re.compile(
    r"\s*(?P<name>\S.*?)\s+(?P<state>" + "|".join(sorted(_VM_NAMES, key=len, reverse=True)) + r")\s+(?P<rest>.*)\Z"
)
_PERCENT: Final = re.compile(r"\(?([0-9]{1,3}) ?%\)?")


class VmText(msgspec.Struct, frozen=True, kw_only=True):
    """One VM. `activity` is what its status says it does now: `backup merge checkpoint migration`, empty for none.

    `status` is Windows' own text; None for `percent` when it tells none.
    """

    name: str
    state: str
    status: str
    severity: Severity
    meaning: str
    activity: str = ""
    percent: int | None = None
    version: str = ""
    line: int = 0


class CheckpointText(msgspec.Struct, frozen=True, kw_only=True):
    """One checkpoint of a VM."""

    vm: str
    name: str
    type: str
    created: str
    severity: Severity
    meaning: str
    line: int = 0


_STATUS: Final = (
    ("backing up", "backup"),
    ("merging disks", "merge"),
    ("merge in progress", "merge"),
    ("creating checkpoint", "checkpoint"),
    ("creating snapshot", "checkpoint"),
    ("deleting snapshot", "checkpoint"),
    ("deleting checkpoint", "checkpoint"),
    ("applying", "checkpoint"),
    ("migrating", "migration"),
    ("moving", "migration"),
)
_FINE: Final = frozenset(
    {"operating normally", "ok", "normaler betrieb", "funktioniert normal", "fonctionnement normal"}
)
_DOING: Final = {
    "backup": "a backup runs: the VM is locked for changes and moves until it ends",
    "merge": "disks are merged: wait for its end",
    "checkpoint": "a checkpoint is being made, applied or removed",
    "migration": "it is being moved",
}


def read_vms(lines: Sequence[Line]) -> tuple[VmText, ...]:
    """The VMs of a text; an empty tuple when it has none."""
    rows = [row for row in read_rows(lines, _VM) if row.get("State") and row.get("Name")]
    held = [row for row in rows if whole(row.get("State"), _VM_NAMES) in _VM_NAMES]
    found = [_vm(row.get("Name"), row.get("State"), row.get("Status"), row.get("Version"), row.line) for row in held]
    if not rows:
        return tuple(found)
    # Rows of the same table that lost their columns have one of Windows' names in them nevertheless.
    lost = {row.line for row in rows if row.table} - {row.line for row in held}
    for line in lines:
        if line.number in lost and (match := _VM_LINE.match(line.text)) is not None:
            found.append(_vm(match["name"], match["state"], _status_in(match["rest"]), "", line.number))
    return tuple(sorted(found, key=lambda vm: vm.line))


def read_checkpoints(lines: Sequence[Line]) -> tuple[CheckpointText, ...]:
    """The checkpoints of a text; an empty tuple when it has none."""
    rows = [row for row in read_rows(lines, _SNAPSHOT) if row.get("SnapshotType")]
    return tuple(
        _checkpoint(row.get("VMName"), row.get("Name"), row.get("SnapshotType"), row.get("CreationTime"), row.line)
        for row in rows
    )


def _status_in(rest: str) -> str:
    low = rest.lower()
    return next((rest[low.find(words) :] for words in (*_FINE, *(w for w, _ in _STATUS)) if words in low), "")


def _vm(name: str, state: str, status: str, version: str, line: int) -> VmText:
    state = whole(state, _VM_NAMES)
    low = status.lower()
    activity = next((kind for words, kind in _STATUS if low.startswith(words)), "")
    percent = _PERCENT.search(status)
    severity, meaning = _state(state)
    if activity:
        severity, meaning = max(severity, Severity.INFO), f"{meaning}; {_DOING[activity]}"
    elif status and not any(low.startswith(words) or words.startswith(low.rstrip(".…")) for words in _FINE):
        severity, meaning = max(severity, Severity.UNKNOWN), f"{meaning}; its status is not known to hvtui: {status}"
    return VmText(
        name=name,
        state=state,
        status=status,
        severity=severity,
        meaning=meaning,
        activity=activity,
        percent=int(percent[1]) if percent is not None and activity else None,
        version=version,
        line=line,
    )


def _state(state: str) -> tuple[Severity, str]:
    if state.endswith("Critical"):
        return Severity.BAD, f"{state}: the VM has lost its storage or another part it needs"
    return _STATES.get(state, (Severity.INFO, state))


_STATES: Final = {
    "Running": (Severity.OK, "running"),
    "Off": (Severity.OK, "off"),
    "Saved": (Severity.WARN, "saved: it does not run; a backup that saves it is an outage"),
    "Paused": (Severity.WARN, "paused: it does not run, although the cluster calls its role online"),
    "Stopping": (Severity.INFO, "stopping"),
    "Starting": (Severity.INFO, "starting"),
    "Saving": (Severity.WARN, "being saved: it stops running"),
    "Other": (Severity.UNKNOWN, "in a state Windows does not name"),
}


def _checkpoint(vm: str, name: str, kind: str, created: str, line: int) -> CheckpointText:
    kind = whole(kind, _TYPES)
    severity, meaning = _KINDS.get(kind, (Severity.UNKNOWN, "a type that is not known to hvtui"))
    return CheckpointText(vm=vm, name=name, type=kind, created=created, severity=severity, meaning=meaning, line=line)


_KINDS: Final = {
    "Standard": (Severity.OK, "taken by a person or a tool; production or with memory cannot be told from this"),
    "Recovery": (Severity.INFO, "made by a backup: normal while one runs, left behind when none does"),
    "Planned": (Severity.OK, "of a planned failover of Hyper-V Replica"),
    "Missing": (Severity.WARN, "its files are missing"),
    "Replica": (Severity.OK, "a recovery point of Hyper-V Replica: not to be removed"),
    "AppConsistentReplica": (Severity.OK, "a recovery point of Hyper-V Replica: not to be removed"),
    "SyncedReplica": (Severity.OK, "a recovery point of Hyper-V Replica: not to be removed"),
}
