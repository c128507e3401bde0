"""Words for states that last and whose length matters; an empty word means that nothing is out of the ordinary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hvtui.model.enums import (
    BlockRedirectedIOReason,
    CsvIoState,
    DrainStatus,
    FaultState,
    FileSystemRedirectedIOReason,
    GroupState,
    JobState,
    JobType,
    NodeState,
    NodeStatus,
    OperationalStatus,
    ResourceState,
    VmState,
    signed,
)
from hvtui.model.records import ClusterNode, Csv, CsvIo, Job, Role, Vm
from hvtui.model.writers import Writer

HEALTHY: Final = 5
"""CIM HealthState of a VM that is well."""
_CRITICAL: Final = frozenset(
    {
        OperationalStatus.PredictiveFailure,
        OperationalStatus.SupportingEntityInError,
        OperationalStatus.CriticalIoError,
    }
)
RUNNING_JOBS: Final = frozenset({JobState.New, JobState.Starting, JobState.Running, JobState.ShuttingDown})


def of_node(node: ClusterNode | None) -> str:
    """`down quarantined isolated drain failed draining drained paused joining unknown`."""
    if node is None:
        return ""
    status, state = node.status or 0, signed(node.state)
    found = (
        (state == NodeState.Down and status & NodeStatus.Quarantined, "quarantined"),
        (state == NodeState.Down, "down"),
        (status & NodeStatus.Isolated, "isolated"),
        (node.drain == DrainStatus.InProgress or status & NodeStatus.DrainInProgress, "draining"),
        (node.drain == DrainStatus.Failed or status & NodeStatus.DrainFailed, "drain failed"),
        (state == NodeState.Paused and node.drain == DrainStatus.Completed, "drained"),
        (state == NodeState.Paused, "paused"),
        (state == NodeState.Joining, "joining"),
        (state != NodeState.Up, "unknown"),
    )
    return next((word for holds, word in found if holds), "")


def of_csv(csv: Csv | None) -> str:
    """`failed offline no access dismounted maintenance no direct io`."""
    if csv is None:
        return ""
    fault = csv.fault or 0
    found = (
        (csv.state == ResourceState.Failed, "failed"),
        (csv.state in (ResourceState.Offline, ResourceState.OfflinePending), "offline"),
        (fault & FaultState.NoAccess, "no access"),
        (fault & FaultState.Dismounted, "dismounted"),
        (csv.maintenance or fault & FaultState.InMaintenance, "maintenance"),
        (fault & FaultState.NoDirectIO, "no direct io"),
    )
    return next((word for holds, word in found if holds), "")


def of_io(csv: Csv | None, io: CsvIo | None) -> Iterator[tuple[str, str]]:
    """For every node how it reaches a volume: `unavailable paused block redirected`, `redirected`; empty when fine."""
    for node, state in (io.nodes if io is not None else {}).items():
        yield node, io_word(csv, *state)


def io_word(csv: Csv | None, state: int, reason: int, block: int) -> str:
    """One node's way to a volume. ReFS volumes are always redirected: that is no fault."""
    if state == CsvIoState.Unavailable:
        return "unavailable"
    if state == CsvIoState.Paused:
        return "paused"
    if state == CsvIoState.BlockRedirected and block & ~BlockRedirectedIOReason.VolumeReplicationEnabled:
        return "block redirected"
    if state == CsvIoState.FileSystemRedirected:
        if reason & ~FileSystemRedirectedIOReason.FileSystemReFs:
            return "redirected"
        if not reason and not (csv is not None and csv.file_system is not None and "REFS" in csv.file_system.upper()):
            return "redirected"
    return ""


def of_role(role: Role | None) -> str:
    """`failed pending`, and `migration failed`, which Windows keeps until the next migration."""
    if role is None:
        return ""
    if role.state == GroupState.Failed or role.resource_state == ResourceState.Failed:
        return "failed"
    return "pending" if role.state == GroupState.Pending else ""


def is_critical(vm: Vm) -> bool:
    """Windows would put `Critical` behind the state's name."""
    if vm.health is not None and vm.health > HEALTHY:
        return True
    return bool(vm.op) and not _CRITICAL.isdisjoint(vm.op or ())


def of_vm(vm: Vm | None) -> str:
    """`critical paused`."""
    if vm is None:
        return ""
    if is_critical(vm):
        return "critical"
    return "paused" if vm.state in (VmState.Paused, VmState.PausedVendor) else ""


def of_merge(vm: Vm | None, jobs: tuple[Job, ...]) -> str:
    """`merging`."""
    merging = vm is not None and OperationalStatus.MergingDisks in (vm.op or ())
    return "merging" if merging or any(j.type == JobType.MergeDisks and j.state in RUNNING_JOBS for j in jobs) else ""


def of_job(job: Job) -> str:
    """The percentage a running job stands at."""
    return f"{job.percent}%" if job.state in RUNNING_JOBS and job.percent is not None else ""


def of_writer(writer: Writer) -> str:
    """`failed busy unreadable`."""
    return "" if writer.state_class == "ok" else writer.state_class
