"""`hvtui demo` as a newcomer meets it: it opens by itself, it moves, and it leaves nothing behind."""

from __future__ import annotations

import re
import signal

import pytest

from hvtui.lab.pwsh.stubs import find_engine
from tests.support.fuller import in_fuller_run
from tests.support.processes import children, wait_gone
from tests.support.terminal import Terminal

FILLED = (r"8 nodes · 74 VMs · 9 CSVs", r"HV08 +Up", r"Volume1 +HV01", r"APP01 +Running", r"\d+ ✓")


def open_demo(terminal: Terminal) -> list[int]:
    """Wait until every pane has rows; gives the lab's process."""
    for wanted in FILLED:
        terminal.wait_for(wanted)
    return children(terminal.process.pid)


def test_every_pane_fills_and_q_leaves_a_clean_terminal_and_no_process() -> None:
    with Terminal(["-m", "hvtui", "demo"]) as terminal:
        lab = open_demo(terminal)
        assert len(lab) == 1
        terminal.send("q")
        assert terminal.wait_exit() == 0
        wait_gone(lab)
        assert terminal.restored() == []


@pytest.mark.timeout(600)
@in_fuller_run
def test_on_a_real_engine_the_incident_is_on_the_screen_and_q_leaves_no_process() -> None:
    if not find_engine():
        pytest.skip("no PowerShell engine: neither HVTUI_PWSH nor pwsh on the PATH")
    arguments = ["demo", "--engine", "pwsh", "--scenario", "stuck-writer", "--at", "60m"]
    with Terminal(["-m", "hvtui", *arguments], columns=160, lines=50) as terminal:
        for wanted in (r"6 nodes · 57 VMs · 7 CSVs", r"HV03: Microsoft Hyper-V VSS Writer \[5\] Unexpected error"):
            terminal.wait_for(wanted, timeout=400)
        lab = children(terminal.process.pid)
        engines = [pid for one in lab for pid in children(one)]
        assert len(lab) == 1
        assert len(engines) >= 6
        terminal.send("q")
        assert terminal.wait_exit(60) == 0
        wait_gone([*lab, *engines])
        assert terminal.restored() == []


def test_it_moves(home: object) -> None:
    with Terminal(["-m", "hvtui", "demo", "--scenario", "backup-window", "--speed", "20"], lines=60) as terminal:
        shown = terminal.wait_for(r"backup +\d+%|backup \d+%|creating|merg", timeout=60)
        clock = re.search(r"\d\d:\d\d:\d\d", shown)
        assert clock is not None
        terminal.wait_for(lambda text: clock[0] not in text and text != shown)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_lab_ends_with_the_console_however_that_ends(number: signal.Signals) -> None:
    with Terminal(["-m", "hvtui", "demo"]) as terminal:
        lab = open_demo(terminal)
        assert len(lab) == 1
        terminal.signal(number)
        terminal.wait_exit()
        wait_gone(lab)
        if number is not signal.SIGKILL:
            assert terminal.restored() == []


def interrupted_while_it_starts() -> bool:
    """Type Ctrl+C during the start; False when the console was quicker, where Ctrl+C is a key like any other."""
    with Terminal(["-m", "hvtui", "demo", "--scenario", "limit"]) as terminal:
        terminal.wait_for("starting the simulated cluster")
        lab = children(terminal.process.pid)
        terminal.send("ctrl+c")
        terminal.wait_for(lambda text: terminal.process.poll() is not None or "CLU-LIMIT" in text)
        if terminal.process.poll() is None:
            return False
        assert terminal.wait_exit() == 130
        wait_gone(lab)
        assert terminal.restored() == []
        assert "Traceback" not in terminal.text()
        return True


def test_ctrl_c_while_it_starts_leaves_nothing() -> None:
    assert any(interrupted_while_it_starts() for _ in range(5))


def test_a_small_terminal() -> None:
    with Terminal(["-m", "hvtui", "demo", "--ascii"], columns=80, lines=24) as terminal:
        terminal.wait_for("CLU-HEALTHY")
        terminal.wait_for("APP01 +Running")
        terminal.send("q")
        assert terminal.wait_exit() == 0


def test_a_scenario_that_does_not_exist() -> None:
    with Terminal(["-m", "hvtui", "demo", "--scenario", "stuck-writter"]) as terminal:
        assert terminal.wait_exit() == 64
        terminal.wait_for("did you mean `stuck-writer`")
