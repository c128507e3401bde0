# The cluster's side of Get-HvTuiPreflight, and the chains of disks.

function Read-HvTuiPreflightRole {
    <#
    .SYNOPSIS
    The role of each VM: all roles of the cluster in one question, their VMs in another.
    #>
    param([hashtable]$Reading)
    $groups = @{}
    foreach ($one in Get-CimInstance -Namespace 'root\MSCluster' -ClassName 'MSCluster_ResourceGroup' -Filter 'GroupType = 111' -OperationTimeoutSec $script:FastSeconds -Property 'Id', 'Name', 'StatusInformation', 'OwnerNode', 'Priority', 'AntiAffinityClassNames', 'GroupType') {
        $groups[[string]$one.Name] = $one
        $groups[[string]$one.Id] = $one
    }
    $found = @{}
    $hidden = 0
    foreach ($one in Get-CimInstance -Namespace 'root\MSCluster' -ClassName 'MSCluster_Resource' -Filter "Type = 'Virtual Machine'" -OperationTimeoutSec $script:SlowSecondsLimit -Property 'Id', 'Name', 'Type', 'OwnerGroup', 'PrivateProperties') {
        $private = $null
        if ($null -ne $one.PrivateProperties) { $private = $one.PrivateProperties.PSObject.Properties['VmID'] }
        $id = $null
        if ($null -ne $private) { $id = ConvertTo-HvTuiGuid -Value $private.Value }
        if ($null -eq $id) { $hidden++ } elseif ($groups.ContainsKey([string]$one.OwnerGroup)) { $found[$id] = $groups[[string]$one.OwnerGroup] }
    }
    if ($hidden) { throw (New-Object -TypeName System.MissingMemberException -ArgumentList "$hidden VM resources show no private properties") }
    $Reading.Found['role'] = $found
}

function Read-HvTuiPreflightOwner {
    <#
    .SYNOPSIS
    Possible owners of the VMs' resources and preferred owners of their roles, of this node's VMs only.
    #>
    param([hashtable]$Reading)
    $possible = @{}
    $preferred = @{}
    foreach ($one in $Reading.Found['machine']) {
        $id = $one.Name.ToLowerInvariant()
        if (-not $Reading.Found['role'].ContainsKey($id)) { continue }
        foreach ($resource in Get-ClusterResource -VMId $id) {
            if ($resource.ResourceType.Name -ne 'Virtual Machine') { continue }
            foreach ($list in $resource | Get-ClusterOwnerNode) { $possible[$id] = @(foreach ($node in $list.OwnerNodes) { [string]$node.Name }) }
        }
        foreach ($group in Get-ClusterGroup -VMId $id) {
            foreach ($list in $group | Get-ClusterOwnerNode) { $preferred[$id] = @(foreach ($node in $list.OwnerNodes) { [string]$node.Name }) }
        }
    }
    $Reading.Found['possible'] = $possible
    $Reading.Found['preferred'] = $preferred
}

function Read-HvTuiChain {
    <#
    .SYNOPSIS
    The chain of every disk of every VM: Get-VHD for each file, parents once each, to the base. A file that cannot be read ends its chain.
    #>
    param([hashtable]$Reading)
    $known = @{}
    $found = @{}
    foreach ($one in $Reading.Found['machine']) {
        $id = $one.Name.ToLowerInvariant()
        $texts = New-Object -TypeName System.Collections.Generic.List[string]
        $told = $false
        foreach ($path in $Reading.Found['disk'].File[$id]) {
            $next = $path
            $depth = 0
            while ($next -and $depth -lt 64) {
                $depth++
                $file = Read-HvTuiVhdFile -Known $known -Path $next
                $texts.Add('{"path":' + (ConvertTo-HvTuiString -Value $next) + ',"parent":' + (ConvertTo-HvTuiString -Value $file.Parent) + ',"size":' + (ConvertTo-HvTuiNumber -Value $file.Size) + '}')
                if ($null -ne $file.Error -and -not $told) {
                    # Once a VM: the rest of it says the same.
                    $told = $true
                    $Reading.Problem.Add((Get-HvTuiProblem -Part "vms.chain/$id" -ErrorRecord $file.Error))
                }
                $next = $file.Parent
            }
        }
        $found[$id] = '[' + ($texts -join ',') + ']'
    }
    $Reading.Found['chain'] = $found
}

function Join-HvTuiNumberList {
    <#
    .SYNOPSIS
    A JSON list of integers.
    #>
    param($Value)
    $texts = foreach ($one in $Value) { ConvertTo-HvTuiNumber -Value $one }
    '[' + (@($texts) -join ',') + ']'
}

