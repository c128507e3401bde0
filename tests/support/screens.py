"""Running the console without a terminal, and writing down what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from typing import Any

from rich.cells import cell_len
from textual.app import App
from textual.pilot import Pilot
from textual.strip import Strip

from hvtui.live.feed import Feed
from hvtui.model.change import Change
from hvtui.operations.service import Operations
from hvtui.ui.app import HvtuiApp
from hvtui.ui.look import Look


@asynccontextmanager
async def console(
    feed: Feed,
    size: tuple[int, int] = (120, 40),
    *,
    theme: str = "dark",
    ascii_only: bool = False,
    operations: Operations | None = None,
) -> AsyncIterator[tuple[HvtuiApp, Pilot[None]]]:
    """The console on a feed, settled; times are shown in UTC. Without `operations` it only watches."""
    app = HvtuiApp(feed, operations=operations, look=Look(ascii=ascii_only, zone=UTC), theme=theme)
    # One look, and all of it: what a screen shows must not depend on how long the machine takes.
    app.findings.every, app.findings.budget = float("inf"), None
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        # Rows of panes take their heights from what is in them: what was cut at first gets its room now.
        app.overview.apply(Change())
        await settle(pilot)
        yield app, pilot


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, one after the other, and wait until the screen stands still."""
    for key in keys:
        await pilot.press(key)
    await settle(pilot)


async def settle(pilot: Pilot[None], seconds: float = 20.0) -> None:
    """Wait until the screen has not changed for several turns of the loop and a little time."""
    async with asyncio.timeout(seconds):
        same, before = 0, ""
        while same < 5:
            await pilot.pause(0.03)
            now = text_of(pilot.app)
            same = same + 1 if now == before else 0
            before = now


def strips_of(app: App[Any]) -> list[Strip]:
    """The lines on the screen, as the terminal would get them."""
    return list(app.screen._compositor.render_strips())


def text_of(app: App[Any]) -> str:
    """What a person reads, without colours."""
    return "\n".join(strip.text.rstrip() for strip in strips_of(app))


def looks_of(app: App[Any]) -> str:
    """The colours: each line a row of letters, one letter per style, and what the letters mean."""
    letters: dict[str, str] = {}
    rows = []
    for strip in strips_of(app):
        row = ""
        for text, style, _control in strip:
            letter = letters.setdefault(str(style), chr(ord("a") + len(letters)))
            row += letter * cell_len(text)
        rows.append(row)
    legend = [f"{letter} {name}" for name, letter in letters.items()]
    return "\n".join([*rows, "", *legend])
