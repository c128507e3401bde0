"""Checkpoints as people ask Hyper-V for them, the type of the next ones, and the start of a VM (windows.md §2.2, §2.4).

A production checkpoint is made by the guest, whose writers or file systems are frozen for it, and holds no memory. A
guest that cannot: with `Production` the checkpoint is a standard one and nobody is told but the log, with
`ProductionOnly` there is none. What the log says besides event 18012 is unverified.
"""

from __future__ import annotations

from typing import Any, Final

from hvtui.lab.world import events
from hvtui.lab.world.actions.asking import Refused, note
from hvtui.lab.world.actions.moves import INVALID_STATE, LOCKED, begin
from hvtui.lab.world.clock import Process
from hvtui.lab.world.command_log import Asked
from hvtui.lab.world.guests import can_freeze
from hvtui.lab.world.harm import spoil
from hvtui.lab.world.jobs import Job
from hvtui.lab.world.moving import start, wake
from hvtui.lab.world.operations import end_job, merge, rest_on, start_job, take_checkpoint
from hvtui.lab.world.vm import GB, Checkpoint, Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import CheckpointType, JobType, OperationalStatus, SnapshotType, VmState

MOST: Final = 50
"""Checkpoints a VM may have (windows.md §2.2)."""
# HRESULTs of winerror.h: not supported, in use, quota, internal error, invalid state.
NOT_SUPPORTED: Final = 0x80070032
IN_USE: Final = 0x800700AA
QUOTA: Final = 0x80070718
INTERNAL: Final = 0x8007054F
WRONG_STATE: Final = 0x8007139F
_FAILED: Final = 32768
_ALIVE: Final = frozenset({VmState.Running, VmState.Paused})
_COLD: Final = frozenset({VmState.Off, VmState.Saved, VmState.SavedVendor})
_PRODUCTION: Final = frozenset({CheckpointType.Production, CheckpointType.ProductionOnly})
_FREEZE: Final = 8.0
_TIMES_OUT: Final = 45.0
_UNANSWERED: Final = 3.0
_MEMORY_RATE: Final = 2_000.0
"""MB of memory that are written to disk in a second."""
_MERGE_RATE: Final = 250_000_000.0


def set_checkpoint_type(world: World, vm: Vm, kind: int, *, asked: Asked | None = None) -> None:
    """Set-VM -CheckpointType: done at once. Raises Refused."""
    refusal = None
    if vm.set_fails:
        text = f"Failed to modify settings for virtual machine '{vm.name}'. {vm.set_fails}"
        refusal = Refused(text, INTERNAL, "OperationFailed", vm.name)
    elif kind in _PRODUCTION and not can_freeze(vm.config_version):
        text = f"The configuration version of '{vm.name}' does not support production checkpoints."
        refusal = Refused(text, NOT_SUPPORTED, "NotSupported", vm.name)
    elif _working(vm):
        refusal = _in_use(vm)
    _note(world, vm, "Set-VM", {"CheckpointType": int(kind)}, asked, refusal=refusal, done=True)
    vm.checkpoint_type = kind
    vm.touch()


def checkpoint(world: World, vm: Vm, name: str = "", *, asked: Asked | None = None) -> None:
    """Checkpoint-VM: begins, and its jobs tell how far it is. Raises Refused when Hyper-V does not even begin."""
    title = name or f"{vm.name} - ({world.now:%m/%d/%Y - %I:%M:%S %p})"
    _note(world, vm, "Checkpoint-VM", {"SnapshotName": title}, asked, refusal=_no_checkpoint(vm))
    begin(world, _take(world, vm, title))


def apply_checkpoint(world: World, vm: Vm, one: Checkpoint, *, asked: Asked | None = None) -> None:
    """Restore-VMSnapshot: begins; what the VM is now is not kept. Raises Refused."""
    refusal = _in_use(vm) if _working(vm) or _locked(vm) else None
    _note(world, vm, "Restore-VMSnapshot", {"VMSnapshot": one.id}, asked, refusal=refusal)
    begin(world, _apply(world, vm, one))


