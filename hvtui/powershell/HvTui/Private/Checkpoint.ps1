# Checkpoints of one VM: what is read again, what refuses, and the one command; the list; and the start of a VM.

# EnabledState of a VM that holds no memory, and of one that a checkpoint can be taken of or applied to.
$script:ColdStates = @(3, 6, 32769)
$script:RestStates = @(2, 3, 6, 9, 32768, 32769)

function Read-HvTuiFreeVm {
    <#
    .SYNOPSIS
    A VM of this node as Hyper-V's object, its state and its role; nothing, and the action refused, when something works on it.
    #>
    param([hashtable]$Action, [string]$Id, [int]$ExpectState = -1)
    $machine = Read-HvTuiActionMachine -Action $Action -Id $Id
    if ($null -eq $machine) { return }
    $state = [int]$machine.EnabledState
    if ($ExpectState -ge 0 -and -not (Test-HvTuiExpectation -Action $Action -Name 'state' -Expected $ExpectState -Found $state)) { return }
    $Action.Part = 'vms'
    $vm = $null
    foreach ($one in Get-VM -Id $Id) { $vm = $one }
    if ($null -eq $vm) { throw (Get-HvTuiAbsence -Name 'Get-VM') }
    $role = $null
    if ($vm.IsClustered) {
        # A cmdlet has no deadline: it is asked only when the cluster service answered within one.
        $Action.Part = 'role'
        if (-not (Read-HvTuiClusterRight)) { throw (New-Object -TypeName System.UnauthorizedAccessException -ArgumentList 'root\MSCluster shows no node to this account') }
        $role = Read-HvTuiActionRole -Action $Action -Id $Id
        if ($null -eq $role) { return }
    }
    if (-not (Test-HvTuiRoleFree -Action $Action -Role $role -Machine $machine)) { return }
    @{ Vm = $vm; State = $state; Role = $role }
}

function Select-HvTuiCheckpoint {
    <#
    .SYNOPSIS
    One checkpoint of a VM, by its id; nothing, and the action refused, when the VM has none of that id.
    #>
    param([hashtable]$Action, $Vm, [string]$Id)
    $Action.Part = 'checkpoints'
    $found = $null
    $children = 0
    foreach ($one in Get-VMSnapshot -VM $Vm) {
        if ([string]::Equals([string]$one.Id, $Id, [System.StringComparison]::OrdinalIgnoreCase)) { $found = $one }
        if ([string]::Equals([string]$one.ParentSnapshotId, $Id, [System.StringComparison]::OrdinalIgnoreCase)) { $children++ }
    }
    if ($null -eq $found) {
        Deny-HvTuiAction -Action $Action -Rule 'expect.checkpoint' -Text "the VM has no checkpoint $Id"
        return
    }
    $Action.Before['checkpoint'] = [string]$found.Name
    $Action.Before['type'] = [int]$found.SnapshotType
    # Off, also with trouble: it holds no memory. Everything else was saved with it.
    $Action.Before['saved'] = [int](3, 32786 -notcontains [int]$found.State)
    $Action.Before['children'] = $children
    $found
}

function Assert-HvTuiJob {
    <#
    .SYNOPSIS
    Throws what a job of Windows has failed with by now; one that goes on is left to itself.
    .DESCRIPTION
    A command with -AsJob says what is wrong in its job: half a second shows what Windows refuses at once.
    #>
    param($Job)
    for ($look = 0; $look -lt 5; $look++) {
        if ([string]$Job.State -eq 'Completed') { return }
        if ([string]$Job.State -eq 'Failed') {
            foreach ($record in $Job.Error) { throw $record }
            foreach ($child in $Job.ChildJobs) {
                foreach ($record in $child.Error) { throw $record }
            }
            if ($null -ne $Job.JobStateInfo.Reason) { throw $Job.JobStateInfo.Reason }
            throw (New-Object -TypeName System.InvalidOperationException -ArgumentList 'the job of Windows failed without a reason')
        }
        Start-Sleep -Milliseconds 100
    }
}

function Read-HvTuiVmAfter {
    <#
    .SYNOPSIS
    The VM after the command.
    #>
    param([hashtable]$Action, [string]$Id)
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_ComputerSystem' -Filter "Name = '$Id'" -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'EnabledState', 'OperationalStatus') {
        $Action.After['state'] = [int]$one.EnabledState
        $Action.After['operational'] = @(foreach ($number in $one.OperationalStatus) { [int]$number }) -join ','
    }
}

