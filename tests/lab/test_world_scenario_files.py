"""A scenario that cannot be used says everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hvtui.lab.world import ScenarioError, World, scenario_names
from hvtui.lab.world.scenario import VERBS, load_scenario, parse_scenario, seconds
from tests.support.world import START

GOOD: dict[str, Any] = {
    "title": "t",
    "cluster": {"name": "C", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2a0ff"},
    "nodes": {"count": 2},
    "csvs": [{"name": "Volume1"}],
    "vms": [{"name": "VM1"}],
}


def test_a_small_scenario_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'title = "t"\n[cluster]\nname = "C"\nid = "x"\n[nodes]\ncount = 1\n[[csvs]]\nname = "V"\n[[vms]]\nname = "A"\n',
        encoding="utf-8",
    )
    world = World.load(path, start=START)
    assert [vm.name for vm in world.vms.values()] == ["A"]
    assert world.vm("A").configuration == "C:\\ClusterStorage\\V\\A"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nods": {}}, "nods"),
        ({"nodes": {"count": "two"}}, "$.nodes.count"),
        ({"nodes": {}}, "give names, or a count"),
        ({"csvs": [{"name": "Volume1"}, {"name": "Volume1"}]}, "'Volume1' is there twice"),
        ({"csvs": [{"name": "V", "owner": "HV1"}], "vms": []}, "did you mean 'HV01'?"),
        ({"csvs": [{"name": "V", "size_gb": 1, "free_gb": 2}]}, "more free than its size"),
        ({"vms": [{"name": "A", "nodes": ["HV09"]}]}, "'HV09' is unknown"),
        ({"vms": [{"name": "A", "csvs": ["Volume2"]}]}, "did you mean 'Volume1'?"),
        ({"vms": [{"name": "A", "guest": "windows-2018"}]}, "did you mean 'windows-201"),
        ({"vms": [{"name": "A", "checkpoint_type": "ProductionOnly "}]}, "did you mean 'ProductionOnly'?"),
        ({"vms": [{}]}, "give a name"),
        ({"behaviours": [{"kind": "dance"}]}, "dance"),
        ({"behaviours": [{"kind": "noise", "every": "soon"}]}, "'soon' is no length of time"),
        ({"behaviours": [{"kind": "host_backup", "nodes": ["HV3"]}]}, "behaviours[0].nodes"),
        ({"timeline": [{"at": "-1m", "do": "drain", "node": "HV01"}]}, "less than nothing"),
        ({"timeline": [{"at": 5, "do": "drian", "node": "HV01"}]}, "did you mean 'drain'?"),
        ({"node": [{"name": "HV01", "missing_rights": ["all"]}]}, "'all' is unknown"),
    ],
)
def test_mistakes_are_named_with_their_place(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(GOOD | change, "mine.toml")
    assert said in str(caught.value)
    assert str(caught.value).startswith("mine.toml: ")


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(GOOD | {"vms": [{"name": "A", "guest": "dos", "nodes": ["X"], "state": "On"}]}, "mine.toml")
    assert len(str(caught.value).splitlines()) == 3


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ScenarioError, match="did you mean 'healthy'") as caught:
        load_scenario("helthy")
    assert "stuck-writer" in str(caught.value)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("title = [", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"broken\.toml"):
        load_scenario(path)


@pytest.mark.parametrize(
    ("span", "value"), [(5, 5.0), ("5", 5.0), ("1.5m", 90.0), ("2h", 7200.0), ("1d", 86400.0), ("250ms", 0.25)]
)
def test_spans(span: str | int, value: float) -> None:
    assert seconds(span) == value


def test_the_documented_file_works_and_every_scenario_is_documented(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    listed = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    assert listed == set(scenario_names())
    assert all(verb in text for verb in VERBS)
    path = tmp_path / "mine.toml"
    path.write_text(text.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    world = World.load(path, start=START, at=60)
    writer = world.node("HV01").hyperv_writer
    assert (writer.state, writer.error) == (5, "Retryable error")
