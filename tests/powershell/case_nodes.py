"""Cases of Watch-HvTuiNode."""

from __future__ import annotations

import copy
from typing import Any

from tests.powershell import worlds
from tests.powershell.case_kit import NEW, TIMEOUT, Case, failing, machines, node, with_cim
from tests.powershell.worlds import SQL, WEB


def node_cases() -> list[Case]:
    """Watch-HvTuiNode."""
    world = worlds.node()
    sql, web = world["cim"]["Msvm_ComputerSystem"][1:]
    odd = worlds.machine(
        NEW,
        "odd",
        EnabledState=None,
        HealthState=None,
        OperationalStatus=None,
        OnTimeInMilliseconds=5000,
        LastSuccessfulBackupTime=None,
        ReplicationMode=None,
    )
    paused = worlds.machine(SQL, "SQL07", EnabledState=9, OnTimeInMilliseconds=1000, OperationalStatus=[11, 32776])
    saved = worlds.machine(SQL, "SQL07", EnabledState=6)
    suspended = worlds.machine(SQL, "SQL07", EnabledState=32769)
    odd_settings = [
        worlds.setting(SQL, Version=None, UserSnapshotType=None, SwapFileDataRoot=None),
        worlds.setting(WEB),
        worlds.setting("short"),
        {**worlds.setting(WEB), "VirtualSystemIdentifier": None},
        {"InstanceID": None, "VirtualSystemIdentifier": NEW, "VirtualSystemType": "Microsoft:Hyper-V:System:Realized"},
        worlds.setting(NEW, worlds.SNAPSHOT, VirtualSystemType="Microsoft:Hyper-V:System:Definition"),
        *(
            worlds.setting(
                WEB,
                worlds.SNAPSHOT[:-2] + f"{number:02d}",
                VirtualSystemType=f"Microsoft:Hyper-V:Snapshot:{kind}",
                CreationTime=made,
                IsSaved=number % 2 == 0,
            )
            for number, (kind, made) in enumerate(
                [
                    ("Realized", worlds.at("2026-01-03T00:00:00Z")),
                    ("Recovery", worlds.at("2026-01-02T00:00:00Z")),
                    ("Planned", None),
                    ("Missing", worlds.at("2026-01-02T00:00:00Z")),
                    ("Replica:Standard", worlds.at("2026-01-02T00:00:00Z")),
                    ("Replica:ApplicationConsistent", worlds.at("2026-01-02T00:00:00Z")),
                    ("Replica:PlannedFailover", worlds.at("2026-01-02T00:00:00Z")),
                    ("NeverHeardOf", worlds.at("2026-01-02T00:00:00Z")),
                    ("Realized", worlds.at("2026-01-01T00:00:00Z")),
                    ("Recovery", worlds.at("2026-01-05T00:00:00Z")),
                    ("Recovery", worlds.at("2026-01-06T00:00:00Z")),
                    ("Recovery", None),
                ]
            )
        ),
    ]
    odd_disks = [
        worlds.disk(SQL, "C:\\a.vhdx"),
        worlds.disk(SQL, "C:\\A.vhdx"),
        worlds.disk(SQL, "C:\\cd.iso", "Virtual CD/DVD Disk"),
        worlds.disk(SQL, "C:\\f.vfd", "Virtual Floppy Disk"),
        {"InstanceID": None, "ResourceSubType": "x", "HostResource": ["C:\\none.vhdx"]},
        {"InstanceID": "Microsoft:short", "ResourceSubType": "x", "HostResource": ["C:\\short.vhdx"]},
        {"InstanceID": f"Microsoft:{WEB}\\x", "ResourceSubType": "x", "HostResource": ["", None, "C:\\b.vhdx"]},
        {"InstanceID": f"Microsoft:{NEW}", "ResourceSubType": "x", "HostResource": ["C:\\exact.vhdx"]},
    ]
    odd_drives = [
        {"InstanceID": "no guid", "HostResource": ["x"]},
        {"InstanceID": f"Microsoft:{NEW}\\x", "HostResource": [None, "", "plain", 'y.DeviceID="unknown"']},
        {"InstanceID": f"Microsoft:{WEB}\\x", "HostResource": ['z.DeviceID="Microsoft:353B\\\\3",SystemName="HV01"']},
    ]
    drives = [{"DeviceID": None, "ElementName": "nameless"}, *world["cim"]["Msvm_DiskDrive"]]
    strange = with_cim(
        world,
        Msvm_ComputerSystem=[
            *machines(sql, web, odd, sql),
            {"Name": None, "ElementName": "x"},
            {"Name": "x" * 35, "ElementName": "y"},
        ],
        Msvm_VirtualSystemSettingData=odd_settings,
        Msvm_StorageAllocationSettingData=odd_disks,
        Msvm_ResourceAllocationSettingData=odd_drives,
        Msvm_DiskDrive=drives,
        Msvm_SummaryInformation=[
            worlds.summary(SQL, 12, None, Heartbeat=None),
            worlds.summary(WEB, None, 7, EnabledState=6, Heartbeat=None),
            worlds.summary(NEW, 3, 9, EnabledState=32769),
            {"Name": "", "EnabledState": 2},
        ],
        Msvm_VssComponent=[
            {"SystemName": SQL, "OperationalStatus": [13, 32775]},
            {"SystemName": WEB, "OperationalStatus": []},
            {"SystemName": NEW, "OperationalStatus": [None]},
            {"SystemName": "none", "OperationalStatus": [2]},
        ],
        Msvm_VssComponentSettingData=[
            {"InstanceID": f"Microsoft:{SQL}\\x", "EnabledState": None},
            {"InstanceID": f"Microsoft:{WEB}\\x", "EnabledState": 2},
            {"InstanceID": "none", "EnabledState": 2},
        ],
    )
    bare = {
        "cim": {
            "Msvm_ComputerSystem": machines(),
            "Win32_OperatingSystem": [{"Version": "10.0.14393", "TotalVisibleMemorySize": 1024}],
            "Win32_Service": [{"Name": "vmms", "State": "Stopped", "ProcessId": 0}],
            "Win32_PerfFormattedData_HvStats_HyperVHypervisorLogicalProcessor": [{"PercentTotalRunTime": None}],
        }
    }
    sizeless = with_cim(bare, Win32_OperatingSystem=[{"LastBootUpTime": worlds.at("1601-01-01T00:00:00Z")}])
    cases = [
        node("node: one full picture", world),
        node("node: what Windows may leave out", strange, {"cim": {}}),
        node(
            "node: VSS has no state",
            with_cim(world, Msvm_VssComponent=[{"SystemName": SQL, "OperationalStatus": [None]}]),
        ),
        node(
            "node: a folder changes between two readings of the disks",
            world,
            *[with_cim({}, Msvm_VirtualSystemSettingData=[worlds.setting(SQL, ConfigurationDataRoot="D:\\new")])] * 4,
        ),
        node("node: without VMs and without sizes", bare, sizeless, LoadSeconds=1),
        node(
            "node: free memory is not told",
            with_cim(
                world,
                Win32_OperatingSystem=[{**world["cim"]["Win32_OperatingSystem"][0], "FreePhysicalMemory": None}],
            ),
        ),
        node(
            "node: states and starts",
            world,
            with_cim({}, Msvm_ComputerSystem=machines(paused, web)),
            with_cim({}, Msvm_ComputerSystem=machines(saved, web)),
            with_cim({}, Msvm_ComputerSystem=machines(suspended, web)),
            with_cim({}, Msvm_ComputerSystem=machines({**sql, "OnTimeInMilliseconds": 1000}, web)),
            with_cim({}, Msvm_ComputerSystem=machines({**sql, "OnTimeInMilliseconds": 8001}, web)),
            with_cim({}, Msvm_ComputerSystem=machines({**sql, "OnTimeInMilliseconds": 8000}, web)),
            with_cim({}, Msvm_ComputerSystem=machines({**sql, "OnTimeInMilliseconds": 0}, web)),
            with_cim({}, Msvm_ComputerSystem=machines({**sql, "EnabledState": 3}, web)),
        ),
        node(
            "node: VMs come, change and go",
            world,
            with_cim(
                {},
                Msvm_ComputerSystem=machines(
                    {**sql, "LastSuccessfulBackupTime": worlds.at("2026-03-01T00:00:00Z")},
                    worlds.machine(NEW, "new"),
                ),
                Msvm_VirtualSystemSettingData=[worlds.setting(SQL), worlds.setting(NEW, UserSnapshotType=5)],
                Msvm_StorageAllocationSettingData=[worlds.disk(NEW, "C:\\ClusterStorage\\Volume2\\new.vhdx")],
            ),
            with_cim({}, Msvm_ComputerSystem=machines(sql, web)),
            with_cim({}, Msvm_ComputerSystem=machines(sql)),
            with_cim({}, Msvm_ComputerSystem=machines(web, sql)),
            {"cim": {}},
            LoadSeconds=1,
        ),
        node("node: nothing is shown", {"cim": {}}, world, {"cim": {}}),
        node("node: beats and cadences", world, count=40, SlowSeconds=10, LoadSeconds=3, IntervalMs=1000),
        *_loads(world),
        *_jobs(world),
    ]
    for name in [*world["cim"], "Msvm_ConcreteJob", "Msvm_StorageJob", "Msvm_MigrationJob"]:
        cases.append(node(f"node: {name} fails", failing(world, name), {"cim": {}, "fail": {}}, {"cim": {}}))
    for name in ("Msvm_ComputerSystem", "Msvm_ConcreteJob", "Win32_Service"):
        hang = failing({"cim": {}}, name, code=TIMEOUT, seconds=10)
        cases.append(node(f"node: {name} hangs", world, hang, hang, {"cim": {}}, count=9))
    cases.append(node("node: the start of VMMS is not told", _start(world, -1), count=9))
    cases.append(node("node: one checkpoint, no disk", _plain(world)))
    cases.append(node("node: all fails", failing({}, *world["cim"], "Msvm_ConcreteJob"), failing({}, *world["cim"])))
    first = failing(world, "Msvm_ComputerSystem", "Win32_Service", code=TIMEOUT, seconds=10)
    cases.append(node("node: all hangs from the first round", first, first, world))
    slow = {**copy.deepcopy(world), "slow": {"Msvm_ComputerSystem": 1.5, "Msvm_SummaryInformation": 4}}
    cases.append(node("node: slow answers", slow, slow, {"cim": {}, "slow": {"Msvm_ComputerSystem": 0.1}}, count=30))
    heavy = {"Msvm_ComputerSystem": 4}
    cases.append(node("node: heavy rounds", {**copy.deepcopy(world), "slow": heavy}, {"cim": {}, "slow": heavy}))
    mixed = {
        **copy.deepcopy(world),
        "slow": {"Msvm_StorageAllocationSettingData": 0.2, "Msvm_VssComponent": 0.4, "Msvm_DiskDrive": 0.1},
    }
    cases.append(node("node: slow questions take turns", mixed, count=60, SlowSeconds=5))
    names = [f"1111aaaa-0000-4000-8000-{n:012d}" for n in range(len(worlds.HOSTILE))]
    rows = list(zip(names, worlds.HOSTILE, strict=True))
    hostile = with_cim(
        world,
        Msvm_ComputerSystem=machines(*(worlds.machine(vm, name) for vm, name in rows)),
        Msvm_VirtualSystemSettingData=[worlds.setting(vm, ConfigurationDataRoot=name) for vm, name in rows],
        Msvm_StorageAllocationSettingData=[worlds.disk(vm, name) for vm, name in rows],
    )
    cases.append(node("node: hostile names", hostile))
    return cases


