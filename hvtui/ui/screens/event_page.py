"""Everything one event says."""

from __future__ import annotations

from hvtui.model.events import NodeEvent, describe, is_noise, severity_of
from hvtui.model.severity import Severity
from hvtui.operations.vss_proposals import EVENTS as ASKS_FOR_ENTRY
from hvtui.text import safe_block
from hvtui.ui import format as fmt
from hvtui.ui.panes.event_rows import LEVELS
from hvtui.ui.screens.facts import Facts, row, span, text
from hvtui.ui.widgets.document import Section

LEVEL_WORDS = {0: "LogAlways", 1: "Critical", 2: "Error", 3: "Warning", 4: "Information", 5: "Verbose"}
"""Windows' own levels."""


def find_event(facts: Facts, key: str) -> NodeEvent | None:
    """The event of a key, None when it was dropped."""
    return next((item for item in facts.state.events.recent() if item.key == key), None)


def event_page(facts: Facts, key: str) -> list[Section]:
    """Sections of the page."""
    item = find_event(facts, key)
    if item is None:
        return [Section("Gone", (text(("this event is no longer held; older ones make room for newer", "warn")),))]
    event = item.event
    severity = severity_of(event)
    role = {Severity.BAD: "bad", Severity.WARN: "warn"}.get(severity, "")
    level = LEVEL_WORDS.get(event.level, str(event.level))
    lines = [
        row("says", span(describe(event), role)),
        row("severity", span(LEVELS.get(severity, "?"), role), span(f", Windows' level: {level}", "dim"),
            span(", seen on healthy clusters too" if is_noise(event) else "", "dim")),
        row("time", facts.moment(event.time, item.node),
            span(f", {event.time.astimezone(facts.look.zone).strftime('%H:%M:%S')} on the second", "dim")),
        row("node", span(item.node)),
        row("id", span(event.id)),
        row("provider", span(event.provider)),
        row("channel", span(event.channel)),
        row("record", span(event.record)),
    ]  # fmt: skip
    if event.vm or event.vm_name:
        lines.append(row("VM", span(event.vm_name), span(f" {event.vm or ''}", "dim")))
    if event.codes:
        lines.append(row("codes", span(", ".join(event.codes))))
    if event.id in ASKS_FOR_ENTRY and event.provider.lower() == "vss":
        hint = "E shows who may take part in VSS on each node, and proposes an entry; the backups themselves succeed"
        lines.append(row("what to do", span(hint, "info")))
    blocks = [Section("Event", tuple(lines))]
    if event.data:
        pairs = [
            row(name if number == 0 else " ", span(part))
            for name, value in event.data.items()
            for number, part in enumerate(safe_block(value, 4_000).split("\n")[:40])
        ]
        blocks.append(Section("Data", tuple(pairs), wide=True))
    words = safe_block(event.text).split("\n") if event.text else []
    blocks.append(
        Section("Windows' text", tuple(text(span(line)) for line in words) or (text(("none", "dim")),), wide=True)
    )
    recent = facts.state.events.recent()
    near = [
        other
        for other in recent
        if abs((other.event.time - event.time).total_seconds()) <= 300
        and other is not item
        and not is_noise(other.event)
    ]
    blocks.append(facts.events(near, "Within five minutes", node=True))
    return blocks


def event_title(facts: Facts, key: str) -> str:
    """Id, node and time of an event."""
    item = find_event(facts, key)
    if item is None:
        return "gone"
    return f"{item.event.id} on {item.node}, {fmt.day_time(item.event.time, facts.look.zone)}"
