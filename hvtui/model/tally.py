"""Counts over all VMs, kept up VM by VM: at 8,000 of them counting anew at every tick would cost more than the tick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from hvtui.model.enums import VmState
from hvtui.model.severity import Severity
from hvtui.model.vm_rows import vm_row

if TYPE_CHECKING:
    from hvtui.model.state import ClusterState


class _Counted(msgspec.Struct, frozen=True):
    """What one VM adds to the counts."""

    node: str
    csvs: tuple[str, ...]
    running: bool
    drift: bool
    split: bool
    placed: bool
    severity: Severity


@dataclass(slots=True)
class Tally:
    """Counts by node, by CSV and over all. `refresh` first: changes are only noted until somebody reads."""

    vms: int = 0
    running: int = 0
    drift: int = 0
    split: int = 0
    severities: Counter[Severity] = field(default_factory=Counter)
    by_node: Counter[str] = field(default_factory=Counter)
    running_by_node: Counter[str] = field(default_factory=Counter)
    drift_by_node: Counter[str] = field(default_factory=Counter)
    by_csv: Counter[str] = field(default_factory=Counter)
    drift_by_csv: Counter[str] = field(default_factory=Counter)
    cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    drift_cells: Counter[tuple[str, str]] = field(default_factory=Counter)
    elsewhere: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    _counted: dict[str, _Counted] = field(default_factory=dict)
    _touched: set[str] = field(default_factory=set)

    def touch(self, keys: Iterable[str]) -> None:
        """These VMs may count differently now."""
        self._touched.update(keys)

    def refresh(self, state: ClusterState) -> Tally:
        """Bring the counts up to date."""
        if self._touched:
            touched, self._touched = self._touched, set()
            for key in touched:
                self._take(state, key)
        return self

    def keys_with(self, severity: Severity) -> list[str]:
        """Keys of the VMs of one severity."""
        return [key for key, vm in self._counted.items() if vm.severity is severity]

    def _take(self, state: ClusterState, key: str) -> None:
        old = self._counted.get(key)
        there = key in state.homes or state.role(key) is not None
        new = _count(state, key) if there else None
        if old == new:
            return
        if old is not None:
            self._add(old, -1)
            del self._counted[key]
        if new is not None:
            self._add(new, 1)
            self._counted[key] = new

    def _add(self, vm: _Counted, sign: int) -> None:
        self.vms += sign
        self.running += sign * vm.running
        self.drift += sign * vm.drift
        self.split += sign * vm.split
        self.severities[vm.severity] += sign
        self.by_node[vm.node] += sign
        self.running_by_node[vm.node] += sign * vm.running
        self.drift_by_node[vm.node] += sign * vm.drift
        for csv in vm.csvs:
            self.by_csv[csv] += sign
            self.drift_by_csv[csv] += sign * vm.drift
            self.cells[vm.node, csv] += sign
            self.drift_cells[vm.node, csv] += sign * vm.drift
        if not vm.csvs:
            (self.elsewhere if vm.placed else self.unknown)[vm.node] += sign


def _count(state: ClusterState, key: str) -> _Counted:
    row = vm_row(state, key)
    return _Counted(
        node=row.node,
        csvs=row.csv_ids,
        running=row.state_number == VmState.Running,
        drift=row.drift is True,
        split=row.split is True,
        placed=row.off_owner is not None,
        severity=row.severity,
    )
