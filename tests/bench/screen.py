"""A terminal that stops the clock when bytes arrive which make the screen show what is expected."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.support.terminal import Terminal

COLUMNS, LINES = 200, 50

Shown = Callable[[Any], bool]


class TimedTerminal(Terminal):
    """As `Terminal`; what is looked for is looked for after every piece of output, with the time it came at."""

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        columns: int = COLUMNS,
        lines: int = LINES,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._wanted: Shown | None = None
        self._found = threading.Event()
        self.found_at = 0.0
        self.bytes = 0
        super().__init__(arguments, columns=columns, lines=lines, env=env)

    def fed(self, data: bytes, came: float) -> None:
        self.bytes += len(data)
        if self._wanted is not None and self._wanted(self._screen):
            self._wanted = None
            self.found_at = came
            self._found.set()

    def press(self, key: str, wanted: Shown, timeout: float = 5.0) -> float | None:
        """Seconds from writing a key to the arrival of the bytes that show its effect; None when they never came."""
        self._found.clear()
        with self._changed:
            self._wanted = wanted
        began = time.perf_counter()
        self.send(key)
        if not self._found.wait(timeout):
            self._wanted = None
            return None
        return self.found_at - began

    def look(self, reader: Callable[[Any], Any]) -> Any:
        """What a function reads from the screen as it is."""
        with self._changed:
            return reader(self._screen)
