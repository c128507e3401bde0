# Services: their state, and stopping and starting them in separate short calls.

# Deadline of a stop and a start, which return before the service has stopped or started.
$script:ControlSeconds = 10

function Read-HvTuiServiceState {
    <#
    .SYNOPSIS
    A service as Win32_Service shows it, with the start of its process; a start that cannot be told goes to the problems.
    #>
    param([string]$Name, [System.Collections.Generic.List[string]]$Problem)
    $service = $null
    foreach ($one in Get-CimInstance -Namespace 'root\cimv2' -ClassName 'Win32_Service' -Filter "Name = '$Name'" -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'State', 'ProcessId', 'CheckPoint', 'WaitHint', 'ExitCode') {
        $service = $one
    }
    if ($null -eq $service) { throw (Get-HvTuiAbsence -Name "Win32_Service '$Name'") }
    $found = @{ Item = $service; State = [string]$service.State; ProcessId = [long]$service.ProcessId; Started = $null; Unread = $false }
    if ($found.ProcessId) {
        try {
            $found.Started = Get-HvTuiStartTime -Id $found.ProcessId
        } catch {
            $found.Unread = $true
            $Problem.Add((Get-HvTuiProblem -Part 'started' -ErrorRecord $_))
        }
    }
    $found
}

function Read-HvTuiDependent {
    <#
    .SYNOPSIS
    The names of the services that depend on one and are not stopped, from the service control manager.
    #>
    param([string]$Name)
    foreach ($one in Get-Service -Name $Name -DependentServices) { if ([string]$one.Status -ne 'Stopped') { [string]$one.ServiceName } }
}

function ConvertTo-HvTuiStartText {
    <#
    .SYNOPSIS
    When a process began, as all answers write times; empty when there is none.
    #>
    param($Value)
    if ($Value -isnot [datetime]) { return '' }
    (ConvertTo-HvTuiTime -Value $Value).Trim('"')
}

function Read-HvTuiActionService {
    <#
    .SYNOPSIS
    The service, when it is as the plan saw it; else nothing, and the action is refused.
    #>
    param([hashtable]$Action, [hashtable]$Seen)
    $Action.Part = 'service'
    $service = Read-HvTuiServiceState -Name $Seen.Name -Problem $Action.Problem
    $started = ConvertTo-HvTuiStartText -Value $service.Started
    $Action.Before['state'] = $service.State
    $Action.Before['process_id'] = $service.ProcessId
    $Action.Before['started'] = $null
    if ($started) { $Action.Before['started'] = $started }
    if ($service.Unread) {
        Deny-HvTuiAction -Action $Action -Rule 'unread' -Text 'started could not be read'
        return
    }
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'state' -Expected $Seen.State -Found $service.State)) { return }
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'process_id' -Expected $Seen.ProcessId -Found $service.ProcessId)) { return }
    $expected = ''
    if ($Seen.Started) { $expected = ConvertTo-HvTuiStartText -Value ([datetime]::Parse($Seen.Started, $script:Invariant, [System.Globalization.DateTimeStyles]::RoundtripKind)) }
    if (-not (Test-HvTuiExpectation -Action $Action -Name 'started' -Expected $expected -Found $started)) { return }
    $service
}

function Measure-HvTuiClustered {
    <#
    .SYNOPSIS
    How many of the VMs are the cluster's, wherever their role is. The others stay behind in every drain.
    #>
    param([hashtable]$Action, [string[]]$Machine)
    $Action.Part = 'roles'
    $count = 0
    foreach ($one in Get-CimInstance -Namespace 'root\MSCluster' -ClassName 'MSCluster_Resource' -Filter "Type = 'Virtual Machine'" -OperationTimeoutSec $script:FastSeconds -Property 'Name', 'Type', 'PrivateProperties') {
        $private = $null
        if ($null -ne $one.PrivateProperties) { $private = $one.PrivateProperties.PSObject.Properties['VmID'] }
        $id = $null
        if ($null -ne $private) { $id = ConvertTo-HvTuiGuid -Value $private.Value }
        if ($null -eq $id) { throw (Get-HvTuiAbsence -Name "MSCluster_Resource '$($one.Name)' VmID") }
        if ($Machine -contains $id) { $count++ }
    }
    $count
}

