"""What every detail page needs: harmless text with a role, times on the right clock, and why something is unread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from hvtui.live.feed import Feed
from hvtui.model.events import NodeEvent, describe, severity_of
from hvtui.model.link import Link, LinkStatus
from hvtui.model.records import Problem
from hvtui.model.severity import Severity
from hvtui.model.state import ClusterState, NodeView
from hvtui.operations.guest_knowledge import GuestKnowledge
from hvtui.text import safe_text
from hvtui.ui import format as fmt
from hvtui.ui.look import Look
from hvtui.ui.widgets.document import Line, Section, Span

EVENT_LIMIT = 30
"""Related events shown on a page."""

TEXT_LIMIT = 20_000


def span(text: object, role: str = "") -> Span:
    """Harmless text with a role; what is None becomes a dim `?`."""
    return ("?", "unread") if text is None or text == "?" else (safe_text(str(text), TEXT_LIMIT), role)


def row(label: str, *spans: Span | str | None, wrap: bool = True) -> Line:
    """A label and what it says; strings are taken as plain text."""
    return Line(label, tuple(s if isinstance(s, tuple) else span(s) for s in spans), wrap)


def text(*spans: Span | str | None, wrap: bool = True) -> Line:
    """A line without a label."""
    return row("", *spans, wrap=wrap)


def yes_no(value: bool | None) -> str | None:
    """`yes`, `no`, or None for unread."""
    return None if value is None else "yes" if value else "no"


class Facts:
    """The state of a feed, seen now, in the user's way of drawing."""

    def __init__(self, feed: Feed, look: Look, guests: GuestKnowledge | None = None) -> None:
        self.feed = feed
        self.guests = guests or GuestKnowledge()
        """What looks into guests have found."""
        self.look = look
        self.state: ClusterState = feed.state
        self.now = feed.clock.monotonic()

    # --- times ---

    def node_now(self, name: str) -> datetime | None:
        """The node's own clock now, the cluster's when the node was never heard."""
        view = self.state.nodes.get(name)
        found = view.link.node_now(self.now) if view is not None else None
        return found or self.state.cluster.link.node_now(self.now)

    def moment(self, when: datetime | None, node: str = "") -> Span:
        """A time, and how long ago that was by the node's own clock."""
        if when is None:
            return span(None)
        there = self.node_now(node)
        ago = f" ({fmt.age((there - when).total_seconds())} ago)" if there is not None and there >= when else ""
        return span(fmt.day_time(when, self.look.zone) + ago)

    # --- sources ---

    def link_section(self, title: str, link: Link, interval: bool = True) -> Section:
        """How well a source is heard."""
        role, glyph = link_role(link, self.now), link_glyph(link, self.look)
        lines = [row("status", span(f"{glyph} {link.status.value}", role))]
        if link.text:
            lines.append(row("reason", span(link.text, role)))
        if link.hint:
            lines.append(row("what to do", span(link.hint)))
        if link.since:
            lines.append(row("for", fmt.age(self.now - link.since)))
        age = link.age(self.now)
        heard = "never" if age is None else f"{fmt.age(age)} ago"
        lines.append(row("last heard", span(heard, "warn" if link.stale(self.now) else "")))
        if link.offset is not None:
            notable = abs(link.offset.total_seconds()) >= 2
            lines.append(row("clock", span(f"{fmt.offset(link.offset)} against this console", "warn" * notable)))
        if interval and link.last_frame is not None:
            lines.append(row("looks every", f"{link.interval:g} s"))
        return Section(title, tuple(lines))

    def problems(self, problems: Iterable[Problem], who: str) -> Section | None:
        """What a source could not tell, and why."""
        lines = [
            row(p.part, span(f"{self.look.glyphs.unknown} {p.kind}", "warn"), span(f" {p.text}"), _code(p.code))
            for p in problems
        ]
        return Section("Not readable", tuple(lines), note=who) if lines else None

    def events(self, items: Sequence[NodeEvent], title: str = "Events", *, node: bool = True) -> Section:
        """Events, newest first."""
        glyphs = self.look.glyphs
        lines = []
        for item in items[:EVENT_LIMIT]:
            severity = severity_of(item.event)
            role = {Severity.BAD: "bad", Severity.WARN: "warn"}.get(severity, "dim")
            glyph = {Severity.BAD: glyphs.bad, Severity.WARN: glyphs.warn}.get(severity, glyphs.info)
            spans = [span(fmt.day_time(item.event.time, self.look.zone)[5:], "dim"), span(f" {glyph} ", role)]
            if node:
                spans.append(span(f"{item.node} ", "dim"))
            spans += [span(f"{item.event.id} ", "dim"), span(describe(item.event), "dim" if role == "dim" else "")]
            lines.append(text(*spans))
        more = f"{EVENT_LIMIT} of {len(items)}" if len(items) > EVENT_LIMIT else str(len(items))
        return Section(title, tuple(lines) or (text(("none in what was read", "dim")),), wide=True, note=more)


def _code(code: str) -> Span:
    return (f" ({safe_text(code)})", "dim") if code else ("", "")


def link_role(link: Link, now: float) -> str:
    """Style role of a connection state."""
    if link.status is LinkStatus.LIVE:
        return "warn" if link.stale(now) else "ok"
    if link.status in (LinkStatus.CONNECTING, LinkStatus.NOT_CONTACTED, LinkStatus.STOPPED):
        return "dim"
    return "bad"


def link_glyph(link: Link, look: Look) -> str:
    """Glyph of a connection state."""
    glyphs = look.glyphs
    if link.status is LinkStatus.LIVE:
        return glyphs.ok
    if link.status is LinkStatus.CONNECTING:
        return glyphs.busy
    return glyphs.unknown if link.status in (LinkStatus.NOT_CONTACTED, LinkStatus.STOPPED) else glyphs.bad


def stale_note(facts: Facts, view: NodeView | None) -> str:
    """`stale 34 s`, empty while the node is heard."""
    if view is None:
        return "never heard"
    return f"stale {fmt.age(view.link.age(facts.now))}" if view.link.stale(facts.now) else ""
