"""`hvtui checkpoint`: take one and tell which kind it became, list, apply and remove them, start what one left off."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from hvtui.cli.acting.names import vm_targets
from hvtui.cli.acting.perform import perform, perform_asking
from hvtui.cli.acting.reading import ask_each, with_session
from hvtui.cli.acting.selection import check_selection, is_chosen, select, selected_by
from hvtui.cli.acting.session import Session
from hvtui.cli.acting.wish import Wish
from hvtui.cli.arguments import Arguments
from hvtui.cli.exits import Exit
from hvtui.cli.output import Cell, complain, say, show_json, table
from hvtui.cli.picture_json import time_json
from hvtui.cli.status import MARKS
from hvtui.config import nearest
from hvtui.errors import NotDone, UsageError
from hvtui.model.checkpoint_rows import CheckpointRow, checkpoint_rows
from hvtui.model.checkpoints import CheckpointInfo, Checkpoints
from hvtui.model.enums import CheckpointType, SnapshotType, VmState, name_of
from hvtui.model.severity import Severity
from hvtui.model.state import ClusterState
from hvtui.operations.plan import Target, Verb

_COLUMNS: Final = ("VM", "node", "checkpoint", "id", "became", "taken (UTC)", "age", "rests on", "")
_GUID: Final = re.compile(r"\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?\Z")


def run(arguments: Arguments) -> int:
    """One of `take`, `list`, `apply`, `remove`, `start`."""
    if arguments.action == "list":
        check_selection(arguments)
        return with_session(arguments, lambda session: _list(session, arguments))
    if arguments.action == "take":
        if arguments.plan is None or is_chosen(arguments):
            check_selection(arguments)
        return perform(arguments, lambda state: _take(state, arguments))
    if arguments.plan is None and arguments.vm is None:
        raise UsageError("which VM?", hint="--vm NAME says so, by name or id")
    if arguments.action == "start":
        return perform(arguments, lambda state: Wish(Verb.START_VM, _vm(state, arguments)))
    if arguments.plan is None and arguments.checkpoint is None:
        raise UsageError(
            "which checkpoint?", hint="--checkpoint NAME, by name or id; `hvtui checkpoint list --vm NAME` tells them"
        )
    verb = Verb.APPLY if arguments.action == "apply" else Verb.REMOVE
    return perform_asking(arguments, lambda session: _one(session, arguments, verb))


def _take(state: ClusterState, arguments: Arguments) -> Wish:
    options = {} if arguments.name is None else {"name": arguments.name}
    if not is_chosen(arguments):
        return Wish(Verb.CHECKPOINT, (), options)
    chosen = select(state, arguments)
    return Wish(Verb.CHECKPOINT, chosen.targets, options, gaps=chosen.gaps)


def _vm(state: ClusterState, arguments: Arguments) -> tuple[Target, ...]:
    return () if arguments.vm is None else vm_targets(state, [arguments.vm])


async def _one(session: Session, arguments: Arguments, verb: Verb) -> Wish:
    """A checkpoint of a VM, as the node tells them now. Raises NotDone, RemoteError."""
    if arguments.vm is None or arguments.checkpoint is None:
        return Wish(verb)
    (vm,) = _vm(session.state, arguments)
    told = await session.operations.checkpoints(vm.id)
    found = _named(told, vm, arguments.checkpoint)
    return Wish(verb, (Target(kind="checkpoint", id=f"{vm.id}/{found.id}", name=found.name),))


def _named(told: Checkpoints, vm: Target, word: str) -> CheckpointInfo:
    known = told.checkpoints
    if known is None:
        raise NotDone(f"the checkpoints of {vm.name} could not be read: {_why(told)}")
    guid = _GUID.match(word.strip())
    wanted = guid[1].lower() if guid is not None else ""
    found = [one for one in known if one.id.lower() == wanted or one.name.casefold() == word.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        which = ", ".join(f"{one.id} of {_time(one.created)}" for one in found)
        raise NotDone(f"{len(found)} checkpoints of {vm.name} are called {word}: {which}", hint="Say which by its id.")
    near = nearest(word, (one.name for one in known))
    names = ", ".join(one.name for one in known[:10]) or "none"
    hint = f"Did you mean {near}?" if near else f"Its checkpoints: {names}."
    raise NotDone(f"{vm.name} has no checkpoint {word}", hint=hint)


def _why(told: Checkpoints) -> str:
    return "; ".join(problem.text or problem.kind for problem in told.errors) or "the node did not tell"


# --- list ---


async def _list(session: Session, arguments: Arguments) -> int:
    """0 all read, 1 something could not be read, 2 nothing could."""
    chosen = select(session.state, arguments)
    asked = await ask_each([target.id for target in chosen.targets], session.operations.checkpoints)
    unread = {key: told if isinstance(told, str) else _why(told) for key, told in asked.items() if _is_unread(told)}
    now = session.clock.now()
    info = session.state.cluster.info
    listed = {target.id for target in chosen.targets}
    fallbacks = [one for one in session.operations.fallbacks if one.vm in listed]
    if arguments.json:
        show_json(
            {
                "fallbacks": [
                    {"vm": {"id": one.vm, "name": one.name}, "node": one.node, "time": time_json(one.time)}
                    for one in fallbacks
                ],
                "cluster": info.name if info is not None else session.cluster.name,
                "as_of": time_json(now),
                "gaps": list(chosen.gaps),
                "vms": [_json(target, asked[target.id], unread.get(target.id, "")) for target in chosen.targets],
            }
        )
    else:
        _show(arguments, chosen.targets, asked, unread, now)
        for one in fallbacks:
            say(f"▲ {one.text}", "warn")
        for gap in chosen.gaps:
            complain(f"this may not be all: {gap}")
    if chosen.targets and len(unread) == len(chosen.targets):
        return Exit.NOTHING
    return Exit.WRONG if unread or chosen.gaps else Exit.FINE


def _is_unread(told: Checkpoints | str) -> bool:
    return isinstance(told, str) or told.checkpoints is None


def _show(
    arguments: Arguments,
    targets: tuple[Target, ...],
    asked: dict[str, Checkpoints | str],
    unread: dict[str, str],
    now: datetime,
) -> None:
    if not targets:
        say(f"There is no VM {selected_by(arguments)}.")
        return
    rows: list[tuple[Cell, ...]] = []
    for target in targets:
        told = asked[target.id]
        if not isinstance(told, str):
            rows += [_row(target, told, one, now) for one in checkpoint_rows(told) or ()]
    without = len(targets) - len(unread) - len({row[0] for row in rows})
    table(f"Checkpoints: {len(rows)}", _COLUMNS, rows)
    if without > 0:
        say(f"{without} of {len(targets)} VMs have none." if len(targets) > 1 else f"{targets[0].name} has none.")
    for target in targets:
        if target.id in unread:
            say(f"? {target.name}: not read, {unread[target.id]}", "warn")


def _row(target: Target, told: Checkpoints, one: CheckpointRow, now: datetime) -> tuple[Cell, ...]:
    mood = MARKS[one.severity][1] if one.severity > Severity.INFO else ""
    notes = (
        "automatic" if one.automatic else "",
        f"{one.children} rest on it" if one.children else "",
        "the VM runs on it" if one.current else "",
    )
    return (
        target.name,
        told.node,
        one.name,
        one.id,
        (one.kind, mood),
        _time(one.created),
        _age(one.created, now),
        one.parent,
        ", ".join(filter(None, notes)),
    )


def _time(moment: datetime | None) -> str:
    return "?" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


def _age(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "?"
    minutes = max(0, int((now - moment).total_seconds() // 60))
    days, rest = divmod(minutes, 1440)
    return f"{days} d {rest // 60} h" if days else f"{rest // 60} h {rest % 60} min" if rest >= 60 else f"{rest} min"


def _json(target: Target, told: Checkpoints | str, why: str) -> dict[str, Any]:
    """A VM of docs/checkpoints.schema.json."""
    answer = None if isinstance(told, str) else told
    rows = None if answer is None else checkpoint_rows(answer)
    state = None if answer is None else answer.state
    kind = None if answer is None else answer.checkpoint_type
    parents = {one.id: one.parent for one in (answer.checkpoints or () if answer is not None else ())}
    return {
        "vm": {"id": target.id, "name": target.name},
        "node": None if answer is None else answer.node,
        "state": None if state is None else name_of(VmState, state),
        "type": None if kind is None else name_of(CheckpointType, kind),
        "current": None if answer is None else answer.current,
        "unread": why,
        "checkpoints": None
        if rows is None
        else [
            {
                "id": one.id,
                "name": one.name,
                "type": None if one.type is None else name_of(SnapshotType, one.type),
                "became": one.kind,
                "memory": one.saved,
                "created": None if one.created is None else time_json(one.created),
                "parent": parents[one.id],
                "children": one.children,
                "automatic": one.automatic,
            }
            for one in rows
        ],
    }
