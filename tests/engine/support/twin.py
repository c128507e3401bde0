"""The native engine and the module, asked the same at the same moment of the same world."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from hvtui.lab.native import calls, signals
from hvtui.lab.native.cluster_stream import ClusterStream
from hvtui.lab.native.fork_commit import fork_commit
from hvtui.lab.native.node_stream import NodeStream
from hvtui.lab.native.preflight import preflight
from hvtui.lab.native.services import service
from hvtui.lab.native.stream import Stream as NativeStream
from hvtui.lab.native.vss_access import vss_access
from hvtui.lab.world.node import Node
from hvtui.remote.contract import CHANNELS, SERVICES
from tests.engine.support.module import Stream
from tests.engine.support.picture import Picture, differences
from tests.engine.support.stage import Stage

MUST_DIFFER: Final = {
    "ps_version": "the engine's own version: Windows PowerShell on a node, PowerShell 7 here",
    "duration_ms": "what reading the writers really took",
    "tick_ms": "what a round really cost; the native engine tells what it would cost a node",
    "interval_ms": "follows from tick_ms",
    "cpu_ms": "what the session's process really used; the native engine tells about what it would use",
}
"""Fields that cannot be equal, with the reason. Beside them: the order of records within a section, which nothing
depends on; the number of messages after a change, because the module asks at most one slow question a round."""

SLOW: Final = 5
"""SlowSeconds of the compared streams: after a step of so many seconds everything is due again."""
_NOBODY: Final = "00000000-0000-4000-8000-000000000000"
ROUNDS: Final = 5
"""Rounds after a step: one for each slow question of a stream, and one."""


class Twin:
    """One stream of both engines."""

    def __init__(self, stage: Stage, native: NativeStream, module: Stream, first: dict[str, Any]) -> None:
        self._stage, self._native, self._module = stage, native, module
        self.native, self.module = Picture(), Picture()
        self.native.apply(self._tick())
        assert first["kind"] == "full"
        self._same_moment(first)
        self.module.apply(first)

    def step(self, change: Callable[[], object]) -> None:
        """Change the world or let it go on, and let both tell."""
        self.native.forget()
        self.module.forget()
        self._stage.do(change)
        self.native.apply(self._tick())
        for _ in range(ROUNDS):
            frame = self._module.round(self._stage.world.elapsed)
            self._same_moment(frame)
            self.module.apply(frame)

    def go_on(self, seconds: float) -> None:
        """Let time pass."""
        self.step(lambda: self._stage.world.advance(seconds))

    def differences(self) -> list[str]:
        """Where the pictures differ, and which records one of the two only was told of."""
        native, module = self.native, self.module
        found = differences(native.sections, module.sections)
        found += differences(native.errors, module.errors, "errors")
        found += differences(native.load_by_vm(), module.load_by_vm(), "load.vms")
        found += differences(native.host_load, module.host_load, "load.host")
        for name, one, other in (
            ("changed", native.changed, module.changed),
            ("gone", native.gone, module.gone),
        ):
            found += [f"{name}: only the native engine told {record}" for record in sorted(one - other)]
            found += [f"{name}: only the module told {record}" for record in sorted(other - one)]
        return found

    def _tick(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self._stage.do(self._native.tick))
        self._same_moment(frame)
        return frame

    def _same_moment(self, frame: dict[str, Any]) -> None:
        time = self._stage.world.time_of(self._native.node).isoformat(timespec="milliseconds")
        assert frame["time"] == time.removesuffix("+00:00") + "Z"
        assert frame["v"] == 1
        assert frame["cpu_ms"] > 0


def hurried(node: Node) -> bool:
    """Something hangs there: the module's deadlines are cut short."""
    return node.faults.vmms_hung or node.faults.cluster_service_hung


def lacking(node: Node) -> tuple[str, ...]:
    """Modules that a node's Windows has not."""
    return ("Hyper-V",) if node.faults.not_hyperv else ()


