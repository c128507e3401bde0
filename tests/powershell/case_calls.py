"""Cases of the functions that answer once."""

from __future__ import annotations

import copy
from typing import Any

from tests.powershell import worlds
from tests.powershell.case_kit import TIMEOUT, VMMS, Case, failing
from tests.powershell.worlds import SQL


def call_cases() -> list[Case]:
    """The functions that answer once, but for events and writers."""
    rights = {
        "cim": {
            "Msvm_VirtualSystemManagementService": [{"Name": "vmms"}],
            "MSCluster_Cluster": [{"Name": "CLU-TEST"}],
        },
        "commands": {
            "Get-Service": [
                {"Name": "vmms", "Status": "Running"},
                {"Name": "ClusSvc", "Status": "StartPending"},
                {"Name": "VSS", "Status": "StopPending"},
            ],
            "Get-Cluster": worlds.cluster()["commands"]["Get-Cluster"],
        },
    }
    pending = copy.deepcopy(rights)
    pending["commands"]["Get-Service"] = [
        {"Name": "vmms", "Status": "ContinuePending"},
        {"Name": "VSS", "Status": "PausePending"},
    ]
    provider = [
        {"ID": "{B5946137-7B9F-4925-AF80-51ABD60B20D5}", "Name": 'Microsoft "1.0"', "Type": 1, "Version": "1.0.0.7"},
        {"ID": "none", "Name": None, "Type": None, "Version": None},
    ]
    asked = "Get-HvTuiInfo"
    return [
        Case("info: all", asked, [rights], world={"modules": True}),
        Case("info: basic", asked, [rights], {"Part": "Basic"}),
        Case("info: no processor time", asked, [rights], {"Part": "Basic"}, world={"cpu": None}),
        Case("info: pending services", asked, [pending], {"Part": "Basic"}, world={"elevated": False}),
        Case("info: services fail", asked, [failing(rights, "Get-Service")], {"Part": "Basic"}),
        Case("info: cluster fails", asked, [failing(rights, "Get-Cluster", "MSCluster_Cluster", code=0x800706BA)]),
        Case("info: cluster hangs", asked, [failing(rights, "MSCluster_Cluster", code=TIMEOUT)]),
        Case("info: rights denied", asked, [failing(rights, "Msvm_VirtualSystemManagementService", VMMS)]),
        Case("info: shown nothing", asked, [{"cim": {}}], world={"modules": "fail", "elevated": "fail"}),
        *(
            Case(f"info: build {build}", asked, [{}], {"Part": "Basic"}, world={"build": build})
            for build in ("9600", "10239", "10240", "14392", "14393", "0", "none")
        ),
        Case("providers", "Get-HvTuiProvider", [{"cim": {"Win32_ShadowProvider": provider}}]),
        Case("providers: none", "Get-HvTuiProvider", [{}]),
        Case("providers: fail", "Get-HvTuiProvider", [failing({}, "Win32_ShadowProvider")]),
    ]


def _event(record: int, **changes: Any) -> dict[str, Any]:
    return {
        "RecordId": record,
        "Id": 10102,
        "Level": 2,
        "TimeCreated": worlds.at(f"2026-02-28T{record // 60:02d}:{record % 60:02d}:00Z"),
        "ProviderName": "Microsoft-Windows-Hyper-V-VMMS",
        "Message": f"event {record}",
        "Xml": "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System/></Event>",
        **changes,
    }


