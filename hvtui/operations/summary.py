"""The incident for a ticket: what was seen, what was done, what is open. Plain text, the same for console and CLI.

What could not be read is said as that. Nothing here asks anybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from hvtui.journal.entry import Entry, Kind
from hvtui.journal.unfinished import Unfinished
from hvtui.model.csv_rows import csv_row
from hvtui.model.link import LinkStatus
from hvtui.model.node_rows import node_row
from hvtui.model.severity import Severity
from hvtui.model.state import ClusterState
from hvtui.model.summary import summary
from hvtui.model.vm_rows import vm_row
from hvtui.operations.run import ItemState, Run, RunState
from hvtui.text import safe_text

_MOST_VMS: Final = 20
_MOST_LINES: Final = 12
"""Lines of evidence kept of one operation; the journal has all."""
_ENDS: Final = frozenset({Kind.ENDED, Kind.CLOSED})


@dataclass(frozen=True)
class Done:
    """One thing that was done or refused: when, what, how it ended, and its evidence."""

    time: datetime
    text: str
    outcome: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Incident:
    """What `text_of` puts together. `age` is the age of the oldest data in seconds, None when nothing was ever read."""

    cluster: str
    made: datetime
    seen: tuple[str, ...]
    done: tuple[Done, ...]
    open: tuple[str, ...]
    age: float | None = None


def incident(
    state: ClusterState,
    *,
    title: str,
    made: datetime,
    monotonic: float,
    zone: tzinfo | None = None,
    done: Iterable[Done] = (),
    still_open: Iterable[str] = (),
) -> Incident:
    """The picture now, with what was done (`done_of_runs` or `done_of_journal`) and what is open (`open_of`)."""
    info = state.cluster.info
    links = [state.cluster.link, *(view.link for view in state.nodes.values())]
    ages = [
        age
        for link in links
        if link.status is not LinkStatus.NOT_CONTACTED and (age := link.age(monotonic)) is not None
    ]
    return Incident(
        cluster=f"{info.name} ({info.id})" if info is not None else title,
        made=made,
        seen=tuple(_seen(state, zone)),
        done=tuple(sorted(done, key=lambda one: one.time)),
        open=tuple(still_open),
        age=max(ages, default=None),
    )  # fmt: skip


def _seen(state: ClusterState, zone: tzinfo | None) -> Iterator[str]:
    told = summary(state)
    csvs = "? CSVs" if told.csvs is None else f"{told.csvs} CSVs"
    vms = f"{told.vms} VMs" if state.vms_known() else "? VMs"
    yield f"{told.health}: {told.nodes} nodes, {vms}, {csvs}; quorum {told.quorum}"
    for name in state.node_names():
        node = node_row(state, name)
        if node.severity > Severity.INFO:
            yield f"{name}: {_words([*node.reasons, node.since])}"
    for csv in state.cluster.csvs or ():
        volume = csv_row(state, csv)
        if volume.severity > Severity.INFO:
            yield f"{volume.name}: {_words([*volume.reasons, volume.since])}"
    tally = state.tally.refresh(state)
    for severity in (Severity.BAD, Severity.WARN, Severity.UNKNOWN):
        keys = tally.keys_with(severity)
        rows = sorted((vm_row(state, key) for key in keys[:_MOST_VMS]), key=lambda row: row.name.casefold())
        for row in rows:
            yield f"{row.name} on {row.node or '?'}: {_words([*row.reasons, row.activity])}"
        if len(keys) > _MOST_VMS:
            yield f"and {len(keys) - _MOST_VMS} VMs more of the same severity ({severity.name.lower()})"
    for word in told.words:
        if ": " not in word:
            yield word


def _words(words: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(word for word in words if word)) or "no reason is known"


def done_of_runs(runs: Iterable[Run]) -> list[Done]:
    """What this console did, run by run."""
    return [_of_run(run) for run in runs if run.started is not None]


def _of_run(run: Run) -> Done:
    bad = [
        f"{item.target.name}: {item.state.value} {item.text}{f' ({item.code})' if item.code else ''}".rstrip()
        for item in run.items
        if item.ended and item.state is not ItemState.DONE
    ]
    lines = [f"{line.time:%H:%M:%S} {line.text}" for line in run.lines[-_MOST_LINES:]]
    count = f", {sum(i.state is ItemState.DONE for i in run.items)} of {len(run.items)} done" if run.items else ""
    assert run.started is not None
    return Done(run.started, run.plan.title, f"{run.state.value}{count}", tuple(dict.fromkeys([*lines, *bad])))


def done_of_journal(entries: Iterable[Entry]) -> list[Done]:
    """What the journal tells, operation by operation; entries in their order."""
    made: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.operation:
            made.setdefault(entry.operation, []).append(entry)
    done = []
    for held in made.values():
        first = held[0]
        end = next((entry for entry in reversed(held) if entry.kind in _ENDS or entry.kind is Kind.REFUSED), None)
        outcome = "no end is known" if end is None else end.outcome or end.kind.value
        steps = [
            f"{one.time:%H:%M:%S} {one.node}: {one.command or one.function} {one.outcome} {one.text}".rstrip()
            for one in held
            if one.kind is Kind.OUTCOME and (one.call or one.outcome != "done")
        ]
        # Lines of a call about many VMs are no calls of their own: those that went well are counted.
        parts = [one for one in held if one.kind is Kind.OUTCOME and not one.call]
        if parts:
            steps.append(f"{sum(one.outcome == 'done' for one in parts)} of {len(parts)} VMs done")
        by = f"{first.who.user} on {first.who.machine}"
        done.append(Done(first.time, f"{first.title} (by {by})", outcome, tuple(steps[-_MOST_LINES:])))
    return done


def open_of(runs: Iterable[Run], unfinished: Iterable[Unfinished], stopped_vmms: Iterable[str]) -> list[str]:
    """What somebody still has to look at: stopped services first."""
    said = [f"VMMS on {node} is stopped, by hvtui" for node in stopped_vmms]
    for run in runs:
        if not run.over:
            percent = f", {run.percent}%" if run.percent is not None else ""
            said.append(f"runs: {run.plan.title}{percent}")
        elif run.state in {RunState.FAILED, RunState.UNKNOWN} and not run.acknowledged:
            last = f": {run.lines[-1].text}" if run.lines else ""
            said.append(f"{run.state.value}: {run.plan.title}{last}")
    said += [f"left unfinished by an earlier console: {one.begun.title}" for one in unfinished]
    return said


def text_of(found: Incident, zone: tzinfo | None = None) -> str:
    """The incident as lines for a ticket. Text from nodes and guests is made harmless."""
    made = found.made.astimezone(zone)
    age = "nothing was ever read" if found.age is None else f"oldest data {found.age:.0f} s old"
    lines = [f"Incident on {found.cluster}, {made:%Y-%m-%d %H:%M:%S %Z}; {age}", "", "Seen"]
    lines += [f"- {one}" for one in found.seen]
    lines += ["", "Done"]
    for one in found.done:
        lines.append(f"- {one.time.astimezone(zone):%H:%M:%S} {one.text}: {one.outcome}")
        lines += [f"    {detail}" for detail in one.details]
    if not found.done:
        lines.append("- nothing was changed by hvtui")
    lines += ["", "Open"]
    lines += [f"- {one}" for one in found.open] or ["- nothing of hvtui"]
    return "\n".join(safe_text(line) for line in lines) + "\n"
