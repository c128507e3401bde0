# Shadow copies, filter drivers, hotfixes, and the chains of one VM's disks.

$script:FilterMilliseconds = 20000

function Join-HvTuiShadowCopy {
    <#
    .SYNOPSIS
    The shadow copies of this node as a JSON list, in one question.
    #>
    $texts = foreach ($one in Get-CimInstance -Namespace 'root\cimv2' -ClassName 'Win32_ShadowCopy' -OperationTimeoutSec $script:SlowSecondsLimit -Property 'ID', 'SetID', 'VolumeName', 'InstallDate', 'ProviderID', 'Persistent', 'ClientAccessible') {
        $id = ConvertTo-HvTuiGuid -Value $one.ID
        if ($null -eq $id) { $id = [string]$one.ID }
        '{"id":' + (ConvertTo-HvTuiString -Value $id) + ',"set":' + (ConvertTo-HvTuiString -Value (ConvertTo-HvTuiGuid -Value $one.SetID)) +
            ',"volume":' + (ConvertTo-HvTuiString -Value $one.VolumeName) + ',"created":' + (ConvertTo-HvTuiTime -Value $one.InstallDate) +
            ',"provider":' + (ConvertTo-HvTuiString -Value (ConvertTo-HvTuiGuid -Value $one.ProviderID)) + ',"persistent":' + (ConvertTo-HvTuiBoolean -Value $one.Persistent) +
            ',"client_accessible":' + (ConvertTo-HvTuiBoolean -Value $one.ClientAccessible) + '}'
    }
    '[' + (@($texts) -join ',') + ']'
}

function Read-HvTuiFilterText {
    <#
    .SYNOPSIS
    Runs fltmc and fills the text of one listing, or a problem. What stands against the first stands against the next.
    #>
    param([hashtable]$Reading, [string]$Listing)
    if ($null -eq $Reading.Kind) {
        try {
            $answer = @{ Text = $null; ExitCode = $null; TimedOut = $false }
            Invoke-HvTuiProgram -Answer $answer -Path (Get-HvTuiFilterPath) -Argument $Listing -Milliseconds $script:FilterMilliseconds
            if ($null -eq $answer.Text) {
                $Reading.Kind = 'timeout'
                $Reading.Why = "fltmc gave no answer in $($script:FilterMilliseconds / 1000) s and was ended"
            } elseif ($answer.ExitCode -ne 0) {
                $Reading.Kind = 'other'
                if (-not (Test-HvTuiElevation)) { $Reading.Kind = 'denied' }
                $Reading.Why = "fltmc ended with exit code $($answer.ExitCode)"
            } else {
                $Reading.Text[$Listing] = $answer.Text
            }
        } catch {
            $Reading.Code = Get-HvTuiErrorCode -ErrorRecord $_
            $Reading.Kind = Get-HvTuiProblemKind -ErrorRecord $_ -Code $Reading.Code
            $Reading.Why = $_.Exception.Message
        }
    }
    if ($null -ne $Reading.Kind) { $Reading.Problem.Add((Join-HvTuiProblem -Part $Listing -Kind $Reading.Kind -Text $Reading.Why -Code $Reading.Code)) }
}

function Get-HvTuiRawValue {
    <#
    .SYNOPSIS
    A property as Windows gave it. PowerShell's own types make a date of InstalledOn, and fail where it looks like none.
    #>
    param($Object, [string]$Name)
    $all = Get-HvTuiValue -Object $Object -Name 'CimInstanceProperties'
    if ($null -eq $all) { return Get-HvTuiValue -Object $Object -Name $Name }
    foreach ($one in $all) { if ($one.Name -eq $Name) { return $one.Value } }
}

