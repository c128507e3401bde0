"""Resume of a paused node, always with its failback named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from hvtui.model.enums import NodeState, signed
from hvtui.model.severity import Severity
from hvtui.operations.facts import Facts
from hvtui.operations.gate import settle
from hvtui.operations.plan import Note, Plan, Refusal, Stage, Verb
from hvtui.operations.verbs.draft import draft, move_of, node_target
from hvtui.operations.verbs.migrate import leveled

IMMEDIATE: Final = "Immediate"
NO_FAILBACK: Final = "NoFailback"


def plan_resume(facts: Facts, node: str, *, failback: str = IMMEDIATE, returning: Iterable[str] | None = None) -> Plan:
    """Let a node take roles again. `returning` are the VMs a drain took away, as the journal knows; None: unknown.

    Then every clustered VM elsewhere may be among those that come back.
    """
    state = facts.state
    known = returning is not None
    keys = [key for key in (returning if returning is not None else state.vm_keys()) if state.role(key) is not None]
    moves = [move_of(facts, key, node) for key in keys if failback == IMMEDIATE and state.home(key) != node]
    word = "its roles come back at once" if failback == IMMEDIATE else "its roles stay where they are"
    stage = Stage(action="resume", node=node, text=f"Resume-ClusterNode {node} -Failback {failback}: {word}")
    notes = []
    if failback == IMMEDIATE and not known:
        text = "the drain was not made by this hvtui: which VMs come back is Windows' knowledge"
        notes.append(Note(text=text, severity=Severity.WARN))
    member = state.member(node)
    refusals = []
    if member is None or signed(member.state) != NodeState.Paused:
        text = f"{node} is not paused" if member is not None else f"the cluster tells nothing of {node}"
        refusals.append(Refusal(rule="changed", target=node_target(node), text=text))
    plan = msgspec.structs.replace(
        draft(facts, Verb.RESUME, f"Resume {node} ({failback})", (node_target(node),)),
        moves=tuple(moves) if known else (),
        stages=(stage,),
        notes=tuple(notes),
        refusals=tuple(refusals),
        options={"failback": failback, "returning": ",".join(move.vm.id for move in moves)},
    )
    return leveled(facts, settle(plan, facts))
