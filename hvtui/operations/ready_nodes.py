"""Before a backup window: nodes, their VSS writers, and whether all have the same VSS providers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hvtui.model.conditions import of_node
from hvtui.model.records import Provider
from hvtui.model.state import ClusterState
from hvtui.model.views import NodeView, problem_text
from hvtui.model.writer_catalog import HYPER_V
from hvtui.model.writers import Writer
from hvtui.operations.readiness import Check, Verdict, count, some
from hvtui.text import natural

_AWAY: Final = frozenset({"down", "paused", "drained"})
"""Conditions in which a node has no VMs to back up, and asks for nothing."""
_SYSTEM: Final = 1
"""Type of Windows' own provider."""
_HARDWARE: Final = 3
_KINDS: Final = {1: "system", 2: "software", 3: "hardware", 4: "file share"}
NODES: Final = "nodes"
WRITERS: Final = "VSS writers"
PROVIDERS: Final = "VSS providers"


def taking_part(state: ClusterState) -> list[NodeView]:
    """The nodes that a backup meets: those that are down, paused or drained are left out."""
    names = sorted(state.node_names(), key=natural)
    return [state.node(name) for name in names if of_node(state.member(name)) not in _AWAY]


def node_checks(state: ClusterState) -> Iterator[Check]:
    """What the cluster says of its nodes, and whether each could be read."""
    names = sorted(state.node_names(), key=natural)
    if state.cluster.nodes is None:
        why = state.cluster.link.text or "no node told it"
        yield Check(area=NODES, verdict=Verdict.UNKNOWN, text=f"the cluster's own picture could not be read: {why}")
    well = 0
    for name in names:
        word = of_node(state.member(name))
        if word in _AWAY:
            yield Check(area=NODES, verdict=Verdict.NOTE, where=(name,), text=f"{word}: nothing on it takes part")
            continue
        found = list(_node(state, name, word))
        well += not found
        yield from found
    if well:
        words = "up" if state.cluster.nodes is not None else "heard"
        yield Check(area=NODES, verdict=Verdict.READY, text=f"{count(well, 'node')} {words}, VMMS running")


def _node(state: ClusterState, name: str, word: str) -> Iterator[Check]:
    view = state.node(name)
    if word:
        yield Check(area=NODES, verdict=Verdict.NOT, where=(name,), text=f"the cluster says: {word}")
    if view.vms is None:
        problem = view.problem("vms")
        why = view.link.text or (problem_text(problem) if problem is not None else "it said nothing")
        yield Check(area=NODES, verdict=Verdict.UNKNOWN, where=(name,), text=f"could not be read: {why}",
                    next="hvtui doctor")  # fmt: skip
        return
    vmms = view.host.vmms if view.host is not None else None
    if vmms is None:
        yield Check(area=NODES, verdict=Verdict.UNKNOWN, where=(name,), text="the state of VMMS could not be read")
    elif vmms != "Running":
        yield Check(area=NODES, verdict=Verdict.NOT, where=(name,), text=f"VMMS is {vmms}: no VM is backed up",
                    next=f"hvtui vmms --start {name}")  # fmt: skip


def writer_checks(state: ClusterState) -> Iterator[Check]:
    """Every writer stable and without an error, and the one of Hyper-V there."""
    nodes = writers = 0
    for view in taking_part(state):
        if view.vms is None:
            continue
        found = list(_writers(view))
        yield from found
        if not found and view.writers is not None:
            nodes, writers = nodes + 1, writers + len(view.writers.writers)
    if nodes:
        yield Check(area=WRITERS, verdict=Verdict.READY, text=f"{writers} on {count(nodes, 'node')}, all stable")


def _writers(view: NodeView) -> Iterator[Check]:
    picture, name = view.writers, view.name
    if picture is None or not picture.writers:
        why = picture.failure if picture is not None and picture.failure else "vssadmin said nothing"
        yield Check(area=WRITERS, verdict=Verdict.UNKNOWN, where=(name,), text=f"could not be read: {why}")
        return
    for writer in picture.writers:
        if writer.state_class != "ok":
            yield _writer(name, writer)
    if picture.unreadable:
        lines = count(len(picture.unreadable), "line")
        yield Check(area=WRITERS, verdict=Verdict.UNKNOWN, where=(name,), text=f"{lines} of vssadmin could not be read")
    if view.vms and not any(writer.id == HYPER_V for writer in picture.writers):
        yield Check(area=WRITERS, verdict=Verdict.NOT, where=(name,),
                    text="the Hyper-V writer is missing: no VM of this node is in a backup through the host",
                    next=f"hvtui vmms {name}")  # fmt: skip


def _writer(node: str, writer: Writer) -> Check:
    error = f", {writer.error_text}" if writer.error_kind != "none" else ""
    text = f"{writer.name} is at [{'?' if writer.code is None else writer.code}] {writer.state_text}{error}"
    verdict = Verdict.UNKNOWN if writer.state_class == "unreadable" else Verdict.NOT
    return Check(area=WRITERS, verdict=verdict, where=(node,), text=text, next=writer.advice)


def provider_checks(state: ClusterState) -> Iterator[Check]:
    """The same VSS providers in the same version on all nodes; Windows' own goes with its build."""
    told: dict[str, dict[str, Provider]] = {}
    for view in taking_part(state):
        if view.vms is None:
            continue
        if view.providers is None:
            yield Check(area=PROVIDERS, verdict=Verdict.UNKNOWN, where=(view.name,), text="could not be read")
        else:
            told[view.name] = {provider.id: provider for provider in view.providers}
    ids = list(dict.fromkeys(id for providers in told.values() for id in providers))
    apart = [check for id in ids for check in _provider(told, id)]
    yield from apart
    if told and not any(check.verdict is Verdict.NOT for check in apart):
        kinds = ", ".join(_named(next(p[id] for p in told.values() if id in p)) for id in ids) or "none"
        yield Check(area=PROVIDERS, verdict=Verdict.READY, text=f"alike on {count(len(told), 'node')}: {kinds}")


def _provider(told: dict[str, dict[str, Provider]], id: str) -> Iterator[Check]:
    one = next(providers[id] for providers in told.values() if id in providers)
    missing = [node for node, providers in told.items() if id not in providers]
    if missing:
        yield Check(area=PROVIDERS, verdict=Verdict.NOT, where=tuple(missing), text=f"{_named(one)} is missing there",
                    next="install it there, or take those nodes out of the backup")  # fmt: skip
    versions: dict[str, list[str]] = {}
    for node, providers in told.items():
        if id in providers:
            versions.setdefault(providers[id].version or "?", []).append(node)
    if len(versions) > 1:
        words = "; ".join(f"{version} on {some(nodes)}" for version, nodes in versions.items())
        verdict = Verdict.NOTE if one.type == _SYSTEM else Verdict.NOT
        yield Check(area=PROVIDERS, verdict=verdict, text=f"{one.name} has several versions: {words}",
                    next="" if one.type == _SYSTEM else "bring all nodes to one version")  # fmt: skip


def _named(one: Provider) -> str:
    kind = _KINDS.get(one.type or 0, "")
    return f"{one.name} ({kind})" if kind else one.name


def has_hardware(state: ClusterState) -> bool:
    """A node has a hardware provider: backups may take snapshots in the array."""
    return any(provider.type == _HARDWARE for view in state.nodes.values() for provider in view.providers or ())
