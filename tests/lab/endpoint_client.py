"""What the endpoint's tests share: an engine of a few commands, and real pypsrp as the client."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pypsrp.complex_objects import PSInvocationState
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from hvtui.lab.engine import Call, CommandError, Output
from hvtui.lab.serve import Lab

NODE = "HV01"


class EchoEngine:
    """Answers with what it was called with, or with `text`; `log` holds what happened, in order."""

    def __init__(self) -> None:
        self.text = ""
        self.word = asyncio.Event()
        self.log: list[str] = []
        self.written = 0

    def functions(self) -> frozenset[str]:
        """Names of the commands it has."""
        return frozenset(
            {"Get-HvTuiInfo", "Invoke-Echo", "Watch-Ticks", "Write-Flood", "Invoke-Failure", "Wait-Ever", "Wait-Word"}
        )

    async def run(self, call: Call, output: Output) -> None:
        """Run a command."""
        self.log.append(f"begin {call.command}")
        try:
            await getattr(self, "_" + call.command.lower().replace("-", "_"))(call, output)
        finally:
            self.log.append(f"end {call.command}")

    async def _get_hvtuiinfo(self, call: Call, output: Output) -> None:
        await output.write(json.dumps(call.parameters))

    async def _invoke_echo(self, call: Call, output: Output) -> None:
        await output.write(str(call.parameters.get("Text", self.text)))

    async def _watch_ticks(self, call: Call, output: Output) -> None:
        number = 0
        while not call.stopped.is_set() and number < int(call.parameters.get("Count", 1_000_000)):
            await output.write(f"tick {number}")
            number += 1
            try:
                await asyncio.wait_for(call.stopped.wait(), float(call.parameters.get("Every", 20)) / 1_000)
            except TimeoutError:
                continue

    async def _write_flood(self, call: Call, output: Output) -> None:
        for _ in range(int(call.parameters["Count"])):
            await output.write("x" * 100_000)
            self.written += 1

    async def _invoke_failure(self, call: Call, output: Output) -> None:
        output.error(CommandError("one part failed", error_id="Part", category="ReadError", target="disk"))
        raise CommandError(
            self.text or "Access is denied.",
            error_id="Denied,Invoke-Failure",
            category="PermissionDenied",
            exception="System.UnauthorizedAccessException",
        )

    async def _wait_word(self, call: Call, output: Output) -> None:
        await self.word.wait()
        await output.write("word")

    async def _wait_ever(self, call: Call, output: Output) -> None:
        await asyncio.Event().wait()


def connect(lab: Lab, node: str = NODE, *, password: str | None = None, **changes: Any) -> WSMan:
    """A connection as hvtui makes them."""
    host, _, port = lab.addresses[node].partition(":")
    options: dict[str, Any] = {
        "username": lab.username,
        "password": lab.password if password is None else password,
        "ssl": lab.ca is not None,
        "cert_validation": str(lab.ca) if lab.ca else True,
        "auth": "ntlm",
        "no_proxy": True,
        "operation_timeout": 5,
        "read_timeout": 8,
        "reconnection_backoff": 0.05,
    }
    return WSMan(host, port=int(port), **{**options, **changes})


@contextmanager
def opened(wsman: WSMan, **options: Any) -> Iterator[RunspacePool]:
    """An open pool on a connection, both closed at the end."""
    with wsman, RunspacePool(wsman, **options) as pool:
        yield pool


def begin(pool: RunspacePool, command: str, **parameters: Any) -> PowerShell:
    """Start a named command."""
    shell = PowerShell(pool)
    shell.add_cmdlet(command).add_parameters(parameters)
    shell.begin_invoke()
    return shell


def run(pool: RunspacePool, command: str, **parameters: Any) -> PowerShell:
    """Run a named command to its end and close its pipeline."""
    shell = begin(pool, command, **parameters)
    finish(shell)
    return shell


def script(pool: RunspacePool, text: str) -> PowerShell:
    """Run script text to its end."""
    shell = PowerShell(pool)
    shell.add_script(text)
    shell.begin_invoke()
    finish(shell)
    return shell


def reset(wsman: WSMan) -> None:
    """Throw a connection away, as a client must after a break: the keys of the log-on died with it."""
    wsman.close()
    wsman.transport.session = None
    wsman.transport.encryption = None


def finish(shell: PowerShell) -> None:
    """Wait for a pipeline's end and close it."""
    while shell.state == PSInvocationState.RUNNING:
        shell.poll_invoke()
    shell.close()


def ids(shell: PowerShell) -> list[str]:
    """FullyQualifiedErrorId of every error record."""
    return [str(record.fq_error) for record in shell.streams.error]


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a condition; fails when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("the condition did not come")
        time.sleep(0.005)


def stop(shell: PowerShell) -> None:
    """Stop a pipeline as Windows' own client does: its signal, then read on until the state comes.

    `PowerShell.stop` sends a code that is spelt right and therefore wrong, and does not wait.
    """
    shell.runspace_pool.shell.signal("powershell/signal/crtl_c", shell.id)
    finish(shell)
