"""Restart of VMMS by the runbook, start of a VMMS that hvtui stopped, and restart of another writer's service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from hvtui.model.severity import Severity
from hvtui.model.writer_catalog import HYPER_V, WRITERS
from hvtui.operations.backup_state import backup_state
from hvtui.operations.facts import Facts
from hvtui.operations.gate import settle
from hvtui.operations.guest_knowledge import verdicts
from hvtui.operations.holds import vm_target
from hvtui.operations.plan import Level, Note, Plan, Refusal, Stage, Verb
from hvtui.operations.rules_node import is_drained
from hvtui.operations.verbs.draft import draft, node_target, service_target
from hvtui.operations.verbs.drain import with_drain
from hvtui.operations.verbs.migrate import leveled
from hvtui.operations.verbs.resume import IMMEDIATE

RESTARTABLE: Final = ("VSS", "swprv", "CryptSvc", "BITS", "SQLWriter")
"""Services of writers that hvtui restarts beside VMMS; for all others it says which service hosts them and why not."""
VMMS: Final = "vmms"
_STAGES: Final = (
    ("drain", "Suspend-ClusterNode {0} -Drain, and wait until it is empty"),
    ("stop", "stop VMMS on {0} (Win32_Service), following its state"),
    ("start", "start VMMS on {0}, until it lists the same VMs and the Hyper-V writer is back and [1]"),
    ("resume", "Resume-ClusterNode {0} -Failback {1}, and wait until its roles are home"),
)


def plan_vmms(
    facts: Facts, nodes: Sequence[str], *, failback: str = IMMEDIATE, overrides: tuple[str, ...] = ()
) -> Plan:
    """Drain, restart VMMS, resume; several nodes one after the other, each checked anew before its turn.

    Facts are those of the first node's turn: only what concerns it is planned VM by VM.
    """
    first = nodes[0]
    targets = (*(node_target(node) for node in nodes), service_target(first, VMMS))
    title = f"Restart VMMS on {first}" if len(nodes) == 1 else f"Restart VMMS on {len(nodes)} nodes, one at a time"
    plan = with_drain(facts, draft(facts, Verb.VMMS, title, targets), first)
    stages = [
        Stage(action=action, node=node, text=text.format(node, failback))
        for node in nodes
        for action, text in _STAGES
        if action != "drain" or not is_drained(facts, node)
    ]
    notes = (*plan.notes, *_needed(facts, first))
    plan = msgspec.structs.replace(
        plan, stages=tuple(stages), notes=notes, options={"failback": failback}, overrides=overrides
    )
    settled = leveled(facts, settle(plan, facts))
    return msgspec.structs.replace(settled, name=first if len(nodes) == 1 else plan.cluster)


def _needed(facts: Facts, node: str) -> list[Note]:
    """Whether the restart is needed at all, as far as the writer tells."""
    view = facts.state.nodes.get(node)
    writer = None
    if view is not None and view.writers is not None:
        writer = next((one for one in view.writers.writers if one.id == HYPER_V), None)
    if writer is None:
        return [
            Note(
                text=f"the Hyper-V writer of {node} was not read: a missing writer is a fault, too",
                severity=Severity.WARN,
            )
        ]
    if writer.code == 1:
        return [Note(text=f"the Hyper-V writer of {node} is [1] and needs no restart", severity=Severity.WARN)]
    told = list(verdicts(facts.state, facts.guests, node, facts.monotonic))
    notes = [Note(text=f"the Hyper-V writer of {node} is [{writer.code}] {writer.error_text}")]
    if writer.error_kind == "retryable":
        text = "is the job still pending in the backup product? Then free space, resume the job, and restart nothing"
        notes.append(Note(text=text, severity=Severity.WARN))
    if told:
        names = ", ".join(one.name for one in told)
        text = f"guests whose shadow copy failed (10102): {names}. While one is full the writer sticks again"
        notes.append(Note(text=text, severity=Severity.WARN))
        notes += [Note(text=one.text, target=vm_target(one.vm, one.name), severity=one.severity) for one in told]
    notes += [Note(text=f"backup: {line}") for line in backup_state(facts, node).evidence[:4]]
    return notes


def plan_start(facts: Facts, node: str, service: str = VMMS) -> Plan:
    """Start a VMMS, or a writer's service, that hvtui stopped: the way back checks only what it touches."""
    name = "VMMS" if service.lower() == VMMS else service
    target = service_target(node, service)
    refusals = []
    if name not in ("VMMS", *RESTARTABLE):
        refusals.append(Refusal(rule="forbidden", target=target, text=f"hvtui does not start {service}"))
    answer = facts.services.get(target.id)
    if answer is not None and answer.state != "Stopped":
        refusals.append(Refusal(rule="service", target=target, text=f"{name} on {node} is {answer.state}"))
    stage = Stage(action="start", node=node, text=f"start {name} on {node}")
    plan = draft(facts, Verb.START_VMMS, f"Start {name} on {node}", (target,))
    plan = msgspec.structs.replace(plan, stages=(stage,), refusals=tuple(refusals))
    if target.id.lower() in facts.stopped:
        return leveled(facts, settle(plan, facts))
    # Somebody else may have stopped it for a reason: then it takes more than a key.
    text = f"neither the journal nor the node's records say that hvtui stopped {name} there; somebody may want it so"
    plan = msgspec.structs.replace(plan, notes=(Note(text=text, severity=Severity.WARN),))
    return msgspec.structs.replace(settle(plan, facts), level=Level.TYPED, name=target.name)


def plan_service(facts: Facts, node: str, service: str) -> Plan:
    """Restart a writer's service: never under running dependents, never while a backup runs.

    One that hvtui itself stopped and that never came back is only started: that is the way back.
    """
    target = service_target(node, service)
    refusals = []
    if service not in RESTARTABLE:
        refusals.append(Refusal(rule="forbidden", target=target, text=why_not(service)))
    answer = facts.services.get(target.id)
    if answer is not None and answer.state == "Stopped" and target.id.lower() in facts.stopped and not refusals:
        return plan_start(facts, node, service)
    if answer is not None and answer.state != "Running":
        text = f"{service} on {node} is {answer.state}: there is nothing to restart"
        refusals.append(Refusal(rule="service", target=target, text=text))
    stages = (
        Stage(action="stop", node=node, text=f"stop {service} on {node}"),
        Stage(action="start", node=node, text=f"start {service} on {node}, until its writers are back and [1]"),
    )
    plan = draft(facts, Verb.SERVICE, f"Restart {service} on {node}", (target,))
    plan = msgspec.structs.replace(plan, stages=stages, refusals=tuple(refusals))
    return leveled(facts, settle(plan, facts))


def why_not(service: str) -> str:
    """Why hvtui does not restart a service."""
    if service.lower() == VMMS:
        return "VMMS is restarted by its own runbook only: drain, restart, resume"
    hosted = [known.name for known in WRITERS.values() if known.service.lower() == service.lower()]
    about = f" (it hosts {', '.join(hosted)})" if hosted else ""
    advice = next((known.restart for known in WRITERS.values() if known.service.lower() == service.lower()), "")
    return f"hvtui does not restart {service}{about}{f': {advice}' if advice else ''}"
