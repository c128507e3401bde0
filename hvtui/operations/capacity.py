"""Memory: what a VM needs where it arrives, what a node has, and whether the rest still fits after losing a node.

All in MB. Unknown memory does not fit. Room = available − reserve − what arrives earlier in the same batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from hvtui.model.enums import NodeState, NodeStatus, signed
from hvtui.model.placement import is_at_rest
from hvtui.model.state import ClusterState
from hvtui.operations.facts import Facts

_MB: Final = 1024**2
_NOT_TAKING: Final = NodeStatus.Isolated | NodeStatus.Quarantined | NodeStatus.DrainInProgress


def need_of(facts: Facts, key: str) -> int | None:
    """Memory the destination must hold: startup for a VM at rest, assigned for one that runs; None when unknown."""
    known = facts.vm(key)
    found = facts.state.vm(key)
    if known is None or found is None:
        return None
    if is_at_rest(found[1].state):
        return known.memory_startup or None
    # A VM whose assigned memory reads 0 while it runs was not read: startup is the least it can have.
    return known.memory_assigned or None


def takes_roles(state: ClusterState, name: str) -> bool:
    """The node is Up, not paused, not isolated, not quarantined and not draining."""
    member = state.member(name)
    if member is None or signed(member.state) != NodeState.Up or member.status is None:
        return False
    return not member.status & _NOT_TAKING


def room_of(facts: Facts, name: str) -> int | None:
    """Memory left on a node for arrivals, with the reserve taken off; None when unknown."""
    answer = facts.preflight.get(name)
    if answer is None or answer.node is None or answer.node.memory_available is None:
        return None
    return answer.node.memory_available - facts.limits.reserve


@dataclass(slots=True)
class Rooms:
    """The memory of all nodes while a batch is planned: every placed VM takes from its destination at once.

    A VM that leaves gives nothing back before it has arrived: both nodes hold its memory during a live migration.
    """

    free: dict[str, int | None]
    held: dict[str, int] = field(default_factory=dict)
    """Node → memory of the VMs it will have, for N+1."""
    totals: dict[str, int | None] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Facts, *, without: Iterable[str] = ()) -> Rooms:
        """All nodes that take roles, but `without`."""
        excluded = {name.lower() for name in without}
        names = [
            name for name in facts.state.node_names() if takes_roles(facts.state, name) and name.lower() not in excluded
        ]
        rooms = cls({name: room_of(facts, name) for name in names})
        for name in names:
            answer = facts.preflight.get(name)
            node = answer.node if answer is not None else None
            rooms.totals[name] = node.memory_total if node is not None else None
            if node is not None and node.memory_total is not None and node.memory_available is not None:
                rooms.held[name] = node.memory_total - node.memory_available
        return rooms

    def fits(self, name: str, need: int | None) -> bool:
        """A VM of `need` MB has room on the node."""
        free = self.free.get(name)
        return free is not None and need is not None and need <= free

    def place(self, name: str, need: int) -> None:
        """The VM goes there."""
        free = self.free.get(name)
        if free is not None:
            self.free[name] = free - need
        self.held[name] = self.held.get(name, 0) + need

    def survives_loss(self) -> bool | None:
        """N+1: after losing the node that holds most, the others still hold its load; None when unknown."""
        if len(self.free) < 2:
            return False
        if any(free is None for free in self.free.values()) or len(self.held) < len(self.free):
            return None
        largest = max(self.held, key=lambda name: (self.held[name], name))
        rest = sum(max(0, free or 0) for name, free in self.free.items() if name != largest)
        return rest >= self.held[largest]


def spread(rooms: Rooms, needs: Mapping[str, int | None]) -> dict[str, str | None]:
    """VM → node it fits on when the largest are placed first on the node with most room; None: it fits nowhere.

    What a drain can rely on; Windows chooses the nodes itself.
    """
    found: dict[str, str | None] = {}
    for key, need in sorted(needs.items(), key=lambda item: (-(item[1] or 0), item[0])):
        fitting = [name for name in rooms.free if rooms.fits(name, need)]
        if not fitting or need is None:
            found[key] = None
            continue
        target = max(fitting, key=lambda name: (rooms.free[name] or 0, name))
        rooms.place(target, need)
        found[key] = target
    return found
