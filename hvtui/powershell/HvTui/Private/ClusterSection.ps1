# The sections of Watch-HvTuiCluster, made from what its sources read.

function Get-HvTuiClusterSection {
    <#
    .SYNOPSIS
    The section cluster.
    #>
    param([hashtable]$Stream)
    $data = $Stream.Data['cluster']
    if ($null -eq $data) { return }
    $cluster = $data.Cluster
    $type = $null
    $witness = $null
    $state = $null
    if ($null -ne $data.Quorum) {
        $type = $data.Quorum.QuorumType
        $resource = $data.Quorum.QuorumResource
        if ($null -eq $resource) {
            $witness = ''
        } else {
            $witness = [string]$resource.ResourceType.Name
            $state = $resource.State
            # Read anew every round, where the cmdlet is asked more rarely.
            $id = ConvertTo-HvTuiGuid -Value $resource.Id
            if ($null -ne $id -and $null -ne $Stream.Data['resource'] -and $Stream.Data['resource'].Disk.ContainsKey($id)) { $state = $Stream.Data['resource'].Disk[$id].State }
        }
    }
    $section = Get-HvTuiSection
    $section.Id.Add('cluster')
    $section.Text['cluster'] = '{"id":' + (ConvertTo-HvTuiString -Value (ConvertTo-HvTuiGuid -Value $cluster.Id)) + ',"name":' + (ConvertTo-HvTuiString -Value $cluster.Name) +
        ',"functional_level":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $cluster -Name 'ClusterFunctionalLevel')) +
        ',"quorum_type":' + (ConvertTo-HvTuiNumber -Value $type) + ',"witness":' + (ConvertTo-HvTuiString -Value $witness) +
        ',"witness_state":' + (ConvertTo-HvTuiNumber -Value $state) +
        ',"witness_weight":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $cluster -Name 'WitnessDynamicWeight')) +
        ',"dynamic_quorum":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $cluster -Name 'DynamicQuorum')) +
        ',"max_parallel_migrations":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $cluster -Name 'MaximumParallelMigrations')) +
        ',"enforced_anti_affinity":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $cluster -Name 'ClusterEnforcedAntiAffinity')) +
        ',"csv_root":' + (ConvertTo-HvTuiString -Value (Get-HvTuiValue -Object $cluster -Name 'SharedVolumesRoot')) +
        ',"answered_by":' + (ConvertTo-HvTuiString -Value $Stream.Node) + '}'
    $section
}

function Get-HvTuiNodeListSection {
    <#
    .SYNOPSIS
    The section nodes.
    #>
    param([hashtable]$Stream)
    if (-not (Test-HvTuiSource -Stream $Stream -Name 'node')) { return }
    $drains = @{}
    if ($null -ne $Stream.Data['drain']) { $drains = $Stream.Data['drain'].Item }
    $section = Get-HvTuiSection
    foreach ($one in $Stream.Data['node'].Item) {
        $name = [string]$one.Name
        $code = $null
        $failback = $null
        if ($drains.ContainsKey($name)) {
            $code = $drains[$name].Code
            $failback = $drains[$name].Failback
        }
        $build = $null
        if ($null -ne $one.BuildNumber) { $build = '{0}.{1}.{2}' -f $one.MajorVersion, $one.MinorVersion, $one.BuildNumber }
        $section.Id.Add($name)
        $section.Text[$name] = '{"name":' + (ConvertTo-HvTuiString -Value $name) + ',"id":' + (ConvertTo-HvTuiString -Value $one.Id) +
            ',"state":' + (ConvertTo-HvTuiNumber -Value $one.State) + ',"status":' + (ConvertTo-HvTuiNumber -Value $one.StatusInformation) +
            ',"drain":' + (ConvertTo-HvTuiNumber -Value $one.NodeDrainStatus) + ',"drain_error":' + (ConvertTo-HvTuiNumber -Value $code) +
            ',"failback":' + (ConvertTo-HvTuiNumber -Value $failback) + ',"weight":' + (ConvertTo-HvTuiNumber -Value $one.NodeWeight) +
            ',"dynamic_weight":' + (ConvertTo-HvTuiNumber -Value $one.DynamicWeight) + ',"build":' + (ConvertTo-HvTuiString -Value $build) + '}'
    }
    $section
}

function Get-HvTuiVolumeSection {
    <#
    .SYNOPSIS
    The section csvs: folder and space as last asked for, owner, state, fault and backup as of this round.
    #>
    param([hashtable]$Stream)
    if ($null -eq $Stream.Data['volume']) { return }
    $disks = @{}
    if ($null -ne $Stream.Data['resource']) { $disks = $Stream.Data['resource'].Disk }
    $faults = @{}
    if ($null -ne $Stream.Data['fault']) { $faults = $Stream.Data['fault'].Item }
    $section = Get-HvTuiSection
    foreach ($one in $Stream.Data['volume'].Item) {
        $owner = $one.Owner
        $state = $one.State
        if ($disks.ContainsKey($one.ResourceId)) {
            $owner = $disks[$one.ResourceId].OwnerNode
            $state = $disks[$one.ResourceId].State
        }
        $fault = $one.Fault
        $backup = $null
        $live = $null
        if ($one.Volume) { $live = $faults[$one.Volume] }
        if ($null -eq $live) { $live = $faults[$one.Path] }
        if ($null -ne $live) {
            $fault = $live.Fault
            $backup = $live.Backup
        }
        $section.Id.Add($one.Id)
        $section.Text[$one.Id] = '{"id":' + (ConvertTo-HvTuiString -Value $one.Id) + ',"resource":' + (ConvertTo-HvTuiString -Value $one.Resource) +
            ',"path":' + (ConvertTo-HvTuiString -Value $one.Path) + ',"volume":' + (ConvertTo-HvTuiString -Value $one.Volume) +
            ',"owner":' + (ConvertTo-HvTuiString -Value $owner) + ',"state":' + (ConvertTo-HvTuiNumber -Value $state) +
            ',"fault":' + (ConvertTo-HvTuiNumber -Value $fault) + ',"backup":' + (ConvertTo-HvTuiNumber -Value $backup) +
            ',"maintenance":' + (ConvertTo-HvTuiBoolean -Value $one.Maintenance) + ',"redirected":' + (ConvertTo-HvTuiBoolean -Value $one.Redirected) +
            ',"file_system":' + (ConvertTo-HvTuiString -Value $one.FileSystem) + ',"size":' + (ConvertTo-HvTuiNumber -Value $one.Size) +
            ',"free":' + (ConvertTo-HvTuiNumber -Value $one.Free) + '}'
    }
    $section
}

