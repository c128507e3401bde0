# Pausing and resuming this node, and moving a CSV.

# Seconds for which a node waits until another one, draining since the same moment, has stood down.
$script:RivalSeconds = 6

function Read-HvTuiActionSelf {
    <#
    .SYNOPSIS
    This node among all nodes, and its state and drain among the facts. A cluster command may read its name as a pattern.
    #>
    param([hashtable]$Action, [object[]]$Node)
    $self = $null
    foreach ($one in $Node) { if ([string]::Equals($one.Name, $Action.Node, [System.StringComparison]::OrdinalIgnoreCase)) { $self = $one } }
    if ($null -eq $self) { throw (Get-HvTuiAbsence -Name "MSCluster_Node '$($Action.Node)'") }
    if ([string]$self.Name -notmatch '^[0-9A-Za-z_-]{1,63}$') {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text 'a node of such a name is not changed'
        return
    }
    $Action.Before['state'] = $self.State
    $Action.Before['drain'] = $self.NodeDrainStatus
    $self
}

function Read-HvTuiOtherUp {
    <#
    .SYNOPSIS
    The names of the other nodes that take roles, sorted, joined by commas.
    #>
    param([hashtable]$Action, [object[]]$Node)
    $names = [string[]]@(foreach ($one in $Node) { if ((Test-HvTuiNodeUp -Node $one) -and -not [string]::Equals($one.Name, $Action.Node, [System.StringComparison]::OrdinalIgnoreCase)) { [string]$one.Name } })
    [array]::Sort($names, [System.StringComparer]::OrdinalIgnoreCase)
    $names -join ','
}

function Find-HvTuiRival {
    <#
    .SYNOPSIS
    Those of the nodes that were up when this one was paused and that are paused or draining themselves now.
    #>
    param([string]$Up, [object[]]$Node)
    $names = $Up.Split(',')
    foreach ($one in $Node) { if ($names -ccontains [string]$one.Name -and ([long]$one.State -eq 2 -or [long]$one.NodeDrainStatus -eq 1)) { $one } }
}

function Read-HvTuiNodeAfter {
    <#
    .SYNOPSIS
    This node after the command, and with -Up the others too.
    #>
    param([hashtable]$Action, [switch]$Up)
    $nodes = @((Read-HvTuiClusterNode -Stream @{ Blind = @() }).Item)
    foreach ($one in $nodes) {
        if ([string]::Equals($one.Name, $Action.Node, [System.StringComparison]::OrdinalIgnoreCase)) {
            $Action.After['state'] = $one.State
            $Action.After['drain'] = $one.NodeDrainStatus
        }
    }
    if ($Up) { $Action.After['up'] = Read-HvTuiOtherUp -Action $Action -Node $nodes }
}

function Invoke-HvTuiSuspend {
    <#
    .SYNOPSIS
    Suspend-HvTuiNode.
    #>
    param([hashtable]$Action, [int]$ExpectState, [int]$ExpectDrain, [string]$ExpectUp)
    $nodes = @(Read-HvTuiActionNode -Action $Action)
    $self = Read-HvTuiActionSelf -Action $Action -Node $nodes
    if ($null -eq $self) { return }
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'state' -Expected $ExpectState -Found $self.State)) { return }
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'drain' -Expected $ExpectDrain -Found $self.NodeDrainStatus)) { return }
    $up = Read-HvTuiOtherUp -Action $Action -Node $nodes
    $Action.Before['up'] = $up
    $expected = [string[]]@($ExpectUp.Split(',') | Where-Object -FilterScript { $_ })
    [array]::Sort($expected, [System.StringComparer]::OrdinalIgnoreCase)
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'up' -Expected ($expected -join ',') -Found $up)) { return }
    if (-not $up) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text 'no other node is Up'
        return
    }
    # A paused node whose drain failed, or that was paused without one, may be drained (again).
    $again = [long]$self.State -eq 2 -and (0, 3 -contains [long]$self.NodeDrainStatus)
    if ([long]$self.State -ne 0 -and -not $again) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "a node in state $($self.State) with drain $($self.NodeDrainStatus) is not drained"
        return
    }
    $name = [string]$self.Name
    $taken = Invoke-HvTuiCommand -Action $Action -Command "Suspend-ClusterNode -Name $name -Drain" -Block { $null = Suspend-ClusterNode -Name $name -Drain }
    if ($taken) {
        $Action.Outcome = 'started'
        Read-HvTuiAfter -Action $Action -Reader { Resolve-HvTuiRival -Action $Action -Name $name -Id $self.Id -Up $up }
    }
    Read-HvTuiAfter -Action $Action -Reader { Read-HvTuiNodeAfter -Action $Action -Up:$taken }
}

