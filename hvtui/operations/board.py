"""Where VMs are and what memory is left while a batch is planned, move by move.

A batch is done in waves: a move of a wave begins when every earlier wave has ended. During its wave a VM takes memory
on both nodes, as a live migration does, and counts as being on both; afterwards its source is free of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from hvtui.model.preflight import AffinityRule
from hvtui.operations.capacity import room_of, takes_roles
from hvtui.operations.facts import Facts
from hvtui.operations.plan import Move

DIFFERENT_NODE: Final = 4


@dataclass(slots=True)
class Board:
    """The cluster as it will be at one moment of a batch. Memory is MB; a node whose room is unknown has None."""

    free: dict[str, int | None]
    held: dict[str, int]
    """Node → memory in use there, for N+1; without a node whose memory could not be read."""
    on: dict[str, set[str]]
    """Node → VMs on it, in the state's keys."""
    apart: dict[str, dict[str, str]]
    """VM → VMs that must not be on its node, and why: a class of anti-affinity they share, or a rule."""
    wave: int = 0
    _leaving: list[tuple[str, str, int]] = field(default_factory=list)
    """Moves of the present wave, whose source is not free of them yet: VM, source, memory."""

    @classmethod
    def of(cls, facts: Facts) -> Board:
        """The cluster as it is."""
        state = facts.state
        names = state.node_names()
        held = {}
        for name in names:
            answer = facts.preflight.get(name)
            node = answer.node if answer is not None else None
            if takes_roles(state, name) and node is not None and None not in (node.memory_total, node.memory_available):
                held[name] = (node.memory_total or 0) - (node.memory_available or 0)
        free = {name: room_of(facts, name) if takes_roles(state, name) else None for name in names}
        return cls(free, held, {name: set(view.vms or ()) for name, view in state.nodes.items()}, kept_apart(facts))

    def copy(self) -> Board:
        """The same, to try something on."""
        on = {name: set(vms) for name, vms in self.on.items()}
        return Board(dict(self.free), dict(self.held), on, self.apart, self.wave, list(self._leaving))

    def fits(self, node: str, need: int | None) -> bool:
        """A VM of `need` MB has room there now; unknown memory does not fit."""
        free = self.free.get(node)
        return free is not None and need is not None and need <= free

    def met(self, vm: str, node: str) -> list[str]:
        """VMs on the node that this one must not meet."""
        return sorted(self.apart.get(vm, {}).keys() & self.on.get(node, set()))

    def begin(self, vm: str, source: str, destination: str, need: int) -> None:
        """The VM is under way: it takes memory where it goes, and still does where it is."""
        free = self.free.get(destination)
        if free is not None:
            self.free[destination] = free - need
        if destination in self.held:
            self.held[destination] += need
        self.on.setdefault(destination, set()).add(vm)
        self._leaving.append((vm, source, need))

    def end_wave(self) -> None:
        """All moves of the wave have arrived."""
        for vm, source, need in self._leaving:
            free = self.free.get(source)
            if free is not None:
                self.free[source] = free + need
            if source in self.held:
                self.held[source] -= need
            self.on.get(source, set()).discard(vm)
        self._leaving.clear()
        self.wave += 1

    def survives_loss(self, source: str = "", destination: str = "", need: int = 0) -> bool | None:
        """N+1: after losing the node that holds most, the others still have room for it; None when unknown.

        With a source and a destination: after a VM of `need` MB has gone from one to the other.
        """
        shift = {source: -need, destination: need} if source != destination else {}
        taking = [name for name, free in self.free.items() if free is not None]
        if len(taking) < 2:
            return False
        if not set(taking) <= self.held.keys():
            return None
        held = {name: self.held[name] + shift.get(name, 0) for name in taking}
        largest = max(taking, key=lambda name: (held[name], name))
        room = sum(max(0, (self.free[name] or 0) - shift.get(name, 0)) for name in taking if name != largest)
        return room >= held[largest]


def played(board: Board, moves: Iterable[Move]) -> Iterator[tuple[Move, Board]]:
    """Each move with the board as it is when its turn comes; the board is changed as it goes."""
    for move in sorted(moves, key=lambda move: move.wave):
        while board.wave < move.wave:
            board.end_wave()
        yield move, board
        board.begin(move.vm.id, move.source, move.destination, move.memory or 0)


def kept_apart(facts: Facts) -> dict[str, dict[str, str]]:
    """Anti-affinity of all VMs, by class and by rule (windows.md §1.11).

    Soft ones count as well: somebody keeps these VMs apart for a reason.
    """
    groups: dict[str, list[str]] = {}
    by_role: dict[str, str] = {}
    for key, role_id in facts.state.roles_of.items():
        role = (facts.state.cluster.roles or {}).get(role_id)
        if role is None:
            continue
        by_role[role.name.lower()] = key
        for name in role.anti_affinity or ():
            groups.setdefault(f"class {name.lower()}", []).append(key)
    for rule in affinity_rules(facts) or ():
        if rule.type == DIFFERENT_NODE and rule.enabled is not False:
            members = [by_role[name.lower()] for name in rule.groups if name.lower() in by_role]
            groups.setdefault(f"rule {rule.name}", []).extend(members)
    apart: dict[str, dict[str, str]] = {}
    for why, members in groups.items():
        for key in members:
            apart.setdefault(key, {}).update({other: why for other in members if other != key})
    return apart


def affinity_rules(facts: Facts) -> list[AffinityRule] | None:
    """The cluster's rules, as any node told them; None when none could."""
    for answer in facts.preflight.values():
        if answer.node is not None and answer.node.affinity_rules is not None:
            return answer.node.affinity_rules
    return None
