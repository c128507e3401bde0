"""Changes by keys on a terminal, on a lab over real NTLM: a move, and a console that is killed while VMMS stops."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from hvtui.journal.verify import verify
from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from tests.e2e.test_console import differs_from
from tests.support.desk import small
from tests.support.executed import executed
from tests.support.fuller import in_fuller_run
from tests.support.terminal import Terminal


def console(lab: Lab, folder: Path, *, lines: int = 44) -> Terminal:
    """The console with its journal in `folder`."""
    path = folder / "lab.toml"
    path.write_text(lab.config_text(), encoding="utf-8")
    env = {"TZ": "UTC", "XDG_STATE_HOME": str(folder / "state")}
    return Terminal(["-m", "hvtui", "--config", str(path)], lines=lines, env=env)


def harm(world: World) -> list[str]:
    """What the world says was harmed."""
    return [f"{one.kind} {one.target}" for one in world.ledger.entries]


def assert_well(lab: Lab, folder: Path, *, but: tuple[str, ...] = ()) -> None:
    """Nobody was harmed, `but` in these ways each once; nothing was done twice, and the journal is whole."""
    assert [entry.split()[0] for entry in lab.call(harm)] == [*but], lab.call(harm)
    counts = lab.call(executed)
    assert counts
    assert set(counts.values()) == {1}, counts
    report = verify(folder / "state" / "hvtui" / "journal")
    assert not report.faults, report.faults


def arm(terminal: Terminal, button: str, key: str = "enter", seconds: float = 120.0) -> None:
    """Wait until the button is armed. A plan that changed meanwhile is read first, as its dialog asks for."""
    while True:
        shown = terminal.wait_for(rf"\[ \S+  {button} \]|it has changed: read it", timeout=seconds)
        if re.search(rf"\[ \S+  {button} \]", shown):
            return
        terminal.send(key)
        terminal.wait_for(differs_from(shown))


def home(world: World, name: str) -> str:
    """The node of a VM."""
    return next(vm.node.name for vm in world.vms.values() if vm.name == name)


@in_fuller_run
def test_a_vm_is_moved_by_keys(tmp_path: Path) -> None:
    with Lab("healthy", speed=4.0) as lab, console(lab, tmp_path) as terminal:
        terminal.wait_for(r"HV08 +Up .*12✓")
        # The first VM that runs: the filter leaves only such.
        terminal.send("3", "/", "state:running", "enter", "g")
        shown = terminal.wait_for(r"filter: state:running")
        found = re.search(r"^│ . (\S+) +Running +(HV\d\d)", shown, re.MULTILINE)
        assert found is not None, shown
        name, source = found[1], found[2]
        terminal.send("M")
        shown = terminal.wait_for(rf"Move {name} to which node\?(.|\n)*N\+1 holds")
        best = re.search(r"│ 1 +✓ (HV\d\d)", shown)
        assert best is not None, shown
        terminal.send("enter")
        terminal.wait_for(rf"\[ y  Move {name} to {best[1]} \]")
        assert lab.call(lambda world: home(world, name)) == source
        terminal.send("y")
        terminal.send("O")
        terminal.wait_for(rf"✓ done +Move {name} to {best[1]}", timeout=120)
        assert lab.call(lambda world: home(world, name)) == best[1]
        assert_well(lab, tmp_path)


def hang(lab: Lab, node: str, *, wanted: bool) -> None:
    """VMMS of a node does not come to the end of its stop, or it does now."""
    lab.call(lambda world: setattr(world.nodes[node].services["vmms"], "hangs", wanted))


@pytest.mark.timeout(400)
def test_a_console_killed_while_vmms_stops_shows_it_first_and_goes_on_from_there(tmp_path: Path) -> None:
    with Lab(small(tmp_path), speed=8.0) as lab:
        node = "HV01"
        hang(lab, node, wanted=True)
        with console(lab, tmp_path) as terminal:
            terminal.wait_for(r"HV01 +Up .*\d✓")
            terminal.wait_for(rf"{node} +Up .*\d✓")
            before = lab.call(lambda world: {vm.name for vm in world.vms.values() if vm.node.name == node})
            terminal.send("1", "/", node, "enter")
            terminal.wait_for(rf"1 Nodes(.|\n)*^│ ✓ {node} ")
            # Until the events of the node were read, hvtui asks whether to wait for them.
            terminal.send("V")
            shown = terminal.wait_for(r"Hyper-V writer of HV\d\d is \[1\] Stable|were not read yet")
            assert re.search(rf"(Hyper-V writer|The events) of {node} ", shown)
            terminal.send("2")
            terminal.wait_for(rf"type {node} to confirm", timeout=120)
            terminal.send(node)
            arm(terminal, f"Restart VMMS on {node}")
            terminal.send("enter")
            terminal.wait_for(r"Stop Pending", timeout=200)
            terminal.signal(signal.SIGKILL)
            terminal.wait_exit()
        hang(lab, node, wanted=False)
        with console(lab, tmp_path) as terminal:
            shown = terminal.wait_for(rf"VMMS is stopped on {node}, by hvtui: S starts it", timeout=120)
            assert shown.splitlines()[0].lstrip().startswith("VMMS is stopped")
            terminal.send("S")
            terminal.wait_for(rf"\[ y  Start VMMS on {node} \]", timeout=120)
            terminal.send("y")
            terminal.wait_for(rf"✓ done +Start VMMS on {node}", timeout=120)
            terminal.wait_for(rf"▲ unfinished +Restart VMMS on {node}")
            terminal.send("n", "G", "r")
            terminal.wait_for(rf"{node} is paused, its drain is Completed", timeout=60)
            terminal.send("enter")
            terminal.wait_for(rf"1 +Resume {node}, -Failback Immediate")
            terminal.send("1")
            terminal.wait_for(rf"\[ y  Resume {node} \(Immediate\) \]", timeout=120)
            terminal.send("y")
            terminal.wait_for(rf"✓ done +Resume {node} \(Immediate\)", timeout=200)
            terminal.send("escape")
            terminal.wait_for(rf"{node} +Up .*\d✓")
            after = lab.call(lambda world: {vm.name for vm in world.vms.values() if vm.node.name == node})
            assert before <= after
        assert_well(lab, tmp_path)
