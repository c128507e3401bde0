"""Which guests made backups of a node fail and were not saved since, worst first; how that was found out.

A verdict comes only from events that name a VM (VMMS-Admin 10102), and ends with the next good backup of that VM.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from hvtui.findings.finding import Evidence, Target
from hvtui.findings.look import Look
from hvtui.model.event_catalog import vm_of
from hvtui.model.events import NodeEvent
from hvtui.model.severity import Severity
from hvtui.model.writer_catalog import HYPER_V
from hvtui.operations.guest_knowledge import GUILTY

DAY: Final = timedelta(hours=24)
"""The past that is read of a log at the start."""


@dataclass(frozen=True)
class Guest:
    """One VM. `events` are its failures, newest first; `saved` its last good backup, None when that is not known.

    `full` says which of its volumes are too full, empty when none is or nobody looked. `roomy`: a look after its last
    failure found room on every volume.
    """

    target: Target
    events: tuple[NodeEvent, ...]
    saved: datetime | None
    full: str
    roomy: bool = False

    @property
    def first(self) -> datetime:
        """When it failed first."""
        return self.events[-1].event.time

    @property
    def text(self) -> str:
        """The VM with the reason, where that is known."""
        return f"{self.target.name} ({self.full})" if self.full else self.target.name


def last_backup(look: Look, vm: str) -> datetime | None:
    """A VM's LastSuccessfulBackupTime; None when there was none, or it is not known."""
    found = look.vm(vm)
    return None if found is None else found[1].last_backup


def still_failed(look: Look, items: Iterable[NodeEvent]) -> list[NodeEvent]:
    """Those of some events about VMs after which the VM was not saved; the order stays."""
    left = []
    for item in items:
        saved = last_backup(look, vm_of(item.event)[0])
        if saved is None or saved <= item.event.time:
            left.append(item)
    return left


def guilty_guests(look: Look, node: str, since: datetime | None) -> list[Guest]:
    """VMs whose shadow copy failed on a node: known to be full before others, then by how often, then the newest."""
    failed = look.events(GUILTY, node=node, source="vmms", since=DAY)
    by_vm: dict[str, list[NodeEvent]] = {}
    for item in still_failed(look, failed):
        if since is not None and item.event.time < since:
            continue
        vm, name = vm_of(item.event)
        key = vm.lower() or look.vm_named(name)
        if key:
            by_vm.setdefault(key, []).append(item)
    guests = [
        Guest(
            look.vm_target(key),
            tuple(items),
            last_backup(look, key),
            full_volumes(look, key),
            _has_room(look, key, items[0].event.time),
        )
        for key, items in by_vm.items()
    ]
    return sorted(guests, key=lambda one: (not one.full, -len(one.events), one.first, one.target.name.lower()))


def full_volumes(look: Look, vm: str) -> str:
    """The volumes of a guest in which no shadow copy can be made, as a look found them; empty when none, or unread."""
    row = look.facts.guests.get(vm)
    return ", ".join(volume.text for volume in row.full) if row is not None and row.read else ""


def _has_room(look: Look, vm: str, since: datetime) -> bool:
    """A look into the guest after a time found enough room on every volume. What was not read is no room."""
    row = look.facts.guests.get(vm)
    if row is None or not row.read or row.time is None or row.time < since or not row.volumes:
        return False
    return all(volume.severity not in (Severity.BAD, Severity.UNKNOWN) for volume in row.volumes)


def guest_evidence(look: Look, guests: Iterable[Guest]) -> Iterator[Evidence]:
    """What speaks against each guest: its newest event, what its volumes look like, its last good backup."""
    for guest in guests:
        yield look.evidence(guest.events[0])
        if guest.full:
            yield look.read(f"{guest.target.name}: {guest.full}", guest.target.key, "a look into the guest")
        if guest.saved is not None:
            text = f"{guest.target.name}: last successful backup {stamp(guest.saved)}, none since it failed"
            yield look.read(text, guest.target.key, "VM")


def hyper_v_failed(look: Look, node: str) -> bool:
    """The Hyper-V writer of a node was read as failed: the node's own finding says so, and what it means."""
    view = look.node(node)
    writers = view.writers.writers if view is not None and view.writers is not None else ()
    return any(writer.id == HYPER_V and writer.state_class == "failed" for writer in writers)


def names(guests: Iterable[Guest], most: int = 4) -> str:
    """Some guests with their reasons, in a sentence."""
    return listed([guest.text for guest in guests], most)


def listed(texts: list[str], most: int = 4) -> str:
    """Some of many texts, and how many more there are."""
    more = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {more} more" if more > 0 else "")


def stamp(time: datetime) -> str:
    """A time in a text."""
    return f"{time:%d %b %H:%M} UTC"


def saved_after(look: Look, vms: Iterable[str], time: datetime) -> bool | None:
    """A VM of these was saved after `time`; None when none is known to be and not all could be read."""
    unknown = False
    for vm in vms:
        found = look.vm(vm)
        if found is None:
            unknown = True
            continue
        view, record = found
        if record.last_backup is not None and record.last_backup > time:
            return True
        unknown = unknown or view.problem("vms.last_backup") is not None
    return None if unknown else False
