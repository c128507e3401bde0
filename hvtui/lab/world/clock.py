"""World time: a heap of processes, advanced as far as asked and never by itself."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator
from itertools import count

Process = Generator[float, None, None]
"""Something that goes on in the world: it yields the seconds until it wants to go on."""


class Scheduler:
    """Runs processes in the order of their times; equal times in the order they were asked for.

    The result of `advance` depends on nothing but what was spawned: ten steps of one second give the same world as
    one step of ten.
    """

    def __init__(self) -> None:
        self.elapsed = 0.0
        self._heap: list[tuple[float, int, Process]] = []
        self._order = count()

    def spawn(self, process: Process, delay: float = 0.0) -> None:
        """Start a process `delay` seconds from now."""
        heapq.heappush(self._heap, (self.elapsed + max(0.0, delay), next(self._order), process))

    def after(self, delay: float, action: Callable[[], object]) -> None:
        """Call `action` once, `delay` seconds from now."""
        self.spawn(_once(action), delay)

    def advance(self, seconds: float) -> None:
        """Let `seconds` of world time pass."""
        end = self.elapsed + seconds
        heap = self._heap
        while heap and heap[0][0] <= end:
            time, _, process = heapq.heappop(heap)
            self.elapsed = time
            delay = next(process, None)
            if delay is not None:
                heapq.heappush(heap, (time + max(0.001, delay), next(self._order), process))
        self.elapsed = end


def _once(action: Callable[[], object]) -> Process:
    action()
    return
    yield 0.0
