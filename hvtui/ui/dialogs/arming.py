"""A button that cannot be pressed by a key that was meant for what stood there before."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

SECONDS: Final = 0.3
"""How long `y` and Enter are ignored after a dialog has opened or shows something else."""


class Arming:
    """Armed some time after it began. A key that came too early begins the time anew: a held key never confirms."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is the machine's own: it is about fingers, not about data."""
        self._clock = clock
        self._since = clock()

    def begin(self) -> None:
        """The dialog opened, or what it asks for is new."""
        self._since = self._clock()

    @property
    def left(self) -> float:
        """Seconds until it is armed."""
        return max(0.0, self._since + SECONDS - self._clock())

    @property
    def armed(self) -> bool:
        """A key counts now."""
        return self.left <= 0
