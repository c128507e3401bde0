"""Naming what hangs, from the problems that messages carry."""

from __future__ import annotations

import pytest

from hvtui.live.health import hanging_service, is_blind, silent_service
from hvtui.model.records import Problem
from hvtui.remote.contract import GET_INFO
from hvtui.remote.wire import decode
from tests.remote.engines import info


def _problems(*parts: str, kind: str = "timeout") -> list[Problem]:
    return [Problem(part=part, kind=kind, text="timed out") for part in parts]


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ((), ""),
        (("vms",), "VMMS"),
        (("vms.last_backup",), "VMMS"),
        (("host", "host.vmms"), "VMMS"),
        (("host.migration",), "VMMS"),
        (("host",), "WMI"),
        (("load.host",), "WMI"),
        (("host.cluster_service",), "cluster service"),
        (("cluster",), "cluster service"),
    ],
)
def test_the_service_that_lets_its_deadline_pass(parts: tuple[str, ...], says: str) -> None:
    said = hanging_service(_problems(*parts))
    assert says in said
    assert bool(said) == bool(parts)


def test_other_kinds_of_problems_are_no_hanging() -> None:
    assert hanging_service(_problems("vms", kind="denied") + _problems("host", kind="unavailable")) == ""


def test_blind_without_the_clusters_main_sections() -> None:
    assert is_blind(_problems("csvs")) == "timed out"
    assert is_blind(_problems("nodes", kind="unavailable"))
    assert not is_blind(_problems("io"))
    assert not is_blind(_problems("roles.vm"))
    assert not is_blind(_problems("nodes", kind="denied"))


def test_a_silent_node_that_answers_tells_its_services() -> None:
    answer = decode(GET_INFO, info(services={"vmms": "Stop Pending", "ClusSvc": "Running", "VSS": "Stopped"}), "HV01")
    said = silent_service(answer, 12)
    assert "no message for 12 s" in said
    assert "vmms is Stop Pending" in said
    assert "ClusSvc" not in said
    assert "VSS" not in said
