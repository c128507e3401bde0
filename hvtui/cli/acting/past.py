"""Operations that can be undone, as the journal keeps them: by the first characters of their id, or the last one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from hvtui.cli.acting.session import Session
from hvtui.errors import InputError, NotDone
from hvtui.journal.entry import Entry, Kind
from hvtui.journal.store import Journal, JournalError
from hvtui.operations.plan import Verb
from hvtui.text import safe_text

_SHOWN: Final = 10


async def operation_of(session: Session, wanted: str, verbs: Iterable[Verb], undo: Verb) -> str:
    """The id of an operation of this cluster that one of `verbs` began; without one, the last that is not undone.

    `undo` is the verb that undoes them. Raises NotDone, InputError.
    """
    info = session.state.cluster.info
    cluster_id = info.id if info is not None else ""
    try:
        found, undone = await asyncio.to_thread(_begun, cluster_id, {verb.value for verb in verbs}, undo.value)
    except JournalError as error:
        raise InputError(error.text, hint=error.hint) from error
    last = next((entry.operation for entry in reversed(found) if entry.operation not in undone), "")
    if not wanted and last:
        return last
    matching = [entry for entry in found if entry.operation.startswith(wanted.lower())]
    if wanted and len(matching) == 1:
        return matching[0].operation
    word = f"several operations begin with {safe_text(wanted)}" if matching else "there is no such operation to undo"
    known = "; ".join(
        f"{entry.operation} ({entry.time:%Y-%m-%d %H:%M} UTC, {safe_text(entry.title)})"
        for entry in (matching or found)[-_SHOWN:]
    )
    raise NotDone(word, hint=f"Known of this cluster: {known or 'none'}.")


def _begun(cluster_id: str, verbs: set[str], undo: str) -> tuple[list[Entry], set[str]]:
    """What was begun, oldest first, and what of it was undone to the end."""
    journal = Journal()
    try:
        begun = [line.entry for line in journal.lines(kinds=(Kind.BEGUN,)) if line.entry.cluster_id == cluster_id]
        done = {line.entry.operation for line in journal.lines(kinds=(Kind.ENDED,)) if line.entry.outcome == "done"}
    finally:
        journal.close()
    undone = {str(e.requested.get("option operation")) for e in begun if e.verb == undo and e.operation in done}
    return [entry for entry in begun if entry.verb in verbs], undone
