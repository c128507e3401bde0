"""What a node says: one record per thing Windows knows, exactly as the HvTui module sends it.

Rules for every field:
- Numbers and GUIDs, never localised words. `enums.py` turns numbers into Windows' names.
- GUIDs are lower case without braces.
- `None` means *could not be read*; the frame's `errors` says why. It never means zero or healthy.
- Times are UTC, ISO 8601 with milliseconds and `Z` on the wire, `datetime` here.
- Sizes are bytes, percentages whole numbers, unless the name says otherwise.

The source of each Windows fact is in the help of the HvTui function that fills it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

UtcTime = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time without a zone is refused when decoding: compared with others it would be a guess."""


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of all records: immutable, compared by value, never in a reference cycle."""


class Problem(Record, frozen=True, kw_only=True):
    """Something a node could not tell: which part, and why.

    `part` is a section or a section and field: `vms`, `vms.last_backup`, `csvs`, `io`, `host.vmms`.
    `kind` is one of `denied timeout unavailable missing other`: access refused; a deadline of WMI, VMMS or the
    cluster service passed; the service is stopped or its RPC endpoint gone; module, class or property absent.
    """

    part: str
    kind: str
    text: str
    code: str = ""


# --- the cluster's own view (Watch-HvTuiCluster) ------------------------------------------------------------------


class ClusterInfo(Record, frozen=True, kw_only=True):
    """The cluster, its quorum and its witness."""

    id: str
    name: str
    functional_level: int | None = None
    quorum_type: int | None = None
    witness: str | None = None
    """Witness resource type: `Physical Disk`, `File Share Witness`, `Cloud Witness`; empty without a witness."""
    witness_state: int | None = None
    witness_weight: int | None = None
    dynamic_quorum: int | None = None
    max_parallel_migrations: int | None = None
    """Cluster-wide limit; absent before the update of 2022-09, then None without a problem."""
    enforced_anti_affinity: int | None = None
    csv_root: str | None = None
    answered_by: str = ""


class ClusterNode(Record, frozen=True, kw_only=True):
    """A node as the cluster sees it. `state`, `status` (flags), `drain`, `failback`: numbers of `enums.py`."""

    name: str
    id: str | None = None
    state: int
    status: int | None = None
    drain: int | None = None
    drain_error: int | None = None
    failback: int | None = None
    weight: int | None = None
    dynamic_weight: int | None = None
    build: str | None = None


class Csv(Record, frozen=True, kw_only=True):
    """One volume of a Cluster Shared Volume; `id` is `<resource id>/<partition number>`."""

    id: str
    resource: str
    path: str
    volume: str | None = None
    """`\\\\?\\Volume{guid}\\`, the identity that survives renaming of the folder."""
    owner: str | None = None
    state: int | None = None
    fault: int | None = None
    backup: int | None = None
    """0 none, 1 in progress (MSCluster_ClusterSharedVolume.BackupState)."""
    maintenance: bool | None = None
    redirected: bool | None = None
    """Redirected access was turned on by a person or product."""
    file_system: str | None = None
    size: int | None = None
    free: int | None = None


class CsvIo(Record, frozen=True, kw_only=True):
    """I/O state of one CSV volume on every node; `id` is the volume (`Csv.volume`).

    `nodes` maps a node name to `[state, file system redirection reason, block redirection reason]`.
    """

    id: str
    nodes: dict[str, tuple[int, int, int]]


class Role(Record, frozen=True, kw_only=True):
    """A VM role (cluster group of type VirtualMachine). Its `name` need not be its VM's name."""

    id: str
    name: str
    vm: str | None = None
    owner: str | None = None
    state: int
    status: int | None = None
    priority: int | None = None
    resource_state: int | None = None
    configuration_state: int | None = None
    migration_state: int | None = None
    migration_percent: int | None = None
    anti_affinity: list[str] | None = None


# --- a node's own view (Watch-HvTuiNode) --------------------------------------------------------------------------


class Host(Record, frozen=True, kw_only=True):
    """Facts of the host itself. Service states are Windows' own words: `Running`, `Stopped`, `Stop Pending`, …"""

    name: str
    build: str | None = None
    boot: UtcTime | None = None
    vmms: str | None = None
    vmms_started: UtcTime | None = None
    cluster_service: str | None = None
    processors: int | None = None
    memory: int | None = None
    migration_enabled: bool | None = None
    max_migrations: int | None = None
    max_storage_migrations: int | None = None
    migration_auth: int | None = None
    """0 CredSSP, 1 Kerberos."""


class CheckpointCount(Record, frozen=True, kw_only=True):
    """How many checkpoints of one kind a VM has. `saved` checkpoints hold memory: a production one never does."""

    type: int
    saved: bool
    count: int
    oldest: UtcTime | None = None


class Vm(Record, frozen=True, kw_only=True):
    """A VM as its host sees it. `state` is Msvm EnabledState, `op` the operational status numbers, primary first."""

    id: str
    name: str
    slot: int
    """Small number that stands for this VM in the load vector of this stream."""
    state: int
    health: int | None = None
    op: list[int] | None = None
    started: UtcTime | None = None
    """When it was last started, derived from its uptime; None when it is off."""
    version: str | None = None
    checkpoint_type: int | None = None
    checkpoints: list[CheckpointCount] | None = None
    heartbeat: int | None = None
    vss: int | None = None
    """Operational status of the integration service for backup (VSS), found by GUID; None when off or unreadable."""
    vss_enabled: bool | None = None
    last_backup: UtcTime | None = None
    replication: int | None = None


