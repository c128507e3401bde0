"""What operations ask first: both engines tell the same of a rich cluster, and of every question that fails."""

from __future__ import annotations

from typing import Any, Final

import pytest

from hvtui.lab.native.preflight import SOURCES
from hvtui.lab.world.operations import start_job
from hvtui.lab.world.scenario import Scenario, parse_scenario
from hvtui.lab.world.world import World
from hvtui.model.enums import JobType
from tests.engine.support.stage import Stage
from tests.engine.support.twin import call_differences
from tests.support.fuller import FULLER

_BUILDS: Final = ("10.0.14393.6614", "10.0.17763.5329", "10.0.20348.2762", "10.0.26100.1742")


def rich(build: str) -> Scenario:
    """Two hosts with S2D, Storage Replica, affinity rules, and VMs with every kind of device."""
    raw: dict[str, Any] = {
        "title": "rich",
        "cluster": {
            "name": "CLU-RICH",
            "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2afe1",
            "s2d": True,
            "virtual_disks": [{"name": "Volume1"}, {"name": "V [2]'", "health": 2}],
            "storage_jobs": [{"name": "Repair", "percent": 17}],
            "affinity_rules": [
                {"name": "apart", "type": "DifferentNode", "groups": ["APP01", "APP02"]},
                {"name": "off", "type": "SameNode", "groups": ["APP01"], "enabled": False},
            ],
        },
        "nodes": {"count": 2, "build": build},
        "node": [{"name": "HV01", "replicas": [{"name": "Stretch", "status": 12}, {"name": "Lost", "status": 4}]}],
        "csvs": [{"count": 2}],
        "vms": [
            {"prefix": "APP", "count": 2, "nodes": ["HV01"], "switches": ["vSwitch", "Backup"], "dynamic": True},
            {
                "name": "FULL", "nodes": ["HV01"], "dvd": ["C:\\iso\\a.iso"], "gpu": 2, "tpm": True,
                "shared_disks": ["C:\\ClusterStorage\\Volume1\\quorum.vhds"],
                "other_disks": ["Disk 3 40.00 GB Bus 0 Lun 1 Target 2", "\\\\SOFS\\share\\x.vhdx"],
                "possible_owners": ["HV01"], "preferred_owners": ["HV01", "HV02"], "second_disk": "Volume2",
                "checkpoints": [{"type": "Standard", "saved": True}, {"type": "Recovery"}], "anti_affinity": ["sql"],
            },
            {"name": "LOCAL", "nodes": ["HV01"], "clustered": False, "state": "Off", "switches": []},
            {"name": "FORK", "nodes": ["HV01"], "fork_commit": "20d", "priority": 1000},
        ],
    }  # fmt: skip
    return parse_scenario(raw, "rich")


def busy(world: World) -> None:
    """Jobs of every kind, some over."""
    node = world.node("HV01")
    vms = list(node.vms.values())
    for number, kind in enumerate((JobType.MergeDisks, JobType.Backup, JobType.Snapshot)):
        start_job(world, node, vms[number], kind, [(600.0, 100.0)])
    world.advance(5.0)


@pytest.mark.parametrize("build", _BUILDS)
def test_a_cluster_that_has_everything_is_told_alike(stage: Stage, build: str) -> None:
    world = stage.load(rich(build), at=60.0)
    assert call_differences(stage, "HV01") == []
    stage.do(lambda: busy(world))
    assert call_differences(stage, "HV01") == []
    answer = stage.engine("HV01").call("Get-HvTuiPreflight")
    assert answer["errors"] == []
    full = next(vm for vm in answer["vms"] if vm["name"] == "FULL")
    assert (full["gpu"], full["tpm"], full["dvd"], full["possible_owners"]) == (2, True, ["C:\\iso\\a.iso"], ["HV01"])
    assert full["shared"] == ["C:\\ClusterStorage\\Volume1\\quorum.vhds"]
    assert len(full["pass_through"]) == 1
    assert [one["parent"] == "" for one in full["chain"]].count(True) == 4
    assert sum(len(vm["jobs"]) for vm in answer["vms"]) == 3
    newer = int(build.split(".")[2]) >= 20348
    assert len(answer["node"]["affinity_rules"]) == (2 if newer else 0)
    forks = stage.engine("HV01").call("Get-HvTuiForkCommit")
    fork = next(vm["id"] for vm in answer["vms"] if vm["name"] == "FORK")
    assert {one["vm"] for one in forks["signs"]} == {fork}
    assert {one["id"] for one in forks["signs"]} >= {3216}


_QUESTIONS: Final = sorted(
    {source for sources in SOURCES.values() for source in sources}
    | {"Get-VHD", "Win32_Service", "Win32_QuickFixEngineering"}
)


@pytest.mark.parametrize("kind", ["denied", "unavailable", "missing", *(["other"] if FULLER else [])])
def test_each_question_that_fails_is_told_alike_and_nothing_is_made_up(stage: Stage, kind: str) -> None:
    world = stage.load(rich(_BUILDS[2]), at=60.0)
    node = world.node("HV01")
    whole = stage.engine("HV01").call("Get-HvTuiPreflight")
    for source in _QUESTIONS:
        stage.do(lambda source=source: node.faults.unreadable.update({source: kind}))  # type: ignore[misc]
        assert call_differences(stage, "HV01", chains=1, filters=False) == [], source
        answer = stage.engine("HV01").call("Get-HvTuiPreflight")
        _nothing_is_made_up(whole, answer)
        stage.do(node.faults.unreadable.clear)


def _nothing_is_made_up(whole: Any, answer: Any) -> None:
    """Everything that is told is what is told without the fault; the rest is null."""
    if answer is None or answer == whole:
        return
    if isinstance(whole, dict) and isinstance(answer, dict):
        assert whole.keys() == answer.keys()
        for key in whole.keys() - {"errors", "cpu_ms", "chain"}:
            _nothing_is_made_up(whole[key], answer[key])
        return
    if isinstance(whole, list) and isinstance(answer, list):
        assert len(whole) == len(answer)
        for one, other in zip(whole, answer, strict=True):
            _nothing_is_made_up(one, other)
        return
    raise AssertionError(f"{answer!r} instead of {whole!r}")
