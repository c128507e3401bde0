"""The seam inside a shell: whoever speaks PSRP there, natively or by handing fragments on to a real PowerShell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hvtui.lab.endpoint.buffer import OutputBuffer


class Outlet(Protocol):
    """Where a session puts fragments for the client."""

    def buffer(self, command_id: str | None) -> OutputBuffer:
        """The buffer of a command, or of the pool itself; it raises `faults.Fault` for an unknown command."""
        ...

    @property
    def rewrite(self) -> Callable[[str], str] | None:
        """What changes every string that a function writes now; a session that makes its strings itself asks nobody."""
        ...

    def broken(self) -> None:
        """What speaks PSRP in this shell is gone: whoever waits is told, and the shell ends."""
        ...


class Session(Protocol):
    """The PSRP side of one shell. All data are whole PSRP fragments; command ids are upper case."""

    async def open(self, data: bytes) -> None:
        """Take the client's handshake from Create; the answers go to the pool's buffer."""
        ...

    async def connect(self, data: bytes) -> bytes:
        """Another client takes over: the answer's fragments for Connect."""
        ...

    async def command(self, command_id: str, data: bytes) -> None:
        """A new pipeline with its first fragment."""
        ...

    async def send(self, command_id: str | None, stream: str, data: bytes) -> None:
        """More data for a pipeline or the pool; `stream` is `stdin`, or `pr` for the answer to a host call."""
        ...

    async def stop(self, command_id: str) -> None:
        """Ask a pipeline to stop; its Stopped state comes as output."""
        ...

    async def close_command(self, command_id: str) -> None:
        """Forget a pipeline at once."""
        ...

    async def close(self, *, at_once: bool = False) -> None:
        """End everything in the shell; `at_once` as when the node dies, without any good-bye."""
        ...
