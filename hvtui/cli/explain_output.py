"""What a pasted text is, for people and as docs/explain.schema.json has it: everything in it that is known, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from hvtui.cli.explaining import parts
from hvtui.cli.explaining.known import Case, case_of
from hvtui.cli.explaining.parts import LOOKS, Part
from hvtui.cli.explaining.sift import Item, event_item, sift
from hvtui.cli.output import say, table
from hvtui.model.csv_state_text import holds_csv_states, read_csv_states
from hvtui.model.diskshadow_text import holds_diskshadow, read_diskshadow
from hvtui.model.event_text import EventText, read_event_texts
from hvtui.model.event_xml import holds_events, read_event_xml
from hvtui.model.pasted import Line, Paste, pasted
from hvtui.model.severity import Severity
from hvtui.model.vm_text import read_checkpoints, read_vms
from hvtui.model.writer_text import decode
from hvtui.model.writers import UNREADABLE_LIMIT, read_writers

EXPECTED: Final = (
    "what vssadmin, diskshadow, fltmc, Get-ClusterSharedVolumeState, Get-VM or Get-VMSnapshot prints, events as text "
    "or XML, an error of a backup product, or an error code"
)
_NAMES: Final = ("writers", "csv_states", "events", "filters", "vms", "checkpoints")
_GENERAL: Final = "backup-other"
"""Says only where to look further: not told beside a case that says more."""
_KINDS: Final = {"event": "event_texts", "text": "messages", "writer": "messages", "code": "codes"}


class Explained:
    """What one text says. `failure` is set when nothing in it is known, `fine` when there is nothing to do."""

    def __init__(self, found: Sequence[Part], items: Sequence[Item], unreadable: Sequence[str], failure: str) -> None:
        self.parts, self.items = found, items
        self.unreadable, self.failure = tuple(unreadable[:UNREADABLE_LIMIT]), failure
        ordered = sorted(items, key=lambda item: (-item.severity, item.kind == "code"))
        names = [name for part in sorted(found, key=lambda part: -part.severity) for name in part.cases]
        names += [item.case for item in ordered if item.case]
        if any(name != _GENERAL for name in names):
            names = [name for name in names if name != _GENERAL]
        self.cases: dict[str, Case] = {name: case_of(name) for name in dict.fromkeys(names)}

    @property
    def kind(self) -> str:
        """What the text is: the kind of the one thing it holds, `several`, or `unknown`."""
        told = [_KINDS[item.kind] for item in self.items if item.known or item.kind == "event"]
        kinds = list(dict.fromkeys([part.kind for part in self.parts] + told))
        if len(kinds) > 1 and "codes" in kinds:
            # A code beside something that says more is a detail of it.
            kinds.remove("codes")
        return "unknown" if not kinds else kinds[0] if len(kinds) == 1 else "several"

    @property
    def fine(self) -> bool:
        """Nothing in it has to be done anything about."""
        return all(part.fine for part in self.parts) and all(
            item.noise or item.severity <= Severity.INFO for item in self.items
        )

    def as_json(self) -> dict[str, object]:
        """The whole object, also with what this text has none of."""
        value: dict[str, object] = {"kind": self.kind, **{name: [] for name in _NAMES}}
        for part in self.parts:
            value[part.name] = part.facts
        value["recognised"] = [_item_json(item) for item in self.items]
        value["cases"] = [
            {"id": name, **{key: getattr(case, key) for key in ("title", "cause", "next", "never", "undo", "finding")}}
            for name, case in self.cases.items()
        ]
        return {**value, "unreadable": list(self.unreadable)}

    def show(self) -> None:
        """Print it for a person: what it holds, what was recognised, and for each case why and what to do."""
        for part in self.parts:
            part.show()
        if self.items:
            rows = [
                (LOOKS[item.severity], _lines(item), item.name, _says(item))
                for item in sorted(self.items, key=lambda item: -item.severity)
            ]
            table(f"Recognised: {len(rows)}", ("", "line", "what", "meaning"), rows)
        for case in self.cases.values():
            say(case.title, "warn")
            say(f"  why   {case.cause}")
            say(f"  next  {case.next}")
            say(f"  not   {case.never}")
            if case.undo:
                say(f"  undo  {case.undo}")
            say()


def _item_json(item: Item) -> dict[str, object]:
    return {
        "kind": item.kind,
        "name": item.name,
        "meaning": item.says,
        "severity": item.severity.name.lower(),
        "subject": item.subject,
        "case": item.case,
        "codes": list(item.codes),
        "known": item.known,
        "lines": [item.first, item.last],
        "count": item.count,
    }


def _lines(item: Item) -> str:
    return str(item.first) if item.first == item.last else f"{item.first}-{item.last}"


def _says(item: Item) -> str:
    text = item.says if item.known else "not known to hvtui"
    if item.subject and item.kind == "text" and item.subject not in text:
        text = f"{text}: {item.subject}"
    return f"{text} (x{item.count})" if item.count > 1 else text


def recognise(data: bytes) -> Explained:
    """Everything that is known in a text."""
    text = decode(data)
    paste = pasted(text)
    found: list[Part] = []
    failure = ""
    told: list[tuple[str, int]] = []
    events: tuple[EventText, ...] = ()
    if holds_events(text):
        report = read_event_xml(text)
        if report.events:
            items = [event_item(event, (0, 0)) for event in report.events]
            found.append(parts.events_part(report.events, items, report.unreadable))
            told = [(event.provider, event.id) for event in report.events]
        else:
            failure = "no event could be read"
    events = read_event_texts(_outside_xml(paste))
    sifted = sift(Paste(_outside_xml(paste)), events, told)
    rows = read_csv_states(text) if holds_csv_states(text) else ()
    if rows:
        found.append(parts.csv_part(rows))
    elif holds_csv_states(text):
        failure = "no volume's state could be read; a table is cut, `| Format-List` is whole"
    if filters := parts.read_fltmc(paste.lines):
        found.append(parts.filters_part(filters))
    if vms := read_vms(paste.lines):
        found.append(parts.vms_part(vms))
    if checkpoints := read_checkpoints(paste.lines):
        found.append(parts.checkpoints_part(checkpoints))
    writers, why = _writers(data, text, recognised=bool(found or sifted))
    if writers is not None:
        found.append(writers)
        # A writer's state in its own list needs no second telling.
        sifted = [item for item in sifted if item.kind != "writer"]
    known = bool(found) or any(item.known or item.kind == "event" for item in sifted)
    unreadable = [line for part in found for line in part.unreadable]
    if paste.cut:
        unreadable.append("… the text is longer than what is read; the rest was not")
    if not known:
        unreadable += [item.name for item in sifted] + why
        failure = failure or ("an error code that hvtui does not know" if sifted else "nothing in it is known to hvtui")
    return Explained(found, sifted, unreadable, "" if known else failure)


def _outside_xml(paste: Paste) -> tuple[Line, ...]:
    """The lines that are not inside of an event's XML: its values are told by the event."""
    kept, inside = [], False
    for line in paste.lines:
        opens, closes = line.text.rfind("<Event"), line.text.rfind("</Event>")
        inside = inside or (opens >= 0 and line.text[opens + 6 : opens + 7] in {" ", ">"})
        if not inside:
            kept.append(line)
        if closes >= 0 and closes > opens:
            inside = False
    return tuple(kept)


def _writers(data: bytes, text: str, *, recognised: bool) -> tuple[Part | None, list[str]]:
    """The writers of a text; when it is none of theirs, what of it looked like one."""
    if holds_diskshadow(text):
        report = read_diskshadow(text)
        if report.writers and any(writer.code is not None for writer in report.writers):
            return parts.writers_part("diskshadow", report.writers, report.unreadable), []
    if "VSS_PROV_" in text:
        # diskshadow's list of providers has numbers in brackets, too: kinds of providers, no states.
        return None, []
    report = read_writers(data)
    read = [writer for writer in report.writers if writer.code is not None]
    if not read:
        # GUIDs and names alone: the description of an event, a log; what is said of a writer's state is not there.
        return None, [*(writer.name for writer in report.writers), *report.unreadable]
    # In a ticket other lines stand between: they are not what vssadmin prints, and no reason to doubt what is read.
    return parts.writers_part("vssadmin", report.writers, () if recognised else report.unreadable), []
