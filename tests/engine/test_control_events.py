"""Get-WinEvent over the control channel: logs, filters that are really evaluated, Windows' XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import timedelta
from typing import Any

import pytest

from hvtui.lab.pwsh.commands.event_xml import event_xml
from hvtui.lab.pwsh.commands.xpath import SPACE, XPathError, parse
from hvtui.lab.world import World, events
from tests.engine.control_client import START, Session, controlled

_VALUES = "{http://www.microsoft.com/Windows/Virtualization/Events}"


async def ids(session: Session, **parameters: Any) -> list[int]:
    answer = await session.ask("Get-WinEvent", **parameters)
    if not answer["output"]:
        assert [error["id"] for error in answer["errors"]] == ["NoMatchingEventsFound"]
    return [one["RecordId"] for one in answer["output"]]


async def test_newest_first_unless_oldest_and_no_more_than_asked_for() -> None:
    async with controlled("stuck-writer", "HV03", at=1800.0) as (world, _, session):
        log = world.node("HV03").log(events.VMMS)
        numbers = [event.record for event in log.records]
        assert len(numbers) > 6
        assert await ids(session, LogName=[events.VMMS]) == numbers[::-1]
        assert await ids(session, LogName=[events.VMMS], Oldest=True) == numbers
        assert await ids(session, LogName=[events.VMMS.lower()], Oldest=True, MaxEvents=3) == numbers[:3]
        assert await ids(session, LogName=[events.VMMS], MaxEvents=2) == numbers[:-3:-1]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("*", lambda one: True),
        ("*[System[EventID=10102]]", lambda one: one.id == 10102),
        ("*[System[(EventID=10102 or EventID=14094) and Level<=4]]", lambda one: one.id in {10102, 14094}),
        ("Event[System[Level=2]]", lambda one: one.level == 2),
        ("*[System[EventID!=10102]]", lambda one: one.id != 10102),
        ("*[System/EventID=10102]", lambda one: one.id == 10102),
        ("*[System[Provider[@Name='Microsoft-Windows-Hyper-V-VMMS']]]", lambda one: True),
        ("*[System[Provider[@Name='VSS' or @Name='volsnap']]]", lambda one: False),
        ("*[System[EventRecordID > 3 and EventRecordID <= 5]]", lambda one: 3 < one.record <= 5),
        ("*[System[EventRecordID >= 4]]", lambda one: one.record >= 4),
        ("*[System[EventRecordID > 4 or EventID=14094]]", lambda one: one.record > 4 or one.id == 14094),
        ("*[System[band(Keywords,9223372036854775808)]]", lambda one: True),
        ("*[UserData/VmlEventLog/ErrorCode='0x800423f3']", lambda one: "0x800423f3" in one.codes),
        ("*[UserData[VmlEventLog[VmName='nobody']]]", lambda one: False),
        ("*[EventData[Data[@Name='x']='y']]", lambda one: False),
    ],
)
async def test_xpath_chooses_what_it_says(query: str, wanted: Any) -> None:
    async with controlled("stuck-writer", "HV03", at=1800.0) as (world, _, session):
        expected = [one.record for one in world.node("HV03").log(events.VMMS).records if wanted(one)]
        if "VmlEventLog[" in query:
            answer = await session.ask("Get-WinEvent", LogName=[events.VMMS], FilterXPath=query)
            assert answer["errors"]
            return
        assert await ids(session, LogName=[events.VMMS], FilterXPath=query, Oldest=True) == expected


async def test_time_is_told_by_the_clock_of_the_node() -> None:
    async with controlled("hostile", "HV03", at=400.0) as (world, _, session):
        node = world.node("HV03")
        now = world.time_of(node)
        log = node.log(events.VMMS)
        for hours in (0.05, 1, 24, 500):
            recent = [one.record for one in log.records if one.time >= now - timedelta(hours=hours)]
            query = f"*[System[TimeCreated[timediff(@SystemTime) <= {int(hours * 3600000)}]]]"
            assert await ids(session, LogName=[events.VMMS], FilterXPath=query, Oldest=True) == recent


@pytest.mark.parametrize(
    "query",
    ["", "System", "*[", "*[System[]]", "*[System[EventID=]]", "*[Nothing[x=1]]", "*[System[EventID=1]] x", "#"],
)
async def test_a_query_that_is_none_is_refused(query: str) -> None:
    with pytest.raises(XPathError):
        parse(query)
    async with controlled() as (_, _, session):
        answer = await session.ask("Get-WinEvent", LogName=["System"], FilterXPath=query)
        assert answer["errors"][0]["terminating"]


async def test_the_ends_of_a_shared_log_are_others_records() -> None:
    async with controlled(at=0.0) as (world, _, session):
        node = world.node("HV01")
        log = node.log(events.SYSTEM)
        (oldest,) = (await session.ask("Get-WinEvent", LogName=["System"], MaxEvents=1, Oldest=True))["output"]
        (newest,) = (await session.ask("Get-WinEvent", LogName=["System"], MaxEvents=1))["output"]
        assert (oldest["RecordId"], newest["RecordId"]) == (log.first, log.newest)
        assert await ids(session, LogName=["System"], FilterXPath=f"*[System[EventRecordID > {log.newest}]]") == []


async def test_hashtables_and_xml_choose_too() -> None:
    async with controlled("stuck-writer", "HV03", at=1800.0) as (world, _, session):
        log = world.node("HV03").log(events.VMMS)
        failed = [one.record for one in log.records if one.id == 10102]
        table: dict[str, Any] = {"$type": "System.Collections.Hashtable", "LogName": events.VMMS, "Id": [10102]}
        assert await ids(session, FilterHashtable=[table], Oldest=True) == failed
        later = {**table, "StartTime": {"$date": log.records[-1].time.isoformat()}}
        recent = [one.record for one in log.records if one.id == 10102 and one.time >= log.records[-1].time]
        assert await ids(session, FilterHashtable=[later], Oldest=True) == recent
        # UserData is not seen by a hashtable.
        assert await ids(session, FilterHashtable=[{**table, "ErrorCode": "0x800423f3"}]) == []
        text = (
            f"<QueryList><Query Id='0' Path='{events.VMMS}'><Select>*[System[EventRecordID &gt; 2]]</Select>"
            "<Suppress>*[System[EventID!=10102]]</Suppress></Query></QueryList>"
        )
        assert await ids(session, FilterXml=text, Oldest=True) == [number for number in failed if number > 2]
        for wrong in ({**table, "Keywords": 1}, {"Id": 1}):
            answer = await session.ask("Get-WinEvent", FilterHashtable=[wrong])
            assert "not supported by this lab" in answer["errors"][0]["message"]


async def test_a_log_that_is_not_there_or_not_permitted() -> None:
    async with controlled() as (world, _, session):
        missing = await session.ask("Get-WinEvent", LogName=["Nothing"])
        assert missing["errors"][0]["id"] == "NoMatchingLogsFound"
        (log,) = (await session.ask("Get-WinEvent", ListLog=["*VMMS-Admin"]))["output"]
        assert (log["LogName"], log["IsEnabled"]) == (events.VMMS, True)
        assert (await session.ask("Get-WinEvent", ListLog=["x"]))["errors"][0]["id"] == "NoMatchingLogsFound"
        world.node("HV01").faults.rights.add("events")
        denied = await session.ask("Get-WinEvent", LogName=[events.VMMS])
        assert denied["errors"][0]["exception"] == "System.UnauthorizedAccessException"
        listed = await session.ask("Get-WinEvent", ListLog=[events.VMMS])
        assert listed["errors"][0]["id"] == "LogInfoUnavailable"
        assert listed["errors"][0]["inner"]["exception"] == "System.UnauthorizedAccessException"


@pytest.mark.parametrize("scenario", ["stuck-writer", "access-denied", "backup-window", "drift"])
def test_the_xml_of_every_event_holds_its_values(scenario: str) -> None:
    world = World.load(scenario, start=START, at=1800.0)
    count = 0
    for node in world.nodes.values():
        for channel, log in node.logs.items():
            for event in log.records:
                count += 1
                root = ET.fromstring(event_xml(event, channel, node.name))
                system = root.find(f"{SPACE}System")
                assert system is not None
                assert system.findtext(f"{SPACE}EventID") == str(event.id)
                assert system.findtext(f"{SPACE}EventRecordID") == str(event.record)
                assert system.findtext(f"{SPACE}Channel") == channel
                assert _values(root) == event.data
    assert count > 20


def _values(root: ET.Element) -> dict[str, str]:
    data = root.find(f"{SPACE}EventData")
    if data is not None:
        found = {one.get("Name") or str(at): one.text or "" for at, one in enumerate(data, 1)}
        last = data[-1] if len(data) else None
        if last is not None and last.tag == f"{SPACE}Binary":
            # Of the errors of VSS it is text, as digits.
            found["Binary"] = bytes.fromhex(found.pop(str(len(data)))).decode()
        return found
    user = root.find(f"{SPACE}UserData/{_VALUES}VmlEventLog")
    return {} if user is None else {one.tag.removeprefix(_VALUES): one.text or "" for one in user}


def test_control_characters_are_references() -> None:
    world = World.load("hostile", start=START, at=0.0)
    vm = next(vm for vm in world.vms.values() if "\x1b" in vm.name)
    text = event_xml(events.emit(world, vm.node, events.VMMS, 10102, vm=vm, code="0x800423f3"), events.VMMS, "HV01")
    assert "&#x1B;" in text
    assert "\x1b" not in text
