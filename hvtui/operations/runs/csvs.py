"""Moves of CSVs: another coordinator for a volume, asked of its present one."""

from __future__ import annotations

from typing import Final

import msgspec

from hvtui.model.severity import Severity
from hvtui.operations.desk import Desk
from hvtui.operations.plan import Stage
from hvtui.operations.run import ItemState, Run, RunItem
from hvtui.operations.runs import look
from hvtui.operations.stages import MOVE_CSV

MOVE_CSV_CALL: Final = "Move-HvTuiCsv"


def lay_out_volumes(run: Run) -> None:
    """An item for every volume that moves."""
    for stage in run.plan.stages:
        if stage.action == MOVE_CSV and stage.target is not None:
            run.items.append(RunItem(target=stage.target, destination=stage.node))


async def move_volumes(desk: Desk, run: Run) -> None:
    """One volume after the other: a volume is moved by its coordinator, and read back. Raises JournalError."""
    for stage in run.plan.stages:
        item = run.item(stage.target.key) if stage.target is not None else None
        if stage.action != MOVE_CSV or item is None:
            continue
        if run.cancelling:
            item.state, item.text = ItemState.CANCELLED, "cancelled before it began"
            continue
        await _move(desk, run, stage, item)
        desk.line(run, f"{item.target.name}: {item.state.value}, {item.text}", _severity(item))


async def _move(desk: Desk, run: Run, stage: Stage, item: RunItem) -> None:
    target, plan = item.target, run.plan
    csv = (desk.state.cluster.csvs or {}).get(target.id)
    source = csv.owner if csv is not None and csv.owner is not None else ""
    item.source, item.state = source, ItemState.RUNNING
    seen = {key: saw for key, saw in plan.seen.items() if key == target.key}
    alone = msgspec.structs.replace(
        plan, moves=(), targets=(target,), seen=seen, stages=(stage,), left=(), notes=(), refusals=()
    )
    refusals = await desk.check(run, alone, [source, stage.node] if source else [stage.node])
    if refusals or not source:
        item.state = ItemState.HELD if refusals and all(r.hold for r in refusals) else ItemState.REFUSED
        item.text = "; ".join(r.text for r in refusals) or "its owner could not be read"
        return
    parameters = {"CsvId": target.id.partition("/")[0], "Node": stage.node, "ExpectOwner": source}
    answer = await desk.call(run, source, MOVE_CSV_CALL, parameters, target)
    if not answer.worked:
        refused = answer.outcome == "refused" and answer.rule != "windows"
        item.state = ItemState.REFUSED if refused else ItemState.FAILED
        item.text, item.code, item.advice = answer.text, answer.code, answer.hint
        return

    def owner() -> str:
        now = (desk.state.cluster.csvs or {}).get(target.id)
        return now.owner or "" if now is not None else ""

    if await desk.watcher.until(lambda: look.same(owner(), stage.node), desk.pace.settle):
        item.state, item.text = ItemState.DONE, f"its owner is {stage.node}"
    elif answer.outcome == "unknown":
        item.state, item.text = ItemState.UNKNOWN, f"the answer was lost; its owner is {owner()}"
    else:
        item.state, item.text = ItemState.FAILED, f"Windows took it, but its owner is still {owner()}"
    await desk.read_back(run, answer, item.state.value, item.text, {"owner": owner()})


def _severity(item: RunItem) -> Severity:
    return Severity.INFO if item.state is ItemState.DONE else Severity.WARN
