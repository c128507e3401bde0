"""Everything known of one VSS writer on one node, and how the same writer is elsewhere."""

from __future__ import annotations

from hvtui.model.event_catalog import writer_of
from hvtui.model.events import NodeEvent
from hvtui.model.views import NodeView
from hvtui.model.writer_catalog import HYPER_V
from hvtui.model.writers import Writer
from hvtui.operations.guest_knowledge import verdicts
from hvtui.text import natural
from hvtui.ui import format as fmt
from hvtui.ui.panes.writer_matrix import ROLES, lasting, row_key, why_blind, worst_of
from hvtui.ui.screens.facts import Facts, row, span, text
from hvtui.ui.screens.lines import SEVERITY_ROLES, writer_line
from hvtui.ui.widgets.document import Section

GUEST_EVENTS = frozenset({10102, 10103, 10104, 10150, 10172, 10173})
"""Events of VMMS that tell why the Hyper-V writer failed: the guest whose shadow copy could not be made."""


def writer_page(facts: Facts, key: str) -> list[Section]:
    """Sections of the page; `key` is `node|row of the matrix`."""
    node, _, writer_key = key.partition("|")
    view = facts.state.nodes.get(node) or NodeView(node)
    found = [w for w in (view.writers.writers if view.writers else ()) if row_key(w) == writer_key]
    pages = [_writer(facts, node, writer, len(found) > 1) for writer in found]
    if not found:
        why = why_blind(view) if not (view.writers and view.writers.writers) else "not in this node's list"
        pages.append(Section("Writer", (text((why, "warn")),)))
    if any(writer.id == HYPER_V for writer in found):
        pages += _guilty(facts, node)
    pages += [_reading(facts, view), facts.link_section(f"Connection to {node}", view.link, interval=False)]
    pages.append(_elsewhere(facts, node, writer_key))
    pages.append(facts.events(_related(facts, view, found[0] if found else None), "Related events"))
    return pages


def title_of(facts: Facts, key: str) -> str:
    """The writer's name and node, for the first line of the screen."""
    node, _, writer_key = key.partition("|")
    for view in facts.state.nodes.values():
        for writer in view.writers.writers if view.writers else ():
            if row_key(writer) == writer_key:
                return f"{writer.name} on {node}"
    return f"{writer_key} on {node}"


def _writer(facts: Facts, node: str, writer: Writer, several: bool) -> Section:
    role = ROLES.get(writer.state_class, "warn")
    glyphs = facts.look.glyphs
    glyph = {"ok": glyphs.ok, "busy": glyphs.busy, "failed": glyphs.bad}.get(writer.state_class, glyphs.unknown)
    number = "?" if writer.code is None else writer.code
    lines = [
        row("state", span(f"{glyph} [{number}] {writer.state_text or 'unreadable'}", role)),
        row("last error", span(writer.error_text or None, "" if writer.error_kind == "none" else role),
            span("" if writer.error_kind in ("none", "other") else f"  ({writer.error_kind})", "dim")),
        row("which means", span(writer.state_class, role)),
    ]  # fmt: skip
    _, sentence = lasting(facts.state, node, writer, facts.look)
    if sentence:
        lines.append(row("lasts", span(facts.look.plain(sentence), role)))
    if writer.advice:
        lines.append(row("what to do", span(writer.advice)))
    lines += [
        row("hosted by", span(writer.service or None)),
        row("writer", span(writer.id or None, "dim")),
        row("instance", span(writer.instance or None, "dim")),
    ]
    return Section(f"Instance {writer.instance[:8]}" if several else "Writer", tuple(lines))


def _guilty(facts: Facts, node: str) -> list[Section]:
    """The guests that made a backup of the node fail, and whether they are still full; nothing when there are none."""
    told = list(verdicts(facts.state, facts.guests, node, facts.now))
    lines = [text(span(facts.look.plain(one.text), SEVERITY_ROLES.get(one.severity, "ok"))) for one in told]
    return [Section("Guests whose shadow copy failed", tuple(lines))] if lines else []


def _reading(facts: Facts, view: NodeView) -> Section:
    picture = view.writers
    if picture is None:
        return Section("Reading", (text(("never read", "unread")),))
    age = None if picture.read_at is None else facts.now - picture.read_at
    lines = [
        row("read", facts.moment(picture.time, view.name) if picture.time else span("never", "unread")),
        row("age here", fmt.age(age)),
        row("took", f"{picture.duration_ms / 1000:.1f} s"),
        row("writers", str(len(picture.writers))),
    ]
    if picture.reading:
        lines.insert(0, row("now", span("being read", "busy")))
    if picture.failure:
        lines.insert(0, row("last reading", span(picture.failure, "warn")))
    lines += [row("unreadable", span(line, "warn")) for line in picture.unreadable[:10]]
    return Section("Reading", tuple(lines))


def _elsewhere(facts: Facts, node: str, writer_key: str) -> Section:
    lines = []
    for name in sorted(facts.state.nodes, key=natural):
        view = facts.state.nodes[name]
        if name == node:
            continue
        same = [w for w in (view.writers.writers if view.writers else ()) if row_key(w) == writer_key]
        if same:
            line = writer_line(facts, name, worst_of(same))
            lines.append(row(name, *line.spans))
        else:
            read = view.writers is not None and bool(view.writers.writers)
            why = "not in this node's list" if read else why_blind(view)
            lines.append(row(name, span(f"{facts.look.glyphs.unknown} {why}", "warn" if read else "unread")))
    return Section("On the other nodes", tuple(lines) or (text(("no other node", "dim")),))


def _related(facts: Facts, view: NodeView, writer: Writer | None) -> list[NodeEvent]:
    if writer is None:
        return []
    found = []
    for item in facts.state.events.recent():
        if item.node != view.name:
            continue
        guid, name = writer_of(item.event) if item.event.provider == "VSS" else ("", "")
        about = (guid and guid == writer.id) or (name and name == writer.name)
        if about or (writer.id == HYPER_V and item.event.id in GUEST_EVENTS):
            found.append(item)
    return found
