"""A plan for people: what moves where and how, the steps, what stays and why, what stands against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from hvtui.cli.acting.replan import VALUES
from hvtui.cli.output import Cell, say, table
from hvtui.cli.status import MARKS
from hvtui.model.enums import VmState, name_of
from hvtui.model.severity import Severity
from hvtui.operations.plan import Change, CsvLine, Left, Level, Move, Note, Plan, Refusal

_MOVES: Final = ("wave", "VM", "id", "from", "to", "how", "memory", "why")
_STAGES: Final = ("step", "node", "what")
_KINDS: Final = {"vm": "VM", "checkpoint": "checkpoint", "vssaccess": "account"}
_WAYS: Final = 6
_MANY: Final = 200
_CSVS: Final = ("CSV", "owner", "snapshots by", "then by", "moves", "or move the CSV to", "then VMs to move", "frozen")


def show_plan(plan: Plan) -> None:
    """The whole plan, and how it is carried out."""
    say(f"{plan.title} (cluster {plan.cluster})")
    say()
    if plan.csvs:
        table("CSVs", _CSVS, [_csv(line) for line in plan.csvs])
    if plan.moves:
        # One wave is no order.
        first = 0 if any(move.wave for move in plan.moves) else 1
        table(f"Moves: {len(plan.moves)}", _MOVES[first:], [_move(move)[first:] for move in plan.moves])
    if plan.changes:
        show_changes(plan)
    if plan.stages:
        table("Steps", _STAGES, [(str(n), stage.node, stage.text) for n, stage in enumerate(plan.stages, 1)])
    show_left(plan.left, "Not changed" if changes_values(plan) else "Not moved")
    show_notes(plan.notes)
    show_refusals(plan.refusals)


def show_changes(plan: Plan) -> None:
    """Every value that is set, as it is and as it will be; on top, how many of which."""
    counted = Counter((change.before, change.after) for change in plan.changes)
    title = f"Changes: {len(plan.changes)}"
    if len(plan.changes) > 1:
        title += " (" + ", ".join(f"{n} × {a} → {b}" for (a, b), n in counted.most_common(_WAYS)) + ")"
    what = plan.changes[0].target.kind
    columns = (_KINDS.get(what, what), "id", "node", "now", "then", "", "to know")
    # Rich lays out every row of a table before it prints one.
    table(title, columns, map(_change, plan.changes), plain=len(plan.changes) > _MANY)


def show_left(left: Iterable[Left], word: str = "Not moved") -> None:
    """VMs that are not moved, or changed, each with every reason, in lines: a reason may name many files."""
    ones = list(left)
    if not ones:
        return
    say(f"Not touched: {len(ones)}" if any(one.vm.kind != "vm" for one in ones) else f"{word}: {len(ones)}")
    for one in ones:
        glyph, mood = MARKS[Severity.WARN if one.refusals else Severity.INFO]
        for text, hint in dict.fromkeys((r.text, r.hint) for r in one.refusals) or {
            (one.text or "nothing to do", ""): None
        }:
            why = text.removeprefix(f"{one.vm.name}: ")
            say(f"  {glyph} {one.vm.name} on {one.node or '?'}: {why}", mood if one.refusals else "")
            if hint:
                say(f"    → {hint}")
    say()


def show_notes(notes: Iterable[Note]) -> None:
    """What is good to know and stands in nobody's way."""
    lines = list(dict.fromkeys(notes))
    for note in lines:
        glyph, mood = MARKS[Severity(note.severity)]
        text = note.text if note.target is None or note.target.name in note.text else f"{note.target.name}: {note.text}"
        say(f"{glyph} {text}", mood if note.severity > Severity.INFO else "")
    if lines:
        say()


def show_refusals(refusals: Iterable[Refusal]) -> None:
    """What stands against the whole plan, with what to do about it; what holds for several is said once, at the end."""
    ones = list(dict.fromkeys(refusals))
    for refusal in ones:
        say(f"✗ {refusal.text} ({refusal.rule})", "bad")
        if refusal.hint:
            say(f"  → {refusal.hint}")
        if refusal.rule == "confirm":
            say("  → on the command line: --confirm NAME")
    for name in dict.fromkeys(refusal.override for refusal in ones if refusal.override):
        say(f"An expert may set {name} aside: --override {name}")


def changes_values(plan: Plan) -> bool:
    """A plan of changed values, not of moves and steps."""
    return plan.verb in VALUES


def how_to_apply(plan: Plan) -> None:
    """The options that carry this plan out."""
    if plan.level is Level.TYPED:
        say(f"To do it: --apply --confirm {quoted(plan.name)}")
    else:
        say("To do it: --apply")


def quoted(name: str) -> str:
    """A name as it is typed in cmd, PowerShell and a shell alike, as far as that is possible."""
    plain = name.replace("-", "").replace("_", "").replace(".", "")
    return name if plain.isalnum() and name.isascii() else f'"{name}"'


def _move(move: Move) -> tuple[Cell, ...]:
    return (
        str(move.wave + 1),
        move.vm.name,
        move.vm.id,
        move.source or "?",
        move.destination or "Windows chooses",
        _how(move),
        "?" if move.memory is None else f"{move.memory / 1024:.1f} GB",
        move.reason,
    )


def _how(move: Move) -> Cell:
    state = name_of(VmState, move.state)
    if move.type == "Quick" and move.state == VmState.Running:
        return ("quick: clients drop", "bad")
    return f"{move.type.lower()}, {state}"


def _change(change: Change) -> tuple[Cell, ...]:
    glyph, mood = MARKS[Severity(change.severity)] if change.text else ("", "")
    return (
        change.target.name,
        change.target.id,
        change.node or "?",
        change.before or "?",
        change.after,
        (glyph, mood),
        (change.text, mood if change.severity > Severity.INFO else ""),
    )


def _csv(line: CsvLine) -> tuple[Cell, ...]:
    return (
        line.name,
        line.owner or "?",
        str(line.before),
        (str(line.after), "ok" if line.after < line.before else ""),
        str(line.moves),
        line.alternative,
        str(line.alternative_moves) if line.alternative else "",
        (line.frozen, "warn" if line.frozen else ""),
    )
