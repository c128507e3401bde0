"""Since when: by an event where one tells, else as first seen; always by the clock of the node concerned."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvtui.model.durations import (
    Key,
    csv_key,
    io_key,
    job_key,
    link_text,
    merge_key,
    node_key,
    role_condition,
    span_text,
    vm_condition,
    writer_key,
)
from hvtui.model.link import Link, LinkStatus
from hvtui.model.records import ClusterFrame, Event, NodeFrame
from hvtui.model.rows import csv_row, node_row, vm_row
from hvtui.model.severity import Severity
from hvtui.model.state import ClusterState
from hvtui.model.writers import writer_picture
from tests.support.builders import (
    CLUSTER_PROVIDER,
    HYPER_V_WRITER,
    NOW,
    backup_failed,
    cluster_frame,
    cluster_node,
    csv,
    csv_id,
    csv_io,
    event,
    guid,
    host,
    job,
    live,
    node_frame,
    page,
    role,
    small_state,
    vm,
    writer_lines,
    writer_text,
)

MINUTE = timedelta(minutes=1)
FAILED = {HYPER_V_WRITER: (5, "Retryable error")}
BUSY = {HYPER_V_WRITER: (5, "No error")}


class Console:
    """A console on a small cluster whose clock is moved by hand."""

    def __init__(self, state: ClusterState | None = None) -> None:
        self.state = small_state(writers=False) if state is None else state
        self.now = NOW
        self.seq = {"HV01": 1, "HV02": 1, "": 1}

    @classmethod
    def late(cls, cluster: ClusterFrame, node: NodeFrame) -> Console:
        """One that is opened when things are already as these first messages of the cluster and of HV01 say."""
        state = ClusterState()
        state.apply_cluster(cluster, live())
        state.apply_node("HV01", node, live())
        return cls(state)

    def wait(self, minutes: float) -> None:
        """Time passes and every source sends its heartbeat."""
        self.now += timedelta(minutes=minutes)
        for name in ("HV01", "HV02"):
            self.seq[name] += 1
            self.state.apply_node(
                name, node_frame(name, kind="beat", seq=self.seq[name], time=self.now), live(self.now)
            )
        self.cluster()

    def cluster(self, **sections: object) -> None:
        self.seq[""] += 1
        frame = cluster_frame(kind="delta", seq=self.seq[""], time=self.now, **sections)  # type: ignore[arg-type]
        self.state.apply_cluster(frame, live(self.now))

    def node(self, name: str, **sections: object) -> None:
        self.seq[name] += 1
        frame = node_frame(name, kind="delta", seq=self.seq[name], time=self.now, **sections)  # type: ignore[arg-type]
        self.state.apply_node(name, frame, live(self.now))

    def writers(self, states: dict[tuple[str, str], tuple[int, str]] | None = None, node: str = "HV01") -> Key:
        picture = writer_picture(writer_text(writer_lines(states), self.now))
        self.state.set_writers(node, picture)
        return writer_key(node, next(w for w in picture.writers if w.id == HYPER_V_WRITER[1]))

    def events(self, *events: Event, node: str = "HV01") -> None:
        for channel in {e.channel for e in events}:
            self.state.add_events(node, page(events, channel, self.now))

    def text(self, key: Key) -> str:
        return self.state.history.text(self.state, key)


def cluster_event(id: int, time: datetime, record: int = 1, **data: str) -> Event:
    return event(id, time, record, channel="System", provider=CLUSTER_PROVIDER, data=data)


# --- writers ------------------------------------------------------------------------------------------------------


def test_a_console_opened_late_shows_the_true_start_as_soon_as_the_events_are_read() -> None:
    console = Console()
    key = console.writers(FAILED)
    assert console.text(key) == "≥ 0 s (first seen)"
    start = NOW - timedelta(minutes=74)
    console.events(*(backup_failed("SQL07", start + n * 12 * MINUTE, n + 1) for n in range(6)))
    assert console.text(key) == "since 23:34 (event)".replace("since", "since 13 Mar")
    assert console.state.history.short(console.state, key) == "74 min"
    assert console.state.history.told(console.state, key) == "74 min (event)"
    console.wait(3)
    assert console.state.history.short(console.state, key) == "77 min"


def test_without_an_event_the_time_first_seen_is_a_lower_bound() -> None:
    console = Console()
    key = console.writers(FAILED)
    console.wait(3)
    console.writers(FAILED)
    assert console.text(key) == "≥ 3 min (first seen)"
    assert console.state.history.short(console.state, key) == "≥ 3 min"


def test_yesterdays_failures_are_not_tonights_start() -> None:
    console = Console()
    key = console.writers(FAILED)
    old = [backup_failed("SQL07", NOW - timedelta(hours=23, minutes=-n), n + 1) for n in range(3)]
    new = [backup_failed("SQL07", NOW - timedelta(minutes=20 - n), 10 + n) for n in range(3)]
    console.events(*old, *new)
    assert console.text(key) == "since 00:28 (event)"


def test_a_writer_seen_healthy_did_not_start_failing_before_that() -> None:
    console = Console()
    console.events(backup_failed("SQL07", NOW - timedelta(minutes=30), 1))
    console.writers()
    console.wait(10)
    console.events(backup_failed("APP01", console.now - 2 * MINUTE, 2))
    key = console.writers(FAILED)
    assert console.text(key) == "since 00:56 (event)"


def test_a_looping_job_is_one_trouble_though_the_writer_is_busy_between_two_attempts() -> None:
    console = Console()
    console.events(backup_failed("SQL07", NOW - timedelta(minutes=5), 1))
    key = console.writers(FAILED)
    before = console.text(key)
    for states in (BUSY, FAILED, BUSY):
        console.wait(5)
        assert console.writers(states) == key
        assert console.text(key) == before == "since 00:43 (event)"
    console.writers()
    assert console.text(key) == ""


def test_failures_before_vmms_was_restarted_belong_to_another_trouble() -> None:
    console = Console()
    console.events(
        backup_failed("SQL07", NOW - timedelta(minutes=60), 1), backup_failed("SQL07", NOW - timedelta(minutes=4), 2)
    )
    console.node("HV01", host=host("HV01", vmms_started=NOW - timedelta(minutes=30)))
    assert console.text(console.writers(FAILED)) == "since 00:44 (event)"


def test_another_nodes_failures_do_not_explain_this_nodes_writer() -> None:
    console = Console()
    key = console.writers(FAILED)
    console.events(backup_failed("WEB01", NOW - timedelta(minutes=30), 1), node="HV02")
    assert console.text(key) == "≥ 0 s (first seen)"


def test_a_writer_that_waits_for_a_shadow_copy_too_long_is_a_warning() -> None:
    console = Console()
    waiting = {HYPER_V_WRITER: (3, "No error")}
    console.writers(waiting)
    assert node_row(console.state, "HV01").severity is Severity.OK
    console.wait(3)
    console.writers(waiting)
    row = node_row(console.state, "HV01")
    assert row.severity is Severity.WARN
    assert row.reasons[0].endswith("[3] No error, ≥ 3 min (first seen)")


def test_a_busy_writer_has_no_onset_event() -> None:
    console = Console()
    console.events(backup_failed("SQL07", NOW - timedelta(minutes=30), 1))
    assert console.text(console.writers(BUSY)) == "≥ 0 s (first seen)"


def test_a_read_that_failed_keeps_the_writers_and_their_start() -> None:
    console = Console()
    key = console.writers(FAILED)
    console.wait(5)
    console.state.set_writers("HV01", writer_picture(writer_text(None, console.now, timed_out=True)))
    row = node_row(console.state, "HV01")
    assert (row.writers.failed, row.writers.read) == (1, True)
    assert "did not answer" in row.writers.failure
    # Nobody saw the writer since: that it still fails after five minutes is not known.
    assert console.text(key) == "≥ 0 s (first seen)"
    console.writers(FAILED)
    assert console.text(key) == "≥ 5 min (first seen)"


# --- nodes, volumes, VMs ------------------------------------------------------------------------------------------


def test_a_node_that_went_down_is_down_since_the_cluster_removed_it() -> None:
    console = Console()
    console.wait(10)
    console.cluster(nodes=[cluster_node("HV02", state=1)])
    assert console.text(node_key("HV02")) == "≥ 0 s (first seen)"
    removed = cluster_event(1135, console.now - timedelta(seconds=20), NodeName="hv02")
    console.events(removed)
    assert node_row(console.state, "HV02").since == "since 00:57 (event)"
    console.cluster(nodes=[cluster_node("HV02")])
    assert node_row(console.state, "HV02").since == ""


def test_a_volume_is_paused_since_the_first_of_a_storm_of_events_and_noise_is_no_onset() -> None:
    name, key = "Volume10", io_key(csv_id("Volume10"), "HV01")
    io = csv_io(name, {"HV01": (1, 0, 0), "HV02": (2, 0, 0)})
    console = Console.late(cluster_frame([cluster_node("HV01")], [csv(name, "HV02")], [], [io]), node_frame("HV01", []))
    noise = event(
        5120,
        NOW - timedelta(minutes=9),
        1,
        channel="System",
        provider=CLUSTER_PROVIDER,
        data={"VolumeName": name},
        codes=["0xc0130021"],
    )
    storm = [cluster_event(5120, NOW - timedelta(minutes=7 - n), 2 + n, VolumeName=name) for n in range(4)]
    other = cluster_event(5120, NOW - timedelta(minutes=8), 9, VolumeName="Volume1")
    console.events(noise, *storm, other)
    assert console.text(key) == "since 00:41 (event)"
    assert csv_row(console.state, csv_id(name)).since == "since 00:41 (event)"


def test_a_volume_without_an_event_is_as_first_seen() -> None:
    console = Console()
    console.cluster(csvs=[csv("Volume1", "HV01", fault=2)])
    console.wait(30)
    assert console.text(csv_key(csv_id("Volume1"))) == "≥ 30 min (first seen)"


def test_a_failed_role_is_failed_since_its_failovers_were_used_up() -> None:
    console = Console()
    console.cluster(roles=[role("FILE01", "HV02", name="File server of Lübeck", state=2)])
    console.events(cluster_event(1254, NOW - MINUTE, 4, ResourceGroup="File server of Lübeck"))
    assert console.text(role_condition(guid("FILE01"))) == "since 00:47 (event)"


def test_a_merge_runs_since_its_own_event() -> None:
    merging = node_frame("HV01", [vm("SQL07", 1, op=[2, 32772])])
    console = Console.late(cluster_frame([cluster_node("HV01")], [], [], []), merging)
    console.events(
        event(19070, NOW - timedelta(minutes=50), 1, vm=guid("SQL07")),
        event(19070, NOW - timedelta(minutes=12), 2, vm=guid("SQL07")),
        event(19070, NOW - timedelta(minutes=1), 3, vm=guid("APP01")),
    )
    assert console.text(merge_key(guid("SQL07"))) == "since 00:36 (event)"


def test_a_critical_vm_is_as_first_seen_and_forgotten_when_well() -> None:
    console = Console()
    console.node("HV01", vms=[vm("SQL07", 1, health=25)])
    console.wait(2)
    assert console.text(vm_condition(guid("SQL07"))) == "≥ 2 min (first seen)"
    console.node("HV01", vms=[vm("SQL07", 1)])
    assert console.text(vm_condition(guid("SQL07"))) == ""


def test_a_job_that_stands_at_one_percentage_is_called_stalled() -> None:
    console = Console()
    console.node("HV01", jobs=[job("SQL07", 51, 10)])
    assert vm_row(console.state, guid("SQL07")).activity == "guest VSS 10%"
    console.wait(6)
    assert vm_row(console.state, guid("SQL07")).activity == "guest VSS 10% · stalled ≥ 6 min"
    console.node("HV01", jobs=[job("SQL07", 51, 11)])
    assert vm_row(console.state, guid("SQL07")).activity == "guest VSS 11%"
    key = job_key("HV01", job("SQL07", 51).id)
    assert console.text(key) == "≥ 0 s (first seen)"
    console.node("HV01", gone={"jobs": [job("SQL07", 51).id]})
    assert console.text(key) == ""


# --- clocks -------------------------------------------------------------------------------------------------------


def test_a_node_whose_clock_is_wrong_is_measured_by_its_own_clock() -> None:
    state = small_state(writers=False)
    wrong = NOW - timedelta(hours=7)
    link = Link(status=LinkStatus.LIVE, last_frame=1000.0, node_time=wrong, offset=-timedelta(hours=7), since=1000.0)
    state.apply_node("HV01", node_frame("HV01", [], [], [], time=wrong), link)
    picture = writer_picture(writer_text(writer_lines(FAILED), wrong))
    state.set_writers("HV01", picture)
    state.add_events("HV01", page([backup_failed("SQL07", wrong - timedelta(minutes=40), 1)], time=wrong))
    key = writer_key("HV01", next(w for w in picture.writers if w.id == HYPER_V_WRITER[1]))
    assert state.history.short(state, key) == "40 min"


def test_an_event_of_a_node_with_a_wrong_clock_still_tells_about_the_cluster() -> None:
    state = small_state(writers=False)
    wrong = NOW + timedelta(hours=2)
    link = Link(status=LinkStatus.LIVE, last_frame=1000.0, node_time=wrong, offset=timedelta(hours=2), since=1000.0)
    state.apply_node("HV01", node_frame("HV01", [], [], [], time=wrong), link)
    later = NOW + timedelta(minutes=10)
    state.apply_cluster(cluster_frame([cluster_node("HV02", state=1)], kind="delta", seq=2, time=later), live(later))
    wrong += timedelta(minutes=10)
    state.apply_node("HV01", node_frame("HV01", kind="beat", seq=2, time=wrong), link)
    state.add_events("HV01", page([cluster_event(1135, wrong - 5 * MINUTE, NodeName="HV02")], "System", wrong))
    assert state.history.short(state, node_key("HV02")) == "5 min"


def test_the_reader_sees_the_time_in_his_zone_and_the_day_when_it_is_another() -> None:
    console = Console()
    key = console.writers(FAILED)
    console.events(backup_failed("SQL07", NOW - timedelta(minutes=60), 1))
    berlin = timezone(timedelta(hours=1))
    assert console.state.history.text(console.state, key, berlin) == "since 00:48 (event)"
    assert console.state.history.text(console.state, key, NOW.tzinfo) == "since 13 Mar 23:48 (event)"


def test_a_link_is_measured_by_the_clients_own_clock() -> None:
    link = Link(status=LinkStatus.HANGING, since=1000.0)
    assert link_text(link, 1200.0) == "≥ 3 min (first seen)"
    assert link_text(link, 900.0) == "≥ 0 s (first seen)"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (99, "99 s"),
        (100, "1 min"),
        (74 * 60, "74 min"),
        (99 * 60 + 59, "99 min"),
        (100 * 60, "1 h 40 min"),
        (3 * 3600 + 5 * 60, "3 h 05 min"),
        (48 * 3600, "2 d"),
    ],
)
def test_spans(seconds: float, text: str) -> None:
    assert span_text(seconds) == text


@given(st.floats(0, 1e9))
def test_spans_never_claim_more_than_passed(seconds: float) -> None:
    text = span_text(seconds)
    units = {"s": 1, "min": 60, "h": 3600, "d": 86_400}
    numbers, words = text.split()[::2], text.split()[1::2]
    claimed = sum(int(number) * units[word] for number, word in zip(numbers, words, strict=True))
    assert claimed <= seconds + 0.5


def test_an_empty_state_knows_of_nothing() -> None:
    state = ClusterState()
    assert state.history.text(state, node_key("HV01")) == ""
    assert state.history.seconds(state, node_key("HV01")) == 0.0
