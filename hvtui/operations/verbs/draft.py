"""What all plans begin with, and how they are confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from hvtui.model.enums import VmState
from hvtui.model.placement import is_at_rest, place
from hvtui.model.severity import Severity
from hvtui.operations.capacity import need_of
from hvtui.operations.facts import Facts
from hvtui.operations.holds import vm_target
from hvtui.operations.plan import Level, Move, Note, Plan, Target, Verb

KEY_MOVES: Final = 20
"""Up to so many VMs are moved or aligned on a key; more need the typed name."""
_BALANCER_OFF: Final = 0
AT_REST: Final = {VmState.Off: "off", VmState.Saved: "saved", VmState.SavedVendor: "saved"}
"""Words for VMs that do not run: nothing of them is interrupted by a move."""
_KEY_VERBS: Final = frozenset({Verb.RESUME, Verb.CANCEL, Verb.START_VMMS})
_MOVE_VERBS: Final = frozenset({Verb.MIGRATE, Verb.ALIGN, Verb.RETURN})


def node_target(name: str) -> Target:
    """A node as a plan names it."""
    return Target(kind="node", id=name, name=name)


def service_target(node: str, service: str) -> Target:
    """A service of a node as a plan names it."""
    return Target(kind="service", id=f"{node}/{service}", name=f"{service} on {node}")


def name_of(facts: Facts, key: str) -> str:
    """A VM's name, its key when no node tells of it."""
    found = facts.state.vm(key)
    role = facts.state.role(key)
    return found[1].name if found is not None else role.name if role is not None else key


def draft(facts: Facts, verb: Verb, title: str, targets: Iterable[Target]) -> Plan:
    """A plan for this cluster with nothing in it yet."""
    info = facts.state.cluster.info
    return Plan(
        verb=verb,
        cluster_id=info.id if info is not None else "",
        cluster=info.name if info is not None else "",
        made=facts.now,
        title=title,
        targets=tuple(targets),
    )


def move_of(facts: Facts, key: str, destination: str, reason: str = "") -> Move:
    """One VM's move; the type is the one that the node will choose for the state it is in."""
    found = facts.state.vm(key)
    state = found[1].state if found is not None else 0
    return Move(
        vm=vm_target(key, name_of(facts, key)),
        source=facts.state.home(key) or "",
        destination=destination,
        state=state,
        type="Quick" if is_at_rest(state) else "Live",
        memory=need_of(facts, key),
        csvs=place(facts.state, key).csvs,
        reason=reason,
    )


def level_of(facts: Facts, plan: Plan) -> tuple[Level, str]:
    """How a plan is confirmed, and the name to type for it: the target's, with several the cluster's."""
    moved = len(plan.moves) + len(plan.left)
    name = plan.targets[0].name if len(plan.targets) == 1 else plan.cluster
    by_key = plan.verb in _KEY_VERBS or (plan.verb in _MOVE_VERBS and moved <= KEY_MOVES)
    return (Level.KEY if by_key and not facts.protected and not plan.overrides else Level.TYPED), name


def balancer_note(facts: Facts) -> Iterator[Note]:
    """The cluster may move VMs away again by itself."""
    told = (answer.node.balancer for answer in facts.preflight.values() if answer.node is not None)
    mode = next((mode for mode in told if mode is not None), None)
    if mode is None:
        text = "AutoBalancerMode could not be read: the cluster may move VMs away again"
        yield Note(text=text, severity=Severity.WARN)
    elif mode != _BALANCER_OFF:
        when = "when a node joins" if mode == 1 else "whenever a node is loaded"
        text = f"the cluster balances VMs {when} (AutoBalancerMode {mode}) and may undo this"
        yield Note(text=text, severity=Severity.WARN)
