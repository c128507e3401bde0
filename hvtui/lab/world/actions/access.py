"""Who may take part in VSS on a host: entries under VssAccessControl, and the harm of a wrong one (windows.md §6)."""

from __future__ import annotations

import re
from typing import Final

from hvtui.lab.world.accounts import sid_of
from hvtui.lab.world.actions.asking import Refused, note
from hvtui.lab.world.command_log import Asked
from hvtui.lab.world.node import Node, access_of, entry_of
from hvtui.lab.world.world import World

__all__ = ["access_of", "entry_of", "remove_access", "set_access"]

_OWN: Final = frozenset({"S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-32-544", "S-1-5-32-551"})
"""Those to whom VSS gives their rights by itself."""
_PEOPLE: Final = re.compile(r"S-1-5-21(-\d+){3}-(500|[1-9]\d{3,})|S-1-5-8[02](-\d+){5}")
"""An account or group that people made, an Administrator, a service or an application pool."""
_NO_ACCESS: Final = "Requested registry access is not allowed."
_DENIED: Final = 5


def set_access(
    world: World, node: Node, account: str, value: int, *, command: str = "New-ItemProperty", asked: Asked | None = None
) -> None:
    """Write an entry; one that is there keeps its spelling."""
    _allowed(world, node, command, account, asked, value=value)
    before = access_of(node, account)
    node.access_control[entry_of(node, account) or account] = value
    sid = sid_of(world, node, account)
    if sid in _OWN:
        if value != before:
            world.ledger.note(world.elapsed, "vss_shipped", account, f"set from {before} to {value} on {node.name}")
    elif sid is not None and value != 0 and not _PEOPLE.fullmatch(sid):
        world.ledger.note(world.elapsed, "vss_opened", account, f"admitted with {value} on {node.name}")
    _changed(world, node)


def remove_access(world: World, node: Node, account: str, *, asked: Asked | None = None) -> None:
    """Remove an entry that is there."""
    account = entry_of(node, account) or account
    _allowed(world, node, "Remove-ItemProperty", account, asked)
    del node.access_control[account]
    if sid_of(world, node, account) in _OWN:
        world.ledger.note(world.elapsed, "vss_shipped", account, f"removed on {node.name}")
    _changed(world, node)


def _allowed(world: World, node: Node, command: str, account: str, asked: Asked | None, **arguments: int) -> None:
    refused = "elevated" in node.faults.rights
    note(
        world,
        node,
        command,
        f"{node.name}/{account}",
        arguments=dict(arguments),
        asked=asked,
        outcome="refused" if refused else "done",
    )
    if refused:
        raise Refused(_NO_ACCESS, _DENIED, "System.Security.SecurityException", account)


def _changed(world: World, node: Node) -> None:
    node.touch()
    world.changed()
