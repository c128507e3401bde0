"""Names that are made to hurt change nothing but what was meant."""

from __future__ import annotations

from typing import Final

from hvtui.lab.world.scenario import parse_scenario
from hvtui.model.enums import VmState
from tests.engine.support.changes import Pair, service_values
from tests.engine.support.stage import Stage
from tests.engine.test_hostile import NAMES, NODES

_PLAIN: Final = "HV01"


def test_a_vm_is_moved_by_its_id_whatever_it_is_called(stage: Stage) -> None:
    scenario = parse_scenario(
        {
            "title": "hostile",
            "cluster": {"name": "CLU", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2aff2"},
            "nodes": {"count": 2},
            "csvs": [{"count": 1}],
            "vms": [{"names": list(NAMES), "nodes": ["HV01"], "state": "Off"}],
        },
        "hostile",
    )
    pair = Pair(stage, scenario)
    for number, vm in enumerate(list(pair.module.vms.values())):
        values = {"VMId": vm.id, "Node": "HV02", "ExpectOwner": "HV01", "ExpectState": int(VmState.Off)}
        answer = pair.call("HV01", "Move-HvTuiVM", values)
        assert answer["outcome"] == "started", vm.name
        pair.advance(5.0)
        assert len(pair.module.node("HV02").vms) == number + 1
        assert vm.id in pair.module.node("HV02").vms


def test_nodes_that_no_cluster_would_take_are_not_changed(stage: Stage) -> None:
    scenario = parse_scenario(
        {
            "title": "named",
            "cluster": {"name": "CLU", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2aff3"},
            "nodes": {"names": list(NODES)},
            "csvs": [{"name": "V1", "owner": _PLAIN}],
            "vms": [{"name": "VM1", "nodes": [_PLAIN]}],
        },
        "named",
    )
    pair = Pair(stage, scenario)
    plain = {name for name in NODES if all(char.isascii() and (char.isalnum() or char in "_-") for char in name)}
    for name in NODES:
        suspend = {"ExpectState": 0, "ExpectDrain": 0, "ExpectUp": "HV01"}
        answer = pair.call(name, "Suspend-HvTuiNode", suspend)
        assert answer["rule"] == ("expect.up" if name in plain else "forbidden"), name
        assert answer["command"] == ""
        # A service is told by its own name, and the node by being asked.
        answer = pair.call(name, "Stop-HvTuiService", service_values(pair.module, name, "CryptSvc"))
        assert answer["outcome"] == "started", name
    assert {node.state for node in pair.module.nodes.values()} == {0}
    pair.advance(10.0)
    assert {node.services["CryptSvc"].state for node in pair.module.nodes.values()} == {"Stopped"}
