function Remove-HvTuiVssAccess {
    <#
    .SYNOPSIS
    Removes the entry of one account under VssAccessControl of this node, and no other.
    .DESCRIPTION
    Everything that the plan saw is read again in this call; on any difference it refuses and changes nothing. The name is
    taken as it is, never as a wildcard. Entries that Windows ships are never removed; one whose account is gone is.

    Where each field comes from:
      node, time        the computer's name, this node's clock
      cpu_ms            TotalProcessorTime of this session's process, since it was started
      function, operation  the function and OperationId
      outcome           done; refused: nothing was changed
      rule, text, code  why it was refused: expect.<what differs>, busy, denied, forbidden, unread, windows
      before, after     value: what the entry says, -1 for no entry, null for no such right; before also sid: what the
                        account's name stands for on this node, empty for nobody
      command           the command as it was run; empty when none was
      recorded          whether the record in the Application log was written (provider HvTui)
      errors            what could not be read or recorded
    .PARAMETER Account
    The name of the entry.
    .PARAMETER ExpectValue
    What the entry said when the plan was made.
    .PARAMETER OperationId
    The operation this is a step of, a GUID; it goes into the record.
    .PARAMETER Actor
    Who acts, and from where.
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Remove-HvTuiVssAccess -Account 'CORP\svc-replay' -ExpectValue 1 -OperationId 0b0d1f5c-39a7-4f52-9f8e-6d1f6a2b7c01 -Actor 'anna@ADMIN7'
    #>
    [CmdletBinding()]
    # A prompt would hang in a session without a person; the console has asked already.
    [System.Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [ValidatePattern('^[^\x00-\x1f\x7f]{1,256}$(?!\n)')] [string]$Account,
        [Parameter(Mandatory = $true)] [ValidateRange(0, 3)] [int]$ExpectValue,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$OperationId,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[^\x00-\x1f\x7f]{1,200}$(?!\n)')] [string]$Actor
    )
    $wish = @{ Account = $Account; ExpectValue = $ExpectValue }
    $action = Get-HvTuiAction -Function 'Remove-HvTuiVssAccess' -OperationId $OperationId -Actor $Actor
    try {
        Invoke-HvTuiAlone -Action $action -Block { Invoke-HvTuiVssAccessRemove -Action $action -Wish $wish }
    } catch {
        Resolve-HvTuiActionError -Action $action -ErrorRecord $_
    }
    Join-HvTuiAction -Action $action
}
