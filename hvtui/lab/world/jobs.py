"""Hyper-V jobs: Msvm_ConcreteJob, Msvm_MigrationJob, Msvm_StorageJob (windows.md §3.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from hvtui.model.enums import JobState

KEPT: Final = 300.0
"""Seconds a job stays visible after its end (TimeBeforeRemoval is 5 min, windows.md §3.1)."""


@dataclass(slots=True, eq=False)
class Job:
    """One job. Its percent follows `plan`, pairs of world time and percent; between them it grows evenly."""

    id: str
    kind: str
    type: int
    vm: str
    started: float
    shelf: dict[str, Job] = field(repr=False)
    """The jobs of the node that runs it; a VM may move away from its job."""
    plan: list[tuple[float, float]] = field(default_factory=list)
    state: int = JobState.Running
    error: int = 0
    destination: str | None = None
    held: int = 0
    """Percent of an ended job."""

    @property
    def running(self) -> bool:
        """JobState 3 or 4: what a guard must wait for."""
        return self.state in {JobState.Starting, JobState.Running}

    def percent(self, time: float) -> int:
        """PercentComplete at a world time."""
        if not self.running:
            return self.held
        before = (self.started, 0.0)
        for point in self.plan:
            if time < point[0]:
                span = point[0] - before[0]
                part = (time - before[0]) / span if span > 0 else 1.0
                return min(99, int(before[1] + (point[1] - before[1]) * part))
            before = point
        return min(99, int(before[1]))
