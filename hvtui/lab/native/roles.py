"""A VM and its role, read again in the call that changes them, and what must not be going on with them."""

from __future__ import annotations

from typing import Final

from hvtui.lab.native.change import Change, Refusal
from hvtui.lab.native.problems import hyperv_command, part_trouble
from hvtui.lab.world.vm import Role, Vm
from hvtui.model.enums import GroupStatus

_BUSY: Final = range(32768, 32781)
"""Codes of OperationalStatus: checkpoint, merge, export, migration, backup, modification, storage migration."""


async def read_role(change: Change, id: str) -> Role:
    """The role of a VM, by the VM's GUID."""
    await change.ask_cluster("role", cmdlet=True)
    trouble = part_trouble(change.node, "role")
    if trouble is not None:
        raise change.unread("role", trouble)
    found = next((role for role in change.world.roles.values() if role.vm.id == id), None)
    if found is None:
        raise Refusal("expect.role", f"no role of the cluster has the VM {id}")
    change.before |= {"owner": found.owner.name, "role_status": int(found.status)}
    return found


async def read_vm(change: Change, id: str) -> Vm:
    """A VM of this node."""
    await change.ask_machines("vms")
    trouble = part_trouble(change.node, "vms")
    if trouble is not None:
        raise change.unread("vms", trouble)
    vm = change.node.vms.get(id)
    if vm is None:
        raise Refusal("expect.owner", f"{change.node.name} has no VM {id}")
    operational = ",".join(str(int(number)) for number in vm.operational())
    change.before |= {"state": int(vm.state), "operational": operational}
    return vm


def must_be_free(role: Role | None, vm: Vm) -> None:
    """Nothing works on a VM and its role; raises Refusal."""
    if role is not None and role.status & GroupStatus.Locked:
        raise Refusal("busy", "the role is locked")
    if role is not None and role.status & GroupStatus.Queued:
        raise Refusal("busy", "the role waits for a move")
    for number in vm.operational():
        if int(number) in _BUSY:
            raise Refusal("busy", f"operation {int(number)} runs on the VM")


async def read_free_vm(change: Change, id: str, state: int = -1) -> Vm:
    """A VM of this node on which, and on whose role, nothing works; in a state, when one is given."""
    vm = await read_vm(change, id)
    if state >= 0:
        change.expect("state", state, int(vm.state))
    ask_hyperv(change, "vms", "Get-VM")
    role = None
    if vm.role is not None:
        # A cmdlet has no deadline: it is asked only when the cluster service answered within one.
        await change.ask_cluster("role")
        role = await read_role(change, id)
    must_be_free(role, vm)
    return vm


def ask_hyperv(change: Change, part: str, command: str) -> None:
    """A command of Hyper-V answers; raises Refusal."""
    trouble = hyperv_command(part_trouble(change.node, command))
    if trouble is not None:
        raise change.unread(part, trouble)
