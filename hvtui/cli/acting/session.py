"""A cluster that is watched without a screen, and what it can be asked to change, for as long as a command runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from hvtui.cli.acting.pace import PACE
from hvtui.cli.operating import operations_of
from hvtui.clock import Clock
from hvtui.config import ClusterConfig, Config
from hvtui.errors import NotDone, Unreachable
from hvtui.journal.store import JournalError
from hvtui.live.monitor import Monitor
from hvtui.live.pins import Pins
from hvtui.model.link import NOT_ANSWERING, LinkStatus
from hvtui.model.state import ClusterState
from hvtui.operations.nodes import Nodes, Watcher
from hvtui.operations.service import Operations
from hvtui.paths import state_dir
from hvtui.remote.credentials import CredentialGate

_SILENT: Final = NOT_ANSWERING | {LinkStatus.NOT_CONTACTED}


@dataclass(frozen=True)
class Session:
    """What a command works with. `watcher` waits for something to be so in the picture."""

    cluster: ClusterConfig
    nodes: Nodes
    clock: Clock
    operations: Operations
    watcher: Watcher

    @property
    def state(self) -> ClusterState:
        """The picture."""
        return self.nodes.state

    async def events_read(self, node: str) -> None:
        """Wait until a node's events were read back, or that takes too long."""
        name = self.state.node_name(node)
        self.nodes.refresh("events", name)
        await self.watcher.until(lambda: self.state.events.read_at(name) is not None, PACE.events)


@asynccontextmanager
async def open_session(config: Config, cluster: ClusterConfig, gate: CredentialGate) -> AsyncIterator[Session]:
    """Connect to every node and wait for the first picture of all that answer; raises RemoteError without one."""
    monitor = Monitor(cluster, credentials=gate, pins=Pins(state_dir(), config.path))
    operations = operations_of(monitor, cluster, gate, front="cli", file=config.path)
    watcher = Watcher(monitor, PACE.tick)
    try:
        await monitor.start()
        await watcher.until(lambda: _is_known(monitor), PACE.picture)
        _need_picture(monitor)
        await operations.open()
        yield Session(cluster, monitor, monitor.clock, operations, watcher)
    finally:
        watcher.close()
        await operations.close()
        await monitor.stop()


def _is_known(monitor: Monitor) -> bool:
    """Every node of the cluster has told its first picture, or it is known why it does not."""
    state = monitor.state
    if monitor.refusal or state.cluster.link.status is LinkStatus.STOPPED:
        return True
    links = [state.node(name).link for name in state.node_names()]
    if state.cluster.info is None or state.cluster.nodes is None:
        return bool(links) and all(link.status in _SILENT for link in links)
    return all(link.last_frame is not None or link.status in _SILENT for link in links)


def _need_picture(monitor: Monitor) -> None:
    state = monitor.state
    link = state.cluster.link
    if link.status is LinkStatus.STOPPED:
        raise Unreachable(link.text, hint=link.hint)
    if state.cluster.info is None or state.cluster.nodes is None:
        links = [link, *(view.link for view in state.nodes.values())]
        told = next((one for one in links if one.text), link)
        why = monitor.refusal or told.text or "no node has answered yet"
        raise Unreachable(f"no picture of {monitor.title}: {why}", hint=told.hint)


async def say_backups_stopped(session: Session, nodes: Iterable[str]) -> None:
    """What the operator says about backup jobs, kept in the journal. Raises NotDone."""
    for node in nodes:
        if node.lower() not in {name.lower() for name in session.state.node_names()}:
            raise NotDone(f"--backup-stopped {node}: the cluster has no such node")
        try:
            why = await session.operations.say_backup_stopped(node, node)
        except JournalError as error:
            raise NotDone(error.text, hint=error.hint) from error
        if why:
            raise NotDone(why)
