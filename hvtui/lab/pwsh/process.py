"""A `pwsh -s` process: lines in, lines out, its complaints drained, and gone when nobody needs it."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, Self

_LINE: Final = 1 << 20
"""Bytes of the longest line: a fragment is 32 KiB before base64, so this is far beyond any honest one."""
_KEPT: Final = 20


class EngineProcess:
    """One engine. It ends by itself when its standard input does, so it does not outlive a lab that was killed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._input = process.stdin
        self._output = process.stdout
        self._writing = asyncio.Lock()
        self.complaints: deque[str] = deque(maxlen=_KEPT)
        """The last lines it wrote to its standard error."""
        self._drain = asyncio.create_task(self._complain(process.stderr))

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[str, str]) -> Self:
        """Start it; raises OSError when there is no such program. `environment` is the whole of it."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            limit=_LINE,
            # On Windows a console program would open a window.
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """Its process id, which stays its own until it is reaped."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def write(self, line: bytes) -> None:
        """One line; raises ConnectionError when the process does not read any more."""
        async with self._writing:
            self._input.write(line + b"\n")
            await self._input.drain()

    async def lines(self) -> AsyncIterator[bytes]:
        """What it writes, until it ends or writes a line longer than any packet."""
        while True:
            try:
                line = await self._output.readline()
            except ValueError:
                return
            if not line:
                return
            yield line.strip()

    async def end(self, grace: float) -> None:
        """End it: its input ends, and after `grace` seconds it is killed. Returns when it is gone."""
        if grace > 0:
            self._input.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), grace)
        self.kill()
        await self._process.wait()
        self._input.close()
        with contextlib.suppress(OSError):
            await self._input.wait_closed()
        # A program that the engine started may still hold the other end.
        self._drain.cancel()
        await asyncio.wait([self._drain])

    def kill(self) -> None:
        """End it at once."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _complain(self, errors: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await errors.readline()
            except ValueError:
                # A line without an end: what came of it is dropped, the stream goes on.
                continue
            if not line:
                return
            self.complaints.append(line.decode("utf-8", "replace").rstrip())
