"""Names that are made to hurt go through commands, queries, programs and JSON unharmed, and match only themselves."""

from __future__ import annotations

import json
from typing import Final

import pytest

from hvtui.lab.pwsh.commands.answer import LabError
from hvtui.lab.world import actions
from hvtui.lab.world.scenario import Scenario, parse_scenario
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


@pytest.fixture
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
    assert call_differences(hostile, "HV01", chains=len(NAMES)) == []


def _machines(stage: Stage) -> list[dict[str, str]]:
    return [{"id": vm.id, "name": vm.name} for vm in stage.world.vms.values()]


def test_a_name_given_to_a_command_matches_itself_only(hostile: Stage) -> None:
    """What later commands will send: names as literals, in a query with WQL's own quoting."""
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


# What a computer's NetBIOS name may hold at all: up to 15 characters, none of \ / : * ? " < > | and no line break. (DNS
# would allow letters, digits and hyphens only, and a cluster asks for those.) Some are each other's near miss.
NODES: Final = ("HV01", "[H]V01", "HV_1", "HV%1", "H'V`1", "$(x)", "漢字-עברית", "-Name", "@{a=1};b&c")
# What such a name cannot hold, in names of roles, CSVs and accounts.
_ACCOUNTS: Final = (*NAMES, "CORP\\o'brien$(x)`", "CORP\\*", "CORP\\[a]%_", "user@corp.example")


@pytest.fixture(scope="module")
def named(stage: Stage) -> Scenario:
    """A cluster whose nodes are named so, with a VM and a CSV on each."""
    return parse_scenario(
        {
            "title": "named",
            "cluster": {"name": "CLU", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2aff0"},
            "nodes": {"names": list(NODES)},
            "csvs": [{"name": f"V{number}", "owner": name} for number, name in enumerate(NODES)],
            "vms": [
                {"name": f"VM{number}", "nodes": [name], "csvs": [f"V{number}"]} for number, name in enumerate(NODES)
            ],
        },
        "named",
    )


@pytest.mark.parametrize("name", NODES)
def test_names_of_nodes_come_out_as_they_are(stage: Stage, named: Scenario, name: str) -> None:
    """As host, member, owner of roles and CSVs, reader of CSVs and destination of a migration."""
    assert len(name) <= 15
    assert not set(name) & set('\\/:*?"<>|\n')
    world = stage.load(named)
    source, target = world.node(name), world.node(NODES[NODES.index(name) - 1])
    (vm,) = source.vms.values()
    with node_twin(stage, name) as twin:
        assert twin.differences() == []
        assert twin.module.sections["host"]["host"]["name"] == name

        def move() -> None:
            actions.migrate(world, vm, target)
            world.advance(0.5)

        twin.step(move)
        assert [job["destination"] for job in twin.module.sections["jobs"].values()] == [target.name]
    with cluster_twin(stage, name) as twin:
        assert twin.differences() == []
        sections = twin.module.sections
        assert set(sections["nodes"]) == set(NODES)
        assert sections["cluster"]["cluster"]["answered_by"] == name
        assert [set(one["nodes"]) for one in sections["io"].values()] == [set(NODES)] * len(NODES)
        assert {one["owner"] for one in sections["csvs"].values()} == set(NODES)
        assert all(role["owner"] == world.roles[key].owner.name for key, role in sections["roles"].items())
    assert stage.engine(name).call("Get-HvTuiInfo")["node"] == name


def _as(text: str) -> str:
    """A text as $name, by a way on which nothing of it is read as script, and as $quoted for WQL."""
    given = json.dumps(text).replace("'", "''")
    quoted = "$quoted = $name.Replace('\\', '\\\\').Replace(\"'\", \"\\'\")\n"
    return f"$name = ConvertFrom-Json -InputObject '{given}'\n{quoted}"


@pytest.mark.parametrize(
    ("command", "class_name"),
    [("Get-ClusterNode", "MSCluster_Node"), ("Get-ClusterGroup", "MSCluster_ResourceGroup")],
)
def test_a_name_given_to_the_cluster_matches_itself_only(
    hostile: Stage, named: Scenario, command: str, class_name: str
) -> None:
    """By a command that takes wildcards, escaped, and by an equality of WQL, quoted; never its near miss."""
    nodes = command == "Get-ClusterNode"
    world = hostile.load(named) if nodes else hostile.world
    names = NODES if nodes else [role.name for role in world.roles.values()]
    engine = hostile.engine(next(iter(world.nodes)))
    where = f"-Namespace 'root\\MSCluster' -ClassName '{class_name}' -Filter \"Name = '$quoted'\""
    for name in names:
        for script in (
            f"{command} -Name ([WildcardPattern]::Escape($name)) | ForEach-Object {{ $_.Name }}",
            f"Get-CimInstance {where} | ForEach-Object {{ $_.Name }}",
        ):
            result = engine.run(_as(name) + script)
            assert result.errors == []
            assert result.output == [name], script


def test_unescaped_a_name_takes_its_near_miss_along(stage: Stage, named: Scenario) -> None:
    """Why the test above must escape, and can fail."""
    stage.load(named)
    found = stage.engine("HV01").run("Get-ClusterNode -Name '[H]V01' | ForEach-Object { $_.Name }")
    assert sorted(found.output) == ["HV01", "[H]V01"]


@pytest.mark.parametrize("account", _ACCOUNTS)
def test_names_of_accounts_in_refusals(hostile: Stage, account: str) -> None:
    """A refusal names the account: its words come out as they are, in calls, in streams and in what an event says."""
    world = hostile.world
    words = f"The account '{account}' may not do that"
    refusal = LabError(words, "System.UnauthorizedAccessException", category="PermissionDenied")
    hostile.do(lambda: hostile.control.fail("HV01", "Get-Cluster", refusal))
    hostile.do(
        lambda: hostile.control.fail("HV01", "Get-CimInstance", refusal, match={"ClassName": "Msvm_ComputerSystem"})
    )
    engine = hostile.engine("HV01")
    told = [
        *engine.call("Get-HvTuiInfo")["errors"],
        *engine.call("Watch-HvTuiNode -Count 1")["errors"],
        *engine.call("Watch-HvTuiCluster -Count 1")["errors"],
    ]
    assert [(problem["part"], problem["kind"]) for problem in told] == [
        ("cluster", "denied"),
        ("vms", "denied"),
        ("cluster", "denied"),
    ]
    assert {problem["text"] for problem in told} == {words}
    assert world.commands.of("Get-Cluster")
