"""Write-EventLog and New-EventLog: a program's own records in the Application log."""

from __future__ import annotations

from typing import Final

from hvtui.lab.native.app_log import write_event
from hvtui.lab.pwsh.commands import errors
from hvtui.lab.pwsh.commands.answer import Answer, LabError, Refused
from hvtui.lab.pwsh.commands.call import CommandCall, Handler
from hvtui.lab.world.event_texts import APPLICATION

_INVALID: Final = "System.InvalidOperationException"


def _application(call: CommandCall) -> None:
    if call.get("ComputerName") is not None:
        raise Refused(errors.unsupported(f"{call.command} -ComputerName"))
    if str(call.get("LogName")).lower() != APPLICATION.lower():
        raise Refused(errors.unsupported(f"{call.command} -LogName {call.get('LogName')}"))


def _registered(call: CommandCall, source: str) -> bool:
    return source.lower() in {one.lower() for one in call.node.event_sources}


async def write_record(call: CommandCall) -> Answer:
    """Write-EventLog; a source that is not registered is refused."""
    _application(call)
    source = str(call.get("Source"))
    if not _registered(call, source):
        text = f'The source name "{source}" does not exist on computer "localhost".'
        raise Refused(LabError(text, _INVALID, 0x80131509, "InvalidOperation", "SourceDoesNotExist", source))
    try:
        write_event(call.world, call.node, source, int(call.get("EventId")), str(call.get("Message")))
    except PermissionError:
        raise Refused(errors.log_refused()) from None
    call.world.changed()
    return Answer()


async def register_source(call: CommandCall) -> Answer:
    """New-EventLog: registers a source; administrators only."""
    _application(call)
    if "elevated" in call.node.faults.rights:
        raise Refused(errors.log_refused())
    for source in call.names("Source"):
        if _registered(call, source):
            text = f'The "{source}" source is already registered on the "localhost" computer.'
            raise Refused(LabError(text, _INVALID, 0x80131509, "InvalidOperation", "SourceExists", source))
        call.node.event_sources.add(source)
    return Answer()


COMMANDS: Final[dict[str, Handler]] = {"Write-EventLog": write_record, "New-EventLog": register_source}
