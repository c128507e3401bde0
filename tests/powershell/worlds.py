"""What Windows would answer on a small node, in the shape of its own classes and cmdlets."""

from __future__ import annotations

from typing import Any, Final

SQL: Final = "1111aaaa-0000-4000-8000-000000000001"
WEB: Final = "1111aaaa-0000-4000-8000-000000000002"
SNAPSHOT: Final = "2222bbbb-0000-4000-8000-000000000001"
VSS: Final = "5CED1297-4598-4915-A5FC-AD21BB4D02A4"
HOSTILE: Final = [
    "VM[/prod]",
    "[@click=app.quit]x[/]",
    "a\x1b[31mb",
    "Ünïcode 漢字",
    "x" * 300,
    'quote " back \\ slash',
    "tab\tnewline\r\n\x00",
    "emoji 🖥 beyond the plane",
    "",
    "de Crécy",
    "$(Get-Date) `n {0} %%5",
]


def at(text: str) -> dict[str, str]:
    """A time as Windows' own type."""
    return {"$time": text}


def machine(vm: str, name: str, **changes: Any) -> dict[str, Any]:
    """An instance of Msvm_ComputerSystem: a running VM, up for one hour at midnight."""
    return {
        "Name": vm.upper(),
        "ElementName": name,
        "EnabledState": 2,
        "HealthState": 5,
        "OperationalStatus": [2],
        "OnTimeInMilliseconds": 3_600_000,
        "LastSuccessfulBackupTime": at("2026-02-27T23:10:00Z"),
        "ReplicationMode": 0,
        **changes,
    }


def setting(vm: str, own: str | None = None, **changes: Any) -> dict[str, Any]:
    """An instance of Msvm_VirtualSystemSettingData: of a VM, or of its checkpoint `own`."""
    return {
        "InstanceID": f"Microsoft:{(own or vm).upper()}",
        "VirtualSystemIdentifier": vm.upper(),
        "VirtualSystemType": "Microsoft:Hyper-V:System:Realized",
        "UserSnapshotType": 3,
        "IsSaved": False,
        "CreationTime": at("2026-01-01T12:00:00Z"),
        "Version": "9.0",
        "ConfigurationDataRoot": "C:\\ClusterStorage\\Volume1\\SQL",
        "SnapshotDataRoot": "C:\\ClusterStorage\\Volume1\\SQL",
        "SwapFileDataRoot": "C:\\ClusterStorage\\Volume1\\SQL",
        **changes,
    }


def disk(owner: str, path: str, kind: str = "Virtual Hard Disk") -> dict[str, Any]:
    """An instance of Msvm_StorageAllocationSettingData."""
    return {
        "InstanceID": f"Microsoft:{owner.upper()}\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\0\\0\\L",
        "ResourceSubType": f"Microsoft:Hyper-V:{kind}",
        "HostResource": [path],
    }


def job(number: int, **changes: Any) -> dict[str, Any]:
    """An instance of a Msvm job class."""
    return {
        "InstanceID": f"3333CCCC-0000-4000-8000-{number:012d}",
        "JobType": 70,
        "JobState": 4,
        "PercentComplete": 10,
        "StartTime": at("2026-02-28T23:59:50Z"),
        "ErrorCode": 0,
        **changes,
    }


def summary(vm: str, cpu: int | None, memory: int | None, **changes: Any) -> dict[str, Any]:
    """An instance of Msvm_SummaryInformation."""
    return {
        "Name": vm.upper(),
        "EnabledState": 2,
        "ProcessorLoad": cpu,
        "MemoryUsage": memory,
        "Heartbeat": 2,
        **changes,
    }


