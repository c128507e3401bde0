# What Watch-HvTuiCluster asks the cluster service: each question once for the whole cluster, always of this node.

function Get-HvTuiClusterSource {
    <#
    .SYNOPSIS
    The questions of Watch-HvTuiCluster, in order. CIM comes first: it has a deadline, and the cmdlets have none.
    #>
    param([int]$SlowSeconds)
    Get-HvTuiSource -Name 'node' -Part 'nodes' -Reader 'Read-HvTuiClusterNode' -Guard 'cluster'
    Get-HvTuiSource -Name 'resource' -Part 'roles.resources' -Reader 'Read-HvTuiResource' -Guard 'cluster'
    Get-HvTuiSource -Name 'group' -Part 'roles' -Reader 'Read-HvTuiGroup' -Guard 'cluster'
    Get-HvTuiSource -Name 'identity' -Part 'roles.vm' -Reader 'Read-HvTuiIdentity' -Guard 'cluster' -Period ($SlowSeconds / 3)
    Get-HvTuiSource -Name 'fault' -Part 'csvs.fault' -Reader 'Read-HvTuiFault' -Guard 'cluster'
    Get-HvTuiSource -Name 'cluster' -Part 'cluster' -Reader 'Read-HvTuiCluster' -Guard 'cluster' -Period ($SlowSeconds / 3) -Slow
    Get-HvTuiSource -Name 'volume' -Part 'csvs' -Reader 'Read-HvTuiVolume' -Guard 'cluster' -Period $SlowSeconds -Slow
    Get-HvTuiSource -Name 'io' -Part 'io' -Reader 'Read-HvTuiIo' -Guard 'cluster' -Period ($SlowSeconds / 3) -Slow
    Get-HvTuiSource -Name 'drain' -Part 'nodes.failback' -Reader 'Read-HvTuiDrain' -Guard 'cluster' -Period $SlowSeconds -Slow
}

function Get-HvTuiTable {
    <#
    .SYNOPSIS
    A table with names as keys. In @{} Windows PowerShell compares them by the culture: to it names that differ by an
    invisible character, or by how an accent is written, are one.
    #>
    New-Object -TypeName 'System.Collections.Generic.Dictionary[string,object]' -ArgumentList ([System.StringComparer]::OrdinalIgnoreCase)
}

function Read-HvTuiClusterNode {
    <#
    .SYNOPSIS
    All nodes of the cluster.
    #>
    param([hashtable]$Stream)
    $found = @(Get-CimInstance -Namespace 'root\MSCluster' -ClassName 'MSCluster_Node' -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'Id', 'State', 'StatusInformation', 'NodeDrainStatus', 'NodeWeight', 'DynamicWeight', 'MajorVersion', 'MinorVersion', 'BuildNumber')
    if ($found.Count -eq 0) {
        # A cluster has nodes; none means that this account may not see them, nor anything else there.
        $Stream.Blind += 'resource', 'group', 'identity', 'fault'
        throw (New-Object -TypeName System.UnauthorizedAccessException -ArgumentList 'root\MSCluster shows no node to this account')
    }
    @{ Item = $found }
}

function Read-HvTuiResource {
    <#
    .SYNOPSIS
    All resources: state and owner of the VMs' ones and of the CSVs' disks.
    #>
    param([hashtable]$Stream)
    $found = Get-CimInstance -Namespace 'root\MSCluster' -ClassName 'MSCluster_Resource' -OperationTimeoutSec $script:FastSeconds -Property 'Id', 'Name', 'Type', 'State', 'OwnerGroup', 'OwnerNode', 'IsClusterSharedVolume'
    $machine = Get-HvTuiTable
    $configuration = Get-HvTuiTable
    $disk = Get-HvTuiTable
    $csvs = 0
    foreach ($one in $found) {
        $type = $one.Type
        if ($type -eq 'Virtual Machine') {
            $machine[$one.OwnerGroup] = $one
        } elseif ($type -eq 'Virtual Machine Configuration') {
            $configuration[$one.OwnerGroup] = $one
        } else {
            if ($one.IsClusterSharedVolume) { $csvs++ }
            $id = ConvertTo-HvTuiGuid -Value $one.Id
            if ($null -ne $id) { $disk[$id] = $one }
        }
    }
    if ($csvs -ne $Stream.CsvCount) {
        # A CSV came or went: its volumes belong into this message.
        $Stream.CsvCount = $csvs
        Request-HvTuiSource -Stream $Stream -Name 'volume'
    }
    @{ Machine = $machine; Configuration = $configuration; Disk = $disk }
}

