"""What is remembered between two looks: how often, since when, and what came back.

Fed with every look of the engine; times are the clocks of the nodes (the cluster's stream for CSVs).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec

from hvtui.model.durations import job_key
from hvtui.model.enums import BackupState
from hvtui.model.preflight import ShadowCopy
from hvtui.model.state import ClusterState

KEPT: Final = 50
"""Most things remembered of one kind about one target, the newest."""
GONE_FOR: Final = timedelta(hours=24)
"""How long a shadow copy that is gone is remembered."""
TREND: Final = timedelta(minutes=1)
"""Shortest time between two samples of free space."""


class ShadowSeen(msgspec.Struct, kw_only=True):
    """A shadow copy of a node: when it was first and last seen. `gone`: a later answer did not have it any more."""

    id: str
    volume: str
    created: datetime | None
    first: datetime
    last: datetime
    gone: bool = False


class WriterSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A state in which a writer was read, at the first read that showed it."""

    time: datetime
    code: int | None
    kind: str
    """Kind of its last error, as `writer_catalog.kind_of` names it."""
    state_class: str
    """`ok busy failed unreadable`."""


class VmSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A state (Msvm EnabledState) that a VM came into while hvtui looked, and the node it was on."""

    time: datetime
    state: int
    before: int
    node: str


@dataclass
class Memory:
    """One for a cluster."""

    _state: ClusterState | None = None
    _shadows: dict[str, dict[str, ShadowSeen]] = field(default_factory=dict)
    _answers: dict[str, datetime] = field(default_factory=dict)
    _backups: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    _writers: dict[tuple[str, str], deque[WriterSeen]] = field(default_factory=dict)
    _writers_read: dict[str, datetime] = field(default_factory=dict)
    _vm: dict[str, int] = field(default_factory=dict)
    _vms: dict[str, deque[VmSeen]] = field(default_factory=dict)
    _free: dict[str, deque[tuple[datetime, int]]] = field(default_factory=dict)
    _busy: dict[str, dict[int, datetime]] = field(default_factory=dict)
    _busy_until: dict[str, datetime] = field(default_factory=dict)
    _vmms: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    # --- asking ---

    def shadows(self, node: str) -> list[ShadowSeen]:
        """The shadow copies that answers of a node had, those of the last day that are gone included; oldest first."""
        return sorted(self._shadows.get(node.lower(), {}).values(), key=lambda seen: (seen.first, seen.id))

    def backup_since(self, csv: str) -> datetime | None:
        """When the backup that is in progress on a CSV was first seen, None when none is."""
        held = self._backups.get(csv)
        record = self._csv(csv)
        return held[0] if held is not None and record == BackupState.InProgress else None

    def backup_seen(self, csv: str) -> datetime | None:
        """When a backup was last seen in progress on a CSV, None when never."""
        held = self._backups.get(csv)
        return held[1] if held is not None else None

    def backup_span(self, csv: str) -> tuple[datetime, datetime] | None:
        """When the newest backup of a CSV was first and last seen in progress, None when none was."""
        return self._backups.get(csv)

    def busy_since(self, vm: str, status: int) -> datetime | None:
        """When an operation of a VM (secondary OperationalStatus) that goes on was first seen; None: it does not."""
        return self._busy.get(vm, {}).get(status)

    def busy_until(self, vm: str) -> datetime | None:
        """When the last operation of a VM that was seen had ended; None while one goes on, and when none was seen."""
        return None if self._busy.get(vm) else self._busy_until.get(vm)

    def vmms_since(self, node: str) -> datetime | None:
        """When the present state of a node's VMMS was first seen, None when it is not known."""
        held = self._vmms.get(node.lower())
        return held[1] if held is not None else None

    def job_stands(self, node: str, job: str) -> float | None:
        """Least number of seconds a job has not moved on; None when it is not known."""
        state = self._state
        if state is None or state.history.since(state, job_key(node, job)) is None:
            return None
        return state.history.seconds(state, job_key(node, job))

    def writers(self, node: str, writer: str) -> list[WriterSeen]:
        """The states a writer (its GUID) was read in, oldest first; reads that showed the same state count once."""
        return list(self._writers.get((node.lower(), writer), ()))

    def failed_writers(self, node: str) -> list[str]:
        """GUIDs of the writers that were ever read as failed."""
        lower = node.lower()
        return [
            writer
            for (name, writer), seen in self._writers.items()
            if name == lower and any(one.state_class == "failed" for one in seen)
        ]

    def vm_states(self, vm: str) -> list[VmSeen]:
        """States a VM came into while hvtui looked, oldest first."""
        return list(self._vms.get(vm, ()))

    def free_space(self, csv: str) -> list[tuple[datetime, int]]:
        """Free bytes of a CSV as they were, a sample a minute at most, oldest first."""
        return list(self._free.get(csv, ()))

    # --- keeping up ---

    def observe(self, state: ClusterState, vms: Iterable[str] | None = None) -> None:
        """Look once; `vms` are the VMs that may have changed, None for all."""
        if self._state is not state:
            self.__init__(_state=state)  # type: ignore[misc]
        self._observe_csvs(state)
        self._observe_writers(state)
        for name, node in state.nodes.items():
            word = node.host.vmms if node.host is not None else None
            if word is not None and node.time is not None and self._vmms.get(name.lower(), ("",))[0] != word:
                self._vmms[name.lower()] = (word, node.time)
        for key in state.homes if vms is None else vms:
            self._observe_vm(state, key)

    def shadows_read(self, node: str, time: datetime, copies: Iterable[ShadowCopy]) -> None:
        """Take in the shadow copies of an answer of a node; `time` is the answer's. An answer counts once."""
        lower = node.lower()
        if self._answers.get(lower) == time:
            return
        self._answers[lower] = time
        held = self._shadows.setdefault(lower, {})
        listed = set()
        for copy in copies:
            listed.add(copy.id)
            seen = held.get(copy.id)
            if seen is None:
                held[copy.id] = ShadowSeen(
                    id=copy.id, volume=copy.volume or "", created=copy.created, first=copy.created or time, last=time
                )
            else:
                seen.last, seen.gone = time, False
        for seen in list(held.values()):
            if seen.id not in listed:
                seen.gone = True
                if time - seen.last > GONE_FOR:
                    del held[seen.id]

    def _observe_csvs(self, state: ClusterState) -> None:
        now = state.cluster.time
        if now is None:
            return
        for csv in (state.cluster.csvs or {}).values():
            if csv.backup == BackupState.InProgress:
                held = self._backups.get(csv.id)
                # A pause between two snapshots of one job is shorter than the time between two looks.
                began = held[0] if held is not None and now - held[1] < timedelta(minutes=2) else now
                self._backups[csv.id] = (began, now)
            if csv.free is not None:
                samples = self._free.setdefault(csv.id, deque(maxlen=8 * KEPT))
                if not samples or now - samples[-1][0] >= TREND:
                    samples.append((now, csv.free))

    def _observe_writers(self, state: ClusterState) -> None:
        for name, view in state.nodes.items():
            picture = view.writers
            if picture is None or picture.time is None or picture.reading or not picture.writers:
                continue
            lower = name.lower()
            if self._writers_read.get(lower) == picture.time:
                continue
            self._writers_read[lower] = picture.time
            for writer in picture.writers:
                seen = self._writers.setdefault((lower, writer.id), deque(maxlen=KEPT))
                now = WriterSeen(
                    time=picture.time, code=writer.code, kind=writer.error_kind, state_class=writer.state_class
                )
                if not seen or (seen[-1].code, seen[-1].kind) != (now.code, now.kind):
                    seen.append(now)

    def _observe_vm(self, state: ClusterState, key: str) -> None:
        found = state.vm(key)
        if found is None:
            return
        view, vm = found
        if vm.op is not None and view.time is not None:
            self._observe_work(key, vm.op[1:], view.time)
        before = self._vm.get(key)
        if before == vm.state:
            return
        self._vm[key] = vm.state
        if before is not None and view.time is not None:
            seen = VmSeen(time=view.time, state=vm.state, before=before, node=view.name)
            self._vms.setdefault(key, deque(maxlen=KEPT)).append(seen)

    def _observe_work(self, key: str, status: list[int], now: datetime) -> None:
        held = self._busy.get(key)
        if not status and held is None:
            return
        if held is not None:
            self._busy_until[key] = now
        if status:
            self._busy[key] = {number: (held or {}).get(number, now) for number in status}
        else:
            self._busy.pop(key, None)

    def _csv(self, csv: str) -> int | None:
        record = (self._state.cluster.csvs or {}).get(csv) if self._state is not None else None
        return None if record is None else record.backup


def short_lived(seen: Iterable[ShadowSeen], longest: timedelta) -> Iterator[ShadowSeen]:
    """Shadow copies that are gone and lived no longer than `longest`."""
    return (one for one in seen if one.gone and one.last - one.first <= longest)
