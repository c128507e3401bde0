"""Looks into guests through their hosts (PowerShell Direct): whom to ask, in which order, and when to stop.

A wrong password locks an account, so nothing is ever asked twice: one guest alone first, the others only when one has
accepted the account, nobody any more after one has refused it. Guests that cannot be asked are told with the reason and
what to run inside instead; they are never shown as fine.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from hvtui.errors import RemoteError
from hvtui.model.guest_rows import GuestRow, guest_row, not_readable
from hvtui.model.guests import GuestFiles, GuestLine
from hvtui.model.secret import GuestCredential
from hvtui.operations.desk import Desk
from hvtui.operations.guest_kinds import Kind, kind_of
from hvtui.operations.guest_knowledge import GuestKnowledge
from hvtui.operations.nodes import Parameters
from hvtui.operations.plan import Target

MOST: Final = 256
"""VMs of one call."""
AT_ONCE: Final = 4
"""Nodes that look into their guests at one time."""
_NAMED: Final = 20
_PREFLIGHT_AGE: Final = 600.0
_DENIED: Final = "denied"
_READ: Final = "read"


class RefusedBefore(Exception):  # it says what happened
    """A guest has refused this account and password before."""


@dataclass
class _Look:
    """One look under way. `proven`: a guest has accepted the account. `stop`: why nobody is asked any more."""

    credential: GuestCredential
    mark: bytes
    kinds: dict[str, Kind]
    proven: bool = False
    stop: str = ""


@dataclass
class Guests:
    """One for a console. What was read is in `knowledge`; what was refused is known by a salted hash only."""

    desk: Desk
    knowledge: GuestKnowledge
    _salt: bytes = field(default_factory=lambda: os.urandom(16), repr=False)
    _refused: dict[bytes, dict[str, str]] = field(default_factory=dict, repr=False)
    """Hash of an account and its password → id and name of the guests that refused it."""
    _accepted: set[bytes] = field(default_factory=set, repr=False)
    """Hashes of those that some guest has accepted: only in others may they be right."""

    async def look(
        self, targets: Sequence[Target], credential: GuestCredential, *, parallel: int = 8
    ) -> AsyncGenerator[GuestRow, None]:
        """Look into guests: one row for each, as they answer. Raises JournalError before anybody is asked.

        `parallel` is how many are asked at one time, on all nodes together.
        """
        wanted = list({target.id: target for target in targets}.values())
        kinds = await self._kinds(wanted)
        mark = self._mark(credential)
        look = _Look(credential, mark, kinds)
        look.stop = self._refused_before(mark, "")
        rows = [self._without_asking(target, kinds[target.id], mark) for target in wanted]
        asked = [target for target, row in zip(wanted, rows, strict=True) if row is None]
        if asked and not look.stop:
            await self._note(f"looks into {len(asked)} guests as {credential.username}", asked)
        outcomes: list[str] = []
        for row in rows:
            if row is not None:
                yield self._keep(row)
        async with aclosing(self._ask(asked, look, max(1, min(parallel, 16)))) as answers:
            async for row in answers:
                outcomes.append(row.outcome)
                yield self._keep(row)
        if outcomes and not all(outcome == "skipped" for outcome in outcomes):
            told = ", ".join(f"{outcomes.count(word)} {word}" for word in dict.fromkeys(outcomes))
            await self._note(f"looked into {len(asked)} guests as {credential.username}: {told}", asked)

    async def files(
        self, target: Target, credential: GuestCredential, volume: str, *, count: int = 20, seconds: int = 60
    ) -> GuestFiles:
        """The largest files of a volume of one guest. What stands against it is in its `outcome` and `text`.

        Raises JournalError before the guest is asked.
        """
        desk = self.desk
        kind = (await self._kinds([target]))[target.id]
        mark = self._mark(credential)
        row = self._without_asking(target, kind, mark)
        if row is not None:
            return self._no_files(target, kind.node, volume, row.outcome, row.reason)
        if refused := self._refused_before(mark, ""):
            return self._no_files(target, kind.node, volume, "skipped", refused)
        await self._note(f"looks for the largest files of {volume} in {target.name} as {credential.username}", [target])
        search: Parameters = {"Volume": volume, "Count": count, "Seconds": seconds}
        try:
            answer = await desk.asker.guest_files(kind.node, target.id, credential, search)
        except RemoteError as error:
            text = f"{error.text}; whether it was asked is not known, and it is not asked again"
            return self._no_files(target, kind.node, volume, "unreachable", text)
        self._heard(mark, target, answer.outcome)
        return answer

    # --- asking ---

    async def _ask(self, targets: list[Target], look: _Look, parallel: int) -> AsyncGenerator[GuestRow, None]:
        """One alone until one has accepted the account; then node by node, some at one time."""
        rest = list(targets)
        while rest and not look.proven and not look.stop:
            async with aclosing(self._batch([rest.pop(0)], look, 1)) as rows:
                async for row in rows:
                    yield row
        if not look.stop and rest:
            async with aclosing(self._together(rest, look, parallel)) as rows:
                async for row in rows:
                    yield row
        elif look.stop:
            for target in rest:
                yield self._skipped(target, look)

    async def _together(self, targets: list[Target], look: _Look, parallel: int) -> AsyncGenerator[GuestRow, None]:
        """Several nodes at one time; together they ask no more than `parallel` guests at once.

        One that refuses the account ends the calls of all the others at once.
        """
        queues = _by_node(targets, look.kinds)
        at_once = min(len(queues), AT_ONCE, parallel)
        rows: asyncio.Queue[GuestRow | None] = asyncio.Queue()
        left = {target.id: target for target in targets}

        async def work() -> None:
            try:
                while queues:
                    for batch in queues.pop(0):
                        async with aclosing(self._batch(batch, look, parallel // at_once)) as answers:
                            async for row in answers:
                                rows.put_nowait(row)
            finally:
                rows.put_nowait(None)

        workers = [asyncio.create_task(work(), name="look into guests") for _ in range(at_once)]
        try:
            running = len(workers)
            while running:
                row = await rows.get()
                if row is None:
                    running -= 1
                    continue
                if row.outcome == _DENIED:
                    for worker in workers:
                        worker.cancel()
                if left.pop(row.vm, None) is not None:
                    yield row
            for found in await asyncio.gather(*workers, return_exceptions=True):
                if isinstance(found, Exception):
                    raise found
            for target in left.values():
                yield self._skipped(target, look)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.wait(workers)

    async def _batch(self, targets: list[Target], look: _Look, parallel: int) -> AsyncGenerator[GuestRow, None]:
        """Guests of one node by one call; a row for each, whatever happens."""
        left = {target.id: target for target in targets}
        if look.stop:
            for one in targets:
                yield self._skipped(one, look)
            return
        node = look.kinds[targets[0].id].node
        why = f"{node} told nothing of it"
        try:
            async with aclosing(self.desk.asker.guests(node, list(left), look.credential, parallel)) as lines:
                async for line in lines:
                    target = left.pop(line.vm.lower(), None) if line.kind == "guest" else None
                    if target is not None:
                        yield self._answered(line, target, look)
        except RemoteError as error:
            why = f"{error.text}; whether it was asked is not known, and it is not asked again"
            if not look.proven:
                # It may have been refused: another try with it might be the one that locks the account.
                look.stop = look.stop or f"not asked: the answer of {targets[0].name} was lost"
        for one in left.values():
            yield self._unreadable(one, look, why, "unreachable")

    def _answered(self, line: GuestLine, target: Target, look: _Look) -> GuestRow:
        kind = look.kinds[target.id]
        self._heard(look.mark, target, line.outcome)
        if line.outcome == _READ:
            look.proven = True
        elif line.outcome == _DENIED:
            look.stop = look.stop or f"not asked: {target.name} refused {look.credential.username}"
        return guest_row(line, target.name, kind=kind.word, old=kind.old)

    # --- those that are not asked ---

    async def _kinds(self, targets: Iterable[Target]) -> dict[str, Kind]:
        """What is known of each guest before it is asked; the preflight of its node tells some of it."""
        state = self.desk.state
        nodes = {state.node_name(home) for target in targets if (home := state.home(target.id)) is not None}
        await self.desk.asker.ask(sorted(nodes), preflight_age=_PREFLIGHT_AGE, fork=False)
        facts = self.desk.facts(None)
        return {target.id: kind_of(facts, target.id) for target in targets}

    def _without_asking(self, target: Target, kind: Kind, mark: bytes) -> GuestRow | None:
        """A row for a guest that cannot be asked, or that has refused this account before; None for the others."""
        refused = self._refused_before(mark, target.id)
        why, outcome = (kind.against, "refused") if kind.against else (refused, "skipped")
        if not why:
            return None
        return not_readable(target.id, target.name, kind.node, why, outcome=outcome, kind=kind.word, old=kind.old)

    def _refused_before(self, mark: bytes, vm: str) -> str:
        """Why nobody (or, of an account that some guest accepted, this VM) is asked with it again; else empty."""
        refused = self._refused.get(mark, {})
        name = refused.get(vm, "") if mark in self._accepted or vm else next(iter(refused.values()), "")
        return f"{name} has refused this account and password before; it is not tried again" if name else ""

    def _heard(self, mark: bytes, target: Target, outcome: str) -> None:
        if outcome == _DENIED:
            self._refused.setdefault(mark, {})[target.id] = target.name
        elif outcome == _READ:
            self._accepted.add(mark)

    def _skipped(self, target: Target, look: _Look) -> GuestRow:
        return self._unreadable(target, look, look.stop, "skipped")

    def _unreadable(self, target: Target, look: _Look, why: str, outcome: str) -> GuestRow:
        kind = look.kinds[target.id]
        return not_readable(target.id, target.name, kind.node, why, outcome=outcome, kind=kind.word, old=kind.old)

    def _no_files(self, target: Target, node: str, volume: str, outcome: str, text: str) -> GuestFiles:
        now = self.desk.clock.now()
        return GuestFiles(v=1, time=now, node=node, vm=target.id, outcome=outcome, text=text, volume=volume)

    # --- keeping ---

    def _keep(self, row: GuestRow) -> GuestRow:
        self.knowledge.keep(row, self.desk.now())
        return row

    async def _note(self, text: str, targets: Sequence[Target]) -> None:
        """A line of the journal; the account's name, never its password."""
        names = ", ".join(target.name for target in targets[:_NAMED])
        more = f" and {len(targets) - _NAMED} more" if len(targets) > _NAMED else ""
        one = targets[0] if len(targets) == 1 else None
        await self.desk.audit.open()
        await self.desk.audit.note(text, one, {"guests": names + more, "count": len(targets)})

    def _mark(self, credential: GuestCredential) -> bytes:
        """Tells the same account and password again; nothing can be read from it after this console has ended."""
        text = f"{credential.username.lower()}\0{credential.reveal()}".encode("utf-16-le", "surrogatepass")
        return hashlib.scrypt(text, salt=self._salt, n=2**12, r=8, p=1)


def _by_node(targets: Iterable[Target], kinds: dict[str, Kind]) -> list[list[list[Target]]]:
    """The calls of each node, one after the other: a lane runs one."""
    by_node: dict[str, list[Target]] = {}
    for target in targets:
        by_node.setdefault(kinds[target.id].node, []).append(target)
    return [[ones[first : first + MOST] for first in range(0, len(ones), MOST)] for ones in by_node.values()]
