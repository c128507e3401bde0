"""Backup of a host's VMs through its Hyper-V VSS writer (windows.md §10.1), and how it gets stuck (mission S3, S4)."""

from __future__ import annotations

from typing import Final

from hvtui.lab.world import events
from hvtui.lab.world.clock import Process
from hvtui.lab.world.jobs import Job
from hvtui.lab.world.node import SHIPPED, Node, access_of
from hvtui.lab.world.operations import end_job, start_job
from hvtui.lab.world.processes import vss_process
from hvtui.lab.world.scenario import HostBackupPart, seconds
from hvtui.lab.world.storage import Csv
from hvtui.lab.world.vm import Vm
from hvtui.lab.world.world import World
from hvtui.lab.world.writers import (
    IN_BACKUP,
    RETRYABLE,
    SYSTEM_WRITER,
    UNEXPECTED,
    WAITING_FOR_COMPLETION,
    WAITING_FOR_FREEZE,
    WAITING_FOR_POST_SNAPSHOT,
    WAITING_FOR_THAW,
    Shadow,
)
from hvtui.model.enums import JobType, OperationalStatus, VmState

_PREPARE: Final = 6.0
_GUESTS: Final = 14.0
_HARDWARE: Final = 3
"""Type of a hardware provider."""
_FREEZE: Final = 8.0
_POST: Final = 6.0
_LOOK: Final = 5.0


