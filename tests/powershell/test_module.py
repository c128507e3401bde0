"""The module as such: what it exports, both ways of getting it onto a node, its help, and the checks of its text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hvtui.model import guests, preflight, records, signals, vss_access
from hvtui.remote.contract import CONTRACT, FUNCTIONS, MODULE, Function
from hvtui.remote.module import module_hash, module_text
from tests.powershell import check, worlds
from tests.powershell.engine import MANIFEST, Engine, Runner, needs_engine, pwsh
from tests.powershell.engine import MODULE as FOLDER

FILES = sorted(FOLDER.rglob("*.ps*1"))
FORMS = ("installed", "sent")

DESCRIBE = """
Set-StrictMode -Version Latest
{load}
$module = Get-Module HvTui
$common = [System.Management.Automation.PSCmdlet]::CommonParameters
$all = foreach ($function in $module.ExportedFunctions.Values) {{
    $parameters = foreach ($p in $function.Parameters.Values) {{
        if ($common -contains $p.Name) {{ continue }}
        $ast = $function.ScriptBlock.Ast.Body.ParamBlock.Parameters |
            Where-Object {{ $_.Name.VariablePath.UserPath -eq $p.Name }}
        $range = $p.Attributes | Where-Object {{ $_ -is [ValidateRange] }}
        $set = $p.Attributes | Where-Object {{ $_ -is [ValidateSet] }}
        $pattern = $p.Attributes | Where-Object {{ $_ -is [ValidatePattern] }}
        [ordered]@{{
            name = $p.Name
            type = $p.ParameterType.Name
            mandatory = [bool]($p.Attributes | Where-Object {{ $_ -is [Parameter] -and $_.Mandatory }})
            default = if ($ast.DefaultValue) {{ $ast.DefaultValue.SafeGetValue() }} else {{ $null }}
            minimum = if ($range) {{ $range.MinRange }} else {{ $null }}
            maximum = if ($range) {{ $range.MaxRange }} else {{ $null }}
            choices = @(if ($set) {{ $set.ValidValues }})
            pattern = if ($pattern) {{ $pattern.RegexPattern }} else {{ '' }}
            empty = [bool]($p.Attributes | Where-Object {{ $_ -is [AllowEmptyString] }})
        }}
    }}
    @{{ name = $function.Name; parameters = @($parameters) }}
}}
@{{
    version = $module.Version.ToString()
    functions = @($all)
    other = @($module.ExportedCommands.Keys | Where-Object {{ $module.ExportedFunctions.Keys -notcontains $_ }})
}} | ConvertTo-Json -Depth 6
"""


def load(form: str, folder: Path) -> str:
    if form == "installed":
        return f"Import-Module '{MANIFEST}'"
    text = folder / "sent.ps1"
    text.write_text(module_text(), encoding="utf-8")
    return f". ([scriptblock]::Create((Get-Content -Raw -LiteralPath '{text}')))"


def declared(function: Function) -> list[dict[str, Any]]:
    return [
        {
            "name": p.name,
            "type": {
                "str": "String",
                "int": "Int64" if (p.maximum or 0) > 2**31 else "Int32",
                "GuestCredential": "PSCredential",
            }[p.type.__name__],
            "mandatory": p.mandatory,
            "default": p.default,
            "minimum": p.minimum,
            "maximum": p.maximum,
            "choices": list(p.choices),
            "pattern": p.pattern,
            "empty": p.may_be_empty,
        }
        for p in function.parameters
    ]


@needs_engine
@pytest.mark.parametrize("form", FORMS)
def test_exports_exactly_the_contract(form: str, tmp_path: Path) -> None:
    script = tmp_path / "describe.ps1"
    script.write_text(DESCRIBE.format(load=load(form, tmp_path)), encoding="utf-8")
    done = pwsh("-File", str(script))
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert said["other"] == []
    assert {f["name"]: f["parameters"] for f in said["functions"]} == {n: declared(f) for n, f in FUNCTIONS.items()}
    if form == "installed":
        assert said["version"] == CONTRACT


@needs_engine
@pytest.mark.parametrize("form", FORMS)
def test_strict_mode_holds_inside(form: str, tmp_path: Path) -> None:
    script = tmp_path / "strict.ps1"
    inside = "& (Get-Module HvTui) { try { $nobodySetThis; 'lax' } catch { $_.FullyQualifiedErrorId } }"
    script.write_text(f"{load(form, tmp_path)}\n{inside}", encoding="utf-8")
    assert pwsh("-File", str(script)).stdout.strip() == "VariableIsUndefined"


@needs_engine
def test_both_forms_answer_alike(engine: Engine, tmp_path: Path) -> None:
    sent = tmp_path / "sent.ps1"
    sent.write_text(module_text(), encoding="utf-8")
    answers = [
        [
            re.sub(r'"(tick_ms|interval_ms)":\d+', "", line)
            for command, world in (("Watch-HvTuiNode", worlds.node()), ("Watch-HvTuiCluster", worlds.cluster()))
            for line in Runner(engine, tmp_path, path).run(command, {"steps": [world, {"cim": {}}]}, Count=2)
        ]
        for path in (MANIFEST, sent)
    ]
    assert answers[0] == answers[1]
    assert len(answers[0]) == 4


def test_manifest_names_the_contract() -> None:
    text = MANIFEST.read_text(encoding="ascii")
    assert f"ModuleVersion        = '{CONTRACT}'" in text
    assert set(
        re.findall(r"'((?:Get|Watch|Move|Stop|Start|Suspend|Resume|Set|Remove|Restore|New)-HvTui\w+)'", text)
    ) == set(FUNCTIONS)
    assert FOLDER.name == MODULE


def test_sent_text_is_complete_and_without_help() -> None:
    text = module_text()
    for file in FILES:
        for name in re.findall(r"^function (\S+)", file.read_text(encoding="ascii"), re.MULTILINE):
            assert f"function {name} {{" in text
    assert "<#" not in text
    assert ".SYNOPSIS" not in text
    assert re.fullmatch("[0-9a-f]{64}", module_hash())


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_text_is_what_windows_powershell_reads_alike(file: Path) -> None:
    """5.1 reads a file without a mark in the machine's code page; a cmdlet is only ever asked of this node."""
    text = file.read_text(encoding="ascii")
    assert not re.search(r"\s-(ComputerName|Cluster|CimSession)\b", text)
    # check.ps1 reads literals, so every CIM call is written out, with its deadline.
    for call in re.findall(r"Get-CimInstance .*", text):
        assert "-OperationTimeoutSec" in call
        assert "-Property" in call


