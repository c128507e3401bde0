"""The chains of a VM's virtual disks, as both engines tell them."""

from __future__ import annotations

from typing import Final

from hvtui.lab.world.vm import GB, Vm
from hvtui.lab.world.world import World

SHARED_BYTES: Final = 40 * GB
"""Size of a file of which the world knows the path only: on a share, or written to by several VMs."""


def is_file(path: str) -> bool:
    """A path of a virtual disk or of a share; everything else names a physical disk."""
    return path.startswith("\\\\") or path[1:3] == ":\\"


def other_files(vm: Vm) -> list[str]:
    """Files of virtual disks beside `disks`: on shares, and those that several VMs write to."""
    return list(dict.fromkeys([*(path for path in vm.other_disks if is_file(path)), *vm.shared]))


def chain_of(world: World, vm: Vm) -> list[tuple[str, str, int]]:
    """Path, parent (empty for a base) and bytes of every file, the one in use first, disk by disk."""
    known = vm.chain(world.elapsed)
    paths = {path for path, _, _ in known}
    return known + [(path, "", SHARED_BYTES) for path in other_files(vm) if path not in paths]
