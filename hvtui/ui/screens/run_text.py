"""A run, an unfinished operation and the command log in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from hvtui.journal.unfinished import Unfinished
from hvtui.model.severity import Severity
from hvtui.operations.backup_tally import BackupTally
from hvtui.operations.explain import meaning
from hvtui.operations.recovery import Truth
from hvtui.operations.run import Command, ItemState, Offer, Run, RunItem, RunState
from hvtui.ui import format as fmt
from hvtui.ui.cells import fit, width_of
from hvtui.ui.dialogs.plan_text import refusal_lines
from hvtui.ui.look import Look
from hvtui.ui.screens.facts import row, span, text
from hvtui.ui.widgets.document import Line, Section

STATE_ROLES: Final = {
    RunState.CHECKING: "busy",
    RunState.RUNNING: "busy",
    RunState.DONE: "ok",
    RunState.FAILED: "bad",
    RunState.CANCELLED: "warn",
    RunState.UNKNOWN: "bad",
    RunState.REFUSED: "warn",
    RunState.LEFT: "warn",
}
_ITEM_ROLES: Final = {
    ItemState.QUEUED: "dim",
    ItemState.WAITING: "busy",
    ItemState.RUNNING: "busy",
    ItemState.DONE: "ok",
    ItemState.FAILED: "bad",
    ItemState.CANCELLED: "warn",
    ItemState.HELD: "warn",
    ItemState.REFUSED: "warn",
    ItemState.UNKNOWN: "bad",
}
_RANK: Final = {
    ItemState.FAILED: 0,
    ItemState.UNKNOWN: 1,
    ItemState.REFUSED: 2,
    ItemState.HELD: 3,
    ItemState.RUNNING: 4,
    ItemState.WAITING: 5,
    ItemState.CANCELLED: 6,
    ItemState.DONE: 7,
    ItemState.QUEUED: 8,
}
"""What comes first of a run with more items than are shown."""
_NAME: Final = 20
_WIDEST: Final = 40
"""Cells of an item's name, least and most."""
MOST: Final = 200
"""Items and lines of a run that are shown."""


def sign_of(state: RunState | ItemState, look: Look) -> str:
    """The glyph of a state."""
    role = STATE_ROLES.get(state) if isinstance(state, RunState) else _ITEM_ROLES.get(state)
    glyphs = look.glyphs
    return {"ok": glyphs.ok, "bad": glyphs.bad, "warn": glyphs.warn, "busy": glyphs.busy}.get(role or "", glyphs.info)


def run_sections(run: Run, look: Look, counted: BackupTally | None = None) -> list[Section]:
    """Everything of a run: how it stands, its steps with evidence, its items, its lines, and what may be done next.

    `counted` are the backups of VMs that it isolated.
    """
    return [
        _head(run, look),
        *_offers(run.offers, look),
        *(_backups(counted, look) if counted is not None else ()),
        *_refusals(run, look),
        *_stages(run, look),
        *_items(run, look),
        *_lines(run, look),
    ]


def _head(run: Run, look: Look) -> Section:
    zone = look.zone
    state = run.state.value + (", being cancelled" if run.cancelling and not run.over else "")
    percent = f"  {run.percent}%" if run.percent is not None and not run.over else ""
    began = fmt.clock_time(run.started, zone) if run.started is not None else "?"
    ended = fmt.clock_time(run.ended, zone) if run.ended is not None else ""
    lines = [
        row("state", span(f"{sign_of(run.state, look)} {state}{percent}", STATE_ROLES.get(run.state, ""))),
        row("time", span(f"{began}{f' to {ended}' if ended else ''}")),
        row("confirmed", span(f"by {'the typed name' if run.level.value == 'typed' else 'key'}", "dim")),
    ]
    if not run.over:
        can = f"X: {run.cancel_text}" if run.can_cancel else run.cancel_text
        lines.append(row("cancel", span(can, "" if run.can_cancel else "dim")))
    elif run.state in {RunState.FAILED, RunState.UNKNOWN} and not run.acknowledged:
        lines.append(row("to do", span("a: I have seen it", "key")))
    if run.plan.overrides:
        lines.append(row("set aside", span(", ".join(run.plan.overrides), "warn")))
    return Section(run.plan.title, tuple(lines), wide=True)


def _offers(offers: Sequence[Offer], look: Look) -> Iterator[Section]:
    if offers:
        lines = [text(span(f"{look.glyphs.arrow} ", "key"), span(offer.text)) for offer in offers]
        yield Section("Next steps (Enter)", tuple(lines), wide=True)


_OUTCOMES: Final = {"failed": "bad", "both": "warn", "succeeded": "ok", "none yet": "dim", "unread": "unread"}


def _backups(counted: BackupTally, look: Look) -> Iterator[Section]:
    """Whose fault is it: the suspects' or the node's?"""
    lines = [text(span(counted.verdict))]
    for one in counted.vms:
        failures = ", ".join(f"{number} {count}x" for number, count in one.failed.items())
        good = f"last good {fmt.day_time(one.succeeded, look.zone)}" if one.succeeded is not None else ""
        away = "" if one.there else "not there now" if one.there is False else "where it is was not read"
        words = "; ".join(word for word in (failures, good, one.unread, away) if word)
        name = f"{one.name} (control)" if one.control else one.name
        lines.append(row(name, span(f"{one.outcome}  ", _OUTCOMES.get(one.outcome, "")), span(words, "dim")))
    if counted.gap:
        lines.append(text(span(f"{counted.gap}: failures may be missing", "warn")))
    note = f"since {fmt.day_time(counted.since, look.zone)}"
    yield Section(f"Backups on {counted.node}", tuple(lines), wide=True, note=note)


