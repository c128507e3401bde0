"""The kinds of text that `hvtui explain` knows: what each says, for people and as docs/explain.schema.json has it."""

from __future__ import annotations

from typing import Final

from hvtui.cli.output import Cell, say, table
from hvtui.cli.writer_output import COLUMNS, is_fine, worst_first, writer_json, writer_row
from hvtui.model.csv_state_text import CsvStateText, holds_csv_states, read_csv_states
from hvtui.model.diskshadow_text import holds_diskshadow, read_diskshadow
from hvtui.model.event_catalog import describe, is_noise, meaning, severity_of, subject_of
from hvtui.model.event_xml import EventReport, holds_events, read_event_xml
from hvtui.model.records import Event
from hvtui.model.severity import Severity
from hvtui.model.writer_text import decode
from hvtui.model.writers import UNREADABLE_LIMIT, WriterReport, read_writers

EXPECTED: Final = (
    "what `vssadmin list writers`, diskshadow's `list writers status` or `Get-ClusterSharedVolumeState | Format-List` "
    "prints, or the XML of events"
)
_LOOKS: Final[dict[Severity, Cell]] = {
    Severity.OK: ("✓", "ok"),
    Severity.INFO: ("·", "dim"),
    Severity.UNKNOWN: ("?", "warn"),
    Severity.WARN: ("▲", "warn"),
    Severity.BAD: ("✗", "bad"),
}


class Explained:
    """What one text says. `failure` is set when nothing could be read, `fine` when there is nothing to do."""

    kind = "unknown"
    fine = False
    failure = ""
    unreadable: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """The whole object, also with what this kind of text has none of."""
        empty: dict[str, object] = {"kind": self.kind, "writers": [], "csv_states": [], "events": []}
        return {**empty, **self.facts(), "unreadable": list(self.unreadable)}

    def facts(self) -> dict[str, object]:
        """What this kind of text has."""
        return {}

    def show(self) -> None:
        """Print it for a person."""


def recognise(data: bytes) -> Explained:
    """What a text is, and what it says; a text of no known kind has no writer that could be read."""
    text = decode(data)
    if holds_events(text):
        return _Events(read_event_xml(text))
    if holds_csv_states(text):
        return _CsvStates(read_csv_states(text))
    return _Writers("diskshadow", read_diskshadow(text)) if holds_diskshadow(text) else _vssadmin(data)


def _vssadmin(data: bytes) -> Explained:
    report = read_writers(data)
    if report.writers and all(writer.code is None for writer in report.writers):
        # GUIDs and names alone: the description of an event, a log; what is said of a writer's state is not there.
        names = tuple(writer.name for writer in report.writers)
        failure = "no writer's state could be read"
        report = WriterReport(unreadable=(*names, *report.unreadable)[:UNREADABLE_LIMIT], failure=failure)
    return _Writers("vssadmin" if report.writers else "unknown", report)


class _Writers(Explained):
    def __init__(self, kind: str, report: WriterReport) -> None:
        self.kind, self.writers = kind, report.writers
        self.unreadable, self.failure = report.unreadable, report.failure
        self.fine = all(map(is_fine, report.writers))

    def facts(self) -> dict[str, object]:
        return {"writers": [writer_json(writer) for writer in self.writers]}

    def show(self) -> None:
        if not self.writers:
            return
        bad = tuple(writer for writer in self.writers if not is_fine(writer))
        title = f"VSS writers: {len(self.writers)}, not well: {len(bad)}"
        table(title, COLUMNS, [writer_row(writer) for writer in worst_first(self.writers)])
        for writer in worst_first(bad):
            if writer.advice:
                say(f"{writer.name}: {writer.advice}", "warn")


class _CsvStates(Explained):
    kind = "csv_states"

    def __init__(self, rows: tuple[CsvStateText, ...]) -> None:
        self.rows = rows
        self.failure = "" if rows else "no volume's state could be read; a table is cut, `| Format-List` is whole"
        self.fine = all(row.severity in (Severity.OK, Severity.INFO) and not row.unknown for row in rows)

    def facts(self) -> dict[str, object]:
        return {
            "csv_states": [
                {
                    "volume": row.volume,
                    "node": row.node,
                    "state": row.state,
                    "file_system_reason": row.reason,
                    "block_reason": row.block,
                    "severity": row.severity.name.lower(),
                    "meaning": row.meaning,
                    "unknown": list(row.unknown),
                }
                for row in self.rows
            ]
        }

    def show(self) -> None:
        if not self.rows:
            return
        wrong = [row for row in self.rows if row.severity > Severity.INFO]
        rows = sorted(self.rows, key=lambda row: -row.severity)
        table(
            f"Nodes' ways to volumes: {len(rows)}, not well: {len(wrong)}",
            ("", "volume", "node", "state", "meaning"),
            [(_LOOKS[row.severity], row.volume or "?", row.node or "?", row.state, row.meaning) for row in rows],
        )
        for name in sorted({name for row in rows for name in row.unknown}):
            say(f"unknown or missing: {name}", "warn")


class _Events(Explained):
    kind = "events"

    def __init__(self, report: EventReport) -> None:
        self.events, self.unreadable = report.events, report.unreadable
        self.failure = "" if report.events else "no event could be read"
        self.fine = all(is_noise(event) or severity_of(event) <= Severity.INFO for event in report.events)

    def facts(self) -> dict[str, object]:
        return {"events": [_event_json(event) for event in self.events]}

    def show(self) -> None:
        if not self.events:
            return
        rows = [
            (
                _LOOKS[severity_of(event)],
                event.time.strftime("%Y-%m-%d %H:%M:%S"),
                f"{event.provider} {event.id}",
                describe(event) if meaning(event) is not None else f"not known to hvtui; {describe(event)}",
            )
            for event in self.events
        ]
        table(f"Events: {len(rows)}", ("", "time (UTC)", "event", "meaning"), rows)


def _event_json(event: Event) -> dict[str, object]:
    known = meaning(event) is not None
    return {
        "provider": event.provider,
        "id": event.id,
        "channel": event.channel,
        "record": event.record,
        "level": event.level,
        "time": event.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "known": known,
        "severity": severity_of(event).name.lower(),
        "noise": is_noise(event),
        "meaning": describe(event) if known else "",
        "subject": subject_of(event),
        "codes": list(event.codes),
        "data": dict(event.data),
    }