class HostBackup:
    """The backup product's job for one node; pending after a failure until a retry succeeds or somebody kills it."""

    def __init__(self, world: World, node: Node, part: HostBackupPart) -> None:
        self.world, self.node, self.part = world, node, part
        self.running = False
        self.pending = False
        self.due = 0.0
        """When it runs next; looked at every few seconds, so that a person can change it."""
        self._run = 0
        self._held: list[Csv] = []
        self._jobs: list[Job] = []
        self._saved: list[Vm] = []
        self._members: set[str] = set()
        """VMs that are in the run."""
        self._failed: set[str] = set()
        """VMs for which the last run failed."""
        self._shadows: list[Shadow] = []

    def schedule(self, delay: float) -> Process:
        """Run after `delay`, retry while pending, and again every `every`."""
        self.due = self.world.elapsed + delay
        while True:
            while (left := self.due - self.world.elapsed) > 0.0005:
                yield min(_LOOK, left)
            self.due = self.world.elapsed + seconds(self.part.every)
            yield from self._attempt()
            if self.pending:
                self.due = self.world.elapsed + seconds(self.part.retry)

    def start_now(self) -> None:
        """Somebody starts or resumes the job in the backup product."""
        if not self.running:
            self.due = self.world.elapsed

    def kill(self) -> None:
        """Somebody ends the job in the backup product; the next run is the next one of its schedule.

        A writer that was stuck stays in [5], now with an unexpected error, and the callback error of S4 appears
        beside it (mission S3). One that was not stuck is told to abort and is stable again.
        """
        if not (self.running or self.pending):
            return
        self._run += 1
        self.running = self.pending = False
        self._failed = set()
        self.due = self.world.elapsed + seconds(self.part.every)
        for job in self._jobs:
            end_job(self.world, job, error=32768)
        self._release()
        writer = self.node.hyperv_writer
        if writer.error == RETRYABLE:
            writer.set(WAITING_FOR_COMPLETION, UNEXPECTED)
            self._callback_error()
        elif writer.error != UNEXPECTED:
            writer.set(1)
        self._others_stable()

    def break_off(self) -> None:
        """The host went down in the middle; the job waits for it."""
        self._run += 1
        self._release()
        self.pending = self.pending or self.running
        self.running = False

    def leave(self, vm: Vm) -> bool:
        """A VM goes to another host; true when it was in a run that will do without it."""
        if not self.running or vm.id not in self._members:
            return False
        self._members.discard(vm.id)
        return True

    def interrupt(self) -> bool:
        """Something that the run needs is gone; the job is pending. False when none ran."""
        if not self.running:
            return False
        self._run += 1
        for job in self._jobs:
            end_job(self.world, job, error=32768)
        if self.node.hyperv_writer.error not in {RETRYABLE, UNEXPECTED}:
            self.node.hyperv_writer.set(1)
        self._lost()
        return True

    def _others_stable(self) -> None:
        for other in self.node.writers:
            if other is not self.node.hyperv_writer:
                other.set(1)

    # --- one run ---

    def _attempt(self) -> Process:
        """One run; ends early when the job was killed or VMMS went away meanwhile."""
        node = self.node
        self._run += 1
        run = self._run
        if self._hindered():
            return
        self.running = True
        broken = node.hyperv_writer.error == UNEXPECTED
        if self.part.callback_denied or broken:
            self._callback_error()
        self._writer_refused()
        if broken:
            # A writer in a bad state fails at once and stays so: only a new VMMS heals it (mission S3).
            yield 20.0
            if run == self._run:
                self._reject(UNEXPECTED, "0x80042302")
            return
        instance = node.hyperv_writer.instance
        yield from self._prepare(run)
        vms = [vm for vm in node.vms.values() if vm.role is None or vm.role.migration is None]
        self._members = {vm.id for vm in vms}
        busy = [vm for vm in vms if vm.running]
        yield from self._inside(run, busy)
        if run != self._run:
            return
        full = [vm for vm in busy if vm.full_volumes() and vm.node is node]
        self._failed = {vm.id for vm in full}
        for vm in full:
            events.emit(self.world, node, events.VMMS, 10102, vm=vm, code="0x800423f3")
        if not full and node.hyperv_writer.error == RETRYABLE:
            node.hyperv_writer.set(WAITING_FOR_FREEZE)
        yield from self._snapshot(run, busy)
        if run == self._run and not full:
            yield seconds(self.part.copy)
        if run != self._run:
            return
        if node.hyperv_writer.instance != instance:
            self._lost()
        elif full:
            # One guest that cannot make its shadow copy fails the set: there are no partial backups (§10.1 step 2).
            self._reject(RETRYABLE, "0x800423f3")
        else:
            self._complete(vms)

    def _hindered(self) -> bool:
        """The run cannot begin; the job is pending."""
        node = self.node
        if node.faults.down or not all(node.services[name].running for name in ("vmms", "VSS")):
            self.pending = True
        elif access_of(node, self.world.cluster.account) == 0:
            self._requester_denied()
        elif not (self.pending and any(self.world.vms[key].node is not node for key in self._failed)):
            return False
        # Otherwise the product does not find the guests that it has to try again on this host.
        return True

    def _requester_denied(self) -> None:
        """The product's account may neither be a requester nor a writer: VSS does not talk to it."""
        if not self.pending:
            text = f"VssAccessControl of {self.node.name} denies {self.world.cluster.account}"
            self.world.ledger.note(self.world.elapsed, "backup_broken", self.node.name, text)
        self._callback_error()
        self.pending = True

    def _lost(self) -> None:
        """VMMS is another process than at the start: its writer knows nothing of this backup. The job is pending."""
        self._release()
        self._others_stable()
        self.running, self.pending = False, True

    def _prepare(self, run: int) -> Process:
        """PrepareForBackup: writers go to [5] and [2]; one that failed before keeps its error until a run succeeds."""
        node = self.node
        self._all(WAITING_FOR_COMPLETION)
        yield _PREPARE
        if run == self._run and node.services["vmms"].state == "Running":
            self._all(WAITING_FOR_FREEZE)

    def _all(self, state: int) -> None:
        """Take the writers of a backup to a state; one that failed before keeps its error until a run succeeds."""
        for writer_id in IN_BACKUP:
            writer = self.node.writer(writer_id)
            if writer.error != RETRYABLE:
                writer.set(state)

    def _inside(self, run: int, vms: list[Vm]) -> Process:
        """Shadow copies inside the guests (job 51); the guests that can't are stuck at 10 % until the end."""
        world, node = self.world, self.node
        asked = [vm for vm in vms if vm.guest.freezes]
        jobs = []
        for vm in asked:
            vm.lock(on=True)
            vm.begin(OperationalStatus.BackingUpVirtualMachine)
            plan = [(2.0, 10.0)] if vm.full_volumes() else [(2.0, 10.0), (_GUESTS - 2.0, 100.0)]
            jobs.append((vm, start_job(world, node, vm, JobType.GuestVssSnapshot, plan)))
        self._jobs = [job for _, job in jobs]
        yield _GUESTS
        for vm, job in jobs:
            end_job(world, job, error=32768 if vm.full_volumes() and run == self._run else 0)
            vm.lock(on=False)
            vm.end(OperationalStatus.BackingUpVirtualMachine)

    def _snapshot(self, run: int, vms: list[Vm]) -> Process:
        """Freeze and thaw within a minute; vssadmin waits meanwhile (§4.7), the CSVs redirect and say so.

        A guest that cannot freeze is saved for the moment: an outage (§10.1 step 2).
        """
        world, node = self.world, self.node
        paths = {path for vm in node.vms.values() for path in (vm.configuration, *vm.files())}
        volumes = {csv.id: csv for path in sorted(paths) if (csv := world.csv_of(path)) is not None}
        self._held = list(volumes.values())
        for csv in self._held:
            csv.backups += 1
            csv.snapshotting = True
            csv.touch()
        self._saved = [vm for vm in vms if not vm.guest.freezes and vm.running and vm.node is node]
        for vm in self._saved:
            vm.set_state(VmState.Saved)
            world.ledger.note(
                world.elapsed, "vm_interrupted", vm.name, "saved for a host backup: its guest cannot freeze"
            )
        self._all(WAITING_FOR_THAW)
        node.freeze_until = world.elapsed + _FREEZE
        yield _FREEZE
        if run != self._run:
            return
        set_id = world.guid()
        made_by = next((one.id for one in node.providers if one.type == _HARDWARE and self.part.hardware), "")
        self._shadows = [Shadow(world.guid(), set_id, csv.volume, world.elapsed, made_by) for csv in self._held]
        node.shadows += self._shadows
        for csv in self._held:
            csv.snapshotting = False
            csv.touch()
        self._wake()
        self._all(WAITING_FOR_POST_SNAPSHOT)
        yield _POST
        if run == self._run:
            self._all(WAITING_FOR_COMPLETION)

    def _wake(self) -> None:
        for vm in self._saved:
            if vm.state == VmState.Saved:
                vm.set_state(VmState.Running)
        self._saved = []

    def _reject(self, error: str, code: str) -> None:
        """The run failed; the job is pending and the writer keeps its error in [5] (mission S3)."""
        world, node = self.world, self.node
        writer = node.hyperv_writer
        writer.set(WAITING_FOR_COMPLETION, error)
        self._others_stable()
        events.emit(
            world,
            node,
            events.APPLICATION,
            8229,
            code=code,
            error=error,
            operation="PrepareForSnapshot Event",
            writer_id=writer.id,
            writer=writer.name,
            instance=writer.instance,
        )
        self._release()
        self.running, self.pending = False, True

    def _complete(self, vms: list[Vm]) -> None:
        """BackupComplete: shadow copies removed, writers stable, every VM has a new backup."""
        self._release()
        for writer_id in IN_BACKUP:
            self.node.writer(writer_id).set(1)
        for vm in vms:
            if vm.id in self._members:
                vm.last_backup = self.world.elapsed
                vm.touch()
        self.running = self.pending = False

    def _release(self) -> None:
        """The array dismounts and deletes its snapshots."""
        self._wake()
        for csv in self._held:
            csv.backups -= 1
            csv.snapshotting = False
            csv.touch()
        self._held = []
        for shadow in self._shadows:
            self.node.shadows.remove(shadow)
        self._shadows = []
        self.node.freeze_until = 0.0

    def _callback_error(self) -> None:
        """8194, unless the requester's account is listed as a writer (windows.md §6)."""
        if access_of(self.node, self.world.cluster.account) in {1, 3}:
            return
        self._writer_event(8194)

    def _writer_refused(self) -> None:
        """8213: System Writer's account was taken the right that Windows gives it (Microsoft, KB 2009272)."""
        if access_of(self.node, SHIPPED) in {0, 2}:
            self._writer_event(8213)

    def _writer_event(self, id: int) -> None:
        """What System Writer's process says; as in all errors of VSS, its binary data tells who wrote it."""
        node = self.node
        writer = node.writer(SYSTEM_WRITER)
        events.emit(
            self.world,
            node,
            events.APPLICATION,
            id,
            writer_id=writer.id,
            writer=writer.name,
            instance=writer.instance,
            process=vss_process(node, writer.service),
        )


def start(world: World, part: HostBackupPart, name: str) -> None:
    """Start the backup jobs of a scenario, the nodes one after the other."""
    chance = world.rng(f"host backup {name}")
    for number, node in enumerate(part.nodes):
        job = world.backups[node] = HostBackup(world, world.node(node), part)
        delay = seconds(part.start) + number * (seconds(part.copy) + 60.0) + (5.0 * chance.random() if number else 0.0)
        world.scheduler.spawn(job.schedule(delay))
