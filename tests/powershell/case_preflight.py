"""Cases of Get-HvTuiPreflight and Get-HvTuiForkCommit."""

from __future__ import annotations

import copy
from typing import Any, Final

from tests.powershell import worlds
from tests.powershell.case_actions import nodes, resource, role
from tests.powershell.case_kit import DENIED, TIMEOUT, VMMS, Case, failing, with_cim
from tests.powershell.worlds import SNAPSHOT, SQL, WEB

WORKER: Final = "Microsoft-Windows-Hyper-V-Worker-Admin"
_SWITCH: Final = "5555EEEE-0000-4000-8000-000000000001"
Step = dict[str, Any]


def _port(vm: str, name: str, guid: str = _SWITCH, **changes: Any) -> Step:
    path = f'\\\\HV01\\root\\virtualization\\v2:Msvm_VirtualEthernetSwitch.CreationClassName="x",Name="{guid}"'
    return {
        "InstanceID": f"Microsoft:{vm.upper()}\\P",
        "HostResource": [path],
        "LastKnownSwitchName": name,
        "EnabledState": 2,
        **changes,
    }


def _of(vm: str, **values: Any) -> Step:
    return {"InstanceID": f"Microsoft:{vm.upper()}\\X", **values}


def _kvp(vm: str, **told: str) -> Step:
    def item(*properties: str) -> str:
        return f'<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">{"".join(properties)}</INSTANCE>'

    def text(name: str, value: str) -> str:
        return f'<PROPERTY NAME="{name}" PROPAGATED="true" TYPE="string"><VALUE>{value}</VALUE></PROPERTY>'

    caption = '<PROPERTY NAME="Caption" PROPAGATED="true" TYPE="string"></PROPERTY>'
    items = [item(caption, text("Data", value), text("Name", name)) for name, value in told.items()]
    return {"SystemName": vm.upper(), "GuestIntrinsicExchangeItems": [*items, item(text("Name", "OSName"))]}


def _file(path: str, parent: str = "", size: int = 4194304) -> Step:
    return {"Path": path, "ParentPath": parent, "FileSize": size}