class VmFiles(Record, frozen=True, kw_only=True):
    """Where a VM's files are, all of them, as Windows spells the paths; read at the slow cadence."""

    id: str
    configuration: str | None = None
    checkpoints: str | None = None
    paging: str | None = None
    disks: list[str] | None = None
    """Every disk of the VM and of its checkpoints; `.avhdx` under a checkpoint; pass-through as Windows names it."""


class Job(Record, frozen=True, kw_only=True):
    """A running or just ended Hyper-V job. `kind` is `concrete`, `migration` or `storage`; numbers of `enums.py`."""

    id: str
    kind: str
    vm: str | None = None
    type: int
    state: int
    percent: int | None = None
    started: UtcTime | None = None
    error: int | None = None
    destination: str | None = None


class Load(Record, frozen=True, kw_only=True):
    """CPU and memory, only of what moved by more than the hysteresis.

    `host` is `[cpu percent, memory in use MB]`; `vms` is flat: slot, cpu percent, memory MB, slot, …
    """

    host: tuple[int, int] | None = None
    vms: list[int] = []


# --- frames of the two streams ------------------------------------------------------------------------------------


class Frame(Record, frozen=True, kw_only=True):
    """What every message of a stream carries.

    `kind`: `full` (everything; sections present are complete), `delta` (only records that changed, whole, and
    `gone`), `beat` (nothing changed). `seq` counts from 1 without gaps per stream. `time` is the node's clock when the
    tick was read. `tick_ms` is what the tick cost the node, `interval_ms` the wait until the next (it grows when
    ticks cost more than 10 % of wall time). `cpu_ms`: milliseconds of processor that the session's process has used
    since it was started, all its work together; None when that could not be told.
    `errors`, when present, replaces the earlier list whole; a full frame always carries it.
    `gone` maps a section name to the ids that no longer exist.
    """

    v: int
    kind: str
    seq: int
    time: UtcTime
    tick_ms: int = 0
    interval_ms: int = 0
    cpu_ms: int | None = None
    gone: dict[str, list[str]] = {}
    errors: list[Problem] | None = None


class ClusterFrame(Frame, frozen=True, kw_only=True):
    """A message of Watch-HvTuiCluster. A section that is None in a `full` frame could not be read."""

    cluster: ClusterInfo | None = None
    nodes: list[ClusterNode] | None = None
    csvs: list[Csv] | None = None
    io: list[CsvIo] | None = None
    roles: list[Role] | None = None


class NodeFrame(Frame, frozen=True, kw_only=True):
    """A message of Watch-HvTuiNode. A section that is None in a `full` frame could not be read."""

    host: Host | None = None
    vms: list[Vm] | None = None
    files: list[VmFiles] | None = None
    jobs: list[Job] | None = None
    load: Load | None = None


# --- answers of the calls -----------------------------------------------------------------------------------------
# `cpu_ms` is that of `Frame` in all of them.


class Info(Record, frozen=True, kw_only=True):
    """Get-HvTuiInfo: who this node is, whether hvtui can work with it, and what the account may do.

    `supported` is False for a build older than 14393 (Windows Server 2016).
    `rights` maps `elevated hyperv cluster events vss` to True, False, or None when it could not be told.
    `modules` maps a module name to its version, only of those present.
    `services` maps `vmms ClusSvc VSS` to a state word, only of those present.
    """

    v: int
    contract: str
    node: str
    time: UtcTime
    cpu_ms: int | None = None
    build: str | None = None
    supported: bool | None = None
    ps_version: str | None = None
    cluster_id: str | None = None
    cluster_name: str | None = None
    functional_level: int | None = None
    modules: dict[str, str] = {}
    services: dict[str, str] = {}
    rights: dict[str, bool | None] = {}
    errors: list[Problem] = []


class WriterText(Record, frozen=True, kw_only=True):
    """Get-HvTuiWriter: the raw text of `vssadmin list writers`, or why there is none.

    `timed_out`: the deadline passed and hvtui's own child process was ended. `busy`: another read was running there.
    """

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    duration_ms: int
    text: str | None = None
    exit_code: int | None = None
    timed_out: bool = False
    busy: bool = False
    errors: list[Problem] = []


class Provider(Record, frozen=True, kw_only=True):
    """A VSS provider (Win32_ShadowProvider). `type`: 1 system, 2 software, 3 hardware, 4 file share (vss.h)."""

    id: str
    name: str
    type: int | None = None
    version: str | None = None


class Providers(Record, frozen=True, kw_only=True):
    """Get-HvTuiProvider."""

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    providers: list[Provider] | None = None
    errors: list[Problem] = []


class Event(Record, frozen=True, kw_only=True):
    """One record of a Windows event log. Text is Windows' own, in the node's language; nothing is read from it."""

    channel: str
    record: int
    id: int
    level: int
    time: UtcTime
    provider: str
    vm: str | None = None
    vm_name: str | None = None
    codes: list[str] = []
    """Error codes found in the event's data, as `0x` and eight lower-case hex digits."""
    data: dict[str, str] = {}
    """Named values of EventData and UserData; unnamed ones are `1`, `2`, …"""
    text: str = ""


class EventPage(Record, frozen=True, kw_only=True):
    """Get-HvTuiEvent: a bounded piece of one channel, oldest first.

    `oldest_record`/`oldest_time` say how far back the log reaches. `wrapped`: the log already dropped records that were
    asked for (or has dropped any, on a first read by time). `more`: ask again from the last record.
    """

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    channel: str
    oldest_record: int | None = None
    oldest_time: UtcTime | None = None
    newest_record: int | None = None
    wrapped: bool | None = None
    more: bool = False
    events: list[Event] | None = None
    errors: list[Problem] = []
