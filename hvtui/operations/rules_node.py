"""Rules about pausing a node: what the rest of the cluster must be able to bear. Unread means no.

Sources: windows.md §1.2–1.4, §1.8–1.11; peers.md §B 42–48, 67.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hvtui.model.conditions import io_word
from hvtui.model.enums import DrainStatus, FaultState, NodeState, NodeStatus, ResourceState, signed
from hvtui.model.placement import short_path
from hvtui.model.preflight import NodePreflight
from hvtui.model.records import ClusterNode
from hvtui.operations.backup_state import Answer, backup_state
from hvtui.operations.capacity import need_of, room_of, spread, takes_roles
from hvtui.operations.facts import Facts
from hvtui.operations.plan import Plan, Refusal, Target, Verb
from hvtui.operations.rules_checkpoint import is_recovery

_TROUBLED: Final = NodeStatus.Isolated | NodeStatus.Quarantined | NodeStatus.DrainInProgress | NodeStatus.DrainFailed
_IN_SYNC: Final = frozenset({1, 12, 15})
"""MSFT_WvrReplicationGroup.ReplicationStatus: continuously replicating, so within its RPO, without a partner."""
_ENDED_STORAGE_JOBS: Final = frozenset({7, 8, 9})


def nodes_of(plan: Plan) -> list[str]:
    """Nodes that the plan pauses or restarts services on."""
    names = [target.id for target in plan.targets if target.kind == "node"]
    names += [target.id.partition("/")[0] for target in plan.targets if target.kind == "service"]
    return list(dict.fromkeys(names))


def _to_be_paused(plan: Plan, facts: Facts) -> list[str]:
    """Nodes whose disks a pause takes away. Of one that is drained they are gone already: a stop changes nothing."""
    stops = bool(plan.stages) and plan.stages[0].action == "stop"
    return [name for name in nodes_of(plan) if not (stops and is_drained(facts, name))]


def is_drained(facts: Facts, name: str) -> bool:
    """The node is paused, and the drain that paused it has ended well."""
    member = facts.state.member(name)
    return member is not None and signed(member.state) == NodeState.Paused and member.drain == DrainStatus.Completed


def not_drained(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """VMMS is stopped on a drained node only, on which no role is left."""
    if not plan.stages or plan.stages[0].action != "stop":
        return
    name = plan.stages[0].node
    if not is_drained(facts, name):
        yield _refuse("not-drained", name, f"{name} is not drained", "Drain it first.")
    view = facts.state.nodes.get(name)
    if view is None or view.vms is None or view.problem("vms") is not None:
        yield _refuse("not-drained", name, f"what is left on {name} could not be read")
        return
    for vm in view.vms.values():
        if facts.state.role(vm.id) is not None:
            target = Target(kind="vm", id=vm.id, name=vm.name)
            yield Refusal(rule="not-drained", target=target, text=f"{vm.name} is still on {name}")


def backup(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """A backup runs there, or whether one runs cannot be told, or one is left over and nobody said it was stopped."""
    removed = plan.changes if plan.verb is Verb.REMOVE else ()
    recovery = [change.node for change in removed if is_recovery(facts, change.target)]
    for name in dict.fromkeys((*nodes_of(plan), *recovery)):
        state = backup_state(facts, name)
        if not state.forbids:
            continue
        target = _node(name)
        evidence = "; ".join(state.evidence[:4])
        if state.answer is Answer.ORPHANED:
            text = f"{name}: a backup was left behind, likely ({evidence}); a quiet 2016+ copy looks the same"
            hint = f"Stop the job in the backup product, then say so: type the node's name, or --backup-stopped {name}."
            yield Refusal(rule="backup-orphaned", target=target, text=text, hint=hint, hold=True)
        elif state.answer is Answer.RUNNING:
            text = f"{name}: a backup runs ({evidence})"
            yield Refusal(rule="backup-running", target=target, text=text, hint="Wait until it has ended.", hold=True)
        else:
            text = f"{name}: whether a backup runs cannot be told ({evidence})"
            hint = f"Wait {state.left} min." if state.left else "Make it readable first."
            yield Refusal(rule="backup-unknown", target=target, text=text, hint=hint, hold=True)


def last_node(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """Nobody would be left to take the roles."""
    for name in nodes_of(plan):
        others = [other for other in facts.state.node_names() if other != name and takes_roles(facts.state, other)]
        if not others:
            yield _refuse("last-node", name, f"{name} is the last node that takes roles")


def quorum(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """Without the node (a stop that hangs ends in its reboot) the rest has more than half of the votes."""
    info, members = facts.state.cluster.info, facts.state.cluster.nodes
    for name in nodes_of(plan):
        if info is None or members is None:
            yield _refuse("quorum", name, "the votes of the cluster could not be read")
            continue
        votes = {facts.state.node_name(key): node.dynamic_weight for key, node in members.items()}
        unread = [key for key, vote in votes.items() if vote is None]
        weight = 0 if info.witness == "" else info.witness_weight
        if unread or weight is None:
            missing = ", ".join([*unread, *(["the witness"] if weight is None else [])])
            yield _refuse("quorum", name, f"the votes of {missing} could not be read")
            continue
        there = sum(vote or 0 for vote in votes.values()) + weight
        up = [key for key, node in members.items() if signed(node.state) in {NodeState.Up, NodeState.Paused}]
        standing = weight if info.witness_state == ResourceState.Online else 0
        rest = (
            sum(votes[facts.state.node_name(key)] or 0 for key in up if facts.state.node_name(key) != name) + standing
        )
        if 2 * rest <= there:
            text = f"without {name} {rest} of {there} votes are left: the cluster would stop"
            yield _refuse("quorum", name, text, "Bring the other nodes and the witness back first.")


def witness(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """A configured witness is online."""
    info = facts.state.cluster.info
    for name in nodes_of(plan):
        if info is None or info.witness is None:
            yield _refuse("witness", name, "the witness could not be read")
        elif info.witness and info.witness_state is None:
            yield _refuse("witness", name, f"the state of the witness ({info.witness}) could not be read")
        elif info.witness and info.witness_state != ResourceState.Online:
            yield _refuse("witness", name, f"the witness ({info.witness}) is not online")


def other_nodes(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """Every other node is Up and none of isolated, in quarantine, paused, draining."""
    members = facts.state.cluster.nodes
    for name in nodes_of(plan):
        if members is None:
            yield _refuse("other-node", name, "the other nodes could not be read")
            continue
        for key, node in members.items():
            other = facts.state.node_name(key)
            why = _trouble(node)
            if other != name and why:
                yield _refuse("other-node", name, f"{other} is {why}", f"Bring {other} back first.")


def storage(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """Storage Spaces Direct, where it is used, is healthy."""
    for name in _to_be_paused(plan, facts):
        node = _asked(facts, name)
        if node is None or node.s2d is None or (node.s2d and node.virtual_disks is None):
            yield _refuse(
                "storage", name, f"whether Storage Spaces Direct is healthy could not be read{_why(facts, name)}"
            )
            continue
        for disk in (node.virtual_disks or ()) if node.s2d else ():
            if disk.health is None:
                yield _refuse("storage", name, f"the health of virtual disk {disk.name} could not be read")
            elif disk.health != 0:
                yield _refuse("storage", name, f"virtual disk {disk.name} is not healthy", "Wait for its repair.")


def storage_jobs(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """No repair or rebalance of the storage runs."""
    for name in _to_be_paused(plan, facts):
        node = _asked(facts, name)
        if node is None or node.storage_jobs is None:
            yield _refuse("storage-job", name, f"the storage jobs could not be read{_why(facts, name)}")
            continue
        for job in node.storage_jobs:
            if job.state not in _ENDED_STORAGE_JOBS:
                percent = "" if job.percent is None else f" at {job.percent}%"
                yield _refuse("storage-job", name, f"storage job {job.name} runs{percent}", "Wait until it has ended.")


def replica(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """Every Storage Replica group is in sync."""
    for name in _to_be_paused(plan, facts):
        node = _asked(facts, name)
        if node is None or node.replicas is None:
            yield _refuse("replica", name, f"Storage Replica could not be read{_why(facts, name)}")
            continue
        for group in node.replicas:
            if group.status not in _IN_SYNC:
                yield _refuse("replica", name, f"Storage Replica group {group.name} is not in sync")


def csv_access(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """No volume is paused, block redirected or out of reach on a node that stays."""
    cluster = facts.state.cluster
    for name in nodes_of(plan):
        if cluster.csvs is None or cluster.io is None:
            yield _refuse("csv", name, "how the nodes reach the CSVs could not be read")
            continue
        for csv in cluster.csvs.values():
            label = short_path(csv.path)
            if csv.fault is None:
                yield _refuse("csv", name, f"the fault state of {label} could not be read")
            elif csv.fault & (FaultState.NoAccess | FaultState.Dismounted):
                yield _refuse("csv", name, f"{label} cannot be accessed")
            io = cluster.io.get(csv.volume or "")
            if io is None:
                yield _refuse("csv", name, f"how the nodes reach {label} could not be read")
                continue
            known = {facts.state.node_name(node): state for node, state in io.nodes.items()}
            for other in facts.state.node_names():
                if other == name or not takes_roles(facts.state, other):
                    continue
                if other not in known:
                    yield _refuse("csv", name, f"how {other} reaches {label} could not be read")
                elif (word := io_word(csv, *known[other])) in {"unavailable", "paused", "block redirected"}:
                    yield _refuse("csv", name, f"{label} is {word} on {other}", f"Mend the path of {other} first.")


def capacity(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """The memory of the other nodes holds what runs on this one."""
    for name in nodes_of(plan):
        view = facts.state.nodes.get(name)
        if view is None or view.vms is None:
            yield _refuse("capacity", name, f"the VMs of {name} could not be read")
            continue
        others = [other for other in facts.state.node_names() if other != name and takes_roles(facts.state, other)]
        free = {other: room_of(facts, other) for other in others}
        unread = [other for other, room in free.items() if room is None]
        if unread:
            yield _refuse("capacity", name, f"the free memory of {', '.join(unread)} could not be read")
            continue
        needs = {key: need_of(facts, key) for key in view.vms if facts.state.role(key) is not None}
        for key, place in spread(free, needs).items():
            vm, need = view.vms[key], needs[key]
            if place is None:
                size = "its memory is unknown" if need is None else f"{need / 1024:.1f} GB"
                target = Target(kind="vm", id=key, name=vm.name)
                yield Refusal(rule="capacity", target=target, text=f"{vm.name} fits on no other node ({size})")


def _trouble(node: ClusterNode) -> str:
    if node.status is None:
        return "unread"
    state = signed(node.state)
    if state != NodeState.Up:
        return {NodeState.Down: "down", NodeState.Paused: "paused", NodeState.Joining: "joining"}.get(
            NodeState(state) if state in set(NodeState) else NodeState.Unknown, "in an unknown state"
        )
    if node.status & NodeStatus.Quarantined:
        return "in quarantine"
    if node.status & NodeStatus.Isolated:
        return "isolated"
    return "draining or left over from a drain" if node.status & _TROUBLED else ""


def _asked(facts: Facts, name: str) -> NodePreflight | None:
    answer = facts.preflight.get(name)
    return answer.node if answer is not None else None


def _why(facts: Facts, name: str) -> str:
    why = facts.unread.get(f"preflight:{name}", "")
    answer = facts.preflight.get(name)
    if not why and answer is not None:
        why = next((problem.text for problem in answer.errors), "")
    return f": {why}" if why else ""


def _node(name: str) -> Target:
    return Target(kind="node", id=name, name=name)


def _refuse(rule: str, name: str, text: str, hint: str = "") -> Refusal:
    return Refusal(rule=rule, target=_node(name), text=text, hint=hint)
