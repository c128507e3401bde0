"""`hvtui guests`: every volume, the VSS state and the writers inside guests, read through PowerShell Direct.

Exit codes: 0 all read and well, 1 something is low or could not be read, 2 nothing could be read, 3 refused: the guest
credential, or before any guest was asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import aclosing
from dataclasses import dataclass, field

from hvtui.cli.acting.names import vm_targets
from hvtui.cli.acting.progress import Progress, show_line
from hvtui.cli.acting.reading import with_session
from hvtui.cli.acting.selection import Selection, check_selection, select, selected_by
from hvtui.cli.acting.session import Session
from hvtui.cli.arguments import Arguments
from hvtui.cli.connecting import choose
from hvtui.cli.exits import Exit
from hvtui.cli.guest_credential import guest_credential
from hvtui.cli.guest_output import counts, files_json, guest_json, guest_line, show_files, show_guests
from hvtui.cli.output import complain, say, show_json
from hvtui.cli.picture_json import time_json
from hvtui.errors import NotDone, UsageError
from hvtui.journal.store import JournalError
from hvtui.model.guest_rows import GuestRow, worst_first
from hvtui.model.guests import GuestFiles
from hvtui.model.secret import GuestCredential
from hvtui.model.severity import Severity
from hvtui.operations.plan import Target

_DENIED = "denied"


def run(arguments: Arguments) -> int:
    """Look into guests, or for the largest files of one of their volumes."""
    check_selection(arguments)
    if arguments.files is not None and (len(arguments.vms) != 1 or arguments.jsonl):
        raise UsageError(
            "--files looks into one VM", hint="`hvtui guests --files T: --vm NAME`, with or without --json"
        )
    _, cluster = choose(arguments)
    credential = guest_credential(arguments, cluster)
    if arguments.files is not None:
        return _files(arguments, credential, arguments.files)
    return with_session(arguments, _Look(arguments, credential).go)


@dataclass
class _Look:
    arguments: Arguments
    credential: GuestCredential
    rows: list[GuestRow] = field(default_factory=list)

    async def go(self, session: Session) -> int:
        chosen = select(session.state, self.arguments)
        quiet = self.arguments.json or self.arguments.jsonl
        for gap in chosen.gaps:
            complain(f"this may not be all: {gap}")
        progress = Progress(session.clock.now, aside=quiet)
        interrupted = False
        try:
            if chosen.targets:
                await self._read(session, chosen.targets, progress)
        except asyncio.CancelledError:
            interrupted = True
            asked = {row.vm for row in self.rows}
            left = [target.name for target in chosen.targets if target.id not in asked]
            more = f" and {len(left) - 20} more" if len(left) > 20 else ""
            complain(f"interrupted; not asked, or not heard: {', '.join(left[:20])}{more}")
        code = Exit.INTERRUPTED if interrupted else _code(self.rows, chosen)
        self._tell(session, chosen, code)
        return code

    async def _read(self, session: Session, targets: tuple[Target, ...], progress: Progress) -> None:
        parallel = self.arguments.parallel
        try:
            async with aclosing(session.operations.guests(targets, self.credential, parallel=parallel)) as rows:
                async for row in rows:
                    self.rows.append(row)
                    if self.arguments.jsonl:
                        show_line({"kind": "guest", **guest_json(row)})
                    else:
                        progress.line(guest_line(row), bad=row.severity > Severity.INFO)
        except JournalError as error:
            raise NotDone(f"no guest was asked: {error.text}", hint=error.hint) from error

    def _tell(self, session: Session, chosen: Selection, code: int) -> None:
        rows = worst_first(self.rows)
        denied = next((row for row in self.rows if row.outcome == _DENIED), None)
        info = session.state.cluster.info
        head = {
            "cluster": info.name if info is not None else session.cluster.name,
            "as_of": time_json(session.clock.now()),
            "exit": code,
            "asked": len(chosen.targets),
            "counts": counts(rows),
            "denied": None if denied is None else {"id": denied.vm, "name": denied.name},
            "gaps": list(chosen.gaps),
        }
        if self.arguments.jsonl:
            show_line({"kind": "end", **head})
        elif self.arguments.json:
            show_json({**head, "guests": [guest_json(row) for row in rows]})
        elif not chosen.targets:
            say(f"There is no VM {selected_by(self.arguments)}.")
        else:
            say()
            show_guests(rows)
        if denied is not None:
            complain(
                f"{denied.name} refused {self.credential.username}: no other guest was asked with it, "
                "and it was not tried again, because accounts lock"
            )


def _code(rows: Iterable[GuestRow], chosen: Selection) -> Exit:
    rows = list(rows)
    if any(row.outcome == _DENIED for row in rows):
        return Exit.REFUSED
    if rows and not any(row.read for row in rows):
        return Exit.NOTHING
    well = all(row.severity <= Severity.INFO for row in rows) and len(rows) >= len(chosen.targets)
    return Exit.FINE if well and not chosen.gaps else Exit.WRONG


def _files(arguments: Arguments, credential: GuestCredential, volume: str) -> int:
    async def work(session: Session) -> tuple[Target, GuestFiles]:
        (target,) = vm_targets(session.state, arguments.vms)
        try:
            told = await session.operations.guest_files(
                target, credential, volume, count=arguments.count, seconds=arguments.seconds
            )
        except JournalError as error:
            raise NotDone(f"the guest was not asked: {error.text}", hint=error.hint) from error
        return target, told

    target, told = with_session(arguments, work)
    if arguments.json:
        show_json(files_json({"id": target.id, "name": target.name}, told))
    elif told.files is not None:
        show_files(target.name, told)
    else:
        complain(f"{target.name} {volume}: not readable: {told.text or told.outcome}")
    if told.outcome == _DENIED:
        return Exit.REFUSED
    if told.files is None:
        return Exit.NOTHING
    return Exit.WRONG if told.partial or told.errors else Exit.FINE
