"""Counts what hvtui asks of one node: requests, calls, bytes, and the processor time that its sessions report."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from hvtui.clock import Clock, SystemClock
from hvtui.model.usage import Usage

WINDOW: Final = 60.0
"""Seconds that a sum is over."""
STEP: Final = 2.0
"""Seconds that are counted together; a sum is over at most this much more than the window."""


@dataclass(slots=True)
class _Step:
    began: float
    calls: Counter[str] = field(default_factory=Counter)
    rounds: Counter[str] = field(default_factory=Counter)
    cpu_ms: int | None = None
    requests: int = 0
    sent: int = 0
    received: int = 0


class Meter:
    """All of one node's lanes count here, each on its own thread; anybody may ask for the sums."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._steps: deque[_Step] = deque()
        self._first: float | None = None
        self._open: list[SessionMeter] = []

    def session(self, purpose: str) -> SessionMeter:
        """A new session on the node, open until it is closed."""
        session = SessionMeter(self, purpose)
        with self._lock:
            self._open.append(session)
        return session

    def request(self, sent: int, received: int) -> None:
        """One HTTP request was answered; both in bytes of the bodies."""
        with self._lock:
            step = self._now()
            step.requests += 1
            step.sent += sent
            step.received += received

    def usage(self) -> Usage | None:
        """The sums of the last minute; None when the node was never contacted."""
        with self._lock:
            if self._first is None:
                return None
            now = self._clock.monotonic()
            self._forget(now)
            steps = list(self._steps)
            spent = [step.cpu_ms for step in steps if step.cpu_ms is not None]
            return Usage(
                seconds=min(WINDOW, now - self._first),
                calls=sum((step.calls for step in steps), Counter()),
                rounds=sum((step.rounds for step in steps), Counter()),
                cpu_ms=sum(spent) if spent else None,
                untold=tuple(sorted(session.purpose for session in self._open if not session.told)),
                requests=sum(step.requests for step in steps),
                sent=sum(step.sent for step in steps),
                received=sum(step.received for step in steps),
                sessions=tuple(sorted(session.purpose for session in self._open)),
            )

    def _now(self) -> _Step:
        now = self._clock.monotonic()
        if self._first is None:
            self._first = now
        if not self._steps or now - self._steps[-1].began >= STEP:
            self._forget(now)
            self._steps.append(_Step(now))
        return self._steps[-1]

    def _forget(self, now: float) -> None:
        while self._steps and now - self._steps[0].began > WINDOW:
            self._steps.popleft()

    # --- of one session ---

    def _called(self, function: str) -> None:
        with self._lock:
            self._now().calls[function] += 1

    def _round(self, function: str) -> None:
        with self._lock:
            self._now().rounds[function] += 1

    def _spent(self, session: SessionMeter, cpu_ms: int) -> None:
        with self._lock:
            # Less than before means another process; then all of it is new.
            more = cpu_ms - session.cpu_ms if session.told and cpu_ms >= session.cpu_ms else cpu_ms
            session.cpu_ms, session.told = cpu_ms, True
            step = self._now()
            step.cpu_ms = (step.cpu_ms or 0) + more

    def _closed(self, session: SessionMeter) -> None:
        with self._lock:
            if session in self._open:
                self._open.remove(session)


class SessionMeter:
    """What one session counts; its process is new, so the first time it tells is all its own."""

    def __init__(self, meter: Meter, purpose: str) -> None:
        self.purpose = purpose
        self.cpu_ms = 0
        self.told = False
        """It has said what it used."""
        self._meter = meter

    def called(self, function: str) -> None:
        """A function was called."""
        self._meter._called(function)

    def answered(self, cpu_ms: int | None, *, stream: str = "") -> None:
        """An answer came; `stream` names the function when it is a message of a stream."""
        if stream:
            self._meter._round(stream)
        if cpu_ms is not None:
            self._meter._spent(self, cpu_ms)

    def close(self) -> None:
        """The session is no more; what it has counted stays in the sums."""
        self._meter._closed(self)
