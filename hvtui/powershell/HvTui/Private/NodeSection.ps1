# The sections of Watch-HvTuiNode, made from what its sources read.

function Get-HvTuiMachineSection {
    <#
    .SYNOPSIS
    The section vms: one expandable string a VM, the cheapest way to build and to compare a thousand of them.
    #>
    param([hashtable]$Stream)
    if (-not (Test-HvTuiSource -Stream $Stream -Name 'machine')) { return }
    $section = Get-HvTuiSection
    $ids = $section.Id
    $texts = $section.Text
    $slots = $Stream.Slot
    $names = $Stream.Name
    $starts = $Stream.Start
    $backups = $Stream.Backup
    $pieces = @{}
    if ($null -ne $Stream.Data['setting']) { $pieces = $Stream.Data['setting'].Piece }
    $heartbeats = @{}
    if ($null -ne $Stream.Data['summary']) { $heartbeats = $Stream.Data['summary'].Heartbeat }
    $status = @{}
    $enabled = @{}
    if ($null -ne $Stream.Data['integration']) {
        $status = $Stream.Data['integration'].Status
        $enabled = $Stream.Data['integration'].Enabled
    }
    if ($names.Count -gt 20000) { $names.Clear() }
    $now = $Stream.Now.Ticks
    foreach ($vm in $Stream.Data['machine'].Item) {
        $id = $vm.Name.ToLowerInvariant()
        $title = [string]$vm.ElementName
        if (-not $names.ContainsKey($title)) { $names[$title] = ConvertTo-HvTuiString -Value $title }
        $name = $names[$title]
        $slot = $slots[$id]
        if ($null -eq $slot) {
            $slot = $Stream.NextSlot
            $Stream.NextSlot++
            $slots[$id] = $slot
        }
        $state = $vm.EnabledState
        if ($null -eq $state) { $state = 0 }
        $health = $vm.HealthState
        if ($null -eq $health) { $health = 'null' }
        $numbers = $vm.OperationalStatus
        $op = 'null'
        if ($null -ne $numbers) { $op = '[' + ($numbers -join ',') + ']' }
        # Uptime is rounded and read at an uncertain moment: the start moves only when it differs by more than 5 s, and
        # only while the VM runs, because its uptime stands still while it does not.
        $begun = 'null'
        if ($state -ne 3 -and $state -ne 6 -and $state -ne 32769 -and $vm.OnTimeInMilliseconds) {
            $begin = $now - [long]$vm.OnTimeInMilliseconds * 10000
            $held = $starts[$id]
            if ($null -eq $held -or ($state -eq 2 -and [System.Math]::Abs($begin - $held.Ticks) -gt 50000000)) {
                $begin -= $begin % 10000000
                $held = @{ Ticks = $begin; Text = ConvertTo-HvTuiTime -Value ([datetime]::new($begin, [System.DateTimeKind]::Utc)) }
                $starts[$id] = $held
            }
            $begun = $held.Text
        } elseif ($starts.ContainsKey($id)) {
            $starts.Remove($id)
        }
        $backup = $vm.LastSuccessfulBackupTime
        if ($null -eq $backup) {
            $backup = 'null'
        } else {
            $held = $backups[$id]
            if ($null -eq $held -or $held.Time -ne $backup) {
                $held = @{ Time = $backup; Text = ConvertTo-HvTuiTime -Value $backup }
                $backups[$id] = $held
            }
            $backup = $held.Text
        }
        $replication = $vm.ReplicationMode
        if ($null -eq $replication) { $replication = 'null' }
        $piece = $pieces[$id]
        if ($null -eq $piece) { $piece = '"version":null,"checkpoint_type":null,"checkpoints":null' }
        $heartbeat = 'null'
        $vss = 'null'
        if ($state -eq 2) {
            if ($heartbeats.ContainsKey($id)) { $heartbeat = $heartbeats[$id] }
            if ($status.ContainsKey($id)) { $vss = $status[$id] }
        }
        $on = 'null'
        if ($enabled.ContainsKey($id)) { if ($enabled[$id]) { $on = 'true' } else { $on = 'false' } }
        if (-not $texts.ContainsKey($id)) { $ids.Add($id) }
        $texts[$id] = "{`"id`":`"$id`",`"name`":$name,`"slot`":$slot,`"state`":$state,`"health`":$health,`"op`":$op,`"started`":$begun,$piece,`"heartbeat`":$heartbeat,`"vss`":$vss,`"vss_enabled`":$on,`"last_backup`":$backup,`"replication`":$replication}"
    }
    if ($slots.Count -gt $ids.Count) {
        foreach ($id in @($slots.Keys)) {
            if (-not $texts.ContainsKey($id)) {
                $Stream.Load.Remove($slots[$id])
                $slots.Remove($id)
                $starts.Remove($id)
                $backups.Remove($id)
            }
        }
    }
    $section
}

function Get-HvTuiFileSection {
    <#
    .SYNOPSIS
    The section files: the folders of each VM, and the disks of the VM and of its checkpoints.
    #>
    param([hashtable]$Stream)
    $disk = $Stream.Data['disk']
    $setting = $Stream.Data['setting']
    if ($null -eq $disk -or $null -eq $setting) { return }
    $fresh = (Test-HvTuiSource -Stream $Stream -Name 'disk') -or (Test-HvTuiSource -Stream $Stream -Name 'setting')
    if (-not $fresh) { return }
    $disks = @{}
    $names = $Stream.Name
    foreach ($own in $disk.Path.Keys) {
        $id = $setting.Owner[$own]
        if ($null -eq $id) { $id = $own }
        $of = $disks[$id]
        if ($null -eq $of) {
            # The same file may be named by the VM and by its checkpoints.
            $of = [System.Collections.Generic.SortedSet[string]]::new([System.StringComparer]::OrdinalIgnoreCase)
            $disks[$id] = $of
        }
        foreach ($path in $disk.Path[$own]) { [void]$of.Add($path) }
    }
    $section = Get-HvTuiSection
    foreach ($id in $setting.Folder.Keys) {
        $paths = ''
        if ($disks.ContainsKey($id)) {
            $texts = foreach ($path in $disks[$id]) {
                if (-not $names.ContainsKey($path)) { $names[$path] = ConvertTo-HvTuiString -Value $path }
                $names[$path]
            }
            $paths = $texts -join ','
        }
        $section.Id.Add($id)
        $section.Text[$id] = "{`"id`":`"$id`",$($setting.Folder[$id]),`"disks`":[$paths]}"
    }
    $section
}

function Get-HvTuiHostSection {
    <#
    .SYNOPSIS
    The section host; absent when nothing of it could be read: neither the system, nor its services, nor its limits.
    #>
    param([hashtable]$Stream)
    $system = $Stream.Data['system']
    $service = $Stream.Data['service']
    if ($null -eq $system -and $null -eq $service -and $null -eq $Stream.Data['migration']) { return }
    if ($null -eq $system) { $system = @{ Boot = $null; Build = $null; Memory = @{ Total = $null }; Processor = $null } }
    if ($null -eq $service) { $service = @{ Vmms = $null; Cluster = $null; Started = $null } }
    $migration = $Stream.Data['migration']
    $limits = '"migration_enabled":null,"max_migrations":null,"max_storage_migrations":null,"migration_auth":null'
    if ($null -ne $migration) {
        $limits = '"migration_enabled":' + (ConvertTo-HvTuiBoolean -Value $migration.Item.EnableVirtualSystemMigration) +
            ',"max_migrations":' + (ConvertTo-HvTuiNumber -Value $migration.Item.MaximumActiveVirtualSystemMigration) +
            ',"max_storage_migrations":' + (ConvertTo-HvTuiNumber -Value $migration.Item.MaximumActiveStorageMigration) +
            ',"migration_auth":' + (ConvertTo-HvTuiNumber -Value $migration.Item.AuthenticationType)
    }
    $section = Get-HvTuiSection
    $section.Id.Add('host')
    $section.Text['host'] = '{"name":' + (ConvertTo-HvTuiString -Value $Stream.Node) + ',"build":' + (ConvertTo-HvTuiString -Value $system.Build) +
        ',"boot":' + (ConvertTo-HvTuiTime -Value $system.Boot) + ',"vmms":' + (ConvertTo-HvTuiString -Value $service.Vmms) +
        ',"vmms_started":' + (ConvertTo-HvTuiTime -Value $service.Started) + ',"cluster_service":' + (ConvertTo-HvTuiString -Value $service.Cluster) +
        ',"processors":' + (ConvertTo-HvTuiNumber -Value $system.Processor) + ',"memory":' + (ConvertTo-HvTuiNumber -Value $system.Memory.Total) + ',' + $limits + '}'
    $section
}

function Join-HvTuiLoad {
    <#
    .SYNOPSIS
    The load vector: what moved by 5 points of CPU or 2 percent of memory since it was last sent; all of it in a full
    message; nothing when nothing moved.
    #>
    param([hashtable]$Stream, [bool]$Full)
    if ($Full) {
        $Stream.Load.Clear()
        $Stream.HostLoad = $null
    }
    $values = New-Object -TypeName System.Collections.Generic.List[long]
    $summary = $Stream.Data['summary']
    if ($null -ne $summary -and ($Full -or (Test-HvTuiSource -Stream $Stream -Name 'summary'))) {
        $sent = $Stream.Load
        $loads = $summary.Load
        foreach ($id in $Stream.Slot.Keys) {
            $load = $loads[$id]
            if ($null -eq $load) { continue }
            $slot = $Stream.Slot[$id]
            $old = $sent[$slot]
            if ($null -ne $old -and [System.Math]::Abs($load[0] - $old[0]) -lt 5 -and [System.Math]::Abs($load[1] - $old[1]) * 50 -le $old[1]) { continue }
            $sent[$slot] = $load
            $values.Add($slot)
            $values.Add($load[0])
            $values.Add($load[1])
        }
    }
    $node = 'null'
    $system = $Stream.Data['system']
    $processor = $Stream.Data['processor']
    if ($null -ne $system -and $null -ne $processor -and $null -ne $system.Memory.Used) {
        $load = @($processor.Percent, $system.Memory.Used)
        $old = $Stream.HostLoad
        if ($null -eq $old -or [System.Math]::Abs($load[0] - $old[0]) -ge 5 -or [System.Math]::Abs($load[1] - $old[1]) * 50 -gt $old[1]) {
            $Stream.HostLoad = $load
            $node = '[' + $load[0] + ',' + $load[1] + ']'
        }
    }
    $known = $null -ne $summary -and $Full
    if (-not $known -and $values.Count -eq 0 -and $node -eq 'null') { return '' }
    '{"host":' + $node + ',"vms":[' + ($values -join ',') + ']}'
}