function Read-HvTuiGroup {
    <#
    .SYNOPSIS
    All VM roles.
    #>
    param([hashtable]$Stream)
    $found = @(Get-CimInstance -Namespace 'root\MSCluster' -ClassName 'MSCluster_ResourceGroup' -Filter 'GroupType = 111' -OperationTimeoutSec $script:FastSeconds -Property 'Id', 'Name', 'State', 'StatusInformation', 'OwnerNode', 'Priority', 'AntiAffinityClassNames', 'GroupType')
    foreach ($one in $found) {
        if (-not $Stream.Role.ContainsKey([string]$one.Id)) {
            # A new role: its VM belongs into this message.
            $Stream.Role[[string]$one.Id] = $true
            Request-HvTuiSource -Stream $Stream -Name 'identity'
        }
    }
    @{ Item = $found }
}

function Read-HvTuiIdentity {
    <#
    .SYNOPSIS
    The VM behind each role, and its migration, from the private properties of the role's VM resources.
    #>
    param([hashtable]$Stream)
    $found = Get-CimInstance -Namespace 'root\MSCluster' -ClassName 'MSCluster_Resource' -Filter "Type = 'Virtual Machine' OR Type = 'Virtual Machine Configuration'" -OperationTimeoutSec $script:SlowSecondsLimit -Property 'Id', 'Name', 'Type', 'OwnerGroup', 'PrivateProperties'
    $identity = Get-HvTuiTable
    $known = $Stream.Identity
    $unknown = 0
    $hidden = 0
    foreach ($one in $found) {
        $private = $null
        if ($null -ne $one.PrivateProperties) { $private = $one.PrivateProperties.PSObject.Properties }
        # A resource keeps its VM, so its GUID is taken out of the properties once.
        $id = $known[$one.Id]
        if ($null -eq $id -and $null -ne $private -and $null -ne $private['VmID']) {
            $id = ConvertTo-HvTuiGuid -Value $private['VmID'].Value
            if ($null -ne $id) { $known[$one.Id] = $id }
        }
        if ($null -eq $id) { $unknown++ }
        $held = $identity[$one.OwnerGroup]
        if ($null -eq $held) {
            $held = @{ Vm = $id; State = $null; Percent = $null; Resource = $one.Id }
            $identity[$one.OwnerGroup] = $held
        } elseif ($null -eq $held.Vm) {
            $held.Vm = $id
        }
        if ($null -eq $private) {
            $hidden++
        } elseif ($one.Type -eq 'Virtual Machine') {
            $property = $private['MigrationState']
            if ($null -ne $property) { $held.State = $property.Value }
            $property = $private['MigrationProgress']
            if ($null -ne $property) { $held.Percent = $property.Value }
        }
    }
    if ($unknown) {
        # WMI did not hand out the private properties: one pipeline of cmdlets for all that are missing.
        Read-HvTuiParameter -Stream $Stream
        foreach ($group in @($identity.Keys)) {
            if ($null -eq $identity[$group].Vm) { $identity[$group].Vm = $known[([string]$identity[$group].Resource).Trim('{', '}')] }
        }
    }
    $nameless = 0
    foreach ($held in $identity.Values) { if ($null -eq $held.Vm) { $nameless++ } }
    Join-HvTuiGap -Stream $Stream -Part 'roles.migration_state' -Count $hidden -Text 'VM resources show no private properties'
    Join-HvTuiGap -Stream $Stream -Part 'roles.vm' -Count $nameless -Text 'VM roles show no VM'
    @{ Item = $identity }
}

function Join-HvTuiGap {
    <#
    .SYNOPSIS
    Keeps or drops the problem that an answer came with gaps.
    #>
    param([hashtable]$Stream, [string]$Part, [int]$Count, [string]$Text)
    $key = 'gap ' + $Part
    if ($Count) {
        $Stream.Problem[$key] = Join-HvTuiProblem -Part $Part -Kind 'missing' -Text "$Count $Text"
    } elseif ($Stream.Problem.Contains($key)) {
        $Stream.Problem.Remove($key)
    }
}

