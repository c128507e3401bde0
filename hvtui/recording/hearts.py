"""Heartbeats that a recording left out because they came as expected: how old a source's data were at any moment.

A stored message tells how many heartbeats came since the one before, the last of them being itself. They are taken to
have come evenly; a source that was silent has none, and ages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

import msgspec

from hvtui.live import inputs
from hvtui.model.link import LinkStatus
from hvtui.model.state import ClusterState
from hvtui.recording.condense import Told
from hvtui.recording.keyframe import Keyframe


@dataclass(slots=True)
class _Runs:
    """Of one source: pairs of stored messages with heartbeats between them, and where one is among them."""

    runs: list[tuple[int, int, int]] = field(default_factory=list)
    """From, to (milliseconds), and how many heartbeats, the message at the end being the last."""
    place: int = 0
    given: int = 0
    """Heartbeats of the present run that were given."""


class Hearts:
    """Those of one segment."""

    def __init__(self, runs: dict[str, _Runs]) -> None:
        self._runs = runs

    @classmethod
    def of(cls, key: Keyframe, told: list[Told], origin: float) -> Self:
        """`origin` is the monotonic clock when the recording began."""
        last: dict[str, int] = {}
        for name, link in (("", key.cluster.link), *((node.name, node.link) for node in key.nodes)):
            if link.last_frame is not None:
                last[name] = round((link.last_frame - origin) * 1000)
        found: dict[str, _Runs] = {}
        for one in told:
            if not isinstance(one.told, inputs.NodeTold | inputs.ClusterTold):
                continue
            name = one.told.name
            if one.beats > 1 and name in last:
                found.setdefault(name, _Runs()).runs.append((last[name], one.time, one.beats))
            last[name] = one.time
        return cls(found)

    def beat(self, state: ClusterState, ms: int) -> set[str]:
        """Bring every source to its last heartbeat at `ms`; the result are those that were heard."""
        heard = set()
        for name, held in self._runs.items():
            runs = held.runs
            while held.place < len(runs) and runs[held.place][1] <= ms:
                held.place += 1
                held.given = 0
            if held.place >= len(runs) or runs[held.place][0] >= ms:
                continue
            began, ended, beats = runs[held.place]
            count = (ms - began) * beats // (ended - began)
            if count > held.given and _heard(state, name, (ended - began) * (count - held.given) / beats):
                held.given = count
                heard.add(name)
        return heard


def _heard(state: ClusterState, name: str, later: float) -> bool:
    """One more heartbeat, so many milliseconds after the last message; False when the source is not there."""
    view = state.nodes.get(name) if name else state.cluster
    if view is None or view.link.last_frame is None or view.link.status not in {LinkStatus.LIVE, LinkStatus.HANGING}:
        return False
    step = timedelta(milliseconds=round(later))
    node_time = None if view.link.node_time is None else view.link.node_time + step
    view.link = msgspec.structs.replace(view.link, last_frame=view.link.last_frame + later / 1000, node_time=node_time)
    if view.time is not None:
        view.time += step
    return True
