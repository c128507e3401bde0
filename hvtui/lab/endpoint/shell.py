"""A WSMan shell: its owner, its state, its buffers, and the session inside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hvtui.lab.endpoint import faults, soap
from hvtui.lab.endpoint.buffer import OutputBuffer
from hvtui.lab.endpoint.session import Session
from hvtui.lab.endpoint.trouble import Trouble

DEFAULT_IDLE: Final = 7_200.0
MAX_IDLE: Final = 2_147_483.647


class ClientGone(Exception):
    """The socket that a Receive waited on is closed: nothing may be taken for it."""


@dataclass(frozen=True)
class Delivery:
    """What one Receive brought. A client whose read timed out repeats the message and must get the same."""

    message_id: str
    fragments: list[bytes]
    done: bool


class Shell:
    """One shell of one user. Times are the loop's clock in seconds."""

    def __init__(
        self, request: soap.Request, shell_id: str, owner: str, *, idle: float, batching: float, trouble: Trouble
    ) -> None:
        self.id = shell_id
        self.owner = owner
        self.resource = request.resource
        self.session_id = request.session_id
        self.session: Session
        self.on_broken: Callable[[], None] = lambda: None
        self.idle = min(idle, MAX_IDLE)
        self.connected = True
        self._batching = batching
        self._trouble = trouble
        self._loop = asyncio.get_running_loop()
        self._created = self._active = self._loop.time()
        self._waiting = 0
        self._buffers: dict[str | None, OutputBuffer] = {None: OutputBuffer(batching=0.0)}
        self._last: dict[str | None, Delivery] = {}

    @property
    def idle_for(self) -> float:
        """Seconds since a client did anything here; a waiting Receive is activity."""
        return 0.0 if self._waiting else self._loop.time() - self._active

    @property
    def commands(self) -> list[str]:
        """Ids of the pipelines that were not closed yet, oldest first."""
        return [command for command in self._buffers if command is not None]

    def running(self, command_id: str) -> bool:
        """Whether a command's last state has not come yet."""
        return not self.buffer(command_id).done

    def touch(self) -> None:
        """A client did something."""
        self._active = self._loop.time()

    def need_connected(self) -> None:
        """Raise the fault of a disconnected shell."""
        if not self.connected:
            raise faults.disconnected()

    def buffer(self, command_id: str | None) -> OutputBuffer:
        """The buffer of a command, or of the pool itself; an unknown command is a fault."""
        found = self._buffers.get(command_id)
        if found is None:
            raise faults.unknown_command()
        return found

    async def command(self, command_id: str, data: bytes) -> None:
        """Start a command."""
        if command_id in self._buffers:
            raise faults.bad_parameter()
        self._buffers[command_id] = OutputBuffer(batching=self._batching, loses=self._trouble.loss())
        try:
            await self.session.command(command_id, data)
        except faults.Fault:
            await self.close_command(command_id)
            raise

    async def receive(
        self, request: soap.Request, command_id: str | None, limit: int, gone: Callable[[], bool]
    ) -> Delivery:
        """Wait for output, at most the operation's timeout.

        Raises `faults.Fault` on the time-out and when the target goes away, ClientGone when nobody listens any more.
        """
        last = self._last.get(command_id)
        if last is not None and last.message_id == request.message_id:
            return last
        buffer = self.buffer(command_id)
        self._waiting += 1
        try:
            ready = await buffer.ready(request.timeout)
        finally:
            self._waiting -= 1
            self.touch()
        if gone():
            raise ClientGone
        self.need_connected()
        if not ready:
            raise faults.timed_out()
        fragments, done = buffer.take(limit)
        delivery = self._last[command_id] = Delivery(request.message_id, fragments, done)
        return delivery

    async def close_command(self, command_id: str) -> None:
        """Forget a command; whoever waits for it is told."""
        buffer = self.buffer(command_id)
        await self.session.close_command(command_id)
        buffer.fail(faults.aborted())
        self._buffers.pop(command_id, None)
        self._last.pop(command_id, None)

    def disconnect(self) -> None:
        """Output is kept from now on; waiting Receives end."""
        self.connected = False
        for buffer in self._buffers.values():
            buffer.interrupt(faults.disconnected())

    @property
    def rewrite(self) -> Callable[[str], str] | None:
        """What changes every string that a function writes now."""
        return self._trouble.rewrite

    def broken(self) -> None:
        """What speaks PSRP in here is gone: whoever waits is told, and the shell ends."""
        for buffer in self._buffers.values():
            buffer.fail(faults.aborted())
        self.on_broken()

    async def close(self, *, at_once: bool = False) -> None:
        """End the shell; whoever waits is told."""
        for buffer in self._buffers.values():
            buffer.fail(faults.aborted())
        await self.session.close(at_once=at_once)
        self._buffers.clear()
        self._last.clear()

    def fields(self, *, whole: bool) -> list[tuple[str, str]]:
        """The children of `rsp:Shell` in Windows' order; `whole` as Get and Enumerate give them."""
        now = self._loop.time()
        fields = [
            ("ShellId", self.id),
            ("ResourceUri", self.resource),
            ("Owner", self.owner),
            ("ClientIP", "127.0.0.1"),
            ("ProcessId", str(4_000 + int(self.id[:3], 16))),
            ("IdleTimeOut", f"PT{self.idle:.3f}S"),
            ("InputStreams", "stdin pr"),
            ("OutputStreams", "stdout"),
            ("MaxIdleTimeOut", f"PT{MAX_IDLE:.3f}S"),
            ("Locale", "en-US"),
            ("DataLocale", "en-US"),
            ("CompressionMode", "NoCompression"),
            ("ProfileLoaded", "Yes"),
            ("Encoding", "UTF8"),
            ("BufferMode", "Block"),
            ("State", "Connected" if self.connected else "Disconnected"),
            ("ShellRunTime", soap.duration(now - self._created)),
            ("ShellInactivity", soap.duration(self.idle_for)),
        ]
        return [*fields, ("MemoryUsed", "46MB"), ("ChildProcesses", "0")] if whole else fields
