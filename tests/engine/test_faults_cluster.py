"""The commands of FailoverClusters: without a deadline, absent, or needed because WMI says too little."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from hvtui.errors import DeadlinePassed
from hvtui.lab.native.cluster_stream import ClusterStream
from hvtui.lab.native.node_stream import NodeStream
from hvtui.lab.pwsh.commands.answer import Answer
from hvtui.lab.pwsh.commands.call import CommandCall
from hvtui.lab.pwsh.commands.registry import COMMANDS
from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from hvtui.lab.world.scenario import parse_scenario
from hvtui.live.monitor import Monitor
from hvtui.live.timing import Timing
from hvtui.model.link import LinkStatus
from hvtui.remote.connect import Connector
from hvtui.remote.contract import GET_INFO
from tests.engine.engine_lab import accepted
from tests.engine.support.picture import Picture
from tests.engine.support.questions import CLUSTER_PLACE, CLUSTER_QUESTIONS, NODE_PLACE, without
from tests.engine.support.stage import Stage
from tests.remote.conftest import config_for, gate_for
from tests.support.wait import until

# People wait longer than tests; a shell with its engine takes a while to come up on a busy machine.
_TIMING: Final = Timing(silence=3.0, first_picture=8.0, retry=0.1, retry_most=0.5, without_cluster=1.0)
_WITHIN: Final = 90.0
_PAIR: Final = ("HV01", "HV02")


# --- they hang ---


@pytest.fixture(scope="module")
def pair(pwsh: str) -> Iterator[Lab]:
    """Two nodes on the engine; their world stands still."""
    raw: dict[str, Any] = {
        "title": "pair",
        "cluster": {"name": "CLU-PAIR", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2af10"},
        "nodes": {"count": 2},
        "csvs": [{"count": 1}],
        "vms": [{"prefix": "APP", "count": 2}],
    }
    world = World.load(parse_scenario(raw, "pair"), start=datetime(2026, 11, 24, tzinfo=UTC), at=60.0)
    with Lab(world, speed=0, engine="pwsh", accepted=accepted()) as lab:
        yield lab


@asynccontextmanager
async def _watching(lab: Lab) -> AsyncIterator[Monitor]:
    monitor = Monitor(config_for(lab, refresh=0.5), credentials=gate_for(lab), timing=_TIMING)
    await monitor.start()
    try:
        yield monitor
    finally:
        await monitor.stop()


def _status(monitor: Monitor, node: str = "") -> LinkStatus:
    state = monitor.state
    return (state.node(node).link if node else state.cluster.link).status


def _fail(lab: Lab, node: str, command: str) -> Any:
    return lab.on_loop(lambda: lab.host.control.fail(node, command, "hang"))


async def test_a_cluster_command_that_hangs_everywhere_is_named(pair: Lab) -> None:
    """Windows gives it no deadline, the module cannot: its stream falls silent, and the console says so.

    The streams of the nodes go on, and what was known of the cluster stays.
    """
    async with _watching(pair) as monitor:
        cluster = monitor.state.cluster
        await until(lambda: all(_status(monitor, name) is LinkStatus.LIVE for name in ("", *_PAIR)), _WITHIN)
        csvs = dict(cluster.csvs or {})
        assert csvs
        failure = _fail(pair, "*", "Get-ClusterSharedVolumeState")
        try:
            await until(lambda: _status(monitor) is LinkStatus.HANGING, _WITHIN)
            assert failure.met > 0
            assert "The cluster service on HV0" in cluster.link.text
            assert "does not answer: no message for" in cluster.link.text
            assert dict(cluster.csvs or {}) == csvs
            heard = {name: monitor.state.node(name).link.last_frame for name in _PAIR}
            await until(lambda: all(monitor.state.node(name).link.last_frame != heard[name] for name in _PAIR), _WITHIN)
            assert {_status(monitor, name) for name in _PAIR} == {LinkStatus.LIVE}
        finally:
            pair.on_loop(failure.lift)
        await until(lambda: _status(monitor) is LinkStatus.LIVE, _WITHIN)


async def test_a_cluster_command_that_hangs_on_one_node_leaves_the_telling_to_another(pair: Lab) -> None:
    """The first seed lets it hang from the start; its own stream is none the worse for it."""
    failure = _fail(pair, "HV01", "Get-Cluster")
    try:
        async with _watching(pair) as monitor:
            await until(lambda: monitor.telling == "HV02" and _status(monitor) is LinkStatus.LIVE, _WITHIN)
            await until(lambda: _status(monitor, "HV01") is LinkStatus.LIVE, _WITHIN)
            assert failure.met > 0
            assert monitor.state.cluster.csvs
    finally:
        pair.on_loop(failure.lift)


async def test_the_clients_deadline_names_the_node(pair: Lab) -> None:
    """A call that needs the cmdlet ends by the client's deadline; the part without it answers meanwhile."""
    failure = _fail(pair, "HV01", "Get-Cluster")
    connector = Connector(config_for(pair), gate_for(pair))
    one, other = connector.lane("HV01", "facts"), connector.lane("HV01", "action")
    try:
        await one.open()
        await other.open()
        with pytest.raises(DeadlinePassed, match=r"HV01 did not (finish|answer) within 3 s"):
            await one.call(GET_INFO, {"Part": "All"}, deadline=3.0)
        assert failure.met == 1
        assert (await other.call(GET_INFO, {"Part": "Basic"}, deadline=60.0)).node == "HV01"
        pair.on_loop(failure.lift)
        assert (await one.call(GET_INFO, {"Part": "All"}, deadline=60.0)).cluster_name == "CLU-PAIR"
    finally:
        pair.on_loop(failure.lift)
        await one.close()
        await other.close()


