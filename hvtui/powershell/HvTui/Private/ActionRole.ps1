# Moving a VM's role: what is read again, what refuses, and the one command.

$script:LiveStates = @(2, 9, 32768)
$script:QuickStates = @(3, 6, 32769)

function Read-HvTuiActionNode {
    <#
    .SYNOPSIS
    All nodes of the cluster, asked of this one, within a deadline.
    #>
    param([hashtable]$Action)
    $Action.Part = 'nodes'
    $stream = @{ Blind = @() }
    (Read-HvTuiClusterNode -Stream $stream).Item
}

function Test-HvTuiNodeUp {
    <#
    .SYNOPSIS
    Whether a node takes roles: Up, not isolated (1), not quarantined (2), not draining (4).
    #>
    param($Node)
    [long]$Node.State -eq 0 -and ([long]$Node.StatusInformation -band 7) -eq 0 -and [long]$Node.NodeDrainStatus -ne 1
}

function Read-HvTuiActionRole {
    <#
    .SYNOPSIS
    The role of a VM, found by the VM's GUID; nothing, and the action refused, when there is none.
    #>
    param([hashtable]$Action, [string]$Id)
    $Action.Part = 'role'
    $role = $null
    foreach ($one in Get-ClusterGroup -VMId $Id) { $role = $one }
    if ($null -eq $role) {
        Deny-HvTuiAction -Action $Action -Rule 'expect.role' -Text "no role of the cluster has the VM $Id"
        return
    }
    $Action.Before['owner'] = [string]$role.OwnerNode.Name
    if ($null -eq $role.StatusInformation) { throw (Get-HvTuiAbsence -Name 'Get-ClusterGroup StatusInformation') }
    $Action.Before['role_status'] = [long]$role.StatusInformation
    $role
}

function Read-HvTuiActionMachine {
    <#
    .SYNOPSIS
    A VM of this node as VMMS shows it, within a deadline; nothing, and the action refused, when it has none of that GUID.
    #>
    param([hashtable]$Action, [string]$Id)
    $Action.Part = 'vms'
    $machine = $null
    $seen = $false
    # The instance of the host itself tells "no such VM" from "shows nothing to this account".
    $own = $Action.Node.Replace('\', '\\').Replace("'", "\'")
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_ComputerSystem' -Filter "Name = '$Id' OR Name = '$own'" -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'EnabledState', 'OperationalStatus') {
        $seen = $true
        if ([string]::Equals($one.Name, $Id, [System.StringComparison]::OrdinalIgnoreCase)) { $machine = $one }
    }
    if (-not $seen) { throw (New-Object -TypeName System.UnauthorizedAccessException -ArgumentList 'root\virtualization\v2 shows nothing to this account') }
    if ($null -eq $machine) {
        Deny-HvTuiAction -Action $Action -Rule 'expect.owner' -Text "$($Action.Node) has no VM $Id"
        return
    }
    if ($null -eq $machine.EnabledState -or $null -eq $machine.OperationalStatus) { throw (Get-HvTuiAbsence -Name 'Msvm_ComputerSystem EnabledState, OperationalStatus') }
    $Action.Before['state'] = [int]$machine.EnabledState
    $Action.Before['operational'] = @(foreach ($number in $machine.OperationalStatus) { [int]$number }) -join ','
    $machine
}

function Read-HvTuiActionMigration {
    <#
    .SYNOPSIS
    MigrationState of a VM's resource: asked of the cluster service, so that a cancel needs neither VMMS nor WMI.
    #>
    param([string]$Id)
    $state = $null
    foreach ($one in Get-ClusterResource -VMId $Id | Where-Object -FilterScript { $_.ResourceType.Name -eq 'Virtual Machine' } | Get-ClusterParameter -Name 'MigrationState') {
        $state = [int]$one.Value
    }
    $state
}

function Read-HvTuiRoleAfter {
    <#
    .SYNOPSIS
    The role after the command.
    #>
    param([hashtable]$Action, [string]$Id)
    foreach ($one in Get-ClusterGroup -VMId $Id) {
        $Action.After['owner'] = [string]$one.OwnerNode.Name
        $Action.After['role_status'] = [long]$one.StatusInformation
    }
    $Action.After['migration_state'] = Read-HvTuiActionMigration -Id $Id
}

function Select-HvTuiTarget {
    <#
    .SYNOPSIS
    The node that something is to go to; nothing, and the action refused, when it takes nothing now.
    #>
    param([hashtable]$Action, [object[]]$Node, [string]$Name, [string]$Owner)
    $target = $null
    foreach ($one in $Node) { if ([string]::Equals($one.Name, $Name, [System.StringComparison]::OrdinalIgnoreCase)) { $target = $one } }
    if ($null -eq $target) {
        Deny-HvTuiAction -Action $Action -Rule 'expect.target' -Text "the cluster has no node '$Name'"
        return
    }
    $Action.Before['target'] = [string]$target.Name
    $Action.Before['target_state'] = $target.State
    $Action.Before['target_status'] = $target.StatusInformation
    $Action.Before['target_drain'] = $target.NodeDrainStatus
    if ([string]::Equals($target.Name, $Owner, [System.StringComparison]::OrdinalIgnoreCase)) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "it is on $($target.Name) already"
        return
    }
    if (-not (Test-HvTuiNodeUp -Node $target)) {
        Deny-HvTuiAction -Action $Action -Rule 'expect.target' -Text "$($target.Name) takes no roles now"
        return
    }
    $target
}

