"""A node's engine that does what a test tells it to."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from hvtui.lab.engine import Call, CommandError, Output
from hvtui.remote.contract import CONTRACT, FUNCTIONS, WIRE

TIME = "2026-01-10T01:00:00.000Z"

Behaviour = Callable[[Call, Output], Awaitable[None]]


def info(node: str = "HV01", **fields: Any) -> str:
    """The answer of Get-HvTuiInfo."""
    basic = {"v": WIRE, "contract": CONTRACT, "node": node, "time": TIME, "build": "10.0.20348.1", "supported": True}
    return json.dumps({**basic, **fields})


def frame(kind: str, seq: int, **fields: Any) -> str:
    """A message of a stream."""
    return json.dumps({"v": WIRE, "kind": kind, "seq": seq, "time": TIME, "interval_ms": 500, **fields})


class ScriptedEngine:
    """Answers each function with a text, or runs a behaviour; remembers what it was asked."""

    def __init__(self, **behaviours: str | Behaviour) -> None:
        self.behaviours: dict[str, str | Behaviour] = {"Get-HvTuiInfo": info(), **behaviours}
        self.calls: list[Call] = []
        self.stops = 0

    def functions(self) -> frozenset[str]:
        return frozenset(FUNCTIONS)

    async def run(self, call: Call, output: Output) -> None:
        self.calls.append(call)
        behaviour = self.behaviours.get(call.command)
        if behaviour is None:
            raise CommandError(f"{call.command} was not expected", error_id="NotExpected")
        if isinstance(behaviour, str):
            await output.write(behaviour)
            return
        await behaviour(call, output)
        self.stops += call.stopped.is_set()


async def hang(call: Call, output: Output) -> None:
    """Do nothing until stopped."""
    await call.stopped.wait()


def ticking(*frames: str, every: float = 0.05) -> Behaviour:
    """Write the frames, one after another, then wait for the stop."""

    async def run(call: Call, output: Output) -> None:
        for text in frames:
            await output.write(text)
            await asyncio.sleep(every)
        await call.stopped.wait()

    return run


def living(full: str, every: float = 0.5) -> Behaviour:
    """Write a full picture, then a heartbeat twice a second until stopped."""

    async def run(call: Call, output: Output) -> None:
        await output.write(full)
        number = 1
        while not call.stopped.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(call.stopped.wait(), every)
                return
            number += 1
            await output.write(frame("beat", number))

    return run
