"""Two consoles and one command line on the same VMs and nodes at once: nobody is harmed, nothing is run twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from hvtui.lab.world import World
from hvtui.model.enums import NodeState
from hvtui.operations.plan import Plan, Target, Verb
from hvtui.operations.run import ItemState, Run, RunState
from tests.support.desk import node, small
from tests.support.executed import executed
from tests.support.fuller import in_fuller_run
from tests.support.site import Console, Site, told
from tests.support.wait import until

NODES: Final = ("HV01", "HV02", "HV03")


async def three(site: Site) -> list[Console]:
    """Two consoles on machines of their own, and a command line on the first one's."""
    one, two = await asyncio.gather(site.console(at="PC7"), site.console("other journal", at="PC8"))
    return [one, two, await site.console(at="PC7", front="cli")]


async def at_once(consoles: Sequence[Console], plans: Sequence[Plan]) -> list[Run]:
    """Everybody confirms in the same moment; gives the runs when all have ended."""
    return list(await asyncio.gather(*(console.run(plan) for console, plan in zip(consoles, plans, strict=True))))


def of(site: Site, function: str) -> int:
    """How often Windows began what a function asks for."""
    return sum(count for (_, name, _), count in site.look(executed).items() if name == function)


def ends(runs: Sequence[Run]) -> list[RunState]:
    return sorted((run.state for run in runs), key=list(RunState).index)


def paused(world: World) -> list[str]:
    return [host.name for host in world.nodes.values() if host.state == NodeState.Paused]


@pytest.mark.timeout(300)
async def test_three_clients_race(site: Callable[..., Site], tmp_path: Path) -> None:
    here = site(small(tmp_path, cluster="max_parallel_migrations = 1", nodes='build = "10.0.20348.2849"'))
    clients = await three(here)
    await one_vm(here, clients)
    await limits(here, clients)
    await one_node(here, clients)
    await neighbours(here, clients)
    await one_service(here, clients)


async def one_vm(here: Site, clients: Sequence[Console]) -> None:
    """One VM, three wishes: one is carried out."""
    vm, home = here.vm("APP01"), here.where()["APP01"]
    others = [name for name in NODES if name != home]
    wishes = [others[0], others[1], others[0]]
    began = of(here, "Move-HvTuiVM")
    plans = [await c.plan(Verb.MIGRATE, vm, destination=to) for c, to in zip(clients, wishes, strict=True)]
    runs = await at_once(clients, plans)
    done = [run for run in runs if run.state is RunState.DONE]
    assert done, told(runs)
    assert of(here, "Move-HvTuiVM") == began + 1, told(runs)
    assert here.where()["APP01"] == done[0].items[0].destination, told(runs)
    assert all(run.state in {RunState.FAILED, RunState.REFUSED} for run in runs if run not in done), told(runs)


async def limits(here: Site, clients: Sequence[Console]) -> None:
    """One place for migrations and three who want it: all VMs arrive, nobody exceeds the limit by its own queue."""
    where = here.where()
    names = [name for name in sorted(where) if where[name] == "HV01"]
    names += [name for name in sorted(where) if name not in names]
    vms = [here.vm(name) for name in names[:3]]
    to = [next(name for name in NODES if name != where[vm.name]) for vm in vms]
    plans = [await c.plan(Verb.MIGRATE, vm, destination=d) for c, vm, d in zip(clients, vms, to, strict=True)]
    runs = await at_once(clients, plans)
    assert ends(runs) == [RunState.DONE] * 3, told(runs)
    assert [here.where()[vm.name] for vm in vms] == to


