"""The facts that the stubs are generated from: where each comes from, and that the program gives the committed ones."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from hvtui.lab.pwsh import binding, csharp, make_extract, stubs

EXTRACT: dict[str, Any] = json.loads(make_extract.EXTRACT.read_text(encoding="utf-8"))
SUPPLEMENT: dict[str, Any] = json.loads(
    make_extract.EXTRACT.with_name("runtime").joinpath("supplement.json").read_text(encoding="utf-8")
)


@functools.cache
def _commands(version: str) -> dict[str, binding.Command]:
    return {one.name: one for one in binding.commands(EXTRACT, SUPPLEMENT, version)}


def _names(version: str, command: str) -> set[str]:
    return {one.name for one in _commands(version)[command].parameters}


def test_every_supplied_property_names_its_source() -> None:
    sources = SUPPLEMENT["sources"]
    for part in ("classes", "members"):
        for members in SUPPLEMENT[part].values():
            assert all(entry[1] in sources for entry in members.values())
    assert all(entry["source"] in sources for entry in SUPPLEMENT["commands"].values())


def _beside_the_engine() -> Path:
    engine = stubs.find_engine()
    if engine is None:
        pytest.skip("no PowerShell engine, beside which the facts would be")
    return Path(engine).resolve().parent


def test_the_extract_is_what_the_facts_give(tmp_path: Path) -> None:
    facts = _beside_the_engine()
    if not (facts / "commands.json").is_file():
        pytest.skip("the engine has no facts about Windows beside it")
    target = tmp_path / "extract.json"
    assert make_extract.main([str(facts), str(target)]) == 0
    assert target.read_bytes() == make_extract.EXTRACT.read_bytes()


def test_the_extract_is_small_enough_to_be_committed() -> None:
    assert make_extract.EXTRACT.stat().st_size < 1_000_000


def test_what_is_not_two_paths_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert make_extract.main([]) == 2
    assert "FACTS_DIR" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "versions"),
    [
        ("Get-ClusterAffinityRule", ["2022", "2025"]),
        ("Get-ClusterNode", ["2016", "2019", "2022", "2025"]),
        ("Start-WorkgroupCluster", ["2025"]),
        ("Get-VMHostPartitionableGpu", ["2022", "2025"]),
        ("Get-VMPmemController", ["2019", "2022", "2025"]),
    ],
)
def test_a_command_is_in_the_versions_that_have_it(command: str, versions: list[str]) -> None:
    assert [version for version in stubs.VERSIONS if command in _commands(version)] == versions


def test_parameters_that_no_document_mentions_are_in_the_newest_cluster_only() -> None:
    for version in ("2016", "2019", "2022"):
        assert not {"Reason", "RetryDrainOnFailure", "AvoidPlacement"} & _names(version, "Suspend-ClusterNode")
    assert _names("2025", "Suspend-ClusterNode") >= {"Reason", "RetryDrainOnFailure", "AvoidPlacement"}


def test_a_cluster_has_the_properties_of_its_version() -> None:
    property_ = "MaximumParallelMigrations { get"
    had = {
        version: property_
        in csharp.Source(EXTRACT, SUPPLEMENT, version).texts([*_commands(version).values()])["HvTuiLab"]
        for version in stubs.VERSIONS
    }
    assert had == {"2016": False, "2019": False, "2022": True, "2025": True}


def test_positions_that_signatures_do_not_tell_are_supplied() -> None:
    by_name = {one.name: one for one in _commands("2022")["Invoke-CimMethod"].parameters}
    assert {flags.position for flags in by_name["MethodName"].sets.values()} == {1}
    assert {flags.position for flags in by_name["Arguments"].sets.values()} == {2}
