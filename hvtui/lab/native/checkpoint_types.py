"""Set-HvTuiCheckpointType on the native engine: one line a VM, as it is changed, and the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any, Final

from hvtui.lab.native.change import Change, Refusal, Wait, code_of
from hvtui.lab.native.problems import hyperv_command, part_trouble, problem
from hvtui.lab.native.roles import read_free_vm
from hvtui.lab.native.stream import stamp, wire
from hvtui.lab.world import actions
from hvtui.lab.world.node import Node
from hvtui.lab.world.world import World
from hvtui.model.enums import CheckpointType
from hvtui.remote.contract import WIRE

FUNCTION: Final = "Set-HvTuiCheckpointType"
IN_A_ROW: Final = 5
"""Failures one after the other after which it stops by itself."""
_DENIED: Final = 5


async def change_types(
    world: World, node: Node, values: dict[str, Any], *, wait: Wait, cpu_ms: int = 0
) -> AsyncGenerator[str, None]:
    """The lines of one call."""
    pairs = str(values["VM"]).split(",")

    def begun(vm: str = "") -> Change:
        change = Change(world, node, FUNCTION, values["OperationId"], values["Actor"], wait, cpu_ms)
        change.recorded = whole.recorded if vm else None
        return change

    whole = begun()
    counts = {"changed": 0, "refused": 0, "failed": 0}
    row, ended = 0, "done"
    for pair in pairs:
        id, before, after = pair.lower().split(":")
        one = begun(id)
        try:
            await _one(whole, one, id, (int(before), int(after)), len(pairs))
        except Refusal as refusal:
            one.rule, one.text = refusal.rule, refusal.text
        counts["changed" if one.outcome == "done" else one.outcome] += 1
        row = row + 1 if one.outcome == "failed" else 0 if one.outcome == "done" else row
        yield _line(one, "vm", id, counts)
        if row >= IN_A_ROW:
            ended = "stopped"
            break
    whole.outcome = ended
    yield _line(whole, "end", "", counts)


async def _one(whole: Change, one: Change, id: str, wanted: tuple[int, int], count: int) -> None:
    vm = await read_free_vm(one, id)
    one.before["checkpoint_type"] = int(vm.checkpoint_type)
    one.expect("checkpoint_type", wanted[0], int(vm.checkpoint_type))
    if wanted[0] == wanted[1]:
        raise Refusal("forbidden", "it is of that type already")
    if whole.recorded is None:
        whole.command = f"Set-VM -VM ... -CheckpointType ..., for up to {count} VMs"
        whole.record()
    one.recorded = whole.recorded
    one.command = f"Set-VM -VM {id} -CheckpointType {CheckpointType(wanted[1]).name}"
    try:
        actions.set_checkpoint_type(one.world, vm, wanted[1], asked=one.asked)
    except actions.Refused as refused:
        one.outcome = "failed"
        one.rule = "denied" if refused.number == _DENIED else "windows"
        one.text, one.code = refused.text, code_of(refused.number)
    finally:
        one.world.changed()
    trouble = hyperv_command(part_trouble(one.node, "Get-VM"))
    if trouble is not None:
        one.problems.append(problem("after", trouble))
    else:
        one.after["checkpoint_type"] = int(vm.checkpoint_type)
    if one.outcome != "failed":
        one.outcome = "done"


def _line(change: Change, kind: str, vm: str, counts: dict[str, int]) -> str:
    return wire(
        {
            "v": WIRE,
            "time": stamp(change.world.time_of(change.node)),
            "cpu_ms": change.cpu_ms,
            "node": change.node.name,
            "function": change.function,
            "operation": change.operation.lower(),
            "kind": kind,
            "vm": vm,
            "outcome": change.outcome,
            "rule": change.rule,
            "text": change.text,
            "code": change.code,
            "before": change.before.get("checkpoint_type"),
            "after": change.after.get("checkpoint_type"),
            "command": change.command,
            "recorded": change.recorded,
            **counts,
            "errors": change.problems,
        }
    ).decode()
