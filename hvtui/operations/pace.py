"""How long an operation waits for what, in seconds; one place, so that tests need not wait as long as people do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Limits are of the client's monotonic clock. None of them ends Windows' work: it ends waiting for a sign."""

    tick: float = 1.0
    """Longest time between two looks at the picture while something is waited for."""
    preflight_age: float = 30.0
    """A preflight answer is used again before a step when it is no older."""
    fork_age: float = 600.0
    """The same for the search of the whole log; newer signs come with the event stream."""
    begin: float = 45.0
    """After Windows took a move, a sign of it must be seen within so long."""
    grace: float = 6.0
    """A move that is over without having arrived is called failed after so long: its news come in two messages."""
    settle: float = 90.0
    """After an end, until the picture shows the VMs where they belong."""
    retry: float = 5.0
    """First wait after another client's migrations took all places; it doubles up to `retry_most`."""
    retry_most: float = 60.0
    events: float = 8.0
    """How long a failure's event is waited for."""
    poll: float = 2.0
    """Between two looks at a service that stops or starts."""
    service: float = 180.0
    """A service that stops or starts without any progress for so long (or its own wait hint, if longer) hangs."""
    writer: float = 180.0
    """Until the Hyper-V writer must be back and stable after VMMS started."""
    writer_again: float = 10.0
    writers_age: float = 60.0
    """The writers of a node are read anew before a step that a backup forbids when they were read longer ago."""
    stall: float = 900.0
    """A drain or failback in which nothing moved for so long is said to stand still; it is waited for all the same."""
    fresh: float = 30.0
    """How long a fresh message of a stream is waited for."""
    roll: float = 7200.0
    """Rolling: longest wait before the next node, for storage jobs and other holds."""
    roll_again: float = 30.0
