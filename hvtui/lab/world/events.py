"""Windows event logs of a node: rings with record numbers, written with the node's own clock (windows.md §5.1)."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from hvtui.lab.world.event_texts import APPLICATION, CLUSTER, HA, KINDS, SYSTEM, VMMS, WORKER, Kind

if TYPE_CHECKING:
    from hvtui.lab.world.node import Node
    from hvtui.lab.world.vm import Vm
    from hvtui.lab.world.world import World

_HEX: Final = re.compile(r"0x([0-9a-fA-F]{8})(?![0-9a-fA-F])")
_NUMBER: Final = re.compile(r"%%(\d{1,10})")
__all__ = ["APPLICATION", "CLUSTER", "HA", "SYSTEM", "VMMS", "WORKER", "ChannelLog", "LogEvent", "emit", "write"]

_CAPACITY: Final = 4_000
_SHARED: Final = frozenset({SYSTEM, APPLICATION})
"""Logs that hold more than hvtui asks for: record numbers jump there."""


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One record. `time` is the node's own clock when it was written."""

    record: int
    id: int
    level: int
    time: datetime
    provider: str
    vm: str | None
    vm_name: str | None
    codes: tuple[str, ...]
    data: dict[str, str]
    text: str


@dataclass(slots=True)
class ChannelLog:
    """One channel of one node: a ring that forgets its oldest records."""

    first: int = 1
    """Number of the oldest record kept; what was before it is gone."""
    first_time: datetime | None = None
    newest: int = 0
    capacity: int = _CAPACITY
    records: deque[LogEvent] = field(default_factory=deque)

    @property
    def empty(self) -> bool:
        """Nothing is in it, not even records of others."""
        return self.newest < self.first

    def add(self, event: LogEvent) -> None:
        """Append; drops the oldest when the log is full."""
        if self.empty:
            self.first, self.first_time = event.record, event.time
        self.records.append(event)
        self.newest = event.record
        while len(self.records) > self.capacity:
            self.records.popleft()
            self.first, self.first_time = self.records[0].record, self.records[0].time


def emit(world: World, node: Node, channel: str, id: int, *, vm: Vm | None = None, **values: str) -> LogEvent:
    """Write an event into a node's log, as its own clock says.

    Hyper-V events carry their values in UserData/VmlEventLog with `VmId` in upper case; VSS and CAPI2 carry unnamed
    ones (windows.md §5.1). A value `code` is the error code as `0x…`.
    """
    return write(world, node, channel, id, world.time_of(node), vm=vm, **values)


def write(
    world: World,
    node: Node,
    channel: str,
    id: int,
    time: datetime,
    *,
    vm: Vm | None = None,
    **values: str,
) -> LogEvent:
    """Like `emit`, at a given time: the history that was there before the world began."""
    kind = KINDS[channel, id]
    names = {"vm": vm.name, "id": vm.id.upper()} if vm is not None else {}
    text = kind.text.format(**names, **values)
    data = _data(kind, vm, values, text)
    log = node.log(channel)
    gap = 1 + int(world.scatter(log.newest, id) * 9) if channel in _SHARED else 1
    event = LogEvent(
        record=log.newest + gap,
        id=id,
        level=kind.level,
        time=time,
        provider=kind.provider,
        vm=vm.id if vm is not None and kind.provider.startswith("Microsoft-Windows-Hyper-V") else None,
        vm_name=vm.name if vm is not None and kind.provider.startswith("Microsoft-Windows-Hyper-V") else None,
        codes=_codes(data),
        data=data,
        text=text,
    )
    log.add(event)
    return event


def _codes(data: dict[str, str]) -> tuple[str, ...]:
    """Error codes in the values, as `0x` and eight lower-case digits, each once."""
    found: dict[str, None] = {}
    for value in data.values():
        found.update((f"0x{match.lower()}", None) for match in _HEX.findall(value))
        found.update((f"0x{int(match):08x}", None) for match in _NUMBER.findall(value))
    return tuple(found)


def _data(kind: Kind, vm: Vm | None, values: dict[str, str], text: str) -> dict[str, str]:
    if kind.provider == "VSS":
        # The first unnamed value is the error, or what it is about; the last everything from "Operation:" on. Binary
        # data, which says which process wrote it, is text.
        head, _, context = text.partition("\n\n")
        if not head:
            return {}
        written = {"Binary": values["process"]} if "process" in values else {}
        if kind.id == 8213:
            return {"1": values["writer"], "2": f"{{{values['writer_id']}}}", "3": f"\n\n{context}"} | written
        error = "0x80070005, Access is denied.\r\n" if kind.id == 8194 else f"{values['code']}, {values['error']}\r\n"
        return {"1": error, "2": f"\n\n{context}"} | written
    if kind.provider == "Microsoft-Windows-CAPI2":
        return {"1": text.partition("Details: ")[2]}
    data = {"VmName": vm.name, "VmId": vm.id.upper()} if vm is not None else {}
    for name, value in values.items():
        if name == "code" and kind.provider.startswith("Microsoft-Windows-Hyper-V"):
            data["ErrorMessage"] = f"%%{int(value, 16)}"
            data["ErrorCode"] = value
        else:
            data["ErrorCode" if name == "code" else name] = value
    return data
