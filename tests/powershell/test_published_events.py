"""Published events go through Get-HvTuiEvent on an engine and come out as what they are.

Source, id, level, time and record number are those of the record that Windows makes of the XML; the module reads the
values out of it.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

from hvtui.model.event_xml import read_event_xml
from hvtui.model.records import EventPage
from tests.powershell import worlds
from tests.powershell.engine import Runner, needs_engine
from tests.support.published import DATA, EVENTS, event_xml

pytestmark = needs_engine
_SPACE = "{http://schemas.microsoft.com/win/2004/08/events/event}"


def record(xml: str) -> tuple[str, dict[str, Any]]:
    """The channel, and the record that Get-WinEvent makes of an event: what the XML's System says, in .NET's types."""
    root = ElementTree.fromstring(xml)

    def system(name: str) -> ElementTree.Element:
        found = root.find(f"{_SPACE}System/{_SPACE}{name}")
        assert found is not None
        return found

    time = system("TimeCreated").attrib["SystemTime"].removesuffix("Z")
    channel = system("Channel").text
    assert channel is not None
    return channel, {
        "RecordId": int(system("EventRecordID").text or ""),
        "Id": int(system("EventID").text or ""),
        "Level": int(system("Level").text or ""),
        # .NET's times have seven digits of a second.
        "TimeCreated": worlds.at(f"{time[:27]}Z"),
        "ProviderName": system("Provider").attrib["Name"],
        "Message": "as Windows words it",
        "Xml": xml,
    }


def test_every_published_event_is_held_to_something() -> None:
    assert {path.stem for path in (DATA / "events").glob("*.xml")} == set(EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_the_module_reads_what_was_published(runner: Runner, name: str) -> None:
    xml = event_xml(name)
    channel, made = record(xml)
    step = {"commands": {channel: [made]}}
    answer = runner.run("Get-HvTuiEvent", {"steps": [step]}, Channel=channel, AfterRecord=1)
    page = msgspec.json.decode(answer[0], type=EventPage, strict=True)
    assert page.errors == []
    assert page.events == [msgspec.structs.replace(EVENTS[name], text="as Windows words it")]
    (pasted,) = read_event_xml(xml).events
    assert (pasted.data, pasted.codes, pasted.vm) == (EVENTS[name].data, EVENTS[name].codes, EVENTS[name].vm)
