"""A console without a screen in a process of its own: it restarts VMMS on a node, and is killed meanwhile.

Its standard input is a line with one JSON object: the lab's `addresses`, `username` and `password`, the `journal`
folder, the `node`, and what the world's clock shows `now`. It says `ready`, and goes on after another line: from then
on the world runs, and so does the clock.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hvtui.operations.plan import Target, Verb
from tests.screenshots.stage import PATIENCE, SPEED, Front, RunningClock
from tests.support.wait import until


@dataclass(frozen=True)
class Served:
    """What a client must know of a lab that runs in another process."""

    addresses: dict[str, str]
    username: str
    password: str
    ca: Path | None = None


async def main(told: dict[str, Any]) -> None:
    """Go on until somebody ends this process."""
    lab = Served(told["addresses"], told["username"], told["password"])
    clock = RunningClock(datetime.fromisoformat(told["now"]), 0.0, time.monotonic())
    front = Front(lab, Path(told["journal"]), clock, actor="bob@PC9", front="cli", name="demo")
    await front.monitor.start()
    await until(front.complete, PATIENCE)
    await front.operations.open()
    print("ready", flush=True)  # noqa: T201
    await asyncio.to_thread(sys.stdin.readline)
    clock.speed, clock.then = SPEED, time.monotonic()
    node = Target(kind="node", id=told["node"], name=told["node"])
    # A recovery checkpoint that its product keeps looks like what a backup left behind.
    await front.operations.say_backup_stopped(node.id, node.id)
    plan = await front.operations.plan(Verb.VMMS, [node])
    while plan.refused and all(refusal.hold for refusal in plan.refusals):
        # Another person's migration.
        plan = await front.operations.plan(Verb.VMMS, [node])
    if plan.refused:
        raise SystemExit("\n".join(refusal.text for refusal in plan.refusals))
    await front.operations.wait(await front.operations.start(plan, confirmed=plan.name))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.stdin.readline())))
