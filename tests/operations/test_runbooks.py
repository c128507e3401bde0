"""Drain, resume, the restart of VMMS and other services: each stage on a world that punishes what is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from hvtui.journal.entry import Kind
from hvtui.lab.world import actions
from hvtui.lab.world.operations import end_job, start_job
from hvtui.model.enums import DrainStatus, JobType, NodeState
from hvtui.operations.plan import Level, Plan, Target, Verb
from hvtui.operations.plan import Stage as Step
from hvtui.operations.run import ItemState, Run, RunState
from tests.support.desk import Stage, node, small

Make = Callable[..., Stage]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Stage] = []

    def make(scenario: str = "", *, at: float = 0.0, **parts: Any) -> Stage:
        made.append(Stage(scenario or small(tmp_path, **parts), tmp_path, at=at))
        made[-1].quiet()
        return made[-1]

    yield make
    for one in made:
        await one.operations.close()


def kinds(run: Run, stage: Stage) -> list[str]:
    lines = stage.operations._journal.lines(operation=run.id)
    return [f"{line.entry.kind.value} {line.entry.function}".strip() for line in lines]


def service(name: str, of: str = "vmms") -> Target:
    return Target(kind="service", id=f"{name}/{of}", name=f"{of} on {name}")


async def test_drain_then_resume_brings_everybody_home(stage: Make) -> None:
    small_one = stage()
    before = small_one.where()
    plan = await small_one.plan(Verb.DRAIN, node("HV01"))
    assert (plan.refusals, plan.level, plan.name) == ((), Level.TYPED, "HV01")
    run = await small_one.run(plan)
    assert run.state is RunState.DONE, run.lines
    assert small_one.world.node("HV01").state == NodeState.Paused
    assert "HV01" not in small_one.where().values()
    assert all(item.state is ItemState.DONE and "as before" in item.text for item in run.items)
    assert len(run.items) == sum(where == "HV01" for where in before.values())
    assert run.lines[-1].text == "HV01 is paused and drained: no role is left on it"

    small_one.nodes.pump(12.0)
    back = await small_one.plan(Verb.RESUME, node("HV01"), failback="Immediate")
    assert (back.refusals, back.level) == ((), Level.KEY)
    assert sorted(move.vm.name for move in back.moves) == sorted(item.target.name for item in run.items)
    second = await small_one.run(back)
    assert second.state is RunState.DONE, second.lines
    assert small_one.where() == before
    assert small_one.world.node("HV01").state == NodeState.Up
    assert kinds(second, small_one) == [
        "begun", "step Resume-HvTuiNode", "outcome Resume-HvTuiNode", "read back Resume-HvTuiNode", "ended"
    ]  # fmt: skip
    small_one.assert_unharmed()


async def test_another_console_knows_from_the_journal_who_was_taken_away(stage: Make) -> None:
    small_one = stage()
    before = small_one.where()
    drained = await small_one.run(await small_one.plan(Verb.DRAIN, node("HV01")))
    await small_one.operations.close()
    small_one.operations = small_one.console()
    small_one.nodes.pump(12.0)
    back = await small_one.plan(Verb.RESUME, node("HV01"), failback="Immediate")
    assert {move.vm.key for move in back.moves} == {item.target.key for item in drained.items}
    assert (await small_one.run(back)).state is RunState.DONE
    assert small_one.where() == before
    assert small_one.operations._past.drains.by_node == {}, "it was resumed since"
    small_one.assert_unharmed()


@pytest.mark.parametrize("how", ["by hand", "by hvtui"])
@pytest.mark.parametrize("watched", [True, False])
async def test_the_drain_of_a_colleague_is_not_taken_for_ones_own(stage: Make, how: str, watched: bool) -> None:
    """Between hvtui's drain and its resume somebody resumed the node and drained it again: others come back."""
    small_one = stage()
    await small_one.run(await small_one.plan(Verb.DRAIN, node("HV01")))
    world, host = small_one.world, small_one.world.node("HV01")
    mine = small_one.operations
    if not watched:
        await mine.close()
    if how == "by hand":
        actions.resume(world, host)
        small_one.nodes.pump(300.0)
        actions.drain(world, host)
    else:
        small_one.operations = small_one.console(journal="colleague")
        small_one.nodes.pump(60.0)
        resumed = await small_one.run(await small_one.plan(Verb.RESUME, node("HV01"), failback="Immediate"))
        assert resumed.state is RunState.DONE, (resumed.refusals, resumed.lines)
        small_one.nodes.pump(60.0)
        await small_one.run(await small_one.plan(Verb.DRAIN, node("HV01")))
        await small_one.operations.close()
    small_one.nodes.pump(300.0)
    small_one.operations = mine if watched else small_one.console()
    small_one.nodes.pump(12.0)
    back = await small_one.plan(Verb.RESUME, node("HV01"), failback="Immediate")
    known = how == "by hand" and not watched
    # What nobody saw and nothing recorded cannot be told; then what the journal has is all there is.
    assert bool(back.moves) is known
    assert any("not made by this hvtui" in note.text for note in back.notes) is not known


