"""What the tracker makes of a night: both ways of backup, stalls, ends, and what cannot be seen."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvtui.config import BackupWindow
from hvtui.model.enums import JobState, JobType
from hvtui.window.records import Consistency, Outcome, Standing, Way
from hvtui.window.tracker import WindowTracker
from tests.support import builders
from tests.support.builders import guid
from tests.unit.window.night import KEY, VM, Night, check

BUSY, BACKING, CREATING, MERGING = 11, 32776, 32768, 32772


def checkpoint_backup(night: Night, *, percent: int = 40) -> None:
    """A backup of the 2016+ way, up to the copy."""
    night.job(JobType.Backup)
    night.job(JobType.Snapshot)
    night.job(JobType.GuestVssSnapshot, 10)
    night.vm(op=[BUSY, CREATING])
    night.tick(2)
    night.tick(8)
    night.end(JobType.Snapshot)
    night.job(JobType.GuestVssSnapshot, 100, state=JobState.Completed)
    night.recovery()
    night.job(JobType.Backup, percent)
    night.vm(op=[BUSY, BACKING])
    night.tick(2)


def finish(night: Night) -> None:
    """… and from the copy to its end."""
    night.end(JobType.Backup)
    night.end(JobType.GuestVssSnapshot)
    night.job(JobType.ConvertToReferencePoint)
    night.vm(op=[2])
    night.tick(60)
    night.end(JobType.ConvertToReferencePoint)
    night.job(JobType.MergeDisks, 5)
    night.recovery(0)
    night.vm(op=[2, MERGING])
    night.tick(5)
    night.end(JobType.MergeDisks)
    night.vm(op=[2], last_backup=night.now + timedelta(seconds=20))
    night.tick(20)


def test_a_checkpoint_backup_from_its_begin_to_its_end() -> None:
    night = Night()
    checkpoint_backup(night)
    assert night.phases() == ["freeze", "copy"]
    assert night.line().standing is Standing.RUNNING
    assert night.line().reason == "copy 40%"
    finish(night)
    line = night.line()
    last = line.last
    assert last is not None
    assert night.phases() == ["freeze", "copy", "convert", "merge"]
    assert (last.way, last.outcome, last.consistency) == (Way.CHECKPOINT, Outcome.DONE, Consistency.APPLICATION)
    assert line.standing is Standing.DONE
    assert last.end == night.now
    assert night.told.summary.done == 1


def test_a_backup_through_the_hosts_writer() -> None:
    night = Night()
    night.job(JobType.GuestVssSnapshot, 10)
    night.vm(op=[BUSY, BACKING])
    night.tick(2)
    night.job(JobType.GuestVssSnapshot, 100, state=JobState.Completed)
    night.vm(op=[2])
    night.tick(12)
    night.csv(backup=1)
    night.writers(3)
    night.tick(2)
    assert night.phases() == ["freeze", "checkpoint"]
    night.writers(5)
    night.tick(8)
    night.tick(600)
    assert night.phases()[-1] == "copy"
    night.csv(backup=0)
    night.vm(last_backup=night.now)
    night.tick(2)
    last = night.line().last
    assert last is not None
    assert (last.way, last.outcome, last.consistency) == (Way.HOST, Outcome.DONE, Consistency.APPLICATION)


def test_one_guest_fails_the_run_of_its_host_and_is_named() -> None:
    night = Night()
    for name in (VM, "APP01"):
        night.job(JobType.GuestVssSnapshot, 10, name)
        night.vm(name, op=[BUSY, BACKING])
    night.tick(2)
    for name, error in ((VM, 32768), ("APP01", 0)):
        state = JobState.Exception if error else JobState.Completed
        night.job(JobType.GuestVssSnapshot, 100, name, state=state, error=error)
        night.vm(name, op=[2])
    night.tick(14)
    # Another node read the event before it was over, and it comes late.
    night.tick(120)
    night.event(10102, at=night.now - timedelta(seconds=120), codes=["0x800423f3"])
    guilty, dragged = night.line(VM), night.line("APP01")
    assert (guilty.standing, guilty.reason) == (Standing.FAILED, "no volume shadow copy inside the guest (0x800423f3)")
    assert (dragged.standing, dragged.reason) == (Standing.FAILED, "its run failed because of SQL07")
    assert dragged.last is not None
    assert dragged.last.blamed == (VM,)
    assert night.told.summary.failed == 2


def test_a_vm_that_is_saved_for_a_backup_of_its_host() -> None:
    night = Night()
    night.csv(backup=1)
    night.vm(state=6)
    night.tick(2)
    night.vm(state=2)
    night.tick(20)
    night.csv(backup=0)
    night.vm(last_backup=night.now)
    night.tick(2)
    last = night.line().last
    assert last is not None
    assert (last.way, last.consistency, last.outcome) == (Way.HOST, Consistency.SAVED, Outcome.DONE)


def test_a_persons_checkpoint_and_its_merge_are_no_backups() -> None:
    night = Night()
    night.job(JobType.Snapshot)
    night.vm(op=[BUSY, CREATING])
    night.tick(2)
    night.end(JobType.Snapshot)
    night.vm(op=[2])
    night.tick(5)
    night.vm(op=[2, MERGING])
    night.tick(5)
    night.vm(op=[2])
    night.tick(5)
    assert [backup for backup in night.line().backups if backup.spans] == []
    assert night.told.summary.failed == 0


def test_a_merge_after_a_checkpoint_nobody_saw_counts_when_the_backup_time_says_so() -> None:
    night = Night()
    night.vm(op=[2, MERGING])
    night.tick(5)
    night.vm(op=[2], last_backup=night.now)
    night.tick(5)
    last = night.line().last
    assert last is not None
    assert (night.phases(), last.outcome, last.consistency) == (["merge"], Outcome.DONE, Consistency.UNKNOWN)


# --- stalls ---


@pytest.mark.parametrize(
    ("kind", "op", "limit"), [(JobType.GuestVssSnapshot, BACKING, 180), (JobType.MergeDisks, MERGING, 900)]
)
def test_a_job_that_stands_is_a_stall_and_one_that_moves_is_none(kind: int, op: int, limit: int) -> None:
    night = Night()
    night.job(kind, 10)
    night.vm(op=[BUSY, op])
    night.tick(2)
    night.job(kind, 11)
    night.tick(limit - 10)
    stands_since = night.now
    night.tick(limit - 1)
    assert night.line().standing is Standing.RUNNING
    night.tick(2)
    line = night.line()
    assert line.standing is Standing.STALLED
    assert line.reason.endswith(f"stands at 11% for more than {limit // 60} min")
    assert line.last is not None
    assert line.last.spans[-1].stalled == stands_since
    night.job(kind, 12)
    night.tick(2)
    assert night.line().standing is Standing.RUNNING
    assert night.line().last.spans[-1].stalled == stands_since  # type: ignore[union-attr]


def test_a_stall_is_noticed_without_a_message() -> None:
    night = Night()
    night.job(JobType.GuestVssSnapshot, 10)
    night.tick(2)
    night.tick(178)
    assert night.line().standing is Standing.RUNNING
    night.tracker.tick(night.state, night.monotonic + 4)
    assert night.line().standing is Standing.STALLED


def test_a_merge_that_failed_stands_whatever_its_percentage() -> None:
    night = Night()
    checkpoint_backup(night)
    night.end(JobType.Backup)
    night.job(JobType.MergeDisks, 5)
    night.vm(op=[2, MERGING])
    night.tick(2)
    night.event(19100, codes=["0x80070020"])
    night.tick(2)
    assert (night.line().standing, night.line().reason) == (Standing.STALLED, "the merge failed (0x80070020)")


def test_a_copy_beyond_the_window_is_a_stall() -> None:
    # NOW is 00:48:07.
    night = Night([BackupWindow(time(22, 0), time(1, 0))])
    checkpoint_backup(night)
    night.tick(600)
    assert night.line().standing is Standing.RUNNING
    night.tick(200)
    line = night.line()
    assert (line.standing, line.reason) == (Standing.STALLED, "it copies beyond the backup window")


def test_writers_in_the_middle_of_a_snapshot_for_too_long() -> None:
    night = Night()
    night.writers(3)
    night.tick(100)
    night.writers(3)
    assert [line.stalled for line in night.told.nodes] == [""]
    night.tick(30)
    night.writers(3)
    (line,) = night.told.nodes
    assert line.stalled == "the Hyper-V writer is at [3] for more than 2 min"
    assert [(one.code, one.end is None) for one in line.stretches] == [(3, True)]


# --- what cannot be seen ---


def test_a_silent_node_is_a_gap_and_no_end() -> None:
    night = Night()
    checkpoint_backup(night)
    night.silence(600)
    line = night.line()
    assert (line.standing, line.unseen) == (Standing.RUNNING, True)
    assert night.phases() == ["freeze", "copy", "not seen"]
    # Heard again, the same job runs: the copy went on meanwhile.
    night.tick(2)
    assert night.phases() == ["freeze", "copy"]
    night.silence(600)
    night.end(JobType.Backup)
    night.end(JobType.GuestVssSnapshot)
    night.job(JobType.MergeDisks, 3, started=night.now - timedelta(seconds=60))
    night.recovery(0)
    night.vm(op=[2, MERGING])
    night.tick(2)
    assert night.phases() == ["freeze", "copy", "not seen", "merge"]
    assert night.line().backups[-1].spans[-1].begin == night.now - timedelta(seconds=62)


def test_a_backup_that_ended_while_nobody_looked_has_no_invented_phases() -> None:
    night = Night()
    checkpoint_backup(night)
    night.silence(3600)
    night.jobs = []
    night.recovery(0)
    night.vm(op=[2], last_backup=night.now - timedelta(minutes=20))
    night.tick(2)
    last = night.line().last
    assert last is not None
    assert last.outcome is Outcome.DONE
    assert night.phases() == ["freeze", "copy", "not seen"]


def test_unread_backup_times_are_unknown_and_no_vm_is_waited_for() -> None:
    night = Night()
    for name in (VM, "APP01"):
        night.vm(name, last_backup=None)
    fresh = Night([BackupWindow(time(22, 0), time(4, 0))])
    fresh.tick(2)
    assert fresh.told.summary.waiting == 5
    fresh.tracker = WindowTracker([BackupWindow(time(22, 0), time(4, 0))])
    fresh.vms = dict(night.vms)
    fresh.tick(2)
    told = {line.vm: line.standing for line in fresh.told.vms}
    assert told[KEY] is Standing.NONE
    assert fresh.told.summary.waiting == 3


def test_how_it_ended_may_be_unknown() -> None:
    night = Night()
    checkpoint_backup(night)
    night.jobs = []
    night.recovery(0)
    night.vm(op=[2])
    night.tick(5)
    line = night.line()
    assert line.standing is Standing.ENDED
    assert line.last is not None
    assert line.last.outcome is Outcome.ENDED
    night.vm(last_backup=night.now)
    night.tick(30)
    assert night.line().standing is Standing.DONE


def test_failures_nobody_saw_are_told_by_events_alone() -> None:
    night = Night()
    for minutes in (50, 43, 36):
        night.event(10150, at=night.now - timedelta(minutes=minutes), codes=["0x800423f2"])
        night.event(18012, at=night.now - timedelta(minutes=minutes))
    line = night.line()
    failed = [backup for backup in line.backups if backup.outcome is Outcome.FAILED]
    assert len(failed) == 3
    assert line.attempts == 3
    assert {backup.reason for backup in failed} == {"the backup checkpoint failed (0x800423f2)"}
    assert line.standing is Standing.FAILED


def test_an_event_of_another_source_with_the_same_number_says_nothing() -> None:
    night = Night()
    made = builders.event(10102, night.now, 9, provider="SomeAgent", vm=KEY, vm_name=VM)
    night.feed(night.state.add_events("HV01", builders.page([made], time=night.now)))
    assert night.line().standing is Standing.NONE


# --- windows ---


def test_after_the_window_what_was_not_done_is_missed() -> None:
    night = Night([BackupWindow(time(22, 0), time(1, 0))])
    checkpoint_backup(night)
    finish(night)
    assert night.told.summary.waiting == 4
    night.tick(1200)
    told = night.told
    assert (told.summary.missed, told.summary.waiting, told.summary.done) == (4, 0, 1)
    assert told.expected is not None
    assert told.expected.end == datetime(2026, 3, 14, 1, 0, tzinfo=UTC)


# --- another state, a seek ---


def test_a_seek_backwards_begins_anew_from_the_state_it_gets() -> None:
    night = Night()
    checkpoint_backup(night)
    finish(night)
    tracker = night.tracker
    early = Night()
    early.job(JobType.GuestVssSnapshot, 10)
    early.job(JobType.Backup)
    early.tick(2)
    tracker.look(early.state, early._node())
    line = next(line for line in tracker.timeline(early.state).vms if line.vm == KEY)
    assert line.standing is Standing.RUNNING
    assert [span.phase.value for span in line.backups[-1].spans] == ["freeze"]
    assert tracker.timeline(early.state).now == early.now


def test_the_same_state_gone_back_in_time_begins_anew() -> None:
    night = Night()
    checkpoint_backup(night)
    finish(night)
    assert any(backup.spans for backup in night.line().backups)
    night.now -= timedelta(hours=1)
    night.vm(last_backup=night.now - timedelta(days=1))
    night.state.cluster.time = night.now
    night.tick()
    assert not any(backup.spans for backup in night.line().backups)
    assert night.told.watched == night.now


# --- any night ---

KINDS = [51, 70, 170, 200, 202, 72, 50]
STEP = st.fixed_dictionaries(
    {
        "seconds": st.sampled_from([0, 1, 2, 5, 30, 90, 400, 2000]),
        "jobs": st.lists(st.sampled_from(KINDS), max_size=3, unique=True),
        "percent": st.sampled_from([0, 10, 60]),
        "state": st.sampled_from([JobState.Running, JobState.Completed, JobState.Exception]),
        "op": st.sampled_from([[2], [BUSY, BACKING], [BUSY, CREATING], [2, MERGING], [BUSY, 32770]]),
        "recovery": st.sampled_from([0, 0, 1, 2]),
        "vm_state": st.sampled_from([2, 2, 2, 3, 6]),
        "done": st.sampled_from([None, None, -5, 0, -4000]),
        "event": st.sampled_from([None, None, 10102, 10150, 18012, 19070, 19080, 19100]),
        "event_age": st.sampled_from([0, 1, 30, 300, 7000]),
        "backup": st.sampled_from([None, 0, 1]),
        "writers": st.sampled_from([None, None, 1, 2, 3, 5, 7]),
        "silent": st.sampled_from([0, 0, 0, 0, 30, 500]),
    }
)


def play(night: Night, step: dict[str, Any]) -> None:
    """One step of a random night."""
    night.jobs = []
    for kind in step["jobs"]:
        night.job(kind, step["percent"], state=step["state"], error=32768 if step["state"] == 10 else None)
    night.recovery(step["recovery"])
    night.vm(op=step["op"], state=step["vm_state"])
    if step["done"] is not None:
        night.vm(last_backup=night.now + timedelta(seconds=step["done"]))
    if step["backup"] is not None:
        night.csv(backup=step["backup"])
    if step["silent"]:
        night.silence(step["silent"])
    night.tick(step["seconds"])
    if step["writers"] is not None:
        night.writers(step["writers"])
    if step["event"] is not None:
        night.event(step["event"], at=night.now - timedelta(seconds=step["event_age"]))
    night.tracker.tick(night.state, night.monotonic)


@given(st.lists(STEP, min_size=1, max_size=25))
def test_any_night_has_no_overlapping_phases_and_its_counts_add_up(steps: list[dict[str, Any]]) -> None:
    night = Night([BackupWindow(time(22, 0), time(4, 0))])
    for step in steps:
        play(night, step)
    told = night.told
    counts = told.summary
    standings = [line.standing for line in told.vms]
    assert standings.count(Standing.RUNNING) == counts.running
    assert standings.count(Standing.STALLED) == counts.stalled
    assert standings.count(Standing.FAILED) == counts.failed
    assert standings.count(Standing.DONE) == counts.done
    assert standings.count(Standing.WAITING) == counts.waiting
    for node in told.nodes:
        for before, after in zip(node.stretches, node.stretches[1:], strict=False):
            assert before.end is not None
            assert before.begin <= before.end <= after.begin
    for line in told.vms:
        if line.standing in (Standing.RUNNING, Standing.STALLED):
            assert line.backups[-1].open
    # When all is quiet for long enough, nothing runs any more.
    quiet = {**steps[-1], "jobs": [], "op": [2], "recovery": 0, "vm_state": 2, "backup": 0, "silent": 0, "event": None}
    play(night, {**quiet, "seconds": 5})
    play(night, {**quiet, "seconds": 400})
    assert not any(backup.open for line in night.told.vms for backup in line.backups)


@given(st.lists(STEP, min_size=1, max_size=12))
def test_a_tracker_begun_in_the_middle_agrees_on_what_runs_now(steps: list[dict[str, Any]]) -> None:
    """A console opened later, or a seek: it knows less of the past, and the same of now where jobs tell it."""
    night = Night()
    for step in steps:
        play(night, {**step, "silent": 0})
    fresh = WindowTracker()
    fresh.restart(night.state)
    theirs = {line.vm: line for line in fresh.timeline(night.state).vms}
    for line in theirs.values():
        check(line.backups)
    running = [job for job in night.jobs if job.state == JobState.Running]
    if running:
        mine = night.line().backups[-1]
        other = theirs[guid(VM)].backups[-1]
        assert mine.open
        assert other.open
        assert mine.spans[-1].phase is other.spans[-1].phase
