"""A VM's checkpoints as rows: which kind each really became, what it rests on, and what stands out about it.

A checkpoint that holds memory is a standard one, whatever the VM's type says; one without memory was made by the
guest's own freeze, or while the VM was off (windows.md §2.2). Kinds beside the standard ones are Windows' own.
"""

from __future__ import annotations

from typing import Final

import msgspec

from hvtui.model.checkpoints import CheckpointInfo, Checkpoints
from hvtui.model.enums import SnapshotType, name_of
from hvtui.model.records import UtcTime
from hvtui.model.severity import Severity

PRODUCTION: Final = "production"
STANDARD: Final = "standard, with memory"
RECOVERY: Final = "Recovery, of a backup"
UNREAD: Final = "?"


class CheckpointRow(msgspec.Struct, frozen=True, kw_only=True):
    """One checkpoint. `parent` is the name of the one it rests on, empty for none; `children` rest on it.

    `current`: the VM runs on it now.
    """

    id: str
    name: str
    kind: str
    severity: Severity
    created: UtcTime | None
    parent: str
    children: int
    current: bool
    automatic: bool | None
    type: int | None
    saved: bool | None


def kind_of(info: CheckpointInfo) -> str:
    """Which kind a checkpoint really is, `?` when that could not be read."""
    if info.type is None:
        return UNREAD
    if info.type == SnapshotType.Recovery:
        return RECOVERY
    if info.type != SnapshotType.Standard:
        return name_of(SnapshotType, info.type)
    return UNREAD if info.saved is None else STANDARD if info.saved else PRODUCTION


def checkpoint_rows(answer: Checkpoints) -> list[CheckpointRow] | None:
    """The rows, newest first, those without a time last; None when the list could not be read."""
    if answer.checkpoints is None:
        return None
    by_id = {info.id.lower(): info for info in answer.checkpoints}
    children: dict[str, int] = {}
    for info in answer.checkpoints:
        children[(info.parent or "").lower()] = children.get((info.parent or "").lower(), 0) + 1
    rows = [_row(info, answer, by_id, children.get(info.id.lower(), 0)) for info in answer.checkpoints]
    return sorted(rows, key=lambda row: (row.created is None, -(row.created.timestamp() if row.created else 0), row.id))


def _row(info: CheckpointInfo, answer: Checkpoints, by_id: dict[str, CheckpointInfo], children: int) -> CheckpointRow:
    kind = kind_of(info)
    above = by_id.get((info.parent or "").lower())
    parent = "?" if info.parent is None else above.name if above is not None else info.parent
    return CheckpointRow(
        id=info.id,
        name=info.name,
        kind=kind,
        severity=Severity.UNKNOWN if kind == UNREAD else Severity.WARN if kind == RECOVERY else Severity.OK,
        created=info.created,
        parent=parent,
        children=children,
        current=bool(answer.current) and (answer.current or "").lower() == info.id.lower(),
        automatic=info.automatic,
        type=info.type,
        saved=info.saved,
    )
