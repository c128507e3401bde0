"""Records of checkpoints, and of changes of the checkpoint type.

The same rules as in `records.py`: None means *could not be read*, and the answer's `errors` says why.
"""

from __future__ import annotations

import msgspec

from hvtui.model.records import Problem, Record, UtcTime


class CheckpointInfo(Record, frozen=True, kw_only=True):
    """One checkpoint (Get-VMSnapshot). `type` is its SnapshotType (0 standard, 1 Recovery …).

    `saved`: it holds memory, so applying it brings that memory back; one that a guest's freeze made never does
    (windows.md §2.2). `parent` is the id of the checkpoint it rests on, empty for none.
    """

    id: str
    name: str
    type: int | None = None
    saved: bool | None = None
    created: UtcTime | None = None
    parent: str | None = None
    automatic: bool | None = None


class Checkpoints(Record, frozen=True, kw_only=True):
    """Get-HvTuiCheckpoint: one VM's checkpoints. `current` is the one it runs on, empty for none.

    `state` is EnabledState, `checkpoint_type` what a new checkpoint would be.
    """

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    node: str
    vm: str
    name: str | None = None
    state: int | None = None
    checkpoint_type: int | None = None
    current: str | None = None
    checkpoints: list[CheckpointInfo] | None = None
    errors: list[Problem] = msgspec.field(default_factory=list)


class PolicyLine(Record, frozen=True, kw_only=True):
    """One line of a change of checkpoint types: a VM as it was changed, or the end.

    `kind` is `vm`, or `end`, once and last. `outcome` of a VM: `done`, `refused` (its `rule` as in ActionResult,
    nothing was changed), `failed` (Windows said no; `text`, `code`). Of the end: `done`, or `stopped` after too many
    failures one after the other. `before` and `after` are the VM's CheckpointType as read in the same call. `changed`,
    `refused` and `failed` count so far.
    """

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    node: str
    function: str
    operation: str
    kind: str
    vm: str = ""
    outcome: str = ""
    rule: str = ""
    text: str = ""
    code: str = ""
    before: int | None = None
    after: int | None = None
    command: str = ""
    recorded: bool | None = None
    changed: int = 0
    refused: int = 0
    failed: int = 0
    errors: list[Problem] = msgspec.field(default_factory=list)
