"""Events of all nodes, newest first."""

from __future__ import annotations

from collections import deque

import msgspec

from hvtui.model.records import Event


class NodeEvent(msgspec.Struct, frozen=True):
    """An event and the node whose log holds it."""

    node: str
    event: Event


class EventLog:
    """A bounded, merged list of the nodes' events."""

    def __init__(self, limit: int = 20_000) -> None:
        self.recent: deque[NodeEvent] = deque(maxlen=limit)
