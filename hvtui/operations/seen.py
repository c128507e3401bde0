"""What a plan saw of a target, as one comparable text: when it differs, the plan is about a world that is gone."""

from __future__ import annotations

from hvtui.model.enums import signed
from hvtui.model.state import ClusterState
from hvtui.operations.facts import Facts
from hvtui.operations.plan import Target

UNKNOWN = "unknown"


def seen_of(facts: Facts, target: Target) -> str:
    """Owner and state of a VM; state and drain of a node; state, process and start of a service; owner of a CSV."""
    state = facts.state
    if target.kind == "vm":
        return _vm(state, target.id)
    if target.kind == "node":
        member = state.member(target.id)
        return UNKNOWN if member is None else f"state={signed(member.state)} drain={member.drain}"
    if target.kind == "service":
        return service_seen(facts, target.id)
    csv = (state.cluster.csvs or {}).get(target.id)
    return UNKNOWN if csv is None or csv.owner is None else f"owner={csv.owner.lower()}"


def _vm(state: ClusterState, key: str) -> str:
    found = state.vm(key)
    if found is None:
        return UNKNOWN
    role = state.role(key)
    owner = (role.owner if role is not None else found[0].name) or UNKNOWN
    return f"owner={owner.lower()} state={found[1].state}"


def service_seen(facts: Facts, service: str) -> str:
    """The state, process id and start of `NODE/name`."""
    answer = facts.services.get(service)
    if answer is None or answer.state is None:
        return UNKNOWN
    started = answer.started.isoformat() if answer.started is not None else ""
    return f"state={answer.state} process={answer.process_id} started={started}"
