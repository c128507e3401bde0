"""What the contract's tests of streams share: the two watches, and reading one as the client does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest

from hvtui.lab.world import World
from hvtui.lab.world.vm import Vm
from hvtui.model.enums import VmState
from hvtui.model.link import Link, LinkStatus
from hvtui.model.records import ClusterFrame, NodeFrame
from hvtui.model.state import ClusterState
from hvtui.remote.contract import GET_INFO, WATCH_CLUSTER, WATCH_NODE, Function
from hvtui.remote.lane import Stream
from tests.engine.support.site import NODE, WITHIN, Site

BASIC: Final = {"Part": "Basic"}
_LIVE: Final = Link(status=LinkStatus.LIVE)


@dataclass(frozen=True)
class Watch:
    """A stream and what it shows of a VM."""

    function: Function
    sections: tuple[str, ...]
    section: str
    key_of: Callable[[Vm], str]
    asks: str
    """The CIM class behind that section."""

    def start(self, site: Site, **parameters: int) -> Stream:
        """The stream, with its slow questions asked once only."""
        slow = {"LoadSeconds": 600} if self.function is WATCH_NODE else {}
        return site.lane.stream(self.function, {"IntervalMs": 500, "SlowSeconds": 600, **slow, **parameters}, poll=1)


def _role_of(vm: Vm) -> str:
    assert vm.role is not None
    return vm.role.id


WATCHES: Final = (
    Watch(WATCH_CLUSTER, ("cluster", "nodes", "csvs", "io", "roles"), "roles", _role_of, "MSCluster_ResourceGroup"),
    Watch(WATCH_NODE, ("host", "vms", "files", "jobs", "load"), "vms", lambda vm: vm.id, "Msvm_ComputerSystem"),
)
each: Final = pytest.mark.parametrize("watch", WATCHES, ids=lambda watch: watch.function.name)


class Reader:
    """Reads one stream after the other as the client does: each message goes into the same state."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.state = ClusterState()

    async def next(self, stream: Stream) -> Any:
        """The next message, which the state has taken; raises SequenceGapError."""
        async with asyncio.timeout(WITHIN):
            frame = await anext(stream)
        if self.watch.function is WATCH_NODE:
            assert type(frame) is NodeFrame
            self.state.apply_node(NODE, frame, _LIVE)
        else:
            assert type(frame) is ClusterFrame
            self.state.apply_cluster(frame, _LIVE)
        return frame

    async def news(self, stream: Stream) -> Any:
        """The next message that is no heartbeat; one of those has no section."""
        async with asyncio.timeout(WITHIN):
            while (frame := await self.next(stream)).kind == "beat":
                assert [name for name in self.watch.sections if getattr(frame, name) is not None] == []
        return frame

    @property
    def shown(self) -> dict[str, Any]:
        """The records of the watched section, as the client knows them."""
        held = self.state.node(NODE).vms if self.watch.function is WATCH_NODE else self.state.cluster.roles
        return dict(held or {})

    def restart(self) -> None:
        """A stream begins again: its numbers do, too."""
        self.state.restart(NODE if self.watch.function is WATCH_NODE else "")


def some_vm(world: World) -> Vm:
    return next(vm for vm in world.node(NODE).vms.values() if vm.role is not None)


def toggle(world: World) -> None:
    vm = some_vm(world)
    vm.set_state(VmState.Off if vm.running else VmState.Running)


def expected_keys(watch: Watch, world: World) -> set[str]:
    if watch.function is WATCH_NODE:
        return {vm.id for vm in world.node(NODE).vms.values()}
    return {role.id for role in world.roles.values()}


async def works(site: Site) -> int:
    """The node answers on the lane, which has one session; its engine's process id.

    One runspace runs one pipeline: an answer says that no other runs in there.
    """
    assert (await site.lane.call(GET_INFO, BASIC, deadline=WITHIN)).node == NODE
    assert site.running() == []
    return site.pid()