@contextmanager
def cluster_twin(stage: Stage, name: str) -> Iterator[Twin]:
    """Watch-HvTuiCluster of a node, from both."""
    node = stage.world.node(name)
    native = ClusterStream(stage.world, node, interval_ms=500, slow_seconds=SLOW)
    engine = stage.engine(name, without=lacking(node), hurried=hurried(node))
    script = f"Watch-HvTuiCluster -IntervalMs 500 -SlowSeconds {SLOW}"
    with engine.watch(script, stage.world.elapsed) as (stream, first):
        yield Twin(stage, native, stream, first)


@contextmanager
def node_twin(stage: Stage, name: str) -> Iterator[Twin]:
    """Watch-HvTuiNode of a node, from both."""
    node = stage.world.node(name)
    native = NodeStream(stage.world, node, interval_ms=500, slow_seconds=SLOW, load_seconds=1)
    engine = stage.engine(name, without=lacking(node), hurried=hurried(node))
    script = f"Watch-HvTuiNode -IntervalMs 500 -SlowSeconds {SLOW} -LoadSeconds 1"
    with engine.watch(script, stage.world.elapsed) as (stream, first):
        yield Twin(stage, native, stream, first)


def call_differences(stage: Stage, name: str, *, chains: int = 2, filters: bool = True) -> list[str]:
    """Where the answers of the calls differ on a node, every channel and every page of its events included.

    `chains`: of so many VMs the disks are asked for, those with checkpoints first. `filters`: fltmc is run too, which
    starts two processes.
    """
    world, node = stage.world, stage.world.node(name)
    engine = stage.engine(name, without=lacking(node), hurried=hurried(node))
    found: list[str] = []

    def compare(script: str, native: Callable[[], str]) -> dict[str, Any]:
        said = engine.call(script)
        answer = _comparable(json.loads(stage.do(native)))
        found.extend(f"{script} {line}" for line in differences(answer, _comparable(said)))
        return said

    for part in ("All", "Basic"):
        compare(f"Get-HvTuiInfo -Part {part}", lambda part=part: calls.info(world, node, part))  # type: ignore[misc]
    for part in ("All", "Vms", "Node"):
        compare(f"Get-HvTuiPreflight -Part {part}", lambda part=part: preflight(world, node, part))  # type: ignore[misc]
    compare("Get-HvTuiForkCommit", lambda: fork_commit(world, node))
    for title in SERVICES:
        compare(f"Get-HvTuiService -Name {title}", lambda title=title: service(world, node, title))  # type: ignore[misc]
    compare("Get-HvTuiVssAccess", lambda: vss_access(world, node))
    compare("Get-HvTuiProvider", lambda: calls.providers(world, node))
    compare("Get-HvTuiShadow", lambda: signals.shadows(world, node))
    if filters:
        compare("Get-HvTuiFilter", lambda: signals.filters(world, node))
    compare("Get-HvTuiHotfix", lambda: signals.hotfixes(world, node))
    for vm in sorted(node.vms.values(), key=lambda vm: not vm.checkpoints)[:chains]:
        compare(f"Get-HvTuiChain -VMId {vm.id}", lambda id=vm.id: signals.chain(world, node, id))  # type: ignore[misc]
    compare(f"Get-HvTuiChain -VMId {_NOBODY}", lambda: signals.chain(world, node, _NOBODY))
    blocked = stage.do(lambda: calls.writer_blocked(world, node))
    compare("Get-HvTuiWriter -TimeoutSeconds 5", lambda: calls.writer_text(world, node, timeout=5, hung=blocked))
    for channel in CHANNELS:
        after, more = 0, True
        while more:
            page = compare(
                f"Get-HvTuiEvent -Channel '{channel}' -AfterRecord {after} -Hours 24 -MaxEvents 200",
                lambda channel=channel, after=after: calls.event_page(  # type: ignore[misc]
                    world, node, channel=channel, after=after, hours=24, most=200
                ),
            )
            more = page["more"]
            after = page["events"][-1]["record"] if more else 0
    return found


def _comparable(answer: dict[str, Any]) -> dict[str, Any]:
    for key in MUST_DIFFER.keys() & answer.keys():
        assert answer[key] is not None
    return {key: value for key, value in answer.items() if key not in MUST_DIFFER}
