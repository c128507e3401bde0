"""The tracker of a backup window: fed with the state and what changed in it, it tells the window at any moment.

It works over any feed, live or replayed. What it is given after `restart` (a new feed, a seek) is looked at anew: what
went on before is known only as far as events, jobs and LastSuccessfulBackupTime tell it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from hvtui.model.change import Change
from hvtui.model.enums import ReplicationMode
from hvtui.model.link import NOT_ANSWERING
from hvtui.model.state import ClusterState
from hvtui.window.book import Limits
from hvtui.window.expected import Daily, expected
from hvtui.window.leftovers import Leftovers
from hvtui.window.marks import Marks
from hvtui.window.records import CsvLine, Expected, Leftover, Mark, Standing, Timeline, VmLine
from hvtui.window.standing import standing, summarise
from hvtui.window.strips import CsvStrip, NodeStrip
from hvtui.window.vms import Vms

HORIZON: Final = timedelta(hours=36)
"""What ended longer ago is forgotten."""
UNCONFIGURED: Final = timedelta(hours=12)
"""Without a configured window, or in none, backups of so long count."""
_SWEEP: Final = timedelta(minutes=1)
_PRUNE: Final = timedelta(minutes=30)


class WindowTracker:
    """Keeps the window. Pure: it asks nobody, and takes its time from what nodes said.

    `windows` are those of the configuration; `kept` says of a VM's name whether the product keeps its Recovery
    checkpoint on purpose.
    """

    def __init__(
        self,
        windows: Sequence[Daily] = (),
        *,
        limits: Limits | None = None,
        kept: Callable[[str], bool] | None = None,
    ) -> None:
        self.windows = tuple(windows)
        self.limits = limits or Limits()
        self._kept = kept or (lambda _name: False)
        self._actions: dict[str, Mark] = {}
        self._clear(None)

    def _clear(self, state: ClusterState | None) -> None:
        self._state = state
        self._vms = Vms(self.limits, HORIZON)
        self._nodes: dict[str, NodeStrip] = {}
        self._csvs: dict[str, CsvStrip] = {}
        self._marks = Marks()
        self._leftovers = Leftovers(self._kept)
        self._arrived = 0
        self._lines: dict[str, VmLine] = {}
        self._counts: Counter[Standing] = Counter()
        self._frame: tuple[datetime, bool, bool] | None = None
        """Begin, over, active: what the standings were made for."""
        self._watched: datetime | None = None
        self._pruned: datetime | None = None
        self._swept: datetime | None = None
        self._now: datetime | None = None
        self.version = 0
        """Grows with every change that `timeline` would show."""

    # --- feeding ---

    def restart(self, state: ClusterState) -> None:
        """Begin anew from a state: at the start, after a seek, with another feed. What operators did stays."""
        self._clear(state)
        everything = Change(
            vms=set(state.vm_keys()), csvs=set(state.cluster.csvs or ()), writers=set(state.nodes), events=True
        )
        # Failures of before are put in place when it is known which backups go on.
        self.look(state, everything)
        for mark in self._actions.values():
            self._marks.put(mark)

    def look(self, state: ClusterState, change: Change) -> None:
        """Take in what changed. A state that is another one than before, or went back in time, is begun anew."""
        now = _clock(state)
        if state is not self._state or (now is not None and self._now is not None and now < self._now - _BACK):
            self.restart(state)
            return
        if now is None:
            return
        self._now = now if self._now is None else max(self._now, now)
        self._watched = self._watched or now
        deadline = self._deadline()
        heard = {name.lower() for name in change.heard}
        vms = self._vms
        keys = change.vms | {key for key, node in vms.live.items() if node.lower() in heard}
        vms.look(state, keys, deadline)
        self._leftovers.look(state, change.vms)
        if change.events:
            self._take_events(state)
        for name in change.writers:
            self._look_writers(state, name)
        self._look_csvs(state, change, now)
        if self._swept is None or now - self._swept >= _SWEEP:
            # Since when a sign stands alone must not depend on who looks at the page.
            self._swept = now
            self._left(state)
        self._prune(now)

    def _left(self, state: ClusterState) -> tuple[Leftover, ...]:
        told = self.expected()
        return self._leftovers.found(state, self._vms, inside=told is not None and told.inside)

    def tick(self, state: ClusterState, monotonic: float) -> None:
        """A second has passed: what stands still is noticed without a message, and so is a node that went silent."""
        if state is self._state:
            self._vms.tick(state, monotonic, self._deadline())

    def note_action(self, key: str, time: datetime, text: str, *, vm: str = "", node: str = "", csv: str = "") -> None:
        """Something an operator did, as a mark; the same key again changes its text."""
        mark = Mark(time=time, kind="action", text=text, vm=vm, node=node, csv=csv, key=f"action|{key}")
        self._actions[mark.key] = mark
        if len(self._actions) > _ACTIONS:
            self._actions.pop(next(iter(self._actions)))
        if self._marks.put(mark):
            self.version += 1

    def _take_events(self, state: ClusterState) -> None:
        log = state.events
        fresh = log.arrivals(self._arrived)
        self._arrived = log.arrived
        listed = fresh if fresh is not None else log.recent()[::-1]
        self._vms.events(listed)
        if self._marks.events(listed):
            self.version += 1

    def _look_writers(self, state: ClusterState, name: str) -> None:
        view = state.nodes.get(name)
        if view is None or view.writers is None:
            return
        strip = self._nodes.setdefault(view.name, NodeStrip())
        if strip.look(view.name, view.writers, view.time, self.limits.host_snapshot):
            self.version += 1

    def _look_csvs(self, state: ClusterState, change: Change, now: datetime) -> None:
        known = state.cluster.csvs or {}
        for key in change.csvs if "" not in change.links else {*known, *change.csvs}:
            if key in known:
                if self._csvs.setdefault(key, CsvStrip()).look(state, key, state.cluster.time or now):
                    self.version += 1
            elif self._csvs.pop(key, None) is not None:
                self.version += 1

    def _prune(self, now: datetime) -> None:
        if self._pruned is not None and now - self._pruned < _PRUNE:
            return
        self._pruned = now
        before = now - HORIZON
        self._vms.prune(before)
        self._marks.forget(before)
        for node in self._nodes.values():
            node.strip.forget(before)
        for csv in self._csvs.values():
            csv.forget(before)

    # --- telling ---

    def expected(self, now: datetime | None = None) -> Expected | None:
        """The configured window by the cluster's clock."""
        moment = now or self._now
        return expected(self.windows, moment) if moment is not None and self.windows else None

    def _deadline(self) -> datetime | None:
        told = self.expected()
        return told.end if told is not None else None

    def begin(self, now: datetime) -> tuple[datetime, bool, bool]:
        """What counts begin with, whether the window is over, and whether it is open or backups run."""
        told = self.expected(now)
        active = bool(self._vms.live)
        if told is not None and told.begin is not None and now - told.begin <= HORIZON:
            return told.begin, not told.inside, told.inside or active
        since = now - UNCONFIGURED
        first = min(
            (book.open.backup.begin for key in self._vms.live if (book := self._vms.books[key]).open), default=None
        )
        return (since if first is None else min(since, first)), False, active

    def lines(self, state: ClusterState) -> dict[str, VmLine]:
        """Every VM's line; those that did not change are the same objects as before."""
        now = self._now
        if now is None:
            return {}
        frame = self.begin(now)
        vms = self._vms
        stale = self._frame is None or frame[1:] != self._frame[1:] or abs(frame[0] - self._frame[0]) > _DRIFT
        changed = vms.changed
        if stale:
            self._frame = frame
            changed = {*state.vm_keys(), *vms.books, *self._lines}
        vms.changed = set()
        for key in changed:
            self._line(state, key)
        return self._lines

    def _line(self, state: ClusterState, key: str) -> None:
        assert self._frame is not None
        begin, over, active = self._frame
        old = self._lines.get(key)
        found = state.vm(key)
        book = self._vms.books.get(key)
        made: VmLine | None = None
        if found is not None or book is not None:
            view, vm = found if found is not None else (None, None)
            last = self._vms.told.get(key)
            regular = last if vm is None or vm.replication != ReplicationMode.Replica else None
            stands, reason = standing(book, regular, begin, over=over, active=active)
            made = VmLine(
                vm=key,
                name=vm.name if vm is not None else old.name if old is not None else key,
                node=view.name if view is not None else old.node if old is not None else "",
                standing=stands,
                backups=book.backups() if book is not None else (),
                attempts=book.attempts if book is not None else 0,
                checkpoint_type=vm.checkpoint_type if vm is not None else None,
                last_backup=last,
                unseen=view is None or view.link.status in NOT_ANSWERING,
                reason=reason,
            )
        if made == old:
            return
        self.version += 1
        if old is not None:
            self._counts[old.standing] -= 1
        if made is None:
            self._lines.pop(key, None)
        else:
            self._counts[made.standing] += 1
            self._lines[key] = made

    @property
    def now(self) -> datetime | None:
        """The cluster's clock as of the last message; None before any."""
        return self._now

    def csv_lines(self) -> list[CsvLine]:
        """The volumes."""
        return [one.line for one in self._csvs.values() if one.line is not None]

    def timeline(self, state: ClusterState) -> Timeline:
        """The window now. Names and times are raw: whoever shows them makes them safe."""
        lines = self.lines(state)
        now = self._now or datetime.now(UTC)
        told = self.expected()
        left = self._left(state)
        unread = tuple(name for name, view in state.nodes.items() if view.link.status in NOT_ANSWERING)
        return Timeline(
            now=now,
            begin=self._frame[0] if self._frame is not None else now,
            watched=self._watched or now,
            expected=told,
            vms=tuple(lines.values()),
            nodes=tuple(one.line for one in self._nodes.values() if one.line is not None),
            csvs=tuple(self.csv_lines()),
            marks=tuple(self._marks.held),
            leftovers=left,
            summary=summarise(self._counts, self._unknown(state), left, unread),
        )

    def _unknown(self, state: ClusterState) -> int:
        """VMs of which it cannot be told whether they have a backup."""
        return sum(len(view.vms or ()) for view in state.nodes.values() if view.problem("vms.last_backup") is not None)


_BACK: Final = timedelta(minutes=2)
"""The cluster's clock may step back so far (another node answers now) before that counts as a seek."""
_DRIFT: Final = timedelta(minutes=10)
"""Without a window the begin moves with the clock; lines are made anew when it has moved so far."""
_ACTIONS: Final = 500


def _clock(state: ClusterState) -> datetime | None:
    """The cluster's time: that of its own stream, else of the node that spoke last."""
    if state.cluster.time is not None:
        return state.cluster.time
    return max((view.time for view in state.nodes.values() if view.time is not None), default=None)
