"""What is wrong with a node, asked before a command answers: hanging services, missing rights, unreadable parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hvtui.lab.native.problems import DENIED, NO_MACHINES, TIMEOUT, Trouble, part_trouble
from hvtui.lab.native.problems import cluster_trouble as of_cluster
from hvtui.lab.native.problems import hyperv_trouble as of_hyperv
from hvtui.lab.pwsh.commands import errors
from hvtui.lab.pwsh.commands.answer import LabError, Refused
from hvtui.lab.pwsh.commands.call import CommandCall
from hvtui.lab.world.node import Node

PARTS: Final = {
    "Msvm_ComputerSystem": "vms",
    "Msvm_VirtualSystemSettingData": "vms.checkpoints",
    "Msvm_SummaryInformation": "load.vms",
    "Msvm_VssComponent": "vms.vss",
    "Msvm_VssComponentSettingData": "vms.vss",
    "Msvm_StorageAllocationSettingData": "files",
    "Msvm_ResourceAllocationSettingData": "files",
    "Msvm_ConcreteJob": "jobs",
    "Msvm_StorageJob": "jobs",
    "Msvm_MigrationJob": "jobs",
    "Msvm_VirtualSystemMigrationServiceSettingData": "host.migration",
    "Win32_OperatingSystem": "host",
    "Win32_Service": "host.vmms",
    "Win32_PerfFormattedData_HvStats_HyperVHypervisorLogicalProcessor": "load.host",
    "Win32_ShadowProvider": "providers",
    "MSCluster_Node": "nodes",
    "MSCluster_Resource": "roles.resources",
    "MSCluster_ResourceGroup": "roles",
    "MSCluster_ClusterSharedVolume": "csvs.fault",
    "Get-Cluster": "cluster",
    "Get-ClusterSharedVolume": "csvs",
    "Get-ClusterSharedVolumeState": "io",
    "Get-ClusterNode": "nodes.failback",
    "Get-ClusterGroup": "role",
}
"""Class or command → the part of a scenario's `unreadable` that it stands for."""


def unreadable(node: Node, source: str) -> Trouble | None:
    """A part that this node cannot read for a reason of its own, by class or command."""
    return part_trouble(node, PARTS.get(source, source))


async def hyperv_answers(call: CommandCall, seconds: float | None) -> bool:
    """Wait for VMMS; False when it shows nothing to this account; raises Refused with CIM's error."""
    trouble = await _settled(call, lambda: of_hyperv(call.node), seconds)
    if trouble is None or trouble is NO_MACHINES:
        return trouble is None
    raise Refused(errors.cim_trouble(trouble, call.command))


async def cluster_answers(call: CommandCall, seconds: float | None) -> bool:
    """Wait for the cluster's provider; False when it shows nothing to this account; raises Refused with CIM's error."""
    trouble = await _settled(call, lambda: of_cluster(call.node), seconds)
    if trouble is None or trouble is DENIED:
        return trouble is None
    raise Refused(errors.cim_trouble(trouble, call.command))


async def cluster_commands_answer(call: CommandCall) -> None:
    """Wait for the cluster service, without any deadline as the commands do; raises Refused with their error."""
    trouble = await _settled(call, lambda: of_cluster(call.node), None)
    raise_for(trouble or unreadable(call.node, call.command), errors.cluster_trouble)


async def hyperv_commands_answer(call: CommandCall) -> None:
    """The same for VMMS and the Hyper-V commands."""
    trouble = await _settled(call, lambda: of_hyperv(call.node), None)
    raise_for(trouble or unreadable(call.node, call.command), errors.hyperv_trouble)


def raise_for(trouble: Trouble | None, make: Callable[[Trouble], LabError]) -> None:
    """Raise the error of a trouble, if there is one."""
    if trouble is not None:
        raise Refused(make(trouble))


async def _settled(call: CommandCall, look: Callable[[], Trouble | None], seconds: float | None) -> Trouble | None:
    """What is wrong after waiting for a service that hangs: TIMEOUT when it still does after `seconds`."""
    if look() is TIMEOUT:
        await call.wait_while(lambda: look() is TIMEOUT, seconds)
    return look()
