"""The other way to align: a CSV to the node that runs most of its VMs. They keep running; only its owner changes."""

from __future__ import annotations

import msgspec

from hvtui.model.severity import Severity
from hvtui.operations.facts import Facts
from hvtui.operations.gate import settle
from hvtui.operations.plan import Level, Note, Plan, Refusal, Stage, Verb
from hvtui.operations.stages import MOVE_CSV
from hvtui.operations.verbs.align import csv_lines, csv_target, missing_csv, volumes
from hvtui.operations.verbs.draft import draft


def plan_move_csv(facts: Facts, csv: str) -> Plan:
    """Move the CSV that is named (its folder, resource or id) to its VMs.

    The cluster balances owners by itself and may undo it; it refuses while a snapshot of the volume is made (5147).
    """
    chosen = volumes(facts, csv)
    if len(chosen) != 1:
        base = draft(facts, Verb.ALIGN, f"Move {csv} to its VMs", ())
        return msgspec.structs.replace(base, refusals=(missing_csv(facts, csv),))
    key = next(iter(chosen))
    target = csv_target(facts, key)
    lines = tuple(line for line in csv_lines(facts, [], {}) if line.csv == key)
    plan = draft(facts, Verb.ALIGN, f"Move {target.name} to its VMs", (target,))
    options = {"csv": csv, "move_csv": "yes"}
    plan = msgspec.structs.replace(plan, csvs=lines, options=options, level=Level.TYPED, name=target.name)
    if not lines or not lines[0].alternative:
        text = f"{target.name} is where most of its VMs are" if lines else f"no VM runs on {target.name}"
        return msgspec.structs.replace(plan, refusals=(Refusal(rule="there", target=target, text=text),))
    node = lines[0].alternative
    text = f"Move-ClusterSharedVolume {target.name} to {node}; {lines[0].alternative_moves} VMs are off its owner then"
    note = Note(text="the cluster balances the owners of CSVs by itself and may undo this", severity=Severity.WARN)
    stage = Stage(action=MOVE_CSV, node=node, text=text, target=target)
    plan = msgspec.structs.replace(plan, stages=(stage,), notes=(note,))
    return settle(plan, facts)
