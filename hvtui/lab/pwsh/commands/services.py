"""Get-Service and Restart-Service."""

from __future__ import annotations

from typing import Any, Final

from hvtui.lab.pwsh.cim.windows import Installed, services, title_of
from hvtui.lab.pwsh.commands import errors
from hvtui.lab.pwsh.commands.answer import Answer, Refused
from hvtui.lab.pwsh.commands.call import CommandCall, Handler
from hvtui.lab.pwsh.commands.cluster import matches
from hvtui.lab.world.actions import restart_vmms

_STATES: Final = {
    "Stopped": 1,
    "Start Pending": 2,
    "Stop Pending": 3,
    "Running": 4,
    "Continue Pending": 5,
    "Pause Pending": 6,
    "Paused": 7,
}


async def get_service(call: CommandCall) -> Answer:
    """Get-Service by name or wildcard."""
    if call.get("ComputerName") is not None:
        raise Refused(errors.unsupported("Get-Service -ComputerName"))
    answer = _chosen(call)
    if call.get("DependentServices"):
        names = dict.fromkeys(name for one in answer.output for name in one.service.dependents)
        answer.output = [one for one in services(call.node) if one.name in names]
    answer.output = [_record(call, one) for one in answer.output]
    return answer


def _chosen(call: CommandCall) -> Answer:
    installed = list(services(call.node))
    names = call.names()
    given = call.get("InputObject")
    if given is not None:
        names = [str(one.get("ServiceName", "")) for one in (given if isinstance(given, list) else [given])]
    if not names:
        return Answer(installed)
    answer = Answer(found := [])
    for name in names:
        hits = [one for one in installed if matches(one.name, name)]
        if not hits and not any(char in name for char in "*?["):
            answer.errors.append(errors.no_service(name))
        found += hits
    return answer


def _record(call: CommandCall, one: Installed) -> dict[str, Any]:
    return {
        "$type": "System.ServiceProcess.ServiceController",
        "ServiceName": one.name,
        "DisplayName": title_of(one),
        "MachineName": ".",
        "Status": _STATES[one.service.state],
        "StartType": 3 if one.name == "VSS" else 2,
        "CanStop": one.service.state == "Running",
        "ServiceType": 16,
    }


async def restart_service(call: CommandCall) -> Answer:
    """Restart-Service: VMMS only; returns when it runs again."""
    answer = _chosen(call)
    if answer.errors:
        return answer
    others = [one.name for one in answer.output if one.name != "vmms"]
    if others:
        raise Refused(errors.unsupported(f"Restart-Service {others[0]}"))
    if not answer.output:
        return answer
    service = answer.output[0].service
    if service.state != "Running":
        raise Refused(errors.unsupported(f"Restart-Service of a service that is {service.state}"))
    before = service.started
    restart_vmms(call.world, call.node)
    call.world.changed()
    await call.wait_while(lambda: service.state != "Running" or service.started == before)
    return Answer([_record(call, answer.output[0])] if call.get("PassThru") else ())


COMMANDS: Final[dict[str, Handler]] = {"Get-Service": get_service, "Restart-Service": restart_service}
