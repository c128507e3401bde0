function Get-HvTuiPreflight {
    <#
    .SYNOPSIS
    What a move, a drain or a restart depends on, for all VMs of this node and for the node, as one JSON object.
    .DESCRIPTION
    Every question is asked once for all VMs where Windows has such a question; only disks (Get-VHD) and owners of roles
    (Get-ClusterOwnerNode) are asked one by one. What could not be read is null and named in errors.

    Where each field comes from (root\virtualization\v2 where nothing else is named):
      time                 this node's clock
      cpu_ms               TotalProcessorTime of this session's process, since it was started
      vms.id, vms.name, vms.state, vms.operational  Msvm_ComputerSystem Name, ElementName, EnabledState, OperationalStatus
      vms.version          Msvm_VirtualSystemSettingData Version
      vms.dynamic, vms.memory_startup, vms.memory_minimum, vms.memory_maximum  Msvm_MemorySettingData DynamicMemoryEnabled,
                           VirtualQuantity, Reservation, Limit
      vms.memory_assigned  Msvm_SummaryInformation MemoryUsage; 0 when off or saved
      vms.switches         Msvm_EthernetPortAllocationSettingData HostResource, ElementName of that Msvm_VirtualEthernetSwitch
      vms.dvd              Msvm_StorageAllocationSettingData HostResource of DVD and floppy drives
      vms.pass_through     Msvm_ResourceAllocationSettingData HostResource, named as Msvm_DiskDrive ElementName
      vms.shared           Msvm_StorageAllocationSettingData HostResource with PersistentReservationsSupported
      vms.gpu              number of Msvm_GpuPartitionSettingData and Msvm_PciExpressSettingData
      vms.tpm              Msvm_SecuritySettingData TpmEnabled
      vms.fibre_channel    number of Msvm_SyntheticFcPortSettingData
      vms.system           OSName of Msvm_KvpExchangeComponent GuestIntrinsicExchangeItems; empty when the guest said nothing
      vms.product          ProductType of the same: 1 workstation, 2 domain controller, 3 server; 0 when the guest said nothing
      vms.chain            Get-VHD FileSize, ParentPath of each attached file and of its parents
      vms.jobs             JobType of Msvm_ConcreteJob, Msvm_StorageJob, Msvm_MigrationJob in JobState 3 or 4
      vms.clustered, vms.role, vms.role_status, vms.owner, vms.priority, vms.anti_affinity  MSCluster_ResourceGroup Id,
                           StatusInformation, OwnerNode, Priority, AntiAffinityClassNames, by VmID of its MSCluster_Resource
      vms.possible_owners, vms.preferred_owners  Get-ClusterOwnerNode of the VM's resource, of its group
      node.name, node.id   the computer's name; MSCluster_Node Id
      node.memory_total, node.memory_available  Win32_OperatingSystem TotalVisibleMemorySize, FreePhysicalMemory
      node.switches        Msvm_VirtualEthernetSwitch ElementName
      node.vm_versions     Get-VMHost SupportedVmVersions
      node.s2d, node.balancer  Get-Cluster S2DEnabled, AutoBalancerMode
      node.virtual_disks   MSFT_VirtualDisk FriendlyName, HealthStatus, OperationalStatus (root\Microsoft\Windows\Storage)
      node.storage_jobs    MSFT_StorageJob Name, JobState, PercentComplete
      node.replicas        MSFT_WvrReplicationGroup Name, ReplicationStatus (root\Microsoft\Windows\StorageReplica)
      node.shadow_copies   Win32_ShadowCopy ID, SetID, VolumeName, InstallDate, ProviderID, Persistent, ClientAccessible
      node.affinity_rules  MSCluster_AffinityRule Name, RuleType, Groups, Enabled
      node.threshold       Get-ClusterParameter MoveTypeThreshold of the resource type Virtual Machine
      errors               what of this could not be read, and why
    .PARAMETER Part
    Vms leaves out the node, Node the VMs.
    .OUTPUTS
    One JSON string.
    .EXAMPLE
    Get-HvTuiPreflight -Part Node
    #>
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [ValidateSet('All', 'Vms', 'Node')] [string]$Part = 'All'
    )
    $reading = Get-HvTuiReading
    Read-HvTuiGuard -Reading $reading
    $vms = 'null'
    $node = 'null'
    if ($Part -ne 'Node') { $vms = Get-HvTuiVmPreflight -Reading $reading }
    if ($Part -ne 'Vms') { $node = Get-HvTuiNodePreflight -Reading $reading }
    '{"v":1,"time":' + (ConvertTo-HvTuiTime -Value (Get-HvTuiNow)) + ',' + (Join-HvTuiCost) + ',"node":' + $node + ',"vms":' + $vms + ',"errors":[' + ($reading.Problem -join ',') + ']}'
}
