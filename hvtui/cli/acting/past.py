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


async def operation_of(session: Session, wanted: str, verbs: Iterable[Verb]) -> str:
    """The id of an operation of this cluster that one of `verbs` began. Raises NotDone, InputError."""
    info = session.state.cluster.info
    cluster_id = info.id if info is not None else ""
    try:
        found = await asyncio.to_thread(_begun, cluster_id, {verb.value for verb in verbs})
    except JournalError as error:
        raise InputError(error.text, hint=error.hint) from error
    if not wanted and found:
        return found[-1].operation
    matching = [entry for entry in found if entry.operation.startswith(wanted.lower())]
    if wanted and len(matching) == 1:
        return matching[0].operation
    word = f"several operations begin with {safe_text(wanted)}" if matching else "there is no such operation to undo"
    known = "; ".join(
        f"{entry.operation} ({entry.time:%Y-%m-%d %H:%M} UTC, {safe_text(entry.title)})"
        for entry in (matching or found)[-_SHOWN:]
    )
    raise NotDone(word, hint=f"Known of this cluster: {known or 'none'}.")


def _begun(cluster_id: str, verbs: set[str]) -> list[Entry]:
    journal = Journal()
    try:
        entries = (line.entry for line in journal.lines(kinds=(Kind.BEGUN,)))
        return [entry for entry in entries if entry.cluster_id == cluster_id and entry.verb in verbs]
    finally:
        journal.close()
