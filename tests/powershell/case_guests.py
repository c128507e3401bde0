"""Cases of Get-HvTuiGuest and Get-HvTuiGuestFile: guests that answer, refuse, are silent, or are not even tried."""

from __future__ import annotations

import copy
from typing import Any, Final

from tests.powershell import worlds
from tests.powershell.case_kit import DENIED, NEW, TIMEOUT, Case, failing, machines
from tests.powershell.worlds import HOSTILE, SQL, WEB

Step = dict[str, Any]
THIRD: Final = "1111aaaa-0000-4000-8000-000000000004"
_VOLUME: Final = "\\\\?\\Volume{0a0b0c0d-0000-4000-8000-000000000001}\\"
_DATA: Final = "\\\\?\\Volume{0a0b0c0d-0000-4000-8000-000000000002}\\"
_ACCOUNT: Final = "CORP\\svc-guests"
_SECRET: Final = "$credential = [pscredential]::new('x', (ConvertTo-SecureString 'secret' -AsPlainText -Force))"
_HANGS: Final = f"""{_SECRET}
$script:GuestWriterSeconds = 0
Get-HvTuiGuest -VM '{SQL}' -Credential $credential
$script:GuestWriterSeconds = 60
"""
"""No time passes for what measures it by a clock of its own: it is given none."""
_LATE: Final = f"""{_SECRET}
$guest = Open-HvTuiGuest -Id '{SQL}' -Credential $credential -Block $script:GuestFileBlock -Value 'T:', 3, -1
"$(Test-HvTuiGuestEnd -Guest $guest -Seconds 9)"
foreach ($one in $guest.Output) {{ "$($one.Kind) $($one.Late) $($one.Unread)" }}
"""
_ALL: Final = ("Win32_OperatingSystem", "Win32_Volume", "Win32_Service", "Win32_ShadowStorage")


def _guest(vm: str, **changes: Any) -> Step:
    return {
        "VMId": vm,
        "reason": "",
        "told": "",
        "after": 0,
        "vssadmin": "Writer name: 'System Writer'\r\n",
        "exit": 0,
        "start": "",
        "hangs": False,
        "folder": 0,
        "folders": {},
        **changes,
    }


def inside(*guests: Step, **cim: Any) -> Step:
    """A node with three VMs that run, and what their guests tell: all the same."""
    settings = [worlds.setting(vm) for vm in (SQL, WEB, THIRD)]
    return {
        "cim": {
            "Msvm_ComputerSystem": machines(*(worlds.machine(vm, "x") for vm in (SQL, WEB, THIRD))),
            "Msvm_VirtualSystemSettingData": settings,
            "Win32_OperatingSystem": [{"Caption": "Microsoft Windows Server 2016 Standard"}],
            "Win32_Volume": [
                _volume(_VOLUME, _VOLUME, Label="System Reserved", Capacity=575668224, FreeSpace=536870912),
                _volume(_DATA, "C:\\"),
                _volume("\\\\?\\Volume{x}\\", "C:\\Mounts\\Data\\", Label=None, FileSystem="ReFS", FreeSpace=0),
                _volume("\\\\?\\Volume{y}\\", HOSTILE[5], Label=HOSTILE[1], FileSystem=None, Capacity=None),
            ],
            "Win32_Service": [
                {"Name": "VSS", "State": "Stopped", "StartMode": "Manual"},
                {"Name": "swprv", "State": None, "StartMode": None},
                {"Name": "vmicvss", "State": "Running", "StartMode": "Auto"},
            ],
            "Win32_ShadowStorage": [
                _storage(_DATA, _DATA, MaxSpace=13636521164),
                _storage(_VOLUME, "\\\\?\\Volume{gone}\\", MaxSpace=18446744073709551615),
            ],
            **cim,
        },
        "commands": {"Invoke-Command": list(guests)},
    }


def _volume(device: str, name: str, **changes: Any) -> Step:
    return {
        "DeviceID": device,
        "Name": name,
        "Label": "",
        "FileSystem": "NTFS",
        "Capacity": 136365211648,
        "FreeSpace": 33285996544,
        **changes,
    }


def _storage(volume: str, store: str, **changes: Any) -> Step:
    return {
        "Volume": {"DeviceID": volume},
        "DiffVolume": {"DeviceID": store},
        "UsedSpace": 268435456,
        "AllocatedSpace": 536870912,
        **changes,
    }


def _ask(name: str, step: Step, *vms: str, **parameters: Any) -> Case:
    values = {"VM": ",".join(vms or (SQL, WEB, THIRD)), "Credential": _ACCOUNT, **parameters}
    return Case(f"guests: {name}", "Get-HvTuiGuest", [step], values)


def _without(step: Step, *names: str) -> Step:
    changed = copy.deepcopy(step)
    for name in names:
        changed["cim"][name] = []
    return changed


