"""What the world says arrives unharmed through WSMan, NTLM, fragments and CLIXML."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from hvtui.lab.native import calls
from hvtui.lab.native.cluster_stream import ClusterStream
from hvtui.lab.native.node_stream import NodeStream
from hvtui.lab.serve import Lab
from hvtui.lab.world import World
from hvtui.remote.contract import CHANNELS
from tests.lab.endpoint_client import connect, opened, run


def said_by_the_world(world: World, name: str) -> dict[str, str]:
    node = world.node(name)
    return {
        "Watch-HvTuiNode": NodeStream(world, node).tick(),
        "Watch-HvTuiCluster": ClusterStream(world, node).tick(),
        "Get-HvTuiInfo": calls.info(world, node, "All"),
        "Get-HvTuiProvider": calls.providers(world, node),
        "Get-HvTuiWriter": calls.writer_text(world, node),
        **{channel: calls.event_page(world, node, channel=channel) for channel in CHANNELS},
    }


ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "Watch-HvTuiNode": ("Watch-HvTuiNode", {"Count": 1}),
    "Watch-HvTuiCluster": ("Watch-HvTuiCluster", {"Count": 1}),
    **{name: (name, {}) for name in ("Get-HvTuiInfo", "Get-HvTuiProvider", "Get-HvTuiWriter")},
    **{channel: ("Get-HvTuiEvent", {"Channel": channel}) for channel in CHANNELS},
}


@pytest.mark.parametrize("scenario", ["hostile", "stuck-writer", "empty"])
def test_the_client_gets_what_the_world_says(scenario: str) -> None:
    with Lab(scenario, speed=0, at=90) as lab:
        for name in list(lab.addresses)[:2]:
            wanted = lab.call(lambda world, name=name: said_by_the_world(world, name))  # type: ignore[misc]
            spent = [0]
            with opened(connect(lab, name)) as pool:
                for what, (command, parameters) in ASKED.items():
                    (text,) = run(pool, command, **parameters).output
                    answer, world_said = json.loads(text), json.loads(wanted[what])
                    # What the session has cost so far is its own, and only grows.
                    spent.append(answer.pop("cpu_ms"))
                    del world_said["cpu_ms"]
                    assert answer == world_said
            assert all(one < other for one, other in pairwise(spent))
