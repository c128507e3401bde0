function Get-HvTuiVssAccess {
    <#
    .SYNOPSIS
    Who may take part in VSS on this node, and which services run as somebody of their own, as one JSON object.
    .DESCRIPTION
    Where each field comes from (the key is HKLM:\SYSTEM\CurrentControlSet\Services\VSS\VssAccessControl):
      node, time           the computer's name, this node's clock
      cpu_ms               TotalProcessorTime of this session's process, since it was started
      key                  whether Get-Item finds the key
      entries.account      the name of a value
      entries.value        its number: 0 denied, 1 writer, 2 requester, 3 both; null when it is none of these
      entries.sid          what the account's name stands for (NTAccount.Translate); empty: nobody; null: not told
      services.name, services.display, services.account, services.state  Win32_Service Name, DisplayName, StartName,
                           State, of those that run neither as LocalSystem nor as LocalService or NetworkService
      errors               what of this could not be told, and why
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Get-HvTuiVssAccess
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()
    $problems = New-Object -TypeName System.Collections.Generic.List[string]
    $there = $null
    $entries = 'null'
    try {
        $key = Read-HvTuiVssAccessKey
        $there = $null -ne $key
        $entries = '[]'
        if ($there) { $entries = '[' + (@(Read-HvTuiVssAccessEntry -Key $key -Problem $problems) -join ',') + ']' }
    } catch {
        $there = $null
        $entries = 'null'
        $problems.Add((Get-HvTuiProblem -Part 'entries' -ErrorRecord $_))
    }
    $services = 'null'
    try {
        $services = '[' + (@(Read-HvTuiServiceAccount) -join ',') + ']'
    } catch {
        $problems.Add((Get-HvTuiProblem -Part 'services' -ErrorRecord $_))
    }
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"node":' + (ConvertTo-HvTuiString -Value (Get-HvTuiNodeName)) +
        ',"key":' + (ConvertTo-HvTuiBoolean -Value $there) + ',"entries":' + $entries + ',"services":' + $services + ',"errors":[' + ($problems -join ',') + ']}'
}
