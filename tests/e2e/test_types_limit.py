"""The checkpoint type of 8,000 VMs on 64 nodes by keys: results as they come, a cancel between VMs, and the way back.

Prints what it took. Only in the fuller run.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from hvtui.lab.world import World
from hvtui.lab.world.actions.checkpoints import set_checkpoint_type
from hvtui.operations.plan import Plan, Verb
from hvtui.operations.run import ItemState, Run, RunState
from hvtui.ui.dialogs.checkpoint_types import CheckpointTypes
from tests.screenshots.stage import Stage, stage
from tests.support.fuller import in_fuller_run

pytestmark = [
    in_fuller_run,
    pytest.mark.timeout(1500),
]
STANDARD = 5
ENOUGH = 1_500
"""VMs after which it is cancelled."""


def types(world: World) -> dict[str, int]:
    """VM → its checkpoint type."""
    return {vm.id: int(vm.checkpoint_type) for vm in world.vms.values()}


async def _planned(on: Stage) -> Plan:
    shown = await on.planned()
    assert shown.plan is not None
    assert not shown.plan.refused, shown.plan.refusals[:3]
    return shown.plan


async def _confirm(on: Stage, plan: Plan) -> Run:
    before = len(on.operations.runs)
    await on.press(*plan.name)
    await on.armed()
    await on.press("enter")
    await on.until(lambda: len(on.operations.runs) > before, "an operation")
    return on.operations.runs[-1]


async def test_all_vms_by_keys_cancelled_between_vms_and_given_back(tmp_path: Path, record_property: Any) -> None:
    async with stage("limit", 60.0, tmp_path / "journal", tmp_path) as on:
        before = on.look(types)
        await on.press("3", "*")
        began = time.monotonic()
        await on.press("T")
        await on.until(
            lambda: isinstance(on.app.screen, CheckpointTypes) and on.app.screen.choices[0].about, "what guests deliver"
        )
        asked = time.monotonic() - began
        began = time.monotonic()
        await on.press("3")
        plan = await _planned(on)
        planned = time.monotonic() - began
        assert len(plan.changes) > 6_000
        began = time.monotonic()
        run = await _confirm(on, plan)
        await on.until(lambda: sum(item.state is ItemState.DONE for item in run.items) > ENOUGH, "results as they come")
        await on.press("X")
        await on.armed()
        await on.press("y")
        await on.over()
        took = time.monotonic() - began
        assert run.state is RunState.CANCELLED, (run.state, run.lines[-3:])
        done = {item.target.id for item in run.items if item.state is ItemState.DONE}
        now = on.look(types)
        assert {vm for vm, kind in now.items() if kind != before[vm]} == done, "what is told was done, and nothing else"
        assert {now[vm] for vm in done} == {STANDARD}
        assert len(done) < len(plan.changes), "those whose turn had not come stay as they were"
        assert [offer.verb for offer in run.offers][:1] == [Verb.POLICY], "the rest is offered"
        other = next(iter(done))
        on.look(lambda world: set_checkpoint_type(world, world.vms[other], 2))
        await on.until(lambda: _seen(on, other) == 2, "another person's change", flow=1.0)
        began = time.monotonic()
        await on.press("Z")
        plan = await _planned(on)
        assert {change.target.id for change in plan.changes} == done - {other}
        undone = await _confirm(on, plan)
        await on.over()
        gave_back = time.monotonic() - began
        # Who is in a backup at that moment is left alone and listed: no other may keep what hvtui set.
        kept = {item.target.id for item in undone.items if item.state is not ItemState.DONE}
        assert len(kept) < len(done) / 50
        expected = before | dict.fromkeys(kept, STANDARD) | {other: 2}
        assert on.look(types) == expected, "exactly those that hvtui changed, and that nobody changed since"
        figures = {
            "asked": asked,
            "planned": planned,
            "run": took,
            "done": len(done),
            "kept": len(kept),
            "undo": gave_back,
        }
        record_property("figures", figures)
        print(figures)  # noqa: T201  # it is what the test is read for


def _seen(on: Stage, vm: str) -> int | None:
    found = on.front.monitor.state.vm(vm)
    return None if found is None else found[1].checkpoint_type