async def one_node(here: Site, clients: Sequence[Console]) -> None:
    """One node is drained by one of them; then all want it back, and one of them resumes it."""
    began = of(here, "Suspend-HvTuiNode")
    runs = await at_once(clients, [await c.plan(Verb.DRAIN, node("HV03")) for c in clients])
    assert of(here, "Suspend-HvTuiNode") == began + 1, told(runs)
    assert ends(runs).count(RunState.DONE) == 1, told(runs)
    assert here.look(paused) == ["HV03"]
    began = of(here, "Resume-HvTuiNode")
    runs = await at_once(clients, [await c.plan(Verb.RESUME, node("HV03"), failback="Immediate") for c in clients])
    assert of(here, "Resume-HvTuiNode") == began + 1, told(runs)
    assert RunState.DONE in ends(runs), told(runs)
    assert here.look(paused) == []


async def neighbours(here: Site, clients: Sequence[Console]) -> None:
    """Each drains another node: at most one stays paused, whoever came too late or gave way says so."""
    plans = [await c.plan(Verb.DRAIN, node(name)) for c, name in zip(clients, NODES, strict=True)]
    runs = await at_once(clients, plans)
    left = here.look(paused)
    done = [run for run in runs if run.state is RunState.DONE]
    assert len(left) == len(done) <= 1, told(runs)
    assert all(run.state in {RunState.FAILED, RunState.REFUSED} for run in runs if run not in done), told(runs)
    assert all(run.lines[-1].text for run in runs)
    for name in left:
        console = clients[runs.index(done[0])]
        back = await console.run(await console.plan(Verb.RESUME, node(name), failback="Immediate"))
        assert back.state is RunState.DONE, told(back)
    await until(lambda: here.look(paused) == [])


async def one_service(here: Site, clients: Sequence[Console]) -> None:
    """One service: it is restarted once by whoever was first."""
    target = Target(kind="service", id="HV02/CryptSvc", name="CryptSvc on HV02")
    began = of(here, "Stop-HvTuiService"), of(here, "Start-HvTuiService")
    runs = await at_once(clients, [await c.plan(Verb.SERVICE, target) for c in clients])
    now = of(here, "Stop-HvTuiService"), of(here, "Start-HvTuiService")
    assert now == (began[0] + 1, began[1] + 1), told(runs)
    assert ends(runs).count(RunState.DONE) == 1, told(runs)
    assert here.look(lambda world: world.node("HV02").services["CryptSvc"].state) == "Running"


@pytest.mark.timeout(600)
@in_fuller_run
@pytest.mark.parametrize("seed", range(3))
async def test_random_races(site: Callable[..., Site], tmp_path: Path, seed: int) -> None:
    here = site(small(tmp_path, cluster="max_parallel_migrations = 2", nodes='build = "10.0.20348.2849"'))
    clients = await three(here)
    chance = random.Random(seed)
    for _ in range(8):
        plans = await asyncio.gather(*(wish(here, client, chance) for client in clients))
        going = [(c, p) for c, p in zip(clients, plans, strict=True) if not p.refusals]
        runs = await at_once([c for c, _ in going], [p for _, p in going])
        assert all(run.state is not RunState.UNKNOWN for run in runs), told(runs)
        assert all(item.state is not ItemState.UNKNOWN for run in runs for item in run.items), told(runs)
        assert len(here.look(paused)) <= 1, told(runs)
        here.assert_well()
    assert here.look(executed)


async def wish(here: Site, client: Console, chance: random.Random) -> Plan:
    """What somebody might want now."""
    host = chance.choice(NODES)
    left = here.look(paused)
    if left and chance.random() < 0.6:
        return await client.plan(Verb.RESUME, node(left[0]), failback=chance.choice(["Immediate", "NoFailback"]))
    match chance.choice(["move", "move", "drain", "service", "vmms"]):
        case "move":
            names = chance.sample(sorted(here.where()), 2)
            return await client.plan(Verb.MIGRATE, *(here.vm(name) for name in names), destination=host)
        case "drain":
            return await client.plan(Verb.DRAIN, node(host))
        case "service":
            target = Target(kind="service", id=f"{host}/VSS", name=f"VSS on {host}")
            return await client.plan(Verb.SERVICE, target)
        case _:
            return await client.plan(Verb.VMMS, node(host))
