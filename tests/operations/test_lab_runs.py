"""The same over PowerShell Remoting: a monitor on the lab's nodes, real lanes, and time that runs."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hvtui.clock import SystemClock
from hvtui.errors import Unreachable
from hvtui.journal.store import Journal
from hvtui.journal.verify import verify
from hvtui.lab.serve import Lab
from hvtui.live.monitor import Monitor
from hvtui.model.secret import GuestCredential
from hvtui.operations.pace import Pace
from hvtui.operations.plan import Plan, Target, Verb
from hvtui.operations.run import ItemState, Run, RunState
from hvtui.operations.service import Operations
from tests.live.conftest import QUICK, all_live
from tests.remote.conftest import config_for, gate_for
from tests.support.desk import ACTOR, as_asked, node, small
from tests.support.executed import executed
from tests.support.fuller import in_fuller_run
from tests.support.wait import until

PACE = Pace(tick=0.5, poll=0.5, grace=3.0, settle=60.0, writer_again=2.0)
"""The lab's time runs ten times as fast."""
PATIENCE = 100.0


class Site:
    """A lab, a monitor on it, and operations."""

    def __init__(self, lab: Lab, monitor: Monitor, folder: Path) -> None:
        self.lab = lab
        self.monitor = monitor
        self.folder = folder / "journal"
        self.operations = Operations(
            monitor, Journal(self.folder), config=monitor._config, actor=ACTOR, clock=SystemClock(), pace=PACE
        )

    def world(self, look: Callable[[Any], Any]) -> Any:
        return self.lab.call(look)

    def where(self) -> dict[str, str]:
        found: dict[str, str] = self.world(lambda w: {vm.name: vm.node.name for vm in w.vms.values()})
        return found

    def vm(self, name: str) -> Target:
        key = self.world(lambda w: next(vm.id for vm in w.vms.values() if vm.name == name))
        return Target(kind="vm", id=key, name=name)

    async def run(self, plan: Plan) -> Run:
        assert plan.refusals == ()
        run = await self.operations.start(plan, confirmed=as_asked(plan))
        async with asyncio.timeout(PATIENCE):
            await self.operations.wait(run)
        return run

    def assert_unharmed(self, *kinds: str) -> None:
        harm = self.world(lambda w: list(w.ledger.entries))
        assert {entry.kind for entry in harm} <= set(kinds), harm
        counted = self.world(executed)
        assert counted
        assert set(counted.values()) == {1}, counted
        assert verify(self.folder).faults == ()
        assert self.operations.unfinished() == []


@pytest.fixture
def labs() -> Iterator[Callable[..., Lab]]:
    with ExitStack() as running:
        yield lambda *args, **options: running.enter_context(Lab(*args, **options))


