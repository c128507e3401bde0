"""Services of a host: stop, start, and what that does to the jobs, writers and roles that need them (windows.md §7)."""

from __future__ import annotations

from typing import Final

from hvtui.lab.world import events
from hvtui.lab.world.actions.asking import note
from hvtui.lab.world.actions.failures import fail_over
from hvtui.lab.world.actions.moves import begin
from hvtui.lab.world.clock import Process
from hvtui.lab.world.command_log import Asked
from hvtui.lab.world.harm import break_jobs
from hvtui.lab.world.node import Node, Service
from hvtui.lab.world.world import World
from hvtui.lab.world.writers import BY_SERVICE, Writer

# Return values of Win32_Service.StopService and StartService.
OK: Final = 0
DEPENDENTS_RUN: Final = 3
CANNOT_ACCEPT: Final = 5
NOT_ACTIVE: Final = 6
ALREADY_RUNS: Final = 10
DISABLED: Final = 14

_HINT: Final = 5_000
_STOP: Final = {"vmms": 3.0}
_START: Final = {"vmms": 4.0}
_QUICK: Final = 2.0
"""Seconds that other services take to start or stop."""
_HANGS_AT: Final = 12
"""Where the checkpoint of a stop that hangs stays for ever."""
_IN_BACKUP: Final = frozenset({"VSS", "swprv", "CryptSvc"})
"""Services that a backup through the host's writers cannot do without, beside VMMS."""
PATIENCE: Final = 300.0
"""Seconds after which the cluster takes VMs away from a host whose VMMS does not answer (1230, 1146; unverified)."""


def stop_service(world: World, node: Node, name: str, *, asked: Asked | None = None) -> int:
    """Win32_Service.StopService: tells the service to stop and returns; it is Stop Pending until it has.

    Raises KeyError when no such service is installed.
    """
    service = node.services[name]
    code = OK
    if any(node.services[other].state != "Stopped" for other in service.dependents):
        code = DEPENDENTS_RUN
    elif service.state == "Stopped":
        code = NOT_ACTIVE
    elif not service.running:
        code = CANNOT_ACCEPT
    _note(world, node, ("StopService", name), asked, code)
    if code == OK:
        begin(world, _stopping(world, node, name))
    return code


def start_service(world: World, node: Node, name: str, *, asked: Asked | None = None) -> int:
    """Win32_Service.StartService: returns when the start has begun.

    Raises KeyError when no such service is installed.
    """
    service = node.services[name]
    code = OK
    if service.mode == "Disabled":
        code = DISABLED
    elif service.running:
        code = ALREADY_RUNS
    elif service.state != "Stopped":
        code = CANNOT_ACCEPT
    _note(world, node, ("StartService", name), asked, code)
    if code == OK:
        begin(world, _starting(world, node, name))
    return code


def restart_vmms(world: World, node: Node) -> None:
    """Restart-Service vmms, as a colleague types it."""
    note(world, node, "Restart-Service", f"{node.name}/vmms", arguments={"Name": "vmms"}, asked=None)
    world.scheduler.spawn(_restart_vmms(world, node))


def _restart_vmms(world: World, node: Node) -> Process:
    service = node.services["vmms"]
    if not service.running:
        return
    yield from _stopping(world, node, "vmms")
    yield 2.0
    if service.state == "Stopped":
        yield from _starting(world, node, "vmms")


def _note(world: World, node: Node, call: tuple[str, str], asked: Asked | None, code: int) -> None:
    """Write the call of a method, and the service's name, into the command log."""
    method, name = call
    note(
        world,
        node,
        f"Win32_Service.{method}",
        f"{node.name}/{name}",
        arguments={"Name": name, "ReturnValue": code},
        asked=asked,
        outcome="refused" if code else "started",
    )


def _stopping(world: World, node: Node, name: str) -> Process:
    """Running VMs go on without VMMS, their jobs do not."""
    service = node.services[name]
    service.state, service.checkpoint, service.wait_hint = "Stop Pending", 1, _HINT
    service.stops += 1
    node.touch()
    if name == "vmms":
        world.scheduler.spawn(_watch(world, node, service, service.stops), PATIENCE)
    yield from _pending(node, service, _STOP.get(name, _QUICK))
    while service.state == "Stop Pending" and (service.hangs or (name == "vmms" and node.faults.vmms_hung)):
        service.checkpoint = min(_HANGS_AT, service.checkpoint + 1)
        yield 1.0
    if service.state != "Stop Pending":
        # The host went down with it.
        return
    if name == "vmms":
        break_jobs(world, node, f"VMMS stopped on {node.name}")
        events.emit(world, node, events.VMMS, 14096)
    backup = world.backups.get(node.name)
    if name in _IN_BACKUP and backup is not None and backup.interrupt():
        world.ledger.note(world.elapsed, "backup_broken", node.name, f"{name} stopped in the middle of its backup")
    _set(node, service, "Stopped", None)


def _starting(world: World, node: Node, name: str) -> Process:
    """A new process: its writers are new ones and stable, whatever they said before (§4.4)."""
    service = node.services[name]
    service.state, service.checkpoint, service.wait_hint = "Start Pending", 1, _HINT
    node.touch()
    yield from _pending(node, service, _START.get(name, _QUICK))
    if service.state != "Start Pending":
        return
    _set(node, service, "Running", world.elapsed)
    new_writers(world, node, name)
    if name == "vmms":
        events.emit(world, node, events.VMMS, 14094)
    node.touch()


def new_writers(world: World, node: Node, name: str) -> None:
    """The writers that a service hosts begin anew."""
    for writer in node.writers:
        if writer.service == name:
            writer.instance = world.guid()
            writer.set(1)
    known = {writer.id for writer in node.writers}
    for title, id_ in BY_SERVICE.get(name, ()):
        if id_ not in known:
            node.writers.append(Writer(title, id_, world.guid(), name))


def _pending(node: Node, service: Service, seconds: float) -> Process:
    """The checkpoint grows every second while the service works on it."""
    state, left = service.state, seconds
    while left > 0 and service.state == state:
        yield min(1.0, left)
        left -= 1.0
        service.checkpoint += 1
    node.touch()


def _set(node: Node, service: Service, state: str, started: float | None) -> None:
    service.state, service.started = state, started
    service.checkpoint = service.wait_hint = service.exit_code = 0
    node.touch()


def _watch(world: World, node: Node, service: Service, stop: int) -> Process:
    """The resource monitor gives up on VMs whose VMMS does not answer: their roles start elsewhere (§7)."""
    while not service.running and service.stops == stop and not node.faults.down:
        online = [vm for vm in node.vms.values() if vm.role is not None and vm.running]
        if online:
            events.emit(world, node, events.SYSTEM, 1230, ResourceName=f"Virtual Machine {online[0].name}")
            events.emit(world, node, events.SYSTEM, 1146)
            fail_over(world, online, f"VMMS of {node.name} did not answer for {PATIENCE:.0f} s", 2.0)
            return
        yield 10.0
