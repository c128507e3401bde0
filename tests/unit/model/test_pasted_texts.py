"""Readers of pasted text: events as people copy them, PowerShell's lists and tables, error codes."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hvtui.model.error_codes import codes_in
from hvtui.model.event_text import provider_named, read_event_texts
from hvtui.model.pasted import pasted
from hvtui.model.powershell_text import read_rows, whole
from hvtui.model.severity import Severity
from hvtui.model.vm_text import read_checkpoints, read_vms

VMMS = "Microsoft-Windows-Hyper-V-VMMS"
VM = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
MESSAGE = (
    f"Failed to create the volume shadow copy inside of virtual machine 'SQL07'. (Virtual machine ID {VM.upper()})"
)

VIEWER = f"""\
Log Name:      {VMMS}-Admin
Source:        {VMMS}
Date:          5/2/2016 11:13:09 AM
Event ID:      10102
Task Category: None
Level:         Error
Keywords:
User:          SYSTEM
Computer:      HV03.corp.example
Description:
{MESSAGE}
"""
GERMAN = f"""\
Protokollname: {VMMS}-Admin
Quelle:        {VMMS}
Datum:         02.05.2016 11:13:09
Ereignis-ID:   10102
Aufgabenkategorie:Keine
Ebene:         Fehler
Schlüsselwörter:
Benutzer:      SYSTEM
Computer:      HV03.corp.example
Beschreibung:
Fehler beim Erstellen der Volumeschattenkopie im virtuellen Computer "SQL07". (ID des Computers: {VM.upper()})
"""
UNKNOWN_LABELS = GERMAN.replace("Quelle", "Kilde9").replace("Ereignis-ID", "Hendelse").replace("Beschreibung", "Tekst")
LISTED = f"""\
TimeCreated  : 5/2/2016 11:13:09 AM
ProviderName : {VMMS}
Id           : 10102
Message      : {MESSAGE[:59]}
               {MESSAGE[60:]}
"""
EVERYTHING = f"""\
Message              : {MESSAGE}
Id                   : 10102
Version              : 0
Qualifiers           :
Level                : 2
Task                 : 0
Opcode               : 0
Keywords             : -9223372036854775808
RecordId             : 5120
ProviderName         : {VMMS}
ProviderId           : 6066f867-7ca1-4418-85fd-36e3f9c0600c
LogName              : {VMMS}-Admin
ProcessId            : 3216
"""
TABLE = f"""\
   ProviderName: {VMMS}

TimeCreated                      Id LevelDisplayName Message
-----------                      -- ---------------- -------
5/2/2016 11:13:09 AM          10102 Error            {MESSAGE}
"""
VIEWERS_LIST = "Error\t5/2/2016 11:13:09 AM\tHyper-V-VMMS\t10102\tNone\n"
MARKDOWN = f"| Error | 02.05.2016 11:13:09 | {VMMS} | 10102 | None | {MESSAGE} |\n"


@pytest.mark.parametrize(
    "text",
    [VIEWER, GERMAN, UNKNOWN_LABELS, LISTED, EVERYTHING, TABLE, VIEWERS_LIST, MARKDOWN, "Event 10102, Hyper-V-VMMS"],
)
def test_the_same_event_in_every_form(text: str) -> None:
    (found,) = read_event_texts(pasted(text).lines)
    assert (found.provider, found.id) == (VMMS, 10102)
    if "SQL07" in text:
        assert (found.vm, found.vm_name) == (VM, "SQL07")


def test_several_events_keep_apart() -> None:
    other = VIEWER.replace("10102", "19100").replace("SQL07", "WEB01")
    found = read_event_texts(pasted(f"first\n\n{VIEWER}\n{GERMAN}\n\n{LISTED}\n{TABLE}{VIEWERS_LIST}\n{other}").lines)
    assert [one.id for one in found] == [10102, 10102, 10102, 10102, 10102, 19100]
    assert [one.vm_name for one in found] == ["SQL07", "SQL07", "SQL07", "SQL07", "", "WEB01"]
    ends = [one.lines for one in found]
    assert all(first[1] < second[0] for first, second in pairwise(ends))


def test_numbers_that_are_no_ids() -> None:
    assert read_event_texts(pasted("Record: 10102\nProcess: 5120\n").lines) == ()
    assert read_event_texts(pasted(f"Source: {VMMS}\n" + "a line\n" * 12 + "Event ID: 10102\n").lines) == ()
    (found,) = read_event_texts(pasted(EVERYTHING).lines)
    assert found.id == 10102


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hyper-V-VMMS", VMMS),
        ("microsoft-windows-hyper-v-vmms", VMMS),
        ("FailoverClustering", "Microsoft-Windows-FailoverClustering"),
        ("Microsoft-Windows-FailoverCluster", "Microsoft-Windows-FailoverClustering"),
        ("vss", "VSS"),
        ("[VSS]", "VSS"),
        ("a sentence about VSS", ""),
    ],
)
def test_names_of_sources(text: str, name: str) -> None:
    assert provider_named(text) == name


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("hr = 0x80070005, Access is denied.", ["0x80070005"]),
        ("0×80070005 and 0х800423F4", ["0x80070005", "0x800423f4"]),
        ("(0x80070020L)", ["0x80070020"]),
        ("Returned HRESULT: 80042306", ["0x80042306"]),
        ("error code '2155348129'", ["0x807800a1"]),
        ("HResult: -2147024891", ["0x80070005"]),
        ("because of 'STATUS_IO_TIMEOUT(c00000b5)'", ["0xc00000b5"]),
        ("failed (0x5)", ["0x00000005"]),
        ("error 0x8007 0005", ["0x80070005"]),
        ("CreateFileW(x,0x80000000,0x00000003,...).  hr = 0x80070001, y", ["0x80070001"]),
        ("job 2155348129 of 3000000000", ["0x807800a1"]),
        ("GUID 80070005-0000-4000-8000-000000000001", []),
        ("at 0x7ff6d2a1b3c4 in 12345678", []),
    ],
)
def test_codes_as_people_write_them(text: str, codes: list[str]) -> None:
    joined = pasted(text).joined
    assert [found.code for found in codes_in(joined)] == codes


def test_rows_of_lists_and_tables() -> None:
    text = """\
