"""Reading the picture for a run: where a VM is, whether it moves, how far, and why it did not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from hvtui.model.enums import NodeState, NodeStatus, VmState, name_of, signed
from hvtui.model.records import Event, Job, Role
from hvtui.model.state import ClusterState
from hvtui.operations.desk import Desk
from hvtui.operations.explain import FAILED_EVENTS, best, is_limit, meaning
from hvtui.operations.plan import Target
from hvtui.operations.queue import running_job
from hvtui.operations.run import ItemState, Run, RunItem, RunState

AWAY: Final = NodeStatus.Isolated | NodeStatus.Quarantined | NodeStatus.DrainInProgress
_SLACK: Final = timedelta(seconds=2)


def same(one: str | None, other: str | None) -> bool:
    """Two names of nodes are the same, as Windows compares them."""
    return one is not None and other is not None and one.lower() == other.lower()


def owner_of(state: ClusterState, vm: str) -> str:
    """The node that owns a VM's role; empty when that is unread."""
    role = state.role(vm)
    return role.owner or "" if role is not None else ""


def vm_state(state: ClusterState, vm: str, node: str) -> int | None:
    """The state in which a node lists a VM; None when it does not, or is not heard."""
    view = state.nodes.get(state.node_name(node))
    record = (view.vms or {}).get(vm) if view is not None else None
    return record.state if record is not None else None


def moving_jobs(state: ClusterState, vm: str, node: str) -> list[Job]:
    """Migration jobs of a VM on its source, running or just ended."""
    view = state.nodes.get(state.node_name(node))
    return [job for job in (view.jobs_of.get(vm, ()) if view is not None else ()) if job.kind == "migration"]


def percent_of(state: ClusterState, role: Role) -> int | None:
    """How far a migration is: the source's job first, it is told at once and counts finer than the cluster."""
    job = running_job(state, role.vm or "", role.owner or "")
    return job.percent if job is not None and job.percent is not None else role.migration_percent


def up_others(state: ClusterState, node: str) -> str:
    """Names of the other nodes that take roles: Up, not isolated, in quarantine or draining; joined by commas."""
    names = [
        name
        for name, member in (state.cluster.nodes or {}).items()
        if not same(name, node) and signed(member.state) == NodeState.Up and not (member.status or 0) & AWAY
    ]
    return ",".join(sorted(names))


def state_word(number: int | None) -> str:
    """Windows' name of a VM's state."""
    return name_of(VmState, number)


def began(desk: Desk, node: str) -> datetime:
    """The node's clock now, a little early: events of what is begun now are newer."""
    now = desk.state.node(node).link.node_now(desk.now())
    return (now or desk.clock.now()) - _SLACK


async def why(desk: Desk, vm: Target, nodes: Iterable[str], since: datetime) -> list[str]:
    """Codes and ids of the events that tell why a migration failed, waited for a while; empty when none came.

    Several channels tell of one failure, and the one with the reason may be read last: a general word is not enough
    before all of them were read.
    """

    for node in nodes:
        desk.nodes.refresh("events", node)

    def enough() -> bool:
        events = [found for found in desk.state.events.of(FAILED_EVENTS, since=since) if _about(found.event, vm)]
        if not events or limit_reached(told(desk, vm, since)):
            return bool(events)
        reads = ((desk.state.events.read_at(found.node), found.event.time) for found in events)
        return all(read is not None and read > time for read, time in reads)

    await desk.watcher.until(enough, desk.pace.events)
    return told(desk, vm, since)


def told(desk: Desk, vm: Target, since: datetime) -> list[str]:
    """Codes and ids of events since then that tell that a migration of the VM failed."""
    codes: list[str] = []
    for found in desk.state.events.of(FAILED_EVENTS, since=since):
        if _about(found.event, vm):
            codes += [*found.event.codes, str(found.event.id)]
    return list(dict.fromkeys(codes))


def _about(event: Event, vm: Target) -> bool:
    return event.vm == vm.id or (event.vm is None and event.vm_name == vm.name)


def explain_item(item: RunItem, codes: list[str], text: str) -> None:
    """Keep on an item why it failed: the code that says most, explained if it can be."""
    item.code = best(codes)
    found = meaning(item.code) if item.code else None
    if found is None:
        item.text = f"{text} ({item.code})" if item.code else f"{text}; Windows told no reason in its events"
        return
    item.text = f"{text}: {found.text} ({item.code})"
    item.advice = found.advice


def limit_reached(codes: list[str]) -> bool:
    """Another client had all places."""
    return is_limit(codes)


def end_state(run: Run) -> RunState:
    """How a run ended, from its items: not known is worse than failed, and failed than cancelled."""
    states = {item.state for item in run.items}
    if ItemState.UNKNOWN in states:
        return RunState.UNKNOWN
    if states & {ItemState.FAILED, ItemState.REFUSED, ItemState.HELD}:
        return RunState.FAILED
    return RunState.CANCELLED if ItemState.CANCELLED in states else RunState.DONE