def remove_checkpoint(world: World, vm: Vm, one: Checkpoint, *, asked: Asked | None = None) -> None:
    """Remove-VMSnapshot: begins; its disks are merged afterwards. Raises Refused.

    Nothing stops somebody from removing what a backup is reading from at that moment.
    """
    reading = OperationalStatus.BackingUpVirtualMachine
    refusal = _in_use(vm) if _working(vm, besides=reading) or _locked(vm) else None
    _note(world, vm, "Remove-VMSnapshot", {"VMSnapshot": one.id}, asked, refusal=refusal)
    if one.type == SnapshotType.Recovery and reading in vm.busy:
        world.ledger.note(world.elapsed, "backup_broken", vm.name, "what it read from was removed")
        for job in [job for job in vm.node.running_jobs() if job.vm == vm.id and job.type == JobType.Backup]:
            end_job(world, job, error=_FAILED)
    begin(world, _remove(world, vm, one))


def start_vm(world: World, vm: Vm, command: str, *, asked: Asked | None = None) -> None:
    """Start-ClusterGroup for a clustered VM, Start-VM for another: begins. Raises Refused."""
    refusal = None
    if _locked(vm):
        assert vm.role is not None
        text = f"The operation was refused because the cluster group '{vm.role.name}' is locked."
        refusal = Refused(text, LOCKED, "ClusterGroupLocked", vm.role.name)
    elif vm.state not in _COLD or _working(vm):
        text = f"'{vm.name}' failed to start: it is not in a state to be started."
        refusal = Refused(text, INVALID_STATE if vm.role is not None else WRONG_STATE, "InvalidState", vm.name)
    _note(world, vm, command, {}, asked, refusal=refusal)
    begin(world, _start(world, vm))


# --- what stands against it ---


def cannot_freeze(vm: Vm) -> tuple[str, str] | None:
    """Why a guest makes no production checkpoint now, in words and as a code; None: it can."""
    if not can_freeze(vm.config_version):
        return "The configuration version of the virtual machine does not support it.", "0x80070032"
    if vm.state != VmState.Running:
        return "The virtual machine is paused.", "0x8007139f"
    if not vm.guest.enabled:
        return "The integration service for backup is disabled for the virtual machine.", "0x80070422"
    if not vm.guest.freezes:
        return "The integration service for backup does not answer inside the virtual machine.", "0x80070426"
    if vm.full_volumes():
        return "The writer experienced a transient error.", "0x800423f3"
    return None


def _no_checkpoint(vm: Vm) -> Refused | None:
    if vm.checkpoint_type == CheckpointType.Disabled:
        return Refused(f"Checkpoints have been disabled for '{vm.name}'.", NOT_SUPPORTED, "OperationFailed", vm.name)
    if len(vm.checkpoints) >= MOST:
        text = f"'{vm.name}' has the maximum number of checkpoints, {MOST}."
        return Refused(text, QUOTA, "OperationFailed", vm.name)
    device = _device(vm)
    if device:
        text = f"Checkpoints of '{vm.name}' are not supported: {device}."
        return Refused(text, NOT_SUPPORTED, "NotSupported", vm.name)
    return _in_use(vm) if _working(vm) or _locked(vm) or vm.state not in _ALIVE | _COLD else None


def _device(vm: Vm) -> str:
    """What a checkpoint cannot hold (windows.md §2.2)."""
    for found, text in (
        (vm.pass_through(), "a physical disk is attached"),
        (vm.shared, "a virtual disk is shared"),
        (vm.fibre_channel, "a virtual Fibre Channel adapter is attached"),
        (vm.gpu, "a GPU is assigned"),
    ):
        if found:
            return text
    return ""


def _working(vm: Vm, *, besides: int = 0) -> bool:
    """An operation runs on it; the merge of an earlier checkpoint is none that is in the way."""
    return any(one not in {OperationalStatus.MergingDisks, besides} for one in vm.busy)


def _locked(vm: Vm) -> bool:
    return vm.role is not None and vm.role.locked


def _in_use(vm: Vm) -> Refused:
    text = f"The operation cannot be performed while '{vm.name}' is in its current state."
    return Refused(text, IN_USE, "InvalidState", vm.name)


def _note(
    world: World,
    vm: Vm,
    command: str,
    values: dict[str, Any],
    asked: Asked | None,
    *,
    refusal: Refused | None,
    done: bool = False,
) -> None:
    """Write the command into the log; raises what stands against it."""
    outcome = "refused" if refusal is not None else "done" if done else "started"
    note(world, vm.node, command, vm.id, arguments={"VM": vm.id, **values}, asked=asked, outcome=outcome)
    if refusal is not None:
        raise refusal


# --- what goes on ---


