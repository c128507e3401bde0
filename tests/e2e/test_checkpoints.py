"""Checkpoints by keys on a terminal: taken, silently fallen back, refused with the reason, applied and removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hvtui.journal.entry import Kind
from hvtui.journal.store import Journal
from hvtui.lab.serve import Lab
from hvtui.lab.world import World, actions
from hvtui.lab.world.vm import Vm
from hvtui.model.enums import CheckpointType, VmState
from tests.e2e.test_acting import arm, assert_well, console
from tests.support.desk import small
from tests.support.fuller import in_fuller_run
from tests.support.terminal import Terminal

GUESTS = """
[[vms]]
name = "MUTE"
memory_gb = 2
nodes = ["HV01"]
guest = "windows-no-vmicvss"
"""


def vm(world: World, name: str) -> Vm:
    return next(found for found in world.vms.values() if found.name == name)


def checkpoints(lab: Lab, name: str) -> list[tuple[str, bool]]:
    """Name of each, and whether it holds memory."""
    return lab.call(lambda world: [(one.name, one.saved) for one in vm(world, name).checkpoints])


def page_of(terminal: Terminal, name: str) -> None:
    """The page of a VM's checkpoints, from the overview."""
    terminal.wait_for(r"1 Nodes")
    # The filter of before stays until it is cleared, and only Esc does that.
    terminal.send("3", "/", "ctrl+u", f"name:{name}", "enter", "g")
    terminal.wait_for(rf"filter: name:{name}(.|\n)*│ . {name} +Running")
    terminal.send("K")
    terminal.wait_for(rf"Checkpoints of {name}")


def take(terminal: Terminal, name: str, title: str) -> None:
    """Ask for one from the page, up to the operations page."""
    terminal.send("C")
    terminal.wait_for(rf"Checkpoint of {name}: what shall it be called\?(.|\n)*name:")
    terminal.send(title)
    terminal.wait_for(r"\[ \S+  Show the plan \]")
    terminal.send("enter")
    arm(terminal, r"Take a checkpoint of \S+.*?")
    terminal.send("y")


@in_fuller_run
@pytest.mark.timeout(240)
def test_kinds_are_told_a_fallback_is_said_and_the_ways_back_are_by_keys(tmp_path: Path) -> None:
    scenario = small(tmp_path, vms='nodes = ["HV01"]', more=GUESTS)
    with Lab(str(scenario), speed=16.0) as lab, console(lab, tmp_path) as terminal:
        terminal.wait_for(r"HV03 +Up .*\d✓")

        # Its own: made by the guest, and said so.
        page_of(terminal, "APP01")
        take(terminal, "APP01", "before the update")
        terminal.wait_for(r"Last operation(.|\n)*APP01: done, it became: production", timeout=120)
        assert checkpoints(lab, "APP01") == [("before the update", False)]

        # A guest that cannot freeze: a standard one, and that is not silent any more.
        terminal.send("escape")
        page_of(terminal, "MUTE")
        take(terminal, "MUTE", "mine")
        terminal.wait_for(r"MUTE: done, it became: standard, with memory, though its type is\s+Production", timeout=120)
        assert checkpoints(lab, "MUTE") == [("mine", True)]

        # Somebody else's: the next one, taken with Windows' own tools.
        lab.call(lambda world: actions.checkpoint(world, vm(world, "MUTE"), "a colleague's"))
        terminal.send("escape")
        terminal.wait_for(r"▲ MUTE +Running .* 2S")
        terminal.send("enter")
        terminal.wait_for(r"fell back")
        terminal.send("escape")

        # ProductionOnly fails instead, with the reason that Windows gave.
        lab.call(lambda world: actions.set_checkpoint_type(world, vm(world, "MUTE"), CheckpointType.ProductionOnly))
        terminal.wait_for(r"MUTE +Running .*ProductionOnly")
        page_of(terminal, "MUTE")
        take(terminal, "MUTE", "third")
        terminal.wait_for(r"MUTE: failed, no checkpoint was taken: event \d+", timeout=120)
        assert [name for name, _ in checkpoints(lab, "MUTE")] == ["mine", "a colleague's"]

        # Applied: typed, and the VM is off afterwards; started from the page.
        terminal.send("escape")
        page_of(terminal, "APP01")
        terminal.wait_for(r"✓ before the update")
        terminal.send("P")
        terminal.wait_for(r"APP01 is off afterwards(.|\n)*type APP01 to confirm:")
        terminal.send("APP01")
        arm(terminal, r"\S.*")
        terminal.send("enter")
        terminal.wait_for(r"Last operation(.|\n)*Apply .*done", timeout=120)
        assert lab.call(lambda world: vm(world, "APP01").state) == VmState.Off
        terminal.send("escape")
        terminal.wait_for(r"APP01 +Off")
        terminal.send("K")
        terminal.wait_for(r"Checkpoints of APP01")
        terminal.send("B")
        arm(terminal, r"Start \S+.*?")
        terminal.send("y")
        terminal.wait_for(r"Last operation(.|\n)*Start APP01 +done", timeout=120)

        # Removed, and its merge followed to the end.
        terminal.send("escape")
        page_of(terminal, "APP01")
        terminal.wait_for(r"✓ before the update")
        terminal.send("R")
        terminal.wait_for(r"type \S+.* to confirm:")
        terminal.send("APP01")
        arm(terminal, r"\S.*")
        terminal.send("enter")
        terminal.wait_for(r"Last operation(.|\n)*Remove .*done", timeout=120)
        assert checkpoints(lab, "APP01") == []
        assert_well(lab, tmp_path)
    notes = [line.entry for line in Journal(tmp_path / "state" / "hvtui" / "journal").lines(kinds=(Kind.NOTE,))]
    assert [note.target for note in notes] == ["MUTE", "MUTE"], "each silent fallback is kept"
