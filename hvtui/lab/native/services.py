"""Services on the native engine: Get-HvTuiService, and what Stop- and Start-HvTuiService do."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from hvtui.lab.native.change import Change, Refusal
from hvtui.lab.native.problems import Trouble, part_trouble, problem
from hvtui.lab.native.stream import stamp, wire
from hvtui.lab.world import actions
from hvtui.lab.world.node import Node
from hvtui.lab.world.processes import Installed, process_id
from hvtui.lab.world.processes import services as installed
from hvtui.lab.world.world import World
from hvtui.model.enums import DrainStatus, NodeState
from hvtui.remote.contract import WIRE

ACCESS_DENIED: Final = 2
"""Return value: the user does not have the necessary access."""
_CONTROL_SECONDS: Final = 10
"""The deadline of a stop and a start."""
_TIMED_OUT: Final = 7
"""Return value of StopService and StartService: the service took the request and did not get on in time."""


def _absent(name: str) -> Trouble:
    return Trouble("missing", f"Win32_Service '{name}' gave no answer to take the value from", "")


def find(node: Node, name: str) -> Installed | None:
    """A service by its name, when it is installed."""
    return next((one for one in installed(node) if one.name.lower() == name.lower()), None)


def _started(world: World, node: Node, one: Installed) -> str | None:
    """When its process began, as the wire writes it."""
    if not process_id(node, one) or one.service.started is None:
        return None
    return stamp(world.on_clock(node, one.service.started))


def dependents(node: Node, one: Installed) -> list[str]:
    """Running services that depend on it."""
    running = (find(node, name) for name in one.service.dependents)
    return [other.name for other in running if other is not None and other.service.state != "Stopped"]


def service(world: World, node: Node, name: str, cpu_ms: int = 0) -> str:
    """Get-HvTuiService."""
    answer: dict[str, Any] = {
        "v": WIRE,
        "time": stamp(world.time_of(node)),
        "cpu_ms": cpu_ms,
        "name": name,
        "state": None,
        "process_id": None,
        "started": None,
        "checkpoint": None,
        "wait_hint": None,
        "exit_code": None,
        "dependents": None,
        "errors": [],
    }
    one = find(node, name)
    trouble = part_trouble(node, "host.vmms")
    if trouble is not None:
        answer["errors"].append(problem("service", trouble))
    elif one is None:
        answer["errors"].append(problem("service", _absent(name)))
    else:
        answer |= {
            "state": one.service.state,
            "process_id": process_id(node, one),
            "started": _started(world, node, one),
            "checkpoint": one.service.checkpoint,
            "wait_hint": one.service.wait_hint,
            "exit_code": one.service.exit_code,
        }
    if one is not None:
        answer["dependents"] = dependents(node, one)
    else:
        answer["errors"].append(problem("dependents", _no_service(name)))
    return wire(answer).decode()


def _no_service(name: str) -> Trouble:
    return Trouble("other", f"Cannot find any service with service name '{name}'.", "")


def _now(change: Change, one: Installed) -> dict[str, str | int | None]:
    return {
        "state": one.service.state,
        "process_id": process_id(change.node, one),
        "started": _started(change.world, change.node, one),
    }


def _seen(change: Change, values: dict[str, Any]) -> Installed:
    """The service, when it is as the plan saw it."""
    node, name = change.node, str(values["Name"])
    one = find(node, name)
    trouble = part_trouble(node, "host.vmms")
    if trouble is not None or one is None:
        raise change.unread("service", trouble or _absent(name))
    change.before |= _now(change, one)
    change.expect("state", values["ExpectState"], one.service.state)
    change.expect("process_id", values["ExpectProcessId"], process_id(node, one))
    change.expect("started", _milliseconds(values["ExpectStarted"]), _started(change.world, node, one) or "")
    return one


def _milliseconds(text: str) -> str:
    """A time of the plan in the form of the wire."""
    if not text:
        return ""
    whole, _, part = text.removesuffix("Z").partition(".")
    moment = datetime.fromisoformat(whole).replace(tzinfo=UTC, microsecond=int(part[:3].ljust(3, "0")) * 1000)
    return stamp(moment)


async def stop_service(change: Change, values: dict[str, Any]) -> None:
    """Stop-HvTuiService."""
    one = _seen(change, values)
    if one.service.state != "Running":
        raise Refusal("forbidden", f"a service that is {one.service.state} is not stopped")
    if one.name == "vmms":
        await _drained(change)
    else:
        running = dependents(change.node, one)
        if running:
            raise Refusal("forbidden", f"services that depend on it run: {', '.join(running)}")
    await _no_jobs(change)
    _control(change, one, "StopService")


async def start_service(change: Change, values: dict[str, Any]) -> None:
    """Start-HvTuiService: the way back is held by nothing but what it touches."""
    one = _seen(change, values)
    if one.service.state != "Stopped":
        raise Refusal("forbidden", f"a service that is {one.service.state} is not started")
    _control(change, one, "StartService")


async def _drained(change: Change) -> None:
    """VMMS is stopped only on a node that is drained and has no VM of the cluster left."""
    node = change.node
    await change.ask_cluster("nodes")
    trouble = part_trouble(node, "nodes")
    if trouble is not None:
        raise change.unread("nodes", trouble)
    change.before |= {"node_state": int(node.state), "drain": int(node.drain)}
    if node.state != NodeState.Paused or node.drain != DrainStatus.Completed:
        raise Refusal("forbidden", "the node is not paused with its drain completed")
    await change.ask_machines("vms")
    trouble = part_trouble(node, "vms")
    if trouble is not None:
        raise change.unread("vms", trouble)
    if node.vms:
        await change.ask_cluster("roles")
        trouble = part_trouble(node, "roles.vm")
        if trouble is not None:
            raise change.unread("roles", trouble)
    left = sum(vm.role is not None for vm in node.vms.values())
    change.before["vms"] = left
    if left:
        raise Refusal("forbidden", f"{left} VMs of the cluster are left on the node")


async def _no_jobs(change: Change) -> None:
    """Nothing of Hyper-V works on this node: backup, checkpoint, merge, migration."""
    await change.ask_machines("jobs")
    trouble = part_trouble(change.node, "jobs")
    if trouble is not None:
        raise change.unread("jobs", trouble)
    running = len(change.node.running_jobs())
    change.before["jobs"] = running
    if running:
        raise Refusal("busy", f"{running} jobs of Hyper-V run on the node")


def control(world: World, node: Node, name: str, method: str, *, asked: actions.Asked | None) -> int:
    """StopService or StartService of Win32_Service: its return value. Only administrators control services."""
    if "elevated" in node.faults.rights:
        return ACCESS_DENIED
    act = actions.stop_service if method.lower() == "stopservice" else actions.start_service
    return act(world, node, name, asked=asked)


def _control(change: Change, one: Installed, method: str) -> None:
    query = f"SELECT * FROM Win32_Service WHERE Name = '{one.name}'"  # noqa: S608 - WQL of a name of the contract
    returned: list[int] = []
    asked = change.asked
    change.run(
        f'Invoke-CimMethod -Query "{query}" -MethodName {method} -OperationTimeoutSec {_CONTROL_SECONDS}',
        lambda: returned.append(control(change.world, change.node, one.name, method, asked=asked)),
    )
    for value in returned:
        if value in {0, _TIMED_OUT}:
            change.outcome = "started"
        else:
            change.rule = "denied" if value == ACCESS_DENIED else "windows"
            change.text = f"{method} returned {value}"
        if value:
            change.code = str(value)
    change.after |= _now(change, one)
