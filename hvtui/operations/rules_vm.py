"""Rules about the VMs a plan touches, their destinations, and the service a plan restarts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hvtui.model.conditions import io_word
from hvtui.model.enums import BackupState
from hvtui.model.placement import is_at_rest, short_path
from hvtui.operations.board import Board, played
from hvtui.operations.capacity import takes_roles
from hvtui.operations.facts import Facts
from hvtui.operations.fit import judge, ways_to
from hvtui.operations.holds import union
from hvtui.operations.plan import Plan, Refusal, Target, Verb
from hvtui.operations.seen import UNKNOWN, service_seen

_OF_VMS: Final = frozenset({"vm", "checkpoint"})


def affected(plan: Plan, facts: Facts) -> list[str]:
    """Every VM the verb moves, restarts, checkpoints or merges: of a paused or restarted node all that are on it."""
    keys = [move.vm.id for move in plan.moves]
    keys += [change.target.id.partition("/")[0] for change in plan.changes if change.target.kind in _OF_VMS]
    if plan.verb in {Verb.DRAIN, Verb.VMMS}:
        for node in (target.id for target in plan.targets if target.kind == "node"):
            view = facts.state.nodes.get(node)
            keys += list(view.vms or ()) if view is not None else []
            keys += facts.state.owned_by(node)
    return list(dict.fromkeys(keys))


def holds(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """The union of the HOLDs of all VMs that the plan affects."""
    yield from union(facts, affected(plan, facts))


def destination(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """What each destination says: placement, health, hardware and, in the order of the plan, memory."""
    for move, board in played(Board.of(facts), plan.moves):
        yield from judge(facts, move.vm.id, move.destination, board).refusals
    for stage in plan.stages:
        if stage.target is not None:
            yield from _coordinator(facts, stage.target, stage.node)


def _coordinator(facts: Facts, target: Target, node: str) -> Iterator[Refusal]:
    """A node that is to own a CSV takes roles and reaches the volume directly."""
    csv = (facts.state.cluster.csvs or {}).get(target.id)
    states = ways_to(facts, csv) if csv is not None else {}
    if csv is None or node not in states:
        text = f"how {node} reaches {target.name} could not be read"
        yield Refusal(rule="unread", target=target, text=text)
    elif word := io_word(csv, *states[node]):
        yield Refusal(rule="csv", target=target, text=f"{target.name} is {word} on {node}")
    if not takes_roles(facts.state, node):
        yield Refusal(rule="destination", target=target, text=f"{node} takes no roles now")


def blockers(facts: Facts, key: str, node: str, board: Board | None = None) -> list[Refusal]:
    """Why no other node takes a VM, memory apart; empty when one does."""
    board = board or Board.of(facts)
    reasons: list[Refusal] = []
    for other in facts.state.node_names():
        if other == node:
            continue
        against = [r for r in judge(facts, key, other, board).refusals if r.rule not in {"memory", "destination"}]
        if not against:
            return []
        reasons += against
    return list(dict.fromkeys(reasons))[:2]


def blocked(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """A VM that no other node takes makes a drain fail, and leaves the node paused."""
    board = Board.of(facts)
    for move in plan.moves:
        for refusal in blockers(facts, move.vm.id, move.source, board):
            hint = refusal.hint or "Move or stop it yourself; hvtui stops no VM."
            yield Refusal(rule="blocked", target=move.vm, text=f"it blocks the drain: {refusal.text}", hint=hint)


def left_behind(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """VMs that a drain leaves behind are hurt when a stop of VMMS hangs and the node must be rebooted."""
    for one in plan.left:
        found = facts.state.vm(one.vm.id)
        if found is None or not is_at_rest(found[1].state):
            text = f"{one.vm.name} stays on {one.node} and runs: if VMMS hangs, the node must be rebooted under it"
            yield Refusal(rule="left-behind", target=one.vm, text=text, hint="Move or shut it down yourself first.")


def frozen(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """VMs of a CSV stay where they are while a backup or snapshot runs on it (peers.md §0.9)."""
    why = frozen_volumes(facts)
    for move in plan.moves:
        for csv in move.csvs:
            if csv in why:
                text = f"{move.vm.name}: {why[csv]}"
                yield Refusal(rule="frozen", target=move.vm, text=text, hint="Align after it has ended.", hold=True)
    for stage in plan.stages:
        if stage.target is not None and stage.target.id in why:
            text, hint = why[stage.target.id], "Move it after that has ended."
            yield Refusal(rule="frozen", target=stage.target, text=text, hint=hint, hold=True)


def frozen_volumes(facts: Facts) -> dict[str, str]:
    """CSV → why nothing on it may be aligned now; what could not be read freezes as well."""
    copies = {
        (copy.volume or "").lower().rstrip("\\"): copy
        for answer in facts.preflight.values()
        if answer.node is not None
        for copy in answer.node.shadow_copies or ()
        if copy.created is None or (answer.time - copy.created).total_seconds() < facts.limits.window
    }
    found: dict[str, str] = {}
    for key, csv in (facts.state.cluster.csvs or {}).items():
        label = short_path(csv.path)
        owner = facts.preflight.get(facts.state.node_name(csv.owner)) if csv.owner is not None else None
        if csv.backup is None:
            found[key] = f"whether a backup runs on {label} could not be read"
        elif csv.backup != BackupState.NoBackup:
            found[key] = f"a backup runs on {label}"
        elif owner is None or owner.node is None or owner.node.shadow_copies is None:
            found[key] = f"the shadow copies of {label} could not be read on its owner"
        elif csv.volume is not None and csv.volume.lower().rstrip("\\") in copies:
            found[key] = f"a shadow copy of {label} exists"
    return found


def failback(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """VMs that would come back must not be held; without failback the node can always be resumed."""
    for refusal in union(facts, (key for key in plan.options.get("returning", "").split(",") if key)):
        hint = "Resume with NoFailback; bring it back when the HOLD is over."
        yield Refusal(rule=refusal.rule, target=refusal.target, text=refusal.text, hint=hint, hold=True)


def dependents(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """A service is never restarted under others that run on it."""
    for target in _services(plan):
        answer = facts.services.get(target.id)
        if answer is None or answer.dependents is None:
            why = facts.unread.get(f"service:{target.id}", "")
            text = f"which services depend on {target.name} could not be read{f': {why}' if why else ''}"
            yield Refusal(rule="dependents", target=target, text=text)
        elif answer.dependents:
            text = f"{', '.join(answer.dependents)} depend on {target.name} and run"
            yield Refusal(rule="dependents", target=target, text=text)


def service_changed(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """State, process id and start are those of the plan."""
    for target in _services(plan):
        now = service_seen(facts, target.id)
        saw = plan.seen.get(target.key, now)
        if now == UNKNOWN:
            why = facts.unread.get(f"service:{target.id}", "")
            text = f"the state of {target.name} could not be read{f': {why}' if why else ''}"
            yield Refusal(rule="service", target=target, text=text)
        elif now != saw:
            yield Refusal(rule="service", target=target, text=f"{target.name} has changed: was {saw}, is {now}")


def _services(plan: Plan) -> Iterator[Target]:
    return (target for target in plan.targets if target.kind == "service")
