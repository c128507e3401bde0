# What runs inside a guest, and nothing else ever does: two blocks that read. They arrive there as text, so they call no
# function of this module, and what they write comes back flat: one kind of record each, of texts and numbers.

$script:GuestBlock = {
    param([string]$Program, [int]$Seconds, [int]$WriterSeconds)
    Set-StrictMode -Version Latest
    $ErrorActionPreference = 'Stop'
    $ProgressPreference = 'SilentlyContinue'
    $problem = {
        param([string]$Part, $Record)
        $one = $Record.Exception
        # What a method throws comes wrapped.
        if ($one -is [System.Management.Automation.MethodInvocationException] -and $null -ne $one.InnerException) { $one = $one.InnerException }
        $native = ''
        if ($null -ne $one.PSObject.Properties['NativeErrorCode']) { $native = [string]$one.NativeErrorCode }
        [pscustomobject]@{ Kind = 'problem'; Part = $Part; Text = [string]$one.Message; Id = [string]$Record.FullyQualifiedErrorId; Number = [int]$one.HResult; Native = $native; Type = $one.GetType().FullName }
    }
    $paths = @{}
    try {
        foreach ($one in Get-CimInstance -Namespace 'root\cimv2' -ClassName 'Win32_OperatingSystem' -OperationTimeoutSec $Seconds -Property 'Caption') { [pscustomobject]@{ Kind = 'system'; Text = [string]$one.Caption } }
    } catch {
        & $problem 'system' $_
    }
    try {
        # 3 is a local disk: neither a CD nor what is plugged in.
        foreach ($one in Get-CimInstance -Namespace 'root\cimv2' -ClassName 'Win32_Volume' -Filter 'DriveType = 3' -OperationTimeoutSec $Seconds -Property 'DeviceID', 'Name', 'Label', 'FileSystem', 'Capacity', 'FreeSpace') {
            $paths[[string]$one.DeviceID] = ([string]$one.Name).TrimEnd('\')
            [pscustomobject]@{ Kind = 'volume'; Path = $paths[[string]$one.DeviceID]; Label = $one.Label; FileSystem = $one.FileSystem; Size = $one.Capacity; Free = $one.FreeSpace }
        }
        [pscustomobject]@{ Kind = 'part'; Part = 'volumes' }
    } catch {
        & $problem 'volumes' $_
    }
    try {
        foreach ($one in Get-CimInstance -Namespace 'root\cimv2' -ClassName 'Win32_Service' -Filter "Name = 'VSS' OR Name = 'swprv' OR Name = 'vmicvss'" -OperationTimeoutSec $Seconds -Property 'Name', 'State', 'StartMode') { [pscustomobject]@{ Kind = 'service'; Name = [string]$one.Name; State = $one.State; Mode = $one.StartMode } }
        [pscustomobject]@{ Kind = 'part'; Part = 'services' }
    } catch {
        & $problem 'services' $_
    }
    try {
        foreach ($one in Get-CimInstance -Namespace 'root\cimv2' -ClassName 'Win32_ShadowStorage' -OperationTimeoutSec $Seconds -Property 'Volume', 'DiffVolume', 'UsedSpace', 'AllocatedSpace', 'MaxSpace') {
            $names = foreach ($end in $one.Volume, $one.DiffVolume) {
                $id = [string]$end.DeviceID
                if ($paths.ContainsKey($id)) { $paths[$id] } else { $id.TrimEnd('\') }
            }
            $most = $one.MaxSpace
            # What has no limit has the largest number there is.
            if ($most -eq [uint64]::MaxValue) { $most = $null }
            [pscustomobject]@{ Kind = 'storage'; Volume = $names[0]; Store = $names[1]; Used = $one.UsedSpace; Allocated = $one.AllocatedSpace; Most = $most }
        }
        [pscustomobject]@{ Kind = 'part'; Part = 'storage' }
    } catch {
        & $problem 'storage' $_
    }
    $child = New-Object -TypeName System.Diagnostics.Process
    $started = $false
    try {
        try {
            $page = [int][Microsoft.Win32.Registry]::GetValue('HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Nls\CodePage', 'OEMCP', '437')
        } catch {
            $page = 437
        }
        $child.StartInfo.FileName = [System.Environment]::ExpandEnvironmentVariables($Program)
        $child.StartInfo.Arguments = 'list writers'
        $child.StartInfo.UseShellExecute = $false
        $child.StartInfo.CreateNoWindow = $true
        $child.StartInfo.RedirectStandardOutput = $true
        $child.StartInfo.RedirectStandardError = $true
        $child.StartInfo.RedirectStandardInput = $true
        $memory = New-Object -TypeName System.IO.MemoryStream
        $waste = New-Object -TypeName System.IO.MemoryStream
        $clock = [System.Diagnostics.Stopwatch]::StartNew()
        $started = $child.Start()
        $child.StandardInput.Close()
        $reading = $child.StandardOutput.BaseStream.CopyToAsync($memory)
        # Read as well: a child blocks when nobody empties its second pipe.
        [void]$child.StandardError.BaseStream.CopyToAsync($waste)
        # In short steps, so that a stop is heard.
        while (-not $child.WaitForExit(100) -and $clock.ElapsedMilliseconds -lt 1000 * $WriterSeconds) { Start-Sleep -Milliseconds 50 }
        if (-not $child.HasExited) { throw (New-Object -TypeName System.TimeoutException -ArgumentList "vssadmin gave no answer in $WriterSeconds s and was ended") }
        if ($child.ExitCode -ne 0) { throw (New-Object -TypeName System.InvalidOperationException -ArgumentList "vssadmin ended with exit code $($child.ExitCode)") }
        [void]$reading.Wait(5000)
        [pscustomobject]@{ Kind = 'writers'; Text = [System.Text.Encoding]::GetEncoding($page).GetString($memory.ToArray()) }
    } catch {
        & $problem 'writers' $_
    } finally {
        if ($started -and -not $child.HasExited) { $child.Kill() }
        $child.Dispose()
    }
}

$script:GuestFileBlock = {
    param([string]$Volume, [int]$Count, [int]$Seconds)
    Set-StrictMode -Version Latest
    $ErrorActionPreference = 'Stop'
    $ProgressPreference = 'SilentlyContinue'
    $clock = [System.Diagnostics.Stopwatch]::StartNew()
    $waiting = New-Object -TypeName System.Collections.Generic.Stack[string]
    $waiting.Push("$Volume\")
    $found = New-Object -TypeName System.Collections.Generic.List[object]
    $state = @{ Least = [long]-1; Unread = 0; Late = $false; Whole = $true }
    :search while ($waiting.Count -gt 0) {
        $folder = $waiting.Pop()
        try {
            Get-ChildItem -LiteralPath $folder -Force | ForEach-Object -Process {
                if ($clock.Elapsed.TotalSeconds -gt $Seconds) {
                    $state.Late = $true
                    break search
                }
                if ($_.PSIsContainer) {
                    # A junction or mount point leads to another volume, or in a circle.
                    if (([int]$_.Attributes -band 1024) -eq 0) { $waiting.Push($_.FullName) }
                } elseif ([long]$_.Length -gt $state.Least) {
                    $found.Add([pscustomobject]@{ Path = [string]$_.FullName; Size = [long]$_.Length })
                    if ($found.Count -gt 4 * $Count) {
                        $sorted = @($found | Sort-Object -Property @{ Expression = 'Size'; Descending = $true }, 'Path')
                        $found.Clear()
                        for ($i = 0; $i -lt $Count; $i++) { $found.Add($sorted[$i]) }
                        $state.Least = $sorted[$Count - 1].Size
                    }
                }
            }
        } catch {
            # Folders that even administrators may not read are counted; without the root there is nothing to tell.
            $state.Unread++
            if ($folder -eq "$Volume\") {
                $state.Whole = $false
                [pscustomobject]@{ Kind = 'problem'; Part = 'files'; Text = [string]$_.Exception.Message; Id = [string]$_.FullyQualifiedErrorId; Number = [int]$_.Exception.HResult; Native = ''; Type = $_.Exception.GetType().FullName }
            }
        }
    }
    if (-not $state.Whole) { return }
    foreach ($one in @($found | Sort-Object -Property @{ Expression = 'Size'; Descending = $true }, 'Path' | Select-Object -First $Count)) { [pscustomobject]@{ Kind = 'file'; Path = $one.Path; Size = $one.Size } }
    [pscustomobject]@{ Kind = 'end'; Late = $state.Late; Unread = $state.Unread }
}
