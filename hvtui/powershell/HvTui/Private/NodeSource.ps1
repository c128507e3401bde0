# What Watch-HvTuiNode asks Windows: each question once for all VMs of the node.

$script:Virtualization = 'root\virtualization\v2'
$script:FastSeconds = 10
$script:SlowSecondsLimit = 25

function Get-HvTuiNodeSource {
    <#
    .SYNOPSIS
    The questions of Watch-HvTuiNode, in order.
    #>
    param([int]$SlowSeconds, [int]$LoadSeconds)
    Get-HvTuiSource -Name 'machine' -Part 'vms' -Reader 'Read-HvTuiMachine' -Guard 'vmms'
    Get-HvTuiSource -Name 'job' -Part 'jobs' -Reader 'Read-HvTuiJob' -Guard 'vmms'
    Get-HvTuiSource -Name 'setting' -Part 'vms.checkpoints' -Reader 'Read-HvTuiSetting' -Guard 'vmms' -Period 5
    Get-HvTuiSource -Name 'summary' -Part 'load.vms' -Reader 'Read-HvTuiSummary' -Guard 'vmms' -Period $LoadSeconds
    Get-HvTuiSource -Name 'integration' -Part 'vms.vss' -Reader 'Read-HvTuiIntegration' -Guard 'vmms' -Period $SlowSeconds -Slow
    Get-HvTuiSource -Name 'disk' -Part 'files' -Reader 'Read-HvTuiDisk' -Guard 'vmms' -Period $SlowSeconds -Slow
    Get-HvTuiSource -Name 'migration' -Part 'host.migration' -Reader 'Read-HvTuiMigration' -Guard 'vmms' -Period $SlowSeconds -Slow
    Get-HvTuiSource -Name 'service' -Part 'host.vmms' -Reader 'Read-HvTuiService' -Guard 'cimv2' -Period 5
    Get-HvTuiSource -Name 'system' -Part 'host' -Reader 'Read-HvTuiSystem' -Guard 'cimv2' -Period $LoadSeconds
    Get-HvTuiSource -Name 'processor' -Part 'load.host' -Reader 'Read-HvTuiProcessor' -Guard 'cimv2' -Period $LoadSeconds
}

function Read-HvTuiMachine {
    <#
    .SYNOPSIS
    All VMs. The instance that stands for the host itself has no GUID as its name.
    #>
    param([hashtable]$Stream)
    $found = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_ComputerSystem' -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'ElementName', 'EnabledState', 'HealthState', 'OperationalStatus', 'OnTimeInMilliseconds', 'LastSuccessfulBackupTime', 'ReplicationMode'
    $machines = New-Object -TypeName System.Collections.Generic.List[object]
    $seen = $false
    foreach ($one in $found) {
        $id = $one.Name
        $seen = $true
        if ($null -eq $id -or $id.Length -ne 36) { continue }
        $machines.Add($one)
        if (-not $Stream.First -and -not $Stream.Slot.Contains($id)) {
            # A new VM: its settings and disks belong into the same message.
            Request-HvTuiSource -Stream $Stream -Name 'setting'
            Request-HvTuiSource -Stream $Stream -Name 'disk'
        }
    }
    if (-not $seen) {
        # To an account without rights VMMS answers with empty lists. The host itself is always in this one.
        foreach ($one in $Stream.Source) { if ($one.Guard -eq 'vmms') { $Stream.Blind += $one.Name } }
        throw (New-Object -TypeName System.UnauthorizedAccessException -ArgumentList 'root\virtualization\v2 shows nothing to this account')
    }
    @{ Item = $machines }
}