function Join-HvTuiHotfix {
    <#
    .SYNOPSIS
    The updates that component based servicing installed, as a JSON list.
    #>
    $texts = foreach ($one in Get-CimInstance -Namespace 'root\cimv2' -ClassName 'Win32_QuickFixEngineering' -OperationTimeoutSec $script:SlowSecondsLimit -Property 'HotFixID', 'InstalledOn') {
        $day = Get-HvTuiRawValue -Object $one -Name 'InstalledOn'
        if ($day -is [datetime]) { $day = $day.ToString('yyyy-MM-dd', $script:Invariant) }
        '{"id":' + (ConvertTo-HvTuiString -Value ([string]$one.HotFixID)) + ',"installed":' + (ConvertTo-HvTuiString -Value ([string]$day)) + '}'
    }
    '[' + (@($texts) -join ',') + ']'
}

function Read-HvTuiVhdFile {
    <#
    .SYNOPSIS
    A file of a virtual disk: its parent, size and type, or the error. Each is asked for once.
    #>
    param([hashtable]$Known, [string]$Path)
    if (-not $Known.ContainsKey($Path)) {
        $file = @{ Parent = $null; Size = $null; Type = $null; Error = $null }
        try {
            $disk = Get-VHD -Path $Path
            $file.Parent = [string]$disk.ParentPath
            $file.Size = $disk.FileSize
            $file.Type = Get-HvTuiValue -Object $disk -Name 'VhdType'
        } catch {
            $file.Error = $_
        }
        $Known[$Path] = $file
    }
    $Known[$Path]
}

function Read-HvTuiVmDisk {
    <#
    .SYNOPSIS
    The files that a VM's settings name, and those that its checkpoints name. Media in DVD and floppy drives are no disks.
    #>
    param([string]$Id, $Checkpoint)
    $disk = @{ Attached = New-Object -TypeName System.Collections.Generic.List[string]; Named = $null }
    if ($null -ne $Checkpoint) { $disk.Named = New-Object -TypeName System.Collections.Generic.HashSet[string] -ArgumentList ([System.StringComparer]::OrdinalIgnoreCase) }
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_StorageAllocationSettingData' -OperationTimeoutSec $script:SlowSecondsLimit -Property 'InstanceID', 'ResourceSubType', 'HostResource') {
        if ($one.ResourceSubType -eq 'Microsoft:Hyper-V:Virtual CD/DVD Disk' -or $one.ResourceSubType -eq 'Microsoft:Hyper-V:Virtual Floppy Disk') { continue }
        $owner = Get-HvTuiOwnerGuid -InstanceId $one.InstanceID
        foreach ($path in $one.HostResource) {
            if (-not $path) { continue }
            if ($owner -eq $Id) { $disk.Attached.Add([string]$path) }
            if ($null -ne $Checkpoint -and $Checkpoint -contains $owner) { [void]$disk.Named.Add([string]$path) }
        }
    }
    $disk
}

function Join-HvTuiDiskChain {
    <#
    .SYNOPSIS
    A disk as JSON: the file in use and all its parents, to the base. A file that cannot be read ends the chain.
    #>
    param([hashtable]$Disk, [hashtable]$Known, [string]$Path, $Problem)
    $texts = New-Object -TypeName System.Collections.Generic.List[string]
    $next = $Path
    while ($next -and $texts.Count -lt 64) {
        $file = Read-HvTuiVhdFile -Known $Known -Path $next
        $named = $null
        if ($null -ne $Disk.Named) { $named = $Disk.Named.Contains($next) }
        $texts.Add('{"path":' + (ConvertTo-HvTuiString -Value $next) + ',"parent":' + (ConvertTo-HvTuiString -Value $file.Parent) + ',"size":' + (ConvertTo-HvTuiNumber -Value $file.Size) +
            ',"type":' + (ConvertTo-HvTuiNumber -Value $file.Type) + ',"checkpoint":' + (ConvertTo-HvTuiBoolean -Value $named) + '}')
        # Once: the other files say the same.
        if ($null -ne $file.Error -and $Problem.Count -eq 0) { $Problem.Add((Get-HvTuiProblem -Part 'chain' -ErrorRecord $file.Error)) }
        $next = $file.Parent
    }
    '{"attached":' + (ConvertTo-HvTuiString -Value $Path) + ',"files":[' + ($texts -join ',') + ']}'
}
