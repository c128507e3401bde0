function Get-HvTuiCheckpoint {
    <#
    .SYNOPSIS
    The checkpoints of one VM of this node, as one JSON object.
    .DESCRIPTION
    Where each field comes from (root\virtualization\v2):
      time, node           this node's clock, the computer's name
      cpu_ms               TotalProcessorTime of this session's process, since it was started
      vm                   the parameter
      name, state          Msvm_ComputerSystem ElementName, EnabledState
      checkpoint_type      Msvm_VirtualSystemSettingData UserSnapshotType of the VM: what a new checkpoint would be
      current              the checkpoint that the VM's Parent names; empty when it rests on none
      checkpoints          Msvm_VirtualSystemSettingData of each: InstanceID, ElementName, VirtualSystemType, IsSaved, CreationTime,
                           Parent, IsAutomaticSnapshot (null on a Windows without it)
      errors               what of this could not be read, and why
    .PARAMETER VMId
    The VM's GUID.
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Get-HvTuiCheckpoint -VMId 5e4fd7a2-0c7c-4c39-9f3b-2b6a4f0d9d11
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$VMId
    )
    $id = $VMId.ToLowerInvariant()
    $node = Get-HvTuiNodeName
    $problems = New-Object -TypeName System.Collections.Generic.List[string]
    $machine = $null
    $setting = $null
    $listed = 'null'
    try {
        $machine = Read-HvTuiCheckpointOwner -Id $id -Node $node
        try {
            $setting = Read-HvTuiCheckpointSetting -Id $id
            $listed = '[' + ($setting.Json -join ',') + ']'
        } catch {
            $problems.Add((Get-HvTuiProblem -Part 'checkpoints' -ErrorRecord $_))
        }
    } catch {
        $problems.Add((Get-HvTuiProblem -Part 'vms' -ErrorRecord $_))
    }
    $type = $null
    $current = $null
    if ($null -ne $setting) {
        $type = $setting.Type
        $current = $setting.Current
    }
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"node":' + (ConvertTo-HvTuiString -Value $node) + ',"vm":"' + $id +
        '","name":' + (ConvertTo-HvTuiString -Value (Get-HvTuiValue -Object $machine -Name 'ElementName')) +
        ',"state":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $machine -Name 'EnabledState')) +
        ',"checkpoint_type":' + (ConvertTo-HvTuiNumber -Value $type) + ',"current":' + (ConvertTo-HvTuiString -Value $current) +
        ',"checkpoints":' + $listed + ',"errors":[' + ($problems -join ',') + ']}'
}
