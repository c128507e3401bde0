function Get-HvTuiService {
    <#
    .SYNOPSIS
    One service of this node as it is now, as one JSON object.
    .DESCRIPTION
    Where each field comes from:
      time         this node's clock
      cpu_ms       TotalProcessorTime of this session's process, since it was started
      name         the parameter
      state, process_id, checkpoint, wait_hint, exit_code  Win32_Service State, ProcessId, CheckPoint, WaitHint, ExitCode
      started      start time of the process that Win32_Service names
      dependents   Get-Service -DependentServices: those that are not stopped
      errors       what of this could not be told, and why
    .PARAMETER Name
    The service.
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Get-HvTuiService -Name vmms
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [ValidateSet('vmms', 'VSS', 'swprv', 'CryptSvc', 'BITS', 'SQLWriter')] [string]$Name
    )
    $problems = New-Object -TypeName System.Collections.Generic.List[string]
    $found = @{ State = $null; ProcessId = $null; Started = $null; Item = $null }
    try {
        $found = Read-HvTuiServiceState -Name $Name -Problem $problems
    } catch {
        $problems.Add((Get-HvTuiProblem -Part 'service' -ErrorRecord $_))
    }
    $dependents = 'null'
    try {
        $dependents = ConvertTo-HvTuiList -Value @(Read-HvTuiDependent -Name $Name)
    } catch {
        $problems.Add((Get-HvTuiProblem -Part 'dependents' -ErrorRecord $_))
    }
    $more = foreach ($pair in ('checkpoint', 'CheckPoint'), ('wait_hint', 'WaitHint'), ('exit_code', 'ExitCode')) {
        '"' + $pair[0] + '":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $found.Item -Name $pair[1]))
    }
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"name":' + (ConvertTo-HvTuiString -Value $Name) +
        ',"state":' + (ConvertTo-HvTuiString -Value $found.State) + ',"process_id":' + (ConvertTo-HvTuiNumber -Value $found.ProcessId) +
        ',"started":' + (ConvertTo-HvTuiTime -Value $found.Started) + ',' + ($more -join ',') + ',"dependents":' + $dependents +
        ',"errors":[' + ($problems -join ',') + ']}'
}
