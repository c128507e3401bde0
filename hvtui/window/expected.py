"""When backups are expected: the windows of the configuration by the clock, over midnight and over its changes.

A window is meant in local time. On the day on which clocks go forward a time that does not exist is taken as if they
had not; on the day on which they go back a window begins at the first of two equal times and ends at the second.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from hvtui.window.records import Expected


class Daily(Protocol):
    """A span of the day in a time zone: `hvtui.config.BackupWindow`."""

    @property
    def start(self) -> time: ...
    @property
    def end(self) -> time: ...
    @property
    def zone(self) -> str: ...


def occurrence(window: Daily, day: date) -> tuple[datetime, datetime]:
    """Begin and end, UTC, of the window that begins on a local day. Equal times mean a whole day."""
    zone = ZoneInfo(window.zone)
    last = day + timedelta(days=1) if window.end <= window.start else day
    begin = datetime.combine(day, window.start, zone).replace(fold=0).astimezone(UTC)
    end = datetime.combine(last, window.end, zone).replace(fold=1).astimezone(UTC)
    return begin, end


def expected(windows: Iterable[Daily], now: datetime) -> Expected | None:
    """Where `now` is among the windows; None when none is configured.

    Windows that overlap or touch count as one: the end of the night is the end of the last of them.
    """
    spans: list[tuple[datetime, datetime, str]] = []
    for window in windows:
        today = now.astimezone(ZoneInfo(window.zone)).date()
        for days in range(-2, 3):
            begin, end = occurrence(window, today + timedelta(days=days))
            # A window that lies whole in the hour that is left out does not occur that night.
            if end > begin:
                spans.append((begin, end, window.zone))
    if not spans:
        return None
    nights: list[tuple[datetime, datetime, str]] = []
    for begin, end, zone in sorted(spans):
        if nights and begin <= nights[-1][1]:
            before = nights[-1]
            nights[-1] = (before[0], max(before[1], end), before[2])
        else:
            nights.append((begin, end, zone))
    past = [night for night in nights if night[0] <= now]
    coming = next((night for night in nights if night[0] > now), None)
    if not past:
        return Expected(inside=False, next=coming[0] if coming else None, zone=coming[2] if coming else "UTC")
    begin, end, zone = past[-1]
    return Expected(inside=now < end, begin=begin, end=end, next=coming[0] if coming else None, zone=zone)
