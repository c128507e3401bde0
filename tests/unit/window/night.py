"""A night of a small cluster: frames in order, and the tracker that looks at them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec

from hvtui.config import BackupWindow
from hvtui.model.change import Change
from hvtui.model.link import LinkStatus
from hvtui.model.records import CheckpointCount, Event, Job, Vm
from hvtui.model.writers import writer_picture
from hvtui.window.records import Backup, Timeline, VmLine
from hvtui.window.tracker import WindowTracker
from tests.support import builders
from tests.support.builders import NOW, guid

VM = "SQL07"
KEY = guid(VM)


class Night:
    """HV01 has SQL07 and APP01, both on Volume1. `tick` lets time pass and tells what HV01 says then."""

    def __init__(self, windows: Sequence[BackupWindow] = (), **more: Any) -> None:
        self.state = builders.small_state(writers=False)
        self.tracker = WindowTracker(windows, **more)
        self.now = NOW
        self.monotonic = 1000.0
        self.jobs: list[Job] = []
        self.vms: dict[str, Vm] = {name: builders.vm(name, n) for n, name in enumerate((VM, "APP01"), start=1)}
        self._records = 0
        self.tick()

    def tick(self, seconds: float = 0.0) -> None:
        """So much later, the node and the cluster speak."""
        self.now += timedelta(seconds=seconds)
        self.monotonic += seconds
        self.feed(self._node())
        self._cluster()

    def _node(self, name: str = "HV01") -> Change:
        view = self.state.node(name)
        frame = builders.node_frame(
            name, list(self.vms.values()), [builders.files(vm, "Volume1") for vm in self.vms], self.jobs,
            seq=view.seq + 1, time=self.now,
        )  # fmt: skip
        return self.state.apply_node(name, frame, builders.live(self.now, self.monotonic))

    def _cluster(self) -> None:
        frame = builders.cluster_frame(kind="beat", seq=self.state.cluster.seq + 1, time=self.now)
        self.feed(self.state.apply_cluster(frame, builders.live(self.now, self.monotonic)))

    def csv(self, name: str = "Volume1", io: tuple[int, int, int] = (2, 0, 0), **more: Any) -> None:
        """A volume as it is from now on."""
        frame = builders.cluster_frame(
            csvs=[builders.csv(name, "HV01", **more)], io=[builders.csv_io(name, {"HV01": io, "HV02": io})],
            kind="delta", seq=self.state.cluster.seq + 1, time=self.now,
        )  # fmt: skip
        self.feed(self.state.apply_cluster(frame, builders.live(self.now, self.monotonic)))

    def feed(self, change: Change) -> None:
        self.tracker.look(self.state, change)

    def vm(self, name: str = VM, **more: Any) -> None:
        """What a VM's record says from the next tick on."""
        self.vms[name] = msgspec.structs.replace(self.vms[name], **more)

    def job(self, kind: int, percent: int = 0, name: str = VM, **more: Any) -> None:
        """A job beside those that there are; one of the same kind takes its place."""
        made = builders.job(name, kind, percent, **{"started": self.now, **more})
        held = next((job for job in self.jobs if job.id == made.id), None)
        if held is not None and "started" not in more:
            made = msgspec.structs.replace(made, started=held.started)
        self.jobs = [job for job in self.jobs if job.id != made.id] + [made]

    def end(self, kind: int, name: str = VM) -> None:
        """The job is gone."""
        self.jobs = [job for job in self.jobs if not (job.type == kind and job.vm == guid(name))]

    def recovery(self, count: int = 1, *, name: str = VM, created: datetime | None = None, saved: bool = False) -> None:
        """The VM has so many Recovery checkpoints."""
        held = CheckpointCount(type=1, saved=saved, count=count, oldest=created or self.now)
        self.vm(name, checkpoints=[held] if count else [])

    def event(self, id: int, *, name: str = VM, at: datetime | None = None, codes: Sequence[str] = ()) -> None:
        """An event of Hyper-V about a VM, read now."""
        self._records += 1
        made: Event = builders.event(
            id, at or self.now, self._records, vm=guid(name), vm_name=name, codes=list(codes),
            data={"VmName": name, "VmId": guid(name)},
        )  # fmt: skip
        self.feed(self.state.add_events("HV01", builders.page([made], time=self.now)))

    def writers(self, code: int, error: str = "No error", node: str = "HV01") -> None:
        """A read of the writers: the Hyper-V writer is in this state."""
        text = builders.writer_lines({builders.HYPER_V_WRITER: (code, error)})
        picture = writer_picture(builders.writer_text(text, self.now), self.monotonic)
        self.feed(self.state.set_writers(node, picture))

    def silence(self, seconds: float, node: str = "HV01") -> None:
        """The node is not heard for so long; the cluster is."""
        link = msgspec.structs.replace(self.state.node(node).link, status=LinkStatus.UNREACHABLE)
        self.feed(self.state.set_link(node, link))
        self.now += timedelta(seconds=seconds)
        self.monotonic += seconds
        self._cluster()
        self.tracker.tick(self.state, self.monotonic)

    # --- what came of it ---

    @property
    def told(self) -> Timeline:
        timeline = self.tracker.timeline(self.state)
        for line in timeline.vms:
            check(line.backups)
        return timeline

    def line(self, name: str = VM) -> VmLine:
        return next(line for line in self.told.vms if line.vm == guid(name))

    def phases(self, name: str = VM) -> list[str]:
        """The phases of the newest backup."""
        last = self.line(name).last
        return [span.phase.value for span in last.spans] if last is not None else []


def check(backups: Sequence[Backup]) -> None:
    """What must hold of the backups of one VM, whatever was seen in whatever order."""
    assert sum(backup.open for backup in backups) <= 1
    assert all(not backup.open for backup in backups[:-1])
    for before, after in pairwise(backups):
        assert before.end is not None
        assert before.end <= after.begin
    for backup in backups:
        assert backup.end is None or backup.begin <= backup.end
        for number, span in enumerate(backup.spans):
            last = number == len(backup.spans) - 1
            assert backup.begin <= span.begin
            assert (span.end is None) == (backup.open and last), "a phase ends, and only the last one may last"
            if span.end is not None:
                assert span.begin <= span.end
                assert backup.end is None or span.end <= backup.end
            if not last:
                assert span.end is not None
                assert span.end <= backup.spans[number + 1].begin
