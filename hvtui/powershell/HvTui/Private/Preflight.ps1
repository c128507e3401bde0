# What Get-HvTuiPreflight asks: each question once for all VMs of the node, with a deadline wherever Windows has one.

function Get-HvTuiReading {
    <#
    .SYNOPSIS
    A new reading: what was found so far, and what could not be read.
    #>
    @{
        Node    = Get-HvTuiNodeName
        Problem = New-Object -TypeName System.Collections.Generic.List[string]
        # An error of VMMS, or of the cluster service, that stands for everything asked of it.
        Machine = $null
        Cluster = $null
        Found   = @{}
    }
}

function Invoke-HvTuiPart {
    <#
    .SYNOPSIS
    Runs one question; whether it was answered. An error of its service is told for it without asking again.
    #>
    param([hashtable]$Reading, [string]$Part, [scriptblock]$Block, $Fault = $null)
    if ($null -ne $Fault) {
        $Reading.Problem.Add((Get-HvTuiProblem -Part $Part -ErrorRecord $Fault))
        return $false
    }
    try {
        & $Block
        $true
    } catch {
        $Reading.Problem.Add((Get-HvTuiProblem -Part $Part -ErrorRecord $_))
        $false
    }
}

function Read-HvTuiGuard {
    <#
    .SYNOPSIS
    Asks VMMS and the cluster service for themselves. To an account without rights both answer with nothing.
    #>
    param([hashtable]$Reading)
    try {
        if (-not (Read-HvTuiHyperVRight)) { throw (New-Object -TypeName System.UnauthorizedAccessException -ArgumentList 'root\virtualization\v2 shows nothing to this account') }
    } catch {
        $Reading.Machine = $_
    }
    try {
        if (-not (Read-HvTuiClusterRight)) { throw (New-Object -TypeName System.UnauthorizedAccessException -ArgumentList 'root\MSCluster shows no node to this account') }
    } catch {
        $Reading.Cluster = $_
    }
}

function Get-HvTuiCmdletFault {
    <#
    .SYNOPSIS
    The error of the cluster service for its cmdlets: they have no deadline, so that one that hangs is not asked again.
    #>
    param([hashtable]$Reading)
    if ($null -eq $Reading.Cluster) { return }
    $code = Get-HvTuiErrorCode -ErrorRecord $Reading.Cluster
    if ((Get-HvTuiProblemKind -ErrorRecord $Reading.Cluster -Code $code) -eq 'timeout') { $Reading.Cluster }
}

function Get-HvTuiOwnerGuid {
    <#
    .SYNOPSIS
    The GUID of the settings that a setting belongs to: Microsoft:<GUID>\...
    #>
    param([string]$InstanceId)
    if ($InstanceId.Length -ge 46 -and $InstanceId.StartsWith('Microsoft:', [System.StringComparison]::Ordinal)) { $InstanceId.Substring(10, 36).ToLowerInvariant() }
}

function Add-HvTuiToList {
    <#
    .SYNOPSIS
    Adds a value to the list that a table keeps for a key.
    #>
    param([hashtable]$Table, [string]$Key, $Value)
    if (-not $Table.ContainsKey($Key)) { $Table[$Key] = New-Object -TypeName System.Collections.Generic.List[object] }
    $Table[$Key].Add($Value)
}

function Read-HvTuiPreflightMachine {
    <#
    .SYNOPSIS
    The VMs, in the order of VMMS.
    #>
    param([hashtable]$Reading)
    $machines = New-Object -TypeName System.Collections.Generic.List[object]
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_ComputerSystem' -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'ElementName', 'EnabledState', 'OperationalStatus') {
        if ($null -ne $one.Name -and $one.Name.Length -eq 36) { $machines.Add($one) }
    }
    $Reading.Found['machine'] = $machines
}

function Read-HvTuiPreflightVersion {
    <#
    .SYNOPSIS
    Configuration versions, and whose checkpoint each setting is: a job may name a checkpoint instead of its VM.
    #>
    param([hashtable]$Reading)
    $versions = @{}
    $owners = @{}
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_VirtualSystemSettingData' -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'VirtualSystemIdentifier', 'VirtualSystemType', 'Version') {
        $id = ConvertTo-HvTuiGuid -Value $one.VirtualSystemIdentifier
        if ($null -eq $id) { continue }
        $own = ConvertTo-HvTuiGuid -Value $one.InstanceID
        if ($null -ne $own) { $owners[$own] = $id }
        if ($one.VirtualSystemType -eq 'Microsoft:Hyper-V:System:Realized') { $versions[$id] = $one.Version }
    }
    $Reading.Found['version'] = $versions
    $Reading.Found['owner'] = $owners
}

function Read-HvTuiPreflightMemory {
    <#
    .SYNOPSIS
    Startup, minimum and maximum memory in MB, and whether it is dynamic.
    #>
    param([hashtable]$Reading)
    $found = @{}
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_MemorySettingData' -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'VirtualQuantity', 'Reservation', 'Limit', 'DynamicMemoryEnabled') {
        $id = Get-HvTuiOwnerGuid -InstanceId $one.InstanceID
        if ($null -ne $id) { $found[$id] = $one }
    }
    $Reading.Found['memory'] = $found
}

