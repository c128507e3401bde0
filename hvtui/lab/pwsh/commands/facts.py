"""What the node's own one-line functions ask: its name, clock, build, rights; and when a process began."""

from __future__ import annotations

from typing import Final

from hvtui.lab.pwsh.cim.windows import start_of
from hvtui.lab.pwsh.commands.answer import Answer, LabError, Refused, date
from hvtui.lab.pwsh.commands.call import CommandCall, Handler
from hvtui.lab.world.accounts import sid_of
from hvtui.lab.world.node import Node

_PAGES: Final = {"en": "437", "fr": "850"}


def code_page(node: Node) -> str:
    """OEMCP of the node's language."""
    return _PAGES.get(node.language, "437")


def elevated(node: Node) -> bool:
    """The account acts as an elevated administrator there."""
    return "elevated" not in node.faults.rights


async def node_name(call: CommandCall) -> Answer:
    """The computer's name."""
    return Answer([call.node.name])


async def now(call: CommandCall) -> Answer:
    """The node's own clock."""
    return Answer([date(call.world.time_of(call.node))])


async def build_number(call: CommandCall) -> Answer:
    """CurrentBuildNumber of the registry."""
    return Answer([call.node.build.split(".")[2]])


async def oem_code_page(call: CommandCall) -> Answer:
    """OEMCP of the registry."""
    return Answer([code_page(call.node)])


async def is_elevated(call: CommandCall) -> Answer:
    """Whether the account is an elevated administrator."""
    return Answer([elevated(call.node)])


async def start_time(call: CommandCall) -> Answer:
    """When a process was started; only those of services are known."""
    process = int(call.get("Id", 0))
    moment = start_of(call.view, process)
    if moment is None:
        text = f"Cannot find a process with the process identifier {process}."
        name = "Microsoft.PowerShell.Commands.ProcessCommandException"
        raise Refused(LabError(text, name, category="ObjectNotFound", id="NoProcessFoundForGivenId"))
    return Answer([date(moment)])


async def account_sid(call: CommandCall) -> Answer:
    """What the name of an account stands for there."""
    sid = sid_of(call.world, call.node, str(call.get("Text", "")))
    if sid is None:
        name = "System.Security.Principal.IdentityNotMappedException"
        raise Refused(LabError("Some or all identity references could not be translated.", name, 0x80131501))
    return Answer([sid])


COMMANDS: Final[dict[str, Handler]] = {
    "HvTui:NodeName": node_name,
    "HvTui:Now": now,
    "HvTui:BuildNumber": build_number,
    "HvTui:OemCodePage": oem_code_page,
    "HvTui:Elevated": is_elevated,
    "HvTui:StartTime": start_time,
    "HvTui:AccountSid": account_sid,
}
