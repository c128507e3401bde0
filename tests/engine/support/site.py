"""A node of one version of Windows at the end of the whole chain: hvtui's lane, WSMan, PSRP, the engine, the module."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final

from hvtui.config import ClusterConfig
from hvtui.lab.pwsh.session import PwshSession
from hvtui.lab.serve import Lab, NodeHandle
from hvtui.lab.world import World
from hvtui.lab.world.scenario import Scenario, parse_scenario
from hvtui.remote.connect import Connector
from hvtui.remote.contract import WATCH_CLUSTER, WATCH_NODE
from hvtui.remote.credentials import Credential, CredentialGate
from hvtui.remote.lane import Lane
from hvtui.remote.session import Control
from tests.engine.engine_lab import EXPORTS, accepted
from tests.engine.support.stage import START

NODE: Final = "HV01"
WITHIN: Final = 40.0
"""Seconds an answer or a message may take on a loaded machine."""
CLUSTER: Final = "CLU-CONTRACT"
BUILDS: Final = {
    "2016": ("10.0.14393.6614", 9),
    "2019": ("10.0.17763.5329", 10),
    "2022": ("10.0.20348.2762", 11),
    "2025": ("10.0.26100.1742", 12),
}
"""Build of the hosts and functional level of their cluster."""


def scenario_of(version: str) -> Scenario:
    """A small cluster of hosts of a version: what a round costs makes a stream's wait grow."""
    build, level = BUILDS[version]
    raw: dict[str, Any] = {
        "title": f"Two hosts with Windows Server {version}",
        "seed": 7,
        "cluster": {"name": CLUSTER, "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2afee", "functional_level": level},
        "nodes": {"count": 2, "build": build, "memory_gb": 128},
        "node": [{"name": NODE, "services": ["SQLWriter"]}],
        "csvs": [{"count": 2}, {"name": "Archive", "file_system": "ReFS"}],
        "vms": [
            {"prefix": "APP", "count": 4},
            {"names": ["DB01"], "checkpoints": [{"type": "Standard", "saved": True, "age": "2d"}]},
            {"names": ["OLD01"], "state": "Off"},
        ],
        "behaviours": [{"kind": "migrations", "start": 6, "every": "20s"}, {"kind": "noise"}],
    }
    return parse_scenario(raw, version)


class Site:
    """A lab whose world stands still, and one lane to one of its nodes, used by test after test."""

    def __init__(self, version: str, lab: Lab) -> None:
        self.version = version
        self.lab = lab
        config = ClusterConfig(
            name="lab", seeds=(NODE,), addresses=lab.addresses, username=lab.username, auth="ntlm", tls=False
        )
        self.config = config
        self.gate = CredentialGate(Credential(lab.username, lab.password))
        self.lane: Lane = Connector(config, self.gate).lane(NODE, "test")

    @property
    def node(self) -> NodeHandle:
        """The node's network side."""
        return self.lab.node(NODE)

    def change(self, action: Callable[[World], object]) -> None:
        """Change the world."""
        self.lab.call(action)

    async def warm(self) -> None:
        """Run both streams once: a first round costs most, and what a round costs makes the wait for the next grow."""
        for function in (WATCH_CLUSTER, WATCH_NODE):
            await self.lane.call(function, {"Count": 1}, deadline=WITHIN)

    async def exports(self) -> dict[str, list[dict[str, Any]]]:
        """What the module shows of itself: the parameters of each exported function."""
        said: list[str] = []
        job = self.lane._submit(lambda _: self.lane._ready().run(EXPORTS, {}, said.append, Control(), script=True))
        await self.lane._outcome(job, 30, opening=True)
        found: dict[str, list[dict[str, Any]]] = json.loads("".join(said))
        return found

    def sessions(self) -> list[PwshSession]:
        """The sessions that live; belongs to the lab's loop."""
        return list(self.lab.host.sessions)

    def pid(self) -> int:
        """The engine of the one session there is."""
        (found,) = self.lab.on_loop(lambda: [session.pid for session in self.sessions()])
        assert found is not None
        return found

    def running(self) -> list[str]:
        """Every pipeline that is there, at the node's endpoint or in an engine."""

        def look() -> list[str]:
            shells = self.lab.cluster.nodes[NODE].service.shells.values()
            found = [command for shell in shells for command in shell.commands]
            found += [guid for session in self.sessions() for guid in session._pipelines]
            return found

        return self.lab.on_loop(look)


def _apart(work: Coroutine[Any, Any, None]) -> None:
    """Run it on a loop of its own, which does not become the thread's: the tests have one each."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(work)


@contextmanager
def site_of(version: str) -> Iterator[Site]:
    """A lab of a version with its lane, both ended afterwards."""
    world = World.load(scenario_of(version), start=START, at=600.0)
    with Lab(world, speed=0, engine="pwsh", accepted=accepted()) as lab:
        site = Site(version, lab)
        try:
            _apart(site.warm())
            yield site
        finally:
            _apart(site.lane.close())
