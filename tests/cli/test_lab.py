"""`hvtui lab` serves in the foreground; a second terminal connects with what it writes, without a prompt."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.cli import program
from tests.support.schemas import checked


@contextmanager
def serving(*words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A lab as a program of its own, and its `ready` line."""
    with subprocess.Popen(
        [sys.executable, "-m", "hvtui", "lab", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        try:
            yield running, running.stdout.readline()
        finally:
            running.kill()


def test_a_second_process_connects_with_the_written_configuration(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text("something old")
    with serving("--speed", "0", "--at", "10m", "--write-config", str(path)) as (running, ready):
        assert re.match(r"ready: CLU-HEALTHY, 8 nodes at 127\.0\.0\.1:\d+", ready)
        if os.name != "nt":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        told = checked("status", program("status", "--json", "--config", str(path)).out)
        assert (len(told["nodes"]), told["unread"]) == (8, [])
        # A whole program, so a password of its own: nothing of it is on the screen.
        shown = program("config", "show", "--config", str(path))
        password = re.search(r'plain = "([^"]+)"', path.read_text())
        assert password is not None
        assert password[1] not in shown.out + ready
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0
        assert running.stdout is not None
        assert running.stdout.read() == ""
        assert running.stderr is not None
        assert running.stderr.read() == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that a program sees")
def test_a_polite_end() -> None:
    with serving("--speed", "0") as (running, ready):
        assert ready.startswith("ready")
        running.terminate()
        assert running.wait(30) == 0


def test_the_ports_follow_the_first() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        ran = program("lab", "--port", str(port))
    assert ran.code == 2
    assert "cannot listen" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--scenario", "helthy"], "did you mean `healthy`"),
        (["--scenario", "nowhere.toml"], "there is no scenario `nowhere.toml`"),
        (["--write-config", "/nowhere/at/all/lab.toml"], "cannot be written"),
    ],
)
def test_what_cannot_be_served_is_said_and_nothing_is_left(words: list[str], complaint: str) -> None:
    ran = program("lab", *words)
    assert ran.code in {2, 64}
    assert complaint in ran.err
    assert "ready" not in ran.out


def test_a_scenario_of_ones_own_with_faults_is_wrong_usage(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("title = 3\n")
    ran = program("lab", "--scenario", str(path))
    assert ran.code == 64
    assert "cannot be used" in ran.err


def test_the_demos_lab_ends_with_its_standard_input() -> None:
    command = [sys.executable, "-m", "hvtui", "lab", "--with-parent", "--speed", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdin is not None
        lines = iter(running.stdout.readline, "")
        assert any(line.startswith("ready") for line in lines)
        running.stdin.close()
        assert running.wait(30) == 0
