"""The 2016+ way of backup: a Recovery checkpoint per VM, read, converted to a reference point, merged (§10.2).

The host's VSS writers stay stable all the time; only jobs, checkpoints and files tell.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from random import Random

from hvtui.lab.world import events
from hvtui.lab.world.clock import Process
from hvtui.lab.world.operations import end_job, merge, start_job, take_checkpoint
from hvtui.lab.world.scenario import RctPart, seconds
from hvtui.lab.world.vm import Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import JobType, OperationalStatus, SnapshotType


class RctRun:
    """One backup job over many VMs, some at a time."""

    def __init__(self, world: World, part: RctPart, chance: Random) -> None:
        self.world, self.part, self.chance = world, part, chance
        self.waiting: list[Vm] = []
        self.going = 0
        self.due = 0
        """VMs that are tried again later because their disks were not merged."""

    def schedule(self) -> Process:
        """Start the run, and again every `every`."""
        yield seconds(self.part.start)
        while True:
            self.waiting += [
                vm
                for vm in self.world.vms.values()
                if any(fnmatchcase(vm.name, pattern) for pattern in self.part.vms) and vm not in self.waiting
            ]
            while self.waiting or self.going or self.due:
                while self.waiting and self.going < self.part.parallel:
                    self.going += 1
                    self.world.scheduler.spawn(self._one(self.waiting.pop(0)))
                yield 2.0
            every = seconds(self.part.every)
            if not every:
                return
            yield every

    def _one(self, vm: Vm) -> Process:
        try:
            if _hindered(vm):
                yield 5.0
                self.waiting.append(vm)
            elif vm.unmerged:
                yield from self._not_merged(vm)
            else:
                yield from self._backup(vm)
        finally:
            self.going -= 1

    def _backup(self, vm: Vm) -> Process:
        world, node = self.world, vm.node
        copy = seconds(self.part.copy) * (0.5 + self.chance.random())
        freeze = 6.0 + 6.0 * self.chance.random()
        stuck = vm.running and (self._fails(vm) or bool(vm.full_volumes()))
        vm.lock(on=True)
        backup = start_job(world, node, vm, JobType.Backup, [(freeze, 10.0), (freeze + copy, 95.0)])
        snapshot = start_job(world, node, vm, JobType.Snapshot, [(2.0, 10.0), (freeze, 90.0)])
        vm.begin(OperationalStatus.CreatingSnapshot)
        yield 1.0
        guest = None
        if vm.running and vm.guest.freezes:
            # The usual stall at 10 %: the guest's writers freeze (§10.2).
            plan = [(1.0, 10.0)] if stuck else [(1.0, 10.0), (freeze, 100.0)]
            guest = start_job(world, node, vm, JobType.GuestVssSnapshot, plan)
        yield 45.0 if stuck else freeze
        vm.end(OperationalStatus.CreatingSnapshot)
        if stuck or not snapshot.running:
            for job in (guest, snapshot, backup):
                if job is not None:
                    end_job(world, job, error=32768)
            vm.lock(on=False)
            self._failed(vm)
            return
        if guest is not None:
            end_job(world, guest)
        rate = 20_000.0 + 900_000.0 * self.chance.random() if vm.running else 0.0
        checkpoint = take_checkpoint(world, vm, SnapshotType.Recovery, f"{vm.name} - Backup", saved=False, rate=rate)
        end_job(world, snapshot)
        vm.lock(on=False)
        vm.begin(OperationalStatus.BackingUpVirtualMachine)
        yield copy
        vm.end(OperationalStatus.BackingUpVirtualMachine)
        node = vm.node
        ended = backup.running
        end_job(world, backup)
        convert = start_job(world, node, vm, JobType.ConvertToReferencePoint, [(5.0, 100.0)])
        yield 5.0
        end_job(world, convert)
        merging = merge(world, vm, checkpoint, 15.0 + 45.0 * self.chance.random())
        if vm.held:
            world.scheduler.spawn(merging)
            self._later(vm)
            return
        yield from merging
        node = vm.node
        old = start_job(world, node, vm, JobType.DeleteReferencePoint, [(2.0, 100.0)])
        yield 2.0
        end_job(world, old)
        if ended:
            vm.last_backup = world.elapsed
            vm.touch()

    def _not_merged(self, vm: Vm) -> Process:
        """Hyper-V cannot put a layer on disks that are held: the product gives up, and tries again later."""
        world, node = self.world, vm.node
        vm.lock(on=True)
        vm.begin(OperationalStatus.CreatingSnapshot)
        job = start_job(world, node, vm, JobType.Snapshot, [(2.0, 10.0)])
        yield 12.0
        vm.end(OperationalStatus.CreatingSnapshot)
        end_job(world, job, error=32768)
        vm.lock(on=False)
        events.emit(world, node, events.VMMS, 18014, vm=vm)
        events.emit(world, node, events.VMMS, 18012, vm=vm)
        self._later(vm)

    def _later(self, vm: Vm) -> None:
        """The product comes back to it, however long the rest takes."""
        self.due += 1
        self.world.scheduler.after(seconds(self.part.retry), lambda: self._again(vm))

    def _again(self, vm: Vm) -> None:
        self.due -= 1
        self.waiting.append(vm)

    def _fails(self, vm: Vm) -> bool:
        return any(fnmatchcase(vm.name, pattern) for pattern in self.part.failing)

    def _failed(self, vm: Vm) -> None:
        """The guest did not freeze in time: two events, and the product tries again later."""
        world, node = self.world, vm.node
        error = "The writer's timeout expired between the Freeze and Thaw events."
        events.emit(world, node, events.VMMS, 10150, vm=vm, error=error, code="0x800423f2")
        events.emit(world, node, events.VMMS, 18012, vm=vm)
        world.scheduler.after(seconds(self.part.retry), lambda: self.waiting.append(vm))


def _hindered(vm: Vm) -> bool:
    """Nothing can be asked of it now."""
    node, role = vm.node, vm.role
    able = node.up and node.services["vmms"].running
    return not able or role is None or role.migration is not None or role.locked


def start(world: World, part: RctPart, name: str) -> None:
    """Start the backup job of a scenario."""
    run = RctRun(world, part, world.rng(f"rct {name}"))
    world.scheduler.spawn(run.schedule())