def guest_cases() -> list[Case]:
    """Looks into guests."""
    quick, late = _guest(SQL), _guest(SQL, after=4)
    three = (_guest(SQL, after=0.2), _guest(WEB, after=5), _guest(THIRD, after=1))
    states = machines(*(worlds.machine(SQL, "x", EnabledState=state) for state in (2,)))
    odd = inside(quick)
    odd["cim"]["Msvm_ComputerSystem"] = machines(
        worlds.machine(SQL, "off", EnabledState=3),
        worlds.machine(WEB, "old"),
        worlds.machine(THIRD, "unread"),
        worlds.machine(NEW, "nothing", EnabledState=None),
    )
    odd["cim"]["Msvm_VirtualSystemSettingData"] = [
        worlds.setting(SQL),
        worlds.setting(WEB, Version="5.0"),
        worlds.setting(THIRD, Version=None),
        worlds.setting(NEW[:-1] + "9"),
    ]
    edge = inside(quick)
    edge["cim"]["Msvm_VirtualSystemSettingData"] = [worlds.setting(SQL, Version="6.2")]
    edge["cim"]["Msvm_ComputerSystem"] = states
    return [
        _ask("one alone, then all", inside(*three), Parallel=2),
        _ask("one twice", inside(quick), SQL, SQL.upper(), Parallel=1),
        _ask("the oldest that can", edge, SQL),
        _ask("not tried", odd, SQL, WEB, THIRD, NEW, NEW[:-1] + "7"),
        _ask("denied at once", inside(_guest(SQL, reason="denied"), *three[1:])),
        _ask("denied, told by a record", inside(_guest(SQL, reason="denied", told="record"), *three[1:])),
        _ask("denied later", inside(quick, _guest(WEB, reason="denied"), _guest(THIRD)), Parallel=1),
        _ask("denied beside others", inside(quick, _guest(WEB, reason="denied"), _guest(THIRD, after=2))),
        _ask("nobody listens", inside(_guest(SQL, reason="socket"), _guest(WEB, reason="lost"), _guest(THIRD))),
        _ask("stopped meanwhile", inside(_guest(SQL, reason="state"), _guest(WEB), _guest(THIRD)), SQL, WEB),
        _ask("cannot be asked", failing(inside(quick), "Invoke-Command"), SQL),
        _ask("never answers", inside(_guest(SQL, after=900), _guest(WEB)), SQL, WEB),
        _ask("slow", inside(late), SQL),
        _ask("tells nothing", failing(inside(quick), *_ALL, code=DENIED), SQL),
        _ask("answers too late", failing(inside(quick), *_ALL[1:2], code=TIMEOUT), SQL),
        _ask("lacks a class", failing(inside(quick), *_ALL[3:], code=0x80041010), SQL),
        _ask("is ending", failing(inside(quick), *_ALL[2:3], code=0x800706BA), SQL),
        _ask("fails", failing(inside(quick), *_ALL[:1], code=0x80041001), SQL),
        _ask("has nothing", _without(inside(quick), *_ALL), SQL),
        _ask("writers in another page", inside(_guest(SQL, vssadmin="État : [5] ’ Übrig\r\n")), SQL),
        _ask("writers refused", inside(_guest(SQL, exit=2)), SQL),
        Case("guests: writers hang", script=_HANGS, steps=[inside(_guest(SQL, hangs=True))]),
        _ask("no vssadmin", inside(_guest(SQL, start="fail")), SQL),
        _ask("vms unread", failing(inside(quick), "Msvm_ComputerSystem", code=0x800706BA), SQL, WEB),
        _ask("settings unread", failing(inside(quick), "Msvm_VirtualSystemSettingData"), SQL),
        _ask("shown nothing", inside(quick, Msvm_ComputerSystem=[]), SQL),
        *_file_cases(),
    ]


def _files(name: str, step: Step, **parameters: Any) -> Case:
    values = {"VMId": SQL.upper(), "Credential": _ACCOUNT, "Volume": "T:", **parameters}
    return Case(f"guest files: {name}", "Get-HvTuiGuestFile", [step], values)


def _file_cases() -> list[Case]:
    tree = {
        # Name to bytes; -1 is a folder, -2 one that leads elsewhere.
        "T:\\": [["pagefile.sys", 5], ["Dumps", -1], ["Junction", -2], ["Locked", -1], [HOSTILE[1], 4000]],
        "T:\\Dumps": [[f"dump{number:02}.bak", 1000 * number] for number in range(1, 20)] + [["same.bak", 19000]],
        "T:\\Junction": [["elsewhere", 99999999]],
    }
    # More files than are kept at a time, the largest of them neither first nor last, and alike.
    between = [["0small", 1], ["c.bak", 900], ["b.bak", 900], ["a.bak", 900], *([f"0{one}", 2] for one in range(8))]
    whole = inside(_guest(SQL, folders=tree))
    slow = inside(_guest(SQL, folders=tree, after=3))
    return [
        _files("largest first", whole, Count=3),
        _files("largest in between", inside(_guest(SQL, folders={"T:\\": between})), Count=2),
        _files("all", slow),
        Case("guest files: too late", script=_LATE, steps=[whole]),
        _files("no volume", inside(_guest(SQL))),
        _files("empty volume", inside(_guest(SQL, folders={"T:\\": []}))),
        _files("denied", inside(_guest(SQL, reason="denied"))),
        _files("nobody listens", inside(_guest(SQL, reason="socket"))),
        _files("never answers", inside(_guest(SQL, after=900)), Seconds=5),
        _files("not here", inside(_guest(SQL)), VMId=NEW),
        _files("vms unread", failing(inside(_guest(SQL)), "Msvm_ComputerSystem")),
        _files("cannot be asked", failing(inside(_guest(SQL)), "Invoke-Command")),
    ]
