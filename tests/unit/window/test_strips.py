"""Strips of writers and volumes, marks, and what a night leaves behind."""

from __future__ import annotations

from datetime import time, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from hvtui.config import BackupWindow
from hvtui.model.enums import JobType
from hvtui.model.records import CheckpointCount
from hvtui.model.severity import Severity
from hvtui.window.marks import MARKS, Marks
from hvtui.window.records import Leftover, Mark, Stretch
from hvtui.window.strips import SAMPLES, STRETCHES, Strip
from tests.support import builders
from tests.support.builders import NOW, csv_id
from tests.unit.window.night import KEY, VM, Night

AVHDX = "C:\\ClusterStorage\\Volume1\\SQL07\\disk0_1F0A.avhdx"


def left(night: Night) -> list[Leftover]:
    return list(night.told.leftovers)


# --- strips ---


def test_a_writer_that_does_not_change_is_one_stretch() -> None:
    night = Night()
    for code, error in ((1, "No error"), (1, "No error"), (5, "No error"), (5, "Retryable error"), (1, "No error")):
        night.writers(code, error)
        night.tick(60)
    (line,) = night.told.nodes
    assert [(one.code, one.severity) for one in line.stretches] == [
        (1, Severity.OK), (5, Severity.INFO), (5, Severity.BAD), (1, Severity.OK),
    ]  # fmt: skip
    assert line.stretches[0].end == NOW + timedelta(seconds=120)
    assert line.stretches[-1].end is None


def test_writers_that_could_not_be_read_are_unknown_and_not_as_before() -> None:
    night = Night()
    night.writers(1)
    night.tick(60)
    answer = builders.writer_text(None, night.now, timed_out=True)
    from hvtui.model.writers import writer_picture

    night.feed(night.state.set_writers("HV01", writer_picture(answer, night.monotonic)))
    (line,) = night.told.nodes
    assert line.stretches[-1].severity is Severity.UNKNOWN
    assert line.stretches[-1].code is None


def test_a_volume_that_is_redirected_in_a_backup_and_free_space_that_falls() -> None:
    night = Night()
    for backup, io, free in ((0, (2, 0, 0), 2.0), (1, (3, 0, 0), 1.9), (0, (2, 0, 0), 1.2)):
        night.csv(backup=backup, io=io, free=int(free * 2**40))
        night.tick(400)
    line = next(one for one in night.told.csvs if one.csv == csv_id("Volume1"))
    assert [(one.text, one.severity, one.backup) for one in line.stretches] == [
        ("direct", Severity.OK, False), ("redirected: backup", Severity.INFO, True), ("direct", Severity.OK, False),
    ]  # fmt: skip
    assert line.lowest == int(1.2 * 2**40)
    assert [round(sample.free / 2**40, 1) for sample in line.free] == [2.0, 1.9, 1.2]


def test_free_space_is_kept_in_a_bounded_number_of_samples() -> None:
    night = Night()
    for step in range(SAMPLES * 3):
        night.now += timedelta(seconds=301)
        night.csv(free=2**40 + step)
    line = next(one for one in night.told.csvs if one.csv == csv_id("Volume1"))
    assert SAMPLES // 2 <= len(line.free) <= SAMPLES
    assert line.free[-1].free == 2**40 + SAMPLES * 3 - 1


@given(st.lists(st.tuples(st.integers(-300, 600), st.sampled_from(["a", "b", "c"])), max_size=60))
def test_stretches_follow_each_other_whatever_the_clock_does(steps: list[tuple[int, str]]) -> None:
    strip, now = Strip(), NOW
    for seconds, words in steps:
        now += timedelta(seconds=seconds)
        strip.put(now, Stretch(begin=now, severity=Severity.OK, text=words))
        for before, after in zip(strip.stretches, strip.stretches[1:], strict=False):
            assert before.end == after.begin
            assert before.begin < after.begin
            assert before.text != after.text or before.end is not None
        assert strip.stretches[-1].end is None
        assert strip.stretches[-1].text == words
    assert len(strip.stretches) <= STRETCHES


# --- marks ---


def test_marks_are_events_that_need_a_look_and_what_operators_did() -> None:
    night = Night()
    night.event(10102)
    night.event(19070)
    night.tracker.note_action("run-1", night.now, "Drain HV03: running")
    night.tracker.note_action("run-1", night.now, "Drain HV03: done")
    assert [(mark.kind, mark.id, mark.text) for mark in night.told.marks] == [
        ("event", 10102, f"backup of {VM} ({KEY[:8]}) failed: no volume shadow copy inside the guest"),
        ("action", 0, "Drain HV03: done"),
    ]


