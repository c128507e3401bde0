"""What goes on in a cluster, each kind in its own module; a scenario says which, when and how often."""

from __future__ import annotations

from hvtui.lab.world.behaviours import csv_moves, host_vss, migration, noise, rct
from hvtui.lab.world.scenario import CsvMovesPart, HostBackupPart, MigrationsPart, NoisePart, RctPart
from hvtui.lab.world.world import World


def start_behaviours(world: World) -> None:
    """Start everything a scenario lists."""
    for number, part in enumerate(world.scenario.behaviours):
        name = f"{number}"
        match part:
            case MigrationsPart():
                world.scheduler.spawn(migration.balance(world, part, name))
            case CsvMovesPart():
                world.scheduler.spawn(csv_moves.balance(world, part, name))
            case NoisePart():
                noise.history(world, part, name)
                world.scheduler.spawn(noise.run(world, part, name))
                if part.callbacks:
                    world.scheduler.spawn(noise.callbacks(world, part, name))
            case RctPart():
                rct.start(world, part, name)
            case HostBackupPart():
                host_vss.start(world, part, name)
