$common = [System.Management.Automation.PSCmdlet]::CommonParameters
foreach ($name in (Microsoft.PowerShell.Core\Get-Module -Name HvTui).ExportedFunctions.Keys | Sort-Object) {
    $command = Get-Command $name
    "$name $($command.CmdletBinding) $($command.DefaultParameterSet) $($command.OutputType.Name)"
    foreach ($p in $command.Parameters.Values) {
        if ($common -contains $p.Name) { continue }
        $rules = foreach ($a in $p.Attributes) {
            if ($a -is [ValidateRange]) { "$($a.MinRange)-$($a.MaxRange) $($a.MinRange.GetType())" }
            if ($a -is [ValidateSet]) { $a.ValidValues -join ',' }
            if ($a -is [Parameter]) { "mandatory $($a.Mandatory)" }
        }
        $default = $command.ScriptBlock.Ast.Body.ParamBlock.Parameters | Where-Object { $_.Name.VariablePath.UserPath -eq $p.Name }
        "  $($p.Name) $($p.ParameterType) $($rules -join '; ') = $($default.DefaultValue)"
    }
}
