"""Small hand-made clusters, built as the live console builds them: from frames.

Two nodes, three CSVs (Volume1, Volume10, Volume2) and a few VMs; every helper takes what a test wants different.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import NAMESPACE_OID, uuid5

from hvtui.model.link import Link, LinkStatus
from hvtui.model.records import (
    ClusterFrame,
    ClusterInfo,
    ClusterNode,
    Csv,
    CsvIo,
    Event,
    EventPage,
    Host,
    Job,
    Load,
    NodeFrame,
    Problem,
    Role,
    Vm,
    VmFiles,
    WriterText,
)
from hvtui.model.state import ClusterState
from hvtui.model.writers import writer_picture

T = TypeVar("T")

NOW = datetime(2026, 3, 14, 0, 48, 7, tzinfo=UTC)
VMMS_ADMIN = "Microsoft-Windows-Hyper-V-VMMS-Admin"
VMMS_PROVIDER = "Microsoft-Windows-Hyper-V-VMMS"
CLUSTER_PROVIDER = "Microsoft-Windows-FailoverClustering"
CLUSTER_ID = "5b4b7b0c-3f5e-4a5e-9a49-0f5b9b1f3a11"


def guid(name: str) -> str:
    """A GUID that is always the same for a name."""
    return str(uuid5(NAMESPACE_OID, name))


def live(time: datetime = NOW, monotonic: float = 1000.0) -> Link:
    """A connection that just delivered."""
    return Link(
        status=LinkStatus.LIVE, since=monotonic, last_frame=monotonic, node_time=time, offset=timedelta(0), interval=2.0
    )


def cluster_node(name: str, **more: Any) -> ClusterNode:
    fields: dict[str, Any] = {"state": 0, "status": 0, "drain": 0, "weight": 1, "dynamic_weight": 1, "build": "20348"}
    return ClusterNode(name=name, **(fields | more))


def volume_name(name: str) -> str:
    return f"\\\\?\\Volume{{{guid(name)}}}\\"


def csv(name: str, owner: str | None, **more: Any) -> Csv:
    fields: dict[str, Any] = {
        "resource": f"Cluster Disk {name}",
        "path": f"C:\\ClusterStorage\\{name}",
        "volume": volume_name(name),
        "state": 2,
        "fault": 0,
        "backup": 0,
        "maintenance": False,
        "redirected": False,
        "file_system": "NTFS",
        "size": 4 * 2**40,
        "free": 2 * 2**40,
    }
    return Csv(id=csv_id(name), owner=owner, **(fields | more))


def csv_id(name: str) -> str:
    return f"{guid('disk ' + name)}/2"


def csv_io(name: str, nodes: dict[str, tuple[int, int, int]]) -> CsvIo:
    return CsvIo(id=volume_name(name), nodes=nodes)


def role(vm_name: str, owner: str | None, **more: Any) -> Role:
    fields: dict[str, Any] = {
        "name": vm_name,
        "vm": guid(vm_name),
        "state": 0,
        "status": 0,
        "priority": 2000,
        "resource_state": 2,
        "configuration_state": 2,
        "migration_state": 0,
    }
    return Role(id=guid("role " + vm_name), owner=owner, **(fields | more))


def vm(name: str, slot: int, **more: Any) -> Vm:
    fields: dict[str, Any] = {
        "state": 2,
        "health": 5,
        "op": [2],
        "started": NOW - timedelta(days=12),
        "version": "10.0",
        "checkpoint_type": 3,
        "checkpoints": [],
        "heartbeat": 2,
        "vss": 2,
        "vss_enabled": True,
        "last_backup": NOW - timedelta(days=1),
        "replication": 0,
    }
    return Vm(id=guid(name), name=name, slot=slot, **(fields | more))


def files(vm_name: str, *volumes: str, **more: Any) -> VmFiles:
    """Configuration and first disk on the first volume, a further disk on each other one."""
    roots = [f"C:\\ClusterStorage\\{volume}\\{vm_name}" for volume in volumes]
    fields: dict[str, Any] = {
        "configuration": roots[0] if roots else None,
        "checkpoints": roots[0] if roots else None,
        "paging": roots[0] if roots else None,
        "disks": [f"{root}\\disk{number}.vhdx" for number, root in enumerate(roots)],
    }
    return VmFiles(id=guid(vm_name), **(fields | more))


def job(vm_name: str, type: int, percent: int | None = None, **more: Any) -> Job:
    fields: dict[str, Any] = {"kind": "concrete", "state": 4, "started": NOW - timedelta(minutes=5)}
    return Job(id=guid(f"job {vm_name} {type}"), vm=guid(vm_name), type=type, percent=percent, **(fields | more))


def host(name: str, **more: Any) -> Host:
    fields: dict[str, Any] = {
        "build": "20348",
        "boot": NOW - timedelta(days=40),
        "vmms": "Running",
        "vmms_started": NOW - timedelta(days=40),
        "cluster_service": "Running",
        "processors": 32,
        "memory": 512 * 2**30,
        "migration_enabled": True,
        "max_migrations": 2,
        "max_storage_migrations": 2,
        "migration_auth": 1,
    }
    return Host(name=name, **(fields | more))


def cluster_frame(
    nodes: Sequence[ClusterNode] | None = None,
    csvs: Sequence[Csv] | None = None,
    roles: Sequence[Role] | None = None,
    io: Sequence[CsvIo] | None = None,
    *,
    kind: str = "full",
    seq: int = 1,
    time: datetime = NOW,
    **more: Any,
) -> ClusterFrame:
    """A message of the cluster's stream; lists that are None are not sent."""
    info = ClusterInfo(
        id=CLUSTER_ID,
        name="CLU-TEST",
        functional_level=11,
        quorum_type=1,
        witness="File Share Witness",
        witness_state=2,
        witness_weight=1,
        dynamic_quorum=1,
        csv_root="C:\\ClusterStorage",
        answered_by="HV01",
    )
    fields: dict[str, Any] = {"cluster": info, "errors": []} if kind == "full" else {}
    return ClusterFrame(
        v=1,
        kind=kind,
        seq=seq,
        time=time,
        interval_ms=2000,
        nodes=_listed(nodes),
        csvs=_listed(csvs),
        roles=_listed(roles),
        io=_listed(io),
        **(fields | more),
    )


