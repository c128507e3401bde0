"""What looks into guests have found, kept while the console runs: which of them make the next backup stick again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from hvtui.model.guest_rows import GuestRow
from hvtui.model.severity import Severity
from hvtui.model.state import ClusterState

GUILTY: Final = frozenset({10102})
"""VMMS: no volume shadow copy could be made inside the guest."""


@dataclass(frozen=True)
class Known:
    """A guest as it was read last; `at` is the client's monotonic clock."""

    row: GuestRow
    at: float


@dataclass(frozen=True)
class Verdict:
    """What is known of one guest that made a backup fail. `full`: whether it still is; None when nobody looked."""

    vm: str
    name: str
    full: bool | None
    text: str
    severity: Severity


@dataclass
class GuestKnowledge:
    """By VM. Event loop thread only. What could not be read does not replace what was, but its reason is told too."""

    _known: dict[str, Known] = field(default_factory=dict)
    _why: dict[str, str] = field(default_factory=dict)

    def keep(self, row: GuestRow, now: float) -> None:
        """Take in one row of a look."""
        if row.read:
            self._known[row.vm.lower()] = Known(row, now)
            self._why.pop(row.vm.lower(), None)
        else:
            self._why[row.vm.lower()] = row.reason

    def rows(self) -> dict[str, GuestRow]:
        """What was read last of every guest, by VM."""
        return {vm: known.row for vm, known in self._known.items()}

    def get(self, vm: str) -> GuestRow | None:
        """What was read last; None when nothing ever was."""
        known = self._known.get(vm.lower())
        return known.row if known is not None else None

    def age(self, vm: str, now: float) -> float | None:
        """Seconds since it was read; None when it never was."""
        known = self._known.get(vm.lower())
        return None if known is None else now - known.at

    def why_not(self, vm: str) -> str:
        """Why the last look could not read it; empty when it did, or nobody looked."""
        return self._why.get(vm.lower(), "")

    def full(self) -> list[Known]:
        """Guests in which no shadow copy can be made, as they were read last, by name."""
        full = (known for known in self._known.values() if known.row.full)
        return sorted(full, key=lambda known: known.row.name.lower())

    def text(self, vm: str, now: float) -> str:
        """`SQL07 T: 0 MB free (read 4 min ago)`; empty when it is not known to be full."""
        known = self._known.get(vm.lower())
        if known is None or not known.row.full:
            return ""
        volumes = ", ".join(volume.text for volume in known.row.full)
        return f"{known.row.name} {volumes} ({_ago(now - known.at)})"

    def findings(self, now: float) -> list[str]:
        """Why the next backup sticks again, one line for each guest that is full."""
        return [f"the next backup sticks again: {self.text(known.row.vm, now)}" for known in self.full()]

    def verdict(self, vm: str, name: str, now: float) -> Verdict:
        """Whether a guest that made a backup fail is still full: read, or unknown, and then a person must look."""
        known = self._known.get(vm.lower())
        if known is None:
            why = self._why.get(vm.lower(), "")
            told = f"it was not readable ({why})" if why else "nobody has looked into it"
            text = f"{name}: whether it is still full is not known, {told}; look into the guest, or inside it yourself"
            return Verdict(vm, name, None, text, Severity.WARN)
        if known.row.full:
            text = f"the next backup sticks again: {self.text(vm, now)}"
            return Verdict(vm, name, True, text, Severity.BAD)
        if not known.row.volumes or any(volume.free is None for volume in known.row.volumes):
            text = f"{name}: not all of its volumes could be read ({_ago(now - known.at)})"
            return Verdict(vm, name, None, text, Severity.WARN)
        low = ", ".join(volume.text for volume in known.row.volumes if volume.severity is Severity.WARN)
        also = f", low: {low}" if low else ""
        text = f"{name}: no volume is full any more{also} ({_ago(now - known.at)})"
        return Verdict(vm, name, False, text, Severity.WARN if low else Severity.INFO)


def guilty(state: ClusterState, node: str) -> dict[str, str]:
    """VM → name of the guests that made a backup of this node fail (10102), as its log tells; by name.

    An event that names no id stands for itself, under the name it gives.
    """
    found: dict[str, str] = {}
    for event in state.events.of(GUILTY):
        if event.node.lower() == node.lower():
            vm, name = event.event.vm or "", event.event.vm_name or ""
            listed = state.vm(vm) if vm else None
            name = listed[1].name if listed is not None else name
            if vm or name:
                found[vm or name] = name or vm
    return dict(sorted(found.items(), key=lambda one: one[1].lower()))


def verdicts(state: ClusterState, knowledge: GuestKnowledge, node: str, now: float) -> Iterator[Verdict]:
    """One for each guest that made a backup of this node fail."""
    for vm, name in guilty(state, node).items():
        yield knowledge.verdict(vm, name, now)


def _ago(seconds: float) -> str:
    return "read just now" if seconds < 60 else f"read {int(seconds // 60)} min ago"
