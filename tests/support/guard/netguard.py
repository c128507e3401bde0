"""Stops every attempt to reach another machine, and remembers it.

An audit hook sees what every library does, asyncio and C code that calls back into Python included. The attempt raises
*and* is written down: code under test may turn the exception into "node unreachable", the test must fail all the same.
Only the standard library is imported here, because `sitecustomize` brings it into every child process.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOG_VARIABLE = "HVTUI_TEST_GUARD_LOG"
"""Environment variable that names the file in which attempts are written, those of child processes included."""

ALLOWED = "127.0.0.1"

_attempts: list[str] = []
_installed = False


class NetworkForbiddenError(Exception):
    """Not an OSError, so that no code under test takes it for an ordinary network fault."""


def install() -> None:
    """Start guarding this process; it cannot be undone. Further calls do nothing."""
    global _installed  # noqa: PLW0603
    if not _installed:
        _installed = True
        sys.addaudithook(_hook)


def attempts(log: Path | None = None) -> list[str]:
    """Attempts since the last call, those in `log` included; they are forgotten then."""
    found = list(_attempts)
    _attempts.clear()
    if log is not None and log.exists():
        found += log.read_text(encoding="utf-8").splitlines()
        log.unlink()
    return found


@contextmanager
def expected(log: Path | None = None) -> Iterator[list[str]]:
    """For tests of the guard itself: collects the attempts made inside, which then do not fail the test."""
    seen: list[str] = []
    try:
        yield seen
    finally:
        seen += attempts(log)


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if not event.startswith("socket."):
        return
    complaint = _complaint(event, arguments)
    if complaint:
        log = os.environ.get(LOG_VARIABLE)
        if log:
            with Path(log).open("a", encoding="utf-8") as file:
                file.write(complaint + "\n")
        else:
            _attempts.append(complaint)
        raise NetworkForbiddenError(complaint)


def _complaint(event: str, arguments: tuple[object, ...]) -> str:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        address = arguments[1]
        # A path or None: a local socket, or one that is connected already.
        if isinstance(address, tuple) and address[0] != ALLOWED:
            return f"{event} to {address[0]!r} port {address[1]}"
    elif event == "socket.getaddrinfo":
        host = arguments[0]
        if isinstance(host, bytes):
            host = host.decode("ascii", "replace")
        if host not in {None, ALLOWED}:
            return f"name resolution of {host!r}"
    elif event in {"socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}:
        return f"{event} of {arguments[0]!r}"
    return ""
