function Set-HvTuiCheckpointType {
    <#
    .SYNOPSIS
    Changes what new checkpoints of many VMs of this node are: one line a VM as it happens, and the end.
    .DESCRIPTION
    Each VM is read right before it is changed, and left alone when its type is not what the plan saw, when something works on
    it or when its role is locked. It is read again afterwards. After five failures one after the other it stops by itself. One
    record in the Application log stands for the whole call.

    Where each field comes from:
      node, time        the computer's name, this node's clock
      cpu_ms            TotalProcessorTime of this session's process, since it was started
      function, operation  the function and OperationId
      kind              vm; end, once and last
      vm                the VM's GUID
      outcome           done; refused: nothing was changed; failed: Windows said no. Of the end: done, or stopped
      rule, text, code  why it was refused or failed: expect.<what differs>, busy, denied, forbidden, unread, windows
      before, after     CheckpointType of Get-VM
      command           the command as it was run; empty when none was
      recorded          whether the record in the Application log was written (provider HvTui); null before there was one
      changed, refused, failed  how many so far
      errors            what could not be read or recorded
    .PARAMETER VM
    The VMs: GUID, the type it has and the one it is to get, as in GUID:3:5, joined by commas. 2 Disabled, 3 Production,
    4 ProductionOnly, 5 Standard.
    .PARAMETER OperationId
    The operation this is a step of, a GUID; it goes into the record.
    .PARAMETER Actor
    Who acts, and from where.
    .OUTPUTS
    One JSON string a line.
    .EXAMPLE
    Set-HvTuiCheckpointType -VM 5e4fd7a2-0c7c-4c39-9f3b-2b6a4f0d9d11:3:5 -OperationId 0b0d1f5c-39a7-4f52-9f8e-6d1f6a2b7c01 -Actor 'anna@ADMIN7'
    #>
    [CmdletBinding()]
    # A prompt would hang in a session without a person; the console has asked already.
    [System.Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}:[2-5]:[2-5](,[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}:[2-5]:[2-5]){0,1023}$(?!\n)')] [string]$VM,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$OperationId,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[^\x00-\x1f\x7f]{1,200}$(?!\n)')] [string]$Actor
    )
    $whole = Get-HvTuiAction -Function 'Set-HvTuiCheckpointType' -OperationId $OperationId -Actor $Actor
    Invoke-HvTuiCheckpointType -Whole $whole -Change $VM.Split(',')
}
