function Suspend-HvTuiNode {
    <#
    .SYNOPSIS
    Pauses this node and drains its roles, and returns at once.
    .DESCRIPTION
    Everything that the plan saw is read again in this call; on any difference it refuses and changes nothing.
    After the command the other nodes are read again. When another drain began at the same moment, the node with the higher id
    resumes itself without failback, and the answer says so; one with a lower id goes on only when it sees that.

    Where each field comes from:
      node, time        the computer's name, this node's clock
      cpu_ms            TotalProcessorTime of this session's process, since it was started
      function, operation  the function and OperationId
      outcome           started: Windows took the command and works on by itself; done; refused: nothing was changed
      rule, text, code  why it was refused: expect.<what differs>, busy, denied, forbidden, unread, windows, stood_down
      before            State and NodeDrainStatus of this MSCluster_Node; up: the other nodes that are Up, not isolated, not
                        quarantined, not draining
      after             the same
      command           the command as it was run; empty when none was
      recorded          whether the record in the Application log was written (provider HvTui)
      errors            what could not be read or recorded
    .PARAMETER ExpectState
    State of this node when the plan was made.
    .PARAMETER ExpectDrain
    Its NodeDrainStatus then.
    .PARAMETER ExpectUp
    Names of the other nodes that took roles then, joined by commas.
    .PARAMETER OperationId
    The operation this is a step of, a GUID; it goes into the record.
    .PARAMETER Actor
    Who acts, and from where.
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Suspend-HvTuiNode -ExpectState 0 -ExpectDrain 0 -ExpectUp HV02,HV03 -OperationId 0b0d1f5c-39a7-4f52-9f8e-6d1f6a2b7c01 -Actor 'anna@ADMIN7'
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [ValidateRange(-1, 3)] [int]$ExpectState,
        [Parameter(Mandatory = $true)] [ValidateRange(0, 3)] [int]$ExpectDrain,
        [Parameter(Mandatory = $true)] [AllowEmptyString()] [ValidatePattern('^([0-9A-Za-z_-]{1,63}(,[0-9A-Za-z_-]{1,63}){0,63})?$(?!\n)')] [string]$ExpectUp,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$OperationId,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[^\x00-\x1f\x7f]{1,200}$(?!\n)')] [string]$Actor
    )
    $action = Get-HvTuiAction -Function 'Suspend-HvTuiNode' -OperationId $OperationId -Actor $Actor
    try {
        Invoke-HvTuiSuspend -Action $action -ExpectState $ExpectState -ExpectDrain $ExpectDrain -ExpectUp $ExpectUp
    } catch {
        Resolve-HvTuiActionError -Action $action -ErrorRecord $_
    }
    Join-HvTuiAction -Action $action
}
