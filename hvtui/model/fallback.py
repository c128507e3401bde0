"""Silent fallbacks: a new checkpoint with memory of a VM whose type promises one that its guest made consistent.

Windows tells nobody: `Checkpoint-VM` succeeds, and the list does not say what a checkpoint was meant to be (windows.md
§2.2). What gives it away is that the number of its standard checkpoints with memory grows while the type is Production.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from hvtui.model.enums import CheckpointType, SnapshotType, VmState
from hvtui.model.records import CheckpointCount, Vm

_RUNS: Final = frozenset({VmState.Running, VmState.Paused, VmState.PausedVendor})


MOST: Final = 500
"""Fallbacks that are kept, the newest ones; the journal has all."""


@dataclass(frozen=True)
class Fallback:
    """One of them: the VM, when it was seen (the node's clock), and how many with memory the VM had then."""

    vm: str
    name: str
    node: str
    time: datetime
    count: int

    @property
    def text(self) -> str:
        """For a finding, the journal and a page."""
        return (
            f"{self.name}: a checkpoint with memory was taken at {self.time:%Y-%m-%d %H:%M:%S} UTC though its type is "
            f"Production: its guest could not make it consistent, and applying it brings old memory back"
        )


@dataclass(frozen=True)
class Seen:
    """What was last seen of a VM: its standard checkpoints with memory, and whether a new one would be a fallback."""

    saved: int | None
    promised: bool
    ran: bool


def seen_of(vm: Vm) -> Seen:
    """What matters of a VM's record."""
    ran = vm.state in _RUNS or vm.state == VmState.Snapshotting
    return Seen(_saved(vm.checkpoints), vm.checkpoint_type == CheckpointType.Production, ran)


def is_fallback(before: Seen | None, now: Seen) -> bool:
    """A checkpoint with memory came, of a VM that ran and was Production before and after.

    One that was first seen so may have been Standard when they were taken; one that was saved has memory to keep.
    """
    if before is None or before.saved is None or now.saved is None:
        return False
    return now.saved > before.saved and before.promised and now.promised and before.ran


def _saved(counts: list[CheckpointCount] | None) -> int | None:
    if counts is None:
        return None
    return sum(one.count for one in counts if one.type == SnapshotType.Standard and one.saved)


class SavedFallbacks(msgspec.Struct, frozen=True):
    """A book as a recording keeps it. `standing` are the keys of those that stand."""

    found: list[Fallback]
    standing: list[Fallback]
    seen: dict[str, Seen]


@dataclass
class FallbackBook:
    """Those that were seen, oldest first, and what was last seen of every VM."""

    found: list[Fallback] = field(default_factory=list)
    standing: dict[str, Fallback] = field(default_factory=dict)
    """VM → its newest one, as long as the VM has as many checkpoints with memory."""
    _seen: dict[str, Seen] = field(default_factory=dict)

    def look(self, node: str, vms: Mapping[str, Vm] | None, changed: Iterable[str], time: datetime) -> None:
        """A node told of these VMs; `time` is its clock."""
        for key in changed:
            vm = (vms or {}).get(key)
            if vm is None:
                # Gone from this node: it may have moved, and what was seen of it stays true.
                continue
            now, before = seen_of(vm), self._seen.get(key)
            if is_fallback(before, now) and now.saved is not None:
                self._add(Fallback(key, vm.name, node, time, now.saved))
            # While they cannot be read, what was read last is what a later reading is compared with.
            kept = before.saved if now.saved is None and before is not None else now.saved
            self._seen[key] = Seen(kept, now.promised, now.ran)
            standing = self.standing.get(key)
            if standing is not None and now.saved is not None and now.saved < standing.count:
                del self.standing[key]

    def recall(self, earlier: Iterable[Fallback]) -> None:
        """What an earlier console saw: before those of this one, and standing where the checkpoints are still there."""
        known = {(one.vm, one.time) for one in self.found}
        old = [one for one in earlier if (one.vm, one.time) not in known]
        self.found = sorted([*old, *self.found], key=lambda one: one.time)[-MOST:]
        for one in old:
            seen = self._seen.get(one.vm)
            if one.vm not in self.standing and (seen is None or seen.saved is None or seen.saved >= one.count):
                self.standing[one.vm] = one

    def saved(self) -> SavedFallbacks:
        """Everything it knows, as it is now."""
        return SavedFallbacks(list(self.found), list(self.standing.values()), dict(self._seen))

    def restore(self, saved: SavedFallbacks) -> None:
        """Know exactly what was known then."""
        self.found = list(saved.found)
        self.standing = {one.vm: one for one in saved.standing}
        self._seen = dict(saved.seen)

    def _add(self, one: Fallback) -> None:
        self.found.append(one)
        del self.found[:-MOST]
        self.standing[one.vm] = one
