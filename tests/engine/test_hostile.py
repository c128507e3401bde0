"""Names that are made to hurt go through commands, queries, programs and JSON unharmed, and match only themselves."""

from __future__ import annotations

import json
from typing import Final

import pytest

from hvtui.lab.world.scenario import parse_scenario
from tests.engine.support.stage import Stage
from tests.engine.support.twin import call_differences, cluster_twin, node_twin

NAMES: Final = (
    "plain",
    "it's",
    'say "hi"',
    "back`tick",
    "$(Stop-Computer)",
    "${env:PATH}",
    "*",
    "?lain",
    "[p]lain",
    "p%lain",
    "_lain",
    "' OR '1'='1",
    "Name = 'x'; DROP",
    "back\\slash\\",
    "two\nlines",
    "tab\there",
    "<xml>&amp;",
    "_x0041_",
    "漢字 サーバー",
    "עברית",
    "\u202egnitirw",
    "e\u0301clair",
    "\U0001f600",
    "{0} {{1}}",
    "%s %d",
    "‘curly’ “quotes”",
    "a,b;c|d&e>f",
    "-Name",
    "@{a=1}",
    "#comment <# block #>",
)


@pytest.fixture(scope="module")
def hostile(stage: Stage) -> Stage:
    """A cluster whose VMs and roles are named so."""
    stage.load(
        parse_scenario(
            {
                "title": "hostile",
                "cluster": {"name": "CLU", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2affe", "account": "CORP\\o'$(x)`"},
                "nodes": {"count": 1},
                "csvs": [{"name": "Vol[1] $(x)'`"}],
                "vms": [{"names": list(NAMES), "checkpoints": [{"type": "Recovery", "name": "*'"}]}],
            },
            "hostile",
        )
    )
    return stage


def test_names_come_out_as_they_are(hostile: Stage) -> None:
    hostile.load(hostile.world.scenario)
    with node_twin(hostile, "HV01") as twin:
        assert twin.differences() == []
        assert [vm["name"] for vm in twin.module.sections["vms"].values()] == list(NAMES)
        folders = {record["configuration"] for record in twin.module.sections["files"].values()}
        assert folders == {vm.configuration for vm in hostile.world.vms.values()}
        assert all("\\Vol[1] $(x)'`\\" in folder for folder in folders)
    with cluster_twin(hostile, "HV01") as twin:
        assert twin.differences() == []
        assert [role["name"] for role in twin.module.sections["roles"].values()] == [
            role.name for role in hostile.world.roles.values()
        ]
        by_id = {vm["id"]: vm["name"] for vm in _machines(hostile)}
        for role in twin.module.sections["roles"].values():
            assert by_id[role["vm"]] == hostile.world.roles[role["id"]].name
    assert call_differences(hostile, "HV01") == []


def _machines(stage: Stage) -> list[dict[str, str]]:
    return [{"id": vm.id, "name": vm.name} for vm in stage.world.vms.values()]


def test_a_name_given_to_a_command_matches_itself_only(hostile: Stage) -> None:
    """What later commands will send: names as literals, in a query with WQL's own quoting."""
    hostile.load(hostile.world.scenario)
    engine = hostile.engine("HV01")
    for vm in hostile.world.vms.values():
        given = json.dumps(vm.name).replace("'", "''")
        result = engine.run(
            f"$name = ConvertFrom-Json -InputObject '{given}'\n"
            "$quoted = $name.Replace('\\', '\\\\').Replace(\"'\", \"\\'\")\n"
            "Get-CimInstance -Namespace 'root\\virtualization\\v2' -ClassName 'Msvm_ComputerSystem' "
            "-Filter \"ElementName = '$quoted'\" | ForEach-Object { $_.Name }"
        )
        assert result.errors == []
        assert [name.lower() for name in result.output] == [vm.id], repr(vm.name)
        sent = hostile.world.commands.of("Get-CimInstance")[-1].arguments["Filter"]
        assert vm.name.replace("\\", "\\\\").replace("'", "\\'") in sent
