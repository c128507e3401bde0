"""How CPU and memory wander on living machines: pure functions of seed, machine and world time, nothing is stored."""

from __future__ import annotations

from typing import Final

_MASK: Final = 0xFFFFFFFF


def scatter(seed: int, key: int, step: int) -> float:
    """A number in [0, 1) that looks random and is always the same for the same three numbers."""
    h = (seed * 0x9E3779B1 ^ key * 0x85EBCA77 ^ step * 0xC2B2AE3D) & _MASK
    h = ((h ^ (h >> 15)) * 0x2C1B3C6D) & _MASK
    h = ((h ^ (h >> 12)) * 0x297A2D39) & _MASK
    return (h ^ (h >> 15)) / 4294967296.0


def wander(seed: int, key: int, time: float, period: float) -> float:
    """A smooth curve in [0, 1) that turns about once per `period` seconds."""
    position = time / period + (key % 97) * 0.37
    step = int(position // 1)
    part = position - step
    part = part * part * (3.0 - 2.0 * part)
    first = scatter(seed, key, step)
    return first + (scatter(seed, key, step + 1) - first) * part


def cpu_percent(seed: int, key: int, time: float, base: float) -> int:
    """CPU of a running machine whose usual load is `base` percent; now and then it is busy for a minute or two."""
    load = base * (0.55 + 0.9 * wander(seed, key, time, 75.0))
    if base > 1.0 and scatter(seed ^ 0x51ED, key, int(time // 90.0)) > 0.96:
        load += 25.0 + 40.0 * wander(seed, key ^ 0x33, time, 20.0)
    return max(0, min(100, round(load)))


def memory_mb(seed: int, key: int, time: float, assigned: int, *, dynamic: bool) -> int:
    """Memory of a running machine: what is assigned, or with dynamic memory a share of it that follows demand."""
    if not dynamic:
        return assigned
    return int(assigned * (0.62 + 0.36 * wander(seed ^ 0x7A11, key, time, 900.0))) // 2 * 2
