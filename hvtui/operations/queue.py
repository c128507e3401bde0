"""Places for migrations: at most the effective limit per source and per destination, in this client and in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hvtui.model.enums import MigrationState
from hvtui.model.state import ClusterState

MOVING = frozenset({MigrationState.Setup, MigrationState.DataTransfer, MigrationState.Move})


def limit_of(state: ClusterState, node: str) -> int:
    """How many migrations a node may take part in: the cluster's value if it has one, else its host's; unread is 1."""
    info = state.cluster.info
    if info is not None and info.max_parallel_migrations is not None:
        return max(1, info.max_parallel_migrations)
    host = state.node(node).host
    most = host.max_migrations if host is not None else None
    return max(1, most) if most is not None else 1


class Slots:
    """Which migrations this client has under way. Migrations of others that the picture shows take places, too."""

    def __init__(self) -> None:
        self._mine: dict[str, tuple[str, str]] = {}
        """VM → source and destination, in lower case."""

    def free(self, state: ClusterState, source: str, destination: str) -> bool:
        """Both ends have a free place."""
        taken = self._taken(state)
        return all(taken[node.lower()] < limit_of(state, node) for node in (source, destination))

    def take(self, vm: str, source: str, destination: str) -> None:
        """A migration is about to be asked for."""
        self._mine[vm] = (source.lower(), destination.lower())

    def give_back(self, vm: str) -> None:
        """It ended, or was not begun."""
        self._mine.pop(vm, None)

    @property
    def mine(self) -> frozenset[str]:
        """VMs that this client migrates now."""
        return frozenset(self._mine)

    def _taken(self, state: ClusterState) -> Counter[str]:
        taken: Counter[str] = Counter()
        for ends in self._mine.values():
            taken.update(ends)
        for vm, known in foreign(state):
            if vm not in self._mine:
                taken.update(known)
        return taken


def foreign(state: ClusterState) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Migrations that the picture shows: VM, and the ends that are known (the destination from the source's job)."""
    for role in (state.cluster.roles or {}).values():
        if role.vm is None or role.owner is None or role.migration_state not in MOVING:
            continue
        jobs = state.node(role.owner).jobs_of.get(role.vm, ())
        target = next((job.destination for job in jobs if job.kind == "migration" and job.destination), None)
        ends = [role.owner.lower()]
        if target is not None:
            ends.append(state.node_name(target.partition(".")[0]).lower())
        yield role.vm, tuple(ends)
