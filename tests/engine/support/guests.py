"""Looks into guests: the scenario's credential, calls of both functions, and a host with guests of every kind."""

from __future__ import annotations

from typing import Any, Final

from hvtui.lab.world.scenario import Scenario, parse_scenario
from hvtui.model.secret import GuestCredential
from hvtui.remote.contract import GET_GUEST, GET_GUEST_FILE, Function
from hvtui.remote.lane import Lane

ACCOUNT: Final = "CORP\\svc-guests"
PASSWORD: Final = "Demo-guest-1"
"""The documented ones of a lab's guests."""
CREDENTIAL: Final = GuestCredential(ACCOUNT, PASSWORD)
GUESTS: Final[dict[str, dict[str, Any]]] = {
    GET_GUEST.name: {"Credential": CREDENTIAL},
    GET_GUEST_FILE.name: {"Credential": CREDENTIAL, "Volume": "C:"},
}


async def asked(lane: Lane, function: Function, values: dict[str, Any]) -> list[Any]:
    """Every record that a function answers, in order."""
    if not function.stream:
        return [await lane.call(function, values, deadline=60)]
    async with lane.stream(function, values, poll=1.0) as stream:
        return [record async for record in stream]


def scenario() -> Scenario:
    """A host with guests of every kind, some of them with names that mean to break something."""
    hostile = "[@click=app.quit]x[/]\x1b[31m"
    raw: dict[str, Any] = {
        "title": "Guests",
        "seed": 11,
        "cluster": {"name": "CLU-GUESTS", "id": "5b1f1f0e-9d0c-4a3e-8b0a-61c0f1d2af11"},
        "nodes": {"count": 2},
        "csvs": [{"count": 2}],
        "guests": {"lockout": 3},
        "vms": [
            {
                "name": "SQL07",
                "nodes": ["HV01"],
                "guest": "windows-2016",
                "dvd": ["C:\\iso\\setup.iso"],
                "volumes": [
                    {"name": "C:", "size_gb": 100, "free_gb": 30},
                    {"name": "T:", "size_gb": 60, "free_gb": 0, "label": hostile, "files": [
                        {"path": "Dumps\\a.bak", "size_gb": 20},
                        {"path": f"Dumps\\{hostile[:-5]}.bak", "size_gb": 30},
                        {"path": "tempdb.mdf", "size_gb": 5},
                    ]},
                    {"name": "", "size_gb": 4, "free_gb": 0.5, "file_system": "ReFS"},
                ],
            },
            {"name": "DC01", "nodes": ["HV01"], "guest": "domain-controller"},
            {"name": f"APP {hostile}", "nodes": ["HV01"], "guest": "windows-no-vmicvss"},
            {
                "name": "SHY",
                "nodes": ["HV01"],
                "guest_unreadable": {
                    "volumes": "denied", "storage": "missing", "writers": "denied", "system": "timeout",
                },
            },
            {"name": "LNX", "nodes": ["HV01"], "guest": "linux"},
            {"name": "DEAF", "nodes": ["HV01"], "guest": "windows-no-session"},
            {"name": "R2", "nodes": ["HV01"], "guest": "windows-2012r2", "config_version": "5.0"},
            {"name": "OFF", "nodes": ["HV01"], "state": "Off"},
            {"name": "OWN", "nodes": ["HV01"], "guest_account": "Administrator", "guest_password": "its own"},
            {"name": "AWAY", "nodes": ["HV02"]},
        ],
    }  # fmt: skip
    return parse_scenario(raw, "guests")