def node() -> dict[str, Any]:
    """The first step of a node with two VMs, one of them off and with a checkpoint made by backup."""
    return {
        "cim": {
            "Msvm_ComputerSystem": [
                {"Name": "HV01", "ElementName": "HV01", "EnabledState": 2},
                machine(SQL, "SQL07"),
                machine(
                    WEB,
                    "web",
                    EnabledState=3,
                    OnTimeInMilliseconds=0,
                    LastSuccessfulBackupTime=at("1601-01-01T00:00:00Z"),
                ),
            ],
            "Msvm_VirtualSystemSettingData": [
                setting(SQL),
                setting(WEB, UserSnapshotType=4, ConfigurationDataRoot="D:\\local"),
                setting(WEB, SNAPSHOT, VirtualSystemType="Microsoft:Hyper-V:Snapshot:Recovery"),
                setting(
                    WEB,
                    SNAPSHOT[:-1] + "2",
                    VirtualSystemType="Microsoft:Hyper-V:Snapshot:Recovery",
                    CreationTime=at("2025-12-31T12:00:00Z"),
                ),
                setting(
                    WEB, SNAPSHOT[:-1] + "3", VirtualSystemType="Microsoft:Hyper-V:Snapshot:Realized", IsSaved=True
                ),
            ],
            "Msvm_SummaryInformation": [summary(SQL, 12, 4096), summary(WEB, None, None, EnabledState=3)],
            "Msvm_VssComponent": [{"SystemName": SQL.upper(), "OperationalStatus": [2]}],
            "Msvm_VssComponentSettingData": [
                {"InstanceID": f"Microsoft:{SQL.upper()}\\{VSS}", "EnabledState": 2},
                {"InstanceID": f"Microsoft:{WEB.upper()}\\{VSS}", "EnabledState": 3},
                {"InstanceID": f"Microsoft:{SNAPSHOT.upper()}\\{VSS}", "EnabledState": 2},
            ],
            "Msvm_StorageAllocationSettingData": [
                disk(SQL, "C:\\ClusterStorage\\Volume1\\SQL\\os.vhdx"),
                disk(SQL, "C:\\iso\\setup.iso", "Virtual CD/DVD Disk"),
                disk(WEB, "C:\\ClusterStorage\\Volume10\\web_1.avhdx"),
                disk(SNAPSHOT, "C:\\ClusterStorage\\Volume10\\web.vhdx"),
            ],
            "Msvm_ResourceAllocationSettingData": [
                {
                    "InstanceID": f"Microsoft:{SQL.upper()}\\B637F346-6A0E-4DEC-AF52-BD70CB80A21D\\0",
                    "HostResource": [
                        '\\\\HV01\\root\\virtualization\\v2:Msvm_DiskDrive.DeviceID="Microsoft:353B\\\\3",SystemName="HV01"'
                    ],
                }
            ],
            "Msvm_DiskDrive": [
                {"DeviceID": "Microsoft:353B\\3", "ElementName": "Disk 3 40.00 GB Bus 0 Lun 1 Target 2"}
            ],
            "Msvm_VirtualSystemMigrationServiceSettingData": [
                {
                    "EnableVirtualSystemMigration": True,
                    "MaximumActiveVirtualSystemMigration": 2,
                    "MaximumActiveStorageMigration": 2,
                    "AuthenticationType": 1,
                }
            ],
            "Win32_Service": [
                {"Name": "vmms", "State": "Running", "ProcessId": 2},
                {"Name": "ClusSvc", "State": "Stop Pending", "ProcessId": 3},
            ],
            "Win32_OperatingSystem": [
                {
                    "LastBootUpTime": at("2026-01-10T05:00:00.5Z"),
                    "Version": "10.0.17763",
                    "TotalVisibleMemorySize": 268_435_456,
                    "FreePhysicalMemory": 134_217_728,
                }
            ],
            "Win32_ComputerSystem": [{"NumberOfLogicalProcessors": 48}],
            "Win32_PerfFormattedData_HvStats_HyperVHypervisorLogicalProcessor": [
                {"Name": "_Total", "PercentTotalRunTime": 31}
            ],
        }
    }


def fail(name: str, text: str, code: int = 0x80131500, *, seconds: float = 0.0, error_id: str = "HvTuiTest") -> Any:
    """A question to `name` ends in an error with this HRESULT, after so many seconds."""
    return {name: {"text": text, "code": code - 2**32, "seconds": seconds, "id": error_id}}


