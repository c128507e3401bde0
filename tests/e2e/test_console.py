"""The console on a lab over real NTLM: what a person sees when nodes die, hang, or refuse the password."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from hvtui.lab.world.events import VMMS
from tests.support.cli import program
from tests.support.terminal import Terminal


@pytest.fixture
def lab() -> Iterator[Lab]:
    with Lab("healthy") as lab:
        yield lab


def console(lab: Lab, folder: Path, *words: str, change: tuple[str, str] | None = None, lines: int = 40) -> Terminal:
    path = folder / "lab.toml"
    text = lab.config_text()
    path.write_text(text.replace(*change) if change else text, encoding="utf-8")
    return Terminal(["-m", "hvtui", "--config", str(path), *words], lines=lines, env={"TZ": "UTC"})


def row(shown: str, name: str) -> str:
    """The line of the Nodes pane (the left half of the screen) that begins with a node."""
    return next((line[:54] for line in shown.splitlines() if re.match(rf"│ . {name} ", line)), "")


def differs_from(before: str) -> Callable[[str], bool]:
    """The screen was painted anew."""
    return lambda text: text != before


def test_a_dead_node_goes_stale_with_its_age_and_comes_back_and_no_other_row_flinches(lab: Lab, tmp_path: Path) -> None:
    with console(lab, tmp_path) as terminal:
        terminal.wait_for(r"HV03 +Up .*12✓")
        lab.node("HV03").stop()
        shown = terminal.wait_for(r"HV03 +unreachable +\d+ s")
        assert "12✓" in row(shown, "HV03")
        terminal.wait_for(r"HV03 +unreachable +([5-9]|1\d) s")
        for _ in range(10):
            shown = terminal.text()
            others = [row(shown, f"HV0{n}") for n in (1, 2, 4, 5, 6, 7, 8)]
            assert all(" Up " in other for other in others), shown
            terminal.wait_for(differs_from(shown))
        lab.node("HV03").start()
        terminal.wait_for(r"HV03 +Up .*12✓")
        terminal.wait_for(r"8 nodes")
        assert lab.logons[lab.username].failed == 0


def test_a_node_whose_vmms_hangs_is_called_hanging_not_unreachable(lab: Lab, tmp_path: Path) -> None:
    with console(lab, tmp_path) as terminal:
        terminal.wait_for(r"HV04 +Up .*12✓")
        lab.call(lambda world: setattr(world.nodes["HV04"].faults, "vmms_hung", True))
        shown = terminal.wait_for(r"HV04 +hanging")
        assert "unreachable" not in shown
        terminal.wait_for(r"HV04.*(VMMS|Virtual Machine Management).*does not answer")
        lab.call(lambda world: setattr(world.nodes["HV04"].faults, "vmms_hung", False))
        terminal.wait_for(r"HV04 +Up ")


def test_a_node_that_accepts_and_never_answers_is_named_and_the_rest_goes_on(lab: Lab, tmp_path: Path) -> None:
    lab.node("HV02").hang()
    with console(lab, tmp_path) as terminal:
        terminal.wait_for(r"HV02 +(unreachable|hanging)")
        terminal.wait_for(r"HV01 +Up .*12✓")


def test_a_wrong_password_is_tried_exactly_once(lab: Lab, tmp_path: Path) -> None:
    with console(lab, tmp_path, change=(lab.password, "wrong")) as terminal:
        shown = terminal.wait_for("refused the log-on")
        assert "wrong" not in shown
        # Every supervisor had its turn by the time the clock in the header has moved on.
        for _ in range(5):
            terminal.wait_for(differs_from(terminal.text()))
        assert lab.logons[lab.username].failed == 1
        assert lab.logons[lab.username].succeeded == 0


def test_another_password_given_in_the_console_is_used(lab: Lab, tmp_path: Path) -> None:
    with console(lab, tmp_path, change=(lab.password, "wrong")) as terminal:
        terminal.wait_for("Log-on refused")
        terminal.send(lab.password, "enter")
        terminal.wait_for(r"HV08 +Up .*12✓")
        assert lab.logons[lab.username].failed == 1


def _first_failure(world: World) -> datetime:
    """When the first guest failed, by HV03's own log: the truth the console must find."""
    return next(event.time for event in world.nodes["HV03"].logs[VMMS].records if event.id == 10102)


def test_one_hour_into_a_stuck_writer_the_screen_tells_the_true_start(tmp_path: Path) -> None:
    with Lab("stuck-writer", at=3600) as lab, console(lab, tmp_path, lines=44) as terminal:
        start = lab.call(_first_failure)
        shown = terminal.wait_for(r"HV03 Hyper-V \[5\].* · since \d\d:\d\d \(event\)")
        told = re.search(r"HV03 Hyper-V \[5\] (.*) · since (\d\d:\d\d) \(event\)", shown)
        assert told is not None
        assert told[2] == f"{start:%H:%M}"
        assert "Unexpected error" in told[1]
        age = re.search(r"\[5\]✖ failed (\d+)m", shown)
        assert age is not None
        minutes = (lab.call(lambda world: world.time_of(world.nodes["HV03"])) - start).total_seconds() / 60
        assert abs(int(age[1]) - minutes) <= 1.5


def test_a_polite_end_gives_the_terminal_back(lab: Lab, tmp_path: Path) -> None:
    with console(lab, tmp_path) as terminal:
        terminal.wait_for(r"HV03 +Up ")
        terminal.signal(signal.SIGTERM)
        assert terminal.wait_exit() == 0
        assert terminal.restored() == []


def test_without_a_terminal_it_says_so() -> None:
    ran = program("demo")
    assert ran.code == 64
    assert "needs a terminal" in ran.err


def test_hostile_names_are_text_on_the_screen(lab: Lab, tmp_path: Path) -> None:
    names = ["AA[/prod]", "AA[@click=app.quit]x[/]", "AAa\x1b[31mb", "AAÜnïcode 漢字", "AA" + "x" * 300]

    def rename(world: World) -> None:
        for name, vm in zip(names, list(world.vms.values()), strict=False):
            vm.name = name
            vm.touch()

    lab.call(rename)
    with console(lab, tmp_path) as terminal:
        for part in ("AA[/prod]", "AA[@click=app", "AAÜnïcode", "AAxxx"):
            terminal.wait_for(re.escape(part))
        assert b"AAa\x1b[31m" not in terminal.raw()
