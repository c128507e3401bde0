"""What a user interface sees of a cluster, be it live, simulated or (later) a recording."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hvtui.clock import Clock
from hvtui.model.change import Change
from hvtui.model.state import ClusterState
from hvtui.model.usage import Usage


class Feed(Protocol):
    """A cluster's state and the changes to it. All methods are called on the event loop's thread."""

    title: str
    """The cluster's name in the configuration, shown until the cluster says its own."""
    read_only: bool
    protected: bool
    clock: Clock
    state: ClusterState

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` after every step that changed something; the result unsubscribes."""
        ...

    def refresh(self, what: str, node: str = "") -> str:
        """Read now: `what` is `cluster`, `node`, `writers`, `events`, `signals`, or `chain` (`node` is a VM's id then).

        The result says in words what was started.
        """
        ...

    def usage(self, node: str) -> Usage | None:
        """What this console cost a node in the last minute; None when that is not known."""
        ...

    async def start(self) -> None:
        """Begin; returns at once, the state fills as answers come."""
        ...

    async def stop(self) -> None:
        """End every remote call and close every lane within a few seconds."""
        ...
