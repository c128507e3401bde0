"""A mutating call whose connection breaks or whose shell is deleted: it arrives once, and what became of it is read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from hvtui.lab.world import World, actions
from hvtui.model.enums import CheckpointType, NodeState, VmState
from hvtui.operations.plan import Plan, Stage, Target, Verb
from hvtui.operations.queue import is_moving
from hvtui.operations.run import RunState
from hvtui.operations.stages import MOVE_CSV
from hvtui.operations.verbs.checkpoint import checkpoint_target
from hvtui.operations.verbs.vss_access import access_target
from hvtui.remote.contract import FUNCTIONS
from tests.support.desk import node, small
from tests.support.fuller import FULLER
from tests.support.site import Console, Site, quicker, told
from tests.support.wait import until
from tests.support.wire import FAULTS, Fault

BIG: Final = """
[[vms]]
name = "BIG01"
nodes = ["HV02"]
csvs = ["Volume2"]
memory_gb = 96

[[vms]]
names = ["TYPE01", "TAKE01"]
nodes = ["HV02"]
csvs = ["Volume2"]

[[vms]]
names = ["BACK01", "GONE01"]
nodes = ["HV01"]
csvs = ["Volume2"]
checkpoints = [{ name = "before" }]

[[vms]]
name = "OFF01"
nodes = ["HV01"]
csvs = ["Volume2"]
state = "Off"
"""
ACCOUNT: Final = "CORP\\svc-backup"
CRYPT: Final = Target(kind="service", id="HV03/CryptSvc", name="CryptSvc on HV03")


class Case:
    """One mutating function: the verb that calls it, and by what the world shows that it ran."""

    node = "HV01"
    again = True
    """The same may be asked for once more when it was cut off; else the moment for it has passed."""

    def __init__(self, site: Site, console: Console) -> None:
        self.site = site
        self.console = console

    async def prepare(self) -> None:
        """What must be so before."""

    async def plan(self) -> Plan:
        """The plan whose run makes the call."""
        raise NotImplementedError

    def ran(self, world: World) -> bool:
        """The world is as it is after the call was carried out."""
        raise NotImplementedError


class MoveVm(Case):
    """A VM to the other of two nodes."""

    async def plan(self) -> Plan:
        self.node = self.site.where()["APP01"]
        self.to = "HV01" if self.node == "HV02" else "HV02"
        return await self.console.plan(Verb.MIGRATE, self.site.vm("APP01"), destination=self.to)

    def ran(self, world: World) -> bool:
        return bool(named(world, "APP01").node.name == self.to)


class StopMove(Case):
    """A colleague's migration of a large VM is cancelled while it runs."""

    again = False

    async def prepare(self) -> None:
        self.node = self.site.where()["BIG01"]
        to = "HV01" if self.node == "HV02" else "HV02"
        self.site.look(lambda world: actions.move_role(world, named(world, "BIG01"), world.node(to), "Live"))
        vm = self.site.vm("BIG01").id
        await until(lambda: is_moving(self.console.monitor.state, vm))

    async def plan(self) -> Plan:
        return await self.console.plan(Verb.CANCEL, self.site.vm("BIG01"))

    def ran(self, world: World) -> bool:
        vm = named(world, "BIG01")
        return bool(vm.role.id not in world.migrating and vm.node.name == self.node)


class Suspend(Case):
    """A node is drained."""

    node = "HV03"

    async def plan(self) -> Plan:
        return await self.console.plan(Verb.DRAIN, node(self.node))

    def ran(self, world: World) -> bool:
        return world.node(self.node).state == NodeState.Paused


class Resume(Case):
    """The node that was drained before takes roles again."""

    node = "HV03"

    async def plan(self) -> Plan:
        return await self.console.plan(Verb.RESUME, node(self.node), failback="Immediate")

    def ran(self, world: World) -> bool:
        return world.node(self.node).state == NodeState.Up


