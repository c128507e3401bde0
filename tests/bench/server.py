"""The nodes of a bench: the native engine in a process of its own, with what only the bench asks of it.

`python -m tests.bench.server SCENARIO` with settings as JSON on standard input's first line; a line of standard input
is a command (`rate N`, `think MS`, `end`), and every answer is one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any, Final

from psrpcore.types import PSCustomObject

from hvtui.lab.endpoint.cluster import Cluster, ClusterOptions
from hvtui.lab.engine import Call, Output
from hvtui.lab.native import NativeEngine
from hvtui.lab.world import World
from hvtui.model.enums import CheckpointType

OBJECTS: Final = "Get-BenchVM"
"""The baseline's command: the node's VMs as objects, as `Get-VM | Select-Object` sends them."""
STEP: Final = 0.05
_TYPES: Final = (CheckpointType.Production, CheckpointType.ProductionOnly)


class BenchEngine:
    """A node's engine that thinks for a while before it answers, and also sends plain objects."""

    def __init__(self, world: World, node: str, think: Think) -> None:
        self._native = NativeEngine(world, node)
        self._node = world.node(node)
        self._think = think

    def functions(self) -> frozenset[str]:
        return self._native.functions() | {OBJECTS}

    async def run(self, call: Call, output: Output) -> None:
        if self._think.seconds:
            await asyncio.sleep(self._think.seconds)
        if call.command != OBJECTS:
            await self._native.run(call, output)
            return
        for vm in self._node.vms.values():
            fields = {
                "VMId": vm.id,
                "VMName": vm.name,
                "State": int(vm.state),
                "Status": "Operating normally",
                "CPUUsage": 3,
                "MemoryAssigned": 2**32,
                "MemoryDemand": 2**31,
                "MemoryStatus": "OK",
                "Uptime": "5.03:12:44",
                "CreationTime": "2024-05-01T12:00:00Z",
                "Generation": 2,
                "Version": str(vm.config_version),
                "IsClustered": True,
                "ComputerName": self._node.name,
                "CheckpointType": int(vm.checkpoint_type),
                "ConfigurationLocation": f"C:\\ClusterStorage\\Volume1\\{vm.name}",
                "SnapshotFileLocation": f"C:\\ClusterStorage\\Volume1\\{vm.name}",
                "ReplicationState": 0,
                "Heartbeat": 2,
                "IntegrationServicesState": "Up to date",
                "ProcessorCount": 4,
                "ParentCheckpointId": "",
                "AutomaticStartAction": 3,
                "DynamicMemoryEnabled": True,
                "Notes": "",
                "Path": f"C:\\ClusterStorage\\Volume1\\{vm.name}",
            }
            # The endpoint writes strings only: the product sends nothing else.
            output._pipe.write_output(PSCustomObject(**fields))  # type: ignore[attr-defined]
            output._channel.flush()  # type: ignore[attr-defined]


class Think:
    """How long every call takes at a node before its answer begins, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0


class Changes:
    """Changes the checkpoint type of VMs at a steady rate, a quarter of them among `near`."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._vms = list(world.vms.values())
        self.near: list[str] = []
        self.rate = 0.0
        self.made = 0

    async def run(self) -> None:
        chance = random.Random(9)
        due, last = 0.0, time.monotonic()
        while True:
            await asyncio.sleep(STEP)
            now = time.monotonic()
            due += self.rate * (now - last)
            last = now
            if due < 1:
                continue
            self._world.sync()
            while due >= 1:
                due -= 1
                near = self.near and chance.random() < 0.25
                vm = self._world.vms[chance.choice(self.near)] if near else chance.choice(self._vms)
                self.turn(vm.id)
            self._world.changed()

    def turn(self, vm_id: str) -> int:
        """Give a VM the other type; the result is the new one."""
        vm = self._world.vms[vm_id]
        vm.checkpoint_type = _TYPES[vm.checkpoint_type == _TYPES[0]]
        vm.touch()
        self.made += 1
        return int(vm.checkpoint_type)


def _vms(world: World) -> list[list[Any]]:
    return [[vm.id, vm.name, vm.node.name, int(vm.state), int(vm.checkpoint_type)] for vm in world.vms.values()]


def _answer(world: World, changes: Changes, think: Think, words: list[str]) -> Any:
    match words:
        case ["rate", rate]:
            changes.rate = float(rate)
        case ["near", *names]:
            changes.near = names
        case ["think", ms]:
            think.seconds = float(ms) / 1000
        case ["vms"]:
            return _vms(world)
        case ["turn", vm]:
            world.sync()
            kind = changes.turn(vm)
            world.changed()
            return {"type": kind, "at": time.monotonic()}
        case ["made"]:
            return changes.made
        case ["cpu"]:
            return time.process_time()
        case _:
            return {"error": f"no such command: {' '.join(words)}"}
    return "ok"


async def _serve(source: str, installed: bool) -> None:
    world = World.load(source, start=datetime.now(UTC))
    think = Think()
    engines = {name: BenchEngine(world, name, think) for name in world.nodes}
    cluster = Cluster(
        world.cluster.name,
        engines,
        ClusterOptions(installed=installed),
        {name: node.build for name, node in world.nodes.items()},
    )
    await cluster.start()
    changes = Changes(world)
    loop, end = asyncio.get_running_loop(), asyncio.Event()
    working = [asyncio.create_task(changes.run()), asyncio.create_task(_follow(world))]
    world.advance((datetime.now(UTC) - world.now).total_seconds())
    world.run(1.0)
    started = {"config": cluster.config_text(), "addresses": cluster.addresses, "password": cluster.password}
    _say({**started, "username": cluster.username})

    def act(words: list[str]) -> None:
        _say(_answer(world, changes, think, words))

    def read() -> None:
        for line in sys.stdin:
            if line.strip() == "end":
                break
            loop.call_soon_threadsafe(act, line.split())
        loop.call_soon_threadsafe(end.set)

    threading.Thread(target=read, daemon=True).start()
    await end.wait()
    for task in working:
        task.cancel()
    await cluster.stop()


async def _follow(world: World) -> None:
    while True:
        await asyncio.sleep(1.0)
        world.sync()


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], sys.argv[2:] != ["bare"]))
