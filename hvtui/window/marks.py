"""Marks on the time axis: events that need a look, and what operators did."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from hvtui.model.event_catalog import describe, is_noise, severity_of, vm_of
from hvtui.model.events import NodeEvent
from hvtui.model.severity import Severity
from hvtui.window.records import Mark

MARKS: Final = 4_000
"""Kept, the newest ones."""


@dataclass(slots=True)
class Marks:
    """Marks by time. The same event or action is held once; an action may change its text."""

    held: list[Mark] = field(default_factory=list)
    _keys: dict[str, Mark] = field(default_factory=dict)

    def events(self, items: Iterable[NodeEvent]) -> bool:
        """Take in events; True when one of them is a mark."""
        found = False
        for item in items:
            event = item.event
            severity = severity_of(event)
            if severity < Severity.WARN or is_noise(event):
                continue
            vm, _ = vm_of(event)
            key = f"{item.node}|{event.channel}|{event.record}|{event.time.isoformat()}"
            made = Mark(
                time=event.time,
                kind="event",
                text=describe(event),
                severity=severity,
                node=item.node,
                vm=vm,
                id=event.id,
                key=key,
            )
            found = self.put(made) or found
        return found

    def put(self, mark: Mark) -> bool:
        """Hold a mark; one of the same key takes the place of the earlier. True when something is different."""
        old = self._keys.get(mark.key)
        if old == mark:
            return False
        if old is not None:
            self.held.remove(old)
        self._keys[mark.key] = mark
        insort(self.held, mark, key=lambda one: (one.time, one.key))
        if len(self.held) > MARKS:
            self._drop(self.held[: MARKS // 10])
        return True

    def forget(self, before: datetime) -> None:
        """Drop what is older than a time."""
        self._drop([one for one in self.held if one.time < before])

    def _drop(self, gone: list[Mark]) -> None:
        for mark in gone:
            self._keys.pop(mark.key, None)
        self.held = self.held[len(gone) :]
