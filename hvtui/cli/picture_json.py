"""One picture of a cluster as the JSON object of docs/status.schema.json.

Names and spellings are Windows'. `null` means that it could not be read (`unread` says why), never zero or healthy.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import IntEnum, IntFlag

from hvtui.cli.writer_output import writer_json
from hvtui.model import enums
from hvtui.model.link import LinkStatus
from hvtui.model.placement import place
from hvtui.model.records import CheckpointCount, Csv, Job, Vm
from hvtui.model.state import ClusterState
from hvtui.model.views import NodeView
from hvtui.text import natural

Json = dict[str, object]


def cluster_json(state: ClusterState, configured: str) -> Json:
    """The cluster itself; `configured` is its name in the configuration."""
    info = state.cluster.info
    facts: Json = dict.fromkeys(
        (
            "name",
            "id",
            "functional_level",
            "quorum_type",
            "witness",
            "witness_state",
            "dynamic_quorum",
            "max_parallel_migrations",
            "answered_by",
        )
    )
    if info is not None:
        facts = {
            "name": info.name,
            "id": info.id,
            "functional_level": info.functional_level,
            "quorum_type": _name(enums.QuorumType, info.quorum_type),
            "witness": info.witness,
            "witness_state": _name(enums.ResourceState, info.witness_state),
            "dynamic_quorum": None if info.dynamic_quorum is None else info.dynamic_quorum == 1,
            "max_parallel_migrations": info.max_parallel_migrations,
            "answered_by": info.answered_by,
        }
    return {"configured_as": configured, **facts}


def nodes_json(state: ClusterState) -> list[Json]:
    """Every node that the cluster or the configuration names."""
    return [_node(state, name) for name in sorted(state.node_names(), key=natural)]


def _node(state: ClusterState, name: str) -> Json:
    view = state.node(name)
    listed = state.cluster.nodes or {}
    told = next((n for key, n in listed.items() if key.lower() == name.lower()), None)
    host = view.host
    return {
        "name": name,
        "state": _name(enums.NodeState, told.state if told else None),
        "status": _flags(enums.NodeStatus, told.status if told else None),
        "drain": _name(enums.DrainStatus, told.drain if told else None),
        "contact": str(view.link.status),
        "reason": "" if view.link.status is LinkStatus.LIVE else view.link.text,
        "build": host.build if host else None,
        "boot": _time(host.boot) if host else None,
        "vmms": host.vmms if host else None,
        "vmms_started": _time(host.vmms_started) if host else None,
        "cluster_service": host.cluster_service if host else None,
        "processors": host.processors if host else None,
        "memory": host.memory if host else None,
        "cpu_percent": view.load[0] if view.load else None,
        "memory_used_mb": view.load[1] if view.load else None,
        "vms": None if view.vms is None else len(view.vms),
        "time": _time(view.time),
        "clock_offset_seconds": None if view.link.offset is None else round(view.link.offset.total_seconds(), 1),
    }


def csvs_json(state: ClusterState) -> list[Json] | None:
    """Every volume of every Cluster Shared Volume; None when they could not be read."""
    csvs = state.cluster.csvs
    if csvs is None:
        return None
    return [_csv(state, csv) for csv in sorted(csvs.values(), key=lambda csv: (natural(csv_name(csv)), csv.id))]


def _csv(state: ClusterState, csv: Csv) -> Json:
    io = (state.cluster.io or {}).get(csv.volume or "")
    return {
        "name": csv_name(csv),
        "id": csv.id,
        "resource": csv.resource,
        "path": csv.path,
        "volume": csv.volume,
        "owner": csv.owner,
        "state": _name(enums.ResourceState, csv.state),
        "fault": _flags(enums.FaultState, csv.fault),
        "backup": _name(enums.BackupState, csv.backup),
        "maintenance": csv.maintenance,
        "redirected": csv.redirected,
        "file_system": csv.file_system,
        "size": csv.size,
        "free": csv.free,
        "io": None
        if io is None
        else {
            node: {
                "state": _name(enums.CsvIoState, numbers[0]),
                "file_system_redirection": _flags(enums.FileSystemRedirectedIOReason, numbers[1]),
                "block_redirection": _flags(enums.BlockRedirectedIOReason, numbers[2]),
            }
            for node, numbers in io.nodes.items()
        },
    }


def csv_name(csv: Csv) -> str:
    """The last part of a CSV's path, as people call it: `Volume1`."""
    return csv.path.rstrip("\\").rpartition("\\")[2] or csv.path or csv.id


