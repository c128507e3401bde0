"""root/cimv2: the host's system, services, processors, shadow copies and updates."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from hvtui.lab.native.signals import provider_of
from hvtui.lab.pwsh.cim.instances import Provider, View, constant
from hvtui.lab.pwsh.cim.schema import CIMV2
from hvtui.lab.world.node import Node
from hvtui.lab.world.processes import Installed, process_id, services

__all__ = ["PROVIDERS", "Installed", "process_id", "services"]

PERFORMANCE: Final = "Win32_PerfFormattedData_HvStats_HyperVHypervisorLogicalProcessor"

TITLES: Final = {
    "vmms": "Hyper-V Virtual Machine Management",
    "ClusSvc": "Cluster Service",
    "VSS": "Volume Shadow Copy",
    "CryptSvc": "Cryptographic Services",
    "Winmgmt": "Windows Management Instrumentation",
    "Schedule": "Task Scheduler",
}


def title_of(one: Installed) -> str:
    """What people call a service."""
    return one.service.title or TITLES.get(one.name, one.name)


def start_of(view: View, process: int) -> datetime | None:
    """When the process of a service was started, by the node's clock."""
    for one in services(view.node):
        if one.service.started is not None and process_id(view.node, one) == process:
            return view.clock(one.service.started)
    return None


SERVICE: Final = Provider(
    "Win32_Service",
    CIMV2,
    lambda view: services(view.node),
    {
        "Name": lambda _view, one: one.name,
        "Caption": lambda _view, one: title_of(one),
        "DisplayName": lambda _view, one: title_of(one),
        "StartName": lambda _view, one: one.service.account,
        "State": lambda _view, one: one.service.state,
        "Status": constant("OK"),
        "Started": lambda _view, one: one.service.state == "Running",
        "ProcessId": lambda view, one: process_id(view.node, one),
        "StartMode": lambda _view, one: one.service.mode,
        "ServiceType": constant("Own Process"),
        "CreationClassName": constant("Win32_Service"),
        "SystemCreationClassName": constant("Win32_ComputerSystem"),
        "SystemName": lambda view, _one: view.node.name,
        "ExitCode": lambda _view, one: one.service.exit_code,
        "CheckPoint": lambda _view, one: one.service.checkpoint,
        "WaitHint": lambda _view, one: one.service.wait_hint,
    },
    keys=("Name",),
)


def _free(view: View, node: Node) -> int:
    """FreePhysicalMemory, KB."""
    return max(0, node.memory // 1024 - view.world.host_load(node)[1] * 1024)


OPERATING_SYSTEM: Final = Provider(
    "Win32_OperatingSystem",
    CIMV2,
    lambda view: (view.node,),
    {
        "Name": constant("Microsoft Windows Server|C:\\Windows|\\Device\\Harddisk0\\Partition4"),
        "CSName": lambda _view, node: node.name,
        "CreationClassName": constant("Win32_OperatingSystem"),
        "CSCreationClassName": constant("Win32_ComputerSystem"),
        "Version": lambda _view, node: node.build.rsplit(".", 1)[0],
        "BuildNumber": lambda _view, node: node.build.split(".")[2],
        "LastBootUpTime": lambda view, node: view.clock(node.boot).replace(microsecond=0),
        "LocalDateTime": lambda view, _node: view.clock(view.world.elapsed),
        "TotalVisibleMemorySize": lambda _view, node: node.memory // 1024,
        "FreePhysicalMemory": _free,
        "Status": constant("OK"),
        "SystemDirectory": constant("C:\\Windows\\system32"),
        "SystemDrive": constant("C:"),
        "WindowsDirectory": constant("C:\\Windows"),
    },
    keys=("Name",),
)

COMPUTER_SYSTEM: Final = Provider(
    "Win32_ComputerSystem",
    CIMV2,
    lambda view: (view.node,),
    {
        "Name": lambda _view, node: node.name,
        "DNSHostName": lambda _view, node: node.name,
        "CreationClassName": constant("Win32_ComputerSystem"),
        "NumberOfLogicalProcessors": lambda _view, node: node.processors,
        "TotalPhysicalMemory": lambda _view, node: node.memory,
        "PartOfDomain": constant(True),
        "HypervisorPresent": lambda _view, node: not node.faults.not_hyperv,
        "Status": constant("OK"),
    },
    keys=("Name",),
)

PROCESSOR: Final = Provider(
    PERFORMANCE,
    CIMV2,
    lambda view: (view.node,),
    {
        "Name": constant("_Total"),
        "PercentTotalRunTime": lambda view, node: view.world.host_load(node)[0],
        "PercentIdleTime": lambda view, node: 100 - view.world.host_load(node)[0],
    },
    keys=("Name",),
)

SHADOW_PROVIDER: Final = Provider(
    "Win32_ShadowProvider",
    CIMV2,
    lambda view: view.node.providers,
    {
        "ID": lambda _view, one: f"{{{one.id.upper()}}}",
        "Name": lambda _view, one: one.name,
        "Type": lambda _view, one: one.type,
        "Version": lambda _view, one: one.version,
    },
    keys=("ID",),
)

SHADOW_COPY: Final = Provider(
    "Win32_ShadowCopy",
    CIMV2,
    lambda view: view.node.shadows,
    {
        "ID": lambda _view, one: f"{{{one.id.upper()}}}",
        "SetID": lambda _view, one: f"{{{one.set.upper()}}}",
        "VolumeName": lambda _view, one: one.volume,
        "InstallDate": lambda view, one: view.clock(one.created),
        "OriginatingMachine": lambda view, _one: view.node.name,
        "ServiceMachine": lambda view, _one: view.node.name,
        "State": constant(12),
        "Count": constant(1),
        "ProviderID": lambda _view, one: f"{{{provider_of(one).upper()}}}",
        "Persistent": lambda _view, one: one.persistent,
        "ClientAccessible": lambda _view, one: one.client_accessible,
    },
    keys=("ID",),
)

UPDATE: Final = Provider(
    "Win32_QuickFixEngineering",
    CIMV2,
    lambda view: view.node.updates,
    {
        "HotFixID": lambda _view, one: one.id,
        "InstalledOn": lambda _view, one: one.installed,
        "Description": constant("Security Update"),
        "CSName": lambda view, _one: view.node.name,
        "InstalledBy": constant("NT AUTHORITY\\SYSTEM"),
        "ServicePackInEffect": constant(""),
    },
    keys=("CSName", "HotFixID", "ServicePackInEffect"),
)

PROVIDERS: Final = (SERVICE, OPERATING_SYSTEM, COMPUTER_SYSTEM, PROCESSOR, SHADOW_PROVIDER, SHADOW_COPY, UPDATE)