async def test_resume_without_failback_leaves_them_where_they_are(stage: Make) -> None:
    small_one = stage()
    await small_one.run(await small_one.plan(Verb.DRAIN, node("HV01")))
    where = small_one.where()
    run = await small_one.run(await small_one.plan(Verb.RESUME, node("HV01"), failback="NoFailback"))
    assert run.state is RunState.DONE
    assert small_one.where() == where
    small_one.assert_unharmed()


async def test_a_failed_drain_says_who_blocks_it_and_offers_the_ways_on(stage: Make) -> None:
    small_one = stage(vms='nodes = ["HV01"]')
    plan = await small_one.plan(Verb.DRAIN, node("HV01"))

    def lock(name: str, function: str, answer: Any) -> Any:
        if function == "Suspend-HvTuiNode":
            small_one.vms["APP06"].lock(on=True)
        return answer

    small_one.nodes.after = lock
    run = await small_one.run(plan)
    assert run.state is RunState.FAILED
    stuck = run.item(small_one.vm("APP06").key)
    assert stuck is not None
    assert stuck.state is ItemState.FAILED
    assert "locked" in stuck.text
    assert [item.state for item in run.items if item is not stuck] == [ItemState.DONE] * 5
    assert [(offer.verb, offer.options.get("failback", "")) for offer in run.offers] == [
        (Verb.DRAIN, ""), (Verb.RESUME, "Immediate"), (Verb.RESUME, "NoFailback")
    ]  # fmt: skip
    small_one.vms["APP06"].lock(on=False)
    small_one.nodes.after = lambda name, function, answer: answer
    small_one.nodes.pump(3.0)
    offer = run.offers[0]
    again = await small_one.run(await small_one.plan(offer.verb, *offer.targets, **offer.options))
    assert again.state is RunState.DONE, (again.refusals, again.lines)
    assert "HV01" not in small_one.where().values()
    small_one.assert_unharmed("drain_failed")


async def test_cancel_of_a_drain_resumes_the_node_and_loses_nobody(stage: Make) -> None:
    small_one = stage(vms='nodes = ["HV01"]', memory=30)
    plan = await small_one.plan(Verb.DRAIN, node("HV01"))
    async with small_one.nodes.drive():
        run = await small_one.operations.start(plan, confirmed="HV01")
        await small_one.nodes.reach(lambda: len(small_one.world.migrating) > 0 and run.can_cancel)
        assert "resumed without failback" in await small_one.operations.cancel(run)
        await small_one.operations.wait(run)
    assert run.state is RunState.CANCELLED, run.lines
    assert small_one.world.node("HV01").state == NodeState.Up
    assert not small_one.world.migrating
    assert all(vm.running for vm in small_one.world.vms.values())
    small_one.assert_unharmed()


@pytest.mark.parametrize(
    ("fault", "end"), [("after", RunState.DONE), ("before", RunState.FAILED), ("never", RunState.FAILED)]
)
async def test_a_lost_answer_to_a_drain(stage: Make, fault: str, end: RunState) -> None:
    small_one = stage()
    plan = await small_one.plan(Verb.DRAIN, node("HV01"))
    small_one.nodes.fault = lambda name, function: fault if function == "Suspend-HvTuiNode" else ""
    run = await small_one.run(plan)
    assert run.state is end, run.lines
    assert len(small_one.nodes.changing()) == 1
    assert (small_one.world.node("HV01").state == NodeState.Paused) is (fault == "after")
    small_one.assert_unharmed()


