"""After a console that was killed while it changed VssAccessControl: what each entry is now, and what may be done."""

from __future__ import annotations

from collections.abc import Mapping

from hvtui.journal.unfinished import Unfinished
from hvtui.model.vss_access import VssAccess
from hvtui.operations.plan import Change, Plan, Target, Verb
from hvtui.operations.recovery import Truth
from hvtui.operations.run import Offer
from hvtui.operations.vss_access import entries_of, node_and_account, number, value_of, value_text, why_unread


def access_truth(one: Unfinished, plan: Plan, answers: Mapping[str, VssAccess | str]) -> Truth:
    """Compare what was confirmed with the entries as they were just read. Nothing of it goes on by itself."""
    asked = {call.step.target_id.lower() for call in one.calls}
    lines: list[str] = []
    made: list[Target] = []
    rest: list[Change] = []
    unread = False
    for change in plan.changes:
        node, account = node_and_account(change.target)
        answer = answers.get(node)
        now = value_of(answer, account)
        if entries_of(answer) is None:
            lines.append(f"{account} on {node}: the entry could not be read: {why_unread(answer)}")
            unread = True
        elif now == number(change.after):
            lines.append(f"{account} on {node} has {value_text(now)}, as was asked for")
            if change.target.id.lower() in asked:
                made.append(change.target)
        else:
            word = "" if change.target.id.lower() in asked else "; it was not asked yet"
            lines.append(f"{account} on {node} has {value_text(now)}{word}")
            rest.append(change)
    return Truth(tuple(lines), not rest and not unread, (*_undo(one, plan, made), *_again(plan, rest)))


def _undo(one: Unfinished, plan: Plan, made: list[Target]) -> tuple[Offer, ...]:
    if not made or plan.verb is Verb.VSSACCESS_UNDO:
        return ()
    text = f"Give back what was there before, on {len(made)} nodes" if len(made) > 1 else f"Give back {made[0].name}"
    return (Offer(Verb.VSSACCESS_UNDO, tuple(made), text, {"operation": one.operation}),)


def _again(plan: Plan, rest: list[Change]) -> tuple[Offer, ...]:
    """The rest as a new plan of the same verb."""
    if not rest:
        return ()
    targets = tuple(change.target for change in rest)
    options = {name: value for name, value in plan.options.items() if name in {"value", "operation"}}
    word = {Verb.VSSACCESS_REMOVE: "Remove", Verb.VSSACCESS_UNDO: "Give back"}.get(plan.verb, "Set")
    return (Offer(plan.verb, targets, f"{word} the {len(rest)} that are left", options),)
