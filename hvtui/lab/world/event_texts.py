"""What each event id says, in the words of windows.md §5; where it is written and how serious it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

VMMS: Final = "Microsoft-Windows-Hyper-V-VMMS-Admin"
WORKER: Final = "Microsoft-Windows-Hyper-V-Worker-Admin"
HA: Final = "Microsoft-Windows-Hyper-V-High-Availability-Admin"
CLUSTER: Final = "Microsoft-Windows-FailoverClustering/Operational"
SYSTEM: Final = "System"
APPLICATION: Final = "Application"

CRITICAL: Final = 1
ERROR: Final = 2
WARNING: Final = 3
INFORMATION: Final = 4


@dataclass(frozen=True, slots=True)
class Kind:
    """What an event id says: where it is written, how serious, and its text."""

    id: int
    channel: str
    provider: str
    level: int
    text: str


_HV: Final = "Microsoft-Windows-Hyper-V-VMMS"
_HA: Final = "Microsoft-Windows-Hyper-V-High-Availability"
_FC: Final = "Microsoft-Windows-FailoverClustering"

KINDS: Final = {
    (kind.channel, kind.id): kind
    for kind in (
        Kind(
            10102, VMMS, _HV, ERROR,
            "Failed to create the volume shadow copy inside of virtual machine '{vm}'. (Virtual machine ID {id})",
        ),
        Kind(
            10150, VMMS, _HV, ERROR,
            "Could not create backup checkpoint for virtual machine '{vm}': {error} ({code}). "
            "(Virtual machine ID {id})",
        ),
        Kind(18012, VMMS, _HV, ERROR, "Checkpoint operation for '{vm}' failed. (Virtual machine ID {id})"),
        Kind(18014, VMMS, _HV, ERROR, "Checkpoint operation for '{vm}' was cancelled. (Virtual machine ID {id})"),
        Kind(18016, VMMS, _HV, WARNING,
             "Can not create production checkpoint for '{vm}'. (Virtual machine ID {id})"),
        Kind(19070, VMMS, _HV, INFORMATION,
             "'{vm}' background disk merge has been started. (Virtual machine ID {id})"),
        Kind(19080, VMMS, _HV, INFORMATION,
             "'{vm}' background disk merge has been finished successfully. (Virtual machine ID {id})"),
        Kind(19090, VMMS, _HV, WARNING,
             "'{vm}' background disk merge has been interrupted. (Virtual machine ID {id})"),
        Kind(19100, VMMS, _HV, ERROR,
             "'{vm}' background disk merge failed to complete: {error} ({code}). (Virtual machine ID {id})"),
        Kind(20415, VMMS, _HV, INFORMATION,
             "Virtual machine '{vm}' live migration blackout time was {ms} ms. (Virtual machine ID {id})"),
        Kind(21024, VMMS, _HV, ERROR,
             "Virtual machine migration operation for '{vm}' failed at migration source '{source}'. "
             "(Virtual machine ID {id})"),
        Kind(21125, HA, _HA, ERROR,
             "Configuration setup for live migration failed on the destination node for 'Virtual Machine {vm}'. "
             "{error}"),
        Kind(21501, HA, _HA, ERROR, "Live migration of 'Virtual Machine {vm}' failed. {error}"),
        Kind(21502, HA, _HA, ERROR, "Live migration of 'Virtual Machine {vm}' failed. {error}"),
        Kind(18590, VMMS, _HV, ERROR,
             "Checkpoint operation for '{vm}' reported a failure: the fork was not committed ({code}). "
             "(Virtual machine ID {id})"),
        Kind(14094, VMMS, _HV, INFORMATION, "Virtual Machine Management service is started successfully."),
        Kind(14096, VMMS, _HV, INFORMATION, "Virtual Machine Management service is stopped."),
        Kind(18500, WORKER, "Microsoft-Windows-Hyper-V-Worker", INFORMATION,
             "'{vm}' started successfully. (Virtual machine ID {id})"),
        Kind(3050, WORKER, "Microsoft-Windows-Hyper-V-Worker", ERROR,
             "'{vm}' could not initialize memory: {error} ({code}). (Virtual machine ID {id})"),
        Kind(3216, WORKER, "Microsoft-Windows-Hyper-V-Worker", ERROR,
             "'{vm}' failed to switch to its new differencing disks during a checkpoint ({code}). "
             "(Virtual machine ID {id})"),
        Kind(1071, SYSTEM, _FC, WARNING,
             "The operation attempted on cluster role '{ResourceGroup}' was refused because it has locked status."),
        Kind(1135, SYSTEM, _FC, CRITICAL,
             "Cluster node '{NodeName}' was removed from the active failover cluster membership."),
        Kind(1137, SYSTEM, _FC, ERROR,
             "Cluster role '{ResourceGroup}' could not be moved for drain. The error code was {code}."),
        Kind(1146, SYSTEM, _FC, CRITICAL,
             "The cluster Resource Hosting Subsystem (RHS) process was terminated and will be restarted."),
        Kind(1230, SYSTEM, _FC, ERROR,
             "A component on the server did not respond in a timely fashion: cluster resource '{ResourceName}' "
             "(type 'Virtual Machine', DLL 'vmclusres.dll') exceeded its time-out."),
        Kind(1677, SYSTEM, _FC, ERROR, "The drain of cluster node '{NodeName}' failed."),
        Kind(5120, SYSTEM, _FC, WARNING,
             "Cluster Shared Volume '{VolumeName}' ('{ResourceName}') has entered a paused state because of "
             "'{status}({code})'. All I/O will temporarily be queued until a path to the volume is reestablished."),
        Kind(5121, SYSTEM, _FC, INFORMATION,
             "Cluster Shared Volume '{VolumeName}' ('{ResourceName}') is no longer directly accessible from this "
             "cluster node. I/O access is redirected over the network through the node that owns the volume."),
        Kind(5136, SYSTEM, _FC, WARNING,
             "Cluster Shared Volume '{VolumeName}' ('{ResourceName}') redirected access was turned on."),
        Kind(5147, SYSTEM, _FC, ERROR,
             "Cluster disk resource '{ResourceName}' could not be moved because a snapshot of it is being made."),
        Kind(5217, SYSTEM, _FC, ERROR,
             "Software snapshot creation on Cluster Shared Volume(s) ('{VolumeName}') failed with error {code}."),
        Kind(513, APPLICATION, "Microsoft-Windows-CAPI2", ERROR,
             "Cryptographic Services failed while processing the OnIdentity() call in the System Writer Object. "
             "Details: AddLegacyDriverFiles: Unable to back up image of binary Microsoft Link-Layer Discovery "
             "Protocol. System Error: Access is denied."),
        Kind(8194, APPLICATION, "VSS", ERROR,
             "Volume Shadow Copy Service error: Unexpected error querying for the IVssWriterCallback interface.  "
             "hr = 0x80070005, Access is denied.\n. This is often caused by incorrect security settings in either the "
             "writer or requestor process. \n\nOperation:\n   Gathering Writer Data\n\nContext:\n   Writer Class Id: "
             "{{{writer_id}}}\n   Writer Name: {writer}\n   Writer Instance ID: {{{instance}}}"),
        Kind(8213, APPLICATION, "VSS", ERROR,
             "Volume Shadow Copy Service error: The process that hosts the writer with name {writer} and ID "
             "{{{writer_id}}} does not run under a user with sufficient access rights. Consider running this process "
             "under a local account which is either Local System, Administrator, Network Service, or Local Service. "
             "\n\nOperation:\n   Initializing Writer\n\nContext:\n   Writer Class Id: {{{writer_id}}}\n"
             "   Writer Name: {writer}"),
        Kind(8229, APPLICATION, "VSS", WARNING,
             "A VSS writer has rejected an event with error {code}, {error}.\n\nOperation:\n   {operation}\n\n"
             "Context:\n   Writer Class Id: {{{writer_id}}}\n"
             "   Writer Name: {writer}\n   Writer Instance ID: {{{instance}}}"),
    )
}  # fmt: skip
