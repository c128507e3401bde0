"""The tally of isolated VMs: what counts as a failure or a success, and whose fault it can be said to be."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from hvtui.model.records import Event
from hvtui.operations.backup_tally import CHANNEL, BackupTally, tally
from tests.support.builders import NOW, backup_failed, guid, page
from tests.support.small_clusters import Small, VmSpec

SINCE = NOW - timedelta(hours=2)
LATER = NOW - timedelta(hours=1)
EARLIER = NOW - timedelta(days=1)
TOGETHER = Small(vms=tuple(VmSpec(name, "HV03") for name in ("SQL07", "APP01", "WEB01")))


def counted(events: dict[str, list[Event]], backups: dict[str, datetime | None], **more: Any) -> BackupTally:
    """SQL07 and APP01 are suspects, WEB01 is the control; all on HV03."""
    small = replace(
        TOGETHER,
        vms=tuple(replace(vm, record={"last_backup": backups.get(vm.name, EARLIER)}) for vm in TOGETHER.vms),
    )
    state = more.pop("cluster", small).state()
    for node in more.pop("read", state.node_names()):
        state.add_events(node, page(events.get(node, []), **more))
    names = {guid(name): name for name in ("SQL07", "APP01", "WEB01")}
    before = dict.fromkeys(names, EARLIER)
    return tally(state, node="HV03", since=SINCE, control=guid("WEB01"), names=names, before=before)


def outcomes(told: BackupTally) -> dict[str, str]:
    return {row.name: row.outcome for row in told.vms}


FAILED = {"HV03": [backup_failed("SQL07", LATER, 5), backup_failed("SQL07", LATER + timedelta(minutes=3), 6)]}
GOOD: dict[str, datetime | None] = {"APP01": LATER, "WEB01": LATER}


def test_a_guest_fails_and_the_control_does_not() -> None:
    told = counted(FAILED, GOOD)
    assert outcomes(told) == {"SQL07": "failed", "APP01": "succeeded", "WEB01": "succeeded"}
    sql = told.vms[0]
    assert (sql.failed, sql.last_failed, sql.there) == ({10102: 2}, LATER + timedelta(minutes=3), True)
    assert told.verdict == "the control succeeded on HV03: look at SQL07"
    assert told.gap == ""


@pytest.mark.parametrize(
    ("events", "backups", "verdict"),
    [
        ({"HV03": [backup_failed("WEB01", LATER, 5)]}, GOOD, "look at the node, not at the guests"),
        (FAILED, {"APP01": LATER}, "the control has had no backup on HV03 yet: nothing can be said"),
        ({}, {"WEB01": LATER}, "no failure on HV03 yet; still without a backup: 2"),
        (
            {},
            {"WEB01": LATER, "APP01": LATER, "SQL07": LATER},
            "all succeeded on HV03: look at the node they came from",
        ),
    ],
)
def test_what_can_be_said(events: dict[str, list[Event]], backups: dict[str, datetime | None], verdict: str) -> None:
    assert counted(events, backups).verdict.endswith(verdict)


def test_what_happened_before_or_elsewhere_does_not_count() -> None:
    events = {
        "HV03": [backup_failed("SQL07", SINCE - timedelta(minutes=1), 4)],
        "HV01": [backup_failed("APP01", LATER, 9)],
    }
    # The same backup as when they were gathered is no success, be its time after that by another clock.
    told = counted(events, {"WEB01": EARLIER})
    assert set(outcomes(told).values()) == {"none yet"}


def test_both_are_told_where_both_happened() -> None:
    assert outcomes(counted(FAILED, {"SQL07": NOW}))["SQL07"] == "both"


def test_what_was_not_read_is_neither_success_nor_none() -> None:
    told = counted({}, {"SQL07": None})
    assert outcomes(told)["SQL07"] == "unread"
    assert told.vms[0].unread
    gone = counted({}, GOOD, cluster=TOGETHER.but(vms=TOGETHER.vms[1:]))
    assert (outcomes(gone)["SQL07"], gone.vms[0].there) == ("unread", None)


def test_a_log_that_does_not_reach_back_is_said() -> None:
    assert "was not read yet" in counted({}, GOOD, read=()).gap
    wrapped = counted({}, GOOD, wrapped=True, oldest_time=LATER)
    assert "does not reach back" in wrapped.gap
    assert counted({}, GOOD, wrapped=True, oldest_time=EARLIER).gap == ""
    state = TOGETHER.state()
    state.add_events("HV03", page([]))
    state.events.set_error("HV03", CHANNEL, "denied")
    names = {guid("WEB01"): "WEB01"}
    told = tally(state, node="HV03", since=SINCE, control=guid("WEB01"), names=names, before={})
    assert told.gap == "the log of HV03 could not be read: denied"
