"""The tables of a scenario's TOML file, and the lengths of time in it."""

from __future__ import annotations

import re
from typing import Final

import msgspec

_SPAN: Final = re.compile(r"(-?\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?\Z")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

Span = str | int | float
"""A length of time: seconds, or a number with `ms s m h d`."""


def seconds(span: Span) -> float:
    """Seconds of a span; raises ValueError."""
    if isinstance(span, int | float):
        return float(span)
    match = _SPAN.match(span.strip())
    if match is None:
        raise ValueError(f"{span!r} is no length of time: write seconds, or a number with ms, s, m, h or d")
    return float(match[1]) * _UNITS[match[2] or "s"]


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    """Base of the tables of a scenario."""


class VirtualDiskPart(_Part):
    """A virtual disk of Storage Spaces Direct."""

    name: str
    health: int = 0
    """0 healthy, 1 warning, 2 unhealthy."""


class StorageJobPart(_Part):
    """A storage job that runs when the world begins; `lasts` 0: for ever."""

    name: str = "Repair"
    percent: int = 0
    lasts: Span = 0


class AffinityRulePart(_Part):
    """An affinity rule (2022 and later). `type` is Windows' word; `groups` are names of roles."""

    name: str
    type: str
    groups: list[str]
    enabled: bool = True


class ReplicaPart(_Part):
    """A Storage Replica group of a host; status 1 is continuously replicating."""

    name: str
    status: int = 1


class ShadowPart(_Part):
    """A shadow copy that was there before the world began."""

    csv: str
    age: Span = "6h"


class ClusterPart(_Part):
    """The cluster itself. `id` is fixed per scenario, so that two scenarios are never taken for one cluster."""

    name: str
    id: str
    functional_level: int = 10
    witness: str = "File Share Witness"
    max_parallel_migrations: int | None = None
    """Known to Windows Server 2022 and later, where it is 1 unless it was set."""
    enforced_anti_affinity: int = 0
    kept_checkpoints: list[str] = []
    """VMs whose Recovery checkpoint the backup product keeps on purpose: the lab's configuration names them."""
    account: str = "CORP\\svc-backup"
    """The backup product's service account."""
    accounts: list[str] = []
    """Further accounts and groups that people made in the domain; those of `services` are known without."""
    witness_offline: bool = False
    s2d: bool = False
    """Storage Spaces Direct is on; without `virtual_disks` it has one that is healthy."""
    virtual_disks: list[VirtualDiskPart] = []
    storage_jobs: list[StorageJobPart] = []
    """Jobs that run from the beginning, for `seconds` seconds."""
    move_type_threshold: int = 2000
    balancer: int = 2
    """AutoBalancerMode."""
    affinity_rules: list[AffinityRulePart] = []


class NodesPart(_Part):
    """All hosts: named one by one, or `prefix` and `count`."""

    names: list[str] = []
    prefix: str = "HV"
    count: int = 0
    build: str = "10.0.17763.5329"
    processors: int = 48
    memory_gb: int = 512
    max_migrations: int = 2
    switches: list[str] = msgspec.field(default_factory=lambda: ["vSwitch"])


class NodePart(_Part):
    """What is special about one host."""

    name: str
    build: str | None = None
    memory_gb: int | None = None
    clock_offset: Span = 0
    language: str = "en"
    access_control: dict[str, int] = {}
    access_key: bool = True
    """Whether the key of VssAccessControl is there."""
    down: bool = False
    vmms_hung: bool = False
    cluster_service_hung: bool = False
    vssadmin_hung: bool = False
    not_hyperv: bool = False
    paused: bool = False
    missing_rights: list[str] = []
    unreadable: dict[str, str] = {}
    max_migrations: int | None = None
    isolated: bool = False
    quarantined: bool = False
    switches: list[str] | None = None
    vm_versions: list[str] | None = None
    """Configuration versions; absent: those of its build."""
    replicas: list[ReplicaPart] = []
    shadows: list[ShadowPart] = []
    services: list[str] = []
    """Services that run here beside the usual ones, such as SQLWriter."""
    dependents: dict[str, list[str]] = {}
    """Service → services that run here and need it."""
    hanging_stops: list[str] = []
    """Services whose stop never comes to its end."""