# --- they are absent ---


def test_a_node_without_the_cluster_module(stage: Stage) -> None:
    """What WMI tells is told; each command that is not there is named as missing, and nothing is empty instead."""
    scenario, node, at = CLUSTER_PLACE
    world = stage.load(scenario, at=at)
    whole, wanted = Picture(), Picture()
    whole.apply(json.loads(stage.do(ClusterStream(world, world.node(node)).tick)))
    wanted.sections = whole.sections
    for question in CLUSTER_QUESTIONS:
        if question.command.startswith("Get-Cluster"):
            wanted = without(wanted, question)
    engine = stage.engine(node, without=("FailoverClusters",))
    seen = Picture()
    seen.apply(engine.call("Watch-HvTuiCluster -Count 1"))
    assert seen.sections == wanted.sections
    assert {part: problem[0] for part, problem in seen.errors.items()} == dict.fromkeys(
        ("cluster", "csvs", "io", "nodes.failback"), "missing"
    )
    assert all("is not recognized" in problem[1] for problem in seen.errors.values())
    info = engine.call("Get-HvTuiInfo")
    assert sorted(info["modules"]) == ["HvTui", "Hyper-V"]
    assert (info["cluster_id"], info["cluster_name"], info["functional_level"]) == (None, None, None)
    assert [(problem["part"], problem["kind"]) for problem in info["errors"]] == [("cluster", "missing")]


def test_a_node_outside_of_any_cluster(stage: Stage) -> None:
    """Neither the module nor its namespace: there is no picture at all, and nine reasons."""
    scenario, node, at = CLUSTER_PLACE
    world = stage.load(scenario, at=at)
    stage.do(lambda: stage.control.fail(node, "Get-CimInstance", "missing", match={"Namespace": "root?MSCluster"}))
    engine = stage.engine(node, without=("FailoverClusters",))
    with engine.watch("Watch-HvTuiCluster", world.elapsed) as (stream, first):
        seen = Picture()
        seen.apply(first)
        assert seen.sections == {}
        assert len(seen.errors) == 9
        assert {problem[0] for problem in seen.errors.values()} == {"missing"}
        stage.do(lambda: world.advance(31.0))
        seen.apply(stream.round(world.elapsed))
        assert seen.sections == {}
    info = engine.call("Get-HvTuiInfo")
    assert info["rights"]["cluster"] is None
    assert [(problem["part"], problem["kind"]) for problem in info["errors"]] == [
        ("rights.cluster", "missing"),
        ("cluster", "missing"),
    ]


