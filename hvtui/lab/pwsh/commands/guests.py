"""PowerShell Direct: what Invoke-Command -VMId looks at, the log-on to a guest, and the folders in it."""

from __future__ import annotations

from typing import Any, Final

from hvtui.lab.pwsh.cim.guest import GuestRepository
from hvtui.lab.pwsh.commands.answer import Answer, LabError, Refused
from hvtui.lab.pwsh.commands.call import CommandCall, Handler
from hvtui.lab.pwsh.commands.trouble import hyperv_commands_answer
from hvtui.lab.world import guest_inside
from hvtui.lab.world.guest_access import NoSession, check, connect

LOG_ON: Final = "HvTui:GuestLogOn"
END: Final = "HvTui:GuestEnd"
"""Asked by the stand-in of Invoke-Command itself; the control channel keeps the sessions of guests."""
_IDS: Final = {"vm": "InvalidVMId", "state": "InvalidVMState"}
_MISSING: Final = "System.Management.Automation.ItemNotFoundException"
_NO_DRIVE: Final = "System.Management.Automation.DriveNotFoundException"


async def invoke_command(call: CommandCall) -> Answer:
    """Before it connects it asks VMMS for the VM."""
    await hyperv_commands_answer(call)
    try:
        check(call.node, str(call.get("VMId")))
    except NoSession as no:
        error = LabError(no.text, "System.ArgumentException", category="InvalidArgument", id=_IDS[no.kind])
        raise Refused(error) from no
    return Answer()


def log_on(call: CommandCall) -> GuestRepository | Answer:
    """The guest for a session that came about, else why there is none: its kind and Windows' words."""
    try:
        vm = connect(
            call.world, call.node, str(call.get("VMId")), str(call.get("User", "")), str(call.get("Proof", ""))
        )
    except NoSession as no:
        return Answer([[no.kind, no.text]])
    return GuestRepository(call.world, vm)


async def folder(call: CommandCall) -> Answer:
    """What is in a folder of a guest: rows of name, whether it is a folder, bytes."""
    path = str(call.get("LiteralPath"))
    repository = call.repository
    assert isinstance(repository, GuestRepository)
    vm = repository.vm
    for volume in guest_inside.volumes(vm):
        root = f"{guest_inside.volume_path(vm, volume)}\\"
        if path.lower().startswith(root.lower()):
            below = path[len(root) :].strip("\\")
            return Answer(_rows(guest_inside.files(vm, volume), f"{below}\\" if below else ""))
    if path[1:2] == ":" and len(path) <= len("X:\\"):
        text = f"Cannot find drive. A drive with the name '{path[0]}' does not exist."
        raise Refused(LabError(text, _NO_DRIVE, category="ObjectNotFound", id="DriveNotFound", target=path[0]))
    text = f"Cannot find path '{path}' because it does not exist."
    raise Refused(LabError(text, _MISSING, category="ObjectNotFound", id="PathNotFound", target=path))


def _rows(files: list[tuple[str, int]], below: str) -> list[Any]:
    found: dict[str, list[Any]] = {}
    for path, size in files:
        if path.lower().startswith(below.lower()):
            name, _, rest = path[len(below) :].partition("\\")
            found.setdefault(name.lower(), [name, bool(rest), 0 if rest else size])
    return list(found.values())


COMMANDS: Final[dict[str, Handler]] = {"Invoke-Command": invoke_command, "HvTui:GuestFolder": folder}
