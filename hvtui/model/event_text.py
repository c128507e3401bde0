"""Events as people copy their text: Event Viewer's details and list, `Get-WinEvent | fl` and its table, Get-EventLog.

Labels are localised, so the source is recognised by its name and the id by standing beside it as a bare number; the
labels of many languages only help. The time is kept as it is written: nothing tells in which order its parts stand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from hvtui.model.error_codes import codes_in
from hvtui.model.pasted import Line

EVENT_LIMIT: Final = 1_000
_AROUND: Final = 9
"""Lines between source and id at most: `Get-WinEvent | fl *` has eight."""
_MESSAGE_LINES: Final = 60
_MESSAGE_LENGTH: Final = 4_000

_LABEL: Final = re.compile(r"[\s*|]*(?P<label>[^\W\d_][\w .'/-]{0,38}?)\*{0,2}\s*:\*{0,2}\s*(?P<value>.*?)[\s*|]*\Z")
_TIME: Final = (
    r"(?P<time>(?:\w{3},? )?\d{1,4}[./-]\d{1,2}[./-]\d{1,4},? +\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?: ?[AaPp]\.?[Mm]\.?)?"
    r"|\w{3} \d{1,2} \d{1,2}:\d{2}(?::\d{2})?)"
)
_ROW: Final = re.compile(_TIME + r"\s+(?P<id>\d{1,5})\s+(?P<level>[^\W\d]\w*)\s+(?P<message>\S.*)")
_LIST_ROW: Final = re.compile(
    _TIME + r"\s+(?:\w+\s+)?(?P<source>[A-Za-z][\w-]*(?: [A-Z][\w-]*){0,3}?)\s+(?P<id>\d{1,5})\b\s*(?P<message>.*)"
)
_HEADER: Final = re.compile(r"(?i)(?<![\w-])event (?P<id>\d{1,5}), ?(?P<source>[A-Za-z][\w-]*)")
_BAR: Final = re.compile(r"\s*\|\s*")
_PROVIDER_HEAD: Final = re.compile(r"\s*ProviderName: (?P<source>\S+)\s*\Z")

_SOURCES: Final = frozenset(
    {
        "source",
        "event source",
        "providername",
        "provider",
        "provider name",
        "quelle",
        "ereignisquelle",
        "origen",
        "origem",
        "fonte",
        "origine",
        "bron",
        "źródło",
        "источник",
        "zdroj",
        "källa",
        "kilde",
        "lähde",
    }
)
_IDS: Final = frozenset(
    {
        "event id",
        "eventid",
        "id",
        "ereignis-id",
        "ereigniskennung",
        "id. del evento",
        "id del evento",
        "identificador del evento",
        "id de l'événement",
        "id evento",
        "id do evento",
        "identificação do evento",
        "gebeurtenis-id",
        "identyfikator zdarzenia",
        "код события",
        "händelse-id",
        "instanceid",
        "event-id",
    }
)
_MESSAGES: Final = frozenset(
    {
        "message",
        "description",
        "beschreibung",
        "nachricht",
        "meldung",
        "descripción",
        "descrição",
        "descrizione",
        "beschrijving",
        "opis",
        "описание",
        "beskrivning",
        "event description",
    }
)
_ENDS: Final = frozenset(
    {
        "timecreated",
        "log name",
        "logname",
        "protokollname",
        "nom du journal",
        "nombre de registro",
        "event type",
        "event xml",
        "ereignis-xml",
        "xml de evento",
        "xml de l'événement",
    }
)

_FULL: Final = {
    short.lower(): f"Microsoft-Windows-{short}"
    for short in (
        "Hyper-V-VMMS",
        "Hyper-V-Worker",
        "Hyper-V-High-Availability",
        "Hyper-V-StorageVSP",
        "Hyper-V-SynthStor",
        "Hyper-V-Integration",
        "Hyper-V-Hypervisor",
        "Hyper-V-VmSwitch",
        "Hyper-V-Config",
        "FailoverClustering",
        "CAPI2",
        "Backup",
        "VHDMP",
        "Ntfs",
    )
}
"""Event Viewer's list shows sources without their first words."""
_ALIASES: Final = dict.fromkeys(
    ("microsoft-windows-failovercluster", "failovercluster"), "Microsoft-Windows-FailoverClustering"
)
"""As people and articles write it."""
_PLAIN: Final = {
    name.lower(): name
    for name in (
        "VSS",
        "volsnap",
        "SQLVDI",
        "SQLWRITER",
        "SQLSERVER",
        "MSSQLSERVER",
        "Service Control Manager",
        "disk",
        "HvTui",
    )
}
_VM_ID: Final = re.compile(r"\([^()\n]{0,60}?\b(?P<id>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\)")
_BARE: Final = re.compile(r"machine (?P<name>[^\s'()]{1,80}):? *\Z")
_CLOCK: Final = re.compile(r"\d[:.]\d\d")
_QUOTED: Final = re.compile(r"'([^'\n]{1,256})'")


