function Remove-HvTuiCheckpoint {
    <#
    .SYNOPSIS
    Begins to remove one checkpoint of a VM of this node, and returns at once. Its disks are merged afterwards.
    .DESCRIPTION
    Everything that the plan saw is read again in this call; on any difference it refuses and changes nothing. Checkpoints that
    rest on it stay.

    Where each field comes from:
      node, time        the computer's name, this node's clock
      cpu_ms            TotalProcessorTime of this session's process, since it was started
      function, operation  the function and OperationId
      outcome           started: Windows took the command and works on by itself; refused: nothing was changed
      rule, text, code  why it was refused: expect.<what differs>, busy, denied, forbidden, unread, windows
      before            EnabledState and OperationalStatus of Msvm_ComputerSystem; OwnerNode and StatusInformation of
                        Get-ClusterGroup; Name, SnapshotType, State (saved: 1 unless Off) of Get-VMSnapshot, and how
                        many rest on it
      after             EnabledState and OperationalStatus of Msvm_ComputerSystem
      command           the command as it was run; empty when none was
      recorded          whether the record in the Application log was written (provider HvTui)
      errors            what could not be read or recorded
    .PARAMETER VMId
    The VM's GUID.
    .PARAMETER CheckpointId
    The checkpoint's GUID.
    .PARAMETER ExpectType
    The checkpoint's SnapshotType when the plan was made: 0 Standard, 1 Recovery.
    .PARAMETER ExpectChildren
    How many checkpoints rested on it then.
    .PARAMETER OperationId
    The operation this is a step of, a GUID; it goes into the record.
    .PARAMETER Actor
    Who acts, and from where.
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Remove-HvTuiCheckpoint -VMId 5e4fd7a2-0c7c-4c39-9f3b-2b6a4f0d9d11 -CheckpointId 9a1d2c3b-7f64-4c8e-8e55-1b2c3d4e5f60 -ExpectType 1 -ExpectChildren 0 -OperationId 0b0d1f5c-39a7-4f52-9f8e-6d1f6a2b7c01 -Actor 'anna@ADMIN7'
    #>
    [CmdletBinding()]
    # A prompt would hang in a session without a person; the console has asked already.
    [System.Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$VMId,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$CheckpointId,
        [Parameter(Mandatory = $true)] [ValidateRange(0, 8)] [int]$ExpectType,
        [Parameter(Mandatory = $true)] [ValidateRange(0, 50)] [int]$ExpectChildren,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$OperationId,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[^\x00-\x1f\x7f]{1,200}$(?!\n)')] [string]$Actor
    )
    $action = Get-HvTuiAction -Function 'Remove-HvTuiCheckpoint' -OperationId $OperationId -Actor $Actor
    try {
        Invoke-HvTuiCheckpointRemoval -Action $action -Id $VMId.ToLowerInvariant() -CheckpointId $CheckpointId.ToLowerInvariant() -ExpectType $ExpectType -ExpectChildren $ExpectChildren
    } catch {
        Resolve-HvTuiActionError -Action $action -ErrorRecord $_
    }
    Join-HvTuiAction -Action $action
}
