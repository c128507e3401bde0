"""A store that no event loop is needed for, and a clock that stands where it is put."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from hvtui.clock import Clock
from hvtui.live import inputs
from hvtui.live.inputs import Input
from hvtui.live.store import Store
from hvtui.model.change import Change
from hvtui.model.records import Frame
from hvtui.model.views import ClusterView, NodeView


class SetClock:
    """`now` is worked out from `wall` at `origin`, and the skew that a wall clock gained since."""

    def __init__(self, wall: datetime, origin: float) -> None:
        self._wall = wall
        self._origin = origin
        self._at = origin
        self._skew = timedelta()

    def monotonic(self) -> float:
        """The recorder's monotonic clock."""
        return self._at

    def now(self) -> datetime:
        """The recorder's wall clock."""
        return self._wall + timedelta(milliseconds=round((self._at - self._origin) * 1000)) + self._skew

    def set(self, ms: int, skew: int | None = None) -> None:
        """To a moment of the recording, in milliseconds since it began."""
        self._at = self._origin + ms / 1000
        if skew is not None:
            self._skew = timedelta(milliseconds=skew)


class StillStore(Store):
    """Gathers changes until they are taken; rings no bell."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._gathered = Change()

    def changed(self, change: Change) -> None:
        """Keep it for `take`."""
        self._gathered.add(change)

    def take(self) -> Change:
        """Everything that changed since the last time."""
        change, self._gathered = self._gathered, Change()
        return change

    def put(self, told: Input) -> None:
        """Apply an input; numbers of messages are made to fit, as heartbeats between them were left out."""
        if isinstance(told, inputs.NodeTold | inputs.ClusterTold):
            told = msgspec.structs.replace(told, frame=self._numbered(told.name, told.frame))
        super().put(told)

    def _numbered(self, name: str, frame: Frame) -> Frame:
        view: NodeView | ClusterView = self.state.node(name) if name else self.state.cluster
        return frame if frame.seq == view.seq + 1 else msgspec.structs.replace(frame, seq=view.seq + 1)
