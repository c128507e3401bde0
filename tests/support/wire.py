"""Faults on the way of single calls to a lab's nodes, planted where WSMan requests come in, whatever engine answers."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Literal

from hvtui.lab.endpoint.accounts import Account
from hvtui.lab.endpoint.service import Service
from hvtui.lab.endpoint.shell import ClientGone
from hvtui.lab.endpoint.soap import RSP, Request
from hvtui.lab.serve import Lab
from hvtui.remote.contract import FUNCTIONS

Fault = Literal["before", "after", "shell"]
"""`before`: the connection breaks, and the call never reaches PowerShell. `after`: it is carried out, and the
connection breaks before anything of it is answered. `shell`: it is carried out, and the shell is deleted then.
"""
FAULTS: tuple[Fault, ...] = ("before", "after", "shell")
PATIENCE = 20.0
"""Seconds within which a call that was let through must have changed the world."""


class Snare:
    """Waits for the next call of a function. `hit` is set when it came; `problem`: what went wrong with the snare."""

    def __init__(self, function: str, fault: Fault, then: Callable[[], None]) -> None:
        self.function = function
        self.fault = fault
        self.then = then
        self.armed = True
        self.hit = threading.Event()
        self.problem = ""


class Wire:
    """Counts the calls that reach a lab's nodes, by function, and spoils those that a snare waits for."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._snares: dict[str, list[Snare]] = {}
        self.arrived: Counter[str] = Counter()
        """Mutating calls that came in, by function: also those that were cut off before they were carried out."""
        lab.on_loop(self._tap)

    def plant(self, node: str, function: str, fault: Fault, then: Callable[[], None] = lambda: None) -> Snare:
        """Spoil the next call of a function on a node; `then` is called on the lab's thread before the fault."""
        snare = Snare(function, fault, then)
        self._lab.on_loop(lambda: self._snares.setdefault(node, []).append(snare))
        return snare

    def _tap(self) -> None:
        for name, node in self._lab.cluster.nodes.items():
            self._listen(name, node.service)

    def _listen(self, node: str, service: Service) -> None:
        real = service.answer

        async def answer(request: Request, account: Account, gone: Callable[[], bool]) -> bytes:
            function = _called(request)
            self.arrived[function] += bool(function)
            snare = next((s for s in self._snares.get(node, ()) if s.armed and s.function == function), None)
            if snare is None:
                return await real(request, account, gone)
            snare.armed = False
            return await self._spoil(snare, service, request, lambda: real(request, account, gone), gone)

        service.answer = answer  # type: ignore[method-assign]

    async def _spoil(
        self,
        snare: Snare,
        service: Service,
        request: Request,
        let_through: Callable[[], Awaitable[bytes]],
        gone: Callable[[], bool],
    ) -> bytes:
        transport = gone.__self__  # type: ignore[attr-defined]  # its `is_closing`
        answer = b""
        if snare.fault != "before":
            changes = len(self._lab.world.commands.changes)
            answer = await let_through()
            try:
                async with asyncio.timeout(PATIENCE):
                    while len(self._lab.world.commands.changes) == changes:  # noqa: ASYNC110
                        await asyncio.sleep(0.005)
            except TimeoutError:
                snare.problem = f"{snare.function} was let through and changed nothing"
        snare.then()
        snare.hit.set()
        if snare.fault == "shell":
            await service._end(request.shell_id)
            return answer
        transport.abort()
        raise ClientGone


def _called(request: Request) -> str:
    """The mutating function that a request asks for; empty for every other request."""
    if request.verb != "Command" or request.body is None:
        return ""
    sent = base64.b64decode(request.body.findtext(f"{RSP}Arguments") or "")
    found = (name for name, function in FUNCTIONS.items() if function.mutating and f">{name}<".encode() in sent)
    return next(found, "")
