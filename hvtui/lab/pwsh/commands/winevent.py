"""Get-WinEvent: logs by name with XPath, XML or hashtable filters, and the state of a log."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

from hvtui.lab.native.problems import Trouble, part_trouble
from hvtui.lab.pwsh.commands import errors
from hvtui.lab.pwsh.commands.answer import Answer, LabError, Refused, date
from hvtui.lab.pwsh.commands.call import CommandCall, Handler
from hvtui.lab.pwsh.commands.cluster import matches
from hvtui.lab.pwsh.commands.event_xml import event_xml
from hvtui.lab.pwsh.commands.xpath import Query, Record, XPathError, parse
from hvtui.lab.world.events import ChannelLog, LogEvent

_LEVELS: Final = {0: "Information", 1: "Critical", 2: "Error", 3: "Warning", 4: "Information", 5: "Verbose"}
_FIELDS: Final = {"id": "EventID", "level": "Level", "providername": "Provider"}


async def get_event(call: CommandCall) -> Answer:
    """Get-WinEvent in the parameter sets of log name, log list, XML and hashtable."""
    for name in ("ComputerName", "Path", "ProviderName", "ListProvider"):
        if call.get(name) is not None:
            raise Refused(errors.unsupported(f"Get-WinEvent -{name}"))
    if call.get("ListLog") is not None:
        return _logs(call)
    try:
        found = _ordered(call, list(_selected(call)))
    except (XPathError, ET.ParseError) as error:
        text = "The specified query is invalid"
        name = "System.Diagnostics.Eventing.Reader.EventLogException"
        raise Refused(LabError(text, name, 0x80073A99, id=name, terminating=True)) from error
    if not found:
        text = "No events were found that match the specified selection criteria."
        return Answer((), [LabError(text, category="ObjectNotFound", id="NoMatchingEventsFound")])
    return Answer([_record(call, one) for one in found])


def _computer(call: CommandCall) -> str:
    return f"{call.node.name}.corp.example"


def _permitted(call: CommandCall) -> None:
    if "events" in call.node.faults.rights:
        raise Refused(errors.log_denied())
    trouble = part_trouble(call.node, "events")
    if trouble is not None:
        raise Refused(errors.log_trouble(trouble))


def _log(call: CommandCall, name: str) -> tuple[str, ChannelLog]:
    for channel, log in call.node.logs.items():
        if channel.lower() == name.lower():
            return channel, log
    text = f'There is not an event log on the localhost computer that matches "{name}".'
    raise Refused(LabError(text, category="ObjectNotFound", id="NoMatchingLogsFound", target=name))


# --- which records ---


def _selected(call: CommandCall) -> Iterator[Record]:
    """The records that are asked for, oldest first within a log."""
    table, text = call.get("FilterHashtable"), call.get("FilterXml")
    if table is not None:
        for one in table if isinstance(table, list) else [table]:
            yield from _by_table(call, one)
    elif text is not None:
        yield from _by_xml(call, text)
    else:
        _permitted(call)
        query = parse(str(call.get("FilterXPath", "*")))
        for name in call.names("LogName"):
            yield from _matching(call, name, query)


def _matching(call: CommandCall, name: str, query: Query) -> Iterator[Record]:
    channel, log = _log(call, name)
    now = call.world.time_of(call.node)
    for event in _events(log, query.after):
        record = _as_record(call, event, channel, now)
        if query.test(record):
            yield record


def _as_record(call: CommandCall, event: LogEvent, channel: str, now: datetime) -> Record:
    computer = _computer(call)
    return Record(event, channel, computer, now, lambda: event_xml(event, channel, computer))


def _events(log: ChannelLog, after: int) -> Iterator[LogEvent]:
    """The records after a number. At the ends of a shared log stand others' records, which the world does not keep."""
    records = log.records
    if log.empty:
        return
    first_time = log.first_time or datetime.fromtimestamp(0, UTC)
    if log.first > after and (not records or records[0].record != log.first):
        yield _foreign(log.first, first_time)
    start = bisect_right(records, after, key=lambda event: event.record) if after else 0
    yield from islice(records, start, None)
    last = records[-1].record if records else log.first
    if log.newest > max(last, after):
        yield _foreign(log.newest, records[-1].time if records else first_time)


def _foreign(record: int, time: datetime) -> LogEvent:
    text = "The Windows Modules Installer service entered the running state."
    data = {"param1": "Windows Modules Installer", "param2": "running"}
    return LogEvent(record, 7036, 4, time, "Service Control Manager", None, None, (), data, text)


