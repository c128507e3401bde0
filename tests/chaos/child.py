"""A console without a screen in a process of its own, for tests that kill it: makes one plan, and carries it out.

Reads one JSON object from its standard input: the lab's `addresses`, `username` and `password`, the `journal` folder,
`verb`, `targets` (kind, id, name) and `options`. Prints how the run ended.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hvtui.operations.plan import Target, Verb
from tests.support.site import Console, told


@dataclass(frozen=True)
class Served:
    """What a client must know of a lab that runs in another process."""

    addresses: dict[str, str]
    username: str
    password: str
    ca: Path | None = None


async def main(asked: dict[str, Any]) -> None:
    """Carry it out."""
    lab = Served(asked["addresses"], asked["username"], asked["password"])
    console = Console(lab, Path(asked["journal"]), at="PC8", front="cli")
    await console.open()
    targets = [Target(kind=kind, id=key, name=name) for kind, key, name in asked["targets"]]
    plan = await console.plan(Verb(asked["verb"]), *targets, **asked["options"])
    run = await console.run(plan)
    print(json.dumps(dict(told(run))))  # noqa: T201
    await console.close()


if __name__ == "__main__":
    asyncio.run(main(json.load(sys.stdin)))