class EventText(msgspec.Struct, frozen=True, kw_only=True):
    """One event. `provider` is empty when its source is not told; `time` as written; `lines` from where to where.

    `vm` and `vm_name` are of the VM the message names by its id, `names` what it has in quotation marks.
    """

    provider: str
    id: int
    time: str = ""
    message: str = ""
    lines: tuple[int, int] = (0, 0)
    codes: tuple[str, ...] = ()
    vm: str = ""
    vm_name: str = ""
    names: tuple[str, ...] = ()


def provider_named(text: str) -> str:
    """The full name of an event source; empty when the text is none that is known as one."""
    low = text.strip().strip("[]'\"").lower()
    if low in _ALIASES:
        return _ALIASES[low]
    if low.startswith("microsoft-windows-") and " " not in low:
        return _FULL.get(low.removeprefix("microsoft-windows-")) or text.strip().strip("[]'\"")
    return _FULL.get(low) or _PLAIN.get(low, "")


def read_event_texts(lines: Sequence[Line]) -> tuple[EventText, ...]:
    """Every event of a text, in its order; never raises."""
    fields = [_field(line.text) for line in lines]
    blocks = _blocks(lines, fields)
    found = []
    for index, block in enumerate(blocks):
        start = blocks[index - 1].id_at + 1 if index else 0
        end = blocks[index + 1].first if index + 1 < len(blocks) else len(lines)
        found.append(_event(lines, fields, block, (start, end)))
    inside = {number for event in found for number in range(event.lines[0], event.lines[1] + 1)}
    found += _rows(lines, inside)
    return tuple(sorted(found, key=lambda event: event.lines)[:EVENT_LIMIT])


def _field(text: str) -> tuple[str, str] | None:
    match = _LABEL.match(text)
    return (match["label"].strip().lower(), match["value"].strip()) if match is not None else None


class _Block(msgspec.Struct, frozen=True):
    provider: str
    id: int
    first: int
    source_at: int
    id_at: int


def _blocks(lines: Sequence[Line], fields: list[tuple[str, str] | None]) -> list[_Block]:
    """Where a source and a number stand close to each other, each in a line of its own with a label."""
    sources = [
        (at, provider_named(field[1]) or (field[1] if field[0] in _SOURCES else ""))
        for at, field in enumerate(fields)
        if field is not None and field[1] and (field[0] in _SOURCES or provider_named(field[1]))
        if field[0] not in _MESSAGES and not field[0].startswith(("log", "proto"))
    ]
    # `Log Name` of a channel has the same beginning as a source; what a source's label names goes first.
    named = [(at, name) for at, name in sources if (fields[at] or ("", ""))[0] in _SOURCES]
    places = {at for at, _ in named}
    near = [
        (at, name)
        for at, name in sources
        if at not in places and not any(abs(at - other) <= _AROUND for other in places) and "/" not in name
    ]
    blocks: list[_Block] = []
    taken: set[int] = set()
    ordered = sorted([*named, *near])
    for index, (at, name) in enumerate(ordered):
        low = ordered[index - 1][0] + 1 if index else 0
        high = ordered[index + 1][0] if index + 1 < len(ordered) else len(lines)
        id_at = _id_near(fields, at, max(low, at - _AROUND), min(high, at + _AROUND + 1), taken)
        if id_at is None:
            continue
        taken.add(id_at)
        value = (fields[id_at] or ("", "0"))[1]
        blocks.append(_Block(name, int(value), min(at, id_at), at, id_at))
        if len(blocks) == EVENT_LIMIT:
            break
    return sorted(blocks, key=lambda block: block.first)


def _id_near(fields: list[tuple[str, str] | None], at: int, low: int, high: int, taken: set[int]) -> int | None:
    numbers = [
        place
        for place in (*range(at + 1, high), *range(at - 1, low - 1, -1))
        if place not in taken and (field := fields[place]) is not None and re.fullmatch(r"[0-9]{1,5}", field[1])
    ]
    labelled = [place for place in numbers if (fields[place] or ("", ""))[0] in _IDS]
    after = [place for place in numbers if place > at]
    return next(iter([*labelled, *after]), None)