function Test-HvTuiRoleFree {
    <#
    .SYNOPSIS
    Whether nothing works on a VM and its role, if it has one: not locked (1), not queued (4), no checkpoint, merge, export, migration, backup.
    #>
    param([hashtable]$Action, $Role, $Machine)
    $status = [long](Get-HvTuiValue -Object $Role -Name 'StatusInformation')
    if (($status -band 1) -ne 0) {
        Deny-HvTuiAction -Action $Action -Rule 'busy' -Text 'the role is locked'
        return $false
    }
    if (($status -band 4) -ne 0) {
        Deny-HvTuiAction -Action $Action -Rule 'busy' -Text 'the role waits for a move'
        return $false
    }
    foreach ($number in $Machine.OperationalStatus) {
        if ($number -ge 32768 -and $number -le 32780) {
            Deny-HvTuiAction -Action $Action -Rule 'busy' -Text "operation $number runs on the VM"
            return $false
        }
    }
    $true
}

function Invoke-HvTuiMove {
    <#
    .SYNOPSIS
    Move-HvTuiVM: the type follows from the state read here, and is never Quick for a VM that runs.
    #>
    param([hashtable]$Action, [string]$Id, [string]$Node, [string]$ExpectOwner, [int]$ExpectState)
    $nodes = @(Read-HvTuiActionNode -Action $Action)
    $role = Read-HvTuiActionRole -Action $Action -Id $Id
    if ($null -eq $role) { return }
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'owner' -Expected $ExpectOwner -Found $role.OwnerNode.Name)) { return }
    $machine = Read-HvTuiActionMachine -Action $Action -Id $Id
    if ($null -eq $machine) { return }
    $state = [int]$machine.EnabledState
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'state' -Expected $ExpectState -Found $state)) { return }
    if ($script:LiveStates -notcontains $state -and $script:QuickStates -notcontains $state) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "a VM in state $state is not moved"
        return
    }
    if (-not (Test-HvTuiRoleFree -Action $Action -Role $role -Machine $machine)) { return }
    $target = Select-HvTuiTarget -Action $Action -Node $nodes -Name $Node -Owner $role.OwnerNode.Name
    if ($null -eq $target) { return }
    $Action.Part = 'vms'
    $vm = Get-VM -Id $Id
    if ($script:LiveStates -contains $state) {
        $taken = Invoke-HvTuiCommand -Action $Action -Command "Move-ClusterVirtualMachineRole -VMId $Id -Node $($target.Name) -MigrationType Live -Wait 0" -Block {
            $null = Move-ClusterVirtualMachineRole -VMId $vm.Id -Node $target.Name -MigrationType Live -Wait 0
        }
    } else {
        $taken = Invoke-HvTuiCommand -Action $Action -Command "Move-ClusterVirtualMachineRole -VMId $Id -Node $($target.Name) -MigrationType Quick -Wait 0" -Block {
            $null = Move-ClusterVirtualMachineRole -VMId $vm.Id -Node $target.Name -MigrationType Quick -Wait 0
        }
    }
    if ($taken) { $Action.Outcome = 'started' }
    Read-HvTuiAfter -Action $Action -Reader { Read-HvTuiRoleAfter -Action $Action -Id $Id }
}

function Invoke-HvTuiMoveStop {
    <#
    .SYNOPSIS
    Stop-HvTuiMove: asks only what it touches, and neither VMMS nor WMI, which may be what hangs.
    #>
    param([hashtable]$Action, [string]$Id, [string]$ExpectOwner)
    $role = Read-HvTuiActionRole -Action $Action -Id $Id
    if ($null -eq $role) { return }
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'owner' -Expected $ExpectOwner -Found $role.OwnerNode.Name)) { return }
    $Action.Before['migration_state'] = Read-HvTuiActionMigration -Id $Id
    if ($null -eq $Action.Before['migration_state']) { throw (Get-HvTuiAbsence -Name 'Get-ClusterParameter MigrationState') }
    if (1, 2, 3 -notcontains $Action.Before['migration_state'] -and ([long]$role.StatusInformation -band 4) -eq 0) {
        Deny-HvTuiAction -Action $Action -Rule 'expect.migration' -Text 'no migration of this VM runs'
        return
    }
    $taken = Invoke-HvTuiCommand -Action $Action -Command "Move-ClusterVirtualMachineRole -VMId $Id -Cancel -Wait 0" -Block {
        $null = Move-ClusterVirtualMachineRole -VMId $Id -Cancel -Wait 0
    }
    if ($taken) { $Action.Outcome = 'started' }
    Read-HvTuiAfter -Action $Action -Reader { Read-HvTuiRoleAfter -Action $Action -Id $Id }
}