@pytest.fixture
async def site(labs: Callable[..., Lab], tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    made: list[Site] = []

    async def start(scenario: str | Path, **options: Any) -> Site:
        lab = labs(scenario, **({"speed": 10.0} | options))
        config = config_for(lab, refresh=0.5, actions=True)
        monitor = Monitor(config, credentials=gate_for(lab), timing=QUICK)
        made.append(Site(lab, monitor, tmp_path))
        await monitor.start()
        await until(lambda: all_live(monitor, lab) and monitor.state.cluster.roles is not None, 60)
        await until(lambda: all(view.vms is not None for view in monitor.state.nodes.values()), 60)
        return made[-1]

    yield start
    for one in made:
        await one.operations.close()
        await one.monitor.stop()


@pytest.mark.timeout(240)
async def test_one_vm_is_migrated(site: Callable[..., Any], tmp_path: Path) -> None:
    here = await site(small(tmp_path, vms='nodes = ["HV01"]'))
    plan = await here.operations.plan(Verb.MIGRATE, [here.vm("APP01")], destination="HV02")
    run = await here.run(plan)
    assert run.state is RunState.DONE, (run.items, run.lines)
    assert here.where()["APP01"] == "HV02"
    assert here.operations.commands[0].text.startswith("Move-ClusterVirtualMachineRole -VMId ")
    here.assert_unharmed()


@pytest.mark.timeout(240)
async def test_a_connection_that_breaks_during_the_call_is_read_back(site: Callable[..., Any], tmp_path: Path) -> None:
    here = await site(small(tmp_path, vms='nodes = ["HV01"]'))
    plan = await here.operations.plan(Verb.MIGRATE, [here.vm("APP01")], destination="HV02")
    lane = here.monitor._nodes["hv01"].calls.action()
    real = lane._change

    def cut(job: Any, function: Any, parameters: Any, limit: float) -> Any:
        """Carried out, and the connection is gone before the answer comes."""
        real(job, function, parameters, limit)
        lane._abort()
        raise lane._unknown(function, Unreachable("the connection broke", node="HV01"))

    lane._change = cut
    run = await here.run(plan)
    assert run.state is RunState.DONE, (run.items, run.lines)
    assert here.operations.commands[0].outcome == "unknown"
    assert here.where()["APP01"] == "HV02"
    here.assert_unharmed()


@pytest.mark.timeout(300)
async def test_a_node_is_drained_and_resumed(site: Callable[..., Any], tmp_path: Path) -> None:
    here = await site(small(tmp_path))
    before = here.where()
    run = await here.run(await here.operations.plan(Verb.DRAIN, [node("HV01")]))
    assert run.state is RunState.DONE, run.lines
    assert "HV01" not in here.where().values()

    async def home() -> Plan:
        plan: Plan = await here.operations.plan(Verb.RESUME, [node("HV01")], failback="Immediate")
        return plan

    # MigrationState of the roles is read every few seconds only: until then they are held as being migrated.
    back = await home()
    async with asyncio.timeout(60):
        while back.refusals:
            assert all(refusal.hold for refusal in back.refusals), back.refusals
            back = await home()
    second = await here.run(back)
    assert second.state is RunState.DONE, second.lines
    assert here.where() == before
    here.assert_unharmed()


MUTE = '[[vms]]\nname = "MUTE"\nmemory_gb = 2\nnodes = ["HV01"]\nguest = "windows-no-vmicvss"\n'


@pytest.mark.timeout(240)
async def test_checkpoint_types_are_set_and_given_back_and_a_fallback_is_seen(
    site: Callable[..., Any], tmp_path: Path
) -> None:
    here = await site(small(tmp_path, more=MUTE))

    def types() -> dict[str, int]:
        found: dict[str, int] = here.world(lambda w: {vm.name: int(vm.checkpoint_type) for vm in w.vms.values()})
        return found

    await here.operations.open()
    before = types()
    names = [name for name in before if name != "MUTE"]
    plan = await here.operations.plan(Verb.POLICY, [here.vm(name) for name in names], type="Standard")
    assert len(plan.changes) == 6
    run = await here.run(plan)
    assert run.state is RunState.DONE, [line.text for line in run.lines]
    assert types() == before | dict.fromkeys(names, 5)
    undone = await here.run(await here.operations.plan(Verb.POLICY_UNDO, [], operation=run.id))
    assert undone.state is RunState.DONE, [line.text for line in undone.lines]
    assert types() == before

    taken = await here.run(await here.operations.plan(Verb.CHECKPOINT, [here.vm("MUTE")], name="by hand"))
    assert taken.state is RunState.DONE, [line.text for line in taken.lines]
    assert taken.items[0].text == "it became: standard, with memory, though its type is Production"
    assert [one.name for one in here.operations.fallbacks] == ["MUTE"]
    (held,) = (await here.operations.checkpoints(here.vm("MUTE").id)).checkpoints
    assert (held.name, held.saved) == ("by hand", True)
    here.assert_unharmed()


@in_fuller_run
@pytest.mark.timeout(400)
async def test_the_stuck_writer_is_well_again(site: Callable[..., Any]) -> None:
    """The field report over real PSRP: the writer is stuck, its job was killed; drain, restart VMMS, resume."""
    here = await site("stuck-writer", at=45 * 60.0)
    name = here.world(lambda w: next(n.name for n in w.nodes.values() if n.hyperv_writer.state != 1))
    before = here.where()
    assert await here.operations.say_backup_stopped(name, name) == ""
    plan = await here.operations.plan(Verb.VMMS, [node(name)])
    run = await here.run(plan)
    assert run.state is RunState.DONE, [line.text for line in run.lines]
    assert [stage.state for stage in run.stages] == [ItemState.DONE] * 4
    assert here.world(lambda w: w.nodes[name].hyperv_writer.state) == 1
    assert {vm for vm, where in here.where().items() if before[vm] == name and where != name} == set()
    here.assert_unharmed()


@pytest.mark.timeout(400)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
async def test_a_console_killed_after_it_stopped_vmms_is_made_good_by_the_next_one(
    site: Callable[..., Any], tmp_path: Path
) -> None:
    here = await site(small(tmp_path))
    before = here.where()
    config = {"seeds": ["HV01"], "addresses": here.lab.addresses, "username": here.lab.username}
    told = {"config": config, "password": here.lab.password, "node": "HV01", "journal": str(here.folder)}
    killed = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.other_console",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert killed.stdin is not None
        assert killed.stdout is not None
        killed.stdin.write(json.dumps(told).encode())
        killed.stdin.close()
        async with asyncio.timeout(PATIENCE):
            said = ""
            while "Stop Pending" not in said:
                line = await killed.stdout.readline()
                assert line, said
                said += line.decode()
    finally:
        killed.kill()
        await killed.wait()

    await until(lambda: here.world(lambda w: w.nodes["HV01"].services["vmms"].state == "Stopped"), 30)
    await until(lambda: (host := here.monitor.state.node("HV01").host) is not None and host.vmms == "Stopped", 60)
    await here.operations.open()
    assert here.operations.stopped_vmms == ["HV01"]
    (left,) = here.operations.unfinished()
    assert left.begun.who.user == "bob"
    truth = await here.operations.read_back(left)
    assert [offer.verb for offer in truth.offers] == [Verb.START_VMMS, Verb.RESUME, Verb.RESUME, Verb.VMMS]
    start, home = truth.offers[:2]
    run = await here.run(await here.operations.plan(start.verb, start.targets, **start.options))
    assert run.state is RunState.DONE, [line.text for line in run.lines]
    run = await here.run(await here.operations.plan(home.verb, home.targets, **home.options))
    assert run.state is RunState.DONE, [line.text for line in run.lines]
    assert here.where() == before
    await here.operations.close_unfinished(left.operation, "started and resumed")
    here.assert_unharmed()


SECRET = "Canary-over-the-wire-7!"
LISTED = f"""
[guests]
account = 'CORP\\svc-guests'
password = "{SECRET}"
[[vms]]
name = "SQL07"
nodes = ["HV02"]
guest = "windows-2016"
volumes = [{{ name = "C:", size_gb = 127, free_gb = 31 }}, {{ name = "T:", size_gb = 60, free_gb = 0 }}]
"""


@pytest.mark.timeout(240)
async def test_an_entry_is_set_and_given_back_and_guests_are_looked_into(
    site: Callable[..., Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """VssAccessControl and PowerShell Direct over real lanes; a wrong password first, against all guests."""
    caplog.set_level(logging.DEBUG)
    here = await site(small(tmp_path, cluster="account = 'CORP\\svc-replay'", more=LISTED))

    def rights() -> Any:
        return here.world(lambda w: {name: dict(one.access_control) for name, one in w.nodes.items()})

    before = rights()
    plan = await here.operations.plan(Verb.VSSACCESS, (), account="CORP\\svc-replay", value="1")
    run = await here.run(plan)
    assert run.state is RunState.DONE, (run.items, run.lines)
    assert [one["CORP\\svc-replay"] for one in rights().values()] == [1, 1, 1]
    undo = await here.operations.plan(Verb.VSSACCESS_UNDO, (), operation=run.id)
    assert (await here.run(undo)).state is RunState.DONE
    assert rights() == before

    guests = [here.vm(name) for name in sorted(here.where())]
    for password, outcomes in ((f"not {SECRET}", {"denied", "skipped"}), (SECRET, {"read"})):
        credential = GuestCredential("CORP\\svc-guests", password)
        rows = [row async for row in here.operations.guests(guests, credential)]
        assert {row.outcome for row in rows} == outcomes, rows
    assert next(row.name for row in rows if row.full) == "SQL07"
    found = await here.operations.guest_files(here.vm("SQL07"), credential, "C:", count=3)
    assert found.files is not None
    assert len(found.files) == 3
    harm = here.world(lambda w: [entry.kind for entry in w.ledger.entries])
    assert harm == ["logon_failed"]
    here.assert_unharmed("logon_failed")
    await here.operations.close()
    whole = b"".join(path.read_bytes() for path in sorted(here.folder.iterdir()) if path.is_file())
    assert SECRET.encode() not in whole
    assert SECRET not in caplog.text
