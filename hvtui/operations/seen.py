"""What a plan saw of a target, as one comparable text: when it differs, the plan is about a world that is gone."""

from __future__ import annotations

from typing import Final

from hvtui.model.enums import signed
from hvtui.model.state import ClusterState
from hvtui.operations.facts import Facts
from hvtui.operations.plan import Target, Verb
from hvtui.operations.vss_access import entries_of, node_and_account, spelled, value_of

UNKNOWN = "unknown"
TYPE_VERBS: Final = frozenset({Verb.POLICY, Verb.POLICY_UNDO})
"""Verbs about the checkpoint type of VMs: whether a VM runs is nothing to them."""


def seen_of(facts: Facts, target: Target, verb: Verb | None = None) -> str:
    """Owner and state of a VM, for verbs about that its checkpoint type; what a checkpoint is, with its VM; state and
    drain of a node; state, process and start of a service; owner of a CSV.
    """
    state = facts.state
    if target.kind == "vm":
        return _type(state, target.id) if verb in TYPE_VERBS else _vm(state, target.id)
    if target.kind == "checkpoint":
        return _checkpoint(facts, target.id)
    if target.kind == "node":
        member = state.member(target.id)
        return UNKNOWN if member is None else f"state={signed(member.state)} drain={member.drain}"
    if target.kind == "service":
        return service_seen(facts, target.id)
    if target.kind == "vssaccess":
        node, account = node_and_account(target)
        answer = facts.access.get(node)
        return UNKNOWN if entries_of(answer) is None else f"value={spelled(value_of(answer, account))}"
    csv = (state.cluster.csvs or {}).get(target.id)
    return UNKNOWN if csv is None or csv.owner is None else f"owner={csv.owner.lower()}"


def _vm(state: ClusterState, key: str) -> str:
    found = state.vm(key)
    if found is None:
        return UNKNOWN
    role = state.role(key)
    owner = (role.owner if role is not None else found[0].name) or UNKNOWN
    return f"owner={owner.lower()} state={found[1].state}"


def _type(state: ClusterState, key: str) -> str:
    found = state.vm(key)
    if found is None or found[1].checkpoint_type is None:
        return UNKNOWN
    role = state.role(key)
    owner = (role.owner if role is not None else found[0].name) or UNKNOWN
    return f"owner={owner.lower()} type={found[1].checkpoint_type}"


def _checkpoint(facts: Facts, target: str) -> str:
    """What it is, and what its VM is."""
    vm, _, key = target.partition("/")
    answer = facts.checkpoints.get(vm)
    held = answer.checkpoints if answer is not None else None
    owner = _vm(facts.state, vm)
    if answer is None or held is None or owner == UNKNOWN:
        return UNKNOWN
    one = next((one for one in held if one.id == key), None)
    if one is None:
        return "gone"
    children = sum(other.parent == key for other in held)
    current = answer.current == key
    return f"{owner} type={one.type} saved={one.saved} children={children} current={current}"


def service_seen(facts: Facts, service: str) -> str:
    """The state, process id and start of `NODE/name`."""
    answer = facts.services.get(service)
    if answer is None or answer.state is None:
        return UNKNOWN
    started = answer.started.isoformat() if answer.started is not None else ""
    return f"state={answer.state} process={answer.process_id} started={started}"
