"""Every command this lab answers, by name."""

from __future__ import annotations

from typing import Final

from hvtui.lab.pwsh.commands import (
    changes,
    checkpoints,
    cim,
    cluster,
    event_log,
    facts,
    guests,
    hyperv,
    programs,
    services,
    settable,
    vhd,
    windows_registry,
    winevent,
)
from hvtui.lab.pwsh.commands.call import Handler

COMMANDS: Final[dict[str, Handler]] = {
    name.lower(): handler
    for module in (
        changes,
        checkpoints,
        cim,
        cluster,
        event_log,
        facts,
        guests,
        hyperv,
        programs,
        services,
        settable,
        vhd,
        windows_registry,
        winevent,
    )
    for name, handler in module.COMMANDS.items()
}
"""Lower-case name → what answers."""
