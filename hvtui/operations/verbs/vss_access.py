"""VssAccessControl: let an account take part in VSS, take its entry away, or give back what an operation changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from hvtui.model.severity import Severity
from hvtui.operations.facts import Facts
from hvtui.operations.gate import settle
from hvtui.operations.plan import Change, Left, Level, Note, Plan, Refusal, Target, Verb
from hvtui.operations.verbs.draft import draft
from hvtui.operations.vss_access import (
    ABSENT,
    DENIED,
    GRANTS,
    KEY,
    NO_ENTRY,
    REQUESTER,
    WRITER,
    entries_of,
    entry_of,
    node_and_account,
    number,
    same,
    spelled,
    value_of,
    value_text,
)
from hvtui.operations.vss_proposals import EVENTS

VSSACCESS: Final = frozenset({Verb.VSSACCESS, Verb.VSSACCESS_REMOVE, Verb.VSSACCESS_UNDO})


def access_target(node: str, account: str) -> Target:
    """An account's entry on a node, as a plan names it."""
    return Target(kind="vssaccess", id=f"{node}/{account}", name=f"{account} on {node}")


def access_targets(nodes: Iterable[str], targets: Sequence[Target], account: str) -> tuple[Target, ...]:
    """Targets of a wish: entries that are named, the account's on nodes that are named, or on all `nodes`."""
    named = [target for target in targets if target.kind == "vssaccess"]
    wanted = [target.id for target in targets if target.kind == "node"]
    if account:
        named += [access_target(node, account) for node in wanted or ([] if targets else nodes)]
    return tuple({target.key: target for target in named}.values())


def plan_access(facts: Facts, targets: Sequence[Target], value: str, *, account: str = "") -> Plan:
    """Give accounts a value on each node that has another one, or none."""
    wanted = access_targets(facts.state.node_names(), targets, account)
    changes, left = _changes(facts, dict.fromkeys(wanted, value))
    accounts = _accounts(wanted)
    title = f"Let {', '.join(accounts) or 'nobody'} take part in VSS: {_granted(value)}"
    plan = draft(facts, Verb.VSSACCESS, title, wanted)
    plan = msgspec.structs.replace(
        plan, changes=changes, left=left, options={"value": value}, notes=tuple(_notes(facts, wanted, value))
    )
    return _typed(facts, _not_nothing(plan))


def plan_access_remove(facts: Facts, targets: Sequence[Target], *, account: str = "") -> Plan:
    """Take the entries of accounts away; without one it is as Windows has it."""
    wanted = access_targets(facts.state.node_names(), targets, account)
    changes, left = _changes(facts, dict.fromkeys(wanted, NO_ENTRY))
    title = f"Remove {', '.join(_accounts(wanted)) or 'nothing'} from VssAccessControl"
    plan = draft(facts, Verb.VSSACCESS_REMOVE, title, wanted)
    text = f"what is removed: the values of that name under {KEY}. {GRANTS[ABSENT]}"
    plan = msgspec.structs.replace(plan, changes=changes, left=left, notes=(Note(text=text),))
    return _typed(facts, _not_nothing(plan))


def plan_access_undo(facts: Facts, targets: Sequence[Target], operation: str) -> Plan:
    """Give back what an operation changed, exactly, and only where it is still as hvtui left it.

    `facts.undo` is what the journal says of the operation.
    """
    chosen = {target.key for target in targets}
    formers = [one for one in facts.undo if not chosen or one.target.key in chosen]
    wanted = tuple(one.target for one in formers)
    goals: dict[Target, str] = {}
    kept: list[Left] = []
    for one in formers:
        node, account = node_and_account(one.target)
        answer = facts.access.get(node)
        now, left_at, former = value_of(answer, account), _kept(one.after), _kept(one.before)
        if entries_of(answer) is not None and now not in {left_at, former}:
            text = f"it is {value_text(now)} now, and hvtui left it at {value_text(left_at)}: somebody changed it since"
            kept.append(Left(vm=one.target, node=node, text=text))
        else:
            goals[one.target] = spelled(former)
    changes, left = _changes(facts, goals)
    plan = draft(facts, Verb.VSSACCESS_UNDO, "Undo a change of VssAccessControl", wanted)
    options = {"operation": operation}
    plan = msgspec.structs.replace(plan, changes=changes, left=(*left, *kept), options=options)
    if not formers:
        where = f" in {operation}" if operation else ""
        text = f"the journal of this user has no change of VssAccessControl to undo{where}"
        plan = msgspec.structs.replace(plan, refusals=(Refusal(rule="undo", text=text),))
    return _typed(facts, _not_nothing(plan))


