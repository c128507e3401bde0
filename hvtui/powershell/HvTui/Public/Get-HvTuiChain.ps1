function Get-HvTuiChain {
    <#
    .SYNOPSIS
    The chains of the virtual disks of one VM of this node, from the file in use to the base, as one JSON object.
    .DESCRIPTION
    Where each field comes from (root\virtualization\v2):
      time, node               this node's clock, the computer's name
      cpu_ms                   TotalProcessorTime of this session's process, since it was started
      vm                       the parameter
      name, state              Msvm_ComputerSystem ElementName, EnabledState
      checkpoints              how many Msvm_VirtualSystemSettingData of the VM are checkpoints, of whatever kind
      disks.attached           Msvm_StorageAllocationSettingData HostResource of the VM's own settings
      disks.files              Get-VHD ParentPath, FileSize, VhdType of that file and of its parents; whether
                               Msvm_StorageAllocationSettingData HostResource of a checkpoint names it
      errors                   what of this could not be read, and why
    .PARAMETER VMId
    The VM's GUID.
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Get-HvTuiChain -VMId 5e4fd7a2-0c7c-4c39-9f3b-2b6a4f0d9d11
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$VMId
    )
    $id = $VMId.ToLowerInvariant()
    $node = Get-HvTuiNodeName
    $problems = New-Object -TypeName System.Collections.Generic.List[string]
    $untold = New-Object -TypeName System.Collections.Generic.List[string]
    $machine = $null
    $checkpoints = $null
    $count = $null
    $disks = 'null'
    try {
        $machine = Read-HvTuiCheckpointOwner -Id $id -Node $node
    } catch {
        $problems.Add((Get-HvTuiProblem -Part 'vms' -ErrorRecord $_))
    }
    if ($null -ne $machine) {
        try {
            $checkpoints = (Read-HvTuiCheckpointSetting -Id $id).Id
            $count = $checkpoints.Count
        } catch {
            $problems.Add((Get-HvTuiProblem -Part 'checkpoints' -ErrorRecord $_))
        }
        try {
            $disk = Read-HvTuiVmDisk -Id $id -Checkpoint $checkpoints
            $known = @{}
            $texts = foreach ($path in $disk.Attached) { Join-HvTuiDiskChain -Disk $disk -Known $known -Path $path -Problem $untold }
            $disks = '[' + (@($texts) -join ',') + ']'
        } catch {
            $problems.Add((Get-HvTuiProblem -Part 'disks' -ErrorRecord $_))
        }
        foreach ($text in $untold) { $problems.Add($text) }
    }
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"node":' + (ConvertTo-HvTuiString -Value $node) + ',"vm":"' + $id +
        '","name":' + (ConvertTo-HvTuiString -Value (Get-HvTuiValue -Object $machine -Name 'ElementName')) + ',"state":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $machine -Name 'EnabledState')) +
        ',"checkpoints":' + (ConvertTo-HvTuiNumber -Value $count) + ',"disks":' + $disks + ',"errors":[' + ($problems -join ',') + ']}'
}