class StopService(Case):
    """A writer's service is restarted, and its stop is what gets lost."""

    node = "HV03"

    async def prepare(self) -> None:
        self.before = self.site.look(lambda world: world.node(self.node).services["CryptSvc"].started)

    async def plan(self) -> Plan:
        return await self.console.plan(Verb.SERVICE, CRYPT)

    def ran(self, world: World) -> bool:
        now = world.node(self.node).services["CryptSvc"]
        return now.state != "Running" or now.started != self.before


class StartService(StopService):
    """It is stopped, and its start is what gets lost; asked for again, it is only started: hvtui stopped it."""

    def ran(self, world: World) -> bool:
        now = world.node(self.node).services["CryptSvc"]
        return now.state in {"Running", "Start Pending"} and now.started != self.before


class MoveCsv(Case):
    """A volume to another coordinator, as the other way of an alignment."""

    async def plan(self) -> Plan:
        csvs = self.console.monitor.state.cluster.csvs
        assert csvs is not None
        csv = next(one for one in csvs.values() if one.path.endswith("Volume1"))
        self.csv, self.node = csv.id, csv.owner or ""
        self.to = "HV02" if self.node == "HV01" else "HV01"
        target = Target(kind="csv", id=csv.id, name="Volume1")
        plan = await self.console.plan(Verb.ALIGN, target, csv="Volume1")
        stage = Stage(action=MOVE_CSV, node=self.to, text=f"move Volume1 to {self.to}", target=target)
        return msgspec.structs.replace(plan, moves=(), left=(), stages=(stage,))

    def ran(self, world: World) -> bool:
        owners = {csv.id: csv.owner.name for csv in world.csvs.values()}
        return owners[self.csv] == self.to


class SetAccess(Case):
    """An account is let into VSS, by an entry that was not there."""

    node = "HV02"

    async def plan(self) -> Plan:
        return await self.console.plan(Verb.VSSACCESS, access_target(self.node, ACCOUNT), value="1")

    def ran(self, world: World) -> bool:
        return actions.access_of(world.node(self.node), ACCOUNT) == 1


class RemoveAccess(Case):
    """A colleague's entry is taken away."""

    node = "HV01"

    async def prepare(self) -> None:
        self.site.look(lambda world: actions.set_access(world, world.node(self.node), ACCOUNT, 3))

    async def plan(self) -> Plan:
        return await self.console.plan(Verb.VSSACCESS_REMOVE, access_target(self.node, ACCOUNT))

    def ran(self, world: World) -> bool:
        return actions.access_of(world.node(self.node), ACCOUNT) is None


class SetType(Case):
    """A VM gets another checkpoint type; the stream's first line is what gets lost."""

    node = "HV02"

    async def plan(self) -> Plan:
        return await self.console.plan(Verb.POLICY, self.site.vm("TYPE01"), type="ProductionOnly")

    def ran(self, world: World) -> bool:
        return bool(named(world, "TYPE01").checkpoint_type == CheckpointType.ProductionOnly)


class Take(Case):
    """A checkpoint is taken."""

    node = "HV02"

    async def plan(self) -> Plan:
        return await self.console.plan(Verb.CHECKPOINT, self.site.vm("TAKE01"), name="lost")

    def ran(self, world: World) -> bool:
        return [one.name for one in named(world, "TAKE01").checkpoints] == ["lost"]


class OfCheckpoint(Case):
    """Something about the one checkpoint of a VM."""

    verb: Verb
    name: str

    async def plan(self) -> Plan:
        vm = self.site.vm(self.name)
        told = await self.console.operations.checkpoints(vm.id)
        assert told.checkpoints
        return await self.console.plan(self.verb, checkpoint_target(vm.id, told.checkpoints[0]))


class Restore(OfCheckpoint):
    """A production checkpoint is applied: the VM is off afterwards."""

    verb, name = Verb.APPLY, "BACK01"

    def ran(self, world: World) -> bool:
        return bool(named(world, self.name).state == VmState.Off)


class Remove(OfCheckpoint):
    """A checkpoint is removed."""

    verb, name = Verb.REMOVE, "GONE01"

    def ran(self, world: World) -> bool:
        return not named(world, self.name).checkpoints


