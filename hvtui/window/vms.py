"""The VMs of a window: every look, event and new LastSuccessfulBackupTime, put into the books of the VMs concerned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hvtui.model.enums import VmState
from hvtui.model.event_catalog import meaning, vm_of
from hvtui.model.events import NodeEvent
from hvtui.model.placement import place
from hvtui.model.state import ClusterState
from hvtui.model.writer_catalog import HYPER_V
from hvtui.window.book import LINGER, SLACK, Book, Limits
from hvtui.window.records import Consistency, Outcome, Phase, Way
from hvtui.window.signs import AT_REST, Signs, look, plain

FAILURES: Final = {
    10102: ("no volume shadow copy inside the guest", Way.HOST),
    10103: ("its disk was not reverted to the shadow copy", Way.HOST),
    10104: ("its disks were not reverted to the shadow copy", Way.HOST),
    10150: ("the backup checkpoint failed", Way.CHECKPOINT),
    10172: ("writers inside the guest failed at the end", Way.HOST),
    10173: ("writers inside the guest failed after the snapshot", Way.HOST),
    18012: ("the checkpoint failed", Way.UNKNOWN),
    18014: ("the checkpoint was cancelled", Way.UNKNOWN),
}
"""Events of Hyper-V that say that a backup of a VM failed (windows.md §5.3)."""
_MERGE_BEGAN: Final = 19070
_MERGE_FAILED: Final = 19100
OF_VMS: Final = frozenset({*FAILURES, _MERGE_BEGAN, _MERGE_FAILED})
_WHOLE_SET: Final = frozenset({10102, 10103, 10104, 10173})
"""Failures of one guest that fail the backup of all guests of its host (windows.md §10.1 step 2)."""
_SNAPSHOT_STATES: Final = frozenset({2, 3, 4})


@dataclass(slots=True)
class Vms:
    """Books by VM. `changed` collects VMs whose line is another one since it was last emptied."""

    limits: Limits
    horizon: timedelta
    books: dict[str, Book] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    live: dict[str, str] = field(default_factory=dict)
    """VM of a running backup → the node that last showed it."""
    recovery: dict[str, Signs] = field(default_factory=dict)
    """VMs with a Recovery checkpoint or a locked role, as last looked at."""
    told: dict[str, datetime | None] = field(default_factory=dict)
    """VM → LastSuccessfulBackupTime of the last look."""
    states: dict[str, int] = field(default_factory=dict)
    """VM → its state at the last look."""

    # --- looks ---

    def look(self, state: ClusterState, keys: Iterable[str], deadline: datetime | None) -> None:
        """Look at these VMs; `deadline` is the end of the window that a copy must keep to."""
        for key in keys:
            found = state.vm(key)
            if found is None:
                self._gone(state, key)
                continue
            view, vm = found
            self._told(key, vm.last_backup, view.time, view.name)
            before = self.states.get(key)
            self.states[key] = vm.state
            role = state.role(key)
            quick = key not in self.live and key not in self.recovery and before == vm.state
            if quick and plain(vm, view) and not (role is not None and (role.status or 0) & 1):
                continue
            signs = look(state, key)
            if signs is None:
                self._lost(state, key)
            else:
                self._look(state, key, signs, before, deadline)

    def _look(self, state: ClusterState, key: str, signs: Signs, before: int | None, deadline: datetime | None) -> None:
        if signs.recovery or signs.locked:
            self.recovery[key] = signs
        else:
            self.recovery.pop(key, None)
        book = self.books.get(key)
        phase, began = signs.phase, signs.started
        if signs.quiet:
            phase, began = self._standing_checkpoint(book, signs, deadline)
        held = book.open if book is not None else None
        if phase is None:
            phase = self._of_host(state, key, signs, before, book)
        if phase is None and held is None:
            return
        if book is None:
            book = self.books[key] = Book(key)
        if phase is not None and held is None and before is None and began is None:
            began = signs.created
        rested = signs.state in AT_REST and before in (None, signs.state)
        was = (held is not None, held.phase if held is not None else None, held.percent if held is not None else None)
        book.see(signs, phase, began=began, rested=rested)
        opened = book.open
        if opened is not None:
            self.live[key] = signs.node
            if phase in (Phase.CHECKPOINT, Phase.COPY) and signs.phase is None and opened.backup.way is Way.UNKNOWN:
                book.became(way=Way.HOST)
            if signs.state == VmState.Saved and before == VmState.Running:
                book.became(way=Way.HOST, consistency=Consistency.SAVED)
        else:
            self.live.pop(key, None)
            self._forget(book, signs.time)
        news = book.check(signs.time, self.limits, deadline)
        is_now = (opened is not None, opened.phase if opened is not None else None, opened.percent if opened else None)
        if news or is_now != was:
            self.changed.add(key)

    def _standing_checkpoint(
        self, book: Book | None, signs: Signs, deadline: datetime | None
    ) -> tuple[Phase | None, datetime | None]:
        """A Recovery checkpoint without anything that works on it: a copy that goes on quietly, or a leftover."""
        held = book.open if book is not None else None
        if held is not None:
            return Phase.COPY, None
        if signs.created is None:
            return None, None
        last = book.past[-1] if book is not None and book.past else None
        if last is not None and last.end is not None and signs.created < last.end:
            # The attempt that made it is over.
            return None, None
        age = signs.time - signs.created
        longest = timedelta(seconds=self.limits.copy)
        if age > longest or (deadline is not None and signs.time > deadline > signs.created):
            return None, None
        # Only one that was made under our eyes is known to be of a backup that still goes on.
        return (Phase.COPY, signs.created) if age < timedelta(minutes=5) else (None, None)

    def _of_host(
        self, state: ClusterState, key: str, signs: Signs, before: int | None, book: Book | None
    ) -> Phase | None:
        """What a backup through the host's writer does while its VM shows nothing of it."""
        held = book.open if book is not None else None
        saved_now = signs.state == VmState.Saved and before == VmState.Running
        if held is None:
            return Phase.CHECKPOINT if saved_now and self._csv_in_backup(state, key) else None
        if held.backup.way is not Way.HOST or held.done is not None:
            return None
        if held.failed and held.asked is not None:
            return None
        if self._csv_in_backup(state, key):
            return Phase.CHECKPOINT if self._snapshotting(state, signs.node, held.asked) else Phase.COPY
        if held.phase is not Phase.COPY and held.asked is not None and signs.time - held.asked <= LINGER:
            return Phase.CHECKPOINT
        return None

    def _csv_in_backup(self, state: ClusterState, key: str) -> bool:
        csvs = state.cluster.csvs or {}
        return any((csv := csvs.get(one)) is not None and bool(csv.backup) for one in place(state, key).csvs)

    def _snapshotting(self, state: ClusterState, node: str, since: datetime | None) -> bool:
        """The Hyper-V writer was last read in the middle of a snapshot, after the guests were asked."""
        view = state.nodes.get(node)
        picture = view.writers if view is not None else None
        if picture is None or picture.time is None or (since is not None and picture.time < since):
            return False
        return any(one.id == HYPER_V and one.code in _SNAPSHOT_STATES for one in picture.writers)

    def _gone(self, state: ClusterState, key: str) -> None:
        """Nobody lists the VM: it was deleted, or is between two nodes, which the state keeps for a while."""
        book = self.books.get(key)
        node = self.live.pop(key, "")
        self.recovery.pop(key, None)
        self.states.pop(key, None)
        if book is not None and book.open is not None:
            view = state.nodes.get(node)
            book.close(view.time if view is not None and view.time is not None else book.open.seen)
            self.changed.add(key)

    def _lost(self, state: ClusterState, key: str) -> None:
        node = self.live.get(key)
        book = self.books.get(key)
        if node is None or book is None:
            return
        now = state.cluster.time
        if now is not None and book.lost(now):
            self.changed.add(key)

    def tick(self, state: ClusterState, monotonic: float, deadline: datetime | None) -> None:
        """Time has passed: running backups may stand still by now, or their node is silent."""
        for key, node in list(self.live.items()):
            view, book = state.nodes.get(node), self.books[key]
            now = view.link.node_now(monotonic) if view is not None else None
            if view is None or now is None:
                continue
            news = book.lost(now) if view.link.stale(monotonic) else book.check(now, self.limits, deadline)
            if news:
                self.changed.add(key)

    # --- LastSuccessfulBackupTime ---

    def _told(self, key: str, last: datetime | None, now: datetime | None, node: str) -> None:
        known = key in self.told
        if known and self.told[key] == last:
            return
        before = self.told.get(key)
        self.told[key] = last if last is not None else before
        if last is None or (before is not None and last <= before):
            return
        self.changed.add(key)
        if now is not None and now - last > self.horizon:
            return
        self.books.setdefault(key, Book(key)).done(last)

    # --- events ---

    def events(self, items: Iterable[NodeEvent]) -> None:
        """Events in any order. They tell how backups ended; only failures nobody saw make a backup of their own."""
        for item in items:
            event = item.event
            if (
                event.id not in OF_VMS
                or meaning(event) is None
                or not event.provider.lower().startswith("microsoft-windows-hyper-v")
            ):
                continue
            key, name = vm_of(event)
            if key:
                self._event(item, key, name)

    def _event(self, item: NodeEvent, key: str, name: str) -> None:
        event = item.event
        code = next((code for code in event.codes if code != "0x00000000"), "")
        told = f" ({code})" if code else ""
        book = self.books.get(key)
        if event.id == _MERGE_BEGAN:
            if book is not None and book.merge_told(event.time, began=True):
                self.changed.add(key)
            return
        if event.id == _MERGE_FAILED:
            if book is not None and book.merge_failed(event.time, f"the merge failed{told}"):
                self.changed.add(key)
            return
        words, way = FAILURES[event.id]
        book = self.books.setdefault(key, Book(key))
        if book.fail(event.time, f"{words}{told}", event.id, node=item.node, way=way):
            self.changed.add(key)
        if event.id in _WHOLE_SET:
            self._whole_set(item, key, name or key)

    def _whole_set(self, item: NodeEvent, guilty: str, name: str) -> None:
        """The other VMs of the run fail with it."""
        at = item.event.time
        for key, book in self.books.items():
            if key == guilty:
                continue
            held = book.open
            found = held.backup if held is not None else book.past[-1] if book.past else None
            if found is None or found.way is not Way.HOST or found.node.lower() != item.node.lower():
                continue
            if found.outcome is Outcome.DONE or not found.begin <= at <= (found.end or at) + SLACK:
                continue
            names = (*found.blamed, name) if name not in found.blamed else found.blamed
            if book.blame(names):
                self.changed.add(key)

    # --- helpers ---

    def _forget(self, book: Book, now: datetime) -> None:
        book.forget(now - self.horizon)

    def prune(self, before: datetime) -> None:
        """Forget what ended before a time."""
        for key in list(self.books):
            book = self.books[key]
            if book.forget(before):
                self.changed.add(key)
            if book.open is None and not book.past:
                del self.books[key]
