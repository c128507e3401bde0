function Move-HvTuiCsv {
    <#
    .SYNOPSIS
    Makes another node the coordinator of a Cluster Shared Volume; VMs keep running where they are.
    .DESCRIPTION
    Everything that the plan saw is read again in this call; on any difference it refuses and changes nothing.
    Refused while a backup of the volume runs.

    Where each field comes from:
      node, time        the computer's name, this node's clock
      cpu_ms            TotalProcessorTime of this session's process, since it was started
      function, operation  the function and OperationId
      outcome           started: Windows took the command and works on by itself; done; refused: nothing was changed
      rule, text, code  why it was refused: expect.<what differs>, busy, denied, forbidden, unread, windows
      before            OwnerNode and State of Get-ClusterSharedVolume, BackupState of MSCluster_ClusterSharedVolume; State,
                        StatusInformation and NodeDrainStatus of the target's MSCluster_Node
      after             OwnerNode
      command           the command as it was run; empty when none was
      recorded          whether the record in the Application log was written (provider HvTui)
      errors            what could not be read or recorded
    .PARAMETER CsvId
    GUID of the CSV's cluster resource.
    .PARAMETER Node
    The node to coordinate it.
    .PARAMETER ExpectOwner
    Its owner when the plan was made.
    .PARAMETER OperationId
    The operation this is a step of, a GUID; it goes into the record.
    .PARAMETER Actor
    Who acts, and from where.
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Move-HvTuiCsv -CsvId 0a1b2c3d-0c7c-4c39-9f3b-2b6a4f0d9d11 -Node HV02 -ExpectOwner HV01 -OperationId 0b0d1f5c-39a7-4f52-9f8e-6d1f6a2b7c01 -Actor 'anna@ADMIN7'
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$CsvId,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9A-Za-z_-]{1,63}$(?!\n)')] [string]$Node,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9A-Za-z_-]{1,63}$(?!\n)')] [string]$ExpectOwner,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$OperationId,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[^\x00-\x1f\x7f]{1,200}$(?!\n)')] [string]$Actor
    )
    $action = Get-HvTuiAction -Function 'Move-HvTuiCsv' -OperationId $OperationId -Actor $Actor
    try {
        Invoke-HvTuiCsvMove -Action $action -Id $CsvId.ToLowerInvariant() -Node $Node -ExpectOwner $ExpectOwner
    } catch {
        Resolve-HvTuiActionError -Action $action -ErrorRecord $_
    }
    Join-HvTuiAction -Action $action
}
