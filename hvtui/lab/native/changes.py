"""What the mutating functions do on the native engine: read again, compare, run one command, read what became of it."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final, Protocol

from hvtui.lab.native.change import Change, Refusal, Wait
from hvtui.lab.native.checkpoint_types import change_types
from hvtui.lab.native.checkpoints import new_checkpoint, remove_checkpoint, restore_checkpoint, start_vm
from hvtui.lab.native.problems import part_trouble
from hvtui.lab.native.roles import must_be_free, read_role, read_vm
from hvtui.lab.native.services import start_service, stop_service
from hvtui.lab.native.vss_access import remove_entry, set_entry
from hvtui.lab.world import actions
from hvtui.lab.world.node import Node
from hvtui.lab.world.vm import Role
from hvtui.lab.world.world import World
from hvtui.model.enums import DrainStatus, GroupStatus, MigrationState, NodeState, NodeStatus, VmState

_LIVE: Final = frozenset({VmState.Running, VmState.Paused, 32768})
_QUICK: Final = frozenset({VmState.Off, VmState.Saved, VmState.SavedVendor})
_UNFIT: Final = NodeStatus.Isolated | NodeStatus.Quarantined | NodeStatus.DrainInProgress
RIVAL_SECONDS: Final = 6.0
"""How long a node waits for another one, that drains since the same moment and has the higher id, to stand down."""
_MOVING: Final = frozenset({MigrationState.Setup, MigrationState.DataTransfer, MigrationState.Move})


async def run(world: World, node: Node, function: str, values: dict[str, Any], *, wait: Wait, cpu_ms: int = 0) -> str:
    """Run a mutating function of the contract and give its answer."""
    change = Change(world, node, function, values["OperationId"], values["Actor"], wait, cpu_ms)
    try:
        await _FUNCTIONS[function](change, values)
    except Refusal as refusal:
        change.rule, change.text = refusal.rule, refusal.text
    return change.answer()


# --- reading ---


def up(node: Node) -> bool:
    """It can take roles: Up, not isolated, not quarantined, not draining."""
    return node.state == NodeState.Up and not node.status & _UNFIT and node.drain != DrainStatus.InProgress


async def _nodes(change: Change) -> dict[str, Node]:
    await change.ask_cluster("nodes")
    trouble = part_trouble(change.node, "nodes")
    if trouble is not None:
        raise change.unread("nodes", trouble)
    return {name.lower(): node for name, node in change.world.nodes.items()}


def _target(change: Change, nodes: dict[str, Node], name: str, owner: Node) -> Node:
    target = nodes.get(name.lower())
    if target is None:
        raise Refusal("expect.target", f"the cluster has no node '{name}'")
    change.before |= {
        "target": target.name,
        "target_state": int(target.state),
        "target_status": int(target.status),
        "target_drain": int(target.drain),
    }
    if target is owner:
        raise Refusal("forbidden", f"it is on {target.name} already")
    if not up(target):
        raise Refusal("expect.target", f"{target.name} takes no roles now")
    return target


def _role_after(change: Change, role: Role) -> None:
    change.after |= {
        "owner": role.owner.name,
        "role_status": int(role.status),
        "migration_state": int(role.migration_state),
    }


# --- VMs ---


async def _move_vm(change: Change, values: dict[str, Any]) -> None:
    id = str(values["VMId"]).lower()
    nodes = await _nodes(change)
    role = await read_role(change, id)
    change.expect("owner", values["ExpectOwner"], role.owner.name)
    vm = await read_vm(change, id)
    change.expect("state", values["ExpectState"], int(vm.state))
    if vm.state not in _LIVE | _QUICK:
        raise Refusal("forbidden", f"a VM in state {int(vm.state)} is not moved")
    kind = "Live" if vm.state in _LIVE else "Quick"
    must_be_free(role, vm)
    target = _target(change, nodes, values["Node"], role.owner)
    command = f"Move-ClusterVirtualMachineRole -VMId {id} -Node {target.name} -MigrationType {kind} -Wait 0"
    asked = change.asked
    if change.run(command, lambda: actions.move_role(change.world, vm, target, kind, asked=asked)):
        change.outcome = "started"
    _role_after(change, role)


async def _stop_move(change: Change, values: dict[str, Any]) -> None:
    id = str(values["VMId"]).lower()
    role = await read_role(change, id)
    change.expect("owner", values["ExpectOwner"], role.owner.name)
    change.before["migration_state"] = int(role.migration_state)
    if role.migration_state not in _MOVING and not role.status & GroupStatus.Queued:
        raise Refusal("expect.migration", "no migration of this VM runs")
    command = f"Move-ClusterVirtualMachineRole -VMId {id} -Cancel -Wait 0"
    asked = change.asked
    if change.run(command, lambda: actions.cancel_move(change.world, role.vm, asked=asked)):
        change.outcome = "started"
    _role_after(change, role)


# --- nodes ---


def _others_up(change: Change) -> list[Node]:
    found = [node for node in change.world.nodes.values() if node is not change.node and up(node)]
    return sorted(found, key=lambda node: node.name.upper())


def _node_now(node: Node) -> dict[str, str | int | None]:
    return {"state": int(node.state), "drain": int(node.drain)}


async def _own_node(change: Change, values: dict[str, Any]) -> None:
    await _nodes(change)
    if not re.fullmatch("[0-9A-Za-z_-]{1,63}", change.node.name):
        raise Refusal("forbidden", "a node of such a name is not changed")
    change.before |= _node_now(change.node)
    change.expect("state", values["ExpectState"], int(change.node.state))
    change.expect("drain", values["ExpectDrain"], int(change.node.drain))


async def _suspend_node(change: Change, values: dict[str, Any]) -> None:
    world, node = change.world, change.node
    await _own_node(change, values)
    others = _others_up(change)
    names = ",".join(other.name for other in others)
    change.before["up"] = names
    change.expect("up", ",".join(sorted(filter(None, values["ExpectUp"].split(",")), key=str.upper)), names)
    if not others:
        raise Refusal("forbidden", "no other node is Up")
    again = node.state == NodeState.Paused and node.drain in {DrainStatus.NotInitiated, DrainStatus.Failed}
    if node.state != NodeState.Up and not again:
        raise Refusal("forbidden", f"a node in state {int(node.state)} with drain {int(node.drain)} is not drained")
    asked = change.asked
    command = f"Suspend-ClusterNode -Name {node.name} -Drain"
    if not change.run(command, lambda: actions.suspend(world, node, drain=True, asked=asked)):
        change.after |= _node_now(node)
        return
    change.outcome = "started"
    rivals = [other for other in others if _draining(other)]
    if rivals:
        gave_way = all(rival.number > node.number for rival in rivals)
        if gave_way:
            # The one with the higher id stands down; seen from here it must have done so.
            await change.wait(lambda: any(_draining(rival) for rival in rivals), RIVAL_SECONDS)
            gave_way = not any(_draining(rival) for rival in rivals)
        if not gave_way:
            _stand_down(change, rivals)
    change.after |= _node_now(node)
    change.after["up"] = ",".join(other.name for other in _others_up(change))


def _draining(node: Node) -> bool:
    return node.state == NodeState.Paused or node.drain == DrainStatus.InProgress


def _stand_down(change: Change, rivals: list[Node]) -> None:
    node, asked = change.node, change.asked
    names = ",".join(rival.name for rival in rivals)
    drained = change.command
    resumed = change.run(
        f"Resume-ClusterNode -Name {node.name} -Failback NoFailback",
        lambda: actions.resume_node(change.world, node, failback=False, asked=asked),
    )
    change.command = f"{drained}; {change.command}"
    if resumed:
        change.outcome, change.rule = "refused", "stood_down"
        change.text = f"a drain of {names} began at the same moment; this node was resumed"
    else:
        why = change.text
        change.text = f"a drain of {names} began at the same moment, and this node could not be resumed: {why}"


async def _resume_node(change: Change, values: dict[str, Any]) -> None:
    node = change.node
    await _own_node(change, values)
    if node.state != NodeState.Paused:
        raise Refusal("forbidden", f"a node in state {int(node.state)} is not resumed")
    failback = values["Failback"]
    asked = change.asked
    command = f"Resume-ClusterNode -Name {node.name} -Failback {failback}"
    immediate = failback == "Immediate"
    if change.run(command, lambda: actions.resume_node(change.world, node, failback=immediate, asked=asked)):
        change.outcome = "started"
        if not immediate and node.state == NodeState.Up:
            change.outcome = "done"
    change.after |= _node_now(node)


# --- CSVs ---


async def _move_csv(change: Change, values: dict[str, Any]) -> None:
    id = str(values["CsvId"]).lower()
    nodes = await _nodes(change)
    await change.ask_cluster("csvs", cmdlet=True)
    trouble = part_trouble(change.node, "csvs")
    if trouble is not None:
        raise change.unread("csvs", trouble)
    csv = next((one for one in change.world.csvs.values() if one.resource_id == id), None)
    if csv is None:
        raise Refusal("expect.csv", f"the cluster has no CSV {id}")
    trouble = part_trouble(change.node, "csvs.fault")
    if trouble is not None:
        raise change.unread("csvs.fault", trouble)
    change.before |= {"owner": csv.owner.name, "state": int(csv.state), "backup": int(csv.backup)}
    change.expect("owner", values["ExpectOwner"], csv.owner.name)
    target = _target(change, nodes, values["Node"], csv.owner)
    if csv.backup:
        raise Refusal("busy", "a backup of the volume runs")
    asked = change.asked
    found = f"Get-ClusterSharedVolume | Where-Object -Property Id -EQ -Value {id}"
    command = f"{found} | Move-ClusterSharedVolume -Node {target.name} -Wait 0"
    if change.run(command, lambda: actions.move_volume(change.world, csv, target, asked=asked)):
        change.outcome = "done" if csv.owner is target else "started"
    change.after["owner"] = csv.owner.name


class Lines(Protocol):
    """A stream that is neither a picture nor endless: its lines, each when it is so; closed, it ends between two."""

    def __call__(
        self, world: World, node: Node, values: dict[str, Any], *, wait: Wait, cpu_ms: int = 0
    ) -> AsyncGenerator[str, None]:
        """The lines of one call."""


STREAMS: Final[dict[str, Lines]] = {"Set-HvTuiCheckpointType": change_types}
Runner = Callable[[Change, dict[str, Any]], Awaitable[None]]
_FUNCTIONS: Final[dict[str, Runner]] = {
    "Move-HvTuiVM": _move_vm,
    "Stop-HvTuiMove": _stop_move,
    "Suspend-HvTuiNode": _suspend_node,
    "Resume-HvTuiNode": _resume_node,
    "Move-HvTuiCsv": _move_csv,
    "New-HvTuiCheckpoint": new_checkpoint,
    "Restore-HvTuiCheckpoint": restore_checkpoint,
    "Remove-HvTuiCheckpoint": remove_checkpoint,
    "Start-HvTuiVM": start_vm,
    "Stop-HvTuiService": stop_service,
    "Start-HvTuiService": start_service,
    "Set-HvTuiVssAccess": set_entry,
    "Remove-HvTuiVssAccess": remove_entry,
}
