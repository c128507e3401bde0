"""A whole picture of a cluster in a recording: what a seek begins from. Taken from a state and put back into one.

The sections go back as full messages, so that every index is made by the code that keeps it; what only the past can
tell (since when, which events, what was seen of checkpoints) is kept as it was.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

import msgspec

from hvtui.model.change import Change
from hvtui.model.durations import SavedHistory
from hvtui.model.events import SavedEvents
from hvtui.model.fallback import SavedFallbacks
from hvtui.model.link import Link
from hvtui.model.records import (
    ClusterFrame,
    ClusterInfo,
    ClusterNode,
    Csv,
    CsvIo,
    Host,
    Info,
    Job,
    Load,
    NodeFrame,
    Problem,
    Provider,
    Role,
    Vm,
    VmFiles,
)
from hvtui.model.signals import ChainPicture, FilterPicture, HotfixPicture, ShadowPicture
from hvtui.model.state import Adrift, ClusterState
from hvtui.model.views import NodeView
from hvtui.model.writers import WriterPicture
from hvtui.remote.contract import WIRE

R = TypeVar("R")


class ClusterKey(msgspec.Struct, frozen=True, array_like=True):
    """The cluster's own view."""

    link: Link
    time: datetime | None
    info: ClusterInfo | None
    nodes: list[ClusterNode] | None
    csvs: list[Csv] | None
    io: list[CsvIo] | None
    roles: list[Role] | None
    problems: tuple[Problem, ...]
    tick_ms: int


class NodeKey(msgspec.Struct, frozen=True, array_like=True):
    """One node's view; `vm_load` is flat as in `Load`."""

    name: str
    link: Link
    time: datetime | None
    info: Info | None
    host: Host | None
    vms: list[Vm] | None
    files: list[VmFiles] | None
    jobs: list[Job] | None
    load: tuple[int, int] | None
    vm_load: list[int]
    problems: tuple[Problem, ...]
    load_problem: Problem | None
    tick_ms: int
    writers: WriterPicture | None
    providers: tuple[Provider, ...] | None
    shadows: ShadowPicture | None
    filters: FilterPicture | None
    hotfixes: HotfixPicture | None


class AdriftKey(msgspec.Struct, frozen=True, array_like=True):
    """A VM between two nodes."""

    key: str
    node: str
    vm: Vm
    files: VmFiles | None
    looks: int


class Keyframe(msgspec.Struct, frozen=True, array_like=True):
    """Everything. `homes` holds only VMs that several nodes list."""

    cluster: ClusterKey
    nodes: list[NodeKey]
    events: SavedEvents
    history: SavedHistory
    fallbacks: SavedFallbacks
    chains: dict[str, ChainPicture]
    adrift: list[AdriftKey]
    homes: dict[str, list[str]]


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Keyframe).decode


def take(state: ClusterState) -> Keyframe:
    """The picture now. Records are shared, containers are copied: it may be encoded on another thread."""
    view = state.cluster
    cluster = ClusterKey(
        view.link, view.time, view.info, _listed(view.nodes), _listed(view.csvs), _listed(view.io),
        _listed(view.roles), view.problems, view.tick_ms,
    )  # fmt: skip
    return Keyframe(
        cluster,
        [_node_key(node) for node in state.nodes.values()],
        state.events.saved(),
        state.history.saved(),
        state.fallbacks.saved(),
        dict(state.chains),
        [AdriftKey(key, one.node, one.vm, one.files, one.looks) for key, one in state.adrift.items()],
        {key: list(names) for key, names in state.homes.items() if len(names) > 1},
    )


def put(frame: Keyframe, state: ClusterState) -> Change:
    """Make `state` exactly what it was then; the result names everything that was or is in it."""
    change = _everything(state)
    fresh = ClusterState()
    # The log, the history and the book stay the same objects: readers hold on to their versions.
    for name in ("cluster", "nodes", "placements", "tally", "homes", "roles_of", "adrift", "chains", "_spelling"):
        setattr(state, name, getattr(fresh, name))
    state.history.restore(SavedHistory([], {}, {}))
    for node in frame.nodes:
        state.node(node.name)
    _put_cluster(frame.cluster, state)
    for node in frame.nodes:
        _put_node(node, state)
    for one in frame.adrift:
        state.adrift[one.key] = Adrift(one.node, one.vm, one.files, one.looks)
    state.homes.update((key, list(names)) for key, names in frame.homes.items())
    state.chains.update(frame.chains)
    state.events.restore(frame.events)
    state.history.restore(frame.history)
    state.fallbacks.restore(frame.fallbacks)
    change.add(_everything(state))
    return change


def _everything(state: ClusterState) -> Change:
    names = set(state.nodes)
    return Change(
        heard={"", *names},
        links={"", *names},
        cluster=True,
        nodes=set(names),
        csvs=set(state.cluster.csvs or ()),
        vms=set(state.vm_keys()) | set(state.adrift),
        writers=set(names),
        events=True,
    )


def _put_cluster(key: ClusterKey, state: ClusterState) -> None:
    view = state.cluster
    if key.time is None:
        view.link = key.link
        return
    frame = ClusterFrame(
        v=WIRE, kind="full", seq=1, time=key.time, tick_ms=key.tick_ms, errors=list(key.problems),
        cluster=key.info, nodes=key.nodes, csvs=key.csvs, io=key.io, roles=key.roles,
    )  # fmt: skip
    state.apply_cluster(frame, key.link)


def _put_node(key: NodeKey, state: ClusterState) -> None:
    view = state.nodes[key.name]
    if key.time is None:
        view.link = key.link
    else:
        load = Load(host=key.load, vms=key.vm_load)
        frame = NodeFrame(
            v=WIRE, kind="full", seq=1, time=key.time, tick_ms=key.tick_ms, errors=list(key.problems),
            host=key.host, vms=key.vms, files=key.files, jobs=key.jobs, load=load,
        )  # fmt: skip
        state.apply_node(key.name, frame, key.link)
        view.load_problem = key.load_problem
    view.info, view.writers, view.providers = key.info, key.writers, key.providers
    view.shadows, view.filters, view.hotfixes = key.shadows, key.filters, key.hotfixes


def _listed(section: dict[str, R] | None) -> list[R] | None:
    return None if section is None else list(section.values())


def _node_key(view: NodeView) -> NodeKey:
    load = [number for slot, (cpu, memory) in sorted(view.vm_load.items()) for number in (slot, cpu, memory)]
    return NodeKey(
        view.name, view.link, view.time, view.info, view.host, _listed(view.vms), _listed(view.files),
        _listed(view.jobs), view.load, load, view.problems, view.load_problem, view.tick_ms,
        view.writers, view.providers, view.shadows, view.filters, view.hotfixes,
    )  # fmt: skip
