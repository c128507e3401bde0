"""What is kept of a backup window: per VM its backups and their phases, per node and CSV a strip, and marks.

All times are by the clock of the node concerned (of the cluster's stream for CSVs), UTC. Everything here is immutable:
a page, a report and a test may keep what they got.
"""

from __future__ import annotations

from datetime import datetime
from enum import IntEnum, StrEnum

import msgspec

from hvtui.model.severity import Severity


class Phase(StrEnum):
    """What a backup of a VM does at a moment (windows.md §10.1, §10.2)."""

    FREEZE = "freeze"
    """The guest makes its shadow copy (job 51)."""
    CHECKPOINT = "checkpoint"
    """The Recovery checkpoint, or the host's own snapshot, is being made."""
    COPY = "copy"
    """The product reads the disks: a Recovery checkpoint stands, or a CSV says that its backup is in progress."""
    CONVERT = "convert"
    """Reference points are made, converted or deleted; a checkpoint is being deleted."""
    MERGE = "merge"
    """Disks are merged."""
    UNSEEN = "not seen"
    """The node was not heard, or its VMs could not be read."""


class Way(StrEnum):
    """Which of the two worlds a backup belongs to."""

    HOST = "host VSS"
    """Through the Hyper-V VSS writer of the host: writers and the CSV's BackupState tell."""
    CHECKPOINT = "checkpoint"
    """2016 and later: a Recovery checkpoint and reference points; the host's writers stay stable."""
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """How a backup stands."""

    RUNNING = "running"
    DONE = "done"
    """LastSuccessfulBackupTime says so."""
    FAILED = "failed"
    ENDED = "ended"
    """It is over, and nothing tells how it ended (yet)."""


class Consistency(StrEnum):
    """The state of the guest that a backup holds, as far as it can be read."""

    APPLICATION = "application"
    """The guest's own VSS made its shadow copy: job 51 completed without an error."""
    SAVED = "saved"
    """The VM was saved for it: its memory is in the backup, and it stood still (windows.md §10.1 step 2)."""
    AT_REST = "at rest"
    """The VM was off or saved before it began."""
    UNKNOWN = "unknown"


class Standing(IntEnum):
    """What a VM is in the window, the least wanted last, so that sorting downwards brings trouble to the top."""

    NONE = 0
    """Nothing is known of a backup in this window, and none is expected."""
    DONE = 1
    WAITING = 2
    """It is backed up regularly, and has none in this window yet."""
    RUNNING = 3
    ENDED = 4
    MISSED = 5
    """The window is over, and it has no backup in it."""
    STALLED = 6
    FAILED = 7


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One phase. `end` is None while it lasts. `exact`: its begin was told; else it may have begun before."""

    phase: Phase
    begin: datetime
    end: datetime | None = None
    exact: bool = True
    percent: int | None = None
    """Of the job behind it, as last seen."""
    moved: datetime | None = None
    """When `percent`, or the phase itself, last changed."""
    stands: bool = False
    """It stands still now, for longer than this phase may."""
    stalled: datetime | None = None
    """Since when it stood still; kept when the phase went on later."""
    stall: str = ""
    """Why that counts as a stall, in words."""


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to back up one VM, its phases in order and never overlapping.

    `reason` is why it failed, `event` the id of the event that told so (0: none). `blamed` are VMs that failed it when
    it is not its own fault: there are no partial backups of a host (windows.md §10.1 step 2).
    """

    vm: str
    node: str
    way: Way = Way.UNKNOWN
    begin: datetime
    end: datetime | None = None
    spans: tuple[Span, ...] = ()
    outcome: Outcome = Outcome.RUNNING
    reason: str = ""
    event: int = 0
    blamed: tuple[str, ...] = ()
    consistency: Consistency = Consistency.UNKNOWN

    @property
    def open(self) -> bool:
        """It has not ended."""
        return self.end is None

    @property
    def now(self) -> Span | None:
        """The phase that lasts."""
        return self.spans[-1] if self.spans and self.spans[-1].end is None else None

    def seconds(self, now: datetime) -> float:
        """How long it took, or takes."""
        return ((self.end or now) - self.begin).total_seconds()


