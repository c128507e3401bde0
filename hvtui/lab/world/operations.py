"""Small changes that several behaviours and actions share: jobs, checkpoints, merges."""

from __future__ import annotations

from typing import Final

from hvtui.lab.world import events
from hvtui.lab.world.clock import Process
from hvtui.lab.world.jobs import KEPT, Job
from hvtui.lab.world.node import Node
from hvtui.lab.world.vm import Checkpoint, Disk, Layer, Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import JobState, JobType, OperationalStatus, SnapshotType

_OPENS: Final = 6.0
_TRIES_AGAIN: Final = 240.0
_MERGE_ERRORS: Final = {
    "0x80070005": "General access denied error",
    "0x80070020": "The process cannot access the file because it is being used by another process.",
    "0x80070299": "The requested operation could not be completed due to a file system limitation",
}


def start_job(
    world: World,
    node: Node,
    vm: Vm,
    job_type: int,
    plan: list[tuple[float, float]],
    *,
    kind: str = "concrete",
    destination: str | None = None,
) -> Job:
    """Start a job on a node; `plan` is pairs of seconds from now and percent. Without VMMS it fails at once."""
    now = world.elapsed
    job = Job(
        id=world.guid(),
        kind=kind,
        type=job_type,
        vm=vm.id,
        started=now,
        shelf=node.jobs,
        plan=[(now + after, percent) for after, percent in plan],
        destination=destination,
    )
    node.jobs[job.id] = job
    if node.services["vmms"].state == "Stopped":
        end_job(world, job, error=32768)
    return job


def end_job(world: World, job: Job, error: int = 0, *, state: JobState | None = None) -> None:
    """End a job; it stays visible for five minutes. Ending an ended job changes nothing."""
    if not job.running:
        return
    end = state or (JobState.Exception if error else JobState.Completed)
    job.held = 100 if end == JobState.Completed else job.percent(world.elapsed)
    job.state = end
    job.error = error
    world.scheduler.after(KEPT, lambda: job.shelf.pop(job.id, None))


def take_checkpoint(world: World, vm: Vm, kind: SnapshotType, name: str, *, saved: bool, rate: float) -> Checkpoint:
    """Put a layer on every disk; from now on the guest writes into `.avhdx` files (windows.md §10.2)."""
    checkpoint = Checkpoint(world.guid(), name, kind, saved, world.elapsed, vm.current)
    for disk in vm.disks:
        disk.layers.append(add_layer(world, disk, rate))
    vm.checkpoints.append(checkpoint)
    vm.current = checkpoint.id
    vm.touch()
    return checkpoint


def add_layer(world: World, disk: Disk, rate: float, age: float = 0.0) -> Layer:
    """A new layer for a disk on its volume, made `age` seconds ago."""
    path = f"{disk.base.removesuffix('.vhdx')}_{world.guid().upper()}.avhdx"
    layer = Layer(path, world.elapsed - age, rate)
    csv = world.csv_of(path)
    if csv is not None:
        csv.layers[path] = layer
    return layer


def rest_on(world: World, vm: Vm, checkpoint: Checkpoint, rate: float) -> None:
    """The VM goes on from a checkpoint: a new layer on what it names. What was written since is gone, unless another
    checkpoint names it.
    """
    held = {one.id: vm.attached(one) for one in vm.checkpoints}
    vm.current = checkpoint.id
    branch = vm.branch()
    for number, disk in enumerate(vm.disks):
        known = {layer.path: layer for layer in (*disk.layers, *disk.aside)}
        kept = [known[path] for one in branch if (path := held[one.id][number]) in known]
        named = {files[number] for files in held.values()}
        disk.aside = [layer for layer in known.values() if layer.path in named and layer not in kept]
        for layer in known.values():
            if layer not in kept and layer not in disk.aside:
                _forget(world, layer)
        disk.layers = [*kept, add_layer(world, disk, rate)]
    for one in vm.checkpoints:
        one.files = None if one in branch else held[one.id]
    vm.touch()


