"""Checkpoints on the native engine: the list, what takes, applies and removes one, and the start of a VM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from hvtui.lab.native.change import Change, Refusal
from hvtui.lab.native.problems import Trouble, hyperv_trouble, part_trouble, problem
from hvtui.lab.native.roles import ask_hyperv, read_free_vm
from hvtui.lab.native.stream import stamp, wire
from hvtui.lab.world import actions
from hvtui.lab.world.node import Node
from hvtui.lab.world.vm import Checkpoint, Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import CheckpointType, SnapshotType, VmState
from hvtui.remote.contract import WIRE

_COLD: Final = frozenset({VmState.Off, VmState.Saved, VmState.SavedVendor})
_AT_REST: Final = _COLD | {VmState.Running, VmState.Paused, VmState.PausedVendor}
_REMOVABLE: Final = frozenset({SnapshotType.Standard, SnapshotType.Recovery})


def checkpoints(world: World, node: Node, id: str, cpu_ms: int = 0) -> str:
    """Get-HvTuiCheckpoint."""
    id = id.lower()
    answer: dict[str, Any] = {
        "v": WIRE,
        "time": stamp(world.time_of(node)),
        "cpu_ms": cpu_ms,
        "node": node.name,
        "vm": id,
        "name": None,
        "state": None,
        "checkpoint_type": None,
        "current": None,
        "checkpoints": None,
        "errors": [],
    }
    trouble = hyperv_trouble(node) or part_trouble(node, "vms")
    vm = node.vms.get(id)
    if trouble is None and vm is None:
        trouble = Trouble("missing", f"{node.name} has no VM {id}", "")
    if trouble is not None or vm is None:
        assert trouble is not None
        answer["errors"].append(problem("vms", trouble))
        return wire(answer).decode()
    answer |= {"name": vm.name, "state": int(vm.state)}
    trouble = part_trouble(node, "vms.checkpoints")
    if trouble is not None:
        answer["errors"].append(problem("checkpoints", trouble))
    else:
        listed = [_listed(world, node, one) for one in vm.checkpoints]
        answer |= {"checkpoint_type": int(vm.checkpoint_type), "current": vm.current, "checkpoints": listed}
    return wire(answer).decode()


def _listed(world: World, node: Node, one: Checkpoint) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "type": int(one.type),
        "saved": one.saved,
        "created": stamp(world.on_clock(node, one.created)),
        "parent": one.parent,
        "automatic": False,
    }


# --- changes ---


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _run(change: Change, vm: Vm, command: str, act: Callable[[], object]) -> None:
    if change.run(command, act):
        change.outcome = "started"
    change.after |= {"state": int(vm.state), "operational": ",".join(str(int(number)) for number in vm.operational())}


async def new_checkpoint(change: Change, values: dict[str, Any]) -> None:
    """New-HvTuiCheckpoint."""
    id, name, asked = str(values["VMId"]).lower(), str(values["Name"]), change.asked
    vm = await read_free_vm(change, id, values["ExpectState"])
    change.before["checkpoint_type"] = int(vm.checkpoint_type)
    change.expect("checkpoint_type", values["ExpectType"], int(vm.checkpoint_type))
    if vm.checkpoint_type == CheckpointType.Disabled:
        raise Refusal("forbidden", "checkpoints are disabled for this VM")
    if vm.state not in _AT_REST:
        raise Refusal("forbidden", f"no checkpoint is taken of a VM in state {int(vm.state)}")
    command = f"Checkpoint-VM -VM {id} -SnapshotName {_quoted(name)} -AsJob"
    _run(change, vm, command, lambda: actions.checkpoint(change.world, vm, name, asked=asked))


def _chosen(change: Change, vm: Vm, id: str) -> Checkpoint:
    """One of the VM's checkpoints, by its id."""
    ask_hyperv(change, "checkpoints", "Get-VMSnapshot")
    one = next((one for one in vm.checkpoints if one.id == id), None)
    if one is None:
        raise Refusal("expect.checkpoint", f"the VM has no checkpoint {id}")
    change.before |= {
        "checkpoint": one.name,
        "type": int(one.type),
        "saved": int(one.saved),
        "children": sum(other.parent == id for other in vm.checkpoints),
    }
    return one


async def restore_checkpoint(change: Change, values: dict[str, Any]) -> None:
    """Restore-HvTuiCheckpoint."""
    id, wanted, asked = str(values["VMId"]).lower(), str(values["CheckpointId"]).lower(), change.asked
    vm = await read_free_vm(change, id, values["ExpectState"])
    one = _chosen(change, vm, wanted)
    change.expect("saved", values["ExpectSaved"], int(one.saved))
    if one.type != SnapshotType.Standard:
        raise Refusal("forbidden", f"a checkpoint of type {int(one.type)} is not applied")
    if vm.state not in _AT_REST:
        raise Refusal("forbidden", f"no checkpoint is applied to a VM in state {int(vm.state)}")
    command = f"Restore-VMSnapshot -VMSnapshot {wanted} -AsJob -Confirm:$false"
    _run(change, vm, command, lambda: actions.apply_checkpoint(change.world, vm, one, asked=asked))


async def remove_checkpoint(change: Change, values: dict[str, Any]) -> None:
    """Remove-HvTuiCheckpoint."""
    id, wanted, asked = str(values["VMId"]).lower(), str(values["CheckpointId"]).lower(), change.asked
    vm = await read_free_vm(change, id)
    one = _chosen(change, vm, wanted)
    change.expect("type", values["ExpectType"], int(one.type))
    change.expect("children", values["ExpectChildren"], change.before["children"])
    if one.type not in _REMOVABLE:
        raise Refusal("forbidden", f"a checkpoint of type {int(one.type)} is not removed")
    command = f"Remove-VMSnapshot -VMSnapshot {wanted} -AsJob -Confirm:$false"
    _run(change, vm, command, lambda: actions.remove_checkpoint(change.world, vm, one, asked=asked))


async def start_vm(change: Change, values: dict[str, Any]) -> None:
    """Start-HvTuiVM: a clustered VM is brought online by its role."""
    id, asked = str(values["VMId"]).lower(), change.asked
    vm = await read_free_vm(change, id, values["ExpectState"])
    if vm.state not in _COLD:
        raise Refusal("forbidden", f"a VM in state {int(vm.state)} is not started")
    if vm.role is not None:
        name, command = "Start-ClusterGroup", f"Get-ClusterGroup -VMId {id} | Start-ClusterGroup -Wait 0"
    else:
        name, command = "Start-VM", f"Start-VM -VM {id} -AsJob"
    _run(change, vm, command, lambda: actions.start_vm(change.world, vm, name, asked=asked))
