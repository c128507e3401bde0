"""Windows' own numbers and spellings.

Sources: the FailoverClusters and Hyper-V modules' enums and the WMI classes of `root\\virtualization\\v2` and
`root\\MSCluster` (Microsoft's documents). A number that no document lists is shown as a number, never as a guess.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag


class NodeState(IntEnum):
    """Get-ClusterNode State (ClusterNodeState)."""

    Unknown = -1
    Up = 0
    Down = 1
    Paused = 2
    Joining = 3


class DrainStatus(IntEnum):
    """Get-ClusterNode DrainStatus."""

    NotInitiated = 0
    InProgress = 1
    Completed = 2
    Failed = 3


class NodeStatus(IntFlag):
    """Get-ClusterNode StatusInformation, a set of flags."""

    Isolated = 1
    Quarantined = 2
    DrainInProgress = 4
    DrainCompleted = 8
    DrainFailed = 16
    AvoidPlacement = 32


class GroupState(IntEnum):
    """Get-ClusterGroup State."""

    Unknown = -1
    Online = 0
    Offline = 1
    Failed = 2
    PartialOnline = 3
    Pending = 4


class GroupStatus(IntFlag):
    """Get-ClusterGroup StatusInformation, a set of flags."""

    Locked = 1
    Preempted = 2
    Queued = 4
    PhysicalResourcesLacking = 8
    WaitingToStart = 16
    EmbeddedFailure = 32
    OfflineAntiAffinityConflict = 64
    NetworkFailure = 128
    Unmonitored = 256
    OsHeartbeat = 0x200
    ApplicationReady = 0x400
    OfflineNotLocalDiskOwner = 0x800
    WaitingForDependencies = 4096


class ResourceState(IntEnum):
    """Get-ClusterResource State."""

    Unknown = -1
    Inherited = 0
    Initializing = 1
    Online = 2
    Offline = 3
    Failed = 4
    Pending = 128
    OnlinePending = 129
    OfflinePending = 130


class CsvIoState(IntEnum):
    """Get-ClusterSharedVolumeState StateInfo."""

    Unavailable = 0
    Paused = 1
    Direct = 2
    FileSystemRedirected = 3
    BlockRedirected = 4


class FileSystemRedirectedIOReason(IntFlag):
    """Get-ClusterSharedVolumeState FileSystemRedirectedIOReason; 0 is NotFileSystemRedirected."""

    UserRequest = 1
    IncompatibleFileSystemFilter = 2
    IncompatibleVolumeFilter = 4
    FileSystemTiering = 8
    BitLockerInitializing = 16
    FileSystemReFs = 32


class BlockRedirectedIOReason(IntFlag):
    """Get-ClusterSharedVolumeState BlockRedirectedIOReason; 0 is NotBlockRedirected."""

    NoDiskConnectivity = 1
    StorageSpaceNotAttached = 2
    VolumeReplicationEnabled = 4


class FaultState(IntFlag):
    """SharedVolumeInfo FaultState; 0 is NoFaults."""

    NoDirectIO = 1
    NoAccess = 2
    InMaintenance = 4
    Dismounted = 8


class BackupState(IntEnum):
    """MSCluster_ClusterSharedVolume BackupState."""

    NoBackup = 0
    InProgress = 1


class QuorumType(IntEnum):
    """Get-ClusterQuorum QuorumType."""

    Unknown = 0
    Majority = 1
    DiskOnly = 2


class MigrationState(IntEnum):
    """Private property MigrationState of a VM resource."""

    NoMigration = 0
    Setup = 1
    DataTransfer = 2
    Move = 3
    Cancelled = 4
    Failure = 5


class VmState(IntEnum):
    """Msvm_ComputerSystem EnabledState, named as Get-VM State names them."""

    Unknown = 0
    Other = 1
    Running = 2
    Off = 3
    Stopping = 4
    NotApplicable = 5
    Saved = 6
    InTest = 7
    Deferred = 8
    Paused = 9
    Starting = 10
    PausedVendor = 32768
    SavedVendor = 32769
    StartingVendor = 32770
    Snapshotting = 32771
    Saving = 32773
    StoppingVendor = 32774
    Pausing = 32776
    Resuming = 32777


class OperationalStatus(IntEnum):
    """Msvm OperationalStatus. 32769 is ApplyingSnapshot in WMI; the cmdlet's enum has a typing error there."""

    Ok = 2
    Degraded = 3
    PredictiveFailure = 5
    InService = 11
    Dormant = 15
    SupportingEntityInError = 16
    CreatingSnapshot = 32768
    ApplyingSnapshot = 32769
    DeletingSnapshot = 32770
    WaitingToStart = 32771
    MergingDisks = 32772
    ExportingVirtualMachine = 32773
    MigratingVirtualMachine = 32774
    BackingUpVirtualMachine = 32776
    ModifyingUpVirtualMachine = 32777
    StorageMigrationPhaseOne = 32778
    StorageMigrationPhaseTwo = 32779
    MigratingPlannedVm = 32780
    CheckingCompatibility = 32781
    ApplicationCriticalState = 32782
    CommunicationTimedOut = 32783
    CommunicationFailed = 32784
    CriticalIoError = 32795


