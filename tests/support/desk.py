"""Operations on a small world, for tests of the runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final

from hvtui.config import ClusterConfig
from hvtui.journal.store import Journal
from hvtui.journal.verify import verify
from hvtui.lab.world import World
from hvtui.operations.audit import Actor
from hvtui.operations.pace import Pace
from hvtui.operations.plan import Level, Plan, Target, Verb
from hvtui.operations.run import Run
from hvtui.operations.service import KEY, Operations
from tests.support.executed import executed
from tests.support.world import START
from tests.support.world_nodes import WorldNodes

SMALL: Final = """
title = "Three nodes, six VMs"
seed = 3
[cluster]
name = "CLU-OPS"
id = "0f0e8a52-7c1c-4f0e-9d53-0d2f4d1c7b77"
{cluster}
[nodes]
count = 3
memory_gb = 256
{nodes}
[[csvs]]
count = 3
size_gb = 4096
free_gb = 2000
{more}
"""
"""A cluster in which nothing happens by itself."""
VMS: Final = """
[[vms]]
prefix = "APP"
count = 6
memory_gb = {memory}
{vms}
"""
ACTOR: Final = Actor(user="alice", machine="PC7", pid=4711, front="console", account="CORP\\alice")
QUICK: Final = Pace(tick=5.0)


def small(folder: Path, *, cluster: str = "", nodes: str = "", vms: str = "", more: str = "", memory: int = 4) -> Path:
    """A scenario file; `memory` is GB of each VM."""
    file = folder / "small.toml"
    body = VMS.format(vms=vms, memory=memory) + more
    file.write_text(SMALL.format(cluster=cluster, nodes=nodes, more=body), encoding="utf-8")
    return file


class Stage:
    """A world, its operations and their journal."""

    def __init__(self, scenario: str | Path, folder: Path, *, at: float = 0.0, **options: Any) -> None:
        self.nodes = WorldNodes(World.load(scenario, start=START, at=at))
        self.nodes.pump(writers=True)
        self.world = self.nodes.world
        self.folder = folder
        self.options = options
        self.operations = self.console()

    def console(self, *, journal: str = "journal", **changes: Any) -> Operations:
        """Another console on the same cluster; another `journal` is another user's."""
        kept = Journal(self.folder / journal)
        config = ClusterConfig(name="ops", seeds=("HV01",), **({"actions": True} | self.options | changes))
        operations = Operations(self.nodes, kept, config=config, actor=ACTOR, clock=self.nodes.clock, pace=QUICK)
        self.nodes.hold = lambda: operations._desk.audit.busy
        return operations

    def quiet(self) -> None:
        """Let the quarter of an hour pass after which no sign of a backup means that none runs."""
        for _ in range(16):
            self.nodes.pump(60.0)
        self.nodes.pump(1.0, writers=True)

    @property
    def vms(self) -> dict[str, Any]:
        """The world's VMs by name."""
        return {vm.name: vm for vm in self.world.vms.values()}

    def vm(self, name: str) -> Target:
        """A VM as a target."""
        return Target(kind="vm", id=self.vms[name].id, name=name)

    def where(self) -> dict[str, str]:
        """VM → node."""
        return {vm.name: vm.node.name for vm in self.world.vms.values()}

    async def plan(self, verb: Verb, *targets: Target, **options: str) -> Plan:
        """A plan, time passing while its facts are asked."""
        async with self.nodes.drive():
            return await self.operations.plan(verb, targets, **options)

    async def run(self, plan: Plan, confirmed: str = "") -> Run:
        """Start it, confirmed as it asks for, and wait until it has ended."""
        async with self.nodes.drive():
            run = await self.operations.start(plan, confirmed=confirmed or as_asked(plan))
            async with asyncio.timeout(100):
                await self.operations.wait(run)
        return run

    def assert_unharmed(self, *kinds: str) -> None:
        """Nobody was harmed but as said; every operation was carried out at most once; the journal is whole."""
        assert {harm.kind for harm in self.world.ledger.entries} <= set(kinds), self.world.ledger.entries
        assert all(count == 1 for count in executed(self.world).values()), executed(self.world)
        report = verify(self.folder / "journal")
        assert not report.faults, report.faults


def as_asked(plan: Plan) -> str:
    """What a person would type or press."""
    return KEY if plan.level is Level.KEY else plan.name


def node(name: str) -> Target:
    """A node as a target."""
    return Target(kind="node", id=name, name=name)
