"""Hand-made clusters as operations see them: the streams' picture, and what was asked for a plan, all of it readable.

Every test changes what it is about; everything else is healthy and known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import msgspec

from hvtui.model.preflight import (
    AffinityRule,
    ForkCommit,
    NodePreflight,
    Preflight,
    ServiceState,
    VmPreflight,
)
from hvtui.model.records import ClusterInfo, Job
from hvtui.model.state import ClusterState
from hvtui.model.writers import writer_picture
from hvtui.operations.facts import Facts, Limits
from tests.support import builders
from tests.support.builders import NOW, guid

MONOTONIC = 1000.0
GB = 1024


@dataclass(frozen=True)
class VmSpec:
    """One VM: on `node`, its files on `csvs`. Memory is GB; `more` goes to its preflight, `record` to its stream."""

    name: str
    node: str
    csvs: tuple[str, ...] = ("Volume1",)
    memory: float = 4.0
    state: int = 2
    clustered: bool = True
    priority: int = 2000
    status: int | None = 0
    apart: tuple[str, ...] = ()
    migration: int = 0
    jobs: tuple[Job, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Small:
    """A cluster: nodes with their free memory in GB, CSVs with their owners, VMs."""

    nodes: Mapping[str, float] = field(default_factory=lambda: {"HV01": 200.0, "HV02": 200.0, "HV03": 200.0})
    csvs: Mapping[str, str] = field(default_factory=lambda: {"Volume1": "HV01", "Volume2": "HV02", "Volume3": "HV03"})
    vms: tuple[VmSpec, ...] = (
        VmSpec("SQL07", "HV01"),
        VmSpec("APP01", "HV01", ("Volume2",)),
        VmSpec("WEB01", "HV02", ("Volume2",)),
    )
    reserve: float = 0.0
    total: float = 512.0
    node_more: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Node → what its preflight says differently."""
    member_more: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Node → what the cluster says differently of it."""
    csv_more: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    io: Mapping[tuple[str, str], tuple[int, int, int]] = field(default_factory=dict)
    """(volume, node) → its way there, when it is not direct."""
    info: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[AffinityRule, ...] = ()
    writers: Mapping[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    """Writers that are not stable, on every node."""

    def state(self) -> ClusterState:
        """The streams' picture."""
        state = ClusterState()
        frame = builders.cluster_frame(
            [builders.cluster_node(name, **self.member_more.get(name, {})) for name in self.nodes],
            [builders.csv(name, owner, **self.csv_more.get(name, {})) for name, owner in self.csvs.items()],
            [self._role(vm) for vm in self.vms if vm.clustered],
            [
                builders.csv_io(name, {node: self.io.get((name, node), (2, 0, 0)) for node in self.nodes})
                for name in self.csvs
            ],
        )
        if self.info and isinstance(frame.cluster, ClusterInfo):
            frame = msgspec.structs.replace(frame, cluster=msgspec.structs.replace(frame.cluster, **self.info))
        state.apply_cluster(frame, builders.live())
        for name in self.nodes:
            here = [vm for vm in self.vms if vm.node == name]
            state.apply_node(
                name,
                builders.node_frame(
                    name,
                    [
                        builders.vm(vm.name, slot, **({"state": vm.state} | dict(vm.record)))
                        for slot, vm in enumerate(here)
                    ],
                    [builders.files(vm.name, *vm.csvs) for vm in here],
                    [job for vm in here for job in vm.jobs],
                ),
                builders.live(),
            )
            text = builders.writer_text(builders.writer_lines(dict(self.writers)))
            state.set_writers(name, writer_picture(text, read_at=MONOTONIC))
        return state

    def facts(self, **more: Any) -> Facts:
        """Everything a plan looks at, read just now."""
        fields: dict[str, Any] = {
            "state": self.state(),
            "now": NOW,
            "monotonic": MONOTONIC,
            "limits": Limits(reserve=int(self.reserve * GB)),
            "preflight": {name: self._preflight(name) for name in self.nodes},
            "fork": {name: ForkCommit(v=1, time=NOW, signs=[]) for name in self.nodes},
            "services": {f"{name}/vmms": service("vmms") for name in self.nodes},
            "quiet": {name: timedelta(hours=1) for name in self.nodes},
        }
        return Facts(**(fields | more))

    def but(self, **more: Any) -> Small:
        """The same cluster with something different."""
        return replace(self, **more)

    def vm(self, name: str, **more: Any) -> Small:
        """The same cluster with one VM different."""
        return replace(self, vms=tuple(replace(vm, **more) if vm.name == name else vm for vm in self.vms))

    def _role(self, vm: VmSpec) -> Any:
        return builders.role(
            vm.name,
            vm.node,
            status=vm.status,
            priority=vm.priority,
            anti_affinity=list(vm.apart),
            migration_state=vm.migration,
            state=0 if vm.state == 2 else 1,
        )

    def _preflight(self, name: str) -> Preflight:
        fields: dict[str, Any] = {
            "id": name,
            "memory_available": int(self.nodes[name] * GB),
            "memory_total": int(self.total * GB),
            "switches": ["VM network"],
            "vm_versions": ["9.0", "10.0"],
            "s2d": False,
            "virtual_disks": [],
            "storage_jobs": [],
            "replicas": [],
            "shadow_copies": [],
            "affinity_rules": list(self.rules),
            "threshold": 2000,
            "balancer": 0,
        }
        node = NodePreflight(name=name, **(fields | dict(self.node_more.get(name, {}))))
        return Preflight(v=1, time=NOW, node=node, vms=[self._vm(vm) for vm in self.vms if vm.node == name])

    def _vm(self, vm: VmSpec) -> VmPreflight:
        memory = int(vm.memory * GB)
        fields: dict[str, Any] = {
            "state": vm.state,
            "operational": [2],
            "clustered": vm.clustered,
            "version": "10.0",
            "dynamic": False,
            "memory_startup": memory,
            "memory_minimum": memory,
            "memory_maximum": memory,
            "memory_assigned": memory if vm.state == 2 else 0,
            "switches": ["VM network"],
            "dvd": [],
            "pass_through": [],
            "shared": [],
            "gpu": 0,
            "fibre_channel": 0,
            "system": "Windows Server 2022 Standard",
            "product": 3,
            "tpm": False,
            "chain": [],
            "jobs": [],
            "role": guid("role " + vm.name),
            "role_status": vm.status,
            "owner": vm.node,
            "priority": vm.priority,
            "possible_owners": list(self.nodes),
            "preferred_owners": [],
            "anti_affinity": list(vm.apart),
        }
        return VmPreflight(id=guid(vm.name), name=vm.name, **(fields | dict(vm.more)))


def service(name: str, state: str = "Running", **more: Any) -> ServiceState:
    """A service that runs unless told otherwise, with nothing that depends on it."""
    fields: dict[str, Any] = {
        "process_id": 0 if state == "Stopped" else 4711,
        "started": None if state == "Stopped" else NOW - timedelta(days=40),
        "checkpoint": 0,
        "wait_hint": 0,
        "exit_code": 0,
        "dependents": [],
    }
    return ServiceState(v=1, time=NOW, name=name, state=state, **(fields | more))