def test_marks_are_bounded_and_the_newest_stay() -> None:
    marks = Marks()
    for number in range(MARKS + 10):
        marks.put(Mark(time=NOW + timedelta(seconds=number), kind="event", text="x", key=str(number)))
    assert len(marks.held) <= MARKS
    assert marks.held[-1].key == str(MARKS + 9)


# --- leftovers ---


def test_a_recovery_checkpoint_without_a_job_is_left_behind_and_in_a_backup_it_is_none() -> None:
    night = Night()
    night.recovery(created=night.now - timedelta(hours=10))
    night.tick(2)
    (one,) = left(night)
    assert (one.kind, one.name, one.since) == ("checkpoint", VM, night.now - timedelta(hours=10, seconds=2))
    assert night.told.summary.oldest == one
    night.job(JobType.Backup, 20)
    night.tick(2)
    assert left(night) == []
    assert night.told.summary.running == 1


def test_checkpoints_of_other_kinds_and_kept_ones_are_no_leftovers() -> None:
    night = Night(kept=lambda name: name == "APP01")
    night.vm(checkpoints=[CheckpointCount(type=kind, saved=False, count=1, oldest=NOW) for kind in (0, 6, 7)])
    night.recovery(name="APP01")
    night.tick(2000)
    assert left(night) == []


def test_an_avhdx_without_a_checkpoint_is_told_after_a_while_and_not_while_it_merges() -> None:
    night = Night()
    files = builders.files(VM, "Volume1", disks=[AVHDX])

    def tell(seconds: float) -> list[str]:
        night.now += timedelta(seconds=seconds)
        night.monotonic += seconds
        view = night.state.node("HV01")
        frame = builders.node_frame(
            "HV01", list(night.vms.values()), [files, builders.files("APP01", "Volume1")], night.jobs,
            seq=view.seq + 1, time=night.now,
        )  # fmt: skip
        night.feed(night.state.apply_node("HV01", frame, builders.live(night.now, night.monotonic)))
        return [one.kind for one in left(night)]

    assert tell(2) == []
    assert tell(800) == []
    assert tell(200) == ["avhdx"]
    night.vm(op=[2, 32772])
    assert tell(2) == []
    night.vm(op=[2], checkpoints=None)
    assert tell(2000) == [], "what checkpoints it has is not known"


def test_a_volume_left_redirected_and_one_whose_backup_state_stays() -> None:
    night = Night()
    night.csv(io=(3, 1, 0))
    assert [(one.kind, one.name) for one in left(night)] == [("redirected", "Volume1")]
    night.csv(io=(3, 0, 0), backup=1)
    assert left(night) == [], "in a backup that is no leftover"
    night.tick(1000)
    assert [one.kind for one in left(night)] == ["backup"]
    night.csv()
    assert left(night) == []


def test_in_an_open_window_nothing_of_volumes_and_busy_writers_is_left_behind() -> None:
    night = Night([BackupWindow(time(22, 0), time(1, 30))])
    night.csv(redirected=True)
    night.writers(5)
    night.tick(1000)
    night.writers(5)
    assert left(night) == []
    night.tick(2000)
    night.writers(5)
    assert {one.kind for one in left(night)} == {"redirected", "writer"}


def test_a_writer_with_an_error_is_told_at_once_and_reads_as_windows_says() -> None:
    night = Night([BackupWindow(time(22, 0), time(4, 0))])
    night.writers(5, "Retryable error")
    (one,) = left(night)
    assert (one.kind, one.target, one.severity) == ("writer", "node", Severity.BAD)
    assert one.text.startswith("Microsoft Hyper-V VSS Writer is at [5] Waiting for completion, Retryable error")
    night.tick(60)
    night.writers(1)
    assert left(night) == []


def test_a_locked_role_without_a_backup_is_told_after_a_while() -> None:
    night = Night()

    def lock(status: int) -> None:
        role = night.state.cluster.roles[builders.guid(f"role {VM}")]  # type: ignore[index]
        frame = builders.cluster_frame(
            roles=[msgspec.structs.replace(role, status=status)], kind="delta",
            seq=night.state.cluster.seq + 1, time=night.now,
        )  # fmt: skip
        night.feed(night.state.apply_cluster(frame, builders.live(night.now, night.monotonic)))

    lock(1)
    night.tick(2)
    assert left(night) == []
    night.tick(1000)
    assert [one.kind for one in left(night)] == ["lock"]
    lock(0)
    night.tick(2)
    assert left(night) == []
