"""Finding in a paste what is known: events with and without their heads, products' errors, writers' states, codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from hvtui.cli.explaining.known import SEVERITIES, Text, known, patterns
from hvtui.model import writer_catalog
from hvtui.model.diskshadow_text import STATES
from hvtui.model.error_codes import codes_in
from hvtui.model.event_catalog import describe, is_noise, meaning, severity_of, sources_of
from hvtui.model.event_text import EventText
from hvtui.model.pasted import Paste
from hvtui.model.records import Event
from hvtui.model.severity import Severity

LIMIT: Final = 500
"""Things told of one text at most; a log of a night repeats itself."""
_NEAR: Final = 400
"""Characters behind a text in which its code stands."""
_BEFORE: Final = 200
_TOGETHER: Final = 80
"""Characters between two phrases of one and the same error."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was recognised.

    `kind`: `event text writer code`. `name` is what it is called, `says` what it means, empty when that is not known.
    `first` and `last` are line numbers, `count` how often it stands in the text.
    """

    kind: str
    name: str
    says: str
    severity: Severity
    first: int
    last: int
    case: str = ""
    subject: str = ""
    codes: tuple[str, ...] = ()
    noise: bool = False
    known: bool = True
    count: int = 1


class _Span(msgspec.Struct, frozen=True):
    """Where something stands in the joined text."""

    start: int
    end: int


def event_item(event: Event, lines: tuple[int, int]) -> Item:
    """An event of XML or of a text, by what its source and id mean."""
    row = known().event(event.provider, event.id)
    listed = meaning(event)
    if listed is not None:
        says, severity = describe(event), severity_of(event)
    elif row is not None and row.says:
        says, severity = row.says, SEVERITIES[row.severity]
    else:
        says, severity = "", severity_of(event)
    case = "" if row is None else _chosen(row.case, row.instead, event.codes)
    return Item(
        kind="event",
        name=_called(event.provider, event.id),
        says=says,
        severity=Severity.UNKNOWN if not says and severity < Severity.UNKNOWN else severity,
        first=lines[0],
        last=lines[1],
        case=case,
        codes=tuple(event.codes),
        noise=is_noise(event),
        known=bool(says),
    )


def as_event(found: EventText, level: int = 0) -> Event:
    """A pasted event as a record, so that it means what a fetched one means; its time is not read."""
    names = found.names
    data = {name: names[0] for name in ("VmName", "VolumeName", "NodeName", "ResourceName", "ResourceGroup") if names}
    return Event(
        channel="",
        record=0,
        id=found.id,
        level=level,
        time=_EPOCH,
        provider=found.provider,
        vm=found.vm or None,
        vm_name=found.vm_name or None,
        codes=list(found.codes),
        data=data,
        text=found.message,
    )


def sift(paste: Paste, events: Iterable[EventText], told: Iterable[tuple[str, int]] = ()) -> list[Item]:
    """Everything that is known in a paste, in its order. `told` are events (source, id) that XML told already."""
    xml = {_called(provider, number) for provider, number in told}
    read = [event_item(as_event(found), found.lines) for found in events]
    items = [item for item in read if item.name not in xml]
    covered = [(item.first, item.last) for item in read]
    held = {(item.name, line) for item in items for line in range(item.first, item.last + 1)}
    spans: list[_Span] = []
    for item, span in _texts(paste):
        spans.append(span)
        if (item.name, item.first) not in held and item.name not in xml:
            items.append(item)
    for item, span in (*_writers(paste), *_lists(paste)):
        spans.append(span)
        items.append(item)
    items += _contexts(paste, items)
    items += _alone(paste, {*xml, *(item.name for item in items)}, covered)
    items += _codes(paste, spans, covered)
    return _counted(sorted(items, key=lambda item: (item.first, item.kind == "code")))[:LIMIT]


def _called(provider: str, number: int) -> str:
    return f"{provider.removeprefix('Microsoft-Windows-')} {number}".strip()


def _alone(paste: Paste, held: set[str], covered: list[tuple[int, int]]) -> Iterator[Item]:
    """`Event ID 10102` in a sentence: the id of one source only is taken for that source's."""
    ids = {name.rpartition(" ")[2] for name in held}
    for match in _ID_ALONE.finditer(paste.phrases):
        line, number = paste.line_at(match.start()), int(match[1])
        if match[1] in ids or any(low <= line <= high for low, high in covered):
            continue
        sources = sorted({*sources_of(number), *(_SHORT.get(s, s) for s in known().sources_of(number))})
        names = [name for name in sources if not any(name != other and name.startswith(other) for other in sources)]
        if len(names) == 1 and number >= 1000:
            event = Event(channel="", record=0, id=number, level=0, time=_EPOCH, provider=_FULL.get(names[0], names[0]))
            item = event_item(event, (line, line))
            yield msgspec.structs.replace(item, says=f"{item.says} (its source is not told)")