async def test_two_drains_at_the_same_moment_leave_one(stage: Make) -> None:
    small_one = stage()
    one = await small_one.plan(Verb.DRAIN, node("HV01"))
    two = await small_one.plan(Verb.DRAIN, node("HV02"))
    other = small_one.console()
    async with small_one.nodes.drive():
        first = await small_one.operations.start(one, confirmed="HV01")
        second = await other.start(two, confirmed="HV02")
        await small_one.operations.wait(first)
        await other.wait(second)
    ends = [first.state, second.state]
    assert ends.count(RunState.DONE) == 1, (first.lines, second.lines)
    paused = [n.name for n in small_one.world.nodes.values() if n.state == NodeState.Paused]
    assert len(paused) == 1
    small_one.assert_unharmed()
    await other.close()


async def test_vmms_is_restarted_by_the_runbook_and_everybody_is_home_again(stage: Make) -> None:
    small_one = stage()
    before, host = small_one.where(), small_one.world.node("HV01")
    process = host.services["vmms"].started
    plan = await small_one.plan(Verb.VMMS, node("HV01"))
    assert (plan.refusals, plan.level, plan.name) == ((), Level.TYPED, "HV01")
    run = await small_one.run(plan)
    assert run.state is RunState.DONE, run.lines
    assert small_one.where() == before
    assert host.services["vmms"].started != process
    assert host.state == NodeState.Up
    assert [stage.state for stage in run.stages] == [ItemState.DONE] * 4
    assert [function for _, function in small_one.nodes.changing()] == [
        "Suspend-HvTuiNode", "Stop-HvTuiService", "Start-HvTuiService", "Resume-HvTuiNode"
    ]  # fmt: skip
    text = "\n".join(line.text for line in run.lines)
    assert "nothing of the cluster is left on HV01" in text
    assert "Microsoft Hyper-V VSS Writer is back and [1]" in text
    assert "Stop Pending" in text
    small_one.assert_unharmed()
    assert small_one.operations.stopped_vmms == []


async def test_a_stop_that_hangs_ends_in_honest_advice_and_no_kill(stage: Make) -> None:
    small_one = stage(more='[[node]]\nname = "HV01"\nhanging_stops = ["vmms"]\n')
    run = await small_one.run(await small_one.plan(Verb.VMMS, node("HV01")))
    assert run.state is RunState.FAILED
    assert "reboot HV01" in run.lines[-1].text
    assert "does not kill" in run.lines[-1].text
    assert [stage.state for stage in run.stages] == [
        ItemState.DONE, ItemState.FAILED, ItemState.QUEUED, ItemState.QUEUED
    ]  # fmt: skip
    assert [offer.verb for offer in run.offers] == [Verb.RESUME, Verb.RESUME]
    assert [function for _, function in small_one.nodes.changing()] == ["Suspend-HvTuiNode", "Stop-HvTuiService"]
    small_one.assert_unharmed()


RUNBOOK = ("Suspend-HvTuiNode", "Stop-HvTuiService", "Start-HvTuiService", "Resume-HvTuiNode")


@pytest.mark.parametrize("function", RUNBOOK)
async def test_a_lost_answer_in_the_runbook_is_read_back_and_it_goes_on(stage: Make, function: str) -> None:
    small_one = stage()
    before = small_one.where()
    plan = await small_one.plan(Verb.VMMS, node("HV01"))
    small_one.nodes.fault = lambda name, asked: "after" if asked == function else ""
    run = await small_one.run(plan)
    assert run.state is RunState.DONE, run.lines
    assert [asked for _, asked in small_one.nodes.changing()] == list(RUNBOOK)
    assert small_one.where() == before
    small_one.assert_unharmed()


@pytest.mark.parametrize("fault", ["before", "never"])
@pytest.mark.parametrize("function", RUNBOOK)
async def test_a_call_of_the_runbook_that_was_not_run_ends_it_with_a_way_on(
    stage: Make, function: str, fault: str
) -> None:
    small_one = stage()
    plan = await small_one.plan(Verb.VMMS, node("HV01"))
    small_one.nodes.fault = lambda name, asked: fault if asked == function else ""
    run = await small_one.run(plan)
    assert run.state is RunState.FAILED, run.lines
    place = RUNBOOK.index(function)
    assert [asked for _, asked in small_one.nodes.changing()] == list(RUNBOOK[: place + 1]), "nothing is sent twice"
    assert [stage.state for stage in run.stages] == [
        *[ItemState.DONE] * place, ItemState.FAILED, *[ItemState.QUEUED] * (3 - place)
    ]  # fmt: skip
    offered = {Verb.START_VMMS} if function == "Start-HvTuiService" else {Verb.RESUME}
    assert {offer.verb for offer in run.offers} == (set() if place == 0 else offered)
    small_one.nodes.fault = lambda name, asked: ""
    small_one.nodes.pump(15.0)
    for verb in (Verb.START_VMMS, Verb.RESUME):
        offers = [offer for offer in run.offers if offer.verb is verb]
        if offers:
            run = await small_one.run(await small_one.plan(verb, *offers[0].targets, **offers[0].options))
            assert run.state is RunState.DONE, (run.refusals, run.lines)
            small_one.nodes.pump(15.0)
    assert small_one.world.node("HV01").state == NodeState.Up
    assert small_one.world.node("HV01").services["vmms"].running
    small_one.assert_unharmed()