function Get-HvTuiIoSection {
    <#
    .SYNOPSIS
    The section io.
    #>
    param([hashtable]$Stream)
    if (-not (Test-HvTuiSource -Stream $Stream -Name 'io')) { return }
    $section = Get-HvTuiSection
    $volumes = $Stream.Data['io'].Item
    foreach ($id in ($volumes.Keys | Sort-Object)) {
        $texts = foreach ($name in ($volumes[$id].Keys | Sort-Object)) { (ConvertTo-HvTuiString -Value $name) + ':' + $volumes[$id][$name] }
        $section.Id.Add($id)
        $section.Text[$id] = '{"id":' + (ConvertTo-HvTuiString -Value $id) + ',"nodes":{' + (@($texts) -join ',') + '}}'
    }
    $section
}

function Get-HvTuiRoleSection {
    <#
    .SYNOPSIS
    The section roles.
    #>
    param([hashtable]$Stream)
    if (-not (Test-HvTuiSource -Stream $Stream -Name 'group')) { return }
    $machines = @{}
    $configurations = @{}
    if ($null -ne $Stream.Data['resource']) {
        $machines = $Stream.Data['resource'].Machine
        $configurations = $Stream.Data['resource'].Configuration
    }
    $identities = @{}
    if ($null -ne $Stream.Data['identity']) { $identities = $Stream.Data['identity'].Item }
    $names = $Stream.Name
    if ($names.Count -gt 20000) { $names.Clear() }
    $section = Get-HvTuiSection
    $ids = $section.Id
    $texts = $section.Text
    foreach ($one in $Stream.Data['group'].Item) {
        $raw = [string]$one.Id
        $id = $raw.ToLowerInvariant().Trim('{', '}')
        $title = [string]$one.Name
        if (-not $names.ContainsKey($title)) { $names[$title] = ConvertTo-HvTuiString -Value $title }
        $name = $names[$title]
        # A resource names its group by name; should a Windows do it by id, that is found too.
        $group = $title
        if (-not $machines.ContainsKey($group) -and -not $configurations.ContainsKey($group)) { $group = $raw }
        $resource = 'null'
        if ($machines.ContainsKey($group)) {
            $resource = $machines[$group].State
            if ($null -eq $resource) { $resource = 'null' } elseif ($resource -eq 4294967295) { $resource = -1 }
        }
        $configuration = 'null'
        if ($configurations.ContainsKey($group)) {
            $configuration = $configurations[$group].State
            if ($null -eq $configuration) { $configuration = 'null' } elseif ($configuration -eq 4294967295) { $configuration = -1 }
        }
        $vm = 'null'
        $migration = 'null'
        $percent = 'null'
        if (-not $identities.ContainsKey($group)) { $group = $title }
        if ($identities.ContainsKey($group)) {
            $identity = $identities[$group]
            if ($null -ne $identity.Vm) { $Stream.RoleVm[$id] = '"' + $identity.Vm + '"' }
            if ($null -ne $identity.State) { $migration = $identity.State }
            if ($null -ne $identity.Percent) { $percent = $identity.Percent }
        }
        # A role keeps its VM: once known it stays known, even while the private properties cannot be read.
        if ($Stream.RoleVm.ContainsKey($id)) { $vm = $Stream.RoleVm[$id] }
        $owner = [string]$one.OwnerNode
        if (-not $names.ContainsKey($owner)) { $names[$owner] = ConvertTo-HvTuiString -Value $owner }
        $owner = $names[$owner]
        $state = $one.State
        # What WMI shows for -1, unknown.
        if ($null -eq $state -or $state -eq 4294967295) { $state = -1 }
        $status = $one.StatusInformation
        if ($null -eq $status) { $status = 'null' }
        $priority = $one.Priority
        if ($null -eq $priority) { $priority = 'null' }
        $apart = '[]'
        if ($null -ne $one.AntiAffinityClassNames -and $one.AntiAffinityClassNames.Count) { $apart = ConvertTo-HvTuiList -Value $one.AntiAffinityClassNames }
        if (-not $texts.ContainsKey($id)) { $ids.Add($id) }
        $texts[$id] = "{`"id`":`"$id`",`"name`":$name,`"vm`":$vm,`"owner`":$owner,`"state`":$state,`"status`":$status,`"priority`":$priority,`"resource_state`":$resource,`"configuration_state`":$configuration,`"migration_state`":$migration,`"migration_percent`":$percent,`"anti_affinity`":$apart}"
    }
    if ($Stream.Role.Count -gt 2 * $ids.Count + 100) {
        $Stream.Role.Clear()
        $Stream.RoleVm.Clear()
    }
    $section
}
