"""Calls that a check of the module refuses, and what comes of each without it: the shape of a row, and those of
checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from hvtui.lab.world import World, actions
from hvtui.lab.world.command_log import Change
from hvtui.lab.world.operations import take_checkpoint
from hvtui.lab.world.vm import Vm
from hvtui.model.enums import CheckpointType, SnapshotType, VmState
from tests.engine.support.patched import Edit
from tests.support.prevented import scene
from tests.support.prevented_cases import APPLY, BACKUP, REMOVE, START_VM, TAKE, vms

Values = dict[str, Any]
SCENE: Final = scene(more=BACKUP)
NOBODY: Final = "00000000-0000-4000-8000-000000000000"
TYPE: Final = "Set-VM"


@dataclass(frozen=True)
class Row:
    """A call that a place of the module refuses, and what comes of it without that place."""

    function: str
    values: Callable[[World], Values]
    shows: Callable[[World], object]
    prepare: Callable[[World], object] = lambda world: None
    edits: tuple[Edit, ...] = ()
    """How the node's Windows is made to behave as the place expects it; there in both copies."""
    first: str = ""
    """Script that runs on the engine before."""
    world: str = field(default=SCENE)
    node: str = "HV01"


def mover(world: World) -> Vm:
    """The VM that calls are about."""
    return world.vm("APP01")


def changes(world: World) -> list[Change]:
    """What Windows was asked for on behalf of hvtui."""
    return [change for change in world.commands.changes if change.asked.operation]


def begun(command: str) -> Callable[[World], object]:
    """Windows took it."""
    return lambda world: [one for one in changes(world) if one.command == command and one.outcome != "refused"]


def asked(command: str) -> Callable[[World], object]:
    """Windows was asked, and it is Windows that refused: the check only says so earlier, and in better words."""
    return lambda world: [one for one in changes(world) if one.command == command and one.outcome == "refused"]


def harm(kind: str) -> Callable[[World], object]:
    """Somebody was harmed."""
    return lambda world: world.ledger.of(kind)


def nothing(world: World) -> object:
    """There is nothing to change: without the check the call only ends with another reason or none."""
    return not changes(world)


# --- checkpoints ---


def _take(**other: Any) -> Callable[[World], Values]:
    return lambda world: {"VMId": mover(world).id, "Name": "before", "ExpectState": 2, "ExpectType": 3, **other}


def _apply(**other: Any) -> Callable[[World], Values]:
    return lambda world: {**_of(world), "ExpectState": 2, "ExpectSaved": 0, **other}


def _remove(**other: Any) -> Callable[[World], Values]:
    return lambda world: {**_of(world), "ExpectType": 0, "ExpectChildren": 0, **other}


def _of(world: World) -> Values:
    """The VM and its first checkpoint."""
    vm = mover(world)
    return {"VMId": vm.id, "CheckpointId": vm.checkpoints[0].id}


def _typed(before: int, after: int) -> Callable[[World], Values]:
    return lambda world: {"VM": f"{mover(world).id}:{before}:{after}"}


def _is(state: VmState) -> Callable[[World], object]:
    return lambda world: mover(world).set_state(state)


def _makes(kind: CheckpointType) -> Callable[[World], object]:
    """A colleague changed what its next checkpoint is."""
    return lambda world: actions.set_checkpoint_type(world, mover(world), kind)


def _has(*kinds: SnapshotType, saved: bool = False, state: VmState = VmState.Running) -> Callable[[World], object]:
    """It has checkpoints, each on the one before, and is in a state."""

    def act(world: World) -> None:
        for number, kind in enumerate(kinds):
            take_checkpoint(world, mover(world), kind, f"before {number}", saved=saved, rate=1e6)
        mover(world).set_state(state)

    return act


def _holds_memory(world: World) -> object:
    """The checkpoint is not the one that the plan told of: it came from outside the guest, memory and all."""
    return [one for one in mover(world).checkpoints if one.saved]