def event_cases() -> list[Case]:
    """Get-HvTuiEvent."""
    log = [_event(n) for n in range(1380, 1440, 10)]
    user = (
        "<Event><System/><UserData><Log xmlns='http://www.microsoft.com/x'><VmName>SQL [prod] &amp; co</VmName>"
        f"<VmId>{SQL.upper()}</VmId>text<ErrorMessage>%%2147943568 %%0 %%4294967296</ErrorMessage>"
        "<ErrorCode>0x800423F4</ErrorCode><MyErrorCode>-2147024891</MyErrorCode><AnErrorCode>5</AnErrorCode>"
        "<ErrorCode2>7</ErrorCode2><OtherErrorCode>0</OtherErrorCode><OneErrorCode>1</OneErrorCode>"
        "<BigErrorCode>4294967296</BigErrorCode><LastErrorCode>-1</LastErrorCode>%%1"
        "<Again>0x800423f4</Again><Long>0x800423F4F</Long></Log></UserData></Event>"
    )
    odd = (
        "<Event><System/><UserData/><EventData><Data>0x80070005</Data><Data Name='VmId'>none</Data></EventData></Event>"
    )
    data = (
        "<Event><System/><EventData><!-- c --><Data>0x80070005, denied</Data><Data Name='Operation'>Gathering</Data>"
        "<Data>x</Data><Binary>2D20</Binary></EventData></Event>"
    )
    written = "- Code: WRTWRTIC00000729- CMD:  C:\\svchost.exe    - User: Name: CORP\\svc-x, SID:S-1-5-21-1-2-3-1104  "
    digits = written.encode().hex().upper()
    binaries = (
        digits, digits.lower(), digits + "0D", f" {digits}", f"{digits}\n", digits[:-1], digits[2:], "2D20436F64653A20",
        # An account that is not ASCII ends it early.
        "2D20436F64653A20434F5C" + "D0A1" * 3 + "2C20", "2D20436F64653A20" + "41" * 2100, "2D20436F64653A207E7F41",
    )  # fmt: skip
    many = "".join(f"<Data Name='n{n}'>a{'x' * (1989 + n)}</Data>" for n in range(70))
    codes = "".join(f"<Data>0x800700{n:02x}</Data>" for n in range(20))
    strange = [
        _event(1430, Xml=user, Message="failed\r\nto create"),
        _event(1431, Xml=odd),
        _event(1432, Xml=data),
        _event(1433, Xml="<Event><EventData><Data>&#1;</Data></Event>", Message=None, Level=None),
        _event(1434, Xml=f"<Event><EventData>{many}</EventData></Event>", Message="y" * 4001),
        _event(1435, Xml=f"<Event><EventData>{codes}</EventData></Event>", Message="y" * 4000),
        _event(
            1436, Xml='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x><EventData><D>&e;</D></EventData></x>'
        ),
        *(
            _event(1437 + n, Xml=f"<Event><EventData><Data><![CDATA[{name}]]></Data></EventData></Event>", Message=name)
            for n, name in enumerate(("$(x) `n {0} %%5", "漢字 [a]*? ' OR 1=1"))
        ),
    ]
    providers = [
        "VSS",
        "Microsoft-Windows-CAPI2",
        "MSSQL$PROD",
        "Microsoft-Windows-FailoverClustering",
        "volsnap",
        "Volsnap",
    ]
    mixed = [_event(1430 + n, ProviderName=name) for n, name in enumerate(providers)]

    def page(name: str, events: Any, channel: str = VMMS, **parameters: Any) -> Case:
        return Case(
            f"events: {name}", "Get-HvTuiEvent", [{"commands": {channel: events}}], {"Channel": channel, **parameters}
        )

    missing = {"fail": worlds.fail(VMMS, "no log", error_id="NoMatchingLogsFound,Microsoft.PowerShell.Commands.x")}
    return [
        page("by time", log),
        page("by hours", log, Hours=1),
        page("first page", log, MaxEvents=2),
        page("next page", log, AfterRecord=1400, MaxEvents=3),
        page("exactly a page", log, AfterRecord=1390, MaxEvents=4),
        page("at the end", log, AfterRecord=1430),
        page("dropped", log, AfterRecord=1378),
        page("not dropped", log, AfterRecord=1379),
        page("from the first record", [_event(1), _event(2)], Hours=168),
        page("the first record is gone", [_event(2)], Hours=168),
        page("cleared", [_event(1380), _event(1381)], AfterRecord=5000),
        page("empty", []),
        page("emptied", [], AfterRecord=5),
        page("strange", strange, AfterRecord=1429),
        page(
            "binary data",
            [
                _event(
                    1400 + n,
                    Xml=f"<Event><EventData><Data>1</Data><Binary>{one}</Binary><Data>2</Data></EventData></Event>",
                )
                for n, one in enumerate(binaries)
            ],
            AfterRecord=1399,
        ),
        page("system", mixed, "System"),
        page("application", mixed, "Application"),
        Case("events: denied", "Get-HvTuiEvent", [failing({}, VMMS, code=0x80070005)], {"Channel": VMMS}),
        Case("events: no log", "Get-HvTuiEvent", [missing], {"Channel": VMMS}),
        page("wrong channel", [], "Security"),
        page("too many", [], MaxEvents=1001),
    ]
