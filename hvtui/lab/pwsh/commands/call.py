"""One command under way: who asks, what was bound, and how to wait for something in the world."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from hvtui.lab.pwsh.cim.instances import View
from hvtui.lab.pwsh.cim.repository import Repository
from hvtui.lab.pwsh.commands.answer import Answer
from hvtui.lab.world.actions import Asked
from hvtui.lab.world.node import Node
from hvtui.lab.world.world import World

_LOOK: Final = 0.1
"""Seconds of real time between two looks at something that is waited for."""


@dataclass(slots=True)
class CommandCall:
    """A command with its bound parameters, asked on one node."""

    repository: Repository
    command: str
    parameters: dict[str, Any] = field(default_factory=dict)
    set: str = ""
    asked: Asked | None = None
    """Who asks for a change; None for somebody at the node's own console."""

    @property
    def view(self) -> View:
        """The world as the node shows it."""
        return self.repository.view

    @property
    def world(self) -> World:
        """The world."""
        return self.repository.view.world

    @property
    def node(self) -> Node:
        """The node that was asked."""
        return self.repository.view.node

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter by its name; the default when it was not bound."""
        value = self.parameters.get(name)
        return default if value is None else value

    def names(self, name: str = "Name") -> list[str]:
        """A parameter that is one text or a list of them."""
        value = self.get(name, [])
        return [str(one) for one in value] if isinstance(value, list) else [str(value)]

    async def wait_while(self, blocked: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait while `blocked`; False when `seconds` of real time passed before it ended."""
        if not blocked():
            return True
        loop = asyncio.get_running_loop()
        end = None if seconds is None else loop.time() + seconds
        wake = asyncio.Event()
        unlisten = self.world.listen(wake.set)
        try:
            while blocked():
                left = _LOOK if end is None else min(_LOOK, end - loop.time())
                if left <= 0:
                    return False
                wake.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(wake.wait(), left)
                self.world.sync()
        finally:
            unlisten()
        return True


Handler = Callable[[CommandCall], Awaitable[Answer]]
