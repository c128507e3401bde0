"""Output that waits for a client to receive it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

LIMIT: Final = 1 << 20


class OutputBuffer:
    """Fragments of one target (the pool or one pipeline), in order.

    A writer waits until the client has asked for the first time, as PowerShell blocks in Write-Output until then, and
    while more than `limit` bytes wait (buffer mode Block). With `batching` seconds data shows only that long after the
    first fragment came, as WinRM may collect data before it answers. `loses`: whether a fragment gets lost on the way.
    """

    def __init__(
        self, *, batching: float = 0.0, limit: int = LIMIT, loses: Callable[[bytes], bool] | None = None
    ) -> None:
        self._fragments: deque[bytes] = deque()
        self._size = 0
        self._limit = limit
        self._batching = batching
        self._loses = loses
        self._due = 0.0
        self._asked = False
        self._interruption: Exception | None = None
        self._interruptions = 0
        self._changed = asyncio.Event()
        self.done = False
        """Nothing more will come."""
        self.error: Exception | None = None
        """Raised to whoever waits: the target is gone."""

    @property
    def empty(self) -> bool:
        """Whether nothing waits to be received."""
        return not self._fragments

    def put(self, data: bytes) -> None:
        """Add a fragment without waiting: states and error records."""
        if self._loses is not None and self._loses(data):
            return
        if not self._fragments and self._batching:
            self._due = asyncio.get_running_loop().time() + self._batching
        self._fragments.append(data)
        self._size += len(data)
        self._notify()

    @property
    def full(self) -> bool:
        """Whether as much waits as a writer may leave unread."""
        return self.error is None and self._size >= self._limit

    async def room(self) -> None:
        """Wait until output may be added."""
        while self.error is None and (not self._asked or self.full):
            await self._changed.wait()

    async def below_limit(self) -> None:
        """Wait until a client has taken enough, or nothing will be taken any more."""
        while self.full:
            await self._changed.wait()

    def finish(self) -> None:
        """Nothing more will come; what waits can still be received."""
        self.done = True
        self._notify()

    def fail(self, error: Exception) -> None:
        """End every wait with this error and drop the data."""
        self.error = error
        self._fragments.clear()
        self._notify()

    def interrupt(self, error: Exception) -> None:
        """End the waits of now with this error and keep the data."""
        self._interruption = error
        self._interruptions += 1
        self._notify()

    async def ready(self, patience: float) -> bool:
        """Wait until there is something to take or the end to tell; False after `patience` seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + patience
        interruptions = self._interruptions
        self._asked = True
        self._notify()
        while True:
            if self.error is not None:
                raise self.error
            if interruptions != self._interruptions and self._interruption is not None:
                raise self._interruption
            now = loop.time()
            wait = deadline - now
            if self.done or (self._fragments and (now >= self._due or self._size >= self._limit)):
                return True
            if wait <= 0:
                return False
            if self._fragments:
                wait = min(wait, self._due - now)
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                continue

    def take(self, limit: int) -> tuple[list[bytes], bool]:
        """Fragments of at most `limit` bytes in all (at least one), and whether this is the end."""
        taken: list[bytes] = []
        size = 0
        while self._fragments and (not taken or size + len(self._fragments[0]) <= limit):
            fragment = self._fragments.popleft()
            size += len(fragment)
            taken.append(fragment)
        self._size -= size
        self._notify()
        return taken, self.done and not self._fragments

    def _notify(self) -> None:
        # Everyone waiting looks again; the next wait needs an event that is not set.
        self._changed.set()
        self._changed = asyncio.Event()
