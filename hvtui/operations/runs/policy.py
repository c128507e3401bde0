"""Checkpoint types of many VMs: one stream a node, a line a VM as it happens; stops between two VMs, and then asks."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from hvtui.errors import OutcomeUnknown, RemoteError
from hvtui.journal.entry import Values
from hvtui.journal.store import JournalError
from hvtui.model.checkpoints import PolicyLine
from hvtui.model.enums import CheckpointType, name_of
from hvtui.model.severity import Severity
from hvtui.operations.audit import Answer, Part, Sent
from hvtui.operations.desk import Desk
from hvtui.operations.gate import leave_out
from hvtui.operations.nodes import POLICY
from hvtui.operations.plan import Change, Plan, Refusal, Target, Verb
from hvtui.operations.run import ItemState, Offer, Run, RunItem, RunState
from hvtui.operations.runs import look
from hvtui.operations.runs.policy_read import read_back
from hvtui.operations.verbs.policy import type_of

_log = logging.getLogger(__name__)

SET_TYPE: Final = "Set-HvTuiCheckpointType"
AT_ONCE: Final = 8
"""Nodes that work at the same time."""
MOST: Final = 1024
"""VMs of one call."""
IN_A_ROW: Final = 5
"""Failures one after the other that stop a node."""
FAILED_LEAST: Final = 10
FAILED_SHARE: Final = 0.02
"""So many failures, and more than this share of all VMs, stop everything."""
_KEPT: Final = 32
"""Lines that are written to the journal at once."""
_TOLD: Final = 0.1
"""Seconds: whoever watches is told of single VMs no more often."""


class PolicyRun:
    """Runs of policy and of its undo."""

    def lay_out(self, run: Run) -> None:
        """An item for every VM."""
        run.items = [
            RunItem(target=change.target, source=change.node, text=f"{change.before} → {change.after}")
            for change in run.plan.changes
        ]

    async def run(self, desk: Desk, run: Run) -> RunState:
        """Node by node, some at once; what a stop left is offered as a new plan."""
        left = Counter(one.refusals[0].rule for one in run.plan.left if one.refusals)
        if left:
            why = ", ".join(f"{count} {rule}" for rule, count in left.most_common())
            desk.line(run, f"{left.total()} VMs stay as they are: {why}", Severity.WARN)
        await _Batch(desk, run).go()
        return look.end_state(run)


@dataclass
class _Call:
    """One call to a node: what still has no line, in the order in which the node works, and what is to be journaled."""

    sent: Sent
    began: float
    waiting: dict[str, Change]
    parts: list[Part] = field(default_factory=list)
    changed: int = 0
    end: str = ""
    """How the node itself ended it: `done` or `stopped`; empty while, or because, no such line came."""


class _Batch:
    def __init__(self, desk: Desk, run: Run) -> None:
        self._desk = desk
        self._run = run
        self._items = {item.target.key: item for item in run.items}
        self._failed = 0
        self._stopped = ""
        """Why nothing more is begun anywhere; empty while it goes on."""
        self._told = float("-inf")
        self._untold = 0

    async def go(self) -> None:
        """Until every VM has its line, or was left."""
        run = self._run
        run.can_cancel = True
        run.cancel_text = "it stops between two VMs; those whose turn has not come stay as they are"
        slots = asyncio.Semaphore(AT_ONCE)
        nodes: dict[str, list[Change]] = {}
        for change in run.plan.changes:
            nodes.setdefault(change.node, []).append(change)
        async with asyncio.TaskGroup() as tasks:
            for node, changes in nodes.items():
                tasks.create_task(self._node(node, changes, slots), name=f"checkpoint types on {node}")
        self._leave()
        await self._seen()
        self._tell(now=True)

    async def _node(self, node: str, changes: list[Change], slots: asyncio.Semaphore) -> None:
        async with slots:
            try:
                await self._chunks(node, changes)
            except JournalError as error:
                # What cannot be journaled is not begun, here or anywhere.
                self._stopped = self._stopped or error.text
                self._desk.line(self._run, f"{node}: {error.text}", Severity.BAD)
            except Exception as error:  # the other nodes come to their ends, whatever happens at this one
                _log.exception("the checkpoint types on %s failed", node)
                self._stopped = self._stopped or f"hvtui failed on {node}: {type(error).__name__}"
                for change in changes:
                    if self._item(change).state is ItemState.RUNNING:
                        item = self._item(change)
                        item.state, item.text = ItemState.UNKNOWN, "hvtui failed on it; look which type it has"

    async def _chunks(self, node: str, changes: list[Change]) -> None:
        row = 0
        for first in range(0, len(changes), MOST):
            if self._ends(row):
                return
            ready = await self._checked(node, changes[first : first + MOST])
            if ready and not self._ends(row):
                row = await self._call(node, ready, row)

    def _ends(self, row: int) -> bool:
        return bool(self._stopped) or self._run.cancelling or row >= IN_A_ROW

    # --- before ---

    async def _checked(self, node: str, changes: Sequence[Change]) -> list[Change]:
        """Those that the gate lets pass now; the others have their reasons."""
        plan = self._part(changes)
        for change in changes:
            self._item(change).text = "checked once more"
        refusals = await self._desk.check(self._run, plan, [node])
        kept, whole = leave_out(plan, refusals)
        if whole:
            for change in changes:
                _refuse(self._item(change), whole)
            text = "; ".join(dict.fromkeys(refusal.text for refusal in whole))
            self._desk.line(self._run, f"{node}: nothing is changed there: {text}", Severity.WARN)
            return []
        for left in kept.left:
            item = self._items[left.vm.key]
            _refuse(item, left.refusals)
            self._desk.line(self._run, f"{left.vm.name}: {item.state.value}, {item.text}", Severity.WARN)
        for change in kept.changes:
            self._item(change).text = f"{change.before} → {change.after}"
        return list(kept.changes)

    def _part(self, changes: Sequence[Change]) -> Plan:
        plan = self._run.plan
        keys = {change.target.key for change in changes}
        seen = {key: saw for key, saw in plan.seen.items() if key in keys}
        targets = tuple(change.target for change in changes)
        return msgspec.structs.replace(
            plan, changes=tuple(changes), targets=targets, seen=seen, left=(), notes=(), refusals=()
        )

    # --- one call ---

    async def _call(self, node: str, changes: list[Change], row: int) -> int:
        """How many failed one after the other at its end. Raises JournalError when it was not begun."""
        desk, run = self._desk, self._run
        pairs = ",".join(f"{c.target.id}:{_number(c.before)}:{_number(c.after)}" for c in changes)
        target = Target(kind="node", id=node, name=node)
        sent, whole = await desk.begin(run, node, SET_TYPE, {"VM": pairs}, target)
        call = _Call(sent, desk.now(), {change.target.id: change for change in changes})
        for change in changes:
            self._item(change).state = ItemState.RUNNING
        outcome = "done"
        error: RemoteError | None = None
        try:
            async with aclosing(desk.stream(sent, whole, lane=POLICY)) as lines:
                row = await self._lines(node, call, lines, row)
        except OutcomeUnknown as lost:
            outcome, error = "unknown", lost
        except RemoteError as failure:
            outcome, error = ("failed" if len(call.waiting) == len(changes) else "unknown"), failure
        await self._flush(call)
        if call.waiting:
            await self._unanswered(call, outcome, error)
        desk.asker.answers.forget(node)
        text = f"{call.changed} of {len(changes)} changed"
        if call.end == "stopped":
            text += f"; the node stopped after {IN_A_ROW} failures one after the other"
        kind = type(error).__name__ if error is not None else ""
        answer = Answer(sent, outcome, kind, f"{text}; {error.text}" if error is not None else text)
        await desk.end(run, answer, desk.now() - call.began)
        severity = Severity.INFO if call.changed == len(changes) else Severity.WARN
        desk.line(run, f"{node}: {answer.text}", severity)
        return IN_A_ROW if call.end == "stopped" else row

    async def _lines(self, node: str, call: _Call, lines: AsyncIterator[Any], row: int) -> int:
        """Take in what the node tells, until its end or until hvtui stops it."""
        ends = asyncio.ensure_future(self._desk.watcher.until(lambda: self._ends(0)))
        try:
            while True:
                following = asyncio.ensure_future(anext(lines, None))
                await asyncio.wait({following, ends}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    # The VM that Windows is busy with gets its line, if that does not take long.
                    await asyncio.wait({following}, timeout=self._desk.pace.poll)
                if not following.done():
                    following.cancel()
                    await asyncio.wait({following})
                    return row
                line: PolicyLine | None = following.result()
                if line is None or line.kind == "end":
                    call.end = line.outcome if line is not None else ""
                    return row
                row = self._line(node, call, line, row)
                if len(call.parts) >= _KEPT:
                    await self._flush(call)
                if self._ends(row):
                    return row
        finally:
            ends.cancel()

    def _line(self, node: str, call: _Call, line: PolicyLine, row: int) -> int:
        change = call.waiting.pop(line.vm.lower(), None)
        if change is None:
            return row
        item = self._item(change)
        if line.outcome == "done" and line.after in {None, _number(change.after)}:
            call.changed += 1
            item.state, item.text = ItemState.DONE, f"{change.before} → {change.after}"
            if line.after is None:
                item.text += "; it could not be read back on the node"
            row = 0
        elif line.outcome == "refused":
            item.state, item.text = ItemState.REFUSED, line.text or line.rule
        else:
            now = name_of(CheckpointType, line.after)
            item.state, item.code = ItemState.FAILED, line.code
            item.text = line.text or f"Windows took it, but it is {now}"
            self._failed += 1
            row += 1
        call.parts.append(_part_of(change.target, line))
        if item.state is not ItemState.DONE:
            code = f" ({item.code})" if item.code else ""
            self._desk.line(self._run, f"{change.target.name}: {item.state.value}, {item.text}{code}", Severity.WARN)
        if line.recorded is False and call.changed == 1:
            text = f"{node}: no record of {SET_TYPE} could be written to its Application log"
            self._desk.line(self._run, text, Severity.WARN)
        if self._failed >= FAILED_LEAST and self._failed > FAILED_SHARE * len(self._run.items):
            self._stopped = f"{self._failed} of {len(self._run.items)} failed"
            self._desk.watcher.wake()
        self._tell()
        return row

    async def _flush(self, call: _Call) -> None:
        parts, call.parts = call.parts, []
        try:
            await self._desk.audit.parts(self._run, call.sent, parts)
        except JournalError as error:
            # They were made. Nothing more is begun that could not be journaled.
            self._stopped = self._stopped or error.text
            self._desk.line(self._run, error.text, Severity.BAD)

    async def _unanswered(self, call: _Call, outcome: str, error: RemoteError | None) -> None:
        """VMs without a line: read what became of them. Those after one that is as before were not begun."""
        left = list(call.waiting.values())
        if outcome == "failed":
            for change in left:
                item = self._item(change)
                item.state, item.text = ItemState.FAILED, str(error)
            return
        self._desk.line(self._run, f"{call.sent.node}: {len(left)} without an answer are read back")
        found = await read_back(self._desk, call.sent.node, left, lost=outcome == "unknown")
        for change in left:
            item, said = self._item(change), found[change.target.id]
            item.state, item.text = said.state, said.text
            if said.state is ItemState.DONE:
                call.changed += 1
            if said.state is not ItemState.CANCELLED:
                before: Values = {"type": _number(change.before)}
                after: Values = {"type": said.type}
                word = "done" if said.state is ItemState.DONE else "unknown"
                call.parts.append(Part(change.target, word, "", said.text, "", before, after))
        await self._flush(call)

    # --- after ---

    def _leave(self) -> None:
        """What was not begun, why, and how to go on with it."""
        run = self._run
        why = "cancelled before it began" if run.cancelling else f"not begun: {self._stopped or 'its node stopped'}"
        for item in run.items:
            if not item.ended:
                item.state = ItemState.CANCELLED
            if item.state is ItemState.CANCELLED:
                item.text = why
        rest = [item for item in run.items if item.state is ItemState.CANCELLED]
        failed = [item for item in run.items if item.state is ItemState.FAILED]
        if self._stopped:
            self._desk.line(run, f"stopped between two VMs: {self._stopped}", Severity.BAD)
        offers = [*self._offer(rest, "Go on with the {} left"), *self._offer(failed, "Try again the {} that failed")]
        run.offers = tuple(offers) if run.plan.verb is Verb.POLICY else tuple(offers[:1])

    def _offer(self, items: list[RunItem], text: str) -> Iterator[Offer]:
        if not items:
            return
        plan = self._run.plan
        targets = tuple(item.target for item in items) if plan.verb is Verb.POLICY else ()
        what = f"{len(items)} VMs" if len(items) > 1 else items[0].target.name
        yield Offer(plan.verb, targets, text.format(what), dict(plan.options))

    async def _seen(self) -> None:
        """The streams show what the nodes said. One that shows something else was changed by somebody since."""
        wanted = {
            change.target.id: (change, _number(change.after))
            for change in self._run.plan.changes
            if self._item(change).state is ItemState.DONE
        }

        def differ() -> list[Change]:
            state = self._desk.state
            return [
                change
                for vm, (change, number) in wanted.items()
                if (found := state.vm(vm)) is None or found[1].checkpoint_type != number
            ]

        if await self._desk.watcher.until(lambda: not differ(), self._desk.pace.settle):
            if wanted:
                self._desk.line(self._run, f"{len(wanted)} read back")
            return
        for change in differ():
            found = self._desk.state.vm(change.target.id)
            now = name_of(CheckpointType, found[1].checkpoint_type) if found is not None else "not told by any node"
            text = f"{change.target.name}: its node set {change.after}, and now it is {now}"
            self._item(change).text = text
            self._desk.line(self._run, text, Severity.WARN)

    # --- helpers ---

    def _item(self, change: Change) -> RunItem:
        return self._items[change.target.key]

    def _tell(self, *, now: bool = False) -> None:
        self._untold += 1
        at = self._desk.now()
        if now or at - self._told >= _TOLD or self._untold >= _KEPT:
            self._told, self._untold = at, 0
            self._desk.tell(self._run)


def _number(word: str) -> int:
    kind = type_of(word)
    return int(kind) if kind is not None else 0


def _part_of(target: Target, line: PolicyLine) -> Part:
    return Part(
        target,
        line.outcome,
        line.rule,
        line.text,
        line.code,
        {"type": line.before},
        {"type": line.after},
        line.command,
    )


def _refuse(item: RunItem, refusals: Sequence[Refusal]) -> None:
    """Its turn came, and something stands against it."""
    item.state = ItemState.HELD if all(refusal.hold for refusal in refusals) else ItemState.REFUSED
    item.text = "; ".join(dict.fromkeys(refusal.text for refusal in refusals))
    item.advice = next((refusal.hint for refusal in refusals if refusal.hint), "")