@needs_engine
def test_check_script_finds_nothing() -> None:
    if check.script() is None:
        pytest.skip("no check.ps1 beside pwsh")
    clean, said = check.check()
    assert clean, said


@needs_engine
def test_check_script_would_find_something(tmp_path: Path) -> None:
    if check.script() is None:
        pytest.skip("no check.ps1 beside pwsh")
    (tmp_path / "bad.ps1").write_text("Get-ClusterNode -Nam 'x'\nGet-Nothing\n", encoding="ascii")
    clean, said = check.check(tmp_path)
    assert not clean
    assert "Get-Nothing" in said


def test_list_entries_name_their_source() -> None:
    with pytest.raises(ValueError, match="names no source"):
        check.names('allow = [{ name = "vssadmin" }]', "allow")
    assert check.names('allow = [{ name = "x", source = "y" }]', "allow") == ["x"]
    assert check.names(check.LISTS.read_text(encoding="utf-8"), "guarded") == []


def fields(record: type[records.Record], skip: set[str]) -> list[str]:
    return [f.name for f in msgspec.structs.fields(record) if f.name not in skip]


SECTIONS: dict[str, dict[str, type[records.Record]]] = {
    "Watch-HvTuiNode": {
        "host": records.Host,
        "vms": records.Vm,
        "files": records.VmFiles,
        "jobs": records.Job,
        "load": records.Load,
    },
    "Watch-HvTuiCluster": {
        "cluster": records.ClusterInfo,
        "nodes": records.ClusterNode,
        "csvs": records.Csv,
        "io": records.CsvIo,
        "roles": records.Role,
    },
    "Get-HvTuiProvider": {"providers": records.Provider},
    "Get-HvTuiShadow": {"shadows": preflight.ShadowCopy},
    "Get-HvTuiHotfix": {"hotfixes": signals.HotfixEntry},
    "Get-HvTuiChain": {"disks": signals.ChainDisk},
    "Get-HvTuiEvent": {"events": records.Event},
    "Get-HvTuiPreflight": {"vms": preflight.VmPreflight, "node": preflight.NodePreflight},
    "Get-HvTuiVssAccess": {"entries": vss_access.VssAccessEntry, "services": vss_access.ServiceAccount},
    "Get-HvTuiGuest": {
        "volumes": guests.GuestVolume,
        "services": guests.GuestService,
        "storage": guests.ShadowStorage,
    },
    "Get-HvTuiGuestFile": {"files": guests.GuestFile},
    "Get-HvTuiForkCommit": {"signs": preflight.ForkSign, "searched": preflight.SearchedLog},
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_help_names_the_source_of_every_field(name: str) -> None:
    text = (FOLDER / "Public" / f"{name}.ps1").read_text(encoding="ascii")
    told = text.partition("Where each field comes from")[2].partition(".OUTPUTS")[0]
    assert told
    function = FUNCTIONS[name]
    wanted = [f"{section}.{f}" for section, record in SECTIONS.get(name, {}).items() for f in fields(record, set())]
    if not function.name.startswith("Watch-"):
        wanted += fields(function.result, {"v", "rights", *SECTIONS.get(name, {})})
    missing = [field for field in wanted if not re.search(rf"(?<![\w.]){re.escape(field)}(?![\w.])", told)]
    assert missing == []
    assert ".SYNOPSIS" in text
    for parameter in function.parameters:
        assert f".PARAMETER {parameter.name}\n" in text


@needs_engine
def test_windows_shows_the_help(tmp_path: Path) -> None:
    script = tmp_path / "help.ps1"
    lines = [f"Import-Module '{MANIFEST}'", *(f"(Get-Help {name}).Synopsis" for name in FUNCTIONS)]
    script.write_text("\n".join(lines), encoding="utf-8")
    done = pwsh("-File", str(script))
    synopses = [line for line in done.stdout.splitlines() if line]
    assert len(synopses) == len(FUNCTIONS)
    assert all(s.endswith(".") and not s.startswith(("Get-", "Watch-")) for s in synopses)
