"""Why a migration, drain or service failed, in words: Windows' codes and event ids → what it means and what to do.

Codes are compared as `0x` and eight lower-case hex digits; the texts of Windows are localised and never read. Sources:
Microsoft's "Troubleshoot live migration issues" and "Failover clustering system log events", and the documents of
Win32_Service.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple


class Meaning(NamedTuple):
    """What a code says, and what to do about it."""

    text: str
    advice: str


FAILED_EVENTS: Final = frozenset({20413, 21024, 21125, 21501, 21502})
"""Events that tell that a migration failed (Hyper-V-VMMS and High-Availability)."""
LIMIT_EVENT: Final = 21501
LIMIT_CODES: Final = frozenset({"0x800700aa"})
"""ERROR_BUSY, beside 21501: all places for migrations are taken."""

_DELEGATION: Final = Meaning(
    "The hosts could not log on to each other: no credential could be passed on",
    "Check constrained delegation (cifs and Microsoft Virtual System Migration Service) of the hosts' accounts, then "
    "purge their tickets.",
)
_PORT: Final = Meaning(
    "The destination did not answer on the migration network",
    "Check TCP 6600 (and 445 with SMB) between the hosts, and the firewall's rules after the last policy update.",
)
_LOGON: Final = Meaning(
    "A right that virtual machines need on the destination was taken away by a policy",
    "NT VIRTUAL MACHINE\\Virtual Machines needs “Log on as a service” there; without it backups fail as well.",
)
_MEMORY: Final = Meaning(
    "The destination has not enough memory", "Choose another node, or make room there first; the VM stays where it was."
)

CODES: Final[dict[str, Meaning]] = {
    "0x800700aa": Meaning(
        "All places for live migrations were taken", "It is asked again when one is free; another client migrates too."
    ),
    "0x8009030e": _DELEGATION,
    "0x8009030d": _DELEGATION,
    "0x800705aa": _MEMORY,
    "0x8007000e": _MEMORY,
    "0xc03a0014": Meaning(
        "A virtual disk or an inserted ISO file is not there on the destination",
        "Eject the ISO (note its path, so that it can be put back), or make the path reachable there.",
    ),
    "0x80071398": Meaning(
        "The destination is not a possible owner of the role",
        "Compare the possible owners of the VM's resource and of its configuration resource.",
    ),
    "0x8007274d": _PORT,
    "0x8007274c": _PORT,
    "0x80072746": _PORT,
    "0x8007271d": _PORT,
    "0x80070569": _LOGON,
    "0x8007052f": _LOGON,
    "0x80042001": Meaning(
        "A registry value of the destination is not as live migration over SMB needs it",
        "On Server 2019: the ComputerName value must be upper case.",
    ),
    "0x80070002": Meaning(
        "A file of the VM is not reachable on the destination", "Check the CSV's state on the destination node."
    ),
    "0x80070032": Meaning(
        "The VM has a device that cannot move (pass-through disk, GPU)", "It can only be moved when it is off."
    ),
    "0x80048016": Meaning(
        "The destination does not support the VM's configuration version",
        "Move it to a node of the same or a newer Windows; an upgraded version has no way back.",
    ),
    "0x0000138d": Meaning(
        "No other node may take the role: anti-affinity, or its possible owners, leave none",
        "Compare its possible owners and its anti-affinity with the nodes that are up.",
    ),
    "0x00001741": Meaning(
        "The role does not fit the other node: something it needs is not there",
        "The event of the same time in the Hyper-V log has the reason.",
    ),
    "0x00001745": Meaning(
        "The destination has not enough resources for the role, most often memory",
        "Choose another node, or make room there first; the VM stays where it was.",
    ),
    "0x00001747": Meaning("The role waits in the queue for another operation", "Wait until it has ended."),
    "0x00001748": Meaning(
        "The role is locked: a backup, export or checkpoint has it", "Wait until it has ended, then try again."
    ),
    "0x0000173d": Meaning(
        "A backup or snapshot of the volume is in progress", "Wait until it has ended; the volume does not move before."
    ),
    "0x000013ba": Meaning("The node is down", "Choose another node."),
    "0x000013ce": Meaning("The node is paused or not up", "Choose another node, or resume it first."),
    "0x0000139f": Meaning(
        "The role is in a state in which Windows does not do that", "Read its state, then try again."
    ),
    "0x800706ba": Meaning(
        "VMMS does not run there", "Start it first: hvtui says on its first line where it is stopped."
    ),
    "0x80070005": Meaning("The account may not do that", "`hvtui doctor` says which right is missing."),
    "21125": Meaning(
        "The configuration could not be set up on the destination: most often a virtual switch of that name is missing",
        "Compare the names of the virtual switches.",
    ),
    "21501": Meaning(
        "The migration limit was reached", "It is asked again when a place is free; another client migrates too."
    ),
    "21502": Meaning("The live migration failed", "The event of the same time in the Hyper-V log has the reason."),
    "21024": Meaning("The migration failed at its source", "The event beside it has the reason."),
    "20413": Meaning(
        "The destination could not register the VM's configuration", "Check the CSV with its configuration there."
    ),
}
"""Cluster errors that come as bare Win32 numbers are kept without a facility."""

SERVICE_RETURNS: Final[dict[int, Meaning]] = {
    1: Meaning("The service does not support that", ""),
    2: Meaning("The account may not do that", "It takes an administrator of the node."),
    3: Meaning("Other services that run depend on it", "hvtui does not stop them; stop them first if that is right."),
    5: Meaning("The service cannot take the request in its present state", "Wait until it has stopped or started."),
    6: Meaning("The service is not running", ""),
    7: Meaning("The service did not answer in time", "Look at its state; it may still stop or start."),
    8: Meaning("Windows calls it an unknown failure", "See the node's System log."),
    10: Meaning("The service runs already", ""),
    14: Meaning("The service is disabled", ""),
}
"""Return values of Win32_Service StopService and StartService."""


def normal(code: str) -> str:
    """A code as the table has it: `0x` and eight lower-case digits, an event id as it is."""
    text = code.strip().lower()
    if text.startswith("0x"):
        try:
            return f"0x{int(text, 16) & 0xFFFFFFFF:08x}"
        except ValueError:
            return text
    return text


def meaning(code: str) -> Meaning | None:
    """What a code or event id means; a Win32 error is found with and without its facility. None for an unknown one."""
    text = normal(code)
    found = CODES.get(text)
    if found is None and text.startswith("0x8007"):
        found = CODES.get(f"0x0000{text[6:]}")
    if found is None and text.startswith("0x0000"):
        found = CODES.get(f"0x8007{text[6:]}")
    if found is None and text.isdigit() and int(text) < 65_536:
        found = CODES.get(f"0x0000{int(text):04x}") or CODES.get(f"0x8007{int(text):04x}")
    return found


def best(codes: Iterable[str]) -> str:
    """Of several codes of one failure the one that says most: an explained code before an event id before any other."""
    known = [normal(code) for code in codes if code]
    explained = [code for code in known if meaning(code) is not None]
    return next((c for c in explained if c.startswith("0x")), next(iter(explained), next(iter(known), "")))


def is_limit(codes: Iterable[str]) -> bool:
    """All places for migrations were taken: it may be asked again later."""
    return any(normal(code) in LIMIT_CODES or code == str(LIMIT_EVENT) for code in codes)
