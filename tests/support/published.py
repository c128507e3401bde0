"""What published texts of Windows say, written down by hand: the measure for everything that reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from hvtui.model.records import Event

DATA: Final = Path(__file__).parents[1] / "data"
VM: Final = "1111aaaa-0000-4000-8000-000000000001"
VMMS: Final = "Microsoft-Windows-Hyper-V-VMMS"
WORKER: Final = "Microsoft-Windows-Hyper-V-Worker"
VOLUME: Final = r"\\?\Volume{0a1b2c3d-0000-4000-8000-000000000001}"


def utc(*parts: int, milliseconds: int) -> datetime:
    """A time as the module tells it: to the millisecond, the rest cut off."""
    return datetime(*parts, microsecond=milliseconds * 1000, tzinfo=UTC)  # type: ignore[arg-type, misc]


EVENTS: Final = {
    "vmms-19100": Event(
        channel=f"{VMMS}-Admin",
        record=2003,
        id=19100,
        level=2,
        time=utc(2026, 9, 25, 12, 52, 43, milliseconds=0),
        provider=VMMS,
        vm=VM,
        vm_name="SQL07",
        codes=["0x80070020"],
        data={
            "VmName": "SQL07",
            "VmId": VM.upper(),
            "ErrorMessage": "%%2147942432",
            "ErrorCode": "0x80070020",
        },
    ),
    "vmms-20415": Event(
        channel=f"{VMMS}-Admin",
        record=2001,
        id=20415,
        level=4,
        time=utc(2017, 11, 21, 10, 57, 53, milliseconds=874),
        provider=VMMS,
        data={"Parameter0": "SQL07", "Parameter1": VM.upper(), "Parameter2": "0.5"},
    ),
    "worker-18590": Event(
        channel=f"{WORKER}-Admin",
        record=2002,
        id=18590,
        level=1,
        time=utc(2024, 12, 9, 11, 31, 23, milliseconds=235),
        provider=WORKER,
        vm=VM,
        vm_name="SQL07",
        data={
            "VmName": "SQL07",
            "VmId": VM.upper(),
            "VmErrorCode0": "0x79",
            "VmErrorCode1": "0x6",
            "VmErrorCode2": "0x0",
            "VmErrorCode3": "0x0",
            "VmErrorCode4": "0x0",
            "VmErrorMessage": "",
        },
    ),
    "capi2-513": Event(
        channel="Application",
        record=2004,
        id=513,
        level=2,
        time=utc(2016, 1, 28, 21, 57, 48, milliseconds=201),
        provider="Microsoft-Windows-CAPI2",
        data={
            "1": "\nDetails:\nAddLegacyDriverFiles: Unable to back up image of binary olddriver.\n"
            "System Error:\nThe system cannot find the file specified.\n"
        },
    ),
    "volsnap-25": Event(
        channel="System",
        record=2005,
        id=25,
        level=2,
        time=utc(2013, 12, 21, 10, 0, 13, milliseconds=151),
        provider="volsnap",
        data={"1": r"\Device\HarddiskVolumeShadowCopy52", "2": VOLUME},
    ),
    "volsnap-36": Event(
        channel="System",
        record=2006,
        id=36,
        level=2,
        time=utc(2024, 9, 26, 23, 28, 47, milliseconds=623),
        provider="Volsnap",
        data={
            "DeviceName": r"\Device\HarddiskVolumeShadowCopy9",
            "VolumeName": "C:",
            "NTSTATUS": "00000000",
            "SourceTag": "164",
            "SourceFileID": "0x0005",
            "SourceLine": "2606",
        },
    ),
}
"""The events in tests/data/events by their files' names; without a text, which the XML does not hold."""


def event_xml(name: str) -> str:
    """The XML of one of EVENTS, as it was published."""
    return (DATA / "events" / f"{name}.xml").read_text("utf-8")
