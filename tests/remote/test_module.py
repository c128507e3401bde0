"""How a session comes to have HvTui's functions, and what is said when it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hvtui.errors import FunctionMissing, NodeRefused
from hvtui.lab.serve import Lab
from hvtui.remote.contract import CONTRACT, GET_INFO
from hvtui.remote.lane import Lane
from hvtui.remote.module import Source
from hvtui.remote.packaged import module_hash, module_text
from tests.remote.engines import ScriptedEngine, info

Lanes = Callable[..., Lane]


async def test_installed_module_of_this_version_is_used(lane_to: Lanes) -> None:
    with Lab({"HV01": ScriptedEngine()}, installed=True) as lab:
        lane = lane_to(lab)
        await lane.open()
        assert lane.source is Source.INSTALLED


@pytest.mark.parametrize("installed", [False, "0.9.0"])
async def test_else_the_packaged_text_is_sent(lane_to: Lanes, installed: bool | str) -> None:
    with Lab({"HV01": ScriptedEngine()}, installed=installed) as lab:
        lane = lane_to(lab)
        assert (await lane.call(GET_INFO)).node == "HV01"
        assert lane.source is Source.SCRIPT


async def test_restricted_endpoint_with_the_functions(lane_to: Lanes) -> None:
    with Lab({"HV01": ScriptedEngine()}, sessions={"HvTui": "none"}) as lab:
        lane = lane_to(lab, endpoint="HvTui")
        assert (await lane.call(GET_INFO)).node == "HV01"
        assert lane.source is Source.ENDPOINT


async def test_restricted_endpoint_without_the_functions(lane_to: Lanes) -> None:
    with Lab({"HV01": ScriptedEngine()}, installed=False, language="none") as lab:
        with pytest.raises(FunctionMissing, match="has no Get-HvTuiInfo") as caught:
            await lane_to(lab).open()
        assert f"Install HvTui {CONTRACT}" in caught.value.hint


async def test_restricted_endpoint_of_another_version(lane_to: Lanes) -> None:
    engine = ScriptedEngine(**{"Get-HvTuiInfo": info(contract="1.0.1")})
    with (
        Lab({"HV01": engine}, language="none") as lab,
        pytest.raises(FunctionMissing, match=r"is 1\.0\.1, this hvtui needs exactly"),
    ):
        await lane_to(lab).open()


@pytest.mark.parametrize("options", [{"language": "constrained"}, {"accepted": frozenset({"0" * 64})}])
async def test_refused_text_says_what_to_install(lane_to: Lanes, options: dict[str, Any]) -> None:
    with Lab({"HV01": ScriptedEngine()}, installed=False, **options) as lab:
        with pytest.raises(FunctionMissing, match="does not take the packaged module") as caught:
            await lane_to(lab).open()
        assert "Install HvTui" in caught.value.hint
        # A lane that could not open leaves no session behind.
        assert lab.node("HV01").shells == 0


async def test_unknown_endpoint(lane_to: Lanes) -> None:
    with Lab({"HV01": ScriptedEngine()}) as lab, pytest.raises(NodeRefused, match="HV01 refused"):
        await lane_to(lab, endpoint="NoSuch").open()


def test_text_is_one_module_without_help_and_the_hash_is_its_own() -> None:
    text = module_text()
    assert text.startswith("New-Module -Name HvTui -ScriptBlock {\n")
    assert "<#" not in text
    assert "\r" not in text
    assert "function Get-HvTuiInfo" in text
    assert len(module_hash()) == 64