def everything() -> Step:
    """Two VMs with everything that a VM can have, on a node with everything that a node can have."""
    step = copy.deepcopy(worlds.node())
    cluster = worlds.cluster()
    iso = worlds.disk(SQL, "C:\\iso\\setup.iso", "Virtual CD/DVD Disk")
    shared = {**worlds.disk(SQL, "C:\\ClusterStorage\\Volume1\\quorum.vhds"), "PersistentReservationsSupported": True}
    step["cim"] |= {
        "Msvm_VirtualSystemManagementService": [{"Name": "vmms"}],
        "MSCluster_Cluster": [{"Name": "CLU-TEST"}],
        "MSCluster_Node": nodes(),
        "MSCluster_Resource": cluster["cim"]["MSCluster_Resource"],
        "MSCluster_ResourceGroup": cluster["cim"]["MSCluster_ResourceGroup"],
        "Msvm_MemorySettingData": [
            _of(SQL, VirtualQuantity=8192, Reservation=512, Limit=1048576, DynamicMemoryEnabled=False),
            _of(WEB, VirtualQuantity=2048, Reservation=1024, Limit=4096, DynamicMemoryEnabled=True),
            {"InstanceID": "Microsoft:Definition\\X", "VirtualQuantity": 1},
        ],
        "Msvm_VirtualEthernetSwitch": [{"Name": _SWITCH, "ElementName": "vSwitch"}, {"Name": None, "ElementName": "x"}],
        "Msvm_EthernetPortAllocationSettingData": [
            _port(SQL, "old name"),
            _port(SQL, "vSwitch", EnabledState=3),
            _port(SQL, "Backup", guid="nowhere"),
            _port(SQL, "vSwitch"),
            _port(WEB, "", HostResource=["strange"]),
            _port(WEB, "", HostResource=None),
        ],
        "Msvm_StorageAllocationSettingData": [
            *step["cim"].get("Msvm_StorageAllocationSettingData", []),
            iso,
            shared,
            worlds.disk(SQL, "A:", "Virtual Floppy Disk"),
        ],
        "Msvm_GpuPartitionSettingData": [_of(SQL), _of(SQL)],
        "Msvm_PciExpressSettingData": [_of(WEB), {"InstanceID": None}],
        "Msvm_SecuritySettingData": [_of(SQL, TpmEnabled=True), _of(WEB, TpmEnabled=False)],
        "Msvm_SyntheticFcPortSettingData": [_of(SQL), _of(SQL), {"InstanceID": "Microsoft:Definition\\X"}],
        "Msvm_KvpExchangeComponent": [
            _kvp(SQL, OSName="Windows &amp; more", ProductType="2", OSVersion="10.0"),
            _kvp(WEB, OSName="&lt;b&gt;", ProductType="two"),
            {**_kvp(SQL, OSName="of nobody"), "SystemName": None},
            {"SystemName": WEB.upper(), "GuestIntrinsicExchangeItems": None},
        ],
        "Win32_ShadowCopy": [
            {
                "ID": f"{{{SQL.upper()}}}",
                "SetID": f"{{{WEB}}}",
                "VolumeName": "\\\\?\\Volume{aa}\\",
                "InstallDate": worlds.at("2026-02-28T22:00:00Z"),
            },
            {"ID": f"{{{WEB}}}", "SetID": None, "VolumeName": "D:\\", "InstallDate": None},
        ],
        "MSCluster_AffinityRule": [
            {"Name": "apart", "RuleType": 4, "Groups": ["SQL role", "web"], "Enabled": 1},
            {"Name": "together", "RuleType": 1, "Groups": [None, "web"], "Enabled": 0},
        ],
        "MSFT_VirtualDisk": [
            {"FriendlyName": "Volume1", "HealthStatus": 1, "OperationalStatus": [3, 53251]},
            {"FriendlyName": "Volume2", "HealthStatus": 0, "OperationalStatus": [2]},
        ],
        "MSFT_StorageJob": [
            {"Name": "Repair", "JobState": 4, "PercentComplete": 12},
            {"Name": "Rebalance", "JobState": 7, "PercentComplete": 100},
        ],
        "MSFT_WvrReplicationGroup": [
            {"Name": "Stretch", "ReplicationStatus": 12},
            {"Name": "Second", "ReplicationStatus": 0},
        ],
    }
    base = "C:\\ClusterStorage\\Volume1\\quorum.vhds"
    paths = [one["HostResource"][0] for one in step["cim"]["Msvm_StorageAllocationSettingData"] if one["HostResource"]]
    step["commands"] = {
        "Get-Cluster": [{"Name": "CLU-TEST", "S2DEnabled": 1, "AutoBalancerMode": 2}],
        "Get-ClusterResourceType": [{"Name": "Virtual Machine", "Parameters": {"MoveTypeThreshold": 2000}}],
        "Get-ClusterGroup": [role(SQL), {**role(WEB), "Owners": []}],
        "Get-ClusterResource": [resource(SQL), resource(SQL, 0, "Virtual Machine Configuration"), resource(WEB)],
        "Get-VMHost": [{"SupportedVmVersions": ["8.0", "9.0"]}],
        "Get-VHD": [_file(path, f"{path}.base") for path in dict.fromkeys(paths) if path != base]
        + [_file(f"{path}.base") for path in dict.fromkeys(paths)]
        + [_file(base)],
    }
    return step


_CIM: Final = (
    "Msvm_VirtualSystemManagementService", "MSCluster_Cluster", "Msvm_ComputerSystem", "Msvm_VirtualSystemSettingData",
    "Msvm_MemorySettingData", "Msvm_SummaryInformation", "Msvm_VirtualEthernetSwitch",
    "Msvm_EthernetPortAllocationSettingData", "Msvm_StorageAllocationSettingData", "Msvm_ResourceAllocationSettingData",
    "Msvm_DiskDrive", "Msvm_GpuPartitionSettingData", "Msvm_SecuritySettingData", "Msvm_SyntheticFcPortSettingData",
    "Msvm_KvpExchangeComponent", "Msvm_ConcreteJob", "Msvm_StorageJob",
    "Msvm_MigrationJob", "Msvm_AffectedJobElement", "MSCluster_ResourceGroup", "MSCluster_Resource", "MSCluster_Node",
    "MSCluster_AffinityRule", "Win32_OperatingSystem", "Win32_ShadowCopy", "MSFT_VirtualDisk", "MSFT_StorageJob",
    "MSFT_WvrReplicationGroup",
)  # fmt: skip
_COMMANDS: Final = (
    "Get-VHD", "Get-VMHost", "Get-Cluster", "Get-ClusterResourceType", "Get-ClusterResource", "Get-ClusterGroup",
    "Get-ClusterOwnerNode",
)  # fmt: skip


def preflight_cases() -> list[Case]:
    """Both functions."""
    return [*_preflight(), *_forks()]


