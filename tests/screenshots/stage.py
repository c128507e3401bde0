"""A real console on a real lab, played by keys: a monitor with real lanes, operations, a journal, and the app on them.

The lab's clock begins at a fixed moment and the console's shows the same; between two keys the world stands still, and
it runs only while something is waited for. So a picture tells the same whenever it is taken, but for some seconds.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from textual.pilot import Pilot

from hvtui.clock import Clock
from hvtui.journal.store import Journal
from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from hvtui.live.monitor import Monitor
from hvtui.live.timing import Timing
from hvtui.model.views import NodeView
from hvtui.operations.audit import Actor
from hvtui.operations.backup_state import running_jobs
from hvtui.operations.run import Run
from hvtui.operations.service import Operations
from hvtui.ui.app import HvtuiApp
from hvtui.ui.dialogs.confirm import ConfirmScreen
from hvtui.ui.dialogs.menu import MenuScreen
from hvtui.ui.dialogs.plan_dialog import PlanDialog
from hvtui.ui.look import Look
from tests.remote.conftest import Reachable, config_for, gate_for
from tests.screenshots.svg import svg
from tests.support.executed import executed
from tests.support.screens import settle, strips_of, text_of
from tests.support.site import PACE

T = TypeVar("T")

START: Final = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
"""First second of the world."""
SPEED: Final = 10.0
"""World seconds per second, while something is waited for."""
PATIENCE: Final = 240.0
TIMING: Final = Timing(retry=0.2, events=1.0, silence=20.0)


@dataclass
class RunningClock:
    """A clock that shows what the world's clock shows as long as the world runs at this speed."""

    now_then: datetime
    speed: float
    then: float

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        passed = (time.monotonic() - self.then) * self.speed
        return datetime.fromtimestamp(self.now_then.timestamp() + passed, UTC)


