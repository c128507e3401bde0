"""What the world says arrives unharmed through WSMan, NTLM, fragments and CLIXML."""

from __future__ import annotations

import json
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


@pytest.mark.parametrize("scenario", ["hostile", "stuck-writer", "empty"])
def test_the_client_gets_what_the_world_says(scenario: str) -> None:
    with Lab(scenario, speed=0, at=90) as lab:
        for name in list(lab.addresses)[:2]:
            wanted = lab.call(lambda world, name=name: said_by_the_world(world, name))  # type: ignore[misc]
            with opened(connect(lab, name)) as pool:

                def ask(command: str, **parameters: Any) -> Any:
                    (text,) = run(pool, command, **parameters).output
                    return json.loads(text)

                assert ask("Watch-HvTuiNode", Count=1) == json.loads(wanted["Watch-HvTuiNode"])
                assert ask("Watch-HvTuiCluster", Count=1) == json.loads(wanted["Watch-HvTuiCluster"])
                assert ask("Get-HvTuiInfo") == json.loads(wanted["Get-HvTuiInfo"])
                assert ask("Get-HvTuiProvider") == json.loads(wanted["Get-HvTuiProvider"])
                assert ask("Get-HvTuiWriter") == json.loads(wanted["Get-HvTuiWriter"])
                for channel in CHANNELS:
                    assert ask("Get-HvTuiEvent", Channel=channel) == json.loads(wanted[channel])
