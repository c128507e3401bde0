"""Events by what they are about: node, VM, volume, role. Kept up event by event.

A rule asks it thousands of times in a second; the event log itself is ordered by time only.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from hvtui.model.event_catalog import subject_of, vm_of
from hvtui.model.events import EventLog, NodeEvent

SOURCES: Final = {
    "hyperv": ("microsoft-windows-hyper-v",),
    "vmms": ("microsoft-windows-hyper-v-vmms",),
    "worker": ("microsoft-windows-hyper-v-worker",),
    "storagevsp": ("microsoft-windows-hyper-v-storagevsp",),
    "cluster": ("microsoft-windows-failoverclustering",),
    "vss": ("vss",),
    "volsnap": ("volsnap", "microsoft-windows-volsnap"),
    "capi2": ("microsoft-windows-capi2",),
    "hvtui": ("hvtui",),
}
"""What a rule calls a source → beginnings of its providers' names, in lower case."""
_LONGEST: Final = 300
"""Characters of a value that may be a name; a longer one is a text."""

Place = tuple[int, str, str]
"""Event id, what kind of thing, its name in lower case."""


def is_from(item: NodeEvent, source: str) -> bool:
    """The event was written by a provider of this source; `""` is every one."""
    return not source or item.event.provider.lower().startswith(SOURCES[source])


class EventIndex:
    """Fed by `catch_up`; lists are oldest first."""

    def __init__(self) -> None:
        self._held: dict[Place, list[NodeEvent]] = {}
        self._ids: dict[tuple[str, str], set[int]] = {}
        self._arrived = 0
        self._dropped = 0
        self._log: EventLog | None = None

    def catch_up(self, log: EventLog) -> list[NodeEvent]:
        """Take in what came since the last time and give it back; all there is when too much was missed."""
        fresh: list[NodeEvent] | None = None
        if log is self._log and log.dropped == self._dropped:
            if log.arrived == self._arrived:
                return []
            fresh = log.arrivals(self._arrived)
        if fresh is None:
            self._held.clear()
            self._ids.clear()
            fresh = log.recent()[::-1]
        self._log, self._arrived, self._dropped = log, log.arrived, log.dropped
        for item in fresh:
            for place in _places(item):
                insort(self._held.setdefault(place, []), item, key=NodeEvent.order)
                self._ids.setdefault(place[1:], set()).add(place[0])
        return fresh

    def of(self, ids: Iterable[int], kind: str = "", name: str = "") -> Iterator[NodeEvent]:
        """Events with these ids about a thing. Kinds: `""` any, `node` (whose log), `vm` (GUID), `name` (a value)."""
        for number in ids:
            yield from self._held.get((number, kind, name.lower()), ())

    def ids(self, kind: str, name: str) -> AbstractSet[int]:
        """Ids of the events about a thing."""
        return self._ids.get((kind, name.lower()), frozenset())


def _places(item: NodeEvent) -> set[Place]:
    number = item.event.id
    vm, vm_name = vm_of(item.event)
    places = {(number, "", ""), (number, "node", item.node.lower())}
    if vm:
        places.add((number, "vm", vm.lower()))
    names = {value for value in item.event.data.values() if value and len(value) <= _LONGEST}
    names.update(name for name in (vm_name if not vm else "", subject_of(item.event)) if name)
    places.update((number, "name", name.lower()) for name in names)
    return places
