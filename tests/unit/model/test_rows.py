"""Rows of VMs and the line above all: worst first, with reasons, nothing healthy that was not read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hvtui.model.activity import activity_of
from hvtui.model.link import Link, LinkStatus
from hvtui.model.records import CheckpointCount
from hvtui.model.rows import summary, vm_row
from hvtui.model.severity import Severity, worst
from hvtui.model.state import ClusterState
from hvtui.model.vm_rows import checkpoint_text, state_name
from tests.support.builders import (
    NOW,
    cluster_frame,
    cluster_node,
    csv,
    files,
    guid,
    job,
    live,
    node_frame,
    role,
    small_state,
    vm,
)

OK, INFO, WARN, BAD, UNKNOWN = Severity.OK, Severity.INFO, Severity.WARN, Severity.BAD, Severity.UNKNOWN


def cluster_says(state: ClusterState, seq: int = 2, **sections: Any) -> None:
    state.apply_cluster(cluster_frame(kind="delta", seq=seq, **sections), live())


def node_says(state: ClusterState, name: str = "HV01", seq: int = 2, **sections: Any) -> None:
    state.apply_node(name, node_frame(name, kind="delta", seq=seq, **sections), live())


# --- severity -----------------------------------------------------------------------------------------------------


def test_unknown_is_worse_than_a_hint_and_never_healthy() -> None:
    assert OK < INFO < UNKNOWN < WARN < BAD
    assert worst([]) == (OK, ())
    assert worst([(INFO, "a"), (BAD, "b"), (UNKNOWN, "c"), (BAD, "d")]) == (BAD, ("b", "d", "c", "a"))


# --- VMs ----------------------------------------------------------------------------------------------------------


def test_a_vm_row_joins_node_role_and_storage() -> None:
    row = vm_row(small_state(), guid("FILE01"))
    assert (row.name, row.role, row.state, row.node) == ("FILE01", "File server of Lübeck", "Running", "HV02")
    assert (row.csvs, row.owners, row.drift, row.checkpoint_type) == (("Volume2",), ("HV02",), False, "Production")
    assert (row.cpu, row.memory_mb, row.started) == (1, 16_384, NOW - timedelta(days=12))
    assert (row.severity, row.reasons, row.source, row.clustered) == (OK, (), "", True)


def test_a_vm_that_is_off_is_off_its_owner_but_does_not_drift() -> None:
    row = vm_row(small_state(), guid("OLD01"))
    assert (row.off_owner, row.drift, row.severity) == (True, False, OK)
    assert (row.cpu, row.memory_mb, row.started) == (None, None, None)


@pytest.mark.parametrize(
    ("fields", "state", "severity"),
    [
        ({"state": 2}, "Running", OK),
        ({"state": 3}, "Off", OK),
        ({"state": 6}, "Saved", OK),
        ({"state": 9}, "Paused", WARN),
        ({"state": 32768}, "Paused", WARN),
        ({"state": 32769}, "Saved", OK),
        ({"state": 32773}, "Saving", OK),
        ({"state": 32774}, "Stopping", OK),
        ({"state": 4711}, "4711", OK),
        ({"state": 2, "health": 25}, "RunningCritical", BAD),
        ({"state": 9, "health": 20}, "PausedCritical", BAD),
        ({"state": 2, "op": [2, 32795]}, "RunningCritical", BAD),
        ({"state": 2, "health": None, "op": None}, "Running", OK),
    ],
)
def test_states_as_windows_spells_them(fields: dict[str, Any], state: str, severity: Severity) -> None:
    cluster = small_state()
    node_says(cluster, vms=[vm("SQL07", 1, **fields)])
    row = vm_row(cluster, guid("SQL07"))
    assert (row.state, row.severity, row.state_number) == (state, severity, fields["state"])
    assert state_name(vm("X", 1, **fields)) == state


@pytest.mark.parametrize(
    ("number", "text"),
    [(2, "Disabled"), (3, "Production"), (4, "ProductionOnly"), (5, "Standard"), (None, "?"), (9, "9")],
)
def test_checkpoint_types_as_windows_spells_them(number: int | None, text: str) -> None:
    cluster = small_state()
    node_says(cluster, vms=[vm("SQL07", 1, checkpoint_type=number)])
    assert vm_row(cluster, guid("SQL07")).checkpoint_type == text


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (None, ("?", None, None)),
        ([], ("0", 0, 0)),
        ([(1, False, 1)], ("1R", 1, 1)),
        ([(0, True, 1), (0, False, 1), (1, False, 1)], ("1R 2S", 3, 1)),
        ([(6, False, 2), (7, False, 1), (8, False, 1)], ("4V", 4, 0)),
        ([(2, False, 1), (5, False, 1), (77, False, 1)], ("1P 1M 1?", 3, 0)),
        ([(0, False, 0)], ("0", 0, 0)),
    ],
)
def test_checkpoints_by_type(counts: list[tuple[int, bool, int]] | None, expected: tuple[Any, ...]) -> None:
    told = None if counts is None else [CheckpointCount(type=t, saved=s, count=n) for t, s, n in counts]
    assert checkpoint_text(told) == expected


@pytest.mark.parametrize(
    ("fields", "jobs", "more", "text"),
    [
        ({}, [], {}, ""),
        ({"op": [11, 32776]}, [], {}, "backup"),
        ({"op": [11, 32774]}, [job("A", 305, 61, kind="migration", destination="HV02")], {}, "migrating → HV02 61%"),
        ({}, [], {"migration_state": 2, "migration_percent": 40}, "migrating 40%"),
        ({}, [], {"migration_state": 2}, "migrating"),
        ({}, [], {"migration_state": 5}, ""),
        ({"op": [2, 32772]}, [job("A", 50, 12)], {}, "merging 12%"),
        ({"op": [11, 32768]}, [job("A", 70, 10)], {}, "checkpoint 10%"),
        ({}, [job("A", 170, 37), job("A", 51, 10)], {}, "backup 37% · guest VSS 10%"),
        ({}, [job("A", 170, 100, state=7)], {}, ""),
        ({}, [job("A", 170)], {}, "backup"),
        ({}, [job("A", 4711, 5)], {}, ""),
        ({}, [], {"status": 1}, "locked"),
        ({}, [], {"status": 5}, "queued · locked"),
        ({}, [], {"status": None}, ""),
        ({"op": [11, 32776]}, [job("A", 170, 37)], {"status": 1}, "backup 37% · locked"),
    ],
)
def test_activities(fields: dict[str, Any], jobs: list[Any], more: dict[str, Any], text: str) -> None:
    assert activity_of(vm("A", 1, **fields), tuple(jobs), role("A", "HV01", **more)).text == text


def test_a_failed_job_and_a_failed_migration_stay_visible() -> None:
    cluster = small_state()
    node_says(cluster, jobs=[job("SQL07", 70, 10, state=10)])
    cluster_says(cluster, roles=[role("SQL07", "HV01", migration_state=5)])
    row = vm_row(cluster, guid("SQL07"))
    assert (row.severity, set(row.reasons)) == (WARN, {"a job failed", "last migration failed"})


def test_a_failed_role_is_bad_even_when_its_node_is_not_read() -> None:
    cluster = ClusterState()
    cluster.apply_cluster(cluster_frame([cluster_node("HV01")], [], [role("A", "HV01", state=2)], []), live())
    row = vm_row(cluster, guid("A"))
    assert (row.name, row.state, row.severity) == ("A", "role Failed", BAD)
    assert (row.cpu, row.checkpoints, row.checkpoint_type, row.drift) == (None, "?", "?", None)


def test_a_vm_of_a_node_that_was_never_read_is_known_by_its_role_and_unknown_otherwise() -> None:
    cluster = ClusterState()
    cluster.apply_cluster(cluster_frame([cluster_node("HV01")], [], [role("A", "HV01")], []), live())
    row = vm_row(cluster, guid("A"))
    assert (row.state, row.node, row.severity, row.reasons) == ("role Online", "HV01", UNKNOWN, ("HV01 is not read",))


def test_a_vm_that_left_while_its_row_was_on_screen_gives_a_row_without_facts() -> None:
    row = vm_row(small_state(), "no such key")
    assert (row.severity, row.reasons) == (UNKNOWN, ("gone",))


def test_stale_rows_name_the_node_that_told_them() -> None:
    cluster = small_state()
    change = cluster.set_link("HV01", Link(status=LinkStatus.UNREACHABLE, text="no answer"))
    assert change.vms == {guid("SQL07"), guid("APP01")}
    row = vm_row(cluster, guid("SQL07"))
    assert (row.source, row.severity, row.state) == ("HV01", UNKNOWN, "Running")


# --- the line above -----------------------------------------------------------------------------------------------


def test_a_healthy_cluster_is_called_so() -> None:
    found = summary(small_state())
    assert (found.health, found.severity, found.words) == ("healthy", OK, ())
    assert (found.nodes, found.nodes_ok, found.csvs, found.csvs_ok) == (2, 2, 3, 3)
    assert (found.vms, found.running, found.drift, found.split) == (5, 4, 1, 1)
    assert found.quorum == "Majority, File Share Witness, 3 votes"


def test_a_cluster_of_which_nothing_is_known_is_not_healthy() -> None:
    found = summary(ClusterState())
    assert (found.health, found.csvs, found.name, found.quorum) == ("unknown", None, None, "?")


def test_the_worst_comes_first_and_few_vms_are_named() -> None:
    cluster = small_state()
    node_says(cluster, vms=[vm("SQL07", 1, health=25), vm("APP01", 2, state=9)])
    cluster_says(cluster, csvs=[csv("Volume1", "HV01", size=100, free=8)])
    found = summary(cluster)
    assert (found.health, found.vms_bad) == ("trouble", 1)
    assert found.words == ("SQL07: critical", "Volume1: 8% free", "APP01: paused")
    many = [vm(f"VM{n}", 10 + n, state=9) for n in range(5)]
    node_says(cluster, seq=3, vms=many)
    assert "6 VMs need attention" in summary(cluster).words


def test_a_silent_cluster_service_is_trouble() -> None:
    cluster = small_state()
    cluster.set_link("", Link(status=LinkStatus.HANGING, text="no node answers"))
    assert summary(cluster).words == ("cluster service hanging: no node answers",)


def test_a_failed_witness_is_trouble() -> None:
    cluster = ClusterState()
    frame = cluster_frame([cluster_node("HV01")], [], [], [])
    assert frame.cluster is not None
    info = type(frame.cluster)(id="x", name="C", witness="Cloud Witness", witness_state=4)
    cluster.apply_cluster(cluster_frame([cluster_node("HV01")], [], [], [], cluster=info), live())
    assert "the witness has failed" in summary(cluster).words


def test_hostile_names_are_carried_unchanged_for_the_screen_to_make_safe() -> None:
    name = "[@click=app.quit]x[/]\x1b[31m"
    cluster = small_state()
    node_says(cluster, vms=[vm(name, 9)], files=[files(name, "Volume1")])
    assert vm_row(cluster, guid(name)).name == name