function Resolve-HvTuiRival {
    <#
    .SYNOPSIS
    Two nodes drained at the same moment: the one with the higher id resumes itself. The other one goes on only when it
    sees that this has happened; else it stands down too, since the higher one may not have seen it.
    #>
    param([hashtable]$Action, [string]$Name, [string]$Id, [string]$Up)
    $rivals = @(Find-HvTuiRival -Up $Up -Node (Read-HvTuiClusterNode -Stream @{ Blind = @() }).Item)
    if ($rivals.Count -eq 0) { return }
    $lower = @($rivals | Where-Object -FilterScript { [int]$_.Id -lt [int]$Id })
    if ($lower.Count -eq 0) {
        $until = (Get-HvTuiElapsed) + $script:RivalSeconds
        $left = $rivals
        while ($left.Count -and (Get-HvTuiElapsed) -lt $until) {
            Start-Sleep -Milliseconds 200
            try {
                $left = @(Find-HvTuiRival -Up $Up -Node (Read-HvTuiClusterNode -Stream @{ Blind = @() }).Item)
            } catch {
                # What could not be read was not seen.
                $left = $rivals
            }
        }
        if ($left.Count -eq 0) { return }
    }
    $names = [string[]]@(foreach ($one in $rivals) { [string]$one.Name })
    [array]::Sort($names, [System.StringComparer]::OrdinalIgnoreCase)
    $drained = $Action.Command
    $taken = Invoke-HvTuiCommand -Action $Action -Command "Resume-ClusterNode -Name $Name -Failback NoFailback" -Block { $null = Resume-ClusterNode -Name $Name -Failback NoFailback }
    $Action.Command = $drained + '; ' + $Action.Command
    if ($taken) {
        $Action.Outcome = 'refused'
        $Action.Rule = 'stood_down'
        $Action.Text = "a drain of $($names -join ',') began at the same moment; this node was resumed"
    } else {
        $Action.Text = "a drain of $($names -join ',') began at the same moment, and this node could not be resumed: $($Action.Text)"
    }
}

function Invoke-HvTuiResume {
    <#
    .SYNOPSIS
    Resume-HvTuiNode.
    #>
    param([hashtable]$Action, [string]$Failback, [int]$ExpectState, [int]$ExpectDrain)
    $self = Read-HvTuiActionSelf -Action $Action -Node @(Read-HvTuiActionNode -Action $Action)
    if ($null -eq $self) { return }
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'state' -Expected $ExpectState -Found $self.State)) { return }
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'drain' -Expected $ExpectDrain -Found $self.NodeDrainStatus)) { return }
    if ([long]$self.State -ne 2) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "a node in state $($self.State) is not resumed"
        return
    }
    $name = [string]$self.Name
    if ($Failback -eq 'Immediate') {
        $taken = Invoke-HvTuiCommand -Action $Action -Command "Resume-ClusterNode -Name $name -Failback Immediate" -Block { $null = Resume-ClusterNode -Name $name -Failback Immediate }
    } else {
        $taken = Invoke-HvTuiCommand -Action $Action -Command "Resume-ClusterNode -Name $name -Failback NoFailback" -Block { $null = Resume-ClusterNode -Name $name -Failback NoFailback }
    }
    Read-HvTuiAfter -Action $Action -Reader { Read-HvTuiNodeAfter -Action $Action }
    if ($taken) {
        $Action.Outcome = 'started'
        if ($Failback -eq 'NoFailback' -and $Action.After['state'] -eq 0) { $Action.Outcome = 'done' }
    }
}

function Invoke-HvTuiCsvMove {
    <#
    .SYNOPSIS
    Move-HvTuiCsv: another node coordinates the volume from now on.
    #>
    param([hashtable]$Action, [string]$Id, [string]$Node, [string]$ExpectOwner)
    $nodes = @(Read-HvTuiActionNode -Action $Action)
    $Action.Part = 'csvs'
    $csv = $null
    foreach ($one in Get-ClusterSharedVolume) { if ([string]::Equals((ConvertTo-HvTuiGuid -Value $one.Id), $Id, [System.StringComparison]::Ordinal)) { $csv = $one } }
    if ($null -eq $csv) {
        $Action.Part = ''
        Deny-HvTuiAction -Action $Action -Rule 'expect.csv' -Text "the cluster has no CSV $Id"
        return
    }
    $Action.Part = 'csvs.fault'
    $faults = (Read-HvTuiFault).Item
    $backup = 0
    foreach ($one in $csv.SharedVolumeInfo) {
        $live = $faults[[string](Get-HvTuiValue -Object $one.Partition -Name 'Name')]
        if ($null -eq $live) { $live = $faults[[string]$one.FriendlyVolumeName] }
        if ($null -eq $live -or $null -eq $live.Backup) { throw (Get-HvTuiAbsence -Name 'MSCluster_ClusterSharedVolume BackupState') }
        if ([int]$live.Backup -ne 0) { $backup = [int]$live.Backup }
    }
    $owner = [string]$csv.OwnerNode.Name
    $Action.Before['owner'] = $owner
    $Action.Before['state'] = [long]$csv.State
    $Action.Before['backup'] = $backup
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'owner' -Expected $ExpectOwner -Found $owner)) { return }
    $target = Select-HvTuiTarget -Action $Action -Node $nodes -Name $Node -Owner $owner
    if ($null -eq $target) { return }
    if ($backup -ne 0) {
        Deny-HvTuiAction -Action $Action -Rule 'busy' -Text 'a backup of the volume runs'
        return
    }
    $taken = Invoke-HvTuiCommand -Action $Action -Command "Get-ClusterSharedVolume | Where-Object -Property Id -EQ -Value $Id | Move-ClusterSharedVolume -Node $($target.Name) -Wait 0" -Block {
        $null = $csv | Move-ClusterSharedVolume -Node $target.Name -Wait 0
    }
    if ($taken) { $Action.Outcome = 'started' }
    Read-HvTuiAfter -Action $Action -Reader {
        foreach ($one in Get-ClusterSharedVolume) {
            if ([string]::Equals((ConvertTo-HvTuiGuid -Value $one.Id), $Id, [System.StringComparison]::Ordinal)) { $Action.After['owner'] = [string]$one.OwnerNode.Name }
        }
    }
    if ($taken -and $Action.After['owner'] -eq $target.Name) { $Action.Outcome = 'done' }
}
