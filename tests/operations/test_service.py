"""What stands before every run: the confirmation, the gate, the journal, one operation for each target; and what a
console that ends, or is killed, leaves to the next one.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hvtui.journal.entry import Kind
from hvtui.journal.store import Journal, JournalError
from hvtui.operations.plan import Level, Plan, Verb
from hvtui.operations.run import ItemState, Run, RunState
from tests.support.desk import Stage, node, small
from tests.support.killed import killed_at

Make = Callable[..., Stage]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Make]:
    made: list[Stage] = []

    def make(*, options: dict[str, Any] | None = None, **parts: Any) -> Stage:
        made.append(Stage(small(tmp_path, **({"vms": 'nodes = ["HV01"]'} | parts)), tmp_path, **(options or {})))
        return made[-1]

    yield make
    for one in made:
        await one.operations.close()


async def one_move(stage: Stage, name: str = "APP01") -> Plan:
    return await stage.plan(Verb.MIGRATE, stage.vm(name), destination="HV02")


def nothing_was_done(stage: Stage) -> bool:
    return stage.nodes.changing() == [] and set(stage.where().values()) == {"HV01"}


def rules(run: Run) -> list[str]:
    return [refusal.rule for refusal in run.refusals]


# --- confirmation ---


@pytest.mark.parametrize("said", ["", "y", "KEY", "HV02", "CLU-OP"])
async def test_nothing_begins_without_its_confirmation(stage: Make, said: str) -> None:
    small_one = stage()
    plan = await one_move(small_one)
    run = await small_one.operations.start(plan, confirmed=said)
    assert (run.state, rules(run)) == (RunState.REFUSED, ["confirm"])
    assert nothing_was_done(small_one)
    (line,) = small_one.operations._journal.lines()
    assert (line.entry.kind, line.entry.outcome) == (Kind.REFUSED, "refused")
    small_one.assert_unharmed()


async def test_a_typed_name_stands_for_a_key_but_no_key_for_a_name(stage: Make) -> None:
    small_one = stage()
    run = await small_one.run(await one_move(small_one), "app01")
    assert run.state is RunState.DONE
    drain = await small_one.plan(Verb.DRAIN, node("HV01"))
    assert drain.level is Level.TYPED
    assert rules(await small_one.operations.start(drain, confirmed="key")) == ["confirm"]


async def test_on_a_protected_cluster_a_key_is_never_enough(stage: Make) -> None:
    small_one = stage(options={"protected": True})
    plan = await one_move(small_one)
    assert plan.level is Level.TYPED
    for_key = msgspec.structs.replace(plan, level=Level.KEY)
    assert rules(await small_one.operations.start(for_key, confirmed="key")) == ["confirm"]
    assert nothing_was_done(small_one)


# --- the gate ---


async def test_without_actions_nothing_is_done_and_the_line_to_add_is_named(stage: Make) -> None:
    small_one = stage(options={"actions": False})
    small_one.operations._file = "/etc/hvtui.toml"
    plan = await one_move(small_one)
    assert "actions = true" in plan.refusals[0].text
    assert "[clusters.ops] of /etc/hvtui.toml" in plan.refusals[0].text
    run = await small_one.operations.start(plan, confirmed="key")
    assert run.state is RunState.REFUSED
    assert "read-only" in rules(run)
    assert nothing_was_done(small_one)
    small_one.operations.read_only = False
    assert small_one.operations.read_only, "the console's switch lifts only its own restriction"


async def test_the_switch_restricts_and_lifts_its_own_restriction(stage: Make) -> None:
    small_one = stage()
    plan = await one_move(small_one)
    small_one.operations.read_only = True
    run = await small_one.run(plan)
    assert (run.state, rules(run)) == (RunState.REFUSED, ["read-only"])
    assert nothing_was_done(small_one)
    small_one.operations.read_only = False
    assert (await small_one.run(plan)).state is RunState.DONE


async def test_a_plan_of_yesterday_is_refused(stage: Make) -> None:
    small_one = stage()
    plan = await one_move(small_one)
    await small_one.run(await small_one.plan(Verb.MIGRATE, small_one.vm("APP01"), destination="HV03"))
    sent = len(small_one.nodes.changing())
    run = await small_one.run(plan)
    assert run.state is RunState.REFUSED
    assert "changed" in rules(run)
    assert len(small_one.nodes.changing()) == sent
    assert small_one.where()["APP01"] == "HV03"
    small_one.assert_unharmed()


async def test_one_operation_for_each_target(stage: Make) -> None:
    small_one = stage(memory=40)
    plan = await one_move(small_one)
    async with small_one.nodes.drive():
        first, second = await asyncio.gather(
            small_one.operations.start(plan, confirmed="key"), small_one.operations.start(plan, confirmed="key")
        )
        await small_one.operations.wait(first)
        await small_one.operations.wait(second)
    assert sorted([first.state, second.state]) == [RunState.DONE, RunState.REFUSED]
    refused = first if first.state is RunState.REFUSED else second
    assert rules(refused) == ["busy"]
    assert len(small_one.nodes.changing()) == 1
    assert (await small_one.run(await one_move(small_one, "APP02"))).state is RunState.DONE
    small_one.assert_unharmed()


# --- the journal ---


async def test_a_journal_that_cannot_be_written_stops_everything_before_it_begins(
    stage: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_one = stage()
    plan = await one_move(small_one)

    def full(self: Journal, entry: object) -> int:
        raise JournalError("The journal cannot be written: disk full")

    monkeypatch.setattr(Journal, "append", full)
    run = await small_one.run(plan)
    assert (run.state, rules(run)) == (RunState.REFUSED, ["journal"])
    assert "disk full" in run.lines[0].text
    assert nothing_was_done(small_one)


async def test_a_journal_that_fails_in_the_middle_stops_the_next_step(
    stage: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_one = stage(cluster="max_parallel_migrations = 1", nodes='build = "10.0.20348.2849"')
    plan = await small_one.plan(Verb.MIGRATE, *(small_one.vm(f"APP0{n}") for n in (1, 2, 3)), destination="HV02")
    real = Journal.append

    def fills(self: Journal, entry: Any) -> int:
        if entry.kind is Kind.STEP and entry.step > 1:
            raise JournalError("The journal cannot be written: disk full")
        return real(self, entry)

    monkeypatch.setattr(Journal, "append", fills)
    run = await small_one.run(plan)
    assert run.state is RunState.FAILED
    assert [item.state for item in run.items] == [ItemState.DONE, ItemState.FAILED, ItemState.FAILED]
    assert "disk full" in run.items[1].text
    assert len(small_one.nodes.changing()) == 1
    small_one.assert_unharmed()


async def test_who_and_what_is_in_every_line_and_no_password(stage: Make, tmp_path: Path) -> None:
    small_one = stage()
    small_one.operations._journal._secrets = lambda: ("Sw0rdfish-canary",)

    def echo(name: str, function: str, answer: Any) -> Any:
        if function.startswith("Move-"):
            return msgspec.structs.replace(answer, text="logged on as alice with Sw0rdfish-canary")
        return answer

    small_one.nodes.after = echo
    await small_one.run(await one_move(small_one))
    for line in small_one.operations._journal.lines():
        assert (line.entry.who.user, line.entry.who.machine, line.entry.who.account) == ("alice", "PC7", "CORP\\alice")
        assert line.entry.cluster_id == "0f0e8a52-7c1c-4f0e-9d53-0d2f4d1c7b77"
    await small_one.operations.close()
    for file in (tmp_path / "journal").rglob("*"):
        assert not file.is_file() or b"Sw0rdfish" not in file.read_bytes()


# --- a console that ends, and one that is killed ---


async def test_a_console_that_ends_leaves_windows_at_work_and_the_next_one_reads_it_back(stage: Make) -> None:
    small_one = stage(cluster="max_parallel_migrations = 1", nodes='build = "10.0.20348.2849"', memory=40)
    plan = await small_one.plan(Verb.MIGRATE, *(small_one.vm(f"APP0{n}") for n in (1, 2, 3)), destination="HV02")
    async with small_one.nodes.drive():
        run = await small_one.operations.start(plan, confirmed="key")
        await small_one.nodes.reach(lambda: small_one.world.migrating)
        await small_one.operations.close()
    assert run.state is RunState.LEFT
    small_one.operations = small_one.console()
    await small_one.operations.look_back()
    (left,) = small_one.operations.unfinished()
    async with small_one.nodes.drive():
        now = await small_one.operations.read_back(left)
    first = plan.moves[0].vm.name
    assert f"{first} is being migrated" in now.lines
    assert sum("was not begun: it is on HV01" in line for line in now.lines) == 2
    small_one.nodes.pump(200.0)
    small_one.nodes.pump(15.0)
    async with small_one.nodes.drive():
        truth = await small_one.operations.read_back(left)
    assert f"{first} is on HV02" in truth.lines
    (offer,) = truth.offers
    assert (offer.verb, len(offer.targets)) == (Verb.MIGRATE, 2)
    again = await small_one.run(await small_one.plan(offer.verb, *offer.targets, **offer.options))
    assert again.state is RunState.DONE, again.lines
    async with small_one.nodes.drive():
        assert (await small_one.operations.read_back(left)).settled
    await small_one.operations.close_unfinished(left.operation, "done by a new one")
    assert small_one.operations.unfinished() == []
    moved = [call["VMId"] for _, name, call, _ in small_one.nodes.sent if name == "Move-HvTuiVM"]
    assert len(moved) == len(set(moved)) == 3, "nothing is run twice"
    small_one.assert_unharmed()


KILLED_AT = ["begun", "step", "called", "outcome", "read back"]


@pytest.mark.parametrize("moment", KILLED_AT)
async def test_killed_at_any_step_nothing_is_run_twice(
    stage: Make, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies right after a line was written, or in the middle of the call: what it held in memory is gone."""
    small_one = stage()
    await killed_at(small_one, await one_move(small_one), moment, monkeypatch)

    small_one.operations = small_one.console()
    await small_one.operations.look_back()
    left = next(iter(small_one.operations.unfinished()), None)
    assert left is not None, [(line.entry.kind, line.entry.text) for line in small_one.operations._journal.lines()]
    async with small_one.nodes.drive():
        truth = await small_one.operations.read_back(left)
    ran = moment in {"called", "outcome", "read back"}
    assert truth.settled is ran, truth.lines
    for offer in truth.offers:
        again = await small_one.run(await small_one.plan(offer.verb, *offer.targets, **offer.options))
        assert again.state is RunState.DONE, again.lines
    assert small_one.where()["APP01"] == "HV02"
    assert len(small_one.nodes.changing()) == 1
    await small_one.operations.close_unfinished(left.operation, "read back")
    small_one.assert_unharmed()


async def test_two_consoles_race_for_one_vm(stage: Make) -> None:
    small_one = stage()
    other = small_one.console()
    plan = await one_move(small_one)
    elsewhere = await small_one.plan(Verb.MIGRATE, small_one.vm("APP01"), destination="HV03")
    async with small_one.nodes.drive():
        first, second = await asyncio.gather(
            small_one.operations.start(plan, confirmed="key"), other.start(elsewhere, confirmed="key")
        )
        await small_one.operations.wait(first)
        await other.wait(second)
    ends = [run.items[0].state if run.items else run.state for run in (first, second)]
    assert ItemState.DONE in ends
    assert small_one.where()["APP01"] in {"HV02", "HV03"}
    small_one.assert_unharmed()
    await other.close()
