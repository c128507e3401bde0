"""Watch-HvTuiCluster out of the world: the cluster's own view of nodes, CSVs and VM roles."""

from __future__ import annotations

from typing import Any, Final

from hvtui.lab.native.problems import DENIED, NO_NODES, TIMEOUT, cluster_trouble, part_trouble
from hvtui.lab.native.stream import HOLD, Section, Stream, wire
from hvtui.lab.world.node import Node
from hvtui.lab.world.storage import Csv
from hvtui.lab.world.vm import Role
from hvtui.lab.world.world import World
from hvtui.model.enums import NodeState

_BY_WMI: Final = ("nodes", "roles.resources", "roles", "roles.vm", "csvs.fault")
_BY_CMDLET: Final = ("cluster", "csvs", "io", "nodes.failback")


class ClusterStream(Stream):
    """One running Watch-HvTuiCluster, answered by one node."""

    single = frozenset({"cluster"})

    def __init__(self, world: World, node: Node, *, interval_ms: int = 2000, slow_seconds: int = 30) -> None:
        super().__init__(world, node, interval_ms, slow_seconds)
        self._roles: dict[str, tuple[int, tuple[int, int], bytes]] = {}
        self._moving: dict[str, tuple[int, int]] = {}
        self._nodes: dict[str, tuple[int, bytes]] = {}
        self._csvs: dict[str, tuple[tuple[int, int | None], bytes]] = {}
        self._io: dict[str, tuple[Any, bytes]] = {}
        self._free: dict[str, int] = {}

    def hanging(self) -> bool:
        """The cluster service does not answer, and was not found so a moment ago."""
        return cluster_trouble(self.node) is TIMEOUT and self.world.elapsed >= self._hold_until

    def tick(self) -> str:
        """The next message."""
        trouble = cluster_trouble(self.node)
        if trouble is TIMEOUT:
            self._hold_until = self.world.elapsed + HOLD
        by_wmi = NO_NODES if trouble is DENIED else trouble
        readable = {part: self.note(part, by_wmi or part_trouble(self.node, part)) for part in _BY_WMI}
        readable |= {part: self.note(part, trouble or part_trouble(self.node, part)) for part in _BY_CMDLET}
        sections: dict[str, Section] = {}
        if readable["cluster"]:
            sections["cluster"] = {"cluster": self._cluster()}
        if readable["nodes"]:
            sections["nodes"] = self._node_section()
        if readable["csvs"]:
            sections["csvs"] = self._csv_section()
        if readable["io"] and self.due("io", self.slow_seconds / 3):
            sections["io"] = self._io_section()
        if readable["roles"]:
            sections["roles"] = self._role_section()
        full = self.must_be_full(sections)
        return self.message(sections, b"", full=full, cost_ms=12 + len(self.world.roles) // 60)

    def _cluster(self) -> bytes:
        facts = self.world.cluster
        limited = int(self.node.build.split(".")[2]) >= _SERVER_2022
        return wire(
            {
                "id": facts.id,
                "name": facts.name,
                "functional_level": facts.functional_level,
                "quorum_type": facts.quorum_type,
                "witness": facts.witness,
                "witness_state": int(facts.witness_state) if facts.witness else None,
                "witness_weight": facts.witness_weight,
                "dynamic_quorum": facts.dynamic_quorum,
                "max_parallel_migrations": facts.max_parallel_migrations if limited else None,
                "enforced_anti_affinity": facts.enforced_anti_affinity,
                "csv_root": "C:\\ClusterStorage",
                "answered_by": self.node.name,
            }
        )

    def _node_section(self) -> Section:
        section: Section = {}
        newer = int(self.node.build.split(".")[2]) >= _SERVER_2019
        for node in self.world.nodes.values():
            cached = self._nodes.get(node.name)
            if cached is None or cached[0] != node.revision:
                cached = self._nodes[node.name] = (node.revision, _node(node, newer=newer))
            section[node.name] = cached[1]
        return section

    def _csv_section(self) -> Section:
        """Space is read at the slow cadence: asking for it contacts each owner (windows.md §1.8)."""
        world = self.world
        if self.due("space", self.slow_seconds):
            self._free = {csv.id: csv.free(world.elapsed) for csv in world.csvs.values()}
        section: Section = {}
        for csv in world.csvs.values():
            key = (csv.revision, self._free.get(csv.id))
            cached = self._csvs.get(csv.id)
            if cached is None or cached[0] != key:
                cached = self._csvs[csv.id] = (key, _csv(csv, key[1]))
            section[csv.id] = cached[1]
        return section

    def _io_section(self) -> Section:
        section: Section = {}
        nodes = [node for node in self.world.nodes.values() if node.state != NodeState.Down]
        names = [node.name for node in nodes]
        for csv in self.world.csvs.values():
            key = (csv.revision, names)
            cached = self._io.get(csv.volume)
            if cached is None or cached[0] != key:
                states = {node.name: [int(number) for number in csv.io_state(node)] for node in nodes}
                cached = self._io[csv.volume] = (key, wire({"id": csv.volume, "nodes": states}))
            section[csv.volume] = cached[1]
        return section

    def _role_section(self) -> Section:
        """Migration state and progress come from the resources' private properties, which are read more rarely."""
        held, section, roles = self._roles, {}, self.world.roles
        if self.due("identity", self.slow_seconds / 3):
            elapsed = self.world.elapsed
            self._moving = {
                role.id: (int(role.migration_state), role.migration.percent(elapsed) if role.migration else 0)
                for role in roles.values()
                if role.migration_state
            }
        moving = self._moving
        for role_id, role in roles.items():
            migration = moving.get(role_id, _AT_REST)
            cached = held.get(role_id)
            if cached is None or cached[0] != role.revision or cached[1] != migration:
                cached = held[role_id] = (role.revision, migration, _role(role, migration))
            section[role_id] = cached[2]
        return section


_SERVER_2019: Final = 17763
_SERVER_2022: Final = 20348
_AT_REST: Final = (0, 0)
"""Migration state and percent of a role that does not move."""


def _node(node: Node, *, newer: bool) -> bytes:
    """`newer`: the node that answers has a Get-ClusterNode with DrainErrorCode and FailbackStatus."""
    return wire(
        {
            "name": node.name,
            "id": str(node.number),
            "state": int(node.state),
            "status": int(node.status),
            "drain": int(node.drain),
            "drain_error": node.drain_error if newer else None,
            "failback": int(node.failback) if newer else None,
            "weight": node.weight,
            "dynamic_weight": node.dynamic_weight,
            "build": node.build.rsplit(".", 1)[0],
        }
    )


def _csv(csv: Csv, free: int | None) -> bytes:
    return wire(
        {
            "id": csv.id,
            "resource": csv.resource,
            "path": csv.path,
            "volume": csv.volume,
            "owner": csv.owner.name,
            "state": int(csv.state),
            "fault": csv.fault,
            "backup": int(csv.backup),
            "maintenance": csv.maintenance,
            "redirected": csv.redirected,
            "file_system": "CSVFS",
            "size": csv.size,
            "free": free,
        }
    )


def _role(role: Role, migration: tuple[int, int]) -> bytes:
    return wire(
        {
            "id": role.id,
            "name": role.name,
            "vm": role.vm.id,
            "owner": role.owner.name,
            "state": int(role.state),
            "status": int(role.status),
            "priority": role.priority,
            "resource_state": int(role.resource_state),
            "configuration_state": int(role.configuration_state),
            "migration_state": migration[0],
            "migration_percent": migration[1],
            "anti_affinity": list(role.anti_affinity),
        }
    )
