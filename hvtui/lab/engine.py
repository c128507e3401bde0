"""Between the endpoint and whatever answers for a node: the console cannot tell which engine is behind."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol

from hvtui.remote.contract import CONTRACT


class CommandError(Exception):
    """An error record: raised it ends the pipeline, handed to `Output.error` it does not.

    `exception` is the .NET type; its last part is the record's reason, as Windows does it.
    """

    def __init__(
        self,
        text: str,
        *,
        error_id: str = "HvTui",
        category: str = "NotSpecified",
        target: str = "",
        exception: str = "System.Management.Automation.RuntimeException",
    ) -> None:
        super().__init__(text)
        self.text = text
        self.error_id = error_id
        self.category = category
        self.target = target
        self.exception = exception


class EngineMissing(Exception):
    """There is no PowerShell engine, or it cannot be used; the text says why."""


@dataclass(slots=True)
class Spent:
    """What one shell's process has used since it was started, in milliseconds of processor; its start is the first."""

    cpu_ms: int = 400

    def add(self, cpu_ms: int) -> int:
        """A piece of work was done; the result is the new sum."""
        self.cpu_ms += cpu_ms
        return self.cpu_ms


@dataclass(slots=True)
class Call:
    """A named command with parameters, as it came through PSRP.

    `spent` is of the shell that it runs in, `contract` the version of the module that the shell has.
    """

    command: str
    parameters: dict[str, Any] = field(default_factory=dict)
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    spent: Spent = field(default_factory=Spent)
    contract: str = CONTRACT


class Output(Protocol):
    """Where a running command writes."""

    async def write(self, text: str) -> None:
        """One string on the output stream; waits while the client does not read."""
        ...

    def error(self, record: CommandError) -> None:
        """A non-terminating error record."""
        ...


class Engine(Protocol):
    """Answers for one node. One instance a node, shared by all its shells."""

    def functions(self) -> frozenset[str]:
        """Names of the commands it has; anything else is `CommandNotFoundException`."""
        ...

    async def run(self, call: Call, output: Output) -> None:
        """Run a command to its end, or until `call.stopped` is set; raises CommandError."""
        ...
