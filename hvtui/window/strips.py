"""Strips: how a node's VSS writers, and a volume's way of I/O, were over time, in stretches of what did not change."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from hvtui.model.csv_rows import csv_row
from hvtui.model.link import LinkStatus
from hvtui.model.severity import Severity
from hvtui.model.state import ClusterState
from hvtui.model.writer_catalog import HYPER_V
from hvtui.model.writers import Writer, WriterPicture
from hvtui.window.records import CsvLine, NodeLine, Sample, Stretch

STRETCHES: Final = 1_000
"""Kept of one strip, the newest ones: twelve hours of a writer that changes with every read."""
SAMPLES: Final = 400
_SAMPLE: Final = timedelta(minutes=5)
"""Least time between two samples of free space, unless it changed by one percent of the volume."""
_SNAPSHOT_STATES: Final = frozenset({2, 3, 4})
_EPOCH: Final = datetime.min.replace(tzinfo=UTC)
_SEVERITIES: Final = {"ok": Severity.OK, "busy": Severity.INFO, "failed": Severity.BAD}


@dataclass(slots=True)
class Strip:
    """Stretches, the oldest first; the last one lasts."""

    stretches: list[Stretch] = field(default_factory=list)

    def put(self, at: datetime, made: Stretch) -> bool:
        """What is so from `at` on; True when it is something else than before. A time of the past changes nothing."""
        last = self.stretches[-1] if self.stretches else None
        if last is not None:
            at = max(at, last.begin)
            if msgspec.structs.replace(made, begin=last.begin) == last:
                return False
            if at == last.begin:
                self.stretches.pop()
            else:
                self.stretches[-1] = msgspec.structs.replace(last, end=at)
        self.stretches.append(msgspec.structs.replace(made, begin=at))
        if len(self.stretches) > STRETCHES:
            del self.stretches[: STRETCHES // 10]
        return True

    def forget(self, before: datetime) -> None:
        """Drop what ended before a time."""
        self.stretches = [one for one in self.stretches if one.end is None or one.end >= before]


@dataclass(slots=True)
class NodeStrip:
    """The writers of a node."""

    strip: Strip = field(default_factory=Strip)
    read: datetime | None = None
    line: NodeLine | None = None

    def look(self, node: str, picture: WriterPicture, now: datetime | None, stall: float) -> bool:
        """Take in a read of the writers; True when the line is another one."""
        at = picture.time
        if picture.reading or at is None:
            return False
        if picture.failure:
            # The writers of the read before are kept beside the reason: they are not those of now.
            made = Stretch(begin=at, severity=Severity.UNKNOWN, text=picture.failure)
            at = max(at, now) if now is not None else at
        elif at == self.read:
            return False
        else:
            made = _writers(picture)
        self.read = picture.time
        changed = self.strip.put(at, made)
        stalled = self._stalled(at, stall)
        if not changed and self.line is not None and stalled == self.line.stalled:
            return False
        self.line = NodeLine(node=node, stretches=tuple(self.strip.stretches), stalled=stalled)
        return True

    def _stalled(self, at: datetime, stall: float) -> str:
        last = self.strip.stretches[-1]
        if last.code in _SNAPSHOT_STATES and (at - last.begin).total_seconds() > stall:
            return f"the Hyper-V writer is at [{last.code}] for more than {int(stall // 60)} min"
        return ""


def _writers(picture: WriterPicture) -> Stretch:
    """The Hyper-V writer; another one is named when it is worse."""
    hyper_v = next((one for one in picture.writers if one.id == HYPER_V), None)
    worst = max(picture.writers, key=_severity, default=None)
    if hyper_v is None:
        text = "no Hyper-V writer is listed" if picture.writers else "no writer could be read"
        return Stretch(begin=_EPOCH, severity=Severity.UNKNOWN, text=text)
    severity, text = _severity(hyper_v), _text(hyper_v)
    if worst is not None and _severity(worst) > severity:
        severity, text = _severity(worst), f"{text}; {worst.name} {_text(worst)}"
    return Stretch(begin=_EPOCH, severity=severity, code=hyper_v.code, text=text)


def _severity(writer: Writer) -> Severity:
    if writer.state_class == "busy" and writer.error_kind not in ("none", "unreadable"):
        return Severity.BAD
    return _SEVERITIES.get(writer.state_class, Severity.UNKNOWN)


def _text(writer: Writer) -> str:
    number = "?" if writer.code is None else str(writer.code)
    error = f", {writer.error_text}" if writer.error_kind != "none" else ""
    return f"[{number}] {writer.state_text or '?'}{error}"


@dataclass(slots=True)
class CsvStrip:
    """A volume."""

    strip: Strip = field(default_factory=Strip)
    free: list[Sample] = field(default_factory=list)
    line: CsvLine | None = None

    def look(self, state: ClusterState, csv: str, at: datetime) -> bool:
        """Take in how the volume is now; True when the line is another one."""
        row = csv_row(state, csv)
        heard = state.cluster.link.status is LinkStatus.LIVE and row.nodes
        severity = max((one.severity for one in row.nodes), default=Severity.UNKNOWN) if heard else Severity.UNKNOWN
        text = row.io if heard else "not read"
        changed = self.strip.put(at, Stretch(begin=at, severity=severity, text=text, backup=bool(row.backup)))
        if heard and row.free is not None:
            changed = self._sample(at, row.free, row.size or 0) or changed
        if changed or self.line is None or self.line.name != row.name:
            self.line = CsvLine(
                csv=csv, name=row.name, stretches=tuple(self.strip.stretches), free=tuple(self.free), size=row.size
            )
            return True
        return False

    def _sample(self, at: datetime, free: int, size: int) -> bool:
        last = self.free[-1] if self.free else None
        if last is not None:
            if at <= last.time:
                return False
            if at - last.time < _SAMPLE and abs(free - last.free) * 100 < max(1, size):
                return False
        self.free.append(Sample(at, free))
        if len(self.free) > SAMPLES:
            # Every second of the older half: the shape of the night stays, and so does its end.
            half = SAMPLES // 2
            self.free[:half] = self.free[:half:2]
        return True

    def forget(self, before: datetime) -> None:
        """Drop what is older than a time."""
        self.strip.forget(before)
        self.free = [one for one in self.free if one.time >= before]
