function Get-HvTuiGuest {
    <#
    .SYNOPSIS
    Volumes, VSS services, writers and shadow storage of guests on this node, as a stream of JSON lines.
    .DESCRIPTION
    PowerShell Direct: Invoke-Command -VMId with a credential of the guest runs one fixed block in each guest, which reads and
    changes nothing. Only an operator may call it, because a wrong password can lock an account: nothing is tried twice,
    one guest at a time is asked until one took the credential, and after one refused it no other is asked.

    Where each field comes from (classes of root\cimv2 of the guest):
      time, node             this node's clock, the computer's name
      cpu_ms                 TotalProcessorTime of this session's process, since it was started
      kind                   guest, or end, once and last
      vm                     the GUID that was given
      outcome                read; denied: the guest refused the credential (PSDirectException); unreachable: no PowerShell Direct;
                             refused: not tried, because of Msvm_ComputerSystem EnabledState, Msvm_VirtualSystemSettingData
                             Version or what Invoke-Command says of the VM; skipped: not tried after a denied one
      text, code             why
      system                 Win32_OperatingSystem Caption
      volumes.path, volumes.label, volumes.file_system, volumes.size, volumes.free  Win32_Volume Name, Label, FileSystem, Capacity,
                             FreeSpace of local disks, without a letter as well
      services.name, services.state, services.start_mode  Win32_Service Name, State, StartMode of VSS, swprv, vmicvss
      writers                standard output of vssadmin list writers, decoded with OEMCP of the registry's Nls\CodePage
      storage.volume, storage.store, storage.used, storage.allocated, storage.maximum  Win32_ShadowStorage Volume, DiffVolume,
                             UsedSpace, AllocatedSpace, MaxSpace; no maximum when it has no limit
      errors                 which of these a guest did not tell, and why
    .PARAMETER VM
    GUIDs of VMs of this node, joined by commas.
    .PARAMETER Credential
    An account of the guests that is an administrator there.
    .PARAMETER Parallel
    Number of guests that are asked at a time.
    .OUTPUTS
    One JSON string a guest, and one at the end.
    .EXAMPLE
    Get-HvTuiGuest -VM 5e4fd7a2-0c7c-4c39-9f3b-2b6a4f0d9d11 -Credential (Get-Credential)
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(,[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}){0,255}$(?!\n)')] [string]$VM,
        [Parameter(Mandatory = $true)] [System.Management.Automation.PSCredential]$Credential,
        [ValidateRange(1, 16)] [int]$Parallel = 8
    )
    $waiting = New-Object -TypeName System.Collections.Generic.Queue[string]
    $running = New-Object -TypeName System.Collections.Generic.List[hashtable]
    $machines = $null
    $unread = $null
    try {
        $machines = Read-HvTuiGuestMachine
    } catch {
        $unread = $_
    }
    $known = @{}
    foreach ($id in $VM.ToLowerInvariant().Split(',')) {
        if ($known.ContainsKey($id)) { continue }
        $known[$id] = $true
        if ($null -ne $unread) {
            Join-HvTuiGuestLine -Kind 'guest' -Id $id -Outcome 'refused' -Text "vms could not be read: $($unread.Exception.Message.Trim())" -Code (Get-HvTuiErrorCode -ErrorRecord $unread)
            continue
        }
        $refusal = Get-HvTuiGuestRefusal -Machine $machines -Id $id
        if ($refusal) { Join-HvTuiGuestLine -Kind 'guest' -Id $id -Outcome 'refused' -Text $refusal } else { $waiting.Enqueue($id) }
    }
    # How many may be under way: one until the credential is known to be good, none after it was refused.
    $most = 1
    try {
        while ($running.Count -gt 0 -or $waiting.Count -gt 0) {
            if ($most -eq 0) {
                foreach ($id in $waiting) { Join-HvTuiGuestLine -Kind 'guest' -Id $id -Outcome 'skipped' -Text 'not tried after another guest refused the credential' }
                $waiting.Clear()
            }
            while ($waiting.Count -gt 0 -and $running.Count -lt $most) {
                $running.Add((Open-HvTuiGuest -Id $waiting.Dequeue() -Credential $Credential -Block $script:GuestBlock -Value (Get-HvTuiGuestProgram), $script:GuestCimSeconds, $script:GuestWriterSeconds))
            }
            $ended = @($running | Where-Object -FilterScript { Test-HvTuiGuestEnd -Guest $_ -Seconds $script:GuestSeconds })
            foreach ($guest in $ended) {
                [void]$running.Remove($guest)
                $failure = Get-HvTuiGuestFailure -Guest $guest
                if ($null -eq $failure) {
                    if ($most -eq 1) { $most = $Parallel }
                } elseif ($failure.Outcome -eq 'denied') {
                    $most = 0
                }
                Join-HvTuiGuest -Guest $guest
            }
            if (-not $ended.Count -and $running.Count -gt 0) { Start-Sleep -Milliseconds 100 }
        }
    } finally {
        foreach ($guest in $running) { Close-HvTuiGuest -Guest $guest }
    }
    Join-HvTuiGuestLine -Kind 'end'
}
