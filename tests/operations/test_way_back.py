"""The way back from a node that was drained earlier, and from a service that stayed stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from hvtui.model.enums import NodeState
from hvtui.operations.plan import Level, Target, Verb
from hvtui.operations.run import ItemState, RunState
from tests.support.desk import Stage, node, small

CRYPT = Target(kind="service", id="HV02/CryptSvc", name="CryptSvc on HV02")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Callable[[], Stage]]:
    made: list[Stage] = []

    def make() -> Stage:
        made.append(Stage(small(tmp_path), tmp_path))
        made[-1].quiet()
        return made[-1]

    yield make
    for one in made:
        await one.operations.close()
        one.assert_unharmed()


async def test_whom_an_earlier_drain_took_away_is_brought_home_and_looked_at(stage: Callable[[], Stage]) -> None:
    here = stage()
    before = here.where()
    mine = {name for name, where in before.items() if where == "HV01"}
    assert (await here.run(await here.plan(Verb.DRAIN, node("HV01")))).state is RunState.DONE
    await here.operations.close()
    here.operations = here.console()
    here.nodes.pump(12.0)
    run = await here.run(await here.plan(Verb.VMMS, node("HV01")))
    assert run.state is RunState.DONE, run.lines
    assert {item.target.name for item in run.items} == mine
    assert all(item.state is ItemState.DONE for item in run.items)
    assert here.where() == before


async def test_who_is_held_is_not_brought_home_by_a_node_that_was_drained_earlier(stage: Callable[[], Stage]) -> None:
    here = stage()
    held = next(name for name, where in here.where().items() if where == "HV01")
    assert (await here.run(await here.plan(Verb.DRAIN, node("HV01")))).state is RunState.DONE
    here.nodes.pump(12.0)
    plan = await here.plan(Verb.VMMS, node("HV01"))
    assert plan.refusals == ()
    here.vms[held].lock(on=True)
    here.nodes.pump(12.0)
    run = await here.run(plan)
    assert run.state is RunState.FAILED
    assert [s.state for s in run.stages] == [ItemState.DONE, ItemState.DONE, ItemState.FAILED], run.lines
    assert held in run.lines[-1].text
    assert here.world.node("HV01").state == NodeState.Paused
    assert "Resume-HvTuiNode" not in [function for _, function in here.nodes.changing()]
    stay = next(offer for offer in run.offers if offer.options["failback"] == "NoFailback")
    plan = await here.plan(stay.verb, *stay.targets, **stay.options)
    assert (plan.refusals, plan.level) == ((), Level.KEY)
    assert (await here.run(plan)).state is RunState.DONE
    assert here.where()[held] != "HV01"
    here.vms[held].lock(on=False)


async def test_a_writers_service_that_stayed_stopped_is_started(stage: Callable[[], Stage]) -> None:
    here = stage()
    here.nodes.fault = lambda name, function: "before" if function == "Start-HvTuiService" else ""
    run = await here.run(await here.plan(Verb.SERVICE, CRYPT))
    assert run.state is RunState.FAILED, run.lines
    assert "the answer was lost, and CryptSvc on HV02 is Stopped; it was not asked again" in run.lines[-1].text
    (offer,) = run.offers
    assert (offer.verb, offer.targets, offer.text) == (Verb.START_VMMS, (CRYPT,), "Start CryptSvc on HV02")
    here.nodes.fault = lambda name, function: ""
    await here.operations.close()
    here.operations = here.console()
    await here.operations.open()
    plan = await here.plan(Verb.SERVICE, CRYPT)
    assert (plan.verb, plan.refusals, plan.level) == (Verb.START_VMMS, (), Level.KEY)
    assert [s.action for s in plan.stages] == ["start"]
    assert (await here.run(plan)).state is RunState.DONE
    assert here.world.node("HV02").services["CryptSvc"].state == "Running"


async def test_one_that_somebody_else_stopped_is_not(stage: Callable[[], Stage]) -> None:
    here = stage()
    here.world.node("HV02").services["CryptSvc"].state = "Stopped"
    plan = await here.plan(Verb.SERVICE, CRYPT)
    assert "there is nothing to restart" in " ".join(refusal.text for refusal in plan.refusals)