function Test-HvTuiDrained {
    <#
    .SYNOPSIS
    Whether this node is paused, drained and has no VM of the cluster left: the only moment at which VMMS is stopped.
    #>
    param([hashtable]$Action)
    $self = $null
    foreach ($one in Read-HvTuiActionNode -Action $Action) { if ([string]::Equals($one.Name, $Action.Node, [System.StringComparison]::OrdinalIgnoreCase)) { $self = $one } }
    if ($null -eq $self) { throw (Get-HvTuiAbsence -Name "MSCluster_Node '$($Action.Node)'") }
    $Action.Before['node_state'] = $self.State
    $Action.Before['drain'] = $self.NodeDrainStatus
    if ([long]$self.State -ne 2 -or [long]$self.NodeDrainStatus -ne 2) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text 'the node is not paused with its drain completed'
        return $false
    }
    $Action.Part = 'vms'
    $seen = 0
    $machines = New-Object -TypeName System.Collections.Generic.List[string]
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_ComputerSystem' -OperationTimeoutSec $script:FastSeconds -Property 'Name') {
        $seen++
        if ([string]$one.Name -match '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$') { $machines.Add([string]$one.Name) }
    }
    if ($seen -eq 0) { throw (New-Object -TypeName System.UnauthorizedAccessException -ArgumentList 'root\virtualization\v2 shows nothing to this account') }
    $left = 0
    if ($machines.Count) { $left = Measure-HvTuiClustered -Action $Action -Machine $machines.ToArray() }
    $Action.Before['vms'] = $left
    if ($left) {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "$left VMs of the cluster are left on the node"
        return $false
    }
    $true
}

