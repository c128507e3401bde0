"""`hvtui journal close`: a person says that an operation which a console left unfinished needs no more attention."""

from __future__ import annotations

import asyncio

from hvtui.cli.exits import Exit
from hvtui.cli.operating import actor_of
from hvtui.cli.output import say
from hvtui.clock import SystemClock
from hvtui.errors import InputError, UsageError
from hvtui.journal.store import Journal
from hvtui.journal.unfinished import Unfinished, unfinished
from hvtui.operations.audit import Audit
from hvtui.text import safe_text


def close(journal: Journal, wanted: str, note: str) -> int:
    """By the operation's id or its first characters. Nothing of the cluster is touched, and nothing is run again."""
    if not wanted:
        raise UsageError("which one?", hint="`hvtui journal close ID`, the id of an operation that is unfinished")
    if not note.strip():
        raise UsageError("why is nothing more to be done about it?", hint="--note TEXT is kept beside it")
    one = _find(unfinished(journal), wanted)
    begun = one.begun
    audit = Audit(journal, SystemClock(), actor_of("cli", begun.who.account), lambda: (begun.cluster_id, begun.cluster))

    async def write() -> None:
        await audit.open()
        await audit.closed(one.operation, note.strip(), begun)

    asyncio.run(write())
    say(f"closed: {begun.title} ({one.operation})")
    return Exit.FINE


def _find(left: list[Unfinished], wanted: str) -> Unfinished:
    found = [one for one in left if one.operation.startswith(wanted.lower())]
    if len(found) == 1:
        return found[0]
    known = ", ".join(one.operation for one in found or left) or "none"
    which = (
        f"several unfinished operations begin with {safe_text(wanted)}" if found else "no such operation is unfinished"
    )
    raise InputError(which, hint=f"Unfinished: {known}.")
