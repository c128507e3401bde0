"""A night of a scenario, offline: every node ticks by its own clock, messages take their time, and nobody waits."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from hvtui.lab.world import World
from hvtui.live import inputs
from hvtui.live.inputs import Input
from hvtui.model.enums import IntegrationStatus
from hvtui.recording.recorder import PAUSE, Recorder
from tests.support.recorded import ToldFeed
from tests.support.world import START

EVENTS = 65.0
"""Seconds between two looks into the logs of a node, as the live monitor has it with 64 nodes."""
WRITERS = 700.0
FACTOR = 0.05


@dataclass
class Counts:
    """What was told. `changes`: records that came, went or were told anew, and events; `load`: load figures of VMs."""

    messages: int = 0
    changes: int = 0
    load: int = 0
    events: int = 0
    tap: float = 0.0
    """Seconds of the event loop's thread that the recorder took."""
    writing: float = 0.0
    """Seconds of processor that the recorder's own thread took."""

    def take(self, told: Input) -> None:
        """Count an input."""
        self.messages += 1
        if isinstance(told, inputs.EventsTold):
            self.events += len(told.page.events or ())
            self.changes += len(told.page.events or ())
        elif isinstance(told, inputs.NodeTold):
            frame = told.frame
            self.load += len(frame.load.vms) // 3 if frame.load is not None else 0
            if frame.kind == "delta":
                self.changes += sum(len(one or ()) for one in (frame.vms, frame.files, frame.jobs))
                self.changes += sum(len(one) for one in frame.gone.values())
        elif isinstance(told, inputs.ClusterTold) and told.frame.kind == "delta":
            cluster = told.frame
            self.changes += sum(len(one or ()) for one in (cluster.nodes, cluster.csvs, cluster.io, cluster.roles))
            self.changes += sum(len(one) for one in cluster.gone.values())


class Night:
    """Plays a world into a recording with `per_minute` changes at least; guests' heartbeats make up the rest."""

    def __init__(self, scenario: str, file: Path, *, per_minute: int, seed: int = 8) -> None:
        self.feed = ToldFeed(World.load(scenario, start=START))
        self.counts = Counts()
        self.recorder = Recorder(file, self.feed.state, self.feed.clock, title=scenario, own_thread=False)
        self.feed.store.tap = self._tap
        self._per_minute = per_minute
        self._dice = Random(seed)
        self._order = 0
        self._heap: list[tuple[float, int, str, str]] = []
        self._elapsed = 0.0
        nodes = list(self.feed.world.nodes)
        self._ticks = {name: 2.0 * self._dice.uniform(1 - FACTOR, 1 + FACTOR) for name in nodes}
        self._vms = list(self.feed.world.vms.values())
        self._push(0.0, "cluster", "")
        for name in nodes:
            self._push(self._dice.uniform(0, 2), "node", name)
            self._push(self._dice.uniform(3, EVENTS), "events", name)
            self._push(self._dice.uniform(3, WRITERS), "writers", name)
        self._push(60.0, "churn", "")
        self._push(PAUSE, "write", "")

    def play(self, seconds: float) -> Iterator[float]:
        """Go on for so long; gives the time every simulated minute."""
        minute = self._elapsed + 60.0
        end = self._elapsed + seconds
        while self._heap and self._heap[0][0] <= end:
            when, _, what, name = heapq.heappop(self._heap)
            step = when - self._elapsed
            if step > 0:
                self.feed.advance(step)
                self._elapsed = when
            self._do(what, name)
            if self._elapsed >= minute:
                minute += 60.0
                yield self._elapsed

    def _do(self, what: str, name: str) -> None:
        feed, world = self.feed, self.feed.world
        if what == "cluster":
            feed.read_cluster()
            self._push(self._elapsed + 2.0 + self._late(), "cluster", "")
        elif what == "node":
            feed.read_node(world.nodes[name])
            self._push(self._elapsed + self._ticks[name] + self._late(), "node", name)
        elif what == "events":
            feed.read_events(world.nodes[name])
            self._push(self._elapsed + EVENTS * self._dice.uniform(0.95, 1.05), "events", name)
        elif what == "writers":
            feed.read_writers(world.nodes[name])
            self._push(self._elapsed + WRITERS * self._dice.uniform(0.9, 1.1), "writers", name)
        elif what == "churn":
            self._churn()
        else:
            began = time.process_time()
            self.recorder.write()
            self.counts.writing += time.process_time() - began
            feed.store.take()
            self._push(self._elapsed + PAUSE, "write", "")

    def _churn(self) -> None:
        """Let so many guests answer otherwise within the next second that the night has its changes."""
        missing = self._per_minute * self._elapsed / 60 - self.counts.changes
        for _ in range(max(0, min(self._per_minute // 30, round(missing)))):
            vm = self._dice.choice(self._vms)
            if vm.running:
                lost = vm.guest.heartbeat == IntegrationStatus.Ok
                word = IntegrationStatus.LostCommunication if lost else IntegrationStatus.Ok
                vm.guest = replace(vm.guest, heartbeat=word)
                vm.touch()
        self._push(self._elapsed + 1.0, "churn", "")

    def _tap(self, told: Input) -> None:
        began = time.perf_counter()
        self.recorder.tap(told)
        self.counts.tap += time.perf_counter() - began
        self.counts.take(told)

    def _late(self) -> float:
        """What a message is late: the network and a busy node, milliseconds, now and then more."""
        return min(0.5, self._dice.expovariate(1 / 0.008))

    def _push(self, when: float, what: str, name: str) -> None:
        self._order += 1
        heapq.heappush(self._heap, (round(when, 3), self._order, what, name))
