function Stop-HvTuiService {
    <#
    .SYNOPSIS
    Asks a service of this node to stop, and returns at once; nothing is ever ended by force.
    .DESCRIPTION
    Everything that the plan saw is read again in this call; on any difference it refuses and changes nothing.
    VMMS is stopped only when the node is paused, its drain is completed, no VM of the cluster is left on it and no job of
    Hyper-V runs; VMs that are no roles stay behind in every drain, and go on without VMMS;
    another service only when none that depends on it runs, and no job of Hyper-V.

    Where each field comes from:
      node, time        the computer's name, this node's clock
      cpu_ms            TotalProcessorTime of this session's process, since it was started
      function, operation  the function and OperationId
      outcome           started: Windows took the command and works on by itself; done; refused: nothing was changed
      rule, text, code  why it was refused: expect.<what differs>, busy, denied, forbidden, unread, windows
      before, after     State and ProcessId of Win32_Service, start of that process; before also State and NodeDrainStatus of
                        this MSCluster_Node, the number of VMs left (those that MSCluster_Resource PrivateProperties
                        names) and of running jobs, as far as they were asked
      command           the command as it was run; empty when none was
      recorded          whether the record in the Application log was written (provider HvTui)
      errors            what could not be read or recorded
    .PARAMETER Name
    The service.
    .PARAMETER ExpectState
    Its State when the plan was made.
    .PARAMETER ExpectProcessId
    Its ProcessId then; 0 for none.
    .PARAMETER ExpectStarted
    When its process began, UTC; empty for none.
    .PARAMETER OperationId
    The operation this is a step of, a GUID; it goes into the record.
    .PARAMETER Actor
    Who acts, and from where.
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Stop-HvTuiService -Name vmms -ExpectState Running -ExpectProcessId 2412 -ExpectStarted 2026-03-01T07:15:02.123Z -OperationId 0b0d1f5c-39a7-4f52-9f8e-6d1f6a2b7c01 -Actor 'anna@ADMIN7'
    #>
    [CmdletBinding()]
    # A prompt would hang in a session without a person; the console has asked already.
    [System.Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [ValidateSet('vmms', 'VSS', 'swprv', 'CryptSvc', 'BITS', 'SQLWriter')] [string]$Name,
        [Parameter(Mandatory = $true)] [ValidateSet('Stopped', 'Start Pending', 'Stop Pending', 'Running', 'Continue Pending', 'Pause Pending', 'Paused')] [string]$ExpectState,
        [Parameter(Mandatory = $true)] [ValidateRange(0, 1000000000)] [int]$ExpectProcessId,
        [Parameter(Mandatory = $true)] [AllowEmptyString()] [ValidatePattern('^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,7})?Z)?$(?!\n)')] [string]$ExpectStarted,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$OperationId,
        [Parameter(Mandatory = $true)] [ValidatePattern('^[^\x00-\x1f\x7f]{1,200}$(?!\n)')] [string]$Actor
    )
    $seen = @{ Name = $Name; State = $ExpectState; ProcessId = $ExpectProcessId; Started = $ExpectStarted }
    $action = Get-HvTuiAction -Function 'Stop-HvTuiService' -OperationId $OperationId -Actor $Actor
    try {
        Invoke-HvTuiAlone -Action $action -Block { Invoke-HvTuiServiceStop -Action $action -Seen $seen }
    } catch {
        Resolve-HvTuiActionError -Action $action -ErrorRecord $_
    }
    Join-HvTuiAction -Action $action
}