function Join-HvTuiTextList {
    <#
    .SYNOPSIS
    A JSON list of texts; an empty one for nothing.
    #>
    param($Value)
    $texts = foreach ($one in $Value) { if ($null -ne $one) { ConvertTo-HvTuiString -Value $one } }
    '[' + (@($texts) -join ',') + ']'
}

function Join-HvTuiNameList {
    <#
    .SYNOPSIS
    A JSON list of texts, each once, sorted by their code points.
    #>
    param($Value)
    $set = @{}
    foreach ($one in $Value) { $set[[string]$one] = $true }
    $names = [string[]]@(foreach ($one in $Value) { if ($set[[string]$one]) { $set[[string]$one] = $false; [string]$one } })
    [array]::Sort($names, [System.StringComparer]::Ordinal)
    Join-HvTuiTextList -Value $names
}

function Get-HvTuiPart {
    <#
    .SYNOPSIS
    JSON of a VM's part: null when it was not read, what the block makes of it else.
    #>
    param([hashtable]$Able, [string]$Part, [scriptblock]$Block)
    if ($Able[$Part]) { & $Block } else { 'null' }
}

function Get-HvTuiVmPreflight {
    <#
    .SYNOPSIS
    All VMs as a JSON list, or null.
    #>
    param([hashtable]$Reading)
    if (-not (Invoke-HvTuiPart -Reading $Reading -Part 'vms' -Fault $Reading.Machine -Block { Read-HvTuiPreflightMachine -Reading $Reading })) { return 'null' }
    $able = @{}
    $able['version'] = Invoke-HvTuiPart -Reading $Reading -Part 'vms.version' -Block { Read-HvTuiPreflightVersion -Reading $Reading }
    $able['memory'] = Invoke-HvTuiPart -Reading $Reading -Part 'vms.memory' -Block { Read-HvTuiPreflightMemory -Reading $Reading }
    $able['assigned'] = Invoke-HvTuiPart -Reading $Reading -Part 'vms.assigned' -Block { Read-HvTuiPreflightAssigned -Reading $Reading }
    $able['port'] = Invoke-HvTuiPart -Reading $Reading -Part 'vms.switches' -Block { Read-HvTuiPreflightPort -Reading $Reading }
    $able['disk'] = Invoke-HvTuiPart -Reading $Reading -Part 'vms.disks' -Block { Read-HvTuiPreflightDisk -Reading $Reading }
    $able['device'] = Invoke-HvTuiPart -Reading $Reading -Part 'vms.gpu' -Block { Read-HvTuiPreflightDevice -Reading $Reading }
    $able['tpm'] = Invoke-HvTuiPart -Reading $Reading -Part 'vms.tpm' -Block { Read-HvTuiPreflightTpm -Reading $Reading }
    $able['fibre'] = Invoke-HvTuiPart -Reading $Reading -Part 'vms.fibre_channel' -Block { Read-HvTuiPreflightFibreChannel -Reading $Reading }
    $able['system'] = Invoke-HvTuiPart -Reading $Reading -Part 'vms.system' -Block { Read-HvTuiPreflightSystem -Reading $Reading }
    $able['chain'] = $false
    if ($able['disk']) { $able['chain'] = Invoke-HvTuiPart -Reading $Reading -Part 'vms.chain' -Block { Read-HvTuiChain -Reading $Reading } }
    $able['job'] = Invoke-HvTuiPart -Reading $Reading -Part 'vms.jobs' -Block { Read-HvTuiPreflightJob -Reading $Reading }
    $able['role'] = Invoke-HvTuiPart -Reading $Reading -Part 'vms.role' -Fault $Reading.Cluster -Block { Read-HvTuiPreflightRole -Reading $Reading }
    $able['owner'] = $false
    if ($able['role']) { $able['owner'] = Invoke-HvTuiPart -Reading $Reading -Part 'vms.owners' -Block { Read-HvTuiPreflightOwner -Reading $Reading } }
    $texts = foreach ($one in $Reading.Found['machine']) { Join-HvTuiVmPreflight -Reading $Reading -Able $able -Machine $one }
    '[' + (@($texts) -join ',') + ']'
}

