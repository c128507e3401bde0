"""Places for migrations: the effective limit, one's own, and those of others that the picture shows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hvtui.model.state import ClusterState
from hvtui.operations.queue import Slots, foreign, is_moving, limit_of
from tests.support import builders as b


def state(
    *, cluster: int | None = None, hosts: int | None = 2, moving: int = 0, jobs: list[Any] | None = None
) -> ClusterState:
    made = ClusterState()
    frame = b.cluster_frame(
        [b.cluster_node("HV01"), b.cluster_node("HV02"), b.cluster_node("HV03")],
        [],
        [b.role("APP01", "HV01", migration_state=moving), b.role("APP02", "HV01")],
    )
    assert frame.cluster is not None
    info = msgspec.structs.replace(frame.cluster, max_parallel_migrations=cluster)
    made.apply_cluster(msgspec.structs.replace(frame, cluster=info), b.live())
    for name in ("HV01", "HV02", "HV03"):
        vms = [b.vm("APP01", 1), b.vm("APP02", 2)] if name == "HV01" else []
        told = (jobs if name == "HV01" else []) if jobs is not None else []
        host = b.host(name, max_migrations=hosts)
        made.apply_node(name, b.node_frame(name, vms, [], told, host=host), b.live())
    return made


def job(state: int = 4, **more: Any) -> Any:
    return b.job("APP01", 305, 40, kind="migration", destination="HV02.corp.example", state=state, **more)


@pytest.mark.parametrize(
    ("cluster", "hosts", "limit"), [(None, 2, 2), (1, 2, 1), (3, 2, 3), (None, None, 1), (0, 2, 1), (None, 0, 1)]
)
def test_the_clusters_limit_else_the_hosts_and_one_when_unread(
    cluster: int | None, hosts: int | None, limit: int
) -> None:
    assert limit_of(state(cluster=cluster, hosts=hosts), "HV01") == limit


def test_a_place_is_counted_at_both_ends_until_it_is_given_back() -> None:
    slots, here = Slots(), state(cluster=1)
    assert slots.free(here, "HV01", "HV02")
    slots.take("a", "HV01", "hv02")
    assert not slots.free(here, "hv01", "HV03")
    assert not slots.free(here, "HV03", "HV02")
    slots.give_back("a")
    slots.give_back("a")
    assert slots.free(here, "HV01", "HV02")


def test_others_migrations_take_places_at_both_ends_and_ones_own_is_not_counted_twice() -> None:
    here = state(cluster=1, jobs=[job()])
    vm = b.guid("APP01")
    assert list(foreign(here)) == [(vm, ("hv01", "hv02"))]
    slots = Slots()
    assert not slots.free(here, "HV01", "HV03")
    assert not slots.free(here, "HV03", "HV02")
    two = state(cluster=2, jobs=[job()])
    slots.take(vm, "HV01", "HV02")
    assert slots.free(two, "HV01", "HV02")


def test_jobs_say_at_once_what_the_clusters_own_state_says_late() -> None:
    vm = b.guid("APP01")
    assert is_moving(state(jobs=[job()]), vm)
    assert not is_moving(state(moving=2, jobs=[job(state=7)]), vm), "it has ended, the role's state is old"
    assert not is_moving(state(moving=2, jobs=[]), vm)
    late = state(moving=2)
    late.nodes["HV01"].jobs = None
    assert is_moving(late, vm), "where the jobs are unread the cluster's state counts"
    assert not is_moving(late, b.guid("none"))
