"""`hvtui ready` against the lab: ready, not ready, not known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hvtui.lab.serve import Lab
from tests.support.cli import Shell
from tests.support.schemas import checked


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Before anything is stuck; its time is moved by the tests, in their order."""
    with Lab("stuck-writer", speed=0) as lab:
        yield lab


@pytest.fixture
def config(lab: Lab, tmp_path: Path) -> str:
    path = tmp_path / "lab.toml"
    path.write_text(lab.config_text(), encoding="utf-8")
    return str(path)


def verdicts(told: dict[str, Any], area: str) -> set[str]:
    return {check["verdict"] for check in told["checks"] if check["area"] == area}


def test_a_quiet_cluster_is_ready(shell: Shell, config: str) -> None:
    ran = shell("--config", config, "ready", "--json")
    told = checked("ready", ran.out)
    against = [check for check in told["checks"] if check["verdict"] in {"not ready", "unknown"}]
    assert (against, ran.code, told["ready"], told["unread"]) == ([], 0, True, [])
    assert "ready" in verdicts(told, "VSS writers")
    assert verdicts(told, "guest space") == {"note"}
    ran = shell("--config", config, "ready")
    assert (ran.code, ran.err) == (0, "")
    assert "ready for a backup window" in ran.out.splitlines()[0]


def test_a_node_that_cannot_be_read_makes_it_unknown(lab: Lab, shell: Shell, config: str) -> None:
    lab.call(lambda world: setattr(world.node("HV02").faults, "down", True))
    try:
        ran = shell("--config", config, "ready", "--json")
    finally:
        lab.call(lambda world: setattr(world.node("HV02").faults, "down", False))
    told = checked("ready", ran.out)
    assert (ran.code, told["ready"]) == (2, None)
    assert [check["where"] for check in told["checks"] if check["verdict"] == "unknown"] == [["HV02"]]
    assert {one["where"] for one in told["unread"]} == {"HV02"}


def test_a_stuck_writer_is_not_ready_and_the_guest_is_named(lab: Lab, shell: Shell, config: str) -> None:
    lab.call(lambda world: world.advance(3600.0))
    ran = shell("--config", config, "ready", "--json")
    told = checked("ready", ran.out)
    assert (ran.code, told["ready"]) == (1, False)
    against = [check for check in told["checks"] if check["verdict"] == "not ready"]
    found = {(check["area"], name) for check in against for name in check["where"]}
    assert ("VSS writers", "HV03") in found
    assert ("guests", "SQL07") in found
    ran = shell("--config", config, "ready")
    assert ran.code == 1
    assert "not ready for a backup window" in ran.out.splitlines()[0]
    assert "Microsoft Hyper-V VSS Writer is at [5]" in ran.out
    assert "→ hvtui guests --vm " in ran.out


def test_where_nothing_can_be_read_nothing_is_said_to_be_well(lab: Lab, shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    text = lab.config_text()
    for number, address in enumerate(lab.addresses.values(), 1):
        text = text.replace(address, f"127.0.0.1:{number}")
    path.write_text(text, encoding="utf-8")
    ran = shell("--config", str(path), "ready", "--json")
    told = checked("ready", ran.out)
    assert (ran.code, told["ready"]) == (2, None)
    assert "ready" not in {check["verdict"] for check in told["checks"]}
    ran = shell("--config", str(path), "ready")
    assert ran.code == 2
    assert "nothing could be read" in ran.out
