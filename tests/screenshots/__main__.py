"""Takes every picture of `screenshots/` anew: `python -m tests.screenshots [NAME …]`.

The pictures show the real app on the lab's world with a clock that stands still, so the same code gives the same
picture. Nothing is contacted. Those of docs/walkthrough.md are played on a lab: `… walkthrough [SCENE …]`.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textual.pilot import Pilot

from hvtui.config import ClusterConfig
from hvtui.journal.store import Journal
from hvtui.operations.audit import Actor
from hvtui.operations.service import Operations
from hvtui.ui.app import HvtuiApp
from hvtui.ui.messages import OpenDetail
from tests.screenshots import walkthrough
from tests.screenshots.svg import svg
from tests.support.screens import console, press, settle, strips_of
from tests.support.world import DirectFeed
from tests.support.world_nodes import WorldNodes

FOLDER: Final = Path(__file__).parent.parent.parent / "screenshots"

MINUTE: Final = 60.0


@dataclass(frozen=True)
class Shot:
    """One picture: which world, how far into it, how large, and the keys pressed before."""

    name: str
    scenario: str
    at: float
    size: tuple[int, int] = (120, 40)
    theme: str = "dark"
    keys: tuple[str, ...] = ()
    detail: str = ""
    """A VM's name or `writer:<node>`: its page is opened."""
    watched: float = 0.0
    """Seconds that the console has been open before, as far as the backup window goes."""


SHOTS: Final = (
    Shot("overview", "stuck-writer", 74 * MINUTE),
    *(
        Shot(f"theme-{theme}", "stuck-writer", 74 * MINUTE, theme=theme)
        for theme in ("light", "high-contrast", "colour-blind")
    ),
    Shot("stuck-writer", "stuck-writer", 60 * MINUTE, detail="writer:HV03"),
    Shot("placement", "drift", 20 * MINUTE, (140, 40), keys=("5",)),
    Shot("backup-window", "backup-window", 18 * MINUTE, (140, 44), keys=("3", *">" * 8)),
    Shot("window", "backup-window", 2.0, (150, 46), keys=("9",), watched=21 * MINUTE),
    Shot("events", "stuck-writer", 26 * MINUTE, keys=("6", "+")),
    Shot("vm", "backup-window", 18 * MINUTE, (120, 44), detail="SQL03"),
    Shot("limit", "limit", 5 * MINUTE, (160, 50)),
    Shot("small", "stuck-writer", 74 * MINUTE, (80, 24)),
)


async def take(shot: Shot) -> str:
    """The picture as SVG."""
    feed = WorldNodes.load(shot.scenario, at=shot.at, title=shot.scenario)
    feed.read_only = False
    with tempfile.TemporaryDirectory(prefix="hvtui-pictures-") as folder:
        config = ClusterConfig(name=shot.scenario, seeds=("HV01",), actions=True)
        actor = Actor(user="alice", machine="PC7", pid=1, front="console")
        operations = Operations(feed, Journal(Path(folder)), config=config, actor=actor, clock=feed.clock)
        try:
            return await _take(shot, feed, operations)
        finally:
            await operations.close()


async def _take(shot: Shot, feed: DirectFeed, operations: Operations) -> str:
    async with console(feed, shot.size, theme=shot.theme, operations=operations) as (app, pilot):
        for tick in range(int(shot.watched / 5)):
            app.window.apply(feed.pump(5.0, writers=tick % 12 == 0))
        # A little life: so loads, jobs and ages are those of a console that has been open for a while.
        for _ in range(3):
            feed.pump(2.0)
            await settle(pilot)
        await press(pilot, *shot.keys)
        if shot.detail:
            await _open(app, pilot, feed, shot.detail)
        return svg(strips_of(app), "hvtui")


async def _open(app: HvtuiApp, pilot: Pilot[None], feed: DirectFeed, what: str) -> None:
    kind, _, node = what.partition(":")
    if kind == "writer":
        rows = feed.state.nodes[node].writers
        assert rows is not None
        worst = max(rows.writers, key=lambda writer: (writer.state_class != "ok", writer.code or 0))
        message = OpenDetail("writer", f"{node}|{worst.id}")
    else:
        keys = (key for key in feed.state.vm_keys() if (found := feed.state.vm(key)) and found[1].name == what)
        message = OpenDetail("vm", next(keys))
    app.overview.post_message(message)
    await settle(pilot)


async def main(names: list[str]) -> int:
    """Take the pictures with these names, all without one."""
    if names[:1] == ["walkthrough"]:
        return await walkthrough.main(names[1:])
    unknown = set(names) - {shot.name for shot in SHOTS}
    if unknown:
        print(f"no picture is called {', '.join(sorted(unknown))}", file=sys.stderr)  # noqa: T201
        return 64
    FOLDER.mkdir(exist_ok=True)
    for shot in SHOTS:
        if names and shot.name not in names:
            continue
        path = FOLDER / f"{shot.name}.svg"
        path.write_text(await take(shot), encoding="utf-8", newline="\n")
        print(f"{path.relative_to(FOLDER.parent)}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
