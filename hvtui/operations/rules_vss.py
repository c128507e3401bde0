"""Rules about who may take part in VSS: whom hvtui lists, what it never touches, and what must have been read."""

from __future__ import annotations

from collections.abc import Iterator

from hvtui.operations.facts import Facts
from hvtui.operations.plan import Change, Plan, Refusal, Verb
from hvtui.operations.vss_access import (
    BOTH,
    KEY,
    NO_ENTRY,
    WRITER,
    entries_of,
    entry_of,
    fault_of,
    is_shipped,
    is_wide,
    node_and_account,
    number,
    value_of,
    why_unread,
)


def vss_unread(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """The entries of each node were read, and the one that is changed is a number hvtui knows."""
    for change in _changes(plan):
        node, account = node_and_account(change.target)
        answer = facts.access.get(node)
        if entries_of(answer) is None:
            why = facts.unread.get(f"vssaccess:{node}") or why_unread(answer)
            text = f"the entries of VssAccessControl on {node} could not be read: {why}"
            yield Refusal(rule="vss-unread", target=change.target, text=text)
        elif answer is not None and answer.key is False and change.after != NO_ENTRY:
            text = f"{node} has no key VssAccessControl, which comes with Windows: hvtui makes none"
            yield Refusal(rule="vss-unread", target=change.target, text=text, hint=f"Look at {KEY} yourself.")
        elif entry_of(answer, account) is not None and value_of(answer, account) not in {0, 1, 2, 3}:
            text = f"the entry of {account} on {node} is no number from 0 to 3: hvtui does not touch it"
            yield Refusal(rule="vss-unread", target=change.target, text=text, hint="Look at it with regedit.")


def vss_account(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """What is listed is an account, and one that the node knows."""
    for change in _changes(plan):
        node, account = node_and_account(change.target)
        fault = fault_of(account)
        entry = entry_of(facts.access.get(node), account)
        if fault:
            yield Refusal(rule="vss-account", target=change.target, text=f"{account}: {fault}")
        elif entry is not None and entry.sid == "":
            text = f"{account} resolves to no account on {node}: it was deleted or renamed, or no domain answers"
            yield Refusal(rule="vss-account", target=change.target, text=text)


def vss_wide(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """No group that holds everybody: whoever takes part in VSS learns of all files, a requester reads them."""
    for change in _changes(plan):
        node, account = node_and_account(change.target)
        entry = entry_of(facts.access.get(node), account)
        if change.after != NO_ENTRY and is_wide(account, entry.sid if entry is not None else None):
            text = f"{account} stands for many accounts: hvtui never lets such a group take part in VSS"
            yield Refusal(rule="vss-wide", target=change.target, text=text, hint="Name the service's own account.")


def vss_shipped(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """Entries that come with Windows stay as they are."""
    for change in _changes(plan):
        node, account = node_and_account(change.target)
        entry = entry_of(facts.access.get(node), account)
        if is_shipped(account, entry.sid if entry is not None else None):
            text = f"{account} is Windows' own account: its entry comes with Windows, and hvtui never changes it"
            yield Refusal(rule="vss-shipped", target=change.target, text=text)


def vss_value(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """Only rights are given: 1, 2 or 3. An undo gives back whatever was there; a removal leaves nothing."""
    for change in _changes(plan):
        wanted = number(change.after)
        right = wanted is not None and WRITER <= wanted <= BOTH
        if plan.verb is Verb.VSSACCESS and not right:
            text = f"{change.after} is no right that hvtui gives: 1 writer, 2 requester, 3 both"
            hint = "0 denies an account both roles; without an entry it has what its groups have."
            yield Refusal(rule="vss-value", target=change.target, text=text, hint=hint)
        elif plan.verb is Verb.VSSACCESS_REMOVE and change.after != NO_ENTRY:
            yield Refusal(rule="vss-value", target=change.target, text="a removal leaves no entry")
        elif wanted is None:
            text = f"what {change.target.name} was before is not known: it cannot be given back"
            yield Refusal(rule="vss-value", target=change.target, text=text)


def _changes(plan: Plan) -> Iterator[Change]:
    return (change for change in plan.changes if change.target.kind == "vssaccess")