def _start(world: dict[str, Any], process: int) -> dict[str, Any]:
    """VMMS as this process; one below zero does not tell its start in the first rounds."""
    return with_cim(world, Win32_Service=[{"Name": "vmms", "State": "Running", "ProcessId": process}])


def _plain(world: dict[str, Any]) -> dict[str, Any]:
    one = worlds.setting(SQL, worlds.SNAPSHOT, VirtualSystemType="Microsoft:Hyper-V:Snapshot:Recovery")
    return with_cim(
        world,
        Msvm_VirtualSystemSettingData=[worlds.setting(SQL), one],
        Msvm_StorageAllocationSettingData=[],
        Msvm_ResourceAllocationSettingData=[],
    )


def _loads(world: dict[str, Any]) -> list[Case]:
    percent = "Win32_PerfFormattedData_HvStats_HyperVHypervisorLogicalProcessor"

    def step(cpu: int, memory: int, host: int, free: int = 134_217_728) -> dict[str, Any]:
        system = {**world["cim"]["Win32_OperatingSystem"][0], "FreePhysicalMemory": free}
        return {
            "cim": {
                "Msvm_SummaryInformation": [worlds.summary(SQL, cpu, memory)],
                percent: [{"Name": "_Total", "PercentTotalRunTime": host}],
                "Win32_OperatingSystem": [system],
            }
        }

    steps = [
        step(16, 4170, 35),
        step(17, 4096, 31),
        step(17, 4178, 36),
        step(12, 4178, 36),
        step(12, 4262, 36),
        step(12, 4261, 36),
        step(12, 4000, 31),
        step(12, 4000, 31, 131_000_000),
        step(12, 4000, 31, 131_533_373),
        step(12, 4000, 31, 140_000_000),
        # Just short of 2 percent: VM and host.
        step(12, 4079, 31, 140_000_000),
        step(12, 4079, 31, 142_539_520),
    ]
    return [
        node("node: load moves", world, *steps, LoadSeconds=1),
        node("node: load of the host alone is missing", with_cim(world, **{percent: []}), *steps[:3], LoadSeconds=1),
    ]


