"""Kinds of guest systems and what each can do for a backup or a checkpoint (windows.md §2.2, §2.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hvtui.model.enums import Heartbeat, IntegrationStatus


@dataclass(frozen=True, slots=True)
class GuestKind:
    """What a guest system answers. `freezes`: it can make a production checkpoint (VSS, or fsfreeze on Linux)."""

    name: str
    system: str
    windows: bool
    freezes: bool
    vss: int
    heartbeat: int
    enabled: bool = True
    session: bool = False
    """vmicvmsession listens in it: PowerShell Direct, Windows Server 2016 and later (windows.md §8.3)."""


_OK: Final = IntegrationStatus.Ok
_NONE: Final = IntegrationStatus.NoContact


def _windows(name: str, system: str) -> GuestKind:
    new = name != "windows-2012r2"
    return GuestKind(name, system, windows=True, freezes=True, vss=_OK, heartbeat=Heartbeat.Ok, session=new)


KINDS: Final = {
    kind.name: kind
    for kind in (
        _windows("windows-2012r2", "Windows Server 2012 R2 Standard"),
        _windows("windows-2016", "Windows Server 2016 Standard"),
        _windows("windows-2019", "Windows Server 2019 Standard"),
        _windows("windows-2022", "Windows Server 2022 Standard"),
        _windows("domain-controller", "Windows Server 2019 Standard"),
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