_ID_ALONE: Final = re.compile(r"(?:event|ereignis)[ -]?(?:ids?)?[ :#]{1,3}(\d{3,5})\b")
_SHORT: Final = {"microsoft-windows-failovercluster": "microsoft-windows-failoverclustering"}
_FULL: Final = {
    "microsoft-windows-failoverclustering": "Microsoft-Windows-FailoverClustering",
    "microsoft-windows-hyper-v": "Microsoft-Windows-Hyper-V-VMMS",
    "vss": "VSS",
}


def _texts(paste: Paste) -> Iterator[tuple[Item, _Span]]:
    whole = paste.phrases
    told: dict[str, list[_Span]] = {}
    for text in sorted(known().texts, key=lambda one: one.general):
        taken: list[_Span] = []
        beside = told.setdefault(text.product, []) if text.general else []
        for words, pattern in patterns(text):
            if words and words not in whole:
                continue
            for match in pattern.finditer(whole):
                span = _Span(match.start(), match.end())
                # Two phrases of one text, and what is only general, add nothing to what stands beside them.
                if _near(span, taken, _TOGETHER) or _near(span, beside, _NEAR):
                    continue
                taken.append(span)
                yield _text_item(paste, text, match), span
                if len(taken) >= LIMIT:
                    break
        if text.product:
            told.setdefault(text.product, []).extend(taken)


def _near(span: _Span, others: Iterable[_Span], by: int) -> bool:
    return any(span.start < other.end + by and other.start < span.end + by for other in others)


def _text_item(paste: Paste, text: Text, match: re.Match[str]) -> Item:
    start, end = match.span()
    subject = ""
    if "subject" in match.re.groupindex and match["subject"] is not None:
        low, high = match.span("subject")
        subject = paste.joined[low:high].strip(" *_")
    near = paste.joined[max(0, start - _BEFORE) : end + _NEAR]
    codes = tuple(dict.fromkeys(found.code for found in codes_in(near)))
    first, last = paste.line_at(start), paste.line_at(max(start, end - 1))
    if text.event is not None:
        provider, number = text.event
        data = {name: subject for name in ("VmName", "VolumeName", "NodeName", "ResourceName") if subject}
        behind = tuple(dict.fromkeys(found.code for found in codes_in(paste.joined[start : end + _NEAR])))
        event = Event(
            channel="",
            record=0,
            id=number,
            level=0,
            time=_EPOCH,
            provider=provider,
            vm_name=subject or None,
            codes=list(behind),
            data=data,
            text=paste.joined[start : end + _NEAR],
        )
        return msgspec.structs.replace(event_item(event, (first, last)), subject=subject)
    return Item(
        kind="text",
        name=text.product,
        says=text.says,
        severity=SEVERITIES[text.severity],
        first=first,
        last=last,
        case=_chosen(text.case, text.instead, codes),
        subject=subject,
    )


_STATE: Final = re.compile(r"VSS_WS_([A-Z_]{4,40})")
_WRITER_NAME: Final = re.compile(r"(?:writer name|writer|name)\W{1,4}[\['\"]+([^\]'\"]{3,80})[\]'\"]", re.IGNORECASE)
_GUID: Final = re.compile(r"\{([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}", re.IGNORECASE)


def _writers(paste: Paste) -> Iterator[tuple[Item, _Span]]:
    """A writer's state as products quote it: `Writer name: [X]. Class ID: [{…}] … state: [VSS_WS_FAILED_AT_FREEZE]`."""
    text = paste.joined
    for match in _STATE.finditer(text):
        if match[1] not in STATES:
            continue
        number = STATES.index(match[1])
        before, behind = text[max(0, match.start() - 400) : match.start()], text[match.end() : match.end() + 160]
        guids = [guid[1].lower() for guid in _GUID.finditer(before)]
        known_id = next((guid for guid in guids if guid in writer_catalog.WRITERS), "")
        names = _WRITER_NAME.findall(before)
        name = writer_catalog.WRITERS[known_id].name if known_id else (names[-1] if names else "a writer")
        error = next((found.code for found in codes_in(behind)), "")
        failed = number in writer_catalog.FAILED
        words = match[1].replace("_", " ").lower()
        code = known().codes.get(error)
        yield (
            Item(
                kind="writer",
                name=name,
                says=f"[{number}] {words}{f', {code.says}' if code is not None else ''}",
                severity=Severity.BAD if failed else Severity.OK if number == writer_catalog.STABLE else Severity.INFO,
                first=paste.line_at(match.start()),
                last=paste.line_at(match.end()),
                case=(code.case if code is not None and code.case else "writer-refused") if failed else "",
                subject=known_id,
                codes=(error,) if error else (),
            ),
            _Span(max(0, match.start() - _BEFORE), match.end()),
        )