def _refusals(run: Run, look: Look) -> Iterator[Section]:
    if run.refusals:
        lines = [line for refusal in run.refusals for line in refusal_lines(refusal, look)]
        yield Section("Refused: nothing was done", tuple(lines), wide=True)


def _stages(run: Run, look: Look) -> Iterator[Section]:
    if not run.stages:
        return
    lines: list[Line] = []
    for number, stage in enumerate(run.stages, start=1):
        role = _ITEM_ROLES[stage.state]
        lines.append(
            row(f"{number}", span(f"{sign_of(stage.state, look)} {stage.state.value}  ", role), span(stage.title))
        )
        if stage.text:
            lines.append(row(" ", span(look.plain(stage.text), "dim")))
    yield Section("Steps", tuple(lines), wide=True)


def _items(run: Run, look: Look) -> Iterator[Section]:
    if run.items:
        done = sum(item.state is ItemState.DONE for item in run.items)
        shown = run.items
        if len(shown) > MOST:
            # Stable: what is alike stays in the order of the plan.
            shown = sorted(shown, key=lambda item: _RANK.get(item.state, 0))[:MOST]
        room = min(_WIDEST, max(_NAME, *(width_of(item.target.name) for item in shown)))
        lines = [line for item in shown for line in _item(item, look, room, moves=not run.plan.changes)]
        if len(run.items) > MOST:
            lines.append(text(span(f"and {len(run.items) - MOST} more; `hvtui journal show` lists every one", "dim")))
        yield Section("Items", tuple(lines), wide=True, note=f"{done} of {len(run.items)} done")


def _item(item: RunItem, look: Look, room: int, *, moves: bool) -> Iterator[Line]:
    role = _ITEM_ROLES[item.state]
    percent = f" {item.percent}%" if item.percent is not None and not item.ended else ""
    way = f" {look.glyphs.arrow} {item.destination or '?'}" if moves else ""
    where = f"{item.source}{way}  " if item.source else ""
    yield text(
        span(f"{sign_of(item.state, look)} ", role),
        span(fit(item.target.name, room, ellipsis=look.glyphs.ellipsis)),
        span(f" {where}", "dim"),
        span(f"{item.state.value}{percent}", role),
        span(f"  {look.plain(item.text)}" if item.text else ""),
    )
    told = meaning(item.code) if item.code else None
    if item.code:
        yield text(span(f"    Windows says {item.code}", "warn"), span(f": {told.text}" if told is not None else ""))
    advice = item.advice or (told.advice if told is not None else "")
    if advice:
        yield text(span(f"    {look.plain(advice)}", "info"))


def _lines(run: Run, look: Look) -> Iterator[Section]:
    if run.lines:
        roles = {Severity.BAD: "bad", Severity.WARN: "warn"}
        lines = [
            text(
                span(f"{fmt.clock_time(line.time, look.zone)} ", "dim"),
                span(look.plain(line.text), roles.get(line.severity, "")),
            )
            for line in reversed(run.lines[-MOST:])
        ]  # fmt: skip
        note = "newest first" if len(run.lines) <= MOST else f"the newest {MOST} of {len(run.lines)}"
        yield Section("What was seen and done", tuple(lines), wide=True, note=note)


def unfinished_sections(one: Unfinished, truth: Truth | None, look: Look) -> list[Section]:
    """An operation that a console left unfinished: what it began, and what the cluster shows of it."""
    begun = one.begun
    head = [
        row("begun", span(fmt.day_time(begun.time, look.zone)),
            span(f" by {begun.who.user} on {begun.who.machine}", "dim")),
        row("calls", span(f"{len(one.calls)}, {sum(call.open for call in one.calls)} without a known end")),
        row("last", span(one.last.text or one.last.kind.value)),
        row("to do", span("r: read what became of it   Enter: go on from there, or mark it as closed", "key")),
    ]  # fmt: skip
    sections = [Section(f"Left unfinished: {begun.title}", tuple(head), wide=True)]
    if truth is not None:
        lines = [text(span(line)) for line in truth.lines] or [text(span("nothing of it is left", "ok"))]
        settled = "everything it began has ended" if truth.settled else "it is not settled"
        sections += [Section("What the cluster shows of it", tuple(lines), wide=True, note=settled)]
        sections += _offers(truth.offers, look)
    calls = [
        text(
            span(f"{fmt.clock_time(call.step.time, look.zone)} {call.step.node} ", "dim"),
            span(call.step.command or call.step.function),
            span(f"  {call.outcome.outcome if call.outcome is not None else 'nobody saw the end'}",
                 "warn" if call.open else "dim"),
        )
        for call in one.calls
    ]  # fmt: skip
    if calls:
        sections.append(Section("Its calls", tuple(calls), wide=True))
    return sections


def log_sections(commands: Sequence[Command], look: Look) -> list[Section]:
    """Every mutating call of this console, verbatim, the newest first."""
    lines = []
    for command in reversed(commands):
        role = {"": "busy", "done": "ok", "started": "ok"}.get(command.outcome, "warn")
        lines.append(
            text(
                span(f"{fmt.clock_time(command.time, look.zone)} {command.node} ", "dim"),
                span(f"{command.outcome or 'sent'}  ", role),
                span(command.text),
            )
        )
    told = tuple(lines) or (text(span("this console has changed nothing", "dim")),)
    return [Section("Command log", told, wide=True, note=str(len(commands)))]
