"""Scenarios of the lab, played without a network: what the tracker says against what the world knows."""

from __future__ import annotations

from hvtui.model.enums import OperationalStatus, SnapshotType
from hvtui.window.records import Consistency, Outcome, Phase, Standing, Timeline, Way
from hvtui.window.tracker import WindowTracker
from tests.support.world import DirectFeed
from tests.unit.window.night import check


def played(scenario: str, seconds: int, step: float = 2.0) -> tuple[DirectFeed, WindowTracker, Timeline]:
    """The tracker after so many seconds, each tick of which it saw."""
    feed = DirectFeed.load(scenario)
    tracker = WindowTracker()
    tracker.restart(feed.state)
    feed.subscribe(lambda change: tracker.look(feed.state, change))
    for number in range(int(seconds / step)):
        feed.pump(step, writers=number % 30 == 0)
        tracker.tick(feed.state, feed.clock.monotonic())
    timeline = tracker.timeline(feed.state)
    for line in timeline.vms:
        check(line.backups)
    return feed, tracker, timeline


def test_backup_window() -> None:
    feed, tracker, told = played("backup-window", 1300)
    world = {vm.name: vm for vm in feed.world.vms.values()}
    lines = {line.name: line for line in told.vms}
    done = {name for name, vm in world.items() if vm.last_backup is not None and vm.last_backup > 0}
    assert done == {name for name, line in lines.items() if line.standing is Standing.DONE and name in world}
    assert len(done) >= 20
    for name in done:
        last = lines[name].last
        assert last is not None
        assert (last.way, last.outcome) == (Way.CHECKPOINT, Outcome.DONE)
        order = [span.phase for span in last.spans if span.phase not in (Phase.CHECKPOINT, Phase.CONVERT)]
        assert order == [Phase.FREEZE, Phase.COPY, Phase.MERGE]
        assert last.consistency is Consistency.APPLICATION
    assert (lines["SQL03"].standing, lines["SQL03"].reason) == (
        Standing.FAILED, "the backup checkpoint failed (0x800423f2)",
    )  # fmt: skip
    running = {name for name, line in lines.items() if line.standing is Standing.RUNNING}
    jobs = {
        job.vm for node in feed.world.nodes.values() for job in node.jobs.values() if job.running and job.type < 300
    }
    migrating = OperationalStatus.MigratingVirtualMachine
    busy = {name for name, vm in world.items() if vm.id in jobs or {*vm.busy} - {migrating}}
    assert running == busy
    assert {one.name for one in told.leftovers} == {"ARCHIVE01"}
    assert all(vm.checkpoints[0].type == SnapshotType.Recovery for vm in [world["ARCHIVE01"]])
    # A console opened now knows how each stands, though not what it did before.
    fresh = WindowTracker()
    fresh.restart(feed.state)
    theirs = {line.name: line.standing for line in fresh.timeline(feed.state).vms}
    assert theirs == {name: line.standing for name, line in lines.items()}
    assert tracker.timeline(feed.state).summary.stalled == 0


def test_stuck_writer() -> None:
    _, _, told = played("stuck-writer", 600)
    lines = {line.name: line for line in told.vms}
    guilty = {name for name, line in lines.items() if line.last is not None and line.last.event == 10102}
    assert guilty == {"SQL07", "FILE02"}
    dragged = {name for name, line in lines.items() if line.last is not None and line.last.blamed}
    assert dragged == {"SQL08", "APP-MES", "PRINT01", "LIC01", "WSUS01", "MON01"}
    assert all(set(lines[name].last.blamed) == guilty for name in dragged)  # type: ignore[union-attr]
    assert all(lines[name].attempts >= 3 for name in guilty)
    writer = next(line for line in told.nodes if line.node == "HV03")
    assert writer.stretches[-1].code == 5
    assert {(one.kind, one.name) for one in told.leftovers} == {("checkpoint", "ARCHIVE01"), ("writer", "HV03")}


def test_healthy() -> None:
    _, _, told = played("healthy", 600)
    assert (told.summary.failed, told.summary.stalled, told.summary.ended, told.summary.missed) == (0, 0, 0, 0)
    ways = {line.last.way for line in told.vms if line.standing is Standing.DONE and line.last is not None}
    assert {Way.HOST, Way.CHECKPOINT} <= ways
    assert {one.kind for one in told.leftovers} <= {"checkpoint"}
    assert [line.stalled for line in told.nodes if line.stalled] == []