async def test_a_writer_that_does_not_come_back_is_reported_and_resume_is_offered(stage: Make) -> None:
    small_one = stage()
    host = small_one.world.node("HV01")

    def stuck(run: Run) -> None:
        if run.current == 2 and host.services["vmms"].running:
            host.hyperv_writer.set(5)

    small_one.operations.subscribe(stuck)
    run = await small_one.run(await small_one.plan(Verb.VMMS, node("HV01")))
    assert run.state is RunState.FAILED
    text = "\n".join(line.text for line in run.lines)
    assert "Microsoft Hyper-V VSS Writer [5]" in text
    assert "stays paused until it is resumed" in run.lines[-1].text
    assert [offer.options["failback"] for offer in run.offers] == ["Immediate", "NoFailback"]
    small_one.assert_unharmed()


async def test_rolling_waits_for_the_storage_jobs_of_the_node_before(stage: Make) -> None:
    """Storage Spaces Direct repairs what a paused node missed, and the next one waits for it."""
    small_one = stage(cluster="s2d = true")
    plan = await small_one.plan(Verb.VMMS, node("HV01"), node("HV02"))
    assert plan.refusals == ()
    run = await small_one.run(plan)
    assert run.state is RunState.DONE, [line.text for line in run.lines]
    assert any("waiting before HV02" in line.text for line in run.lines)
    small_one.assert_unharmed()


async def test_rolling_goes_node_by_node_and_stops_at_the_first_doubt(stage: Make) -> None:
    small_one = stage()
    before = small_one.where()
    plan = await small_one.plan(Verb.VMMS, node("HV01"), node("HV02"), node("HV03"))
    assert (plan.refusals, plan.name) == ((), "CLU-OPS")

    def doubt(run: Run) -> None:
        if run.current == 4:
            small_one.world.node("HV03").services["vmms"].hangs = True

    small_one.operations.subscribe(doubt)
    run = await small_one.run(plan)
    assert run.state is RunState.FAILED
    done = [stage.state for stage in run.stages]
    assert done == [*[ItemState.DONE] * 9, ItemState.FAILED, ItemState.QUEUED, ItemState.QUEUED], [
        line.text for line in run.lines
    ]
    assert {name for name, where in small_one.where().items() if where != before[name]} == {
        name for name, where in before.items() if where == "HV03"
    }
    small_one.assert_unharmed()


async def test_another_writers_service_is_restarted_and_its_writers_are_looked_at(stage: Make) -> None:
    small_one = stage()
    host = small_one.world.node("HV02")
    before = host.services["CryptSvc"].started
    plan = await small_one.plan(Verb.SERVICE, service("HV02", "CryptSvc"))
    assert plan.refusals == ()
    run = await small_one.run(plan)
    assert run.state is RunState.DONE, run.lines
    assert host.services["CryptSvc"].started != before
    small_one.assert_unharmed()