def _preflight() -> list[Case]:
    whole = everything()

    def ask(name: str, step: Step, part: str = "All") -> Case:
        return Case(f"preflight: {name}", "Get-HvTuiPreflight", [step], {"Part": part})

    absent = failing(
        whole, "Msvm_GpuPartitionSettingData", "Msvm_PciExpressSettingData", "MSCluster_AffinityRule",
        "MSFT_WvrReplicationGroup", code=0x80041010,
    )  # fmt: skip
    older = copy.deepcopy(whole)
    older["commands"]["Get-Cluster"] = [{"Name": "CLU-TEST", "AutoBalancerMode": 1}]
    without = copy.deepcopy(whole)
    without["commands"]["Get-Cluster"] = [{"Name": "CLU-TEST", "S2DEnabled": 0, "AutoBalancerMode": 1}]
    nameless = copy.deepcopy(whole)
    nameless["cim"]["Msvm_VirtualSystemSettingData"].append(worlds.setting(SQL, VirtualSystemIdentifier=None))
    nameless["cim"]["Msvm_SummaryInformation"].append({"Name": None, "EnabledState": 2, "MemoryUsage": 1})
    nameless["cim"]["Msvm_SecuritySettingData"].append({"InstanceID": "Microsoft:Definition\\X", "TpmEnabled": True})
    nameless["cim"]["Msvm_ResourceAllocationSettingData"] = [{"InstanceID": "Microsoft:Definition\\X"}]
    summaries = [worlds.summary(SQL, 0, 4096, EnabledState=6), worlds.summary(WEB, 0, 512, EnabledState=32769)]
    nameless["cim"]["Msvm_VirtualSystemSettingData"].append(worlds.setting(SQL, "Definition", VirtualSystemType="x"))
    drive = '\\\\HV01\\root\\virtualization\\v2:Msvm_DiskDrive.DeviceID="Microsoft:9\\\\9",SystemName="HV01"'
    known = whole["cim"]["Msvm_ResourceAllocationSettingData"][0]["HostResource"][0]
    file = "C:\\ClusterStorage\\Volume1\\a.vhdx"
    odd = with_cim(
        whole,
        Msvm_StorageAllocationSettingData=[
            {**worlds.disk(SQL, file), "InstanceID": "Microsoft:Definition\\X"},
            {**worlds.disk(SQL, file), "HostResource": [None, file, file.replace("a.", "b.")]},
        ],
        Msvm_ResourceAllocationSettingData=[
            _of(SQL, HostResource=[None, "strange", drive]),
            _of(WEB, HostResource=[known]),
        ],
        Msvm_DiskDrive=[{"DeviceID": None, "ElementName": "x"}, *whole["cim"]["Msvm_DiskDrive"]],
        MSCluster_Resource=[
            *whole["cim"]["MSCluster_Resource"],
            worlds.resource("Virtual Machine new", "Virtual Machine", "no such role", VmID=SNAPSHOT),
        ],
    )
    odd["commands"]["Get-VHD"] = [_file(one, "C:\\base.vhdx") for one in (file, file.replace("a.", "b."))]
    odd["commands"]["Get-VHD"].append(_file("C:\\base.vhdx"))
    long = copy.deepcopy(whole)
    long["cim"]["Msvm_StorageAllocationSettingData"] = [worlds.disk(SQL, "C:\\1.vhdx")]
    long["commands"]["Get-VHD"] = [_file(f"C:\\{n}.vhdx", f"C:\\{n + 1}.vhdx") for n in range(1, 70)]
    lonely = copy.deepcopy(whole)
    lonely["cim"]["MSCluster_Resource"] = lonely["cim"]["MSCluster_Resource"][:2]
    return [
        ask("all", whole),
        ask("VMs", whole, "Vms"),
        ask("node", whole, "Node"),
        ask("nothing", {"cim": {}}),
        ask("what names nobody", nameless),
        ask("odd disks, and two on one parent", odd),
        ask("a chain that is too long", long),
        ask("memory of what is saved", with_cim(whole, Msvm_SummaryInformation=summaries)),
        ask("nodes hidden", with_cim(whole, MSCluster_Node=[])),
        ask("no VM", with_cim(whole, Msvm_ComputerSystem=[{"Name": "HV01"}])),
        ask("classes that are not there", absent),
        ask("no replica namespace", failing(whole, "MSFT_WvrReplicationGroup", code=0x8004100E)),
        ask("S2D unknown", older),
        ask("S2D off", without),
        ask("a VM without a role", lonely),
        ask("VMMS hangs", failing(whole, "Msvm_VirtualSystemManagementService", code=TIMEOUT, seconds=10)),
        ask("the cluster service hangs", failing(whole, "MSCluster_Cluster", code=TIMEOUT, seconds=10)),
        ask("denied", failing(whole, "Msvm_VirtualSystemManagementService", "MSCluster_Cluster", code=DENIED)),
        ask("not one of the nodes", with_cim(whole, MSCluster_Node=nodes()[1:])),
        ask("no operating system", with_cim(whole, Win32_OperatingSystem=[])),
        ask("private properties hidden", with_cim(whole, MSCluster_Resource=[_hidden()])),
        ask("jobs", _jobs(whole)),
        ask("a job of nobody", with_cim(_jobs(whole), Msvm_AffectedJobElement=[])),
        *(ask(f"{name} fails", failing(whole, name)) for name in (*_CIM, *_COMMANDS)),
        ask("whose checkpoint a job is of is unread", failing(_jobs(whole), "Msvm_VirtualSystemSettingData")),
        ask("links of jobs fail", failing(_jobs(whole), "Msvm_AffectedJobElement")),
    ]


