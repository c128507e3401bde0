"""Checkpoints on a world: what each really became, what applying does, merges to their end, and silent fallbacks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hvtui.journal.entry import Kind
from hvtui.journal.store import Journal
from hvtui.lab.world import actions
from hvtui.lab.world.operations import take_checkpoint
from hvtui.model.enums import CheckpointType, SnapshotType, VmState
from hvtui.model.rows import vm_row
from hvtui.operations.plan import Level, Target, Verb
from hvtui.operations.run import ItemState, Run, RunState
from tests.support.desk import Stage, small

GUESTS = """
[[vms]]
name = "MUTE"
memory_gb = 2
nodes = ["HV01"]
guest = "windows-no-vmicvss"

[[vms]]
name = "OFF01"
memory_gb = 2
nodes = ["HV01"]
state = "Off"
"""


@pytest.fixture
def here(tmp_path: Path) -> Stage:
    return Stage(small(tmp_path, vms='nodes = ["HV01"]', more=GUESTS), tmp_path)


def held(stage: Stage, name: str) -> list[Any]:
    return list(stage.vms[name].checkpoints)


def target(stage: Stage, name: str, number: int = -1) -> Target:
    one = held(stage, name)[number]
    return Target(kind="checkpoint", id=f"{stage.vms[name].id}/{one.id}", name=one.name)


def made(stage: Stage, name: str, *, saved: bool, kind: SnapshotType = SnapshotType.Standard) -> Target:
    """A checkpoint that was there before."""
    take_checkpoint(stage.world, stage.vms[name], kind, "before", saved=saved, rate=1000.0)
    stage.nodes.pump(30.0)
    return target(stage, name)


async def take(stage: Stage, name: str, title: str = "before the update") -> Run:
    return await stage.run(await stage.plan(Verb.CHECKPOINT, stage.vm(name), name=title))


async def test_one_is_taken_and_made_by_the_guest(here: Stage) -> None:
    plan = await here.plan(Verb.CHECKPOINT, here.vm("APP01"), name="before the update")
    assert plan.level is Level.KEY
    (change,) = plan.changes
    assert (change.before, change.after) == ("0 checkpoints", "before the update")
    assert change.text == "Production: made consistent by its guest"
    run = await here.run(plan)
    assert run.state is RunState.DONE, run.lines
    assert run.items[0].text == "it became: production"
    (one,) = held(here, "APP01")
    assert (one.name, one.saved) == ("before the update", False)
    (back,) = [line.entry for line in Journal(here.folder / "journal").lines(kinds=(Kind.READ_BACK,))]
    assert back.after == {"checkpoint": one.id, "name": "before the update", "saved": 0}
    assert list(here.operations.fallbacks) == []
    here.assert_unharmed()


async def test_a_name_is_made_where_none_is_given(here: Stage) -> None:
    run = await take(here, "APP01", "")
    assert run.state is RunState.DONE
    assert held(here, "APP01")[0].name == run.plan.changes[0].after
    assert run.plan.changes[0].after.startswith("APP01 - hvtui ")


async def test_a_guest_that_cannot_freeze_falls_back_and_that_is_said_kept_and_journaled(here: Stage) -> None:
    await here.operations.open()
    plan = await here.plan(Verb.CHECKPOINT, here.vm("MUTE"), name="mine")
    assert "falls back to one with memory, without a word" in plan.changes[0].text
    run = await here.run(plan)
    assert run.state is RunState.DONE
    assert run.items[0].text == "it became: standard, with memory, though its type is Production"
    assert any("a silent fallback" in line.text for line in run.lines)
    (found,) = here.operations.fallbacks
    assert (found.name, found.node, found.count) == ("MUTE", "HV01", 1)
    await here.operations.close()
    (note,) = [line.entry for line in Journal(here.folder / "journal").lines(kinds=(Kind.NOTE,))]
    assert (note.target, note.target_id) == ("MUTE", here.vms["MUTE"].id)
    assert "a checkpoint with memory was taken at" in note.text

    # The next console knows it, and does not note it again.
    later = here.console()
    here.nodes.state.fallbacks.found.clear()
    here.nodes.state.fallbacks.standing.clear()
    await later.open()
    assert [(one.name, one.time) for one in later.fallbacks] == [("MUTE", found.time)]
    here.nodes.pump(10.0)
    await later.close()
    assert len(Journal(here.folder / "journal").lines(kinds=(Kind.NOTE,))) == 1


async def test_somebody_elses_fallback_is_seen_as_well(here: Stage) -> None:
    await here.operations.open()
    actions.checkpoint(here.world, here.vms["MUTE"], "a colleague's")
    actions.checkpoint(here.world, here.vms["APP01"], "a good one")
    here.nodes.pump(60.0)
    assert [one.name for one in here.operations.fallbacks] == ["MUTE"]
    assert any("fell back" in reason for reason in vm_row(here.nodes.state, here.vms["MUTE"].id).reasons)
    await here.operations.close()
    notes = Journal(here.folder / "journal").lines(kinds=(Kind.NOTE,))
    assert [line.entry.target for line in notes] == ["MUTE"]


async def test_production_only_fails_with_windows_reason(here: Stage) -> None:
    actions.set_checkpoint_type(here.world, here.vms["MUTE"], CheckpointType.ProductionOnly)
    here.nodes.pump(5.0)
    plan = await here.plan(Verb.CHECKPOINT, here.vm("MUTE"), name="mine")
    assert plan.changes[0].text.startswith("ProductionOnly: checkpoints of it will fail: its guest does not answer")
    run = await here.run(plan)
    assert run.state is RunState.FAILED
    assert held(here, "MUTE") == []
    assert run.items[0].text.startswith("no checkpoint was taken: event ")
    assert "does not answer inside the virtual machine" in run.items[0].text
    here.assert_unharmed()


async def test_one_of_a_vm_that_is_off(here: Stage) -> None:
    run = await take(here, "OFF01")
    assert (run.state, run.items[0].text) == (RunState.DONE, "it became: taken while it was off, without memory")


async def test_applying_one_without_memory_leaves_it_off_and_starting_it_is_offered(here: Stage) -> None:
    one = made(here, "APP01", saved=False)
    plan = await here.plan(Verb.APPLY, one)
    assert (plan.level, plan.name) == (Level.TYPED, "APP01")
    assert any("APP01 is off afterwards" in note.text for note in plan.notes)
    assert any("is discarded" in note.text for note in plan.notes)
    run = await here.run(plan)
    assert run.state is RunState.DONE, run.lines
    assert here.vms["APP01"].state == VmState.Off
    assert run.items[0].text == "APP01 is what it was then, without memory; it is Off"
    (offer,) = run.offers
    assert (offer.verb, offer.text) == (Verb.START_VM, "Start APP01")
    started = await here.plan(offer.verb, *offer.targets, **offer.options)
    assert started.level is Level.KEY
    assert (await here.run(started)).state is RunState.DONE
    assert here.vms["APP01"].state == VmState.Running
    here.assert_unharmed()


async def test_applying_one_with_memory_brings_the_old_one_back(here: Stage) -> None:
    one = made(here, "APP01", saved=True)
    plan = await here.plan(Verb.APPLY, one)
    assert any("the memory of then returns: databases, Exchange" in note.text for note in plan.notes)
    run = await here.run(plan)
    assert run.state is RunState.DONE, run.lines
    assert here.vms["APP01"].state == VmState.Running
    assert run.items[0].text == "APP01 is what it was then, with the memory of then; it is Running"
    assert run.offers == ()


async def test_one_is_removed_and_its_merge_followed_to_the_end(here: Stage) -> None:
    one = made(here, "APP01", saved=False)
    plan = await here.plan(Verb.REMOVE, one)
    assert (plan.level, plan.name) == (Level.TYPED, "APP01")
    run = await here.run(plan)
    assert (run.state, run.items[0].text) == (RunState.DONE, "removed, and its disk is merged")
    assert held(here, "APP01") == []
    assert not here.vms["APP01"].busy
    assert all(disk.layers == [] for disk in here.vms["APP01"].disks)
    here.assert_unharmed()


async def test_a_leftover_of_a_backup_is_removed_only_after_somebody_said_that_the_job_was_stopped(here: Stage) -> None:
    here.quiet()
    one = made(here, "APP01", saved=False, kind=SnapshotType.Recovery)
    here.nodes.pump(1.0, writers=True)
    plan = await here.plan(Verb.REMOVE, one)
    assert [refusal.rule for refusal in plan.refusals] == ["backup-orphaned"], plan.refusals
    assert any("a backup made it" in note.text for note in plan.notes)
    assert await here.operations.say_backup_stopped("HV01", "HV01") == ""
    plan = await here.plan(Verb.REMOVE, one)
    assert plan.refusals == ()
    run = await here.run(plan)
    assert run.state is RunState.DONE, run.lines
    assert held(here, "APP01") == []
    here.assert_unharmed()


async def test_it_is_looked_at_again_before_it_is_done(here: Stage) -> None:
    one = made(here, "APP01", saved=False)
    plan = await here.plan(Verb.APPLY, one)
    here.vms["APP01"].set_state(VmState.Paused)
    here.nodes.pump(5.0)
    run = await here.run(plan)
    assert (run.state, [refusal.rule for refusal in run.refusals]) == (RunState.REFUSED, ["changed"])
    removed = await here.plan(Verb.REMOVE, one)
    here.vms["APP01"].checkpoints.clear()
    here.vms["APP01"].touch()
    here.nodes.pump(30.0)
    run = await here.run(removed)
    assert {refusal.rule for refusal in run.refusals} == {"changed", "checkpoint"}
    assert here.nodes.changing() == []


@pytest.mark.parametrize("lost", ["never", "before", "after"])
@pytest.mark.parametrize("verb", [Verb.CHECKPOINT, Verb.APPLY, Verb.REMOVE, Verb.START_VM])
async def test_a_lost_answer_is_read_back_and_nothing_is_asked_twice(verb: Verb, lost: str, here: Stage) -> None:
    if verb is Verb.CHECKPOINT:
        plan = await here.plan(verb, here.vm("APP01"), name="mine")
    elif verb is Verb.START_VM:
        plan = await here.plan(verb, here.vm("OFF01"))
    else:
        plan = await here.plan(verb, made(here, "APP01", saved=False))
    here.nodes.fault = lambda node, function: lost if function in CALLS else ""
    run = await here.run(plan)
    expected = {"never": ItemState.FAILED, "before": ItemState.UNKNOWN, "after": ItemState.DONE}[lost]
    assert run.items[0].state is expected, (run.items, run.lines)
    assert len(here.nodes.changing()) == 1
    here.assert_unharmed()


CALLS = {"New-HvTuiCheckpoint", "Restore-HvTuiCheckpoint", "Remove-HvTuiCheckpoint", "Start-HvTuiVM"}
