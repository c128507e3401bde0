"""Shadow copies, filter drivers, updates and chains of disks out of the world, as the module tells them."""

from __future__ import annotations

from typing import Any

from hvtui.lab.native.chains import chain_of, other_files
from hvtui.lab.native.fltmc_text import filters_text, instances_text
from hvtui.lab.native.problems import Trouble, hyperv_command, hyperv_trouble, part_trouble, problem
from hvtui.lab.native.stream import stamp, wire
from hvtui.lab.world.node import Node
from hvtui.lab.world.vm import Vm
from hvtui.lab.world.world import World
from hvtui.lab.world.writers import SYSTEM_PROVIDER, Shadow
from hvtui.model.signals import DIFFERENCING
from hvtui.remote.contract import WIRE

_DYNAMIC = 3
"""VhdType of a base."""
_DENIED = Trouble("denied", "fltmc ended with exit code 5", "")


def provider_of(shadow: Shadow) -> str:
    """The id of the provider that made a shadow copy."""
    return shadow.provider or SYSTEM_PROVIDER.id


def shadow_list(world: World, node: Node) -> list[dict[str, Any]]:
    """The shadow copies of a node, as every answer tells them."""
    return [
        {
            "id": one.id,
            "set": one.set,
            "volume": one.volume,
            "created": stamp(world.on_clock(node, one.created)),
            "provider": provider_of(one),
            "persistent": one.persistent,
            "client_accessible": one.client_accessible,
        }
        for one in node.shadows
    ]


def shadows(world: World, node: Node, cpu_ms: int = 0) -> str:
    """Get-HvTuiShadow."""
    trouble = part_trouble(node, "Win32_ShadowCopy")
    return _answer(
        world,
        node,
        cpu_ms,
        shadows=None if trouble else shadow_list(world, node),
        errors=[problem("shadows", trouble)] if trouble else [],
    )


def filters(world: World, node: Node, cpu_ms: int = 0) -> str:
    """Get-HvTuiFilter."""
    refused = "elevated" in node.faults.rights
    return _answer(
        world,
        node,
        cpu_ms,
        filters=None if refused else filters_text(node),
        instances=None if refused else instances_text(node),
        errors=[problem(part, _DENIED) for part in ("filters", "instances")] if refused else [],
    )


def hotfixes(world: World, node: Node, cpu_ms: int = 0) -> str:
    """Get-HvTuiHotfix."""
    trouble = part_trouble(node, "Win32_QuickFixEngineering")
    listed = [{"id": one.id, "installed": one.installed} for one in node.updates]
    return _answer(
        world,
        node,
        cpu_ms,
        hotfixes=None if trouble else listed,
        errors=[problem("hotfixes", trouble)] if trouble else [],
    )


def chain(world: World, node: Node, id: str, cpu_ms: int = 0) -> str:
    """Get-HvTuiChain: the disks of one VM of this node."""
    id = id.lower()
    errors: list[dict[str, str]] = []
    answer: dict[str, Any] = {
        "node": node.name,
        "vm": id,
        "name": None,
        "state": None,
        "checkpoints": None,
        "disks": None,
        "errors": errors,
    }
    trouble = hyperv_trouble(node) or part_trouble(node, "vms")
    vm = node.vms.get(id)
    if trouble is None and vm is None:
        trouble = Trouble("missing", f"{node.name} has no VM {id}", "")
    if trouble is not None or vm is None:
        assert trouble is not None
        errors.append(problem("vms", trouble))
        return _answer(world, node, cpu_ms, **answer)
    answer |= {"name": vm.name, "state": int(vm.state)}
    trouble = part_trouble(node, "vms.checkpoints")
    if trouble is not None:
        errors.append(problem("checkpoints", trouble))
    else:
        answer["checkpoints"] = len(vm.checkpoints)
    named = None if trouble is not None else _named(vm)
    trouble = part_trouble(node, "files")
    if trouble is not None:
        errors.append(problem("disks", trouble))
        return _answer(world, node, cpu_ms, **answer)
    untold = hyperv_command(part_trouble(node, "Get-VHD"))
    attached = _attached(vm)
    known = {} if untold is not None else {path: (parent, size) for path, parent, size in chain_of(world, vm)}
    answer["disks"] = [{"attached": path, "files": _links(path, known, named)} for path in attached]
    if untold is not None and attached:
        errors.append(problem("chain", untold))
    return _answer(world, node, cpu_ms, **answer)


def _attached(vm: Vm) -> list[str]:
    """Files that the VM's own settings name."""
    files = vm.attached()
    return [*files, *(path for path in other_files(vm) if path not in files)]


def _named(vm: Vm) -> set[str]:
    """Files that the settings of its checkpoints name."""
    others = other_files(vm) if vm.checkpoints else []
    return {path.lower() for path in (*(p for one in vm.checkpoints for p in vm.attached(one)), *others)}


def _links(path: str, known: dict[str, tuple[str, int]], named: set[str] | None) -> list[dict[str, Any]]:
    links = []
    at: str | None = path
    while at:
        parent, size = known.get(at, (None, None))
        kind = None if parent is None else DIFFERENCING if parent else _DYNAMIC
        shown = None if named is None else at.lower() in named
        links.append({"path": at, "parent": parent, "size": size, "type": kind, "checkpoint": shown})
        at = parent
    return links


def _answer(world: World, node: Node, cpu_ms: int, /, **values: Any) -> str:
    return wire({"v": WIRE, "time": stamp(world.time_of(node)), "cpu_ms": cpu_ms, **values}).decode()
