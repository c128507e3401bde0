"""A program on a pseudo-terminal: keys go in, and the screen is read as a person sees it.

POSIX only (Windows has no pty in Python's library); `tests/e2e/conftest.py` leaves those tests out there.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import pyte

KEYS = {
    "enter": "\r",
    "tab": "\t",
    "escape": "\x1b",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "ctrl+c": "\x03",
    "ctrl+q": "\x11",
    "ctrl+u": "\x15",
}

_LAST_WORDS = 2.0
"""Seconds in which the output of a program that has ended arrives."""

# The child takes the pseudo-terminal as its controlling one, so that Ctrl+C, hang-up and sizes work as in a shell.
# A test run in the background ignores SIGINT, and so would every program that it starts: a shell's foreground does not.
_TAKE_TERMINAL = (
    "import fcntl, os, signal, sys, termios; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """Starts `python ARGUMENTS…` on a terminal of `columns` × `lines`; ends it on exit from the `with` block."""

    def __init__(
        self, arguments: Sequence[str], *, columns: int = 120, lines: int = 40, env: Mapping[str, str] | None = None
    ) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._changed = threading.Condition()
        self._raw = bytearray()
        self._master, self._slave = pty.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._modes = termios.tcgetattr(self._slave)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, sys.executable, *arguments],
            stdin=self._slave,
            stdout=self._slave,
            stderr=self._slave,
            start_new_session=True,
            env={**os.environ, **(env or {})},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        # The reader ends when nobody holds the other side any more.
        os.close(self._slave)
        self._reader.join(10)
        os.close(self._master)

    def text(self) -> str:
        """The screen, one line of text per line, blanks at the end taken off."""
        with self._changed:
            return "\n".join(line.rstrip() for line in self._screen.display)

    def raw(self) -> bytes:
        """Every byte the program has written."""
        with self._changed:
            return bytes(self._raw)

    def style(self, line: int, column: int) -> Any:
        """pyte's character (data, fg, bg, bold, reverse, …) at a place."""
        with self._changed:
            return self._screen.buffer[line][column]

    def send(self, *keys: str) -> None:
        """Type keys: names of KEYS, or text as it is."""
        for key in keys:
            os.write(self._master, KEYS.get(key, key).encode())

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        self.process.send_signal(number)

    def wait_for(self, wanted: str | Callable[[str], Any], timeout: float = 60) -> str:
        """Wait until the screen matches a pattern or pleases a function; gives the screen back, fails with it."""
        pattern = re.compile(wanted, re.MULTILINE) if isinstance(wanted, str) else None
        deadline = time.monotonic() + timeout
        while True:
            shown = self.text()
            if pattern.search(shown) if pattern else wanted(shown):  # type: ignore[operator]
                return shown
            left = deadline - time.monotonic()
            assert left > 0, f"not on the screen: {wanted}\n{shown}"
            ended = self.process.poll()
            if ended is not None and left > _LAST_WORDS:
                deadline = time.monotonic() + _LAST_WORDS
            with self._changed:
                self._changed.wait(min(left, 0.25))

    def wait_exit(self, timeout: float = 30) -> int:
        """Wait for the program's end and its last output; gives its exit code."""
        return self.process.wait(timeout)

    def restored(self) -> list[str]:
        """What the program left undone on the terminal; empty when all is as it was."""
        raw = self.raw()
        wrong = []
        if termios.tcgetattr(self._slave) != self._modes:
            wrong.append("line modes (echo, line input) are not as before")
        switches = {
            "alternate screen": ("?1049", "h", "l"),
            "mouse": ("?1000", "h", "l"),
            "mouse motion": ("?1003", "h", "l"),
            "bracketed paste": ("?2004", "h", "l"),
            "hidden cursor": ("?25", "l", "h"),
        }
        for name, (mode, on, off) in switches.items():
            if raw.rfind(f"\x1b[{mode}{on}".encode()) > raw.rfind(f"\x1b[{mode}{off}".encode()):
                wrong.append(f"{name} is still on")
        return wrong

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._master, 65_536)
            except OSError:
                return
            if not data:
                return
            came = time.perf_counter()
            with self._changed:
                self._raw += data
                self._stream.feed(_plain(data))
                self.fed(data, came)
                self._changed.notify_all()

    def fed(self, data: bytes, came: float) -> None:
        """The screen shows what came at this moment (`time.perf_counter`); called with the screen held."""


_UNKNOWN = re.compile(rb"\x1b\[[<>=?][0-9;]*(?:\$p|[uqcm])")


def _plain(data: bytes) -> bytes:
    """Without the questions to modern terminals that pyte would show as text."""
    return _UNKNOWN.sub(b"", data)
