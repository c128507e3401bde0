"""Runs both streams on a real engine, on the lab's stand-ins for Windows, and measures each round."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Any, Final

import msgspec

from hvtui.lab.world import World
from hvtui.lab.world.scenario import Scenario
from hvtui.model.enums import GroupStatus
from tests.engine.support.stage import Stage

NODES: Final = 16
CSVS: Final = 8
SECONDS: Final = 2.0
"""Between two rounds."""
WARM: Final = 15
"""Rounds at the begin of a stream that are not counted: in them the engine compiles, and every cadence has its turn."""
ROUNDS: Final = 45
"""Rounds that are counted: one and a half minute, a whole number of times every cadence (10 s, 30 s)."""
FUNCTIONS: Final = ("Watch-HvTuiNode", "Watch-HvTuiCluster")
_INSIDE: Final = Path(__file__).with_name("inside.ps1")
_LOAD: Final = re.compile(r',"load":\{[^}]*\}')


@dataclass(frozen=True)
class Row:
    """A stream's mean round. `share` of the VMs changes in each. `own` is the processor time outside of the stand-ins,
    `usual` its median, `most` its largest, `standins` that within them, in milliseconds; `sent`, `load` and `first` are
    bytes."""

    function: str
    vms: int
    share: float
    commands: float
    queries: float
    objects: float
    own: float
    usual: float
    most: float
    standins: float
    sent: float
    load: float
    first: int


def scenario(vms: int) -> Scenario:
    """A cluster of which one node has so many VMs, each with two disks and a recovery checkpoint."""
    group: dict[str, Any] = {
        "prefix": "vm-",
        "count": vms,
        "nodes": ["HV01"],
        "dynamic": True,
        "second_disk": "Volume2",
        "checkpoints": [{"type": "Recovery", "age": "2h"}],
    }
    tables = {
        "title": "a footprint",
        "cluster": {"name": "CLU-COST", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2a0c0"},
        "nodes": {"count": NODES, "build": "10.0.20348.2762", "processors": 128, "memory_gb": 8192},
        "csvs": [{"count": CSVS, "size_gb": 262144, "free_gb": 90000}],
        "vms": [group] if vms else [],
    }
    return msgspec.convert(tables, Scenario)


def go_on(world: World, share: float, number: int) -> None:
    """Time passes, and a share of the VMs changes, others in every round: for their node and for the cluster."""
    world.advance(SECONDS)
    roles = list(world.roles.values())
    many = round(share * len(roles) + 0.49) if share else 0
    for at in range(number * many, (number + 1) * many):
        role = roles[at % len(roles)]
        role.vm.health = 30 - role.vm.health
        role.flag(GroupStatus.Queued, not role.status & GroupStatus.Queued)


def measure(stage: Stage, function: str, vms: int, share: float) -> Row:
    """One stream's figures."""
    world = stage.load(scenario(vms), at=60.0)
    engine = stage.engine("HV01")
    assert engine.run(_INSIDE.read_text(encoding="utf-8")).errors == []
    texts: list[str] = []
    with engine.watch(function, world.elapsed) as (stream, first):
        for number in range(WARM + ROUNDS):
            stage.do(partial(go_on, world, share, number))
            texts.append(compact(stream.round(world.elapsed)))
    # One that is under way is written down when it waits, and the first was before any was counted.
    kept: list[dict[str, float]] = json.loads(
        engine.run("ConvertTo-Json -Compress -InputObject @($global:Rounds)").output[0]
    )[1:]
    assert len(kept) == WARM + ROUNDS
    counted, sent = kept[WARM:], texts[WARM:]
    own = [one["all"] - one["standins"] for one in counted]
    loads = [sum(len(hit.encode()) for hit in _LOAD.findall(text)) for text in sent]
    return Row(
        function=function,
        vms=vms,
        share=share,
        commands=mean(one["commands"] for one in counted),
        queries=mean(one["queries"] for one in counted),
        objects=mean(one["objects"] for one in counted),
        own=mean(own),
        usual=median(own),
        most=max(own),
        standins=mean(one["standins"] for one in counted),
        sent=mean(len(text.encode()) - load for text, load in zip(sent, loads, strict=True)),
        load=mean(loads),
        first=len(compact(first).encode()),
    )


def compact(message: dict[str, Any]) -> str:
    """A message as the module writes it, without blanks."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))


def rows(pwsh: str, sizes: tuple[int, ...]) -> Iterator[Row]:
    """All figures, one after the other."""
    with Stage(pwsh) as stage:
        for vms in sizes:
            for share in (0.0, 0.01) if vms else (0.0,):
                for function in FUNCTIONS:
                    yield measure(stage, function, vms, share)
