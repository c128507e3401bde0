"""A console whose terminal goes away, or that is asked to end, ends; it never stays behind unseen."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a console window and its programs end together there")

CONSOLE = """
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from hvtui.ui.run import run_console
from tests.support.world import DirectFeed
class Feed(DirectFeed):
    async def stop(self):
        open(STOPPED, "w").close()
code = run_console(Feed.load("healthy"))
raise SystemExit(code)
"""


def opened(stopped: Path) -> tuple[subprocess.Popen[bytes], int]:
    """A console in a terminal of its own, painted; and the terminal's other end."""
    import pty

    ours, theirs = pty.openpty()

    program = CONSOLE.replace("STOPPED", repr(str(stopped)))
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    console = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    seen, end = b"", time.monotonic() + 60
    while b"CLU-HEALTHY" not in seen and time.monotonic() < end:
        if select.select([ours], [], [], 1)[0]:
            seen += os.read(ours, 65536)
    assert b"CLU-HEALTHY" in seen, seen[-2000:]
    return console, ours


def test_the_console_ends_when_its_terminal_goes(tmp_path: Path) -> None:
    stopped = tmp_path / "stopped"
    console, ours = opened(stopped)
    os.close(ours)
    console.wait(timeout=30)
    assert stopped.exists()


def test_a_polite_kill_gives_the_terminal_back(tmp_path: Path) -> None:
    stopped = tmp_path / "stopped"
    console, ours = opened(stopped)
    console.send_signal(signal.SIGTERM)
    seen, end = b"", time.monotonic() + 30
    while console.poll() is None and time.monotonic() < end:
        if select.select([ours], [], [], 0.2)[0]:
            try:
                seen += os.read(ours, 65536)
            except OSError:
                break
    assert console.wait(timeout=30) == 0
    os.close(ours)
    assert stopped.exists()
    for off in (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?25h"):
        assert off in seen, off
