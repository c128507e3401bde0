"""Applying a frame's sections to what is held. Nothing here changes what it is given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from hvtui.model.records import Frame, Job, Load, Problem, Record, Vm

R = TypeVar("R", bound=Record)


class SequenceGapError(Exception):
    """A frame is missing or out of place; the stream must be started again with a full picture."""


def check_sequence(last: int, frame: Frame) -> None:
    """A delta or heartbeat must follow its predecessor; a full picture may come at any time."""
    if frame.kind not in ("full", "delta", "beat"):
        raise SequenceGapError(f"message {frame.seq} is of unknown kind {frame.kind[:40]!r}")
    if frame.kind != "full" and (last == 0 or frame.seq != last + 1):
        raise SequenceGapError(f"expected message {last + 1}, got {frame.seq}")


def merge(
    held: dict[str, R] | None, sent: Iterable[R] | None, frame: Frame, section: str, key: str = "id"
) -> tuple[dict[str, R] | None, set[str]]:
    """The section after the frame, and the keys that differ.

    A full frame without the section could not read it: the old one stays, and the frame's errors say why.
    """
    if sent is None and (section not in frame.gone or frame.kind == "full"):
        return held, set()
    old = held or {}
    new = {} if frame.kind == "full" else dict(old)
    changed = set()
    if frame.kind != "full":
        for gone in frame.gone.get(section, ()):
            if new.pop(gone, None) is not None:
                changed.add(gone)
    for record in sent or ():
        name = getattr(record, key)
        before = old.get(name)
        if before == record:
            # The same object tells every cache that nothing changed.
            new[name] = before
        else:
            changed.add(name)
            new[name] = record
    if frame.kind == "full":
        changed |= old.keys() - new.keys()
    return (new, changed) if changed or held is None else (held, changed)


def jobs_by_vm(jobs: dict[str, Job] | None) -> dict[str, tuple[Job, ...]]:
    """VM → its jobs, in the order of `newest_first`."""
    found: dict[str, list[Job]] = {}
    for job in newest_first((jobs or {}).values()):
        if job.vm:
            found.setdefault(job.vm, []).append(job)
    return {vm: tuple(items) for vm, items in found.items()}


def newest_first(jobs: Iterable[Job]) -> list[Job]:
    """Jobs by their start; WMI tells them in no order, and what a person reads must not depend on that."""
    return sorted(jobs, key=lambda job: (job.started is None, -job.started.timestamp() if job.started else 0.0, job.id))


def read_load(load: Load) -> tuple[dict[int, tuple[int, int]], Problem | None]:
    """Slot → CPU percent and memory MB; a vector that is not made of triples is thrown away whole, with the reason."""
    flat = load.vms
    if len(flat) % 3:
        text = f"the load vector has {len(flat)} numbers, not triples"
        return {}, Problem(part="load", kind="other", text=text)
    return {flat[i]: (flat[i + 1], flat[i + 2]) for i in range(0, len(flat), 3)}, None


def slots_freed(before: dict[str, Vm] | None, after: dict[str, Vm] | None, changed: Iterable[str]) -> set[int]:
    """Slots whose VM left or moved to another slot: their load must not be shown for the next VM there."""
    freed = set()
    for key in changed:
        old, new = (before or {}).get(key), (after or {}).get(key)
        if old is not None and (new is None or new.slot != old.slot):
            freed.add(old.slot)
    return freed
