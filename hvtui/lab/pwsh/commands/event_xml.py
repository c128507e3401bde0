"""An event of the world as Windows' XML: what ToXml() of a record gives (windows.md §5.1)."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from hvtui.lab.world.events import LogEvent

_SPACE: Final = "http://schemas.microsoft.com/win/2004/08/events/event"
_VIRTUALIZATION: Final = "http://www.microsoft.com/Windows/Virtualization/Events"
_GUIDS: Final = {
    "Microsoft-Windows-Hyper-V-VMMS": "{6066f867-7ca1-4418-85fd-36e3f9c0600c}",
    "Microsoft-Windows-FailoverClustering": "{baf908ea-3421-4ca9-9b84-6689b8c6f85f}",
}
CLASSIC: Final = frozenset({"HvTui", "VSS", "volsnap", "Volsnap", "Service Control Manager"})
"""Sources without a manifest: unnamed values, keywords 0x80000000000000."""
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def event_xml(event: LogEvent, channel: str, computer: str) -> str:
    """The XML of one record."""
    guid = _GUIDS.get(event.provider)
    source = f" Guid='{guid}'" if guid else ""
    classic = event.provider in CLASSIC
    keywords = "0x80000000000000" if classic else "0x8000000000000000"
    time = event.time.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    system = (
        f"<System><Provider Name={quoteattr(event.provider)}{source}/>"
        f"<EventID{' Qualifiers=' + repr('0') if classic else ''}>{event.id}</EventID><Version>0</Version>"
        f"<Level>{event.level}</Level><Task>0</Task><Opcode>0</Opcode><Keywords>{keywords}</Keywords>"
        f"<TimeCreated SystemTime='{time}0Z'/><EventRecordID>{event.record}</EventRecordID><Correlation/>"
        f"<Execution ProcessID='4321' ThreadID='1234'/><Channel>{escape(channel)}</Channel>"
        f"<Computer>{escape(computer)}</Computer><Security UserID='S-1-5-18'/></System>"
    )
    return f"<Event xmlns='{_SPACE}'>{system}{_data(event)}</Event>"


def _data(event: LogEvent) -> str:
    """Hyper-V keeps its values in UserData/VmlEventLog, classic sources write unnamed ones, all others named ones."""
    if event.provider.startswith("Microsoft-Windows-Hyper-V"):
        if not event.data:
            return ""
        inside = "".join(f"<{name}>{_text(value)}</{name}>" for name, value in event.data.items())
        return f"<UserData><VmlEventLog xmlns='{_VIRTUALIZATION}'>{inside}</VmlEventLog></UserData>"
    if event.provider in CLASSIC or all(name.isdigit() for name in event.data):
        inside = "".join(_classic(name, value) for name, value in event.data.items())
        return f"<EventData>{inside}</EventData>"
    inside = "".join(f"<Data Name={quoteattr(name)}>{_text(value)}</Data>" for name, value in event.data.items())
    return f"<EventData>{inside}</EventData>"


def _classic(name: str, value: str) -> str:
    """An unnamed value; binary data, which is text in the errors of VSS, comes as digits."""
    if name == "Binary":
        return f"<Binary>{value.encode('ascii').hex().upper()}</Binary>"
    return f"<Data>{_text(value)}</Data>"


def _text(value: str) -> str:
    """Text between tags; control characters, a carriage return too, are written as references."""
    safe = _CONTROL.sub(lambda match: f"&#x{ord(match[0]):X};", escape(value))
    return safe.replace("\r", "&#xD;")