class Start(Case):
    """A VM that is off is started."""

    async def plan(self) -> Plan:
        return await self.console.plan(Verb.START_VM, self.site.vm("OFF01"))

    def ran(self, world: World) -> bool:
        return bool(named(world, "OFF01").running)


CASES: Final[dict[str, type[Case]]] = {
    "Move-HvTuiVM": MoveVm,
    "Stop-HvTuiMove": StopMove,
    "Suspend-HvTuiNode": Suspend,
    "Resume-HvTuiNode": Resume,
    "Stop-HvTuiService": StopService,
    "Start-HvTuiService": StartService,
    "Move-HvTuiCsv": MoveCsv,
    "Set-HvTuiCheckpointType": SetType,
    "New-HvTuiCheckpoint": Take,
    "Restore-HvTuiCheckpoint": Restore,
    "Remove-HvTuiCheckpoint": Remove,
    "Start-HvTuiVM": Start,
    "Set-HvTuiVssAccess": SetAccess,
    "Remove-HvTuiVssAccess": RemoveAccess,
}
TOGETHER: Final = (
    ("Move-HvTuiVM",),
    ("Stop-HvTuiMove",),
    ("Stop-HvTuiService", "Start-HvTuiService"),
    ("Move-HvTuiCsv",),
    ("Set-HvTuiCheckpointType",),
    ("New-HvTuiCheckpoint",),
    ("Restore-HvTuiCheckpoint",),
    ("Remove-HvTuiCheckpoint",),
    ("Start-HvTuiVM",),
    ("Set-HvTuiVssAccess",),
    ("Remove-HvTuiVssAccess",),
)
"""They touch nothing in common, so they are lost at the same time."""
DRAINS: Final = ("Suspend-HvTuiNode", "Resume-HvTuiNode")
"""Afterwards: a drain moves everything."""


def named(world: World, name: str) -> Any:
    return next(vm for vm in world.vms.values() if vm.name == name)


def test_every_mutating_function_has_its_case() -> None:
    assert set(CASES) == {name for name, function in FUNCTIONS.items() if function.mutating}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("fault", FAULTS if FULLER else FAULTS[1:])
async def test_a_lost_call_is_sent_once_and_read_back(site: Callable[..., Site], tmp_path: Path, fault: Fault) -> None:
    here = site(small(tmp_path, more=BIG))
    console = await here.console(pace=quicker(begin=3.0, settle=8.0))

    async def one_after_the_other(*functions: str) -> None:
        for function in functions:
            await lose(here, console, CASES[function](here, console), function, fault)

    async with asyncio.TaskGroup() as together:
        for functions in TOGETHER:
            together.create_task(one_after_the_other(*functions))
    await one_after_the_other(*DRAINS)
    assert {*DRAINS, *(name for names in TOGETHER for name in names)} == set(CASES)


async def lose(here: Site, console: Console, case: Case, function: str, fault: Fault) -> None:
    """The call of a function is lost; then, if it did not run, it is asked for once more."""
    await case.prepare()
    plan = await case.plan()
    assert plan.refusals == (), (function, plan.refusals)
    snare = here.wire.plant(case.node, function, fault)
    arrived = here.wire.arrived[function]
    run = await console.run(plan)
    assert snare.hit.is_set(), (function, told(run))
    assert snare.problem == ""
    assert here.wire.arrived[function] == arrived + 1, "sent once, whatever became of it"
    lost = [c.outcome for c in console.operations.commands if c.operation == run.id and c.text.startswith(function)]
    assert lost == ["unknown"], console.operations.commands
    if fault != "before":
        assert run.state is RunState.DONE, (function, told(run))
        assert here.look(case.ran), (function, told(run))
        return
    assert run.state in {RunState.FAILED, RunState.UNKNOWN}, (function, told(run))
    assert not here.look(case.ran), (function, told(run))
    assert console.operations.unfinished() == []
    if case.again:
        again = await case.plan()
        assert again.refusals == (), (function, again.refusals)
        second = await console.run(again)
        assert second.state is RunState.DONE, (function, told(second))
        assert here.look(case.ran), (function, told(second))
        assert here.wire.arrived[function] == arrived + 2