function Invoke-HvTuiCheckpoint {
    <#
    .SYNOPSIS
    New-HvTuiCheckpoint.
    #>
    param([hashtable]$Action, [string]$Id, [string]$Name, [int]$ExpectState, [int]$ExpectType)
    $read = Read-HvTuiFreeVm -Action $Action -Id $Id -ExpectState $ExpectState
    if ($null -eq $read) { return }
    $vm = $read.Vm
    $type = [int]$vm.CheckpointType
    $Action.Before['checkpoint_type'] = $type
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'checkpoint_type' -Expected $ExpectType -Found $type)) { return }
    if ($type -eq 2) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text 'checkpoints are disabled for this VM'
        return
    }
    if ($script:RestStates -notcontains $read.State) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "no checkpoint is taken of a VM in state $($read.State)"
        return
    }
    $quoted = $Name.Replace("'", "''")
    $taken = Invoke-HvTuiCommand -Action $Action -Command "Checkpoint-VM -VM $Id -SnapshotName '$quoted' -AsJob" -Block {
        Assert-HvTuiJob -Job (Checkpoint-VM -VM $vm -SnapshotName $Name -AsJob)
    }
    if ($taken) { $Action.Outcome = 'started' }
    Read-HvTuiAfter -Action $Action -Reader { Read-HvTuiVmAfter -Action $Action -Id $Id }
}

function Invoke-HvTuiCheckpointRestore {
    <#
    .SYNOPSIS
    Restore-HvTuiCheckpoint: only one that people took, not one of a backup or of a replica.
    #>
    param([hashtable]$Action, [string]$Id, [string]$CheckpointId, [int]$ExpectState, [int]$ExpectSaved)
    $read = Read-HvTuiFreeVm -Action $Action -Id $Id -ExpectState $ExpectState
    if ($null -eq $read) { return }
    $checkpoint = Select-HvTuiCheckpoint -Action $Action -Vm $read.Vm -Id $CheckpointId
    if ($null -eq $checkpoint) { return }
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'saved' -Expected $ExpectSaved -Found $Action.Before['saved'])) { return }
    if ($Action.Before['type'] -ne 0) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "a checkpoint of type $($Action.Before['type']) is not applied"
        return
    }
    if ($script:RestStates -notcontains $read.State) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "no checkpoint is applied to a VM in state $($read.State)"
        return
    }
    $taken = Invoke-HvTuiCommand -Action $Action -Command "Restore-VMSnapshot -VMSnapshot $CheckpointId -AsJob -Confirm:`$false" -Block {
        Assert-HvTuiJob -Job (Restore-VMSnapshot -VMSnapshot $checkpoint -AsJob -Confirm:$false)
    }
    if ($taken) { $Action.Outcome = 'started' }
    Read-HvTuiAfter -Action $Action -Reader { Read-HvTuiVmAfter -Action $Action -Id $Id }
}

function Invoke-HvTuiCheckpointRemoval {
    <#
    .SYNOPSIS
    Remove-HvTuiCheckpoint: one that people took or that a backup left; what rests on it stays.
    #>
    param([hashtable]$Action, [string]$Id, [string]$CheckpointId, [int]$ExpectType, [int]$ExpectChildren)
    $read = Read-HvTuiFreeVm -Action $Action -Id $Id
    if ($null -eq $read) { return }
    $checkpoint = Select-HvTuiCheckpoint -Action $Action -Vm $read.Vm -Id $CheckpointId
    if ($null -eq $checkpoint) { return }
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'type' -Expected $ExpectType -Found $Action.Before['type'])) { return }
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'children' -Expected $ExpectChildren -Found $Action.Before['children'])) { return }
    if (0, 1 -notcontains $Action.Before['type']) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "a checkpoint of type $($Action.Before['type']) is not removed"
        return
    }
    $taken = Invoke-HvTuiCommand -Action $Action -Command "Remove-VMSnapshot -VMSnapshot $CheckpointId -AsJob -Confirm:`$false" -Block {
        Assert-HvTuiJob -Job (Remove-VMSnapshot -VMSnapshot $checkpoint -AsJob -Confirm:$false)
    }
    if ($taken) { $Action.Outcome = 'started' }
    Read-HvTuiAfter -Action $Action -Reader { Read-HvTuiVmAfter -Action $Action -Id $Id }
}

function Invoke-HvTuiVmStart {
    <#
    .SYNOPSIS
    Start-HvTuiVM: the cluster brings its own roles online; another VM is started by Hyper-V.
    #>
    param([hashtable]$Action, [string]$Id, [int]$ExpectState)
    $read = Read-HvTuiFreeVm -Action $Action -Id $Id -ExpectState $ExpectState
    if ($null -eq $read) { return }
    if ($script:ColdStates -notcontains $read.State) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "a VM in state $($read.State) is not started"
        return
    }
    $vm = $read.Vm
    $role = $read.Role
    if ($null -ne $role) {
        $taken = Invoke-HvTuiCommand -Action $Action -Command "Get-ClusterGroup -VMId $Id | Start-ClusterGroup -Wait 0" -Block {
            $null = $role | Start-ClusterGroup -Wait 0
        }
    } else {
        $taken = Invoke-HvTuiCommand -Action $Action -Command "Start-VM -VM $Id -AsJob" -Block {
            Assert-HvTuiJob -Job (Start-VM -VM $vm -AsJob)
        }
    }
    if ($taken) { $Action.Outcome = 'started' }
    Read-HvTuiAfter -Action $Action -Reader { Read-HvTuiVmAfter -Action $Action -Id $Id }
}
