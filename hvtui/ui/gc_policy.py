"""When Python collects garbage: a full collection over 8,000 live records takes longer than a frame."""

from __future__ import annotations

import gc
from typing import Final

_IDLE_AFTER: Final = 5.0
"""Seconds without a key after which a pause of some dozen milliseconds goes unseen."""

_EVERY: Final = 60.0
"""Seconds between collections while idle; `_OVERDUE` bounds memory when the user never rests."""

_OVERDUE: Final = 600.0

_SETTLED: Final = 10.0
"""Seconds after the start when the first full picture is there."""


class IdleCollector:
    """Young generations run as always, full collections only while the user rests, and then the living are frozen."""

    def __init__(self, monotonic: float) -> None:
        self._last = monotonic + _SETTLED - _EVERY

    def begin(self) -> None:
        """Start-up is over: what lives now will live long."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(700, 10, 1_000_000)

    def second(self, monotonic: float, last_key: float) -> bool:
        """Collect if it is time; True when it did."""
        waited = monotonic - self._last
        if (waited > _EVERY and monotonic - last_key > _IDLE_AFTER) or waited > _OVERDUE:
            self._last = monotonic
            gc.collect()
            gc.freeze()
            return True
        return False
