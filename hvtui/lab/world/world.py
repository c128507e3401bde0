"""The world: a cluster, its hosts, machines and storage, and the time in which they live."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

import msgspec

from hvtui.lab.world import noise
from hvtui.lab.world.clock import Scheduler
from hvtui.lab.world.cluster_facts import AffinityRule, ClusterFacts
from hvtui.lab.world.command_log import Asked, CommandLog
from hvtui.lab.world.guest_accounts import GuestAccounts
from hvtui.lab.world.ledger import Ledger
from hvtui.lab.world.node import Node
from hvtui.lab.world.scenario import Scenario, load_scenario
from hvtui.lab.world.storage import Csv
from hvtui.lab.world.vm import Role, Vm

if TYPE_CHECKING:
    from hvtui.lab.world.behaviours.host_vss import HostBackup

_HOST_MEMORY: Final = 9_000
"""MB that the management partition uses itself."""


class World:
    """A cluster that lives on its own clock, standing still until it is stepped or run.

    Everything in it is changed on one thread. `advance` is deterministic: one seed, one start, one history.
    """

    def __init__(self, scenario: Scenario, start: datetime, seed: int) -> None:
        self.scenario = scenario
        self.start = start
        self.seed = seed
        self.scheduler = Scheduler()
        self.ledger = Ledger()
        self.commands = CommandLog()
        """What the engine in front of the world was asked by the sessions of its nodes."""
        self.cluster = ClusterFacts()
        self.affinity_rules: list[AffinityRule] = []
        self.nodes: dict[str, Node] = {}
        self.csvs: dict[str, Csv] = {}
        self.vms: dict[str, Vm] = {}
        self.roles: dict[str, Role] = {}
        self.guest_accounts = GuestAccounts(**msgspec.structs.asdict(scenario.guests))
        """Who may enter the guests, and every log-on that was tried."""
        self.backups: dict[str, HostBackup] = {}
        """Host-VSS backup jobs by node, running or pending."""
        self.migrating: dict[str, tuple[Node, Node]] = {}
        """Roles that migrate now: source and target."""
        self.movers: dict[str, Asked] = {}
        """Who asked for each of these migrations; the cluster's own are not in it."""
        self.deadline = 10.0
        """Real seconds after which a question to a service that hangs ends: the module's OperationTimeoutSec."""
        self.speed = 0.0
        self._ids = Random(f"{seed}:ids")  # noqa: S311 - repeatable, not secret
        self._real = 0.0
        self._monotonic: Callable[[], float] = time.monotonic
        self._listeners: list[Callable[[], None]] = []

    @classmethod
    def load(
        cls, scenario: str | Path | Scenario, *, start: datetime, seed: int | None = None, at: float = 0.0
    ) -> World:
        """Build a scenario's world.

        `start` is the UTC time at the world's first second, `at` how many seconds pass before it is handed over.
        Raises ScenarioError.
        """
        from hvtui.lab.world.build import build  # noqa: PLC0415 - build makes worlds, so it knows this module

        loaded = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
        world = cls(loaded, start, loaded.seed if seed is None else seed)
        build(world)
        if at:
            world.advance(at)
        return world

    # --- time ---

    @property
    def elapsed(self) -> float:
        """Seconds since the world began."""
        return self.scheduler.elapsed

    @property
    def now(self) -> datetime:
        """The world's true time, UTC."""
        return self.start + timedelta(seconds=self.scheduler.elapsed)

    def when(self, elapsed: float) -> datetime:
        """The true time of a moment of the world."""
        return self.start + timedelta(seconds=elapsed)

    def time_of(self, node: Node) -> datetime:
        """What the clock of a node shows now."""
        return self.start + timedelta(seconds=self.scheduler.elapsed + node.clock_offset)

    def on_clock(self, node: Node, elapsed: float) -> datetime:
        """What the clock of a node showed at a moment of the world."""
        return self.start + timedelta(seconds=elapsed + node.clock_offset)

    def advance(self, seconds: float) -> None:
        """Let world time pass, and wake everybody who watches."""
        self.scheduler.advance(seconds)
        self.changed()

    def run(self, speed: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Let the world run `speed` times as fast as real time; 0 stops it."""
        self.sync()
        self.speed, self._monotonic = speed, monotonic
        self._real = monotonic()

    def sync(self) -> None:
        """Catch up with real time, when the world runs; called before anything is read."""
        if self.speed <= 0:
            return
        real = self._monotonic()
        passed, self._real = real - self._real, real
        if passed > 0:
            self.scheduler.advance(passed * self.speed)

    def changed(self) -> None:
        """Wake the streams: somebody changed the world by hand or stepped it."""
        for listener in tuple(self._listeners):
            listener()

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` when the world was stepped or changed by hand; the result ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # --- names ---

    def node(self, name: str) -> Node:
        """A node by name, in any case; raises KeyError."""
        node = self.nodes.get(name)
        if node is None:
            node = next((n for n in self.nodes.values() if n.name.lower() == name.lower()), None)
        if node is None:
            raise KeyError(name)
        return node

    def vm(self, name: str) -> Vm:
        """The first VM of a name; raises KeyError."""
        for vm in self.vms.values():
            if vm.name == name:
                return vm
        raise KeyError(name)

    def csv(self, name: str) -> Csv:
        """A CSV by the name of its folder; raises KeyError."""
        for csv in self.csvs.values():
            if csv.path.rsplit("\\", 1)[-1] == name:
                return csv
        raise KeyError(name)

    def csv_of(self, path: str) -> Csv | None:
        """The CSV a path of this world is on."""
        lower = path.lower()
        for csv in self.csvs.values():
            if lower.startswith(csv.path.lower() + "\\"):
                return csv
        return None

    # --- chance ---

    def guid(self) -> str:
        """A new GUID, the same one in every world of this seed."""
        bits = f"{self._ids.getrandbits(128):032x}"
        return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"

    def rng(self, name: str) -> Random:
        """Chance of its own for one behaviour, so that what a person does elsewhere does not change it."""
        return Random(f"{self.seed}:{name}")  # noqa: S311 - repeatable, not secret

    def scatter(self, key: int, step: int) -> float:
        """A repeatable number in [0, 1)."""
        return noise.scatter(self.seed, key, step)

    # --- load of machines ---

    def vm_load(self, vm: Vm) -> tuple[int, int]:
        """CPU percent and memory in MB of a VM now; nothing when it is off or saved. A paused one keeps its memory."""
        if not vm.running:
            return (0, 0 if vm.cold else vm.memory)
        time = self.scheduler.elapsed
        return (
            noise.cpu_percent(self.seed, vm.key, time, vm.cpu),
            noise.memory_mb(self.seed, vm.key, time, vm.memory, dynamic=vm.dynamic),
        )

    def host_load(self, node: Node) -> tuple[int, int]:
        """CPU percent and memory in use, in MB, of a whole host: its VMs and what the management partition needs."""
        processors = sum(self.vm_load(vm)[0] * vm.processors for vm in node.vms.values())
        used = self.memory_total(node) - self.memory_available(node)
        return (min(100, 2 + round(processors / max(1, node.processors))), used)

    def memory_assigned(self, vm: Vm) -> int:
        """MB that a VM holds on its host now."""
        return self.vm_load(vm)[1]

    def memory_total(self, node: Node) -> int:
        """MB of a host."""
        return node.memory // 1024**2

    def memory_available(self, node: Node) -> int:
        """MB that VMs can still get on a host; what is on its way there counts as taken."""
        held = sum(self.memory_assigned(vm) for vm in node.vms.values())
        coming = sum(
            self.memory_assigned(self.roles[role].vm) for role, (_, target) in self.migrating.items() if target is node
        )
        return max(0, self.memory_total(node) - _HOST_MEMORY - held - coming)

    def up_nodes(self) -> list[Node]:
        """Nodes that take roles."""
        return [node for node in self.nodes.values() if node.up]
