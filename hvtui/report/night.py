"""A night out of its recording: the window's timeline, what was found and when, what was done, how long each VM took.

Pure over an open recording; it is played once from its beginning. Names and texts are raw: whoever shows them makes
them safe.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import msgspec

from hvtui.config import ClusterConfig
from hvtui.findings.catalogue import catalogue
from hvtui.findings.chains import is_kept
from hvtui.findings.engine import Engine
from hvtui.findings.finding import Finding
from hvtui.findings.noted import FindingNotes, Noted
from hvtui.journal.entry import Entry, Kind
from hvtui.model.severity import Severity
from hvtui.operations.summary import Done, done_of_journal
from hvtui.recording.reader import About, Cursor, Note, Recording
from hvtui.report.durations import Outlier, Took, outliers, took_of
from hvtui.window.records import Timeline
from hvtui.window.tracker import WindowTracker

STEP: Final = 1.0
"""Seconds of the recording between two looks of the tracker."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A finding over the night: when it came (client's clock) and went; None for one that stood at the end.

    `finding` is as it last was. `title`, `next` and `never` are of the catalogue, empty for a rule it does not have.
    """

    finding: Finding
    came: datetime
    went: datetime | None = None
    acknowledged: str | None = None
    quiet: bool = False
    times: int = 1
    title: str = ""
    cause: str = ""
    next: str = ""
    never: str = ""


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a report tells."""

    about: About
    timeline: Timeline
    nodes: int = 0
    vms: int | None = None
    csvs: int | None = None
    found: tuple[Found, ...] = ()
    done: tuple[Done, ...] = ()
    took: tuple[Took, ...] = ()
    outliers: tuple[Outlier, ...] = ()
    compared: tuple[datetime, ...] = ()
    """When the earlier recordings began that the durations were compared with."""
    notes: tuple[str, ...] = ()
    """What a reader must know of how far this can be trusted."""


def night_of(
    recording: Recording,
    config: ClusterConfig | None = None,
    *,
    earlier: Sequence[tuple[datetime, Sequence[Took]]] = (),
    told: Callable[[float], None] | None = None,
) -> Night:
    """Play the recording and tell the night. `earlier`: durations of other nights, with when each began.

    `told` is called with the share that is played, now and then. Raises RecordingError for a damaged file.
    """
    about = recording.about
    noted = list(recording.notes("finding"))
    actions = _entries(recording.notes("action"))
    tracker = tracker_of(config)
    written: list[Note] = []
    cursor = recording.cursor()
    engine = None if noted else Engine(config)
    notes = FindingNotes(lambda kind, data: written.append(Note(cursor.now, kind, data)))
    _play(cursor, tracker, engine=engine, notes=notes, told=told)
    for key, time, text in _marks(actions):
        tracker.note_action(key, time, text)
    timeline = tracker.timeline(cursor.state)
    took = took_of(timeline)
    state = cursor.state
    return Night(
        about=about,
        timeline=timeline,
        nodes=len(state.nodes),
        vms=sum(1 for _ in state.vm_keys()) if state.vms_known() else None,
        csvs=None if state.cluster.csvs is None else len(state.cluster.csvs),
        found=found_in(_decoded(noted) if noted else [(note.time, note.data) for note in written]),
        done=tuple(done_of_journal(actions)),
        took=took,
        outliers=outliers(took, [found for _, found in earlier]),
        compared=tuple(began for began, _ in earlier),
        notes=tuple(_doubts(about, timeline, computed=not noted)),
    )


def took_in(recording: Recording, config: ClusterConfig | None = None) -> tuple[Took, ...]:
    """Only the durations of a recording: what another night is compared with."""
    tracker, cursor = tracker_of(config), recording.cursor()
    _play(cursor, tracker)
    return took_of(tracker.timeline(cursor.state))


def tracker_of(config: ClusterConfig | None) -> WindowTracker:
    """A tracker with the configured windows; without a configuration the last twelve hours count."""
    windows = () if config is None else config.windows
    return WindowTracker(windows, kept=partial(is_kept, config))


def _play(
    cursor: Cursor,
    tracker: WindowTracker,
    *,
    engine: Engine | None = None,
    notes: FindingNotes | None = None,
    told: Callable[[float], None] | None = None,
) -> None:
    about = cursor.recording.about
    tracker.restart(cursor.state)
    length = max(1.0, (about.ended - about.began).total_seconds())
    told_at = looked = left_at = float("-inf")
    for change in cursor.play(step=STEP):
        tracker.look(cursor.state, change)
        passed = (cursor.now - about.began).total_seconds()
        if passed - left_at >= _LEFT:
            # What is left behind is known since when it was first asked for.
            left_at = passed
            tracker.timeline(cursor.state)
        if engine is not None and notes is not None:
            engine.note(change)
            if passed - looked >= _LOOK:
                looked = passed
                if engine.look(cursor.state, cursor.clock.monotonic()):
                    notes.look(engine.standing)
        if told is not None and passed - told_at >= length / 20:
            told_at = passed
            told(min(1.0, passed / length))
    if engine is not None and notes is not None and engine.look(cursor.state, cursor.clock.monotonic()):
        notes.look(engine.standing)
    tracker.tick(cursor.state, cursor.clock.monotonic())


