"""The third field report by keys on a terminal, from the first glance to a backup that succeeds.

The guests' full volumes are found on the way; nobody frees space at first, so that the writer sticks again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hvtui.lab.serve import Lab
from hvtui.lab.world import World, actions
from hvtui.lab.world.writers import RETRYABLE
from tests.e2e.test_access import until
from tests.e2e.test_acting import arm, assert_well, console
from tests.support.terminal import Terminal

ACCOUNT = "CORP\\svc-guests"
NODE = "HV03"
WRONG = "Canary-typed-Wr0ng"
PASSWORD = "Demo-guest-1"  # of the scenario's guests
JOB_KILLED = 50 * 60.0
"""World seconds: the backup's job was killed, and no colleague has come yet."""
Wait = Callable[..., str]


def play_the_field_report(lab: Lab, terminal: Terminal, patience: float = 1.0) -> None:
    """The writer, its guests, drain, VMMS, resume; the writer sticks again until somebody frees space.

    `patience`: how many times as long as on the native engine anything may take.
    """

    def wait(pattern: str, seconds: float = 60.0) -> str:
        return terminal.wait_for(pattern, timeout=seconds * patience)

    wait(r"HV03 Hyper-V \[5\] Unexpected error")
    before = lab.call(vms_there)
    assert before
    wait(r"HV03: the Hyper-V writer is stuck \[5\].*1 of \d+ \(8\)")
    wait(r"✖ HV03 ")
    look_into_the_guests(lab, terminal, wait)
    restart_vmms(terminal, wait, patience)
    assert before <= lab.call(vms_there)
    stick_again(lab, terminal, wait)
    free_space(lab, terminal, wait)
    assert before <= lab.call(vms_there)


def vms_there(world: World) -> set[str]:
    """VMs of the node in trouble, without those that colleagues move about all the time."""
    return {vm.name for vm in world.nodes[NODE].vms.values() if not vm.name.startswith("APP")}


def refused(world: World) -> list[str]:
    """Log-ons that guests refused."""
    return [entry.target for entry in world.ledger.entries if entry.kind == "logon_failed"]


def look_into_the_guests(lab: Lab, terminal: Terminal, wait: Wait) -> None:
    """I on the node: a mistyped password is one failed log-on; then SQL07 is full, and FILE02 says why it is unread."""
    terminal.send("1", "n", "I")
    wait(r"Look into 8 guests")
    terminal.send(ACCOUNT, "enter", WRONG, "enter")
    wait(r"(\S+) refused the account\. Nothing is tried again(.|\n)*\d more guests were not asked", 120)
    assert len(lab.call(refused)) == 1
    terminal.send("r")
    wait(r"Look into 8 guests")
    terminal.send("enter", PASSWORD, "enter")
    wait(r"7 of 8 read · 1 full · 1 not readable", 120)
    wait(
        r"✖ SQL07 +T: +0 MB +0% +60 GB +9\.0 GB(.|\n)*T: +0 MB free of 60 GB.*1\.0 GB must be freed, 9\.0 GB should be"
    )
    terminal.send("enter")
    wait(r"Largest files of T:(.|\n)*21 GB +T:\\Dumps\\ERP_full_20160311\.bak", 120)
    # Below the four volumes of SQL07.
    terminal.send("down", "down", "down", "down")
    wait(r"^─ FILE02 ")
    wait(r"state +\? not readable")
    wait(r"Windows Server 2012 R2 Standard is older than Windows Server 2016: PowerShell Direct does not reach it")
    wait(r"run inside wmic volume ")
    assert len(lab.call(refused)) == 1, "the right password was refused nowhere"
    terminal.send("escape")
    wait(r"1 Nodes")


def restart_vmms(terminal: Terminal, wait: Wait, patience: float) -> None:
    """The plan knows the full volume; it is carried out all the same, once the job is said to be stopped."""
    terminal.send("1", "V")
    wait(r"Is there room again in the guests whose shadow copy failed")
    wait(r"3 +They are still full")
    terminal.send("2")
    wait(r"backup-orphaned", 120)
    wait(r"the next backup sticks again: SQL07 T: 0 MB free")
    wait(r"FILE02: whether it is still full is not known")
    terminal.send("\x1bOR")
    wait(r"Was the backup job of HV03 stopped\?")
    terminal.send("HV03")
    wait(r"\[ Enter  I stopped the job in the backup product \]")
    terminal.send("enter")
    wait(r"the job was stopped in the backup product, says", 120)
    # The field is there when the plan was made anew.
    wait(r"type HV03 to confirm:", 120)
    terminal.send("HV03")
    arm(terminal, "Restart VMMS on HV03", seconds=120 * patience)
    terminal.send("enter")
    wait(r"1 running")
    wait(r"✓ done +Restart VMMS on HV03", 200)
    shown = wait(r"4 ✓ done +Resume-ClusterNode HV03 -Failback Immediate")
    assert re.search(r"3 ✓ done +start VMMS on HV03", shown)
    terminal.send("c")
    assert "Suspend-" in wait("Command log")
    terminal.send("escape")
    wait(r"HV03 +Up .*12✓")


def stick_again(lab: Lab, terminal: Terminal, wait: Wait) -> None:
    """Nobody has freed space: the next backup fails as the one before, and the console says which volume it is."""
    lab.call(lambda world: actions.start_backup(world, world.nodes[NODE]))
    until(lab, lambda world: world.nodes[NODE].hyperv_writer.error == RETRYABLE)
    terminal.send("4", "r")
    wait(r"HV03 Hyper-V \[5\] Retryable error", 120)
    terminal.send("1", "n", "V")
    shown = wait(r"SQL07.*T: 0 MB free", 120)
    assert "FILE02" in shown
    terminal.send("escape")
    wait(r"\A(?:(?!room again).|\n)*\Z")


def free_space(lab: Lab, terminal: Terminal, wait: Wait) -> None:
    """Somebody frees space in both guests: the pending job's next try succeeds, and the writer is [1] by itself."""

    def free(world: World) -> None:
        for vm in world.vms.values():
            if vm.name in {"SQL07", "FILE02"}:
                actions.free_space(vm, 10.0)

    lab.call(free)
    terminal.send("1", "n", "I")
    wait(r"Look into \d+ guests")
    # The password is kept for the console's life.
    terminal.send("enter")
    wait(r"\d+ of \d+ read · 1 not readable", 120)
    terminal.send("escape")
    wait(r"1 Nodes")
    until(lab, lambda world: world.nodes[NODE].hyperv_writer.state == 1 and not world.backups[NODE].pending)
    terminal.send("4", "r")
    wait(r"HV03 +Up .*12✓", 120)


def assert_kept_secret(terminal: Terminal, folder: Path) -> None:
    """No password was painted or written, be it a right one or a wrong one."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "journal.sqlite3" for path in files), files
    for secret in (WRONG, PASSWORD):
        assert secret.encode() not in terminal.raw()
        assert not [path for path in files if secret.encode() in path.read_bytes()]


@pytest.mark.timeout(400)
def test_the_third_field_report_is_played_by_keys(tmp_path: Path) -> None:
    with Lab("stuck-writer", at=JOB_KILLED, speed=8.0) as lab, console(lab, tmp_path) as terminal:
        play_the_field_report(lab, terminal)
        assert_well(lab, tmp_path, but=("logon_failed",))
        assert_kept_secret(terminal, tmp_path / "state")
