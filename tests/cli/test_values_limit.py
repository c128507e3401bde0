"""The checkpoint type of 8,000 VMs on 64 nodes by one command, with failures planted, and given back exactly.

Prints what it took. Only in the fuller run.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from hvtui.journal.entry import Kind
from hvtui.journal.store import Journal
from hvtui.journal.verify import verify
from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from hvtui.paths import state_dir
from tests.cli.test_acting_lab import Site
from tests.support.cli import Shell
from tests.support.executed import executed
from tests.support.fuller import in_fuller_run
from tests.support.schemas import checked

pytestmark = [
    in_fuller_run,
    pytest.mark.timeout(1500),
]

PLANTED: Final = 20
"""Of 8,000: fewer than 2 %, so that nothing stops for them; each is on a node of its own."""
TRIES: Final = 2


@pytest.fixture
def site(shell: Shell, tmp_path: Path) -> Iterator[Site]:
    with Lab("limit", speed=1.0) as lab:
        yield Site(lab, shell, tmp_path / "lab.toml")


def types(lab: Lab) -> dict[str, int]:
    found: dict[str, int] = lab.call(lambda w: {vm.id: int(vm.checkpoint_type) for vm in w.vms.values()})
    return found


def plant(world: World) -> set[str]:
    """VMs whose settings Windows cannot change, one on each of some nodes; none that the scenario backs up."""
    planted: dict[str, str] = {}
    for vm in world.vms.values():
        if vm.name.startswith("SQL-") and len(planted) < PLANTED and vm.node.name not in planted:
            vm.set_fails = "The disk is full."
            planted[vm.node.name] = vm.id
    return set(planted.values())


def mend(world: World) -> None:
    for vm in world.vms.values():
        vm.set_fails = ""


def asked() -> int:
    """Calls that were made to change something, so far."""
    journal = Journal()
    try:
        return len(journal.lines(kinds=[Kind.STEP]))
    finally:
        journal.close()


def test_all_vms_get_a_type_and_it_is_given_back_exactly(
    site: Site, capsys: pytest.CaptureFixture[str], record_property: Any
) -> None:
    lab = site.lab
    planted = lab.call(plant)
    before = types(lab)
    assert len(before) == 8000
    began = time.monotonic()
    dry = site("policy", "set", "Disabled", "--all", "--json")
    planned = time.monotonic() - began
    plan = checked("plan", dry.out)
    assert (plan["level"], plan["name"]) == ("typed", "CLU-LIMIT")
    assert types(lab) == before

    began = time.monotonic()
    told = site.applied("policy", "set", "Disabled", "--all", "--confirm", "CLU-LIMIT")
    applied = time.monotonic() - began
    calls = asked()
    items = {item["target"]["id"]: item["state"] for item in told["items"]}
    done = {vm for vm, state in items.items() if state == "done"}
    failed = {vm for vm, state in items.items() if state == "failed"}
    assert (told["outcome"], told["exit"]) == ("failed", 1)
    assert failed == planted & items.keys()
    assert failed
    left = {one["vm"]["id"]: one for one in told["left"]}
    missing = before.keys() - items.keys() - left.keys()
    plan = told["plan"]
    assert not missing, (
        [one["name"] for one in plan["targets"] if one["id"] in missing],
        [one for one in plan["left"] if one["vm"]["id"] in missing],
        [one for one in plan["changes"] if one["target"]["id"] in missing],
        [note["text"] for note in plan["notes"] if "may not be all" in note["text"]],
        plan["refusals"],
    )
    assert all(one["refusals"] for one in left.values())
    assert set(Counter(items.values())) <= {"done", "failed", "held", "refused"}
    assert len(done) > 7000
    now = types(lab)
    assert {vm for vm, kind in now.items() if kind != before[vm]} == done, "what is told was done, and nothing else"
    assert {now[vm] for vm in done} == {2}

    lab.call(mend)
    changed = next(iter(done))
    lab.call(lambda w: setattr(w.vms[changed], "checkpoint_type", 5))
    began = time.monotonic()
    operation = told["operation"]
    restored: set[str] = set()
    for _ in range(TRIES):
        # Those that a backup holds just then are left, and are given back when they are asked for again.
        undone = site.applied("policy", "undo", operation, "--confirm", "CLU-LIMIT")
        restored |= {item["target"]["id"] for item in undone["items"] if item["state"] == "done"}
        if restored == done - {changed}:
            break
    gave_back = time.monotonic() - began
    held = done - {changed} - restored
    told_of = {one["vm"]["id"] for one in undone["left"]} | {item["target"]["id"] for item in undone["items"]}
    assert held <= told_of, "one that a backup still holds is told of"
    assert len(held) < len(done) / 100
    expected = before | dict.fromkeys(held, 2) | {changed: 5}
    assert types(lab) == expected, "exactly those that hvtui changed, and that nobody changed since"
    counted = lab.call(executed)
    assert set(counted.values()) <= {1}
    assert verify(state_dir() / "journal").faults == ()
    figures = {
        "vms": len(before),
        "changed": len(done),
        "failed": len(failed),
        "left": len(left),
        "calls": calls,
        "held_at_the_end": len(held),
        "plan_seconds": round(planned, 1),
        "apply_seconds": round(applied, 1),
        "undo_seconds": round(gave_back, 1),
    }
    for name, value in figures.items():
        record_property(name, value)
    with capsys.disabled():
        print(f"\n{figures}")  # noqa: T201
