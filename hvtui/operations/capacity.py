"""Memory: what a VM needs where it arrives, and what a node has for it.

All in MB. Unknown memory does not fit. Room = available − reserve − what arrives earlier in the same batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hvtui.model.enums import NodeState, NodeStatus, signed
from hvtui.model.placement import is_at_rest
from hvtui.model.state import ClusterState
from hvtui.operations.facts import Facts

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


def spread(free: Mapping[str, int | None], needs: Mapping[str, int | None]) -> dict[str, str | None]:
    """VM → node it fits on when the largest are placed first on the node with most room; None: it fits nowhere.

    What a drain can rely on; Windows chooses the nodes itself.
    """
    room = {name: size for name, size in free.items() if size is not None}
    found: dict[str, str | None] = {}
    for key, need in sorted(needs.items(), key=lambda item: (-(item[1] or 0), item[0])):
        fitting = [name for name, size in room.items() if need is not None and need <= size]
        if not fitting or need is None:
            found[key] = None
            continue
        target = max(fitting, key=lambda name: (room[name], name))
        room[target] -= need
        found[key] = target
    return found
