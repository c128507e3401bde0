"""Rows of the Events pane and the words on how far the logs reach. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import ClassVar, Final

from hvtui.model.events import EventLog, NodeEvent, describe, is_noise, severity_of
from hvtui.model.severity import Severity
from hvtui.remote.contract import CHANNELS
from hvtui.text import safe_text
from hvtui.ui import format as fmt
from hvtui.ui.look import Look

LEVELS = {Severity.BAD: "error", Severity.WARN: "warning", Severity.INFO: "info", Severity.OK: "info"}


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as the pane shows it; `text` names the VM or writer it is about."""

    FIELDS: ClassVar[dict[str, str]] = {
        "node": "node",
        "id": "id",
        "severity": "severity",
        "level": "level",
        "channel": "channel",
        "log": "channel",
        "provider": "provider",
        "vm": "vm",
        "noise": "noise",
    }

    key: str
    time: datetime
    """By the clock of the node that logged it."""
    order: datetime
    """The same by one clock for all nodes: a node whose clock is wrong does not come first or last for ever."""
    node: str
    severity: Severity
    noise: bool
    id: int
    channel: str
    provider: str
    vm: str
    text: str

    def words(self) -> Iterator[str]:
        """What a plain search word looks at."""
        yield self.text
        yield self.node
        yield str(self.id)
        yield self.channel
        yield self.provider

    @property
    def level(self) -> str:
        """The severity as a word."""
        return LEVELS.get(self.severity, "unknown")


_WRONG: Final = timedelta(seconds=30)
"""Clocks further apart are corrected for; below that, what an offset contains of the network would only shuffle."""


def event_row(item: NodeEvent, offset: timedelta | None = None) -> EventRow:
    """The row of an event; `offset` is the clock of its node minus this console's."""
    event = item.event
    return EventRow(
        key=item.key,
        time=event.time,
        order=event.time if offset is None or abs(offset) < _WRONG else event.time - offset,
        node=safe_text(item.node, 60),
        severity=severity_of(event),
        noise=is_noise(event),
        id=event.id,
        channel=event.channel,
        provider=event.provider,
        vm=safe_text(event.vm_name or event.vm or ""),
        text=safe_text(describe(event)),
    )


def when(moment: datetime, now: datetime, zone: tzinfo | None) -> str:
    """Time of day for today's, date and time for older ones; eleven cells."""
    local = moment.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return local.strftime("%H:%M:%S")
    return local.strftime("%m-%d %H:%M")


def role_of(row: EventRow) -> str:
    """Style role of a row."""
    if row.noise:
        return "dim"
    return {Severity.BAD: "bad", Severity.WARN: "warn"}.get(row.severity, "")


def coverage_note(log: EventLog, nodes: Iterable[str], horizon: datetime, look: Look) -> tuple[str, str]:
    """Whether everything since `horizon` is here, and which logs say less; with the style role of the words."""
    gaps: list[tuple[datetime, str]] = []
    failed: list[str] = []
    unread: list[str] = []
    read = 0
    for node in nodes:
        seen = False
        for channel in CHANNELS:
            oldest, wrapped = log.coverage(node, channel)
            if oldest is not None or wrapped is not None:
                seen = True
                if wrapped and oldest is not None and oldest > horizon:
                    gaps.append((oldest, f"{node} {brief(channel)}"))
            problem = log.error(node, channel)
            if problem:
                failed.append(f"{node} {brief(channel)}: {problem}")
        if seen:
            read += 1
        elif not any(text.startswith(f"{node} ") for text in failed):
            unread.append(node)
    parts = []
    if gaps:
        since, log_name = max(gaps)
        more = f" and {len(gaps) - 1} more" if len(gaps) > 1 else ""
        parts.append(f"complete since {fmt.day_time(since, look.zone)[5:]} ({log_name} has wrapped{more})")
    elif read:
        parts.append(f"last 24 h of {read} nodes")
    if failed:
        parts.append(f"{len(failed)} logs not readable: {failed[0]}")
    if unread:
        parts.append(f"not read: {', '.join(unread[:4])}{f' +{len(unread) - 4}' if len(unread) > 4 else ''}")
    role = "warn" if failed or gaps else "dim"
    return look.plain(safe_text(" · ".join(parts))), role


def brief(channel: str) -> str:
    """A channel's name without what all of them share."""
    name = channel.removeprefix("Microsoft-Windows-")
    return name.removeprefix("Hyper-V-").removesuffix("/Operational")