def _hidden() -> Step:
    return {**worlds.resource("Virtual Machine SQL07", "Virtual Machine", "SQL role"), "PrivateProperties": None}


def _jobs(step: Step) -> Step:
    """A merge of a checkpoint of a VM, a storage job of the other, a migration, one that is over."""

    def link(number: int, key: str, value: str) -> Step:
        return {"AffectingElement": {"InstanceID": f"J{number}"}, "AffectedElement": {key: value}}

    return with_cim(
        step,
        Msvm_ConcreteJob=[
            {"InstanceID": "J1", "JobType": 50, "JobState": 4},
            {"InstanceID": "J2", "JobType": 70, "JobState": 7},
            {"InstanceID": "J4", "JobType": 305, "JobState": 4},
        ],
        Msvm_StorageJob=[{"InstanceID": "J3", "JobType": 5, "JobState": 3}],
        Msvm_MigrationJob=[
            {"InstanceID": "J4", "JobType": 305, "JobState": 4, "VirtualSystemName": WEB.upper()},
            {"InstanceID": "J5", "JobType": 305, "JobState": 7, "VirtualSystemName": SQL.upper()},
            {"InstanceID": "J6", "JobType": 305, "JobState": 4, "VirtualSystemName": None},
        ],
        Msvm_AffectedJobElement=[
            link(1, "InstanceID", f"Microsoft:{SNAPSHOT.upper()}"),
            link(1, "Name", SQL.upper()),
            link(2, "Name", SQL.upper()),
        ],
        Msvm_AffectedStorageJobElement=[link(3, "Name", WEB.upper())],
    )


def _event(record: int, id: int, data: str, **changes: Any) -> Step:
    return {
        "RecordId": record,
        "Id": id,
        "Level": 2,
        "TimeCreated": worlds.at(f"2026-02-{1 + record % 28:02d}T00:00:00Z"),
        "ProviderName": "Microsoft-Windows-Hyper-V-Worker",
        "Message": "x",
        "Xml": f"<Event><System/><UserData><Log>{data}</Log></UserData></Event>",
        **changes,
    }


def _forks() -> list[Case]:
    of = f"<VmId>{SQL.upper()}</VmId>"
    log = [
        _event(5, 3216, of),
        _event(6, 18590, f"{of}<ErrorCode>0x80048102</ErrorCode>"),
        _event(7, 1, "<ErrorMessage>%%2147778749</ErrorMessage>"),
        _event(8, 1, f"{of}<SomeErrorCode>-2147188548</SomeErrorCode>"),
        _event(9, 1, f"{of}<ErrorCode>2147943406</ErrorCode>"),
        _event(10, 1, f"{of}<Size>2147943406</Size>"),
        _event(11, 1, f"{of}<ErrorCode>0x80070005</ErrorCode>"),
        _event(12, 3216, "<VmId>none</VmId>", Xml="<Event><Data>&#1;0x800480BC</Data></Event>"),
        _event(15, 3216, "<VmId>none</VmId>"),
        _event(14, 3216, "", Xml="<Event><Data>0x800480BC</Event>"),
        _event(13, 3216, f"{of}<ErrorCode>0x800703EE</ErrorCode><Other>0x80048102</Other>"),
    ]

    def ask(name: str, step: Step, **world: Any) -> Case:
        return Case(f"fork commit: {name}", "Get-HvTuiForkCommit", [step], world=world)

    commands = {VMMS: log, WORKER: [_event(1, 18500, of)]}
    first = [_event(number, 18500, of) for number in range(1, 7)]
    few = "& { $script:ForkRecords = 5; try { Get-HvTuiForkCommit } finally { $script:ForkRecords = 20000 } }"
    return [
        ask("signs", {"commands": commands}),
        ask("empty", {}),
        ask("one log fails", failing({"commands": commands}, WORKER)),
        ask("both logs fail", failing({"commands": commands}, VMMS, WORKER)),
        Case("fork commit: more than are looked through", script=few, steps=[{"commands": commands}]),
        Case(
            "fork commit: more than are looked through, from the first on",
            script=few,
            steps=[{"commands": {VMMS: first}}],
        ),
    ]
