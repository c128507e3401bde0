# Looking into guests through PowerShell Direct. A wrong password can lock an account, one of a domain for all its guests:
# nothing is tried twice, only one guest is asked until one took the credential, and none after one refused it.

# Seconds a guest may take: each of its questions has its own, and all together.
$script:GuestCimSeconds = 20
$script:GuestWriterSeconds = 60
$script:GuestSeconds = 180
$script:GuestVersion = New-Object -TypeName System.Version -ArgumentList 6, 2

function Read-HvTuiGuestMachine {
    <#
    .SYNOPSIS
    The VMs of this node by their GUID: whether they run, and their configuration version.
    #>
    $found = @{}
    $seen = $false
    $node = Get-HvTuiNodeName
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_ComputerSystem' -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'EnabledState') {
        $seen = $true
        if (-not [string]::Equals($one.Name, $node, [System.StringComparison]::OrdinalIgnoreCase)) { $found[([string]$one.Name).ToLowerInvariant()] = @{ State = $one.EnabledState; Version = $null } }
    }
    # The host itself is always shown, unless nothing is.
    if (-not $seen) { throw (New-Object -TypeName System.UnauthorizedAccessException -ArgumentList 'root\virtualization\v2 shows nothing to this account') }
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_VirtualSystemSettingData' -Filter "VirtualSystemType = 'Microsoft:Hyper-V:System:Realized'" -OperationTimeoutSec $script:FastSeconds -Property 'VirtualSystemIdentifier', 'Version') {
        $id = ([string]$one.VirtualSystemIdentifier).ToLowerInvariant()
        if ($found.ContainsKey($id)) { $found[$id].Version = $one.Version }
    }
    $found
}

function Get-HvTuiGuestRefusal {
    <#
    .SYNOPSIS
    Why a guest is not even tried; nothing when it can be.
    #>
    param([hashtable]$Machine, [string]$Id)
    if (-not $Machine.ContainsKey($Id)) { return 'this VM is not on this node' }
    $one = $Machine[$Id]
    if ($null -eq $one.State -or [int]$one.State -ne 2) { return "this VM does not run (state $($one.State))" }
    $version = $null
    if (-not [version]::TryParse([string]$one.Version, [ref]$version)) { return 'the configuration version of this VM could not be read' }
    if ($version -lt $script:GuestVersion) { return "configuration version $($one.Version) has no PowerShell Direct, it takes 6.2" }
}

function Open-HvTuiGuest {
    <#
    .SYNOPSIS
    One guest under way. An error that comes at once is kept as if the guest had answered it.
    #>
    param([string]$Id, [System.Management.Automation.PSCredential]$Credential, [scriptblock]$Block, [object[]]$Value)
    $guest = @{ Id = $Id; Job = $null; Began = Get-HvTuiElapsed; Output = @(); Error = @() }
    try {
        $guest.Job = Invoke-Command -VMId $Id -Credential $Credential -ScriptBlock $Block -ArgumentList $Value -AsJob
    } catch {
        $guest.Error = @($_)
    }
    $guest
}

function Test-HvTuiGuestEnd {
    <#
    .SYNOPSIS
    Whether a guest has answered, failed, or had its time; then what it gave is taken and nothing of it runs any more.
    #>
    param([hashtable]$Guest, [double]$Seconds)
    if ($null -eq $Guest.Job) { return $true }
    $late = (Get-HvTuiElapsed) - $Guest.Began -gt $Seconds
    $state = [string]$Guest.Job.State
    if (-not $late -and 'Completed', 'Failed', 'Stopped', 'Disconnected' -notcontains $state) { return $false }
    $said = @()
    $Guest.Output = @(Receive-Job -Job $Guest.Job -ErrorAction SilentlyContinue -ErrorVariable said)
    $Guest.Error = @($said)
    foreach ($child in $Guest.Job.ChildJobs) { if ($null -ne $child.JobStateInfo.Reason) { $Guest.Error += $child.JobStateInfo.Reason } }
    if ($late -and $state -ne 'Completed') { $Guest.Error += New-Object -TypeName System.TimeoutException -ArgumentList "the guest did not answer within $Seconds s" }
    Close-HvTuiGuest -Guest $Guest
    $true
}

function Close-HvTuiGuest {
    <#
    .SYNOPSIS
    Ends what runs for a guest; it takes the session inside the guest with it.
    #>
    param([hashtable]$Guest)
    if ($null -ne $Guest.Job) { Remove-Job -Job $Guest.Job -Force }
    $Guest.Job = $null
}

function Get-HvTuiGuestFailure {
    <#
    .SYNOPSIS
    Why a guest gave nothing: Outcome, Text, Code. Nothing when it did.
    .DESCRIPTION
    Texts are in Windows' language, so types decide. PSDirectException is what a refused credential ends with, deep inside
    other exceptions; the Hyper-V socket of a guest in which nobody listens gives a SocketException.
    #>
    param([hashtable]$Guest)
    if (-not $Guest.Error.Count) { return }
    $outcome = 'unreachable'
    $text = ''
    $code = ''
    foreach ($problem in $Guest.Error) {
        $one = $problem
        if ($problem -is [System.Management.Automation.ErrorRecord]) { $one = $problem.Exception }
        while ($null -ne $one) {
            $name = $one.GetType().FullName
            if ($name -eq 'System.Management.Automation.Remoting.PSDirectException') { return @{ Outcome = 'denied'; Text = $one.Message; Code = '' } }
            # The innermost says what happened.
            $text = $one.Message
            if ($name -eq 'System.Net.Sockets.SocketException') { $code = '0x8007{0:x4}' -f [int]$one.SocketErrorCode }
            # What Invoke-Command says of the VM itself comes before it connects.
            if ($problem -is [System.Management.Automation.ErrorRecord] -and [string]$problem.FullyQualifiedErrorId -match '^InvalidVM') { $outcome = 'refused' }
            $one = $one.InnerException
        }
    }
    @{ Outcome = $outcome; Text = $text; Code = $code }
}

