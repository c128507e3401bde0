"""Namespaces of storage: Storage Spaces Direct and Storage Replica."""

from __future__ import annotations

from typing import Final

from hvtui.lab.pwsh.cim.instances import Provider, derived
from hvtui.lab.pwsh.cim.schema import REPLICA, STORAGE

VIRTUAL_DISK: Final = Provider(
    "MSFT_VirtualDisk",
    STORAGE,
    lambda view: view.world.cluster.virtual_disks if view.world.cluster.s2d else (),
    {
        "ObjectId": lambda _view, one: derived("virtual disk", one.name),
        "UniqueId": lambda _view, one: derived("virtual disk", one.name),
        "FriendlyName": lambda _view, one: one.name,
        "HealthStatus": lambda _view, one: one.health,
        "OperationalStatus": lambda _view, one: list(one.operational),
    },
    keys=("ObjectId",),
)
STORAGE_JOB: Final = Provider(
    "MSFT_StorageJob",
    STORAGE,
    lambda view: view.world.cluster.storage_jobs if view.world.cluster.s2d else (),
    {
        "ObjectId": lambda _view, one: derived("storage job", one.name),
        "UniqueId": lambda _view, one: derived("storage job", one.name),
        "Name": lambda _view, one: one.name,
        "JobState": lambda _view, one: one.state,
        "PercentComplete": lambda _view, one: one.percent,
    },
    keys=("ObjectId",),
)
REPLICATION_GROUP: Final = Provider(
    "MSFT_WvrReplicationGroup",
    REPLICA,
    lambda view: view.node.replicas,
    {
        "Name": lambda _view, one: one.name,
        "Id": lambda _view, one: derived("replica", one.name),
        "ComputerName": lambda view, _one: view.node.name,
        "ReplicationStatus": lambda _view, one: one.status,
    },
    keys=("Name",),
)

PROVIDERS: Final = (VIRTUAL_DISK, STORAGE_JOB, REPLICATION_GROUP)
