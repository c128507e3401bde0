"""Migrations: the queue and its limits, each move read back, failures by their names, cancels, lost answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hvtui.journal.entry import Kind
from hvtui.lab.world import actions
from hvtui.operations.plan import Level, Plan, Verb
from hvtui.operations.run import ItemState, Run, RunState
from tests.support.desk import Stage, small

Make = Callable[..., Stage]
SERVER_2022 = 'build = "10.0.20348.2849"'


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Stage] = []

    def make(*, options: dict[str, Any] | None = None, **parts: Any) -> Stage:
        made.append(Stage(small(tmp_path, **parts), tmp_path, **(options or {})))
        return made[-1]

    yield make
    for one in made:
        await one.operations.close()


async def migrate(stage: Stage, destination: str, *names: str) -> Plan:
    return await stage.plan(Verb.MIGRATE, *(stage.vm(name) for name in names), destination=destination)


def states(run: Run) -> dict[str, ItemState]:
    return {item.target.name: item.state for item in run.items}


def on(stage: Stage, node: str) -> list[str]:
    return sorted(name for name, where in stage.where().items() if where == node)


async def test_a_vm_moves_and_is_proved_to_run_where_it_was_sent(stage: Make) -> None:
    small_one = stage()
    name = on(small_one, "HV01")[0]
    plan = await migrate(small_one, "HV02", name)
    assert (plan.refusals, plan.level) == ((), Level.KEY)
    run = await small_one.run(plan)
    assert run.state is RunState.DONE
    assert small_one.where()[name] == "HV02"
    assert run.items[0].text == "on HV02, Running as before"
    assert [function for _, function in small_one.nodes.changing()] == ["Move-HvTuiVM"]
    small_one.assert_unharmed()
    lines = [line.entry for line in small_one.operations._journal.lines()]
    assert [line.kind for line in lines] == [Kind.BEGUN, Kind.STEP, Kind.OUTCOME, Kind.READ_BACK, Kind.ENDED]
    assert all(line.operation == run.id and line.cluster == "CLU-OPS" for line in lines)
    assert lines[2].command.startswith("Move-ClusterVirtualMachineRole -VMId")
    assert (lines[2].before["owner"], lines[3].after["owner"]) == ("HV01", "HV02")
    assert lines[1].requested["ExpectOwner"] == "HV01"
    assert lines[2].duration is not None
    assert small_one.operations.commands[0].text == lines[2].command
    assert small_one.operations.unfinished() == []


async def test_never_more_than_the_limit_on_any_host(stage: Make) -> None:
    small_one = stage(nodes="max_migrations = 2", vms='nodes = ["HV01"]')
    plan = await migrate(small_one, "HV02", *small_one.vms)
    busiest: Counter[str] = Counter()

    def look(change: object) -> None:
        now = Counter(n.name for ends in small_one.world.migrating.values() for n in ends)
        for name, count in now.items():
            busiest[name] = max(busiest[name], count)

    small_one.nodes.subscribe(look)
    run = await small_one.run(plan)
    assert run.state is RunState.DONE
    assert set(small_one.where().values()) == {"HV02"}
    assert busiest == {"HV01": 2, "HV02": 2}, "the limit is used, and kept"
    small_one.assert_unharmed()


async def test_the_clusters_limit_beats_the_hosts(stage: Make) -> None:
    small_one = stage(cluster="max_parallel_migrations = 1", nodes=SERVER_2022, vms='nodes = ["HV01"]')
    most = 0

    def look(change: object) -> None:
        nonlocal most
        most = max(most, len(small_one.world.migrating))

    small_one.nodes.subscribe(look)
    run = await small_one.run(await migrate(small_one, "HV02", "APP01", "APP02", "APP03"))
    assert (run.state, most) == (RunState.DONE, 1)
    small_one.assert_unharmed()


def before_each_move(stage: Stage, act: Callable[[], object]) -> None:
    """Something happens after everything was looked at, a moment before the node is asked."""

    def before(node: str, function: str) -> None:
        if function == "Move-HvTuiVM":
            act()

    stage.nodes.before = before


async def test_another_clients_migrations_take_the_places_and_it_is_asked_again_later(stage: Make) -> None:
    small_one = stage(cluster="max_parallel_migrations = 1", nodes=SERVER_2022, vms='nodes = ["HV01"]')
    plan = await migrate(small_one, "HV02", "APP01")
    seen: list[ItemState] = []
    small_one.operations.subscribe(lambda run: seen.extend(item.state for item in run.items))
    other, third = small_one.vms["APP02"], small_one.world.node("HV03")

    def race() -> None:
        if other.node is not third:
            actions.move_role(small_one.world, other, third, "Live")

    before_each_move(small_one, race)
    run = await small_one.run(plan)
    assert run.state is RunState.DONE
    assert ItemState.WAITING in seen
    asked = [call["OperationId"] for _, name, call, _ in small_one.nodes.sent if name == "Move-HvTuiVM"]
    assert len(asked) == len(set(asked)) == 2, "asked again with another id, after the place was free"
    small_one.assert_unharmed()


async def test_a_vm_that_is_held_when_its_turn_comes_is_left_and_the_others_go_on(stage: Make) -> None:
    small_one = stage(cluster="max_parallel_migrations = 1", nodes=SERVER_2022, vms='nodes = ["HV01"]')
    plan = await migrate(small_one, "HV02", "APP01", "APP02", "APP03")
    second = plan.moves[1].vm

    def lock(run: Run) -> None:
        if run.items and run.items[0].state is ItemState.RUNNING and run.items[0].percent:
            small_one.world.vms[second.id].lock(on=True)

    small_one.operations.subscribe(lock)
    run = await small_one.run(plan)
    assert run.state is RunState.FAILED
    assert [item.state for item in run.items] == [ItemState.DONE, ItemState.HELD, ItemState.DONE]
    assert "locked" in run.items[1].text.lower()
    assert small_one.where()[second.name] == "HV01"
    small_one.assert_unharmed()


async def test_a_failure_of_windows_is_explained_on_its_row(stage: Make) -> None:
    small_one = stage(vms='nodes = ["HV01"]')
    plan = await migrate(small_one, "HV02", "APP01")
    before_each_move(small_one, lambda: small_one.vms["APP01"].dvd.append("D:\\setup.iso"))
    run = await small_one.run(plan)
    assert run.state is RunState.FAILED
    assert run.items[0].code == "0xc03a0014"
    assert "ISO file is not there" in run.items[0].text
    assert "Eject the ISO" in run.items[0].advice
    assert small_one.where()["APP01"] == "HV01"
    small_one.assert_unharmed()


async def test_the_node_refuses_what_is_not_as_the_plan_saw_it(stage: Make) -> None:
    small_one = stage(vms='nodes = ["HV01"]')
    plan = await migrate(small_one, "HV02", "APP01")
    before_each_move(small_one, lambda: actions.power_off(small_one.world, small_one.vms["APP01"]))
    run = await small_one.run(plan)
    assert run.items[0].state is ItemState.REFUSED
    assert "the plan saw '2'" in run.items[0].text
    assert small_one.where()["APP01"] == "HV01"
    small_one.assert_unharmed("vm_interrupted")


async def test_cancel_drops_what_waits_and_cancels_what_runs(stage: Make) -> None:
    small_one = stage(cluster="max_parallel_migrations = 1", nodes=SERVER_2022, vms='nodes = ["HV01"]', memory=40)
    plan = await migrate(small_one, "HV02", "APP01", "APP02", "APP03")
    said: list[str] = []

    async with small_one.nodes.drive(0.25):
        run = await small_one.operations.start(plan, confirmed="key")
        await small_one.nodes.reach(lambda: small_one.world.migrating)
        said.append(await small_one.operations.cancel(run))
        await small_one.operations.wait(run)
    assert run.state is RunState.CANCELLED
    assert set(states(run).values()) == {ItemState.CANCELLED}
    assert said[0].startswith("cancelling")
    assert set(small_one.where().values()) == {"HV01"}
    assert [name for _, name in small_one.nodes.changing()] == ["Move-HvTuiVM", "Stop-HvTuiMove"]
    assert await small_one.operations.cancel(run) == "it has ended: cancelled"
    small_one.assert_unharmed()


@pytest.mark.parametrize(("fault", "end", "item"), [
    ("after", RunState.DONE, ItemState.DONE),
    ("before", RunState.UNKNOWN, ItemState.UNKNOWN),
    ("never", RunState.FAILED, ItemState.FAILED),
])  # fmt: skip
async def test_a_lost_answer_is_read_back_and_never_sent_again(
    stage: Make, fault: str, end: RunState, item: ItemState
) -> None:
    small_one = stage(vms='nodes = ["HV01"]')
    plan = await migrate(small_one, "HV02", "APP01")
    small_one.nodes.fault = lambda node, function: fault if function == "Move-HvTuiVM" else ""
    run = await small_one.run(plan)
    assert (run.state, run.items[0].state) == (end, item)
    assert len(small_one.nodes.changing()) == 1
    outcome = next(line.entry for line in small_one.operations._journal.lines(kinds=(Kind.OUTCOME,)))
    assert outcome.outcome == ("failed" if fault == "never" else "unknown")
    assert outcome.error is not None
    small_one.assert_unharmed()


async def test_off_and_saved_vms_only_change_their_role(stage: Make) -> None:
    small_one = stage(vms='nodes = ["HV01"]')
    actions.power_off(small_one.world, small_one.vms["APP01"])
    small_one.nodes.pump(5.0)
    run = await small_one.run(await migrate(small_one, "HV02", "APP01"))
    assert run.state is RunState.DONE
    assert run.items[0].text == "on HV02, Off as before"
    small_one.assert_unharmed("vm_interrupted")


async def test_a_cancel_of_somebody_elses_migration(stage: Make) -> None:
    small_one = stage(more='[[vms]]\nname = "BIG"\nmemory_gb = 120\nnodes = ["HV01"]\n')
    actions.move_role(small_one.world, small_one.vms["BIG"], small_one.world.node("HV02"), "Live")
    small_one.nodes.pump(2.0)
    plan = await small_one.operations.plan(Verb.CANCEL, [small_one.vm("BIG")])
    assert plan.refusals == ()
    run = await small_one.run(plan)
    assert run.state is RunState.DONE
    assert run.items[0].text == "cancelled, still on HV01"
    assert small_one.where()["BIG"] == "HV01"
    small_one.assert_unharmed()


async def test_a_cancel_works_while_vmms_on_the_source_hangs(stage: Make) -> None:
    small_one = stage(more='[[vms]]\nname = "BIG"\nmemory_gb = 120\nnodes = ["HV01"]\n')
    plan = await migrate(small_one, "HV02", "BIG")
    async with small_one.nodes.drive():
        run = await small_one.operations.start(plan, confirmed="key")
        await small_one.nodes.reach(lambda: small_one.world.migrating)
        small_one.world.node("HV01").faults.vmms_hung = True
        await small_one.nodes.reach(lambda: run.can_cancel)
        await small_one.operations.cancel(run)
        await small_one.operations.wait(run)
    assert ("HV01", "Stop-HvTuiMove") in small_one.nodes.changing()
    assert run.items[0].state is ItemState.CANCELLED
    small_one.assert_unharmed()


async def test_a_wave_begins_when_the_one_before_has_ended(stage: Make) -> None:
    small_one = stage(vms='nodes = ["HV01"]', memory=30, nodes="max_migrations = 4")
    plan = await migrate(small_one, "HV02", "APP01", "APP02", "APP03")
    waves = tuple(msgspec.structs.replace(move, wave=int(move.vm.name == "APP03")) for move in plan.moves)
    together: set[frozenset[str]] = set()

    def look(change: object) -> None:
        names = {small_one.world.roles[key].vm.name for key in small_one.world.migrating}
        together.add(frozenset(names))

    small_one.nodes.subscribe(look)
    run = await small_one.run(msgspec.structs.replace(plan, moves=waves))
    assert run.state is RunState.DONE
    assert frozenset({"APP01", "APP02"}) in together
    assert frozenset({"APP03"}) in together
    assert not any("APP03" in names and len(names) > 1 for names in together)
    small_one.assert_unharmed()


async def test_a_csv_moves_to_its_vms_which_go_on_running(stage: Make) -> None:
    small_one = stage(vms='nodes = ["HV02"]\ncsvs = ["Volume1"]')
    plan = await small_one.plan(Verb.ALIGN, csv="Volume1", move_csv="yes")
    assert (plan.refusals, plan.level, plan.name) == ((), Level.TYPED, "Volume1")
    run = await small_one.run(plan)
    assert run.state is RunState.DONE
    assert run.items[0].text == "its owner is HV02"
    assert small_one.world.csv("Volume1").owner.name == "HV02"
    assert [function for _, function in small_one.nodes.changing()] == ["Move-HvTuiCsv"]
    assert (await small_one.plan(Verb.ALIGN, csv="Volume1")).moves == ()
    small_one.assert_unharmed()