function Test-HvTuiJobFree {
    <#
    .SYNOPSIS
    Whether no job of Hyper-V runs on this node: backup, checkpoint, convert, merge, migration.
    #>
    param([hashtable]$Action)
    $Action.Part = 'jobs'
    # Without rights VMMS shows an empty list; the service itself is always in this one.
    if (@(Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_VirtualSystemManagementService' -OperationTimeoutSec $script:FastSeconds -Property 'Name').Count -eq 0) {
        throw (New-Object -TypeName System.UnauthorizedAccessException -ArgumentList 'root\virtualization\v2 shows nothing to this account')
    }
    $ids = @{}
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_ConcreteJob' -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'JobState') { if (3, 4 -contains [int]$one.JobState) { $ids[[string]$one.InstanceID] = $true } }
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_StorageJob' -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'JobState') { if (3, 4 -contains [int]$one.JobState) { $ids[[string]$one.InstanceID] = $true } }
    foreach ($one in Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_MigrationJob' -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'JobState') { if (3, 4 -contains [int]$one.JobState) { $ids[[string]$one.InstanceID] = $true } }
    $running = $ids.Count
    $Action.Before['jobs'] = $running
    if ($running) {
        Deny-HvTuiAction -Action $Action -Rule 'busy' -Text "$running jobs of Hyper-V run on the node"
        return $false
    }
    $true
}

function Invoke-HvTuiServiceControl {
    <#
    .SYNOPSIS
    Runs the block that controls a service, and understands its return value. Windows goes on by itself afterwards.
    #>
    param([hashtable]$Action, [string]$Name, [string]$Method, [scriptblock]$Block)
    $answer = @{ Value = $null }
    $taken = Invoke-HvTuiCommand -Action $Action -Command "Invoke-CimMethod -Query `"SELECT * FROM Win32_Service WHERE Name = '$Name'`" -MethodName $Method -OperationTimeoutSec $script:ControlSeconds" -Block $Block
    if ($taken -and $null -eq $answer.Value) {
        $Action.Rule = 'windows'
        $Action.Text = "$Method gave no answer"
    } elseif ($taken) {
        $value = [int]$answer.Value
        # 7: it took the request and did not get on in time.
        if ($value -eq 0 -or $value -eq 7) {
            $Action.Outcome = 'started'
        } else {
            $Action.Rule = 'windows'
            if ($value -eq 2) { $Action.Rule = 'denied' }
            $Action.Text = "$Method returned $value"
        }
        if ($value -ne 0) { $Action.Code = $value.ToString($script:Invariant) }
    }
    Read-HvTuiAfter -Action $Action -Reader {
        $service = Read-HvTuiServiceState -Name $Name -Problem $Action.Problem
        $Action.After['state'] = $service.State
        $Action.After['process_id'] = $service.ProcessId
        $started = ConvertTo-HvTuiStartText -Value $service.Started
        $Action.After['started'] = $null
        if ($started) { $Action.After['started'] = $started }
    }
}

function Invoke-HvTuiServiceStop {
    <#
    .SYNOPSIS
    Stop-HvTuiService, inside the node's mutex.
    #>
    param([hashtable]$Action, [hashtable]$Seen)
    $service = Read-HvTuiActionService -Action $Action -Seen $Seen
    if ($null -eq $service) { return }
    if ($service.State -ne 'Running') {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "a service that is $($service.State) is not stopped"
        return
    }
    $name = [string]$service.Item.Name
    if ($name -eq 'vmms') {
        if (-not (Test-HvTuiDrained -Action $Action)) { return }
    } else {
        $Action.Part = 'dependents'
        $running = @(Read-HvTuiDependent -Name $name)
        if ($running.Count) {
            Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "services that depend on it run: $($running -join ', ')"
            return
        }
    }
    if (-not (Test-HvTuiJobFree -Action $Action)) { return }
    Invoke-HvTuiServiceControl -Action $Action -Name $name -Method 'StopService' -Block {
        foreach ($one in Invoke-CimMethod -Query "SELECT * FROM Win32_Service WHERE Name = '$name'" -MethodName 'StopService' -OperationTimeoutSec $script:ControlSeconds) { $answer.Value = $one.ReturnValue }
    }
}

function Invoke-HvTuiServiceStart {
    <#
    .SYNOPSIS
    Start-HvTuiService, inside the node's mutex: the way back is held by nothing but what it touches.
    #>
    param([hashtable]$Action, [hashtable]$Seen)
    $service = Read-HvTuiActionService -Action $Action -Seen $Seen
    if ($null -eq $service) { return }
    if ($service.State -ne 'Stopped') {
        Deny-HvTuiAction -Action $Action -Rule 'forbidden' -Text "a service that is $($service.State) is not started"
        return
    }
    $name = [string]$service.Item.Name
    Invoke-HvTuiServiceControl -Action $Action -Name $name -Method 'StartService' -Block {
        foreach ($one in Invoke-CimMethod -Query "SELECT * FROM Win32_Service WHERE Name = '$name'" -MethodName 'StartService' -OperationTimeoutSec $script:ControlSeconds) { $answer.Value = $one.ReturnValue }
    }
}

function Invoke-HvTuiAlone {
    <#
    .SYNOPSIS
    Runs a block while no other session of hvtui changes a service or the registry of this node; nothing is held after it.
    #>
    param([hashtable]$Action, [scriptblock]$Block)
    $lock = $null
    $held = $false
    $Action.Part = 'lock'
    try {
        $lock = Get-HvTuiActionMutex
        try {
            $held = $lock.WaitOne(5000)
        } catch [System.Threading.AbandonedMutexException] {
            # The session that held it is gone; what it changed is read again like everything else.
            $held = $true
        }
        if ($held) {
            & $Block
        } else {
            Deny-HvTuiAction -Action $Action -Rule 'busy' -Text 'another hvtui session changes this node at this moment'
        }
    } finally {
        if ($held) { $lock.ReleaseMutex() }
        if ($null -ne $lock) { $lock.Dispose() }
    }
}