class IntegrationStatus(IntEnum):
    """OperationalStatus of an integration service."""

    Ok = 2
    Degraded = 3
    Error = 6
    NonRecoverableError = 7
    NoContact = 12
    LostCommunication = 13
    ProtocolMismatch = 32775
    ApplicationCritical = 32782
    CommunicationTimedOut = 32783
    CommunicationFailed = 32784
    Disabled = 32896


class Heartbeat(IntEnum):
    """Msvm_SummaryInformation Heartbeat (CIM numbers, not the cmdlet's)."""

    Ok = 2
    Error = 6
    NoContact = 12
    LostCommunication = 13


class CheckpointType(IntEnum):
    """Set-VM -CheckpointType = Msvm UserSnapshotType."""

    Disabled = 2
    Production = 3
    ProductionOnly = 4
    Standard = 5


class SnapshotType(IntEnum):
    """What kind a checkpoint is. Recovery ones are made by backup; production and standard are both Standard here."""

    Standard = 0
    Recovery = 1
    Planned = 2
    Missing = 5
    Replica = 6
    AppConsistentReplica = 7
    SyncedReplica = 8


class JobState(IntEnum):
    """CIM_ConcreteJob JobState."""

    New = 2
    Starting = 3
    Running = 4
    Suspended = 5
    ShuttingDown = 6
    Completed = 7
    Terminated = 8
    Killed = 9
    Exception = 10
    Service = 11


class JobType(IntEnum):
    """Msvm_ConcreteJob and Msvm_MigrationJob JobType, those an operator meets."""

    Start = 12
    Save = 14
    Shutdown = 16
    MergeDisks = 50
    GuestVssSnapshot = 51
    Export = 62
    Snapshot = 70
    ApplySnapshot = 71
    DeleteSnapshot = 72
    Backup = 170
    ConvertToReferencePoint = 200
    CreateReferencePoint = 201
    DeleteReferencePoint = 202
    ExportReferencePoint = 203
    MigrationCreateRemoteVm = 300
    MigrationCheck1 = 301
    MigrationCheck2 = 302
    MigrationCheck3 = 303
    MigrationCheck4 = 304
    MigrateVm = 305
    MigrateVmAndStorage = 306
    MigrateStorage = 307


class ReplicationMode(IntEnum):
    """Msvm ReplicationMode."""

    NotReplicated = 0
    Primary = 1
    Replica = 2
    TestReplica = 3
    ExtendedReplica = 4


def signed(number: int) -> int:
    """WMI shows -1 (Unknown) of cluster states as 4294967295; give the real number."""
    return number - 2**32 if number >= 2**31 else number


def name_of(enum: type[IntEnum], number: int | None) -> str:
    """Windows' name of a number; the bare number when it has none, `?` when it could not be read."""
    if number is None:
        return "?"
    try:
        return enum(signed(number)).name
    except ValueError:
        return str(number)


def flags_of(enum: type[IntFlag], number: int | None, none: str = "") -> str:
    """Names of the flags set, joined with commas; `none` when no flag is set, unknown bits as hex, `?` when unread."""
    if number is None:
        return "?"
    if number == 0:
        return none
    names = [member.name or "" for member in enum if number & member.value]
    rest = number & ~sum(member.value for member in enum)
    if rest:
        names.append(hex(rest))
    return ", ".join(names)
