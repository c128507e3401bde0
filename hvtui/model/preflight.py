"""What must be known before anything is changed: records of the questions that only an operation asks.

The same rules as in `records.py`: None means *could not be read*, and the answer's `errors` says why.
"""

from __future__ import annotations

import msgspec

from hvtui.model.records import Problem, Record, UtcTime


class ChainFile(Record, frozen=True, kw_only=True):
    """One file of a VM's disk chain (Get-VHD). `parent` is empty for a base disk, None when it could not be told."""

    path: str
    parent: str | None = None
    size: int | None = None


class VmPreflight(Record, frozen=True, kw_only=True):
    """What a move or restart of one VM depends on. Memory is MB; lists are None when unread, empty when there is none.

    `dvd` holds the media that are inserted, `pass_through` physical disks, `shared` disks several VMs write to,
    `gpu` the number of assigned GPU partitions and devices, `fibre_channel` that of virtual adapters, `jobs` types of
    its jobs in JobState 3 or 4.
    """

    id: str
    name: str
    state: int | None = None
    operational: list[int] | None = None
    clustered: bool | None = None
    version: str | None = None
    dynamic: bool | None = None
    memory_startup: int | None = None
    memory_minimum: int | None = None
    memory_maximum: int | None = None
    memory_assigned: int | None = None
    switches: list[str] | None = None
    dvd: list[str] | None = None
    pass_through: list[str] | None = None
    shared: list[str] | None = None
    gpu: int | None = None
    fibre_channel: int | None = None
    tpm: bool | None = None
    chain: list[ChainFile] | None = None
    jobs: list[int] | None = None
    system: str | None = None
    """What the guest calls itself (KVP OSName); empty when it does not answer."""
    product: int | None = None
    """KVP ProductType: 1 workstation, 2 domain controller, 3 server; 0 when the guest does not answer."""
    role: str | None = None
    """Id of its cluster group; empty when it is not clustered."""
    role_status: int | None = None
    owner: str | None = None
    priority: int | None = None
    possible_owners: list[str] | None = None
    preferred_owners: list[str] | None = None
    anti_affinity: list[str] | None = None


class AffinityRule(Record, frozen=True, kw_only=True):
    """Get-ClusterAffinityRule (2022+). `type`: 1 SameFaultDomain, 2 SameNode, 3 DifferentFaultDomain, 4
    DifferentNode.
    """

    name: str
    type: int
    groups: list[str] = msgspec.field(default_factory=list)
    """Names of cluster groups."""
    enabled: bool | None = None


class ShadowCopy(Record, frozen=True, kw_only=True):
    """Win32_ShadowCopy: id, set, volume (`\\\\?\\Volume{guid}\\`), when it was made, and the id of its provider.

    `persistent`: it outlives its requester. `client_accessible`: one of Previous Versions, which no backup leaves.
    """

    id: str
    set: str | None = None
    volume: str | None = None
    created: UtcTime | None = None
    provider: str | None = None
    persistent: bool | None = None
    client_accessible: bool | None = None


class StorageJob(Record, frozen=True, kw_only=True):
    """A running storage job (MSFT_StorageJob); `state` is its JobState."""

    name: str
    state: int | None = None
    percent: int | None = None


class VirtualDisk(Record, frozen=True, kw_only=True):
    """A Storage Spaces Direct virtual disk. `health`: 0 healthy, 1 warning, 2 unhealthy (MSFT_VirtualDisk)."""

    name: str
    health: int | None = None
    operational: list[int] | None = None


class Replica(Record, frozen=True, kw_only=True):
    """A Storage Replica group of this node and its ReplicationStatus (MSFT_WvrReplicationGroup); 1 is in sync."""

    name: str
    status: int | None = None


class NodePreflight(Record, frozen=True, kw_only=True):
    """What pausing or restarting this node depends on. Memory is MB.

    `s2d` is whether Storage Spaces Direct is on; `virtual_disks` and `storage_jobs` are empty without it. `replicas`
    is empty where Storage Replica is not used. `threshold` is MoveTypeThreshold: roles below it are quick-migrated by a
    drain. `balancer` is the cluster's AutoBalancerMode.
    """

    name: str
    id: str | None = None
    memory_available: int | None = None
    memory_total: int | None = None
    switches: list[str] | None = None
    vm_versions: list[str] | None = None
    s2d: bool | None = None
    virtual_disks: list[VirtualDisk] | None = None
    storage_jobs: list[StorageJob] | None = None
    replicas: list[Replica] | None = None
    shadow_copies: list[ShadowCopy] | None = None
    affinity_rules: list[AffinityRule] | None = None
    threshold: int | None = None
    balancer: int | None = None


class Preflight(Record, frozen=True, kw_only=True):
    """Get-HvTuiPreflight: all VMs of a node, and the node."""

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    node: NodePreflight | None = None
    vms: list[VmPreflight] | None = None
    errors: list[Problem] = msgspec.field(default_factory=list)


class ForkSign(Record, frozen=True, kw_only=True):
    """An event that says a checkpoint's fork was not committed (peers.md: Worker 3216, or one of four codes)."""

    vm: str
    channel: str
    record: int
    id: int
    time: UtcTime
    code: str = ""


class SearchedLog(Record, frozen=True, kw_only=True):
    """How far back a log could be searched. `wrapped`: older records were dropped, so a sign may have been there."""

    channel: str
    oldest: UtcTime | None = None
    wrapped: bool | None = None


class ForkCommit(Record, frozen=True, kw_only=True):
    """Get-HvTuiForkCommit: signs in the whole of the VMMS-Admin and Worker-Admin logs; None when one was not read."""

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    signs: list[ForkSign] | None = None
    searched: list[SearchedLog] = msgspec.field(default_factory=list)
    errors: list[Problem] = msgspec.field(default_factory=list)


class ServiceState(Record, frozen=True, kw_only=True):
    """Get-HvTuiService (Win32_Service): `state` in Windows' words, `process_id` 0 when stopped, `wait_hint` in ms.

    `started` is when the process began, None when there is none. `dependents` are names of services that run and
    depend on it.
    """

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    name: str
    state: str | None = None
    process_id: int | None = None
    started: UtcTime | None = None
    checkpoint: int | None = None
    wait_hint: int | None = None
    exit_code: int | None = None
    dependents: list[str] | None = None
    errors: list[Problem] = msgspec.field(default_factory=list)


class ActionResult(Record, frozen=True, kw_only=True):
    """What a mutating function did. `outcome`: `done`, `started` (Windows works on), or `refused` with its reason.

    `rule` names why the node refused: `expect.<what differs>`, `busy`, `denied`, `forbidden`, `unread` (what must be
    compared could not be read), `windows` (the cmdlet said no; `code` has its number), `stood_down` (another drain
    began at the same moment and this one gave way).
    `before` and `after` are what was read in the same call, `command` is the cmdlet as it was run, empty when none was.
    `recorded` says whether the record in the node's Application log could be written.
    """

    v: int
    time: UtcTime
    cpu_ms: int | None = None
    node: str
    function: str
    operation: str
    outcome: str
    rule: str = ""
    text: str = ""
    code: str = ""
    before: dict[str, str | int | None] = msgspec.field(default_factory=dict)
    after: dict[str, str | int | None] = msgspec.field(default_factory=dict)
    command: str = ""
    recorded: bool | None = None
    errors: list[Problem] = msgspec.field(default_factory=list)