async def test_after_a_console_was_killed_vmms_is_started_and_the_node_resumed(stage: Make) -> None:
    small_one = stage()
    before, host = small_one.where(), small_one.world.node("HV01")
    plan = await small_one.plan(Verb.VMMS, node("HV01"))
    async with small_one.nodes.drive():
        run = await small_one.operations.start(plan, confirmed="HV01")
        await small_one.nodes.reach(lambda: host.services["vmms"].state == "Stopped")
        await small_one.operations.close()
    assert run.state is RunState.LEFT
    small_one.nodes.pump(40.0)

    elsewhere = small_one.console(journal="of somebody else")
    assert elsewhere.stopped_vmms == ["HV01"], "the node's own log tells it to everybody"
    await elsewhere.close()
    small_one.operations = console = small_one.console()
    await console.open()
    assert console.stopped_vmms == ["HV01"], "the first thing on the screen"
    (left,) = console.unfinished()
    assert (left.operation, left.begun.title) == (run.id, "Restart VMMS on HV01")
    async with small_one.nodes.drive():
        truth = await console.read_back(left)
    assert "vmms on HV01 is Stopped" in truth.lines
    assert not truth.settled
    assert [offer.verb for offer in truth.offers] == [Verb.START_VMMS, Verb.RESUME, Verb.RESUME, Verb.VMMS]

    start = truth.offers[0]
    plan = await small_one.plan(start.verb, *start.targets, **start.options)
    assert (plan.refusals, plan.level) == ((), Level.KEY), "one confirmed key"
    assert (await small_one.run(plan)).state is RunState.DONE
    assert console.stopped_vmms == []
    home = truth.offers[1]
    second = await small_one.run(await small_one.plan(home.verb, *home.targets, **home.options))
    assert second.state is RunState.DONE, second.lines
    assert small_one.where() == before
    await console.close_unfinished(run.id, "started by hand, resumed")
    assert console.unfinished() == []
    small_one.assert_unharmed()
    assert [function for _, function in small_one.nodes.changing()] == [
        "Suspend-HvTuiNode", "Stop-HvTuiService", "Start-HvTuiService", "Resume-HvTuiNode"
    ]  # fmt: skip


async def test_the_heart_of_the_field_report(stage: Make) -> None:
    """The writer is stuck after its job was killed: drain, restart VMMS, resume, and it is [1] again."""
    stuck = stage("stuck-writer", at=40 * 60.0)
    host = next(n for n in stuck.world.nodes.values() if n.hyperv_writer.state != 1)
    before = stuck.where()
    refused = await stuck.plan(Verb.VMMS, node(host.name))
    assert any(refusal.hold for refusal in refused.refusals), "a backup was left behind, and nobody said it was stopped"
    assert await stuck.operations.say_backup_stopped(host.name, "yes") != ""
    assert await stuck.operations.say_backup_stopped(host.name, host.name) == ""
    plan = await stuck.plan(Verb.VMMS, node(host.name))
    assert plan.refusals == ()
    run = await stuck.run(plan)
    assert run.state is RunState.DONE, run.lines
    assert host.hyperv_writer.state == 1
    moved = {name for name, where in stuck.where().items() if where != before[name] and before[name] == host.name}
    assert moved == set()
    assert host.drain == DrainStatus.NotInitiated
    notes = [line.entry.text for line in stuck.operations._journal.lines(kinds=(Kind.NOTE,))]
    assert notes == [f"said that the backup job of {host.name} was stopped in the backup product"]
    stuck.assert_unharmed()


async def test_a_backup_that_begins_after_it_was_said_makes_it_unsaid(stage: Make) -> None:
    small_one = stage()
    host, vm = small_one.world.node("HV01"), small_one.vms["APP01"]
    assert await small_one.operations.say_backup_stopped("HV01", "HV01") == ""
    small_one.nodes.pump(60.0)
    assert set(small_one.operations.facts().backup_stopped) == {"HV01"}
    backup = start_job(small_one.world, host, vm, JobType.Backup, [(600.0, 100.0)])
    small_one.nodes.pump(5.0)
    end_job(small_one.world, backup)
    small_one.nodes.pump(5.0)
    assert small_one.operations.facts().backup_stopped == {}, "it was said of another backup"
    small_one.assert_unharmed()


async def test_a_volume_is_moved_by_its_owner_and_read_back(stage: Make) -> None:
    small_one = stage()
    csv = next(iter((small_one.nodes.state.cluster.csvs or {}).values()))
    target = Target(kind="csv", id=csv.id, name="Volume1")
    other = "HV02" if csv.owner != "HV02" else "HV03"
    facts = await small_one.operations.gather(Verb.ALIGN, small_one.nodes.state.node_names())
    plan = Plan(
        verb=Verb.ALIGN,
        cluster_id=facts.pinned,
        cluster="CLU-OPS",
        made=facts.now,
        title="Move Volume1 to its VMs",
        targets=(target,),
        stages=(Step(action="csv", node=other, text="move", target=target),),
        level=Level.KEY,
        seen={target.key: f"owner={(csv.owner or '').lower()}"},
    )
    run = await small_one.run(plan)
    assert run.state is RunState.DONE, (run.refusals, run.items)
    assert run.items[0].text == f"its owner is {other}"
    assert small_one.nodes.changing() == [(csv.owner, "Move-HvTuiCsv")]
    again = await small_one.run(plan)
    assert again.state is RunState.REFUSED, "it is not what the plan saw any more"
    small_one.assert_unharmed()
