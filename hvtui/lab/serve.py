"""A whole simulated cluster on 127.0.0.1: in a thread of its own for tests, or in the foreground for `hvtui lab`."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from copy import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Self, TypeVar

from hvtui.lab.endpoint.accounts import Logons
from hvtui.lab.endpoint.cluster import Cluster, ClusterOptions
from hvtui.lab.endpoint.node import LabNode
from hvtui.lab.endpoint.trouble import Kind
from hvtui.lab.engine import Engine

if TYPE_CHECKING:
    from hvtui.lab.pwsh.host import PwshHost
    from hvtui.lab.world import World

T = TypeVar("T")
EngineKind = Literal["native", "pwsh"]

END_WITHIN: Final = 2.0
"""Seconds in which a lab is gone after it was told to end."""
_LOOK: Final = 0.5
"""Seconds between two looks whether a host of the world went down or came back."""
PATIENCE: Final = 30.0
"""Seconds a real engine may take to acknowledge what it is sent; many of them may share few processors."""
_PATIENCE: Final = 60.0
"""Seconds within which a call into the lab must be answered."""


class Simulated(NamedTuple):
    """What is served: the cluster, its world (None on engines of a test's own), and the real engines' host."""

    cluster: Cluster
    world: World | None = None
    host: PwshHost | None = None


@asynccontextmanager
async def simulated(
    source: str | Path | World | Mapping[str, Engine],
    *,
    speed: float = 1.0,
    at: float = 0.0,
    start: datetime | None = None,
    options: ClusterOptions | None = None,
    engine: EngineKind = "native",
    culture: str = "",
    patience: float = PATIENCE,
) -> AsyncIterator[Simulated]:
    """Serve a cluster on the running loop while the context lasts.

    `source` is a scenario's name or file, a ready world, or engines by node name without any world. `speed` is world
    seconds per second (0: the world stands still until it is stepped), `at` how many world seconds have passed at the
    beginning, `start` the UTC time of the world's first second; without it the world's clock shows the real time now.
    `engine`: what answers, hvtui's own stand-in for PowerShell or a real one (`pwsh`; raises EngineMissing without
    one). `culture`: that of the real engine's sessions, such as `de-DE`; `patience`: seconds after which such an engine
    counts as hanging.
    """
    options = options or ClusterOptions()
    if isinstance(source, Mapping):
        async with _served(Cluster("lab", source, options)) as cluster:
            yield Simulated(cluster)
        return
    from hvtui.lab.world import World  # noqa: PLC0415 - an endpoint on other engines needs no world

    on_time = start is None and not isinstance(source, World)
    begun = start or datetime.now(UTC) - timedelta(seconds=at)
    world = source if isinstance(source, World) else World.load(source, start=begun, at=at)
    if engine == "native":
        async with _served(_cluster_of(world, options)) as cluster, _living(world, cluster, speed, on_time):
            yield Simulated(cluster, world)
        return
    from hvtui.lab.pwsh.host import PwshHost  # noqa: PLC0415 - only this engine needs it

    async with (
        PwshHost(world, culture=culture, patience=patience) as host,
        _served(_cluster_of(world, options, host), host.kill) as cluster,
        _living(world, cluster, speed, on_time),
    ):
        yield Simulated(cluster, world, host)


def _cluster_of(world: World, options: ClusterOptions, host: PwshHost | None = None) -> Cluster:
    from hvtui.lab.native import NativeEngine  # noqa: PLC0415 - an endpoint on other engines needs no world

    cluster = Cluster(
        world.cluster.name or "lab",
        {name: NativeEngine(world, name) for name in world.nodes},
        options,
        {name: node.build for name, node in world.nodes.items()},
        host.sessions_of if host else None,
    )
    cluster.kept_checkpoints = tuple(world.scenario.cluster.kept_checkpoints)
    cluster.accounts.on_lock = lambda principal: world.ledger.note(
        world.elapsed, "account_locked", principal, "wrong log-ons in a row"
    )
    return cluster


@asynccontextmanager
async def _served(cluster: Cluster, ending: Callable[[], None] = lambda: None) -> AsyncIterator[Cluster]:
    """Listen on every node while the context lasts; `ending` is called before the nodes are stopped."""
    await cluster.start()
    try:
        yield cluster
    finally:
        ending()
        await cluster.stop()


@asynccontextmanager
async def _living(world: World, cluster: Cluster, speed: float, on_time: bool) -> AsyncIterator[None]:
    """Let the world live, and the cluster follow it; `on_time`: its clock is to show the real time now."""
    if on_time:
        # Building it took a moment; a host's clock is right unless the scenario says otherwise.
        world.advance((datetime.now(UTC) - world.now).total_seconds())
    watcher = asyncio.create_task(_follow(world, cluster))
    world.run(speed)
    try:
        yield
    finally:
        watcher.cancel()
        await asyncio.wait([watcher])
        if not watcher.cancelled():
            watcher.result()  # a world that broke down is not to be overlooked


async def _follow(world: World, cluster: Cluster) -> None:
    """Let time pass in a world that runs, and take the endpoint of a host down and up with the host."""
    down: set[str] = set()
    while True:
        world.sync()
        for name, host in world.nodes.items():
            node = cluster.nodes[name]
            if host.faults.down and name not in down:
                down.add(name)
                await node.stop()
            elif not host.faults.down and name in down:
                # Somebody else may have taken the port meanwhile; it is tried again.
                with contextlib.suppress(OSError):
                    await node.start()
                    down.discard(name)
        await asyncio.sleep(_LOOK)


async def serve(
    source: str | Path | World,
    *,
    ready: Callable[[Cluster], None],
    end: asyncio.Event | None = None,
    speed: float = 1.0,
    at: float = 0.0,
    start: datetime | None = None,
    options: ClusterOptions | None = None,
    engine: EngineKind = "native",
) -> None:
    """Serve a cluster until `end` is set or the task is cancelled; `ready` is called when every node listens."""
    async with simulated(source, speed=speed, at=at, start=start, options=options, engine=engine) as served:
        ready(served.cluster)
        await (end or asyncio.Event()).wait()


class Lab:
    """A simulated cluster in a thread with its own event loop; use as a context manager.

    Arguments as for `simulated`; the other keywords are those of `ClusterOptions`. Every method may be called from any
    thread.
    """

    def __init__(
        self,
        source: str | Path | World | Mapping[str, Engine],
        *,
        speed: float = 1.0,
        at: float = 0.0,
        start: datetime | None = None,
        engine: EngineKind = "native",
        culture: str = "",
        patience: float = PATIENCE,
        **options: Any,
    ) -> None:
        self._source = source
        self._speed, self._at, self._start = speed, at, start
        self._engine: EngineKind = engine
        self._culture, self._patience = culture, patience
        self._options = ClusterOptions(**options)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._cluster: Cluster | None = None
        self._world: World | None = None
        self._host: PwshHost | None = None
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Build the world and listen; returns when every node does. Raises what went wrong there."""
        up = threading.Event()
        self._thread = threading.Thread(target=self._main, args=(up,), name="hvtui-lab", daemon=True)
        self._thread.start()
        up.wait()
        if self._failure is not None:
            self._thread.join()
            self._thread = None
            raise self._failure
        # A process that forgets the lab must not leave its file of passwords behind.
        atexit.register(self.stop)

    def stop(self) -> None:
        """End the lab: within two seconds no thread, port or temporary file of it is left."""
        if self._thread is None or self._loop is None or self._end is None:
            return
        atexit.unregister(self.stop)
        with contextlib.suppress(RuntimeError):  # the loop is closed when the lab failed by itself
            self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        self._thread = None
        if self._failure is not None:
            raise self._failure

    @property
    def cluster(self) -> Cluster:
        """What is served; belongs to the lab's loop."""
        if self._cluster is None:
            raise RuntimeError("the lab was not started")
        return self._cluster

    @property
    def world(self) -> World:
        """The world that is served; belongs to the lab's loop, use `call` to read or change it."""
        if self._world is None:
            raise RuntimeError("the lab has no world")
        return self._world

    @property
    def host(self) -> PwshHost:
        """The real engines and their control channel; belongs to the lab's loop."""
        if self._host is None:
            raise RuntimeError("the lab has no real engine")
        return self._host

    @property
    def addresses(self) -> dict[str, str]:
        """Node name → `127.0.0.1:port`."""
        return self.cluster.addresses

    @property
    def username(self) -> str:
        """`LAB\\oncall`."""
        return self.cluster.username

    @property
    def password(self) -> str:
        """Its password, another one in every run."""
        return self.cluster.password

    @property
    def ca(self) -> Path | None:
        """The authority's certificate, None without TLS."""
        return self.cluster.ca

    @property
    def logons(self) -> dict[str, Logons]:
        """Log-ons and refusals by account, as of now."""
        return self.on_loop(lambda: {name: copy(counted) for name, counted in self.cluster.accounts.logons.items()})

    def config_text(self) -> str:
        """A complete hvtui configuration for this cluster."""
        return self.on_loop(self.cluster.config_text)

    def call(self, action: Callable[[World], T]) -> T:
        """Run `action(world)` on the lab's loop and return its result; then the streams look at the world again."""

        def act() -> T:
            self.world.sync()
            result = action(self.world)
            self.world.changed()
            return result

        return self.on_loop(act)

    def advance(self, seconds: float) -> None:
        """Step the world."""
        self.call(lambda world: world.advance(seconds))

    def node(self, name: str) -> NodeHandle:
        """A node to be stopped, hung or otherwise troubled."""
        return NodeHandle(self, self.cluster.nodes[name])

    def on_loop(self, action: Callable[[], T]) -> T:
        """Run a function on the lab's loop and return its result."""

        async def run() -> T:
            return action()

        return self.wait_for(run())

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the lab's loop and return its result."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    def _main(self, up: threading.Event) -> None:
        try:
            asyncio.run(self._serve(up))
        except BaseException as error:
            self._failure = error
        finally:
            up.set()

    async def _serve(self, up: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        context = simulated(
            self._source,
            speed=self._speed,
            at=self._at,
            start=self._start,
            options=self._options,
            engine=self._engine,
            culture=self._culture,
            patience=self._patience,
        )
        async with context as (self._cluster, self._world, self._host):
            up.set()
            await self._end.wait()


class NodeHandle:
    """One node of a `Lab`, usable from any thread."""

    def __init__(self, lab: Lab, node: LabNode) -> None:
        self._lab = lab
        self._node = node

    @property
    def address(self) -> str:
        """`127.0.0.1:port`."""
        return self._node.address

    @property
    def shells(self) -> int:
        """Shells that are open on it."""
        return self._lab.on_loop(lambda: len(self._node.service.shells))

    @property
    def requests(self) -> int:
        """HTTP requests that came since the lab began."""
        return self._lab.on_loop(lambda: self._node.requests)

    def stop(self, *, keep_shells: bool = False) -> None:
        """Die: connections break and new ones are refused; with `keep_shells` only the network does that."""
        self._lab.wait_for(self._node.stop(keep_shells=keep_shells))

    def start(self) -> None:
        """Come back on the same port."""
        self._lab.wait_for(self._node.start())

    def hang(self, on: bool = True) -> None:
        """Accept connections and answer nothing, or go back to normal for new requests."""
        self._lab.on_loop(lambda: self._node.hang(on))

    def delay(self, seconds: float) -> None:
        """Wait before every answer."""
        self._lab.on_loop(lambda: setattr(self._node.trouble, "delay", seconds))

    def rewrite(self, change: Callable[[str], str] | None) -> None:
        """Change every string a function writes, such as into JSON that is cut short; None stops that."""
        self._lab.on_loop(lambda: setattr(self._node.trouble, "rewrite", change))

    def lose(self, objects: int, text: str = "") -> None:
        """Lose so many objects that pipelines write from now on (only those with a text) on the way to the client."""

        def plan() -> None:
            self._node.trouble.lose, self._node.trouble.losing = objects, text

        self._lab.on_loop(plan)

    def spoil(self, kind: Kind, *, verb: str = "", times: int = 1) -> None:
        """Spoil the next answers: `drop`, `truncate` or `garble`, to one kind of request (`Receive`) or to all."""
        self._lab.on_loop(lambda: self._node.trouble.next(kind, verb=verb, times=times))
