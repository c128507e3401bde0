"""EventLog and what events mean: each once, newest first, named by what they are about, in any language."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hvtui.model.events import EventLog, describe, is_noise, severity_of, subject_of, writer_of
from hvtui.model.records import Event
from hvtui.model.rows import vm_row
from hvtui.model.severity import Severity
from tests.support.builders import (
    CLUSTER_PROVIDER,
    NOW,
    VMMS_ADMIN,
    backup_failed,
    event,
    guid,
    page,
    problem,
    small_state,
)

MINUTE = timedelta(minutes=1)


def vss(id: int, **more: Any) -> Event:
    return event(id, channel="Application", provider="VSS", **more)


def cluster(id: int, **more: Any) -> Event:
    return event(id, channel="System", provider=CLUSTER_PROVIDER, **more)


CONTEXT = (
    "\r\n\r\nOperation:\r\n   Gathering Writer Data\r\n\r\nContext:\r\n   Writer Class Id: {%s}\r\n"
    "   Writer Name: %s\r\n   Writer Instance ID: {11111111-2222-3333-4444-555555555555}"
)
SYSTEM = "e8132975-6f93-4464-a53e-1050253ae220"


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["HV01", "HV02"]), st.integers(1, 30), st.integers(0, 5)),
        max_size=40,
    ),
    st.data(),
)
def test_events_are_held_once_and_newest_first_however_they_arrive(
    told: list[tuple[str, int, int]], data: st.DataObject
) -> None:
    log = EventLog()
    all_events: dict[tuple[str, int], Event] = {}
    for node, record, minutes in told:
        item = all_events.setdefault((node, record), event(10102, NOW + record * MINUTE, record))
        pages = [page([item], newest_record=max(record, minutes))]
        for piece in pages * data.draw(st.integers(1, 2)):
            log.add(node, piece)
    recent = log.recent()
    assert len(recent) == len(all_events) == len(log)
    times = [item.event.time for item in recent]
    assert times == sorted(times, reverse=True)
    assert {(item.node, item.event.record) for item in recent} == set(all_events)
    assert len({item.key for item in recent}) == len(recent)


def test_positions_grow_per_node_and_channel_and_a_page_twice_is_no_news() -> None:
    log = EventLog()
    first = page([event(1, NOW, 7), event(1, NOW, 9)])
    assert log.add("HV01", first)
    assert not log.add("HV01", first)
    assert (log.position("hv01", VMMS_ADMIN), log.position("HV02", VMMS_ADMIN)) == (9, 0)
    assert not log.add("HV01", page([], newest_record=12))
    assert log.position("HV01", VMMS_ADMIN) == 12
    assert not log.add("HV01", page([], newest_record=400, more=True))
    assert log.position("HV01", VMMS_ADMIN) == 12


def test_a_cleared_log_is_read_from_its_new_beginning() -> None:
    log = EventLog()
    log.add("HV01", page([event(10102, NOW, 500)]))
    assert log.add("HV01", page([event(10102, NOW + MINUTE, 1)], newest_record=1))
    assert log.position("HV01", VMMS_ADMIN) == 1
    assert len(log) == 2
    assert log.coverage("HV01", VMMS_ADMIN)[1] is True


def test_coverage_says_how_far_back_and_what_was_lost() -> None:
    log = EventLog()
    assert log.coverage("HV01", VMMS_ADMIN) == (None, None)
    log.add("HV01", page([], wrapped=False))
    assert log.coverage("HV01", VMMS_ADMIN) == (NOW - timedelta(days=30), False)
    log.add("HV01", page([], wrapped=True, oldest_time=NOW))
    log.add("HV01", page([], wrapped=None, oldest_time=None))
    assert log.coverage("HV01", VMMS_ADMIN) == (NOW, True)


def test_an_error_of_a_channel_stays_until_it_is_read() -> None:
    events = EventLog()
    assert events.set_error("HV01", VMMS_ADMIN, "no answer")
    assert not events.set_error("HV01", VMMS_ADMIN, "no answer")
    assert events.error("hv01", VMMS_ADMIN) == "no answer"
    denied = page([], errors=[problem("events")])
    assert events.add("HV01", denied)
    assert events.errors() == [("HV01", VMMS_ADMIN, problem("events"))]
    assert events.add("HV01", page([]))
    assert (events.error("HV01", VMMS_ADMIN), events.errors()) == ("", [])


def test_the_log_is_bounded_and_a_chatty_channel_does_not_push_others_out() -> None:
    log = EventLog(limit=300, channel_limit=100)
    log.add("HV02", page([event(5142, NOW - timedelta(hours=20), 1)]))
    for start in range(0, 1000, 50):
        log.add("HV01", page([event(1, NOW + n * MINUTE, n) for n in range(start, start + 50)]))
        assert len(log) <= 101
    recent = log.recent()
    assert recent[-1].node == "HV02"
    assert recent[0].event.record == 999
    assert [item.event.record for item in log.of([5142])] == [1]
    assert sum(len(channel.seen) for channel in log._channels.values()) <= 300
    assert log.position("HV01", VMMS_ADMIN) == 999


def test_the_oldest_go_when_all_channels_together_are_too_many() -> None:
    log = EventLog(limit=50, channel_limit=40)
    for n in range(100):
        log.add(f"HV{n % 10}", page([event(1, NOW + n * MINUTE, n + 1)]))
    assert len(log) <= 50
    assert log.recent()[0].event.record == 100
    assert min(item.event.record for item in log.recent()) > 50


def test_10102_names_its_vm_and_8194_its_writer() -> None:
    item = backup_failed("SQL07", NOW, 1)
    assert describe(item).startswith(f"backup of SQL07 ({guid('SQL07')[:8]}) failed")
    data = {"1": "0x80070005, Access is denied.\r\n", "2": CONTEXT % (SYSTEM, "System Writer")}
    denied = vss(8194, data=data, codes=["0x80070005"])
    assert describe(denied) == "VSS: access denied at the writer callback of System Writer (0x80070005)"
    assert writer_of(denied) == (SYSTEM, "System Writer")


@pytest.mark.parametrize(
    ("data", "text", "expected"),
    [
        ({"2": CONTEXT % (SYSTEM.upper(), "Système")}, "", (SYSTEM, "System Writer")),
        ({}, CONTEXT % (SYSTEM, "System Writer"), (SYSTEM, "System Writer")),
        (
            {"1": CONTEXT % ("0f0e0d0c-1111-2222-3333-444455556666", "Contoso Writer")},
            "",
            ("0f0e0d0c-1111-2222-3333-444455556666", "Contoso Writer"),
        ),
        ({"1": "no braces", "2": "{not a guid}"}, "", ("", "")),
        ({}, "", ("", "")),
    ],
)
def test_the_writer_is_found_by_order_not_by_words(data: dict[str, str], text: str, expected: tuple[str, str]) -> None:
    assert writer_of(vss(8194, data=data, text=text)) == expected


def test_a_writer_that_is_not_named_is_still_called_a_writer() -> None:
    assert "a writer" in describe(vss(8194))


@pytest.mark.parametrize(
    ("item", "noise", "severity"),
    [
        (event(513, channel="Application", provider="Microsoft-Windows-CAPI2"), True, Severity.INFO),
        (cluster(5120, codes=["0xc0130021"], level=3), True, Severity.INFO),
        (cluster(5120, codes=["0xc00000b5"], level=3), False, Severity.WARN),
        # As Windows writes it: the status has no `0x` there, so it is no code.
        (cluster(5120, data={"Reason": "STATUS_CLUSTER_CSV_NO_SNAPSHOTS(c0130021)"}, level=3), True, Severity.INFO),
        (cluster(5120, data={"Reason": "STATUS_IO_TIMEOUT(c00000b5)"}, level=3), False, Severity.WARN),
        (cluster(5121, level=4), False, Severity.WARN),
        (cluster(5142), False, Severity.BAD),
        (vss(12289, codes=["0x80042409"]), True, Severity.INFO),
        (vss(12289), False, Severity.WARN),
        (event(10102), False, Severity.BAD),
        (event(19070, level=4), False, Severity.INFO),
        (event(99_999, level=2), False, Severity.BAD),
        (event(99_999, level=3), False, Severity.WARN),
        (event(99_999, level=4), False, Severity.INFO),
        (event(99_999, level=0), False, Severity.INFO),
        # The same id of another source is another event.
        (event(10102, channel="Application", provider="SomethingElse", level=4), False, Severity.INFO),
    ],
)
def test_severity_and_noise(item: Event, noise: bool, severity: Severity) -> None:
    assert (is_noise(item), severity_of(item)) == (noise, severity)


@pytest.mark.parametrize(
    ("item", "subject"),
    [
        (cluster(1135, data={"NodeName": "HV03"}), "HV03"),
        (cluster(5142, data={"VolumeName": "Volume10", "ResourceName": "Cluster Disk 3"}), "Volume10"),
        (cluster(1205, data={"ResourceGroup": "SQL07 role"}), "SQL07 role"),
        (event(18012, vm_name="SQL07", vm=guid("SQL07")), f"SQL07 ({guid('SQL07')[:8]})"),
        (event(18012, data={"VmName": "SQL07"}), "SQL07"),
        (event(18012, vm=guid("SQL07")), guid("SQL07")),
        (event(99_999, vm_name="SQL07"), "SQL07"),
        (cluster(1135), ""),
    ],
)
def test_what_an_event_is_about(item: Event, subject: str) -> None:
    assert subject_of(item) == subject


def test_an_unknown_event_is_told_in_its_own_first_line() -> None:
    assert describe(event(99_999, text="\r\n  Etwas geschah.\r\nMehr.")) == "Etwas geschah."
    assert describe(event(99_999)) == "Microsoft-Windows-Hyper-V-VMMS 99999"


@settings(deadline=None)
@given(
    st.builds(
        Event,
        channel=st.just(VMMS_ADMIN),
        record=st.integers(0, 2**63),
        id=st.sampled_from([10102, 8194, 5120, 1135, 1, 12289]) | st.integers(0, 70_000),
        level=st.integers(-1, 9),
        time=st.just(NOW),
        provider=st.sampled_from(["VSS", CLUSTER_PROVIDER, "Microsoft-Windows-Hyper-V-VMMS", "volsnap"]) | st.text(),
        vm=st.none() | st.text(),
        vm_name=st.none() | st.text(),
        codes=st.lists(st.text(max_size=12), max_size=3),
        data=st.dictionaries(st.sampled_from(["NodeName", "VmName", "1"]) | st.text(), st.text(), max_size=4),
        text=st.text() | st.just(CONTEXT % (SYSTEM, "{subject}")),
    )
)
def test_no_event_breaks_the_words_for_it(item: Event) -> None:
    assert describe(item)
    assert isinstance(severity_of(item), Severity)
    subject_of(item)


def test_a_name_with_braces_is_no_template() -> None:
    assert "{subject} {0}" in describe(event(10102, vm_name="{subject} {0}"))


def test_a_vm_whose_backup_failed_is_marked_until_one_succeeds() -> None:
    state = small_state()
    key = guid("SQL07")
    assert vm_row(state, key).severity is Severity.OK
    failed = backup_failed("SQL07", NOW - MINUTE, 1)
    change = state.add_events("HV01", page([failed]))
    assert (change.events, change.vms) == (True, {key})
    row = vm_row(state, key)
    assert (row.severity, row.reasons) == (Severity.WARN, ("backup failed (event 10102)",))
    old = backup_failed("APP01", NOW - timedelta(days=2), 2)
    state.add_events("HV01", page([old]))
    assert vm_row(state, guid("APP01")).severity is Severity.INFO
