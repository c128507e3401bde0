"""Properties of cluster objects that can be set write through to the world, and only those."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hvtui.lab.world.world import World
from tests.engine.support.module import ModuleSession
from tests.engine.support.picture import Picture
from tests.engine.support.stage import Stage


@pytest.fixture
def world(stage: Stage) -> World:
    """A quiet cluster."""
    return stage.load("healthy", at=60.0)


@pytest.fixture
def session(stage: Stage, world: World) -> ModuleSession:
    """A session on its first node."""
    return stage.engine("HV01", "2025")


def _values(session: ModuleSession, script: str) -> list[Any]:
    result = session.run(f"& {{ {script} }} | ForEach-Object {{ ConvertTo-Json -InputObject $_ -Compress }}")
    assert result.errors == []
    return [json.loads(line) for line in result.output]


def test_a_groups_priority_and_classes(stage: Stage, session: ModuleSession, world: World) -> None:
    """The object, every later read and the stream have the new value; no other role has."""
    role, *others = world.roles.values()
    before = [(one.priority, one.anti_affinity) for one in others]
    classes = ["SQL 'A'", "漢字 $(x)"]
    with session.watch("Watch-HvTuiCluster", world.elapsed) as (stream, first):
        seen = Picture()
        seen.apply(first)
        seen.forget()
        other = stage.engine("HV02", "2022")
        script = (
            f"$g = Get-ClusterGroup -VMId '{role.vm.id}'; $g.Priority = 3000; "
            "$c = New-Object -TypeName System.Collections.Specialized.StringCollection; "
            "[void]$c.Add('SQL ''A'''); [void]$c.Add('漢字 $(x)'); $g.AntiAffinityClassNames = $c; $g.Priority"
        )
        assert _values(other, script) == [3000]
        seen.apply(stream.round(world.elapsed))
        assert seen.changed == {("roles", role.id)}
        told = seen.sections["roles"][role.id]
        assert (told["priority"], told["anti_affinity"]) == (3000, classes)
    assert (role.priority, role.anti_affinity) == (3000, tuple(classes))
    assert [(one.priority, one.anti_affinity) for one in others] == before
    logged = world.commands.of("FailoverClusters:Set")
    assert [(one.node, one.arguments["Property"], one.arguments["Value"]) for one in logged] == [
        ("HV02", "Priority", 3000),
        ("HV02", "AntiAffinityClassNames", classes),
    ]
    assert {one.arguments["Id"] for one in logged} == {role.id}


def test_properties_of_the_cluster_and_of_a_node(session: ModuleSession, world: World) -> None:
    script = "$c = Get-Cluster; $c.ClusterEnforcedAntiAffinity = 1; (Get-Cluster).ClusterEnforcedAntiAffinity"
    assert _values(session, script) == [1]
    assert world.cluster.enforced_anti_affinity == 1
    assert _values(session, "(Get-Cluster).DynamicQuorum = 0; (Get-Cluster).DynamicQuorum") == [0]
    script = "$n = Get-ClusterNode -Name 'HV02'; $n.NodeWeight = 0; (Get-ClusterNode -Name 'HV02').NodeWeight"
    assert _values(session, script) == [0]
    assert [name for name, node in world.nodes.items() if node.weight == 0] == ["HV02"]


def test_reading_alone_writes_nothing(session: ModuleSession, world: World) -> None:
    """What an answer fills in is no assignment."""
    assert len(_values(session, "Get-ClusterGroup | ForEach-Object { $_.Priority }")) > len(world.roles)
    assert len(_values(session, "Get-ClusterNode | ForEach-Object { $_.NodeWeight }")) == len(world.nodes)
    assert world.commands.of("FailoverClusters:Set") == []


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("$role.Priority = 1500", "is not valid"),
        ("$role.Priority = 'high'", "Cannot convert value"),
        ("$role.State = 1", "ReadOnly"),
        ("$role.OwnerNode = $null", "ReadOnly"),
        ("$role.FailoverPeriod = 1", "not supported by this lab"),
        ("(Get-ClusterNode)[0].State = 1", "ReadOnly"),
        ("(Get-Cluster).Id = 'x'", "ReadOnly"),
        ("(Get-Cluster).DrainOnShutdown = 0", "not supported by this lab"),
        ("(Get-Cluster).DynamicQuorum = 2", "is not valid"),
    ],
)
def test_what_cannot_be_set(session: ModuleSession, world: World, assignment: str, words: str) -> None:
    """As on Windows an exception ends the assignment, and the world is as it was."""
    role = next(iter(world.roles.values()))
    before = [(role.priority, role.state) for role in world.roles.values()]
    facts = world.cluster.dynamic_quorum, world.cluster.id
    script = f"$ErrorActionPreference = 'Stop'; $role = Get-ClusterGroup -VMId '{role.vm.id}'; {assignment}; 'done'"
    result = session.run(f"& {{ {script} }}")
    assert result.output == []
    assert len(result.errors) == 1
    said = f"{result.errors[0].id} {result.errors[0].text}"
    assert words.lower() in said.lower()
    assert [(role.priority, role.state) for role in world.roles.values()] == before
    assert (world.cluster.dynamic_quorum, world.cluster.id) == facts


def test_a_cluster_service_that_refuses(stage: Stage, session: ModuleSession, world: World) -> None:
    role = next(iter(world.roles.values()))
    before = role.priority
    stage.do(lambda: stage.control.fail("HV01", "FailoverClusters:Set", "denied", times=1))
    script = f"$g = Get-ClusterGroup -VMId '{role.vm.id}'; $g.Priority = 3000"
    result = session.run(f"& {{ $ErrorActionPreference = 'Stop'; {script} }}")
    assert len(result.errors) == 1
    assert "Access is denied" in result.errors[0].text
    assert role.priority == before
