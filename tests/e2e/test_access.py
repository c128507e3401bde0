"""VssAccessControl by keys on a terminal: from event 8194 over the proof by the next backup to the way back."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from tests.e2e.test_acting import arm, assert_well, console
from tests.support.fuller import in_fuller_run
from tests.support.terminal import Terminal

ACCOUNT = "CORP\\svc-replay"
NODES = ("HV01", "HV02", "HV03", "HV04")
BACKED_UP = 1_000.0
"""World seconds after which every node had its first backup, each with its 8194."""
PAINTED = 20.0


def entries(world: World) -> dict[str, dict[str, int]]:
    """The values under VssAccessControl, by node."""
    return {name: dict(node.access_control) for name, node in world.nodes.items()}


def refusals(world: World) -> dict[str, int]:
    """How often each node logged 8194."""
    return {
        name: sum(event.id == 8194 for event in node.logs["Application"].records) for name, node in world.nodes.items()
    }


def until(lab: Lab, condition: Callable[[World], bool], most: float = 3_600.0) -> None:
    """Let world time pass by steps until something holds."""

    def step(world: World) -> bool:
        if condition(world):
            return True
        world.advance(5.0)
        return condition(world)

    for _ in range(int(most / 5.0)):
        if lab.call(step):
            return
    raise AssertionError(f"not within {most:.0f} s of the world")


def play_access_denied(lab: Lab, terminal: Terminal, patience: float = 1.0) -> None:
    """8194 seen, account proposed, value explained, set everywhere, read back, proven by a backup, given back exactly.

    `patience`: how many times as long as on the native engine anything may take.
    """

    def wait(pattern: str, seconds: float = 60.0) -> str:
        return terminal.wait_for(pattern, timeout=seconds * patience)

    before = lab.call(entries)
    seen = lab.call(refusals)
    assert seen == dict.fromkeys(NODES, 1)
    wait(r"HV04 +Up .*\d✓")
    # Named in words, and found among everything else that was logged.
    terminal.send("6", "/", "id:8194", "enter")
    wait(r"6 Events · 4 of \d+ · 4 ▲(.|\n)*8194 warning VSS: access denied at the writer callback of System Writer")
    terminal.send("E")
    shown = wait(r"Proposed: CORP\\svc-replay(.|\n)*8194 on HV04 once(.|\n)*What a value grants")
    for node in NODES:
        assert re.search(rf"8194 on {node} once", shown)
    assert "the service Replay Manager Service (ReplayManager) on HV01 runs as it" in shown
    assert "CORP\\svc-monitor" not in shown, "no service of a backup product"
    _ask_for(terminal, ACCOUNT, wait)
    shown = wait(
        r"1 writer, every node +the field's fix of 8194(.|\n)*│ writer: its processes may take part as a writer"
    )
    assert "2 requester, every node" in shown
    terminal.send("1")
    wait(r"no entry → 1 writer(.|\n)*type CLU-DENIED to confirm:", 120)
    assert lab.call(entries) == before
    terminal.send("CLU-DENIED")
    arm(terminal, r"Let CORP\\svc-replay take part in VSS: 1 writer", seconds=120 * patience)
    terminal.send("enter")
    wait(r"✓ done +Let CORP\\svc-replay take part in VSS: 1 writer +4/4(.|\n)*4 of 4 done", 120)
    for node in NODES:
        wait(rf"{node} +done +read back: 1 writer")
    terminal.send("escape")
    wait(r"CORP\\svc-replay +1 writer +1 writer +1 writer +1 writer", 60)
    assert lab.call(entries) == {name: held | {ACCOUNT: 1} for name, held in before.items()}

    # The next backup of every node, seen by the console on the first.
    terminal.send("escape")
    wait(r"2 CSVs · \d+ · \d+ ✓ [─ ]*\d+ s")
    until(lab, lambda world: world.backups["HV01"].running and any(csv.backups for csv in world.csvs.values()))
    wait(r"2 CSVs .*\d in backup")
    ends = lab.call(lambda world: world.elapsed) + 60.0
    until(lab, lambda world: all(world.elapsed > ends and _saved(world, name, ends) for name in NODES))
    assert lab.call(refusals) == seen, "no new 8194"
    terminal.send("E")
    shown = wait(r"it helped +HV01: no new 8194 since the change of", 120)
    assert "came again" not in shown

    # The way back: the operation's page knows it.
    terminal.send("escape")
    wait(r"1 Nodes")
    terminal.send("O")
    wait(r"✓ done +Let CORP\\svc-replay take part in VSS: 1 writer +4/4")
    terminal.send("Z")
    wait(r"type CLU-DENIED to confirm:", 120)
    terminal.send("CLU-DENIED")
    arm(terminal, r"\S.*", seconds=120 * patience)
    terminal.send("enter")
    wait(r"✓ done +(?!Let )\S.* 4/4", 120)
    assert lab.call(entries) == before


def _saved(world: World, node: str, since: float) -> bool:
    """A backup of the node ended since then."""
    return any((vm.last_backup or 0.0) > since for vm in world.nodes[node].vms.values())


def _ask_for(terminal: Terminal, account: str, wait: Callable[..., str]) -> None:
    """Put the cursor on an account of the table, and ask for its right."""
    for _ in range(8):
        terminal.send("L")
        asked = re.search(r"Which right shall (\S+) have", wait(r"Which right shall \S+ have"))
        assert asked is not None
        if asked[1] == account:
            return
        terminal.send("escape")
        terminal.wait_for(lambda text: "Which right" not in text, timeout=PAINTED)
        terminal.send("down")
    raise AssertionError(f"{account} is not in the table\n{terminal.text()}")


@in_fuller_run
@pytest.mark.timeout(300)
def test_8194_is_cleared_up_by_keys_and_the_former_state_comes_back(tmp_path: Path) -> None:
    with Lab("access-denied", at=BACKED_UP, speed=2.0) as lab, console(lab, tmp_path) as terminal:
        play_access_denied(lab, terminal)
        assert_well(lab, tmp_path)
