"""A host of the cluster: services, VMs, jobs, logs, writers, and what may be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from hvtui.lab.world.cluster_facts import Replica
from hvtui.lab.world.events import ChannelLog
from hvtui.lab.world.installed import FILTERS, UPDATES, FilterDriver, Update
from hvtui.lab.world.jobs import Job
from hvtui.lab.world.vm import Vm
from hvtui.lab.world.writers import HYPERV, Shadow, ShadowProvider, Writer
from hvtui.model.enums import DrainStatus, NodeState, NodeStatus

SHIPPED: Final = "NT Authority\\NetworkService"
"""The account whose entry under VssAccessControl Windows ships, with the right of a writer; its spelling there."""


@dataclass(slots=True)
class Service:
    """A Windows service: its state word and when its process was started (world time).

    `mode` is its start mode; `checkpoint` counts while it starts or stops, `wait_hint` is in ms; `dependents` are the
    installed services that need it. `hangs`: a stop never comes to its end.
    """

    state: str = "Running"
    started: float | None = 0.0
    mode: str = "Auto"
    checkpoint: int = 0
    wait_hint: int = 0
    exit_code: int = 0
    dependents: list[str] = field(default_factory=list)
    hangs: bool = False
    stops: int = 0
    """How often it was told to stop."""
    account: str = "LocalSystem"
    """Whom it runs as, as the service control manager writes it."""
    title: str = ""
    """What people call it; empty: what Windows calls it."""

    @property
    def running(self) -> bool:
        """It works."""
        return self.state == "Running"


@dataclass(slots=True)
class Faults:
    """What is wrong with a node; each can be set and lifted while the world runs.

    `rights` names areas the account lacks: `elevated hyperv cluster events`. `unreadable` maps a part of a stream
    (`vms.last_backup`, `io`) to the kind of its problem.
    """

    down: bool = False
    vmms_hung: bool = False
    cluster_service_hung: bool = False
    vssadmin_hung: bool = False
    not_hyperv: bool = False
    rights: set[str] = field(default_factory=set)
    unreadable: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Node:
    """One cluster node. `boot` is world time, negative when it was up before the world began."""

    name: str
    number: int
    build: str
    processors: int
    memory: int
    boot: float
    clock_offset: float = 0.0
    language: str = "en"
    state: int = NodeState.Up
    status: int = 0
    drain: int = DrainStatus.NotInitiated
    drain_error: int = 0
    failback: int = DrainStatus.NotInitiated
    weight: int = 1
    dynamic_weight: int = 1
    max_migrations: int = 2
    max_storage_migrations: int = 2
    migration_auth: int = 1
    migration_enabled: bool = True
    services: dict[str, Service] = field(default_factory=dict)
    vms: dict[str, Vm] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    logs: dict[str, ChannelLog] = field(default_factory=dict)
    writers: list[Writer] = field(default_factory=list)
    providers: list[ShadowProvider] = field(default_factory=list)
    shadows: list[Shadow] = field(default_factory=list)
    filters: list[FilterDriver] = field(default_factory=lambda: list(FILTERS))
    updates: list[Update] = field(default_factory=lambda: list(UPDATES))
    access_control: dict[str, int] = field(default_factory=dict)
    """Values of HKLM\\...\\VSS\\VssAccessControl: account → 0 deny, 1 writer, 2 requester, 3 both (windows.md §6)."""
    access_key: bool = True
    """Whether that key is there."""
    freeze_until: float = 0.0
    """vssadmin blocks until then: a snapshot is being made (windows.md §4.7)."""
    faults: Faults = field(default_factory=Faults)
    switches: list[str] = field(default_factory=list)
    vm_versions: list[str] = field(default_factory=list)
    """Configuration versions of VMs that it can run, oldest first."""
    replicas: list[Replica] = field(default_factory=list)
    event_sources: set[str] = field(default_factory=set)
    """Programs registered to write into the Application log."""
    failback_vms: list[str] = field(default_factory=list)
    """VMs that a drain took away and a resume with failback brings home."""
    paused_before: bool = False
    """It was paused when it went down, and is so when it comes back."""
    revision: int = 0

    def touch(self) -> None:
        """Note that something a reader can see has changed."""
        self.revision += 1

    @property
    def up(self) -> bool:
        """It takes roles: Up, not paused, not isolated and not in quarantine."""
        troubled = self.status & (NodeStatus.Isolated | NodeStatus.Quarantined)
        return self.state == NodeState.Up and not self.faults.down and not troubled

    def log(self, channel: str) -> ChannelLog:
        """A channel's log, made when it is first written."""
        log = self.logs.get(channel)
        if log is None:
            log = self.logs[channel] = ChannelLog()
        return log

    def writer(self, writer_id: str) -> Writer:
        """A writer by its class id."""
        return next(writer for writer in self.writers if writer.id == writer_id)

    @property
    def hyperv_writer(self) -> Writer:
        """The Hyper-V writer; it lives inside VMMS (windows.md §7)."""
        return self.writer(HYPERV)

    def running_jobs(self) -> list[Job]:
        """Jobs in JobState 3 or 4."""
        return [job for job in self.jobs.values() if job.running]


def entry_of(node: Node, account: str) -> str | None:
    """The entry of an account as it is spelt there; names know no case."""
    return next((name for name in node.access_control if name.lower() == account.lower()), None)


def access_of(node: Node, account: str) -> int | None:
    """What an account's entry says; None for no entry."""
    spelt = entry_of(node, account)
    return None if spelt is None else node.access_control[spelt]
