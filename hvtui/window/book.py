"""The backups of one VM: what looks, events and LastSuccessfulBackupTime say together, never overlapping.

A backup begins with the first look that shows one and ends with the first that shows none. How it ended comes from
LastSuccessfulBackupTime, events and jobs, which may be told minutes later and in any order. What turns out to be no
backup at all (a person's checkpoint, a merge after it) is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec

from hvtui.window.records import Backup, Consistency, Outcome, Phase, Span, Way
from hvtui.window.signs import AT_REST, Signs

GAP: Final = timedelta(seconds=60)
"""Longer between two looks, and what went on between them is not known."""
SLACK: Final = timedelta(seconds=120)
"""How far from a backup an event or a time may be and still be about it: clocks of nodes differ, products note late."""
LINGER: Final = timedelta(seconds=90)
"""From the guests' shadow copies to the CSV's BackupState in a backup through the host's writer."""
BACKUPS: Final = 24
"""Attempts kept of one VM; a retry loop every seven minutes fills them in three hours."""
SPANS: Final = 48
"""Phases kept of one attempt."""
_WEAK: Final = frozenset({18012, 18014})
"""Events that tell less than others of the same failure: any checkpoint may have failed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """For how long a phase may show no progress (windows.md §10.3), in seconds. `copy` counts without a window."""

    freeze: float = 180.0
    checkpoint: float = 180.0
    convert: float = 900.0
    merge: float = 900.0
    copy: float = 12 * 3600.0
    host_snapshot: float = 120.0


@dataclass(slots=True)
class Open:
    """A backup that goes on."""

    backup: Backup
    phase: Phase
    begin: datetime
    """Of the phase."""
    exact: bool
    seen: datetime
    moved: datetime
    percent: int | None = None
    job: str = ""
    created: datetime | None = None
    stands: bool = False
    stalled: datetime | None = None
    stall: str = ""
    broken: str = ""
    """Why the phase will not end by itself: an event said so."""
    proof: bool = False
    done: datetime | None = None
    failed: str = ""
    event: int = 0
    failed_at: datetime | None = None
    asked: datetime | None = None
    """When the guest's shadow copy was last seen being made, in a backup through the host's writer."""
    past: list[Span] = field(default_factory=list)

    def span(self) -> Span:
        """The phase that lasts."""
        return Span(
            phase=self.phase,
            begin=self.begin,
            exact=self.exact,
            percent=self.percent,
            moved=self.moved,
            stands=self.stands,
            stalled=self.stalled,
            stall=self.stall,
        )

    def shown(self) -> Backup:
        """The backup as it stands."""
        return msgspec.structs.replace(self.backup, spans=(*self.past, self.span()))


@dataclass(slots=True)
class Book:
    """Attempts of one VM, oldest first, and the one that goes on."""

    vm: str
    past: list[Backup] = field(default_factory=list)
    open: Open | None = None
    attempts: int = 0

    def backups(self) -> tuple[Backup, ...]:
        """All that are kept, the running one last."""
        return (*self.past, self.open.shown()) if self.open is not None else tuple(self.past)

    @property
    def last_end(self) -> datetime | None:
        """When the newest closed one ended."""
        return self.past[-1].end if self.past else None

    # --- looks ---

    def see(self, signs: Signs, phase: Phase | None, *, began: datetime | None = None, rested: bool = False) -> None:
        """Take in a look. `phase` is that of `signs`, or what goes on though the VM shows nothing of it.

        `began`: when the phase began, where that was told. `rested`: the VM was off or saved before it began.
        """
        if phase is None:
            self.close(signs.time)
            return
        if self.open is None:
            self._begin(signs, phase, began, rested)
        else:
            self._go_on(self.open, signs, phase, began)
        self._note(signs)

    def _begin(self, signs: Signs, phase: Phase, began: datetime | None, rested: bool) -> None:
        last = self.last_end
        now = signs.time if last is None else max(signs.time, last)
        begin = now if began is None else min(now, began)
        if last is not None:
            begin = max(begin, last)
        backup = Backup(vm=self.vm, node=signs.node, begin=begin)
        if rested:
            backup = msgspec.structs.replace(backup, consistency=Consistency.AT_REST)
        self.attempts += 1
        # How long it has stood at its percentage is not known before it was seen.
        self.open = Open(backup, phase, begin, began is not None, now, now)

    def _go_on(self, held: Open, signs: Signs, phase: Phase, began: datetime | None) -> None:
        now = max(signs.time, held.seen)
        if held.phase is Phase.UNSEEN:
            self._resume(held, signs, phase)
        same = phase is held.phase and (now - held.seen <= GAP or _goes_on(held, signs))
        if same:
            held.seen = now
            if signs.job != held.job or signs.percent != held.percent:
                held.moved, held.broken = now, ""
                if held.stands:
                    held.stands = False
            return
        if now - held.seen > GAP:
            self._turn(held, Phase.UNSEEN, held.seen, held.seen)
            begin = now if began is None else max(held.begin, min(began, now))
            self._turn(held, phase, begin, now, exact=began is not None)
        else:
            begin = now if began is None else max(held.seen, min(began, now))
            self._turn(held, phase, begin, now)

    def _resume(self, held: Open, signs: Signs, phase: Phase) -> None:
        """Seen again after a silence: the same job, or checkpoint, went on meanwhile."""
        before = held.past[-1] if held.past else None
        if before is None or before.phase is not phase or not _goes_on(held, signs):
            return
        held.past.pop()
        held.phase, held.begin, held.exact = phase, before.begin, before.exact
        held.moved = held.seen
        held.percent = before.percent

    def _turn(self, held: Open, phase: Phase, at: datetime, seen: datetime, *, exact: bool = True) -> None:
        """Close the phase that lasts at `at`, and begin another there."""
        if at > held.begin or held.stalled is not None:
            held.past.append(_closed(held.span(), at))
            if len(held.past) > SPANS:
                # The first phase tells how it began; what is dropped leaves a gap, and gaps overlap nothing.
                del held.past[1]
        held.phase, held.begin, held.exact, held.seen, held.moved = phase, at, exact, seen, at
        held.percent, held.job, held.created = None, "", None
        held.stands, held.stalled, held.stall, held.broken = False, None, "", ""

    def _note(self, signs: Signs) -> None:
        """What a look says beside the phase."""
        held = self.open
        assert held is not None
        held.percent, held.job = signs.percent, signs.job
        held.created = signs.created or held.created
        held.proof = held.proof or signs.backup
        backup = held.backup
        if signs.host:
            held.asked = held.seen
        way = backup.way
        if signs.made or signs.recovery:
            way = Way.CHECKPOINT
        elif signs.host and way is Way.UNKNOWN:
            way = Way.HOST
        consistency = backup.consistency
        if consistency is Consistency.UNKNOWN and signs.guest is True and signs.state not in AT_REST:
            consistency = Consistency.APPLICATION
        if signs.saved:
            consistency = Consistency.SAVED
        if signs.failed and not held.failed:
            held.failed, held.failed_at = signs.failed, held.seen
        if (way, consistency, signs.node) != (backup.way, backup.consistency, backup.node):
            held.backup = msgspec.structs.replace(backup, way=way, consistency=consistency, node=signs.node)

    def became(self, *, way: Way | None = None, consistency: Consistency | None = None) -> None:
        """What the tracker learnt of the running backup from elsewhere."""
        held = self.open
        if held is None:
            return
        found = held.backup
        held.backup = msgspec.structs.replace(found, way=way or found.way, consistency=consistency or found.consistency)
        held.proof = True

    def lost(self, now: datetime) -> bool:
        """The VM cannot be looked at. True when that ended the sight of a phase."""
        held = self.open
        if held is None or held.phase is Phase.UNSEEN or now - held.seen <= GAP:
            return False
        job, created = held.job, held.created
        self._turn(held, Phase.UNSEEN, held.seen, held.seen, exact=False)
        held.job, held.created = job, created
        return True

    def check(self, now: datetime, limits: Limits, deadline: datetime | None) -> bool:
        """Whether the phase that lasts stands still; True when that is news. `deadline`: the end of the window."""
        held = self.open
        if held is None:
            return False
        since, why = _stall(held, max(now, held.seen), limits, deadline)
        if since is None:
            changed, held.stands = held.stands, False
            return changed
        news = not held.stands or held.stall != why
        held.stands, held.stalled, held.stall = True, since, why
        return news

    # --- the end ---

    def close(self, at: datetime) -> None:
        """Nothing of it is seen any more."""
        held = self.open
        if held is None:
            return
        self.open = None
        end = max(at, held.seen)
        if at - held.seen > GAP and held.phase is not Phase.UNSEEN:
            # It ended at some time that nobody saw.
            self._turn(held, Phase.UNSEEN, held.seen, held.seen, exact=False)
        # Where LastSuccessfulBackupTime is behind a failure of the same attempt, the product tried again and made it.
        done = held.done is not None and (held.failed_at is None or held.done >= held.failed_at)
        if not (done or held.proof or held.event):
            self.attempts -= 1
            return
        outcome = Outcome.DONE if done else Outcome.FAILED if held.failed else Outcome.ENDED
        spans = (*held.past, _closed(held.span(), end))
        self._add(
            msgspec.structs.replace(
                held.backup,
                end=end,
                spans=spans,
                outcome=outcome,
                reason="" if done else held.failed,
                event=0 if done else held.event,
                blamed=() if done else held.backup.blamed,
            )
        )

    def done(self, at: datetime) -> bool:
        """LastSuccessfulBackupTime became `at`; True when something is different now."""
        held = self.open
        if held is not None and at >= held.backup.begin - SLACK:
            if held.done == at:
                return False
            held.done = at
            return True
        place = self._near(at)
        if place is None:
            return self._point(Backup(vm=self.vm, node="", begin=at, end=at, outcome=Outcome.DONE))
        found = self.past[place]
        if found.outcome is Outcome.DONE:
            return False
        self.past[place] = msgspec.structs.replace(found, outcome=Outcome.DONE, reason="", event=0, blamed=())
        return True

    def fail(self, at: datetime, text: str, event: int, *, node: str = "", way: Way = Way.UNKNOWN) -> bool:
        """An event says that the backup of `at` failed; True when that is news."""
        held = self.open
        if held is not None and at >= held.backup.begin - SLACK:
            if held.event and (event in _WEAK or held.event not in _WEAK):
                return False
            held.failed, held.event, held.failed_at = text, event, at
            held.backup = msgspec.structs.replace(held.backup, blamed=())
            return True
        place = self._near(at)
        if place is None:
            if event in _WEAK:
                return False
            point = Backup(
                vm=self.vm, node=node, way=way, begin=at, end=at, outcome=Outcome.FAILED, reason=text, event=event
            )
            return self._point(point)
        found = self.past[place]
        if found.outcome is Outcome.DONE or (found.event and (event in _WEAK or found.event not in _WEAK)):
            return False
        self.past[place] = msgspec.structs.replace(found, outcome=Outcome.FAILED, reason=text, event=event, blamed=())
        return True

    def blame(self, names: tuple[str, ...]) -> bool:
        """Other VMs failed the newest attempt; True when that is news. What the VM itself did comes first."""
        text = f"its run failed because of {', '.join(names[:3])}{' and others' if len(names) > 3 else ''}"
        held = self.open
        if held is not None:
            if held.event or held.backup.blamed == names:
                return False
            held.failed, held.failed_at = text, held.seen
            held.backup = msgspec.structs.replace(held.backup, blamed=names)
            return True
        if not self.past or self.past[-1].event or self.past[-1].outcome is Outcome.DONE:
            return False
        self.past[-1] = msgspec.structs.replace(self.past[-1], outcome=Outcome.FAILED, reason=text, blamed=names)
        return True

    def merge_failed(self, at: datetime, text: str) -> bool:
        """An event says that a merge failed: it stands, whatever its percentage."""
        held = self.open
        if held is None or held.phase is not Phase.MERGE or at < held.begin - SLACK:
            return False
        held.broken, held.moved = text, min(held.moved, max(at, held.begin))
        return True

    def merge_told(self, at: datetime, *, began: bool) -> bool:
        """An event tells exactly when a merge began, or ended, where looks only came near."""
        held = self.open
        if held is not None and held.phase is Phase.MERGE and began and held.begin - GAP <= at < held.begin:
            before = held.past[-1] if held.past else None
            if before is not None and before.end is not None and before.end == held.begin and at > before.begin:
                held.past[-1] = msgspec.structs.replace(before, end=at)
            elif before is None and (self.last_end is None or at >= self.last_end):
                held.backup = msgspec.structs.replace(held.backup, begin=at)
            else:
                return False
            held.begin, held.exact = at, True
            return True
        return False

    # --- helpers ---

    def _near(self, at: datetime) -> int | None:
        """The newest closed backup that a time may be about."""
        for place in range(len(self.past) - 1, -1, -1):
            found = self.past[place]
            end = found.end or found.begin
            if found.begin - SLACK <= at <= end + SLACK:
                return place
            if end + SLACK < at:
                return None
        return None

    def _point(self, backup: Backup) -> bool:
        """A backup of which only the end is known; one that is told of a time that is taken changes nothing."""
        at = backup.begin
        if self.open is not None and at > self.open.backup.begin:
            return False
        place = next((n for n, held in enumerate(self.past) if held.begin > at), len(self.past))
        if place and (self.past[place - 1].end or at) > at:
            return False
        self.past.insert(place, backup)
        # Of a success that is only known by its time nobody knows what it took.
        self.attempts += backup.outcome is Outcome.FAILED
        self._bound()
        return True

    def _add(self, backup: Backup) -> None:
        self.past.append(backup)
        self._bound()

    def _bound(self) -> None:
        if len(self.past) > BACKUPS:
            del self.past[: len(self.past) - BACKUPS]

    def forget(self, before: datetime) -> bool:
        """Drop what ended before a time; True when something was."""
        kept = [one for one in self.past if one.end is None or one.end >= before]
        if len(kept) == len(self.past):
            return False
        self.past = kept
        return True


def _goes_on(held: Open, signs: Signs) -> bool:
    """The job or the checkpoint behind a phase is the same as before."""
    return bool(signs.job and signs.job == held.job) or (signs.created is not None and signs.created == held.created)


def _closed(span: Span, at: datetime) -> Span:
    return msgspec.structs.replace(span, end=max(at, span.begin), stands=False)


def _stall(held: Open, now: datetime, limits: Limits, deadline: datetime | None) -> tuple[datetime | None, str]:
    """Since when the phase stands still, and why that is too long; None while it is not."""
    if held.phase is Phase.UNSEEN:
        return None, ""
    if held.broken:
        return held.moved, held.broken
    if held.phase is Phase.COPY:
        late = deadline if deadline is not None and held.backup.begin < deadline else None
        late = late or held.begin + timedelta(seconds=limits.copy)
        why = (
            "it copies beyond the backup window"
            if deadline is not None and late == deadline
            else "it copies for very long"
        )
        return (max(late, held.begin), why) if now > late else (None, "")
    seconds = {
        Phase.FREEZE: limits.freeze,
        Phase.CHECKPOINT: limits.checkpoint,
        Phase.CONVERT: limits.convert,
        Phase.MERGE: limits.merge,
    }[held.phase]
    if (now - held.moved).total_seconds() <= seconds:
        return None, ""
    where = f" at {held.percent}%" if held.percent is not None else ""
    return held.moved, f"{held.phase.value} stands{where} for more than {int(seconds // 60)} min"
