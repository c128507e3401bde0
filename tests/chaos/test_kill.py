"""Consoles killed with -9 at every step of the runbook: the next one reads the truth, and nothing is run twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from hvtui.lab.world import World, actions
from hvtui.model.enums import CheckpointType, DrainStatus, NodeState, VmState
from hvtui.model.records import Vm
from hvtui.operations.plan import Target, Verb
from hvtui.operations.recovery import Truth
from tests.support.desk import node, small
from tests.support.executed import executed
from tests.support.fuller import in_fuller_run
from tests.support.site import Console, Site
from tests.support.wait import until
from tests.support.wire import Fault

ROOT: Final = Path(__file__).parents[2]
BIG: Final = '[[vms]]\nname = "BIG01"\nnodes = ["HV02"]\ncsvs = ["Volume2"]\nmemory_gb = 200\n'
STEPS: Final = ("Suspend-HvTuiNode", "Stop-HvTuiService", "Start-HvTuiService", "Resume-HvTuiNode")


class Killed:
    """Consoles that die, one after the other, and the one that looks at what they left."""

    def __init__(self, site: Site, looking: Console) -> None:
        self.site = site
        self.looking = looking
        self.killed = 0

    async def kill_at(
        self, function: str, fault: Fault, verb: Verb, targets: Sequence[Target], *, at: str = "HV01", **options: str
    ) -> Truth:
        """A process carries out a plan and is killed at a call of it; gives what the next console reads of that.

        `at` is the node that is called.
        """
        lab = self.site.lab
        asked = {
            "addresses": lab.addresses,
            "username": lab.username,
            "password": lab.password,
            "journal": str(self.looking.folder),
            "verb": verb.value,
            "targets": [(target.kind, target.id, target.name) for target in targets],
            "options": options,
        }
        with subprocess.Popen(  # noqa: ASYNC220  # it is there before anything is waited for
            [sys.executable, "-m", "tests.chaos.child"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as child:  # fmt: skip
            try:
                snare = self.site.wire.plant(at, function, fault, then=child.kill)
                assert child.stdin is not None
                child.stdin.write(json.dumps(asked))
                child.stdin.close()
                await until(lambda: snare.hit.is_set() or child.poll() is not None, 120)
                child.wait(10)
                assert snare.hit.is_set(), child.stdout.read() if child.stdout else ""
                assert snare.problem == ""
            finally:
                child.kill()
        self.killed += 1
        return await self.read()

    async def read(self) -> Truth:
        """What the newest of the killed left, as the next console reads it."""
        operations = self.looking.operations
        await operations.look_back()
        assert len(operations.unfinished()) == self.killed
        return await operations.read_back(operations.unfinished()[-1])

    async def world(self, holds: Callable[[World], bool]) -> None:
        """Wait until the world has done what it was asked for."""
        await until(lambda: self.site.look(holds), 60)


def drained(world: World) -> bool:
    return world.node("HV01").drain == DrainStatus.Completed


def vmms(state: str) -> Callable[[World], bool]:
    return lambda world: world.node("HV01").services["vmms"].state == state


def verbs(truth: Truth) -> list[Verb]:
    return [offer.verb for offer in truth.offers]


@pytest.mark.timeout(300)
async def test_the_runbook_survives_kill_9_at_each_of_its_steps(site: Callable[..., Site], tmp_path: Path) -> None:
    # Each killed console leaves its shells for three minutes; eight of them are more than an account may have.
    here = site(small(tmp_path), max_shells=100)
    before = here.where()
    killed = Killed(here, await here.console())
    runbook = (Verb.VMMS, [node("HV01")])

    truth = await killed.kill_at("Suspend-HvTuiNode", "before", *runbook)
    assert truth.lines == ("HV01 is not paused",)
    assert (truth.settled, truth.offers) == (True, ())
    assert here.look(lambda world: world.node("HV01").state) == NodeState.Up
    await killed.kill_at("Suspend-HvTuiNode", "after", *runbook)
    await killed.world(drained)
    truth = await killed.read()
    assert "HV01 is paused, its drain is Completed" in truth.lines
    assert verbs(truth) == [Verb.RESUME, Verb.RESUME, Verb.VMMS]

    truth = await killed.kill_at("Stop-HvTuiService", "before", *runbook)
    assert "vmms on HV01 is Running" in truth.lines
    assert verbs(truth) == [Verb.RESUME, Verb.RESUME, Verb.VMMS]
    await killed.kill_at("Stop-HvTuiService", "after", *runbook)
    await killed.world(vmms("Stopped"))
    truth = await killed.read()
    assert "vmms on HV01 is Stopped" in truth.lines
    assert verbs(truth) == [Verb.START_VMMS, Verb.RESUME, Verb.RESUME, Verb.VMMS]
    await until(lambda: killed.looking.operations.stopped_vmms == ["HV01"])
    home = truth.offers[1]

    start = truth.offers[0]
    truth = await killed.kill_at("Start-HvTuiService", "before", start.verb, start.targets, **start.options)
    assert "vmms on HV01 is Stopped" in truth.lines
    assert verbs(truth) == [Verb.START_VMMS, Verb.RESUME, Verb.RESUME]
    await killed.kill_at("Start-HvTuiService", "after", start.verb, start.targets, **start.options)
    await killed.world(vmms("Running"))
    truth = await killed.read()
    assert truth.lines == ("vmms on HV01 is Running", "HV01 is paused, its drain is Completed")
    assert not truth.settled
    await until(lambda: killed.looking.operations.stopped_vmms == [])

    truth = await killed.kill_at("Resume-HvTuiNode", "before", home.verb, home.targets, **home.options)
    assert "HV01 is paused, its drain is Completed" in truth.lines
    assert verbs(truth) == [Verb.RESUME, Verb.RESUME]
    await killed.kill_at("Resume-HvTuiNode", "after", home.verb, home.targets, **home.options)
    await killed.world(lambda world: {vm.name: vm.node.name for vm in world.vms.values()} == before)
    truth = await killed.read()
    assert truth.lines == ("HV01 is not paused",)
    assert truth.settled

    operations = killed.looking.operations
    for one in operations.unfinished():
        assert (await operations.read_back(one)).settled
        await operations.close_unfinished(one.operation, "read back")
    assert operations.unfinished() == []
    ran = [function for _, function, _ in here.look(executed)]
    assert sorted(ran) == sorted(STEPS), "each step was carried out by one of the eight, and never again"
    assert {name: here.wire.arrived[name] for name in STEPS} == dict.fromkeys(STEPS, 2)


@pytest.mark.timeout(300)
@in_fuller_run
async def test_moves_and_services_survive_kill_9(site: Callable[..., Site], tmp_path: Path) -> None:
    here = site(small(tmp_path, more=BIG), max_shells=100)
    killed = Killed(here, await here.console())
    source = here.where()["APP01"]
    to = "HV03" if source != "HV03" else "HV01"
    wish = (Verb.MIGRATE, [here.vm("APP01")])

    truth = await killed.kill_at("Move-HvTuiVM", "before", *wish, at=source, destination=to)
    assert f"APP01 was asked for, and is on {source}" in truth.lines
    assert [(offer.verb, offer.options) for offer in truth.offers] == [(Verb.MIGRATE, {"destination": to})]
    await killed.kill_at("Move-HvTuiVM", "after", *wish, at=source, destination=to)
    await killed.world(lambda world: vm(world, "APP01").node.name == to)
    await until(lambda: killed.looking.monitor.state.home(wish[1][0].id) == to, 30)
    truth = await killed.read()
    assert (truth.lines, truth.settled, truth.offers) == ((f"APP01 is on {to}",), True, ())

    cancel = (Verb.CANCEL, [here.vm("BIG01")])
    here.look(lambda world: actions.move_role(world, vm(world, "BIG01"), world.node("HV01"), "Live"))
    await killed.kill_at("Stop-HvTuiMove", "before", *cancel, at="HV02")
    assert here.look(lambda world: vm(world, "BIG01").role.id in world.migrating)
    truth = await killed.kill_at("Stop-HvTuiMove", "after", *cancel, at="HV02")
    assert not here.look(lambda world: vm(world, "BIG01").role.id in world.migrating)
    assert here.where()["BIG01"] == "HV02"
    assert truth.offers == ()

    service = Target(kind="service", id="HV03/CryptSvc", name="CryptSvc on HV03")
    truth = await killed.kill_at("Stop-HvTuiService", "before", Verb.SERVICE, [service], at="HV03")
    assert (truth.lines, truth.settled) == (("CryptSvc on HV03 is Running",), True)
    await killed.kill_at("Stop-HvTuiService", "after", Verb.SERVICE, [service], at="HV03")
    await killed.world(lambda world: world.node("HV03").services["CryptSvc"].state == "Stopped")
    truth = await killed.read()
    (start,) = truth.offers
    assert (start.verb, start.targets, truth.settled) == (Verb.START_VMMS, (service,), False)
    await killed.kill_at("Start-HvTuiService", "after", start.verb, start.targets, at="HV03")
    await killed.world(lambda world: world.node("HV03").services["CryptSvc"].state == "Running")
    truth = await killed.read()
    assert (truth.lines, truth.settled) == (("CryptSvc on HV03 is Running",), True)
    ran = Counter(function for _, function, _ in here.look(executed))
    assert ran == dict.fromkeys(("Move-HvTuiVM", "Stop-HvTuiMove", "Stop-HvTuiService", "Start-HvTuiService"), 1)


def vm(world: World, name: str) -> Any:
    return next(one for one in world.vms.values() if one.name == name)


@pytest.mark.timeout(300)
@in_fuller_run
async def test_checkpoints_and_their_types_survive_kill_9(site: Callable[..., Site], tmp_path: Path) -> None:
    here = site(small(tmp_path), max_shells=100)
    killed = Killed(here, await here.console())
    where = here.where()

    def target(name: str) -> Target:
        key = here.look(lambda world: vm(world, name).id)
        return Target(kind="vm", id=key, name=name)

    def told(name: str) -> Vm:
        """What the console that looks knows of it."""
        found = killed.looking.monitor.state.vm(target(name).id)
        assert found is not None
        return found[1]

    def newest(name: str) -> Target:
        one = here.look(lambda world: vm(world, name).checkpoints[-1])
        return Target(kind="checkpoint", id=f"{target(name).id}/{one.id}", name=one.name)

    kinds = (Verb.POLICY, [target("APP01")])
    truth = await killed.kill_at("Set-HvTuiCheckpointType", "before", *kinds, at=where["APP01"], type="Standard")
    assert truth.lines[0] == "0 of 1 VMs have the type that was wanted"
    assert (verbs(truth), truth.settled) == ([Verb.POLICY], False)
    await killed.kill_at("Set-HvTuiCheckpointType", "after", *kinds, at=where["APP01"], type="Standard")
    await killed.world(lambda world: vm(world, "APP01").checkpoint_type == CheckpointType.Standard)
    await until(lambda: told("APP01").checkpoint_type == CheckpointType.Standard)
    truth = await killed.read()
    assert (verbs(truth), truth.settled) == ([Verb.POLICY_UNDO], True)
    back = await killed.looking.plan(truth.offers[0].verb, **truth.offers[0].options)
    assert [change.after for change in back.changes] == ["Production"]

    take = (Verb.CHECKPOINT, [target("APP02")])
    truth = await killed.kill_at("New-HvTuiCheckpoint", "before", *take, at=where["APP02"], name="mine")
    assert (truth.lines, truth.settled) == (("APP02: there is no checkpoint mine",), False)
    await killed.kill_at("New-HvTuiCheckpoint", "after", *take, at=where["APP02"], name="mine")
    await killed.world(lambda world: bool(vm(world, "APP02").checkpoints))
    await until(lambda: bool(told("APP02").checkpoints))
    truth = await killed.read()
    assert (truth.lines, truth.settled) == (("APP02: mine is there",), True)

    await killed.kill_at("Restore-HvTuiCheckpoint", "after", Verb.APPLY, [newest("APP02")], at=where["APP02"])
    await killed.world(lambda world: vm(world, "APP02").state == VmState.Off)
    await until(lambda: told("APP02").state == VmState.Off)
    truth = await killed.read()
    assert (verbs(truth), truth.settled) == ([Verb.START_VM], True)
    start = truth.offers[0]
    await killed.kill_at("Start-HvTuiVM", "after", start.verb, start.targets, at=where["APP02"])
    await killed.world(lambda world: vm(world, "APP02").state == VmState.Running)
    await until(lambda: told("APP02").state == VmState.Running)
    truth = await killed.read()
    assert (truth.lines, truth.settled) == (("APP02: it is Running",), True)

    await killed.kill_at("Remove-HvTuiCheckpoint", "after", Verb.REMOVE, [newest("APP02")], at=where["APP02"])
    await killed.world(lambda world: not vm(world, "APP02").checkpoints and not vm(world, "APP02").busy)
    truth = await killed.read()
    assert (truth.lines, truth.settled) == (("mine: it is removed",), True)
    ran = Counter(function for _, function, _ in here.look(executed))
    assert ran == dict.fromkeys(
        (
            "Set-HvTuiCheckpointType",
            "New-HvTuiCheckpoint",
            "Restore-HvTuiCheckpoint",
            "Start-HvTuiVM",
            "Remove-HvTuiCheckpoint",
        ),
        1,
    )
