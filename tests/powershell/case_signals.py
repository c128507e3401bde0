"""Cases of what findings ask for beside the streams: shadow copies, hotfixes, chains of disks."""

from __future__ import annotations

from typing import Any, Final

from tests.powershell import worlds
from tests.powershell.case_kit import Case, failing, machines, with_cim
from tests.powershell.worlds import SNAPSHOT, SQL, WEB

Step = dict[str, Any]
_FOLDER: Final = "C:\\ClusterStorage\\Volume1\\SQL\\"
_PROVIDER: Final = "B5946137-7B9F-4925-AF80-51ABD60B20D5"


def signal_cases() -> list[Case]:
    """All of them; fltmc runs in `inside/filters.ps1`."""
    return [*_shadows(), *_hotfixes(), *_chains()]


def _shadows() -> list[Case]:
    copies = [
        {
            "ID": f"{{{SQL.upper()}}}",
            "SetID": f"{{{WEB.upper()}}}",
            "VolumeName": "\\\\?\\Volume{aa}\\",
            "InstallDate": worlds.at("2026-02-28T22:00:00Z"),
            "ProviderID": f"{{{_PROVIDER}}}",
            "Persistent": False,
            "ClientAccessible": True,
        },
        {"ID": "none", "SetID": None, "VolumeName": 'D:\\"x"', "InstallDate": None, "Persistent": True},
    ]

    def ask(name: str, step: Step) -> Case:
        return Case(f"shadows: {name}", "Get-HvTuiShadow", [step])

    return [
        ask("two", {"cim": {"Win32_ShadowCopy": copies}}),
        ask("none", {}),
        ask("fail", failing({}, "Win32_ShadowCopy")),
    ]


def _hotfixes() -> list[Case]:
    listed = [
        {"HotFixID": "KB5066136", "InstalledOn": "10/18/2025"},
        {"HotFixID": "KB1", "InstalledOn": ""},
        {"HotFixID": "KB2", "InstalledOn": None},
        {"HotFixID": "KB3", "InstalledOn": worlds.at("2025-11-15T12:00:00Z")},
        {"HotFixID": None, "InstalledOn": '13.05.2024 "x"'},
    ]

    def ask(name: str, step: Step) -> Case:
        return Case(f"hotfixes: {name}", "Get-HvTuiHotfix", [step])

    return [
        ask("in every form", {"cim": {"Win32_QuickFixEngineering": listed}}),
        ask("none", {}),
        ask("fail", failing({}, "Win32_QuickFixEngineering")),
    ]


def _file(name: str, parent: str = "", size: int = 4_194_304, **more: Any) -> Step:
    return {"Path": name, "ParentPath": parent, "FileSize": size, "VhdType": 4 if parent else 3, **more}


def _chains() -> list[Case]:
    os, data, base = (_FOLDER + name for name in ("os_1.avhdx", "data.vhdx", "os.vhdx"))
    step = {
        "cim": {
            "Msvm_ComputerSystem": machines(worlds.machine(SQL, "SQL07"), worlds.machine(WEB, "web")),
            "Msvm_VirtualSystemSettingData": [
                worlds.setting(SQL, Parent=None),
                worlds.setting(SQL, SNAPSHOT, VirtualSystemType="Microsoft:Hyper-V:Snapshot:Recovery", Parent=None),
            ],
            "Msvm_StorageAllocationSettingData": [
                worlds.disk(SQL, os),
                worlds.disk(SQL, data),
                worlds.disk(SQL, "C:\\iso\\setup.iso", "Virtual CD/DVD Disk"),
                worlds.disk(SQL, "A:", "Virtual Floppy Disk"),
                worlds.disk(SNAPSHOT, base.upper()),
                worlds.disk(WEB, _FOLDER + "web.vhdx"),
                {"InstanceID": None, "HostResource": ["x"]},
                {"InstanceID": f"Microsoft:{SQL.upper()}\\P", "HostResource": None},
                {"InstanceID": f"Microsoft:{SQL.upper()}\\P", "HostResource": [""]},
            ],
        },
        "commands": {"Get-VHD": [_file(os, base), _file(base, size=1 << 40), _file(data)]},
    }

    def ask(name: str, step: Step, id: str = SQL.upper()) -> Case:
        return Case(f"chain: {name}", "Get-HvTuiChain", [step], {"VMId": id})

    def files(*listed: Step) -> Step:
        return {**step, "commands": {"Get-VHD": list(listed)}}

    def disk(*paths: str) -> Step:
        return with_cim(step, Msvm_StorageAllocationSettingData=[worlds.disk(SQL, path) for path in paths])

    long = disk(*(f"C:\\{n}.vhdx" for n in (1, 5)))
    long["commands"] = {"Get-VHD": [_file(f"C:\\{n}.vhdx", f"C:\\{n + 1}.vhdx") for n in range(1, 90)]}
    plain = [worlds.setting(SQL, Parent=None)]
    return [
        ask("a checkpoint below", step),
        ask("no checkpoint", with_cim(step, Msvm_VirtualSystemSettingData=plain)),
        ask("no disk", with_cim(step, Msvm_StorageAllocationSettingData=[])),
        ask("no type", files({"Path": os, "ParentPath": None, "FileSize": None}, _file(data))),
        ask("a parent that is gone", files(_file(os, base), _file(data))),
        ask("no file", files()),
        ask("longer than any", long),
        ask("no such VM", step, SNAPSHOT),
        ask("shown nothing", with_cim(step, Msvm_ComputerSystem=[])),
        ask("VMs fail", failing(step, "Msvm_ComputerSystem")),
        ask("settings fail", failing(step, "Msvm_VirtualSystemSettingData")),
        ask("disks fail", failing(step, "Msvm_StorageAllocationSettingData")),
        ask("files fail", failing(step, "Get-VHD")),
        ask("settings and files fail", failing(step, "Msvm_VirtualSystemSettingData", "Get-VHD")),
    ]
