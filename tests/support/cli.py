"""Runs the command line: in this process for speed, or as a program of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

import pytest

from hvtui.cli.main import main


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


def program(*words: str, stdin: bytes = b"", timeout: float = 100) -> Ran:
    """Run hvtui as a process of its own, its output piped."""
    done = subprocess.run(
        [sys.executable, "-m", "hvtui", *words], input=stdin, capture_output=True, timeout=timeout, check=False
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


class Shell:
    """Runs commands in this process and keeps what they print."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, *words: str) -> Ran:
        self._capture.readouterr()
        code = main(list(words))
        printed = self._capture.readouterr()
        return Ran(code, printed.out, printed.err)
