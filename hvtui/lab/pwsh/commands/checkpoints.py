"""Commands that change VMs and their checkpoints: each does to the world what people do there."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from hvtui.lab.pwsh.cim.clustering import Group
from hvtui.lab.pwsh.commands import errors
from hvtui.lab.pwsh.commands.answer import Answer, Refused
from hvtui.lab.pwsh.commands.call import CommandCall, Handler
from hvtui.lab.pwsh.commands.changes import act
from hvtui.lab.pwsh.commands.cluster import group_record
from hvtui.lab.pwsh.commands.hyperv import chosen_vms, vm_record
from hvtui.lab.pwsh.commands.trouble import cluster_commands_answer
from hvtui.lab.world import actions
from hvtui.lab.world.vm import Checkpoint, Vm
from hvtui.model.enums import CheckpointType


def _do(change: Callable[[], object]) -> None:
    """Do it in the world; what it refuses is the command's error."""
    try:
        change()
    except actions.Refused as refused:
        text, id, number = refused.text, refused.id, refused.number
        raise Refused(errors.hyperv(text, id, target=refused.target, number=number)) from None


def _refuse(call: CommandCall, *known: str) -> None:
    """What this lab does not play is not done silently."""
    for name in call.parameters:
        if name not in {"VM", "Name", "Passthru", "AsJob", *known}:
            raise Refused(errors.unsupported(f"{call.command} -{name}"))


async def set_vm(call: CommandCall) -> Answer:
    """Set-VM -CheckpointType."""
    _refuse(call, "CheckpointType")
    vms = await chosen_vms(call)
    given = call.get("CheckpointType")
    kind = CheckpointType[given] if isinstance(given, str) and not given.isdigit() else CheckpointType(int(given))
    for vm in vms:
        _do(lambda vm=vm: actions.set_checkpoint_type(call.world, vm, kind, asked=call.asked))  # type: ignore[misc]
    call.world.changed()
    return Answer([vm_record(call, vm) for vm in vms] if call.get("Passthru") else [])


async def checkpoint_vm(call: CommandCall) -> Answer:
    """Checkpoint-VM: with -AsJob it returns at once, else when the checkpoint is there."""
    _refuse(call, "SnapshotName")
    vms, name = await chosen_vms(call), str(call.get("SnapshotName", ""))
    for vm in vms:
        _do(lambda vm=vm: actions.checkpoint(call.world, vm, name, asked=call.asked))  # type: ignore[misc]
    await _finish(call, vms)
    return Answer()


def _checkpoints(call: CommandCall) -> list[tuple[Vm, Checkpoint]]:
    """The checkpoints that -VMSnapshot gives, by their ids."""
    given = call.get("VMSnapshot")
    listed: list[Any] = given if isinstance(given, list) else [given]
    wanted = {str(one.get("Id", "")).lower() for one in listed if isinstance(one, dict)}
    found = [(vm, one) for vm in call.node.vms.values() for one in vm.checkpoints if one.id in wanted]
    if not wanted or len(found) < len(wanted):
        text = "Hyper-V was unable to find the checkpoint."
        raise Refused(errors.hyperv(text, "InvalidParameter", category="InvalidArgument"))
    return found


async def restore_checkpoint(call: CommandCall) -> Answer:
    """Restore-VMSnapshot -VMSnapshot."""
    return await _to_each(call, lambda vm, one: actions.apply_checkpoint(call.world, vm, one, asked=call.asked))


async def remove_checkpoint(call: CommandCall) -> Answer:
    """Remove-VMSnapshot -VMSnapshot."""
    return await _to_each(call, lambda vm, one: actions.remove_checkpoint(call.world, vm, one, asked=call.asked))


async def _to_each(call: CommandCall, change: Callable[[Vm, Checkpoint], object]) -> Answer:
    """Begin something with every checkpoint that was given."""
    _refuse(call, "VMSnapshot")
    await chosen_vms(call)
    found = _checkpoints(call)
    for vm, one in found:
        _do(partial(change, vm, one))
    await _finish(call, [vm for vm, _ in found])
    return Answer()


async def start_vm(call: CommandCall) -> Answer:
    """Start-VM."""
    _refuse(call)
    vms = await chosen_vms(call)
    for vm in vms:
        _do(lambda vm=vm: actions.start_vm(call.world, vm, "Start-VM", asked=call.asked))  # type: ignore[misc]
    await _finish(call, vms)
    return Answer()


async def _finish(call: CommandCall, vms: list[Vm]) -> None:
    """Without -AsJob a command ends when its work does."""
    call.world.changed()
    if not call.get("AsJob"):
        await call.wait_while(lambda: any(vm.busy for vm in vms))


async def start_group(call: CommandCall) -> Answer:
    """Start-ClusterGroup of a VM's role, with -Wait 0."""
    await cluster_commands_answer(call)
    for name in ("IgnoreLocked", "ChooseBestNode", "IgnoreAffinityRule", "Cluster"):
        if call.get(name) not in {None, False}:
            raise Refused(errors.unsupported(f"Start-ClusterGroup -{name}"))
    given = call.get("InputObject") or {}
    name = str(call.get("Name") or given.get("Name", ""))
    role = next((role for role in call.world.roles.values() if role.name.lower() == name.lower()), None)
    if role is None:
        raise Refused(errors.cluster_missing("group", name))
    vm = role.vm
    act(lambda: actions.start_vm(call.world, vm, "Start-ClusterGroup", asked=call.asked))
    call.world.changed()
    if int(call.get("Wait", -1)) != 0:
        await call.wait_while(lambda: not vm.running)
    return Answer([group_record(call.world, Group(role.id, role.name, 111, role=role))])


COMMANDS: Final[dict[str, Handler]] = {
    "Set-VM": set_vm,
    "Checkpoint-VM": checkpoint_vm,
    "Restore-VMSnapshot": restore_checkpoint,
    "Remove-VMSnapshot": remove_checkpoint,
    "Start-VM": start_vm,
    "Start-ClusterGroup": start_group,
}
