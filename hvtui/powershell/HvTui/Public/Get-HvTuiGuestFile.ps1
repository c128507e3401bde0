function Get-HvTuiGuestFile {
    <#
    .SYNOPSIS
    The largest files of one volume of a guest, as one JSON object.
    .DESCRIPTION
    PowerShell Direct, once: Invoke-Command -VMId with a credential of the guest runs one fixed block, which lists folders and
    changes nothing. Junctions and mount points are not followed. Only an operator may call it: a wrong password can lock
    an account.

    Where each field comes from:
      time, node       this node's clock, the computer's name
      cpu_ms           TotalProcessorTime of this session's process, since it was started
      vm, volume       as they were given
      outcome          read; denied, unreachable, refused as of Get-HvTuiGuest
      text, code       why
      partial          whether the time was over before every folder was listed
      files.path, files.size  FullName, Length of Get-ChildItem in the guest, the largest first
      errors           that the volume could not be listed, or how many of its folders
    .PARAMETER VMId
    The VM's GUID.
    .PARAMETER Credential
    An account of the guest that is an administrator there.
    .PARAMETER Volume
    Letter with its colon, mount point, or \\?\Volume{GUID}, without a backslash at the end.
    .PARAMETER Count
    Number of files.
    .PARAMETER Seconds
    Seconds that the search may take.
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Get-HvTuiGuestFile -VMId 5e4fd7a2-0c7c-4c39-9f3b-2b6a4f0d9d11 -Credential (Get-Credential) -Volume T:
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)] [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)')] [string]$VMId,
        [Parameter(Mandatory = $true)] [System.Management.Automation.PSCredential]$Credential,
        [Parameter(Mandatory = $true)] [ValidatePattern('^([a-z]:(\\[^\x00-\x1f\x7f"<>|?*]{1,240})?|\\\\\?\\Volume\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\})$(?!\n)')] [string]$Volume,
        [ValidateRange(1, 50)] [int]$Count = 20,
        [ValidateRange(5, 300)] [int]$Seconds = 60
    )
    $id = $VMId.ToLowerInvariant()
    $outcome = 'refused'
    $text = ''
    $code = ''
    $partial = $null
    $files = 'null'
    $problems = New-Object -TypeName System.Collections.Generic.List[string]
    $guest = $null
    try {
        $text = "$(Get-HvTuiGuestRefusal -Machine (Read-HvTuiGuestMachine) -Id $id)"
        if (-not $text) {
            $guest = Open-HvTuiGuest -Id $id -Credential $Credential -Block $script:GuestFileBlock -Value $Volume, $Count, $Seconds
            while (-not (Test-HvTuiGuestEnd -Guest $guest -Seconds ($Seconds + 20))) { Start-Sleep -Milliseconds 100 }
            $failure = Get-HvTuiGuestFailure -Guest $guest
            if ($null -eq $failure) {
                $outcome = 'read'
                $listed = foreach ($one in $guest.Output) { if ($one.Kind -eq 'file') { '{"path":' + (ConvertTo-HvTuiString -Value ([string]$one.Path)) + ',"size":' + (ConvertTo-HvTuiNumber -Value $one.Size) + '}' } }
                foreach ($one in $guest.Output) {
                    if ($one.Kind -eq 'problem') { $problems.Add((ConvertTo-HvTuiGuestProblem -Record $one)) }
                    if ($one.Kind -ne 'end') { continue }
                    $files = '[' + (@($listed) -join ',') + ']'
                    $partial = [bool]$one.Late
                    if ([int]$one.Unread -gt 0) { $problems.Add((Join-HvTuiProblem -Part 'files' -Kind 'denied' -Text "$($one.Unread) folders could not be listed")) }
                }
            } else {
                $outcome = $failure.Outcome
                $text = $failure.Text.Trim()
                $code = $failure.Code
            }
        }
    } catch {
        $text = "vms could not be read: $($_.Exception.Message.Trim())"
        $code = Get-HvTuiErrorCode -ErrorRecord $_
    } finally {
        if ($null -ne $guest) { Close-HvTuiGuest -Guest $guest }
    }
    if ($text.Length -gt 500) { $text = $text.Substring(0, 500) }
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"node":' + (ConvertTo-HvTuiString -Value (Get-HvTuiNodeName)) + ',"vm":' + (ConvertTo-HvTuiString -Value $id) +
        ',"outcome":"' + $outcome + '","text":' + (ConvertTo-HvTuiString -Value $text) + ',"code":"' + $code + '","volume":' + (ConvertTo-HvTuiString -Value $Volume) + ',"partial":' + (ConvertTo-HvTuiBoolean -Value $partial) +
        ',"files":' + $files + ',"errors":[' + ($problems -join ',') + ']}'
}