def _event(
    lines: Sequence[Line], fields: list[tuple[str, str] | None], block: _Block, between: tuple[int, int]
) -> EventText:
    """The event of a block; `between` is where the one before ends and the next begins."""
    end = min(between[1], max(block.source_at, block.id_at) + _MESSAGE_LINES)
    first = block.first
    start = max(between[0], first - _MESSAGE_LINES)
    message_at = next((at for at in range(first, end) if (fields[at] or ("", ""))[0] in _MESSAGES), None)
    if message_at is None:
        before = [at for at in range(first - 1, start - 1, -1) if (fields[at] or ("", ""))[0] == "message"]
        message_at = next(iter(before), None)
        stop = first if message_at is not None else end
    else:
        stop = end
    if message_at is None:
        message_at = max(block.source_at, block.id_at) + 1
    else:
        first = min(first, message_at)
    texts = []
    # A web page puts a blank line between any two lines; else one in a message has another paragraph of it behind it.
    spaced = abs(lines[block.source_at].number - lines[block.id_at].number) >= 2 * abs(block.source_at - block.id_at)
    for at in range(message_at, stop):
        field = fields[at]
        apart = not spaced and at > message_at + 1 and lines[at].number > lines[at - 1].number + 1
        if at > message_at and (
            _begins_another(lines[at].text, field) or (apart and not _goes_on(lines[at].text, field))
        ):
            stop = at
            break
        texts.append(field[1] if at == message_at and field is not None and field[0] in _MESSAGES else lines[at].text)
    time = next(
        (m["time"] for at in range(first, min(stop, first + 2 * _AROUND)) if (m := re.search(_TIME, lines[at].text))),
        "",
    )
    # The last event of a text ends where its message does; what follows in a ticket cannot be told from it.
    last = max(stop - 1, block.source_at, block.id_at)
    message = "\n".join(text for text in texts if text.strip())[:_MESSAGE_LENGTH]
    return _made(block.provider, block.id, time, message, (lines[first].number, lines[last].number))


def _goes_on(text: str, field: tuple[str, str] | None) -> bool:
    """Whether a line behind a blank one looks like the next paragraph of a message: `Operation:`, `Context:`, inset."""
    return text[:1].isspace() or text.rstrip().endswith(":") or (field is not None and len(field[0]) < 25)


def _begins_another(text: str, field: tuple[str, str] | None) -> bool:
    """Whether a line cannot belong to the message before it."""
    if field is not None and (field[0] in _ENDS or (field[0] in _SOURCES and not field[1])):
        return True
    if field is not None and field[0] != "id" and field[0] in _IDS and field[1].isdecimal():
        return True
    if _PROVIDER_HEAD.match(text) or set(text.strip()) == {"-"} or _HEADER.match(text.strip()):
        return True
    listed = _LIST_ROW.search(text) if _CLOCK.search(text) else None
    return listed is not None and bool(provider_named(listed["source"].split("  ")[-1]))


def _rows(lines: Sequence[Line], inside: set[int]) -> list[EventText]:
    """Rows of tables: PowerShell's, under the name of their source, and Event Viewer's, which name it themselves."""
    found, head = [], ""
    for line in lines:
        heading = _PROVIDER_HEAD.match(line.text)
        if heading is not None:
            head = heading["source"]
            continue
        if line.number in inside:
            continue
        header = _HEADER.search(line.text)
        if header is not None and (provider := provider_named(header["source"])):
            found.append(_made(provider, int(header["id"]), "", line.text[header.end() :], (line.number,) * 2))
            continue
        if _CLOCK.search(line.text) is None:
            continue
        # A table of a web page or of Markdown has bars between its cells.
        text = _BAR.sub("   ", line.text)
        listed = _LIST_ROW.search(text)
        if listed is not None and (provider := provider_named(listed["source"].split("  ")[-1])):
            found.append(_made(provider, int(listed["id"]), listed["time"], listed["message"], (line.number,) * 2))
            continue
        row = _ROW.search(text)
        if row is not None and head:
            found.append(_made(head, int(row["id"]), row["time"], row["message"], (line.number,) * 2))
            continue
    return found


def _made(provider: str, number: int, time: str, message: str, lines: tuple[int, int]) -> EventText:
    message = message.replace('"', "'")
    # Names and ids stand in one piece however the lines were broken.
    joined = " ".join(message.split())
    vm, vm_name = _vm(joined)
    return EventText(
        provider=provider,
        id=number,
        time=" ".join(time.split()),
        message=message.strip(),
        lines=lines,
        codes=tuple(dict.fromkeys(found.code for found in codes_in(message))),
        vm=vm,
        vm_name=vm_name,
        names=tuple(dict.fromkeys(name.strip(" *_") for name in _QUOTED.findall(joined))),
    )


def _vm(message: str) -> tuple[str, str]:
    """Id and name of the VM that a message names by its id: the name at its beginning, else the last one before it."""
    found = _VM_ID.search(message)
    if found is None:
        return "", ""
    before = message[max(0, found.start() - 500) : found.start()]
    names = [match for match in _QUOTED.finditer(before) if "\\" not in match[1]]
    if names:
        return found["id"].lower(), (names[0] if names[0].start() < 3 else names[-1])[1]
    bare = _BARE.search(before)
    return found["id"].lower(), bare["name"] if bare is not None else ""
