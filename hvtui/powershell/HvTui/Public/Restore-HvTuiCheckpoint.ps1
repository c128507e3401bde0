function Restore-HvTuiCheckpoint {
    <#
    .SYNOPSIS
    Begins to apply a checkpoint to its VM, and returns at once. What the VM is now is lost.
    .DESCRIPTION
    Everything that the plan saw is read again in this call; on any difference it refuses and changes nothing. A VM that runs is
    saved first; afterwards it is off, or, when the checkpoint holds memory, it goes on from that memory.

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
    .PARAMETER ExpectState
    The VM's EnabledState when the plan was made.
    .PARAMETER ExpectSaved
    1 when the plan saw that the checkpoint holds memory, else 0.
    .PARAMETER OperationId
    The operation this is a step of, a GUID; it goes into the record.
    .PARAMETER Actor
    Who acts, and from where.
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Restore-HvTuiCheckpoint -VMId 5e4fd7a2-0c7c-4c39-9f3b-2b6a4f0d9d11 -CheckpointId 9a1d2c3b-7f64-4c8e-8e55-1b2c3d4e5f60 -ExpectState 2 -ExpectSaved 0 -OperationId 0b0d1f5c-39a7-4f52-9f8e-6d1f6a2b7c01 -Actor 'anna@ADMIN7'
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$VMId,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$CheckpointId,
        [Parameter(Mandatory = $true)] [ValidateRange(0, 65535)] [int]$ExpectState,
        [Parameter(Mandatory = $true)] [ValidateRange(0, 1)] [int]$ExpectSaved,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$OperationId,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[^\x00-\x1f\x7f]{1,200}$(?!\n)')] [string]$Actor
    )
    $action = Get-HvTuiAction -Function 'Restore-HvTuiCheckpoint' -OperationId $OperationId -Actor $Actor
    try {
        Invoke-HvTuiCheckpointRestore -Action $action -Id $VMId.ToLowerInvariant() -CheckpointId $CheckpointId.ToLowerInvariant() -ExpectState $ExpectState -ExpectSaved $ExpectSaved
    } catch {
        Resolve-HvTuiActionError -Action $action -ErrorRecord $_
    }
    Join-HvTuiAction -Action $action
}
