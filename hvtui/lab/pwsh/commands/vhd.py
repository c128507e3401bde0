"""Get-VHD: a file of a virtual disk, its size and its parent (windows.md §2.6)."""

from __future__ import annotations

from typing import Final

from hvtui.lab.native.chains import chain_of
from hvtui.lab.pwsh.commands import errors
from hvtui.lab.pwsh.commands.answer import Answer, Refused
from hvtui.lab.pwsh.commands.call import CommandCall, Handler
from hvtui.lab.pwsh.commands.trouble import hyperv_commands_answer

_DYNAMIC: Final = 3
_DIFFERENCING: Final = 4
_VHDX: Final = 3


async def get_vhd(call: CommandCall) -> Answer:
    """Get-VHD -Path; a file that no VM of this node uses is not found here."""
    for name in ("DiskNumber", "VMId", "CimSession", "ComputerName", "Credential"):
        if call.get(name) is not None:
            raise Refused(errors.unsupported(f"Get-VHD -{name}"))
    await hyperv_commands_answer(call)
    files = {
        path.lower(): (path, parent, size)
        for vm in call.node.vms.values()
        for path, parent, size in chain_of(call.world, vm)
    }
    answer = Answer(found := [])
    for path in call.names("Path"):
        known = files.get(path.lower())
        if known is None:
            text = (
                f"Getting the mounted storage instance for the path '{path}' failed. The system cannot find the file."
            )
            answer.errors.append(errors.hyperv(text, "ObjectNotFound", number=0x80070002, target=path))
            continue
        found.append(
            {
                "$type": "Microsoft.Vhd.PowerShell.VirtualHardDisk",
                "ComputerName": call.node.name,
                "Path": known[0],
                "VhdFormat": _VHDX,
                "VhdType": _DIFFERENCING if known[1] else _DYNAMIC,
                "FileSize": known[2],
                "Size": known[2],
                "ParentPath": known[1],
                "Attached": False,
            }
        )
    return answer


COMMANDS: Final[dict[str, Handler]] = {"Get-VHD": get_vhd}
