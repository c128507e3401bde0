"""Rules of permission and truth: may this console change this cluster, and is the plan about what is there now?"""

from __future__ import annotations

from collections.abc import Iterator

from hvtui.operations.facts import Facts
from hvtui.operations.plan import Plan, Refusal, Target, Verb
from hvtui.operations.seen import UNKNOWN, seen_of


def read_only(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """The configuration or the operator made the console read-only."""
    if facts.read_only:
        yield Refusal(rule="read-only", text=facts.read_only)


def wrong_cluster(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """The id of the cluster that answers is another one than the plan's or the pinned one."""
    info = facts.state.cluster.info
    if info is None:
        yield Refusal(rule="wrong-cluster", text="which cluster this is could not be read")
        return
    if info.id != plan.cluster_id:
        text = f"the plan is for {plan.cluster} ({plan.cluster_id}), but {info.name} ({info.id}) answers"
        yield Refusal(rule="wrong-cluster", text=text)
    if facts.pinned and info.id != facts.pinned:
        text = f"{info.name} has the id {info.id}; the one of first contact is {facts.pinned}"
        yield Refusal(rule="wrong-cluster", text=text, hint="`hvtui config accept-id` after a rebuild.")


def stale(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """The cluster's stream, or the stream of a node the plan touches, is not live or too old."""
    link = facts.state.cluster.link
    age = link.age(facts.monotonic)
    if link.stale(facts.monotonic) or age is None or age > facts.limits.fresh:
        yield Refusal(rule="stale", text=f"the cluster's picture is not fresh ({_age(age)}, {link.status.value})")
    for name in touched(plan):
        view = facts.state.nodes.get(name)
        age = view.link.age(facts.monotonic) if view is not None else None
        if view is None or view.link.stale(facts.monotonic) or age is None or age > facts.limits.fresh:
            status = view.link.status.value if view is not None else "not watched"
            target = Target(kind="node", id=name, name=name)
            yield Refusal(
                rule="stale", target=target, text=f"what is known of {name} is not fresh ({_age(age)}, {status})"
            )


def changed(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """Owner, state, drain or service is not what the plan saw."""
    targets = _parts(plan)
    for key, saw in plan.seen.items():
        target = targets.get(key)
        if target is None or target.kind == "service":
            continue
        now = seen_of(facts, target, plan.verb)
        if now == UNKNOWN and target.kind == "vssaccess":
            continue  # `vss-unread` tells it, with the reason
        if now == UNKNOWN:
            yield Refusal(rule="changed", target=target, text=f"{target.name} could not be read again")
        elif now != saw:
            yield Refusal(rule="changed", target=target, text=f"{target.name} has changed: was {saw}, is {now}")


def busy(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """Another operation of hvtui holds a target."""
    if plan.verb is Verb.CANCEL:
        return
    for key, target in _parts(plan).items():
        if key in facts.busy:
            hint = "Wait for it, or cancel it, on the operations page."
            yield Refusal(rule="busy", target=target, text=f"{target.name} is held by: {facts.busy[key]}", hint=hint)


def unread(plan: Plan, facts: Facts) -> Iterator[Refusal]:
    """A preflight that the plan needs has no answer; of a mere destination its VMs are not needed."""
    sources = {move.source for move in plan.moves} | {target.id for target in plan.targets if target.kind == "node"}
    sources |= {change.node for change in plan.changes}
    for name in touched(plan):
        answer = facts.preflight.get(name)
        why = facts.unread.get(f"preflight:{name}", "")
        target = Target(kind="node", id=name, name=name)
        if answer is None:
            text = f"the preflight of {name} could not be read{f': {why}' if why else ''}"
            yield Refusal(rule="unread", target=target, text=text)
        elif answer.node is None:
            yield Refusal(rule="unread", target=target, text=f"the preflight of {name} tells nothing of the node")
        elif answer.vms is None and name in sources:
            text = f"the preflight of {name} tells nothing of its VMs"
            yield Refusal(rule="unread", target=target, text=text)


def _parts(plan: Plan) -> dict[str, Target]:
    """Everything it touches, by key."""
    parts = (*(move.vm for move in plan.moves), *(change.target for change in plan.changes))
    return {target.key: target for target in (*plan.targets, *parts)}


def touched(plan: Plan) -> list[str]:
    """Nodes that a plan acts on, or moves VMs from or to."""
    names = [target.id for target in plan.targets if target.kind == "node"]
    names += [target.id.partition("/")[0] for target in plan.targets if target.kind == "service"]
    names += [name for move in plan.moves for name in (move.source, move.destination) if name]
    names += [change.node for change in plan.changes if change.node]
    names += [stage.node for stage in plan.stages]
    return list(dict.fromkeys(names))


def _age(age: float | None) -> str:
    return "never read" if age is None else f"{age:.0f} s old"
