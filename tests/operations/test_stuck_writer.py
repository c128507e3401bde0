"""What a restart of VMMS by the runbook heals and what it does not: the job must be gone and the guests have room."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import pytest

from hvtui.lab.world import actions
from hvtui.operations.plan import Verb
from hvtui.operations.run import RunState
from tests.support.desk import Stage, node, small

FULL: Final = """
[[vms]]
name = "SQL01"
nodes = ["HV01"]
csvs = ["Volume1"]
memory_gb = 8
guest = "windows-2016"
volumes = [{ name = "C:", size_gb = 80, free_gb = 0.4 }]

[[behaviours]]
kind = "host_backup"
nodes = ["HV01"]
start = 40
every = "10h"
copy = "5m"
retry = "3m"
"""
"""A guest without a free gigabyte, and a backup of its host that tries again until somebody ends it."""
KILLED: Final = 12 * 60.0


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Callable[..., Stage]]:
    made: list[Stage] = []

    def make(*, killed: bool = True) -> Stage:
        made.append(Stage(small(tmp_path, more=FULL), tmp_path))
        to(made[-1], KILLED)
        if killed:
            actions.kill_backup(made[-1].world, made[-1].world.node("HV01"))
            made[-1].nodes.pump(1.0, writers=True)
        return made[-1]

    yield make
    for one in made:
        await one.operations.close()
        one.assert_unharmed()


def to(stage: Stage, time: float) -> None:
    """Let the world and the picture go on to a time."""
    while stage.world.elapsed < time:
        stage.nodes.pump(20.0)
    stage.nodes.pump(1.0, writers=True)


def writer(stage: Stage) -> Any:
    return stage.world.node("HV01").hyperv_writer


def next_run(stage: Stage) -> None:
    """The next backup of the host, until it has ended or failed."""
    actions.start_backup(stage.world, stage.world.node("HV01"))
    to(stage, stage.world.elapsed + 8 * 60.0)


async def healed(stage: Stage) -> None:
    """The runbook, after a quarter of an hour of quiet and the operator's word that the job was stopped."""
    to(stage, stage.world.elapsed + 16 * 60.0)
    assert await stage.operations.say_backup_stopped("HV01", "HV01") == ""
    plan = await stage.plan(Verb.VMMS, node("HV01"))
    assert plan.refusals == ()
    run = await stage.run(plan)
    assert run.state is RunState.DONE, [line.text for line in run.lines]


async def test_with_the_job_gone_the_runbook_heals_until_a_full_guest_is_backed_up_again(
    stage: Callable[..., Stage],
) -> None:
    here = stage()
    assert writer(here).state != 1
    await healed(here)
    assert writer(here).state == 1
    to(here, here.world.elapsed + 15 * 60.0)
    assert writer(here).state == 1
    next_run(here)
    assert (writer(here).state, bool(here.world.backups["HV01"].pending)) == (5, True), "the guest is as full as before"


async def test_with_room_in_the_guest_the_next_run_succeeds(stage: Callable[..., Stage]) -> None:
    here = stage()
    await healed(here)
    actions.free_space(here.vms["SQL01"], 6)
    next_run(here)
    assert writer(here).state == 1
    assert not here.world.backups["HV01"].pending


async def test_while_the_job_runs_nothing_is_restarted_and_nothing_heals(stage: Callable[..., Stage]) -> None:
    here = stage(killed=False)
    assert await here.operations.say_backup_stopped("HV01", "HV01") == ""
    for _ in range(3):
        plan = await here.plan(Verb.VMMS, node("HV01"))
        assert any(refusal.rule.startswith("backup") for refusal in plan.refusals), plan.refusals
        run = await here.operations.start(plan, confirmed="HV01")
        assert run.state is RunState.REFUSED
        here.nodes.pump(60.0, writers=True)
    assert here.nodes.changing() == []
    assert writer(here).state != 1


async def test_without_a_restart_it_stays_stuck_whoever_frees_space(stage: Callable[..., Stage]) -> None:
    here = stage()
    actions.free_space(here.vms["SQL01"], 6)
    to(here, here.world.elapsed + 40 * 60.0)
    assert (writer(here).state, writer(here).error) == (5, "Unexpected error")
    next_run(here)
    assert (writer(here).state, writer(here).error) == (5, "Unexpected error")
