"""Places for migrations: at most the effective limit per source and per destination, in this client and in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from hvtui.model.activity import MIGRATIONS
from hvtui.model.conditions import RUNNING_JOBS
from hvtui.model.records import Job
from hvtui.model.state import ClusterState


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


def running_job(state: ClusterState, vm: str, source: str) -> Job | None:
    """The migration job of a VM that runs on its source, as that node told it last."""
    view = state.nodes.get(state.node_name(source))
    jobs = view.jobs_of.get(vm, ()) if view is not None else ()
    return next((job for job in jobs if job.kind == "migration" and job.state in RUNNING_JOBS), None)


def tells_jobs(state: ClusterState, node: str) -> bool:
    """The node's jobs can be read: then they say at once what migrates. A role's MigrationState is seconds late."""
    view = state.nodes.get(state.node_name(node))
    return view is not None and view.heard and view.jobs is not None and view.problem("jobs") is None


def is_moving(state: ClusterState, vm: str) -> bool:
    """A migration of the VM runs: its owner's jobs say so, or, where they cannot be read, the cluster."""
    role = state.role(vm)
    if role is None or role.owner is None:
        return False
    if tells_jobs(state, role.owner):
        return running_job(state, vm, role.owner) is not None
    return role.migration_state in MIGRATIONS


def foreign(state: ClusterState) -> Iterable[tuple[str, tuple[str, ...]]]:
    """Migrations that the picture shows: VM, and the ends that are known (the destination from the source's job)."""
    for role in (state.cluster.roles or {}).values():
        if role.vm is None or role.owner is None or not is_moving(state, role.vm):
            continue
        job = running_job(state, role.vm, role.owner)
        ends = [role.owner.lower()]
        if job is not None and job.destination:
            ends.append(state.node_name(job.destination.partition(".")[0]).lower())
        yield role.vm, tuple(ends)