def _stopped(world: World) -> object:
    """The guest that ran is off."""
    return mover(world).state == VmState.Off


FREE_STATE: Final = "Read-HvTuiFreeVm expect.state"
"""It stands behind a condition of its own, so its text is not of the form of the others."""
NOT_DONE: Final = "Invoke-HvTuiOneCheckpointType windows"
"""It comes after the command: no refusal, but what keeps a change that Windows did not make from being told as done."""
CHECKPOINT_ROWS: Final[dict[str, Row]] = {
    FREE_STATE: Row(
        # The plan saw it off; a colleague started it.
        "Restore-HvTuiCheckpoint", _apply(ExpectState=3), _stopped, _has(SnapshotType.Standard),
    ),
    "Select-HvTuiCheckpoint expect.checkpoint": Row(
        "Remove-HvTuiCheckpoint", _remove(CheckpointId=NOBODY), nothing, _has(SnapshotType.Standard)
    ),
    # New-HvTuiCheckpoint
    "Invoke-HvTuiCheckpoint expect.checkpoint_type": Row(
        "New-HvTuiCheckpoint", _take(), _holds_memory, _makes(CheckpointType.Standard)
    ),
    "Invoke-HvTuiCheckpoint forbidden 1": Row(
        "New-HvTuiCheckpoint", _take(ExpectType=2), asked(TAKE), _makes(CheckpointType.Disabled)
    ),
    "Invoke-HvTuiCheckpoint forbidden 2": Row(
        "New-HvTuiCheckpoint", _take(ExpectState=10), asked(TAKE), _is(VmState.Starting)
    ),
    # Restore-HvTuiCheckpoint
    "Invoke-HvTuiCheckpointRestore expect.saved": Row(
        "Restore-HvTuiCheckpoint", _apply(), harm("stale_memory"), _has(SnapshotType.Standard, saved=True),
        world=scene(vms=vms('nodes = ["HV01"]\nguest = "domain-controller"', count=1)),
    ),
    "Invoke-HvTuiCheckpointRestore forbidden 1": Row(
        "Restore-HvTuiCheckpoint", _apply(), begun(APPLY), _has(SnapshotType.Recovery)
    ),
    "Invoke-HvTuiCheckpointRestore forbidden 2": Row(
        "Restore-HvTuiCheckpoint", _apply(ExpectState=10), begun(APPLY),
        _has(SnapshotType.Standard, state=VmState.Starting),
    ),
    # Remove-HvTuiCheckpoint
    "Invoke-HvTuiCheckpointRemoval expect.type": Row(
        "Remove-HvTuiCheckpoint", _remove(), begun(REMOVE), _has(SnapshotType.Recovery)
    ),
    "Invoke-HvTuiCheckpointRemoval expect.children": Row(
        "Remove-HvTuiCheckpoint", _remove(), begun(REMOVE), _has(SnapshotType.Standard, SnapshotType.Standard)
    ),
    "Invoke-HvTuiCheckpointRemoval forbidden": Row(
        "Remove-HvTuiCheckpoint", _remove(ExpectType=6), begun(REMOVE), _has(SnapshotType.Replica)
    ),
    # Start-HvTuiVM
    "Invoke-HvTuiVmStart forbidden": Row(
        "Start-HvTuiVM", lambda world: {"VMId": mover(world).id, "ExpectState": 2}, asked(START_VM)
    ),
    # Set-HvTuiCheckpointType
    "Invoke-HvTuiOneCheckpointType expect.checkpoint_type": Row(
        "Set-HvTuiCheckpointType", _typed(3, 5), begun(TYPE), _makes(CheckpointType.ProductionOnly)
    ),
    "Invoke-HvTuiOneCheckpointType forbidden": Row("Set-HvTuiCheckpointType", _typed(3, 3), begun(TYPE)),
}  # fmt: skip
