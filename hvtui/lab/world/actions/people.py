"""What people do outside Windows' cluster commands: in the backup product, inside guests; and a scenario's timeline."""

from __future__ import annotations

from collections.abc import Callable

from hvtui.lab.world.actions.drains import drain, resume
from hvtui.lab.world.actions.failures import fail_fork, fail_node, reboot_node, restart_guest, return_node
from hvtui.lab.world.actions.moves import migrate
from hvtui.lab.world.actions.services import restart_vmms
from hvtui.lab.world.actions.volumes import redirect
from hvtui.lab.world.node import Node
from hvtui.lab.world.scenario import TimelinePart, seconds
from hvtui.lab.world.vm import GB, Vm
from hvtui.lab.world.world import World


def kill_backup(world: World, node: Node) -> None:
    """End the node's backup job in the backup product."""
    job = world.backups.get(node.name)
    if job is not None:
        job.kill()


def start_backup(world: World, node: Node) -> None:
    """Start or resume the node's backup job in the backup product."""
    job = world.backups.get(node.name)
    if job is not None:
        job.start_now()


def free_space(vm: Vm, gb: float) -> None:
    """Somebody deletes files in the guest: every partition that has less gets `gb` free, the largest files go first."""
    for volume in vm.volumes:
        missing = min(int(gb * GB), volume.size) - volume.free
        while missing > 0:
            path, size = max(volume.files, key=lambda one: one[1], default=("", missing))
            gone = min(size, missing)
            volume.files = [one for one in volume.files if one[0] != path]
            if size > gone:
                volume.files.append((path, size - gone))
            volume.free += gone
            missing -= gone


def release_files(vm: Vm) -> None:
    """Somebody finds the program that has the VM's disks open, and ends it."""
    vm.held = ""


def _act(world: World, step: TimelinePart) -> None:
    node = world.node(step.node) if step.node else next(iter(world.nodes.values()))
    verbs: dict[str, Callable[[], object]] = {
        "kill_backup": lambda: kill_backup(world, node),
        "start_backup": lambda: start_backup(world, node),
        "restart_vmms": lambda: restart_vmms(world, node),
        "drain": lambda: drain(world, node),
        "resume": lambda: resume(world, node),
        "free_space": lambda: free_space(world.vm(step.vm), step.gb or 2.0),
        "migrate": lambda: migrate(world, world.vm(step.vm), node),
        "restart_vm": lambda: restart_guest(world, world.vm(step.vm)),
        "fail_node": lambda: fail_node(world, node),
        "return_node": lambda: return_node(world, node),
        "reboot_node": lambda: reboot_node(world, node),
        "hang_vmms": lambda: setattr(node.faults, "vmms_hung", True),
        "unhang_vmms": lambda: setattr(node.faults, "vmms_hung", False),
        "release_files": lambda: release_files(world.vm(step.vm)),
        "fail_fork": lambda: fail_fork(world, world.vm(step.vm)),
        "redirect": lambda: redirect(world, world.csv(step.volume), on=True),
        "direct": lambda: redirect(world, world.csv(step.volume), on=False),
        "hang_stop": lambda: setattr(node.services["vmms"], "hangs", True),
    }
    verbs[step.do]()


def schedule_timeline(world: World) -> None:
    """Let the people of the scenario do what it says, when it says."""
    for step in world.scenario.timeline:
        world.scheduler.after(seconds(step.at), lambda step=step: _act(world, step))  # type: ignore[misc]
