"""Moves of CSVs: another node coordinates, the VMs stay (windows.md §1.10); and redirected access, on and off."""

from __future__ import annotations

from typing import Any, Final

from hvtui.lab.world import events
from hvtui.lab.world.actions.asking import Refused, note
from hvtui.lab.world.actions.moves import INVALID_STATE, NODE_DOWN, NODE_PAUSED
from hvtui.lab.world.behaviours.csv_moves import move_csv
from hvtui.lab.world.command_log import Asked
from hvtui.lab.world.node import Node
from hvtui.lab.world.storage import Csv
from hvtui.lab.world.world import World
from hvtui.model.enums import CsvIoState, NodeState

IN_BACKUP: Final = 5949
"""ERROR_CLUSTER_BACKUP_IN_PROGRESS, 0x173D."""


def move_volume(world: World, csv: Csv, target: Node, *, asked: Asked | None = None) -> None:
    """Move-ClusterSharedVolume: done at once.

    Raises Refused while a backup holds the volume or a snapshot of it is being made (event 5147), and for a node that
    takes no roles or has no path to it.
    """
    arguments: dict[str, Any] = {"Name": csv.resource, "Node": target.name}
    refusal = _refusal(csv, target)
    if refusal is None and not move_csv(world, csv, target):
        text = f"The cluster resource '{csv.resource}' could not be moved: a snapshot of it is being made."
        refusal = Refused(text, IN_BACKUP, "ClusterSnapshotInProgress", csv.resource)
    outcome = "refused" if refusal else "done"
    note(world, csv.owner, "Move-ClusterSharedVolume", csv.id, arguments=arguments, asked=asked, outcome=outcome)
    if refusal is not None:
        raise refusal


def redirect(world: World, csv: Csv, *, on: bool) -> None:
    """A backup product, or a person, turns redirected access on (event 5136 on the owner) or off again (no event)."""
    if csv.redirected is on:
        return
    csv.redirected = on
    csv.touch()
    if on:
        name = csv.path.rsplit("\\", 1)[-1]
        events.emit(world, csv.owner, events.SYSTEM, 5136, VolumeName=name, ResourceName=csv.resource)


def _refusal(csv: Csv, target: Node) -> Refused | None:
    if not target.up:
        number = NODE_PAUSED if target.state == NodeState.Paused else NODE_DOWN
        return Refused(f"The node '{target.name}' is not up.", number, "ClusterNodeNotUp", target.name)
    if csv.io_state(target)[0] in {CsvIoState.Unavailable, CsvIoState.BlockRedirected}:
        text = f"The node '{target.name}' has no path to the disk of '{csv.resource}'."
        return Refused(text, INVALID_STATE, "ClusterResourceInvalidState", csv.resource)
    if csv.backups and not csv.snapshotting:
        return Refused(
            f"The volume '{csv.resource}' is in backup mode.", IN_BACKUP, "ClusterBackupInProgress", csv.resource
        )
    return None