def _forget(world: World, layer: Layer) -> None:
    csv = world.csv_of(layer.path)
    if csv is not None:
        csv.layers.pop(layer.path, None)


def _take_out(vm: Vm, checkpoint: Checkpoint) -> None:
    """It is listed no more; what rested on it rests on what it rested on."""
    vm.checkpoints.remove(checkpoint)
    for one in vm.checkpoints:
        if one.parent == checkpoint.id:
            one.parent = checkpoint.parent
    if vm.current == checkpoint.id:
        vm.current = checkpoint.parent


def merge(world: World, vm: Vm, checkpoint: Checkpoint, duration: float) -> Process:
    """Remove a checkpoint: it is gone from the list at once, its layer is merged in the background (19070 … 19080)."""
    if checkpoint not in vm.checkpoints:
        return
    aside = checkpoint.files is not None
    _take_out(vm, checkpoint)
    yield from _locked_out(world, vm)
    node = vm.node
    vm.begin(OperationalStatus.MergingDisks)
    events.emit(world, node, events.VMMS, 19070, vm=vm)
    job = start_job(world, node, vm, JobType.MergeDisks, [(duration, 100.0)])
    yield duration
    vm.end(OperationalStatus.MergingDisks)
    if not job.running:
        # VMMS was stopped in the middle, or the VM moved; the merge is taken up again when there is one.
        while not vm.node.services["vmms"].running or vm.node.faults.down:
            yield 5.0
        yield 30.0
    if aside:
        _drop_aside(world, vm)
    else:
        drop_layer(world, vm)
    vm.unmerged = False
    end_job(world, job)
    events.emit(world, vm.node, events.VMMS, 19080, vm=vm)
    vm.touch()


def _locked_out(world: World, vm: Vm) -> Process:
    """A program has the files open: each merge fails after a moment, and VMMS tries again and again (event 19100)."""
    while vm.held:
        vm.unmerged = True
        node = vm.node
        if node.services["vmms"].running and not node.faults.down:
            vm.begin(OperationalStatus.MergingDisks)
            events.emit(world, node, events.VMMS, 19070, vm=vm)
            job = start_job(world, node, vm, JobType.MergeDisks, [(_OPENS, 3.0)])
            yield _OPENS
            vm.end(OperationalStatus.MergingDisks)
            if job.running:
                end_job(world, job, error=32768)
                error = _MERGE_ERRORS.get(vm.held, "Unspecified error")
                events.emit(world, node, events.VMMS, 19100, vm=vm, error=error, code=vm.held or "0x80004005")
        yield _TRIES_AGAIN


def leave_fork(world: World, vm: Vm, age: float = 0.0) -> None:
    """A checkpoint failed to commit its fork: nothing lists it, its layer is in use, two events tell (peers.md §0)."""
    vm.fork_commit = True
    for disk in vm.disks:
        disk.layers.append(add_layer(world, disk, 4_000.0, age))
    time = world.on_clock(vm.node, world.elapsed - age)
    events.write(world, vm.node, events.WORKER, 3216, time, vm=vm, code="0x800703ee")
    events.write(world, vm.node, events.VMMS, 18590, time, vm=vm, code="0x80048102")
    vm.touch()


def _drop_aside(world: World, vm: Vm) -> None:
    """Layers that no checkpoint names any more."""
    named = {path for one in vm.checkpoints for path in one.files or ()}
    for disk in vm.disks:
        for layer in [layer for layer in disk.aside if layer.path not in named]:
            disk.aside.remove(layer)
            _forget(world, layer)


def drop_layer(world: World, vm: Vm) -> None:
    """The newest layer of every disk is in use no more."""
    for disk in vm.disks:
        if disk.layers:
            layer = disk.layers.pop()
            csv = world.csv_of(layer.path)
            if csv is not None:
                csv.layers.pop(layer.path, None)
                csv.used += layer.size(world.elapsed) // 20
