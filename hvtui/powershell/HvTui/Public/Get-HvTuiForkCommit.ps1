function Get-HvTuiForkCommit {
    <#
    .SYNOPSIS
    Signs of an uncommitted fork in the whole of the VMMS-Admin and Worker-Admin logs of this node, as one JSON object.
    .DESCRIPTION
    A sign is event 3216, or any event that carries 0x80048102, 0x800480BD, 0x800480BC or 0x800703EE.

    Where each field comes from (all of Get-WinEvent):
      time               this node's clock
      cpu_ms             TotalProcessorTime of this session's process, since it was started
      signs.vm           VmId in UserData or EventData; empty when the event names none
      signs.channel      the log
      signs.record, signs.id, signs.time  RecordId, Id, TimeCreated
      signs.code         the first of the four codes in the data; empty when it has none
      searched.channel   the log
      searched.oldest    TimeCreated of the oldest record looked at
      searched.wrapped   whether older records are gone, or were too many to be looked at
      errors             which log could not be read, and why
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Get-HvTuiForkCommit
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param()
    $problems = New-Object -TypeName System.Collections.Generic.List[string]
    $signs = New-Object -TypeName System.Collections.Generic.List[string]
    $logs = foreach ($channel in 'Microsoft-Windows-Hyper-V-VMMS-Admin', 'Microsoft-Windows-Hyper-V-Worker-Admin') {
        $oldest = $null
        $wrapped = $null
        try {
            $search = Read-HvTuiForkSign -Channel $channel
            $oldest = $search.Oldest
            $wrapped = $search.Wrapped
            foreach ($text in $search.Sign) { $signs.Add($text) }
        } catch {
            $problems.Add((Get-HvTuiProblem -Part $channel -ErrorRecord $_))
        }
        '{"channel":' + (ConvertTo-HvTuiString -Value $channel) + ',"oldest":' + (ConvertTo-HvTuiTime -Value $oldest) + ',"wrapped":' + (ConvertTo-HvTuiBoolean -Value $wrapped) + '}'
    }
    $found = 'null'
    if ($problems.Count -eq 0) { $found = '[' + ($signs -join ',') + ']' }
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"signs":' + $found + ',"searched":[' + ($logs -join ',') + '],"errors":[' + ($problems -join ',') + ']}'
}
