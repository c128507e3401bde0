"""Changes of VssAccessControl, node by node: each checked right before, made in one call, and read back."""

from __future__ import annotations

from typing import Final

import msgspec

from hvtui.model.severity import Severity
from hvtui.operations.audit import Answer
from hvtui.operations.desk import Desk
from hvtui.operations.nodes import Parameters
from hvtui.operations.plan import Change, Verb
from hvtui.operations.run import ItemState, Offer, Run, RunItem, RunState
from hvtui.operations.runs.look import end_state
from hvtui.operations.vss_access import (
    ABSENT,
    NO_ENTRY,
    entries_of,
    entry_of,
    node_and_account,
    number,
    value_of,
    value_text,
)

SET: Final = "Set-HvTuiVssAccess"
REMOVE: Final = "Remove-HvTuiVssAccess"
_OF_THE_ACCOUNT: Final = frozenset({"forbidden", "expect.account"})
"""Refusals that say something of the account, which the next node would say again."""


class VssAccessRun:
    """Runs that set or remove entries, and those that give back what was there."""

    def lay_out(self, run: Run) -> None:
        """An item for each entry."""
        run.items = [RunItem(target=change.target, source=change.node) for change in run.plan.changes]

    async def run(self, desk: Desk, run: Run) -> RunState:
        """One node after the other; the nodes that were not asked when it is cancelled stay as they are."""
        run.can_cancel = True
        run.cancel_text = "nodes that were not asked yet stay as they are"
        refused: dict[str, str] = {}
        for item, change in zip(run.items, run.plan.changes, strict=True):
            account = node_and_account(change.target)[1].lower()
            if run.cancelling:
                item.state, item.text = ItemState.CANCELLED, "not asked: cancelled before its turn"
            elif account in refused:
                item.state, item.text = ItemState.REFUSED, f"not asked: {refused[account]}"
            elif rule := await _one(desk, run, item, change):
                refused[account] = f"{change.node} refused the account ({rule})"
            severity = Severity.INFO if item.state is ItemState.DONE else Severity.WARN
            desk.line(run, f"{item.target.name}: {item.text}", severity)
        changed = tuple(item.target for item in run.items if item.state is ItemState.DONE)
        if changed and run.plan.verb is not Verb.VSSACCESS_UNDO:
            text = f"Give back what was there before, on {len(changed)} node{'s' if len(changed) > 1 else ''}"
            run.offers = (Offer(Verb.VSSACCESS_UNDO, changed, text, {"operation": run.id}),)
        if changed and run.plan.verb is Verb.VSSACCESS:
            desk.line(run, "the next backup shows whether it helped: no new 8194 on these nodes")
        return end_state(run)


async def _one(desk: Desk, run: Run, item: RunItem, change: Change) -> str:
    """Change one entry; returns the rule when the node refused the account itself."""
    plan, target = run.plan, change.target
    node, account = node_and_account(target)
    item.state = ItemState.RUNNING
    desk.tell(run)
    seen = {key: saw for key, saw in plan.seen.items() if key == target.key}
    alone = msgspec.structs.replace(
        plan, targets=(target,), changes=(change,), seen=seen, left=(), notes=(), refusals=()
    )
    refusals = await desk.check(run, alone, [], fork=False)
    if refusals:
        item.state = ItemState.REFUSED
        item.text = "; ".join(dict.fromkeys(refusal.text for refusal in refusals))
        return ""
    kept = desk.asker.answers.access[node][1]
    entry = entry_of(kept, account)
    wanted = number(change.after)
    parameters: dict[str, str | int] = {
        "Account": entry.account if entry is not None else account,
        "ExpectValue": ABSENT if entry is None or entry.value is None else entry.value,
    }
    if change.after != NO_ENTRY and wanted is not None:
        parameters |= {"Value": wanted, "Undo": int(plan.verb is Verb.VSSACCESS_UNDO)}
    await _call(desk, run, item, change, parameters)
    return item.code if item.state is ItemState.REFUSED and item.code in _OF_THE_ACCOUNT else ""


async def _call(desk: Desk, run: Run, item: RunItem, change: Change, parameters: Parameters) -> None:
    node = change.node
    function = REMOVE if change.after == NO_ENTRY else SET
    answer = await desk.call(run, node, function, parameters, change.target, look=False)
    if not answer.worked:
        refused = answer.outcome == "refused" and answer.rule != "windows"
        item.state = ItemState.REFUSED if refused else ItemState.FAILED
        item.text, item.advice = answer.text, answer.hint
        item.code = answer.rule if refused else answer.code
        return
    await desk.asker.access([node])
    _judge(desk, item, change, answer)
    now = _now(desk, change)
    after = {} if now is None else {"value": now}
    outcome = "done" if item.state is ItemState.DONE else "unknown" if item.state is ItemState.UNKNOWN else "failed"
    await desk.read_back(run, answer, outcome, item.text, dict(after))


def _judge(desk: Desk, item: RunItem, change: Change, answer: Answer) -> None:
    """How it ended is what the node says of the entry now, whatever it answered."""
    node, account = node_and_account(change.target)
    kept = desk.asker.answers.access.get(node)
    now = _now(desk, change)
    lost = "the answer was lost; " if answer.outcome == "unknown" else ""
    if kept is None or entries_of(kept[1]) is None:
        why = desk.asker.answers.unread.get(f"vssaccess:{node}", "the entries were not told")
        told = "it was taken, but " if not lost else ""
        item.state, item.text = ItemState.UNKNOWN, f"{lost}{told}the entry could not be read back: {why}"
    elif now == number(change.after):
        item.state, item.text = ItemState.DONE, f"{lost}read back: {value_text(now)}"
    elif lost:
        item.state, item.text = ItemState.UNKNOWN, f"{lost}{account} has {value_text(now)} there; it is not asked again"
    else:
        item.state, item.text = ItemState.FAILED, f"the node took it, but {account} has {value_text(now)} there"


def _now(desk: Desk, change: Change) -> int | None:
    node, account = node_and_account(change.target)
    kept = desk.asker.answers.access.get(node)
    return value_of(kept[1], account) if kept is not None else None
