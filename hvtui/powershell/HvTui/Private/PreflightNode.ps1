# The node's side of Get-HvTuiPreflight: memory, switches, storage, shadow copies, and what the cluster says of itself.

function Read-HvTuiNodeFact {
    <#
    .SYNOPSIS
    Fills the facts of the node, JSON by name; what cannot be read stays null.
    #>
    param([hashtable]$Reading, [hashtable]$Fact)
    $null = Invoke-HvTuiPart -Reading $Reading -Part 'node.switches' -Fault $Reading.Machine -Block {
        Read-HvTuiPreflightSwitch -Reading $Reading
        $Fact['switches'] = Join-HvTuiNameList -Value $Reading.Found['switch'].Values
    }
    $null = Invoke-HvTuiPart -Reading $Reading -Part 'node.versions' -Fault $Reading.Machine -Block {
        $Fact['vm_versions'] = Join-HvTuiTextList -Value (Get-VMHost).SupportedVmVersions
    }
    $null = Invoke-HvTuiPart -Reading $Reading -Part 'node.memory' -Block {
        foreach ($one in Get-CimInstance -Namespace 'root\cimv2' -ClassName 'Win32_OperatingSystem' -OperationTimeoutSec $script:FastSeconds -Property 'TotalVisibleMemorySize', 'FreePhysicalMemory') {
            $Fact['memory_total'] = ConvertTo-HvTuiNumber -Value ([long]$one.TotalVisibleMemorySize / 1024)
            $Fact['memory_available'] = ConvertTo-HvTuiNumber -Value ([long]$one.FreePhysicalMemory / 1024)
        }
        if ($Fact['memory_total'] -eq 'null') { throw (Get-HvTuiAbsence -Name 'Win32_OperatingSystem') }
    }
    $null = Invoke-HvTuiPart -Reading $Reading -Part 'node.shadow_copies' -Block {
        $Fact['shadow_copies'] = Join-HvTuiShadowCopy
    }
    Read-HvTuiClusterFact -Reading $Reading -Fact $Fact
    Read-HvTuiStorageFact -Reading $Reading -Fact $Fact
}

function Read-HvTuiClusterFact {
    <#
    .SYNOPSIS
    This node's id, affinity rules, Storage Spaces Direct, balancer, and the threshold below which a drain moves quickly.
    #>
    param([hashtable]$Reading, [hashtable]$Fact)
    $Fact['id'] = 'null'
    $null = Invoke-HvTuiPart -Reading $Reading -Part 'node.id' -Fault $Reading.Cluster -Block {
        foreach ($one in (Read-HvTuiClusterNode -Stream @{ Blind = @() }).Item) {
            if ([string]::Equals($one.Name, $Reading.Node, [System.StringComparison]::OrdinalIgnoreCase)) { $Fact['id'] = ConvertTo-HvTuiString -Value $one.Id }
        }
        if ($Fact['id'] -eq 'null') { throw (Get-HvTuiAbsence -Name "MSCluster_Node '$($Reading.Node)'") }
    }
    $null = Invoke-HvTuiPart -Reading $Reading -Part 'node.affinity_rules' -Fault $Reading.Cluster -Block {
        try {
            $rules = @(Get-CimInstance -Namespace 'root\MSCluster' -ClassName 'MSCluster_AffinityRule' -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'RuleType', 'Groups', 'Enabled')
        } catch {
            # Before Windows Server 2022 there are no such rules.
            if ((Get-HvTuiErrorCode -ErrorRecord $_) -ne '0x80041010') { throw }
            $rules = @()
        }
        $texts = foreach ($one in $rules) {
            '{"name":' + (ConvertTo-HvTuiString -Value $one.Name) + ',"type":' + (ConvertTo-HvTuiNumber -Value $one.RuleType) +
                ',"groups":' + (Join-HvTuiTextList -Value $one.Groups) + ',"enabled":' + (ConvertTo-HvTuiBoolean -Value $one.Enabled) + '}'
        }
        $Fact['affinity_rules'] = '[' + (@($texts) -join ',') + ']'
    }
    $fault = Get-HvTuiCmdletFault -Reading $Reading
    $null = Invoke-HvTuiPart -Reading $Reading -Part 'node.cluster' -Fault $fault -Block {
        $cluster = Get-Cluster
        $s2d = Get-HvTuiValue -Object $cluster -Name 'S2DEnabled'
        $Fact['balancer'] = ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $cluster -Name 'AutoBalancerMode')
        if ($null -eq $s2d) { throw (Get-HvTuiAbsence -Name 'Get-Cluster S2DEnabled') }
        $Fact['s2d'] = ConvertTo-HvTuiBoolean -Value ([int]$s2d -ne 0)
    }
    $null = Invoke-HvTuiPart -Reading $Reading -Part 'node.threshold' -Fault $fault -Block {
        foreach ($one in Get-ClusterResourceType -Name 'Virtual Machine' | Get-ClusterParameter -Name 'MoveTypeThreshold') { $Fact['threshold'] = ConvertTo-HvTuiNumber -Value $one.Value }
        if ($null -eq $Fact['threshold'] -or $Fact['threshold'] -eq 'null') { throw (Get-HvTuiAbsence -Name 'Get-ClusterParameter MoveTypeThreshold') }
    }
}