class WorldClock:
    """The clock of a lab in this process; data age in real seconds."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return self._lab.world.now


class Front:
    """What every front end has: a monitor, operations and a journal in `folder`."""

    def __init__(self, lab: Reachable, folder: Path, clock: Clock, *, actor: str, front: str, **config: Any) -> None:
        made = config_for(lab, **{"refresh": 0.5, "actions": True} | config)
        user, _, machine = actor.partition("@")
        self.monitor = Monitor(made, credentials=gate_for(lab), clock=clock, timing=TIMING)
        self.operations = Operations(
            self.monitor,
            Journal(folder),
            config=made,
            actor=Actor(user=user, machine=machine, pid=os.getpid(), front=front, account=lab.username),
            clock=clock,
            file="hvtui.toml",
            pace=replace(PACE, begin=20.0, grace=6.0, fresh=60.0, service=120.0, writer=120.0, settle=90.0),
        )
        self._names = tuple(lab.addresses)

    def complete(self) -> bool:
        """Every node answers, and its VMs and writers, the roles and the events are known."""
        state = self.monitor.state
        return (
            state.cluster.roles is not None
            and set(self._names) <= set(state.nodes)
            and all(_told(view) for view in state.nodes.values())
            and all(state.events.read_at(name) is not None for name in self._names)
        )

    async def close(self) -> None:
        """As a console that is left."""
        await self.operations.close()
        await self.monitor.stop()


def _told(view: NodeView) -> bool:
    """It has told of itself, its VMs and its writers; a node without VMMS has no VMs to tell of."""
    vms = view.vms is not None or (view.host is not None and view.host.vmms == "Stopped")
    return vms and view.writers is not None and view.link.last_frame is not None


class Stage:
    """The console on the stage. `pictures` is where they go."""

    def __init__(self, lab: Lab, front: Front, app: HvtuiApp, pilot: Pilot[None], pictures: Path) -> None:
        self.lab = lab
        self.front = front
        self.app = app
        self.pilot = pilot
        self.pictures = pictures

    @property
    def operations(self) -> Operations:
        return self.front.operations

    @property
    def run(self) -> Run:
        """The newest operation."""
        return self.operations.runs[-1]

    def percents(self) -> list[int]:
        """How far the newest operation's items are, where Windows tells."""
        runs = self.operations.runs
        return [item.percent for item in runs[-1].items if item.percent is not None] if runs else []

    def working(self) -> bool:
        """A node still tells of a job that holds a VM."""
        views = self.front.monitor.state.nodes.values()
        return any(list(running_jobs((view.jobs or {}).values())) for view in views)

    # --- the world ---

    def look(self, at: Callable[[World], T]) -> T:
        """Read or change the world, on its own thread."""
        return self.lab.call(at)

    def flow(self, speed: float) -> None:
        """Let the world's time run so fast; 0 holds it."""
        self.lab.call(lambda world: world.run(speed))

    async def until(self, holds: Callable[[], object], what: str, *, flow: float = 0.0) -> None:
        """Play on until something holds; with `flow` the world's time runs meanwhile."""
        if flow:
            self.flow(flow)
        try:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    await self.pilot.pause(0.02)
        except TimeoutError:
            raise AssertionError(f"it did not come to this: {what}\n{text_of(self.app)}") from None
        finally:
            if flow:
                self.flow(0.0)

    # --- keys and pictures ---

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def picture(self, name: str) -> None:
        """Take one, once the screen stands still."""
        await settle(self.pilot, 60.0)
        path = self.pictures / f"{name}.svg"
        path.write_text(svg(strips_of(self.app), "hvtui"), encoding="utf-8", newline="\n")
        print(path.name, flush=True)  # noqa: T201

    async def to_trouble(self, row: str) -> None:
        """`n`, until the cursor of the pane in focus is on the row."""
        await self.to_row(row, "n")

    async def to_row(self, row: str, key: str = "j") -> None:
        """A key, until the cursor is on the row of this key or of this VM's name."""
        pane = self.app.overview.focused_pane
        for _ in range(200):
            keys = pane.pointed().keys
            found = self.front.monitor.state.vm(keys[0]) if keys else None
            if keys and (row in keys or (found is not None and found[1].name == row)):
                return
            await self.press(key)
        raise AssertionError(f"no row {row}\n{text_of(self.app)}")

    async def menu(self) -> MenuScreen:
        """A menu that has something to choose from."""
        await self.until(lambda: isinstance(self.app.screen, MenuScreen) and self.app.screen.choices, "a menu")
        shown = self.app.screen
        assert isinstance(shown, MenuScreen)
        return shown

    async def planned(self) -> PlanDialog:
        """The plan's dialog, with its plan and nothing asked any more."""

        def there() -> bool:
            shown = self.app.screen
            return isinstance(shown, PlanDialog) and shown.plan is not None and not shown._asking

        await self.until(there, "a plan")
        shown = self.app.screen
        assert isinstance(shown, PlanDialog)
        return shown

    async def armed(self) -> None:
        """The button is armed."""
        await self.until(
            lambda: isinstance(self.app.screen, ConfirmScreen) and self.app.screen.armed, "an armed button"
        )

    async def over(self, *, flow: float = SPEED) -> Run:
        """The newest operation, once it has ended."""
        run = self.run
        await self.until(lambda: run.over, f"the end of {run.plan.title}", flow=flow)
        return run

    # --- the end ---

    def assert_unharmed(self) -> None:
        """Nobody was harmed, and nothing was carried out twice."""
        harm = self.look(lambda world: list(world.ledger.entries))
        assert harm == [], harm
        counted = self.look(executed)
        assert all(count == 1 for count in counted.values()), counted


@asynccontextmanager
async def stage(
    scenario: str,
    at: float,
    folder: Path,
    pictures: Path,
    *,
    size: tuple[int, int] = (120, 40),
    lab: Lab | None = None,
    **config: Any,
) -> AsyncIterator[Stage]:
    """The console on a scenario's lab, `at` seconds into it, once everything is known; `lab`: one that is there."""
    if lab is None:
        with Lab(scenario, speed=0.0, at=at, start=START) as own:
            async with stage(scenario, at, folder, pictures, size=size, lab=own, **config) as made:
                yield made
        return
    front = Front(lab, folder, WorldClock(lab), actor="alice@PC7", front="console", name="demo", **config)
    app = HvtuiApp(front.monitor, operations=front.operations, look=Look(zone=UTC))
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            made = Stage(lab, front, app, pilot, pictures)
            await made.until(front.complete, "the first picture", flow=1.0)
            yield made
            made.assert_unharmed()
    finally:
        await front.close()