_LEFT: Final = 120.0
"""Seconds of the recording between two looks at what is left behind."""
_LOOK: Final = 10.0
"""Seconds of the recording between two looks of the rules, where the recording has no findings of its own."""


def _decoded(notes: Iterable[Note]) -> list[tuple[datetime, Noted]]:
    """The notes of findings; one that a newer hvtui wrote in another shape is left out."""
    made = []
    for note in notes:
        try:
            made.append((note.time, msgspec.convert(note.data, Noted, strict=False)))
        except (msgspec.ValidationError, ValueError):
            continue
    return made


def _entries(notes: Iterable[Note]) -> list[Entry]:
    made = []
    for note in notes:
        try:
            made.append(msgspec.convert(note.data, Entry, strict=False))
        except (msgspec.ValidationError, ValueError):
            continue
    return made


def _marks(entries: Iterable[Entry]) -> list[tuple[str, datetime, str]]:
    """What operators did, as marks: when each operation began and how it ended."""
    return [
        (f"{one.operation}|{one.kind}", one.time, f"{one.title or one.verb}: {one.outcome or one.kind.value}")
        for one in entries
        if one.operation and one.kind in (Kind.BEGUN, Kind.ENDED, Kind.REFUSED, Kind.CLOSED)
    ]


def found_in(notes: Iterable[tuple[datetime, Noted]]) -> tuple[Found, ...]:
    """Every finding of the night once, the gravest first; one that came again counts its times."""
    held: dict[str, Found] = {}
    for time, note in notes:
        key, old = note.finding.key, held.get(note.finding.key)
        acknowledged = old.acknowledged if old is not None else None
        if note.state == "acknowledged":
            acknowledged = note.note
        elif note.state == "alarms again":
            acknowledged = None
        again = old is not None and old.went is not None and note.state == "new"
        entry = catalogue().entries.get(note.finding.rule)
        held[key] = Found(
            finding=_surer(old.finding, note.finding) if old is not None else note.finding,
            came=time if old is None else old.came,
            went=time if note.state == "gone" else None,
            acknowledged=acknowledged,
            quiet=note.quiet,
            times=(old.times if old is not None else 1) + again,
            title=entry.title if entry is not None else "",
            cause=entry.cause if entry is not None else "",
            next=entry.next if entry is not None else "",
            never=entry.never if entry is not None else "",
        )
    return tuple(sorted(held.values(), key=_order))


def _surer(old: Finding, new: Finding) -> Finding:
    """The newer one, unless it knows less: evidence fades before a finding goes."""
    return old if old.sure > new.sure else new


def _order(found: Found) -> tuple[bool, int, int, bool, int, datetime, str]:
    finding = found.finding
    gone = found.went is not None
    return found.quiet, -finding.severity, -finding.sure, gone, -len(finding.vms), found.came, finding.key


def _doubts(about: About, timeline: Timeline, *, computed: bool) -> Iterable[str]:
    if about.problem:
        yield about.problem
    if about.dropped:
        yield "its beginning was dropped for room: what happened before is not in it"
    if about.redacted:
        yield "names are replaced, the same one by the same"
    if timeline.watched > timeline.begin:
        yield (
            f"it was watched since {timeline.watched:%H:%M:%S} UTC: what ended before is known by events and "
            "LastSuccessfulBackupTime only"
        )
    if timeline.summary.unread:
        yield f"not heard at its end: {', '.join(timeline.summary.unread)}"
    if timeline.summary.unknown:
        yield f"LastSuccessfulBackupTime of {timeline.summary.unknown} VMs could not be read"
    if computed:
        yield "findings were looked for when this report was made: the recording has none of its own"


def worst_of(night: Night) -> Severity:
    """How grave the night was: its findings, failed and stalled backups, what is left behind."""
    summary = night.timeline.summary
    levels = [one.finding.severity for one in night.found if not one.quiet]
    if summary.failed or summary.missed:
        levels.append(Severity.BAD)
    if summary.stalled or summary.leftovers or summary.unknown or summary.unread:
        levels.append(Severity.WARN)
    return max(levels, default=Severity.OK)
