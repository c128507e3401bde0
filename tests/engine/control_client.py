"""A session's side of the control channel, without PowerShell: asks as the stand-ins do."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, Self

from hvtui.lab.pwsh.control import Control
from hvtui.lab.world import World

START: Final = datetime(2026, 11, 24, tzinfo=UTC)
VIRTUALIZATION: Final = "root\\virtualization\\v2"
CLUSTER: Final = "root\\MSCluster"
_WITHIN: Final = 20.0


class Session:
    """One connection with one token."""

    def __init__(self, token: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.token = token
        self.reader, self.writer = reader, writer
        self._ids = itertools.count(1)
        self._kept: dict[int, dict[str, Any]] = {}

    @classmethod
    async def open(cls, control: Control, token: str) -> Self:
        """Connect."""
        host, port = control.address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=64 * 1024 * 1024)
        return cls(token, reader, writer)

    def send(self, command: str, **parameters: Any) -> int:
        """Ask without waiting; the question's number."""
        id = next(self._ids)
        self.write({"token": self.token, "id": id, "command": command, "parameters": parameters, "pipeline": []})
        return id

    def write(self, record: dict[str, Any]) -> None:
        """Write one line."""
        self.writer.write(json.dumps(record).encode() + b"\n")

    async def take(self, id: int) -> dict[str, Any]:
        """The answer to a question, in whatever order answers come."""
        while id not in self._kept:
            line = await asyncio.wait_for(self.reader.readline(), _WITHIN)
            if not line:
                raise ConnectionError("the channel was closed")
            answer = json.loads(line)
            self._kept[answer["id"]] = answer
        return self._kept.pop(id)

    async def ask(self, command: str, **parameters: Any) -> dict[str, Any]:
        """Ask and wait."""
        return await self.take(self.send(command, **parameters))

    async def cim(self, class_name: str, namespace: str = VIRTUALIZATION, **parameters: Any) -> list[dict[str, Any]]:
        """The instances of a class; no error is expected."""
        answer = await self.ask("Get-CimInstance", Namespace=namespace, ClassName=class_name, **parameters)
        assert answer["errors"] == []
        found: list[dict[str, Any]] = answer["output"]
        return found


@asynccontextmanager
async def controlled(
    scenario: str = "healthy", node: str = "HV01", *, at: float = 60.0, seed: int | None = None
) -> AsyncIterator[tuple[World, Control, Session]]:
    """A world that stands still, its control channel, and a session of one node."""
    world = World.load(scenario, start=START, at=at, seed=seed)
    async with Control(world) as control:
        session = await Session.open(control, control.session(node))
        try:
            yield world, control, session
        finally:
            session.writer.close()