function Read-HvTuiParameter {
    <#
    .SYNOPSIS
    The VM GUIDs of all VM resources by cmdlet, kept by the resources' ids.
    #>
    param([hashtable]$Stream)
    $found = Get-ClusterResource | Where-Object -FilterScript { $_.ResourceType.Name -eq 'Virtual Machine' -or $_.ResourceType.Name -eq 'Virtual Machine Configuration' } | Get-ClusterParameter -Name 'VmID'
    foreach ($one in $found) {
        $id = ConvertTo-HvTuiGuid -Value $one.Value
        if ($null -ne $id) { $Stream.Identity[([string]$one.ClusterObject.Id).Trim('{', '}')] = $id }
    }
}

function Read-HvTuiFault {
    <#
    .SYNOPSIS
    Fault and backup state of all CSV volumes, by volume name and by path.
    #>
    $faults = Get-HvTuiTable
    $found = Get-CimInstance -Namespace 'root\MSCluster' -ClassName 'MSCluster_ClusterSharedVolume' -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'VolumeName', 'FaultState', 'BackupState'
    foreach ($one in $found) {
        $state = @{ Fault = $one.FaultState; Backup = $one.BackupState }
        if ($one.VolumeName) { $faults[$one.VolumeName] = $state }
        if ($one.Name) { $faults[$one.Name] = $state }
    }
    @{ Item = $faults }
}

function Read-HvTuiCluster {
    <#
    .SYNOPSIS
    The cluster itself and its quorum.
    #>
    $cluster = Get-Cluster
    $quorum = $null
    try {
        $quorum = Get-ClusterQuorum
        if ($Stream.Problem.Contains('quorum')) { $Stream.Problem.Remove('quorum') }
    } catch {
        $Stream.Problem['quorum'] = Get-HvTuiProblem -Part 'cluster.quorum' -ErrorRecord $_
    }
    @{ Cluster = $cluster; Quorum = $quorum }
}

function Read-HvTuiVolume {
    <#
    .SYNOPSIS
    The volumes of all CSVs with folder, space and switches. The cluster service asks each owner for its figures.
    #>
    $volumes = New-Object -TypeName System.Collections.Generic.List[object]
    foreach ($csv in Get-ClusterSharedVolume) {
        $resource = ConvertTo-HvTuiGuid -Value $csv.Id
        foreach ($one in $csv.SharedVolumeInfo) {
            $partition = $one.Partition
            $volumes.Add(@{
                    Id          = "$resource/$(Get-HvTuiValue -Object $one -Name 'PartitionNumber')"
                    Resource    = [string]$csv.Name
                    ResourceId  = $resource
                    Owner       = Get-HvTuiValue -Object $csv.OwnerNode -Name 'Name'
                    State       = $csv.State
                    Path        = [string]$one.FriendlyVolumeName
                    Volume      = Get-HvTuiValue -Object $partition -Name 'Name'
                    Fault       = Get-HvTuiValue -Object $one -Name 'FaultState'
                    Maintenance = Get-HvTuiValue -Object $one -Name 'MaintenanceMode'
                    Redirected  = Get-HvTuiValue -Object $one -Name 'RedirectedAccess'
                    FileSystem  = Get-HvTuiValue -Object $partition -Name 'FileSystem'
                    Size        = Get-HvTuiValue -Object $partition -Name 'Size'
                    Free        = Get-HvTuiValue -Object $partition -Name 'FreeSpace'
                })
        }
    }
    @{ Item = $volumes }
}

function Read-HvTuiIo {
    <#
    .SYNOPSIS
    How each node reaches each CSV volume.
    #>
    $volumes = Get-HvTuiTable
    foreach ($one in Get-ClusterSharedVolumeState) {
        $id = [string]$one.VolumeName
        if (-not $volumes.ContainsKey($id)) { $volumes[$id] = Get-HvTuiTable }
        $volumes[$id][[string]$one.Node] = '[' + [int]$one.StateInfo + ',' + [int]$one.FileSystemRedirectedIOReason + ',' + [int]$one.BlockRedirectedIOReason + ']'
    }
    @{ Item = $volumes }
}

function Read-HvTuiDrain {
    <#
    .SYNOPSIS
    What only the cmdlet tells of a node: why a drain failed, and the failback after it. Older systems lack both.
    #>
    $nodes = Get-HvTuiTable
    foreach ($one in Get-ClusterNode) {
        $nodes[[string]$one.Name] = @{
            Code     = Get-HvTuiValue -Object $one -Name 'DrainErrorCode'
            Failback = Get-HvTuiValue -Object $one -Name 'FailbackStatus'
        }
    }
    @{ Item = $nodes }
}