function Read-HvTuiSetting {
    <#
    .SYNOPSIS
    Settings of all VMs and of all their checkpoints: one query for checkpoint types, checkpoints and folders.
    #>
    param([hashtable]$Stream)
    $kinds = @{
        'Realized' = 0; 'Recovery' = 1; 'Planned' = 2; 'Missing' = 5
        'Replica:Standard' = 6; 'Replica:ApplicationConsistent' = 7; 'Replica:PlannedFailover' = 8
    }
    $found = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_VirtualSystemSettingData' -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'VirtualSystemIdentifier', 'VirtualSystemType', 'UserSnapshotType', 'IsSaved', 'CreationTime', 'Version', 'ConfigurationDataRoot', 'SnapshotDataRoot', 'SwapFileDataRoot'
    $piece = @{}
    $owner = @{}
    $folder = New-Object -TypeName System.Collections.Specialized.OrderedDictionary
    $counts = @{}
    $names = $Stream.Name
    $times = $Stream.Time
    if ($times.Count -gt 20000) { $times.Clear() }
    foreach ($one in $found) {
        $id = $one.VirtualSystemIdentifier
        if ($null -eq $id -or $id.Length -ne 36) { continue }
        $id = $id.ToLowerInvariant()
        $type = [string]$one.VirtualSystemType
        $own = $one.InstanceID
        if ($null -ne $own -and $own.Length -eq 46) { $owner[$own.Substring(10).ToLowerInvariant()] = $id }
        if ($type -eq 'Microsoft:Hyper-V:System:Realized') {
            $kind = $one.UserSnapshotType
            if ($null -eq $kind) { $kind = 'null' }
            $texts = foreach ($path in $one.Version, $one.ConfigurationDataRoot, $one.SnapshotDataRoot, $one.SwapFileDataRoot) {
                if ($null -eq $path) {
                    'null'
                } else {
                    if (-not $names.ContainsKey($path)) { $names[$path] = ConvertTo-HvTuiString -Value $path }
                    $names[$path]
                }
            }
            $piece[$id] = "`"version`":$($texts[0]),`"checkpoint_type`":$kind"
            $folder[$id] = "`"configuration`":$($texts[1]),`"checkpoints`":$($texts[2]),`"paging`":$($texts[3])"
        } elseif ($type.StartsWith('Microsoft:Hyper-V:Snapshot:', [System.StringComparison]::Ordinal)) {
            $kind = $kinds[$type.Substring(27)]
            # A kind that no document lists: kept and shown as a number that is none of them.
            if ($null -eq $kind) { $kind = 9999 }
            $of = $counts[$id]
            if ($null -eq $of) {
                $of = @{}
                $counts[$id] = $of
            }
            $saved = [bool]$one.IsSaved
            # Sorted by kind, then by what holds memory.
            $key = 2 * $kind + [int]$saved
            $held = $of[$key]
            if ($null -eq $held) {
                $held = @{ Type = $kind; Saved = $saved; Count = 0; Oldest = $null }
                $of[$key] = $held
            }
            $held.Count++
            if ($null -ne $one.CreationTime -and ($null -eq $held.Oldest -or $one.CreationTime -lt $held.Oldest)) { $held.Oldest = $one.CreationTime }
        }
    }
    foreach ($id in @($piece.Keys)) {
        $of = $counts[$id]
        if ($null -eq $of) {
            $piece[$id] += ',"checkpoints":[]'
            continue
        }
        $keys = @($of.Keys)
        if ($keys.Count -gt 1) { $keys = $keys | Sort-Object }
        $texts = foreach ($key in $keys) {
            $held = $of[$key]
            $saved = 'false'
            if ($held.Saved) { $saved = 'true' }
            $oldest = 'null'
            if ($null -ne $held.Oldest) {
                $oldest = $times[$held.Oldest]
                if ($null -eq $oldest) {
                    $oldest = ConvertTo-HvTuiTime -Value $held.Oldest
                    $times[$held.Oldest] = $oldest
                }
            }
            "{`"type`":$($held.Type),`"saved`":$saved,`"count`":$($held.Count),`"oldest`":$oldest}"
        }
        $piece[$id] += ",`"checkpoints`":[$($texts -join ',')]"
    }
    @{ Piece = $piece; Owner = $owner; Folder = $folder }
}

function Read-HvTuiSummary {
    <#
    .SYNOPSIS
    CPU, memory and heartbeat of all VMs.
    #>
    $found = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_SummaryInformation' -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'EnabledState', 'ProcessorLoad', 'MemoryUsage', 'Heartbeat'
    $heartbeat = @{}
    $load = @{}
    foreach ($one in $found) {
        # An empty name is how a VM is reported that vanished during the query.
        if (-not $one.Name) { continue }
        $id = $one.Name.ToLowerInvariant()
        if ($null -ne $one.Heartbeat) { $heartbeat[$id] = [int]$one.Heartbeat }
        $cpu = $one.ProcessorLoad
        $memory = $one.MemoryUsage
        if ($one.EnabledState -eq 3 -or $one.EnabledState -eq 6 -or $one.EnabledState -eq 32769) {
            $load[$id] = @(0, 0)
        } elseif ($null -ne $cpu -and $null -ne $memory) {
            $load[$id] = @([int]$cpu, [long]$memory)
        }
    }
    @{ Heartbeat = $heartbeat; Load = $load }
}

function Read-HvTuiIntegration {
    <#
    .SYNOPSIS
    The integration service for backup of all VMs, found by GUID: what it says, and whether it is switched on.
    #>
    $status = @{}
    $enabled = @{}
    $found = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_VssComponent' -OperationTimeoutSec $script:SlowSecondsLimit -Property 'SystemName', 'OperationalStatus'
    foreach ($one in $found) {
        $id = ConvertTo-HvTuiGuid -Value $one.SystemName
        $numbers = @($one.OperationalStatus)
        if ($null -ne $id -and $numbers.Count -and $null -ne $numbers[0]) { $status[$id] = [int]$numbers[0] }
    }
    $found = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_VssComponentSettingData' -OperationTimeoutSec $script:SlowSecondsLimit -Property 'InstanceID', 'EnabledState'
    foreach ($one in $found) {
        # Settings of checkpoints are in the answer too; their GUID is no VM's.
        $id = ConvertTo-HvTuiGuid -Value $one.InstanceID
        if ($null -ne $id -and $null -ne $one.EnabledState) { $enabled[$id] = $one.EnabledState -eq 2 }
    }
    @{ Status = $status; Enabled = $enabled }
}

function Read-HvTuiDisk {
    <#
    .SYNOPSIS
    Every disk of every VM and checkpoint, by the GUID of its settings. Media in DVD and floppy drives are no disks.
    #>
    $paths = @{}
    $found = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_StorageAllocationSettingData' -OperationTimeoutSec $script:SlowSecondsLimit -Property 'InstanceID', 'ResourceSubType', 'HostResource'
    foreach ($one in $found) {
        if ($one.ResourceSubType -eq 'Microsoft:Hyper-V:Virtual CD/DVD Disk' -or $one.ResourceSubType -eq 'Microsoft:Hyper-V:Virtual Floppy Disk') { continue }
        # Microsoft:<GUID of the VM or checkpoint>\<the drive>
        $id = $one.InstanceID
        if ($null -eq $id -or $id.Length -lt 46) { continue }
        $id = $id.Substring(10, 36).ToLowerInvariant()
        $of = $paths[$id]
        if ($null -eq $of) {
            $of = [System.Collections.Generic.List[string]]::new()
            $paths[$id] = $of
        }
        foreach ($path in $one.HostResource) { if ($path) { $of.Add($path) } }
    }
    $found = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_ResourceAllocationSettingData' -Filter "ResourceSubType = 'Microsoft:Hyper-V:Physical Disk Drive'" -OperationTimeoutSec $script:SlowSecondsLimit -Property 'InstanceID', 'HostResource'
    $names = $null
    foreach ($one in $found) {
        $id = ConvertTo-HvTuiGuid -Value $one.InstanceID
        if ($null -eq $id) { continue }
        if ($null -eq $names) {
            $names = @{}
            $drives = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_DiskDrive' -OperationTimeoutSec $script:SlowSecondsLimit -Property 'DeviceID', 'ElementName'
            foreach ($drive in $drives) { if ($drive.DeviceID) { $names[$drive.DeviceID] = $drive.ElementName } }
        }
        if (-not $paths.ContainsKey($id)) { $paths[$id] = [System.Collections.Generic.List[string]]::new() }
        foreach ($path in @($one.HostResource)) {
            if (-not $path) { continue }
            # The reference names the drive by DeviceID, with its backslashes doubled.
            if ($path -match 'DeviceID="([^"]+)"' -and $names.ContainsKey($Matches[1].Replace('\\', '\'))) { $path = $names[$Matches[1].Replace('\\', '\')] }
            $paths[$id].Add($path)
        }
    }
    @{ Path = $paths }
}

function Read-HvTuiMigration {
    <#
    .SYNOPSIS
    The host's own limits for live and storage migration.
    #>
    $found = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_VirtualSystemMigrationServiceSettingData' -OperationTimeoutSec $script:FastSeconds -Property 'EnableVirtualSystemMigration', 'MaximumActiveVirtualSystemMigration', 'MaximumActiveStorageMigration', 'AuthenticationType'
    foreach ($one in $found) { return @{ Item = $one } }
    throw (Get-HvTuiAbsence -Name 'Msvm_VirtualSystemMigrationServiceSettingData')
}

function Read-HvTuiService {
    <#
    .SYNOPSIS
    State of VMMS and of the cluster service in Windows' words, and when VMMS was started.
    #>
    param([hashtable]$Stream)
    $found = Get-CimInstance -Namespace 'root\cimv2' -ClassName 'Win32_Service' -Filter "Name = 'vmms' OR Name = 'ClusSvc'" -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'State', 'ProcessId'
    $service = @{ Vmms = $null; Cluster = $null; Started = $null; Id = 0 }
    foreach ($one in $found) {
        if ($one.Name -eq 'ClusSvc') {
            $service.Cluster = $one.State
        } else {
            $service.Vmms = $one.State
            $service.Id = [int]$one.ProcessId
        }
    }
    if ($service.Id) {
        $last = $Stream.Service
        if ($null -ne $last -and $last.Id -eq $service.Id) {
            $service.Started = $last.Started
        } else {
            $key = 'start'
            try {
                $service.Started = Get-HvTuiStartTime -Id $service.Id
                if ($Stream.Problem.Contains($key)) { $Stream.Problem.Remove($key) }
            } catch {
                $Stream.Problem[$key] = Get-HvTuiProblem -Part 'host.vmms_started' -ErrorRecord $_
            }
        }
    }
    if ($null -ne $service.Started) { $Stream.Service = $service }
    $service
}

function Read-HvTuiSystem {
    <#
    .SYNOPSIS
    Start, build, processors and memory of the host. Sizes come in KB and are sent in bytes.
    #>
    param([hashtable]$Stream)
    $memory = @{ Total = $null; Used = $null }
    $system = $null
    foreach ($one in Get-CimInstance -Namespace 'root\cimv2' -ClassName 'Win32_OperatingSystem' -OperationTimeoutSec $script:FastSeconds -Property 'LastBootUpTime', 'Version', 'TotalVisibleMemorySize', 'FreePhysicalMemory') {
        $system = $one
    }
    if ($null -eq $system) { throw (Get-HvTuiAbsence -Name 'Win32_OperatingSystem') }
    if ($null -ne $system.TotalVisibleMemorySize) {
        $memory.Total = [long]$system.TotalVisibleMemorySize * 1024
        if ($null -ne $system.FreePhysicalMemory) { $memory.Used = [long](([long]$system.TotalVisibleMemorySize - [long]$system.FreePhysicalMemory) / 1024) }
    }
    if ($null -eq $Stream.Processor) {
        # The number of processors does not change while Windows runs.
        foreach ($one in Get-CimInstance -Namespace 'root\cimv2' -ClassName 'Win32_ComputerSystem' -OperationTimeoutSec $script:FastSeconds -Property 'NumberOfLogicalProcessors') {
            $Stream.Processor = $one.NumberOfLogicalProcessors
        }
    }
    @{ Boot = $system.LastBootUpTime; Build = $system.Version; Memory = $memory; Processor = $Stream.Processor }
}

function Read-HvTuiProcessor {
    <#
    .SYNOPSIS
    CPU load of the whole host, all VMs included: Windows' own processor counters see the management partition only.
    #>
    # Held in a variable because the lists of class members that this module is checked against lack performance classes.
    $class = 'Win32_PerfFormattedData_HvStats_HyperVHypervisorLogicalProcessor'
    $found = Get-CimInstance -Namespace 'root\cimv2' -ClassName $class -Filter "Name = '_Total'" -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'PercentTotalRunTime'
    foreach ($one in $found) {
        $percent = Get-HvTuiValue -Object $one -Name 'PercentTotalRunTime'
        if ($null -ne $percent) { return @{ Percent = [int]$percent } }
    }
    throw (Get-HvTuiAbsence -Name $class)
}