class ServicePart(_Part):
    """A program's own service: it runs as somebody on these hosts, on all without `nodes`."""

    name: str
    account: str
    title: str = ""
    nodes: list[str] = []


class CsvPart(_Part):
    """A Cluster Shared Volume, or `count` of them named `prefix` and a number."""

    name: str = ""
    prefix: str = "Volume"
    count: int = 0
    first: int = 1
    size_gb: int = 8192
    free_gb: int = 2600
    file_system: str = "NTFS"
    owner: str = ""
    """Empty: nodes take turns."""
    no_direct_io: list[str] = []
    """Nodes that lost their path: BlockRedirected, NoDiskConnectivity (event 5121)."""
    redirected: bool = False
    paused_on: list[str] = []
    """Nodes on which its I/O is paused."""
    unavailable_on: list[str] = []
    """Nodes that cannot reach it at all."""


class GuestFilePart(_Part):
    """A large file in a guest; its path is below the root of the volume."""

    path: str
    size_gb: float


class VolumePart(_Part):
    """A partition inside a guest. Without a name it has no letter."""

    name: str = "C:"
    size_gb: float = 127.0
    free_gb: float = 40.0
    label: str = ""
    file_system: str = "NTFS"
    files: list[GuestFilePart] = []


class GuestsPart(_Part):
    """Who may enter the guests: one account of the domain they are in. So many wrong passwords in a row lock it."""

    account: str = "CORP\\svc-guests"
    password: str = "Demo-guest-1"  # noqa: S105 - of guests that do not exist; the lab prints it
    lockout: int = 5
    """0: never."""


class CheckpointPart(_Part):
    """A checkpoint that was there before the world began."""

    type: str = "Standard"
    saved: bool = False
    age: Span = "3d"
    name: str = ""


class VmsPart(_Part):
    """One VM, or a group of them. Placement lists are used in turn; without `csvs` a VM is on a CSV its node owns."""

    name: str = ""
    names: list[str] = []
    prefix: str = ""
    count: int = 0
    first: int = 1
    nodes: list[str] = []
    csvs: list[str] = []
    second_disk: str = ""
    """CSV of a second disk."""
    checkpoint_csv: str = ""
    """CSV of the checkpoints' directory, when it is another."""
    other_disks: list[str] = []
    state: str = "Running"
    guest: str = "windows-2019"
    memory_gb: float = 8.0
    dynamic: bool = False
    processors: int = 4
    cpu: float = -1.0
    """Usual load in percent; negative: drawn."""
    disk_gb: int = 120
    checkpoint_type: str = "Production"
    checkpoints: list[CheckpointPart] = []
    role: str = ""
    """Name of the cluster role when it is not the VM's."""
    clustered: bool = True
    priority: int = 2000
    anti_affinity: list[str] = []
    replication: str = "NotReplicated"
    config_version: str = ""
    """Empty: what a new VM gets on the hosts' Windows."""
    memory_startup_gb: float | None = None
    """Absent: half of `memory_gb` with dynamic memory, all of it without."""
    memory_minimum_gb: float | None = None
    memory_maximum_gb: float | None = None
    switches: list[str] = msgspec.field(default_factory=lambda: ["vSwitch"])
    dvd: list[str] = []
    """Images that are inserted; one on a local disk is on its own host only."""
    shared_disks: list[str] = []
    gpu: int = 0
    fibre_channel: int = 0
    tpm: bool = False
    set_fails: str = ""
    """Windows refuses to change its settings, with this text."""
    possible_owners: list[str] = []
    """Empty: all."""
    preferred_owners: list[str] = []
    merge_error: str = ""
    """The code with which merges of its disks fail, such as 0x80070020, until somebody lets go of its files."""
    fork_commit: Span | None = None
    """Age of a checkpoint whose fork was not committed (Worker-Admin 3216): moved or restarted the VM loses data."""
    volumes: list[VolumePart] = []
    guest_account: str = ""
    """An account of its own: the guest is in no domain. Empty: the domain's account of `[guests]`."""
    guest_password: str = ""
    guest_spent_writers: bool = False
    """Writers inside stay at [9] without an error after a good backup, as those of old guests do (KB 2952783)."""
    guest_unreadable: dict[str, str] = {}
    """Parts that the guest does not tell: `volumes services system storage writers` → kind of problem."""
    backed_up: Span | None = "20h"
    """Age of the last successful backup; absent guests that never had one write 0."""