def node_frame(
    name: str,
    vms: Sequence[Vm] | None = None,
    files: Sequence[VmFiles] | None = None,
    jobs: Sequence[Job] | None = None,
    *,
    kind: str = "full",
    seq: int = 1,
    time: datetime = NOW,
    load: Load | None = None,
    **more: Any,
) -> NodeFrame:
    """A message of a node's stream; lists that are None are not sent."""
    fields: dict[str, Any] = {"host": host(name), "errors": []} if kind == "full" else {}
    return NodeFrame(
        v=1,
        kind=kind,
        seq=seq,
        time=time,
        interval_ms=2000,
        vms=_listed(vms),
        files=_listed(files),
        jobs=_listed(jobs),
        load=load,
        **(fields | more),
    )


def _listed(items: Sequence[T] | None) -> list[T] | None:
    return None if items is None else list(items)


def event(id: int, time: datetime = NOW, record: int = 1, **more: Any) -> Event:
    """An event of the Hyper-V log unless told otherwise."""
    fields: dict[str, Any] = {"channel": VMMS_ADMIN, "level": 2, "provider": VMMS_PROVIDER}
    return Event(id=id, time=time, record=record, **(fields | more))


def backup_failed(vm_name: str, time: datetime, record: int) -> Event:
    """10102: no volume shadow copy could be made inside a guest."""
    return event(
        10102, time, record, vm=guid(vm_name), vm_name=vm_name, data={"VmName": vm_name, "VmId": guid(vm_name)}
    )


def page(events: Iterable[Event], channel: str = VMMS_ADMIN, time: datetime = NOW, **more: Any) -> EventPage:
    """A piece of one channel's log."""
    held = sorted((e for e in events if e.channel == channel), key=lambda e: e.record)
    fields: dict[str, Any] = {
        "oldest_record": 1,
        "oldest_time": NOW - timedelta(days=30),
        "newest_record": held[-1].record if held else 1,
        "wrapped": False,
    }
    return EventPage(v=1, time=time, channel=channel, events=held, **(fields | more))


