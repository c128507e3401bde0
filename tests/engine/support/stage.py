"""A stage for worlds: one control channel, and an engine for each version of Windows that answers out of the world."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from hvtui.lab.pwsh import stubs
from hvtui.lab.pwsh.cim.instances import View
from hvtui.lab.pwsh.cim.repository import Repository
from hvtui.lab.pwsh.control import Control
from hvtui.lab.world import World
from hvtui.lab.world.scenario import Scenario
from tests.engine.support.module import ModuleSession

START: Final = datetime(2026, 11, 24, tzinfo=UTC)
_Result = TypeVar("_Result")


class Stage:
    """Holds one world at a time; everything that reads or changes it runs on one loop, in a thread of its own.

    An engine is started once for each version and kept: which node of which world it stands for changes on this side.
    """

    def __init__(self, pwsh: str) -> None:
        self.pwsh = pwsh
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stage", daemon=True)
        self._engines: dict[tuple[str, tuple[str, ...]], tuple[ModuleSession, str]] = {}
        self.control = Control(World.load("empty", start=START))

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.control.start(), self._loop).result(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for engine, _ in self._engines.values():
            engine.close()
        asyncio.run_coroutine_threadsafe(self.control.stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    @property
    def world(self) -> World:
        """The world on the stage."""
        return self.control.world

    def load(self, scenario: str | Path | Scenario, *, at: float = 60.0, seed: int | None = None) -> World:
        """Put a scenario's world on the stage."""
        world = World.load(scenario, start=START, at=at, seed=seed)

        def put() -> None:
            self.control.heal()
            self.control.world = world

        self.do(put)
        return world

    def do(self, action: Callable[[], _Result]) -> _Result:
        """Run something on the loop on which the world lives."""

        async def run() -> _Result:
            return action()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(120)

    def engine(
        self, node: str, version: str | None = None, *, without: tuple[str, ...] = (), hurried: bool = False
    ) -> ModuleSession:
        """An engine that stands for a node: of the version of its build, unless another is named.

        `without`: modules that its Windows lacks; `hurried`: its questions end after a second, not ten or more.
        """
        found = self.world.node(node)
        chosen = version or stubs.version_of(found.build)
        key = (chosen, without)
        if key not in self._engines:
            token = self.do(lambda: self.control.session(node))
            made = stubs.stub_set(chosen, pwsh=self.pwsh)
            environment = made.environment(self.control.address, token, without=without)
            self._engines[key] = (ModuleSession(self.pwsh, environment), token)
        session, token = self._engines[key]

        def point() -> None:
            self.control._sessions[token] = Repository(View(self.world, found))

        self.do(point)
        session.deadline(1 if hurried else None)
        return session
