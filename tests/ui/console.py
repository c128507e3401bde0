"""The whole console on a simulated cluster without a network, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC

from textual.pilot import Pilot

from hvtui.ui.app import HvtuiApp
from hvtui.ui.look import Look
from tests.support.world import DirectFeed


@asynccontextmanager
async def console(
    scenario: str = "drift",
    *,
    size: tuple[int, int] = (120, 40),
    at: float = 0.0,
    ascii_only: bool = False,
    theme: str = "dark",
    feed: DirectFeed | None = None,
) -> AsyncIterator[tuple[HvtuiApp, Pilot[None], DirectFeed]]:
    """The console with its first picture on the screen."""
    shown = feed or DirectFeed.load(scenario, at=at)
    app = HvtuiApp(shown, look=Look(ascii_only, UTC), theme=theme)
    app.findings.budget = None
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot, lambda: len(app.overview.vms.table.order.rows) == len(list(shown.state.vm_keys())))
        yield app, pilot, shown


async def settled(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    """Let the app work until something holds."""
    for _ in range(400):
        await pilot.pause()
        if holds():
            await pilot.pause()
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not come to hold")


def lines(app: HvtuiApp) -> list[str]:
    """What is on the screen."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


def text(app: HvtuiApp) -> str:
    """The same in one piece."""
    return "\n".join(lines(app))