# --- helpers ---


def _changes(facts: Facts, goals: Mapping[Target, str]) -> tuple[tuple[Change, ...], tuple[Left, ...]]:
    """What must be changed, and what is as wanted already. An entry that was not read is left to the gate."""
    changes: list[Change] = []
    left: list[Left] = []
    for target, goal in goals.items():
        node, account = node_and_account(target)
        answer = facts.access.get(node)
        now = value_of(answer, account)
        if entries_of(answer) is not None and now == number(goal):
            left.append(Left(vm=target, node=node, text=f"{value_text(now)} already: nothing to change"))
            continue
        wanted = number(goal)
        entry = entry_of(answer, account)
        text = GRANTS.get(wanted, "") if wanted is not None else ""
        severity = Severity.WARN if wanted is not None and wanted >= REQUESTER else Severity.INFO
        if entry is not None and entry.account != account:
            text = f"{text}; spelled {entry.account} there"
        changes.append(Change(target=target, node=node, before=spelled(now), after=goal, text=text, severity=severity))
    return tuple(changes), tuple(left)


def _kept(values: Mapping[str, str | int | None]) -> int | None:
    value = values.get("value")
    return value if isinstance(value, int) else None


def _notes(facts: Facts, wanted: Sequence[Target], value: str) -> list[Note]:
    asked = number(value)
    notes = [Note(text=f"what is set: a DWORD of that name under {KEY}")]
    if asked is not None and asked >= REQUESTER:
        text = "a requester can make snapshots of all volumes; with the right to back up files it reads every file"
        notes.append(Note(text=text, severity=Severity.WARN))
    nodes = {node_and_account(target)[0].lower() for target in wanted}
    others = [n for n in facts.state.node_names() if n.lower() not in nodes]
    if wanted and others:
        text = f"not on {', '.join(others)}: VMs and backups move between nodes"
        notes.append(Note(text=text, severity=Severity.WARN))
    told = any(found.event.provider.lower() == "vss" for found in facts.state.events.of(EVENTS))
    if asked == WRITER and not told:
        notes.append(Note(text="no event 8194 or 8213 that was read asks for it", severity=Severity.WARN))
    text = (
        "VSS may look at it only when its service starts anew; whether it helped shows in the next backup: no new 8194"
    )
    return [*notes, Note(text=text)]


def _not_nothing(plan: Plan) -> Plan:
    if plan.changes or plan.refusals:
        return plan
    text = "there is nothing to change" if plan.targets else "say which account, or which entry"
    return msgspec.structs.replace(plan, refusals=(Refusal(rule="nothing", text=text),))


def _typed(facts: Facts, plan: Plan) -> Plan:
    """Settled, and always typed: the node's name, with several the cluster's."""
    settled = settle(plan, facts)
    kept = {change.target.key for change in settled.changes}
    targets = tuple(target for target in plan.targets if target.key in kept) or plan.targets
    refusals = settled.refusals
    if not kept and not refusals:
        refusals = tuple(dict.fromkeys(refusal for left in settled.left for refusal in left.refusals))
    nodes = {node_and_account(target)[0] for target in targets}
    return msgspec.structs.replace(
        settled,
        targets=targets,
        # What is left out does not stand against the rest when it is looked at again.
        seen={target.key: settled.seen[target.key] for target in targets if target.key in settled.seen},
        refusals=refusals,
        level=Level.TYPED,
        name=next(iter(nodes)) if len(nodes) == 1 else plan.cluster,
    )


def _accounts(targets: Iterable[Target]) -> list[str]:
    found: list[str] = []
    for target in targets:
        account = node_and_account(target)[1]
        if not any(same(account, known) for known in found):
            found.append(account)
    return found


def _granted(value: str) -> str:
    asked = number(value)
    return value_text(asked) if asked is not None and asked > DENIED else f"value {value}"