class MigrationsPart(_Part, tag_field="kind", tag="migrations"):
    """Now and then a VM moves to another node, and later back (balancing)."""

    start: Span = 8
    every: Span = 60
    vms: list[str] = []


class CsvMovesPart(_Part, tag_field="kind", tag="csv_moves"):
    """Now and then a CSV gets another owner and later its first one again (balancing)."""

    start: Span = "5m"
    every: Span = "20m"


class NoisePart(_Part, tag_field="kind", tag="noise"):
    """The harmless noise of a real cluster: CAPI2 513, and 5120 with c0130021."""

    every: Span = "12m"
    history: Span = "24h"
    callbacks: Span = 0
    """About how often a list of writers that some program asks for is answered with an 8194, too; 0: never."""


class RctPart(_Part, tag_field="kind", tag="rct_backup"):
    """A 2016+ checkpoint backup (windows.md §10.2). `vms` and `failing` are name patterns with `*`."""

    vms: list[str]
    start: Span = 5
    every: Span = 0
    """0: one run."""
    parallel: int = 4
    copy: Span = "4m"
    failing: list[str] = []
    retry: Span = "6m"


class HostBackupPart(_Part, tag_field="kind", tag="host_backup"):
    """A backup through the host's Hyper-V VSS writer (windows.md §10.1), on one node after the other.

    A run that fails is pending: it is tried again every `retry` until it succeeds or is killed.
    """

    nodes: list[str]
    start: Span = 20
    every: Span = "45m"
    copy: Span = "6m"
    retry: Span = "3m"
    hardware: bool = True
    callback_denied: bool = False
    """The requester does not let the System Writer call back: 8194 at each run until the account is listed (§6)."""


class TimelinePart(_Part):
    """Something a person does at a time: `do` is one of VERBS."""

    at: Span
    do: str
    node: str = ""
    vm: str = ""
    volume: str = ""
    gb: float = 0.0


Behaviour = MigrationsPart | CsvMovesPart | NoisePart | RctPart | HostBackupPart


class Scenario(_Part, kw_only=True):
    """A whole scenario."""

    title: str
    seed: int = 1
    cluster: ClusterPart
    nodes: NodesPart
    node: list[NodePart] = []
    services: list[ServicePart] = []
    csvs: list[CsvPart] = []
    vms: list[VmsPart] = []
    guests: GuestsPart = msgspec.field(default_factory=GuestsPart)
    behaviours: list[Behaviour] = []
    timeline: list[TimelinePart] = []

    def node_names(self) -> list[str]:
        """Names of all hosts."""
        width = max(2, len(str(self.nodes.count)))
        return self.nodes.names or [f"{self.nodes.prefix}{i:0{width}}" for i in range(1, self.nodes.count + 1)]

    def csv_names(self) -> list[str]:
        """Names of all CSVs, in order."""
        return [name for part in self.csvs for name in csv_names(part)]


def csv_names(part: CsvPart) -> list[str]:
    """Names that one `[[csvs]]` table makes."""
    if part.count:
        return [f"{part.prefix}{i}" for i in range(part.first, part.first + part.count)]
    return [part.name]


def vm_names(part: VmsPart) -> list[str]:
    """Names that one `[[vms]]` table makes."""
    if part.names:
        return part.names
    if part.count:
        width = max(2, len(str(part.first + part.count - 1)))
        return [f"{part.prefix}{i:0{width}}" for i in range(part.first, part.first + part.count)]
    return [part.name]
