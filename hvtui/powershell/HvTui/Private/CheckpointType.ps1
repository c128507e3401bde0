# Set-HvTuiCheckpointType: one VM after the other, each read, compared, changed and read again; a line for each.

# Failures one after the other after which it stops by itself.
$script:FailuresInARow = 5

function Invoke-HvTuiOneCheckpointType {
    <#
    .SYNOPSIS
    Changes the type of one VM's checkpoints, if it is what the plan saw and nothing works on the VM.
    #>
    param([hashtable]$Whole, [hashtable]$Action, [string]$Id, [int]$From, [int]$To, [int]$Count)
    $read = Read-HvTuiFreeVm -Action $Action -Id $Id
    if ($null -eq $read) { return }
    $vm = $read.Vm
    $type = [int]$vm.CheckpointType
    $Action.Before['checkpoint_type'] = $type
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'checkpoint_type' -Expected $From -Found $type)) { return }
    if ($From -eq $To) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text 'it is of that type already'
        return
    }
    $name = switch ($To) { 2 { 'Disabled' } 3 { 'Production' } 4 { 'ProductionOnly' } 5 { 'Standard' } }
    # One record for all of them, before the first is changed.
    if ($null -eq $Whole.Recorded) {
        $Whole.Command = "Set-VM -VM ... -CheckpointType ..., for up to $Count VMs"
        Write-HvTuiRecord -Action $Whole
    }
    $Action.Recorded = $Whole.Recorded
    $Action.Command = "Set-VM -VM $Id -CheckpointType $name"
    $Action.Part = ''
    $Action.Outcome = 'done'
    try {
        Set-VM -VM $vm -CheckpointType $name
    } catch {
        $Action.Outcome = 'failed'
        Resolve-HvTuiActionError -Action $Action -ErrorRecord $_
    }
    Read-HvTuiAfter -Action $Action -Reader {
        foreach ($one in Get-VM -Id $Id) { $Action.After['checkpoint_type'] = [int]$one.CheckpointType }
    }
    $after = $Action.After['checkpoint_type']
    if ($Action.Outcome -eq 'done' -and $null -ne $after -and $after -ne $To) {
        $Action.Outcome = 'failed'
        Deny-HvTuiAction -Action $Action -Rule 'windows' -Text "its type is $after after the command"
    }
}

function Invoke-HvTuiCheckpointType {
    <#
    .SYNOPSIS
    Set-HvTuiCheckpointType: the line of each VM as it happens, and the end.
    #>
    param([hashtable]$Whole, [string[]]$Change)
    $count = @{ Changed = 0; Refused = 0; Failed = 0 }
    $row = 0
    $Whole.Outcome = 'done'
    foreach ($pair in $Change) {
        $part = $pair.ToLowerInvariant().Split(':')
        $action = Get-HvTuiAction -Function $Whole.Function -OperationId $Whole.Operation -Actor $Whole.Actor
        $action.Recorded = $Whole.Recorded
        try {
            Invoke-HvTuiOneCheckpointType -Whole $Whole -Action $action -Id $part[0] -From $part[1] -To $part[2] -Count $Change.Count
        } catch {
            Resolve-HvTuiActionError -Action $action -ErrorRecord $_
        }
        if ($action.Outcome -eq 'failed') {
            $count.Failed++
            $row++
        } elseif ($action.Outcome -eq 'done') {
            $count.Changed++
            $row = 0
        } else {
            $count.Refused++
        }
        Join-HvTuiPolicyLine -Action $action -Kind 'vm' -Id $part[0] -Count $count
        if ($row -ge $script:FailuresInARow) {
            $Whole.Outcome = 'stopped'
            break
        }
    }
    Join-HvTuiPolicyLine -Action $Whole -Kind 'end' -Id '' -Count $count
}

function Join-HvTuiPolicyLine {
    <#
    .SYNOPSIS
    One line as JSON.
    #>
    param([hashtable]$Action, [string]$Kind, [string]$Id, [hashtable]$Count)
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"node":' + (ConvertTo-HvTuiString -Value $Action.Node) +
        ',"function":' + (ConvertTo-HvTuiString -Value $Action.Function) + ',"operation":' + (ConvertTo-HvTuiString -Value $Action.Operation) +
        ',"kind":"' + $Kind + '","vm":"' + $Id + '","outcome":' + (ConvertTo-HvTuiString -Value $Action.Outcome) +
        ',"rule":' + (ConvertTo-HvTuiString -Value $Action.Rule) + ',"text":' + (ConvertTo-HvTuiString -Value $Action.Text) +
        ',"code":' + (ConvertTo-HvTuiString -Value $Action.Code) + ',"before":' + (ConvertTo-HvTuiNumber -Value $Action.Before['checkpoint_type']) +
        ',"after":' + (ConvertTo-HvTuiNumber -Value $Action.After['checkpoint_type']) + ',"command":' + (ConvertTo-HvTuiString -Value $Action.Command) +
        ',"recorded":' + (ConvertTo-HvTuiBoolean -Value $Action.Recorded) + ',"changed":' + (ConvertTo-HvTuiNumber -Value $Count.Changed) +
        ',"refused":' + (ConvertTo-HvTuiNumber -Value $Count.Refused) + ',"failed":' + (ConvertTo-HvTuiNumber -Value $Count.Failed) +
        ',"errors":[' + ($Action.Problem -join ',') + ']}'
}