def _take(world: World, vm: Vm, title: str) -> Process:
    node, alive = vm.node, vm.state in _ALIVE
    obstacle = cannot_freeze(vm) if alive and vm.checkpoint_type in _PRODUCTION else None
    production = alive and vm.checkpoint_type in _PRODUCTION
    vm.lock(on=True)
    vm.begin(OperationalStatus.CreatingSnapshot)
    waits = _FREEZE if obstacle is None else _TIMES_OUT if vm.full_volumes() else _UNANSWERED
    memory = vm.memory / _MEMORY_RATE
    span = waits if production and obstacle is None else waits + memory if production else memory if alive else 2.0
    job = start_job(world, node, vm, JobType.Snapshot, [(min(2.0, span), 10.0), (span, 90.0)])
    guest = None
    if production and vm.guest.freezes:
        plan = [(1.0, 10.0)] if obstacle is not None else [(1.0, 10.0), (_FREEZE, 100.0)]
        guest = start_job(world, node, vm, JobType.GuestVssSnapshot, plan)
    yield waits if production else span
    if guest is not None:
        end_job(world, guest, error=0 if obstacle is None else _FAILED)
    if obstacle is not None and job.running:
        error, code = obstacle
        events.emit(world, node, events.VMMS, 18016, vm=vm)
        if vm.checkpoint_type == CheckpointType.ProductionOnly:
            events.emit(world, node, events.VMMS, 10150, vm=vm, error=error, code=code)
            end_job(world, job, error=_FAILED)
        else:
            yield memory
    _taken(world, vm, job, title, saved=_holds_memory(vm, production=production and obstacle is None))


def _holds_memory(vm: Vm, *, production: bool) -> bool:
    return not production and vm.state != VmState.Off


def _taken(world: World, vm: Vm, job: Job, title: str, *, saved: bool) -> None:
    _over(vm, OperationalStatus.CreatingSnapshot)
    if vm.unmerged:
        end_job(world, job, error=_FAILED)
    if not job.running:
        # It was given up, VMMS ended with it, or the disks it would rest on are held.
        events.emit(world, vm.node, events.VMMS, 18012, vm=vm)
        return
    rate = 20_000.0 + 400_000.0 * world.scatter(vm.key, len(vm.checkpoints)) if vm.running else 0.0
    take_checkpoint(world, vm, SnapshotType.Standard, title, saved=saved, rate=rate)
    end_job(world, job)


def _over(vm: Vm, operation: OperationalStatus) -> None:
    vm.end(operation)
    vm.lock(on=False)


def _apply(world: World, vm: Vm, one: Checkpoint) -> Process:
    """A VM that runs is saved first, and started again only when the checkpoint holds memory (windows.md §2.4)."""
    node, alive = vm.node, vm.state in _ALIVE
    vm.lock(on=True)
    vm.begin(OperationalStatus.ApplyingSnapshot)
    job = start_job(world, node, vm, JobType.ApplySnapshot, [(6.0, 90.0)])
    if alive:
        vm.set_state(VmState.Saving)
        yield 3.0
        vm.started = None
        vm.set_state(VmState.Saved)
    yield 3.0
    _over(vm, OperationalStatus.ApplyingSnapshot)
    if not job.running or one not in vm.checkpoints:
        end_job(world, job, error=_FAILED)
        return
    spoil(world, vm, "another checkpoint was applied")
    rest_on(world, vm, one, 20_000.0)
    vm.started = None
    vm.set_state(VmState.Saved if one.saved else VmState.Off)
    end_job(world, job)
    if one.saved and vm.guest.remembers:
        text = f"the memory of {world.elapsed - one.created:.0f} s ago was brought back"
        world.ledger.note(world.elapsed, "stale_memory", vm.name, text)
    if one.saved and alive:
        yield from _start(world, vm)


def _remove(world: World, vm: Vm, one: Checkpoint) -> Process:
    job = start_job(world, vm.node, vm, JobType.DeleteSnapshot, [(1.5, 100.0)])
    vm.begin(OperationalStatus.DeletingSnapshot)
    yield 1.5
    vm.end(OperationalStatus.DeletingSnapshot)
    if not job.running:
        return
    end_job(world, job)
    size = sum(layer.size(world.elapsed) for disk in vm.disks for layer in disk.layers[-1:])
    yield from merge(world, vm, one, min(900.0, 10.0 + min(size, 200 * GB) / _MERGE_RATE))


def _start(world: World, vm: Vm) -> Process:
    if vm.state == VmState.Off:
        yield from start(world, vm)
        return
    # What was saved goes on where it was.
    yield from wake(world, vm, 3.0)
