"""From rows to the targets of a verb, with the names they have now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hvtui.model.placement import short_path
from hvtui.model.state import ClusterState
from hvtui.model.writer_catalog import WRITERS
from hvtui.operations.plan import Target
from hvtui.text import natural


def vm_targets(state: ClusterState, keys: Iterable[str]) -> tuple[Target, ...]:
    """VMs by their ids."""
    made = []
    for key in keys:
        found, role = state.vm(key), state.role(key)
        name = found[1].name if found is not None else role.name if role is not None else key
        made.append(Target(kind="vm", id=key, name=name))
    return tuple(made)


def node_targets(names: Iterable[str]) -> tuple[Target, ...]:
    """Nodes by their names."""
    return tuple(Target(kind="node", id=name, name=name) for name in names)


def csv_target(state: ClusterState, key: str) -> Target:
    """A CSV by its id."""
    csv = (state.cluster.csvs or {}).get(key)
    return Target(kind="csv", id=key, name=key if csv is None else short_path(csv.path))


def service_target(node: str, service: str) -> Target:
    """A service of a node."""
    return Target(kind="service", id=f"{node}/{service}", name=f"{service} on {node}")


def vms_of(state: ClusterState, nodes: Iterable[str]) -> tuple[str, ...]:
    """Ids of the VMs that are on these nodes, by name."""
    wanted = set(nodes)
    keys = [key for key in state.vm_keys() if state.home(key) in wanted]
    names = {target.id: target.name for target in vm_targets(state, keys)}
    return tuple(sorted(keys, key=lambda key: natural(names[key])))


def checkpoint_target(key: str, names: Sequence[str]) -> Target:
    """A checkpoint by `VM/checkpoint`; `names` has its name."""
    return Target(kind="checkpoint", id=key, name=names[0] if names else key.partition("/")[2])


def access_targets(nodes: Iterable[str], account: str) -> tuple[Target, ...]:
    """An account's entry of VssAccessControl on these nodes."""
    return tuple(Target(kind="vssaccess", id=f"{node}/{account}", name=f"{account} on {node}") for node in nodes)


def service_of_writer(writer: str) -> str:
    """The service that hosts a writer, empty when that is not known."""
    known = WRITERS.get(writer.lower())
    return known.service if known is not None else ""