function Read-HvTuiPreflightAssigned {
    <#
    .SYNOPSIS
    Memory that VMs have now, MB; none when they are off or saved.
    #>
    param([hashtable]$Reading)
    $found = @{}
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_SummaryInformation' -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'EnabledState', 'MemoryUsage') {
        if (-not $one.Name) { continue }
        $value = $one.MemoryUsage
        if (3, 6, 32769 -contains [int]$one.EnabledState) { $value = 0 }
        $found[$one.Name.ToLowerInvariant()] = $value
    }
    $Reading.Found['assigned'] = $found
}

function Read-HvTuiPreflightSwitch {
    <#
    .SYNOPSIS
    The host's switches, by GUID.
    #>
    param([hashtable]$Reading)
    $found = @{}
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_VirtualEthernetSwitch' -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'ElementName') {
        if ($one.Name) { $found[$one.Name.ToLowerInvariant()] = [string]$one.ElementName }
    }
    $Reading.Found['switch'] = $found
}

function Read-HvTuiPreflightPort {
    <#
    .SYNOPSIS
    The names of the switches that each VM's adapters are connected to.
    #>
    param([hashtable]$Reading)
    Read-HvTuiPreflightSwitch -Reading $Reading
    $found = @{}
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_EthernetPortAllocationSettingData' -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'HostResource', 'LastKnownSwitchName', 'EnabledState') {
        $id = Get-HvTuiOwnerGuid -InstanceId $one.InstanceID
        # 2: connected.
        if ($null -eq $id -or [int]$one.EnabledState -ne 2) { continue }
        foreach ($path in $one.HostResource) {
            $name = $null
            if ([string]$path -match ',Name="([^"]+)"') { $name = $Reading.Found['switch'][$Matches[1].ToLowerInvariant()] }
            # Its switch is not on this host: what it was called when it was there.
            if ($null -eq $name) { $name = [string]$one.LastKnownSwitchName }
            if ($name) { Add-HvTuiToList -Table $found -Key $id -Value $name }
        }
    }
    $Reading.Found['port'] = $found
}

function Read-HvTuiPreflightDisk {
    <#
    .SYNOPSIS
    Files of virtual disks, media in DVD and floppy drives, disks shared by VMs, and pass-through disks.
    #>
    param([hashtable]$Reading)
    $found = @{ File = @{}; Medium = @{}; Shared = @{}; Physical = @{} }
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_StorageAllocationSettingData' -OperationTimeoutSec $script:SlowSecondsLimit -Property 'InstanceID', 'ResourceSubType', 'HostResource', 'PersistentReservationsSupported') {
        $id = Get-HvTuiOwnerGuid -InstanceId $one.InstanceID
        if ($null -eq $id) { continue }
        foreach ($path in $one.HostResource) {
            if (-not $path) { continue }
            if ($one.ResourceSubType -eq 'Microsoft:Hyper-V:Virtual CD/DVD Disk' -or $one.ResourceSubType -eq 'Microsoft:Hyper-V:Virtual Floppy Disk') {
                Add-HvTuiToList -Table $found.Medium -Key $id -Value ([string]$path)
                continue
            }
            Add-HvTuiToList -Table $found.File -Key $id -Value ([string]$path)
            if ($one.PersistentReservationsSupported) { Add-HvTuiToList -Table $found.Shared -Key $id -Value ([string]$path) }
        }
    }
    $names = $null
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_ResourceAllocationSettingData' -Filter "ResourceSubType = 'Microsoft:Hyper-V:Physical Disk Drive'" -OperationTimeoutSec $script:SlowSecondsLimit -Property 'InstanceID', 'HostResource') {
        $id = Get-HvTuiOwnerGuid -InstanceId $one.InstanceID
        if ($null -eq $id) { continue }
        if ($null -eq $names) {
            $names = @{}
            foreach ($drive in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_DiskDrive' -OperationTimeoutSec $script:SlowSecondsLimit -Property 'DeviceID', 'ElementName') {
                if ($drive.DeviceID) { $names[$drive.DeviceID] = $drive.ElementName }
            }
        }
        foreach ($path in $one.HostResource) {
            if (-not $path) { continue }
            if ($path -match 'DeviceID="([^"]+)"' -and $names.ContainsKey($Matches[1].Replace('\\', '\'))) { $path = $names[$Matches[1].Replace('\\', '\')] }
            Add-HvTuiToList -Table $found.Physical -Key $id -Value ([string]$path)
        }
    }
    $Reading.Found['disk'] = $found
}

function Read-HvTuiPreflightDevice {
    <#
    .SYNOPSIS
    How many GPU partitions and assigned PCI devices each VM has. A Windows without such a class has none.
    #>
    param([hashtable]$Reading)
    $found = @{}
    foreach ($class in 'Msvm_GpuPartitionSettingData', 'Msvm_PciExpressSettingData') {
        try {
            $devices = @(Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName $class -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID')
        } catch {
            if ((Get-HvTuiErrorCode -ErrorRecord $_) -ne '0x80041010') { throw }
            $devices = @()
        }
        foreach ($one in $devices) {
            $id = Get-HvTuiOwnerGuid -InstanceId $one.InstanceID
            if ($null -ne $id) { $found[$id] = 1 + [int]$found[$id] }
        }
    }
    $Reading.Found['device'] = $found
}

function Read-HvTuiPreflightTpm {
    <#
    .SYNOPSIS
    Which VMs have a virtual TPM: their keys are on the host.
    #>
    param([hashtable]$Reading)
    $found = @{}
    # Held in a variable because the lists of class members that this module is checked against lack its inherited key.
    $class = 'Msvm_SecuritySettingData'
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName $class -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'TpmEnabled') {
        $id = Get-HvTuiOwnerGuid -InstanceId $one.InstanceID
        if ($null -ne $id) { $found[$id] = [bool]$one.TpmEnabled }
    }
    $Reading.Found['tpm'] = $found
}

function Read-HvTuiPreflightFibreChannel {
    <#
    .SYNOPSIS
    How many virtual Fibre Channel adapters each VM has: no checkpoint holds what is behind them.
    #>
    param([hashtable]$Reading)
    $found = @{}
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_SyntheticFcPortSettingData' -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID') {
        $id = Get-HvTuiOwnerGuid -InstanceId $one.InstanceID
        if ($null -ne $id) { $found[$id] = 1 + [int]$found[$id] }
    }
    $Reading.Found['fibre'] = $found
}

