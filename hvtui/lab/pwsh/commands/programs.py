"""vssadmin.exe and fltmc.exe, as bytes in the node's code page."""

from __future__ import annotations

import base64
from typing import Final

from hvtui.lab.native.calls import NOT_ELEVATED, writer_blocked
from hvtui.lab.native.fltmc_text import DENIED, filters_text, instances_text
from hvtui.lab.native.vssadmin_text import HEAD, vssadmin_text
from hvtui.lab.pwsh.commands.answer import Answer
from hvtui.lab.pwsh.commands.call import CommandCall, Handler
from hvtui.lab.pwsh.commands.facts import code_page, elevated
from hvtui.lab.world.writers import SYSTEM_PROVIDER


def _printed(call: CommandCall, text: str, exit: int = 0) -> Answer:
    data = text.encode(f"cp{code_page(call.node)}", "replace")
    return Answer([{"$bytes": base64.b64encode(data).decode()}], exit=exit)


async def vssadmin(call: CommandCall) -> Answer:
    """`vssadmin list writers` waits behind a snapshot; `list providers` and `list shadows` do not."""
    node = call.node
    arguments = [one.lower() for one in call.names("Arguments")]
    if not elevated(node):
        return _printed(call, NOT_ELEVATED, 2)
    if arguments[:2] == ["list", "writers"]:
        await call.wait_while(lambda: writer_blocked(call.world, node))
        return _printed(call, vssadmin_text(node))
    if arguments[:2] == ["list", "providers"]:
        return _printed(call, _providers(call))
    if arguments[:2] == ["list", "shadows"]:
        return _printed(call, _shadows(call))
    return _printed(call, f"{HEAD}\r\nError: Invalid command.\r\n", 2)


def _providers(call: CommandCall) -> str:
    kinds = {1: "System", 2: "Software", 3: "Hardware"}
    blocks = [
        f"Provider name: '{one.name}'\r\n   Provider type: {kinds.get(one.type, 'Unknown')}\r\n"
        f"   Provider Id: {{{one.id}}}\r\n   Version: {one.version}\r\n"
        for one in call.node.providers
    ]
    return "\r\n".join([HEAD, *blocks])


def _shadows(call: CommandCall) -> str:
    if not call.node.shadows:
        return f"{HEAD}\r\nNo items found that satisfy the query.\r\n"
    blocks = [
        f"Contents of shadow copy set ID: {{{one.set}}}\r\n"
        f"   Contained 1 shadow copies at creation time: {call.view.clock(one.created):%m/%d/%Y %I:%M:%S %p}\r\n"
        f"      Shadow Copy ID: {{{one.id}}}\r\n         Original Volume: (?){one.volume}\r\n"
        f"         Shadow Copy Volume: \\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy{number}\r\n"
        f"         Originating Machine: {call.node.name}\r\n         Service Machine: {call.node.name}\r\n"
        f"         Provider: '{SYSTEM_PROVIDER.name}'\r\n         Type: Backup\r\n"
        "         Attributes: Differential, Auto recovered\r\n"
        for number, one in enumerate(call.node.shadows, 1)
    ]
    return "\r\n".join([HEAD, *blocks])


async def fltmc(call: CommandCall) -> Answer:
    """`fltmc filters` and `fltmc instances`: file system filters; elevated only."""
    if not elevated(call.node):
        return _printed(call, DENIED, 5)
    match [one.lower() for one in call.names("Arguments")]:
        case ["filters"] | []:
            return _printed(call, filters_text(call.node))
        case ["instances"]:
            return _printed(call, instances_text(call.node))
        case _:
            return _printed(call, "The parameter is incorrect.\r\n", 87)


COMMANDS: Final[dict[str, Handler]] = {"vssadmin.exe": vssadmin, "fltmc.exe": fltmc}
