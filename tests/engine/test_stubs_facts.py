"""The generated commands and classes are what the facts say, in every version of Windows: asked of the engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hvtui.lab.pwsh import make_extract, stubs
from tests.engine.stub_session import EngineSession, engine

EXTRACT: dict[str, Any] = json.loads(make_extract.EXTRACT.read_text(encoding="utf-8"))
SUPPLEMENT: dict[str, Any] = json.loads(
    make_extract.EXTRACT.with_name("runtime").joinpath("supplement.json").read_text(encoding="utf-8")
)
# The Windows whose metadata the facts are; what another one has differs by its documents.
MEASURED = {"Hyper-V": "2019", "FailoverClusters": "2025"}

# Types that the facts name without their namespace; of the first nothing else is known.
SHORT = {
    "WorkgroupClusterAuthenticationMethod": "System.Object",
    "AdminAccessPoint": "Microsoft.FailoverClusters.PowerShell.AdminAccessPoint",
    "AdminAccessPointResType": "Microsoft.FailoverClusters.PowerShell.AdminAccessPointResType",
}

_BINDINGS = """
foreach ($command in Get-Command -Module '%s' -CommandType Cmdlet) {
    $about = [System.Management.Automation.CommandMetadata]::new($command)
    $parameters = [ordered]@{}
    foreach ($one in $command.Parameters.Values) {
        $sets = [ordered]@{}
        $marks = [System.Collections.Generic.List[string]]::new()
        foreach ($mark in $one.Attributes) {
            if ($mark -is [Parameter]) {
                $text = ''
                if ($mark.Mandatory) { $text += 'M' }
                if ($mark.Position -ge 0) { $text += 'P' + $mark.Position }
                if ($mark.ValueFromPipeline) { $text += 'V' }
                if ($mark.ValueFromPipelineByPropertyName) { $text += 'N' }
                $sets[$mark.ParameterSetName.Replace('__AllParameterSets', '*')] = $text
            } elseif ($mark -is [ValidateSet]) {
                $marks.Add('set ' + ($mark.ValidValues -join ' '))
            } elseif ($mark -is [ValidateRange]) {
                $marks.Add('range ' + $mark.MinRange + ' ' + $mark.MaxRange)
            } elseif ($mark -is [ValidateNotNullOrEmpty]) {
                $marks.Add('not empty')
            } elseif ($mark -is [ValidateNotNull]) {
                $marks.Add('not null')
            }
        }
        $parameters[$one.Name] = @{
            type = $one.ParameterType.FullName; sets = $sets; aliases = @($one.Aliases | Sort-Object)
            marks = @($marks | Sort-Object)
        }
    }
    @{
        name = $command.Name; asks = $about.SupportsShouldProcess; impact = [string]$about.ConfirmImpact
        default = [string]$command.DefaultParameterSet; parameters = $parameters
    } | ConvertTo-Json -Depth 6 -Compress
}
"""
_TYPE_OF = """
foreach ($text in @'
%s
'@ -split "`n") {
    $text = $text.Trim()
    # A nested type of the real module is a plain one here, and its CIM instances are the lab's.
    $plain = $text -replace '\\w+\\+', ''
    $plain = $plain -replace '^ciminstance', 'HvTuiLab.CimInstance'
    $plain = $plain -replace '^Microsoft\\.Management\\.Infrastructure\\.CimInstance', 'HvTuiLab.CimInstance'
    $plain = $plain.Replace('<', '[').Replace('>', ']')
    $type = $plain -as [type]
    if ($null -eq $type) { "$text=" } else { "$text=$($type.FullName)" }
}
"""
_COMMON = {
    *("Verbose", "Debug", "ErrorAction", "WarningAction", "InformationAction", "ProgressAction", "ErrorVariable"),
    *("WarningVariable", "InformationVariable", "OutVariable", "OutBuffer", "PipelineVariable", "WhatIf", "Confirm"),
}


@pytest.fixture(scope="module", params=stubs.VERSIONS)
def session(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineSession]:
    """An engine with the stub set of each version; nothing here asks the lab."""
    found = stubs.stub_set(request.param, pwsh=engine())
    with EngineSession(found, tmp_path_factory.mktemp("facts"), "127.0.0.1:9") as made:
        made.run("Import-Module FailoverClusters, Hyper-V, CimCmdlets, HvTuiWindows")
        yield made


@pytest.fixture(scope="module")
def bindings(session: EngineSession) -> dict[str, dict[str, Any]]:
    """Module to command to how it binds, as the engine sees it."""
    return {
        module: {one["name"]: one for one in map(json.loads, session.run(_BINDINGS % module))} for module in MEASURED
    }


def _documented(module: str, version: str) -> set[str]:
    return {
        name
        for name, entry in EXTRACT["documented"].items()
        if entry["module"] == module and any(version in group["versions"] for group in entry["groups"])
    }


@pytest.mark.parametrize("module", ["Hyper-V", "FailoverClusters"])
def test_a_version_has_the_commands_that_it_documents_and_none_that_only_others_do(
    session: EngineSession, bindings: dict[str, dict[str, Any]], module: str
) -> None:
    had = set(bindings[module])
    documented = _documented(module, session.version)
    assert documented - had == set()
    elsewhere = set().union(*(_documented(module, other) for other in stubs.VERSIONS)) - documented
    assert had & elsewhere == set()
    undocumented = had - documented
    assert bool(undocumented) == (session.version >= MEASURED[module])


@pytest.mark.parametrize("module", ["Hyper-V", "FailoverClusters"])
def test_a_parameter_that_a_version_does_not_document_is_there_from_the_measured_version_on(
    session: EngineSession, bindings: dict[str, dict[str, Any]], module: str
) -> None:
    had = bindings[module]
    for name in _documented(module, session.version) & set(EXTRACT["commands"]):
        group = next(one for one in EXTRACT["documented"][name]["groups"] if session.version in one["versions"])
        names = set(had[name]["parameters"]) - _COMMON
        told = set(group["parameters"]) - _COMMON
        assert told - names == set(), name
        if session.version < MEASURED[module]:
            assert names == told, name


@pytest.mark.parametrize("module", ["Hyper-V", "FailoverClusters"])
def test_binding_is_that_of_the_real_module(
    session: EngineSession, bindings: dict[str, dict[str, Any]], module: str
) -> None:
    had = bindings[module]
    types = _types(
        session, {one["type"] for name in had if name in EXTRACT["commands"] for one in _parameters(name).values()}
    )
    checked = 0
    for name, command in had.items():
        if name not in EXTRACT["commands"]:
            continue
        facts = EXTRACT["commands"][name]
        assert command["asks"] == facts["shouldProcess"], name
        if facts["shouldProcess"] and facts["impact"]:
            assert command["impact"] == facts["impact"], name
        assert command["default"] == (facts["default"] or ""), name
        for key, entry in _parameters(name).items():
            if key not in command["parameters"]:
                continue
            found = command["parameters"][key]
            assert found["sets"] == entry.get("sets", {"*": ""}), (name, key)
            assert found["type"] == (types[entry["type"]] or SHORT[entry["type"]]), (name, key)
            others = {one.lower() for one in command["parameters"]}
            assert found["aliases"] == sorted(one for one in entry.get("aliases", ()) if one.lower() not in others)
            assert sorted(found["marks"]) == _marks(entry), (name, key)
            checked += 1
    assert checked > 500


def _parameters(name: str) -> dict[str, Any]:
    found: dict[str, Any] = EXTRACT["commands"][name]["parameters"]
    return found


def _marks(entry: dict[str, Any]) -> list[str]:
    marks = []
    if entry.get("notEmpty"):
        marks.append("not empty")
    if entry.get("notNull"):
        marks.append("not null")
    if "range" in entry:
        marks.append(f"range {entry['range'][0]} {entry['range'][1]}")
    if "values" in entry:
        marks.append("set " + " ".join(entry["values"]))
    return sorted(marks)


def _types(session: EngineSession, texts: set[str]) -> dict[str, str]:
    lines = session.run(_TYPE_OF % "\n".join(sorted(texts)))
    return dict(line.split("=", 1) for line in lines)


def test_classes_have_the_real_properties_and_no_others(session: EngineSession) -> None:
    absent = SUPPLEMENT["absent"].get(session.version, {})
    classes = {name: facts for name, facts in EXTRACT["classes"].items() if ".Commands." not in name}
    names = "\n".join(classes)
    lines = session.run(
        f"foreach ($name in @'\n{names}\n'@ -split \"`n\") {{ $name = $name.Trim(); "
        "foreach ($one in ($name -as [type]).GetProperties()) { "
        "'{0}|{1}|{2}' -f $name, $one.Name, $one.PropertyType.FullName } }"
    )
    found: dict[str, dict[str, str]] = {name: {} for name in classes}
    for line in lines:
        name, member, kind = line.split("|")
        found[name][member] = kind
    types = _types(session, {kind for facts in classes.values() for kind in facts.values()})
    for name, facts in classes.items():
        expected = {key: types[kind] for key, kind in facts.items() if key not in absent.get(name, {})}
        assert found[name] == expected, name


def test_enums_have_the_real_names_and_numbers(session: EngineSession) -> None:
    names = "\n".join(EXTRACT["enums"])
    lines = session.run(
        f"foreach ($name in @'\n{names}\n'@ -split \"`n\") {{ $type = $name.Trim() -as [type]; "
        "foreach ($one in [enum]::GetNames($type)) { '{0}|{1}|{2}' -f $name.Trim(), $one, [long]($type::$one) } }"
    )
    found: dict[str, dict[str, int]] = {name: {} for name in EXTRACT["enums"]}
    for line in lines:
        name, member, number = line.split("|")
        found[name][member] = int(number)
    assert found == EXTRACT["enums"]
