"""The state of backups on a node: running wins, leftovers need quiet and a person, and what is unread is unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from hvtui.model.enums import JobState, JobType
from hvtui.model.link import Link, LinkStatus
from hvtui.model.preflight import ShadowCopy
from hvtui.model.records import CheckpointCount
from hvtui.model.writers import WriterPicture
from hvtui.operations.backup_state import QUIET, Answer, BackupSigns, backup_state, still_said
from hvtui.operations.facts import Facts, Leftover
from tests.support import builders
from tests.support.builders import HYPER_V_WRITER, NOW, guid, job, volume_name
from tests.support.small_clusters import MONOTONIC, Small

HEALTHY = Small()
WAITING = {HYPER_V_WRITER: (5, "No error")}
RETRYABLE = {HYPER_V_WRITER: (5, "Retryable error")}
RECOVERY = CheckpointCount(type=1, saved=False, count=1)


def with_copy(facts: Facts, age: timedelta) -> Facts:
    answer = facts.preflight["HV01"]
    assert answer.node is not None
    copy = ShadowCopy(id=guid("copy"), set=guid("set"), volume=volume_name("Volume1"), created=NOW - age)
    node = msgspec.structs.replace(answer.node, shadow_copies=[copy])
    return replace(facts, preflight={**facts.preflight, "HV01": msgspec.structs.replace(answer, node=node)})


def test_nothing_there_is_idle() -> None:
    assert backup_state(HEALTHY.facts(), "HV01").answer is Answer.IDLE
    assert not backup_state(HEALTHY.facts(), "HV01").forbids


@pytest.mark.parametrize("kind", [50, 51, 70, 71, 72, 170, 200, 201, 202, 203])
@pytest.mark.parametrize("state", [JobState.Starting, JobState.Running])
def test_a_job_that_runs_is_a_backup_that_runs(kind: int, state: int) -> None:
    small = HEALTHY.vm("SQL07", jobs=(job("SQL07", kind, 40, state=state),))
    found = backup_state(small.facts(), "HV01")
    assert (found.answer, found.forbids) == (Answer.RUNNING, True)
    assert "SQL07" in found.evidence[0]
    # Another node is not concerned.
    assert backup_state(small.facts(), "HV02").answer is Answer.IDLE


@pytest.mark.parametrize("state", [JobState.Completed, JobState.Exception, JobState.Killed])
def test_a_job_that_has_ended_is_none(state: int) -> None:
    small = HEALTHY.vm("SQL07", jobs=(job("SQL07", JobType.Backup, 100, state=state),))
    assert backup_state(small.facts(), "HV01").answer is Answer.IDLE


def test_a_volume_of_the_node_that_is_backed_up_counts_wherever_its_owner_is() -> None:
    # APP01 is on HV01 and its files on Volume2 of HV02: both nodes are concerned, HV03 is not.
    facts = HEALTHY.but(csv_more={"Volume2": {"backup": 1}}).facts()
    assert [backup_state(facts, node).answer for node in ("HV01", "HV02", "HV03")] == [
        Answer.RUNNING,
        Answer.RUNNING,
        Answer.IDLE,
    ]


def test_a_young_shadow_copy_is_a_backup_and_an_old_one_is_not() -> None:
    facts = HEALTHY.facts()
    assert backup_state(with_copy(facts, timedelta(hours=2)), "HV01").answer is Answer.RUNNING
    assert backup_state(with_copy(facts, timedelta(hours=12)), "HV01").answer is Answer.IDLE


@pytest.mark.parametrize("code", [2, 3, 4])
def test_a_writer_that_freezes_is_a_backup(code: int) -> None:
    facts = HEALTHY.but(writers={HYPER_V_WRITER: (code, "No error")}).facts()
    assert backup_state(facts, "HV01").answer is Answer.RUNNING


@pytest.mark.parametrize("writers", [WAITING, RETRYABLE])
def test_a_live_wait_for_completion_in_the_copy_phase_is_running(
    writers: dict[tuple[str, str], tuple[int, str]],
) -> None:
    """`[5]` is where a writer is while data are copied for hours, and an error may belong to the run before."""
    small = HEALTHY.but(writers=writers)
    said = {"HV01": Leftover("HV01", "CORP\\alice", NOW)}
    for facts in (
        with_copy(small.facts(backup_stopped=said), timedelta(hours=3)),
        small.but(csv_more={"Volume1": {"backup": 1}}).facts(backup_stopped=said),
    ):
        found = backup_state(facts, "HV01")
        assert (found.answer, found.forbids) == (Answer.RUNNING, True)


LEFT = [
    HEALTHY.but(writers=RETRYABLE),
    HEALTHY.but(writers=WAITING),
    HEALTHY.vm("SQL07", record={"checkpoints": [RECOVERY]}),
    HEALTHY.vm("SQL07", record={"op": [11, 32776]}),
    HEALTHY.vm("SQL07", status=1),
]


@pytest.mark.parametrize("small", LEFT)
def test_leftovers_are_orphaned_after_a_quarter_of_an_hour_and_a_person_says_so(small: Small) -> None:
    facts = small.facts(quiet={"HV01": QUIET})
    found = backup_state(facts, "HV01")
    assert (found.answer, found.forbids, found.left) == (Answer.ORPHANED, True, 0)
    said = {"HV01": Leftover("HV01", "CORP\\alice", NOW)}
    agreed = backup_state(replace(facts, backup_stopped=said), "HV01")
    assert (agreed.answer, agreed.forbids) == (Answer.ORPHANED, False)
    assert "alice" in agreed.confirmed
    early = backup_state(replace(facts, quiet={"HV01": timedelta(minutes=6, seconds=30)}, backup_stopped=said), "HV01")
    assert (early.answer, early.forbids, early.left) == (Answer.UNKNOWN, True, 9)


def unread(what: str) -> Facts:
    facts = HEALTHY.facts()
    view = facts.state.nodes["HV01"]
    if what == "jobs":
        view.jobs = None
    elif what == "vms":
        view.problems = (builders.problem("vms"),)
    elif what == "node":
        view.link = Link(status=LinkStatus.HANGING, last_frame=MONOTONIC)
    elif what == "csvs":
        facts.state.cluster.problems = (builders.problem("csvs"),)
    elif what == "preflight":
        return replace(facts, preflight={})
    elif what == "writers":
        view.writers = WriterPicture(read_at=MONOTONIC, failure="vssadmin gave no answer in 120 s and was ended")
    elif what == "old writers" and view.writers is not None:
        view.writers = msgspec.structs.replace(view.writers, read_at=MONOTONIC - 400)
    elif what == "some writers" and view.writers is not None:
        view.writers = msgspec.structs.replace(view.writers, unreadable=("State: [",))
    elif what == "csv":
        return HEALTHY.but(csv_more={"Volume1": {"backup": None}}).facts()
    return facts


@pytest.mark.parametrize(
    "what", ["jobs", "vms", "node", "csvs", "preflight", "writers", "old writers", "some writers", "csv"]
)
def test_what_is_unread_is_unknown_and_forbids(what: str) -> None:
    found = backup_state(unread(what), "HV01")
    assert (found.answer, found.forbids) == (Answer.UNKNOWN, True)
    assert found.evidence


def test_the_quiet_time_counts_from_the_last_sign_that_was_seen() -> None:
    signs = BackupSigns()
    running = HEALTHY.vm("SQL07", jobs=(job("SQL07", JobType.Backup, 40),)).state()
    idle = HEALTHY.state()
    signs.observe(running, MONOTONIC)
    signs.observe(idle, MONOTONIC + 60)
    link = builders.live(monotonic=MONOTONIC + 660)
    idle.nodes["HV01"].link = idle.nodes["HV02"].link = link
    assert signs.quiet(idle, "HV01", MONOTONIC + 660) == timedelta(seconds=660)
    assert signs.quiet(idle, "HV03", MONOTONIC) == timedelta(0)


def test_events_that_were_read_back_speak_for_the_time_before_and_against_it() -> None:
    signs = BackupSigns()
    state = HEALTHY.state()
    signs.observe(state, MONOTONIC)
    assert signs.quiet(state, "HV01", MONOTONIC) == timedelta(0)
    state.add_events("HV01", builders.page([]))
    assert signs.quiet(state, "HV01", MONOTONIC) == QUIET
    state.add_events("HV01", builders.page([builders.backup_failed("SQL07", NOW - timedelta(minutes=4), 2)]))
    assert signs.quiet(state, "HV01", MONOTONIC) == timedelta(minutes=4)
    # A log that was cleared or wrapped speaks for its own time only.
    other = HEALTHY.state()
    signs.observe(other, MONOTONIC)
    other.add_events("HV02", builders.page([], wrapped=True, oldest_time=NOW - timedelta(minutes=7)))
    assert signs.quiet(other, "HV02", MONOTONIC) == timedelta(minutes=7)


def test_what_was_said_of_a_backup_is_not_said_of_the_next_one() -> None:
    said = Leftover(node="HV01", by="oncall", time=NOW - timedelta(hours=1))
    state = HEALTHY.state()
    state.add_events("HV01", builders.page([builders.backup_failed("SQL07", NOW - timedelta(hours=2), 2)]))
    state.add_events("HV02", builders.page([builders.backup_failed("APP01", NOW - timedelta(minutes=20), 2)]))
    assert still_said(state, said)
    state.add_events("HV01", builders.page([builders.backup_failed("SQL07", NOW - timedelta(minutes=20), 3)]))
    assert not still_said(state, said)
    running = HEALTHY.vm("SQL07", jobs=(job("SQL07", JobType.Backup, 40),)).state()
    assert BackupSigns().observe(running, MONOTONIC) == ["HV01"]
    assert BackupSigns().observe(HEALTHY.state(), MONOTONIC) == []


def test_a_writer_that_was_just_read_in_a_snapshot_is_a_sign_and_an_old_read_is_none() -> None:
    signs = BackupSigns()
    state = HEALTHY.but(writers={HYPER_V_WRITER: (3, "No error")}).state()
    assert sorted(signs.observe(state, MONOTONIC + 30)) == ["HV01", "HV02", "HV03"]
    assert signs.observe(state, MONOTONIC + 120) == []
