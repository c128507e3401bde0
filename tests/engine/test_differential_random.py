"""Random clusters and random things that happen to them: the native lab and the module tell the same."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hvtui.lab.world.scenario import Scenario
from tests.engine.support.stage import Stage
from tests.engine.support.twin import call_differences, cluster_twin, node_twin
from tests.engine.support.worlds import STEPS, Step, perform, scenarios
from tests.support.fuller import FULLER

_SETTINGS = settings(
    max_examples=300 if FULLER else 6,
    deadline=None,
    database=None,
    # The stage is one for all examples: each puts a world of its own there.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@_SETTINGS
@given(scenario=scenarios(), steps=STEPS, pick=st.integers(0, 2))
def test_random_cluster_streams_are_the_same(stage: Stage, scenario: Scenario, steps: list[Step], pick: int) -> None:
    world = stage.load(scenario)
    node = list(world.nodes)[pick % len(world.nodes)]
    with cluster_twin(stage, node) as twin:
        assert twin.differences() == []
        for step in steps:
            twin.step(lambda step=step: perform(world, step, node))  # type: ignore[misc]
            assert twin.differences() == []


@_SETTINGS
@given(scenario=scenarios(), steps=STEPS, pick=st.integers(0, 2))
def test_random_node_streams_are_the_same(stage: Stage, scenario: Scenario, steps: list[Step], pick: int) -> None:
    world = stage.load(scenario)
    node = list(world.nodes)[pick % len(world.nodes)]
    with node_twin(stage, node) as twin:
        assert twin.differences() == []
        for step in steps:
            twin.step(lambda step=step: perform(world, step, node))  # type: ignore[misc]
            assert twin.differences() == []


@_SETTINGS
@given(scenario=scenarios(), pick=st.integers(0, 2))
def test_random_calls_are_the_same(stage: Stage, scenario: Scenario, pick: int) -> None:
    world = stage.load(scenario, at=700.0)
    assert call_differences(stage, list(world.nodes)[pick % len(world.nodes)]) == []