Name   : SQL 07
State  : Running

Name    State   Uptime           Status
----    -----   ------           ------
web 1   Off     00:00:00         Operating normally
a very long name indeed Running 00:00:01 Operating normally

Left Right
---- -----
   1     2
"""
    rows = read_rows(pasted(text).lines, ("Name", "State", "Status"))
    assert [(row.get("Name"), row.get("State"), row.table) for row in rows][:2] == [
        ("SQL 07", "Running", False),
        ("web 1", "Off", True),
    ]
    assert len(read_rows(pasted(text).lines, ("Left", "Right"))) == 1


def test_a_cut_name_is_the_only_one_it_can_be() -> None:
    names = ("FileSystemRedirected", "FileSystemTiering", "Direct")
    assert whole("FileSystemR...", names) == "FileSystemRedirected"
    assert whole("FileSystem...", names) == "FileSystem..."
    assert whole("direct", names) == "Direct"
    assert whole("Other", names) == "Other"


VMS = """\
Name  State           CPUUsage(%) MemoryAssigned(M) Uptime   Status                      Version
----  -----           ----------- ----------------- ------   ------                      -------
SQL07 Running         12          65536             12:00:00 Backing up... (23%)         9.0
WEB01 Running         3           4096              12:00:00 Merging disks               9.0
APP01 PausedCritical  0           4096              12:00:00 Cannot connect to storage   9.0
OLD01 Saved           0           0                 00:00:00 Operating normally          5.0
OFF01 Off             0           0                 00:00:00 Operating normally          9.0
DEU01 Running         0           0                 00:00:00 Wird gesichert              9.0
"""


def test_vms_say_what_they_do_and_what_is_wrong() -> None:
    found = {vm.name: vm for vm in read_vms(pasted(VMS).lines)}
    assert [(name, vm.severity.name, vm.activity) for name, vm in found.items()] == [
        ("SQL07", "INFO", "backup"),
        ("WEB01", "INFO", "merge"),
        ("APP01", "BAD", ""),
        ("OLD01", "WARN", ""),
        ("OFF01", "OK", ""),
        ("DEU01", "UNKNOWN", ""),
    ]
    assert found["SQL07"].percent == 23
    assert "Wird gesichert" in found["DEU01"].meaning


def test_checkpoints_by_their_type() -> None:
    text = """\
VMName Name                              SnapshotType CreationTime        ParentSnapshotName
------ ----                              ------------ ------------        ------------------
SQL07  SQL07 - Backup - (3/4/2016)       Recovery     3/4/2016 1:00:00 AM
SQL07  before the update                 Standard     3/4/2016 2:00:00 AM SQL07 - Backup
BRANCH SomeReplica                       Replica      3/4/2016 2:00:00 AM
ODD    x                                 Quantum      3/4/2016 2:00:00 AM
"""
    found = read_checkpoints(pasted(text).lines)
    assert [(one.vm, one.type, one.severity) for one in found] == [
        ("SQL07", "Recovery", Severity.INFO),
        ("SQL07", "Standard", Severity.OK),
        ("BRANCH", "Replica", Severity.OK),
        ("ODD", "Quantum", Severity.UNKNOWN),
    ]
    assert found[0].name == "SQL07 - Backup - (3/4/2016)"


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from((*VIEWER.splitlines(), *TABLE.splitlines(), *VMS.splitlines(), "", "\0\u202e×", "----")))
)
def test_no_order_of_lines_breaks_a_reader(lines: list[str]) -> None:
    held = pasted("\n".join(lines)).lines
    read_event_texts(held)
    read_vms(held)
    read_checkpoints(held)


@given(st.text(max_size=400))
def test_no_text_breaks_a_reader(text: str) -> None:
    paste = pasted(text)
    list(codes_in(paste.joined))
    read_event_texts(paste.lines)
    assert len(paste.phrases) == len(paste.joined)
    assert all(paste.line_at(place) >= 1 for place in range(0, len(paste.joined), 7))


@pytest.mark.parametrize(
    "unit", ["Source: VSS\n", "- \n-- --\n", "0x8007", "'a ", "(", ": ", "Name : x\n", "Event ID: 1\n"]
)
def test_a_hostile_text_costs_no_time(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    began = time.process_time()
    paste = pasted(text)
    list(codes_in(paste.joined))
    read_event_texts(paste.lines)
    read_vms(paste.lines)
    assert time.process_time() - began < 5
