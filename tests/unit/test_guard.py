"""The network guard bites: in this process, in child processes, and when the code under test swallows its error."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.guard import netguard

ELSEWHERE = "192.0.2.1"
"""TEST-NET-1: an address that belongs to nobody."""


def _connect() -> None:
    with socket.socket() as sock:
        sock.connect((ELSEWHERE, 80))


def _datagram() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", (ELSEWHERE, 53))


def _asyncio() -> None:
    asyncio.run(asyncio.wait_for(asyncio.open_connection(ELSEWHERE, 80), 5))


@pytest.mark.parametrize(
    "attempt",
    [
        _connect,
        _datagram,
        _asyncio,
        lambda: socket.getaddrinfo("node.invalid", 80),
        lambda: socket.getaddrinfo("localhost", 80),
        lambda: socket.gethostbyname("node.invalid"),
        lambda: socket.gethostbyaddr("127.0.0.1"),
    ],
)
def test_an_attempt_raises_and_is_remembered(attempt: Callable[[], object], guard_log: Path) -> None:
    with netguard.expected(guard_log) as seen, pytest.raises(netguard.NetworkForbiddenError):
        attempt()
    assert len(seen) == 1


def test_a_child_process_is_guarded_too(guard_log: Path) -> None:
    code = f"import socket\ntry: socket.create_connection(('{ELSEWHERE}', 80))\nexcept Exception: pass"
    with netguard.expected(guard_log) as seen:
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert seen == [f"name resolution of '{ELSEWHERE}'"]


def test_this_machine_may_be_reached(guard_log: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass
    assert socket.getaddrinfo("127.0.0.1", 80)
    assert not netguard.attempts(guard_log)


def test_a_test_that_swallows_the_error_fails_all_the_same(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    (tmp_path / "conftest.py").write_text("from tests.conftest import _clean_environment, guard_log, home\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    (tmp_path / "test_inner.py").write_text(
        "import socket, contextlib\n"
        "def test_quiet():\n"
        "    with contextlib.suppress(Exception):\n"
        f"        socket.create_connection(('{ELSEWHERE}', 80), timeout=1)\n"
        "def test_good():\n"
        "    pass\n"
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ["PYTHONPATH"]])},
    )
    assert "the network was used" in run.stdout, run.stdout + run.stderr
    assert "2 passed, 1 error" in run.stdout


def test_home_is_a_place_of_this_test(home: Path) -> None:
    assert os.environ["XDG_CONFIG_HOME"].startswith(str(home))
    assert Path.home() == home
    assert not any(name.lower().endswith("_proxy") for name in os.environ)
