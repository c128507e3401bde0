"""A console whose process dies in the middle of an operation: what it held in memory is gone."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from hvtui.journal.store import Journal, JournalError
from hvtui.operations.plan import Plan
from hvtui.remote.contract import FUNCTIONS
from tests.support.desk import Stage, as_asked


async def killed_at(stage: Stage, plan: Plan, moment: str, patch: pytest.MonkeyPatch) -> None:
    """Start a plan; die right after the first line of a kind was written, or (`called`) in the middle of a change."""
    real = Journal.append
    dead, blocked, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

    def append(self: Journal, entry: Any) -> int:
        if dead.is_set():
            raise JournalError("dead")
        number = real(self, entry)
        if entry.kind.value == moment:
            loop.call_soon_threadsafe(dead.set)
            blocked.wait(20)
        return number

    async def forever() -> None:
        dead.set()
        await asyncio.Event().wait()

    def after(node: str, function: str, answer: Any) -> Any:
        return forever() if FUNCTIONS[function].mutating and moment == "called" else answer

    held = stage.nodes.hold
    stage.nodes.hold, stage.nodes.after = lambda: False, after
    killed = stage.operations
    with patch.context() as patched:
        patched.setattr(Journal, "append", append)
        async with stage.nodes.drive():
            starting = asyncio.create_task(killed.start(plan, confirmed=as_asked(plan)))
            await dead.wait()
            tasks = [starting, *killed._running._tasks.values()]
            for task in tasks:
                task.cancel()
            blocked.set()
            await asyncio.wait(tasks)
        killed._journal.close()
    stage.nodes.hold, stage.nodes.after = held, lambda node, function, answer: answer
    stage.nodes.pump(60.0)
    stage.nodes.pump(15.0)
