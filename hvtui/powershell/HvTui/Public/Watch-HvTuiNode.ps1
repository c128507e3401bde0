function Watch-HvTuiNode {
    <#
    .SYNOPSIS
    This node as a stream of JSON messages: its facts, its VMs, their files, their jobs, and the load.
    .DESCRIPTION
    One full picture first, then only what changed, with a number without gaps, or a beat when nothing did. Asks this
    node only, and each question once for all VMs. A round costs at most a tenth of the time: else the wait grows, after the
    first one to 30 s at most.
    A section that cannot be read is absent and named in errors; so is a field that is null although it has a value.
    When a section becomes readable for the first time, a new full picture says so.

    Where each field comes from (root\virtualization\v2 where nothing else is named):
      cpu_ms                  TotalProcessorTime of this session's process, since it was started
      host.name               the computer's name
      host.build              Win32_OperatingSystem Version
      host.boot               Win32_OperatingSystem LastBootUpTime
      host.vmms               Win32_Service State of vmms
      host.vmms_started       start time of the process that Win32_Service names for vmms
      host.cluster_service    Win32_Service State of ClusSvc
      host.processors         Win32_ComputerSystem NumberOfLogicalProcessors
      host.memory             Win32_OperatingSystem TotalVisibleMemorySize
      host.migration_enabled  Msvm_VirtualSystemMigrationServiceSettingData EnableVirtualSystemMigration
      host.max_migrations     the same, MaximumActiveVirtualSystemMigration
      host.max_storage_migrations  the same, MaximumActiveStorageMigration
      host.migration_auth     the same, AuthenticationType
      vms.id, vms.name        Msvm_ComputerSystem Name, ElementName
      vms.slot                counted by this stream
      vms.state, vms.health   Msvm_ComputerSystem EnabledState, HealthState
      vms.op                  Msvm_ComputerSystem OperationalStatus, first the primary one
      vms.started             clock of the node less Msvm_ComputerSystem OnTimeInMilliseconds; moves by more than 5 s or not at all
      vms.version             Msvm_VirtualSystemSettingData Version of the realized system
      vms.checkpoint_type     the same, UserSnapshotType
      vms.checkpoints         Msvm_VirtualSystemSettingData of the checkpoints: type from VirtualSystemType, saved from
                              IsSaved, count, oldest from CreationTime
      vms.heartbeat           Msvm_SummaryInformation Heartbeat of a running VM
      vms.vss                 Msvm_VssComponent OperationalStatus of a running VM, first number
      vms.vss_enabled         Msvm_VssComponentSettingData EnabledState, 2 is on
      vms.last_backup         Msvm_ComputerSystem LastSuccessfulBackupTime
      vms.replication         Msvm_ComputerSystem ReplicationMode
      files.id                Msvm_VirtualSystemSettingData VirtualSystemIdentifier
      files.configuration     the same, ConfigurationDataRoot
      files.checkpoints       the same, SnapshotDataRoot
      files.paging            the same, SwapFileDataRoot
      files.disks             HostResource of Msvm_StorageAllocationSettingData (VM and checkpoints, no DVD, no floppy), and
                              of Msvm_ResourceAllocationSettingData for pass-through disks, named as Msvm_DiskDrive ElementName
      jobs.id, jobs.kind      InstanceID; concrete Msvm_ConcreteJob, storage Msvm_StorageJob, migration Msvm_MigrationJob
      jobs.vm                 Msvm_AffectedJobElement, Msvm_AffectedStorageJobElement; of a migration VirtualSystemName
      jobs.type, jobs.state, jobs.percent, jobs.error  JobType, JobState, PercentComplete, ErrorCode
      jobs.started            StartTime, else TimeSubmitted
      jobs.destination        Msvm_MigrationJob DestinationHost
      load.host               Win32_PerfFormattedData_HvStats_HyperVHypervisorLogicalProcessor PercentTotalRunTime of _Total;
                              Win32_OperatingSystem TotalVisibleMemorySize less FreePhysicalMemory
      load.vms                Msvm_SummaryInformation ProcessorLoad, MemoryUsage; sent when one moved by 5 points or 2 percent
    .PARAMETER IntervalMs
    Milliseconds between rounds.
    .PARAMETER SlowSeconds
    Seconds between two readings of what changes rarely: files, integration services, migration limits.
    .PARAMETER LoadSeconds
    Seconds between two readings of CPU, memory and heartbeat.
    .PARAMETER Count
    Number of messages after which the stream ends; 0 is never. 1 is one full picture.
    .OUTPUTS
    One JSON string a message.
    .EXAMPLE
    Watch-HvTuiNode -Count 1
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [ValidateRange(500, 60000)] [int]$IntervalMs = 2000,
        [ValidateRange(5, 600)] [int]$SlowSeconds = 30,
        [ValidateRange(1, 600)] [int]$LoadSeconds = 10,
        [ValidateRange(0, 1000000)] [int]$Count = 0
    )
    $stream = Get-HvTuiStream -Source (Get-HvTuiNodeSource -SlowSeconds $SlowSeconds -LoadSeconds $LoadSeconds) -Section 'host', 'vms', 'files', 'jobs' -Single 'host'
    # In the order of the slots, so that equal loads are equal text in every session.
    $stream.Slot = New-Object -TypeName System.Collections.Specialized.OrderedDictionary -ArgumentList ([System.StringComparer]::OrdinalIgnoreCase)
    $stream.NextSlot = 0
    $stream.Start = @{}
    $stream.Backup = @{}
    $stream.Time = @{}
    $stream.Load = @{}
    $stream.HostLoad = $null
    $stream.JobLink = @{}
    $stream.JobVm = @{}
    $stream.JobTry = @{}
    $stream.JobMark = ''
    $stream.Service = $null
    $stream.Processor = $null
    while ($true) {
        $before = Get-HvTuiElapsed
        Invoke-HvTuiSource -Stream $stream
        $section = @{}
        Add-HvTuiSection -Stream $stream -Section $section -Name 'host' -Builder 'Get-HvTuiHostSection'
        Add-HvTuiSection -Stream $stream -Section $section -Name 'vms' -Builder 'Get-HvTuiMachineSection'
        Add-HvTuiSection -Stream $stream -Section $section -Name 'files' -Builder 'Get-HvTuiFileSection'
        Add-HvTuiSection -Stream $stream -Section $section -Name 'jobs' -Builder 'Get-HvTuiJobSection'
        $full = Test-HvTuiFull -Stream $stream -Section $section
        $load = Join-HvTuiLoad -Stream $stream -Full $full
        # Comparing and writing come after the cost is told; what they took last time stands for them.
        $cost = 1000 * ((Get-HvTuiElapsed) - $before) + $stream.Writing
        $mark = Get-HvTuiElapsed
        $wait = Measure-HvTuiWait -Cost $cost -Waited (1000 * $stream.Waited) -IntervalMs $IntervalMs -First $stream.First
        Join-HvTuiFrame -Stream $stream -Section $section -Load $load -Full $full -Cost $cost -Wait $wait
        $stream.Writing = 1000 * ((Get-HvTuiElapsed) - $mark)
        if ($Count -gt 0 -and $stream.Seq -ge $Count) { return }
        Start-Sleep -Milliseconds $wait
    }
}
