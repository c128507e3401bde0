"""What a look of the findings' engine costs at 64 nodes and 8,000 VMs: `python -m tests.bench.findings`.

The `limit` world as its native engine tells it; every second each node's load moves and some VMs have another record
(`--changes` a minute), now and then a backup fails. Printed: the first look, which asks everything, and the seconds'
looks after it, without and with the budget that the console gives them.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Sequence
from time import perf_counter
from typing import Final

import msgspec

from hvtui.findings.engine import BUDGET, Engine
from hvtui.findings.look import Answers
from hvtui.model.change import Change
from hvtui.model.enums import VmState
from hvtui.model.preflight import NodePreflight, Preflight
from hvtui.model.records import Load, NodeFrame
from tests.support import builders
from tests.support.world import DirectFeed

SECONDS: Final = 60


def main(words: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=800, help="changed VMs a minute")
    parser.add_argument("--events", type=int, default=60, help="events a minute")
    chosen = parser.parse_args(words)
    feed = DirectFeed.load("limit")
    state = feed.state
    print(f"{len(state.nodes)} nodes, {len(state.homes)} VMs, {len(state.cluster.csvs or ())} CSVs")  # noqa: T201
    for name, budget in (("no budget", None), (f"budget {BUDGET * 1000:.0f} ms", BUDGET)):
        first, looks = _measure(feed, chosen.changes, chosen.events, budget)
        looks.sort()
        print(  # noqa: T201
            f"{name}: first look {first:.1f} ms; then {len(looks)} looks: median {statistics.median(looks):.1f} ms, "
            f"95 % {looks[len(looks) * 95 // 100]:.1f} ms, worst {looks[-1]:.1f} ms"
        )


def _measure(feed: DirectFeed, changes: int, events: int, budget: float | None) -> tuple[float, list[float]]:
    """Milliseconds of the first look, and of each of those that follow."""
    state, chance = feed.state, random.Random(7)
    engine, now, seq = Engine(), feed.clock.monotonic(), {name: view.seq for name, view in state.nodes.items()}
    facts = Answers(
        preflight={
            name: Preflight(v=1, time=view.time or builders.NOW, node=NodePreflight(name=name, shadow_copies=[]))
            for name, view in state.nodes.items()
        }
    )
    began = perf_counter()
    engine.look(state, now, facts)
    first = (perf_counter() - began) * 1000
    looks, record = [], 10_000_000
    for second in range(1, SECONDS + 1):
        change = Change()
        moved: dict[str, list[str]] = {}
        for key in chance.sample(list(state.homes), round(changes / 60)):
            moved.setdefault(state.homes[key][0], []).append(key)
        for name, view in state.nodes.items():
            seq[name] += 1
            vms = [view.vms[key] for key in moved.get(name, ())] if view.vms else []
            slots = [(vm.slot, chance.randrange(100), 4096) for vm in (view.vms or {}).values()]
            frame = NodeFrame(
                v=1,
                kind="delta",
                seq=seq[name],
                time=(view.time or builders.NOW),
                interval_ms=2000,
                vms=[msgspec.structs.replace(vm, heartbeat=chance.choice((2, 12)), state=VmState.Running) for vm in vms]
                or None,
                load=Load(host=(chance.randrange(100), 200_000), vms=[n for slot in slots for n in slot]),
            )
            link = msgspec.structs.replace(view.link, last_frame=now + second)
            change.add(state.apply_node(name, frame, link))
        for _ in range(round(events / 60)):
            record += 1
            name = chance.choice(list(state.nodes))
            vm = chance.choice(list(state.homes))
            failed = builders.event(10102, state.nodes[name].time or builders.NOW, record, vm=vm)
            change.add(state.add_events(name, builders.page([failed], newest_record=record)))
        engine.note(change)
        began = perf_counter()
        engine.look(state, now + second, facts, budget=budget)
        looks.append((perf_counter() - began) * 1000)
    return first, looks


if __name__ == "__main__":
    main()
