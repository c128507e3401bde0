"""In which order moves can be made: as many as can be, each fitting when its turn comes.

A VM that leaves makes room for one that waits, so the order decides how many can move. Few moves are searched
exactly; many are taken greedily, those first that make room where others wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from hvtui.operations.board import Board
from hvtui.operations.plan import Move

EXACT: Final = 11
"""Up to so many moves that depend on each other all orders are considered: 2^11 states."""


def in_order(board: Board, wishes: Iterable[Move]) -> tuple[list[Move], list[Move]]:
    """The wishes that can be made, in order and with their waves, and those that cannot."""
    wanted = list(wishes)
    free = [move for move in wanted if move.memory is not None]
    chosen: list[Move] = []
    for part in _independent(board, free):
        chosen += _exact(board, part) if len(part) <= EXACT else _greedy(board, part)
    done = {move.vm.id for move in chosen}
    waved = _with_waves(board, chosen)
    return sorted(waved, key=lambda move: move.wave), [move for move in wanted if move.vm.id not in done]


def _independent(board: Board, moves: list[Move]) -> list[list[Move]]:
    """Moves in groups of which none touches a node of another group."""
    group_of: dict[str, int] = {}
    groups: dict[int, list[Move]] = {}
    for number, move in enumerate(moves):
        mine = {group_of[node] for node in (move.source, move.destination) if node in group_of}
        joined = [one for group in sorted(mine) for one in groups.pop(group)] + [move]
        groups[number] = joined
        for one in joined:
            group_of[one.source] = group_of[one.destination] = number
    return list(groups.values())


@dataclass(slots=True)
class _Trial:
    """The board after some moves have ended, one after the other."""

    free: dict[str, int]
    there: dict[str, set[str]]
    apart: dict[str, dict[str, str]]

    @classmethod
    def of(cls, board: Board, moves: list[Move]) -> _Trial:
        nodes = {node for move in moves for node in (move.source, move.destination)}
        # A node whose room is unknown takes nobody; what leaves it does not make it known.
        free = {node: room for node in nodes if (room := board.free.get(node)) is not None}
        return cls(free, {node: set(board.on.get(node, ())) for node in nodes}, board.apart)

    def allows(self, move: Move) -> bool:
        room = self.free.get(move.destination)
        if room is None or move.memory is None or move.memory > room:
            return False
        others = self.apart.get(move.vm.id)
        return not others or others.keys().isdisjoint(self.there[move.destination])

    def do(self, move: Move) -> None:
        self._shift(move, move.source, move.destination)

    def undo(self, move: Move) -> None:
        self._shift(move, move.destination, move.source)

    def _shift(self, move: Move, source: str, destination: str) -> None:
        need = move.memory or 0
        if source in self.free:
            self.free[source] += need
        if destination in self.free:
            self.free[destination] -= need
        self.there[source].discard(move.vm.id)
        self.there[destination].add(move.vm.id)


def _exact(board: Board, moves: list[Move]) -> list[Move]:
    """The longest order; what a set of moves leads to does not depend on their order, so each set is seen once."""
    trial = _Trial.of(board, moves)
    ordered = sorted(moves, key=_small_first)
    best: list[Move] = []
    seen: set[int] = set()
    path: list[Move] = []

    def search(done: int) -> bool:
        nonlocal best
        if len(path) > len(best):
            best = list(path)
            if len(best) == len(ordered):
                return True
        for number, move in enumerate(ordered):
            bit = 1 << number
            if done & bit or done | bit in seen or not trial.allows(move):
                continue
            seen.add(done | bit)
            trial.do(move)
            path.append(move)
            found = search(done | bit)
            path.pop()
            trial.undo(move)
            if found:
                return True
        return False

    search(0)
    return best


def _greedy(board: Board, moves: list[Move]) -> list[Move]:
    trial = _Trial.of(board, moves)
    left, chosen = sorted(moves, key=_small_first), []
    progress = True
    while left and progress:
        progress = False
        wanted = {move.destination for move in left}
        for move in sorted(left, key=lambda move: move.source not in wanted):
            if trial.allows(move):
                trial.do(move)
                chosen.append(move)
                progress = True
        done = {move.vm.id for move in chosen}
        left = [move for move in left if move.vm.id not in done]
    return chosen


def _small_first(move: Move) -> tuple[int, str]:
    return move.memory or 0, move.vm.id


def _with_waves(board: Board, ordered: list[Move]) -> Iterator[Move]:
    """Each move in the earliest wave in which it fits beside all that were placed before it.

    Within a wave moves run beside each other: a VM that leaves still takes its memory and its place at its source.
    """
    used: dict[str, list[int]] = {}
    """Node → memory taken more than now in each wave, the last one standing for all that follow."""
    left_in: dict[str, int] = {}
    for move in ordered:
        need, room = move.memory or 0, board.free[move.destination] or 0
        taken = used.setdefault(move.destination, [0])
        first = 0
        for other in board.apart.get(move.vm.id, {}):
            if other in left_in and other in board.on.get(move.destination, ()):
                first = max(first, left_in[other] + 1)
        wave = first
        while max(taken[min(wave, len(taken) - 1) :]) + need > room:
            wave += 1
        _add(taken, wave, need)
        _add(used.setdefault(move.source, [0]), wave + 1, -need)
        left_in[move.vm.id] = wave
        yield msgspec.structs.replace(move, wave=wave)


def _add(taken: list[int], wave: int, size: int) -> None:
    """Memory that is taken (or given back) from a wave on."""
    while len(taken) <= wave:
        taken.append(taken[-1])
    for number in range(wave, len(taken)):
        taken[number] += size