_SOFTWARE: Final = "{b5946137-7b9f-4925-af80-51abd60b20d5}"
"""The provider that every Windows has."""
_SHADOW: Final = re.compile(r": ?\\\\\?\\globalroot\\device\\harddiskvolumeshadowcopy\d+", re.IGNORECASE)


def _lists(paste: Paste) -> Iterator[tuple[Item, _Span]]:
    """Lists of VSS that are not of writers: providers and shadow copies, in any language."""
    whole = paste.phrases
    place = whole.find(_SOFTWARE)
    if place >= 0 and re.search(r"\b1\.0\.0\.\d", whole[place:]) is not None:
        count = len(set(re.findall(r"provider ?id\W{1,6}(\{[0-9a-f-]{36}\})", whole))) or 1
        hardware = whole.count("vss_prov_hardware")
        says = f"{count} shadow copy provider{'s' if count > 1 else ''}"
        says += f", {hardware} of hardware" if hardware else ""
        yield _listed(paste, place, "VSS providers", f"{says}: every node should have the same, in the same versions")
    found = list(_SHADOW.finditer(paste.joined))
    if found and "}" in whole:
        place = found[0].start()
        yield _listed(
            paste, place, "VSS shadow copies", f"{len(found)} listed; of a backup that has ended none should be left"
        )


def _listed(paste: Paste, place: int, name: str, says: str) -> tuple[Item, _Span]:
    line = paste.line_at(place)
    item = Item(kind="text", name=name, says=says, severity=Severity.INFO, first=line, last=line)
    return item, _Span(place, place + 1)


def _contexts(paste: Paste, items: list[Item]) -> Iterator[Item]:
    """A writer's class id in the context that VSS puts under its errors: whose error it is, in any language."""
    told = " ".join((*(item.says for item in items), *(item.name for item in items)))
    for match in _GUID.finditer(paste.joined):
        writer = writer_catalog.WRITERS.get(match[1].lower())
        if writer is None or writer.name in told:
            continue
        told += writer.name
        line = paste.line_at(match.start())
        yield Item(
            kind="writer",
            name=writer.name,
            says=f"named here{f'; its service is {writer.service}' if writer.service else ''}",
            severity=Severity.INFO,
            first=line,
            last=line,
            subject=match[1].lower(),
        )


def _codes(paste: Paste, spans: list[_Span], covered: list[tuple[int, int]]) -> Iterator[Item]:
    """Every code. What is recognised around it says more than the code does, so then it brings no case of its own."""
    for found in codes_in(paste.joined):
        if found.code == "0x00000000":
            continue
        line = paste.line_at(found.place)
        code = known().codes.get(found.code)
        inside = any(low <= line <= high for low, high in covered) or any(
            span.start - _BEFORE <= found.place <= span.end + _NEAR for span in spans
        )
        yield Item(
            kind="code",
            name=found.code if code is None else f"{found.code} {code.name}".replace(f"{found.code} 0x", "0x"),
            says="" if code is None else code.says,
            severity=Severity.UNKNOWN if code is None else Severity.INFO if inside else Severity.WARN,
            first=line,
            last=line,
            case="" if code is None or inside else code.case,
            codes=(found.code,),
            known=code is not None,
        )


def _chosen(case: str, instead: Mapping[str, str], codes: Iterable[str]) -> str:
    return next((instead[code] for code in codes if code in instead), case)


def _counted(items: list[Item]) -> list[Item]:
    """The same thing of the same subject once, with how often it was there."""
    held: dict[tuple[str, ...], Item] = {}
    for item in items:
        key = (item.kind, item.name, item.says, item.subject, item.case if item.kind != "code" else "")
        if key in held:
            first = held[key]
            held[key] = msgspec.structs.replace(
                first, count=first.count + 1, case=first.case or item.case, severity=max(first.severity, item.severity)
            )
        else:
            held[key] = item
    return list(held.values())