function Read-HvTuiPreflightSystem {
    <#
    .SYNOPSIS
    What each guest says it is. It says so itself, so it is a text like any other; VMMS wraps it in XML.
    #>
    param([hashtable]$Reading)
    $found = @{}
    $product = @{}
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_KvpExchangeComponent' -OperationTimeoutSec $script:SlowSecondsLimit -Property 'SystemName', 'GuestIntrinsicExchangeItems') {
        if (-not $one.SystemName) { continue }
        foreach ($item in $one.GuestIntrinsicExchangeItems) {
            if ($item -notmatch '<PROPERTY NAME="Name"[^>]*><VALUE>(OSName|ProductType)</VALUE>') { continue }
            $name = $Matches[1]
            if ($item -notmatch '<PROPERTY NAME="Data"[^>]*><VALUE>([^<]*)</VALUE>') { continue }
            $value = [System.Net.WebUtility]::HtmlDecode($Matches[1])
            if ($name -eq 'OSName') {
                $found[$one.SystemName.ToLowerInvariant()] = $value
            } elseif ($value -match '^[0-9]{1,4}$') {
                $product[$one.SystemName.ToLowerInvariant()] = [int]$value
            }
        }
    }
    $Reading.Found['system'] = $found
    $Reading.Found['product'] = $product
}

function Read-HvTuiPreflightJob {
    <#
    .SYNOPSIS
    Types of the running jobs of each VM. A running job that names nothing at all may be any VM's: then none is known.
    #>
    param([hashtable]$Reading)
    $jobs = @{}
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_ConcreteJob' -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'JobType', 'JobState') { $jobs[[string]$one.InstanceID] = $one }
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_StorageJob' -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'JobType', 'JobState') { $jobs[[string]$one.InstanceID] = $one }
    $found = @{}
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_MigrationJob' -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'JobType', 'JobState', 'VirtualSystemName') {
        $jobs.Remove([string]$one.InstanceID)
        $id = ConvertTo-HvTuiGuid -Value $one.VirtualSystemName
        if ($null -ne $id -and (3, 4 -contains [int]$one.JobState)) { Add-HvTuiToList -Table $found -Key $id -Value ([int]$one.JobType) }
    }
    $running = @(foreach ($one in $jobs.Values) { if (3, 4 -contains [int]$one.JobState) { $one } })
    if ($running.Count) {
        $stream = @{ JobLink = @{}; Problem = New-Object -TypeName System.Collections.Specialized.OrderedDictionary }
        Read-HvTuiJobLink -Stream $stream
        foreach ($text in $stream.Problem.Values) { throw (New-Object -TypeName System.InvalidOperationException -ArgumentList "the VMs of running jobs could not be read: $text") }
        $owners = @{}
        if ($null -ne $Reading.Found['owner']) { $owners = $Reading.Found['owner'] }
        foreach ($one in $running) {
            $links = $stream.JobLink[[string]$one.InstanceID]
            if ($null -eq $links) { throw (New-Object -TypeName System.InvalidOperationException -ArgumentList "a running job of type $($one.JobType) names no VM") }
            $of = @(foreach ($link in $links) { if ($owners.ContainsKey($link)) { $owners[$link] } else { $link } }) | Select-Object -Unique
            foreach ($id in $of) { Add-HvTuiToList -Table $found -Key $id -Value ([int]$one.JobType) }
        }
    }
    $Reading.Found['job'] = $found
}
