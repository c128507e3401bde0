"""Small changes that several behaviours and actions share: jobs, checkpoints, merges."""

from __future__ import annotations

from hvtui.lab.world import events
from hvtui.lab.world.clock import Process
from hvtui.lab.world.jobs import KEPT, Job
from hvtui.lab.world.node import Node
from hvtui.lab.world.vm import Checkpoint, Layer, Vm
from hvtui.lab.world.world import World
from hvtui.model.enums import JobState, JobType, OperationalStatus, SnapshotType


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
    """Start a job on a node; `plan` is pairs of seconds from now and percent."""
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
    checkpoint = Checkpoint(world.guid(), name, kind, saved, world.elapsed)
    for disk in vm.disks:
        path = f"{disk.base.removesuffix('.vhdx')}_{world.guid().upper()}.avhdx"
        layer = Layer(path, world.elapsed, rate)
        disk.layers.append(layer)
        csv = world.csv_of(path)
        if csv is not None:
            csv.layers[path] = layer
    vm.checkpoints.append(checkpoint)
    vm.touch()
    return checkpoint


def merge(world: World, vm: Vm, checkpoint: Checkpoint, duration: float) -> Process:
    """Remove a checkpoint: it is gone from the list at once, its layer is merged in the background (19070 … 19080)."""
    if checkpoint not in vm.checkpoints:
        return
    vm.checkpoints.remove(checkpoint)
    node = vm.node
    vm.begin(OperationalStatus.MergingDisks)
    events.emit(world, node, events.VMMS, 19070, vm=vm)
    job = start_job(world, node, vm, JobType.MergeDisks, [(duration, 100.0)])
    yield duration
    vm.end(OperationalStatus.MergingDisks)
    if not job.running:
        # VMMS was restarted in the middle; it takes the merge up again after its start.
        yield 30.0
    drop_layer(world, vm)
    end_job(world, job)
    events.emit(world, vm.node, events.VMMS, 19080, vm=vm)
    vm.touch()


def drop_layer(world: World, vm: Vm) -> None:
    """The newest layer of every disk is in use no more."""
    for disk in vm.disks:
        if disk.layers:
            layer = disk.layers.pop()
            csv = world.csv_of(layer.path)
            if csv is not None:
                csv.layers.pop(layer.path, None)
                csv.used += layer.size(world.elapsed) // 20