function Join-HvTuiVmPreflight {
    <#
    .SYNOPSIS
    One VM as JSON. A VM that came or went between two questions has null where the later one did not know it.
    #>
    param([hashtable]$Reading, [hashtable]$Able, $Machine)
    $found = $Reading.Found
    $id = $Machine.Name.ToLowerInvariant()
    $memory = $null
    if ($Able['memory']) { $memory = $found['memory'][$id] }
    $version = $null
    if ($Able['version']) { $version = $found['version'][$id] }
    $assigned = $null
    if ($Able['assigned']) { $assigned = $found['assigned'][$id] }
    $tpm = $null
    if ($Able['tpm']) { $tpm = $found['tpm'][$id] }
    $role = $null
    $clustered = 'null'
    $roleId = 'null'
    if ($Able['role']) {
        $role = $found['role'][$id]
        $clustered = 'false'
        $roleId = '""'
    }
    if ($null -ne $role) {
        $clustered = 'true'
        $roleId = ConvertTo-HvTuiString -Value ([string]$role.Id).ToLowerInvariant().Trim('{', '}')
    }
    $owners = 'null'
    $preferred = 'null'
    $apart = 'null'
    if ($null -ne $role) {
        $apart = Join-HvTuiTextList -Value $role.AntiAffinityClassNames
        if ($Able['owner'] -and $found['possible'].ContainsKey($id)) { $owners = ConvertTo-HvTuiList -Value $found['possible'][$id] }
        if ($Able['owner'] -and $found['preferred'].ContainsKey($id)) { $preferred = ConvertTo-HvTuiList -Value $found['preferred'][$id] }
    }
    '{"id":"' + $id + '","name":' + (ConvertTo-HvTuiString -Value $Machine.ElementName) + ',"state":' + (ConvertTo-HvTuiNumber -Value $Machine.EnabledState) +
        ',"operational":' + (Join-HvTuiNumberList -Value $Machine.OperationalStatus) + ',"clustered":' + $clustered +
        ',"version":' + (ConvertTo-HvTuiString -Value $version) +
        ',"dynamic":' + (ConvertTo-HvTuiBoolean -Value (Get-HvTuiValue -Object $memory -Name 'DynamicMemoryEnabled')) +
        ',"memory_startup":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $memory -Name 'VirtualQuantity')) +
        ',"memory_minimum":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $memory -Name 'Reservation')) +
        ',"memory_maximum":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $memory -Name 'Limit')) +
        ',"memory_assigned":' + (ConvertTo-HvTuiNumber -Value $assigned) +
        ',"switches":' + (Get-HvTuiPart -Able $Able -Part 'port' -Block { Join-HvTuiNameList -Value $found['port'][$id] }) +
        ',"dvd":' + (Get-HvTuiPart -Able $Able -Part 'disk' -Block { Join-HvTuiTextList -Value $found['disk'].Medium[$id] }) +
        ',"pass_through":' + (Get-HvTuiPart -Able $Able -Part 'disk' -Block { Join-HvTuiTextList -Value $found['disk'].Physical[$id] }) +
        ',"shared":' + (Get-HvTuiPart -Able $Able -Part 'disk' -Block { Join-HvTuiTextList -Value $found['disk'].Shared[$id] }) +
        ',"gpu":' + (Get-HvTuiPart -Able $Able -Part 'device' -Block { [int]$found['device'][$id] }) +
        ',"tpm":' + (ConvertTo-HvTuiBoolean -Value $tpm) +
        ',"fibre_channel":' + (Get-HvTuiPart -Able $Able -Part 'fibre' -Block { [int]$found['fibre'][$id] }) +
        ',"system":' + (Get-HvTuiPart -Able $Able -Part 'system' -Block { ConvertTo-HvTuiString -Value ([string]$found['system'][$id]) }) +
        ',"product":' + (Get-HvTuiPart -Able $Able -Part 'system' -Block { [int]$found['product'][$id] }) +
        ',"chain":' + (Get-HvTuiPart -Able $Able -Part 'chain' -Block { $found['chain'][$id] }) +
        ',"jobs":' + (Get-HvTuiPart -Able $Able -Part 'job' -Block { Join-HvTuiNumberList -Value ($found['job'][$id] | Sort-Object) }) +
        ',"role":' + $roleId + ',"role_status":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $role -Name 'StatusInformation')) +
        ',"owner":' + (ConvertTo-HvTuiString -Value (Get-HvTuiValue -Object $role -Name 'OwnerNode')) +
        ',"priority":' + (ConvertTo-HvTuiNumber -Value (Get-HvTuiValue -Object $role -Name 'Priority')) +
        ',"possible_owners":' + $owners + ',"preferred_owners":' + $preferred + ',"anti_affinity":' + $apart + '}'
}
