"""A mutating call on both engines, in two worlds that are the same until then, and what the worlds are afterwards."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from hvtui.lab.native import changes
from hvtui.lab.native.cluster_stream import ClusterStream
from hvtui.lab.native.node_stream import NodeStream
from hvtui.lab.native.services import service
from hvtui.lab.world.node import Node
from hvtui.lab.world.scenario import Scenario
from hvtui.lab.world.world import World
from hvtui.remote.contract import FUNCTIONS, SERVICES
from tests.engine.support.picture import differences
from tests.engine.support.stage import START, Stage
from tests.engine.support.twin import MUST_DIFFER, hurried, lacking

OPERATION: Final = "7C9E6679-7425-40DE-944B-E07FC1F90AE7"
ACTOR: Final = "anna@ADMIN7 'of $(the) night'; \u00fcn\u00efcode \U0001f6e0"
Values = dict[str, Any]


def native(world: World, node: str, function: str, values: Values) -> dict[str, Any]:
    """The native engine's answer; what hangs is found to hang at once."""

    async def at_once(blocked: Callable[[], bool], seconds: float | None) -> None:
        del blocked, seconds

    return dict(json.loads(asyncio.run(changes.run(world, world.node(node), function, acted(values), wait=at_once))))


def module(stage: Stage, node: str, function: str, values: Values) -> dict[str, Any]:
    """The module's answer, out of the world on the stage."""
    found = stage.world.node(node)
    engine = stage.engine(node, without=lacking(found), hurried=hurried(found))
    return engine.call(script(function, acted(values)))


def native_lines(world: World, node: str, function: str, values: Values) -> list[dict[str, Any]]:
    """The lines of a stream of the native engine."""

    async def at_once(blocked: Callable[[], bool], seconds: float | None) -> None:
        del blocked, seconds

    async def run() -> list[dict[str, Any]]:
        lines = changes.STREAMS[function](world, world.node(node), acted(values), wait=at_once)
        return [json.loads(line) async for line in lines]

    return asyncio.run(run())


def acted(values: Values) -> Values:
    """With who acts, and for which operation."""
    return {"OperationId": OPERATION, "Actor": ACTOR, **values}


def script(function: str, values: Values) -> str:
    """The call as PowerShell text."""
    texts = [f"-{name} {value if isinstance(value, int) else _quoted(value)}" for name, value in values.items()]
    return " ".join([function, *texts])


def _quoted(text: str) -> str:
    # PowerShell takes typographic quotes for quotes, too.
    return "'" + re.sub("['\u2018\u2019\u201a\u201b]", r"\g<0>\g<0>", text) + "'"


class Pair:
    """The same scenario twice: one world for the native engine, one on the stage for the module."""

    def __init__(
        self,
        stage: Stage,
        scenario: str | Scenario,
        *,
        at: float = 60.0,
        prepare: Callable[[World], object] | None = None,
    ) -> None:
        self.stage = stage
        self.native = World.load(scenario, start=START, at=at)
        self.module = stage.load(scenario, at=at)
        self.prepare(prepare)

    def prepare(self, change: Callable[[World], object] | None) -> None:
        """Do the same to both worlds."""
        if change is not None:
            change(self.native)
            self.stage.do(lambda: change(self.module))

    def advance(self, seconds: float) -> None:
        """Let both go on."""
        self.prepare(lambda world: world.advance(seconds))

    def lines(self, node: str, function: str, values: Values) -> list[dict[str, Any]]:
        """The same for a stream: all its lines."""
        found = self.stage.world.node(node)
        one = native_lines(self.native, node, function, values)
        engine = self.stage.engine(node, without=lacking(found), hurried=hurried(found))
        result = engine.run(script(function, acted(values)))
        assert result.errors == []
        other = [json.loads(text) for text in result.output]
        wrong = differences([_comparable(line) for line in one], [_comparable(line) for line in other])
        after = self.stage.do(lambda: state(self.module))
        wrong += differences(state(self.native), after, "world")
        assert not wrong, "\n".join(wrong)
        return other

    def call(self, node: str, function: str, values: Values) -> dict[str, Any]:
        """Ask both; the answers and the worlds must be the same. Gives the module's."""
        assert FUNCTIONS[function].mutating
        before = self.stage.do(lambda: state(self.module))
        one = native(self.native, node, function, values)
        other = module(self.stage, node, function, values)
        found = differences(_comparable(one), _comparable(other))
        after = self.stage.do(lambda: state(self.module))
        found += differences(state(self.native), after, "world")
        assert not found, "\n".join(found)
        if other["command"] == "":
            assert differences(before, after) == [], "it refused and changed something"
        return other


def _comparable(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key not in MUST_DIFFER}


def state(world: World) -> dict[str, Any]:
    """Everything that can be told of a world: its streams, services, logs, the harm done and the changes asked for."""
    first = next(iter(world.nodes.values()))
    return {
        "cluster": _frame(ClusterStream(world, first).tick()),
        "nodes": {
            node.name: _frame(NodeStream(world, node).tick())
            | {"services": _services(world, node), "logs": _logs(node), "access": dict(node.access_control)}
            for node in world.nodes.values()
        },
        "harm": [asdict(entry) for entry in world.ledger.entries],
        "changes": [asdict(entry) for entry in world.commands.changes],
    }


def _frame(text: str) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(text)
    return {key: value for key, value in frame.items() if key not in {"tick_ms", "interval_ms", "cpu_ms"}}


def _services(world: World, node: Node) -> dict[str, Any]:
    found = {name: json.loads(service(world, node, name)) for name in SERVICES}
    return {name: {key: value for key, value in one.items() if key != "cpu_ms"} for name, one in found.items()}


def _logs(node: Node) -> dict[str, Any]:
    return {
        name: [(one.record, one.id, one.time.isoformat(), one.provider, one.text) for one in log.records]
        for name, log in node.logs.items()
    }


def service_values(world: World, node: str, name: str) -> Values:
    """The parameters that fit a service as it is now."""
    said = json.loads(service(world, world.node(node), name))
    return {
        "Name": name,
        "ExpectState": said["state"] or "Stopped",
        "ExpectProcessId": said["process_id"] or 0,
        "ExpectStarted": said["started"] or "",
    }
