# Hyper-V's jobs: backup, checkpoint, merge, export, migration. Windows keeps an ended job for some minutes.

function Read-HvTuiJob {
    <#
    .SYNOPSIS
    All jobs of the node, with their VM. The links between jobs and VMs are asked for once, and only for new jobs.
    #>
    param([hashtable]$Stream)
    $jobs = New-Object -TypeName System.Collections.Generic.List[object]
    $open = 0
    $found = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_ConcreteJob' -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'JobType', 'JobState', 'PercentComplete', 'StartTime', 'TimeSubmitted', 'ErrorCode'
    foreach ($one in $found) { $jobs.Add(@{ Kind = 'concrete'; Item = $one; Vm = $null; Destination = $null }) }
    $found = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_StorageJob' -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'JobType', 'JobState', 'PercentComplete', 'StartTime', 'TimeSubmitted', 'ErrorCode'
    foreach ($one in $found) { $jobs.Add(@{ Kind = 'storage'; Item = $one; Vm = $null; Destination = $null }) }
    foreach ($job in $jobs) {
        $id = $job.Item.InstanceID
        if (-not $Stream.JobLink.ContainsKey($id) -and [int]$Stream.JobTry[$id] -lt 3) {
            $Stream.JobTry[$id] = [int]$Stream.JobTry[$id] + 1
            $open++
        }
    }
    if ($open) { Read-HvTuiJobLink -Stream $Stream }
    $found = Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_MigrationJob' -OperationTimeoutSec $script:FastSeconds -Property 'InstanceID', 'JobType', 'JobState', 'PercentComplete', 'StartTime', 'TimeSubmitted', 'ErrorCode', 'VirtualSystemName', 'DestinationHost'
    foreach ($one in $found) {
        $jobs.Add(@{ Kind = 'migration'; Item = $one; Vm = (ConvertTo-HvTuiGuid -Value $one.VirtualSystemName); Destination = $one.DestinationHost })
    }
    # Jobs make and remove checkpoints: when they come or go, those are read again in this round.
    $ids = foreach ($job in $jobs) { $job.Item.InstanceID + $job.Item.JobState }
    $mark = @($ids) -join ' '
    if (-not [string]::Equals($mark, $Stream.JobMark)) {
        $Stream.JobMark = $mark
        Request-HvTuiSource -Stream $Stream -Name 'setting'
    }
    if ($Stream.JobTry.Count -gt 5000) {
        $Stream.JobTry.Clear()
        $Stream.JobLink.Clear()
        $Stream.JobVm.Clear()
    }
    @{ Item = $jobs }
}

function Read-HvTuiJobLink {
    <#
    .SYNOPSIS
    The GUIDs of what each job concerns: a VM, its settings, one of its checkpoints, or something else.
    #>
    param([hashtable]$Stream)
    try {
        $links = @(Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_AffectedJobElement' -OperationTimeoutSec $script:FastSeconds -Property 'AffectedElement', 'AffectingElement')
        $links += @(Get-CimInstance -Namespace 'root\virtualization\v2' -ClassName 'Msvm_AffectedStorageJobElement' -OperationTimeoutSec $script:FastSeconds -Property 'AffectedElement', 'AffectingElement')
        if ($Stream.Problem.Contains('link')) { $Stream.Problem.Remove('link') }
    } catch {
        $Stream.Problem['link'] = Get-HvTuiProblem -Part 'jobs.vm' -ErrorRecord $_
        return
    }
    foreach ($link in $links) {
        $job = [string](Get-HvTuiValue -Object $link.AffectingElement -Name 'InstanceID')
        if (-not $job) { continue }
        $id = ConvertTo-HvTuiGuid -Value (Get-HvTuiValue -Object $link.AffectedElement -Name 'Name')
        if ($null -eq $id) { $id = ConvertTo-HvTuiGuid -Value (Get-HvTuiValue -Object $link.AffectedElement -Name 'InstanceID') }
        if ($null -eq $id) { continue }
        if (-not $Stream.JobLink.ContainsKey($job)) { $Stream.JobLink[$job] = New-Object -TypeName System.Collections.Generic.List[string] }
        if (-not $Stream.JobLink[$job].Contains($id)) { $Stream.JobLink[$job].Add($id) }
    }
}

function Find-HvTuiJobMachine {
    <#
    .SYNOPSIS
    The VM of a job; nothing when none of its links leads to one of this node.
    #>
    param([hashtable]$Stream, [string]$Id)
    # A job that removes a checkpoint outlives it: what was found once stays.
    if ($Stream.JobVm.ContainsKey($Id)) { return $Stream.JobVm[$Id] }
    if (-not $Stream.JobLink.ContainsKey($Id) -or $null -eq $Stream.Data['setting']) { return }
    foreach ($own in $Stream.JobLink[$Id]) {
        # VMs are among the owners too, each its own.
        if ($Stream.Data['setting'].Owner.ContainsKey($own)) {
            $Stream.JobVm[$Id] = $Stream.Data['setting'].Owner[$own]
            return $Stream.JobVm[$Id]
        }
    }
}

function Get-HvTuiJobSection {
    <#
    .SYNOPSIS
    The section jobs.
    #>
    param([hashtable]$Stream)
    if (-not (Test-HvTuiSource -Stream $Stream -Name 'job')) { return }
    $section = Get-HvTuiSection
    foreach ($job in $Stream.Data['job'].Item) {
        $one = $job.Item
        if ($job.Kind -ne 'migration') { $job.Vm = Find-HvTuiJobMachine -Stream $Stream -Id $one.InstanceID }
        $id = ([string]$one.InstanceID).ToLowerInvariant().Trim('{', '}')
        $start = $one.StartTime
        if ($start -isnot [datetime] -or $start.Year -lt 1990) { $start = $one.TimeSubmitted }
        $text = '{"id":' + (ConvertTo-HvTuiString -Value $id) + ',"kind":"' + $job.Kind + '","vm":' + (ConvertTo-HvTuiString -Value $job.Vm) +
            ',"type":' + (ConvertTo-HvTuiNumber -Value $one.JobType) + ',"state":' + (ConvertTo-HvTuiNumber -Value $one.JobState) +
            ',"percent":' + (ConvertTo-HvTuiNumber -Value $one.PercentComplete) + ',"started":' + (ConvertTo-HvTuiTime -Value $start) +
            ',"error":' + (ConvertTo-HvTuiNumber -Value $one.ErrorCode) + ',"destination":' + (ConvertTo-HvTuiString -Value $job.Destination) + '}'
        if (-not $section.Text.ContainsKey($id)) { $section.Id.Add($id) }
        $section.Text[$id] = $text
    }
    $section
}