class VmLine(msgspec.Struct, frozen=True, kw_only=True):
    """A VM in the window. `backups` are oldest first; `attempts` counts those that were forgotten, too.

    `checkpoint_type` is Windows' number, None when it was not read. `unseen`: its node is not heard now.
    """

    vm: str
    name: str
    node: str
    standing: Standing
    backups: tuple[Backup, ...] = ()
    attempts: int = 0
    checkpoint_type: int | None = None
    last_backup: datetime | None = None
    unseen: bool = False
    reason: str = ""
    """What stands beside it: why it failed or stalled, what it does."""

    @property
    def last(self) -> Backup | None:
        """The newest attempt."""
        return self.backups[-1] if self.backups else None

    @property
    def consistency(self) -> Consistency:
        """What the newest attempt reached."""
        return self.backups[-1].consistency if self.backups else Consistency.UNKNOWN


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a strip in which nothing changed. `end` is when it was last seen so, None while it lasts."""

    begin: datetime
    end: datetime | None = None
    severity: Severity
    code: int | None = None
    """Of a writer: its state number; of a CSV: the worst CsvIoState. None: not read."""
    text: str = ""
    backup: bool = False
    """Of a CSV: BackupState says that one is in progress."""


class Sample(msgspec.Struct, frozen=True):
    """Free space of a volume at a time, in bytes."""

    time: datetime
    free: int


class NodeLine(msgspec.Struct, frozen=True, kw_only=True):
    """A node's Hyper-V writer over time, and how it is now: the other writers count when one of them is worse."""

    node: str
    stretches: tuple[Stretch, ...] = ()
    stalled: str = ""
    """It waits in the middle of a snapshot for longer than a snapshot takes."""


class CsvLine(msgspec.Struct, frozen=True, kw_only=True):
    """A volume's way of I/O over time, and its free space. `lowest` is the least seen in the window."""

    csv: str
    name: str
    stretches: tuple[Stretch, ...] = ()
    free: tuple[Sample, ...] = ()
    size: int | None = None

    @property
    def lowest(self) -> int | None:
        """The least free space seen."""
        return min((sample.free for sample in self.free), default=None)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """An event, or something an operator did, at a moment. `kind` is `event` or `action`."""

    time: datetime
    kind: str
    text: str
    severity: Severity = Severity.INFO
    node: str = ""
    vm: str = ""
    csv: str = ""
    id: int = 0
    """Of an event."""
    key: str = ""
    """What tells it from others: node, channel and record, or the operation's id."""


class Leftover(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a backup left behind, or may have: `kind` is `checkpoint avhdx redirected backup writer lock`.

    `target` is `vm csv node`, `key` its key. `since` is None when that cannot be told.
    """

    kind: str
    target: str
    key: str
    name: str
    text: str
    node: str = ""
    since: datetime | None = None
    severity: Severity = Severity.WARN


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """A configured backup window by the clock: `inside`, or the last one (`begin`, `end`) and the next (`next`)."""

    inside: bool
    begin: datetime | None = None
    end: datetime | None = None
    next: datetime | None = None
    zone: str = "UTC"


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The window in numbers: VMs by how they stand, and the oldest leftover. `unread` are sources that do not answer.

    `unknown` counts VMs whose LastSuccessfulBackupTime could not be read and of which no backup was seen.
    """

    done: int = 0
    running: int = 0
    waiting: int = 0
    failed: int = 0
    stalled: int = 0
    ended: int = 0
    missed: int = 0
    unknown: int = 0
    leftovers: int = 0
    oldest: Leftover | None = None
    unread: tuple[str, ...] = ()


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a window at one moment. `begin` is what its counts begin with, `watched` since when hvtui looks."""

    now: datetime
    begin: datetime
    watched: datetime
    expected: Expected | None = None
    vms: tuple[VmLine, ...] = ()
    nodes: tuple[NodeLine, ...] = ()
    csvs: tuple[CsvLine, ...] = ()
    marks: tuple[Mark, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    summary: Summary = Summary()
