"""Whom a node's last drain took away, as long as that drain is still the one the node is paused by.

A colleague may have resumed it since and drained it anew, by hvtui or by hand: then others come back, and what the
journal says of the old drain must not stand for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from hvtui.model.enums import NodeState, signed
from hvtui.model.state import ClusterState
from hvtui.operations.records import records
from hvtui.operations.recovery import Drained

_CHANGES: Final = frozenset({"Suspend-HvTuiNode", "Resume-HvTuiNode"})


@dataclass
class DrainWatch:
    """Fed with every change of the picture. `by_node` is what the journal says, by the node's name in lower case."""

    by_node: dict[str, Drained] = field(default_factory=dict)
    _paused: set[str] = field(default_factory=set)
    """Calls whose node was seen paused since."""
    _over: set[str] = field(default_factory=set)
    """Calls whose node was seen not to be paused after that."""

    def heard(self, by_node: Mapping[str, Drained], state: ClusterState) -> None:
        """What the journal says now."""
        self.by_node = dict(by_node)
        self.observe(state)

    def observe(self, state: ClusterState) -> None:
        """Look at the nodes that hvtui drained."""
        for node, drained in self.by_node.items():
            member = state.member(node)
            if member is None:
                continue
            if signed(member.state) == NodeState.Paused:
                self._paused.add(drained.call)
            elif drained.call in self._paused and signed(member.state) == NodeState.Up:
                self._over.add(drained.call)

    def taken(self, state: ClusterState, node: str) -> tuple[str, ...] | None:
        """VMs that the drain took away by which the node is paused now; None when that is not known."""
        drained = self.by_node.get(node.lower())
        if drained is None or drained.call in self._over:
            return None
        told = [one for one in records(state) if one.node.lower() == node.lower() and one.function in _CHANGES]
        own = next((one for one in told if one.operation == drained.call), None)
        since = own.time if own is not None else drained.time
        later = [one for one in told if one.time >= since and one.operation != drained.call]
        return None if later else drained.vms
