"""The one place hvtui takes time from, so that tests can hold it still."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Two kinds of time: `monotonic` for the age of data, `now` for what is shown to a person."""

    def monotonic(self) -> float:
        """Seconds that never jump; only differences mean anything."""
        ...

    def now(self) -> datetime:
        """The client's wall clock, UTC."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved; `now` and `monotonic` move together."""

    def __init__(self, now: datetime, monotonic: float = 1_000.0) -> None:
        self._now = now
        self._monotonic = monotonic

    def monotonic(self) -> float:
        return self._monotonic

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by `seconds`."""
        self._monotonic += seconds
        self._now += timedelta(seconds=seconds)
