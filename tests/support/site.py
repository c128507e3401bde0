"""A lab over PowerShell Remoting and the consoles on it: monitors with real lanes, operations and journals.

Whatever a test does, the end is the same: no unexpected harm, nothing carried out twice, every journal whole.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

from hvtui.clock import SystemClock
from hvtui.journal.store import Journal
from hvtui.journal.verify import verify
from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from hvtui.live.monitor import Monitor
from hvtui.live.timing import Timing
from hvtui.operations.audit import Actor
from hvtui.operations.pace import Pace
from hvtui.operations.plan import Plan, Target, Verb
from hvtui.operations.run import Run
from hvtui.operations.service import Operations
from tests.live.conftest import QUICK, all_live
from tests.remote.conftest import Reachable, config_for, gate_for
from tests.support.desk import as_asked
from tests.support.executed import executed
from tests.support.wait import until
from tests.support.wire import Wire

T = TypeVar("T")

PACE: Final = Pace(
    tick=0.3, preflight_age=5.0, begin=4.0, grace=2.0, settle=40.0, retry=0.5, retry_most=2.0, events=2.0, poll=0.3,
    service=20.0, writer=60.0, writer_again=1.0, fresh=20.0, roll=60.0, roll_again=1.0,
)  # fmt: skip
"""For worlds whose time runs ten times as fast and more."""
PATIENCE: Final = 120.0


class Console:
    """One front end: a monitor, operations and a journal. `at` names it in records: `alice@at`."""

    def __init__(
        self, lab: Reachable, folder: Path, *, at: str = "PC7", front: str = "console", pace: Pace = PACE,
        timing: Timing = QUICK, patience: float = PATIENCE,
    ) -> None:  # fmt: skip
        self.lab = lab
        self.patience = patience
        self.folder = folder
        config = config_for(lab, refresh=0.5, actions=True)
        self.monitor = Monitor(config, credentials=gate_for(lab), timing=timing)
        actor = Actor(user="alice", machine=at, pid=os.getpid(), front=front, account=lab.username)
        self.operations = Operations(
            self.monitor, Journal(folder), config=config, actor=actor, clock=SystemClock(), pace=pace
        )

    async def open(self) -> None:
        """Until every node is live and its VMs, as far as it can tell them, and the roles are known."""
        state = self.monitor.state
        await self.monitor.start()
        await until(lambda: all_live(self.monitor, self.lab) and state.cluster.roles is not None, self.patience)
        await until(lambda: all(v.vms is not None or v.problem("vms") for v in state.nodes.values()), self.patience)
        await self.operations.open()

    async def close(self) -> None:
        """As a console that is left."""
        await self.operations.close()
        await self.monitor.stop()

    async def plan(self, verb: Verb, *targets: Target, **options: str) -> Plan:
        """A plan; what only holds for a while is waited for."""
        async with asyncio.timeout(self.patience):
            while True:
                plan = await self.operations.plan(verb, targets, **options)
                if not plan.refusals or not all(refusal.hold for refusal in plan.refusals):
                    return plan

    async def run(self, plan: Plan) -> Run:
        """Start it, confirmed as it asks for, and wait for its end."""
        run = await self.operations.start(plan, confirmed=as_asked(plan))
        await self.wait(run)
        return run

    async def wait(self, run: Run) -> None:
        """Wait for the end of a run."""
        async with asyncio.timeout(self.patience):
            await self.operations.wait(run)


class Site:
    """A lab and everybody on it. `harm` are the kinds of harm that the test expects."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.wire = Wire(lab)
        self.harm: set[str] = set()
        self.consoles: list[Console] = []

    async def console(self, journal: str = "journal", **parts: Any) -> Console:
        """One more front end; those with the same `journal` are on the same machine."""
        self.consoles.append(Console(self.lab, self.folder / journal, **parts))
        await self.consoles[-1].open()
        return self.consoles[-1]

    async def close(self) -> None:
        """End all front ends, and hold what happened against what may happen."""
        for console in self.consoles:
            await console.close()
        self.assert_well()

    def assert_well(self) -> None:
        """No unexpected harm; each operation was carried out at most once; the journals are whole."""
        harm = self.look(lambda world: list(world.ledger.entries))
        assert {entry.kind for entry in harm} <= self.harm, harm
        counted = self.look(executed)
        assert all(count == 1 for count in counted.values()), counted
        for folder in {console.folder for console in self.consoles}:
            report = verify(folder)
            assert report.faults == (), report.faults

    def look(self, at: Callable[[World], T]) -> T:
        """Read or change the world, on its own thread."""
        return self.lab.call(at)

    def where(self) -> dict[str, str]:
        """VM → node."""
        return self.look(lambda world: {vm.name: vm.node.name for vm in world.vms.values()})

    def vm(self, name: str) -> Target:
        """A VM as a target."""
        key = self.look(lambda world: next(vm.id for vm in world.vms.values() if vm.name == name))
        return Target(kind="vm", id=key, name=name)


def quicker(**changes: float) -> Pace:
    """The pace of these tests, changed."""
    return replace(PACE, **changes)


def told(runs: Sequence[Run] | Run) -> Mapping[str, list[str]]:
    """What runs said, for the message of an assertion."""
    some = [runs] if isinstance(runs, Run) else runs
    return {
        f"{run.plan.title}: {run.state}": [
            *(line.text for line in run.lines),
            *(f"{item.target.name}: {item.state} {item.text}" for item in run.items),
        ]
        for run in some
    }
