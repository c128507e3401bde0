"""On a restricted endpoint (JEA, NoLanguage) the functions run; script text and everything else is refused."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from hvtui.model.records import EventPage, Info, NodeFrame
from hvtui.remote.contract import CONTRACT, FUNCTIONS
from tests.powershell.engine import MODULE, needs_engine, pwsh

pytestmark = needs_engine

CONFIGURATION = """
@{{
    SchemaVersion = '2.0.0.0'
    GUID = '0b1c2d3e-0000-4000-8000-000000000001'
    SessionType = 'RestrictedRemoteServer'
    LanguageMode = 'NoLanguage'
    ModulesToImport = '{module}'
    VisibleFunctions = {functions}
}}
"""

CALLS = """
param([string]$Configuration)
$iss = [initialsessionstate]::CreateFromSessionConfigurationFile($Configuration)
$space = [runspacefactory]::CreateRunspace($iss)
$space.Open()
function Invoke-Call([scriptblock]$Build) {
    $shell = [powershell]::Create()
    $shell.Runspace = $space
    & $Build $shell | Out-Null
    try { @{ out = @($shell.Invoke() | ForEach-Object { [string]$_ }); error = '' } }
    catch { @{ out = @(); error = $_.Exception.InnerException.ErrorRecord.FullyQualifiedErrorId } }
}
@{
    info = Invoke-Call { $args[0].AddCommand('Get-HvTuiInfo') }
    node = Invoke-Call { $args[0].AddCommand('Watch-HvTuiNode').AddParameter('Count', 1) }
    event = Invoke-Call { $args[0].AddCommand('Get-HvTuiEvent').AddParameter('Channel', 'System') }
    other = Invoke-Call { $args[0].AddCommand('Get-HvTuiEvent').AddParameter('Channel', 'Security') }
    private = Invoke-Call { $args[0].AddCommand('Read-HvTuiWriter') }
    process = Invoke-Call { $args[0].AddCommand('Get-Process') }
    script = Invoke-Call { $args[0].AddScript('$x = 1; $x') }
} | ConvertTo-Json -Depth 4
"""


def test_functions_run_and_nothing_else_does(tmp_path: Path) -> None:
    names = ", ".join(f"'{name}'" for name in FUNCTIONS)
    configuration = tmp_path / "HvTui.pssc"
    configuration.write_text(CONFIGURATION.format(module=MODULE, functions=names), encoding="utf-8")
    script = tmp_path / "calls.ps1"
    script.write_text(CALLS, encoding="utf-8")
    done = pwsh("-File", str(script), str(configuration))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    info = msgspec.json.decode(said["info"]["out"][0], type=Info)
    assert info.contract == CONTRACT
    # This engine has none of Windows' commands: the functions run to their end and say so.
    frame = msgspec.json.decode(said["node"]["out"][0], type=NodeFrame)
    assert (frame.kind, frame.vms) == ("full", None)
    assert {p.kind for p in frame.errors or []} == {"missing"}
    assert msgspec.json.decode(said["event"]["out"][0], type=EventPage).events is None
    assert said["other"]["error"].startswith("ParameterArgumentValidationError")
    assert said["private"]["error"] == "CommandNotFoundException"
    assert said["process"]["error"] == "CommandNotFoundException"
    assert "ScriptsNotAllowed" in said["script"]["error"]
