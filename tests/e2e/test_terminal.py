"""The harness itself: it reads what is on the screen, and it notices a terminal that was left in disorder."""

from __future__ import annotations

import signal

import pytest

from tests.support.terminal import Terminal

ECHO = "import sys\nprint('name?')\nprint('hello', input())\nsys.exit(3)"
MESS = r"""
import sys, termios
modes = termios.tcgetattr(0); modes[3] &= ~termios.ECHO; termios.tcsetattr(0, termios.TCSANOW, modes)
sys.stdout.write('\x1b[?1049h\x1b[?25l\x1b[?1000h\x1b[>1uleft open'); sys.stdout.flush(); input()
"""


def test_keys_go_in_and_the_screen_comes_out() -> None:
    with Terminal(["-c", ECHO]) as terminal:
        terminal.wait_for("name")
        terminal.send("operator", "enter")
        terminal.wait_for("^hello operator$")
        assert terminal.wait_exit() == 3
        assert terminal.restored() == []


def test_what_is_not_shown_fails_with_the_screen() -> None:
    with Terminal(["-c", ECHO]) as terminal:
        terminal.wait_for("name")
        with pytest.raises(AssertionError, match="name"):
            terminal.wait_for("never", timeout=0.3)


def test_disorder_is_seen() -> None:
    with Terminal(["-c", MESS]) as terminal:
        terminal.wait_for("^left open")
        terminal.signal(signal.SIGKILL)
        terminal.wait_exit()
        assert len(terminal.restored()) == 4
