function Watch-HvTuiCluster {
    <#
    .SYNOPSIS
    The cluster as a stream of JSON messages: itself, its nodes, its CSVs and how each node reaches them, its VM roles.
    .DESCRIPTION
    One full picture first, then only what changed, with a number without gaps, or a beat when nothing did. Asks the
    cluster service of this node only, and each question once for the whole cluster. A round costs at most a tenth of the
    time: else the wait grows, after the first one to 30 s at most. A section that cannot be read is absent and named in
    errors; so is a field that is null although it has a value. When a section becomes readable for the first time, a new
    full picture says so.

    Where each field comes from (MSCluster_... is root\MSCluster, the rest are cmdlets of FailoverClusters):
      cpu_ms                       TotalProcessorTime of this session's process, since it was started
      cluster.id, cluster.name     Get-Cluster Id, Name
      cluster.functional_level     Get-Cluster ClusterFunctionalLevel
      cluster.quorum_type          Get-ClusterQuorum QuorumType
      cluster.witness              Get-ClusterQuorum QuorumResource ResourceType Name; empty without a witness
      cluster.witness_state        MSCluster_Resource State of the witness, else QuorumResource State
      cluster.witness_weight       Get-Cluster WitnessDynamicWeight
      cluster.dynamic_quorum       Get-Cluster DynamicQuorum
      cluster.max_parallel_migrations  Get-Cluster MaximumParallelMigrations; absent before the update of 2022-09
      cluster.enforced_anti_affinity   Get-Cluster ClusterEnforcedAntiAffinity
      cluster.csv_root             Get-Cluster SharedVolumesRoot
      cluster.answered_by          the computer's name
      nodes.name, nodes.id         MSCluster_Node Name, Id
      nodes.state, nodes.status    MSCluster_Node State, StatusInformation
      nodes.drain                  MSCluster_Node NodeDrainStatus
      nodes.drain_error            Get-ClusterNode DrainErrorCode, where it exists
      nodes.failback               Get-ClusterNode FailbackStatus, where it exists
      nodes.weight, nodes.dynamic_weight  MSCluster_Node NodeWeight, DynamicWeight
      nodes.build                  MSCluster_Node MajorVersion, MinorVersion, BuildNumber
      csvs.id                      Get-ClusterSharedVolume Id, with the PartitionNumber of its SharedVolumeInfo
      csvs.resource                Get-ClusterSharedVolume Name
      csvs.path                    SharedVolumeInfo FriendlyVolumeName
      csvs.volume                  SharedVolumeInfo Partition Name
      csvs.owner, csvs.state       MSCluster_Resource OwnerNode, State of the disk, else Get-ClusterSharedVolume
      csvs.fault, csvs.backup      MSCluster_ClusterSharedVolume FaultState, BackupState
      csvs.maintenance             SharedVolumeInfo MaintenanceMode
      csvs.redirected              SharedVolumeInfo RedirectedAccess
      csvs.file_system, csvs.size, csvs.free  SharedVolumeInfo Partition FileSystem, Size, FreeSpace
      io.id                        Get-ClusterSharedVolumeState VolumeName
      io.nodes                     the same, by Node: StateInfo, FileSystemRedirectedIOReason, BlockRedirectedIOReason
      roles.id, roles.name         MSCluster_ResourceGroup Id, Name; GroupType 111
      roles.vm                     MSCluster_Resource PrivateProperties VmID; where WMI hides it, Get-ClusterParameter VmID
      roles.owner                  MSCluster_ResourceGroup OwnerNode
      roles.state, roles.status, roles.priority  MSCluster_ResourceGroup State, StatusInformation, Priority
      roles.resource_state         MSCluster_Resource State of type Virtual Machine
      roles.configuration_state    MSCluster_Resource State of type Virtual Machine Configuration
      roles.migration_state, roles.migration_percent  MSCluster_Resource PrivateProperties MigrationState, MigrationProgress
      roles.anti_affinity          MSCluster_ResourceGroup AntiAffinityClassNames
    .PARAMETER IntervalMs
    Milliseconds between rounds.
    .PARAMETER SlowSeconds
    Seconds between two readings of CSV folders and space and of failback; a third of it for the cluster's own facts, the
    I/O state and the VMs' private properties.
    .PARAMETER Count
    Number of messages after which the stream ends; 0 is never. 1 is one full picture.
    .OUTPUTS
    One JSON string a message.
    .EXAMPLE
    Watch-HvTuiCluster -Count 1
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [ValidateRange(500, 60000)] [int]$IntervalMs = 2000,
        [ValidateRange(5, 600)] [int]$SlowSeconds = 30,
        [ValidateRange(0, 1000000)] [int]$Count = 0
    )
    $stream = Get-HvTuiStream -Source (Get-HvTuiClusterSource -SlowSeconds $SlowSeconds) -Section 'cluster', 'nodes', 'csvs', 'io', 'roles' -Single 'cluster'
    $stream.Role = @{}
    $stream.RoleVm = @{}
    $stream.Identity = @{}
    $stream.CsvCount = -1
    while ($true) {
        $before = Get-HvTuiElapsed
        Invoke-HvTuiSource -Stream $stream
        $section = @{}
        Add-HvTuiSection -Stream $stream -Section $section -Name 'cluster' -Builder 'Get-HvTuiClusterSection'
        Add-HvTuiSection -Stream $stream -Section $section -Name 'nodes' -Builder 'Get-HvTuiNodeListSection'
        Add-HvTuiSection -Stream $stream -Section $section -Name 'csvs' -Builder 'Get-HvTuiVolumeSection'
        Add-HvTuiSection -Stream $stream -Section $section -Name 'io' -Builder 'Get-HvTuiIoSection'
        Add-HvTuiSection -Stream $stream -Section $section -Name 'roles' -Builder 'Get-HvTuiRoleSection'
        $full = Test-HvTuiFull -Stream $stream -Section $section
        # Comparing and writing come after the cost is told; what they took last time stands for them.
        $cost = 1000 * ((Get-HvTuiElapsed) - $before) + $stream.Writing
        $mark = Get-HvTuiElapsed
        $wait = Measure-HvTuiWait -Cost $cost -Waited (1000 * $stream.Waited) -IntervalMs $IntervalMs -First $stream.First
        Join-HvTuiFrame -Stream $stream -Section $section -Load '' -Full $full -Cost $cost -Wait $wait
        $stream.Writing = 1000 * ((Get-HvTuiElapsed) - $mark)
        if ($Count -gt 0 -and $stream.Seq -ge $Count) { return }
        Start-Sleep -Milliseconds $wait
    }
}