function Read-HvTuiStorageFact {
    <#
    .SYNOPSIS
    Virtual disks and storage jobs of Storage Spaces Direct, and Storage Replica groups. Without them nothing is asked.
    #>
    param([hashtable]$Reading, [hashtable]$Fact)
    # Held in variables because the lists of class members that this module is checked against lack these classes.
    $disk = 'MSFT_VirtualDisk'
    $job = 'MSFT_StorageJob'
    $group = 'MSFT_WvrReplicationGroup'
    if ($Fact['s2d'] -eq 'false') {
        $Fact['virtual_disks'] = '[]'
        $Fact['storage_jobs'] = '[]'
    } elseif ($Fact['s2d'] -eq 'true') {
        $null = Invoke-HvTuiPart -Reading $Reading -Part 'node.virtual_disks' -Block {
            $texts = foreach ($one in Get-CimInstance -Namespace 'root\Microsoft\Windows\Storage' -ClassName $disk -OperationTimeoutSec $script:SlowSecondsLimit -Property 'FriendlyName', 'HealthStatus', 'OperationalStatus') {
                '{"name":' + (ConvertTo-HvTuiString -Value $one.FriendlyName) + ',"health":' + (ConvertTo-HvTuiNumber -Value $one.HealthStatus) +
                    ',"operational":' + (Join-HvTuiNumberList -Value $one.OperationalStatus) + '}'
            }
            $Fact['virtual_disks'] = '[' + (@($texts) -join ',') + ']'
        }
        $null = Invoke-HvTuiPart -Reading $Reading -Part 'node.storage_jobs' -Block {
            $texts = foreach ($one in Get-CimInstance -Namespace 'root\Microsoft\Windows\Storage' -ClassName $job -OperationTimeoutSec $script:SlowSecondsLimit -Property 'Name', 'JobState', 'PercentComplete') {
                '{"name":' + (ConvertTo-HvTuiString -Value $one.Name) + ',"state":' + (ConvertTo-HvTuiNumber -Value $one.JobState) +
                    ',"percent":' + (ConvertTo-HvTuiNumber -Value $one.PercentComplete) + '}'
            }
            $Fact['storage_jobs'] = '[' + (@($texts) -join ',') + ']'
        }
    }
    $null = Invoke-HvTuiPart -Reading $Reading -Part 'node.replicas' -Block {
        try {
            $groups = @(Get-CimInstance -Namespace 'root\Microsoft\Windows\StorageReplica' -ClassName $group -OperationTimeoutSec $script:SlowSecondsLimit -Property 'Name', 'ReplicationStatus')
        } catch {
            # Where Storage Replica is not installed there is neither its namespace nor its class.
            if ('0x8004100e', '0x80041010' -notcontains (Get-HvTuiErrorCode -ErrorRecord $_)) { throw }
            $groups = @()
        }
        $texts = foreach ($one in $groups) { '{"name":' + (ConvertTo-HvTuiString -Value $one.Name) + ',"status":' + (ConvertTo-HvTuiNumber -Value $one.ReplicationStatus) + '}' }
        $Fact['replicas'] = '[' + (@($texts) -join ',') + ']'
    }
}

function Get-HvTuiNodePreflight {
    <#
    .SYNOPSIS
    The node as JSON.
    #>
    param([hashtable]$Reading)
    $names = 'id', 'memory_available', 'memory_total', 'switches', 'vm_versions', 's2d', 'virtual_disks', 'storage_jobs', 'replicas', 'shadow_copies', 'affinity_rules', 'threshold', 'balancer'
    $fact = @{}
    foreach ($name in $names) { $fact[$name] = 'null' }
    Read-HvTuiNodeFact -Reading $Reading -Fact $fact
    $texts = foreach ($name in $names) { '"' + $name + '":' + $fact[$name] }
    '{"name":' + (ConvertTo-HvTuiString -Value $Reading.Node) + ',' + ($texts -join ',') + '}'
}
