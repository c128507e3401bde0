"""A plan in words: what stands against it, what will be done and in which order, what stays behind, what to know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from hvtui.model.enums import VmState
from hvtui.model.severity import Severity
from hvtui.operations.backup_state import Answer, BackupState
from hvtui.operations.plan import Change, CsvLine, Left, Move, Note, Plan, Refusal, Stage
from hvtui.operations.vss_access import number, value_text
from hvtui.ui.cells import fit, width_of
from hvtui.ui.look import Look
from hvtui.ui.screens.facts import row, span, text
from hvtui.ui.widgets.document import Line, Section, Span

_RUNS: Final = frozenset({VmState.Running})
_NAME: Final = 20
"""Cells of a VM's name in a table."""

MOST: Final = 200
"""Lines of one table: nobody reads more, and a plan may be about thousands of VMs."""

ORPHANED: Final = "backup-orphaned"
"""The rule that an operator answers by saying that the backup job was stopped."""

_ROLES: Final = {Severity.BAD: "bad", Severity.WARN: "warn"}


def plan_sections(
    plan: Plan, look: Look, *, backup: Sequence[tuple[str, BackupState]] = (), lost: str = ""
) -> list[Section]:
    """The whole plan. `backup` are the nodes on which a backup would forbid it; `lost` says what changed just now."""
    sections = []
    if lost:
        sections.append(Section("It is another plan now", (text(span(lost, "bad")),), wide=True))
    sections += [
        *refusal_sections(plan, look),
        *_backup(backup, look),
        *_stages(plan.stages, look),
        *_csvs(plan.csvs, look),
        *_moves(plan.moves, look),
        *_changes(plan.changes, look),
        *_left(plan.left, "Stays where it is" if plan.moves or not plan.changes else "Stays as it is"),
        *_notes(plan.notes, look),
    ]
    return sections


def refusal_sections(plan: Plan, look: Look) -> Iterator[Section]:
    """Why it cannot be done, and which rules were set aside."""
    if plan.refusals:
        lines = [line for refusal in plan.refusals for line in refusal_lines(refusal, look)]
        yield Section("Refused: nothing of this will be done", tuple(lines), wide=True, note=str(len(plan.refusals)))
    if plan.overrides:
        said = "set aside by you, and written into the journal"
        lines = [text(span(f"{look.glyphs.warn} {name}", "warn"), span(f"  {said}", "dim")) for name in plan.overrides]
        yield Section("Rules set aside", tuple(lines), wide=True)


def refusal_lines(refusal: Refusal, look: Look) -> Iterator[Line]:
    """One refusal: its reason, and what helps."""
    glyphs = look.glyphs
    sign = (f"{glyphs.busy} HOLD  ", "warn") if refusal.hold else (f"{glyphs.bad} ", "bad")
    spans: list[Span] = [sign, span(refusal.text), span(f"  ({refusal.rule})", "dim")]
    if refusal.override:
        spans.append(span("  F2 sets it aside", "key"))
    if refusal.rule == ORPHANED:
        spans.append(span("  F3 says it was stopped", "key"))
    yield text(*spans)
    if refusal.hint:
        yield text(span(f"    {refusal.hint}", "info"))


def _stages(stages: Sequence[Stage], look: Look) -> Iterator[Section]:
    if stages:
        lines = [row(f"{place}", span(stage.text)) for place, stage in enumerate(stages, start=1)]
        yield Section("Steps", tuple(lines), wide=True, note=str(len(stages)))


def _moves(moves: Sequence[Move], look: Look) -> Iterator[Section]:
    """VMs by what happens to them: those whose clients drop first."""
    runs = [move for move in moves if move.state in _RUNS]
    others = [move for move in moves if move.state not in _RUNS]
    groups = (
        ("Saved and moved: their clients drop", "bad", [move for move in runs if move.type == "Quick"]),
        ("Live migration", "", [move for move in runs if move.type == "Live"]),
        ("Paused: migrated as they are", "", [move for move in others if move.type == "Live"]),
        ("At rest: only the role changes the node", "dim", [move for move in others if move.type == "Quick"]),
    )
    room = max((width_of(_way(move, look)) for move in moves), default=0)
    for title, role, group in groups:
        if group:
            lines = [_move_line(move, look, role, room) for move in group]
            yield Section(title, tuple(lines), wide=True, note=str(len(group)))


def _way(move: Move, look: Look) -> str:
    return f"{move.source or '?'} {look.glyphs.arrow} {move.destination or 'where the cluster puts it'}"


def _move_line(move: Move, look: Look, role: str, room: int) -> Line:
    """`room` are the cells of the widest way: what stands behind it stands in columns."""
    memory = "? GB" if move.memory is None else f"{move.memory / 1024:.1f} GB"
    wave = f"  wave {move.wave + 1}" if move.wave else ""
    reason = f"  {move.reason}" if move.reason else ""
    return text(
        span(fit(move.vm.name, _NAME, ellipsis=look.glyphs.ellipsis), role),
        span(f" {fit(_way(move, look), room)}"),
        span(f"{memory:>10}", "unread" if move.memory is None else "dim"),
        span(f"{wave}{reason}", "dim"),
    )


