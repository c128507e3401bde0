"""Services of a node and the processes they run in, as both engines tell them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple
from zlib import crc32

from hvtui.lab.world.node import Node, Service

_PROCESS: Final = (
    "- Code: WRTWRTIC00001270- Call: WRTWRTIC00001226- PID:  {process:08d}- TID:  00004120- "
    "CMD:  C:\\Windows\\system32\\svchost.exe -k NetworkService   - "
    "User: Name: NT AUTHORITY\\NETWORK SERVICE, SID:S-1-5-20"
)
"""Binary data of an event of VSS, in the form that is published of vssvc's own."""


class Installed(NamedTuple):
    """A service of a node, with its name and its place among them."""

    name: str
    place: int
    service: Service


def services(node: Node) -> Iterator[Installed]:
    """The services that are installed: a host without Hyper-V has no VMMS."""
    for place, (name, service) in enumerate(node.services.items()):
        if name != "vmms" or not node.faults.not_hyperv:
            yield Installed(name, place, service)


def process_id(node: Node, one: Installed) -> int:
    """The process of a service: 0 when it has none, another one after each start, never that of another service."""
    if one.service.started is None:
        return 0
    return 4 * (400 + 4096 * one.place + crc32(f"{node.name}/{one.name}/{one.service.started}".encode()) % 4096)


def process_of(node: Node, name: str) -> int:
    """The process of a service by its name; 0 for one that is not installed."""
    return next((process_id(node, one) for one in services(node) if one.name == name), 0)


def vss_process(node: Node, service: str) -> str:
    """The binary data of an event that the process of a service wrote about VSS."""
    return _PROCESS.format(process=process_of(node, service))