def cluster() -> dict[str, Any]:
    """The first step of a cluster: two nodes, one CSV, two VM roles."""
    return {
        "cim": {
            "MSCluster_Node": [
                {
                    "Name": name,
                    "Id": str(number),
                    "State": 0,
                    "StatusInformation": 0,
                    "NodeDrainStatus": 0,
                    "NodeWeight": 1,
                    "DynamicWeight": 1,
                    "MajorVersion": 10,
                    "MinorVersion": 0,
                    "BuildNumber": 17763,
                }
                for number, name in enumerate(("HV01", "HV02"), 1)
            ],
            "MSCluster_Resource": [
                resource("Virtual Machine SQL07", "Virtual Machine", "SQL role", VmID=SQL),
                resource("Virtual Machine Configuration SQL07", "Virtual Machine Configuration", "SQL role", VmID=SQL),
                resource(
                    "Virtual Machine web", "Virtual Machine", "web", 3, VmID=f"{{{WEB.upper()}}}", MigrationState=5
                ),
                resource("Virtual Machine Configuration web", "Virtual Machine Configuration", "web", VmID=WEB),
                {
                    **resource("Cluster Disk 1", "Physical Disk", "csv-group"),
                    "Id": "4444DDDD-0000-4000-8000-000000000001",
                    "IsClusterSharedVolume": True,
                },
                {**resource("Witness", "Physical Disk", "Cluster Group"), "Id": "4444dddd-0000-4000-8000-00000000000f"},
            ],
            "MSCluster_ResourceGroup": [
                group(1, "SQL role", Priority=3000, AntiAffinityClassNames=["sql"]),
                group(2, "web", State=1, StatusInformation=4),
                {**group(3, "Cluster Group"), "GroupType": 1},
            ],
            "MSCluster_ClusterSharedVolume": [
                {
                    "Name": "C:\\ClusterStorage\\Volume1",
                    "VolumeName": "\\\\?\\Volume{aa}\\",
                    "FaultState": 0,
                    "BackupState": 1,
                }
            ],
        },
        "commands": {
            "Get-Cluster": {
                "Id": "6666FFFF-0000-4000-8000-000000000001",
                "Name": "CLU-TEST",
                "ClusterFunctionalLevel": 10,
                "WitnessDynamicWeight": 1,
                "DynamicQuorum": 1,
                "ClusterEnforcedAntiAffinity": 0,
                "SharedVolumesRoot": "C:\\ClusterStorage",
            },
            "Get-ClusterQuorum": {
                "QuorumType": 1,
                "QuorumResource": {
                    "Id": "4444dddd-0000-4000-8000-00000000000f",
                    "State": 2,
                    "ResourceType": {"Name": "Physical Disk"},
                },
            },
            "Get-ClusterNode": [{"Name": "HV01", "DrainErrorCode": 0, "FailbackStatus": 2}, {"Name": "HV02"}],
            "Get-ClusterSharedVolume": [
                {
                    "Id": "4444dddd-0000-4000-8000-000000000001",
                    "Name": "Cluster Disk 1",
                    "State": 2,
                    "OwnerNode": {"Name": "HV02"},
                    "SharedVolumeInfo": [
                        {
                            "FriendlyVolumeName": "C:\\ClusterStorage\\Volume1",
                            "PartitionNumber": 2,
                            "FaultState": 0,
                            "MaintenanceMode": False,
                            "RedirectedAccess": False,
                            "Partition": {
                                "Name": "\\\\?\\Volume{aa}\\",
                                "FileSystem": "CSVFS",
                                "Size": 10994914951168,
                                "FreeSpace": 2431013945344,
                            },
                        }
                    ],
                }
            ],
            "Get-ClusterSharedVolumeState": [
                {
                    "Node": name,
                    "VolumeName": "\\\\?\\Volume{aa}\\",
                    "StateInfo": state,
                    "FileSystemRedirectedIOReason": 0,
                    "BlockRedirectedIOReason": block,
                }
                for name, state, block in (("HV01", 2, 0), ("HV02", 4, 1))
            ],
        },
    }


def resource(name: str, kind: str, owner_group: str, state: int = 2, **private: Any) -> dict[str, Any]:
    """An instance of MSCluster_Resource; `private` are its private properties."""
    return {
        "Id": f"resource of {name}",
        "Name": name,
        "Type": kind,
        "State": state,
        "OwnerGroup": owner_group,
        "OwnerNode": "HV01",
        "IsClusterSharedVolume": False,
        "PrivateProperties": private or None,
    }


def group(number: int, name: str, **changes: Any) -> dict[str, Any]:
    """An instance of MSCluster_ResourceGroup."""
    return {
        "Id": f"5555EEEE-0000-4000-8000-{number:012d}",
        "Name": name,
        "State": 0,
        "StatusInformation": 0,
        "OwnerNode": "HV01",
        "Priority": 2000,
        "GroupType": 111,
        "AntiAffinityClassNames": [],
        **changes,
    }
