"""The scripts that the tests' labs accept beside the module, and where the engines of a lab are found."""

from __future__ import annotations

import hashlib
from typing import Final

from pypsrp.powershell import PowerShell, RunspacePool

from hvtui.lab.serve import Lab
from hvtui.remote.packaged import module_hash

TICKS: Final = '1..30 | ForEach-Object { "tick $_"; Start-Sleep -Milliseconds 20 }'
FLOOD: Final = "while ($true) { 'x' * 100000 }"
EVER: Final = "'begun'; Start-Sleep -Seconds 1000"
CULTURE: Final = "Get-Module | Out-Null; (1.5).ToString(); ([datetime]'2026-01-02').ToString('yyyy'); (-1).ToString()"
ENVIRONMENT: Final = "$env:PSModulePath; $env:PATH; $env:POWERSHELL_TELEMETRY_OPTOUT; $env:HVTUI_LAB_CONTROL"
WORDS: Final = (
    "'\u4e16\u754c \U0001f600 \"quoted\" <&> ' + [char]27; "
    "[Console]::Error.WriteLine('a complaint'); Write-Error 'not fatal'"
)

EXPORTS: Final = r"""
$common = [System.Management.Automation.PSCmdlet]::CommonParameters
$functions = @{}
foreach ($function in (Get-Module -Name HvTui).ExportedCommands.Values) {
    $defaults = @{}
    foreach ($one in $function.ScriptBlock.Ast.Body.ParamBlock.Parameters) {
        if ($one.DefaultValue) { $defaults[$one.Name.VariablePath.UserPath] = $one.DefaultValue.SafeGetValue() }
    }
    $functions[$function.Name] = @(
        foreach ($one in $function.Parameters.Values | Where-Object Name -NotIn $common) {
            $range = $one.Attributes | Where-Object { $_ -is [System.Management.Automation.ValidateRangeAttribute] }
            $set = $one.Attributes | Where-Object { $_ -is [System.Management.Automation.ValidateSetAttribute] }
            $pattern = $one.Attributes | Where-Object { $_ -is [System.Management.Automation.ValidatePatternAttribute] }
            @{
                name = $one.Name; type = $one.ParameterType.FullName; default = $defaults[$one.Name]
                minimum = $range.MinRange; maximum = $range.MaxRange; choices = @($set.ValidValues)
                pattern = [string]$pattern.RegexPattern
                mandatory = [bool]($one.Attributes | Where-Object { $_.Mandatory })
            }
        }
    )
}
ConvertTo-Json -InputObject $functions -Depth 5 -Compress
"""
"""What the loaded module exports, with everything its parameters say of themselves."""


def accepted() -> frozenset[str]:
    """The hashes of these scripts and of the module's text."""
    texts = (TICKS, FLOOD, EVER, CULTURE, ENVIRONMENT, WORDS, EXPORTS)
    return frozenset({module_hash(), *(hashlib.sha256(text.encode()).hexdigest() for text in texts)})


def engines(lab: Lab) -> list[int]:
    """Process ids of the engines that run for a lab."""
    return lab.on_loop(lambda: [pid for session in lab.host.sessions if (pid := session.pid) is not None])


def begin_script(pool: RunspacePool, text: str) -> PowerShell:
    """Start script text."""
    shell = PowerShell(pool)
    shell.add_script(text)
    shell.begin_invoke()
    return shell
