# Get-HvTuiCheckpoint: the checkpoints of one VM out of one question to VMMS, with a deadline.

$script:CheckpointKinds = @{
    'Realized' = 0; 'Recovery' = 1; 'Planned' = 2; 'Missing' = 5
    'Replica:Standard' = 6; 'Replica:ApplicationConsistent' = 7; 'Replica:PlannedFailover' = 8
}

function Read-HvTuiCheckpointOwner {
    <#
    .SYNOPSIS
    The VM; throws when this node does not have it, or shows nothing to this account.
    #>
    param([string]$Id, [string]$Node)
    $machine = $null
    $seen = $false
    $own = $Node.Replace('\', '\\').Replace("'", "\'")
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_ComputerSystem' -Filter "Name = '$Id' OR Name = '$own'" -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'ElementName', 'EnabledState') {
        $seen = $true
        if ([string]::Equals($one.Name, $Id, [System.StringComparison]::OrdinalIgnoreCase)) { $machine = $one }
    }
    if (-not $seen) { throw (New-Object -TypeName System.UnauthorizedAccessException -ArgumentList 'root\virtualization\v2 shows nothing to this account') }
    if ($null -eq $machine) { throw (New-Object -TypeName System.MissingMemberException -ArgumentList "$Node has no VM $Id") }
    $machine
}

function Read-HvTuiCheckpointSetting {
    <#
    .SYNOPSIS
    What a new checkpoint of the VM would be, which one it runs on, and all of them, as GUIDs and as JSON.
    #>
    param([string]$Id)
    $found = @{ Type = $null; Current = $null; Id = New-Object -TypeName System.Collections.Generic.List[string]; Json = New-Object -TypeName System.Collections.Generic.List[string] }
    try {
        $settings = @(Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_VirtualSystemSettingData' -Filter "VirtualSystemIdentifier = '$Id'" -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'ElementName', 'VirtualSystemType', 'UserSnapshotType', 'IsSaved', 'CreationTime', 'Parent', 'IsAutomaticSnapshot')
    } catch {
        # Windows Server 2016 does not know the last of them, and refuses a question that names it.
        if ((Get-HvTuiErrorCode -ErrorRecord $_) -ne '0x80041017') { throw }
        $settings = @(Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_VirtualSystemSettingData' -Filter "VirtualSystemIdentifier = '$Id'" -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'ElementName', 'VirtualSystemType', 'UserSnapshotType', 'IsSaved', 'CreationTime', 'Parent')
    }
    foreach ($one in $settings) {
        $type = [string]$one.VirtualSystemType
        $parent = "$(ConvertTo-HvTuiGuid -Value $one.Parent)"
        if ($type -eq 'Microsoft:Hyper-V:System:Realized') {
            $found.Type = $one.UserSnapshotType
            $found.Current = $parent
        } elseif ($type.StartsWith('Microsoft:Hyper-V:Snapshot:', [System.StringComparison]::Ordinal)) {
            $kind = $script:CheckpointKinds[$type.Substring(27)]
            # A kind that no document lists: kept and shown as a number that is none of them.
            if ($null -eq $kind) { $kind = 9999 }
            $found.Id.Add("$(ConvertTo-HvTuiGuid -Value $one.InstanceID)")
            $found.Json.Add('{"id":' + (ConvertTo-HvTuiString -Value (ConvertTo-HvTuiGuid -Value $one.InstanceID)) + ',"name":' + (ConvertTo-HvTuiString -Value $one.ElementName) +
                ',"type":' + (ConvertTo-HvTuiNumber -Value $kind) + ',"saved":' + (ConvertTo-HvTuiBoolean -Value $one.IsSaved) +
                ',"created":' + (ConvertTo-HvTuiTime -Value $one.CreationTime) + ',"parent":' + (ConvertTo-HvTuiString -Value $parent) +
                ',"automatic":' + (ConvertTo-HvTuiBoolean -Value (Get-HvTuiValue -Object $one -Name 'IsAutomaticSnapshot')) + '}')
        }
    }
    if ($null -eq $found.Current) { throw (Get-HvTuiAbsence -Name 'Msvm_VirtualSystemSettingData') }
    $found
}