def vms_json(state: ClusterState) -> list[Json] | None:
    """Every VM by name, those included of which only the role could be read; None when nothing told of VMs."""
    if not state.vms_known():
        return None
    return [_vm(state, key) for key in sorted(state.vm_keys(), key=lambda key: (natural(_name_of(state, key)), key))]


def _name_of(state: ClusterState, key: str) -> str:
    """The VM's name, or its role's, or its key when nothing tells one."""
    found, role = state.vm(key), state.role(key)
    return found[1].name if found is not None else role.name if role is not None else key


def _vm(state: ClusterState, key: str) -> Json:
    role = state.role(key)
    found = state.vm(key)
    view, vm = found if found is not None else (None, None)
    placement = place(state, key)
    csvs = state.cluster.csvs or {}
    files = state.files(key)
    load = view.vm_load.get(vm.slot) if view is not None and vm is not None else None
    return {
        "name": _name_of(state, key),
        "id": None if key.startswith("role:") else key,
        "node": state.home(key),
        "csvs": None if files is None or not csvs else [csv_name(csvs[i]) for i in placement.csvs],
        "csv_owners": list(placement.owners) if placement.csvs else None if files is None else [],
        "drift": placement.drift,
        "checkpoint_type": _name(enums.CheckpointType, vm.checkpoint_type if vm else None),
        "checkpoints": _checkpoints(vm),
        "role": role.name if role else None,
        "clustered": None if state.cluster.roles is None else role is not None,
        "role_state": _name(enums.GroupState, role.state if role else None),
        "role_status": _flags(enums.GroupStatus, role.status if role else None),
        "state": _name(enums.VmState, vm.state if vm else None),
        "status": None if vm is None or vm.op is None else [enums.name_of(enums.OperationalStatus, n) for n in vm.op],
        "heartbeat": _name(enums.Heartbeat, vm.heartbeat if vm else None),
        "vss": _name(enums.IntegrationStatus, vm.vss if vm else None),
        "last_backup": _time(vm.last_backup) if vm else None,
        "replication": _name(enums.ReplicationMode, vm.replication if vm else None),
        "version": vm.version if vm else None,
        "started": _time(vm.started) if vm else None,
        "cpu_percent": load[0] if load else None,
        "memory_mb": load[1] if load else None,
        "jobs": None if view is None or view.jobs is None else [_job(job) for job in _jobs(view, key)],
    }


def _checkpoints(vm: Vm | None) -> list[Json] | None:
    def one(count: CheckpointCount) -> Json:
        return {
            "type": enums.name_of(enums.SnapshotType, count.type),
            "saved": count.saved,
            "count": count.count,
            "oldest": _time(count.oldest),
        }

    return None if vm is None or vm.checkpoints is None else [one(count) for count in vm.checkpoints]


def _jobs(view: NodeView, key: str) -> Iterable[Job]:
    return (job for job in (view.jobs or {}).values() if job.vm == key)


def _job(job: Job) -> Json:
    return {
        "id": job.id,
        "kind": job.kind,
        "type": enums.name_of(enums.JobType, job.type),
        "state": enums.name_of(enums.JobState, job.state),
        "percent": job.percent,
        "started": _time(job.started),
        "error": job.error,
        "destination": job.destination,
    }


def writers_json(state: ClusterState) -> list[Json]:
    """The VSS writers of every node that could be read."""
    return [
        {"node": view.name, **writer_json(writer)}
        for view in sorted(state.nodes.values(), key=lambda view: natural(view.name))
        if view.writers is not None
        for writer in view.writers.writers
    ]


def time_json(moment: datetime) -> str:
    """UTC, ISO 8601 with milliseconds and `Z`, as the nodes write it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else time_json(moment)


def _name(enum: type[IntEnum], number: int | None) -> str | None:
    return None if number is None else enums.name_of(enum, number)


def _flags(enum: type[IntFlag], number: int | None) -> list[str] | None:
    """Names of the flags that are set; an empty list when none is."""
    return None if number is None else [name for name in enums.flags_of(enum, number).split(", ") if name]
