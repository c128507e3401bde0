"""`hvtui journal`: what was changed, by whom and how it ended; and whether the record is whole."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from hvtui.cli.arguments import Arguments
from hvtui.cli.exits import Exit
from hvtui.cli.output import Cell, complain, say, show_json, table
from hvtui.errors import InputError, UsageError
from hvtui.journal.entry import Kind, Line, Who
from hvtui.journal.store import Journal, JournalError
from hvtui.journal.verify import verify
from hvtui.text import safe_text

_MOODS: Final = {
    "done": "ok",
    "failed": "bad",
    "refused": "warn",
    "unknown": "warn",
    "cancelled": "warn",
}
_COLUMNS: Final = ("line", "time (UTC)", "who", "what", "cluster", "target", "outcome", "text")
_SHORT: Final = 100


def run(arguments: Arguments) -> int:
    """One of `list`, `show`, `verify`, `export`, `close`."""
    if arguments.item and arguments.action not in {"show", "close"}:
        raise UsageError(f"`journal {arguments.action}` takes no ID")
    actions = {"list": _list, "show": _show, "verify": _verify, "export": _export, "close": _close}
    journal = Journal()
    try:
        return actions[arguments.action](arguments, journal)
    except JournalError as error:
        raise InputError(error.text) from error
    finally:
        journal.close()


def _list(arguments: Arguments, journal: Journal) -> int:
    lines = journal.lines()
    shown = lines[-arguments.last :] if arguments.last > 0 else lines
    if arguments.json:
        show_json({"lines": [line_json(line) for line in shown]})
        return Exit.FINE
    title = f"Journal: {len(shown)} of {len(lines)} lines" if lines else f"Journal: empty ({journal.file})"
    table(title, _COLUMNS, [_row(line) for line in shown])
    return Exit.FINE


def _show(arguments: Arguments, journal: Journal) -> int:
    if not arguments.item:
        raise UsageError(
            "which one?", hint="`hvtui journal list` shows the numbers of lines; an operation's id will do"
        )
    found = _find(journal.lines(), arguments.item)
    if arguments.json:
        show_json({"lines": [line_json(line) for line in found]})
        return Exit.FINE
    for line in found:
        say(f"line {line.id}: {line.entry.kind.value}")
        for name, value in _flat(line_json(line)):
            say(f"  {name}: {value}")
        say()
    return Exit.FINE


def _find(lines: list[Line], wanted: str) -> list[Line]:
    """A line and all others of its operation, by the line's number or the first characters of the operation's id."""
    if wanted.isdigit() and any(line.id == int(wanted) for line in lines):
        chosen = next(line for line in lines if line.id == int(wanted))
        operation = chosen.entry.operation
        return [line for line in lines if line.entry.operation == operation] if operation else [chosen]
    operations = {line.entry.operation for line in lines if line.entry.operation.startswith(wanted.lower())}
    if len(operations) == 1:
        return [line for line in lines if line.entry.operation in operations]
    if operations:
        raise InputError(f"several operations begin with {wanted}: {', '.join(sorted(operations))}")
    raise InputError(f"the journal has no line and no operation {safe_text(wanted)}")


def _verify(arguments: Arguments, journal: Journal) -> int:
    report = verify(journal.folder)
    if arguments.json:
        show_json(
            {
                "file": str(journal.file),
                "whole": not report.faults,
                "lines": report.lines,
                "first": report.first,
                "last": report.last,
                "head": report.head,
                "faults": [{"line": fault.line or None, "text": fault.text} for fault in report.faults],
                "notes": list(report.notes),
            }
        )
        return Exit.WRONG if report.faults else Exit.FINE
    for note in report.notes:
        say(note, "dim")
    if not report.faults:
        say(f"{journal.file}: {report.lines} lines, none changed, none missing", "ok")
        return Exit.FINE
    say(f"{journal.file} is not whole:", "bad")
    for fault in report.faults:
        say(f"  {fault.text}", "bad")
    return Exit.WRONG


def _export(arguments: Arguments, journal: Journal) -> int:
    if not arguments.json:
        raise UsageError("an export is JSON", hint="`hvtui journal export --json > FILE`")
    report = verify(journal.folder)
    show_json({"whole": not report.faults, "lines": [line_json(line) for line in journal.lines()]})
    if report.faults:
        complain(*(fault.text for fault in report.faults))
        return Exit.WRONG
    return Exit.FINE


def _close(arguments: Arguments, journal: Journal) -> int:
    from hvtui.cli.acting.closing import close

    return close(journal, arguments.item, arguments.note)


def line_json(line: Line) -> dict[str, Any]:
    """A line as docs/journal.schema.json has it: every field, also the empty ones."""
    entry = line.entry
    fields = {name: getattr(entry, name) for name in entry.__struct_fields__}
    value = {name: _builtin(field) for name, field in fields.items()}
    return {"id": line.id, **value, "hash": line.hash}


def _builtin(value: Any) -> Any:
    return msgspec.to_builtins(value)


def _flat(value: dict[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Names and values that are not empty, inner ones as `who.user`."""
    found: list[tuple[str, str]] = []
    for name, inner in value.items():
        if isinstance(inner, dict):
            found += _flat(inner, f"{before}{name}.")
        elif inner not in ("", None):
            found.append((f"{before}{name}", str(inner)))
    return found


def _row(line: Line) -> tuple[Cell, ...]:
    entry = line.entry
    what = entry.function or entry.verb or ""
    step = f"{entry.kind.value}: {what}" if what else entry.kind.value
    node = f" on {entry.node}" if entry.node and entry.target_kind != "node" else ""
    return (
        str(line.id),
        f"{entry.time:%Y-%m-%d %H:%M:%S}",
        _who(entry.who),
        step,
        entry.cluster,
        f"{entry.target or entry.title}{node}",
        (entry.outcome, "bad" if entry.kind is Kind.DAMAGE else _MOODS.get(entry.outcome, "")),
        safe_text(entry.text, limit=_SHORT),
    )


def _who(who: Who) -> str:
    return f"{who.user}@{who.machine}"
