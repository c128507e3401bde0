"""Events as Windows' XML, as a person pastes them: Event Viewer's details, wevtutil, ToXml() of Get-WinEvent.

Reads what the module's Get-HvTuiEvent reads of the same XML, so that a pasted event means what a fetched one means.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final
from xml.etree import ElementTree

import msgspec

from hvtui.model.records import Event
from hvtui.model.writer_text import LIMIT, decode

EVENT_LIMIT: Final = 1_000
_VALUES: Final = 64
_VALUE_LENGTH: Final = 2_000
_TEXT_LENGTH: Final = 4_000
_CODES: Final = 16
_SHOWN: Final = 120

_START: Final = re.compile(r"<Event[\s>]")
_END: Final = "</Event>"
_DEFINITIONS: Final = re.compile(r"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_FOLDING: Final = re.compile(r"^[ \t]*[-+][ \t]*(?=<)", re.MULTILINE)
"""The signs for folding that Event Viewer's and browsers' trees put before an element."""
_GUID: Final = re.compile(r"\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?\Z", re.IGNORECASE)
_HEX: Final = re.compile(r"0x([0-9a-fA-F]{8})(?![0-9a-fA-F])")
_MESSAGE: Final = re.compile(r"%%([0-9]{1,10})")
_VSS_BINARY: Final = re.compile(r"2D20436F64653A20(?:[0-9A-F]{2})*\Z", re.IGNORECASE)
_NUMBER: Final = re.compile(r"-?[0-9]{1,10}\Z")


class EventReport(msgspec.Struct, frozen=True, kw_only=True):
    """The events of a text, in its order; `unreadable` tells of what looked like one and could not be read."""

    events: tuple[Event, ...] = ()
    unreadable: tuple[str, ...] = ()


def holds_events(text: str) -> bool:
    """Whether a text has an element that opens an event."""
    return _START.search(text) is not None


def read_event_xml(text: str | bytes) -> EventReport:
    """Every event in a text, whatever stands around it; never raises."""
    text = (decode(text) if isinstance(text, bytes) else text)[:LIMIT]
    events: list[Event] = []
    unreadable: list[str] = []
    for piece in _pieces(text):
        if len(events) + len(unreadable) == EVENT_LIMIT:
            unreadable.append(f"… more than {EVENT_LIMIT:,} events; the rest was not read")
            break
        found = _event(piece)
        if found is None:
            unreadable.append(" ".join(piece[: _SHOWN * 4].split())[:_SHOWN])
        else:
            events.append(found)
    return EventReport(events=tuple(events), unreadable=tuple(unreadable))


def _pieces(text: str) -> Iterator[str]:
    """From one opening tag to its end; what has no end is the last piece."""
    at = 0
    while (start := _START.search(text, at)) is not None:
        end = text.find(_END, start.end())
        at = len(text) if end < 0 else end + len(_END)
        yield text[start.start() : at]


def _event(text: str) -> Event | None:
    if _DEFINITIONS.search(text):
        # No event defines entities; one that does could grow without bounds.
        return None
    try:
        root = ElementTree.fromstring(_FOLDING.sub("", text))  # noqa: S314 - definitions are refused above
        system = _child(root, "System")
        values = _values(root)
        return Event(
            channel=_text(_child(system, "Channel")),
            record=int(_text(_child(system, "EventRecordID")) or 0),
            id=int(_text(_child(system, "EventID"))),
            level=int(_text(_child(system, "Level")) or 0),
            time=_time(_child(system, "TimeCreated")),
            provider=_provider(_child(system, "Provider")),
            vm=_guid(values.get("VmId", "")),
            vm_name=values.get("VmName"),
            codes=list(_codes(values)),
            data=values,
            text=_text(_child(_child(root, "RenderingInfo"), "Message"))[:_TEXT_LENGTH],
        )
    except (ElementTree.ParseError, ValueError, OverflowError, RecursionError):
        return None


def _values(root: ElementTree.Element) -> dict[str, str]:
    """Values by name, unnamed ones by position: of EventData, and of the one element in UserData."""
    values: dict[str, str] = {}
    for part in root:
        data = _local(part) == "EventData"
        if data:
            elements = list(part)
        elif _local(part) == "UserData" and len(part):
            elements = list(part[0])
        else:
            continue
        number = 0
        for element in elements:
            name = _local(element)
            if len(values) >= _VALUES:
                continue
            if name == "Binary":
                values |= _written(_inner(element))
                continue
            number += 1
            if data:
                name = element.get("Name") or str(number)
            values[name] = _inner(element)[:_VALUE_LENGTH]
    return values


def _written(digits: str) -> dict[str, str]:
    """The text in the binary data of an error of VSS: its process, and the account and SID that runs as.

    It begins with `- Code: ` in every language; an account whose name is not ASCII ends it early.
    """
    if not _VSS_BINARY.match(digits):
        return {}
    plain = itertools.takewhile(lambda code: 0x20 <= code <= 0x7E, bytes.fromhex(digits[: 2 * _VALUE_LENGTH]))
    return {"Binary": bytes(plain).decode("ascii").rstrip()}


def _codes(values: dict[str, str]) -> dict[str, None]:
    """Error codes as `0x` and eight digits, each once, in the order of the values."""
    codes: dict[str, None] = {}
    for name, value in values.items():
        found = [int(match[1], 16) for match in _HEX.finditer(value)]
        numbers = [int(match[1]) for match in _MESSAGE.finditer(value)]
        if name.lower().endswith("errorcode") and _NUMBER.match(value):
            number = int(value)
            numbers.append(number + 2**32 if number < 0 else number)
        found += [number for number in numbers if 0 < number < 2**32]
        codes.update((f"0x{number:08x}", None) for number in found)
    return dict.fromkeys(list(codes)[:_CODES])


def _child(element: ElementTree.Element | None, name: str) -> ElementTree.Element | None:
    if element is None:
        return None
    return next((child for child in element if _local(child) == name), None)


def _local(element: ElementTree.Element) -> str:
    """The element's name without its namespace."""
    tag: object = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def _inner(element: ElementTree.Element) -> str:
    """All text inside; white space between elements is none."""
    return "".join(text for text in element.itertext() if text.strip())


def _text(element: ElementTree.Element | None) -> str:
    return "" if element is None else _inner(element).strip()


def _provider(element: ElementTree.Element | None) -> str:
    name = "" if element is None else element.get("Name", "")
    if not name:
        raise ValueError("an event without a provider")
    return name


def _time(element: ElementTree.Element | None) -> datetime:
    """SystemTime, which is UTC also where no zone is written."""
    time = datetime.fromisoformat("" if element is None else element.get("SystemTime", ""))
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _guid(value: str) -> str | None:
    match = _GUID.match(value.strip())
    return match[1].lower() if match else None
