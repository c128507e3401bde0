"""Kinds of guest systems and what each can do for a backup or a checkpoint (windows.md §2.2, §2.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hvtui.model.enums import Heartbeat, IntegrationStatus


@dataclass(frozen=True, slots=True)
class GuestKind:
    """What a guest system answers. `freezes`: it can make a production checkpoint (VSS, or fsfreeze on Linux).

    `tells`: its data exchange service says which system it is. `remembers`: others know what it said last (a database,
    a domain controller): memory of an earlier moment does harm there.
    """

    name: str
    system: str
    windows: bool
    freezes: bool
    vss: int
    heartbeat: int
    enabled: bool = True
    tells: bool = True
    remembers: bool = False
    session: bool = False
    """vmicvmsession listens in it: PowerShell Direct, Windows Server 2016 and later (windows.md §8.3)."""

    @property
    def product(self) -> int:
        """ProductType that it tells: 2 a domain controller, 3 another server; 0 where there is no such thing."""
        return (2 if self.name == "domain-controller" else 3) if self.windows else 0


_OK: Final = IntegrationStatus.Ok
_NONE: Final = IntegrationStatus.NoContact


def _windows(name: str, system: str, *, tells: bool = True, remembers: bool = False) -> GuestKind:
    return GuestKind(
        name,
        system,
        windows=True,
        freezes=True,
        vss=_OK,
        heartbeat=Heartbeat.Ok,
        tells=tells,
        remembers=remembers,
        session=name != "windows-2012r2",
    )


KINDS: Final = {
    kind.name: kind
    for kind in (
        _windows("windows-2012r2", "Windows Server 2012 R2 Standard"),
        _windows("windows-2016", "Windows Server 2016 Standard"),
        _windows("windows-2019", "Windows Server 2019 Standard"),
        _windows("windows-2022", "Windows Server 2022 Standard"),
        _windows("domain-controller", "Windows Server 2019 Standard", remembers=True),
        _windows("sql-server", "Windows Server 2022 Standard", remembers=True),
        # vmickvpexchange stopped inside: what runs there is not told.
        _windows("windows-no-kvp", "Windows Server 2019 Standard", tells=False),
        # vmicvss disabled in the VM's settings.
        GuestKind(
            "windows-vss-off",
            "Windows Server 2019 Standard",
            True,
            False,
            IntegrationStatus.Disabled,
            2,
            enabled=False,
            session=True,
        ),
        # vmicvss stopped inside: the service is on, nobody answers.
        GuestKind("windows-no-vmicvss", "Windows Server 2016 Standard", True, False, _NONE, Heartbeat.Ok, session=True),
        # vmicvmsession disabled inside: all is well, but there is no PowerShell Direct.
        GuestKind("windows-no-session", "Windows Server 2019 Standard", True, True, _OK, Heartbeat.Ok),
        GuestKind("linux", "Ubuntu 22.04", False, True, _OK, Heartbeat.Ok),
        # Without hypervvssd there is no file-system freeze.
        GuestKind("linux-no-daemon", "Debian GNU/Linux 12", False, False, _NONE, Heartbeat.Ok),
        # No integration services at all.
        GuestKind("appliance", "", False, False, _NONE, Heartbeat.NoContact),
    )
}


def can_freeze(version: str) -> bool:
    """A configuration version that knows production checkpoints: 6.2 and later (windows.md §2.2)."""
    return tuple(int(part) for part in version.split(".")) >= (6, 2)