function ConvertTo-HvTuiGuestProblem {
    <#
    .SYNOPSIS
    A problem inside a guest as a Problem record (JSON).
    #>
    param($Record)
    $code = '0x{0:x8}' -f [int]$Record.Number
    # 8013.... says which .NET exception it is, 80004005 that something failed.
    if ($code -match '^0x(8013|80004005|00000000)') { $code = '' }
    if ([string]$Record.Id -match 'HRESULT (0x[0-9a-fA-F]{8})') { $code = $Matches[1].ToLowerInvariant() }
    $kind = 'other'
    if ($script:DeniedCodes -contains $code -or $Record.Native -eq 'AccessDenied' -or $Record.Type -eq 'System.UnauthorizedAccessException') {
        $kind = 'denied'
    } elseif ($script:TimeoutCodes -contains $code -or $Record.Native -eq 'ServerLimitsExceeded' -or $Record.Type -eq 'System.TimeoutException') {
        $kind = 'timeout'
    } elseif ($script:GoneCodes -contains $code) {
        $kind = 'unavailable'
    } elseif ($script:MissingCodes -contains $code -or 'InvalidNamespace', 'InvalidClass', 'NotFound', 'InvalidQuery' -contains $Record.Native) {
        $kind = 'missing'
    }
    Join-HvTuiProblem -Part $Record.Part -Kind $kind -Text $Record.Text -Code $code
}

function Join-HvTuiGuestLine {
    <#
    .SYNOPSIS
    One line of the stream.
    #>
    param([string]$Kind, [string]$Id = '', [string]$Outcome = '', [string]$Text = '', [string]$Code = '', $Output = @())
    $list = @{}
    foreach ($name in 'volume', 'service', 'storage', 'problem') { $list[$name] = New-Object -TypeName System.Collections.Generic.List[string] }
    $whole = @{}
    $system = $null
    $writers = $null
    foreach ($one in $Output) {
        switch ([string]$one.Kind) {
            'system' { $system = $one.Text }
            'writers' { $writers = $one.Text }
            'part' { $whole[[string]$one.Part] = $true }
            'problem' { $list.problem.Add((ConvertTo-HvTuiGuestProblem -Record $one)) }
            'volume' {
                $list.volume.Add('{"path":' + (ConvertTo-HvTuiString -Value ([string]$one.Path)) + ',"label":' + (ConvertTo-HvTuiString -Value $one.Label) + ',"file_system":' + (ConvertTo-HvTuiString -Value $one.FileSystem) +
                    ',"size":' + (ConvertTo-HvTuiNumber -Value $one.Size) + ',"free":' + (ConvertTo-HvTuiNumber -Value $one.Free) + '}')
            }
            'service' {
                $list.service.Add('{"name":' + (ConvertTo-HvTuiString -Value ([string]$one.Name)) + ',"state":' + (ConvertTo-HvTuiString -Value $one.State) + ',"start_mode":' + (ConvertTo-HvTuiString -Value $one.Mode) + '}')
            }
            'storage' {
                $list.storage.Add('{"volume":' + (ConvertTo-HvTuiString -Value ([string]$one.Volume)) + ',"store":' + (ConvertTo-HvTuiString -Value $one.Store) + ',"used":' + (ConvertTo-HvTuiNumber -Value $one.Used) +
                    ',"allocated":' + (ConvertTo-HvTuiNumber -Value $one.Allocated) + ',"maximum":' + (ConvertTo-HvTuiNumber -Value $one.Most) + '}')
            }
        }
    }
    $volumes = 'null'
    if ($whole.ContainsKey('volumes')) { $volumes = '[' + ($list.volume -join ',') + ']' }
    $services = 'null'
    if ($whole.ContainsKey('services')) { $services = '[' + ($list.service -join ',') + ']' }
    $storage = 'null'
    if ($whole.ContainsKey('storage')) { $storage = '[' + ($list.storage -join ',') + ']' }
    $Text = $Text.Trim()
    if ($Text.Length -gt 500) { $Text = $Text.Substring(0, 500) }
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"node":' + (ConvertTo-HvTuiString -Value (Get-HvTuiNodeName)) +
        ',"kind":"' + $Kind + '","vm":' + (ConvertTo-HvTuiString -Value $Id) + ',"outcome":"' + $Outcome + '","text":' + (ConvertTo-HvTuiString -Value $Text) + ',"code":"' + $Code +
        '","system":' + (ConvertTo-HvTuiString -Value $system) + ',"volumes":' + $volumes + ',"services":' + $services + ',"writers":' + (ConvertTo-HvTuiString -Value $writers) +
        ',"storage":' + $storage + ',"errors":[' + ($list.problem -join ',') + ']}'
}

function Join-HvTuiGuest {
    <#
    .SYNOPSIS
    The line of a guest that has ended.
    #>
    param([hashtable]$Guest)
    $failure = Get-HvTuiGuestFailure -Guest $Guest
    if ($null -eq $failure) {
        Join-HvTuiGuestLine -Kind 'guest' -Id $Guest.Id -Outcome 'read' -Output $Guest.Output
    } else {
        Join-HvTuiGuestLine -Kind 'guest' -Id $Guest.Id -Outcome $failure.Outcome -Text $failure.Text -Code $failure.Code
    }
}
