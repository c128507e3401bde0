"""An independent look at a batch of moves: it knows numbers and names, and nothing of how plans are made.

Moves of one wave run beside each other: each takes its memory on both nodes until the wave has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import permutations


@dataclass
class Cluster:
    """Free memory of each node, where each VM is, what it needs, and groups of VMs that must not meet."""

    free: dict[str, int]
    where: dict[str, str]
    need: Mapping[str, int]
    apart: list[set[str]] = field(default_factory=list)

    def copy(self) -> Cluster:
        return Cluster(dict(self.free), dict(self.where), self.need, self.apart)

    def allows(self, vm: str, node: str, also: Iterable[str] = ()) -> bool:
        """The VM fits on a node and meets nobody there; `also` are VMs that count as being there."""
        if self.need[vm] > self.free[node]:
            return False
        there = {other for other, at in self.where.items() if at == node} | set(also)
        return not any(vm in group and (group - {vm}) & there for group in self.apart)


def broken(cluster: Cluster, moves: Iterable[tuple[str, str, str, int]]) -> list[str]:
    """Everything that is wrong with moves (VM, source, destination, wave), done wave by wave; empty when nothing is."""
    now, found = cluster.copy(), []
    waves: dict[int, list[tuple[str, str, str]]] = {}
    for vm, source, destination, wave in moves:
        waves.setdefault(wave, []).append((vm, source, destination))
    for wave in sorted(waves):
        coming: dict[str, list[str]] = {}
        for vm, source, destination in waves[wave]:
            if now.where[vm] != source:
                found.append(f"{vm} is on {now.where[vm]}, not on {source}")
            if not now.allows(vm, destination, coming.get(destination, ())):
                found.append(f"{vm} cannot go to {destination} in wave {wave}")
            now.free[destination] -= now.need[vm]
            coming.setdefault(destination, []).append(vm)
        for vm, source, destination in waves[wave]:
            now.free[source] += now.need[vm]
            now.where[vm] = destination
    return found


def after(cluster: Cluster, moves: Iterable[tuple[str, str, str, int]]) -> Cluster:
    """The cluster when all moves have ended."""
    now = cluster.copy()
    for vm, source, destination, _ in moves:
        now.free[source] += now.need[vm]
        now.free[destination] -= now.need[vm]
        now.where[vm] = destination
    return now


def most_moves(cluster: Cluster, wishes: Mapping[str, str]) -> int:
    """How many of the wishes (VM → node) can be made one after the other, in the best of all orders."""
    best = 0
    for order in permutations(wishes):
        now, done = cluster.copy(), 0
        for vm in order:
            if now.allows(vm, wishes[vm]):
                now.free[now.where[vm]] += now.need[vm]
                now.free[wishes[vm]] -= now.need[vm]
                now.where[vm] = wishes[vm]
                done += 1
        best = max(best, done)
        if best == len(wishes):
            break
    return best
