"""Rows of nodes and volumes: worst first, with reasons, nothing healthy that was not read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from hvtui.model.link import Link, LinkStatus
from hvtui.model.rows import csv_row, node_row, summary, writer_counts
from hvtui.model.severity import Severity
from hvtui.model.state import ClusterState
from hvtui.model.writers import WriterPicture, writer_picture
from tests.support.builders import (
    HYPER_V_WRITER,
    NOW,
    cluster_frame,
    cluster_node,
    csv,
    csv_id,
    csv_io,
    host,
    live,
    node_frame,
    problem,
    small_state,
    writer_lines,
    writer_text,
)

OK, INFO, WARN, BAD, UNKNOWN = Severity.OK, Severity.INFO, Severity.WARN, Severity.BAD, Severity.UNKNOWN


def cluster_says(state: ClusterState, seq: int = 2, **sections: Any) -> None:
    state.apply_cluster(cluster_frame(kind="delta", seq=seq, **sections), live())


def node_says(state: ClusterState, name: str = "HV01", seq: int = 2, **sections: Any) -> None:
    state.apply_node(name, node_frame(name, kind="delta", seq=seq, **sections), live())


# --- nodes --------------------------------------------------------------------------------------------------------


def test_a_healthy_node() -> None:
    row = node_row(small_state(), "HV01")
    assert (row.state, row.severity, row.reasons, row.link) == ("Up", OK, (), LinkStatus.LIVE)
    assert (row.vms, row.running, row.drift, row.cpu, row.memory_percent) == (2, 2, 1, 41, 57)
    assert (row.writers.ok, row.writers.read, row.vmms, row.votes) == (2, True, "Running", (1, 1))


@pytest.mark.parametrize(
    ("fields", "state", "severity"),
    [
        ({"state": 1}, "Down", BAD),
        ({"state": 1, "status": 2}, "Quarantined", BAD),
        ({"state": 0, "status": 1}, "Isolated", BAD),
        ({"state": 2}, "Paused", INFO),
        ({"state": 2, "drain": 1}, "draining", INFO),
        ({"state": 2, "drain": 2}, "drained", INFO),
        ({"state": 2, "drain": 3}, "drain failed", BAD),
        ({"state": 0, "drain": 3}, "drain failed", BAD),
        ({"state": 3}, "Joining", WARN),
        ({"state": 4294967295}, "Unknown", UNKNOWN),
        ({"state": 0, "status": None, "drain": None}, "Up", OK),
    ],
)
def test_node_states(fields: dict[str, Any], state: str, severity: Severity) -> None:
    cluster = small_state()
    cluster_says(cluster, nodes=[cluster_node("HV01", **fields)])
    row = node_row(cluster, "HV01")
    assert (row.state, row.severity) == (state, severity)


@pytest.mark.parametrize(
    ("status", "severity"),
    [
        (LinkStatus.HANGING, BAD),
        (LinkStatus.UNREACHABLE, BAD),
        (LinkStatus.REFUSED, BAD),
        (LinkStatus.UNUSABLE, BAD),
        (LinkStatus.STOPPED, UNKNOWN),
        (LinkStatus.CONNECTING, UNKNOWN),
        (LinkStatus.NOT_CONTACTED, UNKNOWN),
    ],
)
def test_a_node_that_is_not_heard_is_never_fine(status: LinkStatus, severity: Severity) -> None:
    cluster = small_state()
    cluster.set_link("HV01", Link(status=status, text="because"))
    row = node_row(cluster, "HV01")
    assert (row.severity, row.reasons) == (severity, (f"{status.value}: because",))
    assert (row.cpu, row.vms) == (41, 2)


def test_what_a_node_could_not_read_is_told_once_a_reason() -> None:
    cluster = small_state()
    errors = [problem("vms"), problem("vms.vss"), problem("jobs"), problem("host.vmms", text="no such service")]
    node_says(cluster, errors=errors)
    row = node_row(cluster, "HV01")
    assert row.severity is UNKNOWN
    assert row.reasons == ("vms, jobs: Access is denied.", "host.vmms: no such service")


def test_a_node_without_the_role_is_told_so_and_not_in_the_words_of_wmi_alone() -> None:
    cluster = small_state()
    gone = msgspec.structs.replace(problem("vms", kind="missing", text="Ungültiger Namespace"), code="0x8004100E")
    node_says(cluster, errors=[gone])
    assert node_row(cluster, "HV01").reasons == ("vms: Hyper-V is not installed (Ungültiger Namespace)",)


def test_a_stopped_vmms_is_bad() -> None:
    cluster = small_state()
    node_says(cluster, host=host("HV01", vmms="Stopped"))
    assert node_row(cluster, "HV01").reasons == ("vmms Stopped",)


def test_a_clock_that_differs_from_the_clusters_is_told() -> None:
    cluster = small_state()
    link = Link(status=LinkStatus.LIVE, last_frame=1000.0, node_time=NOW, offset=timedelta(minutes=-7))
    cluster.set_link("HV02", link)
    row = node_row(cluster, "HV02")
    assert (row.severity, row.offset) == (WARN, timedelta(minutes=-7))
    everywhere = Link(status=LinkStatus.LIVE, last_frame=1000.0, node_time=NOW, offset=timedelta(days=-100))
    for name in ("", "HV01", "HV02"):
        cluster.set_link(name, everywhere)
    assert node_row(cluster, "HV02").severity is OK


@pytest.mark.parametrize(
    ("state", "severity", "counts"),
    [
        ((1, "No error"), OK, (2, 0, 0, 0)),
        ((5, "No error"), OK, (1, 1, 0, 0)),
        ((5, "Retryable error"), BAD, (1, 0, 1, 0)),
        ((42, "No error"), UNKNOWN, (1, 0, 0, 1)),
    ],
)
def test_writers_make_a_node_bad_or_unknown_but_a_backup_does_not(
    state: tuple[int, str], severity: Severity, counts: tuple[int, ...]
) -> None:
    cluster = small_state()
    cluster.set_writers("HV01", writer_picture(writer_text(writer_lines({HYPER_V_WRITER: state}))))
    row = node_row(cluster, "HV01")
    assert row.severity is severity
    assert (row.writers.ok, row.writers.busy, row.writers.failed, row.writers.unreadable) == counts


def test_a_missing_hyper_v_writer_is_a_fault() -> None:
    cluster = small_state()
    text = writer_lines().split("Writer name: 'Microsoft Hyper-V VSS Writer'")[0]
    cluster.set_writers("HV01", writer_picture(writer_text(text)))
    assert node_row(cluster, "HV01").reasons == ("the Hyper-V writer is missing",)


def test_writers_that_could_not_be_read_are_neither_zero_nor_healthy() -> None:
    assert writer_counts(None).read is False
    heading = writer_lines().split("Writer name")[0]
    denied = writer_picture(writer_text(f"{heading}Error: no rights\nPlease elevate.", exit_code=2))
    counts = writer_counts(denied)
    assert (counts.read, counts.unreadable) == (False, 0)
    assert counts.failure == "vssadmin ended with code 2: Error: no rights Please elevate."
    cluster = small_state(writers=False)
    cluster.set_writers("HV01", denied)
    assert node_row(cluster, "HV01").severity is UNKNOWN
    assert summary(cluster).writers_unread == 2


def test_a_read_under_way_keeps_what_is_known() -> None:
    cluster = small_state()
    cluster.set_writers("HV01", WriterPicture(reading=True))
    picture = cluster.node("HV01").writers
    assert picture is not None
    assert (picture.reading, len(picture.writers), picture.time) == (True, 2, NOW)


# --- volumes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("io", "fields", "text", "severity"),
    [
        ((2, 0, 0), {}, "direct", OK),
        ((3, 32, 0), {"file_system": "CSVFS_REFS"}, "redirected (ReFS)", OK),
        ((3, 32, 0), {}, "redirected (ReFS)", OK),
        ((3, 0, 0), {"file_system": "ReFS"}, "redirected (ReFS)", OK),
        ((3, 1, 0), {}, "redirected: UserRequest", WARN),
        ((3, 33, 0), {"file_system": "ReFS"}, "redirected: UserRequest", WARN),
        ((3, 2, 0), {}, "redirected: IncompatibleFileSystemFilter", WARN),
        ((3, 8, 0), {}, "redirected: FileSystemTiering", INFO),
        ((3, 0, 0), {"backup": 1}, "redirected: backup", INFO),
        ((3, 0, 0), {}, "redirected: no reason given", WARN),
        ((4, 0, 1), {}, "block redirected: NoDiskConnectivity", WARN),
        ((4, 0, 4), {}, "block redirected: VolumeReplicationEnabled", INFO),
        ((1, 0, 0), {}, "paused", BAD),
        ((0, 0, 0), {}, "unavailable", BAD),
        ((9, 0, 0), {}, "9", UNKNOWN),
    ],
)
def test_how_nodes_reach_a_volume(
    io: tuple[int, int, int], fields: dict[str, Any], text: str, severity: Severity
) -> None:
    cluster = small_state()
    told = csv_io("Volume1", {"HV01": io, "HV02": io})
    cluster_says(cluster, csvs=[csv("Volume1", "HV01", **fields)], io=[told])
    row = csv_row(cluster, csv_id("Volume1"))
    assert (row.io, row.severity) == (text, severity)


def test_one_node_without_a_path_is_named() -> None:
    cluster = small_state()
    cluster_says(cluster, io=[csv_io("Volume1", {"HV01": (2, 0, 0), "HV02": (4, 0, 1)})])
    row = csv_row(cluster, csv_id("Volume1"))
    assert row.io == "block redirected: NoDiskConnectivity on HV02"
    assert row.reasons == ("HV02 block redirected: NoDiskConnectivity",)


def test_a_node_that_is_down_reaches_no_volume_and_that_is_no_fault_of_the_volume() -> None:
    cluster = small_state()
    told = csv_io("Volume1", {"HV01": (2, 0, 0), "HV02": (0, 0, 0)})
    cluster_says(cluster, nodes=[cluster_node("HV02", state=1)], io=[told])
    assert csv_row(cluster, csv_id("Volume1")).severity is INFO


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        ({"fault": 1}, WARN),
        ({"fault": 2}, BAD),
        ({"fault": 4}, INFO),
        ({"fault": 8}, BAD),
        ({"fault": None}, UNKNOWN),
        ({"state": 4}, BAD),
        ({"state": 3}, BAD),
        ({"state": 129}, WARN),
        ({"state": None}, UNKNOWN),
        ({"maintenance": True}, INFO),
        ({"redirected": True}, WARN),
        ({"free": None}, UNKNOWN),
        ({"size": None}, UNKNOWN),
        ({"size": 0}, UNKNOWN),
        ({"size": 100, "free": 9}, WARN),
        ({"size": 100, "free": 2}, BAD),
        ({"size": 100, "free": 10}, OK),
        ({"backup": 1}, OK),
        ({"backup": None}, OK),
    ],
)
def test_faults_and_space_of_a_volume(fields: dict[str, Any], severity: Severity) -> None:
    cluster = small_state()
    cluster_says(cluster, csvs=[csv("Volume1", "HV01", **fields)])
    row = csv_row(cluster, csv_id("Volume1"))
    assert row.severity is severity
    assert bool(row.reasons) == (severity is not OK)


def test_a_volume_whose_io_was_not_read_is_unknown() -> None:
    cluster = small_state()
    cluster_says(cluster, gone={"io": [csv("Volume1", "HV01").volume or ""]})
    row = csv_row(cluster, csv_id("Volume1"))
    assert (row.io, row.severity, row.backup) == ("?", UNKNOWN, False)
    assert csv_row(cluster, "no such id").reasons == ("gone",)
