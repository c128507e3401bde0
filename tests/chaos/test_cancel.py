"""Cancel gets through while vssadmin, WMI and the migration itself hang on the node."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from hvtui.lab.world import World, actions
from hvtui.operations.plan import Plan, Verb
from hvtui.operations.queue import is_moving
from hvtui.operations.run import Run, RunState
from tests.support.desk import as_asked, node, small
from tests.support.site import Console, Site, quicker, told
from tests.support.wait import until

BIG: Final = '[[vms]]\nname = "BIG01"\nnodes = ["HV02"]\ncsvs = ["Volume2"]\nmemory_gb = 128\n'
SPEED: Final = 5.0
SOON: Final = 10.0
"""Seconds within which a cancel must have reached Windows, whatever hangs."""


def big(world: World) -> Any:
    return next(vm for vm in world.vms.values() if vm.name == "BIG01")


def moving(world: World) -> bool:
    return big(world).role.id in world.migrating


async def hang(here: Site, console: Console) -> list[asyncio.Task[Any]]:
    """VMMS and vssadmin of the source hang, questions to both are under way, and the migration does not move on."""

    def freeze(world: World) -> None:
        world.node("HV02").faults.vmms_hung = True
        world.node("HV02").faults.vssadmin_hung = True
        world.run(0.0)

    here.look(freeze)
    console.monitor.refresh("writers", "HV02")
    call = console.monitor.call
    asked = [call("HV02", "Get-HvTuiPreflight", {"Part": "All"}, lane="work") for _ in range(2)]
    asked.append(call("HV02", "Get-HvTuiInfo", {"Part": "All"}, lane="facts"))
    tasks = [asyncio.ensure_future(one) for one in asked]
    view = console.monitor.state.nodes["HV02"]
    await until(lambda: view.writers is not None and view.writers.reading)
    assert not any(task.done() for task in tasks)
    return tasks


async def thaw(here: Site, tasks: list[asyncio.Task[Any]]) -> None:
    def lift(world: World) -> None:
        world.node("HV02").faults.vmms_hung = world.node("HV02").faults.vssadmin_hung = False
        world.run(SPEED)

    here.look(lift)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def begun(here: Site, console: Console, plan: Plan) -> Run:
    """The run, once the large VM is on its way."""
    assert plan.refusals == ()
    run = await console.operations.start(plan, confirmed=as_asked(plan))
    await until(lambda: here.look(moving) and run.can_cancel)
    return run


@pytest.mark.timeout(240)
async def test_cancel_gets_through_whatever_hangs(site: Callable[..., Site], tmp_path: Path) -> None:
    """A move of one's own, then one of somebody else's."""
    here = site(small(tmp_path, more=BIG), speed=SPEED)
    console = await here.console(pace=quicker(settle=20.0))
    plan = await console.plan(Verb.MIGRATE, here.vm("BIG01"), destination="HV01")
    run = await begun(here, console, plan)
    tasks = await hang(here, console)
    assert "cancelling" in await console.operations.cancel(run)
    await until(lambda: not here.look(moving), SOON)
    assert not any(task.done() for task in tasks), "they hang all the while"
    await thaw(here, tasks)
    await console.wait(run)
    assert run.state is RunState.CANCELLED, told(run)
    assert here.where()["BIG01"] == "HV02"

    vm = here.vm("BIG01").id
    here.look(lambda world: actions.move_role(world, big(world), world.node("HV01"), "Live"))
    await until(lambda: is_moving(console.monitor.state, vm))
    tasks = await hang(here, console)
    async with asyncio.timeout(SOON):
        plan = await console.operations.plan(Verb.CANCEL, [here.vm("BIG01")])
        assert plan.refusals == ()
        run = await console.operations.start(plan, confirmed="key")
        await until(lambda: not here.look(moving), SOON)
    await thaw(here, tasks)
    await console.wait(run)
    assert run.state is RunState.DONE, told(run)
    assert here.where()["BIG01"] == "HV02"


@pytest.mark.timeout(240)
async def test_a_drain_is_cancelled_whatever_hangs(site: Callable[..., Site], tmp_path: Path) -> None:
    here = site(small(tmp_path, more=BIG), speed=SPEED)
    console = await here.console()
    run = await begun(here, console, await console.plan(Verb.DRAIN, node("HV02")))
    tasks = await hang(here, console)
    await console.operations.cancel(run)
    await until(lambda: not here.look(moving) and here.look(lambda w: w.node("HV02").state) == 0, SOON)
    await thaw(here, tasks)
    await console.wait(run)
    assert run.state is RunState.CANCELLED, told(run)
    assert here.where()["BIG01"] == "HV02"
