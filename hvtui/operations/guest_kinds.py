"""What is known of a guest before anybody asks it: where it is, what it is, and why it cannot be asked.

PowerShell Direct needs a running guest with Windows 10, Server 2016 or newer, of configuration version 6.2 or newer,
and asks from the host that runs it (Microsoft's documents of PowerShell Direct).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hvtui.model.enums import VmState, name_of
from hvtui.model.guest_rows import LINUX, WINDOWS
from hvtui.operations.facts import Facts

OLDEST: Final = (6, 2)
"""Configuration version."""
_OLD: Final = ("2003", "2008", "2012", "windows 7", "windows 8", "vista", "windows xp")


@dataclass(frozen=True)
class Kind:
    """`word` is `windows`, `linux`, or empty when it is not known; `against` why it is not asked, empty when it is."""

    node: str
    word: str = ""
    old: bool = False
    against: str = ""


def kind_of(facts: Facts, vm: str) -> Kind:
    """What the picture and the preflight tell. What neither tells is left to the node, which looks before it asks."""
    state = facts.state
    found, home = state.vm(vm), state.home(vm)
    asked = facts.vm(vm)
    system = (asked.system or "") if asked is not None else ""
    word = _word(system)
    version = (asked.version if asked is not None else None) or (found[1].version if found is not None else None)
    old = any(year in system.lower() for year in _OLD) if word == WINDOWS else False
    if found is None or home is None:
        return Kind(home or "", word, old, "no node that is heard tells of this VM")
    view, record = found
    below = version is not None and _number(version) < OLDEST
    node = state.node_name(home)
    if record.state != VmState.Running:
        against = f"it is {name_of(VmState, record.state)}: a guest answers only while it runs"
    elif not view.heard:
        against = f"{view.name} is not heard now ({view.link.status.value})"
    elif word == LINUX:
        against = f"{system} is no Windows: PowerShell Direct does not reach it"
    elif old:
        against = f"{system} is older than Windows Server 2016: PowerShell Direct does not reach it"
    elif below:
        against = f"its configuration version is {version}; PowerShell Direct needs 6.2 or newer"
    else:
        against = ""
    return Kind(node, word, old or below, against)


def _word(system: str) -> str:
    """Guests tell the name of their system themselves (KVP); one that tells nothing may be anything."""
    if not system:
        return ""
    return WINDOWS if "windows" in system.lower() or "hyper-v server" in system.lower() else LINUX


def _number(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(part.isdigit() for part in parts) else OLDEST
