"""Accounts as a node looks them up: Windows' own on every machine, the domain's, and whom the domain gave a number."""

from __future__ import annotations

import hashlib
from typing import Final

from hvtui.lab.world.node import Node
from hvtui.lab.world.world import World

SYSTEM: Final = "S-1-5-18"
EVERYONE: Final = "S-1-1-0"
_AUTHORITY: Final = {
    "ANONYMOUS LOGON": "S-1-5-7",
    "Authenticated Users": "S-1-5-11",
    "BATCH": "S-1-5-3",
    "DIALUP": "S-1-5-1",
    "INTERACTIVE": "S-1-5-4",
    "LOCAL SERVICE": "S-1-5-19",
    "Local account": "S-1-5-113",
    "NETWORK": "S-1-5-2",
    "NETWORK SERVICE": "S-1-5-20",
    "REMOTE INTERACTIVE LOGON": "S-1-5-14",
    "SERVICE": "S-1-5-6",
    "SYSTEM": SYSTEM,
    "TERMINAL SERVER USER": "S-1-5-13",
    "This Organization": "S-1-5-15",
}
_BUILTIN: Final = {
    "Administrators": 544,
    "Backup Operators": 551,
    "Guests": 546,
    "Hyper-V Administrators": 578,
    "Remote Management Users": 580,
    "Users": 545,
}
_DOMAIN: Final = {
    "Administrator": 500,
    "Domain Admins": 512,
    "Domain Computers": 515,
    "Domain Guests": 514,
    "Domain Users": 513,
    "Guest": 501,
}
_FRENCH: Final = {
    "AUTORITE NT\\Utilisateurs authentifiés": "S-1-5-11",
    "BUILTIN\\Utilisateurs": "S-1-5-32-545",
    "Tout le monde": EVERYONE,
}
_FIRST: Final = 1104
"""The number of the first account that people made in the domain."""

WELL_KNOWN: Final = {
    "CONSOLE LOGON": "S-1-2-1",
    "CREATOR OWNER": "S-1-3-0",
    "Everyone": EVERYONE,
    "LOCAL": "S-1-2-0",
    "NT SERVICE\\ALL SERVICES": "S-1-5-80-0",
    **{f"NT AUTHORITY\\{name}": sid for name, sid in _AUTHORITY.items()},
    **{f"BUILTIN\\{name}": f"S-1-5-32-{number}" for name, number in _BUILTIN.items()},
}
"""Accounts of every Windows that speaks English; the services' own are known without a blank, too."""


def domain_of(world: World) -> str:
    """The domain's short name: that of the backup product's account."""
    return world.cluster.account.partition("\\")[0]


def sid_of(world: World, node: Node, name: str) -> str | None:
    """What a name stands for on a node, without regard to case; None for nobody."""
    return _known(world, node).get(_plain(name))


def _known(world: World, node: Node) -> dict[str, str]:
    domain, prefix = domain_of(world), _prefix(world)
    names = dict(WELL_KNOWN)
    if node.language == "fr":
        names |= _FRENCH
    for name, sid in WELL_KNOWN.items():
        authority, _, short = name.rpartition("\\")
        if authority in {"NT AUTHORITY", "BUILTIN"}:
            names.setdefault(short, sid)
    for service in ("LOCAL SERVICE", "NETWORK SERVICE"):
        names[f"NT AUTHORITY\\{service.replace(' ', '')}"] = _AUTHORITY[service]
    names |= {f"{domain}\\{name}": f"{prefix}-{number}" for name, number in _DOMAIN.items()}
    for number, name in enumerate(world.cluster.accounts, _FIRST):
        sid = f"{prefix}-{number}"
        names[name] = sid
        if name.startswith(f"{domain}\\"):
            short = name.partition("\\")[2]
            names |= {short: sid, f"{short}@{domain}.example": sid}
    return {_plain(name): sid for name, sid in names.items()}


def _plain(name: str) -> str:
    return name.lower()


def _prefix(world: World) -> str:
    """The domain's own part of its SIDs; another one for each cluster."""
    digest = hashlib.sha256(f"domain of {world.cluster.id}".encode()).digest()
    parts = (int.from_bytes(digest[place : place + 4], "big") for place in (0, 4, 8))
    return "S-1-5-21-" + "-".join(str(part) for part in parts)