def _jobs(world: dict[str, Any]) -> list[Case]:
    def link(number: int | str, **element: Any) -> dict[str, Any]:
        name = worlds.job(number)["InstanceID"] if isinstance(number, int) else number
        return {"AffectingElement": {"InstanceID": name}, "AffectedElement": element}

    jobs = {
        "Msvm_ConcreteJob": [
            worlds.job(1),
            worlds.job(2, JobType=72, PercentComplete=None),
            worlds.job(3, JobState=7, StartTime=None, TimeSubmitted=worlds.at("2026-02-28T23:00:00Z"), ErrorCode=32768),
            worlds.job(6, StartTime=worlds.at("1601-01-01T00:00:00Z"), TimeSubmitted=worlds.at("2026-02-28T22:00:00Z")),
            worlds.job(1, PercentComplete=11),
        ],
        "Msvm_StorageJob": [worlds.job(4, JobType=50)],
        "Msvm_MigrationJob": [
            worlds.job(5, JobType=305, VirtualSystemName=SQL.upper(), DestinationHost="HV02", PercentComplete=61),
            worlds.job(7, JobType=305, VirtualSystemName=None, DestinationHost=None),
        ],
        "Msvm_AffectedJobElement": [
            link(1, Name="no guid", InstanceID="none"),
            link(1, Name=SQL.upper()),
            link(1, Name=SQL.upper()),
            link(2, InstanceID=f"Microsoft:{worlds.SNAPSHOT}"),
            link(3, Name=NEW),
            link("", Name=SQL),
            {"AffectingElement": None, "AffectedElement": None},
        ],
        "Msvm_AffectedStorageJobElement": [link(4, Name=WEB.upper())],
    }
    running = with_cim(world, **jobs)
    moved = {"cim": {"Msvm_ConcreteJob": [worlds.job(2, JobState=7), worlds.job(9)]}}
    unlinked = failing(running, "Msvm_AffectedStorageJobElement")
    orphan = failing(running, "Msvm_VirtualSystemSettingData")
    return [
        node("node: jobs", running, {"cim": {}}, moved, {"cim": {}}, {"cim": {}}, {"cim": {}}),
        node("node: jobs without links", unlinked, {"cim": {}}, {"cim": {}}, moved),
        node("node: jobs without settings", orphan, {"cim": {}}),
    ]