def _by_table(call: CommandCall, table: dict[str, Any]) -> Iterator[Record]:
    """A hashtable filter: LogName, ProviderName, Id, Level, StartTime, EndTime, Data, and named event data."""
    given = {key.lower(): value for key, value in table.items() if key != "$type"}
    logs = _listed(given.pop("logname", []))
    if not logs:
        raise Refused(errors.unsupported("Get-WinEvent -FilterHashtable without LogName"))
    for key in ("path", "keywords", "userid", "suppresshashfilter"):
        if key in given:
            raise Refused(errors.unsupported(f"Get-WinEvent -FilterHashtable {key}"))
    _permitted(call)
    start, end = (_moment(given.pop(key, None)) for key in ("starttime", "endtime"))
    chosen = {key: {str(one).lower() for one in _listed(given.pop(key))} for key in tuple(given) if key in _FIELDS}
    values = [str(one) for one in _listed(given.pop("data", []))]
    for name in logs:
        for record in _matching(call, str(name), parse("*")):
            event = record.event
            facts = {"id": str(event.id), "level": str(event.level), "providername": event.provider.lower()}
            if (
                (start is None or event.time >= start)
                and (end is None or event.time <= end)
                and all(facts[key] in wanted for key, wanted in chosen.items())
                and _has_data(event, values, given)
            ):
                yield record


def _has_data(event: LogEvent, values: list[str], named: dict[str, Any]) -> bool:
    """Hashtables see EventData only, not the UserData of Hyper-V (windows.md §5.1)."""
    if not values and not named:
        return True
    data = {} if event.provider.startswith("Microsoft-Windows-Hyper-V") else event.data
    lower = {key.lower(): value for key, value in data.items()}
    return all(value in data.values() for value in values) and all(
        lower.get(key) in {str(one) for one in _listed(wanted)} for key, wanted in named.items()
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    text = value.get("$date") if isinstance(value, dict) else str(value)
    moment = datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _by_xml(call: CommandCall, text: Any) -> Iterator[Record]:
    """A QueryList: Select adds records, Suppress takes them away."""
    root = ET.fromstring(str(text))  # noqa: S314 - a parameter of the lab's own session
    _permitted(call)
    for query in root.iter("Query"):
        path = query.get("Path", "")
        hidden = [
            (one.get("Path", path).lower(), parse((one.text or "*").strip()).test) for one in query.iter("Suppress")
        ]
        for select in query.iter("Select"):
            name = select.get("Path", path)
            for record in _matching(call, name, parse((select.text or "*").strip())):
                if not any(name.lower() == of and test(record) for of, test in hidden):
                    yield record


def _ordered(call: CommandCall, found: list[Record]) -> list[Record]:
    """Newest first unless -Oldest; at most -MaxEvents."""
    if len({record.channel for record in found}) > 1:
        found.sort(key=lambda record: record.event.time)
    if not call.get("Oldest"):
        found.reverse()
    most = call.get("MaxEvents")
    return found if most is None else found[: int(most)]


# --- what they look like ---


def _record(call: CommandCall, one: Record) -> dict[str, Any]:
    event = one.event
    return {
        "$type": "System.Diagnostics.Eventing.Reader.EventLogRecord",
        "Id": event.id,
        "RecordId": event.record,
        "Level": event.level,
        "LevelDisplayName": _LEVELS.get(event.level, ""),
        "LogName": one.channel,
        "MachineName": one.computer,
        "ProviderName": event.provider,
        "TimeCreated": date(event.time),
        "Version": 0,
        "Message": event.text,
        "Xml": one.xml(),
    }


def _logs(call: CommandCall) -> Answer:
    """-ListLog: the logs that names or wildcards choose. Without the right to one, its name is all that is known."""
    answer = Answer(found := [])
    for name in call.names("ListLog"):
        hits = [(channel, log) for channel, log in call.node.logs.items() if matches(channel, name)]
        if not hits:
            text = f'There is not an event log on the localhost computer that matches "{name}".'
            answer.errors.append(LabError(text, category="ObjectNotFound", id="NoMatchingLogsFound", target=name))
        for channel, log in hits:
            denied = errors.log_denied() if "events" in call.node.faults.rights else None
            trouble: Trouble | None = part_trouble(call.node, "events")
            inner = denied or (errors.log_trouble(trouble) if trouble else None)
            if inner is None:
                found.append(_configuration(channel, log))
            else:
                text = f"Could not retrieve information about the {channel} log. Error: {inner.message}."
                answer.errors.append(LabError(text, id="LogInfoUnavailable", inner=inner))
    return answer


def _configuration(channel: str, log: ChannelLog) -> dict[str, Any]:
    kept: Iterable[LogEvent] = log.records
    count = sum(1 for _ in kept) if log.empty or log.first == 1 else log.newest - log.first + 1
    return {
        "$type": "System.Diagnostics.Eventing.Reader.EventLogConfiguration",
        "LogName": channel,
        "IsEnabled": True,
        "IsClassicLog": channel in {"System", "Application"},
        "LogMode": "Circular",
        "RecordCount": count,
        "OldestRecordNumber": None if log.empty else log.first,
        "MaximumSizeInBytes": 20_971_520,
    }


COMMANDS: Final[dict[str, Handler]] = {"Get-WinEvent": get_event}
