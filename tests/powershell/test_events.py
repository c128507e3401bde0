"""Get-HvTuiEvent: by position, bounded, honest about what is gone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from hvtui.model.records import EventPage
from tests.powershell import worlds
from tests.powershell.engine import Runner, needs_engine
from tests.powershell.worlds import SQL

pytestmark = needs_engine

VMMS = "Microsoft-Windows-Hyper-V-VMMS-Admin"
NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"


def event(record: int, **changes: Any) -> dict[str, Any]:
    """An event as Get-WinEvent gives it, a minute apart from the next, the newest at record 100."""
    return {
        "RecordId": record,
        "Id": 10102,
        "Level": 2,
        "TimeCreated": worlds.at(
            f"2026-02-28T{(1439 - (100 - record)) // 60:02d}:{(1439 - (100 - record)) % 60:02d}:00Z"
        ),
        "ProviderName": "Microsoft-Windows-Hyper-V-VMMS",
        "Message": f"event {record}",
        "Xml": f"<Event xmlns='{NAMESPACE}'><System/></Event>",
        **changes,
    }


def page(runner: Runner, events: list[dict[str, Any]], channel: str = VMMS, **parameters: Any) -> EventPage:
    step = {"commands": {channel: events}}
    answer = runner.run("Get-HvTuiEvent", {"steps": [step]}, Channel=channel, **parameters)
    return msgspec.json.decode(answer[0], type=EventPage, strict=True)


def records(got: EventPage) -> list[int]:
    return [e.record for e in got.events or []]


def test_pages_follow_each_other_without_gap(runner: Runner) -> None:
    log = [event(n) for n in range(1, 101)]
    first = page(runner, log, MaxEvents=40)
    assert (records(first), first.more) == (list(range(1, 41)), True)
    second = page(runner, log, AfterRecord=40, MaxEvents=60)
    assert (records(second), second.more) == (list(range(41, 101)), False)
    assert (second.oldest_record, second.newest_record, second.wrapped) == (1, 100, False)
    assert second.oldest_time == datetime(2026, 2, 28, 22, 20, tzinfo=UTC)
    none = page(runner, log, AfterRecord=100)
    assert (none.events, none.more, none.wrapped, none.errors) == ([], False, False, [])


def test_by_time_goes_back_so_many_hours_of_the_node(runner: Runner) -> None:
    log = [event(n) for n in range(1, 101)]
    assert records(page(runner, log, Hours=1)) == list(range(41, 101))


def test_a_log_that_dropped_records_says_so(runner: Runner) -> None:
    log = [event(n) for n in range(50, 101)]
    assert page(runner, log).wrapped is True
    lost = page(runner, log, AfterRecord=30)
    assert (lost.wrapped, lost.oldest_record, records(lost)[0]) == (True, 50, 50)
    assert page(runner, log, AfterRecord=49).wrapped is False


def test_a_cleared_log_is_read_from_its_start(runner: Runner) -> None:
    cleared = page(runner, [event(1), event(2)], AfterRecord=100)
    assert (cleared.wrapped, records(cleared)) == (True, [1, 2])


def test_an_empty_log(runner: Runner) -> None:
    got = page(runner, [])
    assert (got.events, got.oldest_record, got.newest_record, got.wrapped) == ([], None, None, False)
    assert got.errors == []
    assert page(runner, [], AfterRecord=5).wrapped is True


def test_a_log_that_cannot_be_read_has_no_events_not_zero(runner: Runner) -> None:
    step = {"fail": worlds.fail(VMMS, "Attempted to perform an unauthorized operation.", 0x80070005)}
    answer = runner.run("Get-HvTuiEvent", {"steps": [step]}, Channel=VMMS)
    got = msgspec.json.decode(answer[0], type=EventPage)
    assert (got.events, got.wrapped) == (None, None)
    assert [(p.part, p.kind) for p in got.errors] == [("events", "denied")]
    missing = {"fail": worlds.fail(VMMS, "no log", error_id="NoMatchingLogsFound,Microsoft.PowerShell.Commands.x")}
    answer = runner.run("Get-HvTuiEvent", {"steps": [missing]}, Channel=VMMS)
    assert msgspec.json.decode(answer[0], type=EventPage).errors[0].kind == "missing"


def test_user_data_names_vm_and_codes(runner: Runner) -> None:
    xml = (
        f"<Event xmlns='{NAMESPACE}'><System/><UserData><VmlEventLog xmlns='http://www.microsoft.com/x'>"
        f"<VmName>SQL [prod] &amp; co</VmName><VmId>{SQL.upper()}</VmId>"
        "<ErrorMessage>%%2147943568</ErrorMessage><ErrorCode>0x800423F4</ErrorCode>"
        "</VmlEventLog></UserData></Event>"
    )
    got = page(runner, [event(7, Xml=xml, Message="failed\r\nto create")])
    (one,) = got.events or []
    assert (one.channel, one.id, one.level, one.provider) == (VMMS, 10102, 2, "Microsoft-Windows-Hyper-V-VMMS")
    assert (one.vm, one.vm_name) == (SQL, "SQL [prod] & co")
    assert one.codes == ["0x80070490", "0x800423f4"]
    assert one.data["VmName"] == "SQL [prod] & co"
    assert one.text == "failed\r\nto create"
    assert one.time == datetime(2026, 2, 28, 22, 26, tzinfo=UTC)


def test_event_data_with_and_without_names(runner: Runner) -> None:
    xml = (
        f"<Event xmlns='{NAMESPACE}'><System/><EventData><Data>0x80070005, Access is denied.\r\n</Data>"
        "<Data Name='Operation'>Gathering Writer Data</Data><Data>x</Data><Binary>2D20</Binary></EventData></Event>"
    )
    got = page(runner, [event(7, Xml=xml, ProviderName="VSS", Id=8194)], channel="Application")
    (one,) = got.events or []
    assert one.codes == ["0x80070005"]
    assert {k: v.strip() for k, v in one.data.items()} == {
        "1": "0x80070005, Access is denied.",
        "Operation": "Gathering Writer Data",
        "3": "x",
    }


def test_system_and_application_only_of_their_providers(runner: Runner) -> None:
    names = ["VSS", "Microsoft-Windows-CAPI2", "MSSQL$PROD", "Microsoft-Windows-FailoverClustering", "volsnap"]
    log = [event(n, ProviderName=name) for n, name in enumerate(names, 1)]
    assert records(page(runner, log, channel="Application", AfterRecord=0)) == [1, 2]
    assert records(page(runner, log, channel="System", AfterRecord=0)) == [4, 5]


def test_broken_or_endless_events_are_still_events(runner: Runner) -> None:
    many = "".join(f"<Data Name='n{n}'>{'x' * 3000}</Data>" for n in range(100))
    log = [
        event(1, Xml="<Event><EventData><Data>&#1;</Data></Event>", Message=None, Level=None),
        event(2, Xml=f"<Event><EventData>{many}</EventData></Event>", Message="y" * 10_000),
    ]
    first, second = page(runner, log).events or []
    assert (first.data, first.text, first.level) == ({}, "", 0)
    assert len(second.data) == 64
    assert {len(value) for value in second.data.values()} == {2000}
    assert len(second.text) == 4000


def test_a_position_beyond_32_bits(runner: Runner) -> None:
    big = 2**40
    got = page(runner, [event(100, RecordId=big + 1)], AfterRecord=big)
    assert records(got) == [big + 1]
