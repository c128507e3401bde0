"""The live feed of one cluster: discovers its nodes, watches them all, and stops when it must not go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Any

from hvtui.clock import Clock, SystemClock
from hvtui.config import ClusterConfig
from hvtui.errors import HvtuiError, Unreachable
from hvtui.live.calls import ACTION, NodeCalls
from hvtui.live.cluster import ClusterWatch
from hvtui.live.identity import Identity
from hvtui.live.inputs import Tap
from hvtui.live.node import NodeWatch
from hvtui.live.pins import Pins
from hvtui.live.shared import Connecting, Shared
from hvtui.live.store import Store
from hvtui.live.timing import Timing
from hvtui.model.change import Change
from hvtui.model.link import LinkStatus
from hvtui.model.records import ClusterFrame, Info
from hvtui.model.state import ClusterState
from hvtui.model.usage import Usage
from hvtui.remote.connect import Connector
from hvtui.remote.contract import FUNCTIONS
from hvtui.remote.credentials import Credential, CredentialGate
from hvtui.remote.lane import Parameters
from hvtui.text import safe_text


class Monitor:
    """Implements `Feed` on a real (or simulated) cluster. All methods on the event loop's thread."""

    def __init__(
        self,
        config: ClusterConfig,
        *,
        credentials: CredentialGate,
        clock: Clock | None = None,
        pins: Pins | None = None,
        timing: Timing | None = None,
        connector: Connecting | None = None,
    ) -> None:
        """`pins` None keeps no pin (demo); `connector` replaces the real one in tests."""
        self.title = config.name
        self.read_only = not config.actions
        self.protected = config.protected
        self.clock: Clock = clock or SystemClock()
        self._store = Store(self.clock)
        self.state: ClusterState = self._store.state
        self._config = config
        self._gate = credentials
        self._timing = timing or Timing()
        self._connector = connector or Connector(config, credentials)
        self._identity = Identity(config, pins)
        self._shared: Shared | None = None
        self._cluster: ClusterWatch | None = None
        self._nodes: dict[str, NodeWatch] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        """Watches that were cancelled and still close their lanes."""
        self._members: set[str] = set()
        self._strangers: set[str] = set()
        """Nodes that turned out to belong to another cluster."""
        self._stopped = ""

    # --- Feed ---

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` with what changed, at most once per tick; the result unsubscribes."""
        return self._store.subscribe(listener)

    async def start(self) -> None:
        """Begin with the seeds and the cluster's stream; returns at once."""
        loop = asyncio.get_running_loop()
        shared = Shared(self._config, self._connector, self._store, self.clock, self._timing, self)
        self._shared = shared

        def tell() -> None:
            shared.credential_given.set()
            self._store.changed(Change(links={""}))

        def gate_changed() -> None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(tell)

        self._gate.listen(gate_changed)
        self._cluster = ClusterWatch(shared)
        self._tasks[""] = asyncio.create_task(self._cluster.run(), name="cluster")
        for seed in self._config.seeds:
            self._meet(seed)
        self._tasks["\nothers"] = asyncio.create_task(self._without_cluster(), name="others")

    async def stop(self) -> None:
        """End every remote call and close every lane; a node that hangs is left after some seconds."""
        if self._shared is not None:
            self._shared.stopping = True
        tasks = [*self._tasks.values(), *self._ending]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        closings = self._shared.closings if self._shared is not None else set()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timing.stop):
                if tasks:
                    await asyncio.wait(tasks)
                while closings:
                    await asyncio.wait(set(closings))
        self._store.close()

    def usage(self, node: str) -> Usage | None:
        """What this console cost a node in the last minute; None when it was never contacted."""
        return self._connector.usage(node)

    def listen(self, tap: Tap | None) -> None:
        """Let a recorder hear everything that comes in; None ends that."""
        self._store.tap = tap

    def refresh(self, what: str, node: str = "") -> str:
        """Read now; see `Feed.refresh`."""
        if self._stopped:
            return self._stopped
        if what == "chain":
            return self._read_chain(node)
        if what == "cluster":
            return self._cluster.refresh() if self._cluster is not None else "not started"
        watch = self._nodes.get(node.lower())
        if node and watch is None:
            return f"{node} is not watched"
        chosen = [watch] if watch is not None else list(self._nodes.values())
        where = node or f"{len(chosen)} nodes"
        return self._refresh(what, chosen, where)

    def _read_chain(self, vm: str) -> str:
        """Read the chains of a VM's disks, where it is."""
        found = self.state.vm(vm)
        watch = self._nodes.get(found[0].name.lower()) if found is not None else None
        if found is None or watch is None:
            return "no node that is watched lists this VM"
        watch.facts.read_signals(vm)
        return f"reading the disks of {safe_text(found[1].name)} on {watch.name} now"

    def _refresh(self, what: str, chosen: list[NodeWatch], where: str) -> str:
        if what == "node":
            said = [watch.refresh() for watch in chosen]
            return said[0] if len(said) == 1 else f"reading {where} now"
        if what == "events":
            for watch in chosen:
                watch.facts.look_now()
            return f"reading the events of {where} now"
        if what == "signals":
            for watch in chosen:
                watch.facts.read_signals()
            return f"reading shadow copies, filters and updates of {where} now"
        if what == "writers":
            started = sum(watch.facts.read_writers() for watch in chosen)
            return f"reading the writers of {where} now" if started else f"the writers of {where} are being read"
        return f"nothing is called {what}"

    # --- Nodes (operations) ---

    async def call(self, node: str, function: str, parameters: Parameters, *, lane: str = ACTION) -> Any:
        """Run a function of the contract on a node; `lane` is `action`, `facts` or `work`. Raises RemoteError."""
        return await self._calls(node).call(FUNCTIONS[function], parameters, lane)

    async def stream(self, node: str, function: str, parameters: Parameters, *, lane: str) -> AsyncGenerator[Any, None]:
        """The records of a stream of the contract; `lane` is `policy` or `guests`. Raises RemoteError."""
        async with aclosing(self._calls(node).stream(FUNCTIONS[function], parameters, lane)) as records:
            async for record in records:
                yield record

    def _calls(self, node: str) -> NodeCalls:
        if self._stopped:
            raise Unreachable(self._stopped, node=node)
        watch = self._nodes.get(node.lower())
        if watch is None:
            raise Unreachable(f"{node} is not watched", node=node)
        return watch.calls

    def monotonic(self) -> float:
        """The clock that ages of links are counted on."""
        return self.clock.monotonic()

    @property
    def pinned(self) -> str:
        """The cluster id of the first contact, empty before it; another one behind the name stops the monitor."""
        return self._identity.id

    @property
    def telling(self) -> str:
        """The node that tells the cluster's picture now; empty while none does."""
        return self._cluster.node if self._cluster is not None else ""

    # --- credential ---

    @property
    def refusal(self) -> str:
        """Why the credential was refused; empty while it was not."""
        return self._gate.refusal

    @property
    def username(self) -> str:
        """The account hvtui logs on with."""
        return self._gate.username

    def give_credential(self, username: str, password: str) -> None:
        """Go on with another account or password after a refusal."""
        self._gate.replace(Credential(username, password))

    # --- discovery ---

    def _meet(self, name: str) -> None:
        """Watch a node, or show why it is not contacted."""
        if self._shared is None or self._stopped or name.lower() in self._nodes.keys() | self._strangers:
            return
        if self._connector.address(name) is None:
            self._store.link(
                name,
                LinkStatus.NOT_CONTACTED,
                "the configuration gives no address",
                f'Add "{safe_text(name)}" to `addresses`, or a `template`.',
            )
            return
        watch = self._nodes[name.lower()] = NodeWatch(name, self._shared, self._renamed)
        self._tasks[name.lower()] = asyncio.create_task(watch.run(), name=f"watch {name}")

    def _renamed(self, watch: NodeWatch, name: str) -> bool:
        """A node says its own name; False when another watch already has it."""
        old = watch.name
        del self._nodes[old.lower()]
        task = self._tasks.pop(old.lower())
        self._store.forget(old)
        if name.lower() in self._nodes:
            self._end(task)
            return False
        self._nodes[name.lower()] = watch
        self._tasks[name.lower()] = task
        return True

    def _end(self, task: asyncio.Task[None]) -> None:
        """Keep hold of a watch that is ending, until it has closed its lanes."""
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _without_cluster(self) -> None:
        """When no cluster picture comes, the configured nodes can still be watched one by one."""
        await asyncio.sleep(self._timing.without_cluster)
        if self.state.cluster.nodes is None:
            for name in self._config.addresses:
                self._meet(name)

    def cluster_seen(self, frame: ClusterFrame) -> bool:
        """Check the cluster's identity and meet its nodes; False when everything was stopped."""
        if frame.cluster is not None:
            try:
                self._identity.check(frame.cluster.id, frame.cluster.name)
            except HvtuiError as error:
                self._halt(error.text, error.hint)
                return False
        told = {node.name.lower() for node in frame.nodes or ()}
        for node in frame.nodes or ():
            self._meet(node.name)
        gone = {name.lower() for name in frame.gone.get("nodes", ())}
        if frame.kind == "full" and frame.nodes is not None:
            gone |= self._members - told
        self._members = (self._members | told) - gone
        for name in gone:
            self._part(name)
        return True

    def _part(self, key: str) -> None:
        """A node was evicted from the cluster: it is no longer asked."""
        watch = self._unwatch(key)
        if watch is not None:
            self._store.link(watch.name, LinkStatus.STOPPED, "no longer a member of the cluster")
        else:
            self._store.forget(self.state.node_name(key))

    def _unwatch(self, key: str) -> NodeWatch | None:
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()
            self._end(task)
        return self._nodes.pop(key, None)

    def member_seen(self, node: str, info: Info) -> None:
        """A node that belongs to another cluster is no longer watched: its address is somebody else's."""
        ours = self._identity.id
        if not info.cluster_id or not ours or info.cluster_id == ours:
            return
        self._unwatch(node.lower())
        self._strangers.add(node.lower())
        other = safe_text(info.cluster_name or info.cluster_id)
        hint = f"Correct the address of {node} in the configuration."
        self._store.link(node, LinkStatus.STOPPED, f"it belongs to another cluster, {other}", hint)

    def _halt(self, text: str, hint: str) -> None:
        """Stop everything for good, and say why everywhere."""
        self._stopped = f"{text}. {hint}"
        self._store.link("", LinkStatus.STOPPED, text, hint)
        for key, task in list(self._tasks.items()):
            if key:
                task.cancel()
        for watch in self._nodes.values():
            self._store.link(watch.name, LinkStatus.STOPPED, text, hint)
