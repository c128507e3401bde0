"""What stands: a finding with when it was first seen, whether a person knows of it, and its place in the order."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import msgspec

from hvtui.config import ClusterConfig
from hvtui.findings.finding import Finding, Sure, worse
from hvtui.model.records import UtcTime
from hvtui.model.severity import Severity

KEPT: Final = 500
"""Acknowledgements kept of a cluster, the newest."""


class Ack(msgspec.Struct, frozen=True, kw_only=True):
    """That a person knows of a finding: who, when, why, and how grave it was then."""

    key: str
    note: str
    by: str
    time: UtcTime
    severity: int
    sure: int
    vms: tuple[str, ...] = ()


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """`seen`: when hvtui first saw it, by the clock of its target. `unread`: why it cannot be seen at present."""

    finding: Finding
    seen: datetime | None = None
    quiet: bool = False
    acknowledged: Ack | None = None
    unread: str = ""

    @property
    def alarming(self) -> bool:
        """A person must hear of it."""
        return not self.quiet and self.acknowledged is None

    @property
    def began(self) -> datetime | None:
        """Since when, as far as that is known."""
        return self.finding.since or self.seen


_LAST: Final = datetime.max.replace(tzinfo=UTC)


def rank(standing: Iterable[Standing]) -> tuple[Standing, ...]:
    """By whether a person must hear of it, severity, how sure, number of VMs, age; the key settles the rest."""
    return tuple(
        sorted(
            standing,
            key=lambda one: (
                not one.alarming,
                -one.finding.severity,
                -one.finding.sure,
                -len(one.finding.vms),
                one.began or _LAST,
                one.finding.key,
            ),
        )
    )


def quiet_vms(config: ClusterConfig | None) -> Callable[[str], bool]:
    """Whether a VM's name is one of those that are recorded and not alarmed; an entry may be the name of a group."""
    patterns: list[str] = []
    for entry in config.quiet if config is not None else ():
        group = next((vms for name, vms in config.groups.items() if name.lower() == entry.lower()), None)  # type: ignore[union-attr]
        patterns += group if group is not None else (entry,)
    lowered = [pattern.lower() for pattern in patterns]
    return lambda name: any(fnmatchcase(name.lower(), pattern) for pattern in lowered)


@dataclass
class Acknowledged:
    """Acknowledgements of a cluster. With `path` None they are kept in memory only."""

    path: Path | None = None
    problem: str = ""
    """Why the file could not be read; what it holds is then not known, and nothing counts as acknowledged."""
    _held: dict[str, Ack] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Acknowledged:
        """Those of a file; none when there is no file."""
        book = cls(path)
        try:
            held = msgspec.json.decode(path.read_bytes(), type=list[Ack])
        except FileNotFoundError:
            return book
        except (OSError, msgspec.DecodeError) as error:
            book.problem = f"{path} cannot be read: {error}"
            return book
        book._held = {ack.key: ack for ack in held}
        return book

    def of(self, finding: Finding) -> Ack | None:
        """The acknowledgement that covers a finding; None when there is none, or it has got worse since."""
        held = self._held.get(finding.key)
        if held is None or worse(finding, Severity(held.severity), Sure(held.sure), frozenset(held.vms)):
            return None
        return held

    def take(self, finding: Finding, note: str, by: str, time: datetime) -> None:
        """Acknowledge a finding as it is now, and write that down. Raises OSError: then it is not acknowledged."""
        ack = Ack(
            key=finding.key,
            note=note,
            by=by,
            time=time,
            severity=int(finding.severity),
            sure=int(finding.sure),
            vms=tuple(vm.key for vm in finding.vms),
        )
        self._write({**self._held, finding.key: ack})

    def forget(self, key: str) -> None:
        """Withdraw an acknowledgement. Raises OSError."""
        self._write({held: ack for held, ack in self._held.items() if held != key})

    def _write(self, held: dict[str, Ack]) -> None:
        """Another file in its place at once: a crash leaves the old one or the new one, whole."""
        kept = sorted(held.values(), key=lambda ack: ack.time)[-KEPT:]
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=self.path.name, suffix=".new")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(msgspec.json.format(msgspec.json.encode(kept), indent=1))
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self.path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(name).unlink()
                raise
        self._held = {ack.key: ack for ack in kept}
        self.problem = ""
