"""What a cluster has beside nodes, volumes and VMs, and what only an operation asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

HEALTHY: Final = 0
WARNING: Final = 1
IN_SYNC: Final = frozenset({1, 12, 15})
"""ReplicationStatus that loses nothing: continuously replicating, the same within its RPO, not in a partnership."""
RUNNING: Final = 4
_OK: Final = 2


@dataclass(slots=True)
class VirtualDisk:
    """A virtual disk of Storage Spaces Direct; `health` 0 healthy, 1 warning, 2 unhealthy (MSFT_VirtualDisk)."""

    name: str
    health: int = HEALTHY
    operational: list[int] = field(default_factory=lambda: [_OK])


@dataclass(slots=True, eq=False)
class StorageJob:
    """A storage job that runs now (MSFT_StorageJob); `state` is a JobState."""

    name: str
    percent: int = 0
    state: int = RUNNING


@dataclass(slots=True)
class Replica:
    """A Storage Replica group of a node and its ReplicationStatus (MSFT_WvrReplicationGroup)."""

    name: str
    status: int = 1


@dataclass(frozen=True, slots=True)
class AffinityRule:
    """Get-ClusterAffinityRule (2022 and later).

    `type`: 1 SameFaultDomain, 2 SameNode, 3 DifferentFaultDomain, 4 DifferentNode; `groups`: names of roles.
    """

    name: str
    type: int
    groups: tuple[str, ...]
    enabled: bool = True


@dataclass(slots=True)
class ClusterFacts:
    """What Get-Cluster, Get-ClusterQuorum and Get-ClusterParameter tell."""

    id: str = ""
    name: str = ""
    functional_level: int = 0
    quorum_type: int = 0
    witness: str = ""
    witness_state: int = 0
    witness_weight: int = 0
    dynamic_quorum: int = 1
    max_parallel_migrations: int | None = None
    enforced_anti_affinity: int = 0
    account: str = ""
    accounts: list[str] = field(default_factory=list)
    """Accounts and groups that people made in the domain, in the order of their numbers."""
    balancer: int = 2
    """AutoBalancerMode: 0 off, 1 when a node joins, 2 always."""
    move_type_threshold: int = 2000
    """Roles of lower priority are quick-migrated by a drain: saved, moved, resumed (windows.md §1.4)."""
    s2d: bool = False
    virtual_disks: list[VirtualDisk] = field(default_factory=list)
    storage_jobs: list[StorageJob] = field(default_factory=list)
