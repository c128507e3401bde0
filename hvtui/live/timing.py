"""How long the monitor waits for what, in seconds; one place, so that tests need not wait as long as people do."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """`silence` is the least; three ticks of the stream if that is longer."""

    silence: float = 5.0
    """Without a message for so long, a node is probed and the cluster's stream moves to another node."""
    first_picture: float = 10.0
    """The same before the first message: a loaded host takes long for it."""
    first_probe: float = 30.0
    """A node that answers while its first picture does not come is probed after so long: a probe is another session,
    which makes a loaded host slower still."""
    first_picture_most: float = 120.0
    """Most patience with the cluster's first picture; it grows to that while nodes answer and none has it in time."""
    probe_again: float = 10.0
    retry: float = 0.5
    """First wait before a new connection; it doubles up to `retry_most`."""
    retry_most: float = 10.0
    retry_unusable: float = 60.0
    """Longest wait where a person must do something first."""
    events: float = 30.0
    """Between two looks into the event logs of a node; longer with more than 32 nodes."""
    writers: float = 600.0
    """Between two reads of a node's VSS writers that nobody asked for; up to a half longer."""
    writers_soon: float = 60.0
    """The same at the least: while a backup asks the writers, has just failed, or what they say has changed."""
    idle: float = 90.0
    """An on-demand lane is closed after so long without a call; opening one costs the node a new process."""
    without_cluster: float = 5.0
    """When no cluster picture came for so long, every configured address is tried."""
    settle: float = 15.0
    """Slow facts of a node wait for the first pictures of the others, but not longer."""
    stop: float = 6.0


class Backoff:
    """Waits that grow while something fails, with jitter, so that nodes do not come back in step."""

    def __init__(self, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self._next = first

    def reset(self) -> None:
        """It worked."""
        self._next = self._first

    def wait(self, most: float = 0.0) -> float:
        """Seconds to wait now."""
        seconds = min(self._next, most or self._most)
        self._next = min(self._next * 2, max(most, self._most))
        return seconds * random.uniform(0.7, 1.3)  # noqa: S311  # jitter, not secrecy