def _changes(changes: Sequence[Change], look: Look) -> Iterator[Section]:
    """What has which value now and gets which: one table for each pair of values, those with a warning first."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        groups.setdefault((change.before, change.after), []).append(change)
    room = min(44, max((width_of(change.target.name) for change in changes), default=0))
    for (before, after), group in groups.items():
        group.sort(key=lambda change: -change.severity)
        same = len(group) > 1 and len({change.text for change in group}) == 1
        lines = [_meaning(group[0], look)] if same and group[0].text else []
        lines += [_change_line(change, look, room, told=same) for change in group[:MOST]]
        if len(group) > MOST:
            lines.append(text(span(f"and {len(group) - MOST} more with nothing worse to say of them", "dim")))
        kind = group[0].target.kind
        before, after = _value(kind, before), _value(kind, after)  # noqa: PLW2901
        title = f"{before} {look.glyphs.arrow} {after}" if before and after else after or before
        yield Section(title, tuple(lines), wide=True, note=str(len(group)))


def _value(kind: str, word: str) -> str:
    """A value as people read it: those of VssAccessControl are numbers in a plan."""
    return value_text(number(word)) if kind == "vssaccess" and number(word) is not None else word


def _meaning(change: Change, look: Look) -> Line:
    """What to know of all of them."""
    return text(span(look.plain(change.text), _role_of(change) or "dim"))


def _change_line(change: Change, look: Look, room: int, *, told: bool) -> Line:
    """`told`: what to know of it stands above already."""
    role = _role_of(change)
    sign = {"bad": look.glyphs.bad, "warn": look.glyphs.warn}.get(role, look.glyphs.dot)
    return text(
        span(f"{sign} ", role or "dim"),
        span(fit(change.target.name, room, ellipsis=look.glyphs.ellipsis)),
        # The name of an entry has its node in it.
        span("" if change.target.kind == "vssaccess" else f"  {change.node}", "dim"),
        span(f"  {look.plain(change.text)}" if change.text and not told else "", role or "dim"),
    )


def _role_of(change: Change) -> str:
    severity = Severity(change.severity) if change.severity in set(Severity) else Severity.INFO
    return _ROLES.get(severity, "")


def _csvs(csvs: Sequence[CsvLine], look: Look) -> Iterator[Section]:
    """The table of an alignment: snapshots before and after, and the alternative."""
    if not csvs:
        return
    name = max(6, *(len(csv.name) for csv in csvs))
    owner = max(5, *(len(csv.owner) for csv in csvs))
    head = f"{fit('volume', name)}  {fit('owner', owner)}  snapshots  moves  or move the CSV to"
    lines = [text(span(head, "label"), wrap=False)]
    for csv in csvs:
        other = f"{csv.alternative}, then {csv.alternative_moves} moves" if csv.alternative else ""
        change = f"{csv.before} {look.glyphs.arrow} {csv.after}"
        better = "ok" if csv.after < csv.before else ""
        lines.append(
            text(
                span(f"{fit(csv.name, name)}  {fit(csv.owner or '?', owner)}  "),
                span(fit(change, 9), better),
                span(f"  {csv.moves:>5}  "),
                span(csv.frozen and f"frozen: {csv.frozen}", "warn") if csv.frozen else span(other, "dim"),
                wrap=bool(csv.frozen),
            )
        )
    before, after = sum(csv.before for csv in csvs), sum(csv.after for csv in csvs)
    note = f"{before} {look.glyphs.arrow} {after} snapshots"
    yield Section("Volumes", tuple(lines), wide=True, note=note)


def _left(left: Sequence[Left], title: str) -> Iterator[Section]:
    if not left:
        return
    lines: list[Line] = []
    for one in left[:MOST]:
        reasons = [refusal.text.removeprefix(f"{one.vm.name}: ") for refusal in one.refusals]
        held = any(refusal.hold for refusal in one.refusals)
        words = "; ".join([*reasons, *([one.text] if one.text else [])]) or "no reason is known"
        spans = (span(f"on {one.node or '?'}: ", "dim"), span("HOLD " if held else "", "warn"), span(words))
        lines.append(row(one.vm.name, *spans))
        hints = dict.fromkeys(refusal.hint for refusal in one.refusals if refusal.hint)
        lines += [row(" ", span(hint, "info")) for hint in hints]
    if len(left) > MOST:
        lines.append(text(span(f"and {len(left) - MOST} more; `--dry-run --json` lists every one", "dim")))
    yield Section(title, tuple(lines), wide=True, note=str(len(left)))


def _notes(notes: Iterable[Note], look: Look) -> Iterator[Section]:
    glyphs = look.glyphs
    lines = []
    for note in sorted(notes, key=lambda note: -note.severity):
        severity = Severity(note.severity) if note.severity in set(Severity) else Severity.INFO
        sign = {Severity.BAD: glyphs.bad, Severity.WARN: glyphs.warn}.get(severity, glyphs.info)
        role = _ROLES.get(severity, "dim")
        lines.append(text(span(f"{sign} ", role), span(look.plain(note.text), role if role == "bad" else "")))
    if lines:
        yield Section("To know", tuple(lines), wide=True)


_BACKUP_ROLES: Final = {Answer.RUNNING: "bad", Answer.ORPHANED: "warn", Answer.UNKNOWN: "warn", Answer.IDLE: "ok"}


def _backup(backup: Sequence[tuple[str, BackupState]], look: Look) -> Iterator[Section]:
    """Whether a backup runs, with the evidence; and what an operator may say about leftovers."""
    for node, found in backup:
        lines = [text(span(found.answer.value, _BACKUP_ROLES[found.answer]))]
        lines += [text(span(f"{look.glyphs.info} {look.plain(line)}")) for line in found.evidence]
        if found.left:
            lines.append(text(span(f"{found.left} min more must be quiet before leftovers count as orphaned", "warn")))
        if found.answer is Answer.ORPHANED:
            if found.confirmed:
                lines.append(text(span(f"the job was stopped in the backup product, says {found.confirmed}", "ok")))
            else:
                lines.append(
                    text(span("A quiet backup of Server 2016 and newer that only copies looks the same.", "warn"))
                )
                lines.append(text(span("F3: say that the job was stopped in the backup product", "key")))
        yield Section(f"Backup on {node}", tuple(lines), wide=True)
