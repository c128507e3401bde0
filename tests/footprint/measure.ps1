# Runs both streams of the module on objects made beforehand and says, as JSON, what a tick costs: commands, WMI queries and
# objects, CPU of this process, characters sent. The clock is not the computer's: a tick follows a tick after exactly two
# seconds, so the same questions are asked in every run, and only CPU time varies.
param([Parameter(Mandatory)] [string]$Module, [Parameter(Mandatory)] [string]$Sizes, [int]$Ticks = 45)
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest
$global:Start = [datetime]::new(2026, 3, 1, 0, 0, 0, [System.DateTimeKind]::Utc)
$global:Answers = @{}
$process = [System.Diagnostics.Process]::GetCurrentProcess()

function Get-Id([int]$Kind, [int]$Number) { '{0:X8}-0000-4000-8000-{1:X12}' -f $Kind, $Number }

function Initialize-World([int]$Count) {
    $a = $global:Answers = @{}
    $numbers = if ($Count) { 0..($Count - 1) } else { @() }
    $a.Msvm_ComputerSystem = @([pscustomobject]@{ Name = 'HV01'; ElementName = 'HV01'; EnabledState = 2 }) + @(foreach ($n in $numbers) {
            [pscustomobject]@{ Name = Get-Id 1 $n; ElementName = "vm-{0:d4}.example" -f $n; EnabledState = 2; HealthState = 5; OperationalStatus = [uint16[]]@(2); OnTimeInMilliseconds = [uint64]3600000; LastSuccessfulBackupTime = $global:Start.AddHours(-5); ReplicationMode = 0 }
        })
    $a.Msvm_VirtualSystemSettingData = @(foreach ($n in $numbers) {
            foreach ($type in 'System:Realized', 'Snapshot:Recovery') {
                $own = if ($type -eq 'System:Realized') { Get-Id 1 $n } else { Get-Id 2 $n }
                [pscustomobject]@{ InstanceID = "Microsoft:$own"; VirtualSystemIdentifier = Get-Id 1 $n; VirtualSystemType = "Microsoft:Hyper-V:$type"; UserSnapshotType = 3; IsSaved = $false; CreationTime = $global:Start.AddHours(-7); Version = '9.0'; ConfigurationDataRoot = "C:\ClusterStorage\Volume$($n % 8)\vm$n"; SnapshotDataRoot = "C:\ClusterStorage\Volume$($n % 8)\vm$n"; SwapFileDataRoot = "C:\ClusterStorage\Volume$($n % 8)\vm$n" }
            }
        })
    $a.Msvm_SummaryInformation = @(foreach ($n in $numbers) { [pscustomobject]@{ Name = Get-Id 1 $n; EnabledState = 2; ProcessorLoad = [uint16]20; MemoryUsage = [uint64]4096; Heartbeat = [uint16]2 } })
    $a.Msvm_VssComponent = @(foreach ($n in $numbers) { [pscustomobject]@{ SystemName = Get-Id 1 $n; OperationalStatus = [uint16[]]@(2) } })
    $a.Msvm_VssComponentSettingData = @(foreach ($n in $numbers) { [pscustomobject]@{ InstanceID = "Microsoft:$(Get-Id 1 $n)\x"; EnabledState = 2 } })
    $a.Msvm_StorageAllocationSettingData = @(foreach ($n in $numbers) { foreach ($d in 1, 2) { [pscustomobject]@{ InstanceID = "Microsoft:$(Get-Id 1 $n)\x\$d"; ResourceSubType = 'Microsoft:Hyper-V:Virtual Hard Disk'; HostResource = @("C:\ClusterStorage\Volume$($n % 8)\vm$n\disk$d.vhdx") } } })
    $a.Msvm_VirtualSystemMigrationServiceSettingData = @([pscustomobject]@{ EnableVirtualSystemMigration = $true; MaximumActiveVirtualSystemMigration = 2; MaximumActiveStorageMigration = 2; AuthenticationType = 1 })
    $a.Win32_Service = @([pscustomobject]@{ Name = 'vmms'; State = 'Running'; ProcessId = $PID }, [pscustomobject]@{ Name = 'ClusSvc'; State = 'Running'; ProcessId = $PID })
    $a.Win32_OperatingSystem = @([pscustomobject]@{ LastBootUpTime = $global:Start.AddDays(-9); Version = '10.0.20348'; TotalVisibleMemorySize = [uint64]536870912; FreePhysicalMemory = [uint64]134217728 })
    $a.Win32_ComputerSystem = @([pscustomobject]@{ NumberOfLogicalProcessors = 96 })
    $a.Win32_PerfFormattedData_HvStats_HyperVHypervisorLogicalProcessor = @([pscustomobject]@{ Name = '_Total'; PercentTotalRunTime = 31 })
    $a.MSCluster_Node = @(1..16 | ForEach-Object { [pscustomobject]@{ Name = 'HV{0:d2}' -f $_; Id = "$_"; State = 0; StatusInformation = 0; NodeDrainStatus = 0; NodeWeight = 1; DynamicWeight = 1; MajorVersion = 10; MinorVersion = 0; BuildNumber = 20348 } })
    $a.MSCluster_ResourceGroup = @(foreach ($n in $numbers) { [pscustomobject]@{ Id = Get-Id 5 $n; Name = "role-{0:d4}" -f $n; State = [uint32]0; StatusInformation = [uint64]0; OwnerNode = 'HV{0:d2}' -f (1 + $n % 16); Priority = 2000; AntiAffinityClassNames = @(); GroupType = 111 } })
    $a.MSCluster_Resource = @(foreach ($n in $numbers) {
            foreach ($type in 'Virtual Machine', 'Virtual Machine Configuration') { [pscustomobject]@{ Id = Get-Id $type.Length $n; Name = "$type role-{0:d4}" -f $n; Type = $type; State = 2; OwnerGroup = "role-{0:d4}" -f $n; OwnerNode = 'HV01'; IsClusterSharedVolume = $false; PrivateProperties = [pscustomobject]@{ VmID = Get-Id 1 $n; MigrationState = 0 } } }
        }) + @(1..8 | ForEach-Object { [pscustomobject]@{ Id = Get-Id 4 $_; Name = "Cluster Disk $_"; Type = 'Physical Disk'; State = 2; OwnerGroup = "csv$_"; OwnerNode = 'HV01'; IsClusterSharedVolume = $true; PrivateProperties = $null } })
    $a.MSCluster_ClusterSharedVolume = @(1..8 | ForEach-Object { [pscustomobject]@{ Name = "C:\ClusterStorage\Volume$_"; VolumeName = "\\?\Volume{$_}\"; FaultState = 0; BackupState = 0 } })
    $a['Get-Cluster'] = @([pscustomobject]@{ Id = Get-Id 6 1; Name = 'CLU'; ClusterFunctionalLevel = 11; WitnessDynamicWeight = 1; DynamicQuorum = 1; ClusterEnforcedAntiAffinity = 0; SharedVolumesRoot = 'C:\ClusterStorage' })
    $a['Get-ClusterQuorum'] = @([pscustomobject]@{ QuorumType = 1; QuorumResource = $null })
    $a['Get-ClusterNode'] = @(1..16 | ForEach-Object { [pscustomobject]@{ Name = 'HV{0:d2}' -f $_; DrainErrorCode = 0; FailbackStatus = 0 } })
    $a['Get-ClusterSharedVolume'] = @(1..8 | ForEach-Object { [pscustomobject]@{ Id = Get-Id 4 $_; Name = "Cluster Disk $_"; State = 2; OwnerNode = [pscustomobject]@{ Name = 'HV01' }; SharedVolumeInfo = @([pscustomobject]@{ FriendlyVolumeName = "C:\ClusterStorage\Volume$_"; PartitionNumber = 2; FaultState = 0; MaintenanceMode = $false; RedirectedAccess = $false; Partition = [pscustomobject]@{ Name = "\\?\Volume{$_}\"; FileSystem = 'CSVFS'; Size = [uint64]1TB; FreeSpace = [uint64]300GB } }) } })
    $a['Get-ClusterSharedVolumeState'] = @(foreach ($volume in 1..8) { 1..16 | ForEach-Object { [pscustomobject]@{ Node = 'HV{0:d2}' -f $_; VolumeName = "\\?\Volume{$volume}\"; StateInfo = 2; FileSystemRedirectedIOReason = 0; BlockRedirectedIOReason = 0 } } })
}

function Get-Answer($Name) {
    $rows = $global:Answers[$Name]
    if ($null -eq $rows) { return }
    $global:Objects += $rows.Count
    $rows
}
function Get-CimInstance {
    [CmdletBinding()]
    param([string]$Namespace, [string]$ClassName, [string]$Filter, [string[]]$Property, [uint32]$OperationTimeoutSec)
    $global:Queries++
    Get-Answer $ClassName
}
foreach ($name in 'Get-Cluster', 'Get-ClusterQuorum', 'Get-ClusterNode', 'Get-ClusterSharedVolume', 'Get-ClusterSharedVolumeState') {
    Set-Item -LiteralPath "function:$name" -Value ([scriptblock]::Create("`$global:Commands++; Get-Answer '$name'"))
}

# Between two ticks: what a running host does anyway, and what changes. None of it is counted.
$global:Noise = [System.Random]::new(5)
$global:Share = 0.0
function Start-Sleep {
    [CmdletBinding()]
    param([int]$Milliseconds)
    $script:process.Refresh()
    $global:Marks.Add($script:process.TotalProcessorTime.TotalMilliseconds)
    $global:Tick++
    foreach ($one in $global:Answers.Msvm_SummaryInformation) {
        $one.ProcessorLoad = [uint16]$global:Noise.Next(10, 31)
        $one.MemoryUsage = [uint64]$global:Noise.Next(3900, 4300)
    }
    $machines = $global:Answers.Msvm_ComputerSystem
    for ($n = 1; $n -lt $machines.Count; $n++) { $machines[$n].OnTimeInMilliseconds = [uint64](3600000 + 2000 * $global:Tick + $global:Noise.Next(-500, 500)) }
    $groups = $global:Answers.MSCluster_ResourceGroup
    $many = [Math]::Ceiling($global:Share * $groups.Count)
    for ($n = 0; $n -lt $many; $n++) {
        $at = ($global:Tick * $many + $n) % $groups.Count
        $machines[$at + 1].HealthState = 30 - $machines[$at + 1].HealthState
        $groups[$at].StatusInformation = [uint64](4 - [int]$groups[$at].StatusInformation)
    }
    $script:process.Refresh()
    $global:Begin.Add($script:process.TotalProcessorTime.TotalMilliseconds)
}

. ([scriptblock]::Create([System.IO.File]::ReadAllText($Module)))
& (Get-Module HvTui) {
    function script:Get-HvTuiNow { $global:Start.AddSeconds(2 * $global:Tick) }
    function script:Get-HvTuiElapsed { [double](2 * $global:Tick) }
    function script:Get-HvTuiNodeName { 'HV01' }
}
# The first size is run to have everything compiled, and not told.
$rows = foreach ($size in (@('16') + $Sizes.Split(','))) {
    foreach ($share in 0.0, 0.01) {
        $size = [int]$size
        if ($size -eq 0 -and $share) { continue }
        foreach ($function in 'Watch-HvTuiNode', 'Watch-HvTuiCluster') {
            Initialize-World $size
            $global:Share = $share
            $global:Tick = 0
            $global:Queries = $global:Objects = $global:Commands = 0
            $global:Marks = [System.Collections.Generic.List[double]]::new()
            $global:Begin = [System.Collections.Generic.List[double]]::new()
            $sent = [System.Collections.Generic.List[string]]::new()
            $first = $null
            & $function -Count $Ticks | ForEach-Object {
                if ($null -eq $first) {
                    $first = $_
                    $global:Queries = $global:Objects = $global:Commands = 0
                } else { $sent.Add($_) }
            }
            # The first ticks compile; what follows is what a stream costs for its life.
            $cpu = for ($n = 10; $n -lt $global:Marks.Count; $n++) { $global:Marks[$n] - $global:Begin[$n - 1] }
            $utf8 = [System.Text.Encoding]::UTF8
            $loads = foreach ($text in $sent) { if ($text -match ',"load":\{[^}]*\}') { $utf8.GetByteCount($Matches[0]) } }
            $bytes = foreach ($text in $sent) { $utf8.GetByteCount(($text -replace ',"load":\{[^}]*\}')) }
            [ordered]@{
                function = $function; vms = $size; share = $share
                commands = $global:Commands / $sent.Count; queries = $global:Queries / $sent.Count; objects = $global:Objects / $sent.Count
                cpu = ($cpu | Measure-Object -Average).Average; worst = ($cpu | Measure-Object -Maximum).Maximum
                bytes = ($bytes | Measure-Object -Average).Average; most = ($bytes | Measure-Object -Maximum).Maximum
                load = ($loads | Measure-Object -Sum).Sum / $sent.Count; full = $utf8.GetByteCount($first)
            }
        }
    }
}
ConvertTo-Json -InputObject @($rows) -Compress