def test_a_node_without_the_module_of_hyperv(stage: Stage) -> None:
    """No command of it is called: all is told as ever, but that it is not there."""
    scenario, node, at = NODE_PLACE
    world = stage.load(scenario, at=at)
    whole, seen = Picture(), Picture()
    whole.apply(json.loads(stage.do(NodeStream(world, world.node(node)).tick)))
    engine = stage.engine(node, without=("Hyper-V",))
    seen.apply(engine.call("Watch-HvTuiNode -Count 1"))
    assert seen.sections == whole.sections
    assert seen.errors == {}
    info = engine.call("Get-HvTuiInfo")
    assert sorted(info["modules"]) == ["FailoverClusters", "HvTui"]
    assert info["errors"] == []


# --- they stand in for WMI ---


@pytest.fixture
def reticent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that leaves the private properties of resources out."""
    ask = COMMANDS["get-ciminstance"]

    async def answer(call: CommandCall) -> Answer:
        found = await ask(call)
        if call.get("ClassName") == "MSCluster_Resource":
            records = [json.loads(json.dumps(one, default=_plain)) for one in found.output]
            found.output = [{**record, "PrivateProperties": None} for record in records]
        return found

    monkeypatch.setitem(COMMANDS, "get-ciminstance", answer)


def _plain(value: Any) -> Any:
    return json.loads(bytes(value))


@pytest.mark.usefixtures("reticent")
def test_vms_of_roles_by_command(stage: Stage) -> None:
    scenario, node, at = CLUSTER_PLACE
    world = stage.load(scenario, at=at)
    seen = Picture()
    seen.apply(stage.engine(node).call("Watch-HvTuiCluster -Count 1"))
    assert {key: role["vm"] for key, role in seen.sections["roles"].items()} == {
        role.id: role.vm.id for role in world.roles.values()
    }
    assert list(seen.errors) == ["roles.migration_state"]
    assert {role["migration_state"] for role in seen.sections["roles"].values()} == {None}


@pytest.mark.usefixtures("reticent")
@pytest.mark.parametrize(
    ("command", "kind", "told"),
    [
        ("Get-ClusterResource", "denied", "denied"),
        ("Get-ClusterResource", "stopped", "unavailable"),
        ("Get-ClusterParameter", "gone", "missing"),
        ("Get-ClusterParameter", "unavailable", "unavailable"),
    ],
)
def test_the_command_that_stands_in_fails(stage: Stage, command: str, kind: str, told: str) -> None:
    """No role has a VM then, with the reason; everything else of the roles is right, and it is healed."""
    scenario, node, at = CLUSTER_PLACE
    world = stage.load(scenario, at=at)
    whole = Picture()
    whole.apply(json.loads(stage.do(ClusterStream(world, world.node(node)).tick)))
    failure = stage.do(lambda: stage.control.fail(node, command, kind))
    with stage.engine(node).watch("Watch-HvTuiCluster -SlowSeconds 5", world.elapsed) as (stream, first):
        seen = Picture()
        seen.apply(first)
        assert failure.met > 0
        assert {part: problem[0] for part, problem in seen.errors.items()} == {"roles.vm": told}
        unknown = dict.fromkeys(("vm", "migration_state", "migration_percent"))
        roles = {key: {**role, **unknown} for key, role in whole.sections["roles"].items()}
        assert seen.sections == {**whole.sections, "roles": roles}
        stage.do(failure.lift)
        stage.do(lambda: world.advance(6.0))
        seen.apply(stream.round(world.elapsed))
        assert "roles.vm" not in seen.errors
        assert {key: role["vm"] for key, role in seen.sections["roles"].items()} == {
            role.id: role.vm.id for role in world.roles.values()
        }
