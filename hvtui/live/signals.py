"""When a node is asked for its shadow copies, filter drivers, hotfixes and the chains of its VMs' disks.

Shadow copies come by themselves: a node makes and drops them within minutes when a backup fails and is tried again, and
only who looks meanwhile sees that. Hotfixes are listed once, after everything else; filters and chains when asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from hvtui.errors import BadReply, DeadlinePassed, NodeRefused
from hvtui.live.shared import Shared
from hvtui.live.writer_turn import FAILED
from hvtui.model.enums import BackupState, OperationalStatus
from hvtui.model.state import ClusterState
from hvtui.remote.contract import GET_CHAIN, GET_FILTER, GET_HOTFIX, GET_SHADOW, Function
from hvtui.remote.lane import Lane

FUNCTIONS: Final[Mapping[str, Function]] = {"shadows": GET_SHADOW, "filters": GET_FILTER, "hotfixes": GET_HOTFIX}
"""What a node can be asked for → the function that tells it."""

_log = logging.getLogger(__name__)


def backup_runs(state: ClusterState, node: str) -> bool:
    """A backup works on the node's CSVs or VMs, or one failed since its shadow copies were last listed."""
    view = state.nodes.get(node)
    if view is None:
        return False
    lower = node.lower()
    csvs = (state.cluster.csvs or {}).values()
    if any(csv.backup == BackupState.InProgress and (csv.owner or "").lower() == lower for csv in csvs):
        return True
    if any(OperationalStatus.BackingUpVirtualMachine in (vm.op or ()) for vm in (view.vms or {}).values()):
        return True
    since = view.shadows.time if view.shadows is not None else None
    told = (found for found in state.events.of(FAILED, since=since) if found.node.lower() == lower)
    return since is not None and any(found.event.time > since for found in told)


class NodeSignals:
    """Of one node. Reads on the lane it is given, one question after the other."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._wanted: dict[str, None] = {"shadows": None}
        """What is to be read at the next look, in this order: names of `FUNCTIONS`, and ids of VMs."""
        self._looks = 0
        self._asked = float("-inf")
        """When shadow copies were asked for, by the monotonic clock."""

    def want(self, *names: str) -> None:
        """Read these at the next look; a name of `FUNCTIONS`, or the id of a VM for its chains."""
        self._wanted |= dict.fromkeys(names)

    async def read(self, node: str, lane: Lane) -> None:
        """Everything that is due. Raises RemoteError when the lane itself is lost; that much is read later."""
        self._looks += 1
        if self._looks == 2:
            # The first look is for what tells of trouble; days of installation can wait for the second.
            self.want("hotfixes")
        if self._shadows_due(node):
            self.want("shadows")
        for name in list(self._wanted):
            await self._ask(node, name, lane)
            self._wanted.pop(name, None)

    def _shadows_due(self, node: str) -> bool:
        timing = self._shared.timing
        wait = timing.writers_soon if backup_runs(self._shared.store.state, node) else timing.writers
        return self._shared.clock.monotonic() - self._asked >= wait

    async def _ask(self, node: str, name: str, lane: Lane) -> None:
        store = self._shared.store
        if name == "shadows":
            self._asked = self._shared.clock.monotonic()
        function = FUNCTIONS.get(name, GET_CHAIN)
        try:
            answer = await lane.call(function, {} if name in FUNCTIONS else {"VMId": name})
        except (NodeRefused, BadReply, DeadlinePassed) as error:
            # This question's own trouble; any other error is the lane's.
            _log.info("%s: %s: %s", node, function.name, error)
            store.signal_failed(node, name, error.text)
        else:
            store.signal(node, answer)
