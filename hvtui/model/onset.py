"""Which event tells when a condition began."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from hvtui.model import writer_catalog
from hvtui.model.event_catalog import is_noise, subject_of, vm_of, writer_of

if TYPE_CHECKING:
    from hvtui.model.events import NodeEvent
    from hvtui.model.state import ClusterState

SLACK: Final = timedelta(seconds=60)
"""Events may be logged a little before or after the state is seen."""
_SKEW: Final = timedelta(minutes=5)
"""Clocks of two nodes further apart than a domain allows are corrected for; below that they are taken as one."""


class Seen(msgspec.Struct):
    """A condition as hvtui saw it: its word, and when that was first.

    `clear` is when it was last seen absent (None: never): no event before that belongs to it. `clock` is the node whose
    clock both times are by, `""` the cluster's stream.
    """

    word: str
    time: datetime
    clock: str
    clear: datetime | None


@dataclass(frozen=True)
class Rule:
    """Events that begin a condition. A chain of them with pauses up to `gap` is one trouble; its first is the onset."""

    ids: tuple[int, ...]
    gap: timedelta
    own_node: bool = False
    """Only the log of the node the condition is about."""


_BACKUP: Final = Rule((10102, 10103, 10104, 10150, 10172, 10173, 18012), timedelta(hours=3), own_node=True)
_REJECTED: Final = Rule((8229,), timedelta(hours=3), own_node=True)
_AT_ONCE: Final = timedelta(minutes=2)
_STORM: Final = timedelta(minutes=15)

_RULES: Final = {
    ("node", "down"): Rule((1135,), _AT_ONCE),
    ("node", "quarantined"): Rule((1672, 1676), _AT_ONCE),
    ("node", "drain failed"): Rule((1677, 1137), _AT_ONCE),
    ("csv", "failed"): Rule((5150, 5142), _STORM),
    ("csv", "offline"): Rule((5150, 5142), _STORM),
    ("csv", "no access"): Rule((5142, 5120), _STORM),
    ("csv", "no direct io"): Rule((5121, 5120), _STORM),
    ("io", "unavailable"): Rule((5142, 5120), _STORM, own_node=True),
    ("io", "paused"): Rule((5120, 5156, 5157), _STORM, own_node=True),
    ("io", "block redirected"): Rule((5121,), _STORM, own_node=True),
    ("io", "redirected"): Rule((5136, 5124, 5125), _AT_ONCE),
    ("role", "failed"): Rule((1254, 1205, 1069), _STORM),
    ("merge", "merging"): Rule((19070,), timedelta(0)),
}


def onset(state: ClusterState, key: tuple[str, ...], seen: Seen) -> NodeEvent | None:
    """The event at which a condition began, None when no event tells."""
    rule, about = _rule(state, key, seen.word)
    if rule is None:
        return None
    node = _node(key)
    floor = _restarted(state, key)
    chain: list[NodeEvent] = []
    for item in sorted(state.events.of(rule.ids), key=lambda found: found.order()):
        if rule.own_node and item.node.lower() != node.lower():
            continue
        when = item.event.time + _shift(state, item.node, seen.clock)
        if when > seen.time + SLACK or (seen.clear is not None and when < seen.clear - SLACK):
            continue
        if floor is not None and item.event.time < floor:
            continue
        if is_noise(item.event) or not about(item):
            continue
        if chain and item.event.time - chain[-1].event.time > rule.gap:
            chain.clear()
        chain.append(item)
    return chain[0] if chain else None


def _rule(state: ClusterState, key: tuple[str, ...], word: str) -> tuple[Rule | None, Callable[[NodeEvent], bool]]:
    kind = key[0]
    if kind == "writer":
        if word != "failed":
            return None, _any
        if key[2] == writer_catalog.HYPER_V:
            return _BACKUP, _any
        return _REJECTED, lambda item: writer_of(item.event)[0] == key[2]
    rule = _RULES.get((kind, word))
    if kind == "merge":
        return rule, lambda item: vm_of(item.event)[0] == key[1]
    names = _names(state, key)
    return rule, lambda item: _names_one(item, names)


def _any(_: NodeEvent) -> bool:
    return True


def _node(key: tuple[str, ...]) -> str:
    return {"writer": key[1], "io": key[-1]}.get(key[0], "")


def _names(state: ClusterState, key: tuple[str, ...]) -> set[str]:
    """What the thing a condition is about is called in events, in lower case."""
    names: set[str] = {key[1]}
    if key[0] in ("csv", "io"):
        csv = (state.cluster.csvs or {}).get(key[1])
        if csv is not None:
            tail = csv.path.rstrip("\\").rpartition("\\")[2]
            names = {name for name in (csv.resource, csv.path, tail, csv.volume) if name}
    elif key[0] == "role":
        role = state.role(key[1])
        if role is not None:
            names = {role.name, f"Virtual Machine {role.name}", f"Virtual Machine Configuration {role.name}"}
    return {name.lower() for name in names}


def _names_one(item: NodeEvent, names: set[str]) -> bool:
    if subject_of(item.event).lower() in names:
        return True
    return any(value.lower() in names for value in item.event.data.values())


def _restarted(state: ClusterState, key: tuple[str, ...]) -> datetime | None:
    """A restart of VMMS resets its writer: events before it belong to an earlier trouble."""
    if key[0] != "writer" or key[2] != writer_catalog.HYPER_V:
        return None
    view = state.nodes.get(key[1])
    return view.host.vmms_started if view is not None and view.host is not None else None


def _shift(state: ClusterState, node: str, clock: str) -> timedelta:
    """What to add to a time of one node's clock to compare it with another's."""
    if node == clock:
        return timedelta(0)
    view = state.nodes.get(node)
    told = state.nodes.get(clock)
    link = state.cluster.link if told is None else told.link
    if view is None or view.link.offset is None or link.offset is None:
        return timedelta(0)
    shift = link.offset - view.link.offset
    return shift if abs(shift) > _SKEW else timedelta(0)
