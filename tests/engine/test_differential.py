"""The native lab says nothing that the module would not say: whole answers, record by record, field by field."""

from __future__ import annotations

from typing import Final

import pytest

from hvtui.lab.world.scenario import load_scenario, parse_scenario, scenario_names
from tests.engine.support.stage import Stage
from tests.engine.support.twin import call_differences, cluster_twin, node_twin
from tests.support.fuller import FULLER

"""Every node of every scenario, not a sample."""
_STEPS: Final = (7.0, 60.0, 600.0)
# A few whose moments matter: the first failed backup, the killed job, drain and restart of VMMS.
_MOMENTS: Final = {
    "stuck-writer": (60.0, 1600.0, 5460.0, 6130.0),
    "backup-window": (60.0, 900.0),
    # A merge that fails, and the product's next attempt; a fork that is not committed.
    "merge-stuck": (336.0, 1115.0),
    "fork-commit": (1199.0,),
}


def _nodes(scenario: str) -> list[str]:
    loaded = load_scenario(scenario)
    down = {part.name for part in loaded.node if part.down}
    special = {part.name for part in loaded.node}
    names = [name for name in loaded.node_names() if name not in down]
    if FULLER and scenario != "limit":
        return names
    ordinary = [name for name in names if name not in special]
    return sorted({*ordinary[:2], *(special - down)} | ({"HV03"} & set(names)))


def _cases() -> list[tuple[str, str]]:
    return [(name, node) for name in scenario_names() if name != "limit" for node in _nodes(name)]


@pytest.mark.parametrize("scenario", [name for name in scenario_names() if name != "limit"])
def test_the_cluster_stream_is_the_same(stage: Stage, scenario: str) -> None:
    for at in _MOMENTS.get(scenario, (60.0,)):
        stage.load(scenario, at=at)
        with cluster_twin(stage, _nodes(scenario)[0]) as twin:
            assert twin.differences() == []
            for seconds in _STEPS:
                twin.go_on(seconds)
                assert twin.differences() == []


@pytest.mark.parametrize(("scenario", "node"), _cases())
def test_the_node_stream_is_the_same(stage: Stage, scenario: str, node: str) -> None:
    for at in _MOMENTS.get(scenario, (60.0,)):
        stage.load(scenario, at=at)
        with node_twin(stage, node) as twin:
            assert twin.differences() == []
            for seconds in _STEPS:
                twin.go_on(seconds)
                assert twin.differences() == []


@pytest.mark.parametrize(("scenario", "node"), _cases())
def test_the_calls_are_the_same(stage: Stage, scenario: str, node: str) -> None:
    stage.load(scenario, at=_MOMENTS.get(scenario, (600.0,))[-1])
    assert call_differences(stage, node) == []


@pytest.mark.parametrize(
    ("builds", "limit"),
    [
        (("10.0.14393.6614",) * 2, None),
        (("10.0.17763.5329",) * 2, None),
        (("10.0.20348.2762",) * 2, 1),
        (("10.0.26100.1742",) * 2, 1),
        # While a cluster is upgraded, the older hosts do not know it yet.
        (("10.0.17763.5329", "10.0.20348.2762"), None),
        (("10.0.20348.2762", "10.0.17763.5329"), 1),
    ],
)
def test_a_limit_of_migrations_that_nobody_set_is_the_same(
    stage: Stage, builds: tuple[str, str], limit: int | None
) -> None:
    raw = {
        "title": "Nobody set a limit",
        "seed": 1,
        "cluster": {"name": "CLU-LIMIT", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2affd"},
        "nodes": {"count": 2},
        "node": [{"name": f"HV0{number}", "build": build} for number, build in enumerate(builds, 1)],
    }
    stage.load(parse_scenario(raw, "limit"))
    with cluster_twin(stage, "HV01") as twin:
        assert twin.differences() == []
        (cluster,) = twin.module.sections["cluster"].values()
        assert cluster["max_parallel_migrations"] == limit


@pytest.mark.parametrize("kind", ["timeout", "denied", "unavailable", "missing", "other"])
def test_what_a_call_cannot_read_is_the_same(stage: Stage, kind: str) -> None:
    raw = {
        "title": "One host that cannot read",
        "seed": 1,
        "cluster": {"name": "CLU-BLIND", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2affc"},
        "nodes": {"count": 1},
        "node": [{"name": "HV01", "unreadable": dict.fromkeys(("cluster", "events", "providers"), kind)}],
    }
    stage.load(parse_scenario(raw, kind))
    assert call_differences(stage, "HV01") == []


def test_the_largest_cluster_is_the_same(stage: Stage) -> None:
    world = stage.load("limit", at=60.0)
    with cluster_twin(stage, "HV01") as twin:
        assert twin.differences() == []
        assert len(twin.module.sections["roles"]) == 8000
        twin.go_on(60.0)
        assert twin.differences() == []
    for node in ("HV01", "HV32", "HV64") if FULLER else ("HV64",):
        with node_twin(stage, node) as twin:
            assert twin.differences() == []
            assert len(twin.module.sections["vms"]) == len(world.node(node).vms) > 100
            twin.go_on(60.0)
            assert twin.differences() == []
