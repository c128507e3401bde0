"""What hvtui itself costs a node: for the person who must answer for what runs there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hvtui.model.usage import Usage
from hvtui.model.views import NodeView
from hvtui.ui import format as fmt
from hvtui.ui.screens.facts import Facts, row, span
from hvtui.ui.widgets.document import Section, Span

TITLE: Final = "What hvtui costs this node"


def cost_section(facts: Facts, view: NodeView) -> Section:
    """Calls, processor time and traffic of the last minute; what nobody measured is `?`."""
    usage = facts.feed.usage(view.name)
    look = row("one look", span(f"{view.tick_ms} ms of the node's time" if view.seq else None))
    if usage is None:
        return Section(TITLE, (row("calls", span(None)), row("CPU", span(None)), look), note="not measured")
    lines = [
        row("calls", *_counts(usage.calls)),
        row("rounds", *_counts(usage.rounds)),
        row("CPU", *_processor(usage)),
        look,
        row("network", span(f"{usage.requests} requests, {fmt.size(usage.sent)} sent, "
                            f"{fmt.size(usage.received)} received")),
        row("sessions", span(len(usage.sessions)), span(f" open: {', '.join(usage.sessions)}", "dim"))
        if usage.sessions else row("sessions", span("none open")),
    ]  # fmt: skip
    return Section(TITLE, tuple(lines), note=f"last {_window(usage.seconds)}")


def _window(seconds: float) -> str:
    return "minute" if seconds >= 60 else fmt.age(seconds)


def _counts(counts: Mapping[str, int]) -> list[Span]:
    """The sum, and what it is made of, the most frequent first."""
    parts = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    of = ", ".join(f"{name} {count}" for name, count in parts)
    return [span(sum(counts.values())), span(f" {of}" if of else "", "dim")]


def _processor(usage: Usage) -> list[Span]:
    """Milliseconds and the share of one processor, and whose it is not."""
    untold = span(f"; not told by: {', '.join(usage.untold)}", "unread") if usage.untold else span("")
    if usage.cpu_ms is None:
        return [span(None), untold]
    share = f", {usage.cpu_ms / usage.seconds / 10:.1f} % of one processor" if usage.seconds >= 1 else ""
    return [
        span(f"{usage.cpu_ms} ms{share}"),
        span(" in hvtui's sessions, without Windows' own services", "dim"),
        untold,
    ]