HYPER_V_WRITER = ("Microsoft Hyper-V VSS Writer", "66841cd4-6ded-4f4b-8f17-fd23f8ddc3de")
SYSTEM_WRITER = ("System Writer", "e8132975-6f93-4464-a53e-1050253ae220")
STATES = {1: "Stable", 5: "Waiting for completion", 7: "Failed", 9: "Failed"}


def writer_lines(states: dict[tuple[str, str], tuple[int, str]] | None = None, heading: bool = True) -> str:
    """What `vssadmin list writers` prints; states are `{(name, GUID): (number, error text)}`."""
    lines = []
    if heading:
        lines += [
            "vssadmin 1.1 - Volume Shadow Copy Service administrative command-line tool",
            "(C) Copyright 2001-2013 Microsoft Corp.",
            "",
        ]
    held = {SYSTEM_WRITER: (1, "No error"), HYPER_V_WRITER: (1, "No error")} | (states or {})
    for (name, writer), (number, error) in held.items():
        lines += [
            f"Writer name: '{name}'",
            f"   Writer Id: {{{writer}}}",
            f"   Writer Instance Id: {{{guid('instance ' + name)}}}",
            f"   State: [{number}] {STATES.get(number, 'Failed')}",
            f"   Last error: {error}",
            "",
        ]
    return "\r\n".join(lines) + "\r\n"


def writer_text(text: str | None, time: datetime = NOW, **more: Any) -> WriterText:
    """A node's answer to Get-HvTuiWriter."""
    fields: dict[str, Any] = {"duration_ms": 900, "exit_code": 0}
    return WriterText(v=1, time=time, text=text, **(fields | more))


def problem(part: str, kind: str = "denied", text: str = "Access is denied.") -> Problem:
    return Problem(part=part, kind=kind, text=text)


def small_state(*, writers: bool = True) -> ClusterState:
    """Two nodes that answer, three CSVs, and five VMs:

    SQL07 on HV01 beside its storage · APP01 on HV01, its storage on Volume10 of HV02: drift · WEB01 on HV02 with disks
    on Volume1 and Volume10: split · OLD01 off on HV02, storage on Volume1 · FILE01 on HV02 in a role named differently.
    """
    state = ClusterState()
    direct = {"HV01": (2, 0, 0), "HV02": (2, 0, 0)}
    roles = [
        role("SQL07", "HV01"),
        role("APP01", "HV01"),
        role("WEB01", "HV02"),
        role("OLD01", "HV02", state=1, resource_state=3),
        role("FILE01", "HV02", name="File server of Lübeck"),
    ]
    state.apply_cluster(
        cluster_frame(
            [cluster_node("HV01"), cluster_node("HV02")],
            [csv("Volume1", "HV01"), csv("Volume10", "HV02"), csv("Volume2", "HV02")],
            roles,
            [csv_io(name, direct) for name in ("Volume1", "Volume10", "Volume2")],
        ),
        live(),
    )
    state.apply_node(
        "HV01",
        node_frame(
            "HV01",
            [vm("SQL07", 1), vm("APP01", 2, checkpoint_type=4)],
            [files("SQL07", "Volume1"), files("APP01", "Volume10")],
            [],
            load=Load(host=(41, 300_000), vms=[1, 37, 65_536, 2, 3, 8_192]),
        ),
        live(),
    )
    state.apply_node(
        "HV02",
        node_frame(
            "HV02",
            [vm("WEB01", 1), vm("OLD01", 2, state=3, op=[2], started=None, heartbeat=None, vss=None), vm("FILE01", 3)],
            [files("WEB01", "Volume1", "Volume10"), files("OLD01", "Volume1"), files("FILE01", "Volume2")],
            [],
            load=Load(host=(22, 200_000), vms=[1, 5, 4_096, 3, 1, 16_384]),
        ),
        live(),
    )
    if writers:
        for name in ("HV01", "HV02"):
            state.set_writers(name, writer_picture(writer_text(writer_lines()), read_at=1000.0))
    return state
