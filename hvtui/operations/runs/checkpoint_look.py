"""What becomes of a checkpoint: the list from its node, the jobs from the picture, the reason from the events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hvtui.errors import RemoteError
from hvtui.model.checkpoints import CheckpointInfo, Checkpoints
from hvtui.model.conditions import RUNNING_JOBS
from hvtui.model.enums import JobState, JobType, OperationalStatus
from hvtui.model.event_catalog import meaning, vm_of
from hvtui.model.records import Job, Vm
from hvtui.operations.desk import Desk
from hvtui.operations.plan import Target
from hvtui.operations.run import Run, RunItem

WORK: Final = frozenset(
    {
        JobType.Snapshot,
        JobType.GuestVssSnapshot,
        JobType.ApplySnapshot,
        JobType.DeleteSnapshot,
        JobType.MergeDisks,
        JobType.Start,
        JobType.Save,
    }
)
"""Jobs of a checkpoint, and of the save and start that applying one brings with it."""
_AT_WORK: Final = frozenset(
    {
        OperationalStatus.CreatingSnapshot,
        OperationalStatus.ApplyingSnapshot,
        OperationalStatus.DeletingSnapshot,
        OperationalStatus.MergingDisks,
    }
)
_BROKEN: Final = frozenset({JobState.Terminated, JobState.Killed, JobState.Exception})
_SAYS_NOTHING: Final = frozenset({"0x00008000"})
"""32768: it failed (windows.md §5.3)."""
REASONS: Final = frozenset({10102, 10103, 10104, 10107, 10150, 10172, 10173, 18012, 18014, 18016, 19090, 19100})
"""VMMS-Admin events that tell why a checkpoint, or a merge, failed (windows.md §5.3)."""


@dataclass
class Following:
    """One thing that Windows was asked to do with a VM's checkpoints, since it was asked."""

    desk: Desk
    run: Run
    item: RunItem
    vm: Target
    node: str
    since: datetime
    """The node's clock: events and jobs of this are newer."""
    before: frozenset[str]
    """Ids of the jobs that there were before."""
    asked: float
    worked: bool = False
    """Windows was seen at work on it."""
    idle: float | None = None
    """Since when it is at work no more; None while it is, or was not looked."""
    failed: list[Job] = field(default_factory=list)

    def look(self) -> None:
        """What the picture shows now: is Windows at work, how far is it, did a job of this break?"""
        jobs = self._jobs()
        running = [job for job in jobs if job.state in RUNNING_JOBS]
        self.failed = [job for job in jobs if job.state in _BROKEN]
        record = self.record()
        op = record.op if record is not None else None
        if running or any(number in _AT_WORK for number in (op or ())[1:]):
            self.worked, self.idle = True, None
            percent = next((job.percent for job in running if job.percent is not None), None)
            if percent != self.item.percent:
                self.item.percent = percent
                self.desk.tell(self.run)
        elif self.idle is None:
            self.idle = self.desk.now()

    @property
    def rest(self) -> float:
        """Seconds for which Windows was not at work on it, as far as the picture tells."""
        return 0.0 if self.idle is None else self.desk.now() - self.idle

    @property
    def over(self) -> bool:
        """It was seen to begin and is at work no more; or nothing was seen for as long as a beginning may take."""
        pace = self.desk.pace
        return self.rest >= (pace.grace if self.worked or self.failed else pace.begin)

    def record(self) -> Vm | None:
        """The VM as its node's stream tells it."""
        found = self.desk.state.vm(self.vm.id)
        return found[1] if found is not None else None

    def _jobs(self) -> list[Job]:
        view = self.desk.state.nodes.get(self.desk.state.node_name(self.node))
        jobs = view.jobs_of.get(self.vm.id, ()) if view is not None else ()
        return [job for job in jobs if job.type in WORK and job.id not in self.before]

    async def listed(self) -> list[CheckpointInfo] | None:
        """The VM's checkpoints now; None when they could not be read."""
        answer = await self.answer()
        return answer.checkpoints if answer is not None else None

    async def answer(self) -> Checkpoints | None:
        """The same with what the VM is."""
        return await read(self.desk, self.node, self.vm.id)

    async def why(self) -> tuple[str, str]:
        """Code and words of why it failed, waited for a while; empty when Windows told nothing."""
        self.desk.nodes.refresh("events", self.node)
        await self.desk.watcher.until(lambda: bool(self.told()[1]), self.desk.pace.events)
        code, text = self.told()
        if not code:
            code = next((f"0x{job.error & 0xFFFFFFFF:08x}" for job in self.failed if job.error), "")
        return code, text

    def told(self) -> tuple[str, str]:
        """What the events about it say, those that name a code first: our words, then Windows'."""
        found: list[tuple[str, str]] = []
        for held in sorted(self.desk.state.events.of(REASONS, since=self.since), key=lambda one: one.event.time):
            event = held.event
            if vm_of(event)[0] != self.vm.id and event.vm_name != self.vm.name:
                continue
            known = meaning(event)
            words = [known.words.format(subject=self.vm.name)] if known is not None else []
            words += [event.text.strip()] if event.text.strip() else []
            code = next((code for code in event.codes if code not in _SAYS_NOTHING), "")
            found.append((code, f"event {event.id}, {': '.join(words) or 'no text'}"))
        found.sort(key=lambda one: not one[0])
        code = found[0][0] if found else ""
        return code, "; ".join(dict.fromkeys(text for _, text in found[:3]))


async def read(desk: Desk, node: str, vm: str) -> Checkpoints | None:
    """A VM's checkpoints from its node; None when they could not be read."""
    try:
        answer = await desk.asker.checkpoints_of(node, vm)
    except RemoteError:
        return None
    return answer if answer.checkpoints is not None else None
